"""`/settings`: a server's time zone, language, quiet hours, log channel, moderator role; and its whole
configuration as one file, which is compared before it is applied.

The buttons' custom ids and the database hold all they need, so they work after a restart.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts.foreign import safe_text
from bot.alerts.timing import zone_of
from bot.intake import guild_settings
from bot.intake.configuration import Configurations, Difference, Ground
from bot.intake.configuration_file import MOST_CHARACTERS, ConfigurationError
from bot.intake.guild_feeds import Who
from bot.intake.guild_settings import NAMES, NO_HOURS, EditedSettings, GuildSettings
from bot.intake.services import Services
from bot.words import labelled, mark, say
from cogs import choices
from cogs.clicks import Click, Form, add
from cogs.guards import (
    NotAllowedError,
    check_can_post,
    check_may_configure,
    guild_of,
    may_configure,
    trouble_with_channel,
    trouble_with_role,
)
from cogs.panels import answer, panel
from cogs.rules import changed_lines, describe

_LABELS = {
    "timezone": mark("Time zone"),
    "language": mark("Language"),
    "quiet_hours": mark("Quiet hours"),
    "log_channel": mark("Log channel"),
    "moderator_role": mark("Moderator role"),
}
_HOURS = ("22:00-07:00", "23:00-08:00", "20:00-08:00", "18:00-09:00")


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Settings(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the buttons work, also after a restart."""
    add(bot, services, FileButton, ApplyButton)


class Settings(commands.Cog):
    """The settings of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(
        description="This server's time zone, language, quiet hours; or all of it as a file"
    )
    @app_commands.describe(
        timezone="Whose clock digests and quiet hours go by, such as Europe/Berlin",
        language="What posts here are written in; evidence stays as it is in the article",
        quiet_hours="When nothing is posted, such as 22:00-07:00, or off; urgent stories can pass",
        log_channel="Where moderators are told what is wrong, and who changed what",
        moderator_role="A role that may configure Quash here, besides those who manage the server",
        clear="What to set back to none",
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def settings(
        self,
        interaction: discord.Interaction,
        timezone: app_commands.Range[str, 1, 64] | None = None,
        language: app_commands.Range[str, 1, 32] | None = None,
        quiet_hours: app_commands.Range[str, 1, 32] | None = None,
        log_channel: discord.TextChannel | None = None,
        moderator_role: discord.Role | None = None,
        clear: Literal["log_channel", "moderator_role"] | None = None,
    ) -> None:
        """Change what is named; without options show what is set."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        changes: dict[str, Any] = {clear: None} if clear else {}
        typed = {"timezone": timezone, "language": language, "quiet_hours": quiet_hours}
        changes |= {name: said for name, said in typed.items() if said is not None}
        if log_channel is not None:
            check_can_post(interaction, log_channel)
            changes["log_channel"] = log_channel.id
        if moderator_role is not None:
            changes["moderator_role"] = moderator_role.id
        if "moderator_role" in changes and (trouble := _role_trouble(interaction, changes["moderator_role"])):
            raise NotAllowedError(trouble)
        await asyncio.to_thread(guild_settings.zones)
        guild_id, database, now = guild_of(interaction), self.services.database, self.services.clock()
        if not changes:
            await answer(interaction, _shown(await guild_settings.get_settings(database, guild_id), now))
            return
        edited = await guild_settings.change_settings(
            database, guild_id=guild_id, user_id=interaction.user.id, changes=changes, now=now
        )
        await answer(interaction, _edited(edited, now))

    @settings.autocomplete("timezone")
    async def _zones(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        known = await asyncio.to_thread(guild_settings.zones)
        return choices.matching(typed.strip().replace(" ", "_"), known)

    @settings.autocomplete("language")
    async def _languages(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        named = [(code, f"{name} ({code})") for code, name in NAMES.items()]
        return [
            app_commands.Choice(name=name, value=code)
            for code, name in named
            if typed.strip().casefold() in name.casefold()
        ]

    @settings.autocomplete("quiet_hours")
    async def _hours(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, (NO_HOURS, *_HOURS))


def _role_trouble(interaction: discord.Interaction, role_id: int | None) -> str | None:
    """Say why somebody may not choose who else may configure."""
    if not interaction.permissions.manage_guild:
        return say("Only somebody with the permission Manage Server can choose the moderator role.")
    return trouble_with_role(interaction, role_id) if role_id is not None else None


# ------------------------------------------------------------------------ what is set


def _value(name: str, value: Any) -> str:
    if name == "language":
        return NAMES.get(value, str(value))
    if name == "quiet_hours" and value == NO_HOURS:
        return say("off")
    if value is None:
        return say("none")
    shown = {"log_channel": f"<#{value}>", "moderator_role": f"<@&{value}>"}
    return shown.get(name, safe_text(str(value), 80))


def _label(text: str, sign: str = "") -> str:
    """Give what stands in bold before a value, with its colon."""
    return f"**{labelled(f'{sign} {say(text)}'.strip(), '').rstrip()}**"


def _shown(settings: GuildSettings, now: datetime) -> ui.LayoutView:
    lines = [f"{_label(_LABELS[name])} {_value(name, value)}" for name, value in asdict(settings).items()]
    clock = now.astimezone(zone_of(settings.timezone)).strftime("%H:%M")
    lines[0] += " " + say("(it is {time} there)", time=clock)
    how = say(
        "Change one by naming it: `/settings quiet_hours:22:00-07:00`. Below: all of this server's settings, "
        "feeds and rules as a file, and back from one."
    )
    return panel(say("Settings"), ["\n".join(lines), how], buttons=_file_buttons())


def _edited(edited: EditedSettings, now: datetime) -> ui.LayoutView:
    if not edited.changed:
        return panel(say("Settings"), [say("That is how it was already.")])
    blocks = ["\n".join(_changes(edited))]
    if "timezone" in edited.changed:
        clock = now.astimezone(zone_of(edited.after.timezone)).strftime("%H:%M")
        blocks.append(say("It is {time} there now.", time=clock))
    if "moderator_role" in edited.changed and edited.after.moderator_role:
        blocks.append(
            say(
                "Discord shows these commands to those who have Manage Server; let the role see them, "
                "too, in Server Settings, Integrations, Quash."
            )
        )
    return panel(say("Settings changed"), blocks)


def _changes(edited: EditedSettings) -> Iterator[str]:
    was, now = asdict(edited.before), asdict(edited.after)
    for name in edited.changed:
        yield f"{_label(_LABELS[name])} {_value(name, was[name])} → {_value(name, now[name])}"


# ------------------------------------------------------------------------ as a file


def _file_buttons() -> list[ui.Item[Any]]:
    return [
        ui.Button(label=say("Export"), custom_id="quash:settings:export"),
        ui.Button(label=say("Import"), custom_id="quash:settings:import"),
    ]


def _configurations(services: Services) -> Configurations:
    return Configurations(
        services.database, services.feeds, services.clock, most_feeds=services.max_feeds_per_guild
    )


def _who(interaction: discord.Interaction) -> Who:
    return Who(guild_of(interaction), interaction.user.id)


def _ground(interaction: discord.Interaction) -> Ground:
    """Give what is known of the server, and what the one who acts may name."""

    def rule(columns: Mapping[str, Any]) -> str | None:
        channel = trouble_with_channel(
            interaction, columns["channel_id"], threads=columns["thread"] == "case"
        )
        review = columns["review_channel"] and _unheard(interaction, columns["review_channel"])
        role = columns["ping_role"] and trouble_with_role(interaction, columns["ping_role"])
        return channel or review or role or None

    def settings(edited: EditedSettings) -> str | None:
        after = edited.after
        trouble = None
        if "log_channel" in edited.changed and after.log_channel is not None:
            trouble = _unheard(interaction, after.log_channel)
        if "moderator_role" in edited.changed:
            trouble = trouble or _role_trouble(interaction, after.moderator_role)
        return trouble

    return Ground(rule, settings, lambda channel_id: _is_forum(interaction, channel_id))


def _is_forum(interaction: discord.Interaction, channel_id: int) -> bool:
    guild = interaction.guild
    return guild is not None and isinstance(guild.get_channel(channel_id), discord.ForumChannel)


def _unheard(interaction: discord.Interaction, channel_id: int) -> str | None:
    """Say why moderators cannot be told or asked something in a channel, None where they can."""
    if _is_forum(interaction, channel_id):
        return say("Moderators are asked in a text channel or a thread; choose one.")
    return trouble_with_channel(interaction, channel_id)


class FileButton(
    Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:settings:(?P<do>export|import)"
):
    """Gives the configuration as a file, or asks for one."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, for moderators."""
        await check_may_configure(interaction)
        if self.match["do"] == "import":
            await interaction.response.send_modal(ImportForm(self.services))
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        content = await _configurations(self.services).export(guild_of(interaction))
        await interaction.followup.send(
            file=discord.File(io.BytesIO(content), "quash-configuration.yaml"), ephemeral=True
        )


class ImportForm(Form):
    """Takes a configuration as a file, or as text."""

    def __init__(self, services: Services) -> None:
        super().__init__(say("Import a configuration"))
        self._services = services
        self._file: ui.FileUpload[ImportForm] = ui.FileUpload(required=False)
        self._text: ui.TextInput[ImportForm] = ui.TextInput(
            style=discord.TextStyle.paragraph, max_length=4000, required=False
        )
        self.add_item(ui.Label(text=say("A file (YAML)"), component=self._file))
        self.add_item(ui.Label(text=say("Or its text"), component=self._text))

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Show what it would change."""
        await check_may_configure(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        text = await self._said()
        await asyncio.to_thread(guild_settings.zones)
        service = _configurations(self._services)
        found = await service.compare(_who(interaction), text, _ground(interaction))
        await answer(interaction, _difference(found))

    async def _said(self) -> str:
        files = self._file.values
        if not files:
            if not self._text.value.strip():
                raise ConfigurationError(say("Give a file or a text; Export shows what it looks like."))
            return self._text.value
        if files[0].size > 4 * MOST_CHARACTERS:
            raise ConfigurationError(say("That file is too large for a configuration."))
        try:
            return (await files[0].read()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigurationError(say("That file is not text in UTF-8.")) from error


class ApplyButton(
    Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:settings:apply:(?P<id>[0-9]{1,18})"
):
    """Applies a configuration whose difference was shown."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Apply it, with the rights that the one who clicks has now."""
        await check_may_configure(interaction)
        await interaction.response.defer()
        await asyncio.to_thread(guild_settings.zones)
        service = _configurations(self.services)
        done = await service.apply(_who(interaction), int(self.match["id"]), _ground(interaction))
        view = panel(say("Configuration applied"), _lines(done))
        await interaction.edit_original_response(view=view)


def _difference(found: Difference) -> ui.LayoutView:
    if not found:
        return panel(say("Import"), [say("The file says what is set already; there is nothing to change.")])
    apply: ui.Button[ui.LayoutView] = ui.Button(
        label=say("Apply"),
        style=discord.ButtonStyle.primary,
        custom_id=f"quash:settings:apply:{found.id}",
    )
    footer = say("Nothing is changed yet.")
    return panel(say("What the file would change"), _lines(found), buttons=[apply], footer=footer)


def _lines(found: Difference) -> list[str]:
    blocks = ["\n".join(_changes(found.settings))] if found.settings.changed else []
    for sign, names in (
        ("+", found.feeds_added),
        ("−", found.feeds_removed),
        ("⏸", found.feeds_paused),
        ("▶", found.feeds_resumed),
    ):
        if names:
            shown = ", ".join(safe_text(name, 60) for name in names[:12])
            more = f", … ({len(names)})" if len(names) > 12 else ""
            blocks.append(f"{_label('Feeds', sign)} {shown}{more}")
    blocks += [f"**+** {describe(rule)}" for rule in found.rules_added]
    blocks += [f"**~** {changed_lines(edited)}" for edited in found.rules_changed]
    blocks += [f"**−** {describe(rule)}" for rule in found.rules_removed]
    return blocks
