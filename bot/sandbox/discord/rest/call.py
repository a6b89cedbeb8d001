"""One request as the routes see it, and the table they write themselves into."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.limits import DEFAULT, Limit
from bot.sandbox.discord.messages import Upload
from bot.sandbox.discord.model import Channel, Guild, Message
from bot.sandbox.discord.permissions import VIEW_CHANNEL
from bot.sandbox.discord.state import State
from bot.sandbox.discord.world import World

MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the bot. `path`: the route's parameters; `body`: the JSON, or `payload_json`."""

    state: State
    path: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    uploads: list[Upload] = field(default_factory=list)

    @property
    def world(self) -> World:
        """The stand-in's world."""
        return self.state.world

    @property
    def fields(self) -> Json:
        """The body as an object; refused (50035) if it is something else."""
        return require_object(self.body if self.body is not None else {})

    def id(self, name: str) -> int:
        """Give a parameter of the path that is an id; refused (50035) if it is none."""
        return snowflake(self.path[name], name)

    def number(self, name: str, default: int | None = None) -> int | None:
        """Give a parameter of the query that is a number."""
        return snowflake(self.query[name], name) if self.query.get(name) else default

    def channel(self, name: str = "channel_id") -> Channel:
        """Find the channel of the path: 10003 if there is none, 50001 if the bot does not see it."""
        channel = self.world.channels.get(self.id(name))
        if channel is None:
            raise refusal(10003)
        self.need(channel, 0)
        return channel

    def need(self, channel: Channel, permissions: int) -> None:
        """Refuse unless the bot sees a channel (50001) and has these permissions in it (50013)."""
        has = self.world.permissions_in(channel, self.world.bot_id)
        if not has & VIEW_CHANNEL:
            raise refusal(50001)
        if has & permissions != permissions:
            raise refusal(50013)

    def guild(self) -> Guild:
        """Find the guild of the path: 10004 if there is none, or the bot is not in it."""
        guild = self.world.guilds.get(self.id("guild_id"))
        if guild is None or self.world.bot_id not in guild.members:
            raise refusal(10004)
        return guild

    def message(self, channel: Channel) -> Message:
        """Find the message of the path in a channel (10008)."""
        message = channel.messages.get(self.id("message_id"))
        if message is None or message.deleted:
            raise refusal(10008)
        return message


def require_object(body: object) -> Json:
    """Give a JSON object, or refuse what is none."""
    if not isinstance(body, dict):
        form = Form()
        form.add((), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        form.done()
        raise AssertionError
    return body


def snowflake(value: object, name: str) -> int:
    """Read an id from text or number; refused (50035) under the field's name if it is none."""
    if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
        return int(value)
    form = Form()
    form.add((name,), "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    form.done()
    raise AssertionError


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A route. `limit` None: no bucket. `with_token`: needs the bot's token, and counts globally."""

    method: str
    template: str
    handler: Handler
    limit: Limit | None
    with_token: bool
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """The name of the route's bucket."""
        return f"{self.method} {self.template}"


ROUTES: list[Route] = []


def route(
    method: str, template: str, limit: Limit | None = DEFAULT, *, with_token: bool = True
) -> Callable[[Handler], Handler]:
    """Write a function into the table of routes. It gives the answer's JSON, or None for 204."""

    def register(handler: Handler) -> Handler:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        ROUTES.append(Route(method, template, handler, limit, with_token, pattern))
        # A fixed name in a path ("@me") goes before a parameter that would take it too.
        ROUTES.sort(key=lambda each: each.template.count("{"))
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Find the route of a request and the parameters in its path."""
    for each in ROUTES:
        if each.method == method and (match := each.pattern.fullmatch(path)):
            return each, match.groupdict()
    return None
