"""What servers say of cases: shown in that server alone; merges and splits are proposals to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import CaseOverrideRow, CaseProposalRow


async def get(session: AsyncSession, guild_id: int, case_id: int) -> CaseOverrideRow | None:
    """Give what a server says of a case."""
    return await session.get(CaseOverrideRow, (guild_id, case_id))


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
