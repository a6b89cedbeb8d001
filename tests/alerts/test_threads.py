"""A case's thread, posts in forums, publishing: once each, whatever gets lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import discord
import pytest

from bot.alerts.channel_facts import ChannelFacts
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.publish import Publisher
from bot.alerts.sender import DiscordSender
from bot.sandbox import Channel, Fault
from db.tables import RuleRow
from tests.alerts.house import House
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock


def threads_of(place: Place, channel: Channel) -> list[Channel]:
    return [each for each in place.guild.channels.values() if each.parent_id == channel.id]


async def _case_with_reports(place: Place, channel: Channel, deliverer: Deliverer) -> int:
    """A first card, a further source and an update, all delivered."""
    await place.house.rule(place.guild.id, channel.id, thread="case")
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    await place.house.story(place.feed, case, adds="source", title="A second report")
    await place.house.story(place.feed, case, adds="update", status="withdrawn", title="The agency gives in")
    await deliverer.deliver_due()
    return case


@pytest.mark.parametrize("kind", ["text", "announcement"])
async def test_a_cases_further_reports_go_into_the_thread_of_its_first_card(
    place: Place, deliverer: Deliverer, kind: str
) -> None:
    channel = place.standin.world.add_channel(place.guild, "cases", kind)
    await _case_with_reports(place, channel, deliverer)
    (card,) = place.standin.messages(channel.id)
    (thread,) = threads_of(place, channel)
    assert (thread.id, thread.name) == (card.id, "The @ALT_USCIS summons")
    source, update = place.standin.messages(thread.id)
    assert "A second report" in text_of(source) and "Further sources" not in text_of(source)
    assert "Update: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(update)
    assert "Now: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(card)  # the first card tells it, too


async def test_a_forum_has_one_post_a_case_with_the_tags_of_its_topics(
    place: Place, deliverer: Deliverer
) -> None:
    forum = place.standin.world.add_channel(
        place.guild, "cases", "forum", tags=("Legal demands", "other", "anonymity")
    )
    await _case_with_reports(place, forum, deliverer)
    (post,) = threads_of(place, forum)
    assert post.name == "The @ALT_USCIS summons"
    names = {tag.id: tag.name for tag in forum.tags}
    assert post.thread is not None
    assert {names[tag] for tag in post.thread.tags} == {"Legal demands", "anonymity"}
    first, source, update = place.standin.messages(post.id)
    assert "Now: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(first)
    assert "A second report" in text_of(source)
    assert "Update" in text_of(update)
    # A story that belongs to no case has a post of its own, with its title.
    await place.house.story(place.feed, None, title="t" * 150)
    await deliverer.deliver_due()
    assert max(len(each.name) for each in threads_of(place, forum)) == 100


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_forum_takes_posts_whatever_its_rule_says_of_threads(
    place: Place, deliverer: Deliverer
) -> None:
    """A rule that came with a configuration's file may say that there are to be none."""
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    await place.house.story(place.feed, case, adds="update", status="withdrawn", title="The agency gives in")
    await deliverer.deliver_due()
    (post,) = threads_of(place, forum)
    first, update = place.standin.messages(post.id)
    assert "Now: ↩\N{NO-BREAK SPACE}withdrawn" in text_of(first)
    assert "Update" in text_of(update)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_digest_in_a_forum_bears_the_tags_of_its_stories_topics(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(
        place.guild, "cases", "forum", tags=("other", "anonymity"), tag_required=True
    )
    await place.house.rule(place.guild.id, forum.id, thread="case", when="daily")
    await place.house.story(place.feed, await place.house.case())
    clock.turn(days=1)
    assert await deliverer.deliver_due() == 1
    (post,) = threads_of(place, forum)
    assert post.thread is not None
    assert post.thread.tags == [forum.tags[1].id]


@pytest.mark.parametrize("archived", [False, True], ids=["open", "archived"])
@pytest.mark.parametrize(
    "fault",
    [Fault("drop", when="after"), Fault("cut"), Fault("status", when="after", status=504)],
    ids=["dropped", "cut", "504"],
)
async def test_a_forum_post_whose_answer_got_lost_is_looked_for_and_not_made_again(
    place: Place, deliverer: Deliverer, clock: TurnedClock, fault: Fault, archived: bool
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id, thread="case")
    for number in range(2):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
    place.standin.faults.add(replace(fault, method="POST", path=f"/channels/{forum.id}/threads", skip=1))
    assert await deliverer.deliver_due() == 1
    clock.turn(seconds=5)  # soon: no nonce would help
    for post in threads_of(place, forum):
        place.standin.world.set_thread(post, archived=archived)
    assert await deliverer.deliver_due() == 1
    posts = threads_of(place, forum)
    assert [post.name for post in posts] == ["Case 0", "Case 1"]
    rows = await place.house.deliveries()
    assert [(row.state, row.thread_id, row.message_id) for row in rows] == [
        ("sent", post.id, post.id) for post in posts
    ]


@pytest.mark.parametrize("restarted", [False, True], ids=["here", "before a restart"])
async def test_posts_that_were_made_need_not_be_read_to_tell_that_one_is_another(
    place: Place,
    deliverer: Deliverer,
    client: discord.Client,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
    restarted: bool,
) -> None:
    monkeypatch.setattr("bot.alerts.sender._POSTS", 1)
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id, thread="case")
    for number in range(4):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
    path = f"/channels/{forum.id}/threads"
    place.standin.faults.add(Fault("drop", "after", "POST", path, skip=3))
    assert await deliverer.deliver_due() == 3
    clock.turn(seconds=5)
    if restarted:
        forgetful = DiscordSender(client, TokenBucket(rate=10_000))
        deliverer = Deliverer(place.house.database, forgetful, clock=clock, poll=0.05)
    assert await deliverer.deliver_due() == 1
    assert [row.state for row in await place.house.deliveries()] == ["sent"] * 4
    assert len(threads_of(place, forum)) == 4
    assert sum(request.path.count("/messages/") for request in place.standin.requests) == 1


async def test_a_forum_post_that_never_got_through_is_made(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id, thread="case")
    await place.house.story(place.feed, await place.house.case())
    place.standin.faults.add(Fault("status", status=502, method="POST", path=f"/channels/{forum.id}/threads"))
    assert await deliverer.deliver_due() == 0
    clock.turn(seconds=5)
    assert await deliverer.deliver_due() == 1
    assert len(threads_of(place, forum)) == 1


async def test_a_sleeping_thread_is_woken_a_deleted_one_followed_by_another_a_locked_one_left_alone(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    world = place.standin.world
    case = await _case_with_reports(place, place.channel, deliverer)
    (thread,) = threads_of(place, place.channel)
    assert thread.thread is not None
    world.set_thread(thread, archived=True)
    await place.house.story(place.feed, case, adds="source", title="A third report")
    await deliverer.deliver_due()
    assert not thread.thread.archived
    assert "A third report" in text_of(place.standin.messages(thread.id)[-1])

    world.remove_channel(thread)
    await place.house.story(place.feed, case, adds="source", title="A fourth report")
    await place.house.story(place.feed, case, adds="source", title="A fifth report")
    await deliverer.deliver_due()
    assert "A fourth report" in text_of(place.posted[-1])
    (after,) = threads_of(place, place.channel)
    assert after.id == place.posted[-1].id
    assert "A fifth report" in text_of(place.standin.messages(after.id)[-1])

    world.set_thread(after, archived=True, locked=True)
    world.set_role(place.guild, world.bot_role(place.guild), 0)
    await place.house.story(place.feed, case, adds="source", title="A sixth report")
    await place.house.story(place.feed, await place.house.case("Another"), title="Another matter")
    await deliverer.deliver_due()
    locked = next(row for row in await place.house.deliveries() if row.state == "dead")
    assert "locked" in (locked.error or "")
    assert "Another matter" in text_of(place.posted[-1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_locked_thread_that_a_rule_posts_in_has_what_waits_once_it_is_unlocked(
    place: Place, deliverer: Deliverer, gateway: discord.Client, clock: TurnedClock
) -> None:
    world = place.standin.world
    world.set_role(place.guild, world.bot_role(place.guild), 0)
    thread = world.add_thread(place.channel, "alerts")
    world.set_thread(thread, archived=False, locked=True)
    await place.house.rule(place.guild.id, thread.id)
    await place.house.story(place.feed, await place.house.case())
    assert await deliverer.deliver_due() == 0
    assert "unlock it" in ((await place.row()).error or "")
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05)
    await deliverer.reopen()
    world.set_thread(thread, archived=False)
    await place.standin.wait_for(lambda _: sender.may_post(thread.id))
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_thread_that_fell_asleep_while_it_was_closed_to_the_bot_is_tried_again(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    world = place.standin.world
    thread = world.add_thread(place.channel, "alerts")
    mine = world.bot_role(place.guild)
    world.set_overwrite(place.channel, mine, deny=("send_messages_in_threads",))
    await place.standin.wait_for(
        lambda _: _may(gateway, place.channel.id, "send_messages_in_threads") is False
    )
    await place.house.rule(place.guild.id, thread.id)
    await place.house.story(place.feed, await place.house.case())
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05)
    assert await deliverer.deliver_due() == 0
    await deliverer.reopen()
    world.set_thread(thread, archived=True)  # nobody wrote in it meanwhile
    await place.standin.wait_for(lambda _: gateway.get_channel(thread.id) is None)
    world.set_overwrite(place.channel, mine)
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 0, "not known yet: ever more rarely"
    clock.turn(hours=1)
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 1


async def test_the_card_of_a_forum_post_that_sleeps_is_edited_all_the_same(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id, thread="case")
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    (post,) = threads_of(place, forum)
    await place.house.story(place.feed, case, adds="source", title="A second report")
    await deliverer.deliver_due()
    await place.house.story(place.feed, case, adds="source", title="A third report")
    clock.turn(minutes=2)
    place.standin.faults.add(Fault("status", status=400, code=50083, method="PATCH", path="*/messages/*"))
    await deliverer.deliver_due()
    assert "A third report" in text_of(place.standin.messages(post.id)[0])
    assert [row.state for row in await place.house.deliveries()] == ["sent"] * 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_forum_post_that_was_closed_and_locked_holds_up_nothing_else_in_the_forum(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await _case_with_reports(place, forum, deliverer)
    (post,) = threads_of(place, forum)
    place.standin.world.set_thread(post, archived=True, locked=True)
    # https://discord.com/developers/docs/resources/channel#modify-channel: waking it takes Manage Threads.
    place.standin.faults.add(
        Fault("status", status=403, code=50013, method="PATCH", path=f"/channels/{post.id}")
    )
    await place.house.story(place.feed, 1, adds="update", status="upheld", title="The court decides")
    clock.turn(minutes=2)
    place.standin.world.set_role(place.guild, place.standin.world.bot_role(place.guild), 0)
    await place.house.story(place.feed, await place.house.case("Another"), title="Another matter")
    await deliverer.deliver_due()
    given_up = {row.kind: row.error for row in await place.house.deliveries() if row.state == "dead"}
    assert given_up.keys() == {"update", "edit"}
    assert all("locked" in (reason or "") for reason in given_up.values())
    assert len(threads_of(place, forum)) == 2, "the other matter has its post"


async def test_a_forum_post_that_was_deleted_holds_up_nothing_else_in_the_forum(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    case = await _case_with_reports(place, forum, deliverer)
    (post,) = threads_of(place, forum)
    place.standin.world.remove_channel(post)
    clock.turn(minutes=2)  # an edit a minute
    await place.house.story(place.feed, case, adds="update", status="quashed", title="A court quashes it")
    await place.house.story(place.feed, await place.house.case("Another"), title="Another matter")
    await deliverer.deliver_due()
    assert [each.name for each in threads_of(place, forum)] == ["The @ALT_USCIS summons", "Another"]
    states = {(row.kind, row.state) for row in await place.house.deliveries()}
    assert ("edit", "skipped") in states
    assert all(state in ("sent", "skipped") for _, state in states)


async def test_a_thread_that_could_not_be_opened_is_opened_for_the_next_report(
    place: Place, deliverer: Deliverer
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, thread="case")
    case = await place.house.case()
    await place.house.story(place.feed, case)
    place.standin.faults.add(Fault("status", status=503, method="POST", path="*/threads"))
    assert await deliverer.deliver_due() == 1
    assert threads_of(place, place.channel) == []
    await place.house.story(place.feed, case, adds="source", title="A second report")
    await deliverer.deliver_due()
    (thread,) = threads_of(place, place.channel)
    assert "A second report" in text_of(place.standin.messages(thread.id)[0])
    assert len(place.posted) == 1


@pytest.mark.parametrize("late", [False, True], ids=["soon", "late"])
@pytest.mark.parametrize(("before", "after"), [("off", "case"), ("case", "off")])
async def test_a_rule_that_changes_its_mind_about_threads_between_two_tries_posts_nothing_twice(
    place: Place, deliverer: Deliverer, clock: TurnedClock, before: str, after: str, late: bool
) -> None:
    rule = await place.house.rule(place.guild.id, place.channel.id, thread=before)
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    await place.house.story(place.feed, case, adds="update", status="withdrawn", title="The agency gives in")
    path = "/channels/*/messages"
    place.standin.faults.add(Fault("status", "after", "POST", path, status=503, times=None))
    await deliverer.deliver_due()
    place.standin.faults.clear()
    async with place.house.database.write() as session:
        (await session.get_one(RuleRow, rule)).thread = after
    if late:
        place.standin.settings.nonce_seconds = -1.0
    clock.turn(minutes=10 if late else 1)
    await deliverer.deliver_due()
    told = [
        (where.id, message.id)
        for where in (place.channel, *threads_of(place, place.channel))
        for message in place.standin.messages(where.id)
        if "Update:" in text_of(message)
    ]
    (update,) = [row for row in await place.house.deliveries() if row.kind == "update"]
    assert told == [(update.channel_id, update.message_id)]
    assert update.state == "sent"


async def test_missing_permissions_for_threads_and_media_channels_are_said_exactly(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    world = place.standin.world
    deliverer = Deliverer(
        place.house.database, DiscordSender(gateway, TokenBucket(rate=10_000)), clock=clock, poll=0.05
    )
    media = world.add_channel(place.guild, "pictures", "media")
    forum = world.add_channel(place.guild, "cases", "forum")
    mine = world.bot_role(place.guild)
    world.set_overwrite(place.channel, mine, deny=("create_public_threads",))
    world.set_overwrite(forum, mine, deny=("send_messages",))
    await place.standin.wait_for(lambda _: _may(gateway, forum.id, "send_messages") is False)
    for channel in (place.channel, media, forum):
        await place.house.rule(place.guild.id, channel.id, thread="case")
    await place.house.story(place.feed, await place.house.case())
    assert await deliverer.deliver_due() == 0
    said = {row.target_id: row.error or "" for row in await place.house.deliveries()}
    assert "give me Create Public Threads" in said[place.channel.id]
    assert "pictures or videos" in said[media.id]
    assert "give me Send Messages" in said[forum.id]

    await deliverer.reopen()
    world.set_overwrite(place.channel, mine)
    world.set_overwrite(forum, mine)
    await place.standin.wait_for(lambda _: _may(gateway, forum.id, "send_messages"))
    await deliverer.reopen()  # at once, as it was seen to be closed
    assert await deliverer.deliver_due() == 2


def _may(client: discord.Client, channel_id: int, name: str) -> bool | None:
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel):
        return None
    return bool(getattr(channel.permissions_for(channel.guild.me), name))


# ------------------------------------------------------------- publishing


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_no_gateway_tells_of_a_channel_is_asked_again_after_an_hour(
    place: Place, client: discord.Client
) -> None:
    now = [0.0]
    facts = ChannelFacts(client, TokenBucket(rate=10_000), now=lambda: now[0])
    assert facts.publishes(place.channel.id), "not known: publishing finds out"
    assert await facts.kind_of(place.channel.id) == "text"
    assert not facts.publishes(place.channel.id)
    place.channel.type = discord.ChannelType.news.value  # moderators make it one for announcements
    now[0] = 3601.0
    assert facts.publishes(place.channel.id)
    assert await facts.kind_of(place.channel.id) == "announcement"


async def test_an_announcement_is_published_once_and_ten_an_hour(
    place: Place, gateway: discord.Client, clock: TurnedClock
) -> None:
    news = place.standin.world.add_channel(place.guild, "news", "announcement")
    await place.standin.wait_for(lambda _: gateway.get_channel(news.id))
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    deliverer = Deliverer(place.house.database, sender, clock=clock, poll=0.05)
    publisher = Publisher(place.house.database, sender, clock)
    await place.house.rule(place.guild.id, news.id)
    for number in range(12):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"))
    assert await deliverer.deliver_due() == 12
    place.standin.settings.enforce_limits = True
    # One answer is lost: Discord says that the message is published already, and that is that.
    place.standin.faults.add(Fault("drop", when="after", path="*/crosspost"))
    assert await publisher.publish_due() == 0
    for _ in range(3):
        clock.turn(minutes=6)
        await publisher.publish_due()
    asked = [r for r in place.standin.requests if r.path.endswith("/crosspost")]
    assert len(asked) <= 11 and not any(r.status == 429 for r in asked)
    published = [row for row in await place.house.deliveries() if row.published_at]
    assert len(published) == 9
    flagged = [message for message in place.standin.messages(news.id) if message.flags & 1]
    assert len(flagged) == len(asked) - 1
    waiting = [row.publish_at for row in await place.house.deliveries() if row.publish_at]
    assert len(waiting) == 3
    assert all(at is not None and at - clock() > timedelta(minutes=30) for at in waiting)


async def test_what_cannot_be_published_is_posted_all_the_same(
    place: Place, gateway: discord.Client, clock: TurnedClock, house: House
) -> None:
    news = place.standin.world.add_channel(place.guild, "news", "announcement")
    await place.standin.wait_for(lambda _: gateway.get_channel(news.id))
    sender = DiscordSender(gateway, TokenBucket(rate=10_000))
    await place.house.rule(place.guild.id, news.id)
    await place.house.story(place.feed, await place.house.case())
    deliverer = Deliverer(house.database, sender, clock=clock, poll=0.05)
    assert await deliverer.deliver_due() == 1
    place.standin.faults.add(Fault("status", status=403, code=50013, path="*/crosspost"))
    publisher = Publisher(house.database, sender, clock)
    assert await publisher.publish_due() == 0
    clock.turn(hours=1)
    assert await publisher.publish_due() == 0
    (row,) = await house.deliveries()
    assert (row.state, row.publish_at, row.published_at) == ("sent", None, None)
    assert sum(r.path.endswith("/crosspost") for r in place.standin.requests) == 1
