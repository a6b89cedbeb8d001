"""Queries about subscriptions at hubs (WebSub)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import FeedRow, PushRow

_hub = FeedRow.memory["hub"].as_string()
_topic = FeedRow.memory["topic"].as_string()


async def feeds_without(session: AsyncSession, base: str, limit: int) -> list[tuple[int, str, str]]:
    """Give feeds that name a hub and are not subscribed to there: (id, hub, topic).

    `base` is what our callback addresses begin with.
    """
    there = exists().where(
        PushRow.feed_id == FeedRow.id,
        PushRow.hub == _hub,
        PushRow.topic == _topic,
        PushRow.state != "leaving",
        PushRow.callback.startswith(base, autoescape=True),
    )
    query = (
        select(FeedRow.id, _hub, _topic)
        .where(FeedRow.state == "active", _hub.is_not(None), _topic.is_not(None), ~there)
        .order_by(FeedRow.id)
        .limit(limit)
        .with_for_update(of=FeedRow, skip_locked=True)
    )
    return [(feed_id, hub, topic) for feed_id, hub, topic in await session.execute(query)]


async def unwanted(session: AsyncSession, base: str, limit: int) -> Sequence[PushRow]:
    """Give subscriptions whose feed is gone, paused, at another hub or under another name by now."""
    query = (
        select(PushRow)
        .outerjoin(FeedRow, FeedRow.id == PushRow.feed_id)
        .where(
            PushRow.state != "leaving",
            or_(
                FeedRow.id.is_(None),
                FeedRow.state != "active",
                _hub.is_(None),
                _hub != PushRow.hub,
                _topic.is_(None),
                _topic != PushRow.topic,
                ~PushRow.callback.startswith(base, autoescape=True),
            ),
        )
        .limit(limit)
        .with_for_update(of=PushRow, skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[PushRow]:
    """Give subscriptions with which something is to be done, locked until the transaction ends."""
    query = (
        select(PushRow)
        .where(PushRow.due_at <= now)
        .order_by(PushRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, token: str) -> PushRow | None:
    """Give the subscription behind a callback address, locked until the transaction ends."""
    return (await session.scalars(select(PushRow).where(PushRow.token == token).with_for_update())).first()


async def add(session: AsyncSession, feed_id: int, values: dict[str, Any]) -> None:
    """Store a new subscription."""
    session.add(PushRow(feed_id=feed_id, **values))
    await session.flush()


async def save(session: AsyncSession, token: str, values: dict[str, Any]) -> None:
    """Store what has changed of a subscription."""
    await session.execute(update(PushRow).where(PushRow.token == token).values(**values))


async def forget(session: AsyncSession, token: str) -> None:
    """Delete a subscription."""
    await session.execute(delete(PushRow).where(PushRow.token == token))


async def lock_feed(session: AsyncSession, feed_id: int) -> None:
    """Keep looks from storing this feed until the transaction ends."""
    await session.execute(select(FeedRow.id).where(FeedRow.id == feed_id).with_for_update())
