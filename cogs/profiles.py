"""`/party`, a profile, and `/trends`, a chart with its figures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import discord
from babel.dates import format_skeleton
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import actions, ids
from bot.alerts.foreign import safe_text
from bot.alerts.render import status_words
from bot.charts import MOST_LINES, Chart, ChartError
from bot.intake.services import Services
from bot.stories.model import TOPICS
from bot.words import labelled, mark, retell, say, say_number, spoken
from cogs import choices
from cogs.blocks import story_block
from cogs.clicks import Click, add
from cogs.guards import NotAllowedError, guild_of
from cogs.lookups import did_you_mean, meant_party, party_choices, viewer, whose_feeds
from cogs.panels import answer, panel
from db import lookups, profiles

_SIDES = {
    "issuer": mark("Demands that it made"),
    "recipient": mark("Demands that it received"),
    "target": mark("Demands about it"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A period of `/trends`: so many parts of so many days."""

    parts: int
    days: int
    title: str
    unit: str


PERIODS = {
    "month": Period(10, 3, mark("the last 30 days"), mark("stories in 3 days")),
    "quarter": Period(13, 7, mark("the last 13 weeks"), mark("stories a week")),
    "year": Period(13, 28, mark("the last 52 weeks"), mark("stories in 4 weeks")),
}


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Profiles(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the Follow button work, also after a restart."""
    add(bot, services, FollowPartyButton)


class FollowPartyButton(Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.FOLLOW_PARTY):
    """Follow: the one who clicks is told by direct message of every story with the party."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Subscribe to the party."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        async with self.services.database.read() as session:
            name = await profiles.get_party_name(session, int(self.match["id"]))
            seen = name is not None and await lookups.is_named(session, viewer(interaction), name)
        if name is None or not seen:
            raise NotAllowedError(say("That party is not known any more; look it up again."))
        made = await actions.subscribe(
            self.services.database,
            user_id=interaction.user.id,
            guild_id=guild_id,
            kind="party",
            value=name,
            now=self.services.clock(),
        )
        told = say(
            "You get a direct message when there is news; `/subscriptions` ends that. Nobody else can see it."
        )
        await answer(interaction, panel(say("You follow {name}", name=safe_text(made.label, 200)), [told]))


class Profiles(commands.Cog):
    """Who does what, and how it goes on."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(description="An agency, company, organisation or account: its demands and stories")
    @app_commands.describe(name="The party's name, such as DHS, Google or @ALT_USCIS")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def party(self, interaction: discord.Interaction, name: app_commands.Range[str, 1, 200]) -> None:
        """Answer with a profile."""
        who = viewer(interaction)
        async with self.services.database.read() as session:
            named = await meant_party(session, who, name)
            found = await profiles.get_profile(session, who, named)
            if found is None:
                near = await lookups.party_names(session, who, named, limit=8)
                known = await lookups.party_names(session, who, "", limit=8)
        await answer(interaction, _profile(who, found) if found else _no_party(who, name, near, known))

    @app_commands.command(description="A chart of what was reported over time, with its figures")
    @app_commands.describe(topic="One topic (default: all)", period="How far back")
    @app_commands.choices(period=[app_commands.Choice(name=name, value=name) for name in PERIODS])
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def trends(
        self, interaction: discord.Interaction, topic: str | None = None, period: str = "quarter"
    ) -> None:
        """Answer with a chart; the figures stand below it and in its description."""
        wanted = choices.topic(topic)
        chosen = PERIODS[choices.one_of(period, tuple(PERIODS), "period")]
        await interaction.response.defer(ephemeral=True, thinking=True)
        end = self.services.clock()
        starts = tuple(end - timedelta(days=chosen.days) * n for n in range(chosen.parts, 0, -1))
        who = viewer(interaction)
        async with self.services.database.read() as session:
            found = await profiles.get_trend(session, who, starts, end, wanted)
        if not found.stories_total:
            empty = say("Nothing was reported in this period. Try a longer one, or no topic.")
            if chosen is PERIODS["year"] and not wanted:
                empty = f"{say('Nothing is known yet.')} {whose_feeds(who)}"
            await answer(interaction, panel(_title(chosen), [empty]))
            return
        await self._send(interaction, chosen, found)

    async def _send(self, interaction: discord.Interaction, chosen: Period, found: profiles.Trend) -> None:
        lines = tuple((say(name), numbers) for name, numbers in found.topics.items())[:MOST_LINES]
        chart = Chart(_title(chosen), say(chosen.unit), tuple(map(_day, found.starts)), lines)
        figures = _figures(found, chosen)
        try:
            picture = await self.services.charts.draw(chart)
        except ChartError as error:
            await answer(interaction, panel(_title(chosen), [*figures, f"-# {retell(str(error))}"]))
            return
        view = panel(_title(chosen), figures)
        gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery()
        gallery.add_item(media="attachment://trends.png", description=alt_text(chart))
        view.add_item(gallery)
        file = discord.File(io.BytesIO(picture), "trends.png", description=alt_text(chart))
        await interaction.followup.send(view=view, file=file, ephemeral=True)

    @party.autocomplete("name")
    async def _parties(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await party_choices(self.services, interaction, typed)

    @trends.autocomplete("topic")
    async def _topics(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, TOPICS)


# ------------------------------------------------------------------------ a party


def _profile(who: lookups.Viewer, found: profiles.Profile) -> ui.LayoutView:
    blocks = []
    for side, title in _SIDES.items():
        if counts := found.by_side.get(side):
            total = sum(number for _, number in counts)
            told = " · ".join(f"{status_words(status)} {number}" for status, number in counts)
            blocks.append(f"**{labelled(say(title), total)}**\n{told}")
    if found.opposite:
        others = " · ".join(f"{safe_text(name, 60)} {number}" for name, number in found.opposite)
        blocks.append(f"**{say('With whom')}**\n{others}")
    blocks += [f"**{say('Newest stories')}**", *map(story_block, found.newest)]
    buttons: list[ui.Item[ui.LayoutView]] = []
    if who.guild_id is not None:  # elsewhere nothing can be followed
        custom_id = ids.follow_party_id(found.id)
        buttons.append(ui.Button(label=say("Follow"), style=discord.ButtonStyle.primary, custom_id=custom_id))
    footer = say_number("{number} story", "{number} stories", found.stories_total)
    return panel(safe_text(found.name, 200), blocks, buttons=buttons, footer=f"{say(found.kind)} · {footer}")


def _no_party(who: lookups.Viewer, name: str, near: list[str], known: list[str]) -> ui.LayoutView:
    blocks = [say("“{name}” is in no story here.", name=safe_text(name, 80))]
    if near:
        blocks.append(did_you_mean(near))
    elif known:
        blocks.append(say("Known are: {names}.", names=", ".join(safe_text(each, 60) for each in known)))
    else:
        blocks.append(f"{say('Nothing is known yet.')} {whose_feeds(who)}")
    return panel(say("Party"), blocks)


# ------------------------------------------------------------------------ trends


def _title(chosen: Period) -> str:
    return say("Stories by topic, {period}", period=say(chosen.title))


def _day(at: datetime) -> str:
    return format_skeleton("MMMd", at, locale=spoken())


def _series(numbers: Sequence[int]) -> str:
    """Give numbers in their order, many zeros before the first other one as "8 × 0"."""
    zeros = next((at for at, number in enumerate(numbers) if number), len(numbers))
    told = [f"{zeros} × 0"] if zeros > 2 else ["0"] * zeros
    return ", ".join((*told, *map(str, numbers[zeros:])))


def _figures(found: profiles.Trend, chosen: Period) -> list[str]:
    topics = "\n".join(
        labelled(say(name), f"**{sum(numbers)}** ({_series(numbers)})")
        for name, numbers in found.topics.items()
    )
    brackets = say("in brackets: {unit}, from {day} on", unit=say(chosen.unit), day=_day(found.starts[0]))
    total = say_number("{number} story", "{number} stories", found.stories_total)
    blocks = [f"{total} · {brackets}", topics]
    if found.statuses:
        told = " · ".join(f"{status_words(status)} {number}" for status, number in found.statuses)
        blocks.append(f"**{say('Demands reported in this period')}**\n{told}")
    return blocks


def alt_text(chart: Chart) -> str:
    """Tell a chart in words, at most the 1,024 characters that Discord takes."""
    lines = "; ".join(labelled(name, ", ".join(map(str, numbers))) for name, numbers in chart.lines)
    return f"{chart.title} ({chart.unit}, {chart.parts[0]} – {chart.parts[-1]}). {lines}"[:1024]
