"""Fills a database with a million stories for `tests/bench/search.py`, by SQL over pools of ready parts.

Titles, sentences and names of parties are made once by Zipf's law and turned into tokens by `db.search`
itself; each story is put together from them by the database. So no word is stemmed twice, and both
databases get the same stories.
"""

# ruff: noqa: E501 - SQL that fills tables, with numbers and names of this file in it
from __future__ import annotations

import itertools
import random
import sqlite3
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db import names, search
from db.search_query import at_level
from db.stems import fold, stem, words_of

FIELD = (  # noqa: SIM905 - one line of words reads better
    "subpoena warrant police court government data privacy surveillance company agency phone users records judge "
    "lawsuit federal encryption spyware border location tracking journalists identity order request law bill"
).split()
TOPICS = ("legal-demands", "surveillance", "encryption", "censorship", "privacy-law", "transparency")
STATUSES = ("issued", "challenged", "withdrawn", "complied", "unknown")
FEEDS = 1000
PARTIES = 100_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BIG, SMALL = 1, 2  # servers: with 300 feeds, with 20
TITLES, SENTENCES, SLOTS = 30_000, 40_000, 200_000
RICH_TITLES, RICH_SENTENCES = 18_000, 24_000  # from here on, half the words are the field's
AT_ONCE = 50_000

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A title, name or sentence, with its tokens: in their order, and as marks for head, lead and body."""

    text: str
    words: tuple[str, ...]
    head: tuple[str, ...]
    lead: tuple[str, ...]
    body: tuple[str, ...]


def part_of(text: str) -> Part:
    """Make the tokens of a text, as `db.search.tokens_of` does; one story is compared with it."""
    words = words_of(text)
    stems = tuple(stem(word, "en") for word in words)
    folded = {fold(word) for word in words}
    forms = tuple(sorted(folded - set(stems)))
    both = sorted(folded | set(stems))
    second = tuple(at_level(2, word) for word in both)
    first = tuple(at_level(1, word) for word in both)
    return Part(text, stems, (*forms, *first, *second), (*forms, *second), forms)


class Pools:
    """The parts that stories are put together from; always the same."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        syllables = [c + v for c in "bcdfghklmnprstvz" for v in "aeiou"]
        self.vocabulary = [
            "".join(self.random.choice(syllables) for _ in range(self.random.randint(2, 4)))
            for _ in range(20_000)
        ]
        self._weights = list(itertools.accumulate(1 / (n + 3) for n in range(len(self.vocabulary))))
        self._field_weights = list(itertools.accumulate(1 / (n + 2) for n in range(len(FIELD))))
        self.parties = [
            " ".join(self.random.choice(self.vocabulary).title() for _ in range(2)) + f" {number}"
            for number in range(1, PARTIES + 1)
        ]
        self.party_weights = list(itertools.accumulate(1 / (n + 3) for n in range(PARTIES)))

    def _words(self, count: int, field: float) -> str:
        of_field = sum(self.random.random() < field for _ in range(count))
        drawn = self.random.choices(self.vocabulary, cum_weights=self._weights, k=count - of_field)
        drawn += self.random.choices(FIELD, cum_weights=self._field_weights, k=of_field)
        self.random.shuffle(drawn)
        return " ".join(drawn)

    def titles(self) -> list[str]:
        """Give the titles of the pool, the later the more of the field."""
        return [self._words(8, 0.5 if n >= RICH_TITLES else 0.1).capitalize() for n in range(TITLES)]

    def sentences(self) -> list[str]:
        """Give the sentences of the pool."""
        return [self._words(16, 0.5 if n >= RICH_SENTENCES else 0.1) for n in range(SENTENCES)]

    def slots(self) -> list[int]:
        """Give the numbers of parties, each as often as it is named."""
        return self.random.choices(range(1, PARTIES + 1), cum_weights=self.party_weights, k=SLOTS)


# ---------------------------------------------------------------- the database's own part


def _pick(salt: int, of: int) -> str:
    """Give an expression that draws a number below `of` for story n; another one for each salt."""
    return f"((n * {1_000_003 + 2 * salt} % 2147483647) * {48_271 + 1_000 * salt} % 2147483647) % {of}"


def _one_of(values: tuple[str, ...], salt: int) -> str:
    cases = " ".join(f"WHEN {n} THEN '{value}'" for n, value in enumerate(values))
    return f"CASE {_pick(salt, len(values))} {cases} END"


def _sentence(salt: int) -> str:
    rich = f"{RICH_SENTENCES} + {_pick(salt, SENTENCES - RICH_SENTENCES)}"
    return f"CASE WHEN {_pick(1, TITLES)} >= {RICH_TITLES} THEN {rich} ELSE {_pick(salt, RICH_SENTENCES)} END"


def _statements(sqlite: bool, low: int, high: int, stories: int) -> list[str]:
    """Give what makes the stories from `low` to `high`."""
    series = (
        f"(WITH RECURSIVE s(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM s WHERE n < {high}) SELECT n FROM s)"
        if sqlite
        else f"(SELECT generate_series({low}, {high})::bigint AS n)"
    )
    minutes = f"({stories} - n) * 3"
    at = (
        f"strftime('%Y-%m-%d %H:%M:%S.000000', '2026-11-01', '-' || ({minutes}) || ' minutes')"
        if sqlite
        else f"'2026-11-01 00:00:00+00'::timestamptz - ({minutes}) * interval '1 minute'"
    )
    feed = f"({_pick(6, 1000)}) * ({_pick(6, 1000)}) / 1000 + 1"
    yes, json, cast = ("1", "", "") if sqlite else ("true", "::json", "::json")
    marks = [
        f"'_b' || (p.n / {search.BUCKET})", "'_t' || replace(p.topic, '-', '')", "'_p' || p.p1", "'_p' || p.p2",
        "'_p' || p.p3", "'_f' || p.feed", "'_s' || p.status",
    ]  # fmt: skip
    join = "CROSS JOIN" if sqlite else "JOIN"  # of SQLite, that is: in this order
    parts = f"{join} pool AS t ON t.kind = 't' AND t.n = p.title " + " ".join(
        f"{join} pool AS {name} ON {name}.kind = '{kind}' AND {name}.n = p.{name}"
        for name, kind in (("p1", "p"), ("p2", "p"), ("p3", "p"), ("lead", "s"), ("s1", "s"), ("s2", "s"))
    )
    if sqlite:
        words = " || ' _ ' || ".join(
            [f"{name}.words" for name in ("t", "p1", "p2", "p3", "lead", "s1", "s2")]
            + [f"{name}.head" for name in ("t", "p1", "p2", "p3")]
            + ["lead.lead", "s1.body", "s2.body", *marks]
        )
        index = f"INSERT INTO story_search (rowid, words) SELECT p.n, {words} FROM picks AS p {parts} ORDER BY p.n"
    else:
        words = " || ".join(
            [*(f"{name}.head" for name in ("t", "p1", "p2", "p3")), "lead.lead", "s1.body", "s2.body"]
        )
        said = " || ' ' || ".join(f"quote_literal({mark})" for mark in marks)
        index = f"INSERT INTO story_search (story_id, words) SELECT p.n, {words} || ({said})::tsvector FROM picks AS p {parts} ORDER BY p.n"
    more = "ON CONFLICT DO NOTHING"
    party = "(SELECT party_id FROM slots WHERE slots.n = q.{})"
    return [
        "DELETE FROM picks",
        "INSERT INTO picks (n, at, title, lead, s1, s2, feed, topic, status, case_id, p1, p2, p3) SELECT q.n, q.at, q.title, "
        f"q.lead, q.s1, q.s2, q.feed, q.topic, q.status, q.case_id, {party.format('k1')}, {party.format('k2')}, {party.format('k3')} "
        f"FROM (SELECT n, {at} AS at, {_pick(1, TITLES)} AS title, {_sentence(2)} AS lead, {_sentence(3)} AS s1, {_sentence(4)} AS s2, "
        f"{feed} AS feed, {_one_of(TOPICS, 7)} AS topic, {_one_of(STATUSES, 8)} AS status, (n - 1) / 3 + 1 AS case_id, "
        f"{_pick(9, SLOTS)} AS k1, {_pick(10, SLOTS)} AS k2, {_pick(11, SLOTS)} AS k3 FROM {series} AS s) AS q",
        "INSERT INTO cases (id, title, status, opened, updated) SELECT p.case_id, t.text, p.status, p.at, p.at FROM picks AS p "
        f"{join} pool AS t ON t.kind = 't' AND t.n = p.title WHERE p.n % 3 = 1 ORDER BY p.case_id {more}",
        "INSERT INTO stories (id, url, title, source, published, first_seen, language, relevant, relevance, status, summary, text, "
        "analysis, case_id, adds) SELECT p.n, 'https://f' || p.feed || '.example/' || p.n, t.text, 'Feed ' || p.feed, p.at, p.at, 'en', "
        f"{yes}, 0.9, p.status, ('[\"' || lead.text || '\"]'){json}, s1.text || ' ' || s2.text, '{{}}'{cast}, p.case_id, 'new' FROM picks AS p {parts} ORDER BY p.n",
        "INSERT INTO story_feeds (story_id, feed_id) SELECT n, feed FROM picks ORDER BY n",
        "INSERT INTO story_topics (story_id, topic, score) SELECT n, topic, 0.9 FROM picks ORDER BY n",
        *(f"INSERT INTO story_parties (story_id, party_id, role, mentions) SELECT n, {name}, 'other', 1 FROM picks WHERE true ORDER BY n {more}" for name in ("p1", "p2", "p3")),
        "INSERT INTO demands (id, story_id, case_id, instrument, status, issuer, recipient, target, sought, evidence, reported) "
        f"SELECT n, n, case_id, 'subpoena', status, '[]'{json}, '[]'{json}, '[]'{json}, '[]'{json}, '[]'{json}, at FROM picks WHERE n % 4 = 0 ORDER BY n",
        "INSERT INTO demand_parties (demand_id, party_id, side) SELECT n, p1, 'issuer' FROM picks WHERE n % 4 = 0 ORDER BY n",
        index,
    ]  # fmt: skip


_LAST = (
    names.NAME_IN_FEEDS.format(stories="true"),
    "CREATE TEMP TABLE counted AS SELECT party_id, count(*) AS stories FROM story_parties GROUP BY party_id",
    "CREATE INDEX counted_party ON counted (party_id)",
    "UPDATE parties SET stories = coalesce((SELECT c.stories FROM counted AS c WHERE c.party_id = parties.id), 0)",
)
_PICKS = "n BIGINT, at {time}, title INT, lead INT, s1 INT, s2 INT, feed INT, topic TEXT, status TEXT, case_id INT, p1 INT, p2 INT, p3 INT"


def _first(pools: Pools, titles: list[str], at: Any) -> dict[str, tuple[str, list[Row]]]:
    """Give the rows that stories refer to, by table, with the names of their columns."""
    feeds = [
        (n, f"https://f{n}.example/", f"Feed {n}", "", n <= 100, "active", at, "", 0, 0, "{}")
        for n in range(1, FEEDS + 1)
    ]
    uses = [(BIG, n, at, False) for n in range(1, 301)]
    uses += [(SMALL, n, at, False) for n in range(50, 1001, 50)]
    parties = [(n, name, name.casefold(), "company", 0) for n, name in enumerate(pools.parties, start=1)]
    named = [(row["word"], row["party_id"]) for row in names.name_rows(enumerate(pools.parties, start=1))]
    known = names.known_words([*titles, *pools.vocabulary])
    slips = [(row["form"], row["word"]) for row in names.word_rows(known)]
    beginnings = sorted({fold(word) for word in (*pools.vocabulary, *FIELD)})
    return {
        "feeds": ("id url title site public state added_at next_reason claim failures memory", feeds),
        "guild_feeds": ("guild_id feed_id added_at paused", uses),
        "parties": ("id name name_key kind stories", parties),
        "party_words": ("word party_id", named),
        "search_words": ("form word", slips),
        "text_words": ("word", [(word,) for word in beginnings]),
    }


def _pool(pools: Pools, titles: list[str]) -> list[tuple[str, int, Part]]:
    kinds = (("t", titles, 0), ("s", pools.sentences(), 0), ("p", pools.parties, 1))
    return [
        (kind, n, part_of(text)) for kind, some, first in kinds for n, text in enumerate(some, start=first)
    ]


def fill_sqlite(file: Path, stories: int) -> None:
    """Write a SQLite file."""
    pools = Pools()
    titles = pools.titles()
    database = sqlite3.connect(file)
    for pragma in ("synchronous = OFF", "cache_size = -600000", "foreign_keys = OFF", "temp_store = MEMORY"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(
        "CREATE TEMP TABLE pool (kind TEXT, n INT, text TEXT, words TEXT, head TEXT, lead TEXT, body TEXT, PRIMARY KEY (kind, n))"
    )
    database.execute("CREATE TEMP TABLE slots (n INTEGER PRIMARY KEY, party_id INT)")
    database.execute(f"CREATE TEMP TABLE picks ({_PICKS.format(time='TEXT')})")
    with database:
        for name, (columns, rows) in _first(pools, titles, NOW.strftime("%Y-%m-%d %H:%M:%S.%f")).items():
            marks = ", ".join("?" * len(columns.split()))
            database.executemany(f"INSERT INTO {name} ({', '.join(columns.split())}) VALUES ({marks})", rows)
        parts = [
            (kind, n, p.text, " ".join(p.words), *(" _ ".join(some) for some in (p.head, p.lead, p.body)))
            for kind, n, p in _pool(pools, titles)
        ]
        database.executemany("INSERT INTO pool VALUES (?, ?, ?, ?, ?, ?, ?)", parts)
        database.executemany("INSERT INTO slots VALUES (?, ?)", list(enumerate(pools.slots())))
    for low in range(1, stories + 1, AT_ONCE):
        high = min(low + AT_ONCE - 1, stories)
        with database:
            for statement in _statements(True, low, high, stories):
                database.execute(statement)
        _said(high, stories)
    with database:
        for statement in _LAST:
            database.execute(statement)
    database.close()


async def fill_postgres(address: str, stories: int) -> None:
    """Fill a PostgreSQL database."""
    import asyncpg

    pools = Pools()
    titles = pools.titles()
    connection = await asyncpg.connect(address)
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB';"
        "DROP INDEX ix_story_search_words;"
        "CREATE TEMP TABLE staged (kind TEXT, n INT, text TEXT, head TEXT, lead TEXT, body TEXT);"
        "CREATE TEMP TABLE slots (n INT PRIMARY KEY, party_id INT);"
        f"CREATE TEMP TABLE picks ({_PICKS.format(time='TIMESTAMPTZ')})"
    )
    for name, (columns, rows) in _first(pools, titles, NOW).items():
        await connection.copy_records_to_table(name, records=rows, columns=columns.split())
    staged = [
        (kind, n, p.text, *(_tsvector(p.words, some) for some in (p.head, p.lead, p.body)))
        for kind, n, p in _pool(pools, titles)
    ]
    await connection.copy_records_to_table("staged", records=staged)
    await connection.copy_records_to_table("slots", records=list(enumerate(pools.slots())))
    await connection.execute(
        "CREATE TEMP TABLE pool AS SELECT kind, n, text, head::tsvector AS head, lead::tsvector AS lead, body::tsvector AS body FROM staged;"
        "CREATE INDEX pool_at ON pool (kind, n); ANALYZE pool; ANALYZE slots"
    )
    for low in range(1, stories + 1, AT_ONCE):
        high = min(low + AT_ONCE - 1, stories)
        for statement in _statements(False, low, high, stories):
            await connection.execute(statement)
        _said(high, stories)
    for statement in _LAST:
        await connection.execute(statement)
    await connection.execute("CREATE INDEX ix_story_search_words ON story_search USING GIN (words)")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _tsvector(words: tuple[str, ...], marks: tuple[str, ...]) -> str:
    """Write a part's tokens; it begins at the second place, so that no phrase reaches from one into the next."""
    places = " ".join(f"'{word}':{place}" for place, word in enumerate(words, start=2))
    return f"{places} {' '.join(map(repr, marks))}"


def _said(done: int, of: int) -> None:
    if done % 100_000 == 0:
        print(f"{done:,} of {of:,}", file=sys.stderr, flush=True)
