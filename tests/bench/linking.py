"""What it costs to find a story's case while the store grows: it must stay flat.

    python tests/bench/linking.py [--most 100000]

Fills a store with made-up stories, whose words are as unevenly common as those of news, and measures the
cost of placing further ones at 1,000, 10,000 and 100,000 stored: in memory (`CaseBook`), and in SQLite as
the reader does it (look-up, choice, and writing the story's terms), in CPU time of this process. Ends with
status 1 where the last is more than 1.5 times the first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from bot.intake.reading import find_candidates
from bot.stories.cases import CaseBook, asked, choose_case
from bot.stories.fingerprints import fingerprint
from bot.stories.model import Demand, Document, Fingerprint, Party, Sentence, Topic
from db import cases, schema
from db.engine import Database
from db.tables import CaseMemberRow, CaseRow, CaseTermRow, StoryRow

SIZES = (1_000, 10_000, 100_000)
MEASURED = 300
ALLOWED = 1.5
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENCIES = [f"Agency {n}" for n in range(200)]
COMPANIES = [f"Company {n}" for n in range(2_000)]
MEANS = ("subpoena", "search warrant", "court order", "takedown order", "administrative subpoena")
TOPICS = ("legal-demands", "surveillance", "encryption", "free-speech", "privacy-law")


def make_words(count: int) -> tuple[list[str], list[float]]:
    """Give a vocabulary and how often each word is used (Zipf's law), none of it common to all stories."""
    words = [_spell(n) for n in range(count)]
    total, sums = 0.0, []
    for rank in range(count):
        total += 1.0 / (rank + 20)
        sums.append(total)
    return words, sums


def _spell(number: int) -> str:
    letters = []
    for _ in range(5):
        number, at = divmod(number, 20)
        letters.append("bcdfghklmnprstvwzxqj"[at] + "aeiou"[at % 5])
    return "".join(letters)


class Press:
    """Makes stories: a third of them report on a matter that was reported before."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words, self._sums = make_words(60_000)
        self._matters: list[tuple[list[str], str, str]] = []
        self._number = 0

    def report(self) -> Fingerprint:
        """Give the next story's fingerprint."""
        draw = self._random
        self._number += 1
        if self._matters and draw.random() < 0.33:
            own, agency, company = draw.choice(self._matters[-3_000:])
        else:
            own = draw.choices(self._words, cum_weights=self._sums, k=40)
            agency, company = draw.choice(AGENCIES), draw.choice(COMPANIES)
            self._matters.append((own, agency, company))
        told = draw.sample(own, 30) + draw.choices(self._words, cum_weights=self._sums, k=40)
        draw.shuffle(told)
        document = Document(
            title=" ".join(draw.sample(own, 7)),
            sentences=(Sentence(" ".join(told), 0, 0),),
            language="en",
            published=START + timedelta(minutes=self._number),
        )
        return fingerprint(
            document,
            (Party(agency, "agency", "issuer", 2), Party(company, "company", "recipient", 3)),
            (Demand((agency,), draw.choice(MEANS), (company,), (), (), "issued", ()),),
            tuple(Topic(topic, 0.9, ()) for topic in draw.sample(TOPICS, 2)),
        )


def in_memory(most: int) -> list[tuple[int, float]]:
    """Measure `CaseBook.place`: milliseconds a story."""
    gc.disable()  # a full collection walks the whole store, again and again while it is filled
    press, book, stored = Press(1), CaseBook(), 0
    figures = []
    for size in (s for s in SIZES if s <= most):
        while stored < size:
            book.place(press.report())
            stored += 1
        new = [press.report() for _ in range(MEASURED)]
        costs = []
        for found in new:
            before = time.process_time()
            book.place(found)
            costs.append(time.process_time() - before)
        stored += len(new)
        figures.append((size, statistics.median(costs) * 1000))
    gc.enable()
    return figures


async def in_sqlite(most: int) -> list[tuple[int, float]]:
    """Measure look-up, choice and filing in a database: milliseconds a story."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/quash.db")
        await schema.upgrade(database)
        press, stored = Press(1), 0
        for size in (s for s in SIZES if s <= most):
            while stored < size:
                count = min(2_000, size - stored)
                await _fill(database, [press.report() for _ in range(count)], stored)
                stored += count
            costs = []
            for found in [press.report() for _ in range(MEASURED)]:
                before = time.process_time()
                await _place(database, found, stored)
                costs.append(time.process_time() - before)
                stored += 1
            figures.append((size, statistics.median(costs) * 1000))
        await database.close()
    return figures


async def _fill(database: Database, reports: list[Fingerprint], stored: int) -> None:
    """Store many stories at once, each a case of its own."""
    ids = range(stored + 1, stored + len(reports) + 1)
    async with database.write() as session:
        await session.execute(
            insert(CaseRow), [{"id": i, "title": "", "opened": START, "updated": START} for i in ids]
        )
        await session.execute(insert(StoryRow), [_story(i) for i in ids])
        await session.execute(
            insert(CaseMemberRow),
            [
                {
                    "story_id": i,
                    "case_id": i,
                    "terms": dict(r.terms),
                    "filed": list(asked(r)),
                    "published": r.published,
                }
                for i, r in zip(ids, reports, strict=True)
            ],
        )
        await session.execute(
            insert(CaseTermRow),
            [
                {"term": term, "case_id": i, "last_seen": r.published}
                for i, r in zip(ids, reports, strict=True)
                for term in asked(r)
            ],
        )


def _story(number: int) -> dict[str, object]:
    return {"id": number, "title": "", "first_seen": START, "relevant": True, "relevance": 1.0}


async def _place(database: Database, found: Fingerprint, stored: int) -> None:
    async with database.write() as session:
        choice = choose_case(found, await find_candidates(session, found))
        at = found.published or START
        case_id = choice.case_id or await cases.open_case(session, "", None, at)
        await session.execute(insert(StoryRow), [_story(stored + 1)])
        await cases.add_member(
            session,
            case_id,
            stored + 1,
            terms=dict(found.terms),
            filed=asked(found),
            published=found.published,
            now=at,
        )


def main() -> int:
    """Measure both, print, and tell whether the cost stayed flat."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--most", type=int, default=SIZES[-1])
    most = arguments.parse_args().most
    flat = True
    for where in ("memory", "SQLite"):
        figures = in_memory(most) if where == "memory" else asyncio.run(in_sqlite(most))
        for size, cost in figures:
            print(f"{where:7} {size:7,} stored: {cost:6.2f} ms a story")
        ratio = figures[-1][1] / figures[0][1]
        flat = flat and ratio <= ALLOWED
        print(f"{where:7} the last costs {ratio:.2f} times the first (at most {ALLOWED})", flush=True)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
