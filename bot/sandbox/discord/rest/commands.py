"""Application commands, of the whole application and of one guild, and who may use them."""

from __future__ import annotations

import copy
from typing import Any

from bot.sandbox.discord import commands
from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.limits import Limit
from bot.sandbox.discord.rest.call import Call, require_object, route

GLOBAL = "/applications/{application_id}/commands"
GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


def _scope(call: Call) -> dict[int, Json]:
    if call.id("application_id") != call.world.application.id:
        raise refusal(50001)
    if "guild_id" not in call.path:
        return call.world.commands[None]
    return call.world.commands.setdefault(call.guild().id, {})


def _build(call: Call, body: Json, old: Json | None) -> Json:
    """Make the command that Discord keeps out of what the bot sent (and the one that it changes)."""
    kind = body.get("type") or (old["type"] if old else commands.CHAT_INPUT)
    number = call.world.ids.next()
    made: Json = {
        "id": old["id"] if old else str(number),
        "application_id": str(call.world.application.id),
        "version": str(number),
        "type": kind,
        "name": "",
        "description": "",
        "name_localizations": None,
        "description_localizations": None,
        "default_member_permissions": None,
        "nsfw": False,
    }
    if "guild_id" in call.path:
        made["guild_id"] = call.path["guild_id"]
    else:
        made |= {"integration_types": [0], "contexts": None, "dm_permission": True}
    made |= {key: value for key, value in (old or {}).items() if key not in ("version",)}
    for key in (*made, "options"):
        if key in body and key not in ("id", "application_id", "version", "guild_id", "type"):
            made[key] = copy.deepcopy(body[key])
    made["description"] = made["description"] or ""
    needed = made["default_member_permissions"]
    made["default_member_permissions"] = None if needed is None else str(needed)
    if made.get("integration_types") is None:
        made.pop("integration_types", None)
    return made


def _unchanged(old: Json, new: Json) -> bool:
    return {key: value for key, value in old.items() if key != "version"} == {
        key: value for key, value in new.items() if key != "version"
    }


def _count_creates(call: Call, number: int) -> None:
    state, now = call.state, call.world.now()
    recent = [each for each in state.command_creates if each > now - 86_400]
    if len(recent) + number > state.settings.command_creates_per_day:
        raise refusal(30034)
    state.command_creates = recent + [now] * number


@route("GET", GLOBAL)
@route("GET", GUILD)
def listed(call: Call) -> list[Any]:
    """List the commands; localised texts only when asked for."""
    found = list(_scope(call).values())
    if call.query.get("with_localizations", "").lower() in ("true", "1"):
        return found
    return [
        {key: value for key, value in each.items() if not key.endswith("_localizations")} for each in found
    ]


@route("PUT", GLOBAL, Limit(5, 20.0))
@route("PUT", GUILD, Limit(5, 20.0))
def overwrite(call: Call) -> list[Any]:
    """Replace all commands: those with the same type and name keep their id."""
    scope = _scope(call)
    bodies = [require_object(body) for body in call.body or []]
    form = Form()
    commands.check_all(form, bodies)
    form.done()
    old = {(each["type"], each["name"]): each for each in scope.values()}
    made = [_build(call, body, None) for body in bodies]
    _count_creates(call, sum((each["type"], each["name"]) not in old for each in made))
    for each in made:
        same = old.get((each["type"], each["name"]))
        if same:
            each["id"] = same["id"]
            each["version"] = same["version"] if _unchanged(same, each) else each["version"]
    scope.clear()
    scope.update({int(each["id"]): each for each in made})
    return made


@route("POST", GLOBAL, Limit(5, 20.0))
@route("POST", GUILD, Limit(5, 20.0))
def create(call: Call) -> Json:
    """Add a command, or replace the one of the same type and name."""
    scope, body = _scope(call), call.fields
    form = Form()
    commands.check(form, (), body)
    form.done()
    made = _build(call, body, None)
    same = next(
        (each for each in scope.values() if (each["type"], each["name"]) == (made["type"], made["name"])),
        None,
    )
    if same:
        made["id"] = same["id"]
    else:
        commands.check_number([*scope.values(), made])
        _count_creates(call, 1)
    scope[int(made["id"])] = made
    return made


def _one(call: Call) -> tuple[dict[int, Json], Json]:
    scope = _scope(call)
    found = scope.get(call.id("command_id"))
    if found is None:
        raise refusal(10063)
    return scope, found


@route("GET", GLOBAL + "/{command_id}")
@route("GET", GUILD + "/{command_id}")
def one(call: Call) -> Json:
    """Give one command."""
    return _one(call)[1]


@route("PATCH", GLOBAL + "/{command_id}", Limit(5, 20.0))
@route("PATCH", GUILD + "/{command_id}", Limit(5, 20.0))
def change(call: Call) -> Json:
    """Change one command."""
    scope, old = _one(call)
    made = _build(call, call.fields, old)
    form = Form()
    commands.check(form, (), made)
    form.done()
    scope[int(made["id"])] = made
    return made


@route("DELETE", GLOBAL + "/{command_id}", Limit(5, 20.0))
@route("DELETE", GUILD + "/{command_id}", Limit(5, 20.0))
def delete(call: Call) -> None:
    """Delete one command."""
    scope, old = _one(call)
    del scope[int(old["id"])]


@route("GET", GUILD + "/permissions")
def all_permissions(call: Call) -> list[Any]:
    """List what a guild's moderators set about who may use which command: here they set nothing."""
    call.guild()
    return []


@route("GET", GUILD + "/{command_id}/permissions")
def command_permissions(call: Call) -> Json:
    """Refuse (10066), as Discord does where moderators set nothing about a command."""
    call.guild()
    raise refusal(10066)
