"""Whether a story meets a subscribed search: words, phrases, beginnings, exceptions, as in `/search`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from operator import contains

from db.search_query import Term, parse_query
from db.stems import fold, forms_of, starts_of, stem, words_of

_STEMS_AT_ONCE = 100  # words between two turns of the event loop

Parts = tuple[str, ...]  # what can be found of a story: its title, names of parties, summary, text
_Row = tuple[str, ...]  # stems that stand side by side


def misses(query: str, parts: Parts, language: str) -> tuple[str, ...]:
    """Give what of a query a story does not meet ("subpoena", "-sport"); empty when it meets all of it."""
    said = _said(parts, language)
    return tuple(_shown(term) for term, rows in _asked(query) if said.says(term, rows) is term.without)


def can_be_asked(query: str) -> bool:
    """Tell whether there is anything in a query to look for, besides what must not occur."""
    return any(not term.without for term in parse_query(query))


async def make_ready(queries: Iterable[str], parts: Parts, language: str) -> None:
    """Have the stems ready that queries ask of a story, letting the event loop have its turns meanwhile.

    A process that reads no stories, or has just started, knows none of them.
    """
    stems = {word for query in queries for _, rows in _asked(query) for row in rows for word in row}
    said = _said(parts, language)
    words = (word for start in {each[:2] for each in stems} for word in said.beginning(start))
    for count, word in enumerate(words, start=1):
        stem(word, language)
        if count % _STEMS_AT_ONCE == 0:
            await asyncio.sleep(0)


@lru_cache(maxsize=1000)
def _asked(query: str) -> tuple[tuple[Term, tuple[_Row, ...]], ...]:
    """Give a query's terms, each with what a story's words may have of it. A digest asks the same queries of
    hundreds of stories: to read them anew each time took most of it."""
    return tuple((term, () if term.prefix else forms_of(term.words)) for term in parse_query(query))


def _shown(term: Term) -> str:
    return f"{'-' if term.without else ''}{' '.join(term.words)}{'*' if term.prefix else ''}"


class _Said:
    """A story's words as they are compared: as they stand, and stemmed in its language as far as is asked."""

    def __init__(self, parts: Parts, language: str) -> None:
        self._language = language
        self._words = [word for part in parts for word in (*words_of(part), "_")]
        self._by_start: dict[str, list[str]] = {}
        for word in set(self._words):
            for start in starts_of(word, language):
                self._by_start.setdefault(start, []).append(word)
        self._by_stem: dict[str, dict[str, set[str]]] = {}

    @cached_property
    def _plain(self) -> str:
        return f" {' '.join(map(fold, self._words))}"

    def says(self, term: Term, rows: Iterable[_Row]) -> bool:
        """Tell whether a term occurs, of which `rows` are the forms."""
        if term.prefix:
            return f" {fold(term.words[-1])}" in self._plain
        return any(self._has(row) for row in rows)

    def beginning(self, start: str) -> Sequence[str]:
        """Give the words whose stems may begin with these two letters."""
        return self._by_start.get(start, ())

    def _has(self, row: _Row) -> bool:
        meant = [self._with_stem(stemmed) for stemmed in row]
        if not all(meant):
            return False
        if len(row) == 1:
            return True
        windows = zip(*(self._words[after:] for after in range(len(row))), strict=False)
        return any(all(map(contains, meant, window)) for window in windows)

    def _with_stem(self, stemmed: str) -> set[str]:
        """Give the words with a stem."""
        start = stemmed[:2]
        if start not in self._by_stem:
            found = self._by_stem[start] = {}
            for word in self.beginning(start):
                found.setdefault(stem(word, self._language), set()).add(word)
        return self._by_stem[start].get(stemmed, set())


@lru_cache(maxsize=16)
def _said(parts: Parts, language: str) -> _Said:
    return _Said(parts, language)
