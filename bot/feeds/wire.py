"""What goes between the program and its parser processes, and how.

Frames: four bytes of length, then a value of plain types (tuples, text, numbers) by `marshal`. That carries
no classes, so it runs no code, and takes a third of the time that pickling does. A document follows the frame
that tells of it as it is: tens of kilobytes that would else be copied at both ends.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final

from bot.feeds.model import Rhythm
from bot.feeds.sight import SeenFeed, Sighting

CPU_SECONDS: Final = 5
"""Seconds of computing that one document may take."""

LENGTH: Final = struct.Struct("!I")
_PART: Final = 100  # entries
_sighting: Final = partial(tuple.__new__, Sighting)  # what its own constructor comes to, a third of the time


def frame(value: tuple[Any, ...]) -> bytes:
    """Give a value as it goes over the socket."""
    body = marshal.dumps(value)
    return LENGTH.pack(len(body)) + body


def value_of(body: bytes) -> Any:
    """Undo `frame`, the length taken off."""
    return marshal.loads(body)  # noqa: S302 - from our own process; no classes in it, unlike pickle


def packed(feed: SeenFeed) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
    """Give a feed in plain types: its own words with its first entries, then the others in parts.

    Each part is a frame of its own, so that taking in a very large feed never holds the event loop.
    """
    rhythm = (feed.rhythm.ttl_seconds, tuple(feed.rhythm.skip_hours), tuple(feed.rhythm.skip_days))
    rows = tuple(map(tuple, feed.sightings))
    parts = [rows[start : start + _PART] for start in range(_PART, len(rows), _PART)]
    about = (feed.title, feed.link, feed.language, rhythm, feed.hub, feed.self_url, feed.shared, feed.cut)
    return (*about, rows[:_PART], len(parts)), parts


def unpacked(head: Sequence[Any], parts: Iterable[Sequence[Any]]) -> SeenFeed:
    """Undo `packed`."""
    title, link, language, (ttl, hours, days), hub, self_url, shared, cut, first, _ = head
    rhythm = Rhythm(ttl, frozenset(hours), frozenset(days))
    sightings = tuple(map(_sighting, chain(first, *parts)))
    return SeenFeed(title, link, language, rhythm, hub, self_url, sightings, shared, cut)
