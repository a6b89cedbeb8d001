"""The servers that the bot is in, and their own settings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import deliveries
from db.stories import insert_ignoring
from db.tables import DestinationRow, GuildRow


async def remember(session: AsyncSession, guild_id: int, now: datetime) -> None:
    """Note that the bot is in a server. What the server had set before stays as it was.

    Where the bot comes back its channels are tried anew: what it lacks there now is another thing than
    before, and moderators are to be told.
    """
    await session.execute(
        insert_ignoring(session, GuildRow),
        [{"id": guild_id, "joined_at": now, "timezone": "UTC", "language": "en"}],
    )
    back = await session.scalar(
        update(GuildRow)
        .where(GuildRow.id == guild_id, GuildRow.left_at.is_not(None))
        .values(left_at=None, joined_at=now)
        .returning(GuildRow.id)
    )
    if back is not None:
        await session.execute(
            update(DestinationRow)
            .where(
                DestinationRow.target == "channel",
                DestinationRow.target_id.in_(await deliveries.hold_channels(session, guild_id)),
            )
            .values(broken=None, broken_at=None, told_at=None)
            .execution_options(synchronize_session=False)
        )


async def hold(session: AsyncSession, guild_id: int) -> None:
    """Let nobody else change a server's configuration until this transaction ends: what one looked at before
    a change stays so. On SQLite one writes at a time anyway."""
    await session.execute(select(GuildRow.id).where(GuildRow.id == guild_id).with_for_update())


async def mark_left(session: AsyncSession, guild_id: int, now: datetime) -> None:
    """Note that the bot was removed from a server."""
    await session.execute(update(GuildRow).where(GuildRow.id == guild_id).values(left_at=now))


async def get_joined(session: AsyncSession, guild_ids: Collection[int]) -> set[int]:
    """Give those of these servers that the bot is in, as far as is stored."""
    found = select(GuildRow.id).where(GuildRow.id.in_(guild_ids), GuildRow.left_at.is_(None))
    return set(await session.scalars(found))


async def get_hours(
    session: AsyncSession, guild_ids: Collection[int]
) -> dict[int, tuple[str, str | None, str | None]]:
    """Give servers' time zones, and from when to when they are quiet (local times)."""
    found = await session.execute(
        select(GuildRow.id, GuildRow.timezone, GuildRow.quiet_from, GuildRow.quiet_to).where(
            GuildRow.id.in_(guild_ids)
        )
    )
    return {id: (zone, quiet_from, quiet_to) for id, zone, quiet_from, quiet_to in found}


async def get_moderator_role(session: AsyncSession, guild_id: int) -> int | None:
    """Give the role that may configure a server beside those who manage it."""
    return await session.scalar(select(GuildRow.moderator_role).where(GuildRow.id == guild_id))


async def get_languages(session: AsyncSession, guild_ids: Collection[int]) -> dict[int, str]:
    """Give the languages that servers are spoken to in."""
    if not guild_ids:
        return {}
    found = await session.execute(select(GuildRow.id, GuildRow.language).where(GuildRow.id.in_(guild_ids)))
    return {row.id: row.language for row in found}
