"""When the collector of cyclic garbage walks over everything."""

from __future__ import annotations

import asyncio
import gc
import weakref

from bot.collector import at_leisure


class _Ring:
    """Refers to itself, so that only a walk of the collector takes it away."""

    def __init__(self) -> None:
        self.me = self


async def test_garbage_is_taken_away_when_nothing_is_sent_and_not_before() -> None:
    stop, busy = asyncio.Event(), True
    was = gc.get_threshold()
    gc.set_threshold(1_000_000, 1_000, 1_000_000)
    try:
        ring = weakref.ref(_Ring())
        running = asyncio.create_task(at_leisure(stop, lambda: busy, every=0.2))
        await asyncio.sleep(0.5)
        assert ring() is not None, "while messages leave, nothing holds the loop"
        busy = False
        for _ in range(500):
            if ring() is None:
                break
            await asyncio.sleep(0.02)
        assert ring() is None
    finally:
        stop.set()
        gc.set_threshold(*was)
    await running
