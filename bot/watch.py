"""What sees to it that a process does not hang in silence: a watch on the event loop, and a bound on its end.

While the event loop stands still `/healthz` gives no answer at all, which whoever asks takes for red; the log
then says where it stands, once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)

STILL = 30.0  # seconds without a turn of the event loop after which it is said where it stands
_EVERY = 1.0  # seconds between two looks
END_WITHIN = 9.5  # seconds from SIGTERM to the end of the process, whatever is under way


class LoopWatch:
    """Watches the running event loop from a thread of its own while its context lasts."""

    def __init__(self, still: float = STILL, every: float = _EVERY) -> None:
        self._still = still
        self._every = every
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._turned_at = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()

    def _turned(self) -> None:
        self._turned_at = time.monotonic()

    def _watch(self) -> None:
        standing = False
        looked_at = time.monotonic()
        while not self._ended.wait(self._every):
            now = time.monotonic()
            if now - looked_at > self._every + self._still / 2:  # the whole process slept, or the machine
                self._turned()
            looked_at = now
            still = now - self._turned_at
            if still > self._still and not standing:
                standing = True
                _log.error("the event loop has stood still for %.0f s, here:\n%s", still, self._where())
            elif standing and still <= self._every * 2:
                standing = False
                _log.warning("the event loop turns again")
            try:
                self._loop.call_soon_threadsafe(self._turned)
            except RuntimeError:  # the loop is closed
                return

    def _where(self) -> str:
        frame = sys._current_frames().get(self._watched)
        return "".join(traceback.format_stack(frame)).rstrip()


def end_soon(within: float = END_WITHIN) -> None:
    """End the process in so many seconds, if it has not ended by itself: an orderly end is not waited for
    for ever. What is under way then is found by the next process, as after a crash."""

    def end() -> None:
        _log.error("ending took %.0f s; what was under way is dealt with at the next start", within)
        os._exit(0)

    timer = threading.Timer(within, end)
    timer.daemon = True
    timer.start()
