"""Full-text search over stories: FTS5 on SQLite, tsvector on PostgreSQL, behind one query language.

Words must all occur (in any form: "subpoenaed" finds "subpoena"), "quoted words" stand side by side,
-word must not occur, word* is a beginning. Whatever else a person types is taken as words: no text is
an error, and none reaches the database as syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")
_MAX_TERMS = 16


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must (`without`: must not) stand side by side; `prefix`: the last is a beginning."""

    words: tuple[str, ...]
    prefix: bool = False
    without: bool = False


def parse_query(query: str) -> tuple[Term, ...]:
    """Read what a person typed. Empty when nothing in it could be looked for."""
    terms: list[Term] = []
    for sign, phrase, word in _TOKEN.findall(query[:500]):
        raw = word or phrase
        without = sign == "-" or word.startswith("-")
        words = tuple(_WORD.findall(raw.casefold()))
        if words:
            terms.append(Term(words, prefix=word.endswith("*"), without=without))
    return tuple(terms[:_MAX_TERMS])


def _fts5(terms: tuple[Term, ...]) -> str:
    """Write the terms in FTS5's language; every word is quoted, so none is an operator."""
    wanted = [_fts5_term(t) for t in terms if not t.without]
    unwanted = [_fts5_term(t) for t in terms if t.without]
    return " NOT ".join([f"({' AND '.join(wanted)})", *unwanted])


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + ("*" if term.prefix else "")


def _tsquery(terms: tuple[Term, ...]) -> str:
    """Write the terms in PostgreSQL's tsquery language; words hold letters and digits only."""
    parts = []
    for term in terms:
        *first, last = term.words
        phrase = " <-> ".join([*first, last + (":*" if term.prefix else "")])
        parts.append(f"{'!' if term.without else ''}({phrase})")
    return " & ".join(parts)


async def index_story(
    session: AsyncSession, story_id: int, *, title: str, parties: str, summary: str, body: str
) -> None:
    """Make a story findable."""
    values = {"id": story_id, "title": title, "parties": parties, "summary": summary, "body": body}
    if session.get_bind().dialect.name == "sqlite":
        statement = (
            "INSERT INTO story_search (rowid, title, parties, summary, body) "
            "VALUES (:id, :title, :parties, :summary, :body)"
        )
    else:
        statement = (
            "INSERT INTO story_search (story_id, words) VALUES (:id, "
            "setweight(to_tsvector('english', :title), 'A') "
            "|| setweight(to_tsvector('english', :parties), 'B') "
            "|| setweight(to_tsvector('english', :summary), 'C') "
            "|| setweight(to_tsvector('english', :body), 'D'))"
        )
    await session.execute(text(statement), values)


async def find(session: AsyncSession, terms: tuple[Term, ...], limit: int) -> list[tuple[int, float]]:
    """Find stories: (id, rank) best first. Empty when no word is wanted."""
    if all(t.without for t in terms):
        return []
    if session.get_bind().dialect.name == "sqlite":
        statement = (
            "SELECT rowid, rank FROM story_search WHERE story_search MATCH :query "
            "AND rank MATCH 'bm25(10.0, 5.0, 3.0, 1.0)' ORDER BY rank, rowid DESC LIMIT :limit"
        )
        query = _fts5(terms)
    else:
        statement = (
            "SELECT story_id, -ts_rank(words, q) AS rank "
            "FROM story_search, to_tsquery('english', :query) AS q "
            "WHERE words @@ q ORDER BY rank, story_id DESC LIMIT :limit"
        )
        query = _tsquery(terms)
    rows = await session.execute(text(statement), {"query": query, "limit": limit})
    return [(int(story_id), float(rank)) for story_id, rank in rows]
