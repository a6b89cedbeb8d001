"""`quash demo`: the whole bot on this machine alone. Sample feeds, a Discord on loopback, no token.

A moderator sets the bot up, a member subscribes, and a week goes by day by day. What is shown is what
stands on the stand-in Discord.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import sys
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from rich.console import Console
from rich.text import Text
from sqlalchemy import func, select

from bot import app, logs
from bot.clock import utc_now
from bot.errors import QuashError
from bot.sandbox import Answer, Message, NotOffered, Person, StandIn
from bot.sandbox.show.terminal import print_message
from bot.sandbox.web import SampleWeb
from bot.settings import Settings
from db.engine import Database
from db.tables import DeliveryRow, EntryRow

_LOOKUPS = (
    ("latest", {"count": 3}),
    ("case", {"name": "@ALT_USCIS"}),
    ("demands", {"issuer": "DHS"}),
    ("search", {"query": "geofence warrant"}),
)
_SUB_COMMAND = 1  # Discord's number for such an option
_A_DAY = 60.0  # seconds that a sample day may take; the usual one takes two or three


class DemoError(QuashError):
    """The demo did not get as far as it should."""


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the demo: by itself to its end with `--once`, else with a prompt for look-ups."""
    logs.set_up("ERROR", settings.log_format)
    with tempfile.TemporaryDirectory(prefix="quash-demo-") as folder:
        return asyncio.run(_run(arguments, settings, f"sqlite+aiosqlite:///{folder}/demo.db"))


async def _run(arguments: argparse.Namespace, settings: Settings, database_url: str) -> int:
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        discord = await stack.enter_async_context(StandIn())
        try:
            web = await stack.enter_async_context(SampleWeb(utc_now(), port=arguments.port))
        except OSError as error:
            raise DemoError(
                f"--port: 127.0.0.1:{arguments.port} cannot be listened on "
                f"({os.strerror(error.errno) if error.errno else error}); name another port, or none."
            ) from error
        demo = _Demo(discord, web, Database(database_url))
        stack.push_async_callback(demo.database.close)
        bot = asyncio.create_task(app.run(_own(settings, discord, database_url), stop=stop))
        show = asyncio.create_task(demo.play(once=arguments.once))
        try:
            await asyncio.wait({bot, show}, return_when=asyncio.FIRST_COMPLETED)
            if bot.done():  # it was told to end (Ctrl-C), or failed
                show.cancel()
                bot.result()
            else:
                show.result()
        finally:
            stop.set()
            with contextlib.suppress(asyncio.CancelledError):
                await bot
    return 0


def _own(settings: Settings, discord: StandIn, database_url: str) -> Settings:
    """Give the settings of the demo: everything on loopback, a week in a minute; of the operator's, the
    log's form alone: shards or limits of another bot are none of the demo's."""
    return replace(
        Settings(log_format=settings.log_format),
        discord_token=discord.token,
        discord_api_url=discord.api_url,
        database_url=database_url,
        feed_interval=1,
        feed_interval_min=1,
        fetch_allow_networks=(ip_network("127.0.0.0/8"),),
    )


class _Demo:
    def __init__(self, discord: StandIn, web: SampleWeb, database: Database) -> None:
        self.discord = discord
        self.web = web
        self.database = database
        self.console = Console(highlight=False)
        world = discord.world
        self.guild = world.add_guild("Quash demo")
        self.channel = world.add_channel(self.guild, "alerts")
        moderator, member = world.add_user("moderator"), world.add_user("member")
        role = world.add_role(self.guild, "moderators", ("manage_guild",))
        world.add_member(self.guild, moderator, role)
        world.add_member(self.guild, member)
        self.moderator = discord.person(moderator.id, self.guild.id, self.channel.id)
        self.member = discord.person(member.id, self.guild.id, self.channel.id)
        self._shown: dict[int, int] = {}  # message id -> versions shown

    async def play(self, *, once: bool) -> None:
        """Set up, let the week go by, answer look-ups."""
        await self.discord.wait_ready(30)
        self._say("Quash is on a Discord of its own, on this machine alone. A moderator sets it up.")
        for url in self.web.feed_urls:
            await self._run(self.moderator, "feeds add", address=url)
        await self._run(self.moderator, "alerts add", channel=self.channel, relevance=0.5)
        await self._run(self.member, "subscribe topic", topic="legal-demands")
        for day in range(1, self.web.last_day + 1):
            self._say(f"Day {day} of {self.web.last_day}")
            self.web.turn_to(day)
            await self._day_is_over()
        self._say("The week is over. A member looks things up.")
        for name, options in _LOOKUPS:
            await self._run(self.member, name, **options)
        if not once:
            await self._prompt()

    async def _day_is_over(self) -> None:
        """Show posts as they are made, until everything that was published is dealt with."""
        try:
            async with asyncio.timeout(_A_DAY):
                while not await self._all_done():
                    self._show_new()
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise DemoError("The bot did not deal with the sample feeds in time.") from error
        self._show_new()

    async def _all_done(self) -> bool:
        async with self.database.read() as session:
            stored = await session.scalar(select(func.count()).select_from(EntryRow))
            waiting = await session.scalar(
                select(func.count()).select_from(EntryRow).where(EntryRow.state == "new")
            )
            owed = await session.scalar(
                select(func.count())
                .select_from(DeliveryRow)
                .where(
                    DeliveryRow.state.in_(("due", "sending", "failed")),
                    DeliveryRow.kind != "edit",
                    DeliveryRow.due_at <= utc_now(),  # what is gathered for later is no business of today
                )
            )
        return stored == len(self.web.published()) and not waiting and not owed

    def _show_new(self) -> None:
        for message in self.discord.messages(self.channel.id):
            self._show(message, f"#{self.channel.name}")
        for message in self.discord.direct_messages(self.member.user_id):
            self._show(message, "direct message to member")

    def _show(self, message: Message, where: str) -> None:
        versions = len(message.history) or 1
        if self._shown.get(message.id) == versions:
            return
        what = f"{where} · edited" if message.id in self._shown else where
        self._shown[message.id] = versions
        print_message(self.console, self.discord.world, message, what)

    async def _run(self, who: Person, name: str, /, **options: Any) -> Answer:
        shown = " ".join(f"{key}:{_words(value)}" for key, value in options.items())
        user = self.discord.world.users[who.user_id].name
        self._say(f"{user}: /{name} {shown}")
        answer = await who.command(name, **options)
        if not answer.messages:
            raise DemoError(f"The bot did not answer /{name}.")
        for message in answer.messages:
            print_message(self.console, self.discord.world, message, "only for " + user)
        return answer

    async def _prompt(self) -> None:
        """Answer look-ups as a person types them, until "quit" or the end of input."""
        self._say("Type a look-up, such as /case @ALT_USCIS or /demands issuer:DHS; quit ends.")
        lines = _typed_lines()
        while line := await lines.get():
            typed = line.strip().lstrip("/").strip()
            if typed in ("quit", "exit", "q"):
                return
            if typed:
                try:
                    name, options = _parsed(typed, self.discord.commands)
                    await self._run(self.member, name, **options)
                except (NotOffered, ValueError, DemoError) as error:
                    self._say(str(error))
            self._show_new()

    def _say(self, sentence: str) -> None:
        self.console.print(Text(f"» {sentence}", style="bold cyan"))


def _typed_lines() -> asyncio.Queue[str]:
    """Read standard input, to "" at its end, in a thread that no end of the program waits for."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

    def read() -> None:
        line = "..."
        while line:
            line = sys.stdin.readline()
            with contextlib.suppress(RuntimeError):  # the demo has ended meanwhile
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _words(value: object) -> str:
    return f"#{value.name}" if hasattr(value, "name") else str(value)


def _parsed(typed: str, commands: list[dict[str, Any]]) -> tuple[str, dict[str, str]]:
    """Read a typed look-up, by what the bot's commands take: "demands issuer:DHS status:withdrawn".

    What names no option goes on with the one before, or is the first: "case @ALT_USCIS".
    """
    name, *words = shlex.split(typed)
    options = _options(commands, name)
    if words and words[0] in options and options[words[0]]["type"] == _SUB_COMMAND:
        options = _options(options.values(), words[0])
        name = f"{name} {words.pop(0)}"
    given: dict[str, str] = {}
    option = next(iter(options), "name")
    for word in words:
        named, _, value = word.partition(":")
        if named in options:
            option, word = named, value
        given[option] = f"{given.get(option, '')} {word}".strip()
    return name, given


def _options(commands: Iterable[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    found = (each.get("options", ()) for each in commands if each["name"] == name)
    return {option["name"]: option for option in next(found, ())}
