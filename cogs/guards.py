"""Who may: configuring needs Manage Server, by default permission and by a check at every use."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.errors import QuashError
from bot.stories.model import TOPICS
from bot.words import say


class NotAllowedError(QuashError, app_commands.CheckFailure):
    """The person may not do this; says what it takes.

    Also a `CheckFailure`, since discord.py hands nothing else that a check raises to the error handler.
    """


def guild_of(interaction: discord.Interaction) -> int:
    """Give the server that one acts in. Raises `NotAllowedError` outside of servers."""
    if interaction.guild_id is None:
        raise NotAllowedError(say("This works in a server only; use it there."))
    return interaction.guild_id


def check_may_configure(interaction: discord.Interaction) -> None:
    """Raise unless the one who acts may manage the server they act in.

    Discord tells the permissions with every interaction, so they are those of this moment, whatever a
    message's buttons were made for.
    """
    guild_of(interaction)
    if not interaction.permissions.manage_guild:
        raise NotAllowedError(say("You need the permission Manage Server for this; ask somebody who has it."))


async def may_configure(interaction: discord.Interaction) -> bool:
    """The same as a check of a cog's commands."""
    check_may_configure(interaction)
    return True


def check_can_post(
    interaction: discord.Interaction,
    channel: discord.TextChannel | discord.ForumChannel | discord.Thread,
    *,
    threads: bool = False,
) -> None:
    """Raise unless the bot may post cards in a channel, and the person may see it; says what is missing.

    `threads`: each case is to have a thread there.
    """
    person = interaction.user
    if not isinstance(person, discord.Member) or not channel.permissions_for(person).view_channel:
        raise NotAllowedError(say("You can name only a channel that you can see yourself."))
    if isinstance(channel, discord.ForumChannel) and channel.is_media():
        raise NotAllowedError(
            "A media channel takes posts with pictures or videos only; choose a forum or a text channel."
        )
    if isinstance(channel, discord.Thread) and threads:
        raise NotAllowedError(
            "A thread cannot have threads of its own; choose the channel above it, or `thread: off`."
        )
    missing = _missing(channel, channel.permissions_for(channel.guild.me), threads)
    if missing:
        raise NotAllowedError(
            f"In {channel.mention} I lack {', '.join(missing)}; "
            "give it to me in the channel's settings under Permissions, then try again."
        )
    _check_tags(channel)


def _missing(
    channel: discord.TextChannel | discord.ForumChannel | discord.Thread,
    has: discord.Permissions,
    threads: bool,
) -> list[str]:
    in_thread = isinstance(channel, discord.Thread)
    needed = {
        "View Channel": has.view_channel,
        "Send Messages": has.send_messages or in_thread,
        "Send Messages in Threads": has.send_messages_in_threads or not (threads or in_thread),
        "Create Public Threads": has.create_public_threads
        or not threads
        or isinstance(channel, discord.ForumChannel),
        "Read Message History": has.read_message_history,
    }
    return [name for name, there in needed.items() if not there]


def _check_tags(channel: discord.TextChannel | discord.ForumChannel | discord.Thread) -> None:
    """Raise where a forum wants a tag on every post and has none that a story's topic could be."""
    if not isinstance(channel, discord.ForumChannel) or not channel.flags.require_tag:
        return
    names = {tag.name.casefold().replace(" ", "-") for tag in channel.available_tags}
    if not names & set(TOPICS):
        raise NotAllowedError(
            f"{channel.mention} wants a tag on every post: give it tags that bear the names of topics "
            f"({', '.join(TOPICS[:3])}, …), or switch that demand off."
        )
