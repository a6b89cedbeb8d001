"""`/why` for moderators, and the message menu Why this alert? for everyone: what happened to a story here.

The checks are `bot.intake.why`'s; here they are laid out in pages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import actions, ids
from bot.alerts.foreign import link, plain_text, safe_text, width
from bot.alerts.posting import NAMED, missing_in
from bot.intake import why
from bot.intake.services import Services
from bot.intake.why import Explanation
from bot.intake.why_checks import Check
from bot.words import say
from cogs.guards import NotAllowedError, check_may_configure, find_gone, guild_of, may, may_configure
from cogs.pages import ROOM, PageButton, divide, page_buttons
from cogs.panels import answer, panel
from db import deliveries as owed
from db import why as known
from db.tables import DeliveryRow

_A_PAGE = 10  # checks
_DIGEST = 15  # stories of a digest that are named
_STORY_BUTTONS = (ids.EVIDENCE, ids.REPORT)


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Why(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let pages be turned, also after a restart; add the entry of the message menu."""
    PageButton.turners["why"] = _page
    cog = bot.get_cog("Why")
    if isinstance(cog, Why):
        bot.tree.add_command(cog.menu)


class Why(commands.Cog):
    """Explaining what was posted, and what was not."""

    def __init__(self, services: Services) -> None:
        self.services = services
        menu = app_commands.ContextMenu(name="Why this alert?", callback=self._menu)
        menu.guild_only = True
        self.menu = menu

    @app_commands.command(description="What happened to a story here, step by step, and which rule decided")
    @app_commands.describe(story="A link, a part of the title, or the story's number")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def why(self, interaction: discord.Interaction, story: app_commands.Range[str, 1, 2000]) -> None:
        """Answer with the checks."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id, database = guild_of(interaction), self.services.database
        if (message_id := why.message_in(story)) is not None:
            await answer(interaction, await self._of_message(interaction, message_id))
            return
        ref = await why.find(database, guild_id, story)
        if ref is not None:
            view = await _page(self.services, interaction, [why.named(ref)], 0)
        else:
            found = await why.explain_nothing(database, guild_id, story, self.services.clock())
            view = _view(found, _blocks(found.checks), ())
        await answer(interaction, view)

    async def _of_message(self, interaction: discord.Interaction, message_id: int) -> ui.LayoutView:
        """Explain what a message tells whose link was given."""
        guild_id = guild_of(interaction)
        async with self.services.database.read() as session:
            row = await known.find_message(session, guild_id, message_id)
        if row is None:
            raise NotAllowedError(
                say("No alert here is known by that message (any more); ask with the article's link.")
            )
        if row.story_id is None:
            return await _digest(self.services, guild_id, row)
        return await _page(self.services, interaction, [why.named(known.Ref(row.story_id))], 0)

    @why.autocomplete("story")
    async def _stories(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if interaction.guild_id is None or not await may(interaction):
            return []
        found = await why.suggestions(self.services.database, interaction.guild_id, typed)
        return [
            app_commands.Choice(
                name=plain_text(one.title, 100) or why.named(one.ref), value=why.named(one.ref)
            )
            for one in found
        ]

    async def _menu(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell everyone why a post is there; moderators all of it."""
        guild_id = guild_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        row = await _delivery_of(self.services, guild_id, message)
        if row is None:
            raise NotAllowedError(
                say("That is no alert of this server; use this on a post by Quash, or `/why` with a link.")
            )
        if row.story_id is None:
            await answer(interaction, await _digest(self.services, guild_id, row))
            return
        ref = known.Ref(row.story_id)
        if await may(interaction):
            await answer(interaction, await _page(self.services, interaction, [why.named(ref)], 0))
            return
        found = await why.explain(
            self.services.database, guild_id, ref, now=self.services.clock(), delivery_id=row.id
        )
        await answer(interaction, _view(found, _blocks(found.checks), ()))


async def _delivery_of(services: Services, guild_id: int, message: discord.Message) -> DeliveryRow | None:
    """Find the delivery of a message by its id, else by the mark in its buttons."""
    if message.author.id != message._state.self_id:
        return None
    async with services.database.read() as session:
        row = await known.find_message(session, guild_id, message.id)
        custom_ids = list(_custom_ids(message.components))
        mark = ids.mark_of(custom_ids)
        stories = [m["id"] for each in custom_ids for p in _STORY_BUTTONS if (m := p.fullmatch(each))]
        if row is None and mark and stories:
            row = await owed.get_by_nonce(session, {"story_id": int(stories[0])}, mark)
        mine = row is not None and row.target == "channel" and row.guild_id == guild_id
        return row if mine else None


def _custom_ids(components: Sequence[Any]) -> Iterator[str]:
    for component in components:
        if custom_id := getattr(component, "custom_id", None):
            yield custom_id
        yield from _custom_ids(getattr(component, "children", ()))


async def _digest(services: Services, guild_id: int, row: DeliveryRow) -> ui.LayoutView:
    async with services.database.read() as session:
        stories = await known.get_digest_stories(session, row.id, guild_id, _DIGEST)
    lines = [f"**#{story.id}** {link(story.title, story.url, 150)}" for story in stories]
    told = say("A digest of what this channel's rules wanted. `/why` tells moderators more about each story.")
    return panel(say("Why this alert?"), [told, *lines])


# ------------------------------------------------------------------------ pages


async def _page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    """Lay out a page of the checks of what the state names (`why.named`)."""
    await check_may_configure(interaction)
    guild_id, database = guild_of(interaction), services.database
    ref = await why.find(database, guild_id, state[0])
    if ref is None:
        raise NotAllowedError(say("That story is not known here any more."))
    found = await why.explain(
        database, guild_id, ref, now=services.clock(), troubles=await _troubles(services, interaction)
    )
    pages = divide(_blocks(found.checks), _A_PAGE, ROOM - sum(map(width, _head(found))))
    page = min(page, len(pages) - 1)
    buttons = page_buttons("why", interaction.user.id, [why.named(ref)], page, len(pages), 1)
    return _view(found, pages[page], buttons)


async def _troubles(services: Services, interaction: discord.Interaction) -> dict[int, str]:
    """Tell what the bot lacks at this moment in the channels of the server's rules."""
    if interaction.guild is None:
        return {}
    rules = await actions.list_rules(services.database, guild_id=guild_of(interaction))
    gone = await find_gone(interaction.guild, [listed.rule.channel_id for listed in rules])
    found: dict[int, str] = {}
    for listed in rules:
        channel_id = listed.rule.channel_id
        trouble = trouble_in(interaction.guild, channel_id, gone, threads=listed.rule.thread == "case")
        if trouble:
            found[channel_id] = trouble
    return found


def trouble_in(
    guild: discord.Guild, channel_id: int, gone: Collection[int], *, threads: bool, history: bool = False
) -> str:
    """Say what keeps the bot from posting in a channel and how to put it right, "" where nothing does.

    `gone`: what `find_gone` says of the channels. `history`: also what a rule cannot be made without.
    """
    if channel_id in gone:
        # It cannot be told from one that the bot is not let see.
        return say("The channel is gone, or I cannot see it: give me View Channel there, or change the rule.")
    lacking = missing_in(guild.get_channel_or_thread(channel_id), threads=threads, history=history)
    if not lacking:
        return ""
    return say(
        "In <#{channel}> I lack {permissions}; give it to me in the channel's settings under Permissions.",
        channel=channel_id,
        permissions=", ".join(say(NAMED[name]) for name in lacking),
    )


def _view(found: Explanation, blocks: Sequence[str], buttons: Sequence[ui.Item[Any]]) -> ui.LayoutView:
    footer = say("Read from what was recorded when it was decided; nothing is acted out again.")
    return panel(say("Why?"), [*_head(found), *blocks], buttons=buttons, footer=footer)


def _head(found: Explanation) -> list[str]:
    number = f" · #{found.ref.story_id}" if found.ref is not None and found.ref.story_id is not None else ""
    title = f"{link(found.title, found.url, 200)}{number}" if found.title or found.url else ""
    return [text for text in (title, f"**{found.headline}**") if text]


def _blocks(checks: Sequence[Check]) -> list[str]:
    return [_block(check) for check in checks]


def _block(check: Check) -> str:
    lines = [f"{check.sign} {check.text}"]
    lines += [f"> {safe_text(sentence, 250)}" for sentence in check.evidence]
    if check.remedy:
        lines.append(f"-# {check.remedy}")
    return "\n".join(lines)
