"""The numbered steps on the way from a waiting entry to a stored message id, for tests that kill here.

`step` does nothing unless the environment says `QUASH_KILL_AT=7`, or `7:3` for the third time that step 7
is reached: then the process ends as by a power cut.
"""

from __future__ import annotations

import enum
import os
import signal


class Step(enum.IntEnum):
    """Where a process may die."""

    ENTRY_CLAIMED = 1
    STORY_READ = 2
    STORY_STORED = 3  # in its transaction, nobody owed yet
    DELIVERIES_OWED = 4  # in the same transaction, not committed
    STORY_COMMITTED = 5
    INTENT_STORED = 6  # in its transaction, not committed
    INTENT_COMMITTED = 7
    REQUEST_LEAVES = 8
    ANSWER_CAME = 9
    OUTCOME_STORED = 10  # in its transaction, not committed
    OUTCOME_COMMITTED = 11
    CARD_POSTED = 12  # between REQUEST_LEAVES and ANSWER_CAME: the case's thread is not made yet
    PUBLISHING_CLAIMED = 13
    PUBLISHED = 14  # on Discord, not stored


_kill_at, _times_left = 0, 0


def arm(value: str) -> None:
    """Choose where to die: "7", or "7:3"; "" for nowhere."""
    global _kill_at, _times_left
    at, _, times = value.partition(":")
    _kill_at, _times_left = int(at or 0), int(times or 1)


def step(reached: Step) -> None:
    """Die here if that was chosen."""
    global _times_left
    if reached != _kill_at:
        return
    _times_left -= 1
    if _times_left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("QUASH_KILL_AT", ""))
