"""From waiting entries to stories, cases and due deliveries, on real databases and a real web."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

import pytest
from sqlalchemy import func, select

from bot.alerts import actions
from bot.errors import QuashError
from bot.feeds.articles import PageFetcher
from bot.feeds.fetch import Fetcher
from bot.feeds.limits import FeedLimits
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.intake.reading import Reader
from bot.sandbox.web import SampleWeb
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db import feeds, guilds
from db.engine import Database
from db.tables import CaseRow, DeliveryRow, EntryRow, FeedRow, FindingRow, StoryFeedRow, StoryRow
from tests.conftest import TurnedClock

GUILD, CHANNEL = 11, 22


@dataclass(slots=True)
class House:
    """The rooms from feeds to the outbox, put together by hand so that each can be watched."""

    database: Database
    clock: TurnedClock
    feeds: FeedService
    reader: Reader
    read: list[str] = field(default_factory=list)  # titles that were analysed
    broken: set[str] = field(default_factory=set)  # titles at which the analysis fails

    async def rows(self, table: type) -> list:
        async with self.database.read() as session:
            return list((await session.execute(select(table).order_by(table.id))).scalars())

    async def add(self, url: str, guild_id: int = GUILD) -> None:
        added = await self.feeds.add(url)
        assert added.feed_id is not None
        async with self.database.write() as session:
            await feeds.use(session, [added.feed_id], guild_id, None, self.clock())

    async def look_and_read(self) -> None:
        self.clock.turn(hours=2)
        await self.feeds.check(gap=0)
        while await self.reader.read_new():
            pass


@pytest.fixture
async def web(clock: TurnedClock) -> AsyncIterator[SampleWeb]:
    async with SampleWeb(clock.now) as server:
        yield server


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    limits = FeedLimits(interval=1, interval_min=1, allow_networks=(ip_network("127.0.0.0/8"),))
    async with Fetcher(limits) as fetcher, ParserPool(1) as parser:
        pages = PageFetcher(fetcher)
        service = FeedService(database, fetcher, parser, clock, limits)
        made: House

        async def read(article: Article) -> Story:
            made.read.append(article.title)
            if article.title in made.broken:
                raise ZeroDivisionError
            return await asyncio.to_thread(analyse, article)

        made = House(database, clock, service, Reader(database, read, pages.fetch_page, clock=clock))
        async with database.write() as session:
            await guilds.remember(session, GUILD, clock())
            await guilds.remember(session, GUILD + 1, clock())
        await actions.add_rule(database, guild_id=GUILD, user_id=1, channel_id=CHANNEL, now=clock())
        yield made


async def test_history_is_stored_for_look_ups_and_owed_to_nobody(house: House, web: SampleWeb) -> None:
    web.turn_to(2)
    await house.add(web.feed_urls[2])
    while await house.reader.read_new():
        pass
    stories = await house.rows(StoryRow)
    assert {s.relevant for s in stories} == {True, False}
    assert await house.rows(DeliveryRow) == []


async def test_a_summons_is_a_card_its_end_an_update_and_a_third_report_a_source(
    house: House, web: SampleWeb
) -> None:
    for url in web.feed_urls[:4]:
        await house.add(url)
    for day in (1, 2, 3):
        web.turn_to(day)
        await house.look_and_read()
    stories = {s.title: s for s in await house.rows(StoryRow) if "ALT_USCIS" in s.text}
    first, second, third = sorted(stories.values(), key=lambda s: s.id)
    assert first.case_id == second.case_id == third.case_id is not None
    assert (first.adds, second.adds, third.adds) == ("new", "update", "source")
    owed = [d for d in await house.rows(DeliveryRow) if d.case_id == first.case_id]
    assert [d.kind for d in owed if d.story_id == first.id] == ["card"]
    assert "update" in [d.kind for d in owed if d.story_id == second.id]
    assert [d.kind for d in owed if d.story_id == third.id] in (["edit"], [])
    (case,) = [c for c in await house.rows(CaseRow) if c.id == first.case_id]
    assert case.status == "withdrawn"


async def test_what_is_plainly_of_another_field_costs_its_site_no_request(
    house: House, web: SampleWeb
) -> None:
    await house.add(web.feed_urls[5])
    web.turn_to(5)
    await house.look_and_read()
    findings = [f for f in await house.rows(FindingRow) if f.stage == "article"]
    left_alone = [f for f in findings if f.outcome == "not fetched"]
    assert left_alone
    assert all("of another field" in f.reason for f in left_alone)
    assert not any(s.relevant for s in await house.rows(StoryRow))


async def test_a_teaser_of_the_field_has_its_page_read(house: House, web: SampleWeb) -> None:
    await house.add(web.feed_urls[0])
    web.turn_to(1)
    await house.look_and_read()
    (story,) = [s for s in await house.rows(StoryRow) if s.relevant and "summons" in s.url]
    assert "First Amendment" in story.text, "the page says more than the feed"
    outcomes = [f.outcome for f in await house.rows(FindingRow) if f.story_id == story.id]
    assert "fetched" in outcomes


async def test_the_same_address_from_another_feed_is_the_same_story_for_more_servers(
    house: House, web: SampleWeb
) -> None:
    await actions.add_rule(house.database, guild_id=GUILD + 1, user_id=1, channel_id=33, now=house.clock())
    await house.add(web.feed_urls[0])
    await house.add(f"{web.feed_urls[0]}?copy=2", GUILD + 1)
    web.turn_to(1)
    await house.look_and_read()
    (story,) = [s for s in await house.rows(StoryRow) if s.relevant and s.url.count("summons")]
    async with house.database.read() as session:
        brought = await session.scalar(
            select(func.count()).select_from(StoryFeedRow).where(StoryFeedRow.story_id == story.id)
        )
    assert brought == 2
    assert sorted(d.target_id for d in await house.rows(DeliveryRow) if d.story_id == story.id) == [
        CHANNEL,
        33,
    ]


def _again(entry: EntryRow, feed_id: int, key: str, now: datetime) -> EntryRow:
    """Make an entry of a feed that links to the same article as another one, as news."""
    return EntryRow(
        feed_id=feed_id, key=key, url=entry.url, url_key=entry.url_key, title=entry.title, first_seen=now
    )


async def test_what_was_history_where_a_feed_was_added_is_not_told_there_when_another_feed_brings_it(
    house: House, web: SampleWeb
) -> None:
    await actions.add_rule(house.database, guild_id=GUILD + 1, user_id=1, channel_id=33, now=house.clock())
    await house.add(f"{web.feed_urls[0]}?copy=2", GUILD + 1)
    web.turn_to(1)
    await house.add(web.feed_urls[0])
    while await house.reader.read_new():
        pass
    (story,) = [s for s in await house.rows(StoryRow) if s.relevant and s.url.count("summons")]
    await house.look_and_read()
    assert [d.target_id for d in await house.rows(DeliveryRow) if d.story_id == story.id] == [33]
    async with house.database.write() as session:  # its own feed brings it once more, as news
        of_mine = (
            select(EntryRow)
            .join(FeedRow, FeedRow.id == EntryRow.feed_id)
            .where(FeedRow.url == web.feed_urls[0], EntryRow.story_id == story.id)
        )
        entry = (await session.scalars(of_mine)).one()
        session.add(_again(entry, entry.feed_id, "anew", house.clock()))
    assert await house.reader.read_new() == 1
    assert [d.target_id for d in await house.rows(DeliveryRow) if d.story_id == story.id] == [33, CHANNEL]


async def test_what_a_feed_brought_before_a_server_used_it_is_not_told_there_when_another_brings_it(
    house: House, web: SampleWeb
) -> None:
    await actions.add_rule(house.database, guild_id=GUILD + 1, user_id=1, channel_id=33, now=house.clock())
    await house.add(web.feed_urls[0], GUILD + 1)
    web.turn_to(1)
    await house.look_and_read()
    house.clock.turn(hours=1)
    await house.add(web.feed_urls[0])
    async with house.database.write() as session:
        row = FeedRow(url="https://other.example/feed", added_at=house.clock())
        session.add(row)
        await session.flush()
        await feeds.use(session, [row.id], GUILD + 1, None, house.clock())
        entry = (await session.scalars(select(EntryRow).where(EntryRow.url.contains("summons")))).one()
        session.add(_again(entry, row.id, "too", house.clock()))
    assert await house.reader.read_new() == 1
    assert {d.target_id for d in await house.rows(DeliveryRow)} == {33}


async def test_an_entry_that_trips_the_reader_holds_up_nobody_and_is_given_up_in_the_end(
    house: House, web: SampleWeb
) -> None:
    house.broken = {"Twitter goes to court to keep the name of a government critic secret"}
    await house.add(web.feed_urls[0])
    await house.add(web.feed_urls[1])
    web.turn_to(1)
    await house.look_and_read()
    assert [s.title for s in await house.rows(StoryRow) if s.relevant and "Homeland" in s.title]
    for _ in range(8):
        house.clock.turn(days=1)
        while await house.reader.read_new():
            pass
    states = {e.title: e.state for e in await house.rows(EntryRow)}
    assert states[next(iter(house.broken))] == "failed"
    assert house.read.count(next(iter(house.broken))) == 5


async def test_what_was_claimed_by_a_worker_that_died_is_read_after_its_lease(
    house: House, web: SampleWeb
) -> None:
    from db import entries

    assert await house.reader.read_new() == 0  # what a dead process left behind is taken up at the start
    await house.add(web.feed_urls[0])
    async with house.database.write() as session:
        claimed = await entries.claim_new(session, house.clock(), 100)
    assert claimed
    assert await house.reader.read_new() == 0
    house.clock.turn(minutes=6)
    assert await house.reader.read_new() == len(claimed)


async def test_a_cancelled_reader_gives_back_what_it_had_claimed(
    database: Database, house: House, web: SampleWeb
) -> None:
    await house.add(web.feed_urls[0])
    started = asyncio.Event()

    async def never(article: Article) -> Story:
        started.set()
        await asyncio.sleep(3600)
        raise QuashError("not reached")

    async def no_page(url: str) -> object:
        raise AssertionError(url)

    reader = Reader(database, never, no_page, clock=house.clock)  # type: ignore[arg-type]  # never called
    task = asyncio.create_task(reader.read_new())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {e.claimed_until for e in await house.rows(EntryRow)} == {None}
