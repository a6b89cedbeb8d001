"""Discord's ids: 64 bits whose upper 42 are milliseconds since 2015.

Source: https://docs.discord.com/developers/reference#snowflakes
"""

from __future__ import annotations

from collections.abc import Callable

EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Gives out ids that always grow, whatever the clock does."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def next(self) -> int:
        """Give an id newer than every one given before."""
        self._last = max(first_of(self._now()), self._last + 1)
        return self._last


def first_of(seconds: float) -> int:
    """Give the smallest id that belongs to a moment in seconds since 1970."""
    return (int(seconds * 1000) - EPOCH_MS) << 22


def seconds_of(snowflake: int) -> float:
    """Give the moment at which an id was made, in seconds since 1970."""
    return ((snowflake >> 22) + EPOCH_MS) / 1000
