"""A limiter ahead of Discord's own: no more requests a second than a bot may make in all."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

_SECOND = 1.01  # requests do not all take equally long to get there


class TokenBucket:
    """Lets at most `rate` requests pass in any second, evenly, with at most `burst` at once.

    Waiters pass in the order in which they came. Discord counts in seconds that begin when it likes, so
    it is not enough that the average is right: a turn that comes late, because the process was busy, is not
    made up for within the same second. `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        rate: int = 50,
        burst: int = 5,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._step = _SECOND / rate
        self._slack = (burst - 1) * self._step
        self._now = now
        self._sleep = sleep
        self._next = now()  # when the next request would pass if there were no burst
        self._passed: deque[float] = deque(maxlen=rate)

    async def take(self) -> None:
        """Wait for one's turn."""
        turn = max(self._next, self._now() - self._slack)
        self._next = turn + self._step
        while (wait := max(turn, self._full_until()) - self._now()) > 0:
            await self._sleep(wait)
        self._passed.append(self._now())

    def _full_until(self) -> float:
        """Tell until when as many as may be have passed within a second."""
        full = len(self._passed) == self._passed.maxlen
        return self._passed[0] + _SECOND if full else self._now()
