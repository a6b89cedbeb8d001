"""`/feeds add|list|remove`: what is watched for a server. For those who may manage it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.alerts.foreign import host, safe_text
from bot.feeds.reports import ListedFeed
from bot.intake.services import Services
from cogs.guards import NotAllowedError, guild_of, may_configure
from cogs.panels import answer, panel, stamp


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Feeds(services)


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Feeds(commands.GroupCog, group_name="feeds", group_description="Which feeds this server watches"):
    """The feeds of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Every command here configures the server."""
        return await may_configure(interaction)

    @app_commands.command(description="Watch a feed: its address, or the address of a site that has one")
    @app_commands.describe(address="The address of a feed or of a site's page")
    async def add(self, interaction: discord.Interaction, address: app_commands.Range[str, 1, 2000]) -> None:
        """Add a feed; it is looked at once, so this can take as long as its server does."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        added = await self.services.feeds.add(
            address, guild_id=guild_of(interaction), added_by=interaction.user.id
        )
        title = "Feed added" if added.feed_id is not None else "Which feed?"
        blocks = [safe_text(added.reason, 500)]
        blocks += [
            f"`{c.url.replace('`', '')[:300]}` {safe_text(c.title, 80)}" for c in added.candidates[:10]
        ]
        await answer(interaction, panel(title, blocks))

    @app_commands.command(name="list", description="The feeds of this server, with state and next look")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List the feeds."""
        feeds = await self.services.feeds.list(guild_id=guild_of(interaction))
        none = "There is none yet; `/feeds add` adds one."
        await answer(interaction, panel("Feeds", [_line(feed) for feed in feeds] or [none]))

    @app_commands.command(description="Stop watching a feed for this server")
    @app_commands.describe(feed="The feed's number, as /feeds list shows it")
    async def remove(self, interaction: discord.Interaction, feed: app_commands.Range[int, 1]) -> None:
        """Remove a feed from this server; its stories stay for the servers that still use it."""
        if not await self.services.feeds.remove(feed, guild_id=guild_of(interaction)):
            raise NotAllowedError(f"This server watches no feed #{feed}; `/feeds list` shows those it does.")
        await answer(interaction, panel("Feed removed", [f"#{feed} is no longer watched for this server."]))

    @remove.autocomplete("feed")
    async def _feeds(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
        if interaction.guild_id is None or not interaction.permissions.manage_guild:
            return []
        listed = await self.services.feeds.list(guild_id=interaction.guild_id)
        named = [(feed.id, f"#{feed.id} {feed.title or host(feed.url)}") for feed in listed]
        fitting = [(number, name) for number, name in named if str(typed).casefold() in name.casefold()]
        return [app_commands.Choice(name=name[:100], value=number) for number, name in fitting[:25]]


def _line(feed: ListedFeed) -> str:
    name = safe_text(feed.title or host(feed.url), 80)
    facts = [safe_text(host(feed.url), 60)]
    if feed.failure:
        facts.append(f"⚠ {safe_text(feed.failure, 160)}")
    if feed.last_change_at:
        facts.append(f"last change {stamp(feed.last_change_at, 'R')}")
    if feed.state != "active":
        facts.append(feed.state)
    elif feed.next_look:
        facts.append(f"next look {stamp(feed.next_look, 'R')}")
    return f"**#{feed.id}** {name}\n-# {' · '.join(facts)}"
