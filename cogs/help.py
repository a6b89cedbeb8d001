"""`/help`: the way in."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.intake.services import Services
from bot.words import mark, say
from cogs.guards import may
from cogs.panels import answer, panel

_FOR_ALL = mark(
    """\
**Look something up**
`/latest` the newest stories · `/search` by words · `/case` one matter with its timeline · \
`/demands` who asked whom for people's data, and where it stands · `/party` an agency, company or account · \
`/trends` a chart · `/explain` what the words mean · `/analyse` what Quash makes of one page"""
)

_FOR_MEMBERS = mark(
    """\
**Be told**
`/subscribe topic|party|case|search`: a direct message when there is news, at once, daily or weekly. \
`/subscriptions` shows, changes and ends your own · `/digest` what you missed. Nobody else can see what you \
follow; `/privacy` shows and deletes what is stored about you."""
)

_ON_CARDS = mark(
    """\
**On every post**
**Follow case** tells you when it goes on · **Evidence** shows the sentence each claim rests on · \
**Not relevant** tells the moderators, without your name"""
)

_FOR_MODERATORS = mark(
    """\
**Set it up** (Manage Server)
1. `/feeds catalogue` or `/feeds add`: what is watched
2. `/setup`: a channel, topics, now or as a digest; `/alerts` for everything finer
`/why` tells what became of a story, `/status` whether all is well, `/deliveries` what waits, \
`/settings` time zone, language, quiet hours, `/audit` who changed what."""
)


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Help()


class Help(commands.Cog):
    """The way in."""

    @app_commands.command(description="What Quash does and how to start")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def help(self, interaction: discord.Interaction) -> None:
        """Answer with the way in; moderators see how to set it up."""
        intro = say(
            "Quash watches news feeds for demands for people's data and for surveillance, and says "
            "who asked whom for what, and where it stands."
        )
        blocks = [intro, say(_FOR_ALL), say(_FOR_MEMBERS), say(_ON_CARDS)]
        if await may(interaction):
            blocks.append(say(_FOR_MODERATORS))
        await answer(interaction, panel("Quash", blocks))
