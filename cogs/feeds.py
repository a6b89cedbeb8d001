"""`/feeds …`: what is watched for a server. For those who may manage it.

What `/feeds add` finds on a site's page and what the catalogue holds is chosen in a select, whose values are
the addresses: it works after a restart, and whoever chooses is checked again.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Sequence
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts.foreign import feed_label, host, link, plain_text, safe_text
from bot.alerts.render import status_words
from bot.feeds import catalogue
from bot.feeds.catalogue import CatalogueFeed
from bot.feeds.discover import FeedLink
from bot.feeds.reports import Added, Imported, ListedFeed, LookReport
from bot.intake.guild_feeds import GuildFeeds, Who
from bot.intake.services import Services
from bot.stories.countries import countries_beginning, country_named
from bot.stories.model import TOPICS
from bot.words import labelled, mark, retell, say, say_number
from cogs import choices
from cogs.clicks import Click, Form, add, chosen
from cogs.guards import NotAllowedError, check_may_configure, guild_of, may, may_configure
from cogs.pages import PageButton, divide_in_turns, page_buttons
from cogs.panels import answer, panel, stamp
from db.entries import SeenEntry

_A_PAGE = 12
_CATALOGUE_PAGE = 15
_LONGEST_VALUE = 100  # characters of a select's value
_MOST_BYTES = 2_000_000  # of an imported file
_MOST_REFUSED = 10  # lines of an import that are told one by one
_RESTING = (mark("paused"), mark("gone"))  # states of a feed besides "active", as they are said


def make(services: Services) -> commands.Cog:
    """Give the cog."""
    return Feeds(services)


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let pages and selects work, also after a restart."""
    PageButton.turners["feeds"] = _list_page
    PageButton.turners["catalogue"] = _catalogue_page
    add(bot, services, ChooseFeed, AddFromCatalogue)


def guild_feeds(services: Services) -> GuildFeeds:
    """Give the service of servers' feeds."""
    return GuildFeeds(services.database, services.feeds, services.clock, most=services.max_feeds_per_guild)


def _who(interaction: discord.Interaction) -> Who:
    return Who(guild_of(interaction), interaction.user.id)


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Feeds(commands.GroupCog, group_name="feeds", group_description="Which feeds this server watches"):
    """The feeds of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.feeds = guild_feeds(services)

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Every command here configures the server."""
        return await may_configure(interaction)

    @app_commands.command(description="Watch a feed: its address, or the address of a site that has one")
    @app_commands.describe(address="The address of a feed or of a site's page")
    async def add(self, interaction: discord.Interaction, address: app_commands.Range[str, 1, 2000]) -> None:
        """Add a feed; it is looked at once, so this can take as long as its server does."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, _added(await self.feeds.add(_who(interaction), address)))

    @app_commands.command(name="list", description="The feeds of this server, with state and next look")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List the feeds."""
        await answer(interaction, await _list_page(self.services, interaction, (), 0))

    @app_commands.command(description="Stop watching a feed for this server")
    @app_commands.describe(feed="The feed's number, as /feeds list shows it")
    async def remove(self, interaction: discord.Interaction, feed: app_commands.Range[int, 1]) -> None:
        """Remove a feed from this server; its stories stay for the servers that still use it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gone = await self.feeds.remove(_who(interaction), feed)
        told = say("{feed} is no longer watched for this server.", feed=_name(gone))
        await answer(interaction, panel(say("Feed removed"), [told]))

    @app_commands.command(description="Hold a feed's stories back from this server until it is resumed")
    @app_commands.describe(feed="The feed's number, as /feeds list shows it")
    async def pause(self, interaction: discord.Interaction, feed: app_commands.Range[int, 1]) -> None:
        """Pause a feed for this server."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        held = await self.feeds.set_paused(_who(interaction), feed, paused=True)
        told = say(
            "No story from {feed} comes here until `/feeds resume`; what it brings meanwhile is not "
            "posted later.",
            feed=_name(held),
        )
        await answer(interaction, panel(say("Feed paused"), [told]))

    @app_commands.command(description="Let a paused feed's stories come again")
    @app_commands.describe(feed="The feed's number, as /feeds list shows it")
    async def resume(self, interaction: discord.Interaction, feed: app_commands.Range[int, 1]) -> None:
        """Resume a feed for this server."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        going = await self.feeds.set_paused(_who(interaction), feed, paused=False)
        told = say("Stories from {feed} come here again from now on.", feed=_name(going))
        await answer(interaction, panel(say("Feed resumed"), [told]))

    @app_commands.command(description="Look at a feed now; its newest stories and what is made of them")
    @app_commands.describe(feed="The feed's number, as /feeds list shows it")
    async def check(self, interaction: discord.Interaction, feed: app_commands.Range[int, 1]) -> None:
        """Look at a feed, and show its last five stories with what Quash makes of them."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        report = await self.feeds.check(guild_id, feed)
        newest = await self.feeds.newest(guild_id, feed)
        await answer(interaction, _checked(await self.feeds.get(guild_id, feed), report, newest))

    @app_commands.command(name="import", description="Watch all feeds of an OPML file or a list of addresses")
    @app_commands.describe(file="An OPML file, or a text with one address a line; a form opens without it")
    async def import_(self, interaction: discord.Interaction, file: discord.Attachment | None = None) -> None:
        """Add many feeds."""
        if file is None:
            await interaction.response.send_modal(ImportForm(self.feeds))
            return
        if file.size > _MOST_BYTES:
            raise NotAllowedError(say("That file is larger than 2 MB; divide it."))
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(
            interaction, _imported(await self.feeds.import_list(_who(interaction), await file.read()))
        )

    @app_commands.command(description="This server's feeds as an OPML file")
    async def export(self, interaction: discord.Interaction) -> None:
        """Give the feeds as a file."""
        content = await self.feeds.export_list(guild_of(interaction))
        await interaction.response.send_message(
            file=discord.File(io.BytesIO(content), "quash-feeds.opml"), ephemeral=True
        )

    @app_commands.command(description="Feeds that come with Quash, to add with a click")
    @app_commands.describe(topic="Feeds that mostly report on this", country="Feeds of a country, such as de")
    async def catalogue(
        self, interaction: discord.Interaction, topic: str | None = None, country: str | None = None
    ) -> None:
        """Show the catalogue."""
        # The first call reads the gazetteer.
        code = await asyncio.to_thread(_country_code, country) if country else ""
        state = (choices.topic(topic) or "", code)
        await answer(interaction, await _catalogue_page(self.services, interaction, state, 0))

    @catalogue.autocomplete("topic")
    async def _topics(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching(typed, TOPICS)

    @catalogue.autocomplete("country")
    async def _countries(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await asyncio.to_thread(_country_choices, typed)

    @remove.autocomplete("feed")
    @pause.autocomplete("feed")
    @resume.autocomplete("feed")
    @check.autocomplete("feed")
    async def _feeds(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
        if interaction.guild_id is None or not await may(interaction):
            return []
        listed = await self.feeds.list(interaction.guild_id)
        named = ((feed.id, f"#{feed.id} {feed.title or host(feed.url)}") for feed in listed)
        return choices.numbered(typed, named)


class ImportForm(Form):
    """A form that takes addresses, for those who have no file at hand."""

    def __init__(self, feeds: GuildFeeds) -> None:
        super().__init__(say("Import feeds"))
        self._feeds = feeds
        self._text: ui.TextInput[ImportForm] = ui.TextInput(
            style=discord.TextStyle.paragraph, max_length=4000, placeholder="https://…"
        )
        self.add_item(ui.Label(text=say("One address a line, or OPML"), component=self._text))

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Add the feeds."""
        await check_may_configure(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        imported = await self._feeds.import_list(_who(interaction), self._text.value.encode())
        await answer(interaction, _imported(imported))


class ChooseFeed(Click, ui.DynamicItem[ui.Select[ui.LayoutView]], template=r"quash:feeds:choose"):
    """Adds the feed that was chosen of those on a page."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Add it."""
        await check_may_configure(interaction)
        (address,) = chosen(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answer(interaction, _added(await guild_feeds(self.services).add(_who(interaction), address)))


class AddFromCatalogue(Click, ui.DynamicItem[ui.Select[ui.LayoutView]], template=r"quash:feeds:catalogue"):
    """Adds the feeds that were chosen in the catalogue."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Add them."""
        await check_may_configure(interaction)
        urls = chosen(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        service = guild_feeds(self.services)
        await answer(interaction, _imported(await service.add_from_catalogue(_who(interaction), urls)))


# ----------------------------------------------------------------------- what is shown


def _name(feed: ListedFeed) -> str:
    return feed_label(feed.id, feed.title, feed.url)


def _added(added: Added) -> ui.LayoutView:
    if added.feed_id is not None:
        hint = say("`/alerts add` says where its stories go; `/feeds check` shows the newest.")
        title = say("Feeds") if added.known else say("Feed added")
        return panel(title, [safe_text(retell(added.reason), 500), hint])
    blocks = [safe_text(retell(added.reason), 500)]
    blocks += [f"`{c.url.replace('`', '')[:300]}` {safe_text(c.title, 80)}" for c in added.candidates[:10]]
    view = panel(say("Which feed?"), blocks)
    options = list(_options(added.candidates))
    if options:
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id="quash:feeds:choose", placeholder=say("Choose a feed"), options=options
        )
        view.add_item(ui.ActionRow(select))
    return view


def _options(candidates: Sequence[FeedLink]) -> Iterable[discord.SelectOption]:
    """Give the candidates that fit into a select; the others can be added by their address."""
    for each in candidates[:25]:
        if len(each.url) <= _LONGEST_VALUE:
            label = plain_text(each.title, 90) or each.url  # a label knows no Markdown
            yield discord.SelectOption(label=label[:100], value=each.url, description=each.kind[:100] or None)


def _imported(imported: Imported) -> ui.LayoutView:
    told = [
        say_number("{number} feed is new.", "{number} feeds are new.", imported.added),
        say_number("{number} was known already.", "{number} were known already.", imported.known),
        say("Each is looked at when its turn comes; `/feeds list` shows when. Old stories are not posted."),
    ]
    refused = [
        (f"`{url.replace('`', '')[:200]}` " if url else "") + safe_text(retell(why), 200)
        for url, why in imported.refused[:_MOST_REFUSED]
    ]
    if more := len(imported.refused) - len(refused):
        refused.append(f"… {say_number('and {number} more', 'and {number} more', more)}")
    if refused:
        told += [f"**{say('Refused')}**", *refused]
    return panel(say("Feeds imported"), told)


async def _list_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    await check_may_configure(interaction)
    feeds = await guild_feeds(services).list(guild_of(interaction))
    if not feeds:
        none = say("There is none yet; `/feeds add` adds one, `/feeds catalogue` shows some to choose from.")
        return panel(say("Feeds"), [none])
    pages = await divide_in_turns(map(_line, feeds), _A_PAGE)
    page = min(page, len(pages) - 1)
    return panel(
        say("Feeds"),
        pages[page],
        buttons=page_buttons("feeds", interaction.user.id, state, page, len(pages), 1),
        footer=say("{number} of at most {most}", number=len(feeds), most=services.max_feeds_per_guild),
    )


def _line(feed: ListedFeed) -> str:
    facts = [host(feed.url)]
    if feed.paused:
        facts.append(f"⏸ {say('paused here')}")
    if feed.failure:
        facts.append(f"⚠ {safe_text(retell(feed.failure), 160)}")
    if feed.last_change_at:
        facts.append(say("last change {when}", when=stamp(feed.last_change_at, "R")))
    if feed.state != "active":
        facts.append(say(feed.state))
    elif feed.next_look:
        why = f" ({safe_text(retell(feed.next_reason), 100)})" if feed.next_reason else ""
        facts.append(say("next look {when}", when=stamp(feed.next_look, "R")) + why)
    return f"{_name(feed)}\n-# {' · '.join(facts)}"


def _checked(feed: ListedFeed, report: LookReport, newest: Sequence[SeenEntry]) -> ui.LayoutView:
    outcome = {
        "new": say_number("{number} new story", "{number} new stories", report.new),
        "edited": say_number("{number} story changed", "{number} stories changed", report.edited),
        "unchanged": say("nothing new"),
        "skipped": say("not asked now"),
        "failed": f"⚠ {say('could not be read')}",
    }.get(report.outcome, f"⚠ {report.outcome}")
    told = f"**{outcome}**"
    if report.reason:
        told = labelled(told, safe_text(retell(report.reason), 300))
    blocks = [_line(feed), told]
    blocks += [_entry(entry) for entry in newest]
    return panel(say("Feed"), blocks)


def _entry(entry: SeenEntry) -> str:
    title = link(entry.title, entry.url, 150) or link(say("(without a title)"), entry.url, 60)
    facts = [stamp(entry.published)] if entry.published else []
    if entry.relevant is None:
        # Of what was read only the irrelevant is deleted for its age.
        unread = {"failed": say("could not be read"), "read": say("not relevant")}
        facts.append(unread.get(entry.state, say("waits to be read")))
    else:
        verdict = say("relevant") if entry.relevant else say("not relevant")
        facts.append(f"{verdict} ({entry.relevance or 0:.2f})")
        facts += [say(topic) for topic in entry.topics[:4]]
        if entry.status and entry.relevant:
            facts.append(status_words(entry.status))
    return f"{title}\n-# {' · '.join(facts)}"


async def _catalogue_page(
    services: Services, interaction: discord.Interaction, state: Sequence[str], page: int
) -> ui.LayoutView:
    await check_may_configure(interaction)
    topic, country = state
    known = {feed.url for feed in await guild_feeds(services).list(guild_of(interaction))}
    fitting = [
        feed
        for feed in catalogue.load()
        if (not topic or topic in feed.topics) and (not country or country == feed.country)
    ]
    if not fitting:
        none = say("No feed of the catalogue fits; try it without topic or country.")
        return panel(say("Catalogue"), [none])
    shown = fitting[page * _CATALOGUE_PAGE : (page + 1) * _CATALOGUE_PAGE]
    view = panel(
        say("Catalogue"),
        [_catalogue_line(feed, feed.url in known) for feed in shown],
        buttons=page_buttons("catalogue", interaction.user.id, state, page, len(fitting), _CATALOGUE_PAGE),
        footer=say_number("{number} feed", "{number} feeds", len(fitting)),
    )
    options = [
        discord.SelectOption(
            label=feed.name[:100], value=feed.url, description=", ".join(map(say, feed.topics))[:100]
        )
        for feed in shown
        if feed.url not in known and len(feed.url) <= _LONGEST_VALUE
    ]
    if options:
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id="quash:feeds:catalogue",
            placeholder=say("Choose feeds to watch"),
            options=options,
            max_values=len(options),
        )
        view.add_item(ui.ActionRow(select))
    return view


def _country_code(typed: str) -> str:
    """Give a country as the catalogue has it, however it is written ("Germany", "Allemagne", "de")."""
    wanted = typed.strip().casefold()
    named = country_named(wanted)
    codes = _codes()
    return next((code for code in codes if named and country_named(code) == named), wanted)


def _country_choices(typed: str) -> list[app_commands.Choice[str]]:
    wanted = typed.strip().casefold()
    meant = countries_beginning(wanted)
    names = {code: country_named(code) for code in _codes()}
    found = [code for code, name in names.items() if code.startswith(wanted) or name in meant]
    return [app_commands.Choice(name=f"{names[c]} ({c})" if names[c] else c, value=c) for c in found[:25]]


def _codes() -> list[str]:
    """Give the countries of the catalogue's feeds, by their codes."""
    return sorted({feed.country for feed in catalogue.load()})


def _catalogue_line(feed: CatalogueFeed, watched: bool) -> str:
    sign = "✔ " if watched else ""
    facts = " · ".join((feed.country, feed.language, *(say(topic) for topic in feed.topics)))
    return f"{sign}**{safe_text(feed.name, 80)}** {host(feed.site)}\n-# {facts}"
