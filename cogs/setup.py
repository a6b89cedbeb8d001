"""`/setup`: a panel that makes a rule. Channel, topics, ping and delivery are chosen in selects; it says
what is missing in the channel and shows the last story that fits.

What is chosen stands in the message itself, as the defaults of its selects: so a panel works after a
restart, and each moderator's is their own. Whoever clicks is asked again what they may do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import actions, rule_actions, rule_preview
from bot.alerts.answers import sorted_errors
from bot.alerts.cards import Card
from bot.alerts.foreign import plain_text, width
from bot.alerts.render import card_texts, card_view
from bot.alerts.routing import WHEN, Rule
from bot.alerts.wishes import USUAL_A_DAY
from bot.feeds import catalogue
from bot.intake.guild_feeds import Who
from bot.intake.services import Services
from bot.stories.model import TOPICS
from bot.words import LANGUAGES, labelled, mark, say, say_number, speaking, spoken
from cogs import clicks, examples
from cogs.channels import TYPES, Postable
from cogs.clicks import Click, add
from cogs.explain import glossary
from cogs.feeds import guild_feeds
from cogs.guards import (
    NotAllowedError,
    check_may_configure,
    guild_of,
    may_configure,
    tags_in,
    trouble_with_channel,
    trouble_with_mention,
    trouble_with_role,
)
from cogs.panels import answer, panel
from cogs.rules import describe, placed, warnings
from db import rules

_DAYS = 90
_WEEKS = _DAYS / 7
_ROOM = 3900  # of the 4,000 characters that all texts of a message may have together
_MOST_FEEDS = 12  # of the catalogue that are added with one click
_exemplified: deque[int] = deque(maxlen=100)  # panels whose example was posted: a second click posts no more

_DELIVERIES = {
    "now": mark("At once, one message per story"),
    "hourly": mark("Gathered, once an hour"),
    "daily": mark("Gathered, once a day at 9"),
    "weekly": mark("Gathered, once a week on Monday at 9"),
}


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Setup(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let panels work, also after a restart."""
    add(bot, services, SetupPart)


class Setup(commands.Cog):
    """The guided start."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @app_commands.command(
        description="A guided start: channel, topics, whom to mention, and what it would bring"
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(may_configure)
    async def setup(self, interaction: discord.Interaction) -> None:
        """Open the panel for the channel that one is in."""
        here = interaction.channel
        fits = isinstance(here, discord.TextChannel | discord.ForumChannel | discord.Thread)
        await open_panel(self.services, interaction, here if fits else None)  # type: ignore[arg-type]  # fits


async def open_panel(services: Services, interaction: discord.Interaction, channel: Postable | None) -> None:
    """Answer with a panel."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    chosen = Chosen(channel.id if channel else None)
    await answer(interaction, await _view(services, interaction, chosen))


# ------------------------------------------------------------------------ what is chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a panel's selects hold."""

    channel_id: int | None = None
    topics: tuple[str, ...] = ()
    role_id: int | None = None
    when: str = "now"

    def rule(self, guild_id: int) -> Rule:
        """Give the rule that it stands for."""
        return Rule(
            id=0,
            guild_id=guild_id,
            channel_id=self.channel_id or 0,
            topics=self.topics,
            ping_role=self.role_id,
            when=self.when,
            daily_limit=USUAL_A_DAY,
        )


def _chosen(message: discord.Message | None) -> Chosen:
    """Read what a panel's selects hold."""
    found: dict[str, list[str]] = {}
    for select in _selects(message.components if message else ()):
        held = [option.value for option in select.options if option.default]
        found[select.custom_id or ""] = held or [str(default.id) for default in select.default_values]
    return _with(Chosen(), found)


def _with(chosen: Chosen, values: Mapping[str, Sequence[str]]) -> Chosen:
    """Take what selects hold, as far as it can be."""
    for custom_id, held in values.items():
        part = custom_id.removeprefix("quash:setup:")
        if part == "topics":
            chosen = replace(chosen, topics=tuple(topic for topic in TOPICS if topic in held))
        elif part == "when" and held and held[0] in WHEN:
            chosen = replace(chosen, when=held[0])
        elif part == "channel":
            chosen = replace(chosen, channel_id=_first_id(held))
        elif part == "ping":
            chosen = replace(chosen, role_id=_first_id(held))
    return chosen


def _first_id(held: Sequence[str]) -> int | None:
    return int(held[0]) if held and held[0].isdecimal() and len(held[0]) <= 20 else None


def _selects(components: Sequence[Any]) -> Iterator[discord.SelectMenu]:
    for component in components:
        if isinstance(component, discord.SelectMenu):
            yield component
        yield from _selects(getattr(component, "children", ()))


# ------------------------------------------------------------------------ acting


class SetupPart(
    Click,
    ui.DynamicItem[ui.Item[Any]],
    template=r"quash:setup:(?P<part>channel|topics|ping|when|save|feeds|example)(?::(?P<id>[0-9]{1,18}))?",
):
    """A select or a button of a panel."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Choose, or do what the button says."""
        await check_may_configure(interaction)
        await interaction.response.defer()
        do = {"save": self._save, "feeds": self._watch, "example": self._post}.get(self.match["part"])
        view = await (do or self._choose)(interaction)
        await interaction.edit_original_response(view=view)

    async def _choose(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        data: Mapping[str, Any] = interaction.data or {}
        values = {str(data.get("custom_id")): clicks.chosen(interaction)}
        chosen = _with(_chosen(interaction.message), values)
        return await _view(self.services, interaction, chosen)

    async def _save(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        chosen = _chosen(interaction.message)
        channel = _channel(interaction, chosen)
        if channel is None:
            raise NotAllowedError(say("Choose a channel first; the one that was chosen is gone."))
        thread = placed(interaction, channel, None)
        if chosen.role_id is not None and (trouble := trouble_with_role(interaction, chosen.role_id)):
            raise NotAllowedError(trouble)
        rule = await actions.add_rule(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            channel_id=channel.id,
            topics=", ".join(chosen.topics),
            ping_role=chosen.role_id,
            when=chosen.when,
            thread=thread or "off",
            now=self.services.clock(),
        )
        return await _saved(self.services, interaction, rule)

    async def _watch(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Watch feeds of the catalogue, and show the panel again, or what was saved."""
        saved = self.match["id"]
        chosen = _chosen(interaction.message)
        rule = chosen.rule(guild_of(interaction))
        if saved:
            rule = await self._rule(interaction)
        who = Who(guild_of(interaction), interaction.user.id)
        urls = [feed.url for feed in _fitting(rule.topics)]
        await guild_feeds(self.services).add_from_catalogue(who, urls)
        if saved:
            return await _saved(self.services, interaction, rule)
        return await _view(self.services, interaction, chosen)

    async def _post(self, interaction: discord.Interaction[Any]) -> ui.LayoutView:
        """Post the last story that fits, since somebody asks for it."""
        rule = await self._rule(interaction)
        channel = _channel(interaction, Chosen(rule.channel_id))
        if channel is None:
            raise NotAllowedError(say("The channel of rule #{number} is gone.", number=rule.id))
        placed(interaction, channel, rule.thread)
        panel_id = interaction.message.id if interaction.message else interaction.id
        if panel_id not in _exemplified:
            _exemplified.append(panel_id)
            try:
                await self._post_last(channel, rule, nonce=f"qe{panel_id}")
            except BaseException:
                with contextlib.suppress(ValueError):  # so many others since
                    _exemplified.remove(panel_id)
                raise
        return await _saved(self.services, interaction, rule, posted=True)

    async def _post_last(self, channel: Postable, rule: Rule, *, nonce: str) -> None:
        card = await _last(self.services, rule)
        if card is None:
            raise NotAllowedError(say("No story of the last 90 days fits."))
        with speaking(await examples.language_of(self.services.database, rule.guild_id)):
            view = card_view(card)
            view.add_item(ui.TextDisplay(f"-# {say('An example that a moderator asked for.')}"))
        nobody = discord.AllowedMentions.none()
        if isinstance(channel, discord.ForumChannel):
            name = plain_text(card.title, 90) or "Quash"
            tags: list[Any] = [discord.Object(tag) for tag in tags_in(channel, card.topics)]
            with sorted_errors():
                await channel.create_thread(name=name, view=view, applied_tags=tags, allowed_mentions=nobody)
        else:
            with sorted_errors():
                await channel.send(view=view, allowed_mentions=nobody, nonce=nonce)

    async def _rule(self, interaction: discord.Interaction[Any]) -> Rule:
        return await rule_actions.get_rule(
            self.services.database, guild_id=guild_of(interaction), rule_id=int(self.match["id"] or 0)
        )


def _channel(interaction: discord.Interaction[Any], chosen: Chosen) -> Postable | None:
    """Give the channel that is chosen, None where there is none (any more)."""
    if interaction.guild is None or chosen.channel_id is None:
        return None
    found = interaction.guild.get_channel_or_thread(chosen.channel_id)
    fits = isinstance(found, discord.TextChannel | discord.ForumChannel | discord.Thread)
    return found if fits else None  # type: ignore[return-value]  # fits


async def _last(services: Services, rule: Rule) -> Card | None:
    """Give the card of the last story that fits a rule, as it would look."""
    story_id = await rule_preview.last_match(services.database, rule, days=_DAYS, now=services.clock())
    if story_id is None:
        return None
    return await examples.card_of(services.database, story_id, rule.guild_id, rule.style)


# ------------------------------------------------------------------------ the panel


async def _view(services: Services, interaction: discord.Interaction[Any], chosen: Chosen) -> ui.LayoutView:
    guild_id = guild_of(interaction)
    channel = _channel(interaction, chosen)
    async with services.database.read() as session:
        counts = await rules.count_topics(session, guild_id, services.clock() - timedelta(days=_DAYS))
    watched = await services.feeds.list(guild_id=guild_id)
    reach = await _reach(interaction, chosen)
    head = f"### {say('Set up alerts')}\n{say('Choose, look at what it would bring, save.')}"
    texts = [head, _standing(interaction, channel), reach]
    last = await _last(services, chosen.rule(guild_id)) if watched else None
    language = await examples.language_of(services.database, guild_id)
    sample = _sample(last, bool(watched), _ROOM - sum(map(width, texts)), language)
    container: ui.Container[ui.LayoutView] = ui.Container()
    container.add_item(ui.TextDisplay(head))
    container.add_item(ui.ActionRow(_channel_select(channel)))
    container.add_item(ui.TextDisplay(texts[1]))
    container.add_item(ui.ActionRow(_topic_select(chosen, counts)))
    container.add_item(ui.ActionRow(_role_select(interaction, chosen)))
    if reach:
        container.add_item(ui.TextDisplay(reach))
    container.add_item(ui.ActionRow(_when_select(chosen)))
    container.add_item(ui.Separator())
    for text in sample:
        container.add_item(ui.TextDisplay(text))
    buttons: list[ui.Item[Any]] = [
        ui.Button(label=say("Save"), style=discord.ButtonStyle.success, custom_id="quash:setup:save")
    ]
    if not watched:
        buttons.append(_feeds_button(chosen.topics, None))
    container.add_item(ui.ActionRow(*buttons))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # discord.py need not keep it: the custom ids say all
    return view


def _standing(interaction: discord.Interaction[Any], channel: Postable | None) -> str:
    """Say whether posts can go to the channel, and what is missing."""
    if channel is None:
        return "⚠ " + say("Choose a channel that I can see.")
    threads = isinstance(channel, discord.ForumChannel)
    if trouble := trouble_with_channel(interaction, channel.id, threads=threads):
        return f"⚠ {trouble}"
    return "✔ " + say("I may post in {channel}.", channel=channel.mention)


async def _reach(interaction: discord.Interaction[Any], chosen: Chosen) -> str:
    """Say how many members the role reaches, and why a mention would not; "" where that is not known."""
    guild, role_id = interaction.guild, chosen.role_id
    if role_id is None or guild is None or guild.get_role(role_id) is None:
        return ""
    lines = [await _count(interaction, guild.id, role_id)]
    if trouble := trouble_with_mention(guild, role_id, chosen.channel_id or 0):
        lines.append(f"⚠ {trouble}")
    return "\n".join(filter(None, lines))


async def _count(interaction: discord.Interaction[Any], guild_id: int, role_id: int) -> str:
    """Say how many members a role has, "" where Discord does not tell.

    https://docs.discord.com/developers/resources/guild#get-guild-role-member-counts
    """
    route = discord.http.Route("GET", "/guilds/{guild_id}/roles/member-counts", guild_id=guild_id)
    try:
        async with asyncio.timeout(5):
            counts: Mapping[str, int] = await interaction.client.http.request(route)
    except (discord.HTTPException, aiohttp.ClientError, OSError):  # a time-out is one of the last
        return ""
    number = counts.get(str(role_id), 0)
    return say_number(
        "{role} reaches {number} member.", "{role} reaches {number} members.", number, role=f"<@&{role_id}>"
    )


def _sample(card: Card | None, watched: bool, room: int, language: str) -> list[str]:
    """Give the last story that fits as it would look in the server's language, or say why there is none."""
    if not watched:
        return [
            say("This server watches no feed yet, so nothing can come: add some below, or by `/feeds add`.")
        ]
    if card is None:
        return [say("No story of the last 90 days fits. What comes is posted all the same.")]
    title = f"**{say('The latest story that fits, as it would look:')}**"
    with speaking(language):
        for shown in (card, replace(card, style="compact")):
            texts = card_texts(shown)
            if width(title) + sum(map(width, texts)) <= room:
                return [title, *texts]
        return [title, card_texts(replace(card, style="compact"))[0]]


def _channel_select(channel: Postable | None) -> ui.Item[Any]:
    defaults = [] if channel is None else [discord.SelectDefaultValue.from_channel(channel)]
    return ui.ChannelSelect(
        custom_id="quash:setup:channel",
        placeholder=say("Channel"),
        channel_types=list(TYPES),
        default_values=defaults,
    )


def _topic_select(chosen: Chosen, counts: Mapping[str, int]) -> ui.Item[Any]:
    lines = glossary()["topics"]
    return ui.Select(
        custom_id="quash:setup:topics",
        placeholder=say("Topics (none: every relevant story)"),
        min_values=0,
        max_values=len(TOPICS),
        options=[
            discord.SelectOption(
                label=say(topic)[:100],
                value=topic,
                description=_cut(labelled(_weekly(counts.get(topic, 0)), say(lines[topic]))),
                default=topic in chosen.topics,
            )
            for topic in TOPICS
        ],
    )


def _weekly(count: int) -> str:
    if count == 0:
        return say("none in 90 days")
    return say("about {figure} a week", figure=f"{max(count / _WEEKS, 0.1):.1f}")


def _cut(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99].rstrip()}…"


def _role_select(interaction: discord.Interaction[Any], chosen: Chosen) -> ui.Item[Any]:
    known = interaction.guild is not None and chosen.role_id is not None
    role = interaction.guild.get_role(chosen.role_id) if known else None  # type: ignore[union-attr,arg-type]  # known
    return ui.RoleSelect(
        custom_id="quash:setup:ping",
        placeholder=say("Role to mention with every post (none)"),
        min_values=0,
        default_values=[] if role is None else [discord.SelectDefaultValue.from_role(role)],
    )


def _when_select(chosen: Chosen) -> ui.Item[Any]:
    return ui.Select(
        custom_id="quash:setup:when",
        options=[
            discord.SelectOption(label=say(text), value=when, default=when == chosen.when)
            for when, text in _DELIVERIES.items()
        ],
    )


async def _saved(
    services: Services, interaction: discord.Interaction[Any], rule: Rule, *, posted: bool = False
) -> ui.LayoutView:
    """Show the rule that was saved, and what more can be done."""
    watched = await services.feeds.list(guild_id=rule.guild_id)
    blocks = [
        describe(rule),
        *await warnings(services, interaction, rule),
        say("`/alerts edit` changes it, `/alerts preview` counts what it would have brought."),
    ]
    buttons: list[ui.Item[Any]] = []
    if not watched:
        blocks.append(say("This server watches no feed yet, so nothing can come."))
        buttons.append(_feeds_button(rule.topics, rule.id))
    elif posted:
        blocks.append(say("The example is posted in {channel}.", channel=f"<#{rule.channel_id}>"))
    elif await _last(services, rule) is not None:
        buttons.append(ui.Button(label=say("Post an example"), custom_id=f"quash:setup:example:{rule.id}"))
    return panel(say("Rule saved"), blocks, buttons=buttons)


def _feeds_button(topics: Sequence[str], rule_id: int | None) -> ui.Item[Any]:
    number = len(_fitting(topics))
    return ui.Button(
        label=say_number(
            "Watch {number} feed of the catalogue", "Watch {number} feeds of the catalogue", number
        ),
        style=discord.ButtonStyle.primary,
        custom_id="quash:setup:feeds" + (f":{rule_id}" if rule_id else ""),
    )


def _fitting(topics: Sequence[str]) -> list[catalogue.CatalogueFeed]:
    """Choose feeds of the catalogue for topics: in the language that is spoken first, then in English."""
    wanted = set(topics)
    fitting = [feed for feed in catalogue.load() if not wanted or wanted.intersection(feed.topics)]
    languages = list(dict.fromkeys((spoken(), LANGUAGES[0])))
    mine = [feed for language in languages for feed in fitting if feed.language == language]
    return (mine or list(catalogue.load()))[:_MOST_FEEDS]
