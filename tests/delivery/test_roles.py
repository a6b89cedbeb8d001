"""Two workers and two gateways on one PostgreSQL: shared shards, one pace, nothing lost and nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import discord
import pytest

from bot.alerts import fence
from bot.alerts.errors import TryAgainError
from bot.alerts.limiter import SharedBucket
from bot.alerts.sender import DiscordSender
from bot.sandbox import StandIn
from bot.shards import ShardKeeper
from db import deliveries, restarts, schema, shards, turns
from db.engine import Database
from db.shards import Share, divide
from tests.alerts.house import House
from tests.conftest import TurnedClock
from tests.delivery.roles import WRONG, Town

pytestmark = pytest.mark.postgres


@pytest.fixture
async def postgres(postgres_url: str) -> Database:
    database = Database(postgres_url)
    await schema.upgrade(database)
    return database


@pytest.mark.timeout(900)  # about a minute on a machine that has two cores to itself
async def test_processes_that_die_and_sleep_lose_nothing_and_send_nothing_twice(
    postgres_url: str, tmp_path: Path
) -> None:
    async with Town(postgres_url, tmp_path, 1) as town:
        first, second = town.gateways
        await first.start()
        await town.shared_out(1)
        for each in (*town.workers, second):
            await each.start()
        await town.shared_out(2)  # who joins gets a share

        await town.bring(10)
        asleep = await town.sending(150)
        assert asleep is not None, "nothing was sent"
        await town.stop(asleep)  # in the middle of its sends, for longer than Discord knows nonces

        await town.bring(10)
        await town.kill(town.workers[0])
        await town.kill(second)
        await town.shared_out(2)  # what the dead one held is taken over, and shared out again

        await town.all_done(240)
        found = await town.verdict()
        assert found["entries"] == {"read": 20}
        assert found["due"] == found["posted"] > 100
        assert {name: found[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
        assert found["shortest_between_sessions"] >= 5.0
        assert found["command_syncs"] == 1
        for each in (*town.workers, *town.gateways):
            assert await each.end() < 10
        assert set((await town.holders()).values()) == {None}


async def test_two_may_start_for_the_first_time_at_the_same_moment(
    postgres: Database, clock: TurnedClock
) -> None:
    async def start() -> None:
        async with postgres.write() as session:
            await restarts.note_start(session, clock())

    async with postgres.write() as session:
        await restarts.note_start(session, clock())
        other = asyncio.create_task(start())
        await asyncio.sleep(0.1)  # it has found that none runs, and waits for this one's note
    await asyncio.wait_for(other, 10)


# ------------------------------------------------------------------------- shards


@pytest.mark.parametrize(
    ("mine", "free", "count", "gateways", "expected"),
    [
        ((), (0, 1, 2), 3, 1, Share(3, frozenset({0, 1, 2}))),
        ((), (0, 1, 2), 3, 2, Share(3, frozenset({0, 1}))),
        ((0, 1), (), 2, 2, Share(2, frozenset({0, 1}), frozenset({1}))),
        ((0,), (1,), 2, 2, Share(2, frozenset({0}))),
        ((0,), (1,), 2, 1, Share(2, frozenset({0, 1}))),
        ((), (), 1, 2, Share(1, frozenset())),
    ],
)
def test_shards_are_divided_evenly(
    mine: Collection[int], free: Collection[int], count: int, gateways: int, expected: Share
) -> None:
    assert divide(mine, free, count, gateways) == expected


class Connections:
    """What a keeper connects, without Discord."""

    def __init__(self) -> None:
        self.recommended_shards = 4
        self.settled = asyncio.Event()
        self.connected: set[int] = set()

    async def take_shards(self, shard_ids: Collection[int], shard_count: int) -> None:
        self.connected |= set(shard_ids)

    async def drop_shard(self, shard_id: int) -> None:
        self.connected.discard(shard_id)

    async def close(self) -> None:
        self.connected.clear()


async def test_a_gateway_that_slept_past_its_lease_drops_what_others_have_taken(
    postgres: Database, clock: TurnedClock
) -> None:
    ours, theirs = Connections(), Connections()
    keepers = [ShardKeeper(postgres, each, clock, owner=name) for each, name in ((ours, "a"), (theirs, "b"))]
    await keepers[0]._turn()
    await asyncio.sleep(0)
    assert ours.connected == {0, 1, 2, 3}
    clock.turn(seconds=31)  # and "a" sleeps
    await keepers[1]._turn()
    await asyncio.sleep(0)
    assert theirs.connected == {0, 1, 2, 3}
    await keepers[0]._turn()
    assert ours.connected == set()
    await keepers[1]._turn()
    assert theirs.connected == {0, 1}, "who comes back gets a share"
    await keepers[0]._turn()
    await asyncio.sleep(0)
    assert ours.connected == {2, 3}
    await postgres.close()


async def test_shards_that_are_named_are_taken_by_nobody_else(postgres: Database, clock: TurnedClock) -> None:
    until = clock() + timedelta(seconds=30)
    async with postgres.write() as session:
        assert await shards.agree_on_count(session, 3, clock()) == 3
        named = await shards.hold(session, "a", (0, 2), now=clock(), until=until)
        assert named == Share(3, frozenset({0, 2}))
        again = await shards.hold(session, "b", (1, 2), now=clock(), until=until)
        assert again == Share(3, frozenset({1}), frozenset(), frozenset({2}))
        assert await shards.agree_on_count(session, 5, clock()) == 3, "while others run, theirs counts"
    await postgres.close()


# ------------------------------------------------------------------------- one pace for all


async def test_two_processes_together_keep_to_one_rate(postgres: Database) -> None:
    buckets = [SharedBucket(postgres, rate=50) for _ in range(2)]
    passed: list[float] = []

    async def come(bucket: SharedBucket) -> None:
        await bucket.take()
        passed.append(time.monotonic())

    began = time.monotonic()
    await asyncio.gather(*(come(buckets[number % 2]) for number in range(100)))
    took = time.monotonic() - began
    assert took >= 100 / 50 * 0.98, "no more than the rate"
    assert took < 100 / 50 * 2.5, "and not much less, on a busy machine"
    passed.sort()
    within = max(sum(at <= later < at + 1 for later in passed) for at in passed)
    assert within <= 60, f"{within} passed within a second"  # on a busy machine some wake late, and together
    await postgres.close()


async def test_a_turn_that_nobody_waits_for_any_more_is_the_next_ones(postgres: Database) -> None:
    bucket = SharedBucket(postgres, rate=20)
    given_up = [asyncio.create_task(bucket.take()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in given_up[1:]:
        task.cancel()
    await asyncio.wait_for(bucket.take(), 10)
    await postgres.close()


async def test_a_line_is_taken_by_one_after_the_other(database: Database) -> None:
    async def take() -> float:
        async with database.write() as session:
            return await turns.take(session, "identify:0", 5.0)

    waits = sorted([await take() for _ in range(4)])
    assert waits[0] == 0
    assert all(4 < later - earlier <= 5 for earlier, later in itertools.pairwise(waits))


# ------------------------------------------------------------------------- fair among servers


async def test_a_server_with_many_channels_does_not_delay_another(
    database: Database, clock: TurnedClock
) -> None:
    house = House(database, clock)
    feed = await house.feed()
    for guild_id in (1, 2, 3):
        await house.guild(guild_id, feed)
    for number in range(150):
        await house.rule(1, 1000 + number, topics=["surveillance"])
    await house.rule(2, 2000, topics=["surveillance", "anonymity"])
    await house.rule(3, 3000, topics=["anonymity"])
    await house.story(feed, None, topics=("surveillance",))
    assert await _served(database, clock, 2) == (1, 2)
    clock.turn(seconds=5)
    await house.story(feed, None, topics=("anonymity",))
    assert await _served(database, clock, 3) == (3, 1, 1), "before the rest of the large server"


async def _served(database: Database, clock: TurnedClock, number: int) -> tuple[int, ...]:
    """Claim destinations and send nothing; gives their servers, in turn."""
    now = clock()
    async with database.write() as session:
        claims = await deliveries.claim_destinations(
            session, "test", now=now, until=now + timedelta(seconds=90), limit=number
        )
    return tuple(claim.target_id // 1000 for claim in claims)


# ------------------------------------------------------------------------- the fence


class Slow:
    """A line in which everybody waits so long; as for a process that is stopped there."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def take(self) -> None:
        await asyncio.sleep(self.seconds)


@pytest.mark.parametrize(("lease", "posted"), [(0.2, 0), (30.0, 1)])
async def test_a_message_leaves_only_while_its_lease_lasts(lease: float, posted: int) -> None:
    async with StandIn() as discord_:
        guild = discord_.world.add_guild("Digital Rights")
        channel = discord_.world.add_channel(guild, "alerts")
        discord.http.Route.BASE = discord_.api_url
        client = discord.Client(intents=discord.Intents(guilds=True), http_trace=fence.trace())
        await client.login(discord_.token)
        sender = DiscordSender(client, Slow(0.4))
        held_up = contextlib.nullcontext() if posted else pytest.raises(TryAgainError)
        with fence.leased(lease), held_up as caught:
            await sender.say(channel.id, "A sentence.", nonce="n1")
        await client.close()
        assert len(discord_.messages(channel.id)) == posted
        if caught is not None:
            assert caught.value.landed, "an earlier try of the same call may have got through"
