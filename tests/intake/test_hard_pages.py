"""Entries and pages that do not go as they should: nobody else waits for them, and no alert is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import actions
from bot.feeds.articles import Page
from bot.feeds.fetch_errors import ConnectError
from bot.feeds.identity import url_key
from bot.intake.analysis import AnalysisError, read_article
from bot.intake.reading import Reader
from bot.stories.model import Article, Story
from db import feeds, guilds
from db.engine import Database
from db.tables import DeliveryRow, DemandRow, EntryRow, FeedRow, StoryFeedRow, StoryRow
from tests.conftest import TurnedClock

GUILD, CHANNEL = 11, 22
SUED = (
    "Harborline sues to shield the writer behind @quay_watch",
    "Harborline asked a court to block an administrative subpoena from Customs and Border Protection "
    "that demands the name of the user behind @quay_watch.",
)
SPYWARE = (
    "Spyware of Lanternworks found on phones of Baltic reporters",
    "Spyware of Lanternworks read the messages of three reporters, researchers say.",
)
ABOUT = "The Wire is made by twelve people in Northport, who read each letter that comes."


class Desk:
    """One feed of a server with one rule; its pages, and how they are read, are told by the test."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database, self.clock = database, clock
        self.pages: dict[str, str] = {}
        self.leads_to: dict[str, str] = {}
        self.feed_ids: dict[str, int] = {}
        self.asked: list[str] = []  # pages
        self.before_reading: Callable[[Article], None] = lambda _: None
        self.spoil: Callable[[Story], Story] = lambda story: story
        self.reader = Reader(database, self._analyse, self._page, clock=clock)

    async def open(self) -> None:
        async with self.database.write() as session:
            await guilds.remember(session, GUILD, self.clock())
        await actions.add_rule(self.database, guild_id=GUILD, user_id=1, channel_id=CHANNEL, now=self.clock())

    async def _feed(self, session: AsyncSession, title: str) -> int:
        if title not in self.feed_ids:
            feed = FeedRow(url=f"https://wire.example/{title}", title=title, added_at=self.clock())
            session.add(feed)
            await session.flush()
            await feeds.use(session, [feed.id], GUILD, None, self.clock())
            self.feed_ids[title] = feed.id
        return self.feed_ids[title]

    async def print(
        self, article: tuple[str, str], page: str, name: str, *, at: str = "", feed: str = "The Wire",
        published: datetime | None = None,
    ) -> None:  # fmt: skip
        url = f"https://wire.example/{at or f'2026/{name}'}"
        self.pages[url] = page
        async with self.database.write() as session:
            session.add(
                EntryRow(
                    feed_id=await self._feed(session, feed),
                    key=name,
                    url=url,
                    url_key=url_key(url),
                    title=article[0],
                    summary=article[1],
                    published=published,
                    first_seen=self.clock(),
                )
            )

    async def told(self) -> list[str]:
        """The titles that the channel is owed, in order."""
        async with self.database.read() as session:
            rows = await session.scalars(
                select(StoryRow.title)
                .join(DeliveryRow, DeliveryRow.story_id == StoryRow.id)
                .where(DeliveryRow.kind == "card")
                .order_by(DeliveryRow.id)
            )
            return list(rows)

    async def _analyse(self, article: Article) -> Story:
        self.before_reading(article)
        return self.spoil(await asyncio.to_thread(read_article, article))

    async def _page(self, url: str) -> Page:
        self.asked.append(url)
        return Page(self.pages[url], self.leads_to.get(url, url), True, "text/html")


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> Desk:
    made = Desk(database, clock)
    await made.open()
    return made


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_feed_dates_ahead_came_out_when_it_was_seen(desk: Desk) -> None:
    """Else it is the newest of all that is looked up, for as long as it is dated ahead."""
    await desk.print(SUED, page(SUED[1]), "ahead", published=desk.clock() + timedelta(days=4000))
    await desk.reader.read_new()
    async with desk.database.read() as session:
        assert list(await session.scalars(select(StoryRow.published))) == [desk.clock()]
        assert list(await session.scalars(select(DemandRow.reported))) == [desk.clock()]


@pytest.mark.parametrize("odd", ["\\ud83d", "\\u0000"])
async def test_a_page_with_half_a_character_is_told_and_holds_up_nobody(desk: Desk, odd: str) -> None:
    body = " ".join([SUED[1]] * 6)
    data = f'{{"@type":"NewsArticle","headline":"{SUED[0]}{odd}","articleBody":"{body} {odd}"}}'
    head = f'<script type="application/ld+json">{data}</script>'
    await desk.print(("", SUED[1]), page("Short.", head), "quay")
    await desk.print(SPYWARE, page(SPYWARE[1] * 5), "spy")
    assert await desk.reader.read_new() == 2
    assert sorted(await desk.told()) == [f"{SUED[0]}\ufffd", SPYWARE[0]]


async def test_a_name_that_korean_writes_as_one_word_can_be_stored(desk: Desk) -> None:
    law = "정보통신망이용촉진및정보보호등에관한법률"
    await desk.print((f"{SUED[0]} ({law})", SUED[1]), page(f"{SUED[1]} {law}" * 5), "quay")
    assert await desk.reader.read_new() == 1
    assert await desk.told() == [f"{SUED[0]} ({law})"]


async def test_a_story_that_cannot_be_stored_holds_up_nobody_and_is_given_up_in_the_end(desk: Desk) -> None:
    desk.spoil = lambda story: replace(story, text=story.text + "\ud83d") if "quay" in story.url else story
    await desk.print(SUED, page(SUED[1] * 5), "quay")
    await desk.print(SPYWARE, page(SPYWARE[1] * 5), "spy")
    for _ in range(8):
        await desk.reader.read_new()
        desk.clock.turn(days=1)
    assert await desk.told() == [SPYWARE[0]]
    async with desk.database.read() as session:
        states = await session.execute(select(EntryRow.key, EntryRow.state, EntryRow.attempts))
        assert sorted(states) == [("quay", "failed", 5), ("spy", "read", 0)]


async def test_a_page_that_cannot_be_read_does_not_cost_the_alert(desk: Desk) -> None:
    def die(article: Article) -> None:
        if "<html" in article.body:
            raise AnalysisError("the process that read the article died")

    desk.before_reading = die
    await desk.print(SUED, page("x"), "quay")
    for _ in range(8):
        await desk.reader.read_new()
        desk.clock.turn(days=1)
    assert await desk.told() == [SUED[0]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_site_that_does_not_show_its_pages_to_us_delays_its_alerts_by_minutes(desk: Desk) -> None:
    """Each came an hour and three quarters late, though the feed itself says what it is about."""

    async def away(url: str) -> Page:
        raise ConnectError("wire.example cannot be reached.")

    reader = Reader(desk.database, desk._analyse, away, clock=desk.clock)
    await desk.print(SUED, "", "quay")
    for minutes in (0, 5, 20):
        assert await desk.told() == []
        desk.clock.turn(minutes=minutes)
        await reader.read_new()
    assert await desk.told() == [SUED[0]]


async def test_a_feed_that_is_removed_while_its_entry_is_read_is_no_error(desk: Desk) -> None:
    async def remove() -> None:
        async with desk.database.write() as session:
            await session.execute(delete(FeedRow))

    async def gone(article: Article) -> Story:
        await remove()
        raise AnalysisError("the process that read the article died")

    await desk.print(SUED, page("x"), "quay")
    reader = Reader(desk.database, gone, desk._page, clock=desk.clock)
    assert await reader.read_new() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("asked", "found", "text"),
    [
        ("2026/{}", "", ABOUT),
        ("?p={}", "", ABOUT),
        ("2026/{}", "en/", ABOUT),
        ("2026/{}", "subscribe", ABOUT),
        ("2026/{}", "2026/{}", ABOUT),  # at its own address, something else is shown in its place
        ("2026/{}", "subscribe", f"{SUED[1]} More from our reporters."),
    ],
)
async def test_articles_that_all_lead_to_one_page_are_told_each_for_itself(
    desk: Desk, asked: str, found: str, text: str
) -> None:
    front = page(" ".join([text] * 20))
    for article, name in ((SUED, "quay"), (SPYWARE, "spy")):
        await desk.print(article, front, name, at=asked.format(name))
        desk.leads_to[f"https://wire.example/{asked.format(name)}"] = (
            f"https://wire.example/{found.format(name)}"
        )
    await desk.reader.read_new()
    assert sorted(await desk.told()) == [SUED[0], SPYWARE[0]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_articles_whose_pages_all_name_one_address_are_told_each_with_its_page(desk: Desk) -> None:
    """A `rel=canonical` that is the section's on every page is a common fault."""
    head = '<link rel="canonical" href="https://wire.example/news/">'
    for article, name in ((SUED, "quay"), (SPYWARE, "spy")):
        await desk.print(article, page(" ".join([article[1]] * 8), head), name)
    await desk.reader.read_new()
    assert sorted(await desk.told()) == [SUED[0], SPYWARE[0]]
    async with desk.database.read() as session:
        urls = set(await session.scalars(select(StoryRow.url)))
    assert "https://wire.example/2026/spy" in urls


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_entries_of_one_feed_that_link_to_one_page_are_told_each_for_itself(desk: Desk) -> None:
    """Not so one entry under another id, with its title edited."""
    for article, name in ((SUED, "quay"), (SPYWARE, "spy"), ((f"UPDATED: {SPYWARE[0]}", SPYWARE[1]), "new")):
        await desk.print((article[0], article[1] * 8), page(ABOUT), name, at=f"news#{name}")
    await desk.reader.read_new()
    assert sorted(await desk.told()) == [SUED[0], SPYWARE[0]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_article_that_one_feed_only_hints_at_is_told_when_another_brings_its_text(
    desk: Desk,
) -> None:
    await desk.print(("Cake recipes for the football season", "Ten cakes."), page("x"), "quay")
    await desk.reader.read_new()
    assert await desk.told() == []
    await desk.print((SUED[0], SUED[1] * 8), page("x"), "whole", at="2026/quay", feed="The Quay")
    await desk.reader.read_new()
    assert await desk.told() == [SUED[0]]
    async with desk.database.read() as session:
        (story,) = await session.scalars(select(StoryRow.id))
        assert set(await session.scalars(select(EntryRow.story_id))) == {story}
        assert len((await session.scalars(select(StoryFeedRow.feed_id))).all()) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_page_of_an_article_is_asked_for_once_whatever_feeds_bring_it(desk: Desk) -> None:
    """It was for each; and while it was away, those who use the second feed waited for nearly two hours."""
    for feed in ("The Wire", "The Wire, courts"):
        await desk.print(SUED, page(SUED[1] * 5), feed, at="2026/quay", feed=feed)
        await desk.reader.read_new()
    assert len(desk.asked) == 1
    async with desk.database.read() as session:
        assert len((await session.scalars(select(StoryFeedRow.feed_id))).all()) == 2
