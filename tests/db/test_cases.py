"""Cases in a real database: stories find them, moderators put them right, and that is remembered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.feeds.articles import Page
from bot.intake.reading import Reader
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db import case_corrections, cases, stories
from db.case_corrections import CaseCorrectionError
from db.engine import Database
from db.tables import (
    CaseOverrideRow,
    CaseRow,
    CaseTermRow,
    EntryRow,
    FeedRow,
    StoryRow,
    SubscriptionRow,
)
from tests.alerts.house import new_story
from tests.conftest import TurnedClock

SUED = (
    "Harborline sues to shield the writer behind @quay_watch",
    "The social network Harborline asked a federal court in Oregon on Monday to block an administrative"
    " subpoena from Customs and Border Protection. The agency wants to know who runs the account "
    "@quay_watch, which mocks the agency's plans for the port of Astoria. Harborline says that the "
    "First Amendment protects anonymous critics of the government. The subpoena asks for the user's "
    "name, address and log-in records.",
)
DROPPED = (
    "Border agency withdraws its subpoena for @quay_watch",
    "Customs and Border Protection has withdrawn the administrative subpoena with which it wanted to "
    "unmask the Harborline account @quay_watch. A government lawyer told the company on Friday that the"
    " subpoena has no further force. Harborline then dropped its lawsuit in Oregon. The account, which "
    "mocks the agency's plans for the port of Astoria, stays anonymous.",
)
SPYWARE = (
    "Spyware of Lanternworks found on phones of Baltic reporters",
    "Researchers have found spyware made by Lanternworks on the phones of three reporters in Riga. The "
    "spyware read their messages and switched on the microphone, a report by the researchers says. "
    "Lanternworks sells its tool to governments alone. The reporters had written about contracts of the"
    " interior ministry.",
)
SPYWARE_AGAIN = (
    "Riga prosecutors open case over Lanternworks spyware on reporters' phones",
    "Prosecutors in Riga have opened an investigation into who used the spyware of Lanternworks against"
    " three reporters. Researchers had found the spyware on the reporters' phones. The interior "
    "ministry denies that it bought the tool from Lanternworks, which sells to governments alone.",
)


class Newsroom:
    """A feed whose articles are read as the worker reads them."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database, self.clock = database, clock
        self.reader = Reader(database, self._analyse, self._no_page, clock=clock)
        self.count = 0

    async def _analyse(self, article: Article) -> Story:
        return await asyncio.to_thread(analyse, article)

    async def _no_page(self, url: str) -> Page:
        raise AssertionError("no page is fetched here")

    async def print(self, article: tuple[str, str], published: datetime | None = None) -> StoryRow:
        """Bring an article out and read it; gives its stored story."""
        self.count += 1
        self.clock.turn(minutes=1)
        async with self.database.write() as session:
            feed = await session.scalar(select(FeedRow))
            if feed is None:
                feed = FeedRow(url="https://wire.example/feed", title="The Wire", added_at=self.clock())
                session.add(feed)
                await session.flush()
            session.add(
                EntryRow(
                    feed_id=feed.id,
                    key=str(self.count),
                    title=article[0],
                    content=article[1],
                    published=published,
                    first_seen=self.clock(),
                )
            )
        assert await self.reader.read_new() == 1
        async with self.database.read() as session:
            story = await session.scalar(select(StoryRow).order_by(StoryRow.id.desc()))
        assert story is not None
        assert story.relevant
        return story


@pytest.fixture
def newsroom(database: Database, clock: TurnedClock) -> Newsroom:
    return Newsroom(database, clock)


async def test_reports_of_one_matter_share_a_case_and_another_matter_opens_its_own(
    newsroom: Newsroom,
) -> None:
    first, other, second = [await newsroom.print(a) for a in (SUED, SPYWARE, DROPPED)]
    assert first.case_id == second.case_id
    assert other.case_id != first.case_id
    assert (first.adds, second.adds) == ("new", "update")


async def test_the_history_names_who_told_each_change_first_however_late_it_came_in(
    newsroom: Newsroom,
) -> None:
    at = [datetime(2026, 2, day, tzinfo=UTC) for day in (10, 14, 13)]
    first = await newsroom.print(SUED, at[0])
    await newsroom.print(DROPPED, at[1])
    earlier = await newsroom.print((DROPPED[0] + ", filing says", DROPPED[1]), at[2])
    async with newsroom.database.read() as session:
        history = await cases.status_history(session, first.case_id or 0)
    assert [(line.status, line.at) for line in history] == [("challenged", at[0]), ("withdrawn", at[2])]
    assert [line.story.id for line in history if line.story] == [first.id, earlier.id]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((2, 9), (2, 0)),  # a feed that gives days without times
        ((3, 1), (2, 13)),  # one that gives its own time as if it were Greenwich's
    ],
)
async def test_a_change_on_the_same_day_is_news_however_its_feed_writes_dates(
    newsroom: Newsroom, first: tuple[int, int], then: tuple[int, int]
) -> None:
    sued = await newsroom.print(SUED, datetime(2026, 3, *first, tzinfo=UTC))
    newsroom.clock.turn(hours=2)
    dropped = await newsroom.print(DROPPED, datetime(2026, 3, *then, tzinfo=UTC))
    assert (dropped.case_id, dropped.adds) == (sued.case_id, "update")
    async with newsroom.database.read() as session:
        history = await cases.status_history(session, sued.case_id or 0)
    assert [line.status for line in history] == ["challenged", "withdrawn"]
    assert all(line.at <= newsroom.clock() for line in history)


async def test_a_merge_moves_everything_and_later_stories_go_where_it_says(newsroom: Newsroom) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    database, into, gone = newsroom.database, one.case_id or 0, other.case_id or 0
    async with database.write() as session:
        for user, case_id in ((1, into), (1, gone), (2, gone)):
            session.add(
                SubscriptionRow(
                    user_id=user, guild_id=9, kind="case", value=str(case_id), created_at=newsroom.clock()
                )
            )
    async with database.write() as session:
        merged = await case_corrections.merge(session, into, gone, newsroom.clock())
    assert merged.id == into
    later = await newsroom.print(SPYWARE_AGAIN)
    assert later.case_id == into
    async with database.read() as session:
        assert {s.id for s in await cases.get_stories(session, into)} == {one.id, other.id, later.id}
        assert [(row.id, count) for row, count in await cases.list_cases(session)] == [(into, 3)]
        rows = await session.execute(select(SubscriptionRow.user_id, SubscriptionRow.value))
        assert sorted(rows) == [(1, str(into)), (2, str(into))]


async def test_a_correction_does_not_take_an_old_stage_told_again_for_where_a_case_stands(
    newsroom: Newsroom,
) -> None:
    first = await newsroom.print(SUED)
    await newsroom.print(DROPPED)
    told_again = await newsroom.print((SUED[0] + ", a look back", SUED[1]))
    other = await newsroom.print(SPYWARE)
    assert told_again.case_id == first.case_id
    async with newsroom.database.write() as session:
        merged = await case_corrections.merge(
            session, first.case_id or 0, other.case_id or 0, newsroom.clock()
        )
    assert merged.status == "withdrawn"
    once_more = await newsroom.print((DROPPED[0] + ", paper reports", DROPPED[1]))
    assert (once_more.case_id, once_more.adds) == (first.case_id, "source")


async def test_a_correction_does_not_take_a_date_ahead_for_when_a_case_was_last_reported(
    newsroom: Newsroom,
) -> None:
    """The case stood in the future then, and of what changed until that day nobody was told."""
    now = newsroom.clock()
    sued = await newsroom.print(SUED, now + timedelta(days=20))
    other = await newsroom.print(SPYWARE, now)
    newsroom.clock.turn(hours=1)
    async with newsroom.database.write() as session:
        into, gone = sued.case_id or 0, other.case_id or 0
        merged = await case_corrections.merge(session, into, gone, newsroom.clock())
    assert merged.updated < newsroom.clock()
    newsroom.clock.turn(days=2)
    dropped = await newsroom.print(DROPPED, newsroom.clock())
    assert (dropped.case_id, dropped.adds) == (sued.case_id, "update")


async def test_what_servers_say_of_a_case_stands_when_it_becomes_part_of_another(newsroom: Newsroom) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    into, gone = one.case_id or 0, other.case_id or 0
    async with newsroom.database.write() as session:
        for guild, case_id, title, status in (
            (1, gone, "Ours", "quashed"),
            (2, gone, "Late", "upheld"),
            (2, into, "Early", None),
        ):
            source = status and f"https://court.example/{guild}"
            session.add(
                CaseOverrideRow(
                    guild_id=guild,
                    case_id=case_id,
                    title=title,
                    status=status,
                    source=source,
                    at=newsroom.clock(),
                )
            )
    async with newsroom.database.write() as session:
        await case_corrections.merge(session, into, gone, newsroom.clock())
    async with newsroom.database.read() as session:
        said = await session.scalars(select(CaseOverrideRow).order_by(CaseOverrideRow.guild_id))
        assert [(row.guild_id, row.case_id, row.title, row.status, row.source) for row in said] == [
            (1, into, "Ours", "quashed", "https://court.example/1"),
            (2, into, "Early", "upheld", "https://court.example/2"),
        ]


async def test_a_story_that_is_stored_while_cases_are_merged_ends_up_in_the_merged_one(
    newsroom: Newsroom,
) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    database, into, gone = newsroom.database, one.case_id or 0, other.case_id or 0

    async def merge() -> None:
        async with database.write() as session:
            await case_corrections.merge(session, into, gone, newsroom.clock())

    async with database.write() as session:  # as the reader does
        await cases.lock_cases(session)
        case = await cases.get_case(session, gone)
        assert case is not None
        merging = asyncio.create_task(merge())
        await asyncio.wait({merging}, timeout=0.5)
        stored = await stories.insert_story(
            session,
            replace(new_story(7), relevant=True),
            case_id=case.id,
            adds="source",
            now=newsroom.clock(),
        )
    await merging
    async with database.read() as session:
        assert stored in {story.id for story in await cases.get_stories(session, into)}


async def test_a_split_takes_stories_out_and_later_ones_go_to_the_side_they_are_like(
    newsroom: Newsroom,
) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    database = newsroom.database
    async with database.write() as session:
        await case_corrections.merge(session, one.case_id or 0, other.case_id or 0, newsroom.clock())
    async with database.write() as session:
        new = await case_corrections.split(session, one.case_id or 0, [other.id], newsroom.clock())
    assert new.title == other.title
    assert (await newsroom.print(SPYWARE_AGAIN)).case_id == new.id
    assert (await newsroom.print(DROPPED)).case_id == one.case_id
    async with database.read() as session:
        known = await cases.get_known(session, [one.case_id or 0, new.id], 4)
    assert [k.apart for k in known] == [{new.id}, {one.case_id}]


async def test_two_cases_of_the_same_words_stay_apart_once_a_moderator_split_them(newsroom: Newsroom) -> None:
    def port(town: str, account: str) -> tuple[str, str]:
        title, text = (part.replace("Astoria", town).replace("quay_watch", account) for part in SUED)
        return title, text

    one = await newsroom.print(SUED)
    other = await newsroom.print(port("Coos Bay", "coos_gull"))
    async with newsroom.database.write() as session:
        if one.case_id != other.case_id:
            await case_corrections.merge(session, one.case_id or 0, other.case_id or 0, newsroom.clock())
        new = await case_corrections.split(session, one.case_id or 0, [other.id], newsroom.clock())
    dropped = DROPPED[0].replace("quay_watch", "coos_gull"), DROPPED[1].replace("quay_watch", "coos_gull")
    assert (await newsroom.print(DROPPED)).case_id == one.case_id
    assert (await newsroom.print((dropped[0], dropped[1].replace("Astoria", "Coos Bay")))).case_id == new.id


async def test_a_split_files_only_what_is_left(newsroom: Newsroom) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    async with newsroom.database.write() as session:
        await case_corrections.merge(session, one.case_id or 0, other.case_id or 0, newsroom.clock())
        new = await case_corrections.split(session, one.case_id or 0, [other.id], newsroom.clock())
    async with newsroom.database.read() as session:
        held = await session.execute(
            select(CaseTermRow.case_id).where(CaseTermRow.term == "word:lanternwork")
        )
    assert set(held.scalars()) == {new.id}


@pytest.mark.parametrize(
    ("into", "other", "says"), [(1, 1, "one already"), (1, 99, "no case 99"), (99, 1, "no case 99")]
)
async def test_a_merge_that_makes_no_sense_is_refused_in_a_sentence(
    newsroom: Newsroom, into: int, other: int, says: str
) -> None:
    await newsroom.print(SUED)
    async with newsroom.database.write() as session:
        with pytest.raises(CaseCorrectionError, match=says):
            await case_corrections.merge(session, into, other, newsroom.clock())


async def test_a_split_of_all_or_of_foreign_stories_is_refused(newsroom: Newsroom) -> None:
    one, other = await newsroom.print(SUED), await newsroom.print(SPYWARE)
    async with newsroom.database.write() as session:
        with pytest.raises(CaseCorrectionError, match="not all"):
            await case_corrections.split(session, one.case_id or 0, [one.id], newsroom.clock())
        with pytest.raises(CaseCorrectionError, match=f"no story {other.id}"):
            await case_corrections.split(session, one.case_id or 0, [other.id], newsroom.clock())


async def test_a_chain_of_merges_ends_at_the_last(newsroom: Newsroom) -> None:
    async with newsroom.database.write() as session:
        a, b, c = [await cases.open_case(session, t, None, newsroom.clock()) for t in "abc"]
        await case_corrections.merge(session, b, c, newsroom.clock())
        await case_corrections.merge(session, a, b, newsroom.clock())
        rows = await session.execute(select(CaseRow.id, CaseRow.merged_into).order_by(CaseRow.id))
        assert list(rows) == [(a, None), (b, a), (c, a)]
        found = await cases.get_case(session, c)
    assert found is not None
    assert found.id == a
