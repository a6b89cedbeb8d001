"""`/deliveries`, `/status`, `/audit`: what waits or failed, how all stands, who changed what."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot import __version__
from bot.alerts import actions, ids, waiting
from bot.alerts.foreign import feed_label, safe_text
from bot.alerts.waiting import ListedDelivery
from bot.feeds.reports import ListedFeed
from bot.feeds.rhythm import shown_duration
from bot.intake import changes
from bot.intake.guild_feeds import Who
from bot.intake.services import Services
from bot.intake.why_checks import KINDS
from bot.words import labelled, mark, retell, say, say_duration, say_number
from cogs.clicks import Click, add
from cogs.feeds import guild_feeds
from cogs.guards import (
    NotAllowedError,
    check_may_configure,
    configured_here,
    find_gone,
    guild_of,
    may_configure,
    trouble_with_mention,
)
from cogs.pages import PageButton, fitting, page_buttons
from cogs.panels import answer, panel, stamp
from cogs.rules import unheard
from cogs.why import trouble_in
from db import audit, figures, why
from db.rules import get_rule

State = Literal["waiting", "failed", "dead"]

_A_PAGE = 5  # deliveries, with two buttons each
_AUDIT_PAGE = 8
_FAILING = 8  # feeds that are named
_TROUBLES = 10  # channels that are named
_ROOM_OF_FEEDS, _ROOM_OF_CHANNELS = 1300, 1800  # characters of those, so that one leaves room for the other
_DAY = timedelta(hours=24)
_SKEW = timedelta(minutes=1)  # between Discord's clock and the bot's

_STATES = {
    "waiting": mark("waits"),
    "failed": mark("failed, is tried again"),
    "dead": mark("given up"),
}
# What an audit row can say was done (`db.audit.note` and its callers).
ACTIONS = (
    mark("rule added"),
    mark("rule changed"),
    mark("rule paused"),
    mark("rule resumed"),
    mark("rule removed"),
    mark("feed added"),
    mark("feed removed"),
    mark("feed paused"),
    mark("feed resumed"),
    mark("feeds imported"),
    mark("settings changed"),
    mark("delivery sent again"),
    mark("delivery dropped"),
    mark("review approved"),
    mark("review rejected"),
    mark("review merged"),
    mark("review summary edited"),
    mark("source excluded"),
    mark("suggestion dismissed"),
    mark("case renamed"),
    mark("case status set"),
    mark("case merge proposed"),
    mark("case split proposed"),
)


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Operations(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let pages and buttons work, also after a restart."""
    PageButton.turners["deliveries"] = _deliveries_page
    PageButton.turners["audit"] = _audit_page
    add(bot, services, DeliveryButton, OpenDeliveries, RuleButton, FeedButton)


class Operations(commands.Cog):
    """How the bot's work stands in a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(description="What is waiting, failed or was given up in this server's channels")
    @app_commands.describe(state="Only these (default: all)")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def deliveries(self, interaction: discord.Interaction, state: State | None = None) -> None:
        """List the deliveries."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _deliveries_page(self.services, interaction, [state or ""], 0))

    @app_commands.command(
        description="How everything stands: feeds, what is waiting, delays, missing permissions"
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def status(self, interaction: discord.Interaction) -> None:
        """Tell how all stands."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _status(self.services, interaction))

    @app_commands.command(description="Who changed what in this server's settings, and when")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def audit(self, interaction: discord.Interaction) -> None:
        """List the changes, newest first."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _audit_page(self.services, interaction, [], 0))


# ------------------------------------------------------------------------ /deliveries


async def _deliveries_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    await check_may_configure(interaction)
    wanted = state[0] if state else ""
    found = await waiting.list_deliveries(services.database, guild_of(interaction), wanted)
    if not found:
        none = say("Nothing waits, nothing failed. `/why` tells what became of a story.")
        return panel(say("Deliveries"), [none])
    page = min(page, (len(found) - 1) // _A_PAGE)
    shown = found[page * _A_PAGE : (page + 1) * _A_PAGE]
    buttons: list[ui.Item[Any]] = []
    for one in shown:
        buttons += _buttons(one, wanted, page)
    buttons += page_buttons("deliveries", interaction.user.id, [wanted], page, len(found), _A_PAGE)
    footer = say_number("{number} delivery", "{number} deliveries", len(found))
    if len(found) >= waiting.SHOWN:
        footer += f" {say('… and more.')}"
    return panel(say("Deliveries"), map(_delivery, shown), buttons=buttons, footer=footer)


def _delivery(one: ListedDelivery) -> str:
    kind = say(KINDS.get(one.kind, one.kind))
    title = safe_text(one.title, 150)
    facts = [*([kind] if title else []), f"<#{one.channel_id}>", f"**{say(_STATES[one.state])}**"]
    facts.append(say("due {when}", when=stamp(one.due_at, "R")))
    if one.attempts:
        facts.append(say_number("{number} try", "{number} tries", one.attempts))
    lines = [f"**#{one.id}** {title or kind}", f"-# {' · '.join(facts)}"]
    if one.reason:
        lines.append(f"⚠ {safe_text(retell(one.reason), 300)}")
    return "\n".join(lines)


def _buttons(one: ListedDelivery, state: str, page: int) -> Iterator[ui.Item[Any]]:
    if one.state == "dead":
        yield ui.Button(
            label=say("Send again #{number}", number=one.id),
            style=discord.ButtonStyle.primary,
            custom_id=f"quash:delivery:again:{one.id}:{page}:{state}",
        )
    yield ui.Button(
        label=say("Drop #{number}", number=one.id),
        style=discord.ButtonStyle.danger,
        custom_id=f"quash:delivery:drop:{one.id}:{page}:{state}",
    )


class DeliveryButton(
    Click,
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"quash:delivery:(?P<do>again|drop):(?P<id>[0-9]{1,18}):(?P<page>[0-9]{1,3}):(?P<state>[a-z]*)",
):
    """Send again, or Drop: the first moderator who clicks wins, others are told."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do it and show what is left."""
        await check_may_configure(interaction)
        await interaction.response.defer()
        do = waiting.send_again if self.match["do"] == "again" else waiting.drop
        await do(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            delivery_id=int(self.match["id"]),
            now=self.services.clock(),
        )
        self.services.wake()
        state = self.match["state"] if self.match["state"] in waiting.STATES else ""
        view = await _deliveries_page(self.services, interaction, [state], int(self.match["page"]))
        await interaction.edit_original_response(view=view)


class OpenDeliveries(Click, ui.DynamicItem[ui.Button[ui.View]], template=r"quash:deliveries:open"):
    """Opens the list for a moderator, from a note about a channel."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Show the list."""
        await check_may_configure(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _deliveries_page(self.services, interaction, [""], 0))


class RuleButton(
    Click,
    ui.DynamicItem[ui.Button[ui.View]],
    template=r"quash:rule:(?P<do>pause|change):(?P<id>[0-9]{1,18})(?::(?P<made>[0-9]{1,12}))?"
    + ids.OF_SERVER,
):
    """Pauses a rule, or says how to change it, from a note about it (`bot.intake.operations`).

    `made`: when the rule was made, in seconds, since its number may have become another's.
    """

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, for moderators of the rule's own server."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = await configured_here(interaction, self.match["server"])
        rule_id = int(self.match["id"])
        database = self.services.database
        await self._check_there(guild_id, rule_id)
        if self.match["do"] == "pause":
            await actions.pause_rule(
                database,
                guild_id=guild_id,
                user_id=interaction.user.id,
                rule_id=rule_id,
                now=self.services.clock(),
            )
            title = say("Rule paused")
            told = say("Rule #{number} rests until `/alerts resume`.", number=rule_id)
        else:
            title = say("Rule #{number}", number=rule_id)
            told = say(
                "`/alerts preview` shows what the last 30 days would have brought, `/alerts edit` changes "
                "what it asks for, `/why` tells why a story did not come."
            )
        await answer(interaction, panel(title, [told]))

    async def _check_there(self, guild_id: int, rule_id: int) -> None:
        async with self.services.database.read() as session:
            rule = await get_rule(session, guild_id, rule_id)
        made = self.match["made"]
        if rule is None or (made is not None and int(rule.created_at.timestamp()) != int(made)):
            raise NotAllowedError(
                say("The rule that this is about was removed; /alerts list shows those there are.")
            )


class FeedButton(
    Click,
    ui.DynamicItem[ui.Button[ui.View]],
    template=r"quash:feed:(?P<do>pause|remove):(?P<id>[0-9]{1,18})" + ids.OF_SERVER,
):
    """Pauses or removes a feed for the server, from a note about it (`bot.intake.notices`)."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, for moderators of a server that watches the feed."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = await configured_here(interaction, self.match["server"])
        who, feed_id = Who(guild_id, interaction.user.id), int(self.match["id"])
        if interaction.message is not None:
            await self._check_meant(guild_id, feed_id, interaction.message.created_at)
        feeds = guild_feeds(self.services)
        if self.match["do"] == "pause":
            feed = await feeds.set_paused(who, feed_id, paused=True)
            title = say("Feed paused")
            told = say("{feed} rests here until `/feeds resume`.", feed=_feed_name(feed))
        else:
            feed = await feeds.remove(who, feed_id)
            title = say("Feed removed")
            told = say("{feed} is no longer watched for this server.", feed=_feed_name(feed))
        await answer(interaction, panel(title, [told]))

    async def _check_meant(self, guild_id: int, feed_id: int, told_at: datetime) -> None:
        """Raise for a feed that came after the note: its number was that of one that is gone."""
        async with self.services.database.read() as session:
            own = await why.get_own_feeds(session, guild_id)
        if any(one.feed.id == feed_id and one.feed.added_at > told_at + _SKEW for one in own):
            raise NotAllowedError(
                say("The feed that this is about is gone; /feeds list shows those there are.")
            )


def _feed_name(feed: ListedFeed) -> str:
    return feed_label(feed.id, feed.title, feed.url, 60)


# ------------------------------------------------------------------------ /status


async def _status(services: Services, interaction: discord.Interaction) -> ui.LayoutView:
    guild_id, now = guild_of(interaction), services.clock()
    feeds = await services.feeds.list(guild_id=guild_id)
    rules = await actions.list_rules(services.database, guild_id=guild_id)
    async with services.database.read() as session:
        found = await figures.of_guild(session, guild_id, now - _DAY)
    blocks = [
        _feeds(feeds),
        _queue(found),
        _delays(found.delays),
        await _channels(interaction.guild, rules),
        f"⚠ {unsaid}" if (unsaid := await unheard(services, interaction, rules)) else "",
        _machine(interaction),
    ]
    return panel(say("Status"), [block for block in blocks if block])


def _feeds(feeds: Sequence[ListedFeed]) -> str:
    if not feeds:
        return f"**{say('Feeds')}**\n" + say("This server watches no feed; `/feeds add` adds one.")
    failing = [feed for feed in feeds if feed.failing_since is not None and feed.state == "active"]
    ended = sum(feed.state != "active" for feed in feeds)
    paused = sum(feed.paused and feed.state == "active" and feed.failing_since is None for feed in feeds)
    counts = [
        say_number("{number} works", "{number} work", len(feeds) - len(failing) - ended - paused),
        say_number("{number} fails", "{number} fail", len(failing)),
        say_number("{number} is not looked at", "{number} are not looked at", ended),
    ]
    if paused:
        counts.append(labelled(say("paused here"), paused))
    lines = [" · ".join(counts)]
    told = []
    for feed in failing[:_FAILING]:
        since = stamp(feed.failing_since, "R") if feed.failing_since else ""
        told.append(
            "⚠ " + labelled(f"{_feed_name(feed)} ({since})", safe_text(retell(feed.failure or ""), 160))
        )
    shown = fitting(told, _ROOM_OF_FEEDS)
    if len(failing) > len(shown):
        shown.append(say("… and more; `/feeds list` shows all."))
    lines += shown
    return f"**{say('Feeds')}**\n" + "\n".join(lines)


def _queue(found: figures.GuildFigures) -> str:
    told = " · ".join(
        (
            say_number("{number} to be read", "{number} to be read", found.entries_waiting),
            say_number("{number} to be posted", "{number} to be posted", found.waiting),
            say_number("{number} failed, tried again", "{number} failed, tried again", found.failed),
            say_number("{number} given up", "{number} given up", found.dead),
        )
    )
    hint = "\n-# " + say("`/deliveries` shows them.") if found.waiting + found.failed + found.dead else ""
    return f"**{say('What waits')}**\n{told}{hint}"


def _delays(delays: Sequence[float]) -> str:
    title = say("From publication to post, last 24 hours")
    if not delays:
        return f"**{title}**\n" + say("Nothing was posted.")
    told = say_number(
        "{number} post: median {median}, longest {worst}",
        "{number} posts: median {median}, longest {worst}",
        len(delays),
        median=say_duration(shown_duration(statistics.median(delays))),
        worst=say_duration(shown_duration(max(delays))),
    )
    return f"**{title}**\n{told}"


async def _channels(guild: discord.Guild | None, rules: Sequence[actions.ListedRule]) -> str:
    """Tell what is missing in the channels of rules, and how to give it."""
    title = f"**{say('Channels')}**\n"
    if not rules:
        return title + say("There is no rule yet; `/alerts add` makes one.")
    threads: dict[int, bool] = {}
    broken: dict[int, str] = {}
    mentions: dict[str, None] = {}
    for one in rules:
        rule = one.rule
        threads[rule.channel_id] = threads.get(rule.channel_id, False) or rule.thread == "case"
        if rule.review_channel is not None:
            threads.setdefault(rule.review_channel, False)
        broken |= one.closed
        if trouble := trouble_with_mention(guild, rule.ping_role, rule.channel_id):
            mentions["⚠ " + labelled(say("Rule #{number}", number=rule.id), trouble)] = None
    gone = await find_gone(guild, threads) if guild is not None else set()
    lines = []
    for channel_id, with_threads in threads.items():
        trouble = trouble_in(guild, channel_id, gone, threads=with_threads, history=True) if guild else ""
        if not trouble and channel_id in broken:
            trouble = safe_text(retell(broken[channel_id]), 300)
        if trouble:
            lines.append("⚠ " + labelled(f"<#{channel_id}>", trouble))
    lines += mentions
    if not lines:
        return title + say_number(
            "✔ I may post in the {number} channel that rules name.",
            "✔ I may post in all {number} channels that rules name.",
            len(threads),
        )
    shown = fitting(lines[:_TROUBLES], _ROOM_OF_CHANNELS)
    more = [f"-# {say('… and more.')}"] if len(lines) > len(shown) else []
    return title + "\n".join([*shown, *more])


def _machine(interaction: discord.Interaction) -> str:
    shard = interaction.guild.shard_id if interaction.guild is not None else 0
    count = getattr(interaction.client, "shard_count", None) or 1
    told = say(
        "Quash {version} · shard {shard} of {count}", version=__version__, shard=shard + 1, count=count
    )
    return f"-# {told}"


# ------------------------------------------------------------------------ /audit


async def _audit_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    await check_may_configure(interaction)
    async with services.database.read() as session:
        guild_id = guild_of(interaction)
        rows, total = await audit.get_page(session, guild_id, limit=_AUDIT_PAGE, offset=page * _AUDIT_PAGE)
        if total and not rows:  # what stood there was deleted for its age meanwhile
            page = (total - 1) // _AUDIT_PAGE
            rows, total = await audit.get_page(
                session, guild_id, limit=_AUDIT_PAGE, offset=page * _AUDIT_PAGE
            )
    if not rows:
        return panel(say("Changes"), [say("Nothing was changed here in the last 365 days.")])
    return panel(
        say("Changes"),
        map(changes.told, rows),
        buttons=page_buttons("audit", interaction.user.id, list(state), page, total, _AUDIT_PAGE),
        footer=say_number("{number} change", "{number} changes", total),
    )
