"""Queries about feeds and their entries.

A feed's row is both its state and its place in the queue. Workers claim what is due for a limited time
(`claim_due`), so that any number of them share one database; `claim` grows with every claim, and a
worker that comes back after its time finds another number there and stores nothing (`hold`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Row,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db import notes
from db.bulk import Bulk, parts
from db.feed_tables import EntryRow, FeedRow, GuildFeedRow
from db.news import with_turns
from db.notify import ENTRIES, ring

_CHOICE = 4  # how many times more due feeds are looked through than claimed


class StoredFeed(NamedTuple):
    """A feed's row as it is read; the fields are the columns of `FeedRow`."""

    id: int
    url: str
    title: str = ""
    site: str = ""
    language: str | None = None
    public: bool = False
    state: str = "active"
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    next_look: datetime | None = None
    next_reason: str = ""
    claim: int = 0
    first_looked_at: datetime | None = None
    last_looked_at: datetime | None = None
    last_success_at: datetime | None = None
    last_change_at: datetime | None = None
    last_status: int | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failure: str | None = None
    told_failing_at: datetime | None = None
    notice: str | None = None
    notice_text: str | None = None
    oldest_shown: int | None = None
    memory: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What is compared of an entry that is stored already."""

    id: int
    content_hash: str


_FEEDS, _ENTRIES, _USES = (cast(Table, row.__table__) for row in (FeedRow, EntryRow, GuildFeedRow))
_feeds = _FEEDS.c
_COLUMNS = tuple(_feeds[name] for name in StoredFeed._fields)
# As the row is once it is claimed.
_CLAIMED = tuple(
    (_feeds.claim + 1).label("claim") if name == "claim" else _feeds[name] for name in StoredFeed._fields
)


# Ids are handed over when a statement is carried out: an expression for each takes longer than asking.
_AMONG_IDS = _feeds.id.in_(bindparam("ids", expanding=True))

_SHOWN = ("url", "url_key", "title", "summary", "content", "content_hash")
_NEW_ENTRY = ("feed_id", "key", *_SHOWN, "published", "first_seen", "alert", "state", "attempts")


def _named(names: Sequence[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}


_INSERT_HISTORY = Bulk(insert(_ENTRIES).values(_named(_NEW_ENTRY)).inline())
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


def _stored(row: Row[Any]) -> StoredFeed:
    return StoredFeed._make(row)


# ------------------------------------------------------------------- looking up


async def get(session: AsyncSession, feed_id: int) -> StoredFeed | None:
    """Give one feed."""
    row = (await session.execute(select(*_COLUMNS).where(_feeds.id == feed_id))).first()
    return _stored(row) if row else None


async def find(session: AsyncSession, url: str) -> StoredFeed | None:
    """Give the feed of an address, exactly as it is stored."""
    row = (await session.execute(select(*_COLUMNS).where(_feeds.url == url))).first()
    return _stored(row) if row else None


async def known_urls(session: AsyncSession, urls: Sequence[str]) -> dict[str, int]:
    """Give those of the addresses that are stored, with the ids of their feeds."""
    found: dict[str, int] = {}
    for part in parts(urls):
        rows = await session.execute(select(_feeds.url, _feeds.id).where(_feeds.url.in_(part)))
        found.update((url, feed_id) for url, feed_id in rows)
    return found


async def ended(session: AsyncSession, urls: Sequence[str]) -> list[StoredFeed]:
    """Give those of the addresses' feeds whose server said that they are gone for good."""
    found: list[StoredFeed] = []
    for part in parts(urls):
        rows = await session.execute(select(*_COLUMNS).where(_feeds.url.in_(part), _feeds.state == "gone"))
        found += map(_stored, rows)
    return found


async def listed(session: AsyncSession, guild_id: int | None = None) -> list[StoredFeed]:
    """Give all feeds, or those that a guild uses, by id."""
    return [_stored(row) for row in await session.execute(_of_guild(select(*_COLUMNS), guild_id))]


async def ids(session: AsyncSession, guild_id: int | None = None) -> list[int]:
    """Give the ids of all feeds that are looked at, or of those that a guild uses."""
    query = _of_guild(select(_feeds.id), guild_id).where(_feeds.state == "active")
    return list((await session.execute(query)).scalars())


def _of_guild(query: Select[Any], guild_id: int | None) -> Select[Any]:
    if guild_id is not None:
        query = query.join(GuildFeedRow, GuildFeedRow.feed_id == _feeds.id).where(
            GuildFeedRow.guild_id == guild_id
        )
    return query.order_by(_feeds.id)


async def entry_counts(session: AsyncSession, feed_ids: Sequence[int] | None = None) -> dict[int, int]:
    """Give how many entries are stored of each feed (of all feeds: None)."""
    query = select(EntryRow.feed_id, func.count()).group_by(EntryRow.feed_id)
    if feed_ids is None:
        return dict((await session.execute(query)).all())
    counts: dict[int, int] = {}
    for part in parts(feed_ids):
        counts.update((await session.execute(query.where(EntryRow.feed_id.in_(part)))).all())
    return counts


async def count_entries(session: AsyncSession) -> int:
    """Give how many entries are stored in all."""
    return (await session.execute(select(func.count()).select_from(_ENTRIES))).scalar_one()


async def guilds_of(session: AsyncSession, feed_id: int) -> dict[int, bool]:
    """Give the guilds that use a feed, each with whether it paused it."""
    query = select(GuildFeedRow.guild_id, GuildFeedRow.paused).where(GuildFeedRow.feed_id == feed_id)
    return dict((await session.execute(query)).all())


async def paused_by(session: AsyncSession, guild_id: int) -> set[int]:
    """Give the feeds whose use a guild has paused."""
    query = select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == guild_id, GuildFeedRow.paused)
    return set((await session.execute(query)).scalars())


# --------------------------------------------------------------- adding, using


async def add(session: AsyncSession, values: Mapping[str, Any]) -> int:
    """Store a new feed; gives its id. `values` are columns of `FeedRow`."""
    row = FeedRow(**values)
    session.add(row)
    await session.flush()
    return row.id


async def add_new(session: AsyncSession, values: Mapping[str, Any]) -> int | None:
    """Store a feed unless its address is stored, also by somebody else at this moment (then None)."""
    from db.stories import insert_ignoring  # who only looks need not load it

    fresh = insert_ignoring(session, FeedRow).values(**values).returning(FeedRow.id)
    number: int | None = await session.scalar(fresh)
    return number


async def add_many(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store many new feeds at once; all must have the same columns.

    Those that somebody else adds at this moment are passed over.
    """
    from db.stories import insert_ignoring

    for part in parts(rows):
        await session.execute(insert_ignoring(session, FeedRow), [dict(row) for row in part])


async def use(
    session: AsyncSession, feed_ids: Sequence[int], guild_id: int, added_by: int | None, now: datetime
) -> int:
    """Note that a guild uses these feeds; gives how many it did not use before."""
    from db.stories import insert_ignoring

    used: set[int] = set()
    for part in parts(feed_ids):
        query = select(GuildFeedRow.feed_id).where(
            GuildFeedRow.guild_id == guild_id, GuildFeedRow.feed_id.in_(part)
        )
        used.update((await session.execute(query)).scalars())
    fresh = [
        {"guild_id": guild_id, "feed_id": feed_id, "added_by": added_by, "added_at": now, "paused": False}
        for feed_id in dict.fromkeys(feed_ids)
        if feed_id not in used
    ]
    for rows in parts(fresh):
        await session.execute(insert_ignoring(session, GuildFeedRow), list(rows))
    return len(fresh)


async def unuse(session: AsyncSession, feed_id: int, guild_id: int) -> bool:
    """Note that a guild no longer uses a feed; False when it did not."""
    result = await session.execute(
        delete(GuildFeedRow)
        .where(GuildFeedRow.guild_id == guild_id, GuildFeedRow.feed_id == feed_id)
        .returning(GuildFeedRow.feed_id)
    )
    return result.first() is not None


async def wake_unused(session: AsyncSession, feed_ids: Sequence[int], why: str, now: datetime) -> None:
    """Let those of the feeds go on that rested for that reason.

    Their next look is a first look: who begins to use a feed is not alerted of what it brought before.
    """
    for part in parts(feed_ids):
        await session.execute(
            update(_FEEDS)
            .where(_feeds.id.in_(part), _feeds.state == "paused", _feeds.next_reason == why)
            .values(state="active", next_look=now, next_reason="in use again", first_looked_at=None)
        )


async def rest_unused(session: AsyncSession, feed_ids: Sequence[int], why: str) -> None:
    """Let those of the feeds rest that no guild uses, that the operator did not add and nobody may see."""
    for part in parts(feed_ids):
        used = exists().where(_USES.c.feed_id == _feeds.id)
        query = select(*_COLUMNS).where(_feeds.id.in_(part), ~_feeds.public, ~used)
        for feed in [_stored(row) for row in await session.execute(query)]:
            if not feed.memory.get("kept"):
                await overrule(session, feed.id, {"state": "paused", "next_reason": why})


async def keep(session: AsyncSession, feed_ids: Sequence[int]) -> None:
    """Note of feeds that the operator wants them, whoever else uses them."""
    for part in parts(feed_ids):
        query = select(_feeds.id, _feeds.memory).where(_feeds.id.in_(part))
        for feed_id, memory in (await session.execute(query)).all():
            if not memory.get("kept"):
                await overrule(session, feed_id, {"memory": {**memory, "kept": True}})


async def pause_use(session: AsyncSession, feed_id: int, guild_id: int, *, paused: bool) -> bool:
    """Pause or resume a guild's use of a feed; False when it does not use it."""
    result = await session.execute(
        update(GuildFeedRow)
        .where(GuildFeedRow.guild_id == guild_id, GuildFeedRow.feed_id == feed_id)
        .values(paused=paused)
        .returning(GuildFeedRow.feed_id)
    )
    return result.first() is not None


async def delete_feed(session: AsyncSession, feed_id: int) -> bool:
    """Delete a feed with its entries; False when there is none."""
    result = await session.execute(delete(FeedRow).where(_feeds.id == feed_id).returning(_feeds.id))
    return result.first() is not None


async def set_columns(session: AsyncSession, feed_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of one feed."""
    await session.execute(update(_FEEDS).where(_feeds.id == feed_id).values(**values))


async def overrule(session: AsyncSession, feed_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of one feed also against a look that is under way: `hold` finds its claim gone."""
    freed = {"claim": _feeds.claim + 1, "claimed_until": None, "claimed_by": None}
    await set_columns(session, feed_id, {**values, **freed})


# --------------------------------------------------------------------- claiming


async def claim_due(
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    worker: str,
    lease: float,
    pick: Callable[[StoredFeed], bool] = lambda _feed: True,
) -> list[StoredFeed]:
    """Take up to `limit` feeds that are due, longest due first, for `lease` seconds.

    `pick` may pass over some of them (those of a host that has its share): they stay due.
    """
    query = (
        select(*_CLAIMED)
        .where(_feeds.state == "active", _feeds.next_look <= now, _free(now))
        .order_by(_feeds.next_look, _feeds.id)
        .limit(limit * _CHOICE)
        .with_for_update(skip_locked=True)
    )
    taken: list[StoredFeed] = []
    seen = more = 0
    while len(taken) < limit and more == seen:  # what is passed over must not hide what stands behind it
        due = [_stored(row) for row in await session.execute(query.offset(seen))]
        taken += islice(filter(pick, due), limit - len(taken))
        seen += len(due)
        more += limit * _CHOICE
    return await _claim(session, taken, now, worker, lease)


async def claim_these(
    session: AsyncSession, feed_ids: Sequence[int], *, now: datetime, worker: str, lease: float
) -> list[StoredFeed]:
    """Take these feeds whenever they are due; those that another worker has are left out."""
    query = (
        select(*_CLAIMED)
        .where(_AMONG_IDS, _feeds.state == "active", _free(now))
        .order_by(_feeds.id)
        .with_for_update(skip_locked=True)
    )
    taken = [_stored(row) for row in await session.execute(query, {"ids": feed_ids})]
    return await _claim(session, taken, now, worker, lease)


def _free(now: datetime) -> Any:
    return or_(_feeds.claimed_until.is_(None), _feeds.claimed_until < now)


async def _claim(
    session: AsyncSession, taken: Sequence[StoredFeed], now: datetime, worker: str, lease: float
) -> list[StoredFeed]:
    claim = (
        update(_FEEDS)
        .where(_AMONG_IDS)
        .values(claimed_until=now + timedelta(seconds=lease), claimed_by=worker, claim=_feeds.claim + 1)
    )
    for part in parts([feed.id for feed in taken]):
        await session.execute(claim, {"ids": part})
    return list(taken)


async def renew(
    session: AsyncSession, feed_ids: Sequence[int], *, worker: str, now: datetime, lease: float
) -> None:
    """Prolong claims that are still under way."""
    longer = (
        update(_FEEDS)
        .where(_AMONG_IDS, _feeds.claimed_by == worker)
        .values(claimed_until=now + timedelta(seconds=lease))
    )
    for part in parts(feed_ids):
        await session.execute(longer, {"ids": part})


async def release(session: AsyncSession, feed_ids: Sequence[int], *, worker: str) -> None:
    """Give back feeds that this worker claimed and did not look at."""
    free = (
        update(_FEEDS)
        .where(_AMONG_IDS, _feeds.claimed_by == worker)
        .values(claimed_until=None, claimed_by=None)
    )
    for part in parts(feed_ids):
        await session.execute(free, {"ids": part})


async def claimants(session: AsyncSession) -> list[str]:
    """Give the names of the workers that hold claims."""
    query = select(_feeds.claimed_by).where(_feeds.claimed_by.is_not(None)).distinct()
    return [name for name in (await session.execute(query)).scalars() if name is not None]


async def release_all(session: AsyncSession, workers: Sequence[str]) -> None:
    """Give back all that these workers, which are dead, had claimed."""
    await session.execute(
        update(_FEEDS).where(_feeds.claimed_by.in_(workers)).values(claimed_until=None, claimed_by=None)
    )


async def hold(session: AsyncSession, claims: Mapping[int, int]) -> set[int]:
    """Lock the feeds until the transaction ends; gives those whose claim (id -> claim) is still ours."""
    query = select(_feeds.id, _feeds.claim).where(_AMONG_IDS).order_by(_feeds.id).with_for_update()
    held: set[int] = set()
    for part in parts(sorted(claims)):
        rows = await session.execute(query, {"ids": part})
        held.update(feed_id for feed_id, claim in rows if claims[feed_id] == claim)
    return held


# ---------------------------------------------------------------- storing a look


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
    """Store new entries; each row holds the columns named in `_NEW_ENTRY`."""
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
    """Give the addresses of the feeds that were read last, with when that was."""
    query = (
        select(_feeds.url, _feeds.last_success_at)
        .where(_feeds.state == "active", _feeds.last_success_at.is_not(None))
        .order_by(_feeds.last_success_at.desc())
        .limit(limit)
    )
    return [(url, at) for url, at in await session.execute(query)]


async def look_soon(session: AsyncSession, now: datetime, reason: str, since: datetime) -> None:
    """Have all feeds looked at now whose servers were not reached, and which began to fail after `since`."""
    await session.execute(
        update(_FEEDS)
        .where(
            _feeds.state == "active",
            _feeds.failing_since >= since,
            _feeds.last_status.is_(None),
            _feeds.next_look > now,
            _free(now),
        )
        .values(next_look=now, next_reason=reason)
    )


# ------------------------------------------------------------------ telling people


async def notices(session: AsyncSession, limit: int = 500) -> list[StoredFeed]:
    """Give the feeds about which something is still to be told."""
    query = select(*_COLUMNS).where(_feeds.notice.is_not(None)).order_by(_feeds.id).limit(limit)
    return [_stored(row) for row in await session.execute(query)]


async def failing_alike(session: AsyncSession, failure: str) -> list[StoredFeed]:
    """Give, locked, the feeds that fail with this very sentence, of which nobody was told so far.

    Those that a worker is looking at are left out: it would write over what is noted of them now.
    """
    query = (
        select(*_COLUMNS)
        .where(
            _feeds.failure == failure,
            _feeds.state == "active",
            _feeds.told_failing_at.is_(None),
            _feeds.notice.is_(None),
            _feeds.claimed_by.is_(None),
        )
        .order_by(_feeds.id)
        .with_for_update(skip_locked=True)
    )
    return [_stored(row) for row in await session.execute(query)]


async def told_failing(session: AsyncSession) -> list[StoredFeed]:
    """Give the feeds of which people were told that they fail, and which still do."""
    query = select(*_COLUMNS).where(
        _feeds.failure.is_not(None), _feeds.state == "active", _feeds.told_failing_at.is_not(None)
    )
    return [_stored(row) for row in await session.execute(query)]


async def told(session: AsyncSession, feed_id: int, notice: str, text: str) -> None:
    """Note that it was told, and forget who was told it; a newer notice that came meanwhile stays."""
    await session.execute(
        update(_FEEDS)
        .where(_feeds.id == feed_id, _feeds.notice == notice, _feeds.notice_text == text)
        .values(notice=None, notice_text=None)
    )
    await notes.drop(session, telling_note(feed_id, ""))


def telling_note(feed_id: int, mark: str) -> str:
    """Give the name of the note that says how far the telling of one notice in one place has come."""
    return f"notice:{feed_id}:{mark}"
