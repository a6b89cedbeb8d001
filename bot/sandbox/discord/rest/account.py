"""The bot itself: its user, its application, the gateway's address, DM channels."""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import payloads
from bot.sandbox.discord.errors import Json, refusal
from bot.sandbox.discord.limits import Limit
from bot.sandbox.discord.rest.call import Call, route, snowflake


@route("GET", "/gateway", with_token=False)
def gateway(call: Call) -> Json:
    """Give the gateway's address."""
    return {"url": call.state.gateway_url}


@route("GET", "/gateway/bot", Limit(2, 5.0))
def gateway_bot(call: Call) -> Json:
    """Give the gateway's address, how many shards to use and how many sessions may still be begun."""
    settings, starts, now = call.state.settings, call.state.starts, call.world.now()
    oldest = min((each for each in starts.used if each > now - 86_400), default=now)
    return {
        "url": call.state.gateway_url,
        "shards": settings.shards,
        "session_start_limit": {
            "total": starts.total,
            "remaining": max(0, starts.left(now)),
            "reset_after": int((oldest + 86_400 - now) * 1000),
            "max_concurrency": settings.max_concurrency,
        },
    }


@route("GET", "/users/@me")
def own_user(call: Call) -> Json:
    """Give the bot's user."""
    return payloads.own_user_json(call.world.users[call.world.bot_id])


@route("GET", "/users/{user_id}")
def user(call: Call) -> Json:
    """Give any user (10013 if unknown)."""
    found = call.world.users.get(call.id("user_id"))
    if found is None:
        raise refusal(10013)
    return payloads.user_json(found)


@route("GET", "/users/@me/guilds")
def own_guilds(call: Call) -> list[Any]:
    """List the guilds that the bot is in, 200 a page."""
    after, limit = call.number("after", 0) or 0, call.number("limit", 200) or 200
    guilds = sorted(
        (
            each
            for each in call.world.guilds.values()
            if call.world.bot_id in each.members and each.id > after
        ),
        key=lambda guild: guild.id,
    )
    return [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": "0",
            "features": [],
        }
        for guild in guilds[:limit]
    ]


@route("GET", "/applications/@me")
@route("GET", "/oauth2/applications/@me")
def application(call: Call) -> Json:
    """Give the bot's application."""
    return payloads.application_json(call.world)


@route("POST", "/users/@me/channels", Limit(10, 10.0))
def open_dm(call: Call) -> Json:
    """Give the DM channel with a user; whether one may write there shows when one does (50007, 50278)."""
    recipient = snowflake(call.fields.get("recipient_id"), "recipient_id")
    found = call.world.users.get(recipient)
    if found is None or found.id == call.world.bot_id:
        raise refusal(50033)
    return payloads.channel_json(call.world, call.world.dm_with(recipient))
