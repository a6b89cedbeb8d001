"""When to look next: the policy by itself, with the edges that servers find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bot.feeds.limits import FeedLimits
from bot.feeds.model import Rhythm
from bot.feeds.rebuilt import looks_rebuilt
from bot.feeds.rhythm import (
    DAY,
    Answer,
    History,
    next_look,
    publishing_gap,
    read_freshness,
    read_retry_after,
    shown_duration,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIMITS = FeedLimits()
OK = Answer("ok", 200)


def pause(history: History, answer: Answer = OK) -> float:
    when, _ = next_look(history, answer, NOW)
    assert when is not None
    return (when - NOW).total_seconds()


def test_the_usual_pause_and_a_phase_of_its_own() -> None:
    pauses = {pause(History(LIMITS, str(seed))) for seed in range(50)}
    assert len(pauses) > 45
    assert all(3600 <= seconds <= 3960 for seconds in pauses)
    assert pause(History(LIMITS, "1")) == pause(History(LIMITS, "1"))


@pytest.mark.parametrize(
    ("gap", "least", "most"),
    [(None, 3600, 3960), (60, 300, 330), (1800, 900, 990), (7200, 3600, 3960), (10 * DAY, 3600, 3960)],
)
def test_a_feed_that_proves_to_publish_fast_is_looked_at_more_often(
    gap: float | None, least: float, most: float
) -> None:
    assert least <= pause(History(LIMITS, "1", gap=gap)) <= most


@pytest.mark.parametrize(
    ("fresh", "validators", "least", "most", "words"),
    [
        (600, True, 600, 660, "allows a look every 10 min"),
        (5, True, 300, 330, "allows a look every 5 min"),
        (600, False, 7200, 7920, "cannot say"),
        (43200, True, 43200, 47520, "asked for 12 h"),
        (43200, False, 43200, 47520, "asked for 12 h"),
        (9 * DAY, True, DAY, DAY, "cut to 24 h"),
    ],
)
def test_what_the_server_says_of_freshness(
    fresh: float, validators: bool, least: float, most: float, words: str
) -> None:
    history = History(LIMITS, "1", validators=validators)
    answer = Answer("ok", 200, fresh=fresh)
    assert least <= pause(history, answer) <= most
    assert words in next_look(history, answer, NOW).reason


def test_a_hub_that_delivers_slows_looking_down() -> None:
    """For a feed that publishes often by as much less: what its hub leaves out is not shown for long."""
    assert pause(History(LIMITS, "1", pushed=True)) >= 6 * 3600
    assert 3600 <= pause(History(LIMITS, "1", gap=1200, pushed=True)) <= 3960
    assert pause(History(LIMITS, "1", pushed=True, validators=False)) <= 6.6 * 3600
    assert pause(History(FeedLimits(interval=12 * 3600), "1", pushed=True)) == DAY, "the longest pause"


def test_hints_move_a_look_out_of_the_hours_that_they_rule_out() -> None:
    hints = Rhythm(skip_hours=frozenset(range(12, 20)))
    when, reason = next_look(History(LIMITS, "1", hints=hints), OK, NOW)
    assert when is not None
    assert when.hour == 20
    assert "feed itself" in reason
    one_hour = History(FeedLimits(interval=DAY), "", hints=Rhythm(skip_hours=frozenset(range(24)) - {20}))
    looks = [next_look(one_hour._replace(seed=str(seed)), OK, NOW).when for seed in range(20)]
    assert {when.hour for when in looks if when is not None} == {20}
    days = Rhythm(skip_days=frozenset({0, 1, 2}))
    when, _ = next_look(History(LIMITS, "1", hints=days), OK, NOW)
    assert when is not None
    assert when.weekday() == 3
    all_of_them = Rhythm(skip_hours=frozenset(range(24)), skip_days=frozenset(range(7)))
    assert pause(History(LIMITS, "1", hints=all_of_them)) <= 3960
    assert pause(History(LIMITS, "1", hints=Rhythm(ttl_seconds=10**9))) <= DAY * 1.1


@pytest.mark.parametrize("kind", ["dns", "connect", "timeout", "cut", "answer", "tls", "parse", "large"])
def test_pauses_after_failures_grow_to_a_day_and_after_a_month_to_a_week(kind: str) -> None:
    pauses = [
        pause(History(LIMITS, "1", failures=n, failing_since=NOW - timedelta(days=1)), Answer(kind))
        for n in range(1, 30)
    ]
    assert pauses == sorted(pauses)
    assert pauses[1] > 1.9 * pauses[0]
    assert DAY <= pauses[-1] <= 1.1 * DAY
    old = History(LIMITS, "1", failures=99, failing_since=NOW - timedelta(days=31))
    assert 7 * DAY <= pause(old, Answer(kind)) <= 7.7 * DAY
    assert pause(old._replace(failures=1), Answer(kind)) == pauses[0], "nobody looked in that month"


def test_what_needs_somebody_to_act_waits_longer_than_what_passes() -> None:
    history = History(LIMITS, "1", failures=1, failing_since=NOW)
    passing = pause(history, Answer("timeout"))
    for kind in ("tls", "parse", "large", "redirect", "forbidden"):
        assert pause(history, Answer(kind)) > passing
    assert pause(history, Answer("status", 404)) > pause(history, Answer("status", 500))


def test_a_fault_that_passes_costs_a_busy_feed_no_more_than_its_own_pause() -> None:
    busy = History(LIMITS, "1", gap=1200, failures=1, failing_since=NOW)
    assert 600 <= pause(busy, Answer("status", 502)) <= 660
    assert pause(busy._replace(failures=3), Answer("timeout")) >= 2400
    assert pause(busy, Answer("status", 429)) >= 7200, "that is no fault"
    assert pause(busy._replace(hints=Rhythm(ttl_seconds=1800)), Answer("timeout")) >= 1800
    assert pause(busy._replace(gap=30 * DAY), Answer("timeout")) >= 3600


def test_a_retry_after_of_a_second_is_no_leave_to_hammer() -> None:
    pauses = [
        pause(History(LIMITS, "1", failures=n, failing_since=NOW), Answer("status", 503, retry_after=1))
        for n in range(1, 12)
    ]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 300
    assert pauses[-1] >= DAY


def test_max_age_of_a_429_is_a_floor_and_no_leave_to_come_sooner() -> None:
    histories = [History(LIMITS, "1", failures=n, failing_since=NOW) for n in range(1, 12)]
    bare = [pause(history, Answer("status", 429)) for history in histories]
    assert [pause(history, Answer("status", 429, fresh=15)) for history in histories] == bare
    assert pause(histories[0], Answer("status", 429, fresh=12 * 3600)) >= 12 * 3600
    assert (
        "asked for 365 d, cut to 24 h"
        in next_look(histories[0], Answer("status", 429, fresh=365 * DAY), NOW)[1]
    )


def test_cache_control_may_stand_in_several_lines() -> None:
    assert (
        read_freshness(CIMultiDict([("cache-control", "public"), ("Cache-Control", "max-age=60")]), NOW) == 60
    )


@given(
    st.builds(
        History,
        limits=st.just(LIMITS),
        seed=st.text(max_size=5),
        validators=st.booleans(),
        gap=st.none() | st.floats(0, 1e9),
        hints=st.builds(
            Rhythm,
            st.none() | st.integers(0, 10**12),
            st.frozensets(st.integers(0, 23)),
            st.frozensets(st.integers(0, 6)),
        ),
        failures=st.integers(0, 10**6),
        failing_since=st.none() | st.timedeltas(timedelta(0), timedelta(days=3000)).map(lambda d: NOW - d),
        gone=st.integers(0, 3),
        pushed=st.booleans(),
    ),
    st.builds(
        Answer,
        kind=st.sampled_from(["ok", "status", "dns", "tls", "parse", "something new"]),
        status=st.none() | st.integers(100, 599),
        fresh=st.none() | st.floats(0.001, 1e12),
        retry_after=st.none() | st.floats(0.001, 1e12),
    ),
)
def test_no_history_makes_quash_hammer_or_forget(history: History, answer: Answer) -> None:
    when, reason = next_look(history, answer, NOW)
    assert reason
    assert "\n" not in reason
    if when is None:
        assert answer.status == 410
        return
    seconds = (when - NOW).total_seconds()
    assert 300 <= seconds <= 8 * DAY
    if answer.kind == "ok" and answer.status != 410 and answer.fresh:
        assert seconds >= min(answer.fresh, LIMITS.interval_max) - 0.001


def test_the_gap_counts_silence_and_takes_a_batch_for_one() -> None:
    now = NOW.timestamp()
    every_20_minutes = [now - 1200 * n for n in range(20)]
    assert publishing_gap(every_20_minutes, now) == pytest.approx(1100, abs=120)
    assert publishing_gap(every_20_minutes, now + 10 * DAY) == pytest.approx(DAY, rel=0.1)
    assert publishing_gap([now] * 20, now) is None
    assert publishing_gap([now, now - 100, now - 200], now) is None
    assert publishing_gap([now + DAY * n for n in range(1, 20)], now) is None


@pytest.mark.parametrize(
    ("new", "total", "gap", "since", "rebuilt"),
    [
        (10, 10, DAY, 3600, True),
        (6, 10, DAY, 3600, True),
        (5, 10, DAY, 3600, False),
        (2, 2, DAY, 3600, False),  # a feed of two items shows two new ones
        (10, 10, 600, 2 * 3600, False),  # publishes every ten minutes: that is its rhythm
        (10, 10, DAY, 5 * DAY, False),  # we were away for five days
        (10, 10, None, 3600, True),
    ],
)
def test_a_rebuilt_feed_is_told_from_a_busy_one(
    new: int, total: int, gap: float | None, since: float, rebuilt: bool
) -> None:
    assert looks_rebuilt(new, total, gap, since) is rebuilt


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80), st.text(max_size=20))
def test_no_header_makes_the_readers_stumble(control: str, expires: str, retry: str, age: str) -> None:
    headers = {"Cache-Control": control, "Expires": expires, "Retry-After": retry, "Age": age}
    for seconds in (read_freshness(headers, NOW), read_retry_after(headers, NOW)):
        assert seconds is None or seconds > 0


@given(
    st.sampled_from(["Mon, 02 Mar 2026 13:00:00 GMT", "99 Mar 9999", "Mon, 31 Dec 9999 23:59:59 -2359", "1"]),
    st.text("0123456789 :,GMTJanebr+-", max_size=30),
)
def test_no_date_makes_the_readers_stumble(start: str, rest: str) -> None:
    for text in (start, start + rest, rest):
        read_retry_after({"Retry-After": text}, NOW)
        read_freshness({"Expires": text, "Date": rest}, NOW)


def test_durations_are_shown_for_people() -> None:
    shown = [shown_duration(seconds) for seconds in (0, 59, 60, 5400, 86400, 172800, 5184000)]
    assert shown == ["0 s", "59 s", "1 min", "1.5 h", "24 h", "2 d", "60 d"]
