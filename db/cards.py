"""What a card is made of, and what routing needs of a story: read back from the tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from db import case_status, sources
from db.cases import get_case, where_stand
from db.deliveries import GIVEN_UP, Place, at_places
from db.lookups import Viewer, visible
from db.story_tables import came_out, came_out_by
from db.tables import (
    CaseOverrideRow,
    CaseRow,
    DeliveryRow,
    DemandRow,
    DigestItemRow,
    FeedRow,
    PartyRow,
    StoryFeedRow,
    StoryPartyRow,
    StoryRow,
    StoryTopicRow,
)

_SOURCES = 8  # further reports that a card has room for


@dataclass(frozen=True, slots=True)
class CardMaterial:
    """A story with all that its card shows. `source`: what its source is called by the viewer. `others` are
    further reports of its case, the first first; `others_total` counts all that the viewer may see."""

    story: StoryRow
    source: str
    topics: tuple[str, ...]
    demands: tuple[DemandRow, ...]
    case: CaseRow | None
    others: tuple[StoryRow, ...]
    others_total: int
    case_status: str | None = None  # where the case stands for the viewer
    override: CaseOverrideRow | None = None  # what the moderators of the viewer's server say of the case


class CardShelf:
    """What cards show, as one transaction sees it: each story is read once, for however many cards."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._stories: dict[int, CardMaterial | None] = {}
        self._others: dict[tuple[int, Viewer], tuple[tuple[StoryRow, ...], int]] = {}
        self._stands: dict[tuple[int, Viewer], str | None] = {}  # by case
        self._named_apart: set[int] = set()  # stories whose feeds have several titles
        self._overrides: dict[int, dict[int, CaseOverrideRow]] = {}  # by case and server

    async def get(self, story_id: int, viewer: Viewer) -> CardMaterial | None:
        """Read what a card shows, its further sources as far as the viewer may see them."""
        if story_id not in self._stories:
            self._stories[story_id] = await self._read(story_id)
        found = self._stories[story_id]
        if found is not None and found.case is not None and viewer.guild_id is not None:
            found = replace(found, override=self._overrides[found.case.id].get(viewer.guild_id))
        if found is not None and story_id in self._named_apart:
            named = await sources.get_names(self._session, viewer, [story_id])
            found = replace(found, source=named.get(story_id, ""))
        if found is not None and found.case is not None:
            found = replace(found, case_status=await self._stands_for(found.story, found.case, viewer))
        if found is None or found.others_total == 0:
            return found
        if (story_id, viewer) not in self._others:
            self._others[story_id, viewer] = await self._read_others(found.story, viewer)
        others, total = self._others[story_id, viewer]
        return replace(found, others=others, others_total=total)

    async def _stands_for(self, story: StoryRow, case: CaseRow, viewer: Viewer) -> str | None:
        """Tell where a story's case stands, as far as the reports tell that the viewer may see."""
        if case.status in (None, story.status):
            return case.status
        if (case.id, viewer) not in self._stands:
            stand = await where_stand(self._session, viewer, [case])
            self._stands[case.id, viewer] = stand[case.id]
        return self._stands[case.id, viewer]

    async def _read(self, story_id: int) -> CardMaterial | None:
        """Read a story with all further reports of its case counted, whoever may see them."""
        session = self._session
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
        if case is not None and case.id not in self._overrides:
            said = await session.scalars(select(CaseOverrideRow).where(CaseOverrideRow.case_id == case.id))
            self._overrides[case.id] = {row.guild_id: row for row in said}
        total = 0 if story.case_id is None else await self._count(_others_of(story))
        titles = await session.scalars(
            select(FeedRow.title)
            .join(StoryFeedRow, StoryFeedRow.feed_id == FeedRow.id)
            .where(StoryFeedRow.story_id == story_id)
            .distinct()
        )
        source, *further = titles.all() or [story.source]
        if further:
            self._named_apart.add(story_id)
        return CardMaterial(story, source, tuple(topics), tuple(demands), case, (), total)

    async def _read_others(self, story: StoryRow, viewer: Viewer) -> tuple[tuple[StoryRow, ...], int]:
        of_case = (*_others_of(story), visible(viewer))
        others = await self._session.scalars(
            select(StoryRow)
            .where(*of_case)
            .order_by(func.coalesce(StoryRow.published, StoryRow.first_seen), StoryRow.id)
            .limit(_SOURCES)
        )
        shown = tuple(others)
        return shown, len(shown) if len(shown) < _SOURCES else await self._count(of_case)

    async def _count(self, which: tuple[ColumnElement[bool], ...]) -> int:
        return (
            await self._session.execute(select(func.count()).select_from(StoryRow).where(*which))
        ).scalar_one()


def _others_of(story: StoryRow) -> tuple[ColumnElement[bool], ...]:
    return (StoryRow.case_id == story.case_id, StoryRow.id != story.id)


async def get_routed(session: AsyncSession, story_ids: Collection[int]) -> Sequence[StoryRow]:
    """Give the relevant ones of these stories, without what only explanations read.

    One that was forgotten for its age (`db.retention`) alerts nobody, whatever feed brings it again.
    """
    return (
        await session.scalars(
            select(StoryRow)
            .options(defer(StoryRow.analysis))
            .where(
                StoryRow.id.in_(story_ids),
                StoryRow.relevant.is_(True),
                StoryRow.forgotten_at.is_(None),
            )
        )
    ).all()


async def get_stood(session: AsyncSession, story_id: int, places: Sequence[Place]) -> dict[Place, str]:
    """Tell where a story's case stood ("unknown" if nothing said so) in what these places were told of it.

    Left out are places that were told something which came out later than the story.
    """
    story = await session.get_one(StoryRow, story_id)
    told = select(
        DeliveryRow.target, DeliveryRow.target_id, StoryRow.status, StoryRow.published, StoryRow.first_seen
    ).where(DeliveryRow.state.not_in(GIVEN_UP))
    posts = told.join(StoryRow, StoryRow.id == DeliveryRow.story_id).where(
        DeliveryRow.case_id == story.case_id
    )
    gathered = (
        told.join(DigestItemRow, DigestItemRow.delivery_id == DeliveryRow.id)
        .join(StoryRow, StoryRow.id == DigestItemRow.story_id)
        .where(StoryRow.case_id == story.case_id)
    )
    of: dict[Place, list[tuple[datetime, str | None]]] = {}
    for asked in (posts, gathered):
        for row in await session.execute(asked.where(at_places(DeliveryRow, places))):
            at = came_out(row.published, row.first_seen)
            of.setdefault((row.target, row.target_id), []).append((at, row.status))
    latest = came_out_by(story.published, story.first_seen)
    stood: dict[Place, str] = {}
    for place, reports in of.items():
        reports.sort(key=itemgetter(0))
        if reports[-1][0] <= latest:
            stood[place] = case_status.after(status for _, status in reports) or "unknown"
    return stood


async def get_topics_of(session: AsyncSession, story_ids: Collection[int]) -> dict[int, set[str]]:
    """Give the topics of stories."""
    found = await session.execute(
        select(StoryTopicRow.story_id, StoryTopicRow.topic).where(StoryTopicRow.story_id.in_(story_ids))
    )
    of: dict[int, set[str]] = {}
    for story_id, topic in found:
        of.setdefault(story_id, set()).add(topic)
    return of


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A party's part in a story."""

    name: str
    kind: str
    role: str
    mentions: int


async def get_parts_of(session: AsyncSession, story_ids: Collection[int]) -> dict[int, list[StoredPart]]:
    """Give who takes part in stories."""
    found = await session.execute(
        select(
            StoryPartyRow.story_id, PartyRow.name, PartyRow.kind, StoryPartyRow.role, StoryPartyRow.mentions
        )
        .join(PartyRow, PartyRow.id == StoryPartyRow.party_id)
        .where(StoryPartyRow.story_id.in_(story_ids))
    )
    of: dict[int, list[StoredPart]] = {}
    for story_id, name, kind, role, mentions in found:
        of.setdefault(story_id, []).append(StoredPart(name, kind, role, mentions))
    return of
