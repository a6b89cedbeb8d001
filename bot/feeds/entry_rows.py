"""Entries that a feed shows: which are new, which changed, and the rows that are stored of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.feeds.sight import Sighting
from db.feed_looks import KnownEntry


def sort_out(
    sightings: Sequence[Sighting], known: Mapping[str, KnownEntry]
) -> tuple[list[Sighting], list[dict[str, Any]]]:
    """Tell new entries from edits of known ones; the first of two with the same identity counts."""
    fresh: list[Sighting] = []
    edits: list[dict[str, Any]] = []
    seen: set[str] = set()
    for sighting in sightings:
        if sighting.key in seen:
            continue
        seen.add(sighting.key)
        there = known.get(sighting.key)
        if there is None:
            fresh.append(sighting)
        elif there.content_hash != sighting.content_hash:
            edits.append({"entry_id": there.id, **_shown(sighting)})
    return fresh, edits


def oldest_first(fresh: Sequence[Sighting], now: datetime) -> list[Sighting]:
    """Put entries in the order in which they are to be read and told; feeds show the newest first."""
    upside_down = fresh[::-1]  # the order among those of one time or of none
    last = now.timestamp()
    return sorted(upside_down, key=lambda s: last if s.published is None else s.published)


def _shown(sighting: Sighting) -> dict[str, Any]:
    return {
        "url": sighting.url,
        "url_key": sighting.url_key,
        "title": sighting.title,
        "summary": sighting.summary,
        "content": sighting.content,
        "content_hash": sighting.content_hash,
    }


def new_entry_row(sighting: Sighting, feed_id: int, now: datetime, *, history: str | None) -> dict[str, Any]:
    """Give the row of an entry that was not seen before in its feed, waiting to be read.

    `history` is one of `db.feed_tables.HISTORY` where nobody is to be alerted of it.
    """
    key, url_key, content_hash, url, title, summary, content, published, _ = sighting
    return {
        "feed_id": feed_id,
        "key": key,
        "url": url,
        "url_key": url_key,
        "title": title,
        "summary": summary,
        "content": content,
        "content_hash": content_hash,
        "published": None if published is None else datetime.fromtimestamp(published, UTC),
        "first_seen": now,
        "alert": history is None,
        "history": history,
        "state": "new",
        "attempts": 0,
    }
