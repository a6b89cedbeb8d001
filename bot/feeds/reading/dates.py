"""Dates as feeds write them: RFC 822 (RSS), RFC 3339 and W3C-DTF (Atom, RDF), and their sloppy relatives.

Every function gives an aware UTC time or None; a date without a zone is taken for UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No feed is older than the web; earlier dates are defaults of broken clocks and empty fields."""

AHEAD: Final = timedelta(days=2)
"""How far in the future a date may lie: time zones mixed up, articles dated to tomorrow."""

_LONGEST: Final = 80  # characters; longer texts are no dates
_RFC3339: Final = re.compile(
    r"([+-]?\d{4})-?(\d{2})?-?(\d{2})?"
    r"(?:[Tt\s]\s*(\d{1,2}):?(\d{2})?(?::?(\d{2})(?:[.,]\d{0,12})?)?\s*(Z|z|[+-]\d{1,2}:?\d{0,2}|[A-Za-z]{1,5})?)?$"
)
_WEEK: Final = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?$")
_ORDINAL: Final = re.compile(r"(\d{4})-?(\d{3})$")
_WORDS: Final = re.compile(r"[A-Za-zÀ-ɏͰ-ϿЀ-ӿ.]+|\d+(?::\d+)*(?:\.\d+)?|[+-]\d{1,2}:?\d{0,2}")
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero gennaio janeiro januari",
            "feb february februar février fevrier febrero febbraio fevereiro februari",
            "mar march märz maerz mars marzo março maart",
            "apr april avr avril abril aprile",
            "may mai mayo maggio maio mei",
            "jun june juni juin junio giugno junho",
            "jul july juli juil juillet julio luglio julho",
            "aug august août aout agosto augustus",
            "sep sept september septembre septiembre settembre setembro",
            "oct october okt oktober octobre octubre ottobre outubro",
            "nov november novembre noviembre novembro",
            "dec december dez dezember décembre decembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
# RFC 822, section 5.1, and the abbreviations met in feeds; minutes east of Greenwich. An unknown name
# is UTC, as RFC 2822 (section 4.3) asks.
_ZONES: Final = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "akst": -540, "akdt": -480, "hst": -600, "ast": -240, "adt": -180, "nst": -210, "ndt": -150,
    "bst": 60, "west": 60, "cet": 60, "cest": 120, "met": 60, "mez": 60, "mesz": 120, "eet": 120, "eest": 180,
    "msk": 180, "ist": 330, "sgt": 480, "hkt": 480, "awst": 480, "jst": 540, "kst": 540, "acst": 570,
    "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780, "et": -300, "ct": -360, "mt": -420,
    "pt": -480, "at": -240, "brt": -180, "art": -180, "a": -60, "n": 60, "m": -720, "y": 720,
}  # fmt: skip


@lru_cache(maxsize=4096)
def parse_date(text: str) -> datetime | None:
    """Read a date of any of these kinds; None where it is none. Says nothing of whether it is credible."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        return _plain(text) or _iso(text) or _worded(text)
    except (ValueError, OverflowError):
        return None


def credible(moment: datetime | None, now: datetime) -> datetime | None:
    """Give the moment back if an article can be from then: since 1990, at most two days ahead."""
    if moment is None or not EARLIEST <= moment <= now + AHEAD:
        return None
    return moment


def _plain(text: str) -> datetime | None:
    """Read what nearly all Atom feeds have, "2026-11-24T10:00:00Z" or with an offset, quickly."""
    if len(text) < 20 or text[10] != "T" or text[4] != "-":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(text: str) -> datetime | None:
    match = _RFC3339.match(text)
    if match:
        year, month, day, hour, minute, second, zone = match.groups()
        return _moment(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            zone,
        )
    match = _WEEK.match(text)
    if match:
        moment = datetime.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return moment.replace(tzinfo=UTC)
    match = _ORDINAL.match(text)
    if match and 1 <= int(match[2]) <= 366:
        return datetime(int(match[1]), 1, 1, tzinfo=UTC) + timedelta(days=int(match[2]) - 1)
    return None


def _worded(text: str) -> datetime | None:
    """Read dates that name the month: RFC 822 and 850, asctime, "November 24, 2026 10:00 PM EST"."""
    month = day = year = None
    hour = minute = second = 0
    zone: str | None = None
    timed = False
    afternoon = ""
    for word in _WORDS.findall(text):
        lower = word.lower().rstrip(".")
        if ":" in word and word[0].isdigit():
            hour, minute, second = _clock(word)
            timed = True
        elif word[0] in "+-" and timed:
            zone = word
        elif word.lstrip("+-").isdigit():
            number = int(word.lstrip("+-"))
            if day is None and len(word.lstrip("+-")) <= 2 and 1 <= number <= 31:
                day = number
            elif year is None:
                year = number
        elif lower in _MONTHS and month is None:
            month = _MONTHS[lower]
        elif lower in ("am", "pm", "a.m", "p.m"):
            afternoon = lower[0]
        elif lower in _ZONES and timed and not (zone and zone[0] in "+-"):
            zone = lower
    if month is None or day is None or year is None:
        return None
    if afternoon and hour <= 12:
        hour = hour % 12 + (12 if afternoon == "p" else 0)
    return _moment(_full_year(year), month, day, hour, minute, second, zone)


def _clock(word: str) -> tuple[int, int, int]:
    parts = [int(float(part)) for part in word.split(":")[:3]]
    return parts[0], parts[1], parts[2] if len(parts) > 2 else 0


def _full_year(year: int) -> int:
    """Read a year of two digits as RFC 2822 (section 4.3) does."""
    if year < 50:
        return year + 2000
    return year + 1900 if year < 1000 else year


def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, zone: str | None
) -> datetime:
    """Put a moment together; 24:00 and second 60 are the start of what follows."""
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no time of day")
    start = datetime(year, month, day, tzinfo=UTC)
    return start + timedelta(hours=hour, minutes=minute - _offset(zone), seconds=second)


def _offset(zone: str | None) -> int:
    """Give minutes east of Greenwich."""
    if not zone or zone in ("Z", "z"):
        return 0
    if zone[0] not in "+-":
        return _ZONES.get(zone.lower(), 0)
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 15 or minutes > 59:
        raise ValueError("no such zone")
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)
