"""Rules: which channel of which server wants what."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Integer, cast, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import GuildFeedRow, GuildRow, RuleRow, StoryFeedRow


async def get_rules_that_see(
    session: AsyncSession, story_id: int, *, after: tuple[int, int] = (0, 0), limit: int
) -> Sequence[RuleRow]:
    """Give the rules of the servers that use a feed of the story, a page at a time.

    Ordered by server and rule; `after` is the (guild_id, id) of the last one of the page before. Servers
    that the bot was removed from are left out.
    """
    guilds = (
        select(GuildFeedRow.guild_id)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == story_id, GuildFeedRow.paused.is_(False))
    )
    return (
        await session.scalars(
            select(RuleRow)
            .join(GuildRow, GuildRow.id == RuleRow.guild_id)
            .where(
                RuleRow.guild_id.in_(guilds),
                GuildRow.left_at.is_(None),
                tuple_(RuleRow.guild_id, RuleRow.id) > after,
            )
            .order_by(RuleRow.guild_id, RuleRow.id)
            .limit(limit)
        )
    ).all()


async def get_guilds_that_paused(session: AsyncSession, story_id: int) -> list[int]:
    """Give the servers that use feeds of the story, all of them paused there."""
    found = await session.scalars(
        select(GuildFeedRow.guild_id)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == story_id)
        .group_by(GuildFeedRow.guild_id)
        .having(func.min(cast(GuildFeedRow.paused, Integer)) == 1)
    )
    return list(found)


async def get_rules_of_channels(
    session: AsyncSession, guild_ids: Collection[int], channel_ids: Collection[int]
) -> dict[int, list[RuleRow]]:
    """Give the rules of channels in these servers, each channel's oldest first."""
    found = await session.scalars(
        select(RuleRow)
        .where(RuleRow.guild_id.in_(guild_ids), RuleRow.channel_id.in_(channel_ids))
        .order_by(RuleRow.id)
    )
    of: dict[int, list[RuleRow]] = {}
    for row in found:
        of.setdefault(row.channel_id, []).append(row)
    return of


async def get_rules_of_guild(session: AsyncSession, guild_id: int) -> Sequence[RuleRow]:
    """Give a server's rules, oldest first."""
    return (
        await session.scalars(select(RuleRow).where(RuleRow.guild_id == guild_id).order_by(RuleRow.id))
    ).all()


async def get_rule(session: AsyncSession, guild_id: int, rule_id: int) -> RuleRow | None:
    """Give a rule, if it is that server's."""
    return (
        await session.scalars(select(RuleRow).where(RuleRow.id == rule_id, RuleRow.guild_id == guild_id))
    ).one_or_none()


async def delete_rule(session: AsyncSession, rule_id: int) -> None:
    """Remove a rule."""
    await session.execute(delete(RuleRow).where(RuleRow.id == rule_id))
