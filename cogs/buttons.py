"""A card's buttons: Follow case, Evidence, Not relevant. Their custom ids say all (`bot.alerts.ids`).

They need nothing in memory, so that every card ever posted answers, also after a restart. Ids can be
forged: the services check what the person who clicks may see.
"""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import ui
from discord.ext import commands

from bot.alerts import actions, ids
from bot.alerts.actions import Evidence
from bot.alerts.foreign import link, safe_text, width
from bot.intake.services import Services
from bot.words import language_name, say, spoken
from cogs.blocks import quoted
from cogs.clicks import Click, add
from cogs.pages import ROOM, first_that_fits
from cogs.panels import answer, panel

# Sentences of a claim and characters of each: fewer before a claim is left without any.
_QUOTED = (3, 500), (2, 400), (1, 300), (1, 150)


def add_to(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the buttons of all cards work."""
    add(bot, services, FollowButton, EvidenceButton, ReportButton)


class _CardButton(Click):
    """What the three buttons have in common: read the id and the mark, answer for the clicker's eyes."""

    def __init__(self, button: ui.Item[Any], match: re.Match[str]) -> None:
        super().__init__(button, match)
        self.number = int(match["id"])
        self.mark: str | None = match["mark"]

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Answer, within Discord's three seconds whatever the database is busy with."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await self.made(interaction))

    async def made(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Do what the button says and give the answer."""
        raise NotImplementedError


class FollowButton(_CardButton, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.FOLLOW):
    """Follow case: the one who clicks is told by direct message when the case goes on."""

    async def made(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Subscribe to the case."""
        made = await actions.follow_case(
            self.services.database,
            case_id=self.number,
            user_id=interaction.user.id,
            guild_id=interaction.guild_id,
            mark=self.mark,
            now=self.services.clock(),
        )
        return panel(
            say("You follow this case"),
            [
                f"**{safe_text(made.label, 300)}**",
                say(
                    "You get a direct message when it goes on; `/subscriptions` ends that. "
                    "Nobody else can see what you follow."
                ),
            ],
        )


class EvidenceButton(_CardButton, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.EVIDENCE):
    """Evidence: each claim of the card with the sentences that it rests on."""

    async def made(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Show the claims."""
        found = await actions.evidence(
            self.services.database,
            story_id=self.number,
            user_id=interaction.user.id,
            guild_id=interaction.guild_id,
            mark=self.mark,
        )
        return evidence_view(found)


class ReportButton(_CardButton, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.REPORT):
    """Not relevant: a report to the moderators, one a member and story."""

    async def made(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Note the report."""
        first = await actions.report(
            self.services.database,
            story_id=self.number,
            user_id=interaction.user.id,
            guild_id=interaction.guild_id,
            mark=self.mark,
            now=self.services.clock(),
        )
        said = say("Noted.") if first else say("You had said so before; it counts once.")
        return panel(say("Not relevant"), [f"{said} {say('Moderators see how many find so, not who.')}"])


def evidence_view(found: Evidence) -> ui.LayoutView:
    """Lay a story's claims out, each with its sentences."""
    title = link(found.title, found.url, 200)
    ways = (
        quoted(
            ((safe_text(c.says, 200), c.evidence[: max(most, c.least)]) for c in found.claims),
            longest=longest,
        )
        for most, longest in _QUOTED
    )
    blocks = first_that_fits(ways, ROOM - width(title))
    stands = say("Sentences stand as they are in the article")
    if found.language not in (spoken(), "und"):
        stands = say(
            "Sentences stand as they are in the article, in its language ({language})",
            language=language_name(found.language),
        )
    return panel(
        say("Evidence"),
        [title, *(blocks or [say("No sentence of the article is stored.")])],
        footer=stands,
    )
