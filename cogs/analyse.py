"""`/analyse` and the message menu Analyse link: what Quash makes of one page, for the asker's eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts.cards import CardDemand, demand_parts, look_of
from bot.alerts.foreign import link, safe_text
from bot.errors import QuashError
from bot.intake.services import Services
from bot.stories.model import Demand, Story
from bot.words import labelled, mark, retell, say
from cogs.blocks import quoted
from cogs.limits import Budget
from cogs.panels import panel, stamp

# Parentheses belong to an address where they are in pairs; else one closes a masked link or a remark.
_LINK = re.compile(r"https?://(?:[^\s<>\"`|\\()\[\]]|\([^\s<>\"`|\\()\[\]]*\)){4,2000}", re.IGNORECASE)
# Pages that one person, the people of one server, and all together may have fetched, and in which time.
_MOST, _WITHIN = (5, 60, 300), timedelta(minutes=10)
_BEHIND = ".,;:!?'*~"  # of a sentence, a quotation, or Markdown
_STEPS = {"fetching": mark("Fetching the page …"), "reading": mark("Reading it …")}


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Analyse(services)


def add_menus(bot: commands.Bot | commands.AutoShardedBot) -> None:
    """Add the entry of the message menu, which discord.py does not take from a cog's methods."""
    cog = bot.get_cog("Analyse")
    if isinstance(cog, Analyse):
        bot.tree.add_command(cog.menu)


class NoLinkError(QuashError):
    """What was given holds no link."""


class Analyse(commands.Cog):
    """Reading one page on request."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._of_person, self._of_server, self._of_all = (Budget(most, _WITHIN) for most in _MOST)
        menu = app_commands.ContextMenu(name="Analyse link", callback=self._menu)
        menu.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        menu.allowed_contexts = app_commands.AppCommandContext(
            guild=True, dm_channel=True, private_channel=True
        )
        self.menu = menu

    @app_commands.command(description="What Quash makes of one page: topics, demands, summary, with evidence")
    @app_commands.describe(link="The page's address")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def analyse(self, interaction: discord.Interaction, link: app_commands.Range[str, 1, 2000]) -> None:
        """Fetch, read, answer."""
        await self._analyse(interaction, link)

    async def _menu(self, interaction: discord.Interaction, message: discord.Message) -> None:
        await self._analyse(interaction, "\n".join(_texts_of(message)))

    async def _analyse(self, interaction: discord.Interaction, text: str) -> None:
        found = _LINK.search(text)
        if found is None:
            raise NoLinkError(say("There is no link in it; give an address that begins with https://."))
        self._spend(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)

        async def progress(step: str) -> None:
            await interaction.edit_original_response(view=panel(say("Analyse"), [say(_STEPS[step])]))

        try:
            view = analysis_view(await self.services.links.read(found[0].rstrip(_BEHIND), progress))
        except QuashError as error:  # said where the progress stands, which would stand there for good
            view = panel(say("Analyse"), [safe_text(retell(str(error)), 1900)])
        await interaction.edit_original_response(view=view)

    def _spend(self, interaction: discord.Interaction) -> None:
        """Count a page against all bounds, or, where one of them does not let it, against none."""
        bounds = [(self._of_person, interaction.user.id), (self._of_all, 0)]
        if interaction.guild_id is not None:
            bounds.append((self._of_server, interaction.guild_id))
        now = self.services.clock()
        for bound, whose in bounds:
            bound.check(whose, now)
        for bound, whose in bounds:
            bound.spend(whose, now)


def _texts_of(message: discord.Message) -> Iterator[str]:
    """Give what a message says, a post of Quash, a preview of a link and what was forwarded among it."""
    told: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for said in told:
        yield said.content
        yield from (embed.url for embed in said.embeds if embed.url)
        parts: list[Any] = list(said.components)
        while parts:
            part = parts.pop(0)
            parts[:0] = getattr(part, "children", ())
            yield getattr(part, "content", "")


def analysis_view(story: Story) -> ui.LayoutView:
    """Lay out what was made of a page, each claim with the sentences that it rests on."""
    title = link(story.title or story.url, story.url, 200)
    about = [stamp(story.published)] if story.published else []
    verdict = say("relevant") if story.relevant else say("not relevant")
    about.append(f"**{verdict}** ({story.relevance.score:.2f})")
    blocks = [f"**{title}**\n-# {' · '.join(about)}"]
    if not story.relevant:
        blocks.append(
            say(
                "No alert would be made of it: its subject is not power over people's data, speech "
                "or anonymity."
            )
        )
        proof = (say("relevance"), story.relevance.evidence[:2])
        return panel(say("Analyse"), blocks + quoted([proof], longest=400))
    if story.summary:
        blocks.append(safe_text(" ".join(story.summary), 500))
    claims = [(_demand(demand), demand.evidence[:2]) for demand in story.demands[:6]]
    claims += [(f"{say(topic.topic)} ({topic.score:.2f})", topic.evidence[:2]) for topic in story.topics]
    blocks += quoted(claims, longest=400)
    parties = " · ".join(f"{safe_text(p.name, 60)} ({say(p.role)})" for p in story.parties[:12])
    if parties:
        blocks.append(f"**{say('Parties')}**\n{parties}")
    return panel(say("Analyse"), blocks, footer=say("Sentences stand as they are in the article"))


def _demand(demand: Demand) -> str:
    told = CardDemand(demand.issuer, demand.recipient, demand.target, demand.instrument, demand.status)
    first, *others = demand_parts(told)
    said = labelled(first, ", ".join(others)) if others else first
    return f"{look_of(demand.status).sign} {safe_text(said, 300)}"
