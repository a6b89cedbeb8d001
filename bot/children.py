"""Processes that the program starts for its own work: what each does first, and how a pool of them ends."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess


def obey_parent() -> None:
    """Leave Ctrl+C and SIGTERM to the parent, and end when that is gone, however it went.

    systemd tells every process of a unit to end, and the parent lets what is under way be done. A pool's
    queue of work stays open after the parent's death, so that alone would end nothing.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


async def end(pool: ProcessPoolExecutor) -> None:
    """End a pool for good, whatever its processes do: they are not waited for.

    The pool's own thread is: it gives semaphores back to the system.
    """
    for process in _processes_of(pool):
        process.kill()
    await asyncio.to_thread(pool.shutdown, cancel_futures=True)


def abandon(pool: ProcessPoolExecutor, *, kill: bool = True) -> None:
    """Let a pool go and do not wait; what its processes do at the moment is lost if they are killed."""
    processes = _processes_of(pool)
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes if kill else ():
        process.kill()


def _processes_of(pool: ProcessPoolExecutor) -> list[BaseProcess]:
    return list((getattr(pool, "_processes", None) or {}).values())
