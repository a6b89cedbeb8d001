"""What somebody typed as words, phrases and exceptions; and that in the languages of the two databases.

Pure. Every token that is written holds letters, digits and `_` only, and is quoted: nothing that a person
types can be an operator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.stems import fold, forms_of, words_of

_TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')
# What phones and word processors make of " and -, in any language.
_AS_TYPED = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("‐‑–—−－", "-"))
_MOST_TERMS = 16
_MOST_WORDS = 12  # of one phrase
SHORTEST_PREFIX = 3  # letters: shorter beginnings would find nearly everything


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must (`without`: must not) stand side by side; `prefix`: it is one word's beginning."""

    words: tuple[str, ...]
    prefix: bool = False
    without: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """One of these rows of tokens must occur (`without`: none of them); `prefix`: as a beginning.

    `apart`: each word of the rows is asked for by a clause of its own as well.
    """

    rows: tuple[tuple[str, ...], ...]
    prefix: bool = False
    without: bool = False
    apart: bool = False

    @property
    def side_by_side(self) -> bool:
        """Tell whether it is about tokens that stand side by side."""
        return any(len(row) > 1 for row in self.rows)

    @property
    def is_phrase(self) -> bool:
        """Tell whether tokens must stand side by side; what must not occur is looked at in the few hits."""
        return not self.without and self.side_by_side


def parse_query(query: str) -> tuple[Term, ...]:
    """Read what a person typed. Empty when nothing in it could be looked for."""
    terms: list[Term] = []
    for sign, phrase, word in _TOKEN.findall(query[:500].translate(_AS_TYPED)):
        words = tuple(words_of(word or phrase))[:_MOST_WORDS]
        without = sign == "-" or word.startswith("-")
        if word.endswith("*") and words and len(words[-1]) >= SHORTEST_PREFIX:
            terms.append(Term(words[-1:], prefix=True, without=without))
            words = words[:-1]
        if words:
            terms.append(Term(words, without=without))
    return tuple(terms[:_MOST_TERMS])


def mark(kind: str, value: object) -> str:
    """Give the token that says something of a story besides its words; no word begins with `_`."""
    return f"_{kind}{''.join(c for c in str(value).casefold() if c.isalnum())}"


def at_level(level: int, word: str) -> str:
    """Give the token of a word that stands in a story's title or parties (1), or in its summary too (2)."""
    return f"_{level}{word}"


def clauses_of(
    terms: Sequence[Term], level: int = 0, meant: Mapping[str, Sequence[str]] | None = None
) -> tuple[Clause, ...]:
    """Give what the index is asked for these terms; above level 0 each word must stand at that level.

    `meant`: the words that a beginning stands for; without them it is given as it is.
    """
    found: list[Clause] = []
    for term in terms:
        rows = _rows(term, meant)
        prefix = term.prefix and meant is None
        by_word = level > 0 and not term.without
        if not by_word or len(term.words) > 1:
            found.append(Clause(rows, prefix, term.without, apart=by_word))
        if not by_word:
            continue
        for place in range(len(term.words)):
            words = dict.fromkeys(at_level(level, row[place]) for row in rows)
            found.append(Clause(tuple((word,) for word in words), prefix))
    return tuple(found)


def _rows(term: Term, meant: Mapping[str, Sequence[str]] | None) -> tuple[tuple[str, ...], ...]:
    """Give the forms of a term's words. A beginning stands as it is: words are stored unstemmed too."""
    if not term.prefix:
        return forms_of(term.words)
    start = fold(term.words[-1])
    return ((start,),) if meant is None else tuple((word,) for word in meant[start])


def loose(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """Give what all that meets these clauses meets too: a phrase's words, wherever they stand."""
    found: list[Clause] = []
    for clause in clauses:
        if clause.is_phrase and not clause.apart:
            places = zip(*clause.rows, strict=True)
            found += [Clause(tuple((word,) for word in dict.fromkeys(place))) for place in places]
        elif not clause.side_by_side:
            found.append(clause)
    return tuple(found)


def fts5(clauses: Sequence[Clause]) -> str:
    """Write clauses in FTS5's language (https://sqlite.org/fts5.html#full_text_query_syntax)."""
    wanted = " AND ".join(_fts5_clause(clause) for clause in clauses if not clause.without)
    return "".join((f"({wanted})", *(f" NOT {_fts5_clause(clause)}" for clause in clauses if clause.without)))


def _fts5_clause(clause: Clause) -> str:
    return f"({' OR '.join(map(_quoted, clause.rows)) or _quoted(('_none',))})"


def _quoted(row: Sequence[str]) -> str:
    return f'"{" ".join(row)}"'


def tsquery(clauses: Sequence[Clause]) -> str:
    """Write clauses as a tsquery (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    return " & ".join(_ts_clause(clause) for clause in clauses)


def _ts_clause(clause: Clause) -> str:
    rows = (" <-> ".join(f"'{word}'" for word in row) for row in clause.rows)
    return f"{'!' if clause.without else ''}({' | '.join(rows) or repr('_none')})"
