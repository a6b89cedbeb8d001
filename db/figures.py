"""Counts for the metrics page and `/status`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.deliveries import not_ended
from db.news import is_new
from db.rules import channels_of
from db.story_tables import came_out
from db.tables import (
    AuditRow,
    DeliveryRow,
    DigestItemRow,
    EntryRow,
    FeedRow,
    GuildFeedRow,
    GuildRow,
    RuleRow,
    StoryRow,
)

SILENT_AFTER = timedelta(days=30)  # of nothing that a rule brought, until its server is told


async def counts(session: AsyncSession) -> dict[str, float]:
    """Give how much is waiting: feeds, entries to be read, deliveries to be sent."""
    feeds = await session.scalar(select(func.count()).select_from(FeedRow))
    failing = await session.scalar(
        select(func.count()).select_from(FeedRow).where(FeedRow.failing_since.is_not(None))
    )
    entries = await session.scalar(select(func.count()).select_from(EntryRow).where(is_new()))
    deliveries = await session.scalar(select(func.count()).select_from(DeliveryRow).where(not_ended()))
    return {
        "feeds": float(feeds or 0),
        "feeds_failing": float(failing or 0),
        "entries_waiting": float(entries or 0),
        "deliveries_open": float(deliveries or 0),
    }


@dataclass(frozen=True, slots=True)
class GuildFigures:
    """How a server's part of the work stands. `delays`: seconds from a story's publication (where its feed
    tells it, else from when it was found) to its post, of all that were posted since the moment asked for."""

    entries_waiting: int
    waiting: int
    failed: int
    dead: int
    delays: tuple[float, ...]


_MOST_DELAYS = 2000
_WAITED = timedelta(days=31)  # how long a post that counts may have waited


async def of_guild(session: AsyncSession, guild_id: int, since: datetime) -> GuildFigures:
    """Give a server's figures; what members get by direct message is not among them."""
    feeds = select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == guild_id)
    # `+ 0`: of those that wait, not of all that the feeds have brought.
    entries = await session.scalar(
        select(func.count()).select_from(EntryRow).where(is_new(), (EntryRow.feed_id + 0).in_(feeds))
    )
    channels = channels_of(guild_id)
    mine = DeliveryRow.guild_id == guild_id, DeliveryRow.target == "channel"
    open_ = (
        select(DeliveryRow.state, func.count())
        .where(not_ended(), DeliveryRow.target_id.in_(channels), *mine)
        .group_by(DeliveryRow.state)
    )
    by_state = dict((await session.execute(open_)).all())
    dead = await session.scalar(
        select(func.count()).select_from(DeliveryRow).where(DeliveryRow.state == "dead", *mine)
    )
    rules = select(RuleRow.id).where(RuleRow.guild_id == guild_id)
    posts = await session.execute(
        select(DeliveryRow.sent_at, StoryRow.published, StoryRow.first_seen)
        .join(StoryRow, StoryRow.id == DeliveryRow.story_id)
        .where(
            DeliveryRow.rule_id.in_(rules),
            DeliveryRow.created_at >= since - _WAITED,  # by the index
            DeliveryRow.sent_at >= since,
            DeliveryRow.kind.in_(("card", "update")),
            DeliveryRow.state == "sent",
            DeliveryRow.target == "channel",
        )
        .order_by(DeliveryRow.id.desc())
        .limit(_MOST_DELAYS)
    )
    return GuildFigures(
        entries_waiting=entries or 0,
        waiting=by_state.get("due", 0) + by_state.get("sending", 0),
        failed=by_state.get("failed", 0),
        dead=dead or 0,
        delays=tuple(
            max(0.0, (sent_at - came_out(published, first_seen)).total_seconds())
            for sent_at, published, first_seen in posts
            if sent_at is not None
        ),
    )


# ------------------------------------------------------------------------ what rules bring


async def silent_rules(session: AsyncSession, since: datetime) -> list[RuleRow]:
    """Give the rules that have gone on as they are since then and brought nothing, nor did another for their
    channel.

    Of rules that name one channel each story is told by one: so what the channel got is asked for.
    """
    made_over = exists().where(
        AuditRow.guild_id == RuleRow.guild_id,
        AuditRow.at >= since,
        AuditRow.action.in_(("rule resumed", "rule changed")),
        AuditRow.after["id"].as_integer() == RuleRow.id,
    )
    other = aliased(RuleRow)
    brought = exists().where(
        other.channel_id == RuleRow.channel_id,
        DeliveryRow.rule_id == other.id,
        DeliveryRow.created_at >= since,
    )
    return list(
        await session.scalars(
            _going().where(RuleRow.created_at <= since, GuildRow.joined_at <= since, ~brought, ~made_over)
        )
    )


async def busy_rules(session: AsyncSession, since: datetime, most: int) -> dict[RuleRow, int]:
    """Give the rules that brought more than so many stories since then, posts and digests together."""
    posts = (
        select(func.count())
        .select_from(DeliveryRow)
        .where(
            DeliveryRow.rule_id == RuleRow.id,
            DeliveryRow.created_at >= since,
            DeliveryRow.kind.in_(("card", "update")),
            DeliveryRow.state != "skipped",
        )
        .correlate(RuleRow)
        .scalar_subquery()
    )
    gathered = (
        select(func.count())
        .select_from(DigestItemRow)
        .join(StoryRow, StoryRow.id == DigestItemRow.story_id)
        .where(DigestItemRow.rule_id == RuleRow.id, StoryRow.first_seen >= since)
        .correlate(RuleRow)
        .scalar_subquery()
    )
    stories = (posts + gathered).label("stories")
    found = await session.execute(_going().add_columns(stories).where(stories > most))
    return {row.RuleRow: row.stories for row in found}


def _going() -> Select[RuleRow]:
    """Ask for the rules that are not paused, of servers that the bot is in."""
    return (
        select(RuleRow)
        .join(GuildRow, GuildRow.id == RuleRow.guild_id)
        .where(RuleRow.paused.is_(False), GuildRow.left_at.is_(None))
        .order_by(RuleRow.id)
    )
