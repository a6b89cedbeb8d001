"""`/privacy show|export|forget`: what is stored about oneself, as a file, and gone."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.intake.services import Services
from bot.words import labelled, mark, say, say_number
from cogs.clicks import Click, add
from cogs.panels import answer, panel
from db import privacy

_LONGEST_FILE = 8 * 1024 * 1024  # bytes, of the 10 MiB that Discord takes

# What the tables of `db.tables.PERSONAL` hold, in words; a test finds one that is missing here.
KINDS = {
    "subscriptions": mark("what you subscribed to"),
    "deliveries": mark("direct messages that were sent to you or wait"),
    "destinations": mark("whether messages to you go through"),
    "reports": mark("stories that you found not relevant"),
    "rules": mark("rules of servers that you made"),
    "guild_feeds": mark("feeds of servers that you added"),
    "audit": mark("changes of a server's configuration that you made"),
    "reviews": mark("reviews of stories that you decided"),
    "case_overrides": mark("changes to how a server shows a case that you made"),
    "case_proposals": mark("changes to cases that you proposed"),
}

_NEVER = mark(
    "Quash never reads or stores what people write. Nobody else can see what you follow; moderators see "
    "how many found a story not relevant, not who. What belongs to a server (a rule, a feed) stays when you "
    "are forgotten, without your name. When the bot is removed from a server, all of that server is deleted "
    "after 30 days."
)


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Privacy(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the Forget button work, also after a restart."""
    add(bot, services, ForgetButton)


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
class Privacy(commands.GroupCog, name="privacy", description="What is stored about you"):
    """What is stored about oneself."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(description="What Quash has stored about you")
    async def show(self, interaction: discord.Interaction) -> None:
        """Tell what is stored."""
        await interaction.response.defer(ephemeral=True, thinking=True)  # all deliveries are looked through
        async with self.services.database.read() as session:
            found = await privacy.count_about(session, interaction.user.id)
        lines = [labelled(say(KINDS.get(name, name)), f"**{number}**") for name, number in found.items()]
        stored = "\n".join(lines) or say("Nothing at all.")
        hint = say("`/privacy export` gives all of it as a file, `/privacy forget` deletes it.")
        await answer(interaction, panel(say("What is stored about you"), [stored, say(_NEVER), hint]))

    @app_commands.command(description="All that is stored about you, as a file")
    async def export(self, interaction: discord.Interaction) -> None:
        """Give a JSON file."""
        await interaction.response.defer(ephemeral=True, thinking=True)  # it may be thousands of messages
        async with self.services.database.read() as session:
            found = await privacy.rows_about(session, interaction.user.id)
        about = {"user_id": str(interaction.user.id), **found}
        name, content = await asyncio.to_thread(_file_of, about)
        await interaction.followup.send(file=discord.File(io.BytesIO(content), name), ephemeral=True)

    @app_commands.command(description="Delete all that is stored about you")
    async def forget(self, interaction: discord.Interaction) -> None:
        """Ask once, then forget."""
        button: ui.Button[ui.LayoutView] = ui.Button(
            label=say("Forget me"),
            style=discord.ButtonStyle.danger,
            custom_id=f"quash:privacy:forget:{interaction.user.id}",
        )
        text = say("All your subscriptions end, and all that names you is deleted. This cannot be undone.")
        await answer(interaction, panel(say("Forget me?"), [text], buttons=[button]))


def _file_of(about: dict[str, Any]) -> tuple[str, bytes]:
    """Give what is stored as a file, with its name; packed where Discord would not take it else."""
    content = json.dumps(about, ensure_ascii=False, indent=1).encode()
    if len(content) <= _LONGEST_FILE:
        return "quash-about-me.json", content
    return "quash-about-me.json.gz", gzip.compress(content)


class ForgetButton(
    Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:privacy:forget:(?P<owner>[0-9]{1,20})"
):
    """Forgets the one who clicks, whoever was asked."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Delete and say how much it was."""
        await interaction.response.defer()  # others may be writing
        async with self.services.database.write() as session:
            number = await privacy.forget(session, interaction.user.id)
        told = say_number("{number} entry was deleted.", "{number} entries were deleted.", number)
        await interaction.edit_original_response(view=panel(say("You are forgotten"), [told]))
