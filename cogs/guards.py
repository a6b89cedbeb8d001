"""Who may: configuring needs Manage Server or the server's own moderator role, checked at every use.

Discord shows the commands to those who have Manage Server (their default permission), and to whom a server
lets them by its own settings (Integrations); the check here holds whatever those say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import cast

import aiohttp
import discord
from discord import app_commands

from bot.alerts.posting import NAMED, configured_by, missing_in, tag_named, tags_for, tags_of
from bot.errors import QuashError
from bot.intake.services import Services
from bot.stories.model import TOPICS
from bot.words import say
from db import guilds

_MOST_ASKED = 20  # channels that Discord is asked about at once


class NotAllowedError(QuashError, app_commands.CheckFailure):
    """The person may not do this; says what it takes.

    Also a `CheckFailure`, since discord.py hands nothing else that a check raises to the error handler.
    """


def guild_of(interaction: discord.Interaction) -> int:
    """Give the server that one acts in.

    Raises `NotAllowedError` outside of servers, and in one that the bot is not in (a user-installed app).
    """
    if interaction.guild_id is None:
        raise NotAllowedError(say("This works in a server only; use it there."))
    if not interaction.is_guild_integration():
        raise NotAllowedError(
            say("Quash is not a member of this server; use this in one where it is, or have it added here.")
        )
    return interaction.guild_id


def services_of(interaction: discord.Interaction) -> Services:
    """Give the services of the client that was acted on."""
    return cast("Services", interaction.client.services)  # type: ignore[attr-defined]  # QuashClient's


async def may(interaction: discord.Interaction) -> bool:
    """Tell whether the one who acts may configure the server they act in.

    Discord tells permissions and roles with every interaction, so they are those of this moment, whatever
    a message's buttons were made for.
    """
    if not interaction.is_guild_integration() or interaction.guild_id is None:
        return False
    if interaction.permissions.manage_guild:
        return True
    person = interaction.user
    if not isinstance(person, discord.Member):
        return False
    async with services_of(interaction).database.read() as session:
        role = await guilds.get_moderator_role(session, interaction.guild_id)
    return role is not None and person.get_role(role) is not None


async def check_may_configure(interaction: discord.Interaction) -> None:
    """Raise unless the one who acts may configure the server they act in."""
    guild_of(interaction)
    if not await may(interaction):
        raise NotAllowedError(_refused())


def _refused() -> str:
    return say(
        "You need the permission Manage Server for this, or the server's moderator role; "
        "ask somebody who has it."
    )


async def configured_here(interaction: discord.Interaction, server: str | None) -> int:
    """Give the server that a click is about: the one where it was made; in a direct message the one that the
    button names. Raises unless the one who clicks may configure it."""
    if interaction.guild_id is not None or server is None:
        await check_may_configure(interaction)
        return guild_of(interaction)
    guild_id = int(server)
    async with services_of(interaction).database.read() as session:
        role = await guilds.get_moderator_role(session, guild_id)
    if await configured_by(interaction.client, guild_id, interaction.user.id, role) is None:
        raise NotAllowedError(_refused())
    return guild_id


async def may_configure(interaction: discord.Interaction) -> bool:
    """The same as a check of commands."""
    await check_may_configure(interaction)
    return True


def trouble_with_channel(
    interaction: discord.Interaction, channel_id: int, *, threads: bool = False
) -> str | None:
    """Say why a channel of this server cannot be named in a rule, None where it can."""
    channel = interaction.guild.get_channel_or_thread(channel_id) if interaction.guild else None
    if not isinstance(channel, discord.TextChannel | discord.ForumChannel | discord.Thread):
        return say("The channel {id} is not in this server, or I cannot see it.", id=channel_id)
    try:
        check_can_post(interaction, channel, threads=threads)
    except NotAllowedError as error:
        return str(error)
    return None


def trouble_with_role(interaction: discord.Interaction, role_id: int) -> str | None:
    """Say why a role cannot be named in this server's configuration, None where it can."""
    guild = interaction.guild
    if guild is None or guild.get_role(role_id) is None:
        return say("The role {id} is not in this server.", id=role_id)
    if role_id == guild.id:
        return say("@everyone cannot be named; choose a role.")
    return None


def trouble_with_mention(guild: discord.Guild | None, role_id: int | None, channel_id: int) -> str:
    """Say why a role would not be notified by a post in a channel, "" where it is or where that is not known.

    Discord shows such a mention and notifies nobody: a role has to allow it, or the bot has to be let mention
    all roles. https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
    """
    if guild is None or role_id is None:
        return ""
    role = guild.get_role(role_id)
    if role is None:
        return say("The role that is to be mentioned is gone; choose another, or none, with `/alerts edit`.")
    channel = guild.get_channel_or_thread(channel_id)
    if role.mentionable or channel is None or channel.permissions_for(guild.me).mention_everyone:
        return ""
    return say(
        "A mention of {role} notifies nobody: let anyone mention the role (Server Settings, Roles), "
        "or give me the permission to mention all roles in {channel}.",
        role=f"<@&{role_id}>",
        channel=f"<#{channel_id}>",
    )


async def find_gone(guild: discord.Guild, channel_ids: Iterable[int]) -> set[int]:
    """Give those channels that are not there, or that the bot does not see.

    Discord tells nothing of threads that sleep: of what is not known it is asked, of a few at a time.
    """
    unknown = [id for id in dict.fromkeys(channel_ids) if guild.get_channel_or_thread(id) is None]
    asked = unknown[:_MOST_ASKED]
    seen = await asyncio.gather(*(_sees(guild, id) for id in asked))
    return {id for id, there in zip(asked, seen, strict=True) if not there}


async def _sees(guild: discord.Guild, channel_id: int) -> bool:
    """Ask Discord whether there is a channel that the bot sees; True where it does not say."""
    try:
        await guild.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return False
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        pass  # it does not say
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
            say("A media channel takes posts with pictures or videos only; choose a forum or a text channel.")
        )
    if isinstance(channel, discord.Thread) and threads:
        raise NotAllowedError(
            say("A thread cannot have threads of its own; choose the channel above it, or `thread: off`.")
        )
    missing = [say(NAMED[name]) for name in missing_in(channel, threads=threads, history=True) or ()]
    if missing:
        raise NotAllowedError(
            say(
                "In {channel} I lack {permissions}; "
                "give it to me in the channel's settings under Permissions, then try again.",
                channel=channel.mention,
                permissions=", ".join(missing),
            )
        )
    if isinstance(channel, discord.ForumChannel):
        tags_in(channel, TOPICS)


def tags_in(forum: discord.ForumChannel, topics: Sequence[str]) -> list[int]:
    """Give the tags that a post about these topics bears in a forum. Raises where the forum wants one on
    every post and has none of these."""
    found = tags_for(topics, tags_of(forum))
    if forum.flags.require_tag and not found:
        raise NotAllowedError(
            say(
                "{channel} wants a tag on every post: give it tags that bear the names of topics "
                "({topics}, …), or switch that demand off.",
                channel=forum.mention,
                topics=", ".join(map(tag_named, (topics or TOPICS)[:3])),
            )
        )
    return found
