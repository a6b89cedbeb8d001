"""Queries about feeds: what is stored of them, who uses them, what is to be told of them.

A feed's row is both its state and its place in the queue of looks (`db.feed_claims`). What a look compares
with and stores is in `db.feed_looks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Row,
    Table,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db import notes
from db.bulk import parts
from db.feed_tables import EntryRow, FeedRow, GuildFeedRow


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


_FEEDS, _ENTRIES, _USES = (cast(Table, row.__table__) for row in (FeedRow, EntryRow, GuildFeedRow))
_feeds = _FEEDS.c
_COLUMNS = tuple(_feeds[name] for name in StoredFeed._fields)


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
    query = select(*_COLUMNS).order_by(_feeds.id)
    if guild_id is not None:
        query = query.join(GuildFeedRow, GuildFeedRow.feed_id == _feeds.id).where(
            GuildFeedRow.guild_id == guild_id
        )
    return [_stored(row) for row in await session.execute(query)]


async def ids(session: AsyncSession) -> list[int]:
    """Give the ids of all feeds that are looked at."""
    query = select(_feeds.id).where(_feeds.state == "active").order_by(_feeds.id)
    return list((await session.execute(query)).scalars())


async def entry_counts(session: AsyncSession) -> dict[int, int]:
    """Give how many entries are stored of each feed that has any."""
    query = select(EntryRow.feed_id, func.count()).group_by(EntryRow.feed_id)
    return dict((await session.execute(query)).all())


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

    note = insert_ignoring(session, GuildFeedRow).returning(GuildFeedRow.feed_id)
    fresh = 0
    for part in parts(sorted(set(feed_ids))):  # in the order in which `rest_unused` locks them
        rows = [
            {"guild_id": guild_id, "feed_id": feed_id, "added_by": added_by, "added_at": now, "paused": False}
            for feed_id in part
        ]
        fresh += len((await session.execute(note, rows)).all())
    return fresh


async def count_used(session: AsyncSession, guild_id: int) -> int:
    """Give how many feeds a guild uses."""
    uses = select(func.count()).select_from(GuildFeedRow).where(GuildFeedRow.guild_id == guild_id)
    return await session.scalar(uses) or 0


async def unuse(session: AsyncSession, feed_id: int, guild_id: int) -> bool:
    """Note that a guild no longer uses a feed; False when it did not."""
    result = await session.execute(
        delete(GuildFeedRow)
        .where(GuildFeedRow.guild_id == guild_id, GuildFeedRow.feed_id == feed_id)
        .returning(GuildFeedRow.feed_id)
    )
    return result.first() is not None


async def wake_unused(session: AsyncSession, feed_ids: Sequence[int], reason: str, now: datetime) -> None:
    """Let those of the feeds go on that rested."""
    for part in parts(feed_ids):
        resting = select(*_COLUMNS).where(_feeds.id.in_(part), _feeds.state == "paused")
        for feed in [_stored(row) for row in await session.execute(resting)]:
            await set_columns(session, feed.id, woken(feed, reason, now))


def woken(feed: StoredFeed, reason: str, now: datetime) -> dict[str, Any]:
    """Give what changes of a feed that rested when it goes on: it is looked at for the first time again.

    Who begins to use a feed is not alerted of what it brought before, nor told of how it failed. It is looked
    at now, unless its server asked to wait (Retry-After).
    """
    soonest = max(now, datetime.fromtimestamp(feed.memory.get("not_before") or 0, UTC))
    failing = {"failures": 0, "failing_since": None, "failure": None, "told_failing_at": None}
    going_on = {"state": "active", "next_look": soonest, "next_reason": reason}
    return going_on | failing | {"first_looked_at": None}


async def rest_unused(session: AsyncSession, feed_ids: Sequence[int], why: str) -> None:
    """Let those of the feeds rest that no guild uses, that the operator did not add and nobody may see."""
    for part in parts(sorted(feed_ids)):
        # Who begins to use one at this moment is waited for, or waits and then finds it resting.
        await session.execute(
            select(_feeds.id).where(_feeds.id.in_(part)).order_by(_feeds.id).with_for_update()
        )
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


async def publish(session: AsyncSession, urls: Sequence[str]) -> None:
    """Have everybody see what the feeds of these addresses bring."""
    for part in parts(urls):
        await session.execute(update(_FEEDS).where(_feeds.url.in_(part), ~_feeds.public).values(public=True))


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
