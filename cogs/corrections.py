"""What moderators put right: a case's name and standing here, merges and splits that they propose, and
sources that members find off topic."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui
from discord.ext import commands

from bot.alerts import ids
from bot.alerts.foreign import plain_text, safe_text
from bot.intake import corrections
from bot.intake.services import Services
from bot.stories.model import STATUSES
from bot.words import say
from cogs.clicks import Click, Form, add, chosen_number
from cogs.guards import check_may_configure, configured_here, guild_of
from cogs.panels import answer, panel
from db import lookups
from db.lookups import CaseView, Viewer

_CHOICES = 25
_NONE = "-"


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the buttons work, also after a restart."""
    add(bot, services, SourceButton, CorrectButton, CaseButton, CaseChoice)


def correct_button(case_id: int) -> ui.Button[ui.LayoutView]:
    """Give the button of a case's panel that opens what moderators can put right."""
    return ui.Button(label=say("Correct…"), custom_id=f"quash:case:correct:{case_id}")


# ------------------------------------------------------------------------ sources


class SourceButton(
    Click,
    ui.DynamicItem[ui.Button[ui.View]],
    template=r"quash:source:(?P<do>exclude|dismiss):(?P<id>[0-9]{1,18})" + ids.OF_SERVER,
):
    """Leaves a source out of all rules, or lets it be, from a note about reports of it."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, for moderators of the server whose members reported it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = await configured_here(interaction, self.match["server"])
        do = corrections.exclude_source if self.match["do"] == "exclude" else corrections.dismiss_source
        source = await do(
            self.services.database,
            guild_id=guild_id,
            user_id=interaction.user.id,
            story_id=int(self.match["id"]),
            now=self.services.clock(),
        )
        name = f"**{safe_text(source, 100)}**"
        if self.match["do"] == "exclude":
            told = say(
                "No rule posts stories from {source} any more; `/alerts edit` undoes that.", source=name
            )
            await answer(interaction, panel(say("Source excluded"), [told]))
        else:
            told = say(
                "Stories from {source} come as before; new reports may bring it up again.", source=name
            )
            await answer(interaction, panel(say("Dismissed"), [told]))


# ------------------------------------------------------------------------ cases


class CorrectButton(
    Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:case:correct:(?P<id>[0-9]{1,18})"
):
    """Opens what moderators can put right about a case."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Show the choice."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await check_may_configure(interaction)
        view = await _view(self.services, interaction, int(self.match["id"]))
        case_id = view.case.id
        blocks = [
            f"**{safe_text(view.title, 200)}**",
            say("Its name and where it stands are shown so in this server alone, as your own words."),
            say(
                "That two cases are one, or one is two, concerns all servers: it is proposed to the operator."
            ),
        ]
        buttons: list[ui.Item[Any]] = [
            ui.Button(label=label, custom_id=f"quash:case:put:{do}:{case_id}")
            for do, label in (
                ("rename", say("Rename")),
                ("status", say("Set status")),
                ("merge", say("Merge…")),
                ("split", say("Split off a story…")),
            )
        ]
        await answer(
            interaction, panel(say("Correct case #{number}", number=case_id), blocks, buttons=buttons)
        )


class CaseButton(
    Click,
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"quash:case:put:(?P<do>rename|status|merge|split):(?P<id>[0-9]{1,18})",
):
    """One thing to put right: asks for what it takes."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Ask, by a form or a select."""
        do, case_id = self.match["do"], int(self.match["id"])
        await check_may_configure(interaction)
        view = await _view(self.services, interaction, case_id)
        if do == "rename":
            await interaction.response.send_modal(RenameForm(self.services, view))
        elif do == "status":
            await interaction.response.send_modal(StatusForm(self.services, view))
        else:
            await answer(interaction, await self._choice(interaction, do, view))

    async def _choice(self, interaction: discord.Interaction[Any], do: str, view: CaseView) -> ui.LayoutView:
        if do == "split":
            title = say("Split off a story…")
            options = [
                discord.SelectOption(label=plain_text(s.title, 95) or f"#{s.id}", value=str(s.id))
                for s in view.stories[-_CHOICES:]
            ]
            told = say("Choose the story that is another matter.")
        else:
            title = say("Merge…")
            async with self.services.database.read() as session:
                cases = await lookups.case_names(
                    session, Viewer(guild_of(interaction)), "", limit=_CHOICES + 1
                )
            options = [
                discord.SelectOption(label=plain_text(c.title, 95) or f"#{c.id}", value=str(c.id))
                for c in cases
                if c.id != view.case.id
            ][:_CHOICES]
            told = say("Choose the case that is part of this one.")
        if not options or (do == "split" and len(options) < 2):
            return panel(title, [say("There is nothing to choose from.")])
        shown = panel(title, [told])
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id=f"quash:case:choose:{do}:{view.case.id}", placeholder=say("Choose"), options=options
        )
        shown.add_item(ui.ActionRow(select))
        return shown


class CaseChoice(
    Click,
    ui.DynamicItem[ui.Select[ui.LayoutView]],
    template=r"quash:case:choose:(?P<do>merge|split):(?P<id>[0-9]{1,18})",
):
    """The other case, or the story that leaves."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Propose it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await check_may_configure(interaction)
        number = chosen_number(interaction)
        database, who = self.services.database, interaction.user.id
        guild_id, case_id, now = guild_of(interaction), int(self.match["id"]), self.services.clock()
        if self.match["do"] == "merge":
            made = await corrections.propose_merge(
                database, guild_id=guild_id, user_id=who, case_id=case_id, other_id=number, now=now
            )
        else:
            made = await corrections.propose_split(
                database, guild_id=guild_id, user_id=who, case_id=case_id, story_id=number, now=now
            )
        told = say("Proposal #{number} is before the operator; nothing has changed yet.", number=made)
        await answer(interaction, panel(say("Proposed"), [told]))


class RenameForm(Form):
    """A case's name in this server."""

    def __init__(self, services: Services, view: CaseView) -> None:
        super().__init__(say("Rename"))
        self.services = services
        self.case_id = view.case.id
        self.name: ui.TextInput[RenameForm] = ui.TextInput(
            default=view.title[:200], max_length=200, required=False, custom_id="name"
        )
        said = say("Shown in this server alone. Empty: as it was.")
        self.add_item(ui.Label(text=say("Name")[:45], description=said[:100], component=self.name))

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Store it."""
        await check_may_configure(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await corrections.rename_case(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            case_id=self.case_id,
            title=self.name.value,
            now=self.services.clock(),
        )
        await answer(interaction, panel(say("Renamed"), [say("`/case` shows it so in this server.")]))


class StatusForm(Form):
    """Where a case stands by what moderators know, with the page that says so."""

    def __init__(self, services: Services, view: CaseView) -> None:
        super().__init__(say("Set status"))
        self.services = services
        self.case_id = view.case.id
        now = view.override.status if view.override else None
        self.status: ui.Select[StatusForm] = ui.Select(
            custom_id="status",
            options=[
                discord.SelectOption(label=say("As articles report"), value=_NONE, default=now is None),
                *(
                    discord.SelectOption(label=say(status), value=status, default=status == now)
                    for status in STATUSES
                    if status != "unknown"
                ),
            ],
        )
        self.source: ui.TextInput[StatusForm] = ui.TextInput(
            default=(view.override.source or "")[:600] if view.override else "",
            placeholder="https://",
            max_length=600,
            required=False,
            custom_id="source",
        )
        self.add_item(ui.Label(text=say("Status")[:45], component=self.status))
        said = say("The address of a page that tells so")
        self.add_item(ui.Label(text=say("Source")[:45], description=said[:100], component=self.source))

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Store it."""
        await check_may_configure(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        status = self.status.values[0] if self.status.values else _NONE
        await corrections.set_case_status(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            case_id=self.case_id,
            status="" if status == _NONE else status,
            source=self.source.value,
            now=self.services.clock(),
        )
        await answer(interaction, panel(say("Status set"), [say("`/case` shows it so in this server.")]))


async def _view(services: Services, interaction: discord.Interaction[Any], case_id: int) -> CaseView:
    who = Viewer(guild_of(interaction))
    async with services.database.read() as session:
        found = await lookups.find_cases(session, who, str(case_id))
        if not found or found[0].id != case_id:
            raise corrections.gone(case_id)
        return await lookups.case_view(session, who, found[0])
