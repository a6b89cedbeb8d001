"""The words for instruments: which words open a demand, and which instrument they name.

Data: `data/instruments.toml`, in the domain's own terms.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bot.stories.model import INSTRUMENTS


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument: its name, what it is after (`family`), how specific its words are (`rank`).

    `lone`: the word alone opens a demand; without it a party or a deed must stand beside it.
    """

    name: str
    family: str
    rank: int
    lone: bool


def load_table(name: str) -> dict[str, Any]:
    """Read one of the room's data files."""
    return tomllib.loads(resources.files("bot.stories").joinpath(f"data/{name}").read_text(encoding="utf-8"))


_SIGNED = re.compile(r"\b(data|information|content|website|site|location) ")


@cache
def instrument_words() -> tuple[re.Pattern[str], tuple[Instrument, ...]]:
    """Give one pattern with a group for every instrument, and the instruments in the order of the groups.

    Groups stand in the order of rank, so that "geofence warrant" is no "warrant".
    """
    entries = sorted(load_table("instruments.toml")["instrument"], key=lambda entry: -int(entry["rank"]))
    groups: list[str] = []
    found: list[Instrument] = []
    for entry in entries:
        if entry["name"] not in INSTRUMENTS:
            raise ValueError(f"data/instruments.toml names an unknown instrument: {entry['name']}")
        groups.append("(" + "|".join(sorted(entry["words"], key=len, reverse=True)) + ")")
        found.append(Instrument(entry["name"], entry["family"], entry["rank"], entry.get("lone", True)))
    # A word for data or content has its sign behind it (bot.stories.marks): "emergency data <sign> request".
    joined = _SIGNED.sub(lambda word: f"{word.group(1)}(?: [\ua4d3\ua4e3\ua4da]+)? ", "|".join(groups))
    return re.compile(rf"(?<![\w-])(?:{joined})(?![\w-])"), tuple(found)
