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
_RFC822: Final = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? ([+-]\d{4}|[A-Z]{1,5})\Z"
)
_RFC3339: Final = re.compile(
    r"(\d{4})(?:-?(\d{2})-?(\d{2})|-(\d{1,2}))?"
    r"(?:[Tt\s]\s*(\d{1,2}):?(\d{2})?(?::?(\d{2})(?:[.,]\d{0,12})?)?\s*(Z|z|[+-]\d{1,2}:?\d{0,2}Z?|[A-Za-z]{1,5})?)?\Z"
)
_WEEK: Final = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?\Z")
_ORDINAL: Final = re.compile(r"(\d{4}|\d{2})-?(\d{3})\Z")
_SHORT: Final = re.compile(r"(\d{2})(-?)(\d{2})\2(\d{2})\Z")  # ISO 8601 of 1988: the century left out
_TIMESTAMP: Final = re.compile(r"\d{10}(?:\d{3})?\Z")
_NUMBERS: Final = re.compile(r"(\d{1,4})([./])(\d{1,2})\2(\d{1,4})")
_NAMED_MONTH: Final = re.compile(r"(\d{4})-([^\W\d_]{3,12})-(\d{1,2})")
_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt\s]|\Z)")
_WORDS: Final = re.compile(r"[^\W\d_]+|\d+(?::\d+)*(?:\.\d+)?|[+-]\d{1,2}:?\d{0,2}")
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero ene gennaio gen janeiro januari ιαν január",
            "feb february februar février fevrier fév fev febrero febbraio fevereiro februari φεβ február",
            "mar march märz maerz mär mars marzo março maart mrt μαρ μάρ március",
            "apr april avr avril abril abr aprile απρ április",
            "may mai mayo maggio mag maio mei μαϊ μαι μάι μαΐ május",
            "jun june juni juin junio giugno giu junho ιουν ιον ιούν június",
            "jul july juli juil juillet julio luglio lug julho ιουλ ιολ ιούλ július",
            "aug august août aout agosto ago augustus αυγ αύγ augusztus",
            "sep sept september septembre septiembre settembre set setembro σεπ σεπτ szeptember",
            "oct october okt oktober octobre octubre ottobre ott outubro out οκτ október",
            "nov november novembre noviembre novembro νοε νοέ",
            "dec december dez dezember décembre decembre déc diciembre dic dicembre dezembro δεκ",
        ),
        start=1,
    )
    for name in names.split()
}
# Korean, Japanese and Chinese dates put signs between the numbers.
_SIGNS: Final = str.maketrans(
    {"년": "-", "월": "-", "일": " ", "年": "-", "月": "-", "日": " ", "时": ":", "時": ":", "分": " "}
)
_KOREA: Final = 9 * 60  # minutes east of Greenwich
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
        return _common(text) or _iso(text) or _numeric(text) or _worded(text)
    except (ValueError, OverflowError):
        return None


def credible(moment: datetime | None, now: datetime) -> datetime | None:
    """Give the moment back if an article can be from then: since 1990, at most two days ahead."""
    if moment is None or not EARLIEST <= moment <= now + AHEAD:
        return None
    return moment


def _common(text: str) -> datetime | None:
    """Read the two forms that nearly all feeds have, RFC 3339 and RFC 822 to the letter, quickly."""
    if len(text) >= 20 and text[10] == "T":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    match = _RFC822.match(text)
    if match is None:
        return None
    day, name, year, hour, minute, second, zone = match.groups()
    month = _MONTHS.get(name.lower())
    if month is None:
        return None
    return _moment(int(year), month, int(day), int(hour), int(minute), int(second or 0), zone)


def _iso(text: str) -> datetime | None:
    """Read the other forms of ISO 8601, and W3C-DTF with parts left out."""
    match = _SHORT.match(text)
    if match:
        return _moment(2000 + int(match[1]), int(match[3]), int(match[4]), 0, 0, 0, None)
    match = _RFC3339.match(text)
    if match:
        year, month, day, only_month, hour, minute, second, zone = match.groups()
        month = month or only_month or "1"
        return _moment(
            int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), zone
        )
    match = _WEEK.match(text)
    if match:
        moment = datetime.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return moment.replace(tzinfo=UTC)
    match = _ORDINAL.match(text)
    if match and 1 <= int(match[2]) <= 366:
        return datetime(_full_year(int(match[1])), 1, 1, tzinfo=UTC) + timedelta(days=int(match[2]) - 1)
    if _TIMESTAMP.match(text):  # seconds or milliseconds since 1970
        return datetime.fromtimestamp(int(text[:10]), UTC)
    return None


def _numeric(text: str) -> datetime | None:
    """Read dates in numbers that are not ISO's: 2026/11/24, 24.11.2026, 2026년 11월 24일.

    With slashes, the month stands first in America and second elsewhere; where both are possible, the
    date is not known.
    """
    korean = any(sign in text for sign in "년오")
    plain = text.translate(_SIGNS).replace("- ", "-")
    evening = "오후" in plain or "下午" in plain
    for word in ("오후", "오전", "下午", "上午"):
        plain = plain.replace(word, " ")
    match = _NAMED_MONTH.search(plain)
    if match and match[2].lower() in _MONTHS:
        plain = f"{match[1]}-{_MONTHS[match[2].lower()]}-{match[3]}" + plain[match.end() :]
    match = _NUMBERS.search(plain)
    if match:
        first, sign, second, third = int(match[1]), match[2], int(match[3]), int(match[4])
        if first > 31:
            year, month, day = first, second, third
        elif third <= 31 and len(match[4]) < 4:
            return None
        elif sign == "." or first > 12:
            year, month, day = third, second, first
        elif second > 12:
            year, month, day = third, first, second
        else:
            return None
        plain = f"{year}-{month}-{day}" + plain[match.end() :]
    if plain == text:
        return None
    date = _DATE.match(plain.strip())
    if date is None:
        return None
    year, month, day = int(date[1]), int(date[2]), int(date[3])
    hour = minute = second = 0
    zone: str | None = None
    for word in _WORDS.findall(plain.strip()[date.end() :]):
        if ":" in word and word[0].isdigit():
            hour, minute, second = _clock(word)
        elif word[0] in "+-" or word.lower() in _ZONES:
            zone = word
    if evening and hour < 12:
        hour += 12
    moment = _moment(year, month, day, hour, minute, second, zone)
    return moment - timedelta(minutes=_KOREA) if korean and zone is None else moment


def _worded(text: str) -> datetime | None:
    """Read dates that name the month: RFC 822 and 850, asctime, "November 24, 2026 10:00 PM EST".

    The last word that can be a month is it: "mar., 24 nov. 2026" is a Tuesday in November.
    """
    month = day = year = None
    hour = minute = second = 0
    zone: str | None = None
    timed = False
    afternoon = ""
    for word in _WORDS.findall(text):
        lower = word.lower()
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
        elif lower in _MONTHS and (month is None or year is None):
            month = _MONTHS[lower]
        elif lower in ("am", "pm"):
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
    """Put a moment together; a day, hour or minute too many carries over, as calendars of others do it."""
    if not 1 <= day <= 31 or hour > 47 or minute > 99 or second > 99:
        raise ValueError("no such time")
    return datetime(year, month, 1, tzinfo=UTC) + timedelta(
        days=day - 1, hours=hour, minutes=minute - _offset(zone), seconds=second
    )


def _offset(zone: str | None) -> int:
    """Give minutes east of Greenwich."""
    if not zone or zone in ("Z", "z"):
        return 0
    if zone[0] not in "+-":
        return _ZONES.get(zone.lower(), 0)
    digits = zone[1:].rstrip("Z").replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 15 or minutes > 59:
        raise ValueError("no such zone")
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)
