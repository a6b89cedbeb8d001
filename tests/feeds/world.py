"""A small world to watch the feeds room in: a site, a clock that is turned, a database, and restarts."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select

from bot.feeds.fetch import Fetcher
from bot.feeds.guard import Lookup
from bot.feeds.reports import ListedFeed, RoundReport
from bot.feeds.service import FeedService
from db import schema
from db.engine import Database
from db.tables import EntryRow, FeedRow
from tests.conftest import memory
from tests.feeds.web import DirectParser, Site, limits, serving

PAPER = "/feed"


class Clock(Protocol):
    """A clock that a test turns."""

    now: datetime

    def __call__(self) -> datetime: ...

    def turn(self, **by: float) -> None: ...


class World:
    """`service` is the one under test; `restart` puts a new one in its place, as a new process would."""

    def __init__(
        self, url: str, clock: Clock, site: Site, lookup: Lookup | None, changes: dict[str, Any]
    ) -> None:
        self.clock = clock
        self.site = site
        self.parser = DirectParser()
        self.limits = limits(**changes)
        self._url = url
        self._lookup = lookup
        self.database: Database
        self.fetcher: Fetcher
        self.service: FeedService

    async def open(self) -> None:
        self.database = Database(self._url)
        self.fetcher = await Fetcher(self.limits, lookup=self._lookup).__aenter__()
        self.service = FeedService(self.database, self.fetcher, self.parser, self.clock, self.limits)

    async def close(self) -> None:
        await self.fetcher.__aexit__(None, None, None)
        await self.database.close()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def tick(self) -> RoundReport:
        return await self.service.check_due()

    async def run(self, until: Callable[[], bool] = lambda: False, **span: float) -> None:
        """Let time pass: the clock jumps from one due look to the next."""
        end = self.clock.now + timedelta(**span)
        while not until():
            async with self.database.read() as session:
                due = (
                    await session.execute(
                        select(func.min(FeedRow.next_look)).where(FeedRow.state == "active")
                    )
                ).scalar()
            if due is None or due > end:
                self.clock.now = end
                return
            self.clock.now = max(self.clock.now, due)
            await self.tick()

    async def feed(self, feed_id: int = 1) -> FeedRow:
        async with self.database.read() as session:
            row = await session.get(FeedRow, feed_id)
            assert row is not None
            return row

    async def listed(self, feed_id: int = 1) -> ListedFeed:
        return next(feed for feed in await self.service.list() if feed.id == feed_id)

    async def entries(self, feed_id: int = 1) -> list[EntryRow]:
        async with self.database.read() as session:
            query = select(EntryRow).where(EntryRow.feed_id == feed_id).order_by(EntryRow.id)
            return list((await session.execute(query)).scalars())

    def gaps(self) -> list[float]:
        """Seconds between the requests that the site saw."""
        times = [asked.at for asked in self.site.asked]
        return [(b - a).total_seconds() for a, b in itertools.pairwise(times)]


_folders: list[Path] = []


async def _folder() -> Path:
    """Give a folder, in memory where the machine has that, with an empty database of the newest schema."""
    if not _folders:
        folder = tempfile.mkdtemp(prefix="quash-world-", dir=memory())
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        database = Database(f"sqlite+aiosqlite:///{folder}/empty.db")
        await schema.upgrade(database)
        await database.close()
        _folders.append(Path(folder))
    return _folders[0]


@asynccontextmanager
async def world(clock: Clock, *, lookup: Lookup | None = None, **changes: Any) -> AsyncIterator[World]:
    """Open a world with a database file of its own."""
    async with serving() as site:
        site.clock = clock
        folder = await _folder()
        file = folder / f"{uuid.uuid4().hex}.db"
        await asyncio.to_thread(shutil.copy, folder / "empty.db", file)
        made = World(f"sqlite+aiosqlite:///{file}", clock, site, lookup, changes)
        await made.open()
        try:
            yield made
        finally:
            await made.close()
