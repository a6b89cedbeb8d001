"""The stand-in itself: a web server on loopback with Discord's REST routes, gateway and files."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.sandbox.discord.control import Control
from bot.sandbox.discord.errors import ApiError, Json, not_found, refusal, unauthorized
from bot.sandbox.discord.faults import GATEWAY, Fault, Faults
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.journal import Journal, Recorded, Violation
from bot.sandbox.discord.limits import CLOUDFLARE_BAN, Limiter, Verdict, too_many
from bot.sandbox.discord.messages import Host, Upload
from bot.sandbox.discord.model import Channel, Guild, Message, User
from bot.sandbox.discord.options import id_of
from bot.sandbox.discord.people import Person
from bot.sandbox.discord.rest import account, channels, commands, guilds, interactions, messages
from bot.sandbox.discord.rest.body import BAD_JSON, read
from bot.sandbox.discord.rest.call import MAJOR, Call, Route, find
from bot.sandbox.discord.settings import Settings
from bot.sandbox.discord.state import Changes, SessionStarts, State
from bot.sandbox.discord.validate import Description
from bot.sandbox.discord.world import World

API = "/api/v10"
T = TypeVar("T")
# The route modules write themselves into the table when they are imported.
ROUTE_MODULES = (account, channels, commands, guilds, interactions, messages)


class StandIn:
    """A Discord of one's own on loopback; an async context manager.

    `token`: the bot's; any other is answered 401. `openapi`: Discord's description of its API (OpenAPI
    3.1); with it, every request body is checked and what it does not allow goes to `violations`.
    `enforce_limits`: answer 429 past Discord's limits. `port` 0: any free one. `now`: the clock, in seconds
    since 1970. `seed`: of the faults' probabilities.
    """

    def __init__(
        self,
        token: str = "stand-in.token.of-no-use",  # noqa: S107 - opens nothing but this stand-in
        openapi: Path | None = None,
        enforce_limits: bool = False,
        port: int = 0,
        *,
        now: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        self.settings = Settings(enforce_limits=enforce_limits)
        self.world = World(now)
        self.journal = Journal()
        self.faults = Faults(random.Random(seed))  # noqa: S311 - no secret hangs on it
        self.state = State(
            token,
            self.world,
            self.settings,
            Limiter(self.settings, time.time),
            Interactions(now, time.monotonic),
            Changes(),
            SessionStarts(self.settings.session_starts),
            Host("", self.settings.upload_bytes),
        )
        self.gateway = Gateway(self.state)
        self._description = Description.load(openapi) if openapi else None
        self._port = port
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to listen on 127.0.0.1."""
        app = web.Application(client_max_size=128 * 1024 * 1024)
        app.router.add_get("/gateway", self._serve_gateway)
        app.router.add_get("/gateway/resume", self._serve_gateway)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self._serve_attachment)
        Control(self).add_routes(app)
        app.router.add_route("*", "/api/{version}/{path:.*}", self._serve_api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self.state.host = Host(self.url, self.settings.upload_bytes)
        self.state.gateway_url = f"ws://127.0.0.1:{self._port}/gateway"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        self._stopping.set()
        await self.gateway.drop(1012)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # What tests read.

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.state.token

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """What the bot is given as `DISCORD_API_URL`."""
        return f"{self.url}{API}"

    @property
    def gateway_url(self) -> str:
        """The gateway's address (the bot asks `GET /gateway/bot` for it)."""
        return self.state.gateway_url

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, oldest first."""
        return list(self.journal.requests)

    @property
    def violations(self) -> list[Violation]:
        """Every fault of a request body by Discord's description of its API."""
        return self.journal.violations

    @property
    def commands(self) -> list[Json]:
        """The commands that the bot registered for everywhere."""
        return list(self.world.commands[None].values())

    def messages(self, channel_id: int, *, deleted: bool = False) -> list[Message]:
        """List a channel's messages, oldest first."""
        channel = self.world.channels[channel_id]
        return [each for each in channel.messages.values() if deleted or not each.deleted]

    def direct_messages(self, user_id: int) -> list[Message]:
        """List the messages between the bot and a user, oldest first."""
        channel = self.world.dms.get(user_id)
        return self.messages(channel.id) if channel else []

    def person(
        self,
        user_id: User | int,
        guild_id: Guild | int | None = None,
        channel_id: Channel | int | None = None,
    ) -> Person:
        """Give a person to act as, in a guild's channel or (both None) in the DM with the bot."""
        guild, channel = (None if each is None else id_of(each) for each in (guild_id, channel_id))
        return Person(self.state, self.gateway, id_of(user_id), guild, channel)

    async def wait_for(self, predicate: Callable[[StandIn], T], timeout: float = 10.0) -> T:
        """Wait until `predicate` gives something true, and give that; TimeoutError after `timeout` s."""
        value = await self.state.changes.until(lambda: predicate(self), timeout)
        if not value:
            last = "; ".join(f"{each.method} {each.path} {each.status}" for each in self.requests[-5:])
            raise TimeoutError(
                f"it did not come true within {timeout} s; the last requests: {last or 'none'}"
            )
        return value

    async def wait_ready(self, timeout: float = 20.0) -> None:
        """Wait until the bot is connected to the gateway."""
        await self.wait_for(lambda discord: discord.gateway.connected, timeout)

    # Serving.

    async def _serve_gateway(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.draw("GET", GATEWAY, b"")
        if fault is not None and (struck := await self._strike(request, fault)) is not None:
            return struck
        return await self.gateway.serve(request)

    async def _serve_attachment(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["id"]
        found = self.world.attachments.get(int(number)) if number.isdigit() else None
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=found.content, headers={"Content-Type": found.content_type})

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        entry = self.journal.open(request.method, path, dict(request.query), time.time())
        began = time.perf_counter()
        try:
            return await self._answer(request, path, entry)
        finally:
            entry.seconds = time.perf_counter() - began
            self.state.changes.notify()

    async def _answer(self, request: web.Request, path: str, entry: Recorded) -> web.StreamResponse:
        raw, body, uploads = await read(request)
        entry.body = raw.decode(errors="replace") if body is BAD_JSON else body
        entry.files = [each.filename for each in uploads]
        fault = self.faults.draw(request.method, path, raw)
        if fault is not None:
            entry.fault = fault.effect
            if fault.when == "before" and (struck := await self._strike(request, fault, entry)) is not None:
                return struck
        response = self._carry_out(request, path, body, uploads, entry)
        if fault is not None and fault.when == "after":
            self.state.changes.notify()
            if fault.effect == "cut":
                return await _cut(request, response)
            if (struck := await self._strike(request, fault, entry)) is not None:
                return struck
        return response

    def _carry_out(
        self, request: web.Request, path: str, body: Any, uploads: list[Upload], entry: Recorded
    ) -> web.Response:
        found = find(request.method, path)
        headers: dict[str, str] = {}
        try:
            if self.state.limiter.banned:
                return self._cloudflare(entry)
            if found is None or request.match_info["version"] != "v10":
                raise not_found()
            route, parameters = found
            if route.with_token and request.headers.get("Authorization") != f"Bot {self.state.token}":
                raise unauthorized()
            verdict = self._limit(route, parameters)
            headers = verdict.headers
            if verdict.refusal is not None:
                return self._reply(entry, 429, verdict.refusal, headers)
            if body is BAD_JSON:
                raise refusal(50109)
            self._check(request.method, path, body, entry)
            result = route.handler(Call(self.state, parameters, dict(request.query), body, uploads))
        except ApiError as error:
            return self._reply(entry, error.status, error.body(), headers)
        return self._reply(entry, 204 if result is None else 200, result, headers)

    def _limit(self, route: Route, parameters: dict[str, str]) -> Verdict:
        if route.limit is None:
            return Verdict({})
        major = "+".join(parameters[name] for name in MAJOR if name in parameters)
        return self.state.limiter.take(route.name, major, route.limit, counts_globally=route.with_token)

    def _check(self, method: str, path: str, body: Any, entry: Recorded) -> None:
        if self._description is not None and body is not None:
            for pointer, problem in self._description.problems(method, path, body):
                self.journal.violations.append(Violation(entry.number, method, path, pointer, problem))

    def _reply(self, entry: Recorded, status: int, body: Any, headers: dict[str, str]) -> web.Response:
        entry.status = status
        entry.code = body.get("code", 0) if isinstance(body, dict) and status >= 400 else 0
        self.state.limiter.count_answer(status, headers.get("X-RateLimit-Scope"))
        all_headers = {"Via": "1.1 google", **headers}
        if body is None:
            return web.Response(status=status, headers=all_headers)
        # discord.py reads JSON only where the content type is exactly this.
        all_headers["Content-Type"] = "application/json"
        return web.Response(status=status, body=json.dumps(body).encode(), headers=all_headers)

    def _cloudflare(self, entry: Recorded | None) -> web.Response:
        if entry is not None:
            entry.status = 429
        self.state.limiter.count_answer(429, None)
        return web.Response(
            status=429, text=CLOUDFLARE_BAN, content_type="text/html", headers={"Retry-After": "10"}
        )

    async def _strike(
        self, request: web.Request, fault: Fault, entry: Recorded | None = None
    ) -> web.StreamResponse | None:
        """Do what a fault does; None where the request goes on."""
        entry = entry or Recorded(0, request.method, request.path, {}, None, [], time.time())
        if fault.effect == "delay":
            await self._pause(fault.seconds)
            return None
        if fault.effect == "cloudflare":
            return self._cloudflare(entry)
        if fault.effect == "ratelimit":
            verdict = too_many(fault.scope, fault.seconds, fault.code)
            return self._reply(entry, 429, verdict.refusal, verdict.headers)
        if fault.effect == "status":
            if fault.html:
                entry.status = fault.status
                text = f"<html><body><h1>{fault.status}</h1></body></html>"
                return web.Response(status=fault.status, text=text, content_type="text/html")
            message = fault.message or f"{fault.status}: injected"
            return self._reply(entry, fault.status, {"message": message, "code": fault.code}, {})
        if fault.effect == "stall":
            while request.transport is not None and not request.transport.is_closing():
                if await self._pause(0.2):
                    break
        entry.status = 0
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _pause(self, seconds: float) -> bool:
        """Wait; True at once when the stand-in stops."""
        try:
            return await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False


async def _cut(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Send the first half of an answer and break the connection."""
    full = response.body if isinstance(response.body, bytes) else b""
    cut = web.StreamResponse(
        status=response.status, headers={**response.headers, "Content-Length": str(len(full) + 2)}
    )
    await cut.prepare(request)
    await cut.write(full[: len(full) // 2])
    await asyncio.sleep(0.02)  # let the half leave before the connection breaks
    if request.transport is not None:
        request.transport.abort()
    return cut
