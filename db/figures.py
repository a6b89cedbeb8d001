"""Counts for the metrics page and `/status`."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import DeliveryRow, EntryRow, FeedRow

_OPEN = ("due", "sending", "failed")


async def counts(session: AsyncSession) -> dict[str, float]:
    """Give how much is waiting: feeds, entries to be read, deliveries to be sent."""
    feeds = await session.scalar(select(func.count()).select_from(FeedRow))
    failing = await session.scalar(
        select(func.count()).select_from(FeedRow).where(FeedRow.failing_since.is_not(None))
    )
    entries = await session.scalar(select(func.count()).select_from(EntryRow).where(EntryRow.state == "new"))
    deliveries = await session.scalar(
        select(func.count()).select_from(DeliveryRow).where(DeliveryRow.state.in_(_OPEN))
    )
    return {
        "feeds": float(feeds or 0),
        "feeds_failing": float(failing or 0),
        "entries_waiting": float(entries or 0),
        "deliveries_open": float(deliveries or 0),
    }
