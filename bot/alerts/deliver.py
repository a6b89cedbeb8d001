"""The delivery loop: destinations where something is due are claimed and served side by side.

A destination has one claim at a time, with a lease and a fence, and a claim is for one message: so its
deliveries are sent in order, all destinations have their turns, and a slow or broken one holds nobody else.
The transactions are `bot.alerts.ledger`'s, the requests `bot.alerts.courier`'s.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from bot.alerts.answers import GONE
from bot.alerts.cards import Card
from bot.alerts.changes import check_after
from bot.alerts.courier import Courier, Sender
from bot.alerts.errors import TokenRefusedError
from bot.alerts.ledger import Ledger
from bot.alerts.orders import Order, Outcome
from bot.alerts.weather import Weather
from bot.clock import Clock, utc_now
from db import deliveries, places
from db.engine import Database, is_outage
from db.tables import DestinationRow

_log = logging.getLogger(__name__)

AT_ONCE = 64  # messages under way side by side
GATHER = 0.2  # seconds in which outcomes gather before they are stored, while others are under way
POLL = 1.0  # seconds between two looks for what is due, when nobody wakes the loop
_CHECK_BROKEN = 15.0
_LONGEST_WAIT = 30.0
_BROKEN_AT_ONCE = 500

OnSent = Callable[[Card], Awaitable[None]]


class Deliverer:
    """Sends what is due. One object serves one process.

    `on_sent` is told of every card that was posted (not of edits, nor of digests). `weather`: what is known
    of Discord's health, where other parts of the process know of it too.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        clock: Clock = utc_now,
        on_sent: OnSent | None = None,
        poll: float = POLL,
        weather: Weather | None = None,
    ) -> None:
        self._database = database
        self._weather = weather or Weather(clock)
        # Broken channels where the bot was seen not to be allowed to post.
        self._seen_closed: set[int] = set()
        self._turned_at: float | None = None
        self._sender = sender
        self._clock = clock
        self._poll = poll
        self._on_sent = on_sent
        self._owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._courier = Courier(sender, clock, self._of_others)
        self._ledger = Ledger(database, clock, self._owner)
        self._outcomes: list[Outcome] = []  # not stored yet
        self._woken = asyncio.Event()
        self._stopping = False
        self._count = 0
        self.is_sending = False  # whether orders are under way

    @property
    def stuck_for(self) -> float:
        """Seconds since the loop turned last; 0 before it has begun."""
        return 0.0 if self._turned_at is None else asyncio.get_running_loop().time() - self._turned_at

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
                    # Of an outage the database itself tells, once; of others the first and each tenth.
                    if not is_outage(error) and failures % 10 == 1:
                        _log.error("a turn of delivery failed (%d in a row)", failures, exc_info=error)
                if not stop.is_set():
                    await self._wait(min(self._poll * 2.0 ** min(failures, 10), _LONGEST_WAIT))
        finally:
            watching.cancel()
            await self._give_back()

    async def deliver_due(self) -> int:
        """Send all that is due now; gives the number of messages sent or edited."""
        before = self._count
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                orders, idle = await self._turn(running)
                running |= {asyncio.create_task(self._carry(order)) for order in orders}
                self.is_sending = bool(running)
                if running:
                    running -= await self._wait_for_news(running)
                elif not idle and not self._outcomes:
                    return self._count - before
        finally:
            self.is_sending = False
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def reopen(self) -> None:
        """Take up broken channels again where the bot, as far as is known, may post by now.

        No request is spent on finding out. Where the bot was seen not to be allowed to post, this is at once;
        where Discord refuses what it should allow, ever more rarely.
        """
        now = self._clock()
        may: set[int] = set()
        broken: set[int] = set()
        last: DestinationRow | None = None
        async with self._database.read() as session:
            # All of them, a page at a time: however many are gone for good, those behind them are looked at.
            while rows := await deliveries.get_broken_channels(session, _BROKEN_AT_ONCE, after=last):
                ids = [row.target_id for row in rows]
                threads = await places.get_with_threads(session, ids)
                owed = await places.get_servers_owed(session, ids)
                may |= {
                    id
                    for row, id in zip(rows, ids, strict=True)
                    if self._may_reopen(row, id in threads, owed.get(id, 0), now)
                }
                broken.update(ids)
                last = rows[-1]
                await asyncio.sleep(0)
        self._seen_closed &= broken
        if not may:
            return
        async with self._database.write() as session:
            reopened = await deliveries.reopen_channels(session, may)
        for channel_id in reopened:
            _log.info("channel %d is taken up again", channel_id)

    def _may_reopen(self, row: DestinationRow, threads: bool, guild_id: int, now: datetime) -> bool:
        """`threads`: whether a rule wants them there; `guild_id`: for which server something waits there."""
        if self._sender.may_post(row.target_id, threads=threads):
            if row.target_id in self._seen_closed:
                self._seen_closed.discard(row.target_id)
                return True
        elif row.broken == GONE or not self._sender.may_sleep(row.target_id, guild_id):
            self._seen_closed.add(row.target_id)
            return False
        return row.broken_at is not None and now - row.broken_at >= check_after(row.failures)

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

    async def _turn(self, running: set[asyncio.Task[None]]) -> tuple[list[Order], int]:
        """Store what came of orders and take new ones; what could not be stored is kept for the next turn."""
        outcomes, self._outcomes = self._outcomes, []
        refused = any(isinstance(outcome.error, TokenRefusedError) for outcome in outcomes)
        self._turned_at = asyncio.get_running_loop().time()
        room = 0 if self._stopping or refused else self._weather.room(AT_ONCE - len(running), len(running))
        try:
            turn = await self._ledger.turn(outcomes, room)
        except BaseException as error:
            self._outcomes = [*outcomes, *self._outcomes]
            if isinstance(error, SQLAlchemyError | OSError):
                await asyncio.gather(*running)  # what is under way ends first
            raise
        await self._tell(outcomes)
        return turn.orders, turn.idle

    async def _of_others(self, message_ids: Collection[int]) -> set[int]:
        async with self._database.read() as session:
            return await deliveries.get_stored_messages(session, message_ids)

    async def _carry(self, order: Order) -> None:
        outcome = await self._courier.carry(order)
        self._weather.note(outcome)
        self._outcomes.append(outcome)  # to the list of this moment: a turn puts a new one in its place

    async def _tell(self, outcomes: Sequence[Outcome]) -> None:
        """Count what was sent and tell of it; raises `TokenRefusedError` where that was the outcome."""
        for outcome in outcomes:
            if outcome.offer is not None:
                self._count += 1
                told = outcome.offer.card
                if self._on_sent is not None and outcome.order.edits is None and isinstance(told, Card):
                    await self._on_sent(told)
        for outcome in outcomes:
            if isinstance(outcome.error, TokenRefusedError):
                raise outcome.error

    async def _wait_for_news(self, running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Wait until outcomes are worth a transaction, or until more may be due; gives what has ended."""
        waiting = asyncio.create_task(self._wait(self._poll))
        await asyncio.wait({*running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await asyncio.wait(running, timeout=GATHER)
        waiting.cancel()
        ended = {task for task in running if task.done()}
        for task in ended:
            task.result()
        return ended

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
