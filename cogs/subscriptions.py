"""`/subscribe topic|party|case|search` and `/subscriptions`: a member's own, by direct message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import actions, unreachable
from bot.alerts.actions import ListedSubscription
from bot.alerts.foreign import safe_text
from bot.intake.services import Services
from bot.stories.model import TOPICS
from bot.words import labelled, mark, retell, say
from cogs import choices
from cogs.case_panel import others_named
from cogs.clicks import Click, add, chosen
from cogs.guards import guild_of
from cogs.language import speak_with
from cogs.lookups import (
    case_choices,
    did_you_mean,
    meant_cases,
    meant_party,
    near_parties,
    party_choices,
    viewer,
)
from cogs.pages import PageButton, page_buttons, told_range
from cogs.panels import answer, panel

Delivery = Literal["now", "daily", "weekly"]
_A_PAGE = 4  # each takes seven of up to 40 components; the topics and what is around take ten
_TOLD = {"now": mark("at once"), "daily": mark("once a day"), "weekly": mark("once a week")}
_KINDS = (mark("topic"), mark("party"), mark("case"), mark("search"))
_DELIVERY = "At once, or gathered in one message a day (at 9) or a week (Monday at 9)"


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Subscriptions(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the list's buttons and selects work, also after a restart."""
    PageButton.turners["subscriptions"] = _own
    add(bot, services, EndButton, RestButton, DeliverySelect, TopicsSelect)


class Subscriptions(commands.Cog):
    """What a member wants to be told of, and whether that can be done at all."""

    subscribe = app_commands.Group(name="subscribe", description="Be told by direct message", guild_only=True)

    def __init__(self, services: Services) -> None:
        self.services = services

    @commands.Cog.listener()
    async def on_app_command_completion(
        self,
        interaction: discord.Interaction[Any],
        command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
    ) -> None:
        """After any command: tell whoever takes no direct messages what rests for that, once."""
        if not await unreachable.is_to_be_told(self.services.database, interaction.user.id):
            return
        if command.qualified_name == "subscriptions":
            return  # the answer has just said it
        speak_with(interaction)
        said = say(
            "I could not send you a direct message, so what you subscribed to is paused. Let me: in your "
            "privacy settings for a server that we share, allow direct messages; then resume it in "
            "`/subscriptions`."
        )
        await interaction.followup.send(said, ephemeral=True)

    @subscribe.command(description="Be told of every story about a topic")
    @app_commands.describe(topic="The topic", delivery=_DELIVERY)
    async def topic(self, interaction: discord.Interaction, topic: str, delivery: Delivery = "now") -> None:
        """Subscribe to a topic."""
        await self._subscribe(interaction, "topic", choices.one_of(topic, TOPICS, "topic"), delivery)

    @subscribe.command(description="Be told of every story with a party: an agency, a company, an account")
    @app_commands.describe(name="The party's name", delivery=_DELIVERY)
    async def party(
        self,
        interaction: discord.Interaction,
        name: app_commands.Range[str, 1, 200],
        delivery: Delivery = "now",
    ) -> None:
        """Subscribe to a party, also to one that no story names so far."""
        async with self.services.database.read() as session:
            named = await meant_party(session, viewer(interaction), name)
            known, near = await near_parties(session, viewer(interaction), named)
        note = ""
        if not known:
            note = f"{say('No story here names it so far.')} {did_you_mean(near)}".rstrip()
        await self._subscribe(interaction, "party", named, delivery, note)

    @subscribe.command(name="case", description="Follow a case: be told when it goes on")
    @app_commands.describe(name="The case's title or number", delivery=_DELIVERY)
    async def case_(
        self,
        interaction: discord.Interaction,
        name: app_commands.Range[str, 1, 200],
        delivery: Delivery = "now",
    ) -> None:
        """Subscribe to a case."""
        async with self.services.database.read() as session:
            found = await meant_cases(session, viewer(interaction), name)
        wanted = str(found[0].id) if found else name
        await self._subscribe(interaction, "case", wanted, delivery, others_named(found[1:]))

    @subscribe.command(description="Be told of every story that a search finds from now on")
    @app_commands.describe(
        query='Words that must occur; "side by side"; -without; begin*', delivery=_DELIVERY
    )
    async def search(
        self,
        interaction: discord.Interaction,
        query: app_commands.Range[str, 1, 200],
        delivery: Delivery = "now",
    ) -> None:
        """Subscribe to a search."""
        await self._subscribe(interaction, "search", query, delivery)

    async def _subscribe(
        self, interaction: discord.Interaction, kind: str, value: str, delivery: str, note: str = ""
    ) -> None:
        guild_id = guild_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)  # others may be writing
        made = await actions.subscribe(
            self.services.database,
            user_id=interaction.user.id,
            guild_id=guild_id,
            kind=kind,
            value=value,
            delivery=delivery,
            now=self.services.clock(),
        )
        told = {
            "now": say("You get a direct message as soon as there is news."),
            "daily": say(
                "You get one direct message a day, at 9 o'clock by this server's clock, if there is news."
            ),
            "weekly": say("You get one direct message a week, on Monday at 9 o'clock, if there is news."),
        }
        blocks = [
            _line(made),
            *([note] if note else []),
            f"{told[delivery]} {say('Nobody else can see this.')}",
        ]
        await answer(interaction, panel(say("Subscribed"), blocks))

    @app_commands.command(description="Your own subscriptions, with buttons to pause, change and end them")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def subscriptions(self, interaction: discord.Interaction) -> None:
        """List one's own subscriptions."""
        await interaction.response.defer(ephemeral=True, thinking=True)  # Discord may be asked for servers
        await answer(interaction, await _own(self.services, interaction, (), 0))

    @topic.autocomplete("topic")
    async def _topics(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, TOPICS)

    @case_.autocomplete("name")
    async def _cases(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await case_choices(self.services, interaction, typed)

    @party.autocomplete("name")
    async def _parties(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await party_choices(self.services, interaction, typed)


class EndButton(
    Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:subscription:end:(?P<id>[0-9]{1,18})"
):
    """Ends one of the subscriptions of the one who clicks; nobody else's can be ended with it."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """End it and show what is left."""
        await interaction.response.defer()
        number = int(self.match["id"])
        place = await _place(self.services, interaction.user.id, number)
        await actions.end_subscription(
            self.services.database, user_id=interaction.user.id, subscription_id=number
        )
        await _show(self.services, interaction, place)


class RestButton(
    Click,
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"quash:subscription:(?P<what>pause|resume):(?P<id>[0-9]{1,18})",
):
    """Lets one of the subscriptions of the one who clicks rest, or go on."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Change it and show all."""
        await interaction.response.defer()
        number = int(self.match["id"])
        await actions.change_subscription(
            self.services.database,
            user_id=interaction.user.id,
            subscription_id=number,
            paused=self.match["what"] == "pause",
        )
        await _show(self.services, interaction, await _place(self.services, interaction.user.id, number))


class DeliverySelect(
    Click, ui.DynamicItem[ui.Select[ui.LayoutView]], template=r"quash:subscription:change:(?P<id>[0-9]{1,18})"
):
    """Changes when one of the subscriptions of the one who chooses is told of."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Change it and show all."""
        await interaction.response.defer()
        number = int(self.match["id"])
        (delivery,) = chosen(interaction) or ["now"]
        await actions.change_subscription(
            self.services.database,
            user_id=interaction.user.id,
            subscription_id=number,
            delivery=delivery,
        )
        await _show(self.services, interaction, await _place(self.services, interaction.user.id, number))


class TopicsSelect(Click, ui.DynamicItem[ui.Select[ui.LayoutView]], template="quash:subscription:topics"):
    """Makes what is chosen the topics that the one who chooses is told of in this server."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Subscribe to what was added, end what was taken away, and show all."""
        await interaction.response.defer()  # each change is a transaction of its own
        user_id, guild_id = interaction.user.id, guild_of(interaction)
        wanted = [choices.one_of(topic, TOPICS, "topic") for topic in chosen(interaction)]
        found = await actions.list_subscriptions(self.services.database, user_id=user_id)
        had = _topics_of(found, guild_id)
        for topic in wanted:
            if topic not in had:
                await actions.subscribe(
                    self.services.database,
                    user_id=user_id,
                    guild_id=guild_id,
                    kind="topic",
                    value=topic,
                    now=self.services.clock(),
                )
        for topic, number in had.items():
            if topic not in wanted:
                await actions.end_subscription(
                    self.services.database, user_id=user_id, subscription_id=number
                )
        await _show(self.services, interaction, 0)


def _topics_of(found: Sequence[ListedSubscription], guild_id: int | None) -> dict[str, int]:
    """Give the topics that somebody is told of in a server, with the subscriptions' numbers."""
    own = (each.subscription for each in found)
    return {each.value: each.id for each in own if each.kind == "topic" and each.guild_id == guild_id}


async def _place(services: Services, user_id: int, number: int) -> int:
    """Give the place of a subscription among one's own."""
    found = await actions.list_subscriptions(services.database, user_id=user_id)
    return next((place for place, each in enumerate(found) if each.subscription.id == number), 0)


async def _show(services: Services, interaction: discord.Interaction[Any], place: int) -> None:
    """Show the page again on which the button was."""
    await interaction.edit_original_response(view=await _own(services, interaction, (), place // _A_PAGE))


async def _own(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    """List one's own, a few a page, each with what can be done to it."""
    found = await actions.list_subscriptions(services.database, user_id=interaction.user.id)
    if not found:
        none = say("You have none. `/subscribe topic` in a server or a card's Follow case makes one.")
        return _with_topics(interaction, panel(say("Your subscriptions"), [none]), found)
    page = min(page, (len(found) - 1) // _A_PAGE)
    shown = found[page * _A_PAGE : (page + 1) * _A_PAGE]
    buttons = page_buttons("subscriptions", interaction.user.id, state, page, len(found), _A_PAGE)
    footer = say("Only you can see this.")
    if buttons:
        footer += " · " + told_range(page * _A_PAGE, len(shown), len(found), buttons)
    view = panel(say("Your subscriptions"), [], buttons=buttons, footer=footer)
    servers = await asyncio.gather(*(_elsewhere(interaction, each) for each in shown))
    for each, server in zip(shown, servers, strict=True):
        view.add_item(_of_one(each, server))
    return _with_topics(interaction, view, found)


def _with_topics(
    interaction: discord.Interaction, view: ui.LayoutView, found: Sequence[ListedSubscription]
) -> ui.LayoutView:
    """Add a select of topics, in a server that the bot is in: elsewhere nothing can be subscribed to."""
    if interaction.is_guild_integration():
        had = _topics_of(found, interaction.guild_id)
        options = [discord.SelectOption(label=say(t), value=t, default=t in had) for t in TOPICS]
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id="quash:subscription:topics",
            options=options,
            min_values=0,
            max_values=len(options),
        )
        label = f"**{say('Topics to be told of in this server')}**"
        view.add_item(ui.Container(ui.TextDisplay(label), ui.ActionRow(select)))
    return view


async def _elsewhere(interaction: discord.Interaction, listed: ListedSubscription) -> str:
    """Name the server whose stories are meant where that is not the one where it is asked.

    Discord is asked for one that this process does not know: another one may have its shard.
    """
    guild_id = listed.subscription.guild_id
    if guild_id == interaction.guild_id:
        return ""
    guild = interaction.client.get_guild(guild_id)
    try:
        guild = guild or await interaction.client.fetch_guild(guild_id, with_counts=False)
    except discord.HTTPException:
        return ""  # the bot is not in it any more
    return safe_text(guild.name, 60)


def _of_one(listed: ListedSubscription, server: str) -> ui.Container[ui.LayoutView]:
    own = listed.subscription
    what = "resume" if own.paused else "pause"
    label = say("Resume #{number}", number=own.id) if own.paused else say("Pause #{number}", number=own.id)
    rest: ui.Button[ui.LayoutView] = ui.Button(label=label, custom_id=f"quash:subscription:{what}:{own.id}")
    end: ui.Button[ui.LayoutView] = ui.Button(
        label=say("End #{number}", number=own.id), custom_id=f"quash:subscription:end:{own.id}"
    )
    options = [
        discord.SelectOption(label=say(text), value=value, default=value == own.delivery)
        for value, text in _TOLD.items()
    ]
    select: ui.Select[ui.LayoutView] = ui.Select(
        custom_id=f"quash:subscription:change:{own.id}", options=options, placeholder=say("When to be told")
    )
    container: ui.Container[ui.LayoutView] = ui.Container(
        ui.TextDisplay(_line(listed, server)), ui.ActionRow(select), ui.ActionRow(rest, end)
    )
    return container


def _line(listed: ListedSubscription, server: str = "") -> str:
    own = listed.subscription
    label = say(own.value) if own.kind == "topic" else listed.label
    about = labelled(say(own.kind), safe_text(label, 120))
    line = f"**#{own.id}** {about} · {say(_TOLD[own.delivery])}"
    if server:
        line += f" · {say('of {server}', server=server)}"
    if own.paused:
        why = safe_text(retell(own.pause_reason), 160) if own.pause_reason else ""
        line += f" · ⏸ {labelled(say('paused'), why) if why else say('paused')}"
    return line
