"""The values that the feeds room speaks in: a `Feed` with its `Entry` items, whatever the dialect.

Named tuples: a poll round makes one for each entry, in a process that starts sooner without dataclasses.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Entry(NamedTuple):
    """One item of a feed, cleaned: no markup in `title`, no control characters anywhere.

    `id` is the publisher's own (guid, atom:id) or "" where there is none; `url` is absolute, http or
    https, or "". `summary` is the content where there is no other; both keep their HTML, which is foreign
    text: clean before showing.
    Times are aware and UTC; None where the feed says nothing credible.
    """

    id: str
    url: str
    title: str
    published: datetime | None = None
    updated: datetime | None = None
    summary: str = ""
    content: str = ""
    authors: tuple[str, ...] = ()


class Rhythm(NamedTuple):
    """What a feed itself says of how often it changes (RSS ttl, skipHours, skipDays, sy:update*).

    A floor for the pause between two looks, never a reason to look more often. `ttl_seconds` from
    `ttl` and `sy:updatePeriod`/`updateFrequency` together (the longer); hours 0..23 in GMT; days by
    `datetime.weekday()` (0 is Monday).
    """

    ttl_seconds: int | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


class Feed(NamedTuple):
    """A feed as parsed. `dialect` names what was read ("rss 2.0", "atom 1.0", "rdf", "json 1.1", ...).

    `cut`: the document breaks off inside an entry, which and what should follow is not there.
    """

    title: str
    link: str
    entries: tuple[Entry, ...]
    dialect: str = ""
    language: str | None = None
    rhythm: Rhythm = Rhythm()
    hub: str | None = None
    self_url: str | None = None
    cut: bool = False
