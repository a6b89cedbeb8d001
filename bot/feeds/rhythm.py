"""When to look at a feed next, and why then: pure functions, nothing is asked of anybody.

The rules are P10 to P16 and P27 to P31 of docs/feed-behaviour.md. `next_look` puts them together; the
reason that it gives is stored and shown, so that a moderator can see why a feed is quiet.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from bot.errors import told
from bot.feeds.limits import FeedLimits
from bot.feeds.model import Rhythm
from bot.words import mark

_HOUR = 3600.0
DAY = 86400.0
LONGEST_RETRY_AFTER = 7 * DAY
FAILS_FOR_LONG = DAY  # then the people who use the feed are told
FAILS_FOR_GOOD = 30 * DAY  # then its pauses grow on, to seven of the longest

_JITTER = 0.1  # of the pause, added: feeds of one host drift apart and stay apart
_WITHOUT_VALIDATORS = 2  # times the pause, where every look costs the server a full answer
_LOOKS_PER_GAP = 2  # looks between two entries of a feed that proves to publish often
_PROOF = 4  # entries that it takes to prove it
_ENTRIES_KEPT = 10
_CONTROL = "cache-control"
_WHILE_PUSHED = 6  # times the pause, while a hub sends what is new by itself

# First pause after a failure by its cause, in intervals; it doubles each time. What is likely to pass
# starts short (for a feed that publishes often, at its own pause), what needs somebody to act starts long.
_FIRST_PAUSE = {
    "dns": 1.0,
    "connect": 1.0,
    "timeout": 1.0,
    "cut": 1.0,
    "answer": 1.0,
    "tls": 2.0,
    "parse": 2.0,
    "large": 4.0,
    "redirect": 4.0,
    "forbidden": 8.0,
    "address": 8.0,
}
_FIRST_PAUSE_OF_STATUS = {401: 4.0, 403: 2.0, 404: 2.0, 429: 2.0, 451: 8.0}
_CAUSES = {
    "dns": told("its name cannot be found"),
    "connect": told("it cannot be reached"),
    "timeout": told("it does not answer in time"),
    "cut": told("it breaks off in the middle"),
    "answer": told("what it sends is not proper HTTP"),
    "tls": told("its certificate is not in order"),
    "parse": told("what it sends is no feed"),
    "large": told("what it sends is too large"),
    "redirect": told("its redirects lead nowhere"),
    "forbidden": told("it leads to an address that is not public"),
    "address": told("it leads to an address that is not fetched"),
}


class Answer(NamedTuple):
    """What a look brought, as far as the rhythm goes by it.

    `kind` is "ok" (200 with a feed, or 304), "status" (another status) or the `kind` of the error.
    `fresh` and `retry_after` are seconds from now that the server asked for, None where it did not.
    """

    kind: str
    status: int | None = None
    fresh: float | None = None
    retry_after: float | None = None


class History(NamedTuple):
    """What is known of a feed, this look included.

    `seed` gives the feed a phase of its own, the same after every restart. `gap` is the time between
    entries in seconds (`publishing_gap`). `failures` counts looks in a row without success. `scout`: no other
    server is reached either, and this one is asked on, to see when they are.
    """

    limits: FeedLimits
    seed: str
    validators: bool = True
    gap: float | None = None
    hints: Rhythm = Rhythm()
    failures: int = 0
    failing_since: datetime | None = None
    gone: int = 0
    pushed: bool = False
    scout: bool = False


class NextLook(NamedTuple):
    """When to look (None: never again), and the reason, fit to stand behind "in 11 h: "."""

    when: datetime | None
    reason: str


def next_look(history: History, response: Answer, now: datetime) -> NextLook:
    """Decide when to look next."""
    if response.status == 410:
        return _after_gone(history, now)
    if response.kind == "ok":
        return _after_success(history, response, now)
    return _after_failure(history, response, now)


def _after_gone(history: History, now: datetime) -> NextLook:
    """P27: once more at most, as 410 may be a slip; then never."""
    if history.gone > 1:
        return NextLook(None, told("the server says that it is gone for good"))
    return NextLook(
        _later(now, _jittered(history, history.limits.interval_max)),
        told("the server says that it is gone for good; one last look to be sure"),
    )


def _after_success(history: History, response: Answer, now: datetime) -> NextLook:
    limits = history.limits
    pause, reason = _own_pause(history)
    while_pushed = min(min(pause, limits.interval) * _WHILE_PUSHED, limits.interval_max)
    fresh = response.fresh
    if fresh is not None and (fresh >= pause or history.validators):
        if fresh > limits.interval_max:
            pause = limits.interval_max
            reason = told(
                "the server asked for {time}, cut to {time2}, the longest pause allowed here",
                time=shown_duration(fresh),
                time2=shown_duration(pause),
            )
        elif fresh >= pause:
            pause, reason = fresh, told("the server asked for {time}", time=shown_duration(fresh))
        else:
            pause = max(fresh, limits.interval_min)
            reason = told("the server allows a look every {time}", time=shown_duration(pause))
    if history.pushed and pause < while_pushed:
        pause = while_pushed
        reason = told("its hub sends what is new by itself, so this is only to make sure")
    ttl = min(history.hints.ttl_seconds or 0, limits.interval_max)
    if ttl > pause:
        pause, reason = ttl, told("the feed itself asks for {time}", time=shown_duration(ttl))
    when = _later(now, pause if pause >= limits.interval_max else _jittered(history, pause))
    allowed = _out_of_skipped(when, history.hints)
    if allowed != when:
        spread = min(history.limits.interval, _HOUR) * _JITTER  # it stays within the hour that is allowed
        return NextLook(
            _later(allowed, spread * _phase(history.seed)),
            told("the feed itself says that nothing comes before then"),
        )
    return NextLook(when, reason)


def _own_pause(history: History) -> tuple[float, str]:
    """P10, P11: the pause of a feed whose server asks for none."""
    limits = history.limits
    pause, reason = limits.interval, told("the usual pause")
    if not history.validators:
        pause = min(pause * _WITHOUT_VALIDATORS, max(limits.interval_max, pause))
        reason = told("a longer pause, as its server cannot say whether anything changed")
    if history.gap is not None and history.gap / _LOOKS_PER_GAP < pause:
        pause = max(history.gap / _LOOKS_PER_GAP, min(limits.interval_min, pause))
        reason = told("it publishes every {time}", time=shown_duration(history.gap))
    return pause, reason


def _after_failure(history: History, response: Answer, now: datetime) -> NextLook:
    """P12, P14, P15, P28: what the server asks for, else longer every time; never stops by itself."""
    limits = history.limits
    failing = (now - history.failing_since).total_seconds() if history.failing_since else 0.0
    longest = limits.interval_max * (7 if failing >= FAILS_FOR_GOOD else 1)
    pause = min(_growing(history, response), longest)
    if history.scout:
        pause = min(pause, limits.interval)
    asked, most = max(
        (response.retry_after or 0.0, LONGEST_RETRY_AFTER),
        (response.fresh or 0.0, limits.interval_max),
        key=min,
    )
    cut = min(asked, most)
    # Retry-After says when to come again; max-age alone is no leave to come sooner after a refusal.
    if not asked or (response.retry_after is None and cut <= pause):
        return NextLook(_later(now, _jittered(history, pause)), _failure_reason(history, response))
    reason = told("the server asked for {time}", time=shown_duration(asked))
    if asked > cut:
        reason = told(
            "the server asked for {time}, cut to {time2}, the longest that is granted",
            time=shown_duration(asked),
            time2=shown_duration(cut),
        )
    # Our own slowing-down goes on below it, else a server that asks for a second is asked every second.
    least = min(limits.interval_min * 2 ** min(history.failures, 20), limits.interval_max)
    pause = max(cut, least)
    return NextLook(_later(now, pause + min(pause, limits.interval) * _JITTER * _phase(history.seed)), reason)


def _growing(history: History, response: Answer) -> float:
    if response.kind == "status":
        first = _FIRST_PAUSE_OF_STATUS.get(response.status or 0, 1.0)
    else:
        first = _FIRST_PAUSE.get(response.kind, 1.0)
    doublings = min(max(history.failures - 1, 0), 20)
    pace = history.limits.interval
    if first <= 1:  # it may well pass before a feed that publishes often would be looked at next
        pace = min(pace, max(_own_pause(history)[0], history.hints.ttl_seconds or 0))
    return float(pace * first * 2**doublings)


def _failure_reason(history: History, response: Answer) -> str:
    cause = _CAUSES.get(response.kind)
    if cause is None:
        cause = told("the server answers with status {status}", status=response.status)
    if history.failures < 2:
        return cause
    return told("{cause}, {number} times in a row", cause=cause, number=history.failures)


def _phase(seed: str) -> float:
    """Give a number in [0, 1) that is the feed's own."""
    return zlib.crc32(seed.encode("utf-8", "replace")) / 2**32


def _jittered(history: History, pause: float) -> float:
    return pause * (1 + _JITTER * _phase(history.seed))


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def _out_of_skipped(when: datetime, hints: Rhythm) -> datetime:
    """P30: move on to the first hour that the feed does not rule out; one that rules out all is ignored."""
    if not hints.skip_hours and not hints.skip_days:
        return when
    candidate = when.astimezone(UTC)
    for _ in range(7 * 24):
        if candidate.hour not in hints.skip_hours and candidate.weekday() not in hints.skip_days:
            return candidate
        candidate = candidate.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return when


def publishing_gap(times: Sequence[float], now: float) -> float | None:
    """Estimate the seconds between two entries from when the latest ones appeared (Unix times).

    The time since the last one counts too, so a feed that falls silent stops looking busy. None while
    there are too few to prove anything; entries of the same minute are one (a batch is no rhythm).
    """
    distinct = 0
    oldest = -1.0
    for time in sorted(times, reverse=True):
        minute = time // 60
        if time > now or minute == oldest:
            continue
        oldest = minute
        distinct += 1
        if distinct == _ENTRIES_KEPT:
            break
    if distinct < _PROOF:
        return None
    return (now - oldest * 60) / distinct


def latest_times(times: Sequence[float]) -> tuple[int, ...]:
    """Give the part of the times that `publishing_gap` needs, newest first."""
    return tuple(sorted({int(time) for time in times}, reverse=True)[: 4 * _ENTRIES_KEPT])


def read_freshness(headers: Mapping[str, str], now: datetime) -> float | None:
    """Give the seconds for which the server calls its answer fresh (RFC 9111 section 4.2), None if silent.

    P13: Age is taken off; no-cache, and an Expires that is past or malformed, say nothing of a rhythm.
    """
    # Each of several lines says a part (RFC 9110 section 5.3).
    directives = _directives(",".join(value for name, value in headers.items() if name.lower() == _CONTROL))
    if "no-cache" in directives or "no-store" in directives:
        return None
    lifetime: float | None
    if "max-age" in directives:
        lifetime = _whole_number(directives["max-age"])
    else:
        expires = _http_date(headers.get("Expires", ""))
        lifetime = (
            (expires - (_http_date(headers.get("Date", "")) or now)).total_seconds() if expires else None
        )
    if lifetime is None:
        return None
    fresh = lifetime - (_whole_number(headers.get("Age", "")) or 0)
    return fresh if fresh > 0 else None


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Give the seconds of Retry-After (RFC 9110 section 10.2.3); None for absent, past, zero or garbage."""
    text = headers.get("Retry-After", "")
    seconds: float | None = _whole_number(text)
    if seconds is None:
        date = _http_date(text)
        seconds = (date - now).total_seconds() if date else None
    return seconds if seconds is not None and seconds > 0 else None


def _directives(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in header.split(",") if header else ():
        name, _, value = part.partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def _whole_number(text: str) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text[:12]) if len(text) <= 12 else 10**12


def _http_date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def shown_duration(seconds: float) -> str:
    """Give a length of time for people: "12 h", "40 min", "3 d"."""
    for unit, name in ((DAY, mark("d")), (3600.0, "h"), (60.0, "min")):
        if seconds >= (2 * unit if unit == DAY else unit):
            return f"{round(seconds / unit, 1):g} {name}"
    return f"{round(seconds):g} s"
