"""Tells dated blocks of an article apart, so that the newest state can win over an older text below it.

Two habits of the trade: a newer text above, and below it a dated headline with the older article
("07/04/2017: Network pushes back"); and an update put before the first paragraph ("UPDATE: On Thursday
a judge ruled"). Entries of a live blog are the first habit many times over, in either order.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from bot.stories.clutter import DATE

_DATED_HEADLINE = re.compile(
    rf"^\W{{0,3}}(?P<date>(?i:{DATE}))(?:,? (?:at )?\d{{1,2}}[:.]\d{{2}}[^:]{{0,12}})?"
    r"\s*[:|–—-]+\s+(?=[A-ZÀ-Þ0-9\"“‘@#])"
)
_UPDATE = re.compile(
    r"^\W{0,4}(?i:update|updated|nachtrag|aktualisierung|mise à jour|actualización|atualização|aggiornamento)"
    r"(?: ?(?:#?\d{1,2}|(?i:at|on|le|am|del|em|vom|,|\()[^:]{0,60}|[^:\w][^:]{0,60}))?\)?\s*[:—–]+\s+(?=\S)"
)
_ORIGINAL = re.compile(
    r"^\W{0,4}(?i:original (?:story|post|article|report)|earlier(?: story)?|previously"
    r"|our (?:original|earlier) (?:story|report)|"
    r"ursprüngliche(?:r artikel| meldung)|article d'origine|texto original|nota original)\b[^:]{0,60}(?::|$)"
)
_HEADLINE_CHARACTERS = 140
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def number(lines: Sequence[str]) -> list[int]:
    """Give for each line the number of its dated block: 0 is the newest, or the only one."""
    starts = [
        (at, match.group("date"))
        for at, line in enumerate(lines)
        if len(line) <= _HEADLINE_CHARACTERS
        and not line.endswith(".")
        and (match := _DATED_HEADLINE.match(line))
    ]
    if starts:
        return _by_headlines(len(lines), starts)
    return _by_updates(lines)


def _by_headlines(count: int, starts: Sequence[tuple[int, str]]) -> list[int]:
    bounds = [at for at, _ in starts]
    if bounds[0] > 0:
        bounds.insert(0, 0)
    blocks = [bisect_right(bounds, at) - 1 for at in range(count)]
    dates = [day for _, text in starts if (day := _day(text))]
    rising = len(dates) >= 2 and all(a <= b for a, b in pairwise(dates)) and dates[0] < dates[-1]
    return [len(bounds) - 1 - block for block in blocks] if rising else blocks


def _by_updates(lines: Sequence[str]) -> list[int]:
    """An update before the article is newer than the rest; one behind it belongs to the one text."""
    updates = [at for at, line in enumerate(lines) if _UPDATE.match(line)]
    if not updates or updates[0] > 3:
        return [0] * len(lines)
    end = updates[0] + 1
    while end in updates:
        end += 1
    for at in range(end, min(len(lines), end + 8)):
        if _ORIGINAL.match(lines[at]):
            end = at
            break
    return [0 if at < end else 1 for at in range(len(lines))]


def _day(text: str) -> date | None:
    """Read a date as well as it can be read: the day before the month where both could be."""
    figures = [int(found) for found in re.findall(r"\d+", text)]
    month = next((at for at, name in enumerate(_MONTHS, 1) if name in text.lower()), 0)
    try:
        if month and len(figures) == 2:
            day, year = figures
            return date(year, month, day)
        if len(figures) == 3 and figures[0] > 31:
            return date(*figures)
        if len(figures) == 3:
            day, month, year = figures
            if month > 12:
                day, month = month, day
            return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None
    return None
