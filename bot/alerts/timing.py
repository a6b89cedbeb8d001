"""When something comes: digests at local times, quiet hours, local days. Pure; in and out go UTC instants.

A local time stands for one instant: of a time that the clock passes twice the first, of one that it skips as
much later as the clock is put on (Python's own reading, PEP 495). So changes of clock neither double nor
lose a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PERIODS = ("hourly", "daily", "weekly")  # the soonest first
DIGEST_TIME = time(9)  # of daily and weekly digests
_MONDAY = 0
# The largest change of clock is a day (Samoa left out 30 December 2011).
_LARGEST_CHANGE = timedelta(days=1)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Hours:
    """A server's time: the name of its zone, and from when to when it is quiet ("22:00", local time)."""

    zone: str = "UTC"
    quiet_from: str | None = None
    quiet_to: str | None = None


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its name; UTC for one that is not known (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=1024)  # a story goes to many channels of few zones
def next_due(period: str, zone: str, after: datetime) -> datetime:
    """Give the next time of a digest: on the hour, at 9 o'clock, on Monday at 9 o'clock, by the local clock.

    It is later than `after`, and the same for any moment until then. A day that a zone leaves out whole
    has no digest of its own.
    """
    there = zone_of(zone)
    local = after.astimezone(there).replace(tzinfo=None)
    return min(at for slot in _slots(period, local) if (at := _instant(slot, there)) > after)


def quiet_until(hours: Hours, now: datetime) -> datetime | None:
    """Give the end of a server's quiet hours, None when it is not quiet there."""
    begins, ends = clock_time(hours.quiet_from), clock_time(hours.quiet_to)
    if begins is None or ends is None or begins == ends:
        return None
    there = zone_of(hours.zone)
    today = now.astimezone(there).date()
    # A night that began today, yesterday, or the day before a day that was left out.
    for day in (today + timedelta(days=back) for back in (0, -1, -2)):
        last = day if begins < ends else day + timedelta(days=1)
        end = _instant(datetime.combine(last, ends), there)
        if _instant(datetime.combine(day, begins), there) <= now < end:
            return end
    return None


def day_start(zone: str, now: datetime) -> datetime:
    """Give the beginning of the local day."""
    there = zone_of(zone)
    today: date = now.astimezone(there).date()
    start = _instant(datetime.combine(today, time()), there)
    return min(start, now)  # a day that comes twice began before


def clock_time(written: str | None) -> time | None:
    """Read a time of day ("22:00"), None where it is none."""
    found = _CLOCK.fullmatch(written or "")
    return time(int(found[1]), int(found[2])) if found else None


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _slots(period: str, local: datetime) -> Iterator[datetime]:
    """Give the local times of digests around a local time, so many that the next is among them."""
    if period == "hourly":
        step, first = timedelta(hours=1), local.replace(minute=0, second=0, microsecond=0)
    else:
        step, first = timedelta(days=1), datetime.combine(local.date(), DIGEST_TIME)
    if period == "weekly":
        step = timedelta(days=7)
        first -= timedelta(days=(first.weekday() - _MONDAY) % 7)
    slot = first - step * (_LARGEST_CHANGE // step + 1)
    while slot <= local + _LARGEST_CHANGE + step:
        yield slot
        slot += step
