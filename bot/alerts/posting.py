"""What the bot needs in a channel for posting there, and what of it is missing: known without a request."""

from __future__ import annotations

import discord

# Permissions by the names that people see in a channel's settings.
NAMED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
    "read_message_history": "Read Message History",
}


def missing_in(channel: object, *, threads: bool, history: bool = False) -> tuple[str, ...] | None:
    """Give the permissions that posting takes and that are not there; None where nothing is known.

    `threads`: for a rule that opens a thread for each case. `history`: with what it takes to find again what
    was posted, which is asked for when a rule is made.
    """
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread) or channel.guild.me is None:
        return None
    mine = channel.permissions_for(channel.guild.me)
    if not mine.view_channel:  # without it, all others are gone too
        return ("view_channel",)
    if isinstance(channel, discord.Thread):
        needed = ["send_messages_in_threads"]
    else:
        needed = ["send_messages"]
        if threads or isinstance(channel, discord.ForumChannel):
            needed += ["send_messages_in_threads", "read_message_history"]
        if threads and not isinstance(channel, discord.ForumChannel):
            needed.append("create_public_threads")
    if history:
        needed.append("read_message_history")
    return tuple(name for name in dict.fromkeys(needed) if not getattr(mine, name))
