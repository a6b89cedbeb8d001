"""Who may see which stories.

A server sees the stories of the feeds it uses; a person outside a server (a direct message, a
user-installed app) those of the public catalogue; the operator's own commands see everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, exists, select

from db.tables import FeedRow, GuildFeedRow, StoryFeedRow, StoryRow

Kind = Literal["server", "person", "operator"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a server (`guild_id`), a person outside one (None), or the `operator`."""

    guild_id: int | None = None
    operator: bool = False

    @property
    def kind(self) -> Kind:
        """Give what statements about the viewer have in common with those about others."""
        if self.operator:
            return "operator"
        return "person" if self.guild_id is None else "server"

    @property
    def values(self) -> dict[str, int | None]:
        """Give what a statement that was made for the kind is asked with."""
        return {_GUILD.key: self.guild_id} if self.kind == "server" else {}


_GUILD = bindparam("viewer_guild", type_=BigInteger)


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition on `stories` that holds for what the viewer may see."""
    return _visible(viewer.kind, viewer.guild_id)


def visible_to(kind: Kind) -> ColumnElement[bool]:
    """Give the same for a statement that is made once, and asked with the viewer's `values`."""
    return _visible(kind, _GUILD)


def _visible(kind: Kind, guild_id: Any) -> ColumnElement[bool]:
    if kind == "operator":
        return and_(StoryRow.relevant)
    if kind == "person":
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            FeedRow.id == StoryFeedRow.feed_id,
            FeedRow.public.is_(True),
        )
    else:
        mine = exists().where(
            StoryFeedRow.story_id == StoryRow.id,
            GuildFeedRow.feed_id == StoryFeedRow.feed_id,
            GuildFeedRow.guild_id == guild_id,
        )
    return and_(StoryRow.relevant, mine)


def feeds_of(kind: Kind) -> Select[int]:
    """Ask for the feeds whose stories a viewer, who is no operator, may see; with the viewer's `values`."""
    if kind == "person":
        return select(FeedRow.id).where(FeedRow.public.is_(True))
    return select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == _GUILD)
