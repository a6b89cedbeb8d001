"""`/alerts …`: what goes to which channel. For those who may configure the server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import actions, rule_actions
from bot.alerts.foreign import safe_text
from bot.alerts.render import card_view
from bot.alerts.routing import Rule
from bot.alerts.rule_preview import RulePreview
from bot.alerts.wishes import USUAL_A_DAY
from bot.intake.services import Services
from bot.words import labelled, retell, say, say_name, say_number, speaking
from cogs import choices, examples, setup
from cogs.guards import find_gone, guild_of, may, may_configure, trouble_with_mention
from cogs.pages import PageButton, divide_in_turns, page_buttons
from cogs.panels import answer, panel
from cogs.rules import (
    CLEARABLE,
    ChannelOption,
    changed_lines,
    check_role,
    complete,
    describe,
    placed,
    said,
    wanted,
    warnings,
    with_options,
)
from cogs.why import trouble_in

_A_PAGE = 12
_LAST = 3  # stories that a preview shows as they would look


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Alerts(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let pages be turned, also after a restart."""
    PageButton.turners["rules"] = _list_page


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Alerts(commands.GroupCog, group_name="alerts", group_description="Which stories go to which channel"):
    """The rules of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Every command here configures the server."""
        return await may_configure(interaction)

    @app_commands.command(
        description="Post matching stories to a channel; with the channel alone, a panel opens"
    )
    @app_commands.describe(channel="Where to post")
    @with_options
    async def add(self, interaction: discord.Interaction, channel: ChannelOption, **wishes: Any) -> None:
        """Make a rule, or open the panel that makes one."""
        fields = said(wishes)
        check_role(interaction, fields)
        thread = placed(interaction, channel, fields.get("thread"))
        if not fields:
            await setup.open_panel(self.services, interaction, channel)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        if thread is not None:
            fields["thread"] = thread
        rule = await actions.add_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            channel_id=channel.id,
            now=self.services.clock(),
            **fields,
        )
        blocks = [
            describe(rule),
            *await warnings(self.services, interaction, rule),
            *await no_feeds(self.services, interaction),
        ]
        await answer(interaction, panel(say("Rule added"), blocks))

    @app_commands.command(name="list", description="The rules of this server")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List the rules."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, await _list_page(self.services, interaction, (), 0))

    @app_commands.command(description="Change a rule: what you name is changed, all else stays")
    @app_commands.describe(
        rule="The rule's number, as /alerts list shows it",
        channel="Where to post",
        clear="What to empty, separated by commas, such as ping, topics",
    )
    @with_options
    async def edit(
        self,
        interaction: discord.Interaction,
        rule: app_commands.Range[int, 1],
        channel: ChannelOption | None = None,
        clear: str | None = None,
        **wishes: Any,
    ) -> None:
        """Change a rule and show what it said before and says now."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        changes = said(wishes, clear)
        check_role(interaction, changes)
        changes |= await self._moved(interaction, rule, channel, changes)
        if not changes:
            told = say("Name what is to change, such as `topics`; `clear` empties something.")
            await answer(interaction, panel(say("Rule #{number}", number=rule), [told]))
            return
        edited = await actions.edit_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            changes=changes,
            now=self.services.clock(),
        )
        same = edited.before == edited.after
        told = say("That is how it was already.") if same else changed_lines(edited)
        footer = say("/alerts preview shows what it would have brought.")
        blocks = [told, *await warnings(self.services, interaction, edited.after)]
        await answer(interaction, panel(say("Rule changed"), blocks, footer=footer))

    async def _moved(
        self,
        interaction: discord.Interaction,
        rule_id: int,
        channel: discord.TextChannel | discord.ForumChannel | discord.Thread | None,
        changes: dict[str, Any],
    ) -> dict[str, Any]:
        """Give what follows from another channel, or from threads in the one that there is."""
        if channel is None and "thread" not in changes:
            return {}
        rule = await self._rule(interaction, rule_id)
        guild = interaction.guild
        was = guild.get_channel_or_thread(rule.channel_id) if guild is not None else None
        there: Any = channel or was
        if there is None:
            return {}
        # That each case had a thread in a forum is nothing that anybody asked for.
        usual = "off" if isinstance(was, discord.ForumChannel) else rule.thread
        thread = placed(interaction, there, changes.get("thread", usual))
        return {"channel_id": there.id} | ({} if thread is None else {"thread": thread})

    async def _rule(self, interaction: discord.Interaction, rule_id: int) -> Rule:
        return await rule_actions.get_rule(
            self.services.database, guild_id=guild_of(interaction), rule_id=rule_id
        )

    @app_commands.command(description="What the last 30 days would have brought, before anything is saved")
    @app_commands.describe(
        rule="A rule; with further options, as it would be with them",
        clear="What to empty, separated by commas, such as ping, topics",
    )
    @with_options
    async def preview(
        self,
        interaction: discord.Interaction,
        rule: app_commands.Range[int, 1] | None = None,
        clear: str | None = None,
        **wishes: Any,
    ) -> None:
        """Count, and show the last stories as they would look."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        base = Rule(0, guild_id, interaction.channel_id or 0, daily_limit=USUAL_A_DAY)
        if rule is not None:
            base = await self._rule(interaction, rule)
        thought = await rule_actions.changed_rule(base, said(wishes, clear))
        found = await actions.preview_rule(self.services.database, thought, now=self.services.clock())
        await answer(interaction, _preview(thought, found))
        language = await examples.language_of(self.services.database, guild_id)
        for match in found.last[:_LAST]:
            card = await examples.card_of(self.services.database, match.story_id, guild_id, thought.style)
            if card is not None:
                with speaking(language):
                    view = card_view(card)
                await answer(interaction, view)

    @app_commands.command(description="Let a rule rest: nothing is posted by it until you resume it")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def pause(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Pause a rule."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        paused = await actions.pause_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel(say("Rule paused"), [describe(paused)]))

    @app_commands.command(description="Let a paused rule go on")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def resume(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Resume a rule."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        resumed = await actions.resume_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel(say("Rule resumed"), [describe(resumed)]))

    @app_commands.command(description="Remove a rule")
    @app_commands.describe(rule="The rule's number, as /alerts list shows it")
    async def remove(self, interaction: discord.Interaction, rule: app_commands.Range[int, 1]) -> None:
        """Remove a rule."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gone = await actions.remove_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            rule_id=rule,
            now=self.services.clock(),
        )
        await answer(interaction, panel(say("Rule removed"), [describe(gone)]))

    @edit.autocomplete("clear")
    @preview.autocomplete("clear")
    async def _clear(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching_last(typed, CLEARABLE, say_name)

    @edit.autocomplete("rule")
    @preview.autocomplete("rule")
    @pause.autocomplete("rule")
    @resume.autocomplete("rule")
    @remove.autocomplete("rule")
    async def _rules(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
        if interaction.guild_id is None or not await may(interaction):
            return []
        rules = await actions.list_rules(self.services.database, guild_id=guild_of(interaction))
        named = ((listed.rule.id, _short(listed.rule, interaction)) for listed in rules)
        return choices.numbered(typed, named)


complete(Alerts.add)
complete(Alerts.edit)
complete(Alerts.preview)


async def no_feeds(services: Services, interaction: discord.Interaction) -> list[str]:
    """Give the hint that a server needs where it watches nothing yet."""
    if await services.feeds.list(guild_id=guild_of(interaction)):
        return []
    return [
        say("This server watches no feed yet: add one with `/feeds add`, or choose from `/feeds catalogue`.")
    ]


async def _list_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    await may_configure(interaction)
    rules = await actions.list_rules(services.database, guild_id=guild_of(interaction))
    if not rules:
        none = say("There is none yet; `/setup` or `/alerts add` makes one.")
        return panel(say("Rules"), [none])
    guild = interaction.guild
    named = [id for one in rules for id in _channels_of(one.rule)]
    gone = await find_gone(guild, named) if guild is not None else set()
    # A hundred of many words take a while.
    pages = await divide_in_turns((_listed(one, guild, gone) for one in rules), _A_PAGE)
    page = min(page, len(pages) - 1)
    return panel(
        say("Rules"),
        pages[page],
        buttons=page_buttons("rules", interaction.user.id, state, page, len(pages), 1),
        footer=say_number("{number} rule", "{number} rules", len(rules)),
    )


def _channels_of(rule: Rule) -> list[int]:
    return [id for id in (rule.channel_id, rule.review_channel) if id is not None]


def _listed(listed: actions.ListedRule, guild: discord.Guild | None, gone: Collection[int]) -> str:
    """Tell a rule, which of its channels take nothing, or would not at this moment, and a mention in vain."""
    rule = listed.rule
    troubles = {id: safe_text(retell(why), 200) for id, why in listed.closed.items()}
    for id in _channels_of(rule):
        threads = rule.thread == "case" and id == rule.channel_id
        if guild is not None and (trouble := trouble_in(guild, id, gone, threads=threads, history=True)):
            troubles[id] = trouble
    lines = [labelled(f"<#{id}>", trouble) for id, trouble in troubles.items()]
    if trouble := trouble_with_mention(guild, rule.ping_role, rule.channel_id):
        lines.append(trouble)
    return "\n".join([describe(rule), *(f"⚠ {line}" for line in lines)])


def _preview(rule: Rule, found: RulePreview) -> ui.LayoutView:
    counts = [
        say_number("{number} alert", "{number} alerts", found.alerts),
        say_number("{number} update", "{number} updates", found.updates),
        say_number("{number} report in threads", "{number} reports in threads", found.reports),
        say_number("{number} digest", "{number} digests", found.digests),
        say_number("{number} mention of a role", "{number} mentions of a role", found.pings),
    ]
    if found.seen == 1:
        seen = say_number(
            "Of one story in {days} days, {number} fits.",
            "Of one story in {days} days, {number} fit.",
            found.matched,
            days=found.days,
        )
    else:
        seen = say_number(
            "Of {seen} stories in {days} days, {number} fits.",
            "Of {seen} stories in {days} days, {number} fit.",
            found.matched,
            seen=found.seen,
            days=found.days,
        )
    blocks = [describe(replace(rule, paused=False)), seen, " · ".join(counts)]
    if found.busiest_day:
        blocks.append(say("On the busiest day: {number}.", number=found.busiest_day))
    if not found.seen:
        blocks.append(say("This server's feeds brought nothing in this period, or it watches none yet."))
    elif not found.matched:
        blocks.append(say("`/why` tells of a story which rule stopped it, and by what."))
    else:
        blocks.append(say("Below are the latest of them, as they would look."))
    return panel(say("Preview"), blocks, footer=say("Nothing was posted, nothing is saved."))


def _short(rule: Rule, interaction: discord.Interaction) -> str:
    channel = interaction.guild.get_channel_or_thread(rule.channel_id) if interaction.guild else None
    what = ", ".join(wanted(rule)) or say("every relevant story")
    return f"#{rule.id} {channel.name if channel else say('a channel that is gone')}: {what}"
