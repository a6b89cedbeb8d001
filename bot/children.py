"""What every process that the program starts for its own work does first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


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
