"""Subscriptions at hubs, on both databases: what is found, and what a feed's end leaves of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db import feeds, pushes
from db.engine import Database
from tests.conftest import TurnedClock

BASE = "https://me_.example/websub/"


async def _feed(database: Database, clock: TurnedClock, url: str, **memory: str) -> int:
    async with database.write() as session:
        return await feeds.add(session, {"url": url, "added_at": clock.now, "memory": memory})


def _values(token: str, clock: TurnedClock, **changes: Any) -> dict[str, Any]:
    return {
        "token": token, "callback": BASE + token, "hub": "h", "topic": "t", "secret": "s",
        "state": "wanted", "due_at": clock.now, "seen": [],
    } | changes  # fmt: skip


async def test_feeds_with_hubs_are_found_until_they_are_subscribed(
    database: Database, clock: TurnedClock
) -> None:
    await _feed(database, clock, "https://a.example/")
    feed_id = await _feed(database, clock, "https://b.example/", hub="h", topic="t")
    async with database.write() as session:
        assert await pushes.feeds_without(session, BASE, 9) == [(feed_id, "h", "t")]
        await pushes.add(session, feed_id, _values("one", clock))
        assert await pushes.feeds_without(session, BASE, 9) == []
        assert [feed for feed, _, _ in await pushes.feeds_without(session, "https://me..", 9)] == [feed_id]
        assert await pushes.unwanted(session, BASE, 9) == []
        assert [row.token for row in await pushes.unwanted(session, "https://meX.example/", 9)] == ["one"]


async def test_a_subscription_outlives_its_feed_until_it_is_forgotten(
    database: Database, clock: TurnedClock
) -> None:
    feed_id = await _feed(database, clock, "https://b.example/", hub="h", topic="t")
    async with database.write() as session:
        await pushes.add(session, feed_id, _values("one", clock))
        await pushes.add(session, feed_id, _values("two", clock, due_at=clock.now + timedelta(hours=1)))
    async with database.write() as session:
        assert [row.token for row in await pushes.due(session, clock.now, 9)] == ["one"]
        await pushes.lock_feed(session, feed_id)
        await feeds.set_columns(session, feed_id, {"memory": {"hub": "other", "topic": "t"}})
        assert len(await pushes.unwanted(session, BASE, 9)) == 2
    async with database.write() as session:
        await feeds.delete_feed(session, feed_id)
    async with database.write() as session:
        assert {row.feed_id for row in await pushes.unwanted(session, BASE, 9)} == {None}
        await pushes.save(session, "one", {"state": "leaving"})
        assert [row.token for row in await pushes.unwanted(session, BASE, 9)] == ["two"]
        await pushes.forget(session, "one")
        assert await pushes.find(session, "one") is None
