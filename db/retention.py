"""What is old goes, in small batches between which others write.

After `days`: the texts of stories with the record of how they were read and the reports about them, stories
that were irrelevant, entries that their feed does not show any more, deliveries (those too that still wait,
as for a channel that is gone), what moderators decided on stories, channels and members that nothing was sent
to for as long. What cards and look-ups show stays: cases with their timelines, demands, and
of stories title, summary, topics, parties. Of what a case is recognised by stays what is still looked at: its
newest members, and of a term the cases that held it last. The audit is kept for a year.

Nothing that is forgotten may come again as new:

- an entry stays, without its text, while its feed may still show it (`FeedRow.oldest_shown`);
- a story stays by its address, and one whose text is gone (`forgotten_at`) alerts nobody, whatever feed
  brings it again, nor is it posted where it waits; so its deliveries may go, and they go after it;
- the card of a case stays until the case was silent as long: what comes then answers or edits that card, in
  the words that moderators gave it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Executable,
    and_,
    case,
    delete,
    null,
    or_,
    select,
    text,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db import deliveries, search
from db.deliveries import Place
from db.engine import INCREMENTAL, Database
from db.figures import SILENT_AFTER
from db.tables import (
    AuditRow,
    CaseMemberRow,
    CaseRow,
    DeliveryRow,
    DestinationRow,
    EntryRow,
    FeedRow,
    FindingRow,
    ReportRow,
    ReviewRow,
    RuleRow,
    StoryRow,
)

AUDIT_DAYS = 365
# More than are looked at when a story's case is looked for (`MEMBERS`, `HOLDERS` of bot.stories.cases).
KEPT_MEMBERS = 12  # of a case
KEPT_HOLDERS = 24  # of a term
_HOLD = 0.02  # seconds that one batch should hold the writer
_REST = 4.0  # times as long as a batch took, others have the database to themselves after it
_SHORTEST_REST, _LONGEST_REST = 0.02, 1.0
_LOOKED_UP = 2000  # destinations that are looked for at once: that reads through all
_SMALLEST = 5  # rows of a batch: on a busy machine each takes long, and a sweep has to come to its end
_PAGES = 32  # of SQLite's file that are given back at once
_SPARE_PAGES = 128  # free pages that are left in SQLite's file for what comes next


@dataclass(slots=True)
class Swept:
    """How much went: rows, and pages of SQLite's file. `longest`: seconds that a batch held the writer."""

    entries: int = 0
    stories: int = 0
    findings: int = 0
    deliveries: int = 0
    reviews: int = 0
    destinations: int = 0
    audit: int = 0
    pages: int = 0
    longest: float = 0.0


class Retention:
    """Forgets what is older than `days`. `stopping` is asked between two batches."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        days: int,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._days = timedelta(days=days)
        self._stopping = stopping
        self._size = 20  # rows of the next batch; follows how long batches take

    async def sweep(self) -> Swept:
        """Forget all that is old by now; gives how much it was."""
        now = self._clock()
        before = now - self._days
        swept = Swept()
        await self._repeat(swept, lambda session: self._forget_stories(session, before, now, swept))
        await self._walk(swept, _old_deliveries, before, self._drop_deliveries)
        await self._walk(swept, _old_reviews, before, self._drop_reviews)
        await self._drop_destinations(before, swept)
        await self._walk(swept, _old_entries, before, self._drop_entries)
        await self._repeat(swept, lambda session: self._drop_audit(session, now, swept))
        if self._database.is_sqlite:
            await self._repeat(swept, lambda session: _shrink(session, swept))
        return swept

    # ------------------------------------------------------------- batches

    async def _repeat(self, swept: Swept, batch: Callable[[AsyncSession], Awaitable[bool]]) -> None:
        """Carry a batch out until it says that nothing is left."""
        more = True
        while more and not self._stopping():
            async with self._database.write() as session:
                started = time.monotonic()
                more = await batch(session)
            await self._rest(swept, time.monotonic() - started)

    async def _walk(
        self,
        swept: Swept,
        query: Callable[[int, int], Executable],
        before: datetime,
        drop: Callable[[AsyncSession, Sequence[Any], datetime, Swept], Awaitable[None]],
    ) -> None:
        """Go through rows in the order of their ids, which is that of their age, until they are young."""
        after = 0
        while not self._stopping():
            async with self._database.read() as session:
                rows = (await session.execute(query(after, self._size * 4))).all()
            old = [row for row in rows if row.at < before]
            if old:
                async with self._database.write() as session:
                    started = time.monotonic()
                    await drop(session, old, before, swept)
                await self._rest(swept, time.monotonic() - started)
            if not old or len(old) < len(rows):
                return
            after = rows[-1].id

    async def _rest(self, swept: Swept, took: float) -> None:
        swept.longest = max(swept.longest, took)
        if took > _HOLD:
            self._size = max(_SMALLEST, self._size // 2)
        elif took < _HOLD / 3:
            self._size = min(200, self._size + self._size // 2 + 1)
        await asyncio.sleep(min(max(_SHORTEST_REST, took * _REST), _LONGEST_REST))

    # ------------------------------------------------------------- stories

    async def _forget_stories(
        self, session: AsyncSession, before: datetime, now: datetime, swept: Swept
    ) -> bool:
        """Forget the texts of the oldest stories, or some of the many lines of record that they have."""
        oldest = (
            select(StoryRow.id, StoryRow.relevant, StoryRow.first_seen)
            .where(StoryRow.forgotten_at.is_(None))
            .order_by(StoryRow.id)
            .limit(max(1, self._size // 4))
        )
        old = [row for row in await session.execute(oldest) if row.first_seen < before]
        if not old:
            return False
        ids = [row.id for row in old]
        lines = select(FindingRow.id).where(FindingRow.story_id.in_(ids)).limit(self._size * 10)
        gone = await _delete(session, FindingRow, list(await session.scalars(lines)))
        swept.findings += gone
        if gone == self._size * 10:
            return True  # there are more; the stories go when they have none
        relevant = [row.id for row in old if row.relevant]
        await _delete(session, StoryRow, [row.id for row in old if not row.relevant])
        await session.execute(delete(ReportRow).where(ReportRow.story_id.in_(relevant)))
        for story_id in relevant:
            await session.execute(
                update(StoryRow).where(StoryRow.id == story_id).values(text="", forgotten_at=now)
            )
            await search.index_story(session, story_id)
        if relevant:
            await _forget_members(session, relevant)
        swept.stories += len(ids)
        return True

    # ------------------------------------------------------------- deliveries, entries, audit

    async def _drop_deliveries(
        self, session: AsyncSession, rows: Sequence[Any], before: datetime, swept: Swept
    ) -> None:
        brought = self._clock() - SILENT_AFTER
        old = [
            row
            for row in rows
            if row.state != "sending" and _tells_nothing_young(row, before) and not _counts(row, brought)
        ]
        needed = {row.id for row in old if row.kind == "card" and row.updated and row.updated >= before}
        going = [row for row in old if row.id not in needed]
        waiting = {(row.target, row.target_id) for row in going if row.state in deliveries.OPEN}
        if waiting:  # nobody else changes what waits there meanwhile
            await deliveries.hold(session, deliveries.at_places(DestinationRow, waiting))
        await session.execute(
            delete(DeliveryRow).where(
                DeliveryRow.id.in_([row.id for row in going]), DeliveryRow.state != "sending"
            )
        )
        swept.deliveries += len(going)

    async def _drop_reviews(
        self, session: AsyncSession, rows: Sequence[Any], before: datetime, swept: Swept
    ) -> None:
        going = [
            row.id
            for row in rows
            if row.state != "waiting"
            and row.forgotten_at is not None
            and (row.updated is None or row.updated < before)
        ]
        swept.reviews += await _delete(session, ReviewRow, going)

    async def _drop_destinations(self, before: datetime, swept: Swept) -> None:
        """Forget channels and members that nothing waits for, and nothing was sent to since.

        A lease from before is long over by then, so that the count of claims may begin anew.
        """
        asked = select(DestinationRow.target, DestinationRow.target_id).where(_idle(before), _unnamed())
        found: list[Place] = []
        gone = 1  # of the last batch
        while gone and not self._stopping():
            if not found:
                async with self._database.read() as session:
                    rows = await session.execute(asked.limit(_LOOKED_UP))
                    found = [(row.target, row.target_id) for row in rows]
                if not found:
                    return
            these = deliveries.at_places(DestinationRow, found[: self._size * 4])
            del found[: self._size * 4]
            async with self._database.write() as session:
                started = time.monotonic()
                await deliveries.hold(session, these)  # so that the second look sees what is owed meanwhile
                deleted = delete(DestinationRow).where(these, _idle(before))
                gone = len((await session.execute(deleted.returning(DestinationRow.target_id))).all())
            swept.destinations += gone
            await self._rest(swept, time.monotonic() - started)

    async def _drop_entries(
        self, session: AsyncSession, rows: Sequence[Any], _: datetime, swept: Swept
    ) -> None:
        read = [row for row in rows if row.state != "new"]
        unseen = [row.id for row in read if row.oldest_shown is not None and row.id < row.oldest_shown]
        swept.entries += await _delete(session, EntryRow, unseen)
        shown = [row.id for row in read if row.id not in set(unseen) and row.has_text]
        if shown:
            await session.execute(
                update(EntryRow).where(EntryRow.id.in_(shown)).values(summary="", content="")
            )

    async def _drop_audit(self, session: AsyncSession, now: datetime, swept: Swept) -> bool:
        oldest = select(AuditRow.id, AuditRow.at).order_by(AuditRow.id).limit(self._size * 4)
        before = now - timedelta(days=AUDIT_DAYS)
        old = [row.id for row in await session.execute(oldest) if row.at < before]
        swept.audit += await _delete(session, AuditRow, old)
        return bool(old)


def _tells_nothing_young(delivery: Any, before: datetime) -> bool:
    """Tell whether all is old that a delivery tells: a digest takes stories in until it is due."""
    if delivery.story_id is None:
        return bool(delivery.due_at < before)
    return delivery.forgotten_at is not None


def _counts(delivery: Any, since: datetime) -> bool:
    """Tell whether a delivery shows that its rule brings something (`db.figures.silent_rules`)."""
    return bool(delivery.rule_id is not None and delivery.at >= since)


def _idle(before: datetime) -> ColumnElement[bool]:
    """Ask for destinations that nothing waits for, that nobody holds and nothing was sent to since then."""
    return and_(
        or_(DestinationRow.turn.is_(None), DestinationRow.turn < before),
        or_(DestinationRow.claimed_until.is_(None), DestinationRow.claimed_until < before),
        or_(
            and_(DestinationRow.broken_at.is_(None), DestinationRow.next_due.is_(None)),
            DestinationRow.broken_at < before,
        ),
        ~deliveries.open_at_destination(DeliveryRow.id).exists(),
    )


def _unnamed() -> ColumnElement[bool]:
    """Ask for destinations that are no closed channels of rules: of those is remembered that no request is
    to be spent on them, and that moderators were told."""
    named: CompoundSelect[int] = union(
        select(RuleRow.channel_id), select(RuleRow.review_channel).where(RuleRow.review_channel.is_not(None))
    )
    return or_(DestinationRow.broken_at.is_(None), DestinationRow.target_id.not_in(named))


def _old_reviews(after: int, limit: int) -> Executable:
    return (
        select(
            ReviewRow.id,
            ReviewRow.created_at.label("at"),
            ReviewRow.state,
            StoryRow.forgotten_at,
            CaseRow.updated,
        )
        .join(StoryRow, StoryRow.id == ReviewRow.story_id)
        .outerjoin(CaseRow, CaseRow.id == StoryRow.case_id)
        .where(ReviewRow.id > after)
        .order_by(ReviewRow.id)
        .limit(limit)
    )


def _old_deliveries(after: int, limit: int) -> Executable:
    return (
        select(
            DeliveryRow.id,
            DeliveryRow.created_at.label("at"),
            DeliveryRow.due_at,
            DeliveryRow.state,
            DeliveryRow.kind,
            DeliveryRow.target,
            DeliveryRow.target_id,
            DeliveryRow.story_id,
            DeliveryRow.rule_id,
            StoryRow.forgotten_at,
            CaseRow.updated,
        )
        .outerjoin(StoryRow, StoryRow.id == DeliveryRow.story_id)
        .outerjoin(CaseRow, CaseRow.id == DeliveryRow.case_id)
        .where(DeliveryRow.id > after)
        .order_by(DeliveryRow.id)
        .limit(limit)
    )


def _old_entries(after: int, limit: int) -> Executable:
    has_text = case((or_(EntryRow.summary != "", EntryRow.content != ""), 1), else_=null())
    return (
        select(
            EntryRow.id,
            EntryRow.first_seen.label("at"),
            EntryRow.state,
            FeedRow.oldest_shown,
            has_text.label("has_text"),
        )
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
        .where(EntryRow.id > after)
        .order_by(EntryRow.id)
        .limit(limit)
    )


async def _forget_members(session: AsyncSession, story_ids: Sequence[int]) -> None:
    """Drop what no story is compared with any more, of the cases and terms of stories that went.

    Bounded by what the stories hold: a term or case that comes up again is looked at again then.
    """
    rows = await session.execute(
        select(CaseMemberRow.case_id, CaseMemberRow.filed).where(CaseMemberRow.story_id.in_(story_ids))
    )
    members = rows.all()
    connection = await session.connection()
    last, cases = max(story_ids), sorted({row.case_id for row in members})
    terms = sorted({term for row in members for term in row.filed})
    if cases:
        of_cases = [{"of": one, "last": last, "members": KEPT_MEMBERS - 1} for one in cases]
        await connection.execute(text(_OLD_MEMBERS), of_cases)
    if terms:
        await connection.execute(
            text(_OLD_HOLDERS), [{"of": one, "holders": KEPT_HOLDERS - 1} for one in terms]
        )


_OLD_MEMBERS = (
    "DELETE FROM case_members WHERE case_id = :of AND story_id <= :last AND story_id < "
    "(SELECT m.story_id FROM case_members AS m WHERE m.case_id = :of "
    "ORDER BY m.story_id DESC LIMIT 1 OFFSET :members)"
)
_OLD_HOLDERS = (
    "DELETE FROM case_terms WHERE term = :of AND last_seen < "
    "(SELECT t.last_seen FROM case_terms AS t WHERE t.term = :of "
    "ORDER BY t.last_seen DESC LIMIT 1 OFFSET :holders)"
)


async def _delete(session: AsyncSession, table: Any, ids: Sequence[int]) -> int:
    if ids:
        await session.execute(delete(table).where(table.id.in_(ids)))
    return len(ids)


async def _shrink(session: AsyncSession, swept: Swept) -> bool:
    """Give some of a SQLite file's free pages back to the disk; True where more are left."""
    connection = await session.connection()

    async def ask(pragma: str) -> int:
        return int((await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one())

    free = await ask("freelist_count")
    if free <= _SPARE_PAGES or await ask("auto_vacuum") != INCREMENTAL:
        return False
    # As a script, which is carried out to its end (and as a transaction of its own): a single statement
    # without columns is left after its first step, and each step gives one page back.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
    left = await ask("freelist_count")
    swept.pages += free - left
    return left < free
