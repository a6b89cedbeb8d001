"""The discord.py client: intents, cogs, command sync, and errors told to people.

It asks for guilds alone: no message content, no member list. Shards are shared out as Discord
recommends; one shard is the usual case.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

import cogs
from bot.intake.services import Services
from cogs.errors import tell
from cogs.language import CommandTranslator, speak_with
from db import guilds, notes

_log = logging.getLogger(__name__)

# Quash never speaks in a voice channel, so what that would need is no news.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class _Tree(app_commands.CommandTree["QuashClient"]):
    """The command tree: speaks the language of the one who acts; every error ends in `cogs.errors`."""

    async def interaction_check(self, interaction: discord.Interaction[QuashClient], /) -> bool:
        """Refuse nothing (commands have checks of their own); speak the language of the one who acts."""
        speak_with(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction[QuashClient], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person."""
        await tell(interaction, error)


class QuashClient(commands.AutoShardedBot):
    """Quash on Discord."""

    def __init__(self, services: Services, *, api_url: str) -> None:
        super().__init__(
            # Slash commands only; there is no text command that a mention could call.
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=_Tree,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            # A longer wait is the delivery loop's to plan, not a sleep inside a request.
            max_ratelimit_timeout=60.0,
        )
        self.services = services
        Route.BASE = api_url

    async def setup_hook(self) -> None:
        """After the log-in, before the gateway: find the gateway, add the cogs, sync the commands."""
        _, address, _ = await self.http.get_bot_gateway()
        # discord.py falls back to its built-in address after an invalid session; behind a proxy or on
        # a stand-in that would leave the place that we were told to talk to.
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address)
        await self.tree.set_translator(CommandTranslator())
        await cogs.add_all(self, self.services)
        await self._sync_commands()

    async def _sync_commands(self) -> None:
        """Send the commands to Discord when they differ from those sent last (200 creates a day)."""
        translator = self.tree.translator or CommandTranslator()
        payload = [
            await command.get_translated_payload(self.tree, translator)
            for command in self.tree.get_commands()
        ]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        name = f"commands:{self.application_id}"
        async with self.services.database.read() as session:
            known = await notes.get(session, name)
        if known == digest:
            return
        await self.tree.sync()
        async with self.services.database.write() as session:
            await notes.put(session, name, digest)
        _log.info("%d commands were sent to Discord", len(payload))

    async def on_ready(self) -> None:
        """Say that the bot is there."""
        _log.info("on Discord as %s, in %d servers", self.user, len(self.guilds))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Remember a server that the bot is in."""
        await self._remember(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Remember a server that the bot was added to; what it had before is there again."""
        await self._remember(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was removed; the settings stay for 30 days. An outage does not come here."""
        async with self.services.database.write() as session:
            await guilds.mark_left(session, guild.id, self.services.clock())

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log an error of an event, without a traceback on standard error."""
        _log.exception("an error while handling %s", event_method)

    async def _remember(self, guild: discord.Guild) -> None:
        async with self.services.database.write() as session:
            await guilds.remember(session, guild.id, self.services.clock())
