"""A feed that moves to another address (P25), and its merging with the feed that has that address already."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import feeds, names, search
from db.feed_tables import EntryRow, FeedRow, GuildFeedRow, StoryFeedRow

_FEEDS, _ENTRIES, _USES, _STORIES = (
    cast(Table, row.__table__) for row in (FeedRow, EntryRow, GuildFeedRow, StoryFeedRow)
)
_feeds = _FEEDS.c

# What a feed that rested takes over from one that is merged into it.
_GOING_ON = (
    "state", "next_look", "next_reason", "failures", "failing_since", "failure", "told_failing_at",
    "first_looked_at", "last_looked_at", "last_success_at",
)  # fmt: skip


async def adopt(session: AsyncSession, feed_id: int, url: str) -> int | None:
    """Give a feed a new address (P25). Where another row has it, merge: guilds and entries move there.

    Gives the id of the row that the feed was merged into, None when it keeps its own.
    """
    other: int | None = (await session.execute(select(_feeds.id).where(_feeds.url == url))).scalar()
    if other is None or other == feed_id:
        await feeds.set_columns(session, feed_id, {"url": url})
        return None
    await _merge(session, feed_id, other)
    return other


async def _merge(session: AsyncSession, source: int, target: int) -> None:
    """Move what hangs on one feed to another and delete it; what both have stays as the target has it."""
    moving = await session.scalars(select(_STORIES.c.story_id).where(_STORIES.c.feed_id == source))
    await search.add_feed(session, moving.all(), target)
    await names.bring_names(session, source, target)
    await _wake_for(session, source, target)
    for table, column in ((_ENTRIES, "key"), (_USES, "guild_id"), (_STORIES, "story_id")):
        there = table.alias("there")
        await session.execute(
            update(table)
            .where(
                table.c.feed_id == source,
                ~exists(
                    select(there.c.feed_id).where(
                        there.c.feed_id == target, there.c[column] == table.c[column]
                    )
                ),
            )
            .values(feed_id=target)
        )
    going = _USES.alias("going")
    await session.execute(
        update(_USES)
        .where(
            _USES.c.feed_id == target,
            exists(
                select(going.c.feed_id).where(
                    going.c.feed_id == source, going.c.guild_id == _USES.c.guild_id, ~going.c.paused
                )
            ),
        )
        .values(paused=False)
    )
    left = select(_feeds.notice, _feeds.notice_text).where(_feeds.id == source)
    notice, text = (await session.execute(left)).one()
    if notice is not None:
        await feeds.set_columns(session, target, {"notice": notice, "notice_text": text})
    await feeds.delete_feed(session, source)


async def _wake_for(session: AsyncSession, source: int, target: int) -> None:
    """Have a feed looked at as the one that is merged into it, which was read a moment ago through it."""
    moving, there = await feeds.get(session, source), await feeds.get(session, target)
    if moving is None or there is None:
        return
    # The entries that come along have other ids: none may be forgotten before the target was looked at.
    await feeds.set_columns(session, target, {"oldest_shown": None, "public": there.public or moving.public})
    if moving.memory.get("kept"):
        await feeds.keep(session, [target])
    if there.state != "active":  # nobody used it, or it had ended
        going_on = {name: getattr(moving, name) for name in _GOING_ON}
        await feeds.overrule(session, target, going_on)
