"""The delivery loop: destinations where something is due are claimed and served side by side.

A destination has one claim at a time, with a lease and a fence, and its deliveries are sent in order; a
slow or broken one holds nobody else. See `bot.alerts.courier` for one delivery's way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.alerts.courier import LEASE, Courier, OnSent, Sender
from bot.clock import Clock, utc_now
from db import deliveries
from db.deliveries import Claim
from db.engine import Database

_log = logging.getLogger(__name__)

AT_ONCE = 32  # destinations served side by side
IN_A_ROW = 10  # messages to one destination before others have their turn
POLL = 1.0  # seconds between two looks for what is due, when nobody wakes the loop
_CHECK_BROKEN = 60.0
_LONGEST_WAIT = 30.0


class Deliverer:
    """Sends what is due. One object serves one process.

    `on_sent` is told of every card that was posted (not of edits).
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        clock: Clock = utc_now,
        on_sent: OnSent | None = None,
        poll: float = POLL,
    ) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._poll = poll
        self._courier = Courier(database, sender, clock, on_sent)
        self._owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._woken = asyncio.Event()
        self._stopping = False
        self._count = 0

    def wake(self) -> None:
        """Look for due deliveries at once (call it after a transaction that owed some)."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; what is under way then is ended first.

        Raises `TokenRefusedError`. While the database is away nothing is sent, because no intent can be
        stored; it is asked again after growing pauses.
        """
        watching = asyncio.create_task(self._watch(stop))
        try:
            await self._drop_dead_leases()
            failures = 0
            reopen_at = 0.0
            while not stop.is_set():
                try:
                    if asyncio.get_running_loop().time() >= reopen_at:
                        await self.reopen()
                        reopen_at = asyncio.get_running_loop().time() + _CHECK_BROKEN
                    await self.deliver_due()
                    failures = 0
                except (SQLAlchemyError, OSError) as error:
                    failures += 1
                    if failures == 1:
                        _log.error("deliveries wait: the database does not answer (%s)", type(error).__name__)
                if not stop.is_set():
                    await self._wait(min(self._poll * 2.0 ** min(failures, 10), _LONGEST_WAIT))
        finally:
            watching.cancel()
            await self._give_back()

    async def deliver_due(self) -> int:
        """Send all that is due now; gives the number of messages sent or edited."""
        before = self._count
        running: set[asyncio.Task[None]] = set()
        look = True
        try:
            while True:
                # A claim is a transaction: not for each place that gets free, but for many, or in time.
                if look or len(running) <= AT_ONCE // 2:
                    try:
                        claims = await self._claim(AT_ONCE - len(running))
                    except (SQLAlchemyError, OSError):
                        await asyncio.gather(*running)  # what is under way ends first
                        raise
                    running |= {asyncio.create_task(self._serve(claim)) for claim in claims}
                if not running:
                    return self._count - before
                ended, look = await self._wait_for_any(running)
                running -= ended
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def reopen(self) -> None:
        """Take up broken channels again where the bot, as far as is known, may post by now.

        No request is spent on finding out. A channel that refuses again is asked ever more rarely.
        """
        now = self._clock()
        async with self._database.write() as session:
            for row in await deliveries.get_broken_channels(session, 500):
                pause = timedelta(seconds=min(30 * 2 ** min(row.failures, 10), 6 * 3600))
                if row.broken_at and now - row.broken_at >= pause and self._sender.may_post(row.target_id):
                    row.broken = row.broken_at = None
                    _log.info("channel %d is taken up again", row.target_id)

    async def _drop_dead_leases(self) -> None:
        """On SQLite, which one process has for itself, give back what a process that died held."""
        if self._database.is_sqlite:
            async with self._database.write() as session:
                await deliveries.forget_claims(session)

    async def _give_back(self) -> None:
        """Give back what this process still holds, so that the next one need not wait for the leases."""
        try:
            async with self._database.write() as session:
                await deliveries.forget_claims(session, self._owner)
        except (SQLAlchemyError, OSError) as error:
            _log.info("leases were not given back (%s); they run out by themselves", type(error).__name__)

    async def _claim(self, room: int) -> list[Claim]:
        if self._stopping or room <= 0:
            return []
        now = self._clock()
        async with self._database.write() as session:
            return await deliveries.claim_destinations(
                session, self._owner, now=now, until=now + LEASE, limit=room
            )

    async def _serve(self, claim: Claim) -> None:
        """Send what waits for a destination, in order, and give it back."""
        pause: float | None = None
        try:
            for _ in range(IN_A_ROW):
                step = await self._courier.step(claim)
                self._count += step.sent
                pause = step.pause
                if not step.go_on or self._stopping:
                    break
            now = self._clock()
            until = now + timedelta(seconds=pause) if pause else None
            async with self._database.write() as session:
                await deliveries.let_go(session, claim, now=now, pause_until=until)
        except (SQLAlchemyError, OSError) as error:
            # The lease runs out by itself; a delivery whose outcome is not stored is looked into then.
            _log.error("deliveries to %s %d stopped: %s", claim.target, claim.target_id, type(error).__name__)

    async def _wait_for_any(self, running: set[asyncio.Task[None]]) -> tuple[set[asyncio.Task[None]], bool]:
        """Wait until a task ends, or until more may be due.

        Gives the tasks that ended and whether more may be due; raises what ended a task.
        """
        waiting = asyncio.create_task(self._wait(self._poll))
        done, _ = await asyncio.wait({*running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        ended = done - {waiting}
        for task in ended:
            task.result()
        return ended, waiting in done

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        self._woken.set()

    async def _wait(self, seconds: float) -> None:
        """Wait until woken, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
