"""Rules that bring nothing, or too much: one note to the moderators, and again only after all was well."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from bot.alerts import fence, rule_actions
from bot.alerts.sender import DiscordSender
from bot.intake.operations import RuleTeller
from bot.sandbox import Channel, Fault
from db import restarts
from db.tables import DeliveryRow, GuildRow, NoteRow
from tests.alerts.house import House
from tests.alerts.place import Place
from tests.conftest import TurnedClock


@pytest.fixture
def teller(house: House, sender: DiscordSender, clock: TurnedClock) -> RuleTeller:
    return RuleTeller(house.database, sender, clock=clock)


def _said(place: Place, channel: Channel) -> list[str]:
    return [m.content for m in place.standin.messages(channel.id) if m.content.startswith(("Rule", "Regel"))]


async def _busy_rule(place: Place) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    for number in range(21):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"))


async def test_a_rule_that_brought_nothing_in_thirty_days_is_told_of_once(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    house = place.house
    quiet = place.standin.world.add_channel(place.guild, "quiet")
    log = place.standin.world.add_channel(place.guild, "log")
    async with house.database.write() as session:
        (await session.get_one(GuildRow, place.guild.id)).log_channel = log.id
        (await session.get_one(GuildRow, place.guild.id)).language = "en"
    lively = await house.rule(place.guild.id, place.channel.id)
    silent = await house.rule(place.guild.id, quiet.id, topics=["spyware"])
    paused = await house.rule(place.guild.id, 5, paused=True)
    clock.turn(days=29)
    assert await teller.tell() == 0
    await house.story(place.feed, await house.case())
    clock.turn(days=2)
    assert await teller.tell() == 1
    (said,) = _said(place, log)
    assert f"Rule #{silent} for <#{quiet.id}> has brought nothing in 30 days" in said
    for _ in range(3):
        clock.turn(days=1)
        assert await teller.tell() == 0
    assert lively and paused

    await house.story(place.feed, await house.case("Another"), topics=["spyware"])
    clock.turn(days=1)
    assert await teller.tell() == 0
    clock.turn(days=31)
    assert await teller.tell() == 2, "both, of which one was in order meanwhile"
    async with house.database.write() as session:
        await session.execute(delete(DeliveryRow))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_time_in_which_no_process_ran_is_no_silence_of_a_rule(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    async def be_off() -> None:
        async with place.house.database.write() as session:
            await restarts.beat(session, clock())
            clock.turn(days=2)
            await restarts.note_start(session, clock())

    await place.house.rule(place.guild.id, place.channel.id)
    clock.turn(days=29)
    await be_off()
    assert await teller.tell() == 0
    clock.turn(days=31)
    assert await teller.tell() == 1
    await be_off()
    assert await teller.tell() == 0
    clock.turn(days=31)
    assert await teller.tell() == 0, "it was told of, and brought nothing since"


async def test_a_rule_that_brings_over_twenty_a_day_is_told_of_where_it_posts(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    house = place.house
    rule = await house.rule(place.guild.id, place.channel.id)
    for number in range(20):
        await house.story(place.feed, await house.case(f"Case {number}"))
    assert await teller.tell() == 0
    await house.story(place.feed, await house.case("One more"))
    clock.turn(hours=2)
    place.standin.faults.add(Fault("status", status=503, method="POST", path="/channels/*/messages"))
    assert await teller.tell() == 0, "Discord is out of order: it is told later"
    clock.turn(hours=2)
    assert await teller.tell() == 1
    (said,) = _said(place, place.channel)
    assert f"Rule #{rule} for <#{place.channel.id}> has brought 21 stories within a day" in said
    clock.turn(hours=2)
    assert await teller.tell() == 0
    clock.turn(days=8)
    assert await teller.tell() == 0
    async with house.database.read() as session:
        assert await session.get(NoteRow, f"told:rule:busy:{rule}") is None, "it was calm for a week"


async def test_a_note_that_was_posted_without_an_answer_is_known_again_when_its_figures_have_changed(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    house = place.house
    await _busy_rule(place)
    place.standin.faults.add(
        Fault("status", when="after", status=503, method="POST", path="/channels/*/messages")
    )
    assert await teller.tell() == 0
    await house.story(place.feed, await house.case("One more"))
    clock.turn(hours=2)  # Discord does not know the nonce any more
    await teller.tell()
    (said,) = _said(place, place.channel)
    assert "has brought 21 stories" in said
    clock.turn(hours=2)
    assert await teller.tell() == 0


async def test_nothing_is_told_after_the_turn_to_tell(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    """A process that slept may not say what another has said meanwhile."""
    await _busy_rule(place)
    with fence.leased(-1.0):
        assert await teller.tell() == 0
    assert _said(place, place.channel) == []
    clock.turn(hours=2)
    assert await teller.tell() == 1


async def test_a_rule_that_was_resumed_has_thirty_days_anew(
    place: Place, teller: RuleTeller, clock: TurnedClock
) -> None:
    house, who = place.house, {"guild_id": place.guild.id, "user_id": 1}
    rule = await house.rule(place.guild.id, place.channel.id, topics=["spyware"], paused=True)
    clock.turn(days=60)
    await rule_actions.resume_rule(house.database, rule_id=rule, now=clock(), **who)
    assert await teller.tell() == 0, "it rested"
    clock.turn(days=25)
    changes = {"topics": "biometrics"}
    await rule_actions.edit_rule(house.database, rule_id=rule, changes=changes, now=clock(), **who)
    clock.turn(days=25)
    assert await teller.tell() == 0, "it asks for something else since"
    clock.turn(days=6)
    assert await teller.tell() == 1
