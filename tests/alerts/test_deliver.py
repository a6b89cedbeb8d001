"""Delivery with the real client against a Discord of one's own: once, in order, whatever happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import discord
import pytest
from sqlalchemy import update

from bot.alerts import actions, ids, review
from bot.alerts.courier import Courier
from bot.alerts.deliver import Deliverer
from bot.alerts.errors import TokenRefusedError
from bot.alerts.ledger import Ledger
from bot.alerts.orders import LEASE
from bot.alerts.outbox import owe
from bot.alerts.sender import DiscordSender
from bot.intake import corrections, why
from bot.sandbox import Fault
from db import deliveries, lookups, reports, rules, stories
from db.lookups import Viewer
from db.tables import CaseRow, ReportRow, SubscriptionRow
from db.why import Ref
from tests.alerts.house import told
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock


async def test_a_card_is_posted_once_in_its_channel_and_to_its_member(
    place: Place, deliverer: Deliverer
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await place.house.story(place.feed, await place.house.case())
    assert await deliverer.deliver_due() == 2
    assert await deliverer.deliver_due() == 0

    (message,) = place.posted
    (direct,) = place.direct
    assert "administrative summons" in text_of(message)
    assert text_of(direct) == text_of(message)
    card, to_member = await place.house.deliveries()
    assert (card.state, card.channel_id, card.message_id, card.attempts) == (
        "sent", place.channel.id, message.id, 1,
    )  # fmt: skip
    assert (to_member.state, to_member.channel_id, to_member.message_id) == (
        "sent",
        direct.channel_id,
        direct.id,
    )
    assert message.nonce == card.nonce
    assert card.sent_at == place.house.clock()


async def test_a_rule_pings_its_role_and_nobody_else(place: Place, deliverer: Deliverer) -> None:
    role = place.standin.world.add_role(place.guild, "readers")
    role.mentionable = True
    await place.house.rule(place.guild.id, place.channel.id, ping_role=role.id)
    await place.house.story(place.feed, await place.house.case(), title="@everyone <@&1> look")
    await deliverer.deliver_due()
    (message,) = place.posted
    assert (message.pings_roles, message.pings_users, message.pings_everyone) == ([role.id], [], False)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_edit_changes_nothing_of_whom_a_card_mentions(place: Place, deliverer: Deliverer) -> None:
    await place.house.rule(place.guild.id, place.channel.id, ping_role=9, ping_when=["quashed"])
    for before, after in (("issued", "quashed"), ("quashed", "upheld")):
        case = await place.house.case(before)
        await place.house.story(place.feed, case, status=before)
        await deliverer.deliver_due()
        await place.house.story(place.feed, case, adds="update", status=after)
        await deliverer.deliver_due()
    assert [("<@&9>" in text_of(message)) for message in place.posted] == [False, True, True, False]


async def test_a_change_of_status_answers_the_first_card_which_tells_it_too(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    await place.house.story(place.feed, case, adds="update", status="withdrawn")
    assert await deliverer.deliver_due() == 2

    first, second = place.posted
    assert second.reference is not None
    assert second.reference["message_id"] == str(first.id)
    assert "Update: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(second)
    assert second.pings_users == []
    assert "Now: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(first)
    assert first.edited is not None


async def test_further_sources_edit_the_card_at_most_once_a_minute(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    for number in range(3):
        await place.house.story(place.feed, case, adds="source", title=f"Report {number}")
        await deliverer.deliver_due()
        clock.turn(seconds=10)

    (card,) = place.posted
    assert place.edits() == 1
    assert "Report 0" in text_of(card)
    assert "Report 2" not in text_of(card)
    clock.turn(seconds=60)
    assert await deliverer.deliver_due() == 1
    assert place.edits() == 2
    assert all(f"Report {number}" in text_of(card) for number in range(3))
    assert len(place.posted) == 1


async def test_a_card_tells_what_was_reported_while_it_waited(place: Place, deliverer: Deliverer) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await place.house.story(place.feed, case, adds="source", title="A second report")
    assert await deliverer.deliver_due() == 1
    assert "A second report" in text_of(place.posted[0])


async def test_sources_that_a_server_does_not_see_are_not_on_its_card(
    place: Place, deliverer: Deliverer
) -> None:
    theirs = await place.house.feed("theirs")
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    only_theirs = {"adds": "update", "status": "quashed", "title": "Only for others"}
    await place.house.story(theirs, case, **only_theirs)
    await deliverer.deliver_due()
    assert "Only for others" not in text_of(place.posted[0])
    assert "quashed" not in text_of(place.posted[0]), "no report that is seen here says so"
    async with place.house.database.read() as session:
        row = await session.get_one(CaseRow, case)
        stands = [(await lookups.case_view(session, Viewer(g), row)).status for g in (place.guild.id, 0)]
    assert (row.status, stands) == ("quashed", ["issued", None])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_knows_a_source_by_its_own_feed_whoever_brought_it_first(
    place: Place, deliverer: Deliverer
) -> None:
    house, guild = place.house, place.guild.id
    theirs, mine = await house.feed("Another server's list"), await house.feed("My list")
    await house.guild(guild + 1, theirs)
    await house.guild(guild, mine)
    without = place.standin.world.add_channel(place.guild, "without")
    rule = await house.rule(guild, place.channel.id, sources=["my list"])
    await house.rule(guild, without.id, exclude_sources=["My list"])
    story = await house.story(theirs, await house.case())
    assert await house.deliveries() == []
    async with house.database.write() as session:
        await stories.add_story_feed(session, story, mine, None)
        await owe(session, story, now=house.clock())
        session.add_all(
            ReportRow(user_id=user, story_id=story, guild_id=guild, at=house.clock()) for user in (1, 2)
        )
    await deliverer.deliver_due()
    assert [(row.target_id, row.rule_id) for row in await house.deliveries()] == [(place.channel.id, rule)]
    assert "My list (news.example)" in text_of(place.posted[0])
    seen = await actions.evidence(house.database, story_id=story, user_id=1, guild_id=guild)
    async with house.database.read() as session:
        (found,) = await lookups.latest(session, Viewer(guild))
        (reported,) = await reports.count_by_source(session, house.clock(), members=2, stories=1)
        assert await reports.get_reported_source(session, guild, story) == "My list"
    async with house.database.read() as session:
        (elsewhere,) = await lookups.latest(session, Viewer(guild + 1))
    assert (seen.source, found.source, reported.source) == ("My list",) * 3
    assert elsewhere.source == "Another server's list"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_where_a_case_stands_by_moderators_is_told_as_their_word_beside_what_articles_report(
    place: Place, deliverer: Deliverer
) -> None:
    house, case = place.house, await place.house.case()
    await house.rule(place.guild.id, place.channel.id)
    await house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await house.story(place.feed, case)
    await corrections.set_case_status(
        house.database, guild_id=place.guild.id, user_id=1, case_id=case, status="quashed",
        source="https://court.example/7", now=house.clock(),
    )  # fmt: skip
    await deliverer.deliver_due()
    text = text_of(place.posted[0])
    assert (
        "This server's moderators: **✘\N{NO-BREAK SPACE}quashed** ([court.example](https://court.example/7))"
        in text
    )
    assert "Now:" not in text
    assert "quashed" not in text_of(place.direct[0]), "that is said in their server"


async def test_an_edit_of_a_deleted_card_is_let_be(place: Place, deliverer: Deliverer) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    place.posted[0].deleted = True
    further = await place.house.story(place.feed, case, adds="source")
    await deliverer.deliver_due()
    assert [row.state for row in await place.house.deliveries()] == ["sent", "skipped"]
    told = await why.explain(place.house.database, place.guild.id, Ref(further), now=place.house.clock())
    assert "The message was deleted on Discord." in told.headline


# ------------------------------------------------------------- lost answers and deaths


@pytest.mark.parametrize("fault", [Fault("drop", when="after"), Fault("cut")], ids=["dropped", "cut"])
async def test_an_answer_that_got_lost_leads_to_no_second_message(
    place: Place, deliverer: Deliverer, clock: TurnedClock, fault: Fault
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(replace(fault, path="/channels/*/messages"))
    assert await deliverer.deliver_due() == 0
    row = await place.row()
    assert (row.state, row.intent_at) == ("failed", clock())
    clock.turn(seconds=5)
    assert await deliverer.deliver_due() == 1
    (message,) = place.posted
    assert (await place.row()).message_id == message.id
    assert place.sends() == 2


@pytest.mark.parametrize("when", ["before", "after"])
async def test_after_the_nonce_window_the_channel_is_read_before_anything_is_sent(
    place: Place, deliverer: Deliverer, clock: TurnedClock, when: str
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.settings.nonce_seconds = -1.0  # Discord has forgotten the nonce
    place.standin.faults.add(Fault("drop", when=when, path="/channels/*/messages"))
    await deliverer.deliver_due()
    clock.turn(minutes=10)
    assert await deliverer.deliver_due() == 1
    (message,) = place.posted
    assert (await place.row()).message_id == message.id
    assert place.sends() == (2 if when == "before" else 1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("away", [timedelta(seconds=1) + LEASE, timedelta(hours=3)], ids=["soon", "late"])
async def test_a_process_that_dies_in_the_middle_of_a_send_is_followed_by_one_that_knows(
    place: Place, sender: DiscordSender, clock: TurnedClock, when: str, away: timedelta
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(Fault("stall", when=when, path="/channels/*/messages"))
    dying = Deliverer(place.house.database, sender, clock=clock)
    sending = asyncio.create_task(dying.deliver_due())
    await place.standin.wait_for(lambda _: place.sends() == 1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (await place.row()).state == "sending"

    if away > timedelta(minutes=2):
        place.standin.settings.nonce_seconds = -1.0
    following = Deliverer(place.house.database, sender, clock=clock)
    assert await following.deliver_due() == 0  # the dead one's lease still holds
    clock.now += away
    assert await following.deliver_due() == 1
    assert len(place.posted) == 1
    assert (await place.row()).state == "sent"


async def _nothing_stored(_: object) -> set[int]:
    return set()


async def test_a_process_that_slept_past_its_lease_neither_sends_nor_writes(
    place: Place, sender: DiscordSender, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    courier = Courier(sender, clock, _nothing_stored)
    asleep, awake = (Ledger(place.house.database, clock, owner) for owner in ("asleep", "awake"))
    (late,) = (await asleep.turn([], 9)).orders
    clock.turn(seconds=LEASE.total_seconds() + 1)
    (order,) = (await awake.turn([], 9)).orders

    unsent = await courier.carry(late)
    assert place.sends() == 0
    before = await place.row()
    await asleep.turn([unsent], 9)
    assert (await place.row()).error == before.error is None
    assert (await place.row()).state == "sending"

    await awake.turn([await courier.carry(order)], 9)
    assert len(place.posted) == 1
    assert (await place.row()).state == "sent"


async def test_an_outcome_that_cannot_be_stored_at_once_is_stored_later(
    place: Place, sender: DiscordSender, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    deliverer = Deliverer(place.house.database, sender, clock=clock)
    settle = Ledger._settle

    async def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(Ledger, "_settle", away)
    with pytest.raises(OSError, match="away"):
        await deliverer.deliver_due()
    assert (await place.row()).state == "sending"
    monkeypatch.setattr(Ledger, "_settle", settle)
    assert await deliverer.deliver_due() == 1
    assert (await place.row()).message_id == place.posted[0].id
    assert place.sends() == 1


async def test_a_message_deleted_before_its_answer_came_is_not_posted_again(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(Fault("drop", when="after", path="/channels/*/messages"))
    await deliverer.deliver_due()
    place.posted[0].deleted = True
    clock.turn(seconds=5)
    await deliverer.deliver_due()
    assert place.posted == []
    assert (await place.row()).state == "skipped"


# ------------------------------------------------------------- Discord's moods


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503),
        Fault("status", status=503, html=True),
        Fault("cloudflare"),
        Fault("ratelimit", seconds=300.0),
        Fault("drop"),
    ],
    ids=["503", "503-html", "cloudflare", "long-rate-limit", "dropped"],
)
async def test_trouble_delays_a_message_and_never_drops_it(
    place: Place, deliverer: Deliverer, clock: TurnedClock, fault: Fault
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    await place.house.story(place.feed, await place.house.case("Another"), title="The next story")
    place.standin.faults.add(replace(fault, method="POST", path="/channels/*/messages", times=3))
    sends = []
    for _ in range(3):
        assert await deliverer.deliver_due() == 0
        sends.append(place.sends())
        assert await deliverer.deliver_due() == 0  # it pauses
        assert place.sends() == sends[-1]
        clock.turn(minutes=6)
    assert [row.state for row in await place.house.deliveries()] == ["failed", "due"]  # order is kept
    assert await deliverer.deliver_due() == 2
    assert len(place.posted) == 2
    assert "The next story" in text_of(place.posted[1])
    destination = await place.house.destination("channel", place.channel.id)
    assert destination is not None and destination.failures == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "then", [Fault("ratelimit", seconds=300.0), Fault("cloudflare"), Fault("status", status=403, code=50013)]
)
async def test_a_repeat_that_is_refused_does_not_make_the_lost_answer_before_it_forgotten(
    place: Place, deliverer: Deliverer, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch, then: Fault
) -> None:
    """discord.py repeats a request by itself after 500; what is refused then may stand there all the same."""
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    for fault in (Fault("status", status=500, when="after"), then):
        place.standin.faults.add(replace(fault, method="POST", path="/channels/*/messages"))
    slept = asyncio.sleep
    with monkeypatch.context() as impatient:
        impatient.setattr(asyncio, "sleep", lambda seconds: slept(min(seconds, 0.01)))
        await deliverer.deliver_due()
    assert len(place.posted) == 1
    assert (await place.row()).state == "failed"
    place.standin.settings.nonce_seconds = -1.0  # Discord has forgotten the nonce
    clock.turn(hours=1)
    async with place.house.database.write() as session:
        await deliveries.reopen_channels(session, [place.channel.id])
    assert await deliverer.deliver_due() == 1
    assert len(place.posted) == 1


async def test_a_refused_token_ends_delivery_and_loses_nothing(place: Place, deliverer: Deliverer) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(Fault("status", status=401, path="/channels/*/messages"))
    with pytest.raises(TokenRefusedError, match="DISCORD_TOKEN"):
        await deliverer.run(asyncio.Event())
    row = await place.row()
    assert (row.state, row.intent_at) == ("failed", None)
    assert await deliverer.deliver_due() == 1


async def test_a_channel_that_refuses_is_left_alone_at_once_and_holds_no_other(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    closed = place.standin.world.add_channel(place.guild, "closed")
    place.standin.world.set_overwrite(
        closed, place.standin.world.bot_role(place.guild), deny=("send_messages",)
    )
    await place.house.rule(place.guild.id, closed.id)
    await place.house.rule(place.guild.id, place.channel.id)
    for number in range(3):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"))
    assert await deliverer.deliver_due() == 3
    clock.turn(hours=5)
    assert await deliverer.deliver_due() == 0
    assert place.sends(closed) == 1
    assert len(place.posted) == 3
    states = [row.state for row in await place.house.deliveries() if row.target_id == closed.id]
    assert states == ["failed", "due", "due"]
    listed = await actions.list_rules(place.house.database, guild_id=place.guild.id)
    assert [entry.closed for entry in listed] == [
        {closed.id: "I may not post there; give me Send Messages in that channel."},
        {},
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_slow_channel_holds_no_other(place: Place, deliverer: Deliverer) -> None:
    slow = place.standin.world.add_channel(place.guild, "slow")
    await place.house.rule(place.guild.id, slow.id)
    await place.house.rule(place.guild.id, place.channel.id)
    place.standin.faults.add(Fault("delay", seconds=6.0, path=f"/channels/{slow.id}/messages"))
    await place.house.story(place.feed, await place.house.case())
    running = asyncio.create_task(deliverer.deliver_due())
    await place.standin.wait_for(lambda _: place.posted, timeout=5)
    assert place.standin.messages(slow.id) == []
    # What comes due meanwhile is not held up either.
    await place.house.story(place.feed, await place.house.case("Another"))
    deliverer.wake()
    await place.standin.wait_for(lambda _: len(place.posted) == 2, timeout=5)
    assert await running == 4


async def test_one_message_that_discord_finds_wrong_does_not_stop_the_next(
    place: Place, deliverer: Deliverer
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    place.standin.faults.add(Fault("status", status=400, code=50035, path="/channels/*/messages"))
    await place.house.story(place.feed, await place.house.case())
    await place.house.story(place.feed, await place.house.case("Another"))
    assert await deliverer.deliver_due() == 1
    rows = await place.house.deliveries()
    assert [row.state for row in rows] == ["dead", "sent"]
    assert "50035" in (rows[0].error or "")


async def test_a_defect_in_one_delivery_is_given_up_after_some_tries_and_stops_no_other(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    bad = await place.house.story(place.feed, await place.house.case())
    await place.house.story(place.feed, await place.house.case("Another"))
    async with place.house.database.write() as session:
        from db.tables import StoryRow

        await session.execute(update(StoryRow).where(StoryRow.id == bad).values(summary=[17]))  # no text
    for _ in range(6):
        await deliverer.deliver_due()
        clock.turn(minutes=30)
    assert [row.state for row in await place.house.deliveries()] == ["dead", "sent"]


async def test_an_update_is_posted_where_the_bot_may_not_read_back(
    place: Place, deliverer: Deliverer
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    place.standin.faults.add(
        Fault("status", status=400, code=160002, method="POST", path="/channels/*/messages")
    )
    await place.house.story(place.feed, case, adds="update", status="withdrawn")
    await deliverer.deliver_due()
    assert len(place.posted) == 2
    assert place.posted[1].reference is None


# ------------------------------------------------------------- members


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_refusal_that_is_not_the_members_ends_no_subscription_and_loses_nothing(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    flagged = Fault("status", status=403, code=20026, method="POST", path="/channels/*/messages", times=2)
    place.standin.faults.add(flagged)  # Discord has flagged the bot, and takes that back
    await place.house.story(place.feed, await place.house.case())
    await deliverer.deliver_due()
    clock.turn(minutes=30)
    assert await deliverer.deliver_due() == 0
    assert flagged.struck == 1, "ever more rarely"
    clock.turn(minutes=10)
    assert await deliverer.deliver_due() == 0
    clock.turn(hours=2)
    assert await deliverer.deliver_due() == 1
    (listed,) = await actions.list_subscriptions(place.house.database, user_id=place.member.id)
    assert not listed.subscription.paused
    assert len(place.direct) == 1


async def test_closed_direct_messages_pause_the_subscriptions_and_say_so(
    place: Place, deliverer: Deliverer
) -> None:
    place.member.dms_open = False
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await place.house.story(place.feed, await place.house.case())
    await place.house.story(place.feed, await place.house.case("Another"))
    assert await deliverer.deliver_due() == 0
    (listed,) = await actions.list_subscriptions(place.house.database, user_id=place.member.id)
    assert listed.subscription.paused
    assert listed.subscription.pause_reason == "Your direct messages are closed to me."
    assert [row.state for row in await place.house.deliveries()] == ["dead", "skipped"]
    refused = [r for r in place.standin.requests if r.status == 403]
    assert len(refused) == 1


async def test_who_left_the_server_is_sent_nothing_of_it(place: Place, deliverer: Deliverer) -> None:
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await place.house.story(place.feed, await place.house.case())
    place.standin.world.remove_member(place.guild, place.member)
    assert await deliverer.deliver_due() == 0
    assert place.direct == []
    row = await place.row()
    assert (row.state, row.error) == ("skipped", "The member is not in the server any more.")


async def test_who_left_one_server_is_told_by_another_that_they_are_in(
    place: Place, deliverer: Deliverer
) -> None:
    other = place.standin.world.add_guild("Another server")
    await place.house.guild(other.id, place.feed)
    place.standin.world.add_member(other, place.member)
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await place.house.subscription(place.member.id, other.id, "topic", "anonymity")
    await place.house.story(place.feed, await place.house.case())
    place.standin.world.remove_member(place.guild, place.member)
    assert await deliverer.deliver_due() == 1
    assert len(place.direct) == 1
    assert (await place.row()).guild_id == other.id


async def test_what_nobody_wants_any_more_is_not_sent(place: Place, deliverer: Deliverer) -> None:
    rule = await place.house.rule(place.guild.id, place.channel.id)
    wish = await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    await place.house.story(place.feed, await place.house.case())
    async with place.house.database.write() as session:
        await rules.delete_rule(session, rule)
        await session.execute(update(SubscriptionRow).where(SubscriptionRow.id == wish).values(paused=True))
    assert await deliverer.deliver_due() == 0
    assert {row.error for row in await place.house.deliveries()} == {
        "Nobody asks for it any more.",
        "the subscription is paused",
    }
    assert place.posted == place.direct == []


async def test_another_rule_of_the_channel_takes_over_from_one_that_was_removed(
    place: Place, deliverer: Deliverer
) -> None:
    gone = await place.house.rule(place.guild.id, place.channel.id)
    stays = await place.house.rule(place.guild.id, place.channel.id, style="compact")
    await place.house.story(place.feed, await place.house.case())
    async with place.house.database.write() as session:
        await rules.delete_rule(session, gone)
    assert await deliverer.deliver_due() == 1
    assert (await place.row()).rule_id == stays
    assert "###" not in text_of(place.posted[0])


# ------------------------------------------------------------- the loop


async def test_the_loop_sends_what_comes_due_tells_of_it_and_ends_when_told(
    place: Place, sender: DiscordSender, clock: TurnedClock
) -> None:
    seen = asyncio.Event()

    async def on_sent(card: object) -> None:
        seen.set()

    deliverer = Deliverer(place.house.database, sender, clock=clock, on_sent=on_sent, poll=30.0)
    stop = asyncio.Event()
    running = asyncio.create_task(deliverer.run(stop))
    await place.house.rule(place.guild.id, place.channel.id)
    await asyncio.sleep(0.2)
    await place.house.story(place.feed, await place.house.case())
    deliverer.wake()
    await asyncio.wait_for(seen.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert len(place.posted) == 1
    assert told(await place.house.deliveries()) == [("card", "channel", place.channel.id, "sent")]


async def test_every_message_carries_its_mark_where_nobody_sees_it(
    place: Place, deliverer: Deliverer, client: discord.Client
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, style="compact")
    await place.house.story(place.feed, None)
    await deliverer.deliver_due()
    row = await place.row()
    (message,) = place.posted
    buttons = message.components[-1]["components"][-1]["components"]
    assert ids.mark_of(button["custom_id"] for button in buttons) == row.nonce
    assert row.nonce not in text_of(message)


@pytest.mark.parametrize("reached", [True, False], ids=["posted", "never posted"])
async def test_a_question_whose_answer_got_lost_shows_what_was_decided_meanwhile(
    place: Place, deliverer: Deliverer, clock: TurnedClock, reached: bool
) -> None:
    desk = place.standin.world.add_channel(place.guild, "desk")
    await place.house.rule(place.guild.id, place.channel.id, review_channel=desk.id)
    await place.house.story(place.feed, await place.house.case())
    lost = Fault("drop", "after") if reached else Fault("status", status=503)
    place.standin.faults.add(replace(lost, method="POST", path=f"/channels/{desk.id}/messages"))
    assert await deliverer.deliver_due() == 0
    await review.approve(place.house.database, guild_id=place.guild.id, user_id=7, review_id=1, now=clock.now)
    clock.turn(seconds=10)
    await deliverer.deliver_due()
    (question,) = place.standin.messages(desk.id)
    assert "✔ Approved" in text_of(question)
    assert len(place.posted) == 1
