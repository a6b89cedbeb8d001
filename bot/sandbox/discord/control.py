"""The control API: steers a stand-in from another process, in JSON, below `/control`.

    GET    /control                         addresses, token, whether the bot is connected
    GET    /control/world                   what there is; POST adds (see `worldfile`)
    POST   /control/person/command          {"user", "guild", "channel", "command": "alerts add", "options"}
    POST   /control/person/autocomplete     ... "command", "option", "typed", "options"
    POST   /control/person/click            ... "message", "which"
    POST   /control/person/select           ... "message", "which", "values": []
    POST   /control/person/submit           ... "answer": its id, "values": {}
    POST   /control/person/menu             ... "command", "message" (or "target": a user)
    POST   /control/person/say              ... "content"
    GET    /control/answers/ID              the answer as it stands now
    GET    /control/messages/CHANNEL        ?count=N&timeout=S waits until there are N; &deleted=1
    GET    /control/dms/USER                the same for the DM with the bot
    DELETE /control/messages/CHANNEL/ID     a moderator deletes a message
    GET    /control/requests                ?since=NUMBER&method=POST&path=/channels/*
    GET    /control/violations              faults of request bodies by the API description
    GET    /control/commands                the global commands
    GET    /control/faults                  with how often each struck; POST adds one or a list; DELETE clears
    GET    /control/gateway                 sessions; POST {"do": ...}: reconnect, invalidate (resumable),
                                            drop (code), abort, refuse, accept
    GET    /control/settings                PATCH changes some (see `settings.Settings`)
    POST   /control/guilds/ID               {"do": ...}: join, leave, unavailable, available
    POST   /control/channels/ID             {"do": ...}: delete, archive, unarchive, lock,
                                            overwrite (role or user, allow, deny)
    PATCH  /control/roles/GUILD/ROLE        {"permissions": [...]}; ROLE may be "everyone" or "bot"
    PATCH  /control/users/ID                {"dms_open", "has_app", "locale"}

Ids are text. What Discord's client would not let a person do is answered 409, a wrong request 400; both with
`{"error": ...}`. A file as an option is `{"filename": ..., "text": ...}`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.discord import messages, payloads, permissions, worldfile
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.faults import Fault
from bot.sandbox.discord.interactions import Answer
from bot.sandbox.discord.messages import Upload
from bot.sandbox.discord.model import Channel, Message
from bot.sandbox.discord.options import NotOffered
from bot.sandbox.discord.people import Person
from bot.sandbox.discord.world import World

if TYPE_CHECKING:
    from bot.sandbox.discord.server import StandIn

Handler = Callable[[web.Request], Awaitable[Any]]
ACTS = ("command", "autocomplete", "click", "select", "submit", "menu", "say")


class Control:
    """The control API of one stand-in."""

    def __init__(self, discord: StandIn) -> None:
        self._discord = discord

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to the stand-in's server."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "", self._about),
            ("GET", "/world", self._world),
            ("POST", "/world", self._add_world),
            ("POST", "/person/{act}", self._act),
            ("GET", "/answers/{id}", self._answer),
            ("GET", "/messages/{channel}", self._messages),
            ("GET", "/dms/{user}", self._messages),
            ("DELETE", "/messages/{channel}/{message}", self._delete_message),
            ("GET", "/requests", self._requests),
            ("GET", "/violations", self._violations),
            ("GET", "/commands", self._commands),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._add_faults),
            ("DELETE", "/faults", self._clear_faults),
            ("GET", "/gateway", self._gateway),
            ("POST", "/gateway", self._do_gateway),
            ("GET", "/settings", self._settings),
            ("PATCH", "/settings", self._change_settings),
            ("POST", "/guilds/{guild}", self._do_guild),
            ("POST", "/channels/{channel}", self._do_channel),
            ("PATCH", "/roles/{guild}/{role}", self._change_role),
            ("PATCH", "/users/{user}", self._change_user),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, f"/control{path}", _answering(handler))

    @property
    def _of(self) -> World:
        return self._discord.world

    async def _about(self, request: web.Request) -> Json:
        discord = self._discord
        return {
            "api_url": discord.api_url,
            "gateway_url": discord.gateway_url,
            "control_url": f"{discord.url}/control",
            "token": discord.token,
            "application_id": str(discord.world.application.id),
            "connected": len(discord.gateway.connected),
        }

    async def _world(self, request: web.Request) -> Json:
        return worldfile.dump(self._of)

    async def _add_world(self, request: web.Request) -> Json:
        worldfile.load(self._of, await request.json())
        return worldfile.dump(self._of)

    async def _act(self, request: web.Request) -> Any:
        act = request.match_info["act"]
        if act not in ACTS:
            raise ValueError(f"a person cannot {act}; known are {', '.join(ACTS)}")
        data = await request.json()
        person = self._discord.person(
            int(data["user"]), _number(data.get("guild")), _number(data.get("channel"))
        )
        person.patience = float(data.get("patience", person.patience))
        return await self._do(person, act, data)

    async def _do(self, person: Person, act: str, data: Json) -> Any:
        options = {name: _value(value) for name, value in data.get("options", {}).items()}
        if act == "autocomplete":
            choices = await person.autocomplete(
                data["command"], data["option"], data.get("typed", ""), **options
            )
            return [asdict(choice) for choice in choices]
        if act == "say":
            return message_report(self._of, await person.say(data["content"]))
        if act == "command":
            answer = await person.command(data["command"], forced=data.get("forced", False), **options)
        elif act == "click":
            answer = await person.click(int(data["message"]), data["which"])
        elif act == "select":
            answer = await person.select(int(data["message"]), data["which"], *data["values"])
        elif act == "submit":
            opened = self._discord.state.interactions.get(int(data["answer"])).answer
            answer = await person.submit(opened, {key: _value(each) for key, each in data["values"].items()})
        else:
            answer = await person.menu(data["command"], self._menu_target(person, data))
        return answer_report(self._of, answer)

    def _menu_target(self, person: Person, data: Json) -> Message | int:
        if "target" in data:
            return int(data["target"])
        found = self._of.message(person.place().id, int(data["message"]))
        if found is None:
            raise NotOffered(f"message {data['message']} is not there (or was deleted)")
        return found

    async def _answer(self, request: web.Request) -> Json:
        answer = self._discord.state.interactions.get(int(request.match_info["id"])).answer
        return answer_report(self._of, answer)

    async def _messages(self, request: web.Request) -> list[Any]:
        discord, query = self._discord, request.query
        channel, user = request.match_info.get("channel"), request.match_info.get("user")
        deleted = query.get("deleted") == "1"

        def listed() -> list[Message]:
            if channel is not None:
                return discord.messages(int(channel), deleted=deleted)
            return discord.direct_messages(int(user or 0))

        count = int(query.get("count", 0))
        await discord.state.changes.until(lambda: len(listed()) >= count, float(query.get("timeout", 10)))
        return [message_report(self._of, each) for each in listed()]

    async def _delete_message(self, request: web.Request) -> None:
        found = self._of.message(int(request.match_info["channel"]), int(request.match_info["message"]))
        if found is None:
            raise ValueError("there is no such message")
        messages.delete(self._of, found)

    async def _requests(self, request: web.Request) -> list[Any]:
        query = request.query
        since, method, path = int(query.get("since", 0)), query.get("method", "*"), query.get("path", "*")
        return [
            each.to_json()
            for each in self._discord.requests
            if each.number > since and fnmatchcase(each.method, method) and fnmatchcase(each.path, path)
        ]

    async def _violations(self, request: web.Request) -> list[Any]:
        return [each.to_json() for each in self._discord.violations]

    async def _commands(self, request: web.Request) -> list[Any]:
        return self._discord.commands

    async def _faults(self, request: web.Request) -> list[Any]:
        return [each.to_json() for each in self._discord.faults.rules]

    async def _add_faults(self, request: web.Request) -> list[Any]:
        data = await request.json()
        for each in data if isinstance(data, list) else [data]:
            self._discord.faults.add(Fault.from_json(each))
        return await self._faults(request)

    async def _clear_faults(self, request: web.Request) -> None:
        self._discord.faults.clear()

    async def _gateway(self, request: web.Request) -> Json:
        gateway = self._discord.gateway
        return {
            "sessions": [
                {
                    "id": each.id,
                    "intents": each.intents,
                    "shard": list(each.shard),
                    "seq": each.seq,
                    "connected": each.connection is not None,
                }
                for each in gateway.sessions.values()
            ],
            "log": gateway.log,
            "refusing": gateway.refusing,
        }

    async def _do_gateway(self, request: web.Request) -> Json:
        gateway, data = self._discord.gateway, await request.json()
        what = data["do"]
        if what == "reconnect":
            gateway.ask_reconnect()
        elif what == "invalidate":
            gateway.invalidate(resumable=data.get("resumable", False))
        elif what == "drop":
            await gateway.drop(data.get("code", 1001))
        elif what == "abort":
            gateway.abort()
        elif what in ("refuse", "accept"):
            gateway.refusing = what == "refuse"
        else:
            raise ValueError(f"the gateway cannot {what}")
        return await self._gateway(request)

    async def _settings(self, request: web.Request) -> Json:
        return asdict(self._discord.settings)

    async def _change_settings(self, request: web.Request) -> Json:
        known = {each.name for each in fields(self._discord.settings)}
        data = await request.json()
        if not set(data) <= known:
            raise ValueError(f"no such setting: {', '.join(sorted(set(data) - known))}")
        for name, value in data.items():
            setattr(self._discord.settings, name, value)
        return await self._settings(request)

    async def _do_guild(self, request: web.Request) -> Json:
        world, data = self._of, await request.json()
        guild = world.guilds[int(request.match_info["guild"])]
        what = data["do"]
        if what == "join":
            world.join(guild, data.get("bot_permissions", permissions.BOT_DEFAULT))
        elif what == "leave":
            world.leave(guild)
        elif what in ("unavailable", "available"):
            world.set_unavailable(guild, what == "unavailable")
        else:
            raise ValueError(f"a guild cannot {what}")
        return worldfile.dump(world)

    async def _do_channel(self, request: web.Request) -> Json:
        world, data = self._of, await request.json()
        channel = world.channels[int(request.match_info["channel"])]
        what = data["do"]
        if what == "delete":
            world.remove_channel(channel)
        elif what == "overwrite":
            worldfile.overwrite(world, channel, data)
        elif what in ("archive", "unarchive", "lock"):
            self._set_thread(channel, what)
        else:
            raise ValueError(f"a channel cannot {what}")
        return {"id": str(channel.id), "done": what}

    def _set_thread(self, channel: Channel, what: str) -> None:
        if channel.thread is None:
            raise ValueError(f"channel {channel.id} is no thread")
        locked = what == "lock" or (channel.thread.locked and what == "archive")
        self._of.set_thread(channel, archived=what != "unarchive", locked=locked)

    async def _change_role(self, request: web.Request) -> Json:
        world, data = self._of, await request.json()
        guild = world.guilds[int(request.match_info["guild"])]
        name = request.match_info["role"]
        if name == "bot":
            role = world.bot_role(guild)
        else:
            role = guild.roles[guild.id if name == "everyone" else int(name)]
        world.set_role(guild, role, data["permissions"])
        return {"id": str(role.id), "permissions": permissions.names(role.permissions)}

    async def _change_user(self, request: web.Request) -> Json:
        user = self._of.users[int(request.match_info["user"])]
        for name, value in (await request.json()).items():
            if name not in ("dms_open", "has_app", "locale"):
                raise ValueError(f"{name} of a user cannot be changed")
            setattr(user, name, value)
        return {"id": str(user.id), "dms_open": user.dms_open, "has_app": user.has_app, "locale": user.locale}


def message_report(world: World, message: Message) -> Json:
    """Give a message for a test to read: Discord's JSON, its text, whom it notified, its versions."""
    return payloads.message_json(world, message) | {
        "text": message.text,
        "pings": {
            "everyone": message.pings_everyone,
            "roles": [str(each) for each in message.pings_roles],
            "users": [str(each) for each in message.pings_users],
        },
        "deleted": message.deleted,
        "versions": len(message.history),
    }


def answer_report(world: World, answer: Answer) -> Json:
    """Give an answer for a test to read; `seconds` null: none came in time."""
    return {
        "id": str(answer.interaction_id),
        "kind": answer.kind,
        "seconds": None if math.isinf(answer.seconds) else answer.seconds,
        "ephemeral": answer.ephemeral,
        "deferred": answer.deferred,
        "pending": answer.pending,
        "text": answer.text,
        "messages": [message_report(world, each) for each in answer.messages],
        "updated": None if answer.updated is None else message_report(world, answer.updated),
        "choices": [asdict(each) for each in answer.choices],
        "modal": answer.modal,
    }


def _answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Turn what a handler gives into JSON, and what it refuses into one sentence."""

    async def answer(request: web.Request) -> web.Response:
        try:
            result = await handler(request)
        except NotOffered as error:
            return web.json_response({"error": str(error)}, status=409)
        except (KeyError, ValueError, TypeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        await asyncio.sleep(0)  # let the gateway's writers send what this caused
        return web.json_response(result)

    return answer


def _number(given: Any) -> int | None:
    return None if given is None else int(given)


def _value(given: Any) -> Any:
    if isinstance(given, dict):
        return Upload(given["filename"], given["text"].encode())
    return given
