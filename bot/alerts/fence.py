"""A request that leaves only while its lease lasts, however long the process was held up before.

The check stands where a request is about to be written to the connection: after every wait, and before each
of the tries that discord.py makes by itself. What it cannot see, a stop between check and write, is Discord's
to refuse: the nonce.

Of those tries discord.py tells the last one's answer alone. Whether one before it got none, so that something
may have been posted all the same, is noted here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.alerts.errors import OUT_OF_TIME, held_up

# Counts the time in which the machine slept, too; elsewhere at least that in which the process was stopped.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(slots=True)
class Lease:
    """Until when requests may leave, by `now`. `lost_answer`: whether the answer to one that posts something
    was lost, or tells nothing of what became of it."""

    ends: float
    lost_answer: bool = False


_lease: ContextVar[Lease | None] = ContextVar("lease", default=None)


def now() -> float:
    """Give the seconds that have passed since the machine started; no change of its clock moves them."""
    return time.clock_gettime(_CLOCK)


@contextlib.contextmanager
def leased(seconds: float) -> Iterator[Lease]:
    """Let requests of this task leave for so many seconds from now, and not past a lease around it."""
    outer = _lease.get()
    ends = now() + seconds
    lease = Lease(ends if outer is None else min(ends, outer.ends))
    before = _lease.set(lease)
    try:
        yield lease
    finally:
        _lease.reset(before)


def check() -> None:
    """Raise `TryAgainError` where the lease has ended."""
    lease = _lease.get()
    if lease is not None and now() > lease.ends:
        raise held_up(landed=True)  # an earlier try of the same call may have got through


def trace() -> aiohttp.TraceConfig:
    """Give what makes a client session check before every request, and note what was lost of its answer."""

    async def before(*_: Any) -> None:
        check()

    async def ended(_session: Any, _context: Any, request: aiohttp.TraceRequestEndParams) -> None:
        if request.response.status >= 500 or request.response.status in OUT_OF_TIME:
            lost(request.method)

    async def broke(_session: Any, _context: Any, request: aiohttp.TraceRequestExceptionParams) -> None:
        lost(request.method)

    def lost(method: str) -> None:
        lease = _lease.get()
        if lease is not None and method == "POST":
            lease.lost_answer = True

    config = aiohttp.TraceConfig()
    config.on_request_start.append(before)
    config.on_request_end.append(ended)
    config.on_request_exception.append(broke)
    return config
