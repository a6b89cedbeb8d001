"""What a card is made of, and what routing needs of a story: read back from the tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.cases import get_case
from db.lookups import Viewer, visible
from db.tables import (
    CaseRow,
    DemandRow,
    GuildFeedRow,
    PartyRow,
    StoryFeedRow,
    StoryPartyRow,
    StoryRow,
    StoryTopicRow,
)

_SOURCES = 8  # further reports that a card has room for


@dataclass(frozen=True, slots=True)
class CardMaterial:
    """A story with all that its card shows. `others` are further reports of its case, the first first;
    `others_total` counts all of them that the viewer may see."""

    story: StoryRow
    topics: tuple[str, ...]
    demands: tuple[DemandRow, ...]
    case: CaseRow | None
    others: tuple[StoryRow, ...]
    others_total: int


async def get_card_material(session: AsyncSession, story_id: int, viewer: Viewer) -> CardMaterial | None:
    """Read what a card shows, its further sources as far as the viewer may see them."""
    story = await session.get(StoryRow, story_id)
    if story is None:
        return None
    topics = await session.scalars(
        select(StoryTopicRow.topic)
        .where(StoryTopicRow.story_id == story_id)
        .order_by(StoryTopicRow.score.desc(), StoryTopicRow.topic)
    )
    demands = await session.scalars(
        select(DemandRow).where(DemandRow.story_id == story_id).order_by(DemandRow.id)
    )
    case = await get_case(session, story.case_id) if story.case_id is not None else None
    others: Sequence[StoryRow] = ()
    total = 0
    if story.case_id is not None:
        of_case = (StoryRow.case_id == story.case_id, StoryRow.id != story_id, visible(viewer))
        others = (
            await session.scalars(
                select(StoryRow)
                .where(*of_case)
                .order_by(func.coalesce(StoryRow.published, StoryRow.first_seen), StoryRow.id)
                .limit(_SOURCES)
            )
        ).all()
        total = len(others)
        if total == _SOURCES:
            total = (
                await session.execute(select(func.count()).select_from(StoryRow).where(*of_case))
            ).scalar_one()
    return CardMaterial(story, tuple(topics), tuple(demands), case, tuple(others), total)


async def get_topics_of(session: AsyncSession, story_id: int) -> Sequence[str]:
    """Give a story's topics."""
    return (
        await session.scalars(select(StoryTopicRow.topic).where(StoryTopicRow.story_id == story_id))
    ).all()


async def get_parties_of(session: AsyncSession, story_id: int) -> Sequence[PartyRow]:
    """Give who takes part in a story, in whatever role."""
    return (
        await session.scalars(
            select(PartyRow)
            .join(StoryPartyRow, StoryPartyRow.party_id == PartyRow.id)
            .where(StoryPartyRow.story_id == story_id)
        )
    ).all()


async def get_guilds_that_see(
    session: AsyncSession, story_id: int, among: Collection[int] | None = None
) -> frozenset[int]:
    """Give the servers that use a feed of the story and have not paused it; `among` limits the question."""
    query = (
        select(GuildFeedRow.guild_id)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == story_id, GuildFeedRow.paused.is_(False))
    )
    if among is not None:
        query = query.where(GuildFeedRow.guild_id.in_(among))
    return frozenset(await session.scalars(query))
