"""Doing looks: many feeds at once, each fetched, parsed and handed on to be stored in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.errors import QuashError, told
from bot.feeds.errors import FeedError, ParseError
from bot.feeds.fetch import Fetcher, Response
from bot.feeds.fetch_errors import BadAnswerError
from bot.feeds.limits import FeedLimits
from bot.feeds.look import Look, body_hash
from bot.feeds.sight import SeenFeed, told_apart
from bot.feeds.store import Stored, store_looks
from db import feed_claims
from db.engine import Database, is_outage
from db.feeds import StoredFeed

_log = logging.getLogger(__name__)

# How long a worker may be silent about a feed before another takes it, in seconds.
LEASE = 120.0
# A batch of looks is one transaction: so many at most, and no look waits longer than that for company.
_BATCH = 64
_PATIENCE = 0.05  # seconds
_LOOKERS_PER_REQUEST = 4  # those that wait for a slow host must not keep others from being asked


class Parser(Protocol):
    """Reads feeds away from the event loop (`bot.feeds.workers.ParserPool`)."""

    async def parse(self, content: bytes, url: str, content_type: str | None) -> SeenFeed:
        """Give the feed with the identities of its entries. Raises `ParseError`."""


Claims = Callable[[int], Awaitable[Sequence[StoredFeed]]]
OnStored = Callable[[Stored], Awaitable[None]]


async def look_at(
    stored: StoredFeed, fetcher: Fetcher, parser: Parser, clock: Clock, *, seconds: float | None = None
) -> Look:
    """Fetch (for at most so many seconds) and parse one feed.

    Never raises for what the feed or its server does.
    """
    response: Response | None = None
    try:
        response = await fetcher.fetch(
            stored.url, etag=stored.etag, last_modified=stored.last_modified, seconds=seconds
        )
        return await _read(stored, response, parser, clock)
    except FeedError as error:
        return Look(stored, clock(), response, error=error)
    except QuashError as error:
        return Look(stored, clock(), response, error=FeedError(str(error)))
    except Exception:  # a fault of ours in one feed must not end the round for all others
        _log.exception("feed %d could not be looked at", stored.id)
        sentence = told("Looking at this feed failed for a fault in Quash; the log has the details.")
        return Look(stored, clock(), response, error=FeedError(sentence))


async def _read(stored: StoredFeed, response: Response, parser: Parser, clock: Clock) -> Look:
    response.raise_for_status()
    if response.not_modified:
        if stored.etag is None and stored.last_modified is None:
            raise BadAnswerError(
                told("The server says that nothing changed (304), though it was not asked that.")
            )
        return Look(stored, clock(), response)
    digest = body_hash(response.body)
    if digest == stored.body_hash:
        return Look(stored, clock(), response, digest, same_body=True)
    if not response.body.strip():
        raise ParseError(told("The server sent an empty document."))
    feed = await parser.parse(response.body, response.url, response.content_type)
    feed = told_apart(feed, stored.memory.get("shared", ()))
    return Look(stored, clock(), response, None if feed.cut else digest, feed=feed)


class Round:
    """One round over many feeds: claims, looks and storing go on side by side.

    `claims` gives up to so many feeds more to look at, none when there are no more. Every look that is
    stored is handed to `on_stored`.
    """

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        limits: FeedLimits,
        *,
        worker: str,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._limits = limits
        self._worker = worker
        self._under_way: set[int] = set()

    async def run(self, claims: Claims, on_stored: OnStored) -> None:
        """Look at all that `claims` gives; what is left when this is cancelled is given back."""
        renewing = asyncio.create_task(self._renew())
        try:
            await self._run(claims, on_stored)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if self._under_way:
                async with self._database.write() as session:
                    await feed_claims.release(session, list(self._under_way), worker=self._worker)

    async def _run(self, claims: Claims, on_stored: OnStored) -> None:
        lookers = self._limits.concurrency * _LOOKERS_PER_REQUEST
        waiting: asyncio.Queue[StoredFeed | None] = asyncio.Queue(maxsize=lookers)
        done: asyncio.Queue[Look | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(done, on_stored))
            async with asyncio.TaskGroup() as looking:
                started = 0
                while more := await claims(lookers):
                    self._under_way.update(stored.id for stored in more)
                    for stored in more:
                        if started < lookers:
                            looking.create_task(self._look(waiting, done))
                            started += 1
                        await waiting.put(stored)
                for _ in range(started):
                    await waiting.put(None)
            done.put_nowait(None)

    async def _renew(self) -> None:
        """Prolong the claims of what is under way: waiting for a slow host may take long."""
        while True:
            await asyncio.sleep(LEASE / 3)
            if not self._under_way:
                continue
            try:
                async with self._database.write() as session:
                    await feed_claims.renew(
                        session,
                        list(self._under_way),
                        worker=self._worker,
                        now=self._clock(),
                        lease=LEASE,
                    )
            except (SQLAlchemyError, OSError) as error:
                # The next turn may go better; the fence keeps the harm small.
                if not is_outage(error):
                    _log.warning("the claims on feeds under way could not be prolonged", exc_info=True)

    async def _look(
        self, waiting: asyncio.Queue[StoredFeed | None], done: asyncio.Queue[Look | None]
    ) -> None:
        while (stored := await waiting.get()) is not None:
            done.put_nowait(await look_at(stored, self._fetcher, self._parser, self._clock))

    async def _keep(self, done: asyncio.Queue[Look | None], on_stored: OnStored) -> None:
        ended = False
        while not ended:
            batch: list[Look] = []
            look = await done.get()
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    while look is not None:
                        batch.append(look)
                        if len(batch) >= min(_BATCH, len(self._under_way)):
                            break  # full, or nothing more to wait for
                        look = await done.get()
            ended = look is None
            for stored in await store_looks(self._database, batch, self._limits):
                self._under_way.discard(stored.look.stored.id)
                await on_stored(stored)
