"""`/settings`: what a server has set, who may set it, and all of it as a file that is looked at first."""

from __future__ import annotations

import asyncio
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from bot.alerts.asking import review_delivery
from bot.alerts.deliver import Deliverer
from bot.alerts.errors import WishError
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.intake import configuration
from bot.intake.configuration_file import MOST_CHARACTERS, ConfigurationError, read
from bot.intake.guild_settings import GuildSettings, parse_language, parse_quiet_hours, parse_timezone
from bot.sandbox import NotOffered
from bot.sandbox.discord.messages import Upload
from db import deliveries
from db.tables import AuditRow, GuildFeedRow, PendingImportRow, RuleRow
from tests.cogs.conftest import Scene
from tests.cogs.press import labels_of


async def test_settings_are_shown_changed_and_noted(scene: Scene) -> None:
    shown = await scene.moderator.command("settings")
    assert shown.ephemeral
    assert "**Time zone:** UTC (it is 12:00 there)" in shown.text
    assert "**Quiet hours:** off" in shown.text
    assert "`/settings quiet_hours:22:00-07:00`" in shown.text
    zones = await scene.moderator.autocomplete("settings", "timezone", "berl")
    assert zones[0].value == "Europe/Berlin"
    languages = await scene.moderator.autocomplete("settings", "language", "deu")
    assert [(each.name, each.value) for each in languages] == [("Deutsch (de)", "de")]
    assert "off" in [c.value for c in await scene.moderator.autocomplete("settings", "quiet_hours", "")]
    changed = await scene.moderator.command(
        "settings", timezone="berlin", language="de", quiet_hours="22-7", log_channel=scene.channel
    )
    assert "**Time zone:** UTC → Europe/Berlin" in changed.text
    assert "It is 13:00 there now." in changed.text
    assert "**Language:** English → Deutsch" in changed.text
    assert "**Quiet hours:** off → 22:00-07:00" in changed.text
    assert f"none → <#{scene.channel.id}>" in changed.text
    same = await scene.moderator.command("settings", language="Deutsch")
    assert "how it was already" in same.text
    cleared = await scene.moderator.command("settings", quiet_hours="off", clear="log_channel")
    assert f"<#{scene.channel.id}> → none" in cleared.text
    changes = (await scene.moderator.command("audit")).text
    assert changes.count("settings changed") == 2
    assert "Time zone: UTC → Europe/Berlin" in changes
    wrong = await scene.moderator.command("settings", timezone="Berln", language="de")
    assert "did you mean Europe/Berlin?" in wrong.text
    assert "are no hours" in (await scene.moderator.command("settings", quiet_hours="at night")).text
    scene.discord.world.users[scene.moderator.user_id].locale = "fr"
    typed = await scene.moderator.command("settings", quiet_hours="désactivé")
    assert "C'était déjà ainsi" in typed.text, "as the reader is shown it"


async def test_a_log_channel_must_take_messages(scene: Scene) -> None:
    closed = scene.discord.world.add_channel(scene.guild, "closed")
    role = scene.discord.world.bot_role(scene.guild)
    scene.discord.world.set_overwrite(closed, role, deny=("send_messages",))
    refused = await scene.moderator.command("settings", log_channel=closed)
    assert "I lack Send Messages" in refused.text
    assert "**Log channel:** none" in (await scene.moderator.command("settings")).text


async def test_the_moderator_role_may_configure_and_not_choose_its_like(scene: Scene) -> None:
    world, house = scene.discord.world, scene.house
    helpers, others = world.add_role(scene.guild, "helpers"), world.add_role(scene.guild, "others")
    with pytest.raises(NotOffered):
        await scene.member.command("settings")
    assert "Manage Server" in (await scene.member.command("settings", forced=True)).text
    chosen = await scene.moderator.command("settings", moderator_role=helpers)
    assert f"none → <@&{helpers.id}>" in chosen.text
    assert "Integrations" in chosen.text, "Discord shows the commands to others by its own settings"
    world.set_member_roles(scene.guild, world.users[scene.member.user_id], helpers)
    rule = await house.rule(scene.guild.id, scene.channel.id)
    assert "Deutsch" in (await scene.member.command("settings", forced=True, language="de")).text
    assert f"#{rule}" in (await scene.member.command("alerts pause", forced=True, rule=rule)).text
    refused = await scene.member.command("settings", forced=True, moderator_role=others)
    assert "Only somebody with the permission Manage Server" in refused.text
    everyone = await scene.moderator.command("settings", moderator_role=scene.guild.id)
    assert "@everyone cannot be named" in everyone.text
    panel = await scene.member.command("settings", forced=True)
    world.set_member_roles(scene.guild, world.users[scene.member.user_id])
    gone = await scene.member.click(panel.message, "Export")
    assert "Manage Server" in gone.text, "who clicks has lost the role meanwhile"
    assert (await scene.stranger.command("settings", forced=True)).text.startswith("You need")


async def test_what_is_posted_is_in_the_servers_language_and_evidence_as_it_was(scene: Scene) -> None:
    house, world = scene.house, scene.discord.world
    assert scene.client is not None
    feed = await house.feed()
    gathered = world.add_channel(scene.guild, "daily")
    theirs = next(iter(scene.other.channels))
    await house.guild(scene.guild.id, feed)
    await house.guild(scene.other.id, feed)
    await house.rule(scene.guild.id, scene.channel.id)
    await house.rule(scene.guild.id, gathered.id, when="daily")
    await house.rule(scene.other.id, theirs)
    await scene.member.command("subscribe topic", topic="anonymity")
    await scene.moderator.command("settings", language="de")
    house.clock.turn(minutes=1)
    await house.story(feed, await house.case())
    house.clock.turn(days=1)
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    assert await Deliverer(house.database, sender, clock=house.clock).deliver_due() == 4
    (card,), (digest,) = scene.discord.messages(scene.channel.id), scene.discord.messages(gathered.id)
    (direct,), (english,) = (
        scene.discord.direct_messages(scene.member.user_id),
        scene.discord.messages(theirs),
    )
    assert "Belege" in labels_of(card.components)
    assert "Belege" in labels_of(direct.components)
    assert "Alle zeigen" in labels_of(digest.components)
    assert "Evidence" in labels_of(english.components)
    for message in (card, direct, english):
        assert "The agency served a summons on Twitter." in message.text


async def _export(scene: Scene) -> str:
    shown = await scene.moderator.command("settings")
    (file,) = (await scene.moderator.click(shown.message, "Export")).message.attachments
    return file.content.decode()


async def _import(scene: Scene, text: str, *, as_text: bool = False):  # type: ignore[no-untyped-def]  # an answer
    form = await scene.moderator.click((await scene.moderator.command("settings")).message, "Import")
    if as_text:
        return await scene.moderator.submit(form, {"Or its text": text})
    return await scene.moderator.submit(form, {"A file (YAML)": Upload("all.yaml", text.encode())})


async def test_a_configuration_goes_out_as_a_file_and_comes_back_as_a_difference(scene: Scene) -> None:
    house = scene.house
    await house.guild(scene.guild.id, await house.feed("first"), await house.feed("second"))
    # It had a review once, with hours and an end of its own.
    once = {"review_hours": 5, "review_then": "post"}
    kept = await house.rule(scene.guild.id, scene.channel.id, topics=["spyware"], when="daily", **once)
    lost = await house.rule(scene.guild.id, scene.channel.id, keywords=["subpoena*"])
    role = scene.discord.world.add_role(scene.guild, "watchers")
    rich = {"exclude_sources": ["Daily"], "statuses": ["quashed"], "min_relevance": 0.75, "style": "compact"}
    rich |= {"ping_role": role.id, "ping_when": ["upheld", "0.9"], "urgent": ["0.8"], "daily_limit": 3}
    rich |= {"thread": "case", "review_channel": scene.channel.id, "review_hours": 5, "review_then": "post"}
    await house.rule(scene.guild.id, scene.channel.id, **rich, paused=True)
    content = yaml.safe_load(await _export(scene))
    assert content["settings"] == {
        "timezone": "UTC",
        "language": "en",
        "quiet_hours": "off",
        "log_channel": None,
        "moderator_role": None,
    }
    assert [feed["address"] for feed in content["feeds"]] == [
        "https://first.example/feed",
        "https://second.example/feed",
    ]
    assert content["rules"][0]["topics"] == ["spyware"]
    same = await _import(scene, yaml.safe_dump(content))
    assert "nothing to change" in same.text
    content["settings"]["quiet_hours"] = "22:00-07:00"
    del content["feeds"][0]
    content["feeds"].append({"address": "https://third.example/feed", "title": "Third", "paused": True})
    content["rules"] = [
        {
            "number": kept,
            "channel": str(scene.channel.id),
            "topics": ["spyware", "biometrics"],
            "when": "daily",
        },
        {"channel": scene.channel.id, "parties": "DHS", "limit": 5, "countries": ["us", "Deutschland"]},
    ]
    shown = await _import(scene, yaml.safe_dump(content))
    for part in ("off → 22:00-07:00", "+ Feeds:** Third", "− Feeds:** first", "⏸ Feeds:** Third"):
        assert part in shown.text
    assert "topics: spyware → **spyware, biometrics**" in shown.text
    assert "countries: United States, Germany" in shown.text
    assert "**+** " in shown.text and "Department of Homeland Security" in shown.text
    assert f"**−** **#{lost}**" in shown.text
    assert "Nothing is changed yet" in shown.text
    async with house.database.read() as session:
        assert len((await session.scalars(select(RuleRow))).all()) == 3
    applied = await scene.moderator.click(shown.message, "Apply")
    assert "Configuration applied" in applied.text
    assert "Apply" not in labels_of(applied.message.components)
    again = yaml.safe_load(await _export(scene))
    assert again["settings"]["quiet_hours"] == "22:00-07:00"
    assert again["rules"][1]["countries"] == ["United States", "Germany"]
    assert [rule["channel"] for rule in again["rules"]] == [str(scene.channel.id)] * 2
    assert {feed["address"]: feed.get("paused", False) for feed in again["feeds"]} == {
        "https://second.example/feed": False,
        "https://third.example/feed": True,
    }
    async with house.database.read() as session:
        done = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
        assert await session.scalar(select(func.count()).select_from(PendingImportRow)) == 1
    assert sorted(done) == [
        "feed paused",
        "feed removed",
        "feeds imported",
        "rule added",
        "rule changed",
        "rule removed",
        "rule removed",
        "settings changed",
    ]


async def test_of_two_imports_at_once_one_is_applied_whole_and_the_other_not_at_all(scene: Scene) -> None:
    channel = scene.channel.id
    texts = [f"rules: [{{channel: {channel}, topics: [{topic}]}}]" for topic in ("spyware", "biometrics")]
    shown = [await _import(scene, text, as_text=True) for text in texts]
    answers = await asyncio.gather(*(scene.moderator.click(each.message, "Apply") for each in shown))
    told = [answer.text for answer in answers]
    assert sum("was changed since this difference was shown" in text for text in told) == 1
    async with scene.house.database.read() as session:
        (rule,) = (await session.scalars(select(RuleRow))).all()
    assert rule.topics in (["spyware"], ["biometrics"])


async def test_what_a_file_cannot_ask_for_is_said_with_its_line(scene: Scene) -> None:
    channel = scene.channel.id
    elsewhere = scene.discord.world.add_channel(scene.other, "theirs")
    for text, said in (
        ("rules:\n- channel: 5\n", "Line 2: The channel 5 is not in this server"),
        (f"rules:\n- channel: {elsewhere.id}\n", "is not in this server"),
        (
            f"rules:\n- channel: {channel}\n- channel: {channel}\n  topics: [spywar]\n",
            "Line 3: There is no topic",
        ),
        (f"rules:\n- channel: {channel}\n- channel: {channel}\n", "The rules in lines 2 and 3 say the same"),
        (f"rules:\n- channel: {channel}\n  ping: 77\n", "Line 2: The role 77 is not in this server"),
        (f"rules:\n- channel: {channel}\n  chanel: 3\n", "Line 2: there is no “chanel” here"),
        ("feeds:\n- http://10.0.0.1/feed\n", "Line 2: "),
        ("settings:\n  timezone: Mars/Olympus\n", "In the settings: There is no time zone"),
        ("settings:\n  zone: UTC\n", "In the settings: There is no setting zone"),
        ("settings: {timezone: &a UTC, language: *a}\n", "anchors"),
        ("rules: !!python/object/apply:os.system ['true']\n", "Line 1 is no YAML"),
        ("rules:\n  - {a: [b\n", "is no YAML"),
        ("plans: []\n", "There is no section plans"),
        ("just words\n", "That is no configuration"),
    ):
        answer = await _import(scene, text, as_text=True)
        assert said in answer.text, text
        assert "Apply" not in labels_of(answer.message.components)
    empty = await _import(scene, "", as_text=True)
    assert "Give a file or a text" in empty.text


async def test_an_import_is_looked_at_again_when_it_is_applied(scene: Scene) -> None:
    """The channel goes, and the right, between the difference and Apply."""
    world = scene.discord.world
    gone = world.add_channel(scene.guild, "gone")
    shown = await _import(scene, f"rules:\n- channel: {gone.id}\n", as_text=True)
    world.remove_channel(gone)
    await asyncio.sleep(0.3)
    refused = await scene.moderator.click(shown.message, "Apply")
    assert "Line 2: The channel" in refused.text
    shown = await _import(scene, f"rules:\n- channel: {scene.channel.id}\n", as_text=True)
    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id])
    assert "Manage Server" in (await scene.moderator.click(shown.message, "Apply")).text
    async with scene.house.database.write() as session:
        assert (await session.scalars(select(RuleRow))).all() == []
        await session.execute(update(PendingImportRow).values(guild_id=scene.other.id))
    role = world.add_role(scene.guild, "again", ("manage_guild",))
    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id], role)
    assert "applied already" in (await scene.moderator.click(shown.message, "Apply")).text
    async with scene.house.database.read() as session:
        assert (await session.scalars(select(GuildFeedRow))).all() == []


_WORDS = st.text(alphabet="ab:-[]{}&*!|>#'\"\n \t,01é\x00\ud800", max_size=60)


@given(st.one_of(_WORDS, st.builds("rules:\n- {}\n".format, _WORDS), st.builds("feeds: {}".format, _WORDS)))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_configuration_or_a_sentence(text: str) -> None:
    try:
        read(text)
    except ConfigurationError as error:
        assert str(error)


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_setting_or_a_sentence(text: str) -> None:
    for parse in (parse_timezone, parse_language, parse_quiet_hours):
        try:
            assert parse(text)
        except WishError as error:
            assert str(error)


async def test_sources_come_back_from_a_file_as_they_went(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id, await scene.house.feed())
    sources = ["The Wire, India", f"A paper of a {'very ' * 20}long title"]  # as Exclude source takes them
    await scene.house.rule(scene.guild.id, scene.channel.id, exclude_sources=sources)
    assert "nothing to change" in (await _import(scene, await _export(scene))).text


async def test_a_file_can_have_moderators_asked_only_where_they_can_be(scene: Scene) -> None:
    forum = scene.discord.world.add_channel(scene.guild, "cases", kind="forum")
    shown = await _import(scene, f"rules:\n- channel: {forum.id}\n", as_text=True)
    assert "a thread for each case" in shown.text, "as /alerts add has it there"
    rule = f"rules:\n- channel: {scene.channel.id}\n  review: {forum.id}\n"
    settings = f"settings:\n  log_channel: {forum.id}\n"
    for text in (rule, settings):
        assert "in a text channel or a thread" in (await _import(scene, text)).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_many_imports_the_last_ones_wait_to_be_applied(scene: Scene) -> None:
    for number in range(7):
        last = await _import(scene, f"settings: {{quiet_hours: '{number}:00-9:00'}}", as_text=True)
    async with scene.house.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(PendingImportRow)) == 5, (
            "of many the last"
        )
    assert "Configuration applied" in (await scene.moderator.click(last.message, "Apply")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_waits_goes_along_when_an_import_gives_a_rule_another_channel(scene: Scene) -> None:
    feed, other = await scene.house.feed(), scene.discord.world.add_channel(scene.guild, "other")
    await scene.house.guild(scene.guild.id, feed)
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    await scene.house.story(feed, await scene.house.case())
    shown = await _import(scene, f"rules:\n- number: {rule}\n  channel: {other.id}\n", as_text=True)
    await scene.moderator.click(shown.message, "Apply")
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await Deliverer(scene.house.database, sender, clock=scene.house.clock).deliver_due()
    assert [len(scene.discord.messages(each)) for each in (scene.channel.id, other.id)] == [0, 1]
    assert f"channel: <#{scene.channel.id}> → <#{other.id}>" in (await scene.moderator.command("audit")).text


def test_a_hundred_rules_of_many_words_fit_into_a_file_and_do_not_hold_the_bot() -> None:
    words = [f"a longer phrase number {number}" for number in range(25)]
    lists = dict.fromkeys(("parties", "keywords", "exclude", "sources", "exclude_sources"), words)
    none = {name: [] for name in ("topics", "statuses", "countries", "languages", "ping_when", "urgent")}
    rules = [RuleRow(id=n, guild_id=1, channel_id=n, min_relevance=0.5, **lists, **none) for n in range(100)]
    full = configuration._Current(GuildSettings(), [], frozenset(), rules)
    assert len(full.text) < MOST_CHARACTERS
    began = time.process_time()
    assert full.mark
    assert time.process_time() - began < 0.05


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_an_import_and_a_story_that_comes_do_not_wait_for_each_other(scene: Scene) -> None:
    database, now = scene.house.database, scene.house.clock()
    await scene.house.guild(scene.guild.id)
    kept = await scene.house.rule(scene.guild.id, scene.channel.id)
    gone = await scene.house.rule(scene.guild.id, scene.channel.id, topics=["spyware"])
    story = await scene.house.story(await scene.house.feed(), None)
    other = scene.discord.world.add_channel(scene.guild, "other")
    shown = await _import(scene, f"rules:\n- number: {kept}\n  channel: {other.id}\n", as_text=True)
    async with database.write() as session:  # as whoever owes a story to the channel
        await deliveries.enqueue(session, {("channel", scene.channel.id): now})
        applied = asyncio.create_task(scene.moderator.click(shown.message, "Apply"))
        await asyncio.sleep(0.2)
        owed = review_delivery(story, "", scene.guild.id, scene.channel.id, "report", now)
        await deliveries.insert_deliveries(session, [owed | {"rule_id": gone}])
    await applied
    async with database.read() as session:
        assert list(await session.scalars(select(RuleRow.channel_id))) == [other.id]
