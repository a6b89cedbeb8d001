"""Who may: configuring needs Manage Server, by default permission and by a check at every use."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.errors import QuashError


class NotAllowedError(QuashError, app_commands.CheckFailure):
    """The person may not do this; says what it takes.

    Also a `CheckFailure`, since discord.py hands nothing else that a check raises to the error handler.
    """


def guild_of(interaction: discord.Interaction) -> int:
    """Give the server that one acts in. Raises `NotAllowedError` outside of servers."""
    if interaction.guild_id is None:
        raise NotAllowedError("This works in a server only; use it there.")
    return interaction.guild_id


def check_may_configure(interaction: discord.Interaction) -> None:
    """Raise unless the one who acts may manage the server they act in.

    Discord tells the permissions with every interaction, so they are those of this moment, whatever a
    message's buttons were made for.
    """
    guild_of(interaction)
    if not interaction.permissions.manage_guild:
        raise NotAllowedError("You need the permission Manage Server for this; ask somebody who has it.")


async def may_configure(interaction: discord.Interaction) -> bool:
    """The same as a check of a cog's commands."""
    check_may_configure(interaction)
    return True


def check_can_post(interaction: discord.Interaction, channel: discord.TextChannel) -> None:
    """Raise unless the bot may post cards in a channel, and the person may see it; says what is missing."""
    person = interaction.user
    if not isinstance(person, discord.Member) or not channel.permissions_for(person).view_channel:
        raise NotAllowedError("You can name only a channel that you can see yourself.")
    has = channel.permissions_for(channel.guild.me)
    missing = [
        name
        for name, there in (
            ("View Channel", has.view_channel),
            ("Send Messages", has.send_messages),
            ("Read Message History", has.read_message_history),
        )
        if not there
    ]
    if missing:
        raise NotAllowedError(
            f"In {channel.mention} I lack {', '.join(missing)}; "
            "give it to me in the channel's settings under Permissions, then try again."
        )
