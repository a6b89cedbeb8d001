"""Every command of the tree, none left out: in each language, at each level, with any text in any option."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.sandbox import Answer, Person, Upload
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.journal import Journal
from bot.sandbox.discord.options import NotOffered
from bot.words import say, speaking
from db.tables import GuildFeedRow, StoryRow
from tests.cogs.conftest import Scene

_SUBCOMMAND, _GROUP, _TEXT, _INTEGER, _CHANNEL, _ROLE, _NUMBER, _ATTACHMENT = 1, 2, 3, 4, 7, 8, 10, 11
_TITLE = "Agency demands the names behind a critical account"
_LOCALES = {"de": "de", "fr": "fr", "es": "es-ES", "pt": "pt-BR"}
_CONFIGURING = {"setup", "alerts", "feeds", "settings", "why", "deliveries", "status", "audit"}
# What is written for an option of this name where any text would do as well.
_USUAL = {
    "topic": "anonymity", "topics": "anonymity", "status": "issued", "instrument": "subpoena", "term": "subpoena",
    "since": "3 months", "address": "http://127.0.0.1:1/", "link": "http://127.0.0.1:1/page", "name": "summons",
    "query": "summons", "story": "1", "timezone": "Europe/Berlin",
}  # fmt: skip
_MENUS = ("Analyse link", "Why this alert?")
_NOTHING_TO_OFFER = {"story"}  # there is none here that came by an entry of a feed
# English words that no other language of the interface has, beside the words of articles.
_ENGLISH = (" the ", " this ", " your ", " with ", " which ", " cannot ", " of the ")


@dataclass(frozen=True)
class Leaf:
    """A command that can be called, by its whole name, with its options."""

    name: str
    options: tuple[Json, ...]

    @property
    def first(self) -> str:
        return self.name.split()[0]

    def texts(self) -> list[str]:
        """Give the options that take any text."""
        return [o["name"] for o in self.options if o["type"] == _TEXT and not o.get("choices")]

    def filled(self, scene: Scene, **given: Any) -> dict[str, Any]:
        """Give what the command needs, and what is given besides."""
        values: dict[str, Any] = {}
        for option in self.options:
            if option["name"] in given:
                values[option["name"]] = given[option["name"]]
            elif option.get("required"):
                values[option["name"]] = _value(option, scene)
        return values


def _value(option: Json, scene: Scene) -> Any:
    if option.get("choices"):
        return option["choices"][0]["value"]
    match option["type"]:
        case 3:
            return _USUAL.get(option["name"], "summons")[: option.get("max_length", 100)]
        case 4:
            return max(1, option.get("min_value", 1))
        case 7:
            return scene.channel
        case 8:
            return next(iter(scene.guild.roles))
        case 10:
            return 0.5
        case 11:
            return Upload("feeds.txt", b"http://127.0.0.1:1/feed.xml")
    raise AssertionError(f"nothing is known to write for {option}")


def _leaves(commands: list[Json], before: str = "") -> Iterator[Leaf]:
    for command in commands:
        if command.get("type", 1) not in (_SUBCOMMAND, _GROUP):
            continue  # a menu of a message, which the tests of its own use
        inner = [o for o in command.get("options", []) if o["type"] in (_SUBCOMMAND, _GROUP)]
        name = f"{before}{command['name']}"
        if inner:
            yield from _leaves(inner, f"{name} ")
        else:
            yield Leaf(name, tuple(command.get("options", [])))


def _tree(scene: Scene) -> list[Leaf]:
    found = list(_leaves(scene.discord.commands))
    assert len(found) >= 40, "the tree was not read"
    return found


def _person(scene: Scene, name: str, locale: str = "en-US", *, moderator: bool = False) -> Person:
    world = scene.discord.world
    user = world.add_user(name, locale=locale)
    roles = [world.add_role(scene.guild, name, ("manage_guild",))] if moderator else []
    world.add_member(scene.guild, user, *roles)
    return scene.discord.person(user, scene.guild, scene.channel)


@pytest.fixture
async def stocked(scene: Scene) -> Scene:
    """A server with a story, a rule and a feed, of which each is number 1."""
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.rule(scene.guild.id, scene.channel.id)
    await scene.house.story(feed, await scene.house.case(), title=_TITLE)
    return scene


def _check(answer: Answer, leaf: Leaf) -> str:
    """Every interaction is acknowledged at once, and ends in an answer that is no fault of ours."""
    assert answer.seconds < 3, leaf.name
    assert not answer.pending, leaf.name
    if answer.modal is not None:
        return ""
    assert answer.text or answer.message.attachments, leaf.name
    for language in ("en", *_LOCALES):
        with speaking(language):
            fault = say(
                "That went wrong inside Quash and is not your fault. It is logged as {number}.", number=""
            )
        assert fault[:25] not in answer.text, leaf.name
    return answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", sorted(_LOCALES))
async def test_every_command_answers_in_each_language(stocked: Scene, language: str) -> None:
    async with stocked.house.database.read() as session:
        story = (await session.scalars(select(StoryRow))).one()
    of_articles = (_TITLE, *story.summary, *story.text.split("\n"))
    foreign: list[str] = []
    for number, leaf in enumerate(_tree(stocked)):
        person = _person(stocked, f"mod-{number}", _LOCALES[language], moderator=True)
        text = _check(await person.command(leaf.name, **leaf.filled(stocked)), leaf)
        for sentence in filter(None, of_articles):
            text = text.replace(sentence, "")
        plain = f" {text} "
        foreign += [f"{leaf.name}: {plain}" for word in _ENGLISH if word in plain]
    message = await stocked.member.say("have you seen http://127.0.0.1:1/page ?")
    for menu in _MENUS:
        person = _person(stocked, menu, _LOCALES[language], moderator=True)
        plain = f" {_check(await person.menu(menu, message), Leaf(menu, ()))} "
        foreign += [f"{menu}: {plain}" for word in _ENGLISH if word in plain]
    assert foreign == [], "English is left"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_command_keeps_to_the_rights_of_whoever_asks(stocked: Scene) -> None:
    for number, leaf in enumerate(_tree(stocked)):
        values = leaf.filled(stocked)
        member = _person(stocked, f"member-{number}")
        if leaf.first in _CONFIGURING:
            with pytest.raises(NotOffered):
                await member.command(leaf.name, **values)
            refused = await member.command(leaf.name, forced=True, **values)
            assert "Manage Server" in _check(refused, leaf), leaf.name
        else:
            _check(await member.command(leaf.name, **values), leaf)
        values.pop("channel", None)
        world = stocked.discord.world
        user = world.add_user(f"stranger-{number}")
        world.add_member(
            stocked.other, user, world.add_role(stocked.other, f"mods-{number}", ("manage_guild",))
        )
        if leaf.name != "alerts add":  # which needs a channel, of this server
            there = stocked.discord.person(user, stocked.other, stocked.stranger.channel_id)
            assert _TITLE not in _check(await there.command(leaf.name, **values), leaf), "not of their feeds"
        alone = stocked.discord.person(world.add_user(f"alone-{number}", has_app=True))
        if leaf.first in _CONFIGURING or leaf.first == "subscribe":
            with pytest.raises(NotOffered):
                await alone.command(leaf.name, **values)
        else:
            assert _TITLE not in _check(await alone.command(leaf.name, **values), leaf), leaf.name
    for menu in _MENUS:
        for person in (stocked.member, stocked.stranger, stocked.alone):
            message = await person.say("have you seen http://127.0.0.1:1/page ?")
            if menu == "Why this alert?" and person is stocked.alone:
                with pytest.raises(NotOffered):
                    await person.menu(menu, message)
            else:
                _check(await person.menu(menu, message), Leaf(menu, ()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_option_is_taken_and_completes_where_it_says_so(stocked: Scene) -> None:
    """Each option alone with what the command needs, in each of its values where those are few."""
    for leaf in sorted(_tree(stocked), key=lambda each: "remove" in each.name):
        for option in leaf.options:
            person = _person(stocked, f"{leaf.name} {option['name']}", moderator=True)
            needed = {k: v for k, v in leaf.filled(stocked).items() if k != option["name"]}
            values = [choice["value"] for choice in option.get("choices", ())]
            if option.get("autocomplete"):
                offered = await person.autocomplete(leaf.name, option["name"], "", **needed)
                values = [choice.value for choice in offered][:1]
                assert len({choice.value for choice in offered}) == len(offered) <= 25
                assert all(0 < len(str(choice.name)) <= 100 for choice in offered)
                assert values or option["name"] in _NOTHING_TO_OFFER, (leaf.name, option["name"])
            for value in values or [_value(option, stocked)]:
                answer = await person.command(leaf.name, **{**needed, option["name"]: value})
                _check(answer, leaf)
    assert stocked.discord.violations == []


_ODD = (
    '"', "NEAR(", "a AND", "-", "*", "%", "\\", "'; DROP TABLE stories;--", "x" * 100, "[a](http://b)", "{name}", "#0",
    "<@1> @everyone", "http://", "https://[", "http://127.0.0.1:1/?" + "y" * 60, "99999999999999999999", "-1", "\u202e\u0000\ud7ff",
    "```", "0 months", "a,b,,c", "🙂",
)  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_any_text_in_any_option_is_answered(stocked: Scene) -> None:
    found: list[str] = []

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(st.text(min_size=1, max_size=60).filter(str.strip))
    def collect(text: str) -> None:
        found.append(text)

    collect()
    texts = [*_ODD, *found]
    turn = itertools.cycle(texts)
    asked = 0
    for leaf in _tree(stocked):
        for option in leaf.options:
            name, longest = option["name"], option.get("max_length", 6000)
            person = _person(stocked, f"asker {leaf.name} {name}", moderator=True)
            if name in leaf.texts():
                for text in itertools.islice(turn, 5 if leaf.first in _CONFIGURING else 9):
                    if name in ("address", "link"):  # no other machine is asked
                        text = f"http://127.0.0.1:1/{text}"
                    answer = await person.command(leaf.name, **leaf.filled(stocked, **{name: text[:longest]}))
                    _check(answer, leaf)
                    asked += 1
            if option.get("autocomplete"):
                others = {k: v for k, v in leaf.filled(stocked).items() if k != name}
                for text in itertools.islice(turn, 3):
                    choices = await person.autocomplete(leaf.name, name, text[:longest], **others)
                    assert len(choices) <= 25, (leaf.name, name, text)
    for text in texts:
        message = await stocked.member.say(text.replace("//b", "//127.0.0.1:1/b"))
        for menu in _MENUS:
            person = _person(stocked, f"{menu} {asked}", moderator=True)
            _check(await person.menu(menu, message), Leaf(menu, ()))
            asked += 1
    assert asked > 350, "options were left out"
    await asyncio.sleep(0)
    assert stocked.discord.violations == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_moderators_are_told_is_stored_before_they_are_told(
    stocked: Scene, tmp_path: Path
) -> None:
    """What the database's files hold at the moment of an answer is what a kill right after it leaves."""
    file = str(stocked.house.database.url.database)

    class AtEachAnswer(Journal):
        def open(self, method: str, path: str, *rest: Any) -> Any:
            if path.startswith(("/webhooks/", "/interactions/")):
                for part in ("", "-wal"):
                    shutil.copyfile(file + part, tmp_path / f"left.db{part}")
            return super().open(method, path, *rest)

    stocked.discord.journal = AtEachAnswer()
    world, house = stocked.discord.world, stocked.house
    people = itertools.count()

    def chief() -> Person:
        """Another moderator: one alone would be asked to be slower."""
        return _person(stocked, f"chief-{next(people)}", moderator=True)

    async def press(who: Person, message: Any, label: str, **fields: Any) -> Answer:
        answer = await who.click(message, label)
        return await who.submit(answer, **fields) if fields else answer

    async def left(answer: Answer, *actions: str) -> None:
        await stocked.discord.wait_for(lambda _: not answer.pending, 10)
        with sqlite3.connect(tmp_path / "left.db") as copy:
            done = [row[0] for row in copy.execute("SELECT action FROM audit ORDER BY id DESC LIMIT 3")]
        copy.close()
        for part in ("-wal", "-shm"):
            (tmp_path / f"left.db{part}").unlink(missing_ok=True)
        assert set(actions) <= set(done[: len(actions)]), (actions, answer.text)

    desk, text = world.add_channel(stocked.guild, "desk"), Upload("f.txt", b"https://a.example/f")
    do = lambda name, **options: chief().command(name, **options)  # noqa: E731 - a column of short lines
    await left(await do("feeds import", file=text), "feeds imported")
    await left(await do("feeds pause", feed=2), "feed paused")
    await left(await do("feeds resume", feed=2), "feed resumed")
    await left(await do("feeds remove", feed=2), "feed removed")
    await left(await do("alerts add", channel=desk, review=desk, topics="anonymity"), "rule added")
    await left(await do("alerts edit", rule=2, limit=3), "rule changed")
    await left(await do("alerts pause", rule=2), "rule paused")
    await left(await do("alerts resume", rule=2), "rule resumed")
    await left(await do("settings", timezone="Europe/Berlin"), "settings changed")
    ada, ben = chief(), chief()
    cleo = stocked.discord.person(chief().user_id, stocked.guild, desk)
    form = await press(ada, (await ada.command("settings")).message, "Import")
    shown = await ada.submit(form, {"Or its text": "settings: {language: en, timezone: UTC}\nfeeds: []"})
    await left(await press(ada, shown.message, "Apply"), "settings changed", "feed removed")
    await left(await press(ada, (await ada.command("setup")).message, "Save"), "rule added")
    await left(await do("alerts remove", rule=3), "rule removed")

    async with house.database.write() as session:
        session.add(GuildFeedRow(guild_id=stocked.guild.id, feed_id=1, added_at=house.clock()))
    listed = await ben.command("deliveries")
    await left(await press(ben, listed.message, "Drop #1"), "delivery dropped")
    panel = (await press(ben, (await ben.command("case", name="1")).message, "Correct…")).message
    await left(await press(ben, panel, "Rename", name="Ours"), "case renamed")
    page = {"status": "quashed", "source": "https://court.example/1"}
    await left(await press(ben, panel, "Set status", **page), "case status set")
    await house.story(1, await house.case("Another"), title="Another")
    choice = (await press(ben, panel, "Merge…")).message
    await left(await ben.select(choice, "Choose", "2"), "case merge proposed")
    sender = DiscordSender(stocked.client, TokenBucket(rate=10_000))  # type: ignore[arg-type]  # there is one
    await Deliverer(house.database, sender, clock=house.clock).deliver_due()
    asked = stocked.discord.messages(desk.id)[-1]
    await left(await press(cleo, asked, "Edit summary", words="Our words."), "review summary edited")
    await left(await press(cleo, asked, "Approve"), "review approved")
