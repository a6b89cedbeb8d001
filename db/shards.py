"""Which process holds which of Discord's shards: leases in rows, changed under one lock.

The policy is `divide`, pure; the rest carries it out. Only for PostgreSQL: SQLite has one process, which
holds all shards.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.notify import SHARDS, ring
from db.tables import GatewayRow, ShardRow

_LOCK = 7_310_008  # of PostgreSQL's advisory locks, of this module alone


@dataclass(frozen=True, slots=True)
class Share:
    """What a process holds after a turn: `held` are its shards, `surplus` those of them to give up.

    `taken_by_others` are shards that were asked for by number and that another process holds. `count` is the
    number of all shards.
    """

    count: int
    held: frozenset[int]
    surplus: frozenset[int] = frozenset()
    taken_by_others: frozenset[int] = frozenset()


def divide(mine: Collection[int], free: Collection[int], count: int, gateways: int) -> Share:
    """Decide what a process holds that has `mine`, when `gateways` processes share `count` shards.

    Nobody takes more than an even share, and what is more is given up, the highest numbers first.
    """
    share = -(-count // max(1, gateways))
    room = max(0, share - len(mine))
    held = frozenset(mine) | frozenset(sorted(free)[:room])
    return Share(count, held, frozenset(sorted(held)[share:]))


async def _lock(session: AsyncSession) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def agree_on_count(session: AsyncSession, wanted: int, now: datetime) -> int:
    """Give how many shards there are: what the processes that run agreed on, else `wanted`."""
    await _lock(session)
    found = (await session.execute(select(ShardRow.shard_count, ShardRow.claimed_until))).all()
    if any(until is not None and until > now for _, until in found):
        return int(found[0].shard_count)
    if len(found) != wanted:
        await session.execute(delete(ShardRow))
        rows = [{"shard_id": number, "shard_count": wanted} for number in range(wanted)]
        await session.execute(insert(ShardRow), rows)
    return wanted


async def hold(
    session: AsyncSession, owner: str, only: Sequence[int] | None, *, now: datetime, until: datetime
) -> Share:
    """Prolong what a process holds until then, and take what is its share of the rest; or `only` these."""
    await _lock(session)
    await session.execute(delete(GatewayRow).where(GatewayRow.seen_until <= now, GatewayRow.owner != owner))
    gateways = set(await session.scalars(select(GatewayRow.owner)))
    if only is None:
        here = upsert(GatewayRow).values(owner=owner, seen_until=until)
        await session.execute(
            here.on_conflict_do_update(index_elements=["owner"], set_={"seen_until": until})
        )
        if owner not in gateways:
            await ring(session, SHARDS)
            gateways.add(owner)
    rows = (await session.execute(select(ShardRow.shard_id, ShardRow.owner, ShardRow.claimed_until))).all()
    mine = {row.shard_id for row in rows if row.owner == owner}
    free = {
        row.shard_id
        for row in rows
        if row.owner != owner and (row.claimed_until is None or row.claimed_until <= now)
    }
    if only is None:
        share = divide(mine, free, len(rows), len(gateways))
    else:
        held = frozenset(mine | (free & set(only)))
        share = Share(len(rows), held, held - set(only), frozenset(only) - held)
    await session.execute(
        update(ShardRow).where(ShardRow.shard_id.in_(share.held)).values(owner=owner, claimed_until=until)
    )
    return share


async def give_back(session: AsyncSession, owner: str, shard_ids: Collection[int] | None = None) -> None:
    """Give up these shards; None: all, and the process's place among those that share."""
    held = update(ShardRow).where(ShardRow.owner == owner)
    if shard_ids is not None:
        held = held.where(ShardRow.shard_id.in_(shard_ids))
    else:
        await session.execute(delete(GatewayRow).where(GatewayRow.owner == owner))
    await session.execute(held.values(owner=None, claimed_until=None))
    await ring(session, SHARDS)
