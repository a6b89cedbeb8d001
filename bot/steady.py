"""One clock for all processes on one database, that no change of a machine's own clock moves.

On PostgreSQL the server tells the time, asked now and then; in between the machine's steady counter goes on.
On SQLite there is one process, and its machine tells the time. Either may be turned, by hours or years: that
is said once, and what was planned by the wrong time is put right (`db.repair`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts import fence
from bot.clock import Clock, utc_now
from db import repair
from db.engine import Database, report

_log = logging.getLogger(__name__)

_EVERY = 20.0  # seconds between two questions for the time
_JUMP = 60.0  # seconds: less is the ordinary correction of a clock


class SteadyClock:
    """Gives the time; `run` keeps it right."""

    def __init__(
        self, database: Database, *, wall: Clock = utc_now, counter: Callable[[], float] = fence.now
    ) -> None:
        self._database = database
        self._wall = wall
        self._counter = counter
        self._offset: float | None = None

    def __call__(self) -> datetime:
        """Give the time now, aware and in UTC."""
        if self._offset is None:
            return self._wall()
        return datetime.fromtimestamp(self._counter() + self._offset, UTC)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for the time until told to stop."""
        while not stop.is_set():
            try:
                await self.ask()
            except (SQLAlchemyError, OSError) as error:  # the counter goes on
                report(error, "asking the database for the time")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY)

    async def ask(self) -> None:
        """Ask for the time, and put right what was planned by another one."""
        counted = self._counter()
        told = await self._ask()
        offset = told - (counted + self._counter()) / 2
        before, self._offset = self._offset, offset
        moved = 0.0 if before is None else offset - before
        if abs(moved) > _JUMP:
            way = "forward" if moved > 0 else "back"
            _log.warning("the clock was moved %s by %.0f s; what was planned by it is put right", way, moved)
        if before is None or abs(moved) > _JUMP:
            async with self._database.write() as session:
                count = await repair.put_times_right(session, self())
            if count:
                _log.warning("%d times lay further ahead than any that is planned; they are due now", count)

    async def _ask(self) -> float:
        if self._database.is_sqlite:
            return self._wall().timestamp()
        async with self._database.read() as session:
            found = await session.execute(text("SELECT extract(epoch FROM clock_timestamp())"))
            return float(found.scalar_one())
