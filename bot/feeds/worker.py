"""A process that reads feeds for another one, with bounds on time and memory: `serve` is all it does.

It is started by `bot.feeds.workers` with one socket (what goes over it: `bot.feeds.wire`) and without the
program's environment: no token and no password is where strangers' bytes are read. It imports little, since
each start waits for it; what only ill-formed documents need is imported when the first such document comes.
"""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from typing import Any, BinaryIO, Final

from bot.collector import calm
from bot.errors import told
from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.parse import parse_feed
from bot.feeds.sight import seen
from bot.feeds.wire import CPU_SECONDS, LENGTH, frame, packed, value_of

MEMORY: Final = 192 * 1024 * 1024
"""Bytes that a worker may take beyond what it needs to exist."""

_KEPT_MEMORY: Final = 128 * 1024 * 1024  # bytes that a worker keeps, past which it makes room for a fresh one
_STATM: Final = "/proc/self/statm"
_AT_ONCE: Final = 128 * 1024  # bytes taken from the socket in one go: most documents whole


def serve(descriptor: int) -> None:
    """Read the documents that come over a socket until it closes."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent's to handle; systemd tells every process
        signal.signal(number, signal.SIG_IGN)
    calm()
    memory = _Memory()
    _bound_memory(memory)
    # By the descriptor itself: the module for sockets is not needed for anything else.
    with suppress(EOFError, OSError), open(descriptor, "rb", buffering=_AT_ONCE) as asked:
        while True:
            content, url, content_type = _received(asked)
            _bound_time()
            answer, parts = _answer(content, url, content_type)
            del content
            fit = memory.bytes(resident=True) < _KEPT_MEMORY
            _send(descriptor, frame((fit, *answer)))
            for part in parts:
                _send(descriptor, frame(part))


def _received(asked: BinaryIO) -> tuple[bytes, str, str | None]:
    """Take a document, with where it came from and its content type."""
    head = asked.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    size, url, content_type = value_of(asked.read(*LENGTH.unpack(head)))
    return asked.read(size), url, content_type


def _send(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _answer(content: bytes, url: str, content_type: str | None) -> tuple[tuple[Any, ...], list[Any]]:
    """Give the first frame, and the frames of the entries."""
    try:
        head, parts = packed(seen(parse_feed(content, url=url, content_type=content_type)))
    except NotAFeedError as error:
        return ("other", str(error)), []
    except ParseError as error:
        return ("error", str(error)), []
    except MemoryError:
        return ("error", told("The feed takes too much memory to read and was given up.")), []
    except Exception as error:  # a fault of ours: told to the parent, which logs it
        return ("fault", f"{type(error).__name__}: {error}"), []
    return ("feed", *head), parts


class _Memory:
    """What the process has now. `ru_maxrss` would not do: after an exec it still tells of the parent."""

    def __init__(self) -> None:
        try:
            self._file: int | None = os.open(_STATM, os.O_RDONLY)
        except OSError:
            self._file = None

    def bytes(self, *, resident: bool) -> int:
        """Give the bytes in memory or of address space; where nothing tells, a guess."""
        if self._file is None:
            return 0 if resident else 512 * 1024 * 1024
        return int(os.pread(self._file, 200, 0).split()[int(resident)]) * resource.getpagesize()


def _bound_memory(memory: _Memory) -> None:
    """Bound the address space a little above what the process has of it now."""
    most = memory.bytes(resident=False) + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _bound_time() -> None:
    """Give this document its own seconds: the limit counts what the process has used in all."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS + 1, hard))
