"""What servers are told of their feeds, with the real client: where, once, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot.alerts.sender import DiscordSender
from bot.feeds.fetch import Fetcher
from bot.feeds.limits import FeedLimits
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.intake.notices import FeedTeller
from bot.sandbox import Channel, Fault, Guild, StandIn
from db import feeds
from db.engine import Database
from db.tables import GuildRow, NoteRow, RuleRow
from tests.conftest import TurnedClock

POSTS = {"method": "POST", "path": "/channels/*/messages"}


class Town:
    """Servers that use a feed, on Discord and in the database."""

    def __init__(self, database: Database, standin: StandIn, clock: TurnedClock) -> None:
        self.database, self.standin, self.clock = database, standin, clock

    async def server(self, feed_id: int, *, paused: bool = False, **columns: Any) -> Guild:
        guild = self.standin.world.add_guild("Digital Rights")
        async with self.database.write() as session:
            session.add(GuildRow(id=guild.id, joined_at=self.clock.now, **columns))
            await session.flush()
            await feeds.use(session, [feed_id], guild.id, None, self.clock.now)
            if paused:
                await feeds.pause_use(session, feed_id, guild.id, paused=True)
        return guild

    async def rule(self, guild: Guild, *, paused: bool = False) -> Channel:
        channel = self.standin.world.add_channel(guild, "alerts")
        async with self.database.write() as session:
            session.add(
                RuleRow(guild_id=guild.id, channel_id=channel.id, paused=paused, created_at=self.clock.now)
            )
        return channel

    async def feed(self, notice: str = "gone", text: str = "Paper is gone.") -> int:
        async with self.database.write() as session:
            feed_id = await feeds.add(
                session, {"url": f"https://{notice}.example/", "added_at": self.clock.now}
            )
        await self.note(feed_id, notice, text)
        return feed_id

    async def note(self, feed_id: int, notice: str, text: str) -> None:
        async with self.database.write() as session:
            await feeds.set_columns(session, feed_id, {"notice": notice, "notice_text": text})

    async def left(self) -> int:
        async with self.database.read() as session:
            return len(await feeds.notices(session))

    def said(self, channel: Channel) -> list[str]:
        return [message.content for message in self.standin.messages(channel.id)]


@pytest.fixture
def town(database: Database, standin: StandIn, clock: TurnedClock) -> Town:
    return Town(database, standin, clock)


@pytest.fixture
def teller(database: Database, sender: DiscordSender, clock: TurnedClock) -> FeedTeller:
    limits = FeedLimits()
    service = FeedService(database, Fetcher(limits), ParserPool(), clock, limits)
    return FeedTeller(database, service, sender, clock=clock)


async def test_each_server_that_uses_the_feed_is_told_in_one_channel(town: Town, teller: FeedTeller) -> None:
    feed_id = await town.feed(text="*Paper* @everyone is gone.")
    by_rule = await town.server(feed_id)
    paused_rule = await town.rule(by_rule, paused=True)
    first, second = await town.rule(by_rule), await town.rule(by_rule)
    log = town.standin.world.add_channel(by_rule, "log")
    by_log = await town.server(feed_id, log_channel=log.id)
    unused = [
        await town.rule(by_log),
        await town.rule(await town.server(feed_id, paused=True)),
        await town.rule(await town.server(feed_id, left_at=town.clock.now)),
        await town.rule(await town.server(await town.feed("back", "Another can be read again."))),
    ]
    assert await teller.tell() == 3
    for channel in (first, log):
        (said,) = town.said(channel)
        assert "Paper" in said
        assert "*Paper*" not in said, "a stranger's markup is plain words"
    assert [town.said(channel) for channel in (paused_rule, second, *unused[:3])] == [[]] * 5
    assert town.said(unused[3]) == ["Another can be read again."]
    assert await town.left() == 0
    assert await teller.tell() == 0


@pytest.mark.parametrize("minutes", [1, 60])
async def test_what_was_posted_without_an_answer_is_not_posted_again(
    town: Town, teller: FeedTeller, minutes: int
) -> None:
    """Within Discord's window by the nonce, later by looking in the channel."""
    feed_id = await town.feed()
    channel = await town.rule(await town.server(feed_id))
    town.standin.faults.add(Fault("status", when="after", status=503, **POSTS))
    await teller.tell()
    assert await town.left() == 1
    town.clock.turn(minutes=minutes)
    await teller.tell()
    assert town.said(channel) == ["Paper is gone."]
    assert await town.left() == 0


async def test_what_was_not_posted_is_posted_later_and_others_are_not_told_twice(
    town: Town, teller: FeedTeller
) -> None:
    feed_id = await town.feed()
    channels = [await town.rule(await town.server(feed_id)) for _ in range(2)]
    town.standin.faults.add(Fault("status", status=503, skip=1, **POSTS))
    assert await teller.tell() == 1
    assert await teller.tell() == 0, "Discord is left alone for a while"
    town.clock.turn(minutes=20)
    assert await teller.tell() == 1
    assert [town.said(channel) for channel in channels] == [["Paper is gone."]] * 2


async def test_a_channel_that_refuses_holds_nobody_up(town: Town, teller: FeedTeller) -> None:
    feed_id = await town.feed()
    closed, open_ = [await town.rule(await town.server(feed_id)) for _ in range(2)]
    town.standin.faults.add(
        Fault("status", status=403, code=50013, method="POST", path=f"/channels/{closed.id}/*")
    )
    assert await teller.tell() == 1
    assert town.said(open_) == ["Paper is gone."]
    assert await town.left() == 0
    async with town.database.read() as session:
        left = select(NoteRow.name).where(NoteRow.name.startswith("notice:"))
        assert (await session.scalars(left)).all() == [], "nothing of the telling is kept"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_where_one_channel_refuses_and_the_next_gives_no_answer_the_next_is_tried_again(
    town: Town, teller: FeedTeller
) -> None:
    guild = await town.server(await town.feed())
    closed, open_ = await town.rule(guild), await town.rule(guild)
    for channel, fault in ((closed, {"status": 403, "code": 50013}), (open_, {"status": 503})):
        path = f"/channels/{channel.id}/messages"
        town.standin.faults.add(Fault("status", method="POST", path=path, **fault))
    assert await teller.tell() == 0
    town.clock.turn(minutes=20)
    assert await teller.tell() == 1
    assert town.said(open_) == ["Paper is gone."]


async def test_the_same_trouble_a_second_time_is_told_a_second_time(town: Town, teller: FeedTeller) -> None:
    feed_id = await town.feed("back", "Paper can be read again.")
    channel = await town.rule(await town.server(feed_id))
    await teller.tell()
    town.clock.turn(days=40)
    await town.note(feed_id, "back", "Paper can be read again.")
    assert await teller.tell() == 1
    # The stand-in goes by the real clock and takes it for a repeat; Discord knows no nonce for 40 days.
    path = f"/channels/{channel.id}/messages"
    assert sum((r.method, r.path) == ("POST", path) for r in town.standin.requests) == 2


async def test_a_newer_notice_stays_when_the_older_one_was_told(town: Town, teller: FeedTeller) -> None:
    feed_id = await town.feed("failing", "Paper cannot be read.")
    ((_, older, _),) = await teller._service.notices()
    await town.note(feed_id, "failing", "Paper cannot be read since 4 d.")
    await teller._service.told(feed_id, older)
    assert await town.left() == 1


async def test_the_feeds_of_a_dead_host_share_one_message(town: Town, teller: FeedTeller) -> None:
    """One of them has failed for long, the others fail alike and are told of with it, each server its own."""
    sentence = "paper.example does not answer."
    async with town.database.write() as session:
        ids = [
            await feeds.add(
                session,
                {
                    "url": f"https://{host}/{name}",
                    "title": f"Paper {name}",
                    "added_at": town.clock.now,
                    "failure": sentence,
                    "failing_since": town.clock.now,
                },
            )
            for host, name in (("paper.example", "a"), ("paper.example", "b"), ("other.example", "c"))
        ]
    await town.note(ids[0], "failing", f"Paper a could not be read for a day: {sentence} Wait.")
    both = await town.server(ids[0])
    only_b = await town.server(ids[1])
    async with town.database.write() as session:
        await feeds.use(session, ids, both.id, None, town.clock.now)
    channel, other = await town.rule(both), await town.rule(only_b)
    assert await teller.tell() == 2
    (said,) = town.said(channel)
    assert said == (
        "Each of these 2 feeds of paper.example could not be read for a day: paper.example does not answer. "
        "Wait. They are: Paper a; Paper b."
    )
    assert town.said(other) == [f"Paper b could not be read for a day: {sentence} Wait."]
    assert await teller.tell() == 0


async def test_a_message_in_doubt_is_repeated_as_it_was_though_more_feeds_came_to_it(
    town: Town, teller: FeedTeller
) -> None:
    first = await town.feed("gone", "gone.example is gone.")
    guild = await town.server(first)
    channel = await town.rule(guild)
    town.standin.faults.add(Fault("status", when="after", status=503, **POSTS))
    await teller.tell()
    async with town.database.write() as session:
        second = await feeds.add(
            session, {"url": "https://gone.example/2", "title": "Two", "added_at": town.clock.now}
        )
        await feeds.use(session, [second], guild.id, None, town.clock.now)
    await town.note(second, "gone", "Two is gone.")
    town.clock.turn(minutes=1)
    await teller.tell()
    assert town.said(channel) == ["gone.example is gone.", "Two is gone."]
    assert await town.left() == 0
