"""A limiter ahead of Discord's own: no more requests a second than a bot may make in all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class TokenBucket:
    """Lets `rate` requests a second pass, evenly, with at most `burst` at once.

    Waiters pass in the order in which they came. `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        rate: float = 50.0,
        burst: int = 5,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._step = 1.0 / rate
        self._slack = (burst - 1) * self._step
        self._now = now
        self._sleep = sleep
        self._next = now()  # when the next request would pass if there were no burst

    async def take(self) -> None:
        """Wait for one's turn."""
        now = self._now()
        turn = max(self._next, now - self._slack)
        self._next = turn + self._step
        if turn > now:
            await self._sleep(turn - now)
