"""The limiter: as many as may be in any second, never more, in the order in which they came."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.alerts.limiter import TokenBucket


class Busy:
    """A monotonic clock whose sleeper wakes late, as in a busy process."""

    def __init__(self, late: float) -> None:
        self.at = 100.0
        self.late = late
        self.chance = random.Random(1)

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds + self.chance.uniform(0, self.late)


@pytest.mark.parametrize("late", [0.0, 0.002, 0.1])
async def test_no_second_holds_more_than_the_rate(late: float) -> None:
    clock = Busy(late)
    bucket = TokenBucket(50, now=clock.now, sleep=clock.sleep)
    passed = []
    for number in range(1000):
        if number % 137 == 0:
            clock.at += 3  # nothing to send for a while: what was not used is not saved up
        await bucket.take()
        passed.append(clock.at)
    assert all(later - earlier >= 1.0 for earlier, later in zip(passed, passed[50:], strict=False))


@pytest.mark.parametrize("late", [0.0, 0.002, 0.01])
async def test_98_in_100_of_the_rate_are_used(late: float) -> None:
    clock = Busy(late)
    bucket = TokenBucket(50, now=clock.now, sleep=clock.sleep)
    began = clock.at
    for _ in range(1000):
        await bucket.take()
    assert 1000 / (clock.at - began) >= 0.98 * 50


async def test_who_came_first_passes_first() -> None:
    bucket = TokenBucket(100)
    passed = []

    async def come(number: int) -> None:
        await bucket.take()
        passed.append(number)

    await asyncio.gather(*map(come, range(30)))
    assert passed == list(range(30))
