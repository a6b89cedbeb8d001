"""A limiter ahead of Discord's own: no more requests a second than a bot may make in all.

`TokenBucket` is for one process; `SharedBucket` shares the same rate with all others on a PostgreSQL. Answers
to interactions do not count (Discord exempts them) and take no turn here.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from db import turns
from db.engine import Database, report

RATE = 50
"""Requests a second: https://discord.com/developers/docs/topics/rate-limits#global-rate-limit"""

_SECOND = 1.01  # requests do not all take equally long to get there
_SLICE = 10  # turns that a process takes of the shared line at once: a fifth of a second
_STALE = 0.2  # seconds after which a turn that was not used is lost, so that turns do not heap up
_PAUSE = 1.0  # seconds before the shared line is asked again when the database does not answer


class Limiter(Protocol):
    """Lets requests pass."""

    async def take(self) -> None:
        """Wait for one's turn."""


class _Line:
    """Those who wait, first come, first served; `_serve` lets them pass while there are any."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._serving: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Wait for one's turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        await mine

    async def _let_pass(self) -> None:
        """Let the first pass, alone in this turn of the event loop: many may be due, each with work to do."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():  # else it was given up meanwhile
                first.set_result(None)
                break
        await asyncio.sleep(0)

    async def _serve(self) -> None:
        raise NotImplementedError


class TokenBucket(_Line):
    """Lets at most `rate` requests pass in any second, evenly, with at most `burst` at once.

    Waiters pass in the order in which they came. Discord counts in seconds that begin when it likes, so
    it is not enough that the average is right: a turn that comes late, because the process was busy, is not
    made up for within the same second. `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        rate: int = RATE,
        burst: int = 5,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__()
        self._step = _SECOND / rate
        self._slack = (burst - 1) * self._step
        self._now = now
        self._sleep = sleep
        self._next = now()  # when the next request would pass if there were no burst
        self._passed: deque[float] = deque(maxlen=rate)

    async def _serve(self) -> None:
        while self._waiting:
            turn = max(self._next, self._now() - self._slack)
            self._next = turn + self._step
            while (wait := max(turn, self._full_until()) - self._now()) > 0:
                await self._sleep(wait)
            self._passed.append(self._now())
            await self._let_pass()

    def _full_until(self) -> float:
        """Tell until when as many as may be have passed within a second."""
        full = len(self._passed) == self._passed.maxlen
        return self._passed[0] + _SECOND if full else self._now()


class SharedBucket(_Line):
    """Lets at most `rate` requests a second pass, of all processes on one database together.

    The line is a row (`db.turns`): a process takes a slice of it for those that wait here, at most a fifth
    of a second's, and one slice ahead, so that nobody waits for the database. Turns that nobody uses are
    lost: a process that was held up does not make up for it. `name` tells bots apart that share a database.
    """

    def __init__(self, database: Database, name: str = "requests", rate: int = RATE) -> None:
        super().__init__()
        self._database = database
        self._name = name
        self._step = _SECOND / rate

    async def _serve(self) -> None:
        """Take slices of the line while somebody waits.

        No pause follows the look that finds nobody: who came in it would wait until another comes.
        """
        ahead: asyncio.Task[list[float]] | None = None
        while self._waiting:
            turns_of_slice = await (ahead or self._slice(len(self._waiting)))
            left = len(self._waiting) - len(turns_of_slice)
            ahead = asyncio.create_task(self._slice(left)) if left > 0 else None
            for turn in turns_of_slice:
                await asyncio.sleep(turn - time.monotonic())
                if time.monotonic() - turn <= _STALE:
                    await self._let_pass()
            if ahead is not None and not self._waiting:  # those who were left have given up
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                ahead = None

    async def _slice(self, wanted: int) -> list[float]:
        """Take up to a slice of turns; gives their times (monotonic, in seconds)."""
        count = min(wanted, _SLICE)
        while True:
            try:
                async with self._database.write() as session:
                    wait = await turns.take(session, self._name, count * self._step)
            except (SQLAlchemyError, OSError) as error:
                report(error, "asking for a turn to send")
                await asyncio.sleep(_PAUSE)
                continue
            first = time.monotonic() + wait
            return [first + number * self._step for number in range(count)]
