"""The interface in every language: catalogues that are whole, names that Discord takes, answers as read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import pytest
from babel.messages.catalog import Catalog
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.cards import card_from
from bot.alerts.posting import tag_named, tags_for
from bot.alerts.render import card_view
from bot.errors import told
from bot.intake import changes
from bot.sandbox import Message, Person
from bot.sandbox.discord.errors import Json
from bot.stories.model import TOPICS
from bot.words import LANGUAGES, TOLD, catalogue, labelled, retell, say, say_duration, say_number, speaking
from db.cards import CardShelf
from db.lookups import Viewer
from db.tables import AuditRow
from tests.cogs.conftest import Scene
from tools import words

_FOREIGN = LANGUAGES[1:]
_PLACES = {"de": ("de",), "fr": ("fr",), "es": ("es-ES", "es-419"), "pt": ("pt-BR",)}
# What stays as it is: placeholders, commands and whatever else stands in backticks, mentions.
_KEPT = re.compile(r"\{\w+\}|`[^`]*`|<[#@][^>]*>")
_NAMES = re.compile(r"\{(\w+)\}")
_MENU = 3
# Discord: ^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$, in lower case; these languages are Latin.
_NAME = re.compile(r"[-_'\w]{1,32}")


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])


# ------------------------------------------------------------------------ catalogues


@pytest.fixture(scope="module")
def texts() -> list[words.Text]:
    return words.texts()


def _strings(catalogue: Catalog, text: words.Text) -> tuple[str, ...]:
    message = catalogue.get(*text)
    assert message is not None, f"not in the catalogue: {text}"
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


@pytest.mark.parametrize("language", _FOREIGN)
def test_all_that_is_said_is_translated(language: str, texts: list[words.Text]) -> None:
    catalogue = words.read(language)
    assert ("Further sources", None) in texts, "said inside an f-string"
    left = [text for text in texts if not all(_strings(catalogue, text) or ("",))]
    assert left == [], "tools/words.py lists what is left"


@pytest.mark.parametrize("language", _FOREIGN)
def test_translations_keep_placeholders_commands_and_markdown(language: str, texts: list[words.Text]) -> None:
    catalogue = words.read(language)
    for text in texts:
        source = text[0] if isinstance(text[0], str) else text[0][1]
        for string in filter(None, _strings(catalogue, text)):
            assert sorted(_KEPT.findall(string)) == sorted(_KEPT.findall(source)), string
            assert string.count("**") == source.count("**"), string
            assert string.count("\n") == source.count("\n"), string


@pytest.mark.parametrize("language", _FOREIGN)
def test_every_plural_form_is_filled_and_chosen_by_the_number(language: str, texts: list[words.Text]) -> None:
    catalogue = words.read(language)
    for text in texts:
        if not isinstance(text[0], str):
            assert len(_strings(catalogue, text)) == catalogue.num_plurals
    with speaking(language):
        one, many = (say_number("{number} new story", "{number} new stories", number) for number in (1, 2))
        none = say_number("{number} new story", "{number} new stories", 0)
    assert one[2:] != many[2:]
    assert none[2:] == (one if language == "fr" else many)[2:], "0 is singular in French"


@pytest.mark.parametrize("language", _FOREIGN)
def test_what_was_told_in_english_is_known_again_and_said(language: str, texts: list[words.Text]) -> None:
    """Stored reasons and errors: each with values, alone, one inside the other, and several in a row."""
    told_texts = [str(text) for text, context in texts if context == TOLD]
    assert len(told_texts) > 200, "nothing to be tested"
    translated = catalogue(language)
    with speaking(language):
        for text in told_texts:
            values = {name: f"v{number}. x" for number, name in enumerate(_NAMES.findall(text))}
            said = translated.pgettext(TOLD, text)
            assert retell(told(text, **values)) == said.format(**values) if values else said, text
        inner = told("{host} asks for fewer requests (429).", host="x.example")
        outer = told("the page could not be had: {error}", error=inner)
        assert retell(outer) == translated.pgettext(TOLD, "the page could not be had: {error}").format(
            error=retell(inner)
        )
        row = f"{inner} {told('End it with /feeds remove.')}"
        assert retell(row) == f"{retell(inner)} {retell('End it with /feeds remove.')}"
        assert say("weekly") in retell("gathered for the weekly digest")
        there = "I lack a permission there; give me {lacks} in that channel."
        lacks = ", ".join(map(say, ("Send Messages", "Manage Threads")))
        assert lacks in retell(told(there, lacks="Send Messages, Manage Threads")) and "Messages" not in lacks
        assert retell("any topic; any party") == f"{retell('any topic')}; {retell('any party')}"
        for foreign in ("", "Somebody else's sentence. And one more; and so on.", "{name} {", "a. b; c"):
            assert retell(foreign) == foreign
    assert retell(outer) == outer, "English stays as it is"


def test_lengths_of_time_are_told_as_the_language_writes_them() -> None:
    every = "it publishes every {time}"
    with speaking("fr"):
        assert retell(told(every, time="2.5 d")) == "il publie toutes les 2,5 j"
        assert say_duration("40 min") == "40 min"
        assert retell(told(every, time="1.2.3 d")) == "il publie toutes les 1.2.3 d"
    assert say_duration("2.5 d") == "2.5 d"


@given(st.text(max_size=200))
def test_any_text_can_be_retold(text: str) -> None:
    with speaking("de"):
        assert isinstance(retell(text), str)


def test_a_translation_that_cannot_be_filled_falls_back_to_english() -> None:
    with speaking("de"):
        assert say("Digest until {when}", when="x") == "Überblick bis x"
        assert say("not in any catalogue {x}", x=1) == "not in any catalogue 1"
    with speaking("tlh"):
        assert say("Digest until {when}", when="x") == "Digest until x"


# ------------------------------------------------------------------------ what Discord is told


def _inside(thing: Json) -> Iterator[Json]:
    for option in thing.get("options") or ():
        yield option
        yield from _inside(option)


def _choices(thing: Json) -> Iterator[Json]:
    for option in _inside(thing):
        yield from option.get("choices") or ()


def _in(thing: Json, field: str, locale: str) -> str:
    """Give a name or a description as people with a locale see it."""
    return str((thing.get(f"{field}_localizations") or {}).get(locale, thing.get(field, "")))


def _size(thing: Json) -> int:
    """Count as Discord does: of each field the longest localisation."""

    def longest(part: Json, field: str) -> int:
        told = (part.get(field) or "", *(part.get(f"{field}_localizations") or {}).values())
        return max(map(len, told))

    size = longest(thing, "name") + longest(thing, "description")
    size += sum(longest(c, "name") + len(str(c["value"])) for c in thing.get("choices") or ())
    return size + sum(_size(option) for option in thing.get("options") or ())


async def test_commands_are_localised_within_what_discord_takes(scene: Scene) -> None:
    commands: list[dict[str, Any]] = scene.discord.commands
    for command in commands:
        assert _size(command) <= 8000, command["name"]
    for locale in (place for places in _PLACES.values() for place in places):
        chat = [command for command in commands if command["type"] != _MENU]
        _check_siblings(chat, locale)
        (trends,) = (command for command in chat if command["name"] == "trends")
        told = [_in(part, "name", locale) for part in (trends, *_inside(trends), *_choices(trends))]
        assert not {"topic", "period", "month", "quarter", "year"} & set(told), "options and choices, too"
        for part in (part for command in chat for part in (command, *_inside(command))):
            _check_siblings(part.get("options") or [], locale)
            choices = [_in(choice, "name", locale) for choice in part.get("choices") or ()]
            assert len(set(choices)) == len(choices)
            assert all(1 <= len(choice) <= 100 for choice in choices)
            description = _in(part, "description", locale)
            assert 1 <= len(description) <= 100, description
            assert description != part["description"], f"{locale}: {description}"
        for menu in commands:
            if menu["type"] == _MENU:
                assert 1 <= len(_in(menu, "name", locale)) <= 32
                assert _in(menu, "name", locale) != menu["name"]


def _check_siblings(siblings: list[Json], locale: str) -> None:
    names = [_in(each, "name", locale) for each in siblings]
    assert len(set(names)) == len(names), f"{locale}: {names}"
    for name in names:
        assert _NAME.fullmatch(name), f"{locale}: {name!r}"
        assert name == name.lower()


@pytest.mark.parametrize("language", _FOREIGN)
def test_labels_fit_on_buttons(language: str) -> None:
    with speaking(language):
        for label in ("Follow case", "Evidence", "Not relevant", "Show all", "Forget me", "Next", "Back"):
            assert 1 <= len(say(label)) <= 80
            assert say(label) != label


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tag_that_a_forum_is_to_have_is_none_that_discord_refuses(language: str) -> None:
    with speaking(language):
        named = {topic: tag_named(topic) for topic in TOPICS}
    assert all(len(name) <= 20 for name in named.values())
    assert all(tags_for([topic], {name: 7}) == [7] for topic, name in named.items())


# ------------------------------------------------------------------------ what people read


@dataclass(frozen=True)
class Read:
    """What somebody reads: in `/help`, `/latest`, `/case`, `/privacy show`, an error, after a click."""

    help: str
    latest: str
    status: str
    case: str
    privacy: str
    error: str
    evidence: str
    topic: str
    noted: str


_READ = {
    "de": Read(
        "Nachschlagen", "Neueste Artikel", "ergangen", "zuletzt berichtet", "Was über dich gespeichert ist",
        "Thema „weather“ gibt es nicht", "Belege", "Thema: Anonymität", "Notiert.",
    ),
    "fr": Read(
        "Chercher", "Derniers articles", "émise", "dernier article", "Ce qui est enregistré sur vous",
        "« weather » introuvable (thème)", "Passages à l'appui", "Thème : anonymat", "C'est noté.",
    ),
    "es": Read(
        "Consultar", "Últimas noticias", "emitido", "última noticia", "Lo que hay guardado sobre ti",
        "No existe «weather» (tema)", "Citas de respaldo", "Tema: anonimato", "Anotado.",
    ),
    "pt": Read(
        "Consultar", "Últimas notícias", "emitida", "última notícia", "O que está guardado sobre você",
        "Não existe “weather” (tema)", "Trechos de apoio", "Tema: anonimato", "Anotado.",
    ),
}  # fmt: skip
_TITLE = "Agency demands the names behind a critical account"
_SENTENCE = "It wants the account's owner."


def _speaker(scene: Scene, locale: str) -> Person:
    user = scene.discord.world.add_user(f"reader-{locale}", locale=locale)
    scene.discord.world.add_member(scene.guild, user)
    return scene.discord.person(user, scene.guild, scene.channel)


async def _post(scene: Scene, story_id: int, language: str) -> Message:
    async with scene.house.database.read() as session:
        material = await CardShelf(session).get(story_id, Viewer(guild_id=scene.guild.id))
    assert material is not None
    assert scene.client is not None
    channel = scene.client.get_channel(scene.channel.id)
    assert isinstance(channel, discord.TextChannel)
    with speaking(language):
        await channel.send(view=card_view(card_from(material)))
    return scene.discord.messages(scene.channel.id)[-1]


async def test_everybody_is_answered_in_their_language_and_evidence_stays(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    story = await scene.house.story(feed, await scene.house.case(), owes=False)
    for language, places in _PLACES.items():
        read, person = _READ[language], _speaker(scene, places[-1])
        assert read.help in (await person.command("help")).text
        latest = (await person.command("latest")).text
        assert read.latest in latest
        assert read.status in latest
        assert _TITLE in latest
        assert read.case in (await person.command("case", name="summons")).text
        assert read.privacy in (await person.command("privacy show")).text
        assert read.error in (await person.command("latest", topic="weather")).text
        card = await _post(scene, story, language)
        assert read.status in card.text
        evidence = await person.click(card, read.evidence)
        assert read.topic in evidence.text
        assert _SENTENCE in evidence.text
        assert (
            f"({ {'de': 'Englisch', 'fr': 'anglais', 'es': 'inglés', 'pt': 'inglês'}[language] })"
            in evidence.text
        )
        with speaking(language):
            not_relevant = say("Not relevant")
        assert read.noted in (await person.click(card, not_relevant)).text
    assert "Newest stories" in (await scene.member.command("latest")).text, "English stays English"


async def test_a_language_that_is_not_spoken_is_answered_in_english(scene: Scene) -> None:
    person = _speaker(scene, "ja")
    assert "Look something up" in (await person.command("help")).text
    assert "Newest stories" in (await person.command("latest")).text


async def test_completion_and_options_know_the_readers_own_words(scene: Scene) -> None:
    await scene.house.guild(scene.guild.id)
    reader = _speaker(scene, "de")
    (choice,) = await reader.autocomplete("latest", "topic", "anonymit")
    assert (choice.name, choice.value) == (say_in("de", "anonymity"), "anonymity")
    meant = await reader.command("latest", topic=say_in("de", "anonymity"))
    subscribed = await reader.command("subscribe topic", topic="anonymity")
    assert f"Thema: {say_in('de', 'anonymity')}" in subscribed.text
    unknown = await reader.command("latest", topic="xyzzy")
    assert meant.text != unknown.text
    assert "xyzzy" not in meant.text


def test_a_colon_is_set_as_the_language_sets_it() -> None:
    assert labelled("topic", "{x}") == "topic: {x}"
    with speaking("fr"):
        assert labelled(say("topic"), 7) == "thème : 7"
        row = AuditRow(user_id=1, at=datetime.now(UTC), action="settings changed", before={"language": "en"})
        row.after = {"language": "fr"}
        assert "Langue : en → fr" in changes.told(row)


def test_what_is_empty_or_holds_braces_is_said_as_it_is() -> None:
    with speaking("de"):
        assert say("") == ""
        assert say("{not a place}") == "{not a place}"


def say_in(language: str, text: str) -> str:
    with speaking(language):
        return say(text)
