"""`/alerts`: edited with what was and what is, previewed before it is saved, told in words."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import delete

from bot.sandbox import NotOffered
from db.tables import GuildFeedRow, GuildRow, RuleRow
from tests.cogs.conftest import Scene
from tests.cogs.press import labels_of, leaf, told_whole


async def _newsroom(scene: Scene) -> int:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    return feed


async def test_a_rule_is_edited_and_shows_before_and_after(scene: Scene) -> None:
    await _newsroom(scene)
    role = scene.discord.world.add_role(scene.guild, "watchers")
    add = scene.moderator.command
    added = await add("alerts add", channel=scene.channel, topics="spyware", ping=role, statuses="quashed")
    assert "topics: spyware" in added.text
    assert f"mentions <@&{role.id}>" in added.text
    assert "notifies nobody" in (await add("alerts list")).text
    edited = await add(
        "alerts edit",
        rule=1,
        topics="spyware, biometrics",
        ping_when="quashed, 0.9",
        urgent="upheld",
        limit=5,
    )
    assert "topics: spyware → **spyware, biometrics**" in edited.text
    assert "mentions only at: – → **quashed, relevance from 0.9**" in edited.text
    assert "at most 20 a day, the rest as a digest" in added.text, "what a new rule has"
    assert "daily limit: 20 → **5**" in edited.text
    assert "statuses" not in edited.text, "what did not change is not told"
    silent = await add("alerts edit", rule=1, clear="ping")
    assert f"mentions: <@&{role.id}> → **–**" in silent.text
    assert "`ping_when` does nothing without a role" in silent.text
    cleared = await add("alerts edit", rule=1, clear="ping_when, statuses, limit")
    assert "does nothing" not in cleared.text
    listed = (await add("alerts list")).text
    assert "topics: spyware, biometrics" in listed
    assert "in quiet hours, too: upheld" in listed
    assert "no daily limit" in listed, "it was cleared"
    assert "mentions" not in listed
    assert "Name what is to change" in (await add("alerts edit", rule=1)).text
    assert "did you mean topics?" in (await add("alerts edit", rule=1, clear="topic")).text
    assert "no rule #9" in (await add("alerts edit", rule=9, topics="spyware")).text
    changes = (await add("audit")).text
    assert "topics: spyware → spyware, biometrics" in changes
    with pytest.raises(NotOffered):
        await scene.member.command("alerts edit", rule=1, topics="spyware")
    assert "Manage Server" in (await scene.member.command("alerts edit", forced=True, rule=1)).text


async def test_closed_lists_are_taken_as_the_reader_is_shown_them(scene: Scene) -> None:
    world = scene.discord.world
    user = world.add_user("modératrice", locale="fr")
    world.add_member(scene.guild, user, world.add_role(scene.guild, "modération", ("manage_guild",)))
    add = scene.discord.person(user, scene.guild, scene.channel).command
    wrong = await add("alerts add", channel=scene.channel, topics="xylophone")
    assert "courtiers en données" in wrong.text and "data-brokers" not in wrong.text
    await add("alerts add", channel=scene.channel, topics="Courtiers en donnees", statuses="annulée")
    listed = (await scene.moderator.command("alerts list")).text
    assert "topics: data-brokers · statuses: quashed" in listed
    await add("alerts edit", rule=1, clear="topics")
    listed = (await scene.moderator.command("alerts list")).text
    assert "statuses: quashed · relevance from 0.5" in listed, "these are not every relevant story"


async def test_a_rule_moves_only_to_where_it_can_post(scene: Scene) -> None:
    world = scene.discord.world
    await scene.house.guild(scene.guild.id)
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    closed, forum = (
        world.add_channel(scene.guild, "closed"),
        world.add_channel(scene.guild, "cases", kind="forum"),
    )
    world.set_overwrite(closed, world.bot_role(scene.guild), deny=("send_messages",))
    refused = await scene.moderator.command("alerts edit", rule=rule, channel=closed)
    assert "I lack Send Messages" in refused.text
    moved = await scene.moderator.command("alerts edit", rule=rule, channel=forum)
    assert f"channel: <#{scene.channel.id}> → **<#{forum.id}>**" in moved.text
    assert "thread: off → **case**" in moved.text
    back = await scene.moderator.command("alerts edit", rule=rule, channel=scene.channel)
    assert "thread: case → **off**" in back.text, "nobody asked for threads"
    await scene.moderator.command("alerts edit", rule=rule, channel=forum)
    world.remove_channel(forum)
    gone = (await scene.moderator.command("alerts list")).text
    assert f"⚠ <#{forum.id}>: The channel is gone, or I cannot see it" in gone, (
        "nothing was to be posted there"
    )
    kept = await scene.moderator.command("alerts edit", rule=rule, topics="spyware")
    assert "topics: – → **spyware**" in kept.text, "a rule whose channel is gone can be edited"


async def test_a_preview_counts_and_shows_what_would_come(scene: Scene) -> None:
    feed = await _newsroom(scene)
    empty = await scene.moderator.command("alerts preview")
    assert "brought nothing in this period" in empty.text
    rule = await scene.house.rule(scene.guild.id, scene.channel.id, topics=["spyware"])
    for number in range(5):
        await scene.house.story(feed, None, title=f"Story {number}", owes=False)
    await scene.house.story(feed, None, title="Of spyware", topics=["spyware"], owes=False)
    scene.house.clock.turn(days=1)
    all_of_them = await scene.moderator.command("alerts preview")
    assert "Of 6 stories in 30 days, 6 fit." in all_of_them.text
    assert "6 alerts · 0 updates" in all_of_them.text
    await told_whole(all_of_them, 4)  # the counts, and the last three as they would look
    assert "Evidence" in labels_of(all_of_them.messages[1].components)
    assert all(message.ephemeral_to == scene.moderator.user_id for message in all_of_them.messages)
    stored = await scene.moderator.command("alerts preview", rule=rule)
    assert "Of 6 stories in 30 days, 1 fits." in stored.text
    await told_whole(stored, 2)
    assert "Of spyware" in stored.messages[1].text
    wider = await scene.moderator.command(
        "alerts preview", rule=rule, topics="spyware, anonymity", when="daily"
    )
    assert "6 fit." in wider.text
    assert "0 alerts · 0 updates · 0 reports in threads · 1 digest" in wider.text
    assert "topics: spyware\n" not in wider.text
    assert "topics: spyware ·" in (await scene.moderator.command("alerts list")).text, "nothing was saved"
    emptied = await scene.moderator.command("alerts preview", rule=rule, clear="topics")
    assert "Of 6 stories in 30 days, 6 fit." in emptied.text
    none = await scene.moderator.command("alerts preview", keywords="nowhere")
    assert "`/why` tells" in none.text
    assert scene.discord.messages(scene.channel.id) == []


async def test_options_complete_as_far_as_they_are_known(scene: Scene) -> None:
    feed = await _newsroom(scene)
    await scene.house.story(feed, None, owes=False)
    complete = scene.moderator.autocomplete
    for command in ("alerts add", "alerts edit", "alerts preview"):
        for option, typed, wanted in (
            ("topics", "spyware, bio", "spyware, biometrics"),
            ("statuses", "qu", "quashed"),
            ("parties", "Apple, twi", "Apple, Twitter"),
            ("sources", "ne", "The Example News"),
            ("exclude_sources", "ne", "The Example News"),
            ("languages", "de, f", "de, fr"),
            ("countries", "India, uni", "India, United Kingdom"),
            ("countries", "Allem", "Germany"),
            ("countries", "france, de", "france, Germany"),
            ("countries", "Germoney", "Germany"),
            ("ping_when", "quashed, 0.", "quashed, 0.7"),
            ("urgent", "uph", "upheld"),
        ):
            offered = [choice.value for choice in await complete(command, option, typed)]
            assert wanted in offered, (command, option)
    assert "ping, topics" in [c.value for c in await complete("alerts edit", "clear", "ping, top")]


async def test_many_rules_are_listed_in_pages(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    for number in range(14):
        await scene.house.rule(scene.guild.id, scene.channel.id, keywords=[f"word{number}"])
    listed = await scene.moderator.command("alerts list")
    assert "word0" in listed.text and "word13" not in listed.text
    assert "14 rules" in listed.text
    assert "word13" in (await scene.moderator.click(listed.message, "Next")).text


async def test_every_rule_stands_on_a_page_however_much_it_says(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    much = {"parties": [f"A party with a longer name {i}" for i in range(12)], "sources": ["A paper"] * 12}
    numbers = [
        await scene.house.rule(scene.guild.id, scene.channel.id, keywords=[f"word{number}"], **much)
        for number in range(30)
    ]
    text = await leaf(scene.moderator, await scene.moderator.command("alerts list"))
    assert [number for number in numbers if f"**#{number}**" not in text] == []
    listed = await scene.moderator.command("alerts list")
    second = await scene.moderator.click(listed.message, "Next")
    async with scene.house.database.write() as session:
        await session.execute(delete(RuleRow).where(RuleRow.id > numbers[2]))
    left = await scene.moderator.click(second.message, "Next")
    assert "word2" in left.text, "that page is gone: the last there is is shown"


async def test_a_hundred_rules_of_many_words_do_not_hold_the_bot(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    words = [f"word {number} {'x' * 60}" for number in range(25)]
    for _ in range(100):
        await scene.house.rule(scene.guild.id, scene.channel.id, keywords=words, exclude=words, sources=words)
    held: list[float] = []

    async def watch() -> None:
        while True:
            began = time.process_time()
            await asyncio.sleep(0)
            held.append(time.process_time() - began)

    watching = asyncio.create_task(watch())
    assert "100 rules" in (await scene.moderator.command("alerts list")).text
    watching.cancel()
    assert max(held) < 0.25, "seconds of the processor"


async def test_a_mention_that_would_notify_nobody_is_said(scene: Scene) -> None:
    world = scene.discord.world
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    silent = world.add_role(scene.guild, "silent")
    loud = world.add_role(scene.guild, "loud", mentionable=True)
    do = scene.moderator.command
    told = f"A mention of <@&{silent.id}> notifies nobody"
    assert told in (await do("alerts add", channel=scene.channel, ping=silent)).text
    assert told in (await do("alerts edit", rule=1, topics="spyware")).text
    assert f"Rule #1: {told}" in (await do("status")).text
    assert told not in (await do("alerts edit", rule=1, ping=loud)).text
    assert "notifies nobody" not in (await do("status")).text
    panel = await do("setup")
    chosen = await scene.moderator.select(panel.message, "quash:setup:ping", silent)
    assert told in chosen.text
    saved = await scene.moderator.click(chosen.message, "Save")
    assert told in saved.text
    world.set_overwrite(scene.channel, world.bot_role(scene.guild), allow=("mention_everyone",))
    assert "notifies nobody" not in (await do("status")).text


async def test_one_is_told_as_one(scene: Scene) -> None:
    feed = await _newsroom(scene)
    await scene.house.story(feed, None, owes=False)
    one = scene.moderator.command
    assert "Of one story in 30 days, 1 fits." in (await one("alerts preview")).text
    assert "Of one story in 30 days, 0 fit." in (await one("alerts preview", topics="spyware")).text
    added = await one("alerts add", channel=scene.channel, review=scene.channel, review_hours=1)
    assert "within 1 hour\n" in added.text + "\n"


async def test_everyone_is_no_role_of_a_rule(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    everyone = scene.guild.id
    refused = await scene.moderator.command("alerts add", channel=scene.channel, ping=everyone)
    assert "@everyone cannot be named" in refused.text
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    refused = await scene.moderator.command("alerts edit", rule=rule, ping=everyone)
    assert "@everyone cannot be named" in refused.text


async def test_a_server_of_forums_alone_learns_that_it_cannot_be_told_what_is_wrong(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    do, told = scene.moderator.command, "choose a channel for that with `/settings log_channel`"
    forum = scene.discord.world.add_channel(scene.guild, "cases", kind="forum")
    assert told in (await do("alerts add", channel=forum, topics="spyware")).text
    assert told in (await do("status")).text
    assert told not in (await do("alerts add", channel=scene.channel, topics="spyware")).text
    await do("alerts remove", rule=2)
    await do("settings", log_channel=scene.channel)
    assert told not in (await do("status")).text


async def test_what_is_changed_is_answered_in_time_while_the_database_is_busy(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    scene.discord.settings.answer_seconds = 0.6  # in place of three
    do = scene.moderator.command
    told = []
    for change in (
        lambda: do("alerts edit", rule=rule, topics="spyware"),
        lambda: do("alerts pause", rule=rule),
        lambda: do("alerts remove", rule=rule),
        lambda: do("alerts add", channel=scene.channel, topics="spyware"),
        lambda: do("feeds pause", feed=feed),
        lambda: do("settings", language="de"),
    ):
        async with scene.house.database.write() as session:
            (await session.get_one(GuildRow, scene.guild.id)).timezone = "UTC"
            (await session.get_one(GuildFeedRow, (scene.guild.id, feed))).paused = False
            await session.flush()
            asked = asyncio.create_task(change())
            await asyncio.sleep(0.9)
        told.append((await asked).text.splitlines()[0])
    assert told == [
        "### Rule changed",
        "### Rule paused",
        "### Rule removed",
        "### Rule added",
        "### Feed paused",
        "### Settings changed",
    ]
