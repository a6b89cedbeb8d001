"""The ticks, when the machine's clock is turned or the machine sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from bot import schedule
from bot.schedule import Schedule


class _Wall(datetime):
    """A machine's clock that can be turned."""

    turned = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Give the time that the clock shows."""
        return cls.fromtimestamp(time.time() + cls.turned.total_seconds(), tz)


@pytest.fixture
async def ticks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[float]]:
    """Each tick of a schedule that runs, on a clock that can be turned."""
    monkeypatch.setattr(_Wall, "turned", timedelta())
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", _Wall)
    monkeypatch.setattr(schedule, "datetime", _Wall)
    monkeypatch.setattr(schedule, "_LOOK_EVERY", 0.2)
    seen: list[float] = []
    stop, ticking = asyncio.Event(), Schedule()

    async def tick() -> None:
        seen.append(time.monotonic())

    ticking.every(0.1, "tick", tick)
    running = asyncio.create_task(ticking.run(stop, drain=1))
    yield seen
    stop.set()
    await running


async def _ticks_again(seen: list[float], within: float) -> None:
    before = len(seen)
    for _ in range(int(within / 0.05)):
        if len(seen) >= before + 3:
            break
        await asyncio.sleep(0.05)
    assert len(seen) >= before + 3, "the ticks have stopped"


async def test_a_clock_turned_back_does_not_stop_the_ticks(ticks: list[float]) -> None:
    await _ticks_again(ticks, 5)
    _Wall.turned = -timedelta(hours=2)  # NTP puts right a clock that ran on local time
    await _ticks_again(ticks, 5)


async def test_a_clock_turned_far_forward_is_one_tick_and_holds_nothing(ticks: list[float]) -> None:
    await _ticks_again(ticks, 5)
    began = time.process_time()
    _Wall.turned = timedelta(days=30)  # a board without a battery finds the time, a machine wakes up
    before = len(ticks)
    await asyncio.sleep(0.3)
    assert before < len(ticks) <= before + 6
    await _ticks_again(ticks, 5)
    assert time.process_time() - began < 1.0
    assert datetime.now(UTC) < _Wall.now(UTC)


async def test_a_job_that_fails_again_and_again_is_told_until_it_works() -> None:
    fails, stop, ticking = True, asyncio.Event(), Schedule()

    async def tick() -> None:
        if fails:
            raise RuntimeError

    async def until(told: int) -> None:
        for _ in range(500):
            if len(ticking.failing) == told:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(ticking.failing)

    ticking.every(0.01, "tick", tick)
    running = asyncio.create_task(ticking.run(stop, drain=1))
    await until(1)
    assert ticking.failing[0].startswith("tick: failed 1")
    fails = False
    await until(0)
    stop.set()
    await running
