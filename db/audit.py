"""The audit: who changed what in a server's configuration, before and after; kept 365 days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AuditRow, GuildRow


def note(
    session: AsyncSession,
    guild_id: int,
    user_id: int | None,
    now: datetime,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down a change, in the transaction that makes it."""
    session.add(
        AuditRow(
            guild_id=guild_id, user_id=user_id, at=now, action=action, before=before or {}, after=after or {}
        )
    )


async def get_page(
    session: AsyncSession, guild_id: int, *, limit: int, offset: int = 0
) -> tuple[Sequence[AuditRow], int]:
    """Give a page of a server's changes, newest first, and how many there are."""
    mine = AuditRow.guild_id == guild_id
    rows = await session.scalars(
        select(AuditRow)
        .where(mine)
        .order_by(AuditRow.at.desc(), AuditRow.id.desc())
        .limit(limit)
        .offset(offset)
    )
    total = await session.execute(select(func.count()).select_from(AuditRow).where(mine))
    return rows.all(), total.scalar_one()


async def get_newest(session: AsyncSession, before: datetime | None = None) -> int:
    """Give the number of the newest change of all servers (`before` a time), 0 where there is none."""
    newest = select(func.max(AuditRow.id))
    if before is not None:
        newest = newest.where(AuditRow.at <= before)
    return await session.scalar(newest) or 0


async def get_after(session: AsyncSession, after: int, limit: int) -> list[tuple[AuditRow, GuildRow]]:
    """Give the changes after the one of that number, the oldest first, with their servers."""
    rows = await session.execute(
        select(AuditRow, GuildRow)
        .join(GuildRow, GuildRow.id == AuditRow.guild_id)
        .where(AuditRow.id > after)
        .order_by(AuditRow.id)
        .limit(limit)
    )
    return [(change, server) for change, server in rows]
