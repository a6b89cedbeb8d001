"""Rules: which channel of which server wants what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.news import came_as_news
from db.story_tables import came_out
from db.tables import GuildFeedRow, GuildRow, RuleRow, StoryFeedRow, StoryRow, StoryTopicRow


def channels_of(guild_id: int) -> CompoundSelect[int]:
    """Ask for the channels that a server's rules name: where they post, where moderators are asked."""
    places = (RuleRow.channel_id, RuleRow.review_channel)
    return union(*(select(each).where(RuleRow.guild_id == guild_id, each.is_not(None)) for each in places))


async def get_rules_that_see(
    session: AsyncSession, story_id: int, *, after: tuple[int, int] = (0, 0), limit: int
) -> Sequence[RuleRow]:
    """Give the rules of the servers that use a feed which brought the story as news, a page at a time.

    Ordered by server and rule; `after` is the (guild_id, id) of the last one of the page before. Servers
    that the bot was removed from are left out.
    """
    guilds = (
        select(GuildFeedRow.guild_id)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == story_id, came_as_news(), GuildFeedRow.paused.is_(False))
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


async def get_guilds_not_asked(session: AsyncSession, story_id: int) -> list[tuple[int, bool]]:
    """Give the servers that use feeds which brought the story as news and whose rules are not asked: the bot
    was removed from there (True), or all these feeds are paused there."""
    left = GuildRow.left_at.is_not(None)
    found = await session.execute(
        select(GuildFeedRow.guild_id, left)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .join(GuildRow, GuildRow.id == GuildFeedRow.guild_id)
        .where(StoryFeedRow.story_id == story_id, came_as_news())
        .group_by(GuildFeedRow.guild_id, left)
        .having(or_(left, func.min(cast(GuildFeedRow.paused, Integer)) == 1))
    )
    return [(row[0], row[1]) for row in found]


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


async def get_rules(session: AsyncSession, rule_ids: Collection[int]) -> Sequence[RuleRow]:
    """Give rules by their numbers."""
    return (await session.scalars(select(RuleRow).where(RuleRow.id.in_(rule_ids)))).all()


async def delete_rule(session: AsyncSession, rule_id: int) -> None:
    """Remove a rule."""
    await session.execute(delete(RuleRow).where(RuleRow.id == rule_id))


async def get_seen_since(
    session: AsyncSession, guild_id: int, since: datetime, limit: int
) -> list[tuple[int, datetime]]:
    """Give the stories that a server's feeds brought since then with their dates, oldest first.

    Of more than `limit` the newest.
    """
    rows = await session.execute(
        select(StoryRow.id, StoryRow.published, StoryRow.first_seen)
        .where(*_seen_since(guild_id, since))
        .order_by(StoryRow.first_seen.desc(), StoryRow.id.desc())
        .limit(limit)
    )
    # A feed's history came at one moment; its dates tell when it would have come.
    dated = [(id, came_out(published, first_seen)) for id, published, first_seen in rows]
    return sorted(dated, key=lambda story: (story[1], story[0]))


async def count_topics(session: AsyncSession, guild_id: int, since: datetime) -> dict[str, int]:
    """Count by topic the alerts that a server's feeds would have brought since then: of each case its first
    report here and what changed where it stands after that, and stories without a case."""
    is_update = StoryRow.adds == "update"
    of_cases = (
        select(
            StoryTopicRow.topic,
            StoryRow.case_id,
            func.count().label("reports"),
            func.sum(case((is_update, 1), else_=0)).label("updates"),
            func.min(StoryRow.id).label("first"),
            func.min(case((is_update, None), else_=StoryRow.id)).label("first_other"),
        )
        # `+ 0`: SQLite begins with the stories, not with the topics of all.
        .join(StoryRow, StoryTopicRow.story_id == StoryRow.id + 0)
        .where(*_seen_since(guild_id, since))
        .group_by(StoryTopicRow.topic, StoryRow.case_id)
        .subquery()
    )
    is_first = case((of_cases.c.first_other == of_cases.c.first, 1), else_=0)  # else the first is an update
    alerts = case((of_cases.c.case_id.is_(None), of_cases.c.reports), else_=of_cases.c.updates + is_first)
    rows = await session.execute(select(of_cases.c.topic, func.sum(alerts)).group_by(of_cases.c.topic))
    return {row[0]: int(row[1]) for row in rows}


def _seen_since(guild_id: int, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Give the condition on stories that a server's feeds brought since then, by their own dates too."""
    used = select(GuildFeedRow.feed_id).where(
        GuildFeedRow.guild_id == guild_id, GuildFeedRow.paused.is_(False)
    )
    return (
        and_(StoryRow.relevant, StoryRow.first_seen >= since),
        func.coalesce(StoryRow.published, StoryRow.first_seen) >= since,
        # `+ 0`: each story's few feeds are looked for among the server's, not all of those at each story.
        exists().where(StoryFeedRow.story_id == StoryRow.id, (StoryFeedRow.feed_id + 0).in_(used)),
    )
