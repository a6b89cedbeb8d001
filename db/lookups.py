"""What look-ups read: stories, cases, demands, parties, each as far as the one who asks may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, Label, Select, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from db import case_overrides, case_status, search, sources, suggest
from db.case_status import after, moves_on
from db.cases import get_case
from db.lists import among, as_one, is_sqlite
from db.search_query import SHORTEST_PREFIX, Term, parse_query
from db.stems import fold, words_of
from db.stories import name_key
from db.suggest import LONGEST_CHOICE as LONGEST_CHOICE
from db.suggest import is_named as is_named
from db.suggest import party_names as party_names
from db.suggest import whole_name as whole_name
from db.tables import (
    CaseEventRow,
    CaseOverrideRow,
    CaseRow,
    DemandPartyRow,
    DemandRow,
    PartyRow,
    StoryPartyRow,
    StoryRow,
    StoryTopicRow,
)
from db.visibility import Kind, visible_to
from db.visibility import Viewer as Viewer
from db.visibility import visible as visible

SEARCHED = 200  # stories of each level that are ranked, the newest; see db.search
_LOOKED_THROUGH = (SEARCHED, 800, 3200)  # else: stories looked through until enough may be seen
_LEVEL_WORTH = 360 * 86_400.0  # seconds: a story about the words ranks with one that mentions them...
_LEVEL = {1: 1.0, 2: 0.5, 0: 0.0}  # ...so much later


class Hits(NamedTuple):
    """A page of what a search finds, with the number of all hits; `more`: there are at least so many."""

    stories: list[StoryRow]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A line of a case's timeline; `story` is None for what no article told (a merge, a correction)."""

    at: datetime
    kind: str
    status: str | None
    story: StoryRow | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as the viewer may see it: its timeline and its reports (without their texts), oldest first; and
    what the moderators of the viewer's server say of it."""

    case: CaseRow
    lines: tuple[CaseLine, ...]
    stories: tuple[StoryRow, ...]
    demands: tuple[DemandRow, ...]
    status: str | None = None  # where it stands, as far as these reports tell
    parties: tuple[str, ...] = ()  # the most named first
    override: CaseOverrideRow | None = None

    @property
    def title(self) -> str:
        """What the case is called here (raw)."""
        return (self.override.title if self.override else None) or self.case.title


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of demands, newest first, with the number of all and their totals by status."""

    demands: tuple[tuple[DemandRow, StoryRow], ...]
    total: int
    by_status: tuple[tuple[str, int], ...]


def with_topic(topic: str) -> ColumnElement[bool]:
    """Give the condition on `stories` that they have a topic."""
    return exists().where(StoryTopicRow.story_id == StoryRow.id, StoryTopicRow.topic == topic)


async def latest(
    session: AsyncSession,
    viewer: Viewer,
    *,
    topic: str | None = None,
    party: str | None = None,
    since: datetime | None = None,
    limit: int = 5,
) -> list[StoryRow]:
    """Give the newest stories, as they came in."""
    found, _ = await _seen(session, viewer, (), limit, levels=(0,), topic=topic, party=party, since=since)
    return await _stories(session, viewer, sorted(found, reverse=True)[:limit])


async def search_stories(
    session: AsyncSession,
    viewer: Viewer,
    query: str,
    *,
    topic: str | None = None,
    party: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    newest_first: bool = False,
    limit: int = 5,
    offset: int = 0,
) -> Hits:
    """Search; gives a page and the number of hits, which are not counted further than the page needs.

    Best first: a story whose title or parties hold the words ranks with one that only mentions them and
    is a year younger, one whose summary holds them with one half a year younger.
    """
    terms = parse_query(query)
    if not terms:
        return Hits([], 0, False)
    levels: tuple[int, ...] = search.LEVELS
    if any(len(term.words) > 1 for term in terms):
        levels = (1, 0)  # a phrase takes longer, and has few hits to be told apart
    found, whole = await _seen(
        session,
        viewer,
        terms,
        SEARCHED,
        levels=(0,) if newest_first else levels,
        enough=offset + limit,
        topic=topic,
        party=party,
        status=status,
        since=since,
    )
    order = sorted(found, key=lambda id: (found[id].rank, id), reverse=True)
    return Hits(await _stories(session, viewer, order[offset : offset + limit]), len(order), not whole)


async def meant_searches(session: AsyncSession, viewer: Viewer, query: str) -> list[str]:
    """Give searches that were likely meant by one that finds nothing, and find something."""
    words = [word for term in parse_query(query) for word in term.words if not (term.without or term.prefix)]
    if len(words) > _MEANT_WORDS:
        return []
    found = []
    for reading in islice(await suggest.readings(session, words), _MEANT):
        meant = " ".join(reading)
        if (await search_stories(session, viewer, meant, limit=1)).total:
            found.append(meant)
    return found


@dataclass(frozen=True, slots=True)
class _Hit:
    """A story that was found and may be seen; the higher its `rank`, the better."""

    rank: float


async def _seen(
    session: AsyncSession,
    viewer: Viewer,
    terms: Collection[Term],
    limit: int,
    *,
    levels: tuple[int, ...] = search.LEVELS,
    enough: int | None = None,
    topic: str | None = None,
    party: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
) -> tuple[dict[int, _Hit], bool]:
    """Find stories that the viewer may see, of each level the newest `limit`; without terms, the newest.
    Tells, too, whether these are all that there are.

    `enough`: so many are shown. Then not many more are looked for, and the next level is not asked where
    so many rank before all that it could bring. The index is asked for the viewer's feeds where those are
    few; whatever it says, each story is checked.
    """
    party_id = None
    if party is not None:
        party_id = await session.scalar(select(PartyRow.id).where(PartyRow.name_key == name_key(party)))
        if party_id is None:
            return {}, True
    asked = await search.prepare(session, viewer, terms, search.Filters(topic, party_id, status, since))
    wanted = limit if enough is None else min(limit, 2 * enough)
    found: dict[int, _Hit] = {}
    whole = False
    for level in levels:
        of_level: dict[int, _Hit] = {}
        for most in (limit, *(more for more in _LOOKED_THROUGH if more > limit)):
            ids, all_of_them = await search.find(session, asked, level, most)
            of_level = await _checked(session, viewer, ids, level, since)
            whole = level == 0 and all_of_them  # what is found at any level is found there
            if asked.by_feed or viewer.operator or len(of_level) >= wanted or len(ids) < most:
                break
        found = of_level | found
        if enough is not None and len(of_level) >= wanted and level != levels[-1]:
            newest = await session.scalar(_NEWEST)
            best = (
                newest.timestamp() + _LEVEL_WORTH * _LEVEL[levels[levels.index(level) + 1]] if newest else 0
            )
            if sum(hit.rank > best for hit in found.values()) >= enough:
                break
    return found, whole


_NEWEST = select(StoryRow.first_seen).where(StoryRow.relevant).order_by(StoryRow.first_seen.desc()).limit(1)


async def _checked(
    session: AsyncSession, viewer: Viewer, ids: Sequence[int], level: int, since: datetime | None
) -> dict[int, _Hit]:
    if not ids:
        return {}
    sqlite = is_sqlite(session)
    values = {"ids": as_one(sqlite, ids), "since": since, **viewer.values}
    statement = _seen_of(viewer.kind, sqlite, since is not None)
    more = _LEVEL_WORTH * _LEVEL[level]
    return {
        story_id: _Hit(at.timestamp() + more) for story_id, at in await session.execute(statement, values)
    }


@cache
def _seen_of(kind: Kind, sqlite: bool, since: bool) -> Select[int, datetime]:
    """Make what is asked for those of the stories `ids` that the viewer sees, with their dates."""
    date = func.coalesce(StoryRow.published, StoryRow.first_seen)
    query = select(StoryRow.id, date).where(among(sqlite, StoryRow.id, bindparam("ids")), visible_to(kind))
    return query.where(date >= bindparam("since")) if since else query


async def _stories(session: AsyncSession, viewer: Viewer, ids: list[int]) -> list[StoryRow]:
    rows = await session.scalars(select(StoryRow).where(StoryRow.id.in_(ids)))
    by_id = {row.id: row for row in rows}
    await sources.name(session, viewer, by_id.values())
    return [by_id[id] for id in ids]


@dataclass(frozen=True, slots=True)
class CaseName:
    """A case as one chooses it."""

    id: int
    title: str


async def find_cases(session: AsyncSession, viewer: Viewer, name: str, limit: int = 25) -> list[CaseRow]:
    """Find the cases that `case_names` finds."""
    ids = [case.id for case in await case_names(session, viewer, name, limit)]
    by_id = {row.id: row for row in await session.scalars(select(CaseRow).where(CaseRow.id.in_(ids)))}
    return [by_id[id] for id in ids]


async def case_names(
    session: AsyncSession, viewer: Viewer, name: str, limit: int = 25, *, party: str = ""
) -> list[CaseName]:
    """Find cases by number, by the name that the viewer's server gave one, or by words of their reports'
    titles and parties; the last reported first, and called as that server calls them. The number of one that
    was merged into another stands for that.

    The last word may be a beginning. Then come those with `party`, as which the name is known ("FBI"). Where
    nothing fits, those that were likely meant ("supoena"). Without a name: the newest.
    """
    own = await case_overrides.get_titles(session, viewer)
    number = name.strip().lstrip("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        case = await get_case(session, int(number))
        seen = exists().where(StoryRow.case_id == (case.id if case else 0), visible(viewer))
        if case is not None and await session.scalar(select(seen)):
            return [CaseName(case.id, own.get(case.id, case.title))]
        if name.strip().startswith("#"):
            return []  # a number and no word of a title
    words = words_of(name)
    if name.strip() and not words:
        return []
    called = await case_overrides.named(session, viewer, own, words) if words else []
    called.sort(key=lambda id: own[id].casefold() != name.strip().casefold())  # so called first
    found = dict.fromkeys(called, "")
    found |= {case.id: case.title for case in await _cases_with(session, viewer, words, limit)}
    if words and len(found) < limit and name_key(party) not in ("", name_key(name)):
        named = await _cases_with(session, viewer, words_of(party), limit)
        found |= {case.id: case.title for case in named if case.id not in found}
    if words and not found:
        for reading in await suggest.readings(session, words):
            found = {case.id: case.title for case in await _cases_with(session, viewer, reading, limit)}
            if found:
                break
    return [CaseName(id, own.get(id, title)) for id, title in islice(found.items(), limit)]


# Stories with a case's words, the newest, whose cases are given: more are looked through while the cases are
# few, but not when so many of the stories could be seen. A last word of one or two letters is looked for in
# the titles of these cases.
_WITH_WORDS = (100, 400, 3200), 100
_WITH_SHORT = (200, 800, 3200), 50
_MEANT, _MEANT_WORDS = 3, 4  # searches that may have been meant, of so many words
_CASE_PARTIES = 12  # that a case is shown with
_CASE_WORDS = 8  # words of a name that are looked for, the last ones


async def _cases_with(
    session: AsyncSession, viewer: Viewer, words: Sequence[str], limit: int
) -> list[CaseName]:
    """Find cases by words of their reports."""
    terms = [Term((word,)) for word in words[:-1]]
    short = ""
    if words and len(words[-1]) >= SHORTEST_PREFIX:
        terms.append(Term((words[-1],), prefix=True))
    elif words:
        short = fold(words[-1])
    asked = await search.prepare(session, viewer, terms[-_CASE_WORDS:], search.Filters())
    looked_through, plenty = _WITH_SHORT if short else _WITH_WORDS
    sqlite = is_sqlite(session)
    found: list[CaseName] = []
    for most in looked_through:
        ids, _ = await search.find(session, asked, 1, most)
        if not ids:
            break
        values = {"ids": as_one(sqlite, ids), "most": most if short else limit, **viewer.values}
        rows = (await session.execute(_cases_of(viewer.kind, sqlite), values)).all()
        fitting = (row for row in rows if not short or _has_beginning(row.title, short))
        found = [CaseName(row.id, row.title) for row in islice(fitting, limit)]
        if len(found) >= limit or len(ids) < most or sum(row.seen for row in rows) > plenty:
            break
    return found


@cache
def _cases_of(kind: Kind, sqlite: bool) -> Select[int, str, int]:
    """Make what is asked for the cases of the stories `ids` that the viewer sees, the last reported first."""
    return (
        select(CaseRow.id, CaseRow.title, func.count().label("seen"))
        .join(StoryRow, StoryRow.case_id == CaseRow.id)
        # Not whether a case was merged into another (its stories went there): SQLite would begin with that.
        .where(among(sqlite, StoryRow.id, bindparam("ids")), visible_to(kind))
        .group_by(CaseRow.id)
        .order_by(CaseRow.updated.desc(), CaseRow.id.desc())
        .limit(bindparam("most", type_=Integer))
    )


def _has_beginning(title: str, short: str) -> bool:
    return any(fold(word).startswith(short) for word in words_of(title))


async def case_view(session: AsyncSession, viewer: Viewer, case: CaseRow) -> CaseView:
    """Give a case's timeline and reports, as far as the viewer may see them."""
    date = func.coalesce(StoryRow.published, StoryRow.first_seen)
    stories = list(
        (
            await session.execute(
                select(StoryRow)
                .options(defer(StoryRow.text), defer(StoryRow.analysis))  # of hundreds of reports: megabytes
                .where(StoryRow.case_id == case.id, visible(viewer))
                .order_by(date, StoryRow.id)
            )
        ).scalars()
    )
    await sources.name(session, viewer, stories)
    by_id = {story.id: story for story in stories}
    events = await session.execute(
        select(CaseEventRow).where(CaseEventRow.case_id == case.id).order_by(CaseEventRow.at, CaseEventRow.id)
    )
    lines = _as_seen(
        CaseLine(e.at, e.kind, e.status, by_id.get(e.story_id or 0))
        for e in events.scalars()
        if e.story_id is None or e.story_id in by_id
    )
    demands = await session.execute(
        select(DemandRow).where(DemandRow.story_id.in_(by_id)).order_by(DemandRow.reported, DemandRow.id)
    )
    parties = await session.scalars(
        select(PartyRow.name)
        .join(StoryPartyRow, StoryPartyRow.party_id == PartyRow.id)
        .where(StoryPartyRow.story_id.in_(by_id))
        .group_by(PartyRow.id)
        .order_by(func.count().desc(), PartyRow.id)
        .limit(_CASE_PARTIES)
    )
    override = None
    if viewer.guild_id is not None:
        override = await session.get(CaseOverrideRow, (viewer.guild_id, case.id))
    stands = case_status.told_by(case.status, (story.status for story in stories))
    return CaseView(case, lines, tuple(stories), tuple(demands.scalars()), stands, tuple(parties), override)


def _as_seen(lines: Iterable[CaseLine]) -> tuple[CaseLine, ...]:
    """Tell how a case began and changed by the reports that a viewer sees: what was first, or new, for
    everybody may have come by a feed of others."""
    seen: list[CaseLine] = []
    stood: str | None = None
    for line in lines:
        kind = line.kind
        if line.story is not None:
            if all(earlier.story is None for earlier in seen):
                kind = "opened"
            elif kind != "status":
                kind = "status" if moves_on(stood, line.status) else "source"
            stood = after((stood, line.status))
        seen.append(replace(line, kind=kind))
    return tuple(seen)


def place_in_matter() -> Label[int]:
    """Give the `place` of a demand's report among all of its case and instrument, of which the newest (1)
    stands for them. Without a case, a demand stands for itself."""
    return (
        func.row_number()
        .over(
            partition_by=(func.coalesce(DemandRow.case_id, -DemandRow.id), DemandRow.instrument),
            order_by=(DemandRow.reported.desc(), DemandRow.id.desc()),
        )
        .label("place")
    )


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
            place_in_matter(),
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
