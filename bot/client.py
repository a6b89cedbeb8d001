"""The discord.py client: intents, cogs, command sync, and errors told to people.

It asks for guilds alone: no message content, no member list. By itself it takes all shards that Discord
recommends (one is the usual case), or those it is given; where processes share them, `bot.shards` tells it
which to take and to drop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from sqlalchemy.exc import SQLAlchemyError

import cogs
from bot.alerts import absence, fence
from bot.alerts.weather import Weather
from bot.intake.services import Services
from cogs.errors import tell
from cogs.language import CommandTranslator, speak_with
from cogs.limits import check_pace
from db import guilds, notes, turns
from db.engine import is_outage, report

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/events/gateway#rate-limiting: one in 5 s, for each bucket of shards
_SESSION_EVERY = 5.1  # seconds; not all messages take equally long to get there
_SYNC_TAKES = 30.0  # seconds in which one process sends the commands and no other does
_SYNC_AGAIN = 60.0  # seconds before the commands are sent again that Discord did not take
_AT_ONCE = 100  # servers that are remembered in one transaction
_PAUSE = 1.0  # seconds before the database is asked again

# Quash never speaks in a voice channel, so what that would need is no news.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class _Tree(app_commands.CommandTree["QuashClient"]):
    """The command tree: speaks the language of the one who acts; every error ends in `cogs.errors`."""

    async def interaction_check(self, interaction: discord.Interaction[QuashClient], /) -> bool:
        """Speak the language of the one who acts, and refuse only what comes too fast to be read."""
        speak_with(interaction)
        if interaction.type is not discord.InteractionType.autocomplete:
            check_pace(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction[QuashClient], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person."""
        await tell(interaction, error)


class QuashClient(commands.AutoShardedBot):
    """Quash on Discord.

    `shard_ids` (of `shard_count`) are the shards that it takes at once, None: all. With `shares` it takes
    none by itself: see `take_shards`. All servers are taken for told when Discord tells none for
    `servers_within` seconds (discord.py's own figure).
    """

    def __init__(
        self,
        services: Services,
        *,
        api_url: str,
        shard_ids: Sequence[int] | None = None,
        shard_count: int | None = None,
        shares: bool = False,
        servers_within: float = 2.0,
    ) -> None:
        super().__init__(
            shard_ids=list(shard_ids) if shard_ids else None,  # type: ignore[arg-type]  # as by default
            shard_count=shard_count,
            # Slash commands only; there is no text command that a mention could call.
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=_Tree,
            # What works for a person's own installation says so; left open, Discord would decide.
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=servers_within,
            # A longer wait is the delivery loop's to plan, not a sleep inside a request.
            max_ratelimit_timeout=60.0,
            http_trace=(weather := Weather(services.clock)).listen(fence.trace()),
        )
        self.services = services
        self.weather = weather  # what is known of Discord's health
        self.settled = asyncio.Event()  # it is known which servers are this process's to serve
        self.recommended_shards = 1
        self._shares = shares
        self._taken: set[int] = set()
        self._told_of: set[int] = set()  # shards whose servers Discord has listed
        self._connecting = asyncio.Event()
        self._syncing: asyncio.Task[None] | None = None
        Route.BASE = api_url

    async def setup_hook(self) -> None:
        """After the log-in, before the gateway: find the gateway, add the cogs, sync the commands."""
        self.recommended_shards, address, _ = await self.http.get_bot_gateway()
        # discord.py falls back to its built-in address after an invalid session; behind a proxy or on
        # a stand-in that would leave the place that we were told to talk to.
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address)
        await self.tree.set_translator(CommandTranslator())
        await cogs.add_all(self, self.services)
        wait = await self._sync_commands()
        if wait is not None:
            self._syncing = asyncio.create_task(self._sync_later(wait))

    async def close(self) -> None:
        """End all connections."""
        if self._syncing is not None:
            self._syncing.cancel()
        await super().close()

    async def _sync_later(self, wait: float | None) -> None:
        """Try again to send the commands until Discord takes them; what is to be posted does not wait."""
        while wait is not None:
            await asyncio.sleep(wait)
            try:
                wait = await self._sync_commands()
            except (SQLAlchemyError, aiohttp.ClientError, OSError) as error:
                report(error, "sending the commands")
                wait = _SYNC_AGAIN

    async def _sync_commands(self) -> float | None:
        """Send the commands to Discord when they differ from those sent last (200 creates a day), or when it
        keeps others by now: another program had the same token.

        Gives in how many seconds to try again where Discord does not take them now, or another process sends
        them.
        """
        translator = self.tree.translator or CommandTranslator()
        payload = [
            await command.get_translated_payload(self.tree, translator)
            for command in self.tree.get_commands()
        ]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        name = f"commands:{self.application_id}"
        async with self.services.database.read() as session:
            sent = await notes.get(session, name) or ""
        try:
            if sent.startswith(digest) and sent == f"{digest} {await self._kept_commands()}":
                return None
        except (discord.HTTPException, discord.RateLimited):
            return None  # nothing says that they are others
        async with self.services.database.write() as session:
            if busy := await turns.take(session, name, 0.0):
                return busy  # another process is at it
            if (await notes.get(session, name) or "") != sent:
                return _PAUSE  # another process was
            await turns.take(session, name, _SYNC_TAKES)
        try:
            await self.tree.sync()
            sent = f"{digest} {await self._kept_commands()}"
        except (discord.HTTPException, discord.RateLimited) as error:
            wait = max(_SYNC_AGAIN, error.retry_after if isinstance(error, discord.RateLimited) else 0.0)
            _log.error(
                "Discord does not take the commands (%s); those sent last stay, the next try is in %.0f s",
                error,
                wait,
            )
            return wait
        async with self.services.database.write() as session:
            await notes.put(session, name, sent)
            await turns.give_back(session, name, 0.0)
        _log.info("%d commands were sent to Discord", len(payload))
        return None

    async def _kept_commands(self) -> str:
        """Give a mark of the commands that Discord keeps at present: each has a version of its own."""
        kept = await self.http.get_global_commands(self.application_id or 0)
        versions = sorted((command["id"], command["version"]) for command in kept)
        return hashlib.sha256(json.dumps(versions).encode()).hexdigest()

    # ------------------------------------------------------------- shards

    async def launch_shards(self) -> None:
        """Connect the shards that are this process's by itself (discord.py calls it once)."""
        self._connecting.set()
        if not self._shares:
            await super().launch_shards()

    async def take_shards(self, shard_ids: Collection[int], shard_count: int) -> None:
        """Connect further shards of so many; ends when all of them are connected."""
        await self._connecting.wait()
        state = self._connection
        self.shard_count = state.shard_count = shard_count
        self._taken.update(shard_ids)
        # What discord.py counts to tell when it is ready; those that it is waiting for are among them.
        state.shard_ids = sorted({*state._ready_tasks, *shard_ids})
        for shard_id in sorted(shard_ids):
            try:
                await self.launch_shard(DiscordWebSocket.DEFAULT_GATEWAY, shard_id)
            except asyncio.CancelledError:  # of this shard alone, where it was dropped meanwhile
                task = asyncio.current_task()
                if shard_id in self._taken or task is None or task.cancelling():
                    raise

    async def drop_shard(self, shard_id: int) -> None:
        """Leave a shard to another process, and forget its servers."""
        self._taken.discard(shard_id)
        shard = self.get_shard(shard_id)
        if shard is not None:
            await shard.disconnect()
        for guild in self.guilds:
            if guild.shard_id == shard_id:
                self._connection._remove_guild(guild)

    @property
    def shards_away(self) -> tuple[int, ...]:
        """The shards that are this process's and that are not connected at present."""
        known = self.shards
        expected = self._taken if self._shares else set(known) or {0}
        return tuple(sorted(n for n in expected if n not in known or known[n].is_closed()))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until a session may be begun: Discord's budgets hold for all processes together."""
        number = shard_id or 0
        while not self._shares or number in self._taken:
            try:
                limits = await self.fetch_session_start_limits()
            except discord.RateLimited as error:  # discord.py would end everything
                await asyncio.sleep(error.retry_after)
                continue
            if limits.remaining <= 0:
                wait = limits.reset_after / 1000
                _log.error("Discord lets no session begin for another %.0f s (1,000 in a day)", wait)
            else:
                asked = fence.now()
                try:
                    async with self.services.database.write() as session:
                        bucket = f"identify:{number % limits.max_concurrency}"
                        wait = await turns.take(session, bucket, _SESSION_EVERY)
                except (SQLAlchemyError, OSError) as error:
                    report(error, "asking for a turn to identify")
                    wait = _PAUSE
                else:
                    await asyncio.sleep(wait)
                    if fence.now() < asked + wait + _SESSION_EVERY / 2:
                        return
                    wait = 0.0  # held up until another's turn: it needs one anew
            await asyncio.sleep(wait)
        # discord.py ends the connection of this shard quietly, and no other.
        raise asyncio.CancelledError

    async def on_ready(self) -> None:
        """Say that the bot is there."""
        self.settled.set()
        _log.info("on Discord as %s, in %d servers", self.user, len(self.guilds))

    async def on_shard_ready(self, shard_id: int) -> None:
        """Remember the servers of a shard: not one transaction each, they may be thousands."""
        known = self._servers_of(shard_id)
        for start in range(0, len(known), _AT_ONCE):
            await self._remember(*known[start : start + _AT_ONCE])
        self._told_of.add(shard_id)
        count = self.shard_count or 1
        await absence.notice_absence(
            self.services.database,
            lambda: self._servers_of(shard_id),
            lambda id: (id >> 22) % count == shard_id and (not self._shares or shard_id in self._taken),
            self.services.clock,
        )

    def _servers_of(self, shard_id: int) -> list[int]:
        return [guild.id for guild in self.guilds if guild.shard_id == shard_id]

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Remember a server that comes later than its shard, after an outage."""
        if guild.shard_id in self._told_of:
            await self._remember(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Remember a server that the bot was added to; what it had before is there again."""
        await self._remember(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was removed; the settings stay for 30 days. An outage does not come here."""

        async def leave() -> None:
            if self.get_guild(guild.id) is None:  # and was not added again meanwhile
                await absence.leave(self.services.database, guild.id, self.services.clock)

        await _until_stored(leave)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log an error of an event, without a traceback on standard error; the database tells of its own."""
        error = sys.exc_info()[1]
        if error is None or not is_outage(error):
            _log.exception("an error while handling %s", event_method)

    async def _remember(self, *guild_ids: int) -> None:
        async def remember() -> None:
            async with self.services.database.write() as session:
                for guild_id in guild_ids:
                    if self.get_guild(guild_id) is not None:  # and was not left meanwhile
                        await guilds.remember(session, guild_id, self.services.clock())

        await _until_stored(remember)


async def _until_stored(store: Callable[[], Awaitable[None]]) -> None:
    """Store what Discord tells once: what the database cannot take now, when it is back."""
    while True:
        try:
            await store()
        except (SQLAlchemyError, OSError) as error:
            if not is_outage(error):
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return
