"""Dates as people type them, in each language of the interface: "3 months", "vor 2 Wochen", "2026-01-31"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.errors import QuashError
from bot.words import say
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
_TOGETHER = re.compile(r"(?<=\d)(?=[a-z])")  # "3w"
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


class DateError(QuashError):
    """What was typed is no date; says what is."""


def since(typed: str | None, now: datetime) -> datetime | None:
    """Give the moment that was meant, None when nothing was typed. Raises `DateError`."""
    if not typed or not typed.strip():
        return None
    words = [fold(word) for word in words_of(_TOGETHER.sub(" ", typed.casefold()))]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if words and _TODAY.issuperset(words):
        return midnight
    if len(words) == 1 and words[0] in _YESTERDAY:
        return midnight - timedelta(days=1)
    if (days := _span(words)) is not None:
        return max(now - timedelta(days=min(days, 36_500)), datetime(1990, 1, 1, tzinfo=UTC))
    text = typed.strip().casefold()
    if found := _DAY_FIRST.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise DateError(say("That is no date I know; write 3 months, 2 weeks or 2026-01-31.")) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


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
