"""Whether a story meets a subscribed search: words, phrases, beginnings, exceptions, as in `/search`."""

from __future__ import annotations

from functools import lru_cache

from db.search_query import Term, parse_query
from db.stems import fold, forms_of, stem, words_of


def misses(query: str, title: str, summary: tuple[str, ...], text: str, language: str) -> tuple[str, ...]:
    """Give what of a query a story does not meet ("subpoena", "-sport"); empty when it meets all of it."""
    stemmed, plain = _words(title, summary, text, language)
    return tuple(_shown(term) for term in parse_query(query) if _says(term, stemmed, plain) is term.without)


def can_be_asked(query: str) -> bool:
    """Tell whether there is anything in a query to look for, besides what must not occur."""
    return any(not term.without for term in parse_query(query))


def _says(term: Term, stemmed: str, plain: str) -> bool:
    if term.prefix:
        beginning = " ".join(map(fold, term.words))
        return f" {beginning}" in plain
    return any(f" {' '.join(row)} " in stemmed for row in forms_of(term.words))


def _shown(term: Term) -> str:
    return f"{'-' if term.without else ''}{' '.join(term.words)}{'*' if term.prefix else ''}"


@lru_cache(maxsize=16)
def _words(title: str, summary: tuple[str, ...], text: str, language: str) -> tuple[str, str]:
    """Give a story's words as they are compared: stemmed in its language, and as they stand.

    Words were stemmed when the story was stored, a moment ago in the same process: `stem` remembers them.
    """
    words = words_of(" ".join((title, *summary, text)))
    stemmed = " ".join(stem(word, language) for word in words)
    return f" {stemmed} ", f" {' '.join(map(fold, words))} "
