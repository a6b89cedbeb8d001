"""A request that leaves only while its lease lasts, however long the process was held up before.

The check stands where a request is about to be written to the connection: after every wait, and before each
of the tries that discord.py makes by itself. What it cannot see, a stop between check and write, is Discord's
to refuse: the nonce.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import aiohttp

from bot.alerts.errors import TryAgainError

# Counts the time in which the machine slept, too; elsewhere at least that in which the process was stopped.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_ends: ContextVar[float | None] = ContextVar("lease_ends", default=None)


def now() -> float:
    """Give the seconds that have passed since the machine started; no change of its clock moves them."""
    return time.clock_gettime(_CLOCK)


@contextlib.contextmanager
def leased(seconds: float) -> Iterator[None]:
    """Let requests of this task leave for so many seconds from now, and not past a lease around it."""
    outer = _ends.get()
    ends = now() + seconds
    before = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(before)


def check() -> None:
    """Raise `TryAgainError` where the lease has ended."""
    ends = _ends.get()
    if ends is not None and now() > ends:
        # An earlier try of the same call may have got through.
        raise TryAgainError("The process was held up for longer than it may serve a channel.", landed=True)


def trace() -> aiohttp.TraceConfig:
    """Give what makes a client session check before every request."""

    async def before(*_: Any) -> None:
        check()

    config = aiohttp.TraceConfig()
    config.on_request_start.append(before)
    return config
