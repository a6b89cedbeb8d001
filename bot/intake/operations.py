"""Telling servers of rules that bring nothing for long, or much in a day: one note each, with buttons to act.

A rule is told of once; again only if it was in order meanwhile. That it was told stands in a note of the
program's own, `told:rule:KIND:NUMBER`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.alerts.once import Button
from bot.alerts.telling import News, Teller
from bot.words import say, speaking
from db import figures, notes, places, restarts
from db.figures import SILENT_AFTER
from db.places import Listening
from db.tables import RuleRow

BUSY_FROM = 20  # stories in a day, past which a rule is told of
_BUSY_WITHIN = timedelta(days=1)
_CALM_WITHIN = timedelta(days=7)  # a rule that brought no more than that in it is calm again
_EVERY = timedelta(hours=1)
_AT_ONCE = 50  # rules that are told of in one go

_TOLD = "told:rule:"


class RuleTeller(Teller):
    """Tells of rules that bring nothing, or too much."""

    _looked: datetime | None = None

    async def news(self) -> Sequence[News]:
        """Look through the rules once an hour; gives those of which nobody was told."""
        now = self._clock()
        if self._looked is not None and timedelta(0) <= now - self._looked < _EVERY:
            return ()
        async with self._database.read() as session:
            silent = await figures.silent_rules(session, now - SILENT_AFTER)
            away = await restarts.was_off_since(session, now - SILENT_AFTER)
            busy = await figures.busy_rules(session, now - _BUSY_WITHIN, BUSY_FROM)
            unquiet = await figures.busy_rules(session, now - _CALM_WITHIN, BUSY_FROM)
            told = await notes.named(session, _TOLD)
        still = {_note("silent", rule.id) for rule in silent} | {_note("busy", rule.id) for rule in unquiet}
        await self._forget(name for name in told if name not in still)
        # Of the time in which the bot was off no rule is told; those that were told of before stay so.
        wanted = [("silent", rule) for rule in silent if not away] + [("busy", rule) for rule in busy]
        untold = [(kind, rule) for kind, rule in wanted if _note(kind, rule.id) not in told]
        if len(untold) <= _AT_ONCE:
            self._looked = now
        async with self._database.read() as session:
            listening = await places.get_listeners(session, {rule.guild_id for _, rule in untold})
        return [
            self._news(kind, rule, listening[rule.guild_id], busy.get(rule, 0))
            for kind, rule in untold[:_AT_ONCE]
            if rule.guild_id in listening
        ]

    def _news(self, kind: str, rule: RuleRow, listening: Listening, count: int) -> News:
        with speaking(listening.language):
            if kind == "silent":
                text = say(
                    "Rule #{number} for <#{channel}> has brought nothing in {days} days. `/alerts preview` "
                    "shows what a wider one would have brought.",
                    number=rule.id,
                    channel=rule.channel_id,
                    days=SILENT_AFTER.days,
                )
            else:
                text = say(
                    "Rule #{number} for <#{channel}> has brought {count} stories within a day. "
                    "`/alerts edit` can narrow it, raise its relevance, or gather its stories in a digest.",
                    number=rule.id,
                    channel=rule.channel_id,
                    count=count,
                )
            # SQLite gives the number of a rule that is removed to the next one: what is meant was made then.
            meant = f"{rule.id}:{int(rule.created_at.timestamp())}"
            buttons = (
                Button(say("Pause rule #{number}", number=rule.id), f"quash:rule:pause:{meant}"),
                Button(say("How to change it"), f"quash:rule:change:{meant}"),
            )
        maker = () if rule.created_by is None else (rule.created_by,)
        makers = tuple(dict.fromkeys((*maker, *listening.makers)))
        return News(
            name=_telling(kind, rule.id),
            about=(kind, rule.id),
            where=replace(listening, makers=makers),
            text=text,
            done=partial(self._done, kind, rule.id),
            buttons=buttons,
        )

    async def _done(self, kind: str, rule_id: int) -> None:
        async with self._database.write() as session:
            await notes.put(session, _note(kind, rule_id), self._clock().isoformat())
            await notes.drop(session, _telling(kind, rule_id))


def _telling(kind: str, rule_id: int) -> str:
    return f"rule:{kind}:{rule_id}:"


def _note(kind: str, rule_id: int) -> str:
    return f"{_TOLD}{kind}:{rule_id}"
