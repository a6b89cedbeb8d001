"""What is gathered for digests, and what that is decided by.

A digest is a delivery of the kind "digest"; until the intent to send it is stored it takes stories in. Who
gathers holds the lock of the destination (`db.deliveries.enqueue`), as does who makes the message: so each
story falls into exactly one digest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.deliveries import Place, at_places, not_ended
from db.stories import insert_ignoring
from db.tables import (
    CaseRow,
    DeliveryRow,
    DestinationRow,
    DigestItemRow,
    GuildFeedRow,
    StoryFeedRow,
    StoryRow,
)

_POSTS = ("card", "update")
_REPORTS = 2000  # of cases, that are read for one digest
Slot = tuple[str, int, str]  # a digest's target, target id and moment


@dataclass(frozen=True, slots=True)
class Gathered:
    """The digest that has a story; `is_open`: it still takes stories in, and may give them away."""

    delivery_id: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """By whose wish a story was gathered: of which server, and by which rule (None: a member's, or it is
    removed)."""

    guild_id: int | None
    rule_id: int | None


@dataclass(frozen=True, slots=True)
class DigestStory:
    """A story as a digest tells it, with its case as it stands by now."""

    id: int
    title: str
    url: str
    source: str
    published: datetime | None
    first_seen: datetime
    status: str | None
    relevance: float
    summary: list[str]
    adds: str
    case_id: int | None
    case_title: str | None
    case_status: str | None


def _is_open() -> ColumnElement[bool]:
    return and_(DeliveryRow.state == "due", DeliveryRow.attempts == 0)


# ------------------------------------------------------------- gathering


async def get_slots(session: AsyncSession, slots: Collection[Slot]) -> dict[Slot, Gathered]:
    """Give the digests that there are for these moments."""
    if not slots:
        return {}
    of: dict[tuple[str, str], list[int]] = {}
    for target, target_id, slot in slots:
        of.setdefault((target, slot), []).append(target_id)
    asked = [
        and_(DeliveryRow.target == target, DeliveryRow.target_id.in_(ids), DeliveryRow.slot == slot)
        for (target, slot), ids in of.items()
    ]
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id, DeliveryRow.slot, DeliveryRow.id, _is_open()).where(
            or_(*asked)
        )
    )
    return {
        (target, id, slot): Gathered(row, bool(is_open)) for target, id, slot, row, is_open in found if slot
    }


async def get_gathered(
    session: AsyncSession, story_id: int, places: Collection[Place]
) -> dict[Place, Gathered]:
    """Tell which of these destinations have the story in a digest."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id, DeliveryRow.id, _is_open())
        .join(DigestItemRow, DigestItemRow.delivery_id == DeliveryRow.id)
        .where(DigestItemRow.story_id == story_id, at_places(DeliveryRow, places))
    )
    return {(target, id): Gathered(row, bool(is_open)) for target, id, row, is_open in found}


async def add_items(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Put stories into digests; those that are there already stay."""
    if rows:
        await session.execute(insert_ignoring(session, DigestItemRow), rows)


async def take_out(session: AsyncSession, delivery_id: int, story_id: int) -> None:
    """Take a story out of a digest."""
    await session.execute(
        delete(DigestItemRow).where(
            DigestItemRow.delivery_id == delivery_id, DigestItemRow.story_id == story_id
        )
    )


async def get_waiting(
    session: AsyncSession, places: Collection[Place], after: datetime
) -> dict[Place, list[DeliveryRow]]:
    """Give the posts that wait at destinations for a moment that is still to come."""
    found = await session.scalars(
        select(DeliveryRow).where(
            at_places(DeliveryRow, places),
            not_ended(),
            _is_open(),
            DeliveryRow.kind.in_(_POSTS),
            DeliveryRow.due_at > after,
        )
    )
    waiting: dict[Place, list[DeliveryRow]] = {}
    for row in sorted(found, key=lambda row: row.id):
        waiting.setdefault((row.target, row.target_id), []).append(row)
    return waiting


async def detach(session: AsyncSession, rule_id: int, channel_id: int, most: int) -> list[int]:
    """Let a rule owe a channel nothing more; gives the stories that it owed there, the newest, oldest first.

    That is what waits to be posted or is gathered, and is not on Discord for certain; of a channel that takes
    nothing, all that waits, for after a pause (`db.restarts`) nothing there is certain. It stays as long as
    other rules of the channel want it; it does not count for this one's daily limit any more.
    """
    broken = select(DestinationRow.target_id).where(
        DestinationRow.target == "channel",
        DestinationRow.target_id == channel_id,
        DestinationRow.broken_at.is_not(None),
    )
    waits = (
        at_places(DeliveryRow, [("channel", channel_id)]),
        not_ended(),
        or_(DeliveryRow.intent_at.is_(None), broken.exists()),
    )
    posts = await session.execute(
        select(DeliveryRow.id, DeliveryRow.story_id).where(
            *waits, DeliveryRow.rule_id == rule_id, DeliveryRow.kind.in_((*_POSTS, "report"))
        )
    )
    of = {row.story_id: row.id for row in posts if row.story_id is not None}
    gathered = await session.scalars(
        select(DigestItemRow.story_id)
        .join(DeliveryRow, DeliveryRow.id == DigestItemRow.delivery_id)
        .where(*waits, DigestItemRow.rule_id == rule_id)
    )
    await session.execute(
        update(DeliveryRow).where(DeliveryRow.id.in_(list(of.values()))).values(rule_id=None)
    )
    return sorted({*of, *gathered})[-most:]


async def skip(session: AsyncSession, delivery_ids: Collection[int], reason: str) -> None:
    """End deliveries that something else takes the place of."""
    if delivery_ids:
        await session.execute(
            update(DeliveryRow).where(DeliveryRow.id.in_(delivery_ids)).values(state="skipped", error=reason)
        )


async def fold(session: AsyncSession, delivery_ids: Collection[int], reason: str) -> None:
    """End posts that a digest takes the place of, with the reports that wait for a thread of such a card: the
    digest tells of them with its case."""
    if not delivery_ids:
        return
    card = aliased(DeliveryRow)
    same = (
        card.case_id == DeliveryRow.case_id,
        card.target == DeliveryRow.target,
        card.target_id == DeliveryRow.target_id,
    )
    reports = (
        select(DeliveryRow.id)
        .join(card, and_(*same))
        .where(
            card.id.in_(delivery_ids),
            card.kind == "card",
            DeliveryRow.kind == "report",
            _is_open(),
            DeliveryRow.intent_at.is_(None),
        )
    )
    await skip(session, [*delivery_ids, *await session.scalars(reports)], reason)


async def count_posts(session: AsyncSession, since: Mapping[int, datetime]) -> dict[int, int]:
    """Count what rules have posted, or are going to post, each since its own moment."""
    of: dict[datetime, list[int]] = {}
    for rule_id, moment in since.items():
        of.setdefault(moment, []).append(rule_id)
    counts: dict[int, int] = {}
    for moment, rule_ids in of.items():
        found = await session.execute(
            select(DeliveryRow.rule_id, func.count())
            .where(
                DeliveryRow.rule_id.in_(rule_ids),
                DeliveryRow.created_at >= moment,
                DeliveryRow.kind.in_(_POSTS),
                DeliveryRow.state != "skipped",
            )
            .group_by(DeliveryRow.rule_id)
        )
        counts.update({rule_id: count for rule_id, count in found if rule_id is not None})
    return counts


# ------------------------------------------------------------- telling


async def get_items(
    session: AsyncSession, delivery_ids: Collection[int], most: int
) -> dict[int, dict[int, Wish]]:
    """Give the stories of digests, each with by whose wish, the newest first, at most `most`."""
    found: dict[int, dict[int, Wish]] = {}
    for delivery_id in delivery_ids:
        rows = await session.execute(
            select(DigestItemRow.story_id, DigestItemRow.guild_id, DigestItemRow.rule_id)
            .where(DigestItemRow.delivery_id == delivery_id)
            .order_by(DigestItemRow.story_id.desc())
            .limit(most)
        )
        found[delivery_id] = {row.story_id: Wish(row.guild_id, row.rule_id) for row in rows}
    return found


async def get_stories(session: AsyncSession, story_ids: Collection[int]) -> dict[int, DigestStory]:
    """Give stories as digests tell them."""
    return {story.id: story for story in await _told(session, StoryRow.id.in_(story_ids), len(story_ids))}


async def get_stories_since(
    session: AsyncSession, seen: ColumnElement[bool], since: datetime, most: int
) -> list[DigestStory]:
    """Give the newest stories that came since then, of those for which `seen` holds."""
    return await _told(session, and_(StoryRow.first_seen >= since, seen), most)


async def get_reports(
    session: AsyncSession, case_ids: Collection[int], guilds: Collection[int]
) -> list[DigestStory]:
    """Give the reports of cases that these servers see, newest first."""
    mine = (
        select(StoryFeedRow.story_id)
        .join(GuildFeedRow, GuildFeedRow.feed_id == StoryFeedRow.feed_id)
        .where(GuildFeedRow.guild_id.in_(guilds), StoryFeedRow.story_id == StoryRow.id)
        .correlate(StoryRow)
    )
    return await _told(
        session, and_(StoryRow.case_id.in_(case_ids), StoryRow.relevant, mine.exists()), _REPORTS
    )


async def _told(session: AsyncSession, which: ColumnElement[bool], most: int) -> list[DigestStory]:
    rows: Iterable[Any] = await session.execute(
        select(
            StoryRow.id,
            StoryRow.title,
            StoryRow.url,
            StoryRow.source,
            StoryRow.published,
            StoryRow.first_seen,
            StoryRow.status,
            StoryRow.relevance,
            StoryRow.summary,
            StoryRow.adds,
            StoryRow.case_id,
            CaseRow.title,
            CaseRow.status,
        )
        .outerjoin(CaseRow, CaseRow.id == StoryRow.case_id)
        .where(which)
        .order_by(StoryRow.first_seen.desc(), StoryRow.id.desc())
        .limit(most)
    )
    return [DigestStory(*row) for row in rows]
