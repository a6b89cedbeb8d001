"""P33: whether a feed of which much is new at once was rebuilt, or shows other entries each time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.feeds.memory import Memory
from bot.feeds.rhythm import DAY, publishing_gap
from bot.feeds.sight import Sighting

_TURNING = 2  # times that a feed looked rebuilt before, within so many seconds, that show it is its habit
_TURNING_WITHIN = 30 * DAY


def is_rebuilt(new: int, total: int, memory: Memory, *, last: datetime | None, now: datetime) -> bool:
    """P33: tell whether over half of a known feed looks new at once, more than its own rhythm explains.

    `new` of `total` entries are; `last` is its last good look.
    """
    if not new or last is None:
        return False
    gap = publishing_gap(memory.times, last.timestamp())
    return looks_rebuilt(new, total, gap, (now - last).total_seconds())


def looks_rebuilt(new: int, total: int, gap: float | None, since: float) -> bool:
    """P33: tell whether so much is new at once that the feed was rebuilt rather than written.

    `since` is the time since the last good look in seconds: what the feed's own rhythm explains is no
    rebuilding, nor are one or two entries of a very short feed.
    """
    explained = 3 * since / gap if gap else 0.0
    return new >= 3 and new * 2 > total and new > explained


def turns_over(rebuilt: Sequence[float], now: float) -> bool:
    """Tell whether a feed that looks rebuilt once more is one that shows other entries each time.

    Gazettes and daily bulletins are. `rebuilt`: when it looked so before, in Unix time.
    """
    return sum(now - at <= _TURNING_WITHIN for at in rebuilt) >= _TURNING


def is_dated_since(sighting: Sighting, at: float) -> bool:
    """Tell whether an entry is dated after a moment (Unix time); one without a date is not."""
    return sighting.published is not None and sighting.published > at
