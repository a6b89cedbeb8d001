"""What goes between the program and its parser processes, and how.

Frames: four bytes of length, then a value of plain types (tuples, text, numbers) by `marshal`. That carries
no classes, so it runs no code, and takes a third of the time that pickling does.
"""

from __future__ import annotations

import marshal
import struct
from typing import Any, Final

from bot.feeds.model import Rhythm
from bot.feeds.sight import SeenFeed, Sighting

CPU_SECONDS: Final = 5
"""Seconds of computing that one document may take."""

LENGTH: Final = struct.Struct("!I")


def frame(value: tuple[Any, ...]) -> bytes:
    """Give a value as it goes over the socket."""
    body = marshal.dumps(value)
    return LENGTH.pack(len(body)) + body


def value_of(body: bytes) -> Any:
    """Undo `frame`, the length taken off."""
    return marshal.loads(body)  # noqa: S302 - from our own process; no classes in it, unlike pickle


def packed(feed: SeenFeed) -> tuple[Any, ...]:
    """Give a feed in plain types."""
    rhythm = (feed.rhythm.ttl_seconds, tuple(feed.rhythm.skip_hours), tuple(feed.rhythm.skip_days))
    sightings = tuple(map(tuple, feed.sightings))
    return feed.title, feed.link, feed.language, rhythm, feed.hub, feed.self_url, sightings


def unpacked(values: tuple[Any, ...]) -> SeenFeed:
    """Undo `packed`."""
    title, link, language, (ttl, hours, days), hub, self_url, sightings = values
    rhythm = Rhythm(ttl, frozenset(hours), frozenset(days))
    return SeenFeed(title, link, language, rhythm, hub, self_url, tuple(map(Sighting._make, sightings)))
