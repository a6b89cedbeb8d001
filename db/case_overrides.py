"""What servers say of cases: shown in that server alone; merges and splits are proposals to the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.stems import fold, words_of
from db.tables import CaseOverrideRow, CaseProposalRow, CaseRow, StoryRow
from db.visibility import Viewer, visible

_LOOKED_THROUGH = 500  # names of a server


async def get(session: AsyncSession, guild_id: int, case_id: int) -> CaseOverrideRow | None:
    """Give what a server says of a case."""
    return await session.get(CaseOverrideRow, (guild_id, case_id))


async def get_titles(session: AsyncSession, viewer: Viewer) -> dict[int, str]:
    """Give the cases that the viewer's server gave names of its own, with these; of many the newest names."""
    if viewer.guild_id is None:
        return {}
    rows = await session.execute(
        select(CaseOverrideRow.case_id, CaseOverrideRow.title)
        .where(CaseOverrideRow.guild_id == viewer.guild_id, CaseOverrideRow.title.is_not(None))
        .order_by(CaseOverrideRow.at.desc())
        .limit(_LOOKED_THROUGH)
    )
    return {row.case_id: row.title for row in rows}


async def named(
    session: AsyncSession, viewer: Viewer, titles: Mapping[int, str], words: Sequence[str]
) -> list[int]:
    """Find the cases whose names of these hold all words, the last one as a beginning; as far as the viewer
    sees them, the last reported first."""
    *whole, last = map(fold, words)
    meant = [case_id for case_id, title in titles.items() if _says(title, whole, last)]
    if not meant:
        return []
    found = await session.scalars(
        select(CaseRow.id)
        .where(
            CaseRow.id.in_(meant),
            CaseRow.merged_into.is_(None),
            exists().where(StoryRow.case_id == CaseRow.id, visible(viewer)),
        )
        .order_by(CaseRow.updated.desc(), CaseRow.id.desc())
    )
    return list(found)


def _says(title: str, whole: Sequence[str], last: str) -> bool:
    said = [fold(word) for word in words_of(title)]
    return all(word in said for word in whole) and any(word.startswith(last) for word in said)


async def propose(
    session: AsyncSession,
    *,
    guild_id: int,
    user_id: int,
    kind: str,
    case_id: int,
    other_id: int | None = None,
    story_id: int | None = None,
    now: datetime,
) -> CaseProposalRow:
    """Note that a server's moderators propose a merge or split; the same proposal is made once."""
    same = await session.scalars(
        select(CaseProposalRow)
        .filter_by(
            guild_id=guild_id, kind=kind, case_id=case_id, other_id=other_id, story_id=story_id, state="open"
        )
        .limit(1)
    )
    row = same.one_or_none()
    if row is None:
        row = CaseProposalRow(
            guild_id=guild_id,
            kind=kind,
            case_id=case_id,
            other_id=other_id,
            story_id=story_id,
            state="open",
            at=now,
            proposed_by=user_id,
        )
        session.add(row)
        await session.flush()
    return row


async def list_proposals(session: AsyncSession, limit: int) -> Sequence[CaseProposalRow]:
    """Give the proposals that nobody has decided on, the oldest first."""
    return (
        await session.scalars(
            select(CaseProposalRow)
            .where(CaseProposalRow.state == "open")
            .order_by(CaseProposalRow.id)
            .limit(limit)
        )
    ).all()


async def hold_proposal(session: AsyncSession, proposal_id: int) -> CaseProposalRow | None:
    """Give a proposal with its lock."""
    found: CaseProposalRow | None = (
        await session.scalars(
            select(CaseProposalRow).where(CaseProposalRow.id == proposal_id).with_for_update()
        )
    ).one_or_none()
    return found
