"""`/deliveries`, `/status`, `/audit`: what moderators see of the bot's work, and who may act."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from bot.alerts.closed import ClosedTeller, GivenUpTeller
from bot.alerts.deliver import Deliverer
from bot.alerts.foreign import width
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.intake.change_log import ChangeTeller
from bot.intake.notices import FeedTeller
from bot.intake.operations import RuleTeller
from bot.sandbox import Fault, NotOffered
from bot.sandbox.discord.messages import Upload
from cogs.operations import ACTIONS
from db import places
from db.tables import AuditRow, DeliveryRow, DestinationRow, FeedRow
from tests.cogs.conftest import Scene
from tests.cogs.press import labels_of, leaf


async def _owed(scene: Scene, count: int, state: str = "dead", **columns: object) -> list[int]:
    """Owe the server's channel that many cards."""
    feed = await scene.house.feed(f"news{state}")
    await scene.house.guild(scene.guild.id, feed)
    if not scene.house.count:
        await scene.house.rule(scene.guild.id, scene.channel.id)
        await scene.house.subscription(scene.member.user_id, scene.guild.id, "topic", "anonymity")
    for n in range(count):
        await scene.house.story(feed, await scene.house.case(f"Case {state} {n}"), title=f"Story {state} {n}")
    async with scene.house.database.write() as session:
        await session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.target == "channel", DeliveryRow.state == "due")
            .values({"state": state, "error": "Discord finds *this* message wrong.", **columns})
        )
        rows = await session.scalars(
            select(DeliveryRow.id).where(DeliveryRow.target == "channel", DeliveryRow.state == state)
        )
        return sorted(rows)


async def _state(scene: Scene, delivery_id: int) -> str:
    async with scene.house.database.read() as session:
        return (await session.get_one(DeliveryRow, delivery_id)).state


async def test_deliveries_are_paged_sent_again_and_dropped(scene: Scene) -> None:
    empty = await scene.moderator.command("deliveries")
    assert "Nothing waits" in empty.text
    dead = await _owed(scene, 7)
    listed = await scene.moderator.command("deliveries", state="dead")
    assert listed.ephemeral
    assert "Story dead 0" in listed.text
    assert "Story dead 6" not in listed.text
    assert "7 deliveries" in listed.text, "what members get is not among them"
    assert "*this*" not in listed.text, "texts from outside are plain words"
    last = await scene.moderator.click(listed.message, "Next")
    assert "Story dead 6" in last.text
    left = await scene.moderator.click(last.message, f"Drop #{dead[6]}")
    assert "Story dead 6" not in left.text
    assert "Story dead 5" in left.text
    again = await scene.moderator.click(left.message, f"Send again #{dead[5]}")
    assert "5 deliveries" in again.text
    assert [await _state(scene, number) for number in dead[5:]] == ["due", "skipped"]
    waiting = await scene.moderator.command("deliveries", state="waiting")
    assert "Story dead 5" in waiting.text
    assert f"Send again #{dead[5]}" not in labels_of(waiting.message.components)
    dropped = await scene.moderator.click(waiting.message, f"Drop #{dead[5]}")
    assert "Nothing waits" in dropped.text
    changes = (await scene.moderator.command("audit")).text
    assert f"<@{scene.moderator.user_id}>: **delivery dropped**" in changes
    assert f"delivery: {dead[5]}" in changes


async def test_of_two_moderators_one_wins_and_the_other_is_told(scene: Scene) -> None:
    (dead,) = await _owed(scene, 1)
    lists = [await scene.moderator.command("deliveries") for _ in range(2)]
    answers = await asyncio.gather(
        scene.moderator.click(lists[0].message, f"Send again #{dead}"),
        scene.moderator.click(lists[1].message, f"Send again #{dead}"),
    )
    told = [answer.text for answer in answers if "somebody was first" in answer.text]
    assert len(told) == 1
    assert await _state(scene, dead) == "due"
    async with scene.house.database.read() as session:
        assert (await session.scalars(select(AuditRow.action))).all() == ["delivery sent again"]
    sending, *_ = await _owed(scene, 1, "sending")
    listed = await scene.moderator.command("deliveries", state="waiting")
    refused = await scene.moderator.click(listed.message, f"Drop #{sending}")
    assert "is being sent at this moment" in refused.text


async def test_only_moderators_of_this_server_may(scene: Scene) -> None:
    (dead,) = await _owed(scene, 1)
    await scene.house.guild(scene.other.id)
    listed = await scene.moderator.command("deliveries")
    for name in ("deliveries", "status", "audit"):
        with pytest.raises(NotOffered):
            await scene.member.command(name)
        assert "Manage Server" in (await scene.member.command(name, forced=True)).text
        with pytest.raises(NotOffered):
            await scene.alone.command(name)
    world = scene.discord.world
    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id])
    refused = await scene.moderator.click(listed.message, f"Drop #{dead}")
    assert "Manage Server" in refused.text, "who clicks has lost the right meanwhile"
    assert await _state(scene, dead) == "dead"
    elsewhere = world.add_role(scene.other, "moderators", ("manage_guild",))
    world.set_member_roles(scene.other, world.users[scene.stranger.user_id], elsewhere)
    assert "Nothing waits" in (await scene.stranger.command("deliveries")).text
    assert "Nothing was changed" in (await scene.stranger.command("audit")).text


async def test_status_tells_feeds_queue_delays_and_missing_permissions(scene: Scene) -> None:
    bare = await scene.moderator.command("status")
    assert "This server watches no feed" in bare.text
    assert "There is no rule yet" in bare.text
    clock = scene.house.clock
    sent = [*await _owed(scene, 3, "sent", sent_at=clock.now)]
    async with scene.house.database.write() as session:
        await session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == sent[0])
            .values(created_at=clock.now - timedelta(days=3))  # the channel took nothing until now
        )
        await session.execute(
            update(FeedRow).values(
                failing_since=clock.now - timedelta(days=2), failure="The *server* says 500."
            )
        )
    await _owed(scene, 2, "failed")
    closed = scene.discord.world.add_channel(scene.guild, "closed")
    await scene.house.rule(scene.guild.id, closed.id, thread="case")
    bot_role = scene.discord.world.bot_role(scene.guild)
    scene.discord.world.set_overwrite(closed, bot_role, deny=("send_messages", "create_public_threads"))
    gone = scene.discord.world.add_channel(scene.guild, "gone")
    await scene.house.rule(scene.guild.id, gone.id)
    scene.discord.world.remove_channel(gone)
    await scene.house.guild(scene.guild.id, resting := await scene.house.feed("resting"))
    await scene.moderator.command("feeds pause", feed=resting)
    status = await scene.moderator.command("status")
    assert status.ephemeral
    assert "1 works · 1 fails · 0 are not looked at · paused here: 1\n" in status.text
    assert "The \\*server\\* says 500." in status.text
    assert "2 failed, tried again" in status.text
    assert "3 posts: median 26 h, longest 26 h" in status.text
    assert f"In <#{closed.id}> I lack Send Messages, Create Public Threads; give" in status.text
    assert f"<#{gone.id}>: The channel is gone" in status.text
    assert f"<#{scene.channel.id}>" not in status.text
    assert "Quash 0" in status.text
    assert "shard 1 of 1" in status.text


async def test_audit_tells_who_changed_what_before_and_after(scene: Scene) -> None:
    await scene.moderator.command("alerts add", channel=scene.channel, topics="spyware", relevance=0.8)
    await scene.moderator.command("alerts remove", rule=1)
    async with scene.house.database.write() as session:
        for n in range(12):
            session.add(
                AuditRow(
                    guild_id=scene.guild.id,
                    user_id=None,
                    at=scene.house.clock.now + timedelta(minutes=n + 1),
                    action="rule changed",
                    before={"id": 1, "topics": ["spyware"], "ping_role": None},
                    after={"id": 1, "topics": [], "ping_role": 5},
                )
            )
    newest = await scene.moderator.command("audit")
    assert "somebody who was forgotten: **rule changed**" in newest.text
    assert "topics: spyware → –" in newest.text
    assert "mentions: – → <@&5>" in newest.text
    assert "14 changes" in newest.text
    older = await scene.moderator.click(newest.message, "Next")
    assert f"<@{scene.moderator.user_id}>: **rule removed**" in older.text
    assert older.text.index("rule removed") < older.text.index("rule added")
    assert f"channel: <#{scene.channel.id}>" in older.text
    assert "review" not in older.text and "style" not in older.text, "what is as usual is not told"
    async with scene.house.database.read() as session:
        done = set((await session.scalars(select(AuditRow.action))).all())
    assert done <= set(ACTIONS)


async def test_a_note_about_a_rule_has_buttons_for_moderators(scene: Scene) -> None:
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await scene.house.guild(scene.guild.id)
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    scene.house.clock.turn(days=31)
    assert await RuleTeller(scene.house.database, sender, clock=scene.house.clock).tell() == 1
    (note,) = scene.discord.messages(scene.channel.id)
    hint = await scene.moderator.click(note, "How to change it")
    assert hint.ephemeral
    assert "`/alerts edit`" in hint.text
    refused = await scene.member.click(note, f"Pause rule #{rule}")
    assert "Manage Server" in refused.text
    for _ in range(2):
        paused = await scene.moderator.click(note, f"Pause rule #{rule}")
        assert f"Rule #{rule} rests until" in paused.text
    changes = (await scene.moderator.command("audit")).text
    assert changes.count("rule paused") == 1
    assert "paused: no → yes" in changes
    await scene.moderator.command("alerts remove", rule=rule)
    await scene.house.rule(scene.guild.id, scene.channel.id)  # SQLite gives it the same number
    for label in (f"Pause rule #{rule}", "How to change it"):
        assert "was removed" in (await scene.moderator.click(note, label)).text
    assert "rests" not in (await scene.moderator.command("alerts list")).text


async def test_a_note_about_a_feed_has_buttons_for_moderators(scene: Scene) -> None:
    assert scene.client is not None
    assert scene.services is not None
    house = scene.house
    failing, gone = await house.feed("failing"), await house.feed("gone")
    await house.guild(scene.guild.id, failing, gone)
    await house.rule(scene.guild.id, scene.channel.id)
    async with house.database.write() as session:
        for feed, kind in ((failing, "failing"), (gone, "gone")):
            notice = {"notice": kind, "notice_text": f"It is *{kind}*."}
            await session.execute(update(FeedRow).where(FeedRow.id == feed).values(notice))
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    assert await FeedTeller(house.database, scene.services.feeds, sender, clock=house.clock).tell() == 2
    notes = {each: m for m in scene.discord.messages(scene.channel.id) for each in labels_of(m.components)}
    refused = await scene.member.click(notes[f"Pause feed #{failing}"], f"Pause feed #{failing}")
    assert "Manage Server" in refused.text
    paused = await scene.moderator.click(notes[f"Pause feed #{failing}"], f"Pause feed #{failing}")
    assert "rests here until `/feeds resume`" in paused.text
    await scene.moderator.click(notes[f"Remove feed #{gone}"], f"Remove feed #{gone}")
    again = await scene.moderator.click(notes[f"Remove feed #{gone}"], f"Remove feed #{gone}")
    assert f"watches no feed #{gone}" in again.text
    async with house.database.write() as session:  # SQLite gives the number of a row that is gone to the next
        row = await session.get_one(FeedRow, failing)
        row.added_at = datetime.now(UTC) + timedelta(minutes=2)
    note = f"Pause feed #{failing}"
    assert "is gone" in (await scene.moderator.click(notes[note], note)).text
    changes = (await scene.moderator.command("audit")).text
    assert "feed paused" in changes
    assert "feed removed" in changes


async def test_a_note_of_what_was_given_up_opens_the_list_for_moderators_alone(scene: Scene) -> None:
    dead = await _owed(scene, 2)
    async with scene.house.database.write() as session:
        await places.note_given_up(session, dead)
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await GivenUpTeller(scene.house.database, sender, clock=scene.house.clock).tell()
    (told,) = scene.discord.messages(scene.channel.id)
    assert "I could not deliver “Story dead 0”" in told.text
    opened = await scene.moderator.click(told, "What was given up")
    assert opened.ephemeral
    assert "Story dead 1" in opened.text
    refused = await scene.member.click(told, "What was given up")
    assert "Story dead" not in refused.text
    assert "Manage Server" in refused.text


async def test_feeds_and_the_catalogue_are_leafed_through(scene: Scene) -> None:
    feeds = [await scene.house.feed(f"news{n:02}") for n in range(23)]
    await scene.house.guild(scene.guild.id, *feeds)
    for command in ("feeds list", "feeds catalogue"):
        answer = await scene.moderator.command(command)
        pages = [answer.text]
        while "Next" in labels_of(answer.message.components):
            answer = await scene.moderator.click(answer.message, "Next")
            pages.append(answer.text)
        assert len(set(pages)) == len(pages) > 1, command
        if command == "feeds list":
            assert all(sum(f"news{n:02}" in page for page in pages) == 1 for n in range(23))
        assert (await scene.moderator.click(answer.message, "Back")).text == pages[-2]


async def test_every_change_stands_on_a_page_however_much_was_changed(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    for number in range(9):
        lists = {
            name: ", ".join(f"{name} with many words {number} {i}" for i in range(20))
            for name in ("parties", "keywords", "exclude", "sources")
        }
        await scene.moderator.command("alerts add", channel=scene.channel, topics="spyware", **lists)
    text = await leaf(scene.moderator, await scene.moderator.command("audit"))
    assert [number for number in range(1, 10) if f"**rule added** #{number}\n" not in text] == []
    assert "topics: spyware" in text


async def test_a_channel_where_moderators_are_asked_is_one_that_must_take_posts(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    review = scene.discord.world.add_channel(scene.guild, "review")
    await scene.moderator.command("alerts add", channel=scene.channel, review=review)
    await scene.house.story(feed, await scene.house.case())
    status = (await scene.moderator.command("status")).text
    assert "all 2 channels that rules name" in status
    assert "1 to be posted" in status, "the question to the moderators"
    scene.discord.world.remove_channel(review)
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await Deliverer(scene.house.database, sender, clock=scene.house.clock).deliver_due()
    assert f"⚠ <#{review.id}>: The channel is gone" in (await scene.moderator.command("status")).text
    assert f"⚠ <#{review.id}>: " in (await scene.moderator.command("alerts list")).text


async def test_a_thread_that_sleeps_is_not_gone(scene: Scene) -> None:
    world = scene.discord.world
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    thread = world.add_thread(scene.channel, "matters")
    await scene.house.rule(scene.guild.id, thread.id)
    world.set_thread(thread, archived=True)
    assert "I may post in the 1 channel" in (await scene.moderator.command("status")).text
    world.remove_channel(thread)
    assert f"<#{thread.id}>: The channel is gone" in (await scene.moderator.command("status")).text


async def test_changes_are_told_in_the_readers_language(scene: Scene) -> None:
    world = scene.discord.world
    await scene.house.guild(scene.guild.id)
    user = world.add_user("moderatorin", locale="de")
    world.add_member(scene.guild, user, world.add_role(scene.guild, "moderation", ("manage_guild",)))
    person = scene.discord.person(user, scene.guild, scene.channel)
    options = {"statuses": "quashed", "when": "daily", "topics": "anonymity"}
    await person.command("alerts add", channel=scene.channel, **options)
    (offered,) = await person.autocomplete("alerts edit", "rule", "anonymit")
    assert offered.name.endswith(": Anonymität, aufgehoben")
    file = Upload("feeds.txt", b"https://a.example/feed\nhttps://b.example/feed\n")
    await scene.moderator.command("feeds import", file=file)
    more = Upload("feeds.txt", b"https://a.example/feed\nhttps://c.example/feed\n")
    await scene.moderator.command("feeds import", file=more)
    (dead,) = await _owed(scene, 1, error="Its story is no longer stored.")
    listed = await scene.moderator.command("deliveries", state="dead")
    await scene.moderator.click(listed.message, f"Drop #{dead}")
    told = (await person.command("audit")).text
    assert "Fehler: Sein Artikel ist nicht mehr gespeichert." in told
    assert "Feeds: 2" in told, "by somebody who speaks English"
    assert "Feeds: 1" in told, "one of the others was there already"
    assert "Stände: aufgehoben" in told
    assert "wann: täglich" in told
    address = "http://10.0.0.1/feed"  # which nothing is fetched from
    async with scene.house.database.write() as session:
        feed = await session.scalar(
            update(FeedRow).where(FeedRow.url.contains("a.ex")).values(url=address).returning(FeedRow.id)
        )
        await session.execute(update(FeedRow).where(FeedRow.id == feed).values(title="\N{NEWSPAPER}" * 90))
    assert "⚠ ließ sich nicht lesen**: " in (await person.command("feeds check", feed=feed)).text
    assert all(width(each.name) <= 100 for each in await person.autocomplete("feeds check", "feed", ""))
    listed = await person.command("feeds catalogue", topic="biometrics")
    assert "'description': 'Biometrie" in str(listed.message.components)


async def test_a_list_that_is_longer_than_it_shows_says_so(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.rule(scene.guild.id, scene.channel.id)
    for number in range(101):
        await scene.house.story(feed, None, title=f"Story {number}")
    assert "100 deliveries … and more." in (await scene.moderator.command("deliveries")).text


async def test_status_tells_of_channels_however_many_feeds_fail(scene: Scene) -> None:
    now = scene.house.clock.now
    feeds = [await scene.house.feed(f"news{number}") for number in range(8)]
    await scene.house.guild(scene.guild.id, *feeds)
    columns = {"title": "The long title of a newspaper that people of the field read every day"}
    columns |= {"failure": "its server answers 503 (service unavailable) and asks for more time, again. " * 3}
    async with scene.house.database.write() as session:
        await session.execute(update(FeedRow).values(failing_since=now, **columns))
    for number in range(12):
        gone = scene.discord.world.add_channel(scene.guild, f"gone{number}")
        role = scene.discord.world.add_role(scene.guild, f"silent{number}")
        await scene.house.rule(scene.guild.id, gone.id, ping_role=role.id)
        if number % 2:
            scene.discord.world.remove_channel(gone)
    silent = next(c for c in scene.guild.channels.values() if c.name == "gone0")
    scene.discord.world.set_overwrite(
        silent, scene.discord.world.bot_role(scene.guild), deny=("send_messages",)
    )
    user = scene.discord.world.add_user("moderatorin", locale="de")
    role = scene.discord.world.add_role(scene.guild, "moderation", ("manage_guild",))
    scene.discord.world.add_member(scene.guild, user, role)
    person = scene.discord.person(user, scene.guild, scene.channel)
    status = (await person.command("status")).text
    assert "0 laufen · 8 fallen aus" in status
    assert "Den Kanal gibt es nicht mehr" in status
    assert f"In <#{silent.id}> fehlt mir: Nachrichten senden." in status
    assert "Quash 0" in status, "all parts have room"


async def test_a_log_channel_that_is_gone_is_told(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    await scene.house.rule(scene.guild.id, scene.channel.id)
    log = scene.discord.world.add_channel(scene.guild, "log")
    await scene.moderator.command("settings", log_channel=log)
    assert "log channel" not in (await scene.moderator.command("status")).text
    scene.discord.world.set_overwrite(
        scene.channel, scene.discord.world.bot_role(scene.guild), deny=("read_message_history",)
    )
    status = (await scene.moderator.command("status")).text
    assert f"In <#{scene.channel.id}> I lack Read Message History" in status, (
        "a rule cannot be made without it"
    )
    scene.discord.world.remove_channel(log)
    assert f"The log channel <#{log.id}> is gone" in (await scene.moderator.command("status")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_log_channel_is_told_who_changed_what(scene: Scene) -> None:
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    teller = ChangeTeller(scene.house.database, sender, clock=scene.house.clock)
    log = scene.discord.world.add_channel(scene.guild, "log")
    do = scene.moderator.command
    await do("alerts add", channel=scene.channel, topics="spyware")
    assert await teller.tell() == 0, "what was before is no news"
    await do("settings", log_channel=log, language="de")
    await do("alerts edit", rule=1, topics="biometrics")
    assert await teller.tell() == 0, "perhaps there is more to come"
    scene.house.clock.turn(minutes=1)
    scene.discord.faults.add(Fault("status", status=503, method="POST", path=f"/channels/{log.id}/messages"))
    assert await teller.tell() == 0, "Discord is out of order"
    await do("alerts pause", rule=1)
    for _ in range(3):
        scene.house.clock.turn(minutes=1)
        await teller.tell()
    first, second = scene.discord.messages(log.id)
    assert f"<@{scene.moderator.user_id}>: **Einstellungen geändert**" in first.content
    assert "Themen: " in first.content and " → " in first.content
    assert first.pings_users == [] and "**Regel pausiert** #1" in second.content
    assert scene.discord.messages(scene.channel.id) == [], "nowhere else"
    async with scene.house.database.write() as session:  # all are a year old; SQLite begins its numbers anew
        await session.execute(delete(AuditRow))
    for action in ("resume", "pause", "resume"):
        await do(f"alerts {action}", rule=1)
        await teller.tell()
    scene.house.clock.turn(minutes=1)
    assert await teller.tell() == 1
    async with scene.house.database.write() as session:  # the last ones, as of a server that is forgotten
        await session.execute(delete(AuditRow).where(AuditRow.id > 1))
    await do("alerts pause", rule=1)
    assert await teller.tell() == 0
    scene.house.clock.turn(minutes=1)
    assert await teller.tell() == 1
    again = scene.discord.messages(log.id)[-1].content
    assert "**Regel pausiert** #1" in again and "fortgesetzt" not in again, "what was told is not told again"
    await do("settings", clear="log_channel")
    scene.house.clock.turn(minutes=1)
    assert await teller.tell() == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_made_the_rule_is_told_where_no_channel_can_be(scene: Scene) -> None:
    assert scene.client is not None
    world, database, clock = scene.discord.world, scene.house.database, scene.house.clock
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    forum = world.add_channel(scene.guild, "cases", kind="forum")
    await scene.moderator.command("alerts add", channel=forum, topics="spyware")
    clock.turn(days=31)
    assert await RuleTeller(database, sender, clock=clock).tell() == 1
    (note,) = scene.discord.direct_messages(scene.moderator.user_id)
    assert f"Rule #1 for <#{forum.id}> has brought nothing in 30 days" in note.content
    assert "Server: Digital Rights" in note.content
    alone = scene.discord.person(scene.moderator.user_id)
    assert "`/alerts edit`" in (await alone.click(note, "How to change it")).text
    assert "rests until" in (await alone.click(note, "Pause rule #1")).text
    assert "paused: no → yes" in (await scene.moderator.command("audit")).text

    async with database.write() as session:
        await session.execute(update(FeedRow).values(notice="gone", notice_text="It is gone."))
        for closed_one in (forum.id, 78):
            row = DestinationRow(target="channel", target_id=closed_one, broken="gone", broken_at=clock())
            session.add(row)
    assert scene.services is not None
    assert await FeedTeller(database, scene.services.feeds, sender, clock=clock).tell() == 1
    *_, ended = scene.discord.direct_messages(scene.moderator.user_id)
    assert "no longer watched" in (await alone.click(ended, "Remove feed #1")).text
    await scene.house.rule(scene.guild.id, 77, created_by=scene.member.user_id)  # of another channel, later
    await scene.house.rule(scene.guild.id, 78, created_by=scene.moderator.user_id)
    closed = ClosedTeller(database, sender, clock=clock)
    assert await closed.tell() == 1
    *_, lost = scene.discord.direct_messages(scene.moderator.user_id)
    assert f"Alerts for <#{forum.id}> wait" in lost.content
    assert "Alerts for <#78> wait" in lost.content, "of many that are closed at once there is one message"
    assert labels_of(lost.components) == [], "that list is opened in the server"

    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id])
    assert "Manage Server" in (await alone.click(note, "Pause rule #1")).text
    clock.turn(hours=1)
    async with database.write() as session:
        await session.execute(update(DestinationRow).values(told_at=None, broken_at=clock()))
    assert await closed.tell() == 0, "who may not configure it any more is told nothing of it"
