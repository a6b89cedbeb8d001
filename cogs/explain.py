"""`/explain`: what a topic, an instrument or a status means, and what one who gets a demand can do."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts.render import status_words
from bot.intake.services import Services
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.words import mark, say
from cogs import choices
from cogs.panels import answer, panel

_TERMS = (*INSTRUMENTS, *TOPICS, *STATUSES)
_NO_ADVICE = mark("General information, no legal advice.")


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Explain()


@cache
def glossary() -> dict[str, Any]:
    """Read the glossary: `topics`, `statuses`, `instruments` (what, can, signed, fought, rule), `help`."""
    return tomllib.loads((resources.files("cogs") / "data" / "glossary.toml").read_text("utf-8"))


class Explain(commands.Cog):
    """The glossary."""

    @app_commands.command(description="What a topic, an instrument or a status means, and what one can do")
    @app_commands.describe(term="Such as: administrative subpoena, gag order, quashed, biometrics")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def explain(self, interaction: discord.Interaction, term: app_commands.Range[str, 1, 100]) -> None:
        """Answer with the glossary's entry."""
        await answer(interaction, explained(choices.one_of(term, _TERMS, mark("term"))))

    @explain.autocomplete("term")
    async def _terms(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, _TERMS)


def explained(term: str) -> ui.LayoutView:
    """Give the answer for a term of the closed lists."""
    found = glossary()
    if term in TOPICS:
        return panel(say(term), [say(found["topics"][term])], footer=say("a topic"))
    if term in STATUSES:
        return panel(
            status_words(term), [say(found["statuses"][term])], footer=say("where a demand can stand")
        )
    entry = {name: say(text) for name, text in found["instruments"][term].items()}
    title = say(term)
    blocks = [
        entry["what"],
        f"**{say('What it can and cannot demand')}**\n{entry['can']}",
        f"**{say('Who signs it')}**\n{entry['signed']}",
        f"**{say('How it is fought')}**\n{entry['fought']}",
        f"**{say('The rule')}**\n{entry['rule']}",
        say(found["help"]["text"]),
    ]
    return panel(title[0].upper() + title[1:], blocks, footer=say(_NO_ADVICE))
