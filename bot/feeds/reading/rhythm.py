"""What a feed says of its own rhythm: RSS `ttl`, `skipHours`, `skipDays`, and the syndication module."""

from __future__ import annotations

from typing import Final

from bot.feeds.model import Rhythm
from bot.feeds.reading import names

_PERIODS: Final = {
    "hourly": 3600,
    "daily": 86_400,
    "weekly": 604_800,
    "monthly": 2_592_000,
    "yearly": 31_536_000,
}
_DAYS: Final = {
    name: number
    for number, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}
_LONGEST: Final = 31_536_000  # a year


class Gathered:
    """Collects the elements; `result()` gives the `Rhythm`."""

    __slots__ = ("_days", "_frequency", "_hours", "_period", "_ttl")

    def __init__(self) -> None:
        self._ttl: int | None = None
        self._period: int | None = None
        self._frequency = 1
        self._hours: set[int] = set()
        self._days: set[int] = set()

    def take(self, role: int, text: str) -> None:
        """Take the text of one element; what is no sensible value is passed over."""
        if role == names.SKIP_DAY:
            if text.lower() in _DAYS:
                self._days.add(_DAYS[text.lower()])
        elif role == names.PERIOD:
            self._period = _PERIODS.get(text.lower())
        elif text.isascii() and text.isdigit() and len(text) < 10:
            number = int(text)
            if role == names.TTL and number:
                self._ttl = min(number * 60, _LONGEST)
            elif role == names.FREQUENCY and number:
                self._frequency = number
            elif role == names.SKIP_HOUR and number <= 24:
                # RSS 0.91 counts the hours from 1 to 24, RSS 2.0 from 0 to 23.
                self._hours.add(number % 24)

    def result(self) -> Rhythm:
        """Give the rhythm; hours or days that leave no time at all are taken for a mistake."""
        period = self._period // self._frequency if self._period else None
        times = [seconds for seconds in (self._ttl, period) if seconds]
        return Rhythm(
            ttl_seconds=max(times) if times else None,
            skip_hours=frozenset(self._hours) if len(self._hours) < 24 else frozenset(),
            skip_days=frozenset(self._days) if len(self._days) < 7 else frozenset(),
        )
