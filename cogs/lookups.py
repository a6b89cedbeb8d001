"""Look-ups for everyone: `/latest`, `/search`, `/case`, `/demands`. Answers are for the asker's eyes."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.alerts import ids
from bot.alerts.foreign import host, link, safe_text
from bot.alerts.render import status_words
from bot.intake.services import Services
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.stories.naming import canonical_name
from bot.words import mark, say
from cogs import choices, dates
from cogs.blocks import demand_block, story_block
from cogs.clicks import add
from cogs.corrections import correct_button
from cogs.guards import may
from cogs.pages import PageButton, page_buttons
from cogs.panels import answer, panel, stamp
from db import lookups
from db.lookups import Viewer
from db.passages import find_passage
from db.tables import CaseRow

_A_PAGE = 5
_LEDGER_PAGE = 8


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Lookups(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the page buttons of answers work, also after a restart."""
    PageButton.turners["search"] = _search_page
    PageButton.turners["demands"] = _demands_page
    add(bot, services, PageButton)


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
        async with self.services.database.read() as session:
            stories = await lookups.latest(
                session, viewer(interaction), topic=wanted, party=party, limit=count
            )
        if not stories:
            hint = (
                say("Try it without topic and party.")
                if topic or party
                else say("`/feeds list` shows what is watched.")
            )
            await answer(
                interaction, panel(say("Newest stories"), [f"{say('Nothing is known yet.')} {hint}"])
            )
            return
        await answer(interaction, panel(say("Newest stories"), [story_block(s) for s in stories]))

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
        state = (query, choices.topic(topic) or "", party or "", choices.status(status) or "", since or "")
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
            found = await lookups.find_cases(session, who, name)
            if not found:
                newest = await lookups.find_cases(session, who, "", limit=5)
                await answer(interaction, _no_case(name, newest))
                return
            exact = [c for c in found if c.title.casefold() == name.strip().casefold()]
            case = (exact or found)[0]
            view = await lookups.case_view(session, who, case)
        others = [c for c in found if c.id != case.id][:5]
        corrects = interaction.is_guild_integration() and await may(interaction)
        await answer(interaction, _case_panel(view, others, corrects=corrects))

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
    async with services.database.read() as session:
        names = await lookups.party_names(session, viewer(interaction), canonical_name(typed), side=side)
    return [app_commands.Choice(name=n[:100], value=n[:100]) for n in names]


async def case_choices(
    services: Services, interaction: discord.Interaction, typed: str
) -> list[app_commands.Choice[str]]:
    """Complete the name of a case: shown by its title, sent as its number."""
    async with services.database.read() as session:
        cases = await lookups.case_names(session, viewer(interaction), typed)
    return [app_commands.Choice(name=c.title[:100], value=str(c.id)) for c in cases]


# ------------------------------------------------------------------------ pages


async def _search_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> discord.ui.LayoutView:
    query, topic, party, status, since = state
    async with services.database.read() as session:
        stories, total = await lookups.search_stories(
            session,
            viewer(interaction),
            query,
            topic=topic or None,
            party=canonical_name(party) if party else None,
            status=status or None,
            since=dates.since(since, services.clock()),
            limit=_A_PAGE,
            offset=page * _A_PAGE,
        )
    title = say("Search: {query}", query=safe_text(query, 80))
    if not stories:
        return panel(title, [say("Nothing was found. Try fewer words, or a beginning such as `subpoen*`.")])
    return panel(
        title,
        [
            story_block(s, find_passage(query, summary=s.summary, text=s.text, language=s.language))
            for s in stories
        ],
        buttons=page_buttons("search", interaction.user.id, state, page, total, _A_PAGE),
        footer=_of_total(page * _A_PAGE + 1, page * _A_PAGE + len(stories), total),
    )


def _of_total(first: int, last: int, total: int) -> str:
    """Say which hits are shown. Many are not counted to the end: then there are at least so many."""
    if total >= lookups.SEARCHED:
        return say("{first} to {last} of at least {total}", first=first, last=last, total=total)
    return say("{first} to {last} of {total}", first=first, last=last, total=total)


async def _demands_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> discord.ui.LayoutView:
    issuer, recipient, instrument, status, since = state
    who = viewer(interaction)
    async with services.database.read() as session:
        found = await lookups.ledger(
            session,
            who,
            issuer=canonical_name(issuer) if issuer else None,
            recipient=canonical_name(recipient) if recipient else None,
            instrument=instrument or None,
            status=status or None,
            since=dates.since(since, services.clock()),
            limit=_LEDGER_PAGE,
            offset=page * _LEDGER_PAGE,
        )
        known = await lookups.party_names(session, who, "", side="issuer", limit=8) if not found.total else []
    if not found.total:
        none = say("No such demand is known here.")
        if issuer:
            none = say(
                "No such demand by {issuer} is known here.", issuer=safe_text(canonical_name(issuer), 80)
            )
        hint = (
            say("Known issuers: {names}.", names=", ".join(safe_text(n, 60) for n in known))
            if known
            else say("None is known at all yet.")
        )
        return panel(say("Demands"), [f"{none} {hint}"])
    totals = " · ".join(f"{status_words(name)} {count}" for name, count in found.by_status)
    return panel(
        say("Demands"),
        [totals, *(demand_block(demand, story) for demand, story in found.demands)],
        buttons=page_buttons("demands", interaction.user.id, state, page, found.total, _LEDGER_PAGE),
        footer=say("{number} in all", number=found.total),
    )


# ----------------------------------------------------------------------- a case


def _case_panel(
    view: lookups.CaseView, others: Sequence[CaseRow], *, corrects: bool = False
) -> discord.ui.LayoutView:
    case = view.case
    blocks = _corrected(view)
    if case.status:
        blocks.append(
            say(
                "Stands: **{status}** · last reported {when}",
                status=status_words(case.status),
                when=stamp(case.updated, "R"),
            )
        )
    if view.demands:
        newest = {(d.instrument, *d.recipient): d for d in view.demands}
        by_story = {s.id: s for s in view.stories}
        blocks += [demand_block(d, by_story[d.story_id]) for d in list(newest.values())[-4:]]
    lines = [
        f"{stamp(line.at)} {say(_EVENT.get(line.kind, line.kind))}"
        + (f": **{status_words(line.status)}**" if line.status else "")
        + (f" — {safe_text(line.story.source, 60)}" if line.story else "")
        for line in view.lines
        if line.kind != "source"
    ]
    if lines:
        blocks.append(f"**{say('Timeline')}**\n" + "\n".join(lines[:12]))
    reports = [
        f"• {link(s.title, s.url, 110)} — {safe_text(s.source, 40)}, {stamp(s.published or s.first_seen)}"
        for s in view.stories
    ]
    blocks += [f"**{say('Reports')}**", *reports[-12:]]
    if others:
        blocks.append(f"-# {say('Also:')} " + " · ".join(f"#{c.id} {safe_text(c.title, 60)}" for c in others))
    follow: discord.ui.Button[discord.ui.LayoutView] = discord.ui.Button(
        label=say("Follow case"), style=discord.ButtonStyle.primary, custom_id=ids.follow_id(case.id)
    )
    buttons = [follow, correct_button(case.id)] if corrects else [follow]
    return panel(
        safe_text(view.title, 200), blocks, buttons=buttons, footer=say("case #{number}", number=case.id)
    )


def _corrected(view: lookups.CaseView) -> list[str]:
    """Tell what this server's moderators say of the case, apart from what articles report."""
    said = view.override
    if said is None:
        return []
    told = say("Corrected by this server's moderators, {when}", when=stamp(said.at, "R"))
    lines = [f"✎ {told}"]
    if said.status:
        lines.append(
            say(
                "By them it stands: **{status}** ({source})",
                status=status_words(said.status),
                source=link(host(said.source or ""), said.source or "", 80),
            )
        )
    if said.title:
        lines.append(say("Known elsewhere as: {title}", title=safe_text(view.case.title, 200)))
    return ["\n".join(lines)]


_EVENT = {
    "opened": mark("first reported"),
    "status": mark("changed"),
    "merged": mark("merged"),
    "corrected": mark("corrected"),
}


def _no_case(name: str, newest: Sequence[CaseRow]) -> discord.ui.LayoutView:
    blocks = [say("No case “{name}” is known here.", name=safe_text(name, 80))]
    if newest:
        blocks.append(
            say("The newest are:") + "\n" + "\n".join(f"#{c.id} {safe_text(c.title, 100)}" for c in newest)
        )
    else:
        blocks.append(say("None is known at all yet; `/feeds list` shows what is watched."))
    return panel(say("Case"), blocks)
