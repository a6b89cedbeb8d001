"""What is old goes in small batches, and nothing that went comes again as new."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, func, select, text

from bot.alerts.outbox import owe
from bot.feeds.fetch import Fetcher
from bot.feeds.service import FeedService
from bot.stories.cases import HOLDERS, MEMBERS
from db import cases, feeds, figures, guilds, lookups, notes, schema, stories
from db.engine import INCREMENTAL, Database
from db.lookups import Viewer
from db.retention import KEPT_HOLDERS, KEPT_MEMBERS, Retention
from db.tables import (
    AuditRow,
    Base,
    CaseMemberRow,
    CaseRow,
    CaseTermRow,
    DeliveryRow,
    DemandRow,
    DestinationRow,
    EntryRow,
    FeedRow,
    FindingRow,
    GuildFeedRow,
    GuildRow,
    ReportRow,
    ReviewRow,
    RuleRow,
    StoryRow,
)
from tests.conftest import TurnedClock
from tests.feeds.web import DirectParser, Site, daily, limits, rss, serving

DAYS = 30


async def _count(database: Database, table: Any, *conditions: Any) -> int:
    async with database.read() as session:
        return int(
            (await session.execute(select(func.count()).select_from(table).where(*conditions))).scalar_one()
        )


class Store:
    """A database that a test fills."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database, self.clock = database, clock
        self.number = 0

    async def feed(self, **values: Any) -> int:
        async with self.database.write() as session:
            row = FeedRow(url=f"https://f{self.number}.example/", added_at=self.clock(), **values)
            session.add(row)
            await session.flush()
            return row.id

    async def case(self, updated: datetime) -> int:
        async with self.database.write() as session:
            row = CaseRow(title="A case", opened=updated, updated=updated)
            session.add(row)
            await session.flush()
            return row.id

    async def story(
        self, feed_id: int, *, relevant: bool = True, case_id: int | None = None
    ) -> tuple[int, int]:
        """Store an entry that was read, and its story, with findings and a report; gives both ids."""
        self.number += 1
        demand = stories.NewDemand(("FBI",), "subpoena", ("Google",), (), (), "issued", None, ("It asked.",))
        new = stories.NewStory(
            url=f"https://x.example/{self.number}",
            url_key=f"key{self.number}",
            title=f"Harbour subpoena {self.number}",
            source="The Wire",
            published=self.clock(),
            language="en",
            relevant=relevant,
            relevance=0.9,
            status="issued",
            summary=("A summary about lanterns.",),
            text="A long text about periwinkles." if relevant else "",
            analysis={"topics": []},
            topics=(("legal-demands", 0.9),),
            parties=(stories.NewParty("Google", "company", "recipient", 1),),
            demands=(demand,) if relevant else (),
        )
        async with self.database.write() as session:
            entry = EntryRow(
                feed_id=feed_id,
                key=f"e{self.number}",
                title="t",
                content="The text of the entry.",
                first_seen=self.clock(),
                state="read",
            )
            session.add(entry)
            await session.flush()
            story_id = await stories.insert_story(session, new, case_id=case_id, adds="new", now=self.clock())
            await stories.add_story_feed(session, story_id, feed_id, entry.id)
            finding = stories.NewFinding("rule", "passed", "because")
            await stories.add_findings(
                session, [finding] * 3, entry_id=entry.id, story_id=story_id, now=self.clock()
            )
            session.add(ReportRow(user_id=1, story_id=story_id, at=self.clock()))
            return entry.id, story_id

    async def delivery(self, story_id: int, *, case_id: int | None = None, **values: Any) -> int:
        given = {"kind": "card", "state": "sent", "target": "channel", "target_id": 5} | values
        async with self.database.write() as session:
            row = DeliveryRow(
                story_id=story_id,
                case_id=case_id,
                nonce=f"q{self.number}",
                created_at=self.clock(),
                due_at=self.clock(),
                **given,
            )
            session.add(row)
            await session.flush()
            return row.id

    async def ids(self, table: Any) -> list[int]:
        async with self.database.read() as session:
            return list(await session.scalars(select(table.id).order_by(table.id)))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(limits()) as opened:
        yield opened


@pytest.fixture
def store(database: Database, clock: TurnedClock) -> Store:
    return Store(database, clock)


def _retention(store: Store) -> Retention:
    return Retention(store.database, store.clock, DAYS)


async def test_texts_go_and_what_cards_and_lookups_show_stays(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    case = await store.case(store.clock())
    _, old = await store.story(feed, case_id=case)
    await store.story(feed, relevant=False)
    store.clock.turn(days=DAYS + 1)
    _, young = await store.story(feed, case_id=case)
    swept = await _retention(store).sweep()
    assert (swept.stories, swept.entries) == (2, 2)
    assert await store.ids(StoryRow) == [old, young]
    assert await _count(store.database, DemandRow) == 2
    assert await _count(store.database, FindingRow, FindingRow.story_id == old) == 0
    assert await _count(store.database, FindingRow, FindingRow.story_id == young) == 3
    assert await _count(store.database, ReportRow) == 1
    async with store.database.read() as session:
        row = await session.get_one(StoryRow, old)
        assert (row.text, row.summary, row.analysis) == ("", ["A summary about lanterns."], {"topics": []})
        found, *_ = await lookups.search_stories(session, Viewer(operator=True), "harbour lanterns google")
        assert [story.id for story in found] == [young, old]
        found, *_ = await lookups.search_stories(session, Viewer(operator=True), "periwinkles")
        assert [story.id for story in found] == [young]
        assert [c.id for c in await lookups.find_cases(session, Viewer(operator=True), "harbour")] == [case]
    again = await _retention(store).sweep()
    assert (again.stories, again.entries, again.findings, again.deliveries) == (0, 0, 0, 0)


async def test_an_entry_that_its_feed_still_shows_keeps_its_identity_and_loses_its_text(store: Store) -> None:
    feed = await store.feed()
    gone, _ = await store.story(feed)
    shown, _ = await store.story(feed)
    async with store.database.write() as session:
        await feeds.set_columns(session, feed, {"oldest_shown": shown})
    store.clock.turn(days=DAYS + 1)
    assert (await _retention(store).sweep()).entries == 1
    async with store.database.read() as session:
        assert await session.get(EntryRow, gone) is None
        row = await session.get_one(EntryRow, shown)
        assert (row.key, row.content) == ("e2", "")


async def test_an_entry_that_waits_to_be_read_stays(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    entry, _ = await store.story(feed)
    async with store.database.write() as session:
        await session.execute(text("UPDATE entries SET state = 'new'"))
    store.clock.turn(days=DAYS + 1)
    await _retention(store).sweep()
    assert await store.ids(EntryRow) == [entry]


async def test_a_feed_that_shows_old_entries_for_years_never_has_them_come_as_new(
    store: Store, fetcher: Fetcher, site: Site
) -> None:
    site.clock = store.clock
    parser = DirectParser()
    service = FeedService(store.database, fetcher, parser, store.clock, limits())
    items: list[str | tuple[str, datetime]] = ["undated", *daily(2, store.clock.now)]
    site.say(body=rss(items))
    added = await service.add(site.url())
    alerted = []
    for month in range(1, 7):
        async with store.database.write() as session:
            await session.execute(text("UPDATE entries SET state = 'read'"))
        store.clock.turn(days=DAYS * 2)
        await _retention(store).sweep()
        # The oldest dated entry falls out of the feed, a new one comes; "undated" stays for good.
        items = [(f"new{month}", store.clock.now), *items[:-1]] if month < 3 else items
        site.say(body=rss(items, more=f"<!-- {month} -->"))
        await service.check([added.feed_id], gap=0)
        async with store.database.read() as session:
            rows = await session.scalars(select(EntryRow.title).where(EntryRow.state == "new"))
            alerted.append(sorted(title.removeprefix("Title of ") for title in rows))
    assert alerted == [["new1"], ["new2"], [], [], [], []]
    async with store.database.read() as session:
        titles = {t.removeprefix("Title of ") for t in await session.scalars(select(EntryRow.title))}
    assert titles == {"undated", "new1", "new2"}


async def test_a_forgotten_story_alerts_nobody_whatever_feed_brings_it_again(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    _, story = await store.story(feed)
    async with store.database.write() as session:
        session.add(GuildRow(id=9, joined_at=store.clock()))
        await session.flush()
        session.add(GuildFeedRow(guild_id=9, feed_id=feed, added_at=store.clock()))
        session.add(RuleRow(guild_id=9, channel_id=5, created_at=store.clock()))
    async with store.database.write() as session:
        assert await owe(session, story, now=store.clock()) == 1
        await session.execute(text("UPDATE deliveries SET state = 'sent'"))
    store.clock.turn(days=DAYS + 1)
    assert (await _retention(store).sweep()).deliveries == 1
    async with store.database.write() as session:
        assert await owe(session, story, now=store.clock()) == 0
    assert await store.ids(DeliveryRow) == []


async def test_the_card_of_a_case_stays_while_the_case_goes_on(store: Store) -> None:
    feed = await store.feed()
    old, young = store.clock(), store.clock() + timedelta(days=DAYS)
    silent, going_on = await store.case(old), await store.case(young)
    kept = []
    for case in (silent, going_on):
        _, story = await store.story(feed, case_id=case)
        card = await store.delivery(story, case_id=case)
        await store.delivery(story, case_id=case, kind="edit")
        kept += [card] if case == going_on else []
    store.clock.turn(days=DAYS + 1)
    await _retention(store).sweep()
    assert await store.ids(DeliveryRow) == kept


async def test_what_waits_for_a_channel_that_is_gone_goes_with_its_story(store: Store) -> None:
    feed = await store.feed()
    _, story = await store.story(feed)
    async with store.database.write() as session:
        session.add(
            DestinationRow(
                target="channel", target_id=5, broken="The channel is gone.", broken_at=store.clock()
            )
        )
    await store.delivery(story, state="failed")
    await store.delivery(story, kind="review", state="due")
    sending = await store.delivery(story, kind="update", state="sending")
    store.clock.turn(days=DAYS - 1)
    assert (await _retention(store).sweep()).deliveries == 0
    store.clock.turn(days=2)
    assert (await _retention(store).sweep()).deliveries == 2
    assert await store.ids(DeliveryRow) == [sending], "how it ends is still to be stored"


async def test_a_digest_stays_while_a_story_in_it_could_still_be_told_again(store: Store) -> None:
    first = await store.feed()
    _, early = await store.story(first)
    second = await store.feed()
    async with store.database.write() as session:
        session.add(GuildRow(id=9, joined_at=store.clock()))
        await session.flush()
        for feed in (first, second):
            session.add(GuildFeedRow(guild_id=9, feed_id=feed, added_at=store.clock()))
        session.add(RuleRow(guild_id=9, channel_id=5, when="weekly", created_at=store.clock()))

    async def owed(story: int) -> int:
        async with store.database.write() as session:
            return await owe(session, story, now=store.clock())

    await owed(early)  # it opens the week's digest
    store.clock.turn(days=5)
    _, late = await store.story(first)
    await owed(late)
    (digest,) = await store.ids(DeliveryRow)
    async with store.database.write() as session:
        await session.execute(text("UPDATE deliveries SET state = 'sent'"))
    store.clock.turn(days=DAYS - 3)
    await _retention(store).sweep()
    async with store.database.write() as session:
        await stories.add_story_feed(session, late, second, None)
    await owed(late)
    assert await store.ids(DeliveryRow) == [digest]
    store.clock.turn(days=DAYS)
    await _retention(store).sweep()
    assert await store.ids(DeliveryRow) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_moderators_decided_goes_when_no_card_and_no_report_needs_it(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    silent, going_on = await store.case(store.clock()), await store.case(store.clock())
    made = [(None, "rejected"), (silent, "approved"), (going_on, "approved"), (None, "waiting")]
    for case, state in made:
        _, story = await store.story(feed, case_id=case)
        async with store.database.write() as session:
            values = {"guild_id": 1, "story_id": story, "channel_id": 5, "state": state, "words": "Ours."}
            session.add(ReviewRow(created_at=store.clock(), until=store.clock(), **values))
    store.clock.turn(days=DAYS + 1)
    async with store.database.write() as session:
        await cases.touch_case(session, going_on, store.clock(), None)
    assert (await _retention(store).sweep()).reviews == 2
    async with store.database.read() as session:
        states = (await session.scalars(select(ReviewRow.state).order_by(ReviewRow.id))).all()
    assert states == ["approved", "waiting"]


async def test_channels_and_members_that_nothing_is_sent_to_any_more_are_forgotten(store: Store) -> None:
    feed = await store.feed()
    early = store.clock()
    store.clock.turn(days=DAYS)
    _, story = await store.story(feed)
    store.clock.turn(days=1)
    used, broken = {"turn": early, "claim": 3}, {"turn": early, "broken": "gone", "broken_at": early}
    async with store.database.write() as session:
        session.add(GuildRow(id=9, joined_at=early))
        await session.flush()
        session.add(RuleRow(guild_id=9, channel_id=3, review_channel=4, created_at=early))
        rows: dict[tuple[str, int], dict[str, Any]] = {
            ("user", 1): used, ("channel", 1): used,
            ("user", 2): used | {"turn": store.clock()},
            ("channel", 3): broken, ("channel", 4): broken, ("channel", 5): broken | {"next_due": early},
            ("channel", 6): broken, ("channel", 7): used | {"claimed_until": store.clock()},
        }  # fmt: skip
        for (target, id), values in rows.items():
            session.add(DestinationRow(target=target, target_id=id, **values))
    await store.delivery(story, state="due", target_id=6)
    assert (await _retention(store).sweep()).destinations == 3
    async with store.database.read() as session:
        left = {row.target_id for row in await session.scalars(select(DestinationRow))}
    assert left == {2, 3, 4, 6, 7}, "what is owed something, is closed to a rule, or was used lately"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_rule_brought_counts_for_thirty_days_however_soon_texts_go(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    async with store.database.write() as session:
        session.add(GuildRow(id=9, joined_at=store.clock()))
        await session.flush()
        session.add(RuleRow(id=1, guild_id=9, channel_id=5, created_at=store.clock()))
    store.clock.turn(days=10)
    _, story = await store.story(feed)
    await store.delivery(story, rule_id=1)

    async def silent() -> int:
        await Retention(store.database, store.clock, 7).sweep()
        async with store.database.read() as session:
            return len(await figures.silent_rules(session, store.clock() - figures.SILENT_AFTER))

    store.clock.turn(days=25)
    assert await silent() == 0
    store.clock.turn(days=6)
    assert await silent() == 1
    assert await store.ids(DeliveryRow) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_time_in_which_the_bot_was_not_in_a_server_is_no_silence_of_a_rule(store: Store) -> None:
    async def silent() -> int:
        async with store.database.read() as session:
            return len(await figures.silent_rules(session, store.clock() - figures.SILENT_AFTER))

    async with store.database.write() as session:
        await guilds.remember(session, 9, store.clock())
        session.add(RuleRow(id=1, guild_id=9, channel_id=5, created_at=store.clock()))
    store.clock.turn(days=31)
    assert await silent() == 1
    async with store.database.write() as session:  # removed from the server, and added again
        await guilds.mark_left(session, 9, store.clock())
        await guilds.remember(session, 9, store.clock())
    assert await silent() == 0
    store.clock.turn(days=31)
    assert await silent() == 1


async def test_the_audit_is_kept_for_a_year(store: Store) -> None:
    for _ in range(3):
        async with store.database.write() as session:
            session.add(AuditRow(guild_id=1, at=store.clock(), action="rule added"))
        store.clock.turn(days=200)
    assert (await _retention(store).sweep()).audit == 2
    assert await _count(store.database, AuditRow) == 1


async def test_thousands_of_old_rows_go_in_batches_between_which_others_write(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    _, story = await store.story(feed)
    async with store.database.write() as session:
        finding = stories.NewFinding("rule", "passed", "because")
        await stories.add_findings(
            session, [finding] * 2000, entry_id=None, story_id=story, now=store.clock()
        )
    store.clock.turn(days=DAYS + 1)
    waited = []
    done = asyncio.Event()

    async def write_meanwhile() -> None:
        while not done.is_set():
            started = time.monotonic()
            async with store.database.write() as session:
                await session.execute(text("UPDATE feeds SET title = 'x'"))
            waited.append(time.monotonic() - started)
            await asyncio.sleep(0.005)

    writing = asyncio.create_task(write_meanwhile())
    started = time.monotonic()
    swept = await _retention(store).sweep()
    took = time.monotonic() - started
    done.set()
    await writing
    assert swept.findings == 2003
    assert len(waited) > 20  # it had its turns
    assert sorted(waited)[len(waited) // 2] < took / 20  # and waited for one batch, not for the sweep


async def test_of_what_cases_are_recognised_by_what_is_still_looked_at_stays(store: Store) -> None:
    """More than twice what is kept of one case, and of a term that many cases hold."""
    assert KEPT_MEMBERS >= MEMBERS
    assert KEPT_HOLDERS >= HOLDERS
    feed = await store.feed(oldest_shown=10**9)
    long = await store.case(store.clock())
    others = []
    for number in range(2 * KEPT_MEMBERS + 20):
        store.clock.turn(minutes=1)
        of_long = number < 2 * KEPT_MEMBERS
        case = long if of_long else await store.case(store.clock())
        _, story = await store.story(feed, case_id=case)
        others += [] if of_long else [case]
        term = "word:ferry" if of_long else "word:common"
        async with store.database.write() as session:
            await cases.add_member(
                session, case, story, terms={term: 1.0, f"word:own{number}": 1.0},
                filed=[term, f"word:own{number}"], published=None, now=store.clock(),
            )  # fmt: skip
    async with store.database.write() as session:
        for _ in range(2 * KEPT_HOLDERS):  # and many that hold it after those
            store.clock.turn(minutes=1)
            row = CaseRow(title="A case", opened=store.clock(), updated=store.clock())
            session.add(row)
            await session.flush()
            others.append(row.id)
            await cases.file_terms(session, row.id, ["word:common"], store.clock())
    asked = ["word:ferry", "word:common", "word:own3", "word:own30"]

    async def known() -> Any:
        async with store.database.read() as session:
            found = await cases.get_holders(session, asked, HOLDERS)
            return found, await cases.get_known(session, [long, *others], MEMBERS)

    before = await known()
    store.clock.turn(days=DAYS + 1)
    await _retention(store).sweep()
    assert await known() == before
    assert await _count(store.database, CaseMemberRow, CaseMemberRow.case_id == long) == KEPT_MEMBERS
    assert await _count(store.database, CaseTermRow, CaseTermRow.term == "word:common") == KEPT_HOLDERS


async def test_a_sweep_stops_between_batches_when_told_to(store: Store) -> None:
    feed = await store.feed(oldest_shown=10**9)
    await store.story(feed)
    store.clock.turn(days=DAYS + 1)
    swept = await Retention(store.database, store.clock, DAYS, lambda: True).sweep()
    assert swept.stories == swept.entries == 0


def test_every_reference_has_an_index_so_that_deletions_read_no_whole_table() -> None:
    bare = []
    for table in Base.metadata.sorted_tables:
        unique = [c for c in table.constraints if isinstance(c, UniqueConstraint | PrimaryKeyConstraint)]
        first = {next(iter(one.columns)).name for one in (*table.indexes, *unique)}
        bare += [f"{table.name}.{fk.parent.name}" for fk in table.foreign_keys if fk.parent.name not in first]
    assert bare == []


# ------------------------------------------------------------------ SQLite's file


def _size(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


async def test_a_sqlite_file_gives_room_back(tmp_path: Path, clock: TurnedClock) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/quash.db")
    await schema.upgrade(database)
    store = Store(database, clock)
    feed = await store.feed(oldest_shown=10**9)
    await store.story(feed)
    async with database.write() as session:
        await session.execute(text("UPDATE stories SET text = :text"), {"text": "word " * 1_000_000})
    before = _size(tmp_path / "quash.db")
    clock.turn(days=DAYS + 1)
    pages = []
    retention = Retention(database, clock, DAYS, lambda: pages.append(1) is not None)
    swept = await retention.sweep()
    after = _size(tmp_path / "quash.db")
    assert swept.pages > 400
    assert len(pages) < swept.pages / 10  # many at a time
    assert after < before / 2
    await database.close()


async def test_the_log_of_a_large_change_does_not_stay_on_the_disk(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of an upgrade, which may be as large as the file."""
    monkeypatch.setattr("db.engine._LOG", 2**20)
    shutil.copyfile(migrated_sqlite, tmp_path / "quash.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/quash.db")
    for value in ("x" * 10_000_000, "a", "b", "c"):
        async with database.write() as session:
            await notes.put(session, "large", value)
    assert (tmp_path / "quash.db-wal").stat().st_size <= 2**20
    await database.close()


async def test_a_file_from_before_learns_to_shrink_at_its_next_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "quash.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE older (x)")  # a page is written: auto_vacuum is settled
        connection.commit()
    database = Database(f"sqlite+aiosqlite:///{file}")
    await schema.upgrade(database)
    async with database.read() as session:
        assert (await session.execute(text("PRAGMA auto_vacuum"))).scalar_one() == INCREMENTAL
        assert (await session.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
    await database.close()
