"""What words count for answers: tables of weights that are learned from labelled articles.

A table is a text file of bot/stories/data, written by the tools: a line a word (or two side by side), then
what it counts for each answer, in hundredths of log-odds; nothing where it counts nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources

Measures = dict[str, float]
Table = dict[str, Measures]

_ENDINGS = ("ing", "ed", "es", "s", "ly")


def read_table(name: str) -> Table:
    """Read a table: for each word what it counts, by answer."""
    lines = resources.files("bot.stories").joinpath("data", name).read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    answers = rows[0][1:]
    return {
        word: {answer: int(count) / 100 for answer, count in zip(answers, counts, strict=False) if count}
        for word, *counts in rows[1:]
    }


def sums(found: Mapping[str, float], table: Table) -> Measures:
    """Add up, for every answer that any word counts for, what the words count."""
    added: defaultdict[str, float] = defaultdict(float)
    for name in found.keys() & table.keys():
        value = found[name]
        for answer, weight in table[name].items():
            added[answer] += value * weight
    return added


def scaled(found: Mapping[str, float], whole: float, most: float) -> Measures:
    """Give measures of words so that together they have the length `whole`, and none counts more than `most`.

    The first keeps a long article from saying more for its length, the second a short one from saying as
    much.
    """
    length = math.sqrt(sum([value * value for value in found.values()]))
    scale = min(most, whole / length) if length else 0.0
    return {word: value * scale for word, value in found.items()}


def most_telling(words: Mapping[str, float], most: int) -> float:
    """Add up what the weightiest words count: so that a long sentence does not tell more for its length."""
    return sum(sorted(words.values())[-most:])


@cache
def stem(word: str) -> str:
    """Give a word without its ending, roughly: enough for "served" and "serving" to be one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
