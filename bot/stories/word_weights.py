"""What words count for answers: tables of weights that are learned from labelled articles.

A table is a text file of bot/stories/data, written by the tools: a line a word (or two side by side), then
what it counts for each answer, in hundredths of log-odds; nothing where it counts nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from bot.stories.language import small_words

Measures = dict[str, float]

_ENDINGS = ("ing", "ed", "es", "s", "ly")
WORD = re.compile(r"[^\W\d_]+")
"""A word as the tables know words, its ending not cut off yet."""
_TELLING = 6  # words by which a text is judged as what tells an answer: a long one has more of all


class Table:
    """What every word of a table counts for every answer, in log-odds."""

    def __init__(self, words: Sequence[str], answers: Sequence[str], weights: NDArray[np.float32]) -> None:
        self.words = words
        self.answers = tuple(answers)
        self.weights = weights  # by word and answer
        self._row = {word: at for at, word in enumerate(words)}
        self._column = {answer: at for at, answer in enumerate(self.answers)}

    @classmethod
    def of(cls, counts: Mapping[str, Mapping[str, float]], answers: Sequence[str]) -> Table:
        """Make a table of what words count, by word and answer."""
        weights = [[by_answer.get(answer, 0.0) for answer in answers] for by_answer in counts.values()]
        return cls(list(counts), answers, np.array(weights, np.float32).reshape(len(counts), len(answers)))

    def sums(self, found: Mapping[str, float]) -> Measures:
        """Add up, for every answer, what the words that are found count; `found`: what each measures."""
        at = list(map(self._row.get, found))
        rows = [row for row in at if row is not None]
        values = [value for value, row in zip(found.values(), at, strict=True) if row is not None]
        added = np.array(values, np.float32) @ self.weights[rows]
        return dict(zip(self.answers, added.tolist(), strict=True))

    def telling(self, words: Iterable[str], answer: str, against: str | None = None) -> float:
        """Say how much words speak for an answer, and against another, by the weightiest of them."""
        row = self._row
        counts = self._for([row[word] for word in words if word in row], answer, against)
        return float(np.sort(counts)[-_TELLING:].sum())

    def weightiest(self, words: Collection[str], answer: str, most: int) -> list[str]:
        """Name the words that speak most for an answer; not the small ones, which tell a reader nothing."""
        known = sorted(word for word in words if word in self._row and _is_telling(word))
        counts = self._for([self._row[word] for word in known], answer, None)
        return [known[at] for at in np.argsort(-counts, kind="stable")[:most].tolist() if counts[at] > 0]

    def _for(self, rows: list[int], answer: str, against: str | None) -> NDArray[np.float32]:
        counts = self.weights[rows, self._column[answer]]
        return counts if against is None else counts - self.weights[rows, self._column[against]]


def read_table(name: str) -> Table:
    """Read a table of bot/stories/data."""
    lines = resources.files("bot.stories").joinpath("data", name).read_text("utf-8").splitlines()
    head, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    weights = np.zeros((len(rows), len(head) - 1), np.float32)
    for at, (_, *counts) in enumerate(rows):
        for answer, count in enumerate(counts):
            if count:
                weights[at, answer] = int(count) / 100
    return Table([row[0] for row in rows], head[1:], weights)


def as_written(words: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Give words with the endings that they have in `texts`, as a reader knows them."""
    whole: dict[str, str] = {}
    for word in WORD.findall(" ".join(texts).lower()):
        whole.setdefault(stem(word), word)
    return [" ".join([whole.get(part, part) for part in word.split()]) for word in words]


def _is_telling(word: str) -> bool:
    return any(len(part) > 3 and part not in small_words() for part in word.split())


def scaled(found: Mapping[str, float], whole: float, most: float) -> Measures:
    """Give measures of words so that together they have the length `whole`, and none counts more than `most`.

    The first keeps a long article from saying more for its length, the second a short one from saying as
    much.
    """
    length = math.sqrt(sum([value * value for value in found.values()]))
    scale = min(most, whole / length) if length else 0.0
    return {word: value * scale for word, value in found.items()}


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Give a word without its ending, roughly: enough for "served" and "serving" to be one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
