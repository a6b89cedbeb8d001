"""Cases in the database: the inverted index that finds candidates, and a case's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import CaseEventRow, CaseRow, CaseTermRow

# A term that very many cases hold says nothing about which one is meant, and would make the cost of a
# story grow with the store: only the cases that held it last are looked at.
_CASES_A_TERM = 20
_CANDIDATES = 40
_TERMS_ASKED = 40
_LOOK_BACK = timedelta(days=730)
_TERM_LENGTH = 200
_CASE_LOCK = 0x51554153  # "QUAS": names the advisory lock on PostgreSQL


@dataclass(frozen=True, slots=True)
class CandidateCase:
    """A case that shares terms with a story: its own terms, and when it was last reported."""

    case_id: int
    terms: tuple[tuple[str, float], ...]
    last_seen: datetime | None


async def lock_cases(session: AsyncSession) -> None:
    """Let only one transaction at a time decide on cases, else two workers open one matter twice.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CASE_LOCK})


async def candidates(
    session: AsyncSession, terms: Sequence[tuple[str, float]], now: datetime
) -> list[CandidateCase]:
    """Find the cases that share the weightiest of `terms`, the best matches first.

    The cost is bounded by the number of terms asked, whatever is stored.
    """
    asked = sorted(terms, key=lambda item: (-item[1], item[0]))[:_TERMS_ASKED]
    scores: dict[int, float] = {}
    for term, weight in asked:
        holders = await session.execute(
            select(CaseTermRow.case_id)
            .where(CaseTermRow.term == term[:_TERM_LENGTH], CaseTermRow.last_seen > now - _LOOK_BACK)
            .order_by(CaseTermRow.last_seen.desc())
            .limit(_CASES_A_TERM)
        )
        for case_id in holders.scalars():
            scores[case_id] = scores.get(case_id, 0.0) + weight
    best = sorted(scores, key=lambda c: (-scores[c], c))[:_CANDIDATES]
    if not best:
        return []
    found: dict[int, list[tuple[str, float]]] = {case_id: [] for case_id in best}
    rows = await session.execute(
        select(CaseTermRow.case_id, CaseTermRow.term, CaseTermRow.weight).where(CaseTermRow.case_id.in_(best))
    )
    for case_id, term, weight in rows:
        found[case_id].append((term, weight))
    seen = await session.execute(select(CaseRow.id, CaseRow.updated).where(CaseRow.id.in_(best)))
    updated = {row.id: row.updated for row in seen}
    return [CandidateCase(case_id, tuple(found[case_id]), updated.get(case_id)) for case_id in best]


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


async def set_terms(
    session: AsyncSession, case_id: int, terms: Sequence[tuple[str, float]], at: datetime
) -> None:
    """Store the terms by which a case is found."""
    if not terms:
        return
    kind = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = kind(CaseTermRow)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["term", "case_id"],
            set_={"weight": statement.excluded.weight, "last_seen": statement.excluded.last_seen},
        ),
        [
            {"term": term[:_TERM_LENGTH], "case_id": case_id, "weight": weight, "last_seen": at}
            for term, weight in dict(terms).items()
        ],
    )


async def touch_case(session: AsyncSession, case_id: int, at: datetime, status: str | None) -> None:
    """Note that a case was reported again, and where it stands if that is known."""
    values: dict[str, object] = {"updated": func.max(CaseRow.updated, at)}
    if session.get_bind().dialect.name == "postgresql":
        values["updated"] = func.greatest(CaseRow.updated, at)
    if status is not None:
        values["status"] = status
    await session.execute(update(CaseRow).where(CaseRow.id == case_id).values(**values))


async def add_event(
    session: AsyncSession, case_id: int, *, at: datetime, kind: str, status: str | None, story_id: int | None
) -> None:
    """Write a line of a case's timeline."""
    session.add(CaseEventRow(case_id=case_id, at=at, kind=kind, status=status, story_id=story_id))
    await session.flush()
