"""Subscriptions: what a member wants by direct message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.news import came_as_news
from db.stories import insert_ignoring
from db.tables import GuildFeedRow, GuildRow, StoryFeedRow, SubscriptionRow


async def get_subscriptions_that_fit(
    session: AsyncSession,
    story_id: int,
    *,
    topics: Iterable[str],
    parties: Iterable[str],
    case_id: int | None,
) -> Sequence[SubscriptionRow]:
    """Give the subscriptions to a topic, party or case of the story in servers that it is news to.

    Subscriptions to a search are all given: only the words tell. Paused ones are given too, so that the
    record can say so. `parties` are names as stored.
    """
    guilds = (
        select(GuildFeedRow.guild_id)
        .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
        .where(StoryFeedRow.story_id == story_id, came_as_news(), GuildFeedRow.paused.is_(False))
    )
    kind, value = SubscriptionRow.kind, SubscriptionRow.value
    fits = [
        kind == "search",
        and_(kind == "topic", value.in_(list(topics))),
        and_(kind == "party", value.in_(list(parties))),
    ]
    if case_id is not None:
        fits.append(and_(kind == "case", value == str(case_id)))
    return (
        await session.scalars(
            select(SubscriptionRow)
            .join(GuildRow, GuildRow.id == SubscriptionRow.guild_id)
            .where(or_(*fits), SubscriptionRow.guild_id.in_(guilds), GuildRow.left_at.is_(None))
            .order_by(SubscriptionRow.user_id, SubscriptionRow.id)
        )
    ).all()


async def get_subscriptions_of(session: AsyncSession, user_id: int) -> Sequence[SubscriptionRow]:
    """Give a member's subscriptions, oldest first."""
    return (
        await session.scalars(
            select(SubscriptionRow).where(SubscriptionRow.user_id == user_id).order_by(SubscriptionRow.id)
        )
    ).all()


async def get_subscriptions_of_all(
    session: AsyncSession, user_ids: Collection[int]
) -> dict[int, list[SubscriptionRow]]:
    """Give the subscriptions of members, each member's oldest first."""
    of: dict[int, list[SubscriptionRow]] = {}
    for row in await session.scalars(
        select(SubscriptionRow).where(SubscriptionRow.user_id.in_(user_ids)).order_by(SubscriptionRow.id)
    ):
        of.setdefault(row.user_id, []).append(row)
    return of


async def count_subscriptions(session: AsyncSession, user_id: int) -> int:
    """Count a member's subscriptions."""
    return (
        await session.execute(
            select(func.count()).select_from(SubscriptionRow).where(SubscriptionRow.user_id == user_id)
        )
    ).scalar_one()


async def get_subscription(
    session: AsyncSession, user_id: int, guild_id: int, kind: str, value: str
) -> SubscriptionRow | None:
    """Give a member's subscription to something in a server, if there is one."""
    return (
        await session.scalars(
            select(SubscriptionRow).where(
                SubscriptionRow.user_id == user_id,
                SubscriptionRow.guild_id == guild_id,
                SubscriptionRow.kind == kind,
                SubscriptionRow.value == value,
            )
        )
    ).one_or_none()


async def make_subscription(
    session: AsyncSession, user_id: int, guild_id: int, kind: str, value: str, now: datetime
) -> SubscriptionRow:
    """Make a member's subscription; where another click makes the same at the same moment, give that one."""
    key = {"user_id": user_id, "guild_id": guild_id, "kind": kind, "value": value}
    await session.execute(insert_ignoring(session, SubscriptionRow).values(**key, created_at=now))
    return (await session.scalars(select(SubscriptionRow).filter_by(**key))).one()


async def pause_subscriptions(session: AsyncSession, user_id: int, reason: str) -> None:
    """Pause all of a member's active subscriptions, with the reason that the member will be told."""
    await session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.user_id == user_id, SubscriptionRow.paused.is_(False))
        .values(paused=True, pause_reason=reason)
    )


async def is_paused_for(session: AsyncSession, user_id: int, reason: str) -> bool:
    """Tell whether a member has a subscription that rests for this reason."""
    found = select(SubscriptionRow.id).where(
        SubscriptionRow.user_id == user_id, SubscriptionRow.pause_reason == reason
    )
    return (await session.scalars(found.limit(1))).first() is not None


async def change_reason(session: AsyncSession, user_id: int, reason: str, to: str) -> int:
    """Give another reason why a member's subscriptions rest; tells how many rested for the first one."""
    changed = update(SubscriptionRow).where(
        SubscriptionRow.user_id == user_id, SubscriptionRow.pause_reason == reason
    )
    return len((await session.scalars(changed.values(pause_reason=to).returning(SubscriptionRow.id))).all())


async def delete_subscription(session: AsyncSession, subscription_id: int) -> None:
    """Remove a subscription."""
    await session.execute(delete(SubscriptionRow).where(SubscriptionRow.id == subscription_id))
