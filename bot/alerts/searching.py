"""Whether a story meets a subscribed search: words, phrases, beginnings, exceptions, as in `/search`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from db.search_query import Term, parse_query
from db.stems import fold, forms_of, stem, words_of


def misses(query: str, title: str, summary: tuple[str, ...], text: str, language: str) -> tuple[str, ...]:
    """Give what of a query a story does not meet ("subpoena", "-sport"); empty when it meets all of it."""
    said = _words(title, summary, text, language)
    return tuple(_shown(term) for term, rows in _asked(query) if _says(term, rows, said) is term.without)


def can_be_asked(query: str) -> bool:
    """Tell whether there is anything in a query to look for, besides what must not occur."""
    return any(not term.without for term in parse_query(query))


@lru_cache(maxsize=1000)
def _asked(query: str) -> tuple[tuple[Term, tuple[str, ...]], ...]:
    """Give a query's terms, each with what a story's words may have of it. A digest asks the same queries of
    hundreds of stories: to read them anew each time took most of it."""
    return tuple((term, _rows(term)) for term in parse_query(query))


def _rows(term: Term) -> tuple[str, ...]:
    if term.prefix:
        return (f" {' '.join(map(fold, term.words))}",)
    rows = forms_of(term.words)
    return tuple(f" {' '.join(row)} " if len(row) > 1 else row[0] for row in rows)


def _says(term: Term, rows: Sequence[str], said: _Said) -> bool:
    if term.prefix:
        return any(row in said.plain for row in rows)
    if len(term.words) == 1:
        return not said.words.isdisjoint(rows)
    return any(row in said.stemmed for row in rows)


def _shown(term: Term) -> str:
    return f"{'-' if term.without else ''}{' '.join(term.words)}{'*' if term.prefix else ''}"


class _Said(NamedTuple):
    """A story's words as they are compared: stemmed in its language, and as they stand."""

    words: frozenset[str]  # stemmed, as the next
    stemmed: str
    plain: str


@lru_cache(maxsize=16)
def _words(title: str, summary: tuple[str, ...], text: str, language: str) -> _Said:
    """Give a story's words.

    They were stemmed when the story was stored, a moment ago in the same process: `stem` remembers them.
    """
    words = words_of(" ".join((title, *summary, text)))
    stemmed = [stem(word, language) for word in words]
    return _Said(frozenset(stemmed), f" {' '.join(stemmed)} ", f" {' '.join(map(fold, words))} ")
