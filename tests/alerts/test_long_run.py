"""What shows only when a bot has run for a long time: pauses, many closed channels, cases that went on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import discord
from sqlalchemy import update

from bot.alerts import absence, actions, review, waiting
from bot.alerts.closed import ClosedTeller
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import SharedBucket, TokenBucket
from bot.alerts.publish import Publisher
from bot.alerts.sender import DiscordSender
from bot.sandbox.discord.model import Tag
from db import case_corrections, guilds, restarts
from db.engine import Database
from db.tables import DestinationRow, GuildRow
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock


async def _off(place: Place, clock: TurnedClock, **by: float) -> None:
    """Let nothing run for so long."""
    async with place.house.database.write() as session:
        await restarts.note_start(session, clock())
        clock.turn(**by)
        await restarts.note_start(session, clock())


async def _quiet(place: Place, begins: str, ends: str) -> None:
    async with place.house.database.write() as session:
        await session.execute(
            update(GuildRow).where(GuildRow.id == place.guild.id).values(quiet_from=begins, quiet_to=ends)
        )


async def _due_at_noon_and_off_until_the_night(place: Place, clock: TurnedClock) -> None:
    """Owe a story at noon in a server that is quiet by the time at which the bot is back, eleven at night."""
    await _quiet(place, "22:00", "07:00")
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.story(place.feed, await place.house.case(), title="Due at noon")
    await _off(place, clock, hours=11)


async def _much_said(place: Place) -> None:
    """Say more in the channel than is looked through for a message."""
    person = place.standin.person(place.member.id, place.guild.id, place.channel.id)
    for number in range(1001):
        await person.say(f"Chat {number}")


async def test_a_digest_for_tomorrow_comes_after_a_restart_in_a_channel_that_was_busy_since(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, when="daily")
    await place.house.story(place.feed, await place.house.case(), title="Told tomorrow")
    await _off(place, clock, minutes=2)
    await _much_said(place)
    clock.turn(days=1)
    assert await deliverer.deliver_due() == 1
    assert "Told tomorrow" in text_of(place.posted[-1])


async def test_a_story_without_a_date_is_not_given_up_days_after_a_restart(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await _off(place, clock, minutes=2)
    await _much_said(place)
    clock.turn(days=3)
    story = await place.house.story(place.feed, await place.house.case())
    async with place.house.database.write() as session:
        await restarts.doubt(session, story, None, clock())
    assert await deliverer.deliver_due() == 1


async def test_what_was_due_while_the_bot_was_off_keeps_quiet_hours(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await _due_at_noon_and_off_until_the_night(place, clock)
    assert await deliverer.deliver_due() == 0
    clock.turn(hours=8, minutes=1)
    assert await deliverer.deliver_due() == 1
    assert "Due at noon" in text_of(place.posted[0])


async def test_what_may_have_been_posted_in_a_pause_is_not_told_again_in_the_digest_after_quiet_hours(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await _due_at_noon_and_off_until_the_night(place, clock)
    assert await deliverer.deliver_due() == 0
    for number in range(6):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Night {number}")
    clock.turn(hours=8, minutes=1)
    assert await deliverer.deliver_due() == 2
    texts = [text_of(message) for message in place.posted]
    assert ["Due at noon" in text for text in texts] == [True, False], "looked for, then posted; no digest"
    assert all(f"Night {number}" in texts[1] for number in range(6))


async def test_a_channel_is_taken_up_again_however_many_others_are_gone(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05)
    await place.house.rule(place.guild.id, place.channel.id)
    long_ago = clock() - timedelta(days=9)
    async with place.house.database.write() as session:
        for number in range(600):
            session.add(
                DestinationRow(
                    target="channel", target_id=number + 1, broken="The channel is gone.", broken_at=long_ago
                )
            )
        session.add(
            DestinationRow(
                target="channel",
                target_id=place.channel.id,
                broken="I may not post there.",
                broken_at=clock(),
            )
        )
    await place.house.story(place.feed, await place.house.case())
    clock.turn(minutes=5)
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 1


async def test_what_moderators_decide_about_is_not_published(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05)
    desk = place.standin.world.add_channel(place.guild, "desk", "announcement")
    await place.standin.wait_for(lambda _: gateway.get_channel(desk.id) is not None)
    await place.house.rule(place.guild.id, place.channel.id, review_channel=desk.id)
    await place.house.story(place.feed, await place.house.case())
    assert await deliverer.deliver_due() == 1
    assert await Publisher(place.house.database, sender, clock).publish_due() == 0
    assert not any(r.path.endswith("/crosspost") for r in place.standin.requests)


async def test_follow_below_a_direct_message_works_after_its_case_became_part_of_another(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity")
    case, into = await place.house.case("A summons"), await place.house.case("The summons")
    await place.house.story(place.feed, into, owes=False)
    await place.house.story(place.feed, case)
    assert await deliverer.deliver_due() == 1
    async with place.house.database.write() as session:
        await case_corrections.merge(session, into, case, clock())
    row = await place.row()
    made = await actions.follow_case(
        place.house.database,
        case_id=case,
        user_id=place.member.id,
        guild_id=None,
        mark=row.nonce,
        now=clock(),
    )
    assert made.subscription.value == str(into)


async def test_whoever_comes_when_the_line_has_just_become_empty_is_served(database: Database) -> None:
    bucket = SharedBucket(database, rate=1000)
    for later in range(12):
        await bucket.take()
        for _ in range(later):
            await asyncio.sleep(0)
        await asyncio.wait_for(bucket.take(), 5)


async def test_what_waits_for_a_channel_that_is_gone_comes_where_its_rules_post_from_then_on(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    house, world = place.house, place.standin.world
    old, new = place.channel, world.add_channel(place.guild, "new")
    rules = [
        await house.rule(place.guild.id, old.id, topics=["anonymity"], daily_limit=3),
        await house.rule(place.guild.id, old.id, topics=["spyware"], when="daily"),
    ]
    await house.story(place.feed, await house.case("Posted"), title="Posted before")
    assert await deliverer.deliver_due() == 1
    world.remove_channel(old)
    for number in range(2):
        await house.story(place.feed, await house.case(f"Case {number}"), title=f"Story {number}")
    await house.story(place.feed, await house.case("C"), title="Gathered", topics=["spyware"])
    assert await deliverer.deliver_due() == 0
    await _off(place, clock, minutes=2)
    for rule_id in rules:
        await actions.edit_rule(
            house.database,
            guild_id=place.guild.id,
            user_id=place.member.id,
            rule_id=rule_id,
            changes={"channel_id": new.id},
            now=clock(),
        )
    assert await deliverer.deliver_due() == 2
    clock.turn(days=1)
    assert await deliverer.deliver_due() == 1
    texts = [text_of(message) for message in place.standin.messages(new.id)]
    wanted = ("Story 0", "Story 1", "Gathered")
    assert [title in text for title, text in zip(wanted, texts, strict=True)] == [True] * 3


async def test_a_tag_that_a_forum_got_meanwhile_is_used_without_a_gateway_too(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum", tag_required=True, tags=("other",))
    await place.house.rule(place.guild.id, forum.id, thread="case")
    await place.house.story(place.feed, await place.house.case())
    assert await deliverer.deliver_due() == 0
    assert "add such a tag" in ((await place.row()).error or "")
    forum.tags.append(Tag(place.standin.world.ids.next(), "anonymity"))
    await waiting.send_again(
        place.house.database,
        guild_id=place.guild.id,
        user_id=place.member.id,
        delivery_id=(await place.row()).id,
        now=clock(),
    )
    assert await deliverer.deliver_due() == 1


async def test_a_tag_that_moderators_alone_may_set_is_left_out(
    place: Place, deliverer: Deliverer, gateway: discord.Client, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(
        place.guild, "cases", "forum", tags=("anonymity", "Legal demands")
    )
    world = place.standin.world
    forum.tags[0].moderated = True
    world.set_overwrite(forum, world.bot_role(place.guild), deny=("manage_threads",))
    await place.house.rule(place.guild.id, forum.id, thread="case")
    await place.house.story(place.feed, await place.house.case("One"))
    assert await deliverer.deliver_due() == 1
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))

    def is_known(_: object) -> bool:
        known = gateway.get_channel(forum.id)
        return isinstance(known, discord.ForumChannel) and known.available_tags[0].moderated

    await place.standin.wait_for(is_known)
    await place.house.story(place.feed, await place.house.case("Two"))
    assert await Deliverer(place.house.database, sender, clock=clock, poll=0.05).deliver_due() == 1
    posts = [each.thread for each in place.guild.channels.values() if each.parent_id == forum.id]
    assert [post.tags for post in posts if post is not None] == [[forum.tags[1].id]] * 2


async def test_moderators_who_could_not_be_asked_have_their_time_once_they_can(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    house, world = place.house, place.standin.world
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(house.database, sender, clock=clock, poll=0.05)
    desk = world.add_channel(place.guild, "desk")
    world.set_overwrite(desk, world.bot_role(place.guild), deny=("send_messages",))
    await place.standin.wait_for(lambda _: gateway.get_channel(desk.id) is not None)
    await place.standin.wait_for(lambda _: not sender.may_post(desk.id))
    await house.rule(place.guild.id, place.channel.id, review_channel=desk.id, review_hours=2)
    await house.story(place.feed, await house.case())
    await deliverer.deliver_due()
    await deliverer.reopen()
    clock.turn(days=1)
    assert await review.end_overdue(house.database, clock) == 0
    world.set_overwrite(desk, world.bot_role(place.guild))
    await place.standin.wait_for(lambda _: sender.may_post(desk.id))
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 1
    (asked,) = place.standin.messages(desk.id)
    assert f"<t:{int((clock() + timedelta(hours=2)).timestamp())}:" in text_of(asked)
    clock.turn(hours=3)
    assert await review.end_overdue(house.database, clock) == 1, "they were asked, and nobody decided"


async def test_who_takes_the_bot_back_is_told_what_it_lacks_by_now(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    house, world = place.house, place.standin.world
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(house.database, sender, clock=clock, poll=0.05)
    other = world.add_channel(place.guild, "desk")
    await house.rule(place.guild.id, place.channel.id)
    await house.rule(place.guild.id, other.id, topics=["data-brokers"])
    await house.story(place.feed, await house.case())
    world.leave(place.guild)
    await absence.leave(house.database, place.guild.id, clock)
    await deliverer.reopen()
    clock.turn(days=1)
    world.join(place.guild)  # with a role of its own anew, which the private channel does not let in
    await place.standin.wait_for(lambda _: gateway.get_channel(place.channel.id) is not None)
    world.set_overwrite(place.channel, world.bot_role(place.guild), deny=("send_messages",))
    await place.standin.wait_for(lambda _: not sender.may_post(place.channel.id))
    async with house.database.write() as session:
        await guilds.remember(session, place.guild.id, clock())
    for _ in range(2):
        await deliverer.reopen()
        await deliverer.deliver_due()
        await ClosedTeller(house.database, sender, clock=clock).tell()
    (told,) = place.standin.messages(other.id)
    assert f"<#{place.channel.id}>" in told.text and "give me Send Messages" in told.text
