"""Cases in the database: the inverted index that finds candidates, a case's members and its timeline.

The queries on a story's way are few and each is bounded by what is asked, whatever is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, text, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db import case_status
from db.lists import is_sqlite
from db.story_tables import came_out
from db.tables import CaseEventRow, CaseMemberRow, CaseRow, CaseSplitRow, CaseTermRow, StoryRow
from db.visibility import Viewer, visible

_TERM_LENGTH = 200
_CASE_LOCK = 0x51554153  # "QUAS": names the advisory lock on PostgreSQL


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case that a story might belong to: its newest members, and the cases it was split from."""

    case_id: int
    members: tuple[tuple[Mapping[str, float], datetime | None], ...]
    apart: frozenset[int]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Where a case came to stand, when, and the story that reported it first."""

    status: str
    at: datetime
    story: StoryRow | None


async def lock_cases(session: AsyncSession) -> None:
    """Let only one transaction at a time decide on cases, else two workers open one matter twice.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CASE_LOCK})


# ------------------------------------------------------------ finding a story's case


async def get_holders(session: AsyncSession, terms: Sequence[str], limit: int) -> dict[str, list[int]]:
    """Give for each term the cases that held it last, at most `limit`."""
    if not terms:
        return {}
    # Built as text: putting so many queries together from objects takes longer than the database does.
    one = (
        "SELECT * FROM (SELECT term, case_id FROM case_terms WHERE term = :t{0} "
        "ORDER BY last_seen DESC LIMIT :most) AS a{0}"
    )
    query = text(" UNION ALL ".join(one.format(at) for at in range(len(terms))))
    values: dict[str, object] = {f"t{at}": term[:_TERM_LENGTH] for at, term in enumerate(terms)}
    found: dict[str, list[int]] = {}
    for term, case_id in await session.execute(query, {**values, "most": limit}):
        found.setdefault(term, []).append(case_id)
    return found


async def get_known(session: AsyncSession, case_ids: Sequence[int], members: int) -> list[KnownCase]:
    """Give what is known of cases, each by its newest `members`, in the order asked."""
    if not case_ids:
        return []
    newest = [
        select(
            select(CaseMemberRow.case_id, CaseMemberRow.terms, CaseMemberRow.published)
            .where(CaseMemberRow.case_id == case_id)
            .order_by(CaseMemberRow.story_id.desc())
            .limit(members)
            .subquery()
        )
        for case_id in case_ids
    ]
    held: dict[int, list[tuple[dict[str, Any], datetime | None]]] = {}
    for case_id, terms, published in await session.execute(union_all(*newest)):
        held.setdefault(case_id, []).append((terms, published))
    apart: dict[int, set[int]] = {}
    splits = await session.execute(
        select(CaseSplitRow.case_id, CaseSplitRow.other_id).where(
            CaseSplitRow.case_id.in_(case_ids), CaseSplitRow.other_id.in_(case_ids)
        )
    )
    for case_id, other_id in splits:
        apart.setdefault(case_id, set()).add(other_id)
    return [KnownCase(c, tuple(held.get(c, ())), frozenset(apart.get(c, ()))) for c in case_ids]


async def add_member(
    session: AsyncSession,
    case_id: int,
    story_id: int,
    *,
    terms: Mapping[str, float],
    filed: Sequence[str],
    published: datetime | None,
    now: datetime,
) -> None:
    """Make a story one of those that a case is known by; `filed` are the terms it can be found by."""
    session.add(
        CaseMemberRow(
            story_id=story_id, case_id=case_id, terms=dict(terms), filed=list(filed), published=published
        )
    )
    await session.flush()
    await file_terms(session, case_id, filed, now)


async def file_terms(session: AsyncSession, case_id: int, terms: Iterable[str], now: datetime) -> None:
    """Write into the index that a case holds terms."""
    rows = [
        {"term": term, "case_id": case_id, "last_seen": now}
        for term in dict.fromkeys(term[:_TERM_LENGTH] for term in terms)
    ]
    if not rows:
        return
    kind = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement = kind(CaseTermRow)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["term", "case_id"], set_={"last_seen": statement.excluded.last_seen}
        ),
        rows,
    )


# ------------------------------------------------------------------ a case itself


async def open_case(session: AsyncSession, title: str, status: str | None, at: datetime) -> int:
    """Open a case; gives its id."""
    row = CaseRow(title=title[:300], status=status, opened=at, updated=at)
    session.add(row)
    await session.flush()
    return row.id


async def get_case(session: AsyncSession, case_id: int) -> CaseRow | None:
    """Give a case, following merges."""
    for _ in range(20):
        row = await session.get(CaseRow, case_id)
        if row is None or row.merged_into is None:
            return row
        case_id = row.merged_into
    return None


async def touch_case(session: AsyncSession, case_id: int, at: datetime, status: str | None) -> None:
    """Note that a case was reported again, and where it stands if that is known."""
    values: dict[str, object] = {"updated": case((CaseRow.updated > at, CaseRow.updated), else_=at)}
    if status is not None:
        values["status"] = status
    await session.execute(update(CaseRow).where(CaseRow.id == case_id).values(**values))


async def add_event(
    session: AsyncSession, case_id: int, *, at: datetime, kind: str, status: str | None, story_id: int | None
) -> None:
    """Write a line of a case's timeline."""
    session.add(CaseEventRow(case_id=case_id, at=at, kind=kind, status=status, story_id=story_id))
    await session.flush()


async def status_history(session: AsyncSession, case_id: int) -> list[StatusReport]:
    """Give each status a case came to, in order of time, with the story that reported it first.

    A report that arrives late but was published earlier counts by when it was published.
    """
    events = await session.execute(
        select(CaseEventRow, StoryRow)
        .outerjoin(StoryRow, StoryRow.id == CaseEventRow.story_id)
        .where(CaseEventRow.case_id == case_id, CaseEventRow.status.is_not(None))
        .order_by(CaseEventRow.at, CaseEventRow.id)
    )
    first: dict[str, StatusReport] = {}
    for event, story in events:
        if event.status and event.status != "unknown":
            first.setdefault(event.status, StatusReport(event.status, event.at, story))
    return list(first.values())


async def list_cases(session: AsyncSession, words: str = "", limit: int = 25) -> list[tuple[CaseRow, int]]:
    """Give the cases last reported, each with how many stories it has; `words`: a part of the title."""
    conditions: list[ColumnElement[bool]] = [CaseRow.merged_into.is_(None)]
    if words:
        conditions.append(CaseRow.title.icontains(words, autoescape=True))
    count = select(func.count()).where(StoryRow.case_id == CaseRow.id).scalar_subquery()
    rows = await session.execute(
        select(CaseRow, count)
        .where(*conditions)
        .order_by(CaseRow.updated.desc(), CaseRow.id.desc())
        .limit(limit)
    )
    return [(row, stories) for row, stories in rows]


async def where_stand(
    session: AsyncSession, viewer: Viewer, cases: Iterable[CaseRow]
) -> dict[int, str | None]:
    """Tell where cases stand, as far as the reports tell that the viewer sees."""
    of = {row.id: row for row in cases}
    rows = await session.execute(
        select(StoryRow.case_id, StoryRow.status, StoryRow.published, StoryRow.first_seen).where(
            StoryRow.case_id.in_(of), visible(viewer)
        )
    )
    said: dict[int, list[str | None]] = {id: [] for id in of}
    for row in sorted(rows, key=lambda row: came_out(row.published, row.first_seen)):
        said[row.case_id].append(row.status)
    return {id: case_status.told_by(of[id].status, statuses) for id, statuses in said.items()}


async def get_stories(session: AsyncSession, case_id: int) -> list[StoryRow]:
    """Give a case's stories, the oldest first."""
    date = func.coalesce(StoryRow.published, StoryRow.first_seen)
    rows = await session.execute(
        select(StoryRow).where(StoryRow.case_id == case_id).order_by(date, StoryRow.id)
    )
    return list(rows.scalars())


async def get_strands(session: AsyncSession, case_id: int) -> list[int]:
    """Give a case and all that were merged into it."""
    rows = await session.execute(
        select(CaseRow.id).where(or_(CaseRow.id == case_id, CaseRow.merged_into == case_id))
    )
    return sorted(rows.scalars())
