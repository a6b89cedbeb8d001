"""Full-text search over stories: FTS5 on SQLite, tsvector on PostgreSQL, behind one query language.

Words must all occur (in any form: "subpoenaed" finds "subpoena"), "quoted words" stand side by side,
-word must not occur, word* is a beginning of at least three letters. Whatever else a person types is taken
as words: no text is an error, and none reaches the database as syntax.

Both databases hold the same tokens of a story, made here:

- its words, stemmed, in their order, with a `_` between title, parties, summary and text;
- words that differ from their stems, as they are (for beginnings);
- `_1word` for each word of the title and the parties, `_2word` for each of the summary too: by them the
  stories that are about something are found without ranking those that mention it;
- `_f7` for each feed that brought it, `_p3` for each party, `_t…` and `_s…` for topics and status, so that
  filters are answered by the index as well;
- `_b5`, the story's place among all (PostgreSQL), so that the newest can be asked first.

Ranking all that a common word finds takes half a second with a million stories. So only the newest of each
level are taken (`find`), and ranked by level and age.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Integer,
    Select,
    String,
    TextClause,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.lists import is_sqlite, one_of
from db.search_query import SHORTEST_PREFIX, Clause, Term, at_level, clauses_of, fts5, loose, mark, tsquery
from db.stems import fold, stem, words_of
from db.tables import CaseRow, PartyRow, StoryFeedRow, StoryPartyRow, StoryRow, StoryTopicRow, TextWordRow
from db.visibility import Kind, Viewer, feeds_of

LEARN_BEGINNING = "INSERT INTO text_words (word) VALUES (:word) ON CONFLICT DO NOTHING"
LEVELS = (1, 2, 0)  # title and parties; these and the summary; anywhere
AFTER_ALL = "\U0010ffff"  # sorts behind every letter
_PHRASES = 600  # stories with the words of a phrase in which it is looked for, the newest
_MOST_MEANT = 60  # words that a beginning may stand for
_BODY_WORDS = 2500  # of the text, that can be found
_STEMS_AT_ONCE = 100  # new words between two turns of the event loop
BUCKET = 4096  # stories of one `_b`
_WINDOW = 16  # buckets that are asked at once, at most: each is one more list to look at
_MARGIN = 1.3  # times the stories are asked that should hold what is missing
_REST = 1000  # hits that all older stories may be expected to hold, at most, to be asked at once...
_FEW = 6  # ...and times those that are missing: to find very many more takes longer than a few more windows
_POSITIONS = 255  # that PostgreSQL keeps of a word in a text, each at most 16383
_LAST_POSITION = 16383
_FEEDS_IN_INDEX = 60  # feeds of a viewer up to which the index is asked for their stories alone


@dataclass(frozen=True, slots=True)
class Filters:
    """What a story must be besides the words: each is left out by None.

    `since` bounds the age roughly, by when a story came in.
    """

    topic: str | None = None
    party_id: int | None = None
    status: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A story as the index holds it: words in their order, and marks."""

    words: tuple[str, ...]
    marks: tuple[str, ...]


# ------------------------------------------------------------------------- writing


async def index_story(session: AsyncSession, story_id: int, *, with_text: bool = True) -> None:
    """Make a story findable as its rows say by now, or anew; without its text where that is forgotten."""
    story = await session.get_one(StoryRow, story_id)
    topics = await session.scalars(select(StoryTopicRow.topic).where(StoryTopicRow.story_id == story_id))
    parties = await session.execute(
        select(PartyRow.id, PartyRow.name)
        .join(StoryPartyRow, StoryPartyRow.party_id == PartyRow.id)
        .where(StoryPartyRow.story_id == story_id)
        .order_by(PartyRow.id)
    )
    feeds = await session.scalars(select(StoryFeedRow.feed_id).where(StoryFeedRow.story_id == story_id))
    case = await session.get(CaseRow, story.case_id) if story.case_id is not None else None
    named = [(int(party_id), str(name)) for party_id, name in parties]
    marks = marks_of(
        story_id,
        topics=topics.all(),
        parties=[party_id for party_id, _ in named],
        feeds=feeds.all(),
        status=story.status,
    )
    heads = [story.title, *(name for _, name in named)]
    if case is not None and case.title != story.title:
        heads.append(case.title)
    await know(story.language, [*heads, *story.summary, story.text if with_text else ""])
    tokens = tokens_of(
        heads=heads,
        summary=story.summary,
        body=story.text if with_text else "",
        language=story.language,
        marks=marks,
    )
    await _put(session, story_id, tokens)
    await _learn_beginnings(session, beginnings_of(tokens))


def marks_of(
    story_id: int,
    *,
    topics: Iterable[str],
    parties: Iterable[int],
    feeds: Iterable[int],
    status: str | None,
) -> list[str]:
    """Give what the index holds of a story besides its words."""
    return [
        mark("b", story_id // BUCKET),
        *(mark("t", topic) for topic in topics),
        *(mark("p", party_id) for party_id in parties),
        *(mark("f", feed_id) for feed_id in feeds),
        *((mark("s", status),) if status else ()),
    ]


def tokens_of(
    *, heads: Sequence[str], summary: Sequence[str], body: str, language: str, marks: Iterable[str]
) -> Tokens:
    """Give the tokens of a story. `heads`: the title, names of parties, whatever else it is known by."""
    raw = [words_of(part) for part in heads], [words_of(part) for part in summary]
    parts = [*raw[0], *raw[1], words_of(body)[:_BODY_WORDS]]
    words: list[str] = []
    forms: set[str] = set()
    for part in parts:
        for word in part:
            stemmed = stem(word, language)
            words.append(stemmed)
            if fold(word) != stemmed:
                forms.add(fold(word))
        words.append("_")
    levels: set[str] = set()
    for level, some in ((1, raw[0]), (2, [*raw[0], *raw[1]])):
        for word in {word for part in some for word in part}:
            levels |= {at_level(level, stem(word, language)), at_level(level, fold(word))}
    return Tokens(tuple(words), (*sorted(forms), *sorted(levels), *marks))


async def add_feed(session: AsyncSession, story_ids: Sequence[int], feed_id: int) -> None:
    """Note in the index that a further feed brought stories: its servers may find them from now on."""
    if not story_ids:
        return
    sqlite = is_sqlite(session)
    statement = (
        "UPDATE story_search SET words = words || :mark WHERE rowid = :id"
        if sqlite
        else "UPDATE story_search SET words = words || CAST(:mark AS tsvector) WHERE story_id = :id"
    )
    token = mark("f", feed_id)
    said = f" _ {token}" if sqlite else f"'{token}'"
    connection = await session.connection()
    await connection.execute(text(statement), [{"id": story_id, "mark": said} for story_id in story_ids])


async def know(language: str, parts: Iterable[str]) -> None:
    """Have the stems of a text's words ready, letting the event loop have its turns meanwhile."""
    words = {word for part in parts for word in words_of(part)}
    for count, word in enumerate(words):
        stem(word, language)
        if count % _STEMS_AT_ONCE == _STEMS_AT_ONCE - 1:
            await asyncio.sleep(0)


async def _put(session: AsyncSession, story_id: int, tokens: Tokens) -> None:
    if is_sqlite(session):
        values = {"id": story_id, "words": sqlite_words(tokens)}
        await session.execute(text("DELETE FROM story_search WHERE rowid = :id"), values)
        await session.execute(text("INSERT INTO story_search (rowid, words) VALUES (:id, :words)"), values)
        return
    statement = (
        "INSERT INTO story_search (story_id, words) VALUES (:id, CAST(:words AS tsvector)) "
        "ON CONFLICT (story_id) DO UPDATE SET words = excluded.words"
    )
    await session.execute(text(statement), {"id": story_id, "words": postgres_words(tokens)})


def beginnings_of(tokens: Tokens) -> set[str]:
    """Give the tokens of a story that a beginning may stand for."""
    forms = (word for word in tokens.marks if not word.startswith("_"))
    return {word for word in (*tokens.words, *forms) if len(word) >= SHORTEST_PREFIX}


async def _learn_beginnings(session: AsyncSession, words: set[str]) -> None:
    there = select(TextWordRow.word).where(one_of(session, TextWordRow.word, words))
    new = words - set(await session.scalars(there))
    if new:
        connection = await session.connection()
        # In one order, so that two who learn the same words do not wait for each other.
        await connection.execute(text(LEARN_BEGINNING), [{"word": word} for word in sorted(new)])


def sqlite_words(tokens: Tokens) -> str:
    """Write tokens for FTS5; what is no text is kept apart, so that it makes no phrase."""
    return " ".join((*tokens.words, " _ ".join(tokens.marks)))


def postgres_words(tokens: Tokens) -> str:
    """Write tokens as a tsvector (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    places: dict[str, list[str]] = {token: [] for token in tokens.marks}
    for place, word in enumerate(tokens.words[:_LAST_POSITION], start=1):
        if word != "_" and len(places.setdefault(word, [])) < _POSITIONS:
            places[word].append(str(place))
    return " ".join(f"'{word}':{','.join(at)}" if at else f"'{word}'" for word, at in places.items())


# ------------------------------------------------------------------------- finding


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the index, made ready; `none`: nothing can meet it."""

    terms: tuple[Term, ...]
    meant: Mapping[str, Sequence[str]]  # beginnings and the words that they stand for
    filters: tuple[Clause, ...]
    by_feed: bool  # the index is asked for the viewer's stories alone
    lowest: int
    newest: int
    none: bool


async def prepare(session: AsyncSession, viewer: Viewer, terms: Collection[Term], filters: Filters) -> Asked:
    """Make a question ready. Without any term it is met by all that the filters let through.

    Where the viewer has few feeds, the index is asked for their stories alone.
    """
    starts = sorted({fold(term.words[-1]) for term in terms if term.prefix})
    values: dict[str, Any] = {**viewer.values, "since": filters.since}
    for place, start in enumerate(starts):
        values |= {f"from_{place}": start, f"to_{place}": start + AFTER_ALL}
    known = _known(viewer.kind, len(starts), filters.since is not None)
    rows: dict[int, list[Any]] = {what: [] for what in range(_WORDS + len(starts))}
    for what, number, word in await session.execute(known, values):
        rows[what].append(word if number is None else number)
    meant = {start: rows[_WORDS + place] for place, start in enumerate(starts)}
    wanted = [term for term in terms if not term.without]
    unknown = any(term.prefix and not meant[fold(term.words[-1])] for term in wanted)
    sees_nothing = viewer.kind != "operator" and not rows[_FEEDS]
    by_feed = 0 < len(rows[_FEEDS]) <= _FEEDS_IN_INDEX
    return Asked(
        tuple(terms),
        meant,
        tuple(_clauses_of(filters, rows[_FEEDS] if by_feed else None)),
        by_feed,
        0 if filters.since is None else min(rows[_SINCE], default=2**62),
        max(rows[_NEWEST], default=-1),
        unknown or sees_nothing or (bool(terms) and not wanted),
    )


_FEEDS, _NEWEST, _SINCE, _WORDS = range(4)  # what a row tells; words of the first beginning, then the next


@cache
def _known(kind: Kind, starts: int, since: bool) -> CompoundSelect[int, int, str]:
    """Make what is asked before anything is looked for: one statement, for the way of each takes its time.

    The viewer's feeds, where they are few; the newest story; the first that came in since then (none that
    was published since has a lower id); the words that begin so, the shortest ones.
    """
    parts = [_told(_NEWEST, select(StoryRow.id).order_by(StoryRow.id.desc()).limit(1))]
    if kind != "operator":
        parts.append(_told(_FEEDS, feeds_of(kind).limit(_FEEDS_IN_INDEX + 1)))
    if since:
        came_in = StoryRow.first_seen >= bindparam("since", type_=StoryRow.first_seen.type)
        # `relevant` as the partial index says it
        first = select(StoryRow.id).where(StoryRow.relevant, came_in).order_by(StoryRow.first_seen).limit(1)
        parts.append(_told(_SINCE, first))
    for place in range(starts):
        of_words = TextWordRow.__table__.alias()
        word = of_words.c.word
        begins = word.between(
            bindparam(f"from_{place}", type_=String), bindparam(f"to_{place}", type_=String)
        )
        some = select(word).where(begins).order_by(func.length(word), word).limit(_MOST_MEANT)
        parts.append(_told(_WORDS + place, some, words=True))
    return union_all(*parts)


def _told(what: int, some: Select[Any], *, words: bool = False) -> Select[int, int, str]:
    """Give rows of one shape: what is told, a number, a word."""
    (told,) = some.subquery().c
    number, word = (null(), told) if words else (told, null())
    return select(literal_column(str(what), Integer), cast(number, BigInteger), cast(word, String))


class Found(NamedTuple):
    """The newest stories that meet a question, the newest first; `whole`: there are no others."""

    ids: Sequence[int]
    whole: bool


async def find(session: AsyncSession, asked: Asked, level: int, limit: int) -> Found:
    """Give the newest stories that meet the terms at a level, at most `limit`.

    A phrase is looked for in the newest stories that have its words; where that were not all, it may stand in
    others.
    """
    if asked.none:
        return Found([], True)
    clauses = (*clauses_of(asked.terms, level, asked.meant), *asked.filters)
    if not clauses:
        ids = await _newest_of_all(session, asked.lowest, limit)
        return Found(ids, len(ids) < limit)
    if is_sqlite(session):
        return await _find_sqlite(session, clauses, asked.lowest, limit)
    return await _find_postgres(session, clauses, Span(asked.lowest, asked.newest), limit)


def _clauses_of(filters: Filters, feeds: Sequence[int] | None) -> list[Clause]:
    found = []
    if filters.topic is not None:
        found.append(Clause(((mark("t", filters.topic),),)))
    if filters.party_id is not None:
        found.append(Clause(((mark("p", filters.party_id),),)))
    if filters.status is not None:
        found.append(Clause(((mark("s", filters.status),),)))
    if feeds is not None:
        found.append(Clause(tuple((mark("f", feed_id),) for feed_id in sorted(feeds))))
    return found


async def _newest_of_all(session: AsyncSession, lowest: int, limit: int) -> Sequence[int]:
    newest = "SELECT {0} FROM story_search WHERE {0} >= :lowest ORDER BY {0} DESC LIMIT :limit"
    statement = newest.format("rowid" if is_sqlite(session) else "story_id")
    return [int(row[0]) for row in await session.execute(text(statement), {"lowest": lowest, "limit": limit})]


async def _find_sqlite(session: AsyncSession, clauses: Sequence[Clause], lowest: int, limit: int) -> Found:
    """FTS5 walks its lists from the newest on and stops when it has enough.

    For a phrase it would read the places of the words in each story that has them, of common ones nearly all;
    so the phrase is looked for in the tokens of the newest that have its words.
    """
    if not any(clause.is_phrase for clause in clauses):
        values = {"query": fts5(clauses), "lowest": lowest, "limit": limit}
        ids = [int(row[0]) for row in await session.execute(text(_SQLITE.format("rowid")), values)]
        return Found(ids, len(ids) < limit)
    values = {"query": fts5(loose(clauses)), "lowest": lowest, "limit": _PHRASES}
    conditions = []
    for number, clause in enumerate(each for each in clauses if each.side_by_side):
        rows = {f"p{number}_{place}": f" {' '.join(row)} " for place, row in enumerate(clause.rows)}
        met = " OR ".join(f"instr(tokens, :{name})" for name in rows)
        conditions.append(f"{'NOT ' if clause.without else ''}({met})")
        values |= rows
    some = _SQLITE.format("rowid AS id, ' ' || words || ' ' AS tokens")
    statement = _SQLITE_PHRASES.format(some, " AND ".join(conditions))
    ids = [int(row[0]) for row in await session.execute(text(statement), values | {"hits": limit})]
    whole = len(ids) < limit and await session.scalar(text(_SQLITE_LAST), values) is None
    return Found(ids, whole)


_SQLITE = (
    "SELECT {} FROM story_search WHERE story_search MATCH :query AND rowid >= :lowest "
    "ORDER BY rowid DESC LIMIT :limit"
)
_SQLITE_LAST = f"{_SQLITE.format('rowid').removesuffix(':limit')} 1 OFFSET :limit - 1"  # that is looked at
_SQLITE_PHRASES = "SELECT id FROM ({}) WHERE {} ORDER BY id DESC LIMIT :hits"


async def _find_postgres(session: AsyncSession, clauses: Sequence[Clause], span: Span, limit: int) -> Found:
    """GIN knows no order, so the newest part of the store is asked first, then older ones as far as needed.

    Each clause is a condition of its own: GIN leaps from one's next story to the other's, while within one
    tsquery it tries every story of the rarest word.
    """
    # A phrase is looked for in the newest stories that have its words, one by one.
    by_phrase = any(clause.is_phrase for clause in clauses)
    most = _PHRASES if by_phrase else limit
    words = _ts_values("w", loose(clauses) if by_phrase else clauses)
    phrases = _ts_values("p", (each for each in clauses if by_phrase and each.side_by_side))
    found: list[int] = []
    while (buckets := span.next(most)) is not None:
        asked = _ts_values("b", [Clause(tuple((mark("b", n),) for n in buckets))] if buckets else ())
        statement = _postgres(tuple(asked | words), tuple(phrases), by_phrase)
        values = {"lowest": span.lowest, "highest": span.highest, "limit": most - span.hits}
        rows = (await session.execute(statement, values | asked | words | phrases)).all()
        found += [int(row.story_id) for row in rows if row.meets]
        span.looked(buckets, len(rows))
        if len(found) >= limit:
            break
    return Found(found[:limit], len(found) < limit and span.hits < most)


# `+ 0` keeps the planner from walking the primary key, word or no word. The words themselves are wide, and
# sorted along only where a phrase is looked for in them.
_POSTGRES = (
    "SELECT story_id, {meets} AS meets FROM (SELECT story_id{wide} FROM story_search WHERE {words} "
    "AND story_id + 0 BETWEEN :lowest AND :highest ORDER BY story_id + 0 DESC LIMIT :limit) AS s "
    "ORDER BY story_id + 0 DESC"
)


@lru_cache(100)
def _postgres(words: tuple[str, ...], phrases: tuple[str, ...], by_phrase: bool) -> TextClause:
    """Make the statement for values of these names."""
    return text(
        _POSTGRES.format(words=_conditions(words), meets=_conditions(phrases), wide=", words" * by_phrase)
    )


def _ts_values(name: str, clauses: Iterable[Clause]) -> dict[str, str]:
    """Give each clause as a value of a statement."""
    return {f"{name}{number}": tsquery([clause]) for number, clause in enumerate(clauses)}


def _conditions(names: Iterable[str]) -> str:
    return " AND ".join(f"words @@ CAST(:{name} AS tsquery)" for name in names) or "true"


class Span:
    """How far back the store has been asked, and how much of it is asked next: as many of the parts as will
    hold what is missing, going by what was found so far; all the rest where that will not be much."""

    def __init__(self, lowest: int, newest: int) -> None:
        self.hits = 0
        self.highest = newest
        self.lowest = lowest
        self._newest = newest

    def next(self, most: int) -> range | None:
        """Give the parts to ask next, the newest first (empty: all the rest); None when there is no need."""
        bucket = self.highest // BUCKET
        if self.hits >= most or self.highest < self.lowest:
            return None
        size = 1 if self._newest % BUCKET > BUCKET // 2 else 2
        if self.highest < self._newest:
            density = (self.hits + 1) / (self._newest - self.highest)
            if density * self.highest < min(_REST, _FEW * (most - self.hits)):
                return range(0)
            size = math.ceil((most - self.hits) * _MARGIN / density / BUCKET)
        return range(bucket, max(bucket - min(size, _WINDOW), -1), -1)

    def looked(self, buckets: range, hits: int) -> None:
        """Note what these parts held."""
        self.hits += hits
        self.highest = buckets[-1] * BUCKET - 1 if buckets else -1
