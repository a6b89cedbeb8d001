"""Brings the catalogues in `bot/locale` in step with what the code says.

    PYTHONPATH=. .venv/bin/python tools/words.py          write new texts into every catalogue, untranslated
    PYTHONPATH=. .venv/bin/python tools/words.py de       the same for one language
    PYTHONPATH=. .venv/bin/python tools/words.py --left   list what is not translated yet

Texts are those in `say`, `say_number`, `mark` and `told` (with the context "told"), the closed lists
(topics, statuses, instruments, kinds, roles), the glossary of `/explain`, and the names and descriptions of
the command tree; names have the context "name", since Discord has rules of its own for them. A text that is
gone from the code loses its translation.
"""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import discord
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from discord.ext import commands

import cogs
from bot.clock import utc_now
from bot.intake.services import Services
from bot.stories.model import INSTRUMENTS, KINDS, ROLES, STATUSES, TOPICS
from bot.words import LANGUAGES, TOLD
from cogs.explain import glossary

FOLDER = Path("bot/locale")
_TEXTS_OF = {"say": 1, "say_number": 2, "mark": 1, "told": 1}  # how many of a call's arguments are texts
_SOURCES = ("bot", "cogs")

Text = tuple[str | tuple[str, str], str | None]  # a text or (one, many); its context


def texts() -> list[Text]:
    """Give all that is to be translated, each once."""
    found: dict[Text, None] = {}
    for folder in _SOURCES:
        for path in sorted(Path(folder).rglob("*.py")):
            found |= dict.fromkeys(said(path.read_text("utf-8")))
    for name in (*TOPICS, *STATUSES, *INSTRUMENTS, *KINDS, *ROLES):
        found[name, None] = None
    found |= dict.fromkeys((text, None) for text in _leaves(glossary()))
    for name, description in tree_texts():
        found[name, "name"] = None
        if description:
            found[description, None] = None
    return list(found)


def said(source: str) -> Iterator[Text]:
    """Give the texts of a module, also of calls inside f-strings, which Babel's own reader passes over."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TEXTS_OF:
            given = [a.value for a in node.args[: _TEXTS_OF[node.func.id]] if isinstance(a, ast.Constant)]
            match given:
                case [str(one), str(many)]:
                    yield (one, many), None
                case [str(text)] if _TEXTS_OF[node.func.id] == 1:
                    yield text, TOLD if node.func.id == TOLD else None


def _leaves(part: dict[str, Any] | str) -> Iterator[str]:
    """Give the texts of nested tables."""
    if isinstance(part, str):
        yield part
        return
    for inner in part.values():
        yield from _leaves(inner)


def tree_texts() -> list[tuple[str, str]]:
    """Give the name and the description of every command, group, option and choice (menus have none)."""

    async def collect() -> list[dict[str, Any]]:
        bot = commands.Bot("!", intents=discord.Intents.none())
        nothing = cast("Any", None)  # no command is called
        await cogs.add_all(bot, Services(nothing, nothing, utc_now, lambda: None, nothing))
        return [command.to_dict(bot.tree) for command in bot.tree.get_commands()]

    return [found for command in asyncio.run(collect()) for found in _walk(command)]


def _walk(thing: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield thing["name"], thing.get("description", "")
    for inner in (*thing.get("options", ()), *thing.get("choices", ())):
        yield from _walk(inner)


def read(language: str) -> Catalog:
    """Read a catalogue, an empty one where there is none yet."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def is_translated(message: Any) -> bool:
    """Tell whether a catalogue's message has its translation, with all its plural forms."""
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(strings) and all(strings)


def main() -> None:
    """Update the catalogues, or list what is left."""
    wanted = texts()
    chosen = [language for language in LANGUAGES[1:] if language in sys.argv]
    for language in chosen or LANGUAGES[1:]:
        old = read(language)
        new = Catalog(
            locale=language,
            project="Quash",
            fuzzy=False,
            header_comment=f"# Quash: {language}",
            creation_date=old.creation_date,  # so that a run that finds nothing new changes nothing
        )
        for text, context in wanted:
            known = old.get(text, context)
            new.add(text, known.string if known else None, context=context)
        left = [message for message in new if message.id and not is_translated(message)]
        if "--left" in sys.argv:
            print(*(f"{language}: {message.context or ''} {message.id!r}" for message in left), sep="\n")
            continue
        with (FOLDER / f"{language}.po").open("wb") as file:
            write_po(file, new, width=110, sort_output=True)
        print(f"{language}: {len(wanted)} texts, {len(left)} not translated")


if __name__ == "__main__":
    main()
