"""A small town on the stand-in, and the plainest client of the real library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import discord
from discord import app_commands

from bot.sandbox import Channel, Guild, Person, StandIn, User

DESCRIPTION = Path(__file__).parents[3] / "shared" / "discord-openapi.json"
OPENAPI = DESCRIPTION if DESCRIPTION.exists() else None


class Bot(discord.Client):
    """The plainest client with a command tree; `setup` adds to it before it connects."""

    def __init__(self, setup: Callable[[Bot], Awaitable[None]] | None = None, **more: object) -> None:
        intents = more.pop("intents", discord.Intents(guilds=True))
        super().__init__(intents=intents, guild_ready_timeout=0.05, **more)  # type: ignore[arg-type]
        self.tree = app_commands.CommandTree(self)
        self.seen: list[str] = []
        self.failures: list[BaseException] = []
        self._setup = setup

        @self.tree.error
        async def note(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
            self.failures.append(error)

    async def setup_hook(self) -> None:
        if self._setup is not None:
            await self._setup(self)
        await self.tree.sync()

    async def ready(self, running: asyncio.Task[None]) -> None:
        """Wait until it is ready; raises what ended it instead."""
        while not self.is_ready():
            if running.done():
                running.result()
            await asyncio.sleep(0.01)

    async def on_socket_event_type(self, name: str) -> None:
        self.seen.append(name)


class Town:
    """A stand-in with one guild, a channel, a moderator and a member."""

    def __init__(self, discord_: StandIn) -> None:
        world = discord_.world
        self.discord = discord_
        self.world = world
        self.guild: Guild = world.add_guild("Digital Rights")
        self.channel: Channel = world.add_channel(self.guild, "alerts")
        self.mod: User = world.add_user("mod")
        self.member: User = world.add_user("member")
        self.mods = world.add_role(self.guild, "moderators", ("manage_guild",))
        world.add_member(self.guild, self.mod, self.mods)
        world.add_member(self.guild, self.member)

    def person(self, user: User | None = None, channel: Channel | None = None) -> Person:
        return self.discord.person(user or self.mod, self.guild, channel or self.channel)

    def dm(self, user: User | None = None) -> Person:
        return self.discord.person(user or self.member)


Join = Callable[..., Awaitable[Bot]]
