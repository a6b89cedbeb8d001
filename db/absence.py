"""Servers that the bot was removed from: kept for a while, asked nothing, then forgotten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import deliveries, feeds
from db.guilds import mark_left
from db.tables import Base, DeliveryRow, DestinationRow, GuildFeedRow, GuildRow, RuleRow


async def leave(session: AsyncSession, guild_id: int, now: datetime) -> None:
    """Note that the bot was removed from a server. What waits for its channels waits on, unasked."""
    await mark_left(session, guild_id, now)
    await session.execute(
        update(DestinationRow)
        .where(
            DestinationRow.target == "channel",
            DestinationRow.target_id.in_(await deliveries.hold_channels(session, guild_id)),
        )
        .values(broken="I am not in the server.", broken_at=now, told_at=now)
        .execution_options(synchronize_session=False)
    )


async def get_present(session: AsyncSession) -> set[int]:
    """Give the servers that the bot is in, as far as is stored."""
    return set(await session.scalars(select(GuildRow.id).where(GuildRow.left_at.is_(None))))


async def get_left(session: AsyncSession, before: datetime, limit: int) -> list[int]:
    """Give servers that the bot was removed from before a time, the longest ago first."""
    found = await session.scalars(
        select(GuildRow.id).where(GuildRow.left_at < before).order_by(GuildRow.left_at).limit(limit)
    )
    return list(found)


async def forget(session: AsyncSession, guild_id: int, *, unused: str) -> None:
    """Delete all that is stored of a server: its settings and rules, and every row that is its own.

    What stories say is nobody's own and stays. Every table with a `guild_id` is asked, so that a new one is
    not overlooked. Feeds that nobody uses any more rest from then on, for the reason `unused`.
    """
    watched = (
        await session.scalars(select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == guild_id))
    ).all()
    channels = set(await session.scalars(select(RuleRow.channel_id).where(RuleRow.guild_id == guild_id)))
    channels |= set(
        await session.scalars(
            select(DeliveryRow.target_id)
            .where(DeliveryRow.guild_id == guild_id, DeliveryRow.target == "channel")
            .distinct()
        )
    )
    await session.execute(
        delete(DestinationRow).where(
            DestinationRow.target == "channel", DestinationRow.target_id.in_(channels)
        )
    )
    for table in reversed(Base.metadata.sorted_tables):
        if "guild_id" in table.c:
            await session.execute(delete(table).where(table.c.guild_id == guild_id))
    await session.execute(delete(GuildRow).where(GuildRow.id == guild_id))
    await feeds.rest_unused(session, watched, unused)
