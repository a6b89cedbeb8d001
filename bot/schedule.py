"""The ticks. What is due, and when, stands in the database; a tick only asks for it.

Each job is one line that calls a service. A tick that takes longer than its pause is not started twice;
one that fails is logged and comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from db.engine import is_outage

# A tick that takes longer than its pause is no news; what a tick itself has to say is logged here.
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)

Job = Callable[[], Awaitable[object]]

_log = logging.getLogger(__name__)

_LOOK_EVERY = 5.0  # seconds between two looks whether the machine's clock was turned back
_TURNED = timedelta(seconds=1)  # less is the ordinary correction of a clock
_MANY = 10  # failures in a row: said again in the log after so many, and a matter for who watches


class _Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Due a pause after the last time; once, however far the clock went forward meanwhile.

    APScheduler's own interval goes through all times that were missed: 600,000 for a job of each second on a
    machine that slept for a week, while the event loop stands still.
    """

    def __init__(self, pause: timedelta) -> None:
        self.pause = pause

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Give the next time."""
        due = (previous_fire_time or now) + self.pause
        return due if due > now else now + self.pause


class Schedule:
    """Runs jobs at intervals until told to stop, then lets those that run end."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._failures: dict[str, int] = {}

    def every(self, seconds: float, name: str, job: Job) -> None:
        """Add a job. The pause is counted from start to start; a job never runs twice at once."""
        self._scheduler.add_job(
            self._run_once,
            _Every(timedelta(seconds=seconds)),
            args=(name, job),
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def hurry(self, name: str) -> None:
        """Let a job run at once, unless it runs."""
        if self._scheduler.running:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    @property
    def failing(self) -> tuple[str, ...]:
        """Say which jobs have failed many times in a row, and how often."""
        return tuple(f"{name}: failed {n} times in a row" for name, n in self._failures.items() if n >= _MANY)

    async def run(self, stop: asyncio.Event, drain: float) -> None:
        """Tick until `stop` is set; then wait up to `drain` seconds for the jobs that run."""
        self._scheduler.start()
        try:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
                self._mind_the_clock()
            # APScheduler's own shutdown cancels what runs: so first no new jobs, then patience.
            self._scheduler.pause()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(drain):
                    await self._idle.wait()
        finally:
            self._scheduler.shutdown(wait=False)

    def _mind_the_clock(self) -> None:
        """Let run at once what lies further ahead than its pause: the machine's clock was turned back."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + job.trigger.pause + _TURNED:
                job.modify(next_run_time=now)

    async def _run_once(self, name: str, job: Job) -> None:
        self._running += 1
        self._idle.clear()
        try:
            await job()
        except Exception as error:  # the tick comes again; said at the first failure and each tenth
            if is_outage(error):
                return  # the database says so itself, once
            count = self._failures[name] = self._failures.get(name, 0) + 1
            if count == 1 or count % _MANY == 0:
                _log.error("the tick %r failed (%d in a row)", name, count, exc_info=error)
        else:
            if self._failures.pop(name, 0):
                _log.info("the tick %r works again", name)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
