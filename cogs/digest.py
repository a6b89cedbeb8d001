"""`/digest`: what one missed, now; and a digest's Show all. Answers are for the asker's eyes, in pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import digests, ids
from bot.alerts.digest_view import digest_counts, matter_text
from bot.alerts.digests import Digest, matters
from bot.intake.services import Services
from bot.words import say
from cogs.clicks import Click, add
from cogs.lookups import viewer
from cogs.pages import ROOM, PageButton, fitting, leaf_buttons, told_range
from cogs.panels import answer, panel, stamp
from db import guilds

_A_PAGE = 5
_AROUND = 250  # characters of a title and a footer
_PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7)}


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return DigestCog(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let Show all and the pages work, also after a restart."""
    PageButton.turners["digest"] = _digest_page
    PageButton.turners["missed"] = _missed_page
    add(bot, services, ShowAllButton)


class DigestCog(commands.Cog, name="Digest"):
    """What one missed."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(description="What you missed: your subscriptions and this server's feeds")
    @app_commands.describe(period="How far back: the last day or week")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def digest(self, interaction: discord.Interaction, period: Literal["day", "week"] = "day") -> None:
        """Answer with what came in the last day or week."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        since = int((self.services.clock() - _PERIODS[period]).timestamp())
        await answer(interaction, await _missed_page(self.services, interaction, (str(since),), 0))


class ShowAllButton(Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.DIGEST):
    """Show all: what a digest tells, in pages."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Answer with the first page."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _digest_page(self.services, interaction, (self.match["id"],), 0))


async def _missed_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], first: int
) -> ui.LayoutView:
    """Give a page of what came since a moment (in seconds since 1970)."""
    since = datetime.fromtimestamp(int(state[0]), UTC)
    subscribed = await digests.subscribed_in(services.database, user_id=interaction.user.id)
    found = await digests.look_back(
        services.database,
        user_id=interaction.user.id,
        guild_id=viewer(interaction).guild_id,
        member_of=await _present(services, interaction, subscribed),
        since=since,
        now=services.clock(),
    )
    title = say("What you missed since {when}", when=stamp(since, "f"))
    if found is None:
        hint = ""
        if services.clock() - since < _PERIODS["week"]:
            hint = say("`/digest period:week` looks further back, `/subscribe` tells you by direct message.")
        return panel(title, [say("Nothing came."), hint])
    return _page(title, found, "missed", interaction.user.id, state, first)


async def _digest_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], first: int
) -> ui.LayoutView:
    """Give a page of a digest that was posted or sent."""
    found = await digests.open_digest(
        services.database,
        delivery_id=int(state[0]),
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
    )
    seen = found.seen_in(await _present(services, interaction, found.guilds))
    title = say("Digest until {when}", when=stamp(found.until, "f"))
    if seen is None:
        return panel(title, [say("You are no longer in the servers whose stories it told.")])
    return _page(title, seen, "digest", interaction.user.id, state, first)


def _page(
    title: str, found: Digest, kind: str, owner: int, state: Sequence[str], first: int
) -> ui.LayoutView:
    told = matters(found)
    first = first if first < len(told) else max(0, len(told) - _A_PAGE)
    blocks = fitting(map(matter_text, told[first : first + _A_PAGE]), ROOM - _AROUND)
    shown = len(blocks)
    buttons = leaf_buttons(kind, owner, state, first, shown, len(told), _A_PAGE)
    footer = [digest_counts(found, told)]
    if len(told) > shown:
        footer.append(told_range(first, shown, len(told), buttons, at_least=found.more))
    if found.followed:
        footer.append(say("★ you follow this"))
    return panel(title, blocks, buttons=buttons, footer=" · ".join(footer))


async def _present(
    services: Services, interaction: discord.Interaction, guild_ids: Collection[int]
) -> set[int]:
    """Give those of these servers that the one who asks is in at this moment.

    Discord is asked, not what this process knows of servers: another one may have the server's shard.
    """
    async with services.database.read() as session:
        joined = await guilds.get_joined(session, guild_ids)
    present: set[int] = set()
    for guild_id in sorted(joined):
        if guild_id != interaction.guild_id:
            try:
                await interaction.client.http.get_member(guild_id, interaction.user.id)
            except (discord.NotFound, discord.Forbidden):
                continue  # not a member, or a server that the bot is not in itself
        present.add(guild_id)
    return present
