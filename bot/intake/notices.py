"""Telling servers what happened to their feeds: failing for long, gone, moved, rebuilt, back; each once.

Feeds of one host that have the same to tell share a message: a dead site is one matter, not twenty.
What is to be told stands in the feed's row (`db.feeds.notices`), how far the telling has come in a note for
each server (`bot.alerts.once`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.alerts.errors import TryAgainError
from bot.alerts.foreign import safe_text
from bot.alerts.once import OnceSayer, PlainSender, nonce_for
from bot.clock import Clock
from bot.feeds.service import FeedService
from bot.feeds.telling import Notice, together
from db import feeds, guilds, notes
from db.engine import Database

_log = logging.getLogger(__name__)

_LONGEST = 1500  # units of a message's 2000
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long


class Teller:
    """Tells what is to be told, one message a matter and server."""

    def __init__(
        self, database: Database, service: FeedService, sender: PlainSender, *, clock: Clock
    ) -> None:
        self._database = database
        self._service = service
        self._sayer = OnceSayer(database, sender, clock)
        self._clock = clock
        self._rest_until: datetime | None = None

    async def tell(self) -> int:
        """Tell all that is still to be told; gives the number of messages posted.

        Raises `TokenRefusedError`. When Discord is out of order the rest waits for a later call.
        """
        if self._rest_until is not None and self._clock() < self._rest_until:
            return 0
        matters: dict[tuple[str, str, str], list[_Told]] = {}
        for feed_id, notice, guild_ids in await self._service.notices():
            matters.setdefault(notice.matter, []).append(_Told(feed_id, notice, frozenset(guild_ids)))
        count = 0
        for of_one in matters.values():
            async with self._database.read() as session:
                users = {guild_id for told in of_one for guild_id in told.guild_ids}
                channels = await guilds.channels_to_tell(session, users)
            _log.info("%s (told in %d servers)", together([t.notice for t in of_one]), len(channels))
            for guild_id, channel_id in channels.items():
                used = [told for told in of_one if guild_id in told.guild_ids]
                try:
                    count += await self._tell(used, guild_id, channel_id)
                except TryAgainError as error:
                    self._rest_until = self._clock() + timedelta(seconds=error.pause or _PAUSE)
                    _log.warning("telling of feeds waits: %s", error)
                    return count
            # The first feed last: its notes say which messages were sent.
            for told in reversed(of_one):
                await self._service.told(told.feed_id, told.notice)
        return count

    async def _tell(self, used: Sequence[_Told], guild_id: int, channel_id: int) -> int:
        """Tell one server of those of its feeds that it was not told of; gives the number of messages."""
        count = 0
        for nonce, of_one in (await self._messages(used, guild_id)).items():
            name = feeds.telling_note(of_one[0].feed_id, nonce)
            text = safe_text(together([told.notice for told in of_one]), _LONGEST)
            count += await self._sayer.say(name, channel_id, text, nonce=nonce) == "sent"
        return count

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
