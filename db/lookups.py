"""What look-ups read: stories, cases, demands, parties, each as far as the one who asks may see.

A server sees the stories of the feeds it uses; a person outside a server (a direct message, a
user-installed app) those of the public catalogue; the operator's own commands see everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import search
from db.stories import name_key
from db.tables import (
    CaseEventRow,
    CaseRow,
    DemandPartyRow,
    DemandRow,
    FeedRow,
    GuildFeedRow,
    PartyRow,
    StoryFeedRow,
    StoryPartyRow,
    StoryRow,
    StoryTopicRow,
)

_SEARCHED = 500  # hits that are ranked before the filters; what ranks below is not found


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a server (`guild_id`), a person outside one (None), or the `operator`."""

    guild_id: int | None = None
    operator: bool = False


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A line of a case's timeline; `story` is None when the viewer may not see who said it."""

    at: datetime
    kind: str
    status: str | None
    story: StoryRow | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as the viewer may see it: its timeline and its reports, oldest first."""

    case: CaseRow
    lines: tuple[CaseLine, ...]
    stories: tuple[StoryRow, ...]
    demands: tuple[DemandRow, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of demands, newest first, with the number of all and their totals by status."""

    demands: tuple[tuple[DemandRow, StoryRow], ...]
    total: int
    by_status: tuple[tuple[str, int], ...]


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition on `stories` that holds for what the viewer may see."""
    if viewer.operator:
        return StoryRow.relevant.is_(True)
    if viewer.guild_id is None:
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            FeedRow.id == StoryFeedRow.feed_id,
            FeedRow.public.is_(True),
        )
    else:
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            GuildFeedRow.feed_id == StoryFeedRow.feed_id,
            GuildFeedRow.guild_id == viewer.guild_id,
        )
    return and_(StoryRow.relevant.is_(True), mine)


def _with_party(name: str) -> ColumnElement[bool]:
    return exists().where(
        StoryPartyRow.story_id == StoryRow.id,
        PartyRow.id == StoryPartyRow.party_id,
        PartyRow.name_key == name_key(name),
    )


def with_topic(topic: str) -> ColumnElement[bool]:
    """Give the condition on `stories` that they have a topic."""
    return exists().where(StoryTopicRow.story_id == StoryRow.id, StoryTopicRow.topic == topic)


def _filters(
    topic: str | None, party: str | None, status: str | None, since: datetime | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if topic:
        found.append(with_topic(topic))
    if party:
        found.append(_with_party(party))
    if status:
        found.append(StoryRow.status == status)
    if since:
        found.append(func.coalesce(StoryRow.published, StoryRow.first_seen) >= since)
    return found


async def latest(
    session: AsyncSession,
    viewer: Viewer,
    *,
    topic: str | None = None,
    party: str | None = None,
    since: datetime | None = None,
    limit: int = 5,
) -> list[StoryRow]:
    """Give the newest stories."""
    rows = await session.execute(
        select(StoryRow)
        .where(visible(viewer), *_filters(topic, party, None, since))
        .order_by(StoryRow.first_seen.desc(), StoryRow.id.desc())
        .limit(limit)
    )
    return list(rows.scalars())


async def search_stories(
    session: AsyncSession,
    viewer: Viewer,
    query: str,
    *,
    topic: str | None = None,
    party: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    limit: int = 5,
    offset: int = 0,
) -> tuple[list[StoryRow], int]:
    """Search; gives a page, best first, and the number of all hits (of the first 500)."""
    hits = await search.find(session, search.parse_query(query), _SEARCHED)
    if not hits:
        return [], 0
    rank = dict(hits)
    rows = await session.execute(
        select(StoryRow).where(StoryRow.id.in_(rank), visible(viewer), *_filters(topic, party, status, since))
    )
    found = sorted(rows.scalars(), key=lambda s: (rank[s.id], -s.id))
    return found[offset : offset + limit], len(found)


async def find_cases(session: AsyncSession, viewer: Viewer, name: str, limit: int = 25) -> list[CaseRow]:
    """Find cases by number, by a word of their title or by a party's name; newest first."""
    wanted = name.strip()
    number = wanted.lstrip("#")
    seen = select(StoryRow.case_id).where(visible(viewer), StoryRow.case_id.is_not(None))
    query = select(CaseRow).where(CaseRow.merged_into.is_(None), CaseRow.id.in_(seen))
    if number.isascii() and number.isdigit() and len(number) < 19:
        by_number = list((await session.execute(query.where(CaseRow.id == int(number)))).scalars())
        if by_number:
            return by_number
    if wanted:
        pattern = f"%{_escape_like(wanted)}%"
        key = f"%{_escape_like(name_key(wanted))}%"
        with_party = (
            select(StoryRow.case_id)
            .join(StoryPartyRow, StoryPartyRow.story_id == StoryRow.id)
            .join(PartyRow, PartyRow.id == StoryPartyRow.party_id)
            .where(PartyRow.name_key.like(key, escape="\\"), StoryRow.case_id.is_not(None))
        )
        query = query.where(or_(CaseRow.title.ilike(pattern, escape="\\"), CaseRow.id.in_(with_party)))
    rows = await session.execute(query.order_by(CaseRow.updated.desc(), CaseRow.id.desc()).limit(limit))
    return list(rows.scalars())


async def case_view(session: AsyncSession, viewer: Viewer, case: CaseRow) -> CaseView:
    """Give a case's timeline and reports, as far as the viewer may see them."""
    date = func.coalesce(StoryRow.published, StoryRow.first_seen)
    stories = list(
        (
            await session.execute(
                select(StoryRow)
                .where(StoryRow.case_id == case.id, visible(viewer))
                .order_by(date, StoryRow.id)
            )
        ).scalars()
    )
    by_id = {story.id: story for story in stories}
    events = await session.execute(
        select(CaseEventRow).where(CaseEventRow.case_id == case.id).order_by(CaseEventRow.at, CaseEventRow.id)
    )
    lines = tuple(
        CaseLine(e.at, e.kind, e.status, by_id.get(e.story_id or 0))
        for e in events.scalars()
        if e.story_id is None or e.story_id in by_id
    )
    demands = await session.execute(
        select(DemandRow).where(DemandRow.story_id.in_(by_id)).order_by(DemandRow.reported, DemandRow.id)
    )
    return CaseView(case, lines, tuple(stories), tuple(demands.scalars()))


async def ledger(
    session: AsyncSession,
    viewer: Viewer,
    *,
    issuer: str | None = None,
    recipient: str | None = None,
    instrument: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    limit: int = 10,
    offset: int = 0,
) -> Ledger:
    """Give a page of the demands, one a case and instrument: its newest report stands for it."""
    conditions: list[ColumnElement[bool]] = [visible(viewer)]
    for side, name in (("issuer", issuer), ("recipient", recipient)):
        if name:
            conditions.append(
                exists().where(
                    DemandPartyRow.demand_id == DemandRow.id,
                    DemandPartyRow.side == side,
                    PartyRow.id == DemandPartyRow.party_id,
                    PartyRow.name_key == name_key(name),
                )
            )
    if instrument:
        conditions.append(DemandRow.instrument == instrument)
    if since:
        conditions.append(DemandRow.reported >= since)
    newest = (
        select(
            DemandRow.id,
            DemandRow.status,
            DemandRow.reported,
            func.row_number()
            .over(
                # Without a case, a demand stands for itself.
                partition_by=(func.coalesce(DemandRow.case_id, -DemandRow.id), DemandRow.instrument),
                order_by=(DemandRow.reported.desc(), DemandRow.id.desc()),
            )
            .label("place"),
        )
        .join(StoryRow, StoryRow.id == DemandRow.story_id)
        .where(*conditions)
        .subquery()
    )
    chosen = select(newest.c.id, newest.c.status, newest.c.reported).where(newest.c.place == 1)
    if status:
        chosen = chosen.where(newest.c.status == status)
    ids = chosen.subquery()
    totals = await session.execute(
        select(ids.c.status, func.count()).group_by(ids.c.status).order_by(func.count().desc(), ids.c.status)
    )
    by_status = tuple((str(name), int(count)) for name, count in totals)
    rows = await session.execute(
        select(DemandRow, StoryRow)
        .join(ids, ids.c.id == DemandRow.id)
        .join(StoryRow, StoryRow.id == DemandRow.story_id)
        .order_by(DemandRow.reported.desc(), DemandRow.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return Ledger(tuple((demand, story) for demand, story in rows), sum(n for _, n in by_status), by_status)


async def party_names(
    session: AsyncSession, viewer: Viewer, typed: str, *, side: str | None = None, limit: int = 25
) -> list[str]:
    """Give names of parties that contain what was typed, the most reported first, as far as seen."""
    key = _escape_like(name_key(typed))
    query = select(PartyRow.name, func.count().label("n")).group_by(PartyRow.id, PartyRow.name)
    if side is None:
        query = query.join(StoryPartyRow, StoryPartyRow.party_id == PartyRow.id).join(
            StoryRow, StoryRow.id == StoryPartyRow.story_id
        )
    else:
        query = (
            query.join(DemandPartyRow, DemandPartyRow.party_id == PartyRow.id)
            .join(DemandRow, DemandRow.id == DemandPartyRow.demand_id)
            .join(StoryRow, StoryRow.id == DemandRow.story_id)
            .where(DemandPartyRow.side == side)
        )
    query = query.where(visible(viewer))
    if key:
        query = query.where(PartyRow.name_key.like(f"%{key}%", escape="\\"))
    rows: Sequence[Any] = (
        await session.execute(query.order_by(func.count().desc(), PartyRow.name).limit(limit))
    ).all()
    return [str(row[0]) for row in rows]


def _escape_like(typed: str) -> str:
    return typed[:200].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
