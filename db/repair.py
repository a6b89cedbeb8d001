"""Times that a wrong clock wrote: what lies further ahead than anything is ever planned is due now.

A clock that stood a year ahead and was set back leaves feeds that are looked at in a year, and leases that
nobody can take over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.deliveries import not_ended
from db.tables import DeliveryRow, DestinationRow, EntryRow, FeedRow, GatewayRow, ShardRow

# The furthest that each is set ahead by whoever sets it, with something to spare.
_LEASE = timedelta(minutes=15)
_PAUSE = timedelta(hours=8)  # of a destination, by Discord's wish
_RETRY = timedelta(days=2)  # of an entry
_DIGEST = timedelta(days=9)  # a week and quiet hours
_LOOK = timedelta(days=40)  # FEED_INTERVAL_MAX at its highest, and a server's wish


async def put_times_right(session: AsyncSession, now: datetime) -> int:
    """Put such times right; gives how many there were."""
    count = 0
    for row, column, furthest, value, where in (
        (FeedRow, "claimed_until", _LEASE, None, ()),
        (FeedRow, "next_look", _LOOK, now, (FeedRow.state == "active",)),
        (EntryRow, "claimed_until", _LEASE, None, (EntryRow.state == "new",)),
        (EntryRow, "try_after", _RETRY, None, (EntryRow.state == "new",)),
        (DestinationRow, "claimed_until", _PAUSE, None, ()),
        (DestinationRow, "next_due", _DIGEST, now, ()),
        (DestinationRow, "turn", _DIGEST, now, ()),
        (DeliveryRow, "due_at", _DIGEST, now, (not_ended(),)),
        (ShardRow, "claimed_until", _LEASE, None, ()),
        (GatewayRow, "seen_until", _LEASE, now, ()),
    ):
        table = cast(Table, row.__table__)
        changed: Any = await session.execute(
            update(table).where(table.c[column] > now + furthest, *where).values({column: value})
        )
        count += changed.rowcount
    return count
