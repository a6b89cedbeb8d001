"""Look-ups for everyone: `/latest`, `/search`, `/case`, `/demands`. Answers are for the asker's eyes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.foreign import plain_text, safe_text, width
from bot.alerts.render import status_words
from bot.intake.services import Services
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.words import say
from cogs import choices, dates
from cogs.blocks import demand_block, story_block
from cogs.case_panel import case_panel
from cogs.clicks import add
from cogs.pages import (
    ROOM,
    PageButton,
    first_that_fits,
    fitting,
    leaf_buttons,
    packed,
    page_button,
    told_range,
    unpacked,
)
from cogs.panels import answer, panel
from db import lookups, profiles
from db.lookups import CaseName, Viewer
from db.passages import find_passage
from db.search_query import parse_query
from db.tables import CaseRow

_A_PAGE = 5
_LEDGER_PAGE = 8
_SUMMARIES = 330, 160, 80, 0  # characters of a summary, so that there is room for all that were asked for
_AROUND = 250  # characters of a title and a footer
_BEST, _NEWEST = "b", "n"  # what comes first in a search
_DASH = re.compile("[-‐‑–—−－]")  # as people type the one that leaves a word out
_NUMBER = re.compile(r"#([0-9]{1,18})")  # of a party, as it is kept on a button


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Lookups(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the page buttons of answers work, also after a restart."""
    PageButton.turners["search"] = _search_page
    PageButton.turners["demands"] = _demands_page
    PageButton.turners["case"] = _case_page
    add(bot, services, PageButton)


def whose_feeds(who: Viewer) -> str:
    """Say whose feeds answer, where they brought nothing."""
    if who.guild_id is None:
        return say("Outside of servers the public catalogue's feeds answer; in a server, its own.")
    return say("What is watched here, moderators choose with `/feeds`.")


def viewer(interaction: discord.Interaction) -> Viewer:
    """Tell who asks. In a server that the bot is not in (a user-installed app) it is a person outside one."""
    return Viewer(interaction.guild_id if interaction.is_guild_integration() else None)


class Lookups(commands.Cog):
    """Looking up what is known."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(description="The newest stories that this server's feeds brought")
    @app_commands.describe(
        topic="Only stories about this topic",
        party="Only stories with this party",
        count="How many (1 to 10)",
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def latest(
        self,
        interaction: discord.Interaction,
        topic: str | None = None,
        party: str | None = None,
        count: app_commands.Range[int, 1, 10] = 5,
    ) -> None:
        """Answer with the newest stories."""
        wanted = choices.topic(topic)
        who = viewer(interaction)
        async with self.services.database.read() as session:
            named = await meant_party(session, who, party) or None
            stories = await lookups.latest(session, who, topic=wanted, party=named, limit=count)
            unknown = await _unknown_party(session, who, named) if not stories else None
        ways = ([story_block(s, longest=longest) for s in stories] for longest in _SUMMARIES)
        blocks = first_that_fits(ways, ROOM)
        if not blocks:
            hint = say("Try it without topic and party.") if topic or party else whose_feeds(who)
            blocks = [unknown or f"{say('Nothing is known yet.')} {hint}"]
        await answer(interaction, panel(say("Newest stories"), blocks))

    @app_commands.command(description='Search all stories: words, "phrases", -without, begin*')
    @app_commands.describe(
        query='Words that must occur; "side by side"; -without; begin*',
        topic="Only stories about this topic",
        party="Only stories with this party",
        status="Only stories that report this status",
        since="Not older than: 3 months, 2 weeks, 2026-01-31",
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def search(
        self,
        interaction: discord.Interaction,
        query: app_commands.Range[str, 1, 200],
        topic: str | None = None,
        party: str | None = None,
        status: str | None = None,
        since: str | None = None,
    ) -> None:
        """Answer with the best hits."""
        known = choices.topic(topic) or "", party or "", choices.status(status) or ""
        state = (query, *known, since or "", _BEST)
        await answer(interaction, await _search_page(self.services, interaction, state, 0))

    @app_commands.command(
        name="case", description="One matter: where it stands, its timeline, who reported what"
    )
    @app_commands.describe(name="The case's title or number, or a party in it, such as @ALT_USCIS")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def case_(self, interaction: discord.Interaction, name: app_commands.Range[str, 1, 200]) -> None:
        """Answer with a case, or with the choice where several fit."""
        who = viewer(interaction)
        async with self.services.database.read() as session:
            found = await meant_cases(session, who, name)
            if not found:
                newest = await lookups.case_names(session, who, "", limit=5)
                await answer(interaction, _no_case(who, name, newest))
                return
            view = await lookups.case_view(session, who, await session.get_one(CaseRow, found[0].id))
        await answer(interaction, await case_panel(interaction, view, found[1:]))

    @app_commands.command(description="The ledger of demands: who asked whom for what, and where it stands")
    @app_commands.describe(
        issuer="Who demands, such as DHS",
        recipient="Who is asked, such as Google",
        instrument="By which instrument",
        status="Where it stands",
        since="Not older than: 3 months, 2 weeks, 2026-01-31",
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def demands(
        self,
        interaction: discord.Interaction,
        issuer: str | None = None,
        recipient: str | None = None,
        instrument: str | None = None,
        status: str | None = None,
        since: str | None = None,
    ) -> None:
        """Answer with a page of the ledger."""
        state = (
            issuer or "",
            recipient or "",
            choices.instrument(instrument) or "",
            choices.status(status) or "",
            since or "",
        )
        await answer(interaction, await _demands_page(self.services, interaction, state, 0))

    @latest.autocomplete("topic")
    @search.autocomplete("topic")
    async def _topics(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, TOPICS)

    @search.autocomplete("status")
    @demands.autocomplete("status")
    async def _statuses(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, STATUSES)

    @demands.autocomplete("instrument")
    async def _instruments(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, INSTRUMENTS)

    @latest.autocomplete("party")
    @search.autocomplete("party")
    async def _parties(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await party_choices(self.services, interaction, typed, None)

    @demands.autocomplete("issuer")
    async def _issuers(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await party_choices(self.services, interaction, typed, "issuer")

    @demands.autocomplete("recipient")
    async def _recipients(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await party_choices(self.services, interaction, typed, "recipient")

    @case_.autocomplete("name")
    async def _cases(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await case_choices(self.services, interaction, typed)


async def party_choices(
    services: Services, interaction: discord.Interaction, typed: str, side: str | None = None
) -> list[app_commands.Choice[str]]:
    """Complete the name of a party; `side` limits it to those on one side of a demand."""
    named = await choices.party(typed)
    async with services.database.read() as session:
        names = await lookups.party_names(session, viewer(interaction), named, side=side)
    most = lookups.LONGEST_CHOICE
    return [app_commands.Choice(name=plain_text(n, most) or n[:most], value=n[:most]) for n in names]


async def meant_party(session: AsyncSession, who: Viewer, typed: str | None) -> str:
    """Give the name of the party that was meant, typed in any way, completed, or kept on a button; "" for
    nothing."""
    if typed and (number := _NUMBER.fullmatch(typed)):
        name = await profiles.get_party_name(session, int(number[1]))
        return name if name and await lookups.is_named(session, who, name) else typed
    return await lookups.whole_name(session, who, await choices.party(typed))


async def _kept(session: AsyncSession, typed: str, named: str | None) -> str:
    """Give a party as short as a button needs it: by its number."""
    number = await profiles.get_party_id(session, named) if named else None
    return typed if number is None else f"#{number}"


async def case_choices(
    services: Services, interaction: discord.Interaction, typed: str
) -> list[app_commands.Choice[str]]:
    """Complete the name of a case: shown by its title, sent as its number."""
    async with services.database.read() as session:
        named = await choices.party(typed)
        cases = await lookups.case_names(session, viewer(interaction), typed, party=named)
    return [app_commands.Choice(name=plain_text(c.title, 100) or f"#{c.id}", value=str(c.id)) for c in cases]


async def meant_cases(session: AsyncSession, who: Viewer, name: str) -> list[CaseName]:
    """Give the case that a name means, one that is called just so before others; then a few others."""
    found = await lookups.case_names(session, who, name, party=await choices.party(name))
    return sorted(found, key=lambda case: case.title.casefold() != name.strip().casefold())[:6]


# ------------------------------------------------------------------------ pages


async def _search_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], first: int
) -> discord.ui.LayoutView:
    query, topic, party, status, since, order = state
    topic, status = unpacked(topic, TOPICS), unpacked(status, STATUSES)
    who = viewer(interaction)
    title = say("Search: {query}", query=safe_text(query, 80))
    async with services.database.read() as session:
        named = await meant_party(session, who, party) or None
        kept = [
            query,
            packed(topic, TOPICS),
            await _kept(session, party, named),
            packed(status, STATUSES),
            since,
        ]
        stories, total, more = await lookups.search_stories(
            session,
            who,
            query,
            topic=topic or None,
            party=named,
            status=status or None,
            since=await dates.since_in(session, who.guild_id, since, services.clock()),
            newest_first=order == _NEWEST,
            limit=_A_PAGE,
            offset=first,
        )
        if not total:
            filtered = any((topic, party, status, since))
            nothing = await _no_story(session, who, query, named, filtered=filtered, more=more)
            return panel(title, [nothing])
    if not stories:  # there were more when the button was made
        return await _search_page(services, interaction, state, max(0, total - _A_PAGE))
    blocks = fitting(
        (
            story_block(s, find_passage(query, summary=s.summary, text=s.text, language=s.language))
            for s in stories
        ),
        ROOM - _AROUND,
    )
    buttons = leaf_buttons("search", interaction.user.id, [*kept, order], first, len(blocks), total, _A_PAGE)
    footer = told_range(first, len(blocks), total, buttons, at_least=more)
    if total > 1:
        other, label = (_BEST, say("Best first")) if order == _NEWEST else (_NEWEST, say("Newest first"))
        turned = page_button("search", interaction.user.id, [*kept, other], 0, label)
        buttons += [turned] if turned else []
    return panel(title, blocks, buttons=buttons, footer=footer)


async def _no_story(
    session: AsyncSession, who: Viewer, query: str, party: str | None, *, filtered: bool, more: bool
) -> str:
    """Say that a search finds nothing, and what to try instead.

    `filtered`: there were options besides the words. `more`: older stories were not looked at.
    """
    if unknown := await _unknown_party(session, who, party):
        return unknown
    if meant := await lookups.meant_searches(session, who, query):
        return f"{say('Nothing was found.')} {did_you_mean(meant)}"
    if all(term.without for term in parse_query(query)) and _DASH.match(query.strip()):
        return say("A word with - before it only leaves out stories that have it; add one that must occur.")
    if more:
        return say(
            "Nothing was found among the newest stories with these words; older ones were not looked at. "
            "Try more words, or these without quotation marks."
        )
    if filtered:
        return say("Nothing was found. Try it without the other options, or with fewer words.")
    return say("Nothing was found. Try fewer words, or a beginning such as `subpoen*`.")


async def _unknown_party(session: AsyncSession, who: Viewer, name: str | None) -> str | None:
    """Say that no story names a party, and who may have been meant; None where one does."""
    if not name:
        return None
    known, near = await near_parties(session, who, name)
    if known:
        return None
    said = say("“{name}” is in no story here.", name=safe_text(name, 80))
    return f"{said} {did_you_mean(near)}".rstrip()


async def near_parties(
    session: AsyncSession, who: Viewer, name: str, *, side: str | None = None, limit: int = 5
) -> tuple[bool, list[str]]:
    """Give whether the viewer's stories name a party, and where they do not, the names like it."""
    if await lookups.is_named(session, who, name, side=side):
        return True, []
    return False, await lookups.party_names(session, who, name, side=side, limit=limit)


def did_you_mean(names: Sequence[str]) -> str:
    """Ask whether one of these was meant."""
    if not names:
        return ""
    return say("Did you mean {names}?", names=", ".join(safe_text(each, 60) for each in names))


async def _demands_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], first: int
) -> discord.ui.LayoutView:
    typed_issuer, typed_recipient, instrument, status, since = state
    instrument, status = unpacked(instrument, INSTRUMENTS), unpacked(status, STATUSES)
    who = viewer(interaction)
    async with services.database.read() as session:
        issuer = await meant_party(session, who, typed_issuer)
        recipient = await meant_party(session, who, typed_recipient)
        found = await lookups.ledger(
            session,
            who,
            issuer=issuer or None,
            recipient=recipient or None,
            instrument=instrument or None,
            status=status or None,
            since=await dates.since_in(session, who.guild_id, since, services.clock()),
            limit=_LEDGER_PAGE,
            offset=first,
        )
        if not found.total:
            return panel(say("Demands"), [await _no_demand(session, who, issuer, recipient)])
        kept = [
            await _kept(session, typed_issuer, issuer),
            await _kept(session, typed_recipient, recipient),
            packed(instrument, INSTRUMENTS),
            packed(status, STATUSES),
            since,
        ]
    if not found.demands:  # there were more when the button was made
        return await _demands_page(services, interaction, state, max(0, found.total - _LEDGER_PAGE))
    totals = " · ".join(f"{status_words(name)} {count}" for name, count in found.by_status)
    blocks = fitting(
        (demand_block(demand, story) for demand, story in found.demands), ROOM - _AROUND - width(totals)
    )
    shown = len(blocks)
    buttons = leaf_buttons("demands", interaction.user.id, kept, first, shown, found.total, _LEDGER_PAGE)
    footer = say("{number} in all", number=found.total)
    if found.total > shown:
        footer = told_range(first, shown, found.total, buttons)
    return panel(say("Demands"), [totals, *blocks], buttons=buttons, footer=footer)


async def _no_demand(session: AsyncSession, who: Viewer, issuer: str, recipient: str) -> str:
    """Say that there is no such demand between these, and what could be asked for instead."""
    if recipient and not issuer:
        asked, side = recipient, "recipient"
        none = say("No such demand to {recipient} is known here.", recipient=safe_text(asked, 80))
    elif issuer:
        asked, side = issuer, "issuer"
        none = say("No such demand by {issuer} is known here.", issuer=safe_text(asked, 80))
    else:
        asked, side = "", "issuer"
        none = say("No such demand is known here.")
    if asked:
        named, near = await near_parties(session, who, asked, side=side, limit=8)
        if named:
            return f"{none} {say('Try it without the other options.')}"
        if near:
            return f"{none} {did_you_mean(near)}"
    known = await lookups.party_names(session, who, "", side=side, limit=8)
    if not known:
        return f"{none} {say('Nothing is known yet.')} {whose_feeds(who)}"
    names = ", ".join(safe_text(each, 60) for each in known)
    if side == "issuer":
        return f"{none} {say('Known issuers: {names}.', names=names)}"
    return f"{none} {say('Known recipients: {names}.', names=names)}"


# ----------------------------------------------------------------------- a case


async def _case_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], first: int
) -> discord.ui.LayoutView:
    who = viewer(interaction)
    async with services.database.read() as session:
        found = await lookups.find_cases(session, who, f"#{state[0]}")
        if not found:
            return _no_case(who, f"#{state[0]}", await lookups.case_names(session, who, "", limit=5))
        view = await lookups.case_view(session, who, found[0])
    return await case_panel(interaction, view, (), first)


def _no_case(who: Viewer, name: str, newest: Sequence[CaseName]) -> discord.ui.LayoutView:
    blocks = [say("No case “{name}” is known here.", name=safe_text(name, 80))]
    if newest:
        blocks.append(
            say("The newest are:") + "\n" + "\n".join(f"#{c.id} {safe_text(c.title, 100)}" for c in newest)
        )
    else:
        blocks.append(f"{say('Nothing is known yet.')} {whose_feeds(who)}")
    return panel(say("Case"), blocks)
