"""The option that names a channel to post in: text, announcements, threads, forums.

Media channels are left out: discord.py offers them wherever it offers forums, Discord's API description does
not know them as an option's type, and a case's reports do not fit into one.
"""

from __future__ import annotations

import discord
from discord import app_commands

from bot.words import say
from cogs.guards import NotAllowedError

Postable = discord.TextChannel | discord.ForumChannel | discord.Thread

TYPES = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.news_thread,
    discord.ChannelType.public_thread,
    discord.ChannelType.private_thread,
    discord.ChannelType.forum,
]


class PostableChannel(app_commands.Transformer):
    """Reads the option as a channel that the bot has in its view."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """A channel."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """Those that posts can go to."""
        return TYPES

    async def transform(self, interaction: discord.Interaction, value: object, /) -> Postable:
        """Give the channel itself. Raises `NotAllowedError` where the bot does not see it."""
        found = value
        if isinstance(value, app_commands.AppCommandChannel | app_commands.AppCommandThread):
            found = value.resolve()
        if not isinstance(found, discord.TextChannel | discord.ForumChannel | discord.Thread):
            raise NotAllowedError(say("I cannot see that channel; let me view it, or choose another."))
        return found
