"""The one place where everything is put together, and taken down in order.

`App` holds the parts of a process: the database, the worker (feeds and reading), the gateway (Discord
and delivery). `run` keeps them going until it is told to stop or one of them fails for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import discord
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts import fence, review
from bot.alerts.absence import forget_left
from bot.alerts.cards import Card
from bot.alerts.closed import ClosedTeller, GivenUpTeller
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import Limiter, SharedBucket, TokenBucket
from bot.alerts.publish import Publisher
from bot.alerts.sender import DiscordSender
from bot.bounds import limits_of
from bot.charts import ChartRoom
from bot.client import QuashClient
from bot.clock import Clock, utc_now
from bot.collector import at_leisure, calm, collect_at_leisure
from bot.descriptors import fit
from bot.errors import SettingsError
from bot.feeds.articles import PageFetcher
from bot.feeds.fetch import Fetcher
from bot.feeds.pushing import PushService
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.health import HealthServer
from bot.intake.analysis import AnalysisPool
from bot.intake.change_log import ChangeTeller
from bot.intake.corrections import OffTopicTeller
from bot.intake.links import LinkReader
from bot.intake.notices import FeedTeller
from bot.intake.operations import RuleTeller
from bot.intake.reading import Reader
from bot.intake.services import Services
from bot.login import log_in, why_closed
from bot.opening import alone_on, open_database
from bot.schedule import Schedule
from bot.settings import Settings
from bot.shards import ShardKeeper
from bot.steady import SteadyClock
from bot.watch import LoopWatch, end_soon
from db import notify, restarts, turns
from db.engine import Database, report
from db.retention import Retention
from db.warm import warm

_log = logging.getLogger(__name__)

OnSent = Callable[[Card], Awaitable[None]]
OnReady = Callable[[QuashClient], Awaitable[None]]
Part = Callable[[], Awaitable[None]]  # of a process: runs until told to stop

_T = TypeVar("_T")

_FEEDS_EVERY = 1.0  # seconds between two questions which feeds are due
_ENTRIES_EVERY = 1.0  # seconds between two questions which entries wait
_REVIEWS_EVERY = 30.0  # seconds between two looks for stories that no moderator decided on in time
_HUBS_EVERY = 20.0  # seconds between two questions which hubs are to be asked for pushes
_PUBLISHING_EVERY = 2.0  # seconds between two questions what is to be published
_ABSENCE_EVERY = 6 * 3600.0  # seconds between two looks for servers that are to be forgotten
_ASKED_FOR = 2.0  # seconds in which the database must answer for a page of the health endpoint
_STUCK = 180.0  # seconds in which the delivery loop must have turned
_ALIVE_EVERY = 30.0  # seconds between two notes that this process lives
_RETENTION_EVERY = 3600.0  # seconds between two looks for what is too old to be kept
_TELLING_LASTS = 30.0  # seconds that one process tells at most, before another may
_NOTICES_EVERY = 5.0  # seconds between two questions what servers are to be told about their feeds
_GOODBYE = 2.0  # seconds in which Discord may answer that a connection ends
_DRAIN = 6.0  # seconds that a part may take to end its work after SIGTERM; all must end within 10


@dataclass(frozen=True, slots=True)
class Worker:
    """What looks at feeds and reads articles; `pushes` where hubs can reach this process (WebSub)."""

    feeds: FeedService
    reader: Reader
    links: LinkReader
    pushes: PushService | None = None


@contextlib.asynccontextmanager
async def open_worker(
    settings: Settings, database: Database, clock: Clock, wake: Callable[[], None]
) -> AsyncIterator[Worker]:
    """Put the worker's parts together."""
    limits = limits_of(settings)
    async with (
        Fetcher(limits) as fetcher,
        ParserPool() as parser,
        AnalysisPool(settings.analysis_workers) as analysis,
    ):
        feeds = FeedService(database, fetcher, parser, clock, limits)
        pages = PageFetcher(fetcher, clock)
        reader = Reader(database, analysis.analyse, pages.fetch_page, clock=clock, wake=wake)
        pushes = None
        if settings.websub_url is not None:
            pushes = PushService(database, fetcher, parser, clock, limits, settings.websub_url)
        yield Worker(feeds, reader, LinkReader(analysis.analyse, pages.fetch_page), pushes)


async def run(
    settings: Settings,
    *,
    role: str = "all",
    clock: Clock = utc_now,
    stop: asyncio.Event | None = None,
    on_sent: OnSent | None = None,
    on_ready: OnReady | None = None,
) -> None:
    """Run the bot until SIGTERM, SIGINT or `stop`.

    Raises a `QuashError` when it cannot start or must not go on.
    """
    if role != "worker" and not settings.discord_token:
        raise SettingsError(
            "DISCORD_TOKEN: it is not set; set it to the bot's token from Discord's developer portal, "
            "or try `quash demo`, which needs none."
        )
    stop = stop or asyncio.Event()
    calm()
    with _signals(stop):
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(LoopWatch())
            # Whatever a start waits for (a database, Discord), it can be told to stop meanwhile.
            started = await _unless(stop, _start(stack, settings, role, clock, stop, on_sent, on_ready))
            if started is not None:
                process, tasks = started
                await process.keep_going(tasks)


async def _start(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    role: str,
    clock: Clock,
    stop: asyncio.Event,
    on_sent: OnSent | None,
    on_ready: OnReady | None,
) -> tuple[_Process, list[Part]]:
    stack.enter_context(alone_on(settings.database_url, role))
    database = await stack.enter_async_context(open_database(settings))
    tasks: list[Part] = []
    if clock is utc_now:
        clock = steady = SteadyClock(database)
        await steady.ask()
        tasks.append(partial(steady.run, stop))
    process = _Process(fit(settings), database, clock, stop, on_sent)
    return process, tasks + await process.start(stack, role, on_ready)


async def _unless(stop: asyncio.Event, doing: Coroutine[Any, Any, _T]) -> _T | None:
    """Do something to its end, or until told to stop: then it is broken off, and None is given."""
    task = asyncio.ensure_future(doing)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, stopped):
            each.cancel()
        await asyncio.wait({task})


class _Process:
    """A running process: its parts, and the tasks that keep them going."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        stop: asyncio.Event,
        on_sent: OnSent | None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._stop = stop
        self._on_sent = on_sent
        self._needs_discord = False
        self._client: QuashClient | None = None  # once it is logged in
        self._charts = ChartRoom()
        self._deliverer: Deliverer | None = None
        self._delivered = asyncio.Event()  # nothing more is going to be sent
        self._schedule = Schedule()  # of the worker
        self._telling = Schedule()  # of the gateway
        self._bells: dict[str, Callable[[], None]] = {}

    async def start(
        self, stack: contextlib.AsyncExitStack, role: str, on_ready: OnReady | None
    ) -> list[Part]:
        """Put the parts together, logged in; gives what is to be kept going."""
        tasks: list[Part] = []
        self._needs_discord = role != "worker"
        await self._note_start()
        worker = await stack.enter_async_context(
            open_worker(self._settings, self._database, self._clock, self._wake)
        )
        if self._settings.http_addr is not None:
            routes = worker.pushes.routes() if worker.pushes is not None and role != "gateway" else ()
            await stack.enter_async_context(
                HealthServer(
                    self._settings.http_addr, self._troubles, self._metrics, routes, stuck=self._stuck
                )
            )
        if role != "worker":
            await warm(self._database)
            client = await self._log_in(worker)
            tasks += self._keep_shards(stack, client)
            stack.push_async_callback(_close, client)
            stack.push_async_callback(self._charts.end)
            sender = DiscordSender(client, self._limiter())
            self._bells[notify.DELIVERIES] = self._wake
            self._deliverer = Deliverer(
                self._database, sender, clock=self._clock, on_sent=self._on_sent, weather=client.weather
            )
            teller = FeedTeller(self._database, worker.feeds, sender, clock=self._clock)
            tasks += [partial(self._connect, client), partial(self._deliver, client, on_ready)]
            tasks.append(partial(self._tell, client, teller, sender))
            tasks.append(partial(at_leisure, self._stop, lambda: self._is_sending))
        if role != "gateway":
            self._bells[notify.ENTRIES] = lambda: self._schedule.hurry("entries")
            tasks.append(partial(self._tick, worker))
        tasks.append(partial(notify.Listener(self._database, self._bells).run, self._stop))
        return tasks

    def _keep_shards(self, stack: contextlib.AsyncExitStack, client: QuashClient) -> list[Part]:
        """On PostgreSQL, share the shards with the other gateways."""
        if self._database.is_sqlite:
            return []
        keeper = ShardKeeper(
            self._database,
            client,
            self._clock,
            owner=f"{socket.gethostname()[:32]}/{os.getpid()}/{secrets.token_hex(4)}",
            only=self._settings.shard_ids,
            count=self._settings.shard_count,
        )
        self._bells[notify.SHARDS] = keeper.wake
        stack.push_async_callback(keeper.give_back)
        return [partial(keeper.run, self._stop)]

    def _limiter(self) -> Limiter:
        return TokenBucket() if self._database.is_sqlite else SharedBucket(self._database)

    async def _log_in(self, worker: Worker) -> QuashClient:
        services = Services(
            self._database,
            worker.feeds,
            self._clock,
            self._wake,
            worker.links,
            self._charts,
            self._settings.max_feeds_per_guild,
        )

        def make() -> QuashClient:
            return QuashClient(
                services,
                api_url=self._settings.discord_api_url,
                shard_ids=self._settings.shard_ids,
                shard_count=self._settings.shard_count,
                shares=not self._database.is_sqlite,
            )

        self._client = await log_in(make, self._settings.discord_token or "")
        return self._client

    async def _connect(self, client: QuashClient) -> None:
        """Keep the gateway connected; discord.py reconnects by itself."""
        connection = asyncio.ensure_future(client.connect(reconnect=True))
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({connection, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._delivered.wait(), _DRAIN - 1)
            await _close(client)
            connection.cancel()  # one that does not stand yet would be tried for ever
        await asyncio.wait({connection})
        if not connection.cancelled() and (error := connection.exception()) is not None:
            raise why_closed(error) if isinstance(error, discord.ConnectionClosed) else error

    @property
    def _is_sending(self) -> bool:
        return self._deliverer is not None and self._deliverer.is_sending

    async def _deliver(self, client: QuashClient, on_ready: OnReady | None) -> None:
        """Deliver once Discord has told which servers there are."""
        try:
            if not await self._is_ready(client) or self._deliverer is None:
                return
            collect_at_leisure()
            if on_ready is not None:
                await on_ready(client)
            await self._deliverer.run(self._stop)
        finally:
            self._delivered.set()

    async def _tell(self, client: QuashClient, teller: FeedTeller, sender: DiscordSender) -> None:
        """Publish what was posted, and tell servers about their feeds and channels, until told to stop.

        One process at a time tells, and none after its turn: what it knows may have been told by another.
        """
        closed = ClosedTeller(self._database, sender, clock=self._clock)
        given_up = GivenUpTeller(self._database, sender, clock=self._clock)
        rules = RuleTeller(self._database, sender, clock=self._clock)
        off_topic = OffTopicTeller(self._database, sender, clock=self._clock)
        changed = ChangeTeller(self._database, sender, clock=self._clock)
        publisher = Publisher(self._database, sender, self._clock)

        async def tell() -> None:
            async with self._database.write() as session:
                if await turns.take(session, "notices", 0.0):
                    return
                await turns.take(session, "notices", _TELLING_LASTS)
            with fence.leased(_TELLING_LASTS):
                for each in (teller, closed, given_up, rules, off_topic, changed):
                    await each.tell()
            async with self._database.write() as session:
                await turns.give_back(session, "notices", _NOTICES_EVERY)

        if await self._is_ready(client):
            self._telling.every(_NOTICES_EVERY, "notices", tell)
            self._telling.every(_PUBLISHING_EVERY, "publishing", publisher.publish_due)
            await self._telling.run(self._stop, _DRAIN)

    async def _is_ready(self, client: QuashClient) -> bool:
        """Wait until Discord has told which servers there are; False when told to stop meanwhile."""
        ready = asyncio.ensure_future(client.settled.wait())
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (ready, stopped):
            waiting.cancel()
        return not self._stop.is_set()

    async def _note_start(self) -> None:
        """Note that this process starts; after a pause, what may have been posted meanwhile is looked for."""
        async with self._database.write() as session:
            pause = await restarts.note_start(session, self._clock())
        if pause is not None:
            lasted = timedelta(seconds=round(pause.total_seconds()))
            _log.info("nothing ran for %s: what may have been posted since is looked for first", lasted)

    async def _note_alive(self) -> None:
        async with self._database.write() as session:
            await restarts.beat(session, self._clock())

    async def _end_reviews(self) -> None:
        await review.end_overdue(self._database, self._clock)

    async def _tick(self, worker: Worker) -> None:
        """Look at feeds and read entries until told to stop."""

        async def read_entries() -> None:
            while not self._stop.is_set() and await worker.reader.read_new():
                pass

        self._schedule.every(_FEEDS_EVERY, "feeds", worker.feeds.check_due)
        self._schedule.every(_ENTRIES_EVERY, "entries", read_entries)
        self._schedule.every(_ALIVE_EVERY, "alive", self._note_alive)
        self._schedule.every(_REVIEWS_EVERY, "reviews", self._end_reviews)
        retention = Retention(self._database, self._clock, self._settings.retention_days, self._stop.is_set)
        self._schedule.every(_RETENTION_EVERY, "retention", retention.sweep)
        self._schedule.every(_ABSENCE_EVERY, "absence", lambda: forget_left(self._database, self._clock))
        if worker.pushes is not None:
            self._schedule.every(_HUBS_EVERY, "hubs", worker.pushes.tick)
        await self._schedule.run(self._stop, _DRAIN)

    async def keep_going(self, tasks: list[Part]) -> None:
        """Run the parts side by side. The first that fails stops all; its error is what `run` raises."""
        running = [asyncio.ensure_future(task()) for task in tasks]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
            self._stop.set()
            for task in done:
                task.result()
            await asyncio.wait(running, timeout=_DRAIN)
        finally:
            self._stop.set()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _wake(self) -> None:
        if self._deliverer is not None:
            self._deliverer.wake()

    async def _troubles(self) -> tuple[str, ...]:
        troubles = []
        try:
            async with asyncio.timeout(_ASKED_FOR):
                await self._database.check()
        except Exception as error:  # whatever it is, it means: not ready
            troubles.append(f"database: {type(error).__name__}")
        else:
            if self._database.outage.cause:
                troubles.append(f"database: {self._database.outage.cause}")
        troubles += (*self._schedule.failing, *self._telling.failing)
        if self._client is None and self._needs_discord:
            troubles.append("Discord: not logged in")
        if self._client is not None and (not self._client.settled.is_set() or self._client.shards_away):
            away = ", ".join(map(str, self._client.shards_away))
            troubles.append("Discord: not connected" + (f" (shards {away})" if away else ""))
        if self._client is not None and self._client.weather.trouble:
            troubles.append(self._client.weather.trouble)
        return tuple(troubles)

    def _stuck(self) -> tuple[str, ...]:
        """Say what does not move any more, though the process answers."""
        held = self._deliverer.stuck_for if self._deliverer is not None else 0.0
        return (f"delivery: has not moved for {held:.0f} s",) if held > _STUCK else ()

    async def _metrics(self) -> dict[str, float]:
        from db import figures

        found: dict[str, float] = {}
        try:
            async with asyncio.timeout(_ASKED_FOR), self._database.read() as session:
                found = await figures.counts(session)
        except (SQLAlchemyError, OSError) as error:  # asked for each minute: what is known is told
            report(error, "counting for /metrics")
        found["database_ready"] = float(bool(found))
        if self._client is not None:
            found["guilds"] = float(len(self._client.guilds))
            found["gateway_ready"] = float(self._client.settled.is_set() and not self._client.shards_away)
        return found


async def _close(client: QuashClient) -> None:
    """Leave Discord. It need not say goodbye in turn."""
    await asyncio.wait({asyncio.ensure_future(client.close())}, timeout=_GOODBYE)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the process in order and soon, where the loop can handle signals."""
    loop = asyncio.get_running_loop()
    handled = []

    def end() -> None:
        if not stop.is_set():
            stop.set()
            end_soon()

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, end)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
