"""When digests come and when it is quiet, in every time zone, across every change of clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.alerts.timing import PERIODS, Hours, day_start, next_due, quiet_until

_ZONES = sorted(available_timezones() - {"localtime"})
_LONGEST = {"hourly": timedelta(hours=25), "daily": timedelta(hours=48), "weekly": timedelta(days=8)}

zones = st.sampled_from(_ZONES)
moments = st.integers(-1_262_304_000, 3_786_912_000).map(  # 1930 to 2090
    lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


def _at(zone: str, *local: int, fold: int = 0) -> datetime:
    return datetime(*local, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


_SAMOA, _LORD_HOWE = "Pacific/Apia", "Australia/Lord_Howe"


@given(st.sampled_from(PERIODS), zones, moments, st.integers(0, 999))
@example("hourly", _SAMOA, datetime(2011, 12, 30, 9, 30, tzinfo=UTC), 500)
@example("daily", _SAMOA, datetime(2011, 12, 29, 20, tzinfo=UTC), 500)
@example("weekly", "Pacific/Kwajalein", datetime(1993, 8, 20, 20, tzinfo=UTC), 500)
@example("hourly", _LORD_HOWE, datetime(2026, 10, 3, 15, 10, tzinfo=UTC), 900)
@example("hourly", _LORD_HOWE, datetime(2026, 4, 4, 14, 45, tzinfo=UTC), 900)
def test_a_digest_is_due_once_whenever_one_asks_before_it(
    period: str, zone: str, now: datetime, thousandths: int
) -> None:
    due = next_due(period, zone, now)
    assert now < due <= now + _LONGEST[period]
    assert next_due(period, zone, now + (due - now) * thousandths / 1000) == due
    assert next_due(period, zone, due) > due
    local = due.astimezone(ZoneInfo(zone))
    if not _clock_is_put_on(due, zone):
        assert (local.minute, local.second) == (0, 0)
        if period != "hourly":
            assert local.hour == 9
        if period == "weekly":
            assert local.weekday() == 0


def _clock_is_put_on(at: datetime, zone: str) -> bool:
    """Tell whether the clock was changed in the day before."""
    there = ZoneInfo(zone)
    return at.astimezone(there).utcoffset() != (at - timedelta(days=1)).astimezone(there).utcoffset()


@given(zones, moments)
def test_every_local_day_has_one_daily_digest(zone: str, now: datetime) -> None:
    dues = [next_due("daily", zone, now)]
    for _ in range(6):
        dues.append(next_due("daily", zone, dues[-1]))
    days = [due.astimezone(ZoneInfo(zone)).date() for due in dues]
    assert len(set(days)) == len(days)
    left_out = {_SAMOA, "Pacific/Kwajalein", "Kwajalein", "Pacific/Fakaofo", "Pacific/Enderbury"}
    left_out |= {"Pacific/Kiritimati", "Pacific/Kanton", "Asia/Manila", "US/Samoa"}
    if zone not in left_out:
        assert [day - days[0] for day in days] == [timedelta(days=n) for n in range(7)]


@pytest.mark.parametrize(
    ("period", "zone", "after", "due"),
    [
        ("hourly", "UTC", (2026, 3, 2, 12, 0), (2026, 3, 2, 13, 0)),
        ("hourly", "Asia/Kolkata", (2026, 3, 2, 12, 10), (2026, 3, 2, 13, 0)),
        ("daily", "Europe/Berlin", (2026, 3, 2, 8, 59), (2026, 3, 2, 9, 0)),
        ("daily", "Europe/Berlin", (2026, 3, 2, 9, 0), (2026, 3, 3, 9, 0)),
        ("daily", "Europe/Berlin", (2026, 3, 28, 10, 0), (2026, 3, 29, 9, 0)),  # the night is 23 h long
        ("daily", "Europe/Berlin", (2026, 10, 24, 10, 0), (2026, 10, 25, 9, 0)),  # and here 25 h
        ("weekly", "America/New_York", (2026, 3, 2, 9, 0), (2026, 3, 9, 9, 0)),  # clocks change on the 8th
        ("weekly", "America/New_York", (2026, 3, 8, 23, 59), (2026, 3, 9, 9, 0)),
        ("hourly", "Europe/Berlin", (2026, 3, 29, 1, 30), (2026, 3, 29, 3, 0)),  # there is no 2 o'clock
        ("hourly", "Europe/Berlin", (2026, 10, 25, 2, 0), (2026, 10, 25, 3, 0)),  # 2 o'clock comes twice
        ("hourly", _LORD_HOWE, (2026, 10, 4, 1, 30), (2026, 10, 4, 2, 30)),  # 2:00 is 2:30
        ("hourly", _LORD_HOWE, (2026, 4, 5, 1, 40), (2026, 4, 5, 2, 0)),
        ("daily", _SAMOA, (2011, 12, 29, 9, 0), (2011, 12, 31, 9, 0)),  # there was no 30th
    ],
)
def test_times_that_people_can_name(
    period: str, zone: str, after: tuple[int, ...], due: tuple[int, ...]
) -> None:
    assert next_due(period, zone, _at(zone, *after)) == _at(zone, *due)


def test_a_zone_that_is_unknown_is_utc() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for zone in ("Middle/Earth", "", "../etc/passwd", "\0"):
        assert next_due("daily", zone, noon) == datetime(2026, 3, 3, 9, tzinfo=UTC)


@given(zones, moments, clocks, clocks)
def test_quiet_hours_end_within_two_days_and_it_is_not_quiet_then(
    zone: str, now: datetime, begins: str, ends: str
) -> None:
    hours = Hours(zone, begins, ends)
    end = quiet_until(hours, now)
    if end is None:
        return
    assert now < end <= now + timedelta(hours=49)
    again = quiet_until(hours, end)
    # Only where a change of clock lets two nights touch does one follow the other at once.
    assert again is None or _clock_is_put_on(again, zone) or _clock_is_put_on(end, zone)
    assert quiet_until(hours, now + (end - now) / 2) == end


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (Hours("UTC", "22:00", "07:00"), (2026, 3, 2, 21, 59), None),
        (Hours("UTC", "22:00", "07:00"), (2026, 3, 2, 22, 0), (2026, 3, 3, 7, 0)),
        (Hours("UTC", "22:00", "07:00"), (2026, 3, 3, 6, 59), (2026, 3, 3, 7, 0)),
        (Hours("UTC", "22:00", "07:00"), (2026, 3, 3, 7, 0), None),
        (Hours("UTC", "12:00", "14:00"), (2026, 3, 3, 13, 0), (2026, 3, 3, 14, 0)),
        (Hours("UTC", "12:00", "14:00"), (2026, 3, 3, 23, 0), None),
        (Hours("UTC", "12:00", "12:00"), (2026, 3, 3, 12, 0), None),
        (Hours("UTC", "25:00", "12:00"), (2026, 3, 3, 1, 0), None),
        (Hours("UTC", "22:00", None), (2026, 3, 2, 23, 0), None),
        (Hours("Europe/Berlin", "22:00", "07:00"), (2026, 3, 29, 1, 0), (2026, 3, 29, 7, 0)),
        (Hours("Europe/Berlin", "22:00", "02:30"), (2026, 3, 29, 1, 59), (2026, 3, 29, 3, 30)),
        (Hours(_SAMOA, "22:00", "07:00"), (2011, 12, 29, 23, 0), (2011, 12, 31, 7, 0)),
    ],
)
def test_nights_that_people_can_name(hours: Hours, now: tuple[int, ...], end: tuple[int, ...] | None) -> None:
    assert quiet_until(hours, _at(hours.zone, *now)) == (_at(hours.zone, *end) if end else None)


def test_a_doubled_hour_does_not_prolong_the_night() -> None:
    night = Hours("Europe/Berlin", "22:00", "02:30")
    second = _at("Europe/Berlin", 2026, 10, 25, 2, 15, fold=1)
    assert quiet_until(night, second) is None
    assert quiet_until(night, second - timedelta(hours=1)) == _at("Europe/Berlin", 2026, 10, 25, 2, 30)


@given(zones, moments)
def test_a_day_begins_before_and_is_a_day_long_at_most(zone: str, now: datetime) -> None:
    start = day_start(zone, now)
    assert now - timedelta(hours=49) < start <= now
    assert start.astimezone(ZoneInfo(zone)).date() <= now.astimezone(ZoneInfo(zone)).date()
