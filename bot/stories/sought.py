"""What a demand seeks: the kinds of data that its sentences name. Data: `data/sought.toml`."""

from __future__ import annotations

import re
from functools import cache

from bot.stories.instruments import load_table

_GENERAL = {"records", "messages"}  # words that say little on their own


@cache
def _patterns() -> tuple[re.Pattern[str], tuple[str, ...]]:
    groups = []
    names = []
    for entry in load_table("sought.toml")["sought"]:
        groups.append("(" + "|".join(sorted(entry["words"], key=len, reverse=True)) + ")")
        names.append(entry["name"])
    return re.compile(rf"\b(?:{'|'.join(groups)})\b"), tuple(names)


def kinds_sought(text: str) -> tuple[str, ...]:
    """Name the kinds of data in lower-cased text, in the order in which it names them.

    "records" and "messages" are left out where something more exact is named.
    """
    pattern, names = _patterns()
    found: dict[str, None] = {}
    for match in pattern.finditer(text):
        if match.lastindex is not None:
            found.setdefault(names[match.lastindex - 1])
    exact = [name for name in found if name not in _GENERAL]
    return tuple(exact or found)
