"""Dates as people type them, in each language of the interface: "3 months", "vor 2 Wochen", "2026-01-31"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.timing import zone_of
from bot.errors import QuashError
from bot.words import say, spoken
from db import guilds
from db.stems import fold, words_of

# Days of a unit, by its names in English, German, French, Spanish and Portuguese, without accents.
_DAYS = {
    name: days
    for days, names in (
        (1 / 24, "h hour hours stunde stunden heure heures hora horas"),
        (1, "d day days tag tage tagen jour jours j dia dias"),
        (7, "w week weeks woche wochen semaine semaines semana semanas"),
        (30.44, "m month months monat monate monaten mois mes meses"),
        (365.25, "y year years jahr jahre jahren an ans annee annees ano anos"),
    )
    for name in names.split()
}
_ONE = frozenset(["a", "an", "one", "ein", "eine", "einem", "einer", "un", "une", "uno", "una", "um", "uma"])
_AGO = frozenset(["ago", "vor", "hace", "ha", "atras"])
_TODAY = frozenset(["today", "heute", "aujourd", "hui", "hoy", "hoje"])
_YESTERDAY = frozenset(["yesterday", "gestern", "hier", "ayer", "ontem"])
_SINCE = re.compile(r"^(?:since|seit|depuis|desde)\s+")  # the option's name, typed once more
_TOGETHER = re.compile(r"(?<=\d)(?=[a-z])")  # "3w"
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4})")


class DateError(QuashError):
    """What was typed is no date; says what is."""


def since(typed: str | None, now: datetime) -> datetime | None:
    """Give the moment (UTC) that was meant, None when nothing was typed. Raises `DateError`.

    `now` is in the time zone of who typed it: days begin by its clock.
    """
    text = _SINCE.sub("", (typed or "").strip().casefold())
    if not text:
        return None
    words = [fold(word) for word in words_of(_TOGETHER.sub(" ", text))]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if words and _TODAY.issuperset(words):
        return midnight.astimezone(UTC)
    if len(words) == 1 and words[0] in _YESTERDAY:
        return (midnight - timedelta(days=1)).astimezone(UTC)
    if (days := _span(words)) is not None:
        return max(now.astimezone(UTC) - timedelta(days=min(days, 36_500)), datetime(1990, 1, 1, tzinfo=UTC))
    found = _DAY_FIRST.fullmatch(text)
    if found and (found[2] == "." or spoken() != "en"):  # in English 1/2 may be either's day
        text = f"{found[4]}-{found[3]:0>2}-{found[1]:0>2}"
    try:
        at = datetime.fromisoformat(text)
        return (at.replace(tzinfo=now.tzinfo) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DateError(say("That is no date I know; write 3 months, 2 weeks or 2026-01-31.")) from error


async def since_in(session: AsyncSession, guild_id: int | None, typed: str, now: datetime) -> datetime | None:
    """Give the moment (UTC) that was meant in a server, by the server's clock; outside of servers by UTC."""
    if typed and guild_id is not None:
        hours = await guilds.get_hours(session, [guild_id])
        zone, *_ = hours.get(guild_id, ("UTC",))
        now = now.astimezone(zone_of(zone))
    return since(typed, now)


def _span(words: list[str]) -> float | None:
    """Give the days of "3 weeks", "a month ago", "il y a un an"; None for anything else."""
    if words[:3] == ["il", "y", "a"]:
        del words[:3]
    match [word for word in words if word not in _AGO]:
        case [number, unit] if unit in _DAYS and number.isdecimal() and len(number) < 5:
            return int(number) * _DAYS[unit]
        case [number, unit] if unit in _DAYS and number in _ONE:
            return _DAYS[unit]
    return None
