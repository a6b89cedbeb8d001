"""Parsing away from the event loop: worker processes with bounds on time and memory, replaced when they fall.

A stranger's document can at worst end a worker, and with it only its own look. Documents go in as bytes
and come back as our own frozen values; `bot.feeds.worker` is the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bot.errors import told
from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.reading.limits import refuse_too_large
from bot.feeds.sight import SeenFeed
from bot.feeds.wire import CPU_SECONDS, LENGTH, frame, unpacked, value_of

_log = logging.getLogger(__name__)

DEADLINE: Final = 10.0
"""Seconds of the clock that one document may take."""

# The second worker is for documents that wait long, as where one of them holds the first for seconds: one
# keeps up with all that a program can fetch, and each costs its start and its memory.
_PATIENCE: Final = 2.0  # seconds
_LARGEST_FRAME: Final = 64 * 1024 * 1024
_ROOT: Final = Path(__file__).resolve().parents[2]
_CODE: Final = "import sys; fd, *sys.path = sys.argv[1:]; from bot.feeds.worker import serve; serve(int(fd))"
# What a worker is told of the environment: what Python needs to start, no settings, no secrets.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")


class ParserPool:
    """Worker processes that read feeds; `async with` ends them. They start when first needed."""

    def __init__(self, workers: int | None = None, *, deadline: float = DEADLINE) -> None:
        """`workers` defaults to one a processor, two at most: parsing is a small part of a poll."""
        self._size = workers or min(2, os.cpu_count() or 1)
        self._deadline = deadline
        # Each place holds a worker that waits, or None: who gets that starts one.
        self._places: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        self._made = 0
        self._all: set[_Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for worker in tuple(self._all):
            self._end(worker)
        await asyncio.gather(*self._ending)

    async def parse(self, content: bytes, url: str = "", content_type: str | None = None) -> SeenFeed:
        """Read a feed (`bot.feeds.parse.parse_feed`) with the identities of its entries (`bot.feeds.sight`).

        Raises `ParseError`, also past a bound.
        """
        refuse_too_large(content)
        worker = await self._place()
        kept: _Worker | None = None
        try:
            if self._closed:
                raise ParseError(told("The program is stopping; the feed is read next time."))
            if worker is None:
                worker = _Worker()
                self._all.add(worker)
            (fit, *answer), parts = await worker.ask(content, (url, content_type), self._deadline)
            kept = worker if fit else None
        finally:
            if worker is not None and kept is None:
                self._end(worker)
            self._places.put_nowait(kept)
        return _feed_of(answer, parts)

    async def _place(self) -> _Worker | None:
        """Wait for a worker, or for leave to start one (None)."""
        if self._places.empty() and self._made < self._size:
            if self._made:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PATIENCE):
                        return await self._places.get()
            if self._made < self._size:
                self._made += 1
                return None
        return await self._places.get()

    def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.kill()
        # Giving its memory back takes a process its time, and longer where others want the processor.
        ending = asyncio.create_task(asyncio.to_thread(worker.wait))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class _Worker:
    """One process and the socket to it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # A process of its own making: a fork of the program, with its threads and its loop, may hang.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                # Without `site`: where packages are is known here.
                [
                    sys.executable,
                    "-P",
                    "-S",
                    "-c",
                    _CODE,
                    str(theirs.fileno()),
                    *filter(None, sys.path),
                    str(_ROOT),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def ask(
        self, content: bytes, about: tuple[str, str | None], deadline: float
    ) -> tuple[Any, list[Any]]:
        """Hand over a document; gives (whether the worker is fit for more, answer ...), and its parts."""
        try:
            async with asyncio.timeout(deadline):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(sock=self._socket, limit=1024 * 1024)
                reader, writer = self._streams
                writer.write(b"".join((frame((len(content), *about)), content)))
                await writer.drain()
                answer = await _next(reader)
                parts = [await _next(reader) for _ in range(answer[-1] if answer[1] == "feed" else 0)]
                return answer, parts
        except TimeoutError:
            raise ParseError(
                told(
                    "The feed took longer than {number} s to read and was given up.", number=f"{deadline:.0f}"
                )
            ) from None
        except (EOFError, OSError):
            raise ParseError(
                told(
                    "The feed takes more than {number} s or too much memory to read and was given up.",
                    number=CPU_SECONDS,
                )
            ) from None

    def kill(self) -> None:
        """End the process, whatever it does."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._socket.close()
        self._process.kill()

    def wait(self) -> None:
        """Wait until the process has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


async def _next(reader: asyncio.StreamReader) -> Any:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > _LARGEST_FRAME:
        raise EOFError
    return value_of(await reader.readexactly(length))


def _feed_of(answer: Sequence[Any], parts: Sequence[Any]) -> SeenFeed:
    kind, *values = answer
    match kind:
        case "feed":
            return unpacked(values, parts)
        case "other":
            raise NotAFeedError(values[0])
        case "error":
            raise ParseError(values[0])
        case _:
            _log.error("a feed could not be read for a fault in Quash: %s", values[0])
            raise ParseError(told("Reading this feed failed for a fault in Quash; the log has the details."))
