"""Dig: `python -m tests.feeds.fuzz parse 600` makes inputs for 600 seconds and keeps what it trips over.

Exit status 0: nothing was found. 1: the smallest input that fails is in `seeds/TARGET/`, where every test run
checks it from now on.
"""

from __future__ import annotations

import hashlib
import sys
import time
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.feeds.fuzz.targets import SEEDS, TARGETS


def dig(name: str, seconds: float) -> int:
    """Fuzz one target for so long; gives the exit status."""
    target = TARGETS[name]
    end = time.monotonic() + seconds
    tried: list[Any] = [None, 0]  # the last input, and how many there were

    @settings(max_examples=2000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def once(value: Any) -> None:
        if time.monotonic() > end:
            return
        tried[:] = [value, tried[1] + 1]
        target.check(value)

    while time.monotonic() < end:
        try:
            once()
        except Exception as error:  # whatever it is, it is the finding
            content = target.written(tried[0])  # hypothesis ends with the smallest one
            path = SEEDS / name / hashlib.sha256(content).hexdigest()[:12]
            path.write_bytes(content)
            print(f"{name}: {type(error).__name__} after {tried[1]} inputs; kept as {path}")
            return 1
    print(f"{name}: {tried[1]} inputs in {seconds:.0f} s, nothing found")
    return 0


if __name__ == "__main__":
    raise SystemExit(dig(sys.argv[1], float(sys.argv[2])))
