"""Dates as people type them: "3 months", "2 weeks ago", "2026-01-31", "yesterday"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.errors import QuashError
from bot.words import say

_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30.44, "year": 365.25}
_SPAN = re.compile(r"(\d{1,4}|an?)\s*(hour|day|week|month|year|h|d|w|m|y)s?(?:\s+ago)?")
_SHORT = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}


class DateError(QuashError):
    """What was typed is no date; says what is."""


def since(typed: str | None, now: datetime) -> datetime | None:
    """Give the moment that was meant, None when nothing was typed. Raises `DateError`."""
    if not typed or not typed.strip():
        return None
    text = typed.strip().casefold()
    if text == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text == "yesterday":
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    if span := _SPAN.fullmatch(text):
        number = 1 if span[1].startswith("a") else int(span[1])
        return max(
            now - timedelta(days=min(number * _DAYS[_SHORT.get(span[2], span[2])], 36_500)),
            datetime(1990, 1, 1, tzinfo=UTC),
        )
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise DateError(say("That is no date I know; write 3 months, 2 weeks or 2026-01-31.")) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
