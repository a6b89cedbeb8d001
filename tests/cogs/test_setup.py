"""`/setup`: a panel that makes a rule, in three interactions, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time

from sqlalchemy import select

from bot.client import QuashClient
from bot.sandbox import Channel, Fault, Message
from db.tables import AuditRow, GuildFeedRow, RuleRow
from tests.cogs.conftest import SOON, Scene
from tests.cogs.press import labels_of, open_press, told_whole
from tests.cogs.test_why import SUMMONS

_TOPICS = "quash:setup:topics"


async def _rules(scene: Scene) -> list[RuleRow]:
    async with scene.house.database.read() as session:
        return list(await session.scalars(select(RuleRow).order_by(RuleRow.id)))


def _options(message: Message, custom_id: str) -> dict[str, str]:
    """Give a select's options with their descriptions."""

    def walk(components: list) -> dict[str, str]:  # type: ignore[type-arg]  # Discord's JSON
        found: dict[str, str] = {}
        for component in components:
            if component.get("custom_id") == custom_id:
                found = {each["value"]: each.get("description") or "" for each in component["options"]}
            found |= walk(component.get("components", []))
        return found

    return walk(message.components)


async def test_from_setup_to_the_first_alert_in_three_interactions(scene: Scene) -> None:
    async with open_press(scene) as press:
        await scene.moderator.command("feeds add", address=press.feed("a"))
        began = time.monotonic()
        panel = await scene.moderator.command("setup")
        chosen = await scene.moderator.select(panel.message, _TOPICS, "legal-demands", "anonymity")
        saved = await scene.moderator.click(chosen.message, "Save")
        assert "Rule saved" in saved.text
        assert "at most 20 a day, the rest as a digest" in saved.text
        await press.publish("a", SUMMONS)
        await press.deliverer.deliver_due()
        (alert,) = scene.discord.messages(scene.channel.id)
        assert time.monotonic() - began < 60
        assert "legal-demands" in alert.text
        assert panel.seconds < 3 and chosen.seconds < 3 and saved.seconds < 3


async def test_the_panel_keeps_what_is_chosen_and_shows_what_it_would_bring(scene: Scene) -> None:
    house, world = scene.house, scene.discord.world
    feed = await house.feed()
    await house.guild(scene.guild.id, feed)
    for number in range(26):
        await house.story(feed, None, title=f"Story {number}", topics=["spyware"], owes=False)
    await house.story(feed, None, title="Of faces", topics=["biometrics"], owes=False)
    watchers = world.add_role(scene.guild, "watchers")
    world.set_member_roles(scene.guild, world.users[scene.member.user_id], watchers)
    news = world.add_channel(scene.guild, "news", kind="announcement")
    panel = await scene.moderator.command("setup")
    assert panel.ephemeral
    assert f"✔ I may post in <#{scene.channel.id}>" in panel.text
    assert "Of faces" in panel.text, "without a topic, the last story of all"
    lines = _options(panel.message, _TOPICS)
    assert lines["spyware"].startswith("about 2.0 a week: Tools that break into devices")
    assert lines["encryption"].startswith("none in 90 days")
    assert all(len(line) <= 100 for line in lines.values())
    chosen = await scene.moderator.select(panel.message, _TOPICS, "spyware")
    assert "Story 25" in chosen.text and "Of faces" not in chosen.text
    chosen = await scene.moderator.select(chosen.message, "quash:setup:ping", watchers)
    assert f"<@&{watchers.id}> reaches 1 member." in chosen.text
    chosen = await scene.moderator.select(chosen.message, "quash:setup:when", "daily")
    chosen = await scene.moderator.select(chosen.message, "quash:setup:channel", news)
    assert f"✔ I may post in <#{news.id}>" in chosen.text
    saved = await scene.moderator.click(chosen.message, "Save")
    (rule,) = await _rules(scene)
    assert (rule.channel_id, rule.topics, rule.when, rule.ping_role) == (
        news.id,
        ["spyware"],
        "daily",
        watchers.id,
    )
    assert "daily digest" in saved.text
    assert scene.discord.messages(news.id) == [], "nothing is posted that nobody asked for"
    posted = await scene.moderator.click(saved.message, "Post an example")
    assert f"The example is posted in <#{news.id}>" in posted.text
    assert "Post an example" not in labels_of(posted.message.components)
    (example,) = scene.discord.messages(news.id)
    assert "Story 25" in example.text and "An example that a moderator asked for" in example.text
    assert example.pings_roles == []


async def test_a_forum_is_set_up_with_a_post_for_each_case(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.story(feed, None, owes=False)
    forum = scene.discord.world.add_channel(
        scene.guild, "cases", kind="forum", tags=("Spyware", "Herausgabeverlangen"), tag_required=True
    )
    panel = await scene.moderator.command("alerts add", channel=forum)
    assert f"✔ I may post in <#{forum.id}>" in panel.text, "/alerts add with the channel alone opens it"
    assert await _rules(scene) == []
    saved = await scene.moderator.click(panel.message, "Save")
    assert "a thread for each case" in saved.text
    full = Fault("status", status=400, code=160006, method="POST", path="/channels/*/threads")
    scene.discord.faults.add(full)
    refused = await scene.moderator.click(saved.message, "Post an example")
    assert "as many open threads as Discord allows" in refused.text
    clicks = [scene.moderator.click(saved.message, "Post an example") for _ in range(2)]
    assert all("The example is posted" in told.text for told in await asyncio.gather(*clicks))
    (post,) = [c for c in scene.discord.world.channels.values() if c.parent_id == forum.id]
    assert "Agency demands" in post.name
    assert post.thread is not None and post.thread.tags == [forum.tags[1].id]
    await scene.house.story(feed, None, topics=["biometrics"], owes=False)
    again = await scene.moderator.command("alerts add", channel=forum)
    again = await scene.moderator.select(again.message, _TOPICS, "biometrics")
    saved = await scene.moderator.click(again.message, "Save")
    refused = await scene.moderator.click(saved.message, "Post an example")
    assert f"<#{forum.id}> wants a tag on every post" in refused.text and "biometrics" in refused.text


async def test_what_is_lost_in_mid_panel_is_said_and_nothing_is_saved(scene: Scene) -> None:
    world = scene.discord.world
    mods = world.users[scene.moderator.user_id]
    await scene.house.guild(scene.guild.id)
    role, panel = world.bot_role(scene.guild), await scene.moderator.command("setup")
    world.set_overwrite(scene.channel, role, deny=("send_messages",))
    await _seen(
        scene,
        lambda channel: channel is not None and not channel.permissions_for(channel.guild.me).send_messages,
    )
    refused = await scene.moderator.click(panel.message, "Save")
    assert "I lack Send Messages; give it to me" in refused.text
    shown = await scene.moderator.select(panel.message, _TOPICS, "spyware")
    assert "⚠ " in shown.text and "I lack Send Messages" in shown.text
    world.set_overwrite(scene.channel, role)
    other = world.add_channel(scene.guild, "other")
    shown = await scene.moderator.select(shown.message, "quash:setup:channel", other)
    world.remove_channel(other)
    await _seen(scene, lambda channel: channel is None, other)
    gone = await scene.moderator.click(shown.message, "Save")
    assert "Choose a channel first; the one that was chosen is gone." in gone.text
    shown = await scene.moderator.select(shown.message, "quash:setup:channel", scene.channel)
    world.set_member_roles(scene.guild, mods)
    for act in (
        scene.moderator.click(shown.message, "Save"),
        scene.moderator.select(shown.message, _TOPICS, "spyware"),
    ):
        assert "Manage Server" in (await act).text
    assert await _rules(scene) == []


async def _seen(scene: Scene, is_so, channel: Channel | None = None) -> None:  # type: ignore[no-untyped-def]  # a predicate
    """Wait until the bot knows of a change."""
    assert scene.client is not None
    for _ in range(500):
        if is_so(scene.client.get_channel((channel or scene.channel).id)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the bot does not know of it")


async def test_panels_and_files_work_after_a_restart(scene: Scene) -> None:
    assert scene.client is not None and scene.services is not None
    await scene.house.guild(scene.guild.id)
    panel = await scene.moderator.command("setup")
    panel = await scene.moderator.select(panel.message, _TOPICS, "spyware")
    form = await scene.moderator.click((await scene.moderator.command("settings")).message, "Import")
    shown = await scene.moderator.submit(form, {"Or its text": "settings: {language: de}"})
    await scene.client.close()
    again = QuashClient(scene.services, api_url=scene.discord.api_url, servers_within=SOON)
    running = asyncio.create_task(again.start(scene.discord.token))
    await scene.discord.wait_ready()
    await asyncio.wait_for(again.wait_until_ready(), 20)
    assert "Configuration applied" in (await scene.moderator.click(shown.message, "Apply")).text
    assert "Rule saved" in (await scene.moderator.click(panel.message, "Save")).text
    assert [rule.topics for rule in await _rules(scene)] == [["spyware"]]
    assert "Deutsch" in (await scene.moderator.command("settings")).text
    await again.close()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_two_moderators_save_two_panels_and_one_rule(scene: Scene) -> None:
    world = scene.discord.world
    await scene.house.guild(scene.guild.id)
    second = world.add_user("second")
    world.add_member(scene.guild, second, world.add_role(scene.guild, "more", ("manage_guild",)))
    person = scene.discord.person(second, scene.guild, scene.channel)
    panels = [(who, await who.command("setup")) for who in (scene.moderator, person)]
    answers = await asyncio.gather(*(who.click(panel.message, "Save") for who, panel in panels))
    told = sorted(("Rule saved" in each.text, "That is rule #1 already" in each.text) for each in answers)
    assert told == [(False, True), (True, False)]
    (rule,) = await _rules(scene)
    world.remove_member(scene.guild, world.users[rule.created_by or 0])
    assert (
        f"#{rule.id}"
        in (
            await (person if rule.created_by == scene.moderator.user_id else scene.moderator).command(
                "alerts list"
            )
        ).text
    ), "who leaves takes nothing along"


async def test_without_feeds_those_of_the_catalogue_are_offered(scene: Scene) -> None:
    panel = await scene.moderator.command("setup")
    assert "This server watches no feed yet" in panel.text
    saved = await scene.moderator.click(panel.message, "Save")
    (watch,) = [label for label in labels_of(saved.message.components) if label.startswith("Watch")]
    done = await scene.moderator.click(saved.message, watch)
    assert "Rule saved" in done.text and "no feed" not in done.text
    async with scene.house.database.read() as session:
        number = len((await session.scalars(select(GuildFeedRow))).all())
        actions = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
    assert f"Watch {number} feeds of the catalogue" == watch
    assert actions == ["rule added", "feeds imported"]


async def test_an_example_is_in_the_servers_language_whoever_asks_for_it(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.story(feed, await scene.house.case(), owes=False)
    await scene.moderator.command("settings", language="de")
    panel = await scene.moderator.command("setup")
    saved = await scene.moderator.click(panel.message, "Save")
    await scene.moderator.click(saved.message, "Post an example")
    (example,) = scene.discord.messages(scene.channel.id)
    assert "Belege" in labels_of(example.components)
    shown = await scene.moderator.command("alerts preview", rule=1)
    await told_whole(shown, 2)
    assert "Belege" in labels_of(shown.messages[1].components)


async def test_the_panel_stays_whole_where_discord_does_not_count_members(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    role = scene.discord.world.add_role(scene.guild, "watchers", mentionable=True)
    panel = await scene.moderator.command("setup")
    scene.discord.faults.add(Fault("drop", path="/guilds/*/roles/member-counts", times=None))
    chosen = await scene.moderator.select(panel.message, "quash:setup:ping", role)
    assert "Set up alerts" in chosen.text
    assert "reaches" not in chosen.text
    assert f"mentions <@&{role.id}>" in (await scene.moderator.click(chosen.message, "Save")).text


async def test_what_counts_as_an_alert_is_what_would_be_one_here(scene: Scene) -> None:
    house = scene.house
    ours, theirs = await house.feed("ours"), await house.feed("theirs")
    await house.guild(scene.guild.id, ours)
    await house.guild(scene.other.id, theirs)
    for number in range(26):  # each reported elsewhere first, then twice here; every second one ends here
        case = await house.case(f"Case {number}")
        await house.story(theirs, case, topics=["spyware"], owes=False)
        for adds in ("source", "update" if number % 2 else "source"):
            await house.story(ours, case, topics=["spyware"], adds=adds, owes=False)
    panel = await scene.moderator.command("setup")
    assert _options(panel.message, _TOPICS)["spyware"].startswith("about 3.0 a week"), "26 posts, 13 updates"
