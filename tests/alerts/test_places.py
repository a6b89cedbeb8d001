"""Outages, refusals, absence, what moderators are told and what they can do about what was given up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import discord
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import absence, waiting
from bot.alerts.closed import ClosedTeller, GivenUpTeller
from bot.alerts.deliver import Deliverer
from bot.alerts.errors import NotHereError
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.alerts.weather import REFUSALS, Weather
from bot.sandbox import Channel, Fault
from db import absence as stored_absence
from db.tables import AuditRow, Base, DestinationRow, GuildRow
from tests.alerts.house import House
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock


async def _channels(place: Place, number: int) -> list[Channel]:
    channels = [place.standin.world.add_channel(place.guild, f"news-{n}") for n in range(number)]
    for channel in channels:
        await place.house.rule(place.guild.id, channel.id)
    return channels


# ------------------------------------------------------------- outages


async def test_in_an_outage_nothing_leaves_but_a_probe_and_then_all_catches_up_and_says_that_it_is_late(
    place: Place, sender: DiscordSender, clock: TurnedClock
) -> None:
    weather = Weather(clock)
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05, weather=weather)
    channels = await _channels(place, 8)
    for number in range(3):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
    outage = place.standin.faults.add(Fault("status", status=503, path="/channels/*", times=None))
    await deliverer.deliver_due()
    assert "out of order" in weather.trouble
    struck = outage.struck
    assert struck <= 8
    for _ in range(15):  # an hour
        clock.turn(minutes=4)
        await deliverer.deliver_due()
    assert outage.struck <= struck + 15
    place.standin.faults.clear()
    clock.turn(minutes=2)
    await deliverer.deliver_due()
    clock.turn(minutes=2)  # those that were probed have a pause of their own
    await deliverer.deliver_due()
    assert weather.trouble == ""
    for channel in channels:
        texts = [text_of(message) for message in place.standin.messages(channel.id)]
        assert ["Story 0" in texts[0], "Story 1" in texts[1], "Story 2" in texts[2]] == [True] * 3
        assert all("Posted late" in text for text in texts)
    await place.house.story(place.feed, await place.house.case("Fresh"))
    await deliverer.deliver_due()
    assert "Posted late" not in text_of(place.standin.messages(channels[0].id)[-1])


async def test_one_channel_in_trouble_is_no_outage(
    place: Place, sender: DiscordSender, clock: TurnedClock
) -> None:
    weather = Weather(clock)
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05, weather=weather)
    (bad, _) = await _channels(place, 2)
    path = f"/channels/{bad.id}/messages"
    place.standin.faults.add(Fault("status", status=503, path=path, times=None))
    for number in range(5):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"))
        await deliverer.deliver_due()
        clock.turn(minutes=3)
    assert weather.trouble == ""


def test_refusals_are_counted_and_delivery_rests_long_before_discord_shuts_the_address_out(
    clock: TurnedClock,
) -> None:
    weather = Weather(clock)
    for _ in range(REFUSALS):
        assert weather.room(9, 0) == 9
        weather.answered(403, {"Via": "1.1"})
        weather.answered(429, {"Via": "1.1", "X-RateLimit-Scope": "shared"})
        weather.answered(404, {"Via": "1.1"})
    assert weather.room(9, 0) == 0
    assert "refused" in weather.trouble
    clock.turn(minutes=10, seconds=1)
    assert weather.room(9, 0) == 9


@pytest.mark.parametrize(
    "headers",
    [{"Via": "1.1", "X-RateLimit-Global": "true", "Retry-After": "30"}, {"Retry-After": "30"}],
    ids=["global", "cloudflare"],
)
def test_where_discord_asks_all_to_rest_nothing_leaves_until_then(
    clock: TurnedClock, headers: dict[str, str]
) -> None:
    weather = Weather(clock)
    weather.answered(429, headers)
    clock.turn(seconds=29)
    assert weather.room(9, 0) == 0
    clock.turn(seconds=2)
    assert weather.room(9, 0) == 1  # a probe first
    clock.turn(days=-400)  # a clock that is turned back holds up nothing
    assert weather.room(9, 0) == 1


async def test_a_request_that_ends_while_it_waits_for_a_global_limit_holds_up_no_other(
    place: Place, sender: DiscordSender
) -> None:
    path = f"/channels/{place.channel.id}/messages"
    place.standin.faults.add(Fault("ratelimit", scope="global", seconds=50.0, path=path))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await sender.say(place.channel.id, "first", nonce="1")
    async with asyncio.timeout(10):
        await sender.say(place.channel.id, "second", nonce="2")
    assert [message.text for message in place.posted] == ["second"]


@pytest.mark.parametrize("asked", ["1e30", "nan", "inf", "-5", "soon"])
async def test_a_wait_beyond_reason_is_not_waited_for(
    place: Place, deliverer: Deliverer, clock: TurnedClock, asked: str
) -> None:
    weather = Weather(clock)
    weather.answered(429, {"Retry-After": asked})
    clock.turn(hours=6, minutes=1)
    assert weather.room(9, 0) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=403, html=True),
        Fault("status", status=404, html=True),
        Fault("status", status=200, html=True),
        Fault("status", status=408),
    ],
    ids=["403-page", "404-page", "200-page", "408"],
)
async def test_a_proxys_page_is_no_answer_of_discords(
    place: Place, deliverer: Deliverer, clock: TurnedClock, fault: Fault
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(replace(fault, method="POST", path="/channels/*/messages"))
    assert await deliverer.deliver_due() == 0
    clock.turn(seconds=10)
    assert await deliverer.deliver_due() == 1
    assert len(place.posted) == 1


async def test_old_cards_are_edited_rarely_and_hold_up_no_new_one(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    clock.turn(hours=2)
    limit = Fault("ratelimit", code=30046, seconds=400.0, method="PATCH", path="/channels/*/messages/*")
    place.standin.faults.add(limit)
    await place.house.story(place.feed, case, adds="source", title="A late report")
    await place.house.story(place.feed, await place.house.case("Another"), title="A new matter")
    assert await deliverer.deliver_due() == 1
    assert "A new matter" in text_of(place.posted[-1])
    clock.turn(seconds=399)
    assert await deliverer.deliver_due() == 0
    clock.turn(seconds=2)
    assert await deliverer.deliver_due() == 1
    assert "A late report" in text_of(place.posted[0])
    await place.house.story(place.feed, case, adds="source", title="A later one")
    clock.turn(minutes=2)
    assert await deliverer.deliver_due() == 0
    clock.turn(minutes=9)
    assert await deliverer.deliver_due() == 1


# ------------------------------------------------------------- closed channels


async def test_moderators_are_told_once_of_a_closed_channel_where_they_can_read_it(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    world, house = place.standin.world, place.house
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(house.database, sender, clock=clock, poll=0.05)
    other = world.add_channel(place.guild, "desk")
    await house.rule(place.guild.id, place.channel.id)
    await house.rule(place.guild.id, other.id, topics=["data-brokers"])
    world.set_overwrite(place.channel, world.bot_role(place.guild), deny=("send_messages",))
    await place.standin.wait_for(lambda _: not sender.may_post(place.channel.id))
    for number in range(2):
        await house.story(place.feed, await house.case(f"Case {number}"), title=f"Story {number}")
    teller = ClosedTeller(house.database, sender, clock=clock)
    for _ in range(3):
        await deliverer.deliver_due()
        place.standin.faults.add(Fault("drop", when="after", path=f"/channels/{other.id}/messages"))
        await teller.tell()
        clock.turn(minutes=1)
        await ClosedTeller(house.database, sender, clock=clock).tell()  # another process goes on with it
        await deliverer.reopen()
    (told,) = place.standin.messages(other.id)
    assert f"<#{place.channel.id}>" in told.text and "give me Send Messages" in told.text
    assert place.sends() == 1

    world.set_overwrite(place.channel, world.bot_role(place.guild))
    await place.standin.wait_for(lambda _: sender.may_post(place.channel.id))
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 2
    assert ["Story 0" in text_of(place.posted[0]), "Story 1" in text_of(place.posted[1])] == [True, True]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_message_of_closed_channels_whose_answer_was_lost_stays_the_same(
    place: Place, sender: DiscordSender, clock: TurnedClock
) -> None:
    first, second, desk = (place.standin.world.add_channel(place.guild, name).id for name in "abc")
    teller = ClosedTeller(place.house.database, sender, clock=clock)
    for channel_id in (desk, first, second):
        await place.house.rule(place.guild.id, channel_id)
    for channel_id in (first, second):
        async with place.house.database.write() as session:
            closed = {"claim": 0, "failures": 1, "broken": "It is closed.", "broken_at": clock()}
            session.add(DestinationRow(target="channel", target_id=channel_id, **closed))
        if channel_id == first:
            place.standin.faults.add(Fault("drop", when="after", path=f"/channels/{desk}/messages"))
        await teller.tell()
        clock.turn(minutes=1)
    await teller.tell()
    told = [message.text for message in place.standin.messages(desk)]
    assert [[f"<#{id}>" in text for id in (first, second)] for text in told] == [[True, False], [False, True]]


# ------------------------------------------------------------- absence


async def test_what_a_server_had_is_there_again_within_thirty_days_and_then_forgotten(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    world, house = place.standin.world, place.house
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(house.database, sender, clock=clock, poll=0.05)
    await house.rule(place.guild.id, place.channel.id)
    other, desk = world.add_channel(place.guild, "other"), world.add_channel(place.guild, "desk")
    await house.rule(place.guild.id, other.id, review_channel=desk.id)
    await house.story(place.feed, await house.case("Before"), title="Before")
    world.leave(place.guild)
    await absence.leave(house.database, place.guild.id, clock)
    await house.story(place.feed, await house.case("Meanwhile"), title="Meanwhile")
    clock.turn(days=20)
    asked = len(place.standin.requests)
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 0
    assert len(place.standin.requests) == asked

    world.join(place.guild)
    await house.guild(place.guild.id)
    await place.standin.wait_for(lambda _: sender.may_post(place.channel.id))
    await deliverer.reopen()
    await deliverer.deliver_due()
    await house.story(place.feed, await house.case("After"), title="After")
    await deliverer.deliver_due()
    assert ["Before" in text_of(place.posted[0]), "After" in text_of(place.posted[1])] == [True, True]
    assert len(place.posted) == 2

    await absence.leave(house.database, place.guild.id, clock)
    assert await absence.forget_left(house.database, clock) == 0
    clock.turn(days=31)
    assert await absence.forget_left(house.database, clock) == 1
    async with house.database.read() as session:
        for table in Base.metadata.sorted_tables:
            if "guild_id" in table.c:
                held = select(func.count()).select_from(table).where(table.c.guild_id == place.guild.id)
                assert (await session.execute(held)).scalar_one() == 0, table.name


async def test_a_removal_that_nobody_was_there_to_see_is_noticed_and_an_outage_is_none(
    place: Place, house: House, clock: TurnedClock
) -> None:
    await house.guild(77)
    await house.guild(88)
    noticed = await absence.notice_absence(
        house.database, lambda: [88], lambda id: id != place.guild.id, clock
    )
    assert noticed == 1
    await house.guild(99)
    named = iter([(77, 88), (77, 88, 99)])  # by the second time it was added again
    assert await absence.notice_absence(house.database, lambda: next(named), lambda id: id == 99, clock) == 0
    async with house.database.read() as session:
        left = {row.id: row.left_at for row in await session.scalars(select(GuildRow))}
    assert (left[77], left[88], left[99], left[place.guild.id]) == (clock(), None, None, None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_that_is_added_again_at_the_end_of_the_thirty_days_keeps_its_settings(
    house: House, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.guild(77)
    await absence.leave(house.database, 77, clock)
    clock.turn(days=31)
    look = stored_absence.get_left

    async def then_added(session: AsyncSession, before: datetime, limit: int) -> list[int]:
        found = await look(session, before, limit)
        await house.guild(77)
        return found

    monkeypatch.setattr(stored_absence, "get_left", then_added)
    assert await absence.forget_left(house.database, clock) == 0
    async with house.database.read() as session:
        assert await session.get(GuildRow, 77) is not None


# ------------------------------------------------------------- what was given up


async def test_moderators_see_what_was_given_up_and_send_it_again_or_drop_it(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    database = place.house.database
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    refused = Fault("status", status=400, code=50035, path=f"/channels/{place.channel.id}/messages", times=2)
    place.standin.faults.add(refused)
    for number in range(3):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
    await deliverer.deliver_due()
    first, second = await waiting.list_deliveries(database, place.guild.id, "dead")
    assert (first.title, first.state, first.channel_id) == ("Story 0", "dead", place.channel.id)
    assert "50035" in first.reason
    assert await waiting.list_deliveries(database, place.guild.id + 1) == ()

    who = {"guild_id": place.guild.id, "user_id": 5, "now": clock() + timedelta(seconds=1)}
    await waiting.send_again(database, delivery_id=first.id, **who)  # type: ignore[arg-type]  # as named
    await waiting.drop(database, delivery_id=second.id, **who)  # type: ignore[arg-type]  # as named
    with pytest.raises(NotHereError):
        await waiting.send_again(database, delivery_id=second.id, **who)  # type: ignore[arg-type]  # as named
    clock.turn(seconds=2)
    assert await deliverer.deliver_due() == 1
    assert "Story 0" in text_of(place.posted[-1])
    assert await waiting.list_deliveries(database, place.guild.id) == ()
    async with database.read() as session:
        actions = [row.action for row in await session.scalars(select(AuditRow).order_by(AuditRow.id))]
    assert actions == ["delivery sent again", "delivery dropped"]


async def test_moderators_are_told_of_what_was_given_up_once_and_not_of_each(
    place: Place, sender: DiscordSender, deliverer: Deliverer, clock: TurnedClock
) -> None:
    database = place.house.database
    desk = place.standin.world.add_channel(place.guild, "desk")
    async with database.write() as session:
        (await session.get_one(GuildRow, place.guild.id)).log_channel = desk.id
    await place.house.rule(place.guild.id, place.channel.id)
    refused = Fault("status", status=400, code=50035, path=f"/channels/{place.channel.id}/messages", times=3)
    place.standin.faults.add(refused)
    teller = GivenUpTeller(database, sender, clock=clock)
    for number in range(3):
        await place.house.story(
            place.feed, await place.house.case(f"Case {number}"), title=f"*Story* {number}"
        )
    await deliverer.deliver_due()
    place.standin.faults.add(Fault("status", "after", "POST", f"/channels/{desk.id}/messages", status=503))
    await teller.tell()
    clock.turn(minutes=5)
    for _ in range(2):  # the answer got lost, and another process goes on with it
        await GivenUpTeller(database, sender, clock=clock).tell()
    (said,) = place.standin.messages(desk.id)
    assert r"\*Story\* 0" in said.text and f"<#{place.channel.id}>" in said.text
    assert "50035" in said.text and "/deliveries" in said.text


async def test_where_the_channel_cannot_be_read_back_nothing_is_guessed(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    world = place.standin.world
    world.set_overwrite(place.channel, world.bot_role(place.guild), deny=("read_message_history",))
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(Fault("drop", when="after", path="/channels/*/messages"))
    await deliverer.deliver_due()
    place.standin.settings.nonce_seconds = -1.0
    clock.turn(minutes=10)
    assert await deliverer.deliver_due() == 0
    assert len(place.posted) == 1
    (given_up,) = await waiting.list_deliveries(place.house.database, place.guild.id, "dead")
    assert "Read Message History" in given_up.reason
