"""A world as JSON: to begin a stand-in with, to add to one, and to read what is there.

    {"users": [{"id": "1", "name": "mod", "locale": "de", "dms_open": true, "has_app": false}],
     "guilds": [{"id": "10", "name": "Digital Rights", "owner": "1", "locale": "en-US", "bot": true,
                 "bot_permissions": ["view_channel", "send_messages"],
                 "roles": [{"id": "11", "name": "moderators", "permissions": ["manage_guild"]}],
                 "members": [{"user": "1", "roles": ["11"]}],
                 "channels": [{"id": "12", "name": "alerts", "type": "text", "parent": null, "tags": [],
                               "overwrites": [{"role": "11", "allow": [], "deny": ["send_messages"]}]}]}]}

Ids are text or numbers and may be left out; permissions are names or a bit set.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import permissions
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.model import CHANNEL_TYPES, Channel, Guild, Role, User
from bot.sandbox.discord.world import World

_KINDS = {number: name for name, number in CHANNEL_TYPES.items()}


def load(world: World, data: Json) -> None:
    """Add to a world what a file describes; raises KeyError or ValueError for what does not fit."""
    for each in data.get("users", ()):
        user = world.add_user(
            each["name"],
            id=_number(each.get("id")),
            locale=each.get("locale", "en-US"),
            dms_open=each.get("dms_open", True),
            has_app=each.get("has_app", False),
        )
        world.users[user.id] = user
    for each in data.get("guilds", ()):
        _load_guild(world, each)


def _load_guild(world: World, data: Json) -> None:
    owner = _number(data.get("owner"))
    guild = world.add_guild(
        data["name"],
        id=_number(data.get("id")),
        owner=None if owner is None else world.users[owner],
        locale=data.get("locale", "en-US"),
        everyone=_permissions(data.get("everyone"), permissions.EVERYONE_DEFAULT),
        bot=data.get("bot", True),
        bot_permissions=_permissions(data.get("bot_permissions"), permissions.BOT_DEFAULT),
    )
    for each in data.get("roles", ()):
        world.add_role(
            guild,
            each["name"],
            _permissions(each.get("permissions"), 0),
            id=_number(each.get("id")),
            mentionable=each.get("mentionable", False),
        )
    for each in data.get("members", ()):
        roles = [guild.roles[int(role)] for role in each.get("roles", ())]
        world.add_member(guild, world.users[int(each["user"])], *roles, nick=each.get("nick"))
    for each in data.get("channels", ()):
        _load_channel(world, guild, each)


def _load_channel(world: World, guild: Guild, data: Json) -> None:
    parent = _number(data.get("parent"))
    channel = world.add_channel(
        guild,
        data["name"],
        data.get("type", "text"),
        id=_number(data.get("id")),
        parent=None if parent is None else guild.channels[parent],
        topic=data.get("topic"),
        tags=tuple(data.get("tags", ())),
        tag_required=data.get("tag_required", False),
    )
    for each in data.get("overwrites", ()):
        overwrite(world, channel, each)


def overwrite(world: World, channel: Channel, data: Json) -> None:
    """Set what a channel allows or denies to a `role` or a `user` (`everyone`: the whole guild)."""
    allow, deny = _permissions(data.get("allow"), 0), _permissions(data.get("deny"), 0)
    world.set_overwrite(channel, _target(world, channel, data), allow, deny)


def _target(world: World, channel: Channel, data: Json) -> Role | User:
    if "user" in data:
        return world.users[int(data["user"])]
    guild = world.guilds[int(channel.guild_id or 0)]
    role = data.get("role", "everyone")
    if role == "bot":
        return world.bot_role(guild)
    return guild.roles[guild.id if role == "everyone" else int(role)]


def _permissions(given: Any, default: int) -> int:
    return default if given is None else permissions.bits(given)


def _number(given: Any) -> int | None:
    return None if given is None else int(given)


def dump(world: World) -> Json:
    """Give a world as JSON, messages and commands left out."""
    return {
        "application": {"id": str(world.application.id), "bot": str(world.bot_id)},
        "users": [
            {
                "id": str(user.id),
                "name": user.name,
                "bot": user.bot,
                "locale": user.locale,
                "dms_open": user.dms_open,
                "has_app": user.has_app,
            }
            for user in world.users.values()
        ],
        "guilds": [_dump_guild(world, guild) for guild in world.guilds.values()],
    }


def _dump_guild(world: World, guild: Guild) -> Json:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner": str(guild.owner_id),
        "bot": world.bot_id in guild.members,
        "unavailable": guild.unavailable,
        "roles": [
            {"id": str(role.id), "name": role.name, "permissions": permissions.names(role.permissions)}
            for role in guild.roles.values()
        ],
        "members": [
            {"user": str(member.user_id), "roles": [str(role) for role in member.roles]}
            for member in guild.members.values()
        ],
        "channels": [
            {
                "id": str(channel.id),
                "name": channel.name,
                "type": _KINDS[channel.type],
                "parent": None if channel.parent_id is None else str(channel.parent_id),
                "archived": channel.thread.archived if channel.thread else None,
                "messages": sum(not message.deleted for message in channel.messages.values()),
            }
            for channel in guild.channels.values()
        ],
    }
