"""Parsing away from the event loop: worker processes with bounds on time and memory, replaced when they fall.

A stranger's document can at worst end a worker, and with it only its own look. Documents go in as bytes
and come back as our own frozen values.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.model import Entry, Feed, Rhythm

DEADLINE: Final = 10.0
"""Seconds of the clock that one document may take."""

CPU_SECONDS: Final = 5
"""Seconds of computing that one document may take."""

MEMORY: Final = 192 * 1024 * 1024
"""Bytes that a worker may take beyond what it needs to exist."""

_KEPT_MEMORY: Final = 160 * 1024  # kB of a worker's peak, past which it makes room for a fresh one
_MODULES: Final = ("bot.feeds.parse", "bot.feeds.reading.forgiving", "charset_normalizer", "lxml.etree")


class ParserPool:
    """Worker processes that read feeds; `async with` ends them. They start when first needed."""

    def __init__(self, workers: int | None = None, *, deadline: float = DEADLINE) -> None:
        """`workers` defaults to one a processor, two at most: parsing is a small part of a poll."""
        self._size = workers or min(2, os.cpu_count() or 1)
        self._deadline = deadline
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._turn = asyncio.Semaphore(self._size)
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="parse")
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for worker in tuple(self._all):
            worker.kill()
        await asyncio.to_thread(self._threads.shutdown, True)
        self._all.clear()
        self._idle.clear()

    async def parse(self, content: bytes, url: str = "", content_type: str | None = None) -> Feed:
        """Read a feed as `bot.feeds.parse.parse_feed` does. Raises `ParseError`, also past a bound."""
        async with self._turn:
            if self._closed:
                raise ParseError("The program is stopping; the feed is read next time.")
            # Starting a process and waiting for it block, hence a thread for each worker.
            loop = asyncio.get_running_loop()
            task = loop.run_in_executor(self._threads, self._read, content, url, content_type)
            return _unpacked(await task)

    def _read(self, content: bytes, url: str, content_type: str | None) -> tuple[Any, ...]:
        """Let one worker read one document; runs in a thread."""
        worker = self._idle.pop() if self._idle else self._started()
        try:
            answer, fresh = worker.ask((content, url, content_type), self._deadline)
        except _WorkerFellError as error:
            self._end(worker)
            raise ParseError(str(error)) from None
        except BaseException:
            self._end(worker)
            raise
        if fresh and not self._closed:
            self._idle.append(worker)
        else:
            self._end(worker)
        return answer

    def _started(self) -> _Worker:
        worker = _Worker()
        self._all.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.kill()


class _WorkerFellError(Exception):
    """A worker hung or died over a document."""


# Starting a process is not safe in two threads at once (the start method's helper is one for all).
_STARTING = threading.Lock()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        # A fork server: a fork of the program itself, with its threads and its event loop, may hang, and
        # a process from scratch takes half a second to import what the server has at hand.
        context = multiprocessing.get_context("forkserver")
        with _STARTING:
            context.set_forkserver_preload(list(_MODULES))
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), name="quash-parser", daemon=True)
            self._process.start()
            theirs.close()

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def ask(self, task: tuple[bytes, str, str | None], deadline: float) -> tuple[tuple[Any, ...], bool]:
        """Hand over a document and wait; gives the answer and whether the worker is fit for more."""
        try:
            self._pipe.send(task)
            if not self._pipe.poll(deadline):
                raise _WorkerFellError(
                    f"The feed took longer than {deadline:.0f} s to read and was given up."
                )
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise _WorkerFellError(
                f"The feed takes more than {CPU_SECONDS} s or too much memory to read and was given up."
            ) from None
        return answer[1:], answer[0]

    def kill(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(OSError, ValueError):
            self._process.kill()
            self._process.join(5)
        self._pipe.close()


# ------------------------------------------------------------------------ in the worker


def _serve(pipe: Connection) -> None:
    """Read documents until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from bot.feeds.parse import parse_feed

    _bound_memory()
    with contextlib.suppress(EOFError, OSError):
        while True:
            content, url, content_type = pipe.recv()
            _bound_time()
            answer: tuple[Any, ...]
            try:
                answer = ("feed", *_packed(parse_feed(content, url=url, content_type=content_type)))
            except NotAFeedError as error:
                answer = ("other", str(error))
            except ParseError as error:
                answer = ("error", str(error))
            except MemoryError:
                answer = ("error", "The feed takes too much memory to read and was given up.")
            del content
            fit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _KEPT_MEMORY
            pipe.send((fit, *answer))


def _bound_memory() -> None:
    """Bound the address space a little above what the process has of it now (Linux tells)."""
    statm = Path("/proc/self/statm")
    used = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 512 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def _bound_time() -> None:
    """Give this document its own seconds: the limit counts what the process has used in all."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS + 1, hard))


# ------------------------------------------------------------------------ between the two
# Plain tuples: pickling them takes a third of the time that pickling dataclasses does.


def _packed(feed: Feed) -> tuple[Any, ...]:
    entries = [
        (
            entry.id, entry.url, entry.title, _seconds(entry.published), _seconds(entry.updated),
            entry.summary, entry.content, entry.authors,
        )
        for entry in feed.entries
    ]  # fmt: skip
    rhythm = (feed.rhythm.ttl_seconds, tuple(feed.rhythm.skip_hours), tuple(feed.rhythm.skip_days))
    return feed.title, feed.link, entries, feed.dialect, feed.language, rhythm, feed.hub, feed.self_url


def _unpacked(answer: tuple[Any, ...]) -> Feed:
    kind, *values = answer
    if kind == "other":
        raise NotAFeedError(values[0])
    if kind == "error":
        raise ParseError(values[0])
    title, link, entries, dialect, language, (ttl, hours, days), hub, self_url = values
    return Feed(
        title,
        link,
        tuple(
            Entry(id_, url, name, _moment(published), _moment(updated), summary, content, authors)
            for id_, url, name, published, updated, summary, content, authors in entries
        ),
        dialect,
        language,
        Rhythm(ttl, frozenset(hours), frozenset(days)),
        hub,
        self_url,
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
