"""Who may see which stories.

A server sees the stories of the feeds it uses; a person outside a server (a direct message, a
user-installed app) those of the public catalogue; the operator's own commands see everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, select

from db.tables import FeedRow, GuildFeedRow, StoryFeedRow, StoryRow


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a server (`guild_id`), a person outside one (None), or the `operator`."""

    guild_id: int | None = None
    operator: bool = False


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition on `stories` that holds for what the viewer may see."""
    if viewer.operator:
        return StoryRow.relevant.is_(True)
    if viewer.guild_id is None:
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            FeedRow.id == StoryFeedRow.feed_id,
            FeedRow.public.is_(True),
        )
    else:
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            GuildFeedRow.feed_id == StoryFeedRow.feed_id,
            GuildFeedRow.guild_id == viewer.guild_id,
        )
    return and_(StoryRow.relevant.is_(True), mine)


def seen_feeds(viewer: Viewer) -> Select[int]:
    """Ask for the feeds whose stories the viewer, who is no operator, may see."""
    if viewer.guild_id is None:
        return select(FeedRow.id).where(FeedRow.public.is_(True))
    return select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == viewer.guild_id)
