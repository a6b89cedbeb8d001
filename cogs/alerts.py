"""`/alerts add|list|pause|resume|remove`: what goes to which channel. For those who may manage the server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.alerts import actions
from bot.alerts.foreign import safe_text
from bot.alerts.routing import WHEN, Rule
from bot.alerts.wishes import MOST_A_DAY
from bot.intake.services import Services
from bot.stories.model import TOPICS
from cogs import choices
from cogs.channels import Postable, PostableChannel
from cogs.guards import check_can_post, guild_of, may, may_configure
from cogs.panels import answer, panel


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Alerts(services)


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Alerts(commands.GroupCog, group_name="alerts", group_description="Which stories go to which channel"):
    """The rules of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Every command here configures the server."""
        return await may_configure(interaction)

    @app_commands.command(description="Post matching stories to a channel")
    @app_commands.describe(
        channel="Where to post",
        topics="Only these topics, separated by commas",
        parties="Only stories with one of these parties, separated by commas",
        keywords="Only stories with one of these words, separated by commas",
        exclude="Never stories with one of these words, separated by commas",
        relevance="How sure Quash must be, from 0 to 1 (usual: 0.5)",
        ping="A role to mention with every post",
        when="At once, or gathered in one message an hour, a day (at 9) or a week (Monday at 9)",
        limit="Posts a day at most; the rest comes in one message at 9 the next morning (0: no limit)",
        style="How much a post shows",
        thread="Whether each case has a thread of its own",
    )
    @app_commands.choices(
        when=[app_commands.Choice(name=when, value=when) for when in WHEN],
        style=[
            app_commands.Choice(name="full", value="full"),
            app_commands.Choice(name="compact", value="compact"),
        ],
        thread=[
            app_commands.Choice(name="off", value="off"),
            app_commands.Choice(name="case", value="case"),
        ],
    )
    async def add(
        self,
        interaction: discord.Interaction,
        channel: app_commands.Transform[Postable, PostableChannel],
        topics: str = "",
        parties: str = "",
        keywords: str = "",
        exclude: str = "",
        relevance: app_commands.Range[float, 0.0, 1.0] | None = None,
        ping: discord.Role | None = None,
        when: str = "now",
        limit: app_commands.Range[int, 0, MOST_A_DAY] = 0,
        style: str = "full",
        thread: str = "off",
    ) -> None:
        """Make a rule."""
        if isinstance(channel, discord.ForumChannel):
            thread = "case"  # everything in a forum is in a thread
        check_can_post(interaction, channel, threads=thread == "case")
        rule = await actions.add_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            channel_id=channel.id,
            topics=topics,
            parties=parties,
            keywords=keywords,
            exclude=exclude,
            relevance=relevance,
            ping_role=ping.id if ping else None,
            when=when,
            daily_limit=limit,
            style=style,
            thread=thread,
            now=self.services.clock(),
        )
        feeds = await self.services.feeds.list(guild_id=guild_of(interaction))
        blocks = [describe(rule)]
        if not feeds:
            blocks.append("This server watches no feed yet: add one with `/feeds add`.")
        await answer(interaction, panel("Rule added", blocks))

    @app_commands.command(name="list", description="The rules of this server")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List the rules."""
        rules = await actions.list_rules(self.services.database, guild_id=guild_of(interaction))
        blocks = [
            describe(listed.rule) + (f"\n⚠ {safe_text(listed.broken, 200)}" if listed.broken else "")
            for listed in rules
        ]
        await answer(interaction, panel("Rules", blocks or ["There is none yet; `/alerts add` makes one."]))

    @app_commands.command(description="Let a rule rest: nothing is posted by it until you resume it")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def pause(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Pause a rule."""
        paused = await actions.pause_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel("Rule paused", [describe(paused)]))

    @app_commands.command(description="Let a paused rule go on")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def resume(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Resume a rule."""
        resumed = await actions.resume_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel("Rule resumed", [describe(resumed)]))

    @app_commands.command(description="Remove a rule")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def remove(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Remove a rule."""
        gone = await actions.remove_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel("Rule removed", [describe(gone)]))

    @add.autocomplete("topics")
    async def _topics(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching_last(typed, TOPICS)

    @pause.autocomplete("rule")
    @resume.autocomplete("rule")
    @remove.autocomplete("rule")
    async def _rules(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
        if interaction.guild_id is None or not await may(interaction):
            return []
        rules = await actions.list_rules(self.services.database, guild_id=guild_of(interaction))
        named = [(listed.rule.id, _short(listed.rule, interaction)) for listed in rules]
        return [
            app_commands.Choice(name=name[:100], value=number)
            for number, name in named
            if str(typed).casefold() in name.casefold()
        ][:25]


def describe(rule: Rule) -> str:
    """Tell a rule in readable words."""
    parts = [f"**#{rule.id}** <#{rule.channel_id}>{' (paused)' if rule.paused else ''}"]
    for what, names in (
        ("topics", rule.topics),
        ("parties", rule.parties),
        ("keywords", rule.keywords),
        ("not with", rule.exclude),
        ("statuses", rule.statuses),
        ("languages", rule.languages),
        ("sources", rule.sources),
    ):
        if names:
            parts.append(f"{what}: {safe_text(', '.join(names), 300)}")
    if not (rule.topics or rule.parties or rule.keywords):
        parts.append("every relevant story")
    parts.append(f"relevance from {rule.min_relevance:g}")
    if rule.when != "now":
        parts.append(f"{rule.when} digest")
    elif rule.daily_limit:
        parts.append(f"at most {rule.daily_limit} a day, the rest as a digest")
    if rule.ping_role:
        only = f" (only: {', '.join(rule.ping_when.words)})" if rule.ping_when else ""
        parts.append(f"mentions <@&{rule.ping_role}>{only}")
    if rule.urgent:
        parts.append(f"in quiet hours too: {', '.join(rule.urgent.words)}")
    if rule.style != "full":
        parts.append(rule.style)
    if rule.thread == "case":
        parts.append("a thread for each case")
    return " · ".join(parts)


def _short(rule: Rule, interaction: discord.Interaction) -> str:
    channel = interaction.guild.get_channel_or_thread(rule.channel_id) if interaction.guild else None
    what = ", ".join((*rule.topics, *rule.parties, *rule.keywords)) or "every relevant story"
    return f"#{rule.id} {channel.name if channel else 'a channel that is gone'}: {what}"
