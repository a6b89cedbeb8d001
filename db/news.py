"""Whose news is read first: the turns of entries that alert, given to them when they are stored.

An entry's turn is the time at which it was stored; where others of its feed wait, it is so much later than
the last of these. Read by their turns, news come oldest first while little waits. Where much waits, the
hundredth entry of one feed comes after what other feeds bring within the next quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import parts
from db.feed_tables import EntryRow, FeedRow, GuildFeedRow, StoryFeedRow

APART = timedelta(seconds=10)
"""How far apart the turns of one feed's entries are: well above the time that reading one takes."""


def is_new() -> ColumnElement[bool]:
    """Give the condition of the indexes of what waits: written out, so that any plan may use them."""
    return EntryRow.state == bindparam("waiting", "new", literal_execute=True)


def came_as_news() -> ColumnElement[bool]:
    """Give the condition of a `StoryFeedRow` whose feed brought the story as news to those who use it
    (`GuildFeedRow`).

    What it showed when it was first looked at, or before a server used it, is history there, whoever brings
    it later.
    """
    return ~exists().where(
        EntryRow.id == StoryFeedRow.entry_id,
        or_(EntryRow.alert.is_(False), EntryRow.first_seen < GuildFeedRow.added_at),
    )


async def with_turns(session: AsyncSession, news: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows of new entries that alert with their `turn`, in the same order."""
    last = await _last_turns(session, list({row["feed_id"] for row in news}))
    rows = []
    for row in news:
        feed_id, turn = row["feed_id"], row["first_seen"]
        before = last.get(feed_id)
        last[feed_id] = turn = turn if before is None else max(turn, before + APART)
        rows.append({**row, "turn": turn})
    return rows


async def _last_turns(session: AsyncSession, feed_ids: Sequence[int]) -> dict[int, datetime]:
    """Give the last turn of each of the feeds whose news wait."""
    last = (
        select(func.max(EntryRow.turn))
        .where(is_new(), EntryRow.alert, EntryRow.feed_id == FeedRow.id)
        .scalar_subquery()
    )
    found: dict[int, datetime] = {}
    for part in parts(feed_ids):
        rows = await session.execute(select(FeedRow.id, last).where(FeedRow.id.in_(part)))
        found.update((feed_id, turn) for feed_id, turn in rows if turn is not None)
    return found
