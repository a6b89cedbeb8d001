"""Telling moderators of channels that take nothing any more, and of alerts that were given up.

Once each, where they can read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.alerts.answers import GONE
from bot.alerts.foreign import safe_text, width
from bot.alerts.once import Button, PlainSender
from bot.alerts.telling import News, Teller
from bot.clock import Clock
from bot.words import retell, say, speaking
from db import notes, places
from db.engine import Database
from db.places import BrokenChannel, GivenUp, Listening

_AT_ONCE = 20
_ROOM = 1700  # units of a message's 2000
_LIST = "quash:deliveries:open"  # the custom id of a button that opens /deliveries
_GATHER = timedelta(hours=1)  # what is given up within it after a message about it is told with the next


def remedy_for(reason: str) -> str:
    """Say what becomes of what waits for a channel that takes nothing, for the reason that is stored."""
    if reason == GONE:
        return say(
            "Give its rules, which `/alerts list` shows, another channel with `/alerts edit`; "
            "what waits is posted there."
        )
    return say("Nothing is lost: what waits is posted as soon as that is put right.")


class ClosedTeller(Teller):
    """Tells of channels that refuse, those of one server together; again only if messages went through
    meanwhile."""

    async def news(self) -> Sequence[News]:
        """Give the channels of which nobody was told."""
        async with self._database.read() as session:
            found = await places.get_untold(session, _AT_ONCE)
            of: dict[int | None, list[BrokenChannel]] = {}
            for broken in found:
                of.setdefault(broken.heard.guild_id if broken.heard else None, []).append(broken)
            tried = [await notes.named(session, _name(some[0].channel_id)) for some in of.values()]
        return [self._news(_of_try(some, of_it)) for some, of_it in zip(of.values(), tried, strict=True)]

    def _news(self, some: Sequence[BrokenChannel]) -> News:
        """Tell of those that have room in one message, the longest broken first; the others come next."""
        first = some[0].heard
        lines: list[str] = []
        with speaking(first.language if first else "en"):
            for broken in some:
                text = say(
                    "Alerts for <#{channel}> wait: {why} {remedy}",
                    channel=broken.channel_id,
                    why=safe_text(retell(broken.reason), 500),
                    remedy=remedy_for(broken.reason),
                )
                if lines and sum(map(width, lines)) + width(text) > _ROOM:
                    break
                lines.append(text)
            button = Button(say("What waits"), _LIST, in_direct=False)
        told = some[: len(lines)]
        makers = dict.fromkeys(maker for one in told if one.heard for maker in one.heard.makers)
        return News(
            name=_name(told[0].channel_id),
            about=(told[0].channel_id, told[0].since),
            where=replace(first, makers=tuple(makers)) if first else None,
            text="\n".join(lines),
            buttons=(button,),
            done=partial(self._done, told),
        )

    async def _done(self, told: Sequence[BrokenChannel]) -> None:
        async with self._database.write() as session:
            for one in told:
                await places.mark_told(session, one.channel_id, self._clock())
                await notes.drop(session, _name(one.channel_id))


def _of_try(some: Sequence[BrokenChannel], tried: Mapping[str, str]) -> Sequence[BrokenChannel]:
    """Leave out channels of which a message that has to be tried again does not tell, by the notes of it."""
    text = next((note for note in tried.values() if "\n" in note), None)
    return some if text is None else [one for one in some if f"<#{one.channel_id}>" in text] or some


class GivenUpTeller(Teller):
    """Tells of alerts that were given up: it could not be found out whether they are posted, Discord does
    not take them, or they cannot be made. One message an hour and server at most; the list has the rest."""

    def __init__(self, database: Database, sender: PlainSender, *, clock: Clock) -> None:
        super().__init__(database, sender, clock=clock)
        self._told: dict[int, datetime] = {}  # servers, of those told within the hour

    async def news(self) -> Sequence[News]:
        """Give what was given up since the last message about it."""
        async with self._database.read() as session:
            found = await places.get_given_up(session)
            if not found:
                return ()
            listening = await places.get_listeners(session, {one.guild_id for one in found})
        now = self._clock()
        return [
            self._news(one, listening.get(one.guild_id))
            for one in found
            if (told := self._told.get(one.guild_id)) is None or not timedelta(0) <= now - told < _GATHER
        ]

    def _news(self, one: GivenUp, heard: Listening | None) -> News:
        """Say what became of the first: so the text stays the same if it has to be looked for."""
        with speaking(heard.language if heard else "en"):
            text = say(
                "I could not deliver “{title}” to <#{channel}>: {why} `/deliveries` lists all that I gave "
                "up; there you can have it sent again or drop it.",
                title=safe_text(one.title, 200) or say("a digest"),
                channel=one.channel_id,
                why=safe_text(retell(one.reason), 500),
            )
            button = Button(say("What was given up"), _LIST, in_direct=False)
        return News(
            name=_name_of_given_up(one),
            about=("given up", one.guild_id, one.delivery_ids[0]),
            where=heard,
            text=text,
            buttons=(button,),
            done=partial(self._done, one),
        )

    async def _done(self, one: GivenUp) -> None:
        async with self._database.write() as session:
            await places.forget_given_up(session, one)
            await notes.drop(session, _name_of_given_up(one))
        now = self._clock()
        self._told = {guild: at for guild, at in self._told.items() if now - at < _GATHER}
        self._told[one.guild_id] = now


def _name_of_given_up(one: GivenUp) -> str:
    return f"given-up-said:{one.guild_id}:{one.delivery_ids[0]}:"


def _name(channel_id: int) -> str:
    return f"closed:{channel_id}:"
