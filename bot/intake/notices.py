"""Telling servers what happened to their feeds: failing for long, gone, moved, rebuilt, back; each once.

Feeds of one host that have the same to tell share a message: a dead site is one matter, not twenty.
What is to be told stands in the feed's row (`db.feeds.notices`), how far the telling has come in a note for
each server (`bot.alerts.telling`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.alerts.foreign import safe_text
from bot.alerts.once import Button, PlainSender, nonce_for
from bot.alerts.telling import News, Teller
from bot.clock import Clock
from bot.feeds.service import FeedService
from bot.feeds.telling import Notice, together
from bot.words import retell, say, speaking
from db import feeds, notes, places
from db.engine import Database

_log = logging.getLogger(__name__)

_LONGEST = 1500  # units of a message's 2000
_MOST_BUTTONS = 5
_TO_ACT = ("failing", "gone")


class FeedTeller(Teller):
    """Tells what is to be told, one message a matter and server."""

    def __init__(
        self, database: Database, service: FeedService, sender: PlainSender, *, clock: Clock
    ) -> None:
        super().__init__(database, sender, clock=clock)
        self._service = service

    async def news(self) -> Sequence[News]:
        """Give the messages that are still to be posted; the last of a matter ends it."""
        matters: dict[tuple[str, str, str], list[_Told]] = {}
        for feed_id, notice, guild_ids in await self._service.notices():
            matters.setdefault(notice.matter, []).append(_Told(feed_id, notice, frozenset(guild_ids)))
        return [one for of_one in matters.values() for one in await self._of_matter(of_one)]

    async def _of_matter(self, of_one: Sequence[_Told]) -> list[News]:
        async with self._database.read() as session:
            users = {guild_id for told in of_one for guild_id in told.guild_ids}
            listening = await places.get_listeners(session, users)
        _log.info("%s (told in %d servers)", together([t.notice for t in of_one]), len(listening))
        made: list[News] = []
        for guild_id, where in listening.items():
            used = [told for told in of_one if guild_id in told.guild_ids]
            with speaking(where.language):
                for nonce, about in (await self._messages(used, guild_id)).items():
                    made.append(
                        News(
                            name=feeds.telling_note(about[0].feed_id, ""),
                            about=(nonce,),
                            where=where,
                            text=safe_text(retell(together([told.notice for told in about])), _LONGEST),
                            done=_nothing,
                            buttons=tuple(_button(told) for told in about if told.notice.kind in _TO_ACT)[
                                :_MOST_BUTTONS
                            ],
                        )
                    )
        end = partial(self._end, of_one)
        if not made:
            await end()
            return []
        return [*made[:-1], replace(made[-1], done=end)]

    async def _end(self, of_one: Sequence[_Told]) -> None:
        # The first feed last: its notes say which messages were sent.
        for told in reversed(of_one):
            await self._service.told(told.feed_id, told.notice)

    async def _messages(self, used: Sequence[_Told], guild_id: int) -> dict[str, list[_Told]]:
        """Give the messages for one server, by nonce, with the feeds that each is about.

        What a message is about is noted before it is first tried: it stays the same, whatever comes to it.
        """
        messages: dict[str, list[_Told]] = {}
        fresh: list[_Told] = []
        async with self._database.write() as session:
            for told in used:
                nonce = await notes.get(session, told.note(guild_id))
                (fresh if nonce is None else messages.setdefault(nonce, [])).append(told)
            if fresh:
                nonce = nonce_for(guild_id, *(part for told in fresh for part in told.words))
                messages[nonce] = fresh
                for told in fresh:
                    await notes.put(session, told.note(guild_id), nonce)
        return messages


@dataclass(frozen=True, slots=True)
class _Told:
    """A notice of one feed, and the servers that it concerns."""

    feed_id: int
    notice: Notice
    guild_ids: frozenset[int]

    @property
    def words(self) -> tuple[int, str, str]:
        """What is told of which feed."""
        return self.feed_id, self.notice.kind, self.notice.text

    def note(self, guild_id: int) -> str:
        """Give the name of the note that says in which message one server is told of it."""
        return feeds.telling_note(self.feed_id, "in:" + nonce_for(*self.words, guild_id))


async def _nothing() -> None:
    """A matter ends when all servers were told of it."""


def _button(told: _Told) -> Button:
    """Give what a moderator can do at once."""
    if told.notice.kind == "gone":
        return Button(say("Remove feed #{number}", number=told.feed_id), f"quash:feed:remove:{told.feed_id}")
    return Button(say("Pause feed #{number}", number=told.feed_id), f"quash:feed:pause:{told.feed_id}")
