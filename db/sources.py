"""What a story's source is called: as the feeds are that brought it to the one who asks.

`StoryRow.source` is the title of the feed that was first. That may be one that only another server watches:
what it is called is nobody's business elsewhere, and rules name the feeds of their own server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from db.lists import one_of
from db.tables import FeedRow, GuildFeedRow, StoryFeedRow, StoryRow
from db.visibility import Viewer, feeds_of

# `+ 0`: SQLite looks for each story's few feeds among the server's, not for all of those at each story.
_FEED = StoryFeedRow.feed_id + 0


async def get_titles(
    session: AsyncSession, story_ids: Collection[int], among: Collection[int] | None = None
) -> dict[int, dict[int, tuple[str, ...]]]:
    """Give the servers that use a feed of a story and have not paused it, each with these feeds' titles;
    `among` limits the question."""
    query = (
        select(StoryFeedRow.story_id, GuildFeedRow.guild_id, FeedRow.title)
        .join(StoryFeedRow, GuildFeedRow.feed_id == _FEED)
        .join(FeedRow, FeedRow.id == _FEED)
        .where(StoryFeedRow.story_id.in_(story_ids), GuildFeedRow.paused.is_(False))
    )
    if among is not None:
        query = query.where(GuildFeedRow.guild_id.in_(among))
    of: dict[int, dict[int, tuple[str, ...]]] = {}
    for story_id, guild_id, title in await session.execute(query):
        there = of.setdefault(story_id, {})
        there[guild_id] = (*there.get(guild_id, ()), title)
    return of


async def get_names(session: AsyncSession, viewer: Viewer, story_ids: Collection[int]) -> dict[int, str]:
    """Give what a viewer calls the sources of stories: as the first of their feeds that has a title."""
    rows = await session.execute(
        select(StoryFeedRow.story_id, FeedRow.title)
        .join(FeedRow, FeedRow.id == StoryFeedRow.feed_id)
        .where(
            one_of(session, StoryFeedRow.story_id, story_ids),
            FeedRow.title != "",
            _FEED.in_(feeds_of(viewer.kind)),
        )
        .order_by(StoryFeedRow.entry_id, FeedRow.id),
        viewer.values,
    )
    names: dict[int, str] = {}
    for story_id, title in rows:
        names.setdefault(story_id, title)
    return names


async def name(session: AsyncSession, viewer: Viewer, stories: Iterable[StoryRow]) -> None:
    """Let the sources of stories that a session has read be called as its viewer calls them; what is stored
    stays as it is."""
    of = {story.id: story for story in stories}
    if viewer.operator or not of:
        return
    names = await get_names(session, viewer, of)
    for story_id, story in of.items():
        set_committed_value(story, "source", names.get(story_id, ""))
