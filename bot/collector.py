"""Python's collector of cyclic garbage, kept from holding the event loop."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the parser's processes use `calm` alone, and each start would wait for the rest
    import asyncio

_EVERY = 600.0  # seconds between two walks over everything
_PUT_OFF = 5  # times that a walk is put off while there is work
_NEVER = 1_000_000  # walks over the middle generation before the collector walks over everything by itself


def calm() -> None:
    """Let the collector pass over what exists now, and run less often; call it once, when all is loaded.

    The libraries' own objects (some 200,000) live as long as the process; walking over them takes 50 to
    100 ms at a time, on the event loop, and a fifth of a poll round's CPU.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def collect_at_leisure() -> None:
    """Let what is there now stay, and leave walks over everything to `at_leisure`; call it once all is there.

    With 10,000 channels to post in, such a walk took 120 ms of the event loop, again and again.
    """
    gc.freeze()
    gc.set_threshold(10_000, 5, _NEVER)  # small walks over what is young


async def at_leisure(stop: asyncio.Event, busy: Callable[[], bool], *, every: float = _EVERY) -> None:
    """Walk over everything now and then, when nothing is being sent, until told to stop."""
    import asyncio

    put_off = 0
    while not stop.is_set():
        try:
            async with asyncio.timeout(every):
                await stop.wait()
        except TimeoutError:
            if busy() and put_off < _PUT_OFF:
                put_off += 1
            else:
                put_off = 0
                gc.collect()
