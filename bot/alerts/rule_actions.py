"""What moderators do with rules, as services without Discord.

Each call is one transaction; what changes leaves an audit row with what was before and what is after. Wrong
input is answered with `WishError`, what is not there (or another server's) with `NotHereError`; the message
of both is the answer to the person. Whether somebody may configure a server is the caller's check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import review_moves, wishes
from bot.alerts.errors import NotHereError, WishError
from bot.alerts.outbox import owe_elsewhere, rule_from
from bot.alerts.routing import Condition, Rule
from bot.words import mark, say
from db import audit, deliveries, guilds, rules
from db.engine import Database
from db.tables import RuleRow

MOST_RULES = 100  # of a server


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as its moderators see it. `closed`: which of its channels, where it posts and where moderators
    are asked first, take nothing at present, and why."""

    rule: Rule
    closed: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class EditedRule:
    """A rule as it was and as it is."""

    before: Rule
    after: Rule


# What people say of a rule: the column that it goes to, and how it is checked.
_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "channel_id": ("channel_id", int),
    "topics": ("topics", wishes.parse_topics),
    "parties": ("parties", lambda typed: wishes.parse_list(typed, mark("parties"))),
    "keywords": ("keywords", lambda typed: wishes.parse_words(typed, mark("keywords"))),
    "exclude": ("exclude", lambda typed: wishes.parse_words(typed, mark("exclusions"))),
    "statuses": ("statuses", wishes.parse_statuses),
    "countries": ("countries", lambda typed: wishes.parse_list(typed, mark("countries"))),
    "languages": ("languages", wishes.parse_languages),
    "sources": ("sources", wishes.parse_sources),
    "exclude_sources": ("exclude_sources", wishes.parse_sources),
    "relevance": ("min_relevance", wishes.parse_relevance),
    "ping_role": ("ping_role", lambda role: role),
    "ping_when": ("ping_when", lambda typed: wishes.parse_condition(typed).words),
    "urgent": ("urgent", lambda typed: wishes.parse_condition(typed).words),
    "when": ("when", wishes.parse_when),
    "daily_limit": ("daily_limit", wishes.parse_daily_limit),
    "style": ("style", wishes.parse_style),
    "thread": ("thread", wishes.parse_thread),
    "review_channel": ("review_channel", lambda channel: channel),
    "review_hours": ("review_hours", wishes.parse_review_hours),
    "review_then": ("review_then", wishes.parse_review_then),
}
RULE_FIELDS = tuple(_FIELDS)
# What a rule says where nothing is said.
_NOTHING_SAID: Mapping[str, Any] = {
    **dict.fromkeys(("topics", "parties", "keywords", "exclude", "statuses", "languages"), ""),
    **dict.fromkeys(("countries", "sources", "exclude_sources", "ping_when", "urgent"), ""),
    **dict.fromkeys(("relevance", "ping_role", "review_channel", "review_hours")),
    "daily_limit": wishes.USUAL_A_DAY,
    "review_then": "drop",
    "when": "now",
    "style": "full",
    "thread": "off",
}


async def read_rule(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check what people say of a rule; gives columns of `rules`.

    Lists (`topics`, `parties`, `keywords`, `exclude`, `statuses`, `countries`, `languages`, `sources`,
    `exclude_sources`) are comma-separated or sequences, empty ones stand for "any"; `relevance` is 0 to 1;
    `ping_when` and `urgent` are conditions ("quashed, upheld, 0.9"); `when` is now, hourly, daily, weekly;
    `daily_limit` 0 is none.
    Parties and countries may be written in any way that is known ("DHS", "de").
    """
    unknown = [name for name in fields if name not in _FIELDS]
    if unknown:
        raise WishError(
            say(
                "A rule has no {names}; it has {fields}.",
                names=", ".join(unknown),
                fields=", ".join(RULE_FIELDS),
            )
        )
    columns: dict[str, Any] = {}
    for name, said in fields.items():
        column, check = _FIELDS[name]
        value = check(said)
        columns[column] = list(value) if isinstance(value, tuple) else value
    if "parties" in columns:
        columns["parties"] = await wishes.canonical_parties(columns["parties"])
    if columns.get("countries"):
        columns["countries"] = await wishes.known_countries(columns["countries"])
    return columns


async def add_rule(
    database: Database,
    *,
    guild_id: int,
    user_id: int,
    channel_id: int,
    now: datetime,
    **fields: Any,
) -> Rule:
    """Make a rule; `fields` are those of `RULE_FIELDS`, see `read_rule` for what may be said."""
    columns = await read_rule({**_NOTHING_SAID, **fields, "channel_id": channel_id})
    row = RuleRow(guild_id=guild_id, paused=False, created_by=user_id, created_at=now, **columns)
    async with database.write() as session:
        await guilds.remember(session, guild_id, now)
        await guilds.hold(session, guild_id)
        there = await rules.get_rules_of_guild(session, guild_id)
        if len(there) >= MOST_RULES:
            raise WishError(
                say(
                    "A server has at most {most} rules; remove one with /alerts remove first.",
                    most=MOST_RULES,
                )
            )
        for other in there:
            if says(told(other)) == says(columns):
                raise WishError(
                    say("That is rule #{number} already; /alerts list shows it.", number=other.id)
                )
        session.add(row)
        await session.flush()
        audit.note(session, guild_id, user_id, now, "rule added", after=told(row) | {"id": row.id})
    return rule_from(row)


async def edit_rule(
    database: Database,
    *,
    guild_id: int,
    user_id: int,
    rule_id: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> EditedRule:
    """Change what a rule says; `changes` are fields of `add_rule` by their names, said in the same way.

    What is owed already follows the rule as it is when it is sent, to another channel as well; what waits
    for moderators' decision follows it to another review channel.
    """
    columns = await read_rule(changes)
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        row = await _own_rule(session, guild_id, rule_id)
        edited = await change(session, row, columns, user_id=user_id, now=now)
        for other in await rules.get_rules_of_guild(session, guild_id):
            if other.id != rule_id and says(told(other)) == says(told(row)):
                raise WishError(
                    say("That is what rule #{number} says already; /alerts list shows it.", number=other.id)
                )
    return edited


async def change(
    session: AsyncSession, row: RuleRow, columns: Mapping[str, Any], *, user_id: int, now: datetime
) -> EditedRule:
    """Change a stored rule's columns in the caller's transaction: with its audit row, and with what it owes
    going along to another channel, as what moderators are asked does."""
    was, before = rule_from(row), _told_whole(row)
    for column, value in columns.items():
        setattr(row, column, value)
    changed = {name: value for name, value in _told_whole(row).items() if value != before[name]}
    if changed:
        was_so = {name: before[name] for name in changed}
        audit.note(
            session,
            row.guild_id,
            user_id,
            now,
            "rule changed",
            before=was_so | {"id": row.id},
            after=changed | {"id": row.id},
        )
    if (row.channel_id, row.review_channel) != (was.channel_id, was.review_channel):
        await session.flush()
        channels = sorted({*_places(was), *_places(row)})  # locked at once and in order
        await deliveries.enqueue(session, {("channel", channel_id): now for channel_id in channels})
    if row.channel_id != was.channel_id:
        await owe_elsewhere(session, row, was.channel_id, now=now)
    if was.review_channel is not None and row.review_channel != was.review_channel:
        await review_moves.follow(session, row, was.review_channel, user_id=user_id, now=now)
    return EditedRule(was, rule_from(row))


async def get_rule(database: Database, *, guild_id: int, rule_id: int) -> Rule:
    """Give one of a server's rules. Raises `NotHereError`."""
    async with database.read() as session:
        return rule_from(await _own_rule(session, guild_id, rule_id))


async def changed_rule(rule: Rule, changes: Mapping[str, Any]) -> Rule:
    """Give a rule as it would be with changes, which are said as for `edit_rule`; nothing is stored."""
    columns = await read_rule(changes)
    for name, value in columns.items():
        if name in ("ping_when", "urgent"):
            columns[name] = Condition.of(value)
        elif isinstance(value, list):
            columns[name] = tuple(value)
    return replace(rule, **columns)


async def pause_rule(database: Database, *, guild_id: int, user_id: int, rule_id: int, now: datetime) -> Rule:
    """Let a rule rest: what it still owes is not posted, and nothing is kept for it. Twice is once."""
    return await _pause(database, guild_id, user_id, rule_id, now, paused=True)


async def resume_rule(
    database: Database, *, guild_id: int, user_id: int, rule_id: int, now: datetime
) -> Rule:
    """Let a rule that rests go on, from now. Twice is once."""
    return await _pause(database, guild_id, user_id, rule_id, now, paused=False)


async def _pause(
    database: Database, guild_id: int, user_id: int, rule_id: int, now: datetime, *, paused: bool
) -> Rule:
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        row = await _own_rule(session, guild_id, rule_id)
        if row.paused != paused:
            row.paused = paused
            action = "rule paused" if paused else "rule resumed"
            before, after = {"id": rule_id, "paused": not paused}, {"id": rule_id, "paused": paused}
            audit.note(session, guild_id, user_id, now, action, before=before, after=after)
    return rule_from(row)


async def list_rules(database: Database, *, guild_id: int) -> tuple[ListedRule, ...]:
    """Give a server's rules, oldest first."""
    async with database.read() as session:
        rows = await rules.get_rules_of_guild(session, guild_id)
        broken = await deliveries.get_broken_reasons(session, {id for row in rows for id in _places(row)})
    return tuple(
        ListedRule(rule_from(row), {id: broken[id] for id in _places(row) if id in broken}) for row in rows
    )


def channels_of(row: RuleRow, columns: Mapping[str, Any]) -> set[int]:
    """Give the channels that a rule names, and those that it is going to name by these columns."""
    going = columns.get("channel_id"), columns.get("review_channel")
    return {id for id in (*_places(row), *going) if id is not None}


def _places(row: RuleRow | Rule) -> tuple[int, ...]:
    return (row.channel_id,) if row.review_channel is None else (row.channel_id, row.review_channel)


async def remove_rule(
    database: Database, *, guild_id: int, user_id: int, rule_id: int, now: datetime
) -> Rule:
    """Remove a rule and give what it was; what it still owed is not posted."""
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        row = await _own_rule(session, guild_id, rule_id)
        gone = rule_from(row)
        await rules.delete_rule(session, rule_id)
        audit.note(session, guild_id, user_id, now, "rule removed", before=told(row) | {"id": rule_id})
    return gone


async def _own_rule(session: AsyncSession, guild_id: int, rule_id: int) -> RuleRow:
    row = await rules.get_rule(session, guild_id, rule_id)
    if row is None:
        raise NotHereError(
            say(
                "There is no rule #{number} in this server; /alerts list shows those there are.",
                number=rule_id,
            )
        )
    return row


def told(row: RuleRow) -> dict[str, Any]:
    """Give what a rule says, column by column."""
    return {column: getattr(row, column) for column, _ in _FIELDS.values()}


def says(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of a rule's columns by which it is compared with others: where moderators are not asked,
    how long they have and what comes then say nothing."""
    idle = () if columns["review_channel"] else ("review_hours", "review_then")
    return {name: value for name, value in columns.items() if name not in idle}


def _told_whole(row: RuleRow) -> dict[str, Any]:
    return told(row) | {"paused": row.paused}
