"""Entries that wait to be read: claimed in batches, marked when their story is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.news import is_new
from db.tables import EntryRow, FeedRow, StoryFeedRow, StoryRow, StoryTopicRow

LEASE = timedelta(seconds=60)
"""How long a process may be silent about an entry that it reads before another takes it."""

_MAX_ATTEMPTS = 5
_MOST_AT_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An entry to be read, with what is needed of its feed."""

    id: int
    feed_id: int
    feed_title: str
    feed_language: str | None
    url: str
    url_key: str | None
    title: str
    published: datetime | None
    first_seen: datetime
    summary: str
    content: str
    alert: bool
    attempts: int


async def claim_new(
    session: AsyncSession, now: datetime, limit: int, *, owner: str = "", lease: timedelta = LEASE
) -> list[WaitingEntry]:
    """Claim up to `limit` entries that were not read yet, in the name of `owner`; gives them by id.

    News (what alerts) by their turns, see `db.news`; what is history, oldest first, once no news wait. Never
    both at once: news would wait for the history that is read beside them.

    Any number of workers may claim at once (PostgreSQL: SKIP LOCKED; SQLite has one writer anyway).
    """
    ids = (
        select(EntryRow.id)
        .where(
            is_new(),
            or_(EntryRow.claimed_until.is_(None), EntryRow.claimed_until < now),
            or_(EntryRow.try_after.is_(None), EntryRow.try_after <= now),
        )
        .order_by(EntryRow.turn, EntryRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    news, history = ids.where(EntryRow.alert), ids.where(~EntryRow.alert)
    claimed = (await session.scalars(news)).all() or (await session.scalars(history)).all()
    if not claimed:
        return []
    await session.execute(
        update(EntryRow)
        .where(EntryRow.id.in_(claimed))
        .values(claimed_until=now + lease, claimed_by=owner or None)
    )
    rows = await session.execute(
        select(EntryRow, FeedRow.title, FeedRow.language)
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
        .where(EntryRow.id.in_(claimed))
        .order_by(EntryRow.id)
    )
    return [
        WaitingEntry(
            id=entry.id,
            feed_id=entry.feed_id,
            feed_title=title,
            feed_language=language,
            url=entry.url,
            url_key=entry.url_key,
            title=entry.title,
            published=entry.published,
            first_seen=entry.first_seen,
            summary=entry.summary,
            content=entry.content,
            alert=entry.alert,
            attempts=entry.attempts,
        )
        for entry, title, language in rows
    ]


async def renew(
    session: AsyncSession, entry_ids: Sequence[int], *, owner: str, now: datetime, lease: timedelta = LEASE
) -> None:
    """Prolong the claims on entries that are being read."""
    await session.execute(
        update(EntryRow)
        .where(EntryRow.id.in_(entry_ids), EntryRow.state == "new", EntryRow.claimed_by == owner)
        .values(claimed_until=now + lease)
    )


async def mark_read(session: AsyncSession, entry_id: int, story_id: int | None) -> bool:
    """Mark an entry as read. False when another worker had already done so: then store nothing."""
    done = await session.execute(
        update(EntryRow)
        .where(EntryRow.id == entry_id, EntryRow.state == "new")
        .values(state="read", story_id=story_id, claimed_until=None, claimed_by=None)
        .returning(EntryRow.id)
    )
    return done.scalar_one_or_none() is not None


async def brought_at_address(session: AsyncSession, entry: WaitingEntry, story_id: int) -> dict[int, str]:
    """Give the stories that an entry's feed has brought under the entry's very address, with their titles.

    Those of its newest entries there, and `story_id` where the feed brought that, if only by an entry that
    was forgotten.
    """
    brought = await session.execute(
        select(StoryRow.id, StoryRow.title)
        .join(StoryFeedRow, StoryFeedRow.story_id == StoryRow.id)
        .where(StoryRow.id == story_id, StoryFeedRow.feed_id == entry.feed_id)
    )
    there = await session.execute(
        select(EntryRow.story_id, EntryRow.title)
        .where(
            EntryRow.url_key == entry.url_key,
            EntryRow.feed_id == entry.feed_id,
            EntryRow.id != entry.id,
            EntryRow.story_id.is_not(None),
        )
        .order_by(EntryRow.id.desc())
        .limit(_MOST_AT_ADDRESS)
    )
    return {number: title for number, title in [*brought, *there] if number is not None}


async def mark_failed(session: AsyncSession, entry: WaitingEntry, now: datetime, *, owner: str = "") -> bool:
    """Put an entry that could not be read off: tried again with growing pauses, five times in all.

    False, and nothing changes, where another process has claimed it meanwhile (then that one's attempt
    counts), or its feed was removed.
    """
    attempts = entry.attempts + 1
    state = "failed" if attempts >= _MAX_ATTEMPTS else "new"
    done = await session.execute(
        update(EntryRow)
        .where(EntryRow.id == entry.id, EntryRow.state == "new", _held_by(owner))
        .values(
            attempts=attempts,
            state=state,
            claimed_until=None,
            claimed_by=None,
            try_after=now + timedelta(minutes=5 * 4**entry.attempts),
        )
        .returning(EntryRow.id)
    )
    return done.scalar_one_or_none() is not None


async def release(session: AsyncSession, entry_ids: Sequence[int], *, owner: str = "") -> None:
    """Give entries back untouched that are claimed still (an orderly shutdown)."""
    await session.execute(
        update(EntryRow)
        .where(EntryRow.id.in_(entry_ids), EntryRow.state == "new", _held_by(owner))
        .values(claimed_until=None, claimed_by=None)
    )


async def release_all(session: AsyncSession) -> None:
    """Give all claimed entries back: where no other process can be that reads them."""
    await session.execute(
        update(EntryRow)
        .where(EntryRow.state == "new", EntryRow.claimed_until.is_not(None))
        .values(claimed_until=None, claimed_by=None)
    )


def _held_by(owner: str) -> ColumnElement[bool]:
    return EntryRow.claimed_by == owner if owner else EntryRow.claimed_by.is_(None)


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """An entry of a feed with what was made of it; the story's part is None while it was not read."""

    title: str
    url: str
    published: datetime | None
    state: str  # new, read, failed
    relevant: bool | None
    relevance: float | None
    status: str | None
    topics: tuple[str, ...]


async def newest_of_feed(session: AsyncSession, feed_id: int, limit: int) -> list[SeenEntry]:
    """Give the newest entries of a feed, newest first, with what was made of them."""
    rows = (
        await session.execute(
            select(EntryRow, StoryRow)
            .outerjoin(StoryRow, StoryRow.id == EntryRow.story_id)
            .where(EntryRow.feed_id == feed_id)
            .order_by(EntryRow.id.desc())
            .limit(limit)
        )
    ).all()
    ids = [story.id for _, story in rows if story is not None]
    topics: dict[int, list[str]] = {}
    for story_id, topic in await session.execute(
        select(StoryTopicRow.story_id, StoryTopicRow.topic)
        .where(StoryTopicRow.story_id.in_(ids))
        .order_by(StoryTopicRow.score.desc())
    ):
        topics.setdefault(story_id, []).append(topic)
    return [
        SeenEntry(
            title=entry.title,
            url=entry.url,
            published=entry.published,
            state=entry.state,
            relevant=story.relevant if story else None,
            relevance=story.relevance if story else None,
            status=story.status if story else None,
            topics=tuple(topics.get(story.id, ())) if story else (),
        )
        for entry, story in rows
    ]
