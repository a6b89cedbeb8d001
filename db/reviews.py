"""Reviews in the database: what moderators are asked about a story before it is posted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.stories import insert_ignoring
from db.tables import DeliveryRow, ReviewRow, RuleRow, StoryRow

Asked = tuple[int, int]  # the story and the moderators' channel
LET_THROUGH = ("approved", "posted")  # states of a story that is posted


async def insert_reviews(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write down what moderators are asked; what they were asked already stays as it is."""
    if rows:
        await session.execute(insert_ignoring(session, ReviewRow), rows)


async def get_of_case(
    session: AsyncSession, case_id: int, channel_ids: Collection[int], most: int
) -> dict[int, list[ReviewRow]]:
    """Give for each moderators' channel what was asked about stories of a case, the newest first; at most so
    many for each channel."""
    of: dict[int, list[ReviewRow]] = {}
    for channel_id in channel_ids:
        found = await session.scalars(
            select(ReviewRow)
            .join(StoryRow, StoryRow.id == ReviewRow.story_id)
            .where(StoryRow.case_id == case_id, ReviewRow.channel_id == channel_id)
            .order_by(ReviewRow.id.desc())
            .limit(most)
        )
        of[channel_id] = list(found)
    return of


async def get_statuses(
    session: AsyncSession, asked: Mapping[int, Collection[ReviewRow]]
) -> dict[int, str | None]:
    """Give what the stories that were asked about said of where their case stands."""
    ids = {row.story_id for rows in asked.values() for row in rows}
    found = await session.execute(select(StoryRow.id, StoryRow.status).where(StoryRow.id.in_(ids)))
    return {row.id: row.status for row in found}


async def hold(session: AsyncSession, guild_id: int, review_id: int) -> ReviewRow | None:
    """Give a server's review with its lock: nobody else decides on it meanwhile."""
    found: ReviewRow | None = (
        await session.scalars(
            select(ReviewRow)
            .where(ReviewRow.id == review_id, ReviewRow.guild_id == guild_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    return found


async def take_waiting(
    session: AsyncSession, guild_id: int, channel_id: int, limit: int
) -> Sequence[ReviewRow]:
    """Give what a server's moderators are still asked in a channel, the newest, oldest first, with its locks.

    Left out is what somebody else holds at this moment.
    """
    waiting: Any = bindparam("waiting", "waiting", literal_execute=True)
    found = await session.scalars(
        select(ReviewRow)
        .where(ReviewRow.guild_id == guild_id, ReviewRow.channel_id == channel_id, ReviewRow.state == waiting)
        .order_by(ReviewRow.id.desc())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()[::-1]


async def get(session: AsyncSession, guild_id: int, review_id: int) -> ReviewRow | None:
    """Give a server's review."""
    return (
        await session.scalars(
            select(ReviewRow).where(ReviewRow.id == review_id, ReviewRow.guild_id == guild_id)
        )
    ).one_or_none()


async def get_overdue(session: AsyncSession, now: datetime, limit: int) -> list[tuple[int, int]]:
    """Give server and number of reviews that nobody has decided on in time, the longest overdue first."""
    # A literal, as in the partial index.
    waiting: Any = bindparam("waiting", "waiting", literal_execute=True)
    found = await session.execute(
        select(ReviewRow.guild_id, ReviewRow.id)
        .where(ReviewRow.state == waiting, ReviewRow.until <= now)
        .order_by(ReviewRow.until, ReviewRow.id)
        .limit(limit)
    )
    return [(row.guild_id, row.id) for row in found]


async def get_asked(session: AsyncSession, asked: Iterable[Asked]) -> dict[Asked, ReviewRow]:
    """Give reviews by their stories and channels."""
    wanted = set(asked)
    if not wanted:
        return {}
    found = await session.scalars(
        select(ReviewRow).where(
            ReviewRow.story_id.in_({story for story, _ in wanted}),
            ReviewRow.channel_id.in_({channel for _, channel in wanted}),
        )
    )
    return {(row.story_id, row.channel_id): row for row in found}


async def get_let_through(
    session: AsyncSession, story_ids: Collection[int], channel_ids: Collection[int]
) -> set[Asked]:
    """Tell which of some stories were let through in which of some moderators' channels."""
    if not channel_ids:
        return set()
    found = await session.execute(
        select(ReviewRow.story_id, ReviewRow.channel_id).where(
            ReviewRow.story_id.in_(story_ids),
            ReviewRow.channel_id.in_(channel_ids),
            ReviewRow.state.in_(LET_THROUGH),
        )
    )
    return {(row.story_id, row.channel_id) for row in found}


async def get_posts(session: AsyncSession, asked: Iterable[Asked]) -> dict[Asked, DeliveryRow]:
    """Give the deliveries by which moderators were asked."""
    wanted = set(asked)
    if not wanted:
        return {}
    found = await session.scalars(
        select(DeliveryRow).where(
            DeliveryRow.story_id.in_({story for story, _ in wanted}),
            DeliveryRow.target == "channel",
            DeliveryRow.target_id.in_({channel for _, channel in wanted}),
            DeliveryRow.kind == "review",
        )
    )
    return {(row.story_id, row.target_id): row for row in found if row.story_id is not None}


async def get_words(session: AsyncSession, story_ids: Collection[int]) -> dict[tuple[int, int], str]:
    """Give by story and server what moderators wrote in place of a summary, where they let it be posted."""
    found = await session.execute(
        select(ReviewRow.story_id, ReviewRow.guild_id, ReviewRow.words)
        .where(
            ReviewRow.story_id.in_(story_ids),
            ReviewRow.words.is_not(None),
            ReviewRow.state.in_(LET_THROUGH),
        )
        .order_by(ReviewRow.id)
    )
    return {(row.story_id, row.guild_id): row.words for row in found if row.words}


async def get_rules(session: AsyncSession, guild_id: int, channel_id: int) -> Sequence[RuleRow]:
    """Give a server's rules whose stories are looked at in a channel, oldest first."""
    return (
        await session.scalars(
            select(RuleRow)
            .where(RuleRow.guild_id == guild_id, RuleRow.review_channel == channel_id)
            .order_by(RuleRow.id)
        )
    ).all()


async def get_hours(session: AsyncSession, rows: Iterable[ReviewRow]) -> dict[tuple[int, int], int]:
    """Tell how many hours moderators have for these, by server and channel: the most that a rule gives."""
    asked = list(rows)
    if not asked:
        return {}
    found = await session.execute(
        select(RuleRow.guild_id, RuleRow.review_channel, func.max(RuleRow.review_hours))
        .where(
            RuleRow.guild_id.in_({row.guild_id for row in asked}),
            RuleRow.review_channel.in_({row.channel_id for row in asked}),
        )
        .group_by(RuleRow.guild_id, RuleRow.review_channel)
    )
    return {(guild_id, channel_id): hours for guild_id, channel_id, hours in found if channel_id is not None}
