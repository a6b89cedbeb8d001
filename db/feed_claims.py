"""Feeds as the queue of looks that are due.

Workers claim what is due for a limited time (`claim_due`), so that any number of them share one database;
`claim` grows with every claim, and a worker that comes back after its time finds another number there and
stores nothing (`hold`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import parts
from db.feed_tables import FeedRow
from db.feeds import StoredFeed

_CHOICE = 4  # how many times more due feeds are looked through than claimed

_FEEDS = cast(Table, FeedRow.__table__)
_feeds = _FEEDS.c
# As the row is once it is claimed.
_CLAIMED = tuple(
    (_feeds.claim + 1).label("claim") if name == "claim" else _feeds[name] for name in StoredFeed._fields
)
# Ids are handed over when a statement is carried out: an expression for each takes longer than asking.
_AMONG_IDS = _feeds.id.in_(bindparam("ids", expanding=True))


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
        .where(_feeds.state == "active", _feeds.next_look <= now, is_free(now))
        .order_by(_feeds.next_look, _feeds.id)
        .limit(limit * _CHOICE)
        .with_for_update(skip_locked=True)
    )
    taken: list[StoredFeed] = []
    seen = more = 0
    while len(taken) < limit and more == seen:  # what is passed over must not hide what stands behind it
        due = [StoredFeed._make(row) for row in await session.execute(query.offset(seen))]
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
        .where(_AMONG_IDS, _feeds.state == "active", is_free(now))
        .order_by(_feeds.id)
        .with_for_update(skip_locked=True)
    )
    taken = [StoredFeed._make(row) for row in await session.execute(query, {"ids": feed_ids})]
    return await _claim(session, taken, now, worker, lease)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Give the condition of a feed that no worker has."""
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
