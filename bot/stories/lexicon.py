"""Finds the words of the field in a text: groups of phrases from data files, in one pass over its words.

A phrase is written as words with blanks between. `a|b` takes either word, `word*` any ending, `*word` any
beginning (for compounds, as in German), and an entry with a capital letter matches only what is written
so ("ICE" is an agency, "ice" is none). The group `mask` is special: what it matches is taken out, so that
"wastewater surveillance" or "blocked the bill" count for nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

MASK = "mask"

# Languages that have a lexicon_<language>.toml of their own.
LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es", "pt", "it", "nl")

_WORD = re.compile(r"@?\w+(?:['’]\w+)*")
_KNOWN_WORDS = 60_000  # how many distinct words are remembered with what they match; a bound on memory


def words_of(text: str) -> list[str]:
    """Give the words of a text in order, a possessive 's taken off; an @name is one word."""
    return [_plain(word) for word in _WORD.findall(text)]


def _plain(word: str) -> str:
    if "’" in word:
        word = word.replace("’", "'")
    return word[:-2] if word.endswith("'s") and len(word) > 3 else word


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a phrase of `group` stands: words `start` to `end` (exclusive) of the text."""

    group: str
    start: int
    end: int


class _Node:
    """A point in the tree of phrases: where it goes on, and which groups end here."""

    __slots__ = ("ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.ends: tuple[str, ...] = ()


class Lexicon:
    """Phrases by group, made ready for `scan`."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        self._root = _Node()
        self._exact: set[str] = set()
        self._heads: dict[int, set[str]] = {}
        self._tails: dict[int, set[str]] = {}
        self._symbols: dict[str, tuple[str, ...]] = {}
        for group, phrases in groups.items():
            for phrase in phrases:
                self._add(group, phrase)

    def _add(self, group: str, phrase: str) -> None:
        slots = [slot.split("|") for slot in phrase.split()]
        for choice in product(*slots):
            node = self._root
            for piece in choice:
                for symbol in self._symbols_of_entry(piece):
                    node = node.next.setdefault(symbol, _Node())
            if group not in node.ends:
                node.ends += (group,)

    def _symbols_of_entry(self, piece: str) -> list[str]:
        if piece.endswith("*"):
            head = piece[:-1]
            self._heads.setdefault(len(head), set()).add(head)
            return [piece]
        if piece.startswith("*"):
            tail = piece[1:]
            self._tails.setdefault(len(tail), set()).add(tail)
            return [piece]
        found = words_of(piece) if not piece.endswith("'") else [piece[:-1]]
        self._exact.update(found)
        return found

    def _symbols_for(self, word: str) -> tuple[str, ...]:
        """Which entries of the lexicon a word of a text can stand for."""
        known = self._symbols.get(word)
        if known is not None:
            return known
        lower = word.lower()
        symbols = [form for form in dict.fromkeys((lower, word)) if form in self._exact]
        size = len(lower)
        symbols += [lower[:n] + "*" for n, heads in self._heads.items() if n <= size and lower[:n] in heads]
        symbols += ["*" + lower[-n:] for n, tails in self._tails.items() if n <= size and lower[-n:] in tails]
        if len(self._symbols) >= _KNOWN_WORDS:
            self._symbols.clear()
        result = tuple(symbols)
        self._symbols[word] = result
        return result

    def scan(self, words: list[str]) -> list[Hit]:
        """Find every phrase in `words`. Time grows with their number alone."""
        symbols = [self._symbols_for(word) for word in words]
        hits: list[Hit] = []
        start, size = 0, len(words)
        while start < size:
            found = self._phrases_at(symbols, start) if symbols[start] else ()
            longest = max((end for _, end in found), default=0)
            if any(group == MASK and end == longest for group, end in found):
                start = longest
                continue
            hits.extend(Hit(group, start, end) for group, end in found if group != MASK)
            start += 1
        return hits

    def _phrases_at(self, symbols: list[tuple[str, ...]], start: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        nodes = [self._root]
        position, size = start, len(symbols)
        while nodes and position < size:
            here = symbols[position]
            nodes = [node.next[symbol] for node in nodes for symbol in here if symbol in node.next]
            position += 1
            for node in nodes:
                found.extend((group, position) for group in node.ends)
        return found


def read_data(name: str) -> dict[str, Any]:
    """Read one TOML file of bot/stories/data."""
    return tomllib.loads(resources.files("bot.stories").joinpath("data", name).read_text("utf-8"))


@cache
def lexicon_for(language: str) -> Lexicon:
    """Give the lexicon of a language: its own words and the names that all languages share.

    Raises KeyError for a language outside `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    groups: dict[str, list[str]] = {}
    for name in ("lexicon_names.toml", f"lexicon_{language}.toml"):
        for group, entry in read_data(name).items():
            groups.setdefault(group, []).extend(entry["phrases"])
    return Lexicon(groups)
