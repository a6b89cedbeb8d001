"""A case as `/case` shows it: where it stands first, then its reports."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.alerts import ids
from bot.alerts.foreign import link, safe_text, width
from bot.alerts.render import status_words
from bot.words import labelled, mark, say, say_number
from cogs.blocks import demand_block
from cogs.corrections import correct_button
from cogs.guards import may
from cogs.pages import ROOM, first_that_fits, fitting, leaf_buttons, told_range
from cogs.panels import panel, stamp
from db.lookups import CaseLine, CaseName, CaseView
from db.tables import DemandRow, StoryRow

_REPORTS = 10  # a page
_AROUND = 250  # characters of a title and a footer
_FOR_REPORTS = 800  # characters that a case's first page keeps for reports, whatever else there is to tell
_STANDING = (4, 12), (2, 6), (1, 4)  # demands and lines of a timeline, where there is less and less room
# What happened, as a timeline tells it.
_EVENT = {
    "opened": mark("first reported"),
    "status": mark("changed"),
    "merged": mark("merged"),
    "corrected": mark("corrected"),
}


async def case_panel(
    interaction: discord.Interaction, view: CaseView, others: Sequence[CaseName], first: int = 0
) -> discord.ui.LayoutView:
    """Lay a case out: where it stands first, then its reports, the newest first and in pages."""
    case, total = view.case, len(view.stories)
    first = first if first < total else max(0, total - _REPORTS)
    also = others_named(others)
    room = ROOM - _AROUND - width(also)
    standing = _standing_in(view, room - _FOR_REPORTS) if first == 0 else []
    newest = view.stories[::-1][first : first + _REPORTS]
    reports = fitting(map(_report, newest), room - sum(map(width, standing)))
    blocks = [*standing, f"**{say('Reports')}**\n" + "\n".join(reports), also]
    shown = len(reports)
    buttons = pages = leaf_buttons("case", interaction.user.id, [str(case.id)], first, shown, total, _REPORTS)
    footer = say("case #{number}", number=case.id)
    if pages:
        footer += " · " + told_range(first, shown, total, pages)
    if interaction.is_guild_integration():  # elsewhere nothing can be followed
        follow: discord.ui.Button[discord.ui.LayoutView] = discord.ui.Button(
            label=say("Follow case"), style=discord.ButtonStyle.primary, custom_id=ids.follow_id(case.id)
        )
        buttons = [follow, *pages]
        if await may(interaction):
            buttons.append(correct_button(case.id))
    return panel(safe_text(view.title, 200) or say("Case"), blocks, buttons=buttons, footer=footer)


def others_named(others: Sequence[CaseName]) -> str:
    """Name other cases that may have been meant, "" for none."""
    if not others:
        return ""
    return f"-# {say('Also:')} " + " · ".join(f"#{c.id} {safe_text(c.title, 60)}" for c in others)


def _report(story: StoryRow) -> str:
    told = f"{safe_text(story.source, 40)}, {stamp(story.published or story.first_seen)}"
    return f"• {link(story.title, story.url, 110)} — {told}"


def _standing_in(view: CaseView, room: int) -> list[str]:
    """Tell where a case stands in so many characters: where there is less room, less of what went before."""
    ways = (_standing(view, demands, lines) for demands, lines in _STANDING)
    return fitting(first_that_fits(ways, room), room)


def _standing(view: CaseView, demands: int, most: int) -> list[str]:
    """Tell where a case stands: its last demands, who is in it, and how it came so far."""
    blocks = _corrected(view)
    if view.status:
        newest_report = view.stories[-1]
        blocks.append(
            say(
                "Stands: **{status}** · last reported {when}",
                status=status_words(view.status),
                when=stamp(newest_report.published or newest_report.first_seen, "R"),
            )
        )
    if view.demands:
        newest: dict[tuple[str, ...], DemandRow] = {}
        for demand in reversed(view.demands):
            newest.setdefault((demand.instrument, *demand.recipient), demand)
        by_story = {s.id: s for s in view.stories}
        blocks += [demand_block(d, by_story[d.story_id]) for d in list(newest.values())[:demands][::-1]]
    lines = [line for line in view.lines if line.kind != "source"]
    last = lines if len(lines) <= most else lines[-(most - 2) :]
    told = list(map(_line, last))
    if last is not lines:  # how it began, and the last that happened
        left = len(lines) - most + 1
        more = say_number("{number} change between", "{number} changes between", left)
        told = [_line(lines[0]), f"… {more}", *told]
    if view.parties:
        names = " · ".join(safe_text(name, 60) for name in view.parties)
        blocks.append(f"**{say('Parties')}**\n{names}")
    if told:
        blocks.append(f"**{say('Timeline')}**\n" + "\n".join(told))
    return blocks


def _line(line: CaseLine) -> str:
    event = say(_EVENT.get(line.kind, line.kind))
    told = labelled(event, f"**{status_words(line.status)}**") if line.status else event
    source = f" — {safe_text(line.story.source, 60)}" if line.story else ""
    return f"{stamp(line.at)} {told}{source}"


def _corrected(view: CaseView) -> list[str]:
    """Tell what this server's moderators say of the case, apart from what articles report."""
    said = view.override
    if said is None:
        return []
    told = say("Corrected by this server's moderators, {when}", when=stamp(said.at, "R"))
    lines = [f"✎ {told}"]
    if said.status:
        lines.append(
            say(
                "According to them it stands: **{status}** ({source})",
                status=status_words(said.status),
                source=link("", said.source or "", 80),
            )
        )
    if said.title:
        lines.append(say("Known elsewhere as: {title}", title=safe_text(view.case.title, 200)))
    return ["\n".join(lines)]
