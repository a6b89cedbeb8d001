"""Clocks that are turned, and file descriptors that are few: said, and put right without a restart."""

from __future__ import annotations

import asyncio
import resource
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.descriptors import fit
from bot.settings import Settings
from bot.steady import SteadyClock
from db import turns
from db.engine import Database
from db.tables import DestinationRow, EntryRow, FeedRow
from tests.conftest import TurnedClock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class Counter:
    """A machine's steady counter, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_clock_that_was_turned_is_said_and_what_it_planned_is_put_right(
    database: Database, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    counter = Counter()
    steady = SteadyClock(database, wall=clock, counter=counter)
    await steady.ask()
    right = clock.now
    clock.turn(days=365)  # forward; feeds and leases are planned by it meanwhile
    await steady.ask()
    wrong = steady()
    assert wrong - right > timedelta(days=364)
    async with database.write() as session:
        feed = FeedRow(url="https://news.example/feed", added_at=wrong, next_look=wrong, claimed_until=wrong)
        session.add(feed)
        await session.flush()
        session.add(
            EntryRow(feed_id=feed.id, key="a", first_seen=wrong, claimed_until=wrong, try_after=wrong)
        )
        session.add(DestinationRow(target="channel", target_id=1, next_due=wrong, claimed_until=wrong))
    clock.now = right  # and back
    await steady.ask()
    assert steady() == right
    async with database.read() as session:
        found = await session.get_one(FeedRow, feed.id)
        assert (found.next_look, found.claimed_until) == (right, None)
        place = await session.get_one(DestinationRow, ("channel", 1))
        assert (place.next_due, place.claimed_until) == (right, None)
    said = [record.getMessage() for record in caplog.records if record.name == "bot.steady"]
    assert [line for line in said if "forward" in line]
    assert [line for line in said if "back" in line]


async def test_a_clock_that_was_turned_back_an_hour_keeps_the_bot_off_discord_no_longer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the start of a machine whose own clock shows local time."""

    async def take() -> float:
        async with database.write() as session:
            return await turns.take(session, "identify:0", 5.0)

    await take()
    right = time.time() - 3590
    monkeypatch.setattr(time, "time", lambda: right)
    assert await take() == 0
    assert await take() == 5.0


async def test_between_two_questions_the_machines_counter_goes_on(
    database: Database, clock: TurnedClock
) -> None:
    counter = Counter()
    steady = SteadyClock(database, wall=clock, counter=counter)
    await steady.ask()
    began = steady()
    clock.turn(hours=-5)
    counter.seconds += 600  # the process was asleep
    assert steady() - began == timedelta(minutes=10)


async def test_processes_on_one_server_have_one_clock(postgres_url: str, clock: TurnedClock) -> None:
    database = Database(postgres_url)
    clocks = [SteadyClock(database, wall=clock) for _ in range(2)]
    for each in clocks:
        await each.ask()
    assert abs(clocks[0]() - clocks[1]()) < timedelta(seconds=1)
    assert abs(clocks[0]() - clock.now) > timedelta(days=1), "the machine's own clock says something else"
    await database.close()


def test_with_few_descriptors_fewer_requests_are_made_at_once(caplog: pytest.LogCaptureFixture) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    asked: list[tuple[int, tuple[int, int]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resource, "getrlimit", lambda _: (64, 64))
        patch.setattr(resource, "setrlimit", lambda which, values: asked.append((which, values)))
        assert fit(Settings()).fetch_concurrency == 12
        assert "ulimit -n" in caplog.text
        patch.setattr(resource, "getrlimit", lambda _: (64, 4096))
        assert fit(Settings()).fetch_concurrency == Settings().fetch_concurrency
    assert asked[-1] == (resource.RLIMIT_NOFILE, (168, 4096))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limits


async def test_a_fault_of_our_own_in_a_loop_that_goes_on_is_logged(
    database: Database, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    steady = SteadyClock(database, wall=clock, counter=Counter())
    await steady.ask()
    clock.turn(days=365)
    async with database.write() as session:
        await session.execute(text("DROP TABLE entries"))  # what a turned clock planned cannot be put right
    stop = asyncio.Event()
    task = asyncio.create_task(steady.run(stop))
    for _ in range(500):
        if "failed inside Quash" in caplog.text:
            break
        await asyncio.sleep(0.01)
    stop.set()
    await task
    assert "asking the database for the time" in caplog.text
