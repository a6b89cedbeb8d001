"""What a look at feeds compares with, and what it stores: entries, and where each feed stands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, case, exists, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import Bulk, parts
from db.feed_claims import is_free
from db.feed_tables import EntryRow, FeedRow
from db.news import with_turns
from db.notify import ENTRIES, ring


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What is compared of an entry that is stored already."""

    id: int
    content_hash: str


_FEEDS, _ENTRIES = (cast(Table, row.__table__) for row in (FeedRow, EntryRow))
_feeds = _FEEDS.c

_SHOWN = ("url", "url_key", "title", "summary", "content", "content_hash")
_NEW_ENTRY = ("feed_id", "key", *_SHOWN, "published", "first_seen", "alert", "state", "attempts")


def _named(names: Sequence[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}


_INSERT_HISTORY = Bulk(insert(_ENTRIES).values(_named((*_NEW_ENTRY, "history"))).inline())
_INSERT_NEWS = Bulk(insert(_ENTRIES).values(_named((*_NEW_ENTRY, "turn"))).inline())
_EDIT_ENTRIES = Bulk(update(_ENTRIES).where(_ENTRIES.c.id == bindparam("entry_id")).values(_named(_SHOWN)))


@lru_cache(256)
def _after_look(names: tuple[str, ...]) -> Bulk:
    """Give what stores these columns of feeds and gives the feeds back; most looks change the same few."""
    changes = _named(names) | {"claimed_until": null(), "claimed_by": null()}
    return Bulk(update(_FEEDS).where(_feeds.id == bindparam("feed_id")).values(changes))


# The pairs (feed id, key) go in as one value: a statement of hundreds of parameters takes longer to build
# than to carry out. CROSS JOIN tells SQLite to begin with the pairs.
_PAIRS_AT_ONCE = 1000
_KNOWN_SQLITE = (
    "SELECT e.feed_id, e.key, e.id, e.content_hash FROM json_each(?) AS pair CROSS JOIN entries AS e "
    "ON e.feed_id = json_extract(pair.value, '$[0]') AND e.key = json_extract(pair.value, '$[1]')"
)
_KNOWN_POSTGRES = (
    "SELECT e.feed_id, e.key, e.id, e.content_hash FROM unnest($1::bigint[], $2::varchar[]) "
    "AS pair (feed_id, key) JOIN entries AS e ON e.feed_id = pair.feed_id AND e.key = pair.key"
)


# The same by address; what the entries are called tells apart those that all link to one page.
_AT_ADDRESS_SQLITE = (
    "SELECT e.feed_id, e.url_key, e.title, e.id, e.content_hash FROM json_each(?) AS pair CROSS JOIN "
    "entries AS e ON e.url_key = json_extract(pair.value, '$[1]') "
    "AND e.feed_id = json_extract(pair.value, '$[0]') ORDER BY e.id"
)
_AT_ADDRESS_POSTGRES = (
    "SELECT e.feed_id, e.url_key, e.title, e.id, e.content_hash FROM unnest($1::bigint[], $2::varchar[]) "
    "AS pair (feed_id, url_key) JOIN entries AS e ON e.url_key = pair.url_key AND e.feed_id = pair.feed_id "
    "ORDER BY e.id"
)


async def known_entries(
    session: AsyncSession, wanted: Mapping[int, Sequence[str]]
) -> dict[int, dict[str, KnownEntry]]:
    """Give which of the entries (feed id -> keys) are stored, by feed and key."""
    known: dict[int, dict[str, KnownEntry]] = {feed_id: {} for feed_id in wanted}
    pairs = [(feed_id, key) for feed_id in await _with_entries(session, wanted) for key in wanted[feed_id]]
    async for feed_id, key, entry_id, content_hash in _of_pairs(
        session, pairs, _KNOWN_SQLITE, _KNOWN_POSTGRES
    ):
        known[feed_id][key] = KnownEntry(entry_id, content_hash)
    return known


async def known_at_address(
    session: AsyncSession, pairs: Sequence[tuple[int, str]]
) -> dict[tuple[int, str, str], KnownEntry]:
    """Give the entries that are stored under these addresses (feed id, `url_key`).

    By feed, `url_key` and title; of several the newest.
    """
    known: dict[tuple[int, str, str], KnownEntry] = {}
    async for feed_id, url_key, title, entry_id, content_hash in _of_pairs(
        session, pairs, _AT_ADDRESS_SQLITE, _AT_ADDRESS_POSTGRES
    ):
        known[feed_id, url_key, title] = KnownEntry(entry_id, content_hash)
    return known


async def latest_titles(session: AsyncSession, feed_id: int, limit: int = 500) -> frozenset[str]:
    """Give the titles of a feed's latest entries."""
    latest = (
        select(_ENTRIES.c.id)
        .where(_ENTRIES.c.feed_id == feed_id)
        .order_by(_ENTRIES.c.id.desc())
        .limit(limit)
        .subquery()
    )
    titles = select(_ENTRIES.c.title).where(_ENTRIES.c.id.in_(select(latest.c.id)))
    return frozenset((await session.execute(titles)).scalars())


async def _of_pairs(
    session: AsyncSession, pairs: Sequence[tuple[int, str]], in_sqlite: str, in_postgres: str
) -> AsyncIterator[tuple[Any, ...]]:
    """Give the rows of a query for pairs of a feed and a key."""
    connection = await session.connection()
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = pairs[start : start + _PAIRS_AT_ONCE]
        if connection.dialect.name == "sqlite":
            found = await connection.exec_driver_sql(in_sqlite, (json.dumps(part),))
        else:
            feed_ids, keys = map(list, zip(*part, strict=True))
            found = await connection.exec_driver_sql(in_postgres, (feed_ids, keys))
        for row in map(tuple, found):
            yield row


async def _with_entries(session: AsyncSession, feed_ids: Iterable[int]) -> list[int]:
    """Give those of the feeds of which anything is stored: a first look need not ask for each entry."""
    found: list[int] = []
    for part in parts(list(feed_ids)):
        has_entries = exists().where(_ENTRIES.c.feed_id == _feeds.id)
        found += (await session.execute(select(_feeds.id).where(_feeds.id.in_(part), has_entries))).scalars()
    return found


async def insert_entries(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store new entries; each row holds the columns of `_NEW_ENTRY`, and "history" where it alerts nobody."""
    news = [row for row in rows if row["alert"]]
    if len(news) < len(rows):
        await _INSERT_HISTORY.run(session, [row for row in rows if not row["alert"]])
    if news:
        await _INSERT_NEWS.run(session, await with_turns(session, news))
    if rows:
        await ring(session, ENTRIES)


async def edit_entries(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change entries that are stored: each row holds `entry_id` and the columns named in `_SHOWN`."""
    await _EDIT_ENTRIES.run(session, rows)


async def update_feeds(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store what looks changed and give the feeds back.

    Each row holds `feed_id` and the new values of columns.
    """
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(name for name in row if name != "feed_id"), []).append(row)
    for names, part in alike.items():
        await _after_look(names).run(session, part)


async def latest_reached(session: AsyncSession, limit: int = 100) -> list[tuple[str, datetime]]:
    """Give the addresses of the feeds whose servers answered last, whatever they said, with when that was."""
    at = case((_feeds.last_status.is_not(None), _feeds.last_looked_at), else_=_feeds.last_success_at)
    query = (
        select(_feeds.url, at)
        .where(_feeds.state == "active", at.is_not(None))
        .order_by(at.desc())
        .limit(limit)
    )
    return [(url, at) for url, at in await session.execute(query)]


async def latest_unreached(session: AsyncSession) -> int | None:
    """Give the feed that was read last of those whose servers are not reached."""
    query = (
        select(_feeds.id)
        .where(
            _feeds.state == "active",
            _feeds.failing_since.is_not(None),
            _feeds.last_status.is_(None),
            _feeds.last_success_at.is_not(None),
        )
        .order_by(_feeds.last_success_at.desc(), _feeds.id)
        .limit(1)
    )
    return (await session.execute(query)).scalar()


async def look_soon(session: AsyncSession, now: datetime, reason: str, since: datetime) -> None:
    """Have all feeds looked at now whose servers were not reached, and which began to fail after `since`."""
    await session.execute(
        update(_FEEDS)
        .where(
            _feeds.state == "active",
            _feeds.failing_since >= since,
            _feeds.last_status.is_(None),
            _feeds.next_look > now,
            is_free(now),
        )
        .values(next_look=now, next_reason=reason)
    )
