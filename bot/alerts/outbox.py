"""The outbox: a story's deliveries are written down in the transaction that stores the story."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.record import Notes


async def owe(
    session: AsyncSession, story_id: int, *, now: datetime, alert: bool = True, notes: Notes | None = None
) -> list[int]:
    """Write a delivery row for every destination that wants the story; gives the rows' ids.

    The story's row, topics, parties, feeds and case must stand in the session (flushed). The findings of
    stage "rule" are stored here, each with the server that it belongs to; `notes` gets them besides.
    """
    raise NotImplementedError
