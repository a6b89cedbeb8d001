"""A server's configuration as one YAML file, read and written; pure.

Sections: `settings`, `feeds`, `rules`. A section that a file lacks stays as it is, and so does a setting.
What is wrong is said with its line. https://yaml.org/spec/1.1/ as far as `yaml.safe_load` takes it; anchors
are refused, since they let a small file stand for a huge one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from bot.alerts.routing import Rule
from bot.errors import UsageError
from bot.intake.guild_settings import GuildSettings
from bot.words import say

MOST_CHARACTERS = 500_000  # as many as a hundred rules of many words have; takes two seconds to read
_DEEPEST = 6
_VERSION = 1

_LISTS = (
    "topics",
    "parties",
    "keywords",
    "exclude",
    "statuses",
    "countries",
    "languages",
    "sources",
    "exclude_sources",
    "ping_when",  # the last two are conditions
    "urgent",
)
_IDS = ("channel", "ping", "review")
# Words, and what stands for one that is left out.
_WORDS = {"when": "now", "style": "full", "thread": "off", "review_then": "drop"}
_FIGURES = ("relevance", "limit", "review_hours")
_KEYS = ("number", *_IDS, *_LISTS, *_WORDS, *_FIGURES, "paused")

# What a rule's keys are called where rules are made (`bot.alerts.rule_actions.RULE_FIELDS`).
_FIELDS = {"channel": "channel_id", "ping": "ping_role", "review": "review_channel", "limit": "daily_limit"}


class ConfigurationError(UsageError):
    """A configuration cannot be read or applied: says where and what to do."""


@dataclass(frozen=True, slots=True)
class WantedFeed:
    """A feed as a file names it, and the line."""

    address: str
    title: str
    paused: bool
    line: int


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule as a file tells it: `fields` as `bot.alerts.rule_actions.read_rule` takes them."""

    number: int | None
    fields: Mapping[str, Any]
    paused: bool
    line: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file wants; None for a section that it lacks."""

    settings: Mapping[str, Any] | None
    feeds: Sequence[WantedFeed] | None
    rules: Sequence[WantedRule] | None


# ---------------------------------------------------------------------------- writing


def write(
    settings: GuildSettings,
    feeds: Iterable[tuple[str, str, bool]],
    rules: Iterable[Rule],
) -> str:
    """Write a configuration. Feeds are addresses, titles and whether paused."""
    said = {name: value if value is None else str(value) for name, value in asdict(settings).items()}
    content = {
        "version": _VERSION,
        "settings": said,
        "feeds": [
            {"address": address} | ({"title": title} if title else {}) | ({"paused": True} if paused else {})
            for address, title, paused in feeds
        ],
        "rules": [_rule(rule) for rule in rules],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000)


def _rule(rule: Rule) -> dict[str, Any]:
    """Tell a rule: its number, its channel, and what it says beyond what every rule says."""
    told: dict[str, Any] = {"number": rule.id, "channel": str(rule.channel_id)}
    for name in _LISTS[:-2]:
        told[name] = list(getattr(rule, name))
    told |= {
        "relevance": rule.min_relevance,
        "when": rule.when,
        "limit": rule.daily_limit,
        "ping": str(rule.ping_role) if rule.ping_role else None,
        "ping_when": list(rule.ping_when.words),
        "urgent": list(rule.urgent.words),
        "style": rule.style,
        "thread": rule.thread,
        "review": str(rule.review_channel) if rule.review_channel else None,
        "review_hours": rule.review_hours if rule.review_channel else None,
        "review_then": rule.review_then if rule.review_channel else None,
        "paused": rule.paused,
    }
    return {name: value for name, value in told.items() if value or name == "relevance"}


# ---------------------------------------------------------------------------- reading


def read(text: str) -> Wanted:
    """Read a configuration. Raises `ConfigurationError` that names the line."""
    content, lines = _parsed(text)
    if not isinstance(content, dict) or not content:
        raise ConfigurationError(say("That is no configuration; it has settings, feeds and rules."))
    unknown = [str(key) for key in content if key not in ("version", "settings", "feeds", "rules")]
    if unknown:
        raise ConfigurationError(
            say(
                "There is no section {name}; there are settings, feeds and rules.",
                name=", ".join(unknown)[:80],
            )
        )
    if content.get("version", _VERSION) != _VERSION:
        raise ConfigurationError(say("That configuration is of another version of Quash; this one reads 1."))
    settings = content.get("settings")
    if settings is not None and not isinstance(settings, dict):
        raise ConfigurationError(say("The section settings holds names and values, such as timezone: UTC."))
    return Wanted(
        settings=None if settings is None else _settings(settings, lines.get(("settings",), 1)),
        feeds=_section(content, "feeds", lines, _feed),
        rules=_section(content, "rules", lines, _wanted_rule),
    )


def _parsed(text: str) -> tuple[Any, dict[tuple[Any, ...], int]]:
    """Give what a text holds, and the lines where sections and their items begin."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigurationError(say("That file is too large for a configuration."))
    try:
        depth, line = 0, 1
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else line
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise ConfigurationError(say("Line {line}: anchors (& and *) are not taken.", line=line))
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise ConfigurationError(say("Line {line}: nothing lies so deep.", line=line))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return yaml.safe_load(text), dict(_lines(node))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(
            say("Line {line} is no YAML: {problem}.", line=line, problem=str(error.problem)[:200])
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # characters that YAML does not take; days like 2026-02-31
        raise ConfigurationError(say("That is no YAML: {problem}.", problem=str(error)[:200])) from error


def _lines(node: yaml.Node | None) -> Iterable[tuple[tuple[Any, ...], int]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        yield (key.value,), key.start_mark.line + 1
        if isinstance(value, yaml.SequenceNode):
            for index, item in enumerate(value.value):
                yield (key.value, index), item.start_mark.line + 1


def _section(content: Mapping[Any, Any], name: str, lines: Mapping[tuple[Any, ...], int], make: Any) -> Any:
    if name not in content:
        return None
    items = content[name] or []
    if not isinstance(items, list):
        raise ConfigurationError(say("The section {name} is a list.", name=name))
    return [make(item, lines.get((name, index), 1)) for index, item in enumerate(items)]


def _settings(said: Mapping[Any, Any], line: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in said.items():
        if name in ("log_channel", "moderator_role"):
            found[name] = _id(value, name, line)
        elif isinstance(value, str) or name == "quiet_hours":
            # YAML takes an unquoted off for False.
            found[str(name)] = "off" if value in (False, None) else str(value)
        else:
            raise ConfigurationError(
                say("Line {line}: {name} is a text; put it in quotes.", line=line, name=str(name)[:40])
            )
    return found


def _feed(item: Any, line: int) -> WantedFeed:
    if isinstance(item, str):
        return WantedFeed(item, "", False, line)
    if not isinstance(item, dict) or not isinstance(item.get("address"), str):
        raise ConfigurationError(say("Line {line}: a feed has an address.", line=line))
    _check_keys(item, ("address", "title", "paused"), line)
    return WantedFeed(
        item["address"], str(item.get("title") or "")[:300], _flag(item.get("paused"), "paused", line), line
    )


def _wanted_rule(item: Any, line: int) -> WantedRule:
    if not isinstance(item, dict):
        raise ConfigurationError(say("Line {line}: a rule has a channel, and what it asks for.", line=line))
    _check_keys(item, _KEYS, line)
    fields: dict[str, Any] = {}
    for name in _IDS:
        fields[name] = _id(item.get(name), name, line)
    if fields["channel"] is None:
        raise ConfigurationError(say("Line {line}: the rule names no channel.", line=line))
    for name in _LISTS:
        fields[name] = _list(item.get(name), name, line)
    for name, usual in _WORDS.items():
        value = item.get(name)
        fields[name] = str(value) if value else usual  # YAML takes an unquoted off for False
    fields["relevance"] = _figure(item.get("relevance"), "relevance", line)
    for name in ("limit", "review_hours"):
        fields[name] = _whole(item.get(name), name, line)
    return WantedRule(
        number=_whole(item.get("number"), "number", line),
        fields={_FIELDS.get(name, name): value for name, value in fields.items()},
        paused=_flag(item.get("paused"), "paused", line),
        line=line,
    )


def _check_keys(item: Mapping[Any, Any], known: Sequence[str], line: int) -> None:
    for key in item:
        if key not in known:
            raise ConfigurationError(
                say(
                    "Line {line}: there is no “{name}” here; there are {known}.",
                    line=line,
                    name=str(key)[:40],
                    known=", ".join(known),
                )
            )


def _id(value: Any, name: str, line: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, bool) and str(value).isdecimal() and len(str(value)) <= 20:
        number = int(value)
        if 0 < number < 2**63:
            return number
    raise ConfigurationError(
        say("Line {line}: {name} is an id of Discord's, a long number.", line=line, name=name)
    )


def _list(value: Any, name: str, line: int) -> str | tuple[str, ...]:
    """Give a list as it stands, in whose items a comma is no end; a single text as people type a list."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    for item in items:
        if isinstance(item, bool | list | dict) or item is None:
            raise ConfigurationError(
                say("Line {line}: {name} is a list of words; put each in quotes.", line=line, name=name)
            )
    return tuple(map(str, items)) if isinstance(value, list) else str(*items)


def _figure(value: Any, name: str, line: int) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        raise ConfigurationError(say("Line {line}: {name} is a figure.", line=line, name=name))
    return value


def _whole(value: Any, name: str, line: int) -> int | None:
    found = _figure(value, name, line)
    return None if found is None else int(found)


def _flag(value: Any, name: str, line: int) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ConfigurationError(say("Line {line}: {name} is true or false.", line=line, name=name))
