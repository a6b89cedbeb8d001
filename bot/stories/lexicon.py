"""Finds the words of the field in a text: groups of phrases from data files, in one pass over its words.

A phrase is written as words with blanks between. `a|b` takes either word, `word*` any ending, `*word` any
beginning (for compounds, as in German), and an entry with a capital letter matches only what is written
so ("ICE" is an agency, "ice" is none). The group `mask` is special: what it matches is taken out, so that
"wastewater surveillance" or "blocked the bill" count for nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

MASK = "mask"

# Languages that have a lexicon_<language>.toml of their own.
LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es", "pt", "it", "nl")

_WORD = re.compile(r"@?\w+(?:['’]\w+)*")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|un|(?:d|n)?all|dell|nell|sull|quell)'(?=\w)", re.IGNORECASE)
_KNOWN_WORDS = 60_000  # how many distinct words are remembered with what they match; a bound on memory


def words_of(text: str) -> list[str]:
    """Give the words of a text in order; an @name is one word."""
    return _WORD.findall(text)


def _plain(word: str) -> str:
    """A word without its possessive 's or an article run into it (l'anonymat, dell'identità)."""
    word = _ELISION.sub("", word.replace("’", "'"))
    return word[:-2] if word.endswith("'s") and len(word) > 3 else word


class Hit(NamedTuple):
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


def _down(node: _Node, symbols: Sequence[str]) -> _Node:
    """Go down the tree by these symbols; what is not there yet is made."""
    for symbol in symbols:
        further = node.next.get(symbol)
        if further is None:
            further = node.next[symbol] = _Node()
        node = further
    return node


class _Known(NamedTuple):
    """What a word of a text may stand for: entries, where phrases begin with it, whether one ends with it."""

    symbols: tuple[str, ...]
    nodes: tuple[_Node, ...]
    alone: bool


class Lexicon:
    """Phrases by group, made ready for `scan`."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        self._root = _Node()
        self._exact: set[str] = set()
        self._heads: dict[int, set[str]] = {}
        self._tails: dict[int, set[str]] = {}
        self._known: dict[str, _Known] = {}
        for group, phrases in groups.items():
            for phrase in phrases:
                self._add(group, phrase)

    def _add(self, group: str, phrase: str) -> None:
        ends = [self._root]
        for slot in phrase.split():
            choices = [self._symbols_of_entry(piece) for piece in slot.split("|")]
            ends = [_down(node, symbols) for node in ends for symbols in choices]
        for node in ends:
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
        found = [_plain(word) for word in words_of(piece)]
        self._exact.update(found)
        return found

    def _read(self, word: str) -> _Known:
        """Which entries of the lexicon a word of a text can stand for, and which phrases begin with it."""
        known = self._known.get(word)
        if known is not None:
            return known
        plain = _plain(word)
        lower = plain.lower()
        symbols = [form for form in dict.fromkeys((lower, plain)) if form in self._exact]
        size = len(lower)
        symbols += [lower[:n] + "*" for n, heads in self._heads.items() if n <= size and lower[:n] in heads]
        symbols += ["*" + lower[-n:] for n, tails in self._tails.items() if n <= size and lower[-n:] in tails]
        if len(self._known) >= _KNOWN_WORDS:
            self._known.clear()
        first = self._root.next
        nodes = tuple(first[symbol] for symbol in symbols if symbol in first)
        known = _Known(tuple(symbols), nodes, any(node.ends for node in nodes))
        self._known[word] = known
        return known

    def scan(self, words: list[str]) -> list[Hit]:
        """Find every phrase in `words`. Time grows with their number alone."""
        known = self._known
        read = [known.get(word) or self._read(word) for word in words]
        hits: list[Hit] = []
        free = 0  # words before this one are taken by a mask
        last = len(read) - 1
        for start, (_, nodes, alone) in enumerate(read):
            if not nodes or start < free:
                continue
            if not alone:  # most words that begin a phrase are small ones, and nothing goes on
                if start == last or not (ahead := read[start + 1].symbols):
                    continue
                for node in nodes:
                    if not node.next.keys().isdisjoint(ahead):
                        break
                else:
                    continue
            found = self._phrases_from(nodes, read, start)
            if not found:
                continue
            longest = found[-1].end
            if any(hit.group == MASK and hit.end == longest for hit in found):
                free = longest
            else:
                hits += [hit for hit in found if hit.group != MASK]
        return hits

    @staticmethod
    def _phrases_from(nodes: Sequence[_Node], read: list[_Known], start: int) -> list[Hit]:
        """Follow the phrases that begin at `start`; the longest comes last."""
        found: list[Hit] = []
        position, size = start + 1, len(read)
        while True:
            for node in nodes:
                for group in node.ends:
                    found.append(Hit(group, start, position))
            if position == size or not (here := read[position].symbols):
                return found
            further: list[_Node] = []
            for node in nodes:
                if after := node.next:
                    for symbol in here:
                        if symbol in after:
                            further.append(after[symbol])
            if not further:
                return found
            nodes = further
            position += 1


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
    for broad, entry in read_data("evidence.toml")["group"].items():
        if "broadens" in entry:
            groups.setdefault(broad, []).extend(groups.get(entry["broadens"], ()))
    return Lexicon(groups)
