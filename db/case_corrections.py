"""What moderators put right about cases: two that are one matter, and one that is two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import case_status, cases
from db.errors import DatabaseError
from db.story_tables import came_out
from db.tables import (
    CaseEventRow,
    CaseMemberRow,
    CaseOverrideRow,
    CaseRow,
    CaseSplitRow,
    CaseTermRow,
    DeliveryRow,
    DemandRow,
    StoryRow,
    SubscriptionRow,
)

_FILED_AGAIN = 60  # newest members of a case whose terms go into the index after a split


class CaseCorrectionError(DatabaseError):
    """Cases cannot be merged or split as asked: says why."""


async def merge(session: AsyncSession, into: int, other: int, now: datetime) -> CaseRow:
    """Make two cases one, which keeps `into`'s title; gives it.

    Later stories that fit either go there: the case merged away still finds its stories and points on.
    """
    await cases.lock_cases(session)
    kept, gone = await _existing(session, into), await _existing(session, other)
    if kept.id == gone.id:
        raise CaseCorrectionError(f"Cases {into} and {other} are one already.")
    strands, others = await cases.get_strands(session, kept.id), await cases.get_strands(session, gone.id)
    for table in (StoryRow, DemandRow, DeliveryRow, CaseEventRow):
        await session.execute(update(table).where(table.case_id == gone.id).values(case_id=kept.id))
    await session.execute(update(CaseRow).where(CaseRow.id.in_(others)).values(merged_into=kept.id))
    await session.execute(
        delete(CaseSplitRow).where(
            CaseSplitRow.case_id.in_([*strands, *others]), CaseSplitRow.other_id.in_([*strands, *others])
        )
    )
    await _move_subscriptions(session, gone.id, kept.id)
    await _move_overrides(session, gone.id, kept.id)
    await cases.add_event(session, kept.id, at=now, kind="merged", status=None, story_id=None)
    await _settle(session, kept.id)
    return await _existing(session, kept.id)


async def split(
    session: AsyncSession, case_id: int, story_ids: Sequence[int], now: datetime, title: str = ""
) -> CaseRow:
    """Move stories of a case into a case of their own, and remember that the two are apart; gives it."""
    await cases.lock_cases(session)
    old = await _existing(session, case_id)
    moved = set(story_ids)
    stories = await cases.get_stories(session, old.id)
    leaving = [story for story in stories if story.id in moved]
    foreign = sorted(moved - {story.id for story in leaving})
    if foreign:
        numbers = ", ".join(map(str, foreign[:5]))
        raise CaseCorrectionError(
            f"Case {old.id} has no story {numbers}; `quash cases list {old.id}` shows its stories."
        )
    if not leaving or len(leaving) == len(stories):
        raise CaseCorrectionError(f"Name some of the stories of case {old.id}, not all: the others stay.")
    new = await cases.open_case(session, title or leaving[0].title, None, now)
    strands = await cases.get_strands(session, old.id)
    ids = [story.id for story in leaving]
    await session.execute(update(StoryRow).where(StoryRow.id.in_(ids)).values(case_id=new))
    for table in (DemandRow, DeliveryRow, CaseEventRow, CaseMemberRow):
        await session.execute(update(table).where(table.story_id.in_(ids)).values(case_id=new))
    await session.execute(
        insert(CaseSplitRow),
        [{"case_id": a, "other_id": b, "at": now} for s in strands for a, b in ((s, new), (new, s))],
    )
    for strand in (*strands, new):
        await _file_again(session, strand, now)
    for changed in (old.id, new):
        await cases.add_event(session, changed, at=now, kind="corrected", status=None, story_id=None)
        await _settle(session, changed)
    return await _existing(session, new)


async def _existing(session: AsyncSession, case_id: int) -> CaseRow:
    row = await cases.get_case(session, case_id)
    if row is None:
        raise CaseCorrectionError(f"There is no case {case_id}; `quash cases list` shows those there are.")
    await session.refresh(row)
    return row


async def _settle(session: AsyncSession, case_id: int) -> None:
    """Work out anew from its stories when a case was opened, when last reported, and where it stands."""
    stories = sorted(await cases.get_stories(session, case_id), key=_date)
    if not stories:
        return
    dates = [_date(story) for story in stories]
    status = case_status.after(story.status for story in stories)
    await session.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id)
        .values(opened=min(dates), updated=max(dates), status=status)
    )
    first = stories[0].id
    opened = (CaseEventRow.case_id == case_id, CaseEventRow.kind == "opened", CaseEventRow.story_id != first)
    await session.execute(update(CaseEventRow).where(*opened).values(kind="source"))
    await session.execute(
        update(CaseEventRow)
        .where(CaseEventRow.case_id == case_id, CaseEventRow.story_id == first)
        .values(kind="opened")
    )


def _date(story: StoryRow) -> datetime:
    return came_out(story.published, story.first_seen)


async def _file_again(session: AsyncSession, case_id: int, now: datetime) -> None:
    """Write a case's terms into the index anew, from the members it has left."""
    await session.execute(delete(CaseTermRow).where(CaseTermRow.case_id == case_id))
    members = await session.execute(
        select(CaseMemberRow.filed)
        .where(CaseMemberRow.case_id == case_id)
        .order_by(CaseMemberRow.story_id.desc())
        .limit(_FILED_AGAIN)
    )
    await cases.file_terms(session, case_id, (t for filed in members.scalars() for t in filed), now)


async def _move_subscriptions(session: AsyncSession, gone: int, kept: int) -> None:
    """Let those who follow a case follow the one it became; who follows both keeps one subscription."""
    both = select(SubscriptionRow.user_id, SubscriptionRow.guild_id).where(
        SubscriptionRow.kind == "case", SubscriptionRow.value == str(kept)
    )
    have = {(user, guild) for user, guild in await session.execute(both)}
    rows = await session.execute(
        select(SubscriptionRow).where(SubscriptionRow.kind == "case", SubscriptionRow.value == str(gone))
    )
    for row in rows.scalars():
        if (row.user_id, row.guild_id) in have:
            await session.delete(row)
        else:
            row.value = str(kept)
    await session.flush()


async def _move_overrides(session: AsyncSession, gone: int, kept: int) -> None:
    """Let what servers say of a case stand for the one it became; what they say of that one goes first."""
    rows = await session.scalars(select(CaseOverrideRow).where(CaseOverrideRow.case_id == gone))
    for row in rows.all():
        there = await session.get(CaseOverrideRow, (row.guild_id, kept))
        if there is None:
            row.case_id = kept
            continue
        there.title = there.title or row.title
        if there.status is None:
            there.status, there.source = row.status, row.source
        await session.delete(row)
    await session.flush()
