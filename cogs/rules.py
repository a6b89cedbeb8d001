"""What is said of rules, and the options by which they are said: the same for adding, editing, previewing."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.alerts import actions
from bot.alerts.foreign import plain_text, safe_text
from bot.alerts.posting import missing_in
from bot.alerts.routing import WHEN, Rule
from bot.alerts.rule_actions import EditedRule
from bot.alerts.wishes import MOST_A_DAY, MOST_REVIEW_HOURS, REVIEW_ENDS
from bot.intake import guild_settings
from bot.intake.services import Services
from bot.stories.countries import all_countries, countries_beginning
from bot.stories.model import STATUSES, TOPICS
from bot.words import labelled, mark, say, say_name, say_number
from cogs import choices
from cogs.channels import Postable, PostableChannel
from cogs.guards import (
    NotAllowedError,
    check_can_post,
    find_gone,
    may,
    services_of,
    trouble_with_mention,
    trouble_with_role,
)
from cogs.lookups import viewer
from cogs.review import ReviewOption
from db import lookups

_LANGUAGES = ("en", "de", "fr", "es", "pt", "nl", "it", "pl", "sv", "da", "cs", "fi", "el", "uk", "ru", "ja")
_MOST_COUNTRIES, _LONGEST_CHOICE = 25, 100  # of a completion that Discord shows
_CONDITIONS = (*STATUSES, "0.7", "0.8", "0.9")
# The options whose values are known.
_KNOWN: Mapping[str, Sequence[str]] = {
    "topics": TOPICS,
    "statuses": STATUSES,
    "languages": _LANGUAGES,
    "ping_when": _CONDITIONS,
    "urgent": _CONDITIONS,
}

# ------------------------------------------------------------------------ options

# The options of a rule: what they are, and how they are described.
_OPTIONS: Mapping[str, tuple[Any, str]] = {
    "topics": (str | None, "Only these topics, separated by commas"),
    "parties": (str | None, "Only stories with one of these parties, separated by commas"),
    "keywords": (str | None, "Only stories with one of these words, separated by commas"),
    "exclude": (str | None, "Never stories with one of these words, separated by commas"),
    "statuses": (str | None, "Only where a demand stands like this, separated by commas"),
    "countries": (str | None, "Only stories about agencies, courts or companies of these countries"),
    "languages": (str | None, "Only articles in these languages, by their codes: en, de"),
    "sources": (str | None, "Only from these sources: a feed's title or a site's name"),
    "exclude_sources": (str | None, "Never from these sources: a feed's title or a site's name"),
    "relevance": (
        app_commands.Range[float, 0.0, 1.0] | None,
        "How sure Quash must be, from 0 to 1 (default: 0.5)",
    ),
    "ping": (discord.Role | None, "A role to mention with every post"),
    "ping_when": (str | None, "Mention the role only then: statuses, or a relevance such as 0.9"),
    "when": (
        str | None,
        "At once, or gathered in one message an hour, a day (at 9) or a week (Monday at 9)",
    ),
    "limit": (
        app_commands.Range[int, 0, MOST_A_DAY] | None,
        "Most posts a day (default: 20); the rest comes in one message at 9 the next morning; 0: no limit",
    ),
    "urgent": (str | None, "Post in quiet hours, too: statuses, or a relevance such as 0.9"),
    "style": (str | None, "How much a post shows"),
    "thread": (str | None, "Whether each case has a thread of its own"),
    "review": (ReviewOption | None, "A channel where moderators approve each story before it is posted"),
    "review_hours": (
        app_commands.Range[int, 1, MOST_REVIEW_HOURS] | None,
        "How many hours moderators have for that (default: 12)",
    ),
    "review_then": (str | None, "What becomes of a story that nobody decided on by then (default: drop)"),
}
_FIXED = {"when": WHEN, "style": ("full", "compact"), "thread": ("off", "case"), "review_then": REVIEW_ENDS}
# What options are called where rules are made, where that is another name.
_FIELDS = {"ping": "ping_role", "limit": "daily_limit", "review": "review_channel"}
# What can be emptied: lists, and what else a rule need not have.
CLEARABLE = (
    "topics",
    "parties",
    "keywords",
    "exclude",
    "statuses",
    "countries",
    "languages",
    "sources",
    "exclude_sources",
    "ping",
    "ping_when",
    "limit",
    "urgent",
    "review",
)


def with_options(command: Callable[..., Any]) -> Any:
    """Give a command the options of a rule in place of its `**wishes`.

    discord.py reads a command's options from its signature; written out three times, they would be
    sixty parameters.
    """
    signature = inspect.signature(command)
    given = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=kind)
        for name, (kind, _) in _OPTIONS.items()
    ]
    command.__signature__ = signature.replace(parameters=[*given, *options])  # type: ignore[attr-defined]
    app_commands.describe(**{name: text for name, (_, text) in _OPTIONS.items()})(command)
    app_commands.choices(
        **{name: [app_commands.Choice(name=v, value=v) for v in values] for name, values in _FIXED.items()}
    )(command)
    return command


def complete(command: app_commands.Command[Any, Any, Any]) -> None:
    """Complete a command's options of a rule as far as their values are known."""
    for option, names in _KNOWN.items():
        command.autocomplete(option)(_from(names))
    command.autocomplete("parties")(_parties)
    command.autocomplete("countries")(_countries)
    command.autocomplete("sources")(_sources)
    command.autocomplete("exclude_sources")(_sources)


_Completion = Callable[[discord.Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def _from(names: Sequence[str]) -> _Completion:
    async def known(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return choices.matching_last(typed, names)

    return known


async def _parties(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    *before, last = typed.split(",")
    named = await choices.party(last)
    async with services_of(interaction).database.read() as session:
        names = await lookups.party_names(session, viewer(interaction), named)
    taken = {" ".join(item.split()) for item in before}
    fitting = [name for name in names if "," not in name and name not in taken]
    return choices.in_list(
        typed, [app_commands.Choice(name=plain_text(name, 100) or name, value=name) for name in fitting]
    )


async def _countries(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Complete a country in whatever way it is written: "Allem" is Germany."""
    meant = await asyncio.to_thread(countries_beginning, typed.rpartition(",")[2])
    if not meant:
        return choices.matching_last(typed, all_countries())
    fitting = meant[:_MOST_COUNTRIES]
    return choices.in_list(typed, [app_commands.Choice(name=name, value=name) for name in fitting])


async def _sources(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    if interaction.guild_id is None or not await may(interaction):
        return []
    feeds = await services_of(interaction).feeds.list(guild_id=interaction.guild_id)
    # One that is longer than a choice would be cut, and the rule would then name no source.
    titles = [f.title for f in feeds if f.title and "," not in f.title and len(f.title) <= _LONGEST_CHOICE]
    return choices.matching_last(typed, titles, called=str)  # as they are, whatever words they are


def said(wishes: Mapping[str, Any], clear: str | None = None) -> dict[str, Any]:
    """Give what was said by options as fields of a rule; options that were left out say nothing."""
    fields: dict[str, Any] = {}
    for name, value in wishes.items():
        if value is not None:
            fields[_FIELDS.get(name, name)] = value.id if isinstance(value, discord.abc.Snowflake) else value
    for name in (part.strip() for part in (clear or "").split(",")):
        if name:
            name = choices.one_of(name, CLEARABLE, mark("option"), say_name)
            empty = None if name in ("ping", "review") else 0 if name == "limit" else ""
            fields[_FIELDS.get(name, name)] = empty
    return fields


def check_role(interaction: discord.Interaction, fields: Mapping[str, Any]) -> None:
    """Raise unless the role that is said, if one is, can be mentioned by a rule."""
    role = fields.get("ping_role")
    if role is not None and (trouble := trouble_with_role(interaction, role)):
        raise NotAllowedError(trouble)


async def warnings(services: Services, interaction: discord.Interaction, rule: Rule) -> list[str]:
    """Say what keeps a rule from doing all that it says, and moderators from being told of it."""
    rules = await actions.list_rules(services.database, guild_id=rule.guild_id)
    found = (
        trouble_with_mention(interaction.guild, rule.ping_role, rule.channel_id),
        say("`ping_when` does nothing without a role: name the one to mention with `ping`.")
        if rule.ping_when and rule.ping_role is None
        else "",
        await unheard(services, interaction, rules),
    )
    return [f"⚠ {trouble}" for trouble in found if trouble]


async def unheard(
    services: Services, interaction: discord.Interaction, rules: Sequence[actions.ListedRule]
) -> str:
    """Say so where moderators cannot be told what is wrong, or not where they want it."""
    guild = interaction.guild
    if guild is None:
        return ""
    log = (await guild_settings.get_settings(services.database, guild.id)).log_channel
    if log is not None:
        lacking = missing_in(guild.get_channel_or_thread(log), threads=False)
        if not lacking and not await find_gone(guild, [log]):
            return ""
        return say(
            "The log channel {channel} is gone, or I may not post there: choose another with "
            "`/settings log_channel`.",
            channel=f"<#{log}>",
        )
    going = {listed.rule.channel_id for listed in rules if not listed.rule.paused}
    if not going or not all(isinstance(guild.get_channel(id), discord.ForumChannel) for id in going):
        return ""
    return say(
        "When something is wrong with a feed or a channel I can tell only whoever made the rules, by direct "
        "message, as forums take posts only: choose a channel for that with `/settings log_channel`."
    )


def placed(interaction: discord.Interaction, channel: Postable, thread: str | None) -> str | None:
    """Check that posts can go to a channel; gives how threads are to be there."""
    if isinstance(channel, discord.ForumChannel):
        thread = "case"  # everything in a forum is in a thread
    check_can_post(interaction, channel, threads=thread == "case")
    return thread


ChannelOption = app_commands.Transform[Postable, PostableChannel]


# ------------------------------------------------------------------------ in words


def describe(rule: Rule) -> str:
    """Tell a rule in words, as a block of text."""
    head = f"**#{rule.id}** <#{rule.channel_id}>" if rule.id else f"<#{rule.channel_id}>"
    if rule.paused:
        head += f" ({say('paused')})"
    return f"{head}\n-# {' · '.join(_parts(rule))}"


def _parts(rule: Rule) -> Iterator[str]:
    for label, names in _lists(rule).items():
        if names:
            yield labelled(say(label), safe_text(", ".join(names), 300))
    if not wanted(rule):
        yield say("every relevant story")
    yield say("relevance from {figure}", figure=f"{rule.min_relevance:g}")
    if rule.when != "now":
        yield say(_DIGESTS[rule.when])
    elif rule.daily_limit:
        yield say("at most {number} a day, the rest as a digest", number=rule.daily_limit)
    else:
        yield say("no daily limit")
    if rule.ping_role:
        role = f"<@&{rule.ping_role}>"
        if rule.ping_when:
            yield say("mentions {role} only at: {when}", role=role, when=_condition(rule.ping_when.words))
        else:
            yield say("mentions {role}", role=role)
    if rule.urgent:
        yield say("in quiet hours, too: {when}", when=_condition(rule.urgent.words))
    if rule.style != "full":
        yield say(rule.style)
    if rule.thread == "case":
        yield say("a thread for each case")
    if rule.review_channel:
        yield _review(rule)


def _review(rule: Rule) -> str:
    """Tell how moderators approve first, "" where they do not."""
    if rule.review_channel is None:
        return ""
    where, hours = f"<#{rule.review_channel}>", rule.review_hours
    if rule.review_then == "post":
        return say_number(
            "after approval in {channel}, or {number} hour",
            "after approval in {channel}, or {number} hours",
            hours,
            channel=where,
        )
    return say_number(
        "only after approval in {channel} within {number} hour",
        "only after approval in {channel} within {number} hours",
        hours,
        channel=where,
    )


_DIGESTS = {"hourly": mark("hourly digest"), "daily": mark("daily digest"), "weekly": mark("weekly digest")}
# What is said by its name.
_SAID = (
    *(mark("now"), mark("hourly"), mark("daily"), mark("weekly")),
    *(mark("full"), mark("compact"), mark("off"), mark("case")),
)
_TOPICS, _PARTIES, _KEYWORDS = mark("topics"), mark("parties"), mark("keywords")
_EXCLUDE, _STATUSES, _SOURCES = mark("not with"), mark("statuses"), mark("sources")
_COUNTRIES = mark("countries")
_LANGUAGE, _NOT_FROM = mark("languages"), mark("not from")


def _lists(rule: Rule) -> dict[str, tuple[str, ...]]:
    return {
        _TOPICS: tuple(map(say, rule.topics)),
        _PARTIES: rule.parties,
        _KEYWORDS: rule.keywords,
        _EXCLUDE: rule.exclude,
        _STATUSES: tuple(map(say, rule.statuses)),
        _COUNTRIES: rule.countries,
        _LANGUAGE: rule.languages,
        _SOURCES: rule.sources,
        _NOT_FROM: rule.exclude_sources,
    }


def wanted(rule: Rule) -> list[str]:
    """Give what a rule asks for, in words; one that asks for nothing takes every relevant story."""
    return [
        name for label, names in _lists(rule).items() if label not in (_EXCLUDE, _NOT_FROM) for name in names
    ]


def _condition(words: tuple[str, ...]) -> str:
    return ", ".join(
        say(word) if not word[:1].isdigit() else say("relevance from {figure}", figure=word) for word in words
    )


def changed_lines(edited: EditedRule) -> str:
    """Tell what a rule said before and says now, as a block of text."""
    before, after = (_facts(rule) for rule in (edited.before, edited.after))
    lines = [f"**#{edited.after.id}** <#{edited.after.channel_id}>"]
    for label, now in after.items():
        if before[label] != now:
            lines.append(labelled(say(label), f"{before[label] or '–'} → **{now or '–'}**"))
    return "\n".join(lines)


def _facts(rule: Rule) -> dict[str, str]:
    """Give what a rule says, part by part, in words."""
    limit = str(rule.daily_limit) if rule.daily_limit else ""
    return {
        mark("channel"): f"<#{rule.channel_id}>",
        **{label: safe_text(", ".join(names), 200) for label, names in _lists(rule).items()},
        mark("relevance"): f"{rule.min_relevance:g}",
        mark("when"): say(rule.when),
        mark("daily limit"): limit,
        mark("mentions"): f"<@&{rule.ping_role}>" if rule.ping_role else "",
        mark("mentions only at"): _condition(rule.ping_when.words),
        mark("in quiet hours"): _condition(rule.urgent.words),
        mark("style"): say(rule.style),
        mark("thread"): say(rule.thread),
        mark("review"): _review(rule),
        mark("paused"): say("yes") if rule.paused else say("no"),
    }
