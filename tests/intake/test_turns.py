"""What is news is read before what is history, and no feed's news keep all others' waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update

from bot.feeds.articles import Page
from bot.intake.reading import Reader
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db import entries, feed_looks, feeds
from db.engine import Database
from db.tables import EntryRow
from tests.conftest import TurnedClock

AT_ONCE = 16


class Desk:
    """A reader whose database is filled by hand; notes what it read, in this order."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database = database
        self.clock = clock
        self.read: list[str] = []
        self.reader = Reader(database, self._analyse, self._no_page, clock=clock)

    async def _analyse(self, article: Article) -> Story:
        self.read.append(article.title)
        return analyse(article)

    async def _no_page(self, url: str) -> Page:
        raise AssertionError(f"nothing here has a page: {url}")

    async def add_feed(self, name: str) -> int:
        async with self.database.write() as session:
            values = {"url": f"https://{name}.example/", "title": name, "added_at": self.clock()}
            return await feeds.add(session, values)

    async def bring(self, feed_id: int, titles: Sequence[str], *, alert: bool = True) -> None:
        """Store new entries as a look does."""
        async with self.database.write() as session:
            await feed_looks.insert_entries(session, [self._row(feed_id, title, alert) for title in titles])

    def _row(self, feed_id: int, title: str, alert: bool) -> dict[str, Any]:
        return {
            "feed_id": feed_id,
            "key": title,
            "url": "",
            "url_key": None,
            "title": title,
            "summary": "",
            "content": "",
            "content_hash": "",
            "published": None,
            "first_seen": self.clock(),
            "alert": alert,
            "history": None if alert else "first",
            "state": "new",
            "attempts": 0,
        }

    async def waiting(self) -> int:
        async with self.database.read() as session:
            query = select(func.count()).select_from(EntryRow).where(EntryRow.state == "new")
            return (await session.scalar(query)) or 0

    async def claim(self, limit: int = AT_ONCE, owner: str = "") -> list[str]:
        async with self.database.write() as session:
            claimed = await entries.claim_new(session, self.clock(), limit, owner=owner)
            return [entry.title for entry in claimed]

    async def claim_and_drop(self, limit: int = AT_ONCE) -> list[str]:
        """Read a batch, but for the reading."""
        async with self.database.write() as session:
            claimed = await entries.claim_new(session, self.clock(), limit)
            for entry in claimed:
                assert await entries.mark_read(session, entry.id, None)
            return [entry.title for entry in claimed]


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> AsyncIterator[Desk]:
    yield Desk(database, clock)


def _numbered(name: str, count: int, start: int = 0) -> list[str]:
    return [f"{name} {number}" for number in range(start, start + count)]


async def test_news_of_one_feed_is_read_before_the_history_of_another(desk: Desk) -> None:
    history, news = _numbered("history", 3 * AT_ONCE), "a bailiff came"
    await desk.bring(await desk.add_feed("just-added"), history, alert=False)
    other = await desk.add_feed("other")
    assert await desk.reader.read_new() == AT_ONCE
    await desk.bring(other, [news])
    assert await desk.reader.read_new() == 1, "and no history beside it, which it would wait for"
    assert desk.read == [*history[:AT_ONCE], news]
    while await desk.reader.read_new():
        pass
    assert desk.read == [*history[:AT_ONCE], news, *history[AT_ONCE:]]
    assert await desk.waiting() == 0


async def test_five_hundred_news_of_one_feed_keep_no_other_waiting_and_none_is_lost(
    desk: Desk, clock: TurnedClock
) -> None:
    flood = _numbered("flood", 500)
    flooding, other, third = [await desk.add_feed(name) for name in ("flooding", "other", "third")]
    await desk.bring(flooding, flood)
    await desk.claim_and_drop()
    clock.turn(seconds=5)
    await desk.bring(other, ["of the other"])
    await desk.bring(third, _numbered("of the third", 3))
    assert {"of the other", *_numbered("of the third", 3)} < set(await desk.claim_and_drop())
    taken = []
    while batch := await desk.claim_and_drop():
        taken += batch
    assert taken == flood[-len(taken) :], "the rest in its order"
    assert await desk.waiting() == 0


async def test_who_brings_more_before_the_last_was_read_does_not_begin_anew(
    desk: Desk, clock: TurnedClock
) -> None:
    """A hub may push entries one by one."""
    flooding, other = [await desk.add_feed(name) for name in ("flooding", "other")]
    for title in _numbered("flood", 60):
        await desk.bring(flooding, [title])
        clock.turn(seconds=0.1)
    await desk.bring(other, ["of the other"])
    assert await desk.claim(2) == ["flood 0", "of the other"]


async def test_a_flood_is_not_put_off_for_ever_by_others(desk: Desk, clock: TurnedClock) -> None:
    """Each time the reader has room for less than what others bring."""
    flooding = await desk.add_feed("flooding")
    await desk.bring(flooding, _numbered("flood", 20))
    others = [await desk.add_feed(f"other-{number}") for number in range(4)]
    seen: list[str] = []
    for turn in range(30):
        clock.turn(seconds=10)
        for number, feed_id in enumerate(others):
            await desk.bring(feed_id, [f"other {number}, {turn}"])
        seen += await desk.claim_and_drop(4)
    assert set(_numbered("flood", 20)) < set(seen)


async def test_after_an_outage_each_feed_has_its_turn(desk: Desk) -> None:
    for number in range(30):
        await desk.bring(await desk.add_feed(f"feed-{number}"), _numbered(f"feed {number}:", 5))
    first = await desk.claim_and_drop(30)
    assert sorted(first) == sorted(f"feed {number}: 0" for number in range(30))


async def test_news_that_is_put_off_or_being_read_holds_up_neither_news_nor_history(
    desk: Desk, clock: TurnedClock
) -> None:
    feed_id = await desk.add_feed("feed")
    await desk.bring(feed_id, ["history"], alert=False)
    await desk.bring(feed_id, _numbered("news", 3))
    assert await desk.claim(1, "one") == ["news 0"]
    async with desk.database.write() as session:
        (second,) = await entries.claim_new(session, clock(), 1, owner="two")
        await entries.mark_failed(session, second, clock(), owner="two")
    assert await desk.claim(5) == ["news 2"]
    assert await desk.claim(5) == ["history"]
    assert await desk.claim(5) == []
    clock.turn(minutes=6)
    assert await desk.claim(5) == _numbered("news", 3)
    assert await desk.claim(5) == ["history"]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_two_who_claim_at_once_share_what_waits(desk: Desk, clock: TurnedClock) -> None:
    await desk.bring(await desk.add_feed("feed"), _numbered("news", 4))
    async with desk.database.write() as one, desk.database.write() as two:
        first = await entries.claim_new(one, clock(), 2, owner="one")
        second = await entries.claim_new(two, clock(), 9, owner="two")
    assert [e.title for e in (*first, *second)] == _numbered("news", 4)


async def test_a_claim_and_a_look_ask_the_indexes_of_what_waits_alone(desk: Desk, clock: TurnedClock) -> None:
    """As the program sends the statements, values apart, with much that was read and nobody asks for."""
    of_one = await desk.add_feed("full")
    await desk.bring(of_one, _numbered("old", 4000))
    async with desk.database.write() as session:
        await session.execute(update(EntryRow).values(state="read"))
    await desk.bring(of_one, _numbered("history", 20), alert=False)
    async with desk.database.engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
        await connection.commit()
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and "entries" in statement and "JOIN" not in statement:
            asked.append((statement, values))

    engine = desk.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listen)
    await desk.bring(of_one, _numbered("more", 3))
    await desk.claim()
    await desk.claim()
    event.remove(engine, "before_cursor_execute", listen)
    plans = [await _plan(desk.database, *each) for each in asked]
    used = [[name for name in _INDEXES if f"{name} " in f"{plan} "] for plan in plans]
    assert used == [["ix_entries_news"], ["ix_entries_new"], ["ix_entries_new"], ["ix_entries_new"]], plans
    assert not any(
        "Sort" in plan or "TEMP B-TREE" in plan or "Seq Scan on entries" in plan for plan in plans
    ), plans


_INDEXES = ("ix_entries_news", "ix_entries_new")


async def _plan(database: Database, statement: str, values: Any) -> str:
    """Give the database's plan of a statement, on PostgreSQL one that serves for all values."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            return "\n".join(row.detail for row in rows)
        await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await connection.exec_driver_sql(f"PREPARE asked AS {statement}")
        given = ", ".join("NULL" for _ in values)
        rows = await connection.exec_driver_sql(f"EXPLAIN EXECUTE asked({given})")
        plan = "\n".join(row[0] for row in rows)
        await connection.exec_driver_sql("DEALLOCATE asked")
        return plan
