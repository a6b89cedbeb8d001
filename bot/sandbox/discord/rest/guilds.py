"""Guilds, their channels, roles and members, as far as a bot reads them."""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import payloads
from bot.sandbox.discord.errors import Json, refusal
from bot.sandbox.discord.rest.call import Call, route


@route("GET", "/guilds/{guild_id}")
def guild(call: Call) -> Json:
    """Give a guild."""
    found = call.guild()
    data = payloads.guild_json(call.world, found)
    if call.query.get("with_counts") in ("true", "1"):
        data |= {"approximate_member_count": len(found.members), "approximate_presence_count": 1}
    return data


@route("GET", "/guilds/{guild_id}/channels")
def channels(call: Call) -> list[Any]:
    """List a guild's channels, without threads."""
    found = call.guild()
    return [
        payloads.channel_json(call.world, each) for each in found.channels.values() if each.thread is None
    ]


@route("GET", "/guilds/{guild_id}/threads/active")
def active_threads(call: Call) -> Json:
    """List a guild's threads that are not archived and that the bot sees."""
    seen = [
        each
        for each in call.guild().channels.values()
        if each.thread and not each.thread.archived and call.world.permissions_in(each, call.world.bot_id)
    ]
    mine = [each for each in seen if each.thread and call.world.bot_id in each.thread.members]
    return {
        "threads": [payloads.channel_json(call.world, each) for each in seen],
        "members": [payloads.thread_member_json(each, call.world.bot_id) for each in mine],
        "has_more": False,
    }


@route("GET", "/guilds/{guild_id}/roles")
def roles(call: Call) -> list[Any]:
    """List a guild's roles."""
    return [payloads.role_json(role) for role in call.guild().roles.values()]


@route("GET", "/guilds/{guild_id}/roles/member-counts")
def member_counts(call: Call) -> Json:
    """Count the members of each role, @everyone left out."""
    guild = call.guild()
    counts = {str(role): 0 for role in guild.roles if role != guild.id}
    for member in guild.members.values():
        for role in member.roles:
            counts[str(role)] += 1
    return counts


@route("GET", "/guilds/{guild_id}/roles/{role_id}")
def role(call: Call) -> Json:
    """Give a role (10011)."""
    found = call.guild().roles.get(call.id("role_id"))
    if found is None:
        raise refusal(10011)
    return payloads.role_json(found)


@route("GET", "/guilds/{guild_id}/members/{user_id}")
def member(call: Call) -> Json:
    """Give a member (10007; 10013 for a user that does not exist)."""
    user_id = call.id("user_id")
    found = call.guild().members.get(user_id)
    if found is None:
        raise refusal(10007 if user_id in call.world.users else 10013)
    return payloads.member_json(call.world, found)
