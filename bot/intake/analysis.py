"""Reading articles off the event loop: a pool of worker processes that hold the lexicons."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from bot import children
from bot.collector import calm
from bot.errors import QuashError, told
from bot.stories.model import Article, Story

_DEADLINE = 30.0  # seconds for one article; the usual one takes a few milliseconds
_STARTING = 150.0  # seconds for it where a process may have to start first: on a busy machine that takes long
_IDLE = 300.0  # seconds without an article after which the processes end; they start again when needed
_MAX_BODY = 5_000_000  # characters of an article that are looked at
# Read by every new worker, so that its first article finds all rules loaded: a page, relevant, with a demand.
_FIRST = "The FBI served Google with a subpoena for the records of an anonymous user, and Google refused."


class AnalysisError(QuashError):
    """An article could not be read within the bounds."""


def _start_worker() -> None:
    """Load what every article needs."""
    children.obey_parent()
    gc.disable()  # loading makes no garbage, and looking for some takes a sixth of its time
    read_article(Article(title=_FIRST, body=f"<html><body><p>{_FIRST}</p></body></html>", is_html=True))
    gc.enable()
    calm()


def read_article(article: Article) -> Story:
    """Read an article in this very process."""
    from bot.stories.analyse import analyse

    return analyse(article)


class AnalysisPool:
    """Worker processes that turn articles into stories. One that hangs or dies is replaced.

    `worked` is how many seconds articles have taken in all, waiting for a turn not included.
    """

    def __init__(self, workers: int) -> None:
        self.worked = 0.0
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._running = asyncio.Semaphore(workers)
        self._alone = asyncio.Lock()
        self._closed = False
        self._under_way = 0
        self._read = 0  # articles, by the processes that run now
        self._ending: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            # What is being read, or a process that still loads its lexicons, is not waited for: nobody would
            # store the story any more.
            await children.end(pool)

    async def analyse(self, article: Article) -> Story:
        """Read an article. Raises `AnalysisError` when it takes too long or its process dies."""
        if len(article.body) > _MAX_BODY:
            raise AnalysisError(
                told("the article is larger than {number} characters", number=f"{_MAX_BODY:,}")
            )
        try:
            async with self._running:  # so that the deadline counts the work and not the wait for a turn
                return await self._analyse(article)
        except BrokenProcessPool:
            pass  # all processes end with one: perhaps it was another article's fault, so once more alone
        async with self._alone, contextlib.AsyncExitStack() as turns:
            for _ in range(self._workers):
                await turns.enter_async_context(self._running)
            try:
                return await self._analyse(article)
            except BrokenProcessPool as error:
                raise AnalysisError(told("the process that read the article died")) from error

    async def _analyse(self, article: Article) -> Story:
        """Read an article. Raises `BrokenProcessPool` when its process ends, or another's."""
        if self._closed:  # while it waited for its turn: nobody would end the processes of a new pool
            raise AnalysisError(told("the process that read the article died"))
        pool = self._pool = self._pool or self._new_pool()
        deadline = _DEADLINE if self._read >= self._workers else _STARTING
        self._under_way += 1
        started = time.monotonic()
        try:
            future = pool.submit(read_article, article)
            story = await asyncio.wait_for(asyncio.wrap_future(future), deadline)
        except TimeoutError as error:
            self._replace(pool)
            said = told("the article took longer than {number} s to read", number=f"{deadline:.0f}")
            raise AnalysisError(said) from error
        except BrokenProcessPool:
            self._replace(pool)
            raise
        finally:
            self.worked += time.monotonic() - started
            self._under_way -= 1
            self._end_later()
        self._read += 1
        return story

    def _end_later(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(_IDLE, self._end_idle)

    def _end_idle(self) -> None:
        """Give the memory back that waiting processes hold."""
        if self._pool is not None and not self._under_way:
            self._pool.shutdown(wait=False)
            self._pool = None

    def _new_pool(self) -> ProcessPoolExecutor:
        self._read = 0
        # "spawn": a fork of a process with threads and an event loop may hang.
        return ProcessPoolExecutor(
            self._workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
        )

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Let the next article start a new pool; end the old one's processes, whatever they do."""
        if self._pool is broken:
            self._pool = None
        children.abandon(broken)
