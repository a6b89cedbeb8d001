"""The passage of a story that meets a search, with the places of the hits in it, to be marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

from db.search_query import Term, clauses_of, parse_query
from db.stems import fold, starts_of, stem

_WORD = re.compile(r"[^\W_]+")
_LOOKED_AT = 20_000  # characters of a text
_BEFORE = 60  # characters that are shown before the first hit
_CUT = "… "


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a story, and where in it the words stand that were looked for: (start, end) each."""

    text: str
    hits: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    rows: tuple[tuple[str, ...], ...]
    prefix: bool


def find_passage(
    query: str, *, summary: Sequence[str], text: str, language: str, length: int = 240
) -> Passage | None:
    """Give the passage of at most about `length` characters that meets most of a query; None where none does.

    The summary comes first; where the text meets more of the query, the text. It is left as it stands but
    for its ends and white space.
    """
    wanted = _wanted(parse_query(query))
    best: tuple[int, Passage] | None = None
    for source in (" ".join(summary), text[:_LOOKED_AT]):
        found = _best(normalize("NFC", " ".join(source.split())), wanted, language, length)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return None if best is None else best[1]


def _wanted(terms: Sequence[Term]) -> list[_Wanted]:
    return [_Wanted(clause.rows, clause.prefix) for clause in clauses_of(terms) if not clause.without]


def _best(source: str, wanted: Sequence[_Wanted], language: str, length: int) -> tuple[int, Passage] | None:
    """Give the part that meets most, and how many of the wanted terms it meets."""
    hits = _hits(source, wanted, language)
    if not hits:
        return None
    room = length - _BEFORE
    met = [
        len({which for start, end, which in hits if at <= start and end <= at + room}) for at, _, _ in hits
    ]
    most = max(met)
    first = hits[met.index(most)][0]
    start = _word_start(source, first - _BEFORE)
    end = _word_end(source, start + length)
    before, after = _CUT if start else "", " …" if end < len(source) else ""
    spans = sorted({(s, e) for s, e, _ in hits if start <= s and e <= end}, key=lambda at: (at[0], -at[1]))
    moved = tuple((s - start + len(before), e - start + len(before)) for s, e in spans)
    return most, Passage(before + source[start:end] + after, moved)


def _hits(source: str, wanted: Sequence[_Wanted], language: str) -> list[tuple[int, int, int]]:
    """Find where the terms stand: (start, end, which term), in order."""
    words = [(m.start(), m.end(), m.group().casefold()) for m in _WORD.finditer(source)]
    starts = {row[0][:2] for one in wanted for row in one.rows}
    meant = {w for w in {w for _, _, w in words} if not starts.isdisjoint(starts_of(w, language))}
    found = []
    for at, (start, _, word) in enumerate(words):
        if word not in meant:
            continue
        for which, one in enumerate(wanted):
            for row in one.rows:
                there = words[at : at + len(row)]
                if len(there) == len(row) and _meets(row, one.prefix, [w for _, _, w in there], language):
                    found.append((start, there[-1][1], which))
                    break
    return found


def _meets(row: Sequence[str], prefix: bool, words: Sequence[str], language: str) -> bool:
    *first, last = zip(row, words, strict=True)
    if not all(stem(word, language) == asked for asked, word in first):
        return False
    asked, word = last
    if prefix:
        return fold(word).startswith(asked)
    return asked in (stem(word, language), fold(word))


def _word_start(source: str, at: int) -> int:
    if at <= 0:
        return 0
    space = source.find(" ", at - 1)
    return at if space < 0 or space - at > _BEFORE else space + 1


def _word_end(source: str, at: int) -> int:
    if at >= len(source):
        return len(source)
    space = source.rfind(" ", 0, at + 1)
    return space if space > at - _BEFORE else at
