"""Members' "Not relevant" reports, as counts: by server and source, never by who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import FeedRow, GuildFeedRow, ReportRow, StoryFeedRow


@dataclass(frozen=True, slots=True)
class OffTopic:
    """How many members of a server found how many stories of a source off topic; `story_id`: one of them."""

    guild_id: int
    source: str
    members: int
    stories: int
    story_id: int


async def count_by_source(
    session: AsyncSession, since: datetime, *, members: int, stories: int
) -> list[OffTopic]:
    """Count the reports since then where there are at least so many members and stories of a source."""
    people = func.count(func.distinct(ReportRow.user_id))
    told = func.count(func.distinct(ReportRow.story_id))
    rows = await session.execute(
        select(ReportRow.guild_id, FeedRow.title, people, told, func.max(ReportRow.story_id))
        .join(FeedRow, FeedRow.id == _own_feed())
        .where(ReportRow.at >= since, FeedRow.title != "")
        .group_by(ReportRow.guild_id, FeedRow.title)
        .having(people >= members, told >= stories)
        .order_by(ReportRow.guild_id, FeedRow.title)
    )
    return [
        OffTopic(guild_id, source, found, reported, story_id)
        for guild_id, source, found, reported, story_id in rows
        if guild_id is not None
    ]


async def count_again(
    session: AsyncSession, one: OffTopic, since: datetime, *, members: int, stories: int
) -> OffTopic | None:
    """Count the same since a later moment; None where that is too few."""
    found = await count_by_source(session, since, members=members, stories=stories)
    return next((it for it in found if (it.guild_id, it.source) == (one.guild_id, one.source)), None)


async def get_reported_source(session: AsyncSession, guild_id: int, story_id: int) -> str | None:
    """Give the source of a story that a server's members have reported, as `count_by_source` names it."""
    found: str | None = await session.scalar(
        select(FeedRow.title)
        .join(ReportRow, FeedRow.id == _own_feed())
        .where(ReportRow.story_id == story_id, ReportRow.guild_id == guild_id)
        .limit(1)
    )
    return found


def _own_feed() -> ScalarSelect[int | None]:
    """Give the first of a server's own feeds that brought a story which was reported there."""
    return (
        select(func.min(GuildFeedRow.feed_id))
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == ReportRow.story_id, GuildFeedRow.guild_id == ReportRow.guild_id)
        .correlate(ReportRow)
        .scalar_subquery()
    )
