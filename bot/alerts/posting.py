"""What the bot needs in a channel for posting there, and what of it is missing: known without a request. And
who may configure a server, where no interaction tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import discord

from bot.words import LANGUAGES, mark, say, speaking

# Permissions by the names that people see in a channel's settings; said in their language.
NAMED = {
    "view_channel": mark("View Channel"),
    "send_messages": mark("Send Messages"),
    "send_messages_in_threads": mark("Send Messages in Threads"),
    "create_public_threads": mark("Create Public Threads"),
    "read_message_history": mark("Read Message History"),
    "manage_threads": mark("Manage Threads"),
}
_TAGS = 5  # that a forum's post takes
# Characters of a tag: https://docs.discord.com/developers/resources/channel#forum-tag-object
_TAG_LENGTH = 20


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
        needed = ["send_messages_in_threads", *(("manage_threads",) if channel.locked else ())]
    else:
        needed = ["send_messages"]
        if threads or isinstance(channel, discord.ForumChannel):
            needed += ["send_messages_in_threads", "read_message_history"]
        if threads and not isinstance(channel, discord.ForumChannel):
            needed.append("create_public_threads")
    if history:
        needed.append("read_message_history")
    return tuple(name for name in dict.fromkeys(needed) if not getattr(mine, name))


def tags_of(forum: discord.ForumChannel) -> dict[str, int]:
    """Give the tags of a forum that the bot may set, by their names."""
    me = forum.guild.me
    all_of_them = me is not None and forum.permissions_for(me).manage_threads
    return {tag.name: tag.id for tag in forum.available_tags if all_of_them or not tag.moderated}


def tags_for(topics: Iterable[str], tags: Mapping[str, int]) -> list[int]:
    """Give the tags that bear the topics' names, at most as many as a post takes."""
    by_name = {_tag_key(name): id for name, id in tags.items()}
    keys = (_tag_key(name) for topic in topics for name in _names_of(topic))
    return list(dict.fromkeys(by_name[key] for key in keys if key in by_name))[:_TAGS]


def tag_named(topic: str) -> str:
    """Give what a topic's tag may be called: as the reader knows it, or in English where that is too long."""
    name = say(topic)
    return name if len(name) <= _TAG_LENGTH else topic


def _names_of(topic: str) -> list[str]:
    """Give what a topic is called in each language that moderators may read it in."""
    names = []
    for language in LANGUAGES:
        with speaking(language):
            names.append(say(topic))
    return names


def _tag_key(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ").strip()


async def configured_by(
    client: discord.Client, guild_id: int, user_id: int, moderator_role: int | None
) -> str | None:
    """Give a server's name if somebody may configure it at this moment, else None.

    Discord is asked; its errors are raised, except those by which it says that there is no such member.
    """
    try:
        guild = client.get_guild(guild_id) or await client.fetch_guild(guild_id)
        member = await guild.fetch_member(user_id)
    except (discord.NotFound, discord.Forbidden):
        return None
    role = moderator_role is not None and member.get_role(moderator_role) is not None
    return guild.name if role or member.guild_permissions.manage_guild else None
