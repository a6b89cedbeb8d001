"""A server's whole configuration: exported as a file, and imported once its difference was looked at.

What a file would change is kept (`PendingImportRow`) until somebody applies it, with the mark of the
configuration that it was compared with: where that has changed meanwhile, nothing is applied. All of it is
applied in one transaction, and each change leaves the same audit row as if it had been made by hand.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import rule_actions
from bot.alerts.errors import NotHereError, WishError
from bot.alerts.outbox import rule_from
from bot.alerts.routing import Rule
from bot.alerts.rule_actions import EditedRule, says
from bot.clock import Clock
from bot.errors import QuashError
from bot.feeds.guard import shown_url
from bot.feeds.service import FeedService
from bot.intake import guild_settings
from bot.intake.configuration_file import ConfigurationError, Wanted, WantedRule, read, write
from bot.intake.guild_feeds import Who
from bot.intake.guild_settings import EditedSettings, GuildSettings
from bot.words import retell, say
from db import audit, deliveries, feeds, guilds, rules
from db.engine import Database
from db.feeds import StoredFeed
from db.tables import GuildRow, PendingImportRow, RuleRow

_KEPT = timedelta(days=1)
_MOST = 5  # imports of a server that wait to be applied, the last ones

# Says what is wrong with a rule's channel and role where it stands (None: nothing).
CheckRule = Callable[[Mapping[str, Any]], str | None]
# The same of a server's settings.
CheckSettings = Callable[[EditedSettings], str | None]


# A rule as a file tells it, and the columns that it comes to.
_Checked = tuple[WantedRule, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the server on Discord: `rule` and `settings` say what cannot be there, `is_forum`
    whether a channel is one, where each case has a thread whatever is said."""

    rule: CheckRule
    settings: CheckSettings
    is_forum: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a file would change. `id` is what applies it."""

    id: int
    settings: EditedSettings
    feeds_added: tuple[str, ...]
    feeds_removed: tuple[str, ...]
    feeds_paused: tuple[str, ...]
    feeds_resumed: tuple[str, ...]
    rules_added: tuple[Rule, ...]
    rules_changed: tuple[EditedRule, ...]
    rules_removed: tuple[Rule, ...]

    def __bool__(self) -> bool:
        feeds_changed = self.feeds_added + self.feeds_removed + self.feeds_paused + self.feeds_resumed
        rules_changed = bool(self.rules_added or self.rules_changed or self.rules_removed)
        return bool(self.settings.changed) or bool(feeds_changed) or rules_changed


@dataclass(frozen=True, slots=True)
class _Current:
    """A server's configuration as it is stored."""

    settings: GuildSettings
    feeds: Sequence[StoredFeed]
    paused: frozenset[int]
    rules: Sequence[RuleRow]

    @property
    def text(self) -> str:
        return write(
            self.settings,
            [(feed.url, feed.title, feed.id in self.paused) for feed in self.feeds],
            map(rule_from, self.rules),
        )

    @property
    def mark(self) -> str:
        """What tells it from any other; not of its text, which takes long to write for a hundred rules."""
        said = (
            self.settings,
            [(feed.url, feed.title, feed.id in self.paused) for feed in self.feeds],
            [(row.id, row.paused, rule_actions.told(row)) for row in self.rules],
        )
        return hashlib.sha256(repr(said).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(slots=True)
class _Plan:
    """What is to be stored."""

    settings: dict[str, Any]
    add_feeds: dict[str, str]  # address -> title
    remove_feeds: list[StoredFeed]
    pause: dict[str, bool]  # addresses of feeds that are paused or resumed
    add_rules: list[RuleRow]
    change_rules: list[tuple[RuleRow, dict[str, Any]]]
    remove_rules: list[RuleRow]


class Configurations:
    """Exports and imports servers' configurations. `most_feeds`: how many one server may use."""

    def __init__(self, database: Database, service: FeedService, clock: Clock, *, most_feeds: int) -> None:
        self._database = database
        self._feeds = service
        self._clock = clock
        self._most_feeds = most_feeds

    async def export(self, guild_id: int) -> bytes:
        """Give a server's configuration as a file."""
        async with self._database.read() as session:
            current = await _current(session, guild_id)
        return (await asyncio.to_thread(lambda: current.text)).encode()

    async def compare(self, who: Who, text: str, ground: Ground) -> Difference:
        """Keep a file for being applied, and tell what it would change.

        Raises `ConfigurationError` where it cannot be applied.
        """
        wanted, checked = await _read(text)
        now = self._clock()
        async with self._database.write() as session:
            await guilds.remember(session, who.guild_id, now)
            current = await _current(session, who.guild_id)
            plan = self._plan(current, wanted, checked, who, ground, now)
            told = _told(current, plan)
            await session.execute(delete(PendingImportRow).where(PendingImportRow.at < now - _KEPT))
            mine = select(PendingImportRow.id).where(PendingImportRow.guild_id == who.guild_id)
            last = list(await session.scalars(mine.order_by(PendingImportRow.id.desc())))
            await session.execute(delete(PendingImportRow).where(PendingImportRow.id.in_(last[_MOST - 1 :])))
            row = PendingImportRow(guild_id=who.guild_id, at=now, mark=current.mark, text=text)
            session.add(row)
            await session.flush()
            return replace(told, id=row.id)

    async def apply(self, who: Who, pending_id: int, ground: Ground) -> Difference:
        """Apply a file that was compared; gives what has changed. Twice is once.

        Raises `NotHereError` where there is none, and `ConfigurationError` where the configuration was
        changed since, or where what the file asks for cannot be any more.
        """
        now = self._clock()
        async with self._database.read() as session:
            text = (await _pending(session, who, pending_id, now)).text
        wanted, checked = await _read(text)
        async with self._database.write() as session:
            await guilds.hold(session, who.guild_id)
            pending = await _pending(session, who, pending_id, now)
            current = await _current(session, who.guild_id)
            if current.mark != pending.mark:
                raise ConfigurationError(
                    say(
                        "The configuration was changed since this difference was shown; "
                        "import the file again to see what it would change now."
                    )
                )
            plan = self._plan(current, wanted, checked, who, ground, now)
            told = _told(current, plan)
            await self._store(session, who, plan, now)
            await session.delete(pending)
        return told

    # ------------------------------------------------------------------------ deciding

    def _plan(
        self,
        current: _Current,
        wanted: Wanted,
        checked: Sequence[_Checked],
        who: Who,
        ground: Ground,
        now: datetime,
    ) -> _Plan:
        plan = _Plan({}, {}, [], {}, [], [], [])
        if wanted.settings is not None:
            try:
                plan.settings = guild_settings.check(wanted.settings)
            except WishError as error:
                raise ConfigurationError(say("In the settings: {error}", error=retell(str(error)))) from error
            edited = EditedSettings(current.settings, replace(current.settings, **plan.settings))
            if trouble := ground.settings(edited):
                raise ConfigurationError(say("In the settings: {error}", error=trouble))
        if wanted.feeds is not None:
            self._plan_feeds(plan, current, wanted)
        if wanted.rules is not None:
            _plan_rules(plan, current, checked, who, ground, now)
        return plan

    def _plan_feeds(self, plan: _Plan, current: _Current, wanted: Wanted) -> None:
        paused: dict[str, bool] = {}
        titles: dict[str, str] = {}
        for item in wanted.feeds or ():
            try:
                address = self._feeds.normal(item.address)
            except QuashError as error:
                raise ConfigurationError(
                    say("Line {line}: {error}", line=item.line, error=retell(str(error)))
                ) from error
            paused[address] = item.paused
            titles[address] = item.title
        if len(paused) > self._most_feeds:
            raise ConfigurationError(
                say(
                    "A server watches at most {most} feeds; the file has {number}.",
                    most=self._most_feeds,
                    number=len(paused),
                )
            )
        known = {feed.url: feed for feed in current.feeds}
        plan.add_feeds = {url: title for url, title in titles.items() if url not in known}
        plan.remove_feeds = [feed for url, feed in known.items() if url not in titles]
        was = {url: feed.id in current.paused for url, feed in known.items()}
        plan.pause = {url: flag for url, flag in paused.items() if was.get(url, False) != flag}

    # ------------------------------------------------------------------------ storing

    async def _store(self, session: AsyncSession, who: Who, plan: _Plan, now: datetime) -> None:
        if plan.settings:
            await guild_settings.store(session, who.guild_id, who.user_id, plan.settings, now)
        await self._store_feeds(session, who, plan, now)
        # Locked at once and in order: what waits for the channels that rules leave goes along. Before rules
        # are deleted: whoever owes a channel something holds its lock, and needs the rules then.
        moved = {
            channel_id
            for row, columns in plan.change_rules
            if not columns.keys().isdisjoint(("channel_id", "review_channel"))
            for channel_id in rule_actions.channels_of(row, columns)
        }
        await deliveries.enqueue(session, {("channel", channel_id): now for channel_id in sorted(moved)})
        for row in plan.remove_rules:
            note = {"before": rule_actions.told(row) | {"id": row.id}}
            audit.note(session, who.guild_id, who.user_id, now, "rule removed", **note)
            await rules.delete_rule(session, row.id)
        for row, columns in plan.change_rules:
            await rule_actions.change(session, row, columns, user_id=who.user_id, now=now)
        for row in plan.add_rules:
            session.add(row)
            await session.flush()
            after = rule_actions.told(row) | {"id": row.id}
            audit.note(session, who.guild_id, who.user_id, now, "rule added", after=after)

    async def _store_feeds(self, session: AsyncSession, who: Who, plan: _Plan, now: datetime) -> None:
        for feed in plan.remove_feeds:
            await self._feeds.remove_in(session, feed.id, guild_id=who.guild_id)
            after = {"feed": feed.id, "name": (feed.title or shown_url(feed.url))[:200]}
            audit.note(session, who.guild_id, who.user_id, now, "feed removed", after=after)
        if plan.add_feeds:
            await self._feeds.store_in(session, plan.add_feeds, guild_id=who.guild_id, added_by=who.user_id)
            after = {"feeds": len(plan.add_feeds)}
            audit.note(session, who.guild_id, who.user_id, now, "feeds imported", after=after)
        known = await feeds.known_urls(session, list(plan.pause)) if plan.pause else {}
        for url, paused in plan.pause.items():
            await feeds.pause_use(session, known[url], who.guild_id, paused=paused)
            after = {"feed": known[url], "name": shown_url(url)[:200]}
            action = "feed paused" if paused else "feed resumed"
            audit.note(session, who.guild_id, who.user_id, now, action, after=after)


async def _current(session: AsyncSession, guild_id: int) -> _Current:
    return _Current(
        guild_settings.settings_of(await session.get(GuildRow, guild_id)),
        await feeds.listed(session, guild_id),
        frozenset(await feeds.paused_by(session, guild_id)),
        await rules.get_rules_of_guild(session, guild_id),
    )


async def _pending(session: AsyncSession, who: Who, pending_id: int, now: datetime) -> PendingImportRow:
    pending = await session.get(PendingImportRow, pending_id)
    if pending is None or pending.guild_id != who.guild_id or pending.at < now - _KEPT:
        raise NotHereError(
            say("That import was applied already, or is older than a day; import the file again.")
        )
    return pending


async def _read(text: str) -> tuple[Wanted, list[_Checked]]:
    """Read a file and check what its rules say, before the database is held."""
    wanted = await asyncio.to_thread(read, text)
    if len(wanted.rules or ()) > rule_actions.MOST_RULES:
        raise ConfigurationError(
            say(
                "A server has at most {most} rules; the file has {number}.",
                most=rule_actions.MOST_RULES,
                number=len(wanted.rules or ()),
            )
        )
    checked: list[_Checked] = []
    seen: dict[str, int] = {}
    for one in wanted.rules or ():
        try:
            columns = await rule_actions.read_rule(one.fields)
        except WishError as error:
            raise ConfigurationError(
                say("Line {line}: {error}", line=one.line, error=retell(str(error)))
            ) from error
        if first := seen.get(repr(columns)):
            raise ConfigurationError(
                say("The rules in lines {first} and {second} say the same.", first=first, second=one.line)
            )
        seen[repr(columns)] = one.line
        checked.append((one, columns))
    return wanted, checked


def _plan_rules(
    plan: _Plan,
    current: _Current,
    checked: Sequence[_Checked],
    who: Who,
    ground: Ground,
    now: datetime,
) -> None:
    """Decide what becomes of rules: a rule of a number that is known, or that says what one says already,
    is that rule; others are new."""
    left = {row.id: row for row in current.rules}
    numbers = {one.number for one, _ in checked}
    for one, said in checked:
        columns = said | {"thread": "case"} if ground.is_forum(said["channel_id"]) else said
        wanted = columns | {"paused": one.paused}
        row = left.pop(one.number, None) if one.number is not None else None
        if row is None:
            others = (row for row in left.values() if row.id not in numbers)
            row = next((o for o in others if says(rule_actions.told(o)) == says(columns)), None)
            if row is not None:
                del left[row.id]
        if row is None:
            _check(one, columns, ground)
            made = RuleRow(guild_id=who.guild_id, created_by=who.user_id, created_at=now, **wanted)
            plan.add_rules.append(made)
            continue
        changed = {name: value for name, value in says(wanted).items() if getattr(row, name) != value}
        if changed:
            _check(one, columns, ground)
            plan.change_rules.append((row, changed))
    plan.remove_rules = list(left.values())


def _check(one: WantedRule, columns: Mapping[str, Any], ground: Ground) -> None:
    if trouble := ground.rule(columns):
        raise ConfigurationError(say("Line {line}: {error}", line=one.line, error=trouble))


def _told(current: _Current, plan: _Plan) -> Difference:
    was = {feed.url: feed for feed in current.feeds}
    named = {url: feed.title or shown_url(url) for url, feed in was.items()}
    named |= {url: title or shown_url(url) for url, title in plan.add_feeds.items()}
    return Difference(
        id=0,
        settings=EditedSettings(current.settings, replace(current.settings, **plan.settings)),
        feeds_added=tuple(named[url] for url in plan.add_feeds),
        feeds_removed=tuple(named[feed.url] for feed in plan.remove_feeds),
        feeds_paused=tuple(named[url] for url, paused in plan.pause.items() if paused),
        feeds_resumed=tuple(named[url] for url, paused in plan.pause.items() if not paused),
        rules_added=tuple(_rule(row, {}) for row in plan.add_rules),
        rules_changed=tuple(
            EditedRule(rule_from(row), _rule(row, columns)) for row, columns in plan.change_rules
        ),
        rules_removed=tuple(rule_from(row) for row in plan.remove_rules),
    )


def _rule(row: RuleRow, columns: Mapping[str, Any]) -> Rule:
    """Give a rule as it is going to be. One that is not stored has the number 0."""
    shown = RuleRow(**rule_actions.told(row), paused=row.paused, guild_id=row.guild_id)
    for name, value in columns.items():
        setattr(shown, name, value)
    shown.id = row.id or 0
    return rule_from(shown)
