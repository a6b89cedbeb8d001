"""Telling servers what happened to their feeds: failing for long, gone, moved, rebuilt, back; each once.

What is to be told stands in the feed's row (`db.feeds.notices`). How far the telling has come is a note for
each server, written before the request leaves and after: what a crash left undecided is sent again with the
same nonce, by which Discord knows a repeat, and later looked for in the channel.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.courier import CLOCK_SKEW, NONCE_WINDOW
from bot.alerts.errors import SendError, TryAgainError
from bot.alerts.foreign import safe_text
from bot.clock import Clock
from bot.feeds.service import FeedService
from bot.feeds.telling import Notice
from db import feeds, guilds, notes
from db.engine import Database

_log = logging.getLogger(__name__)

_LONGEST = 1500  # units of a message's 2000
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long
_DONE = frozenset({"sent", "refused"})


class NoticeSender(Protocol):
    """What telling needs of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def say(self, channel_id: int, text: str, *, nonce: str) -> int:
        """Post a plain text that mentions nobody; gives its message id."""

    async def find_said(self, channel_id: int, text: str, *, since: datetime) -> int | None:
        """Look for the text among the bot's own messages in a channel since then."""


class Teller:
    """Tells what is to be told, one message a notice and server."""

    def __init__(
        self, database: Database, service: FeedService, sender: NoticeSender, *, clock: Clock
    ) -> None:
        self._database = database
        self._service = service
        self._sender = sender
        self._clock = clock
        self._rest_until: datetime | None = None

    async def tell(self) -> int:
        """Tell all that is still to be told; gives the number of messages posted.

        Raises `TokenRefusedError`. When Discord is out of order the rest waits for a later call.
        """
        if self._rest_until is not None and self._clock() < self._rest_until:
            return 0
        count = 0
        for feed_id, notice, guild_ids in await self._service.notices():
            async with self._database.read() as session:
                channels = await guilds.channels_to_tell(session, guild_ids)
            _log.info("feed %d: %s (told in %d servers)", feed_id, notice.text, len(channels))
            for guild_id, channel_id in channels.items():
                try:
                    count += await self._tell(feed_id, notice, guild_id, channel_id)
                except TryAgainError as error:
                    self._rest_until = self._clock() + timedelta(seconds=error.pause or _PAUSE)
                    _log.warning("telling of feeds waits: %s", error)
                    return count
            await self._service.told(feed_id, notice)
        return count

    async def _tell(self, feed_id: int, notice: Notice, guild_id: int, channel_id: int) -> bool:
        """Tell one server, unless it was told; tells whether something was posted."""
        text = safe_text(notice.text, _LONGEST)
        nonce = _nonce(feed_id, notice, guild_id)
        name = feeds.telling_note(feed_id, nonce)
        async with self._database.write() as session:
            so_far = await notes.get(session, name)
            if so_far in _DONE:
                return False
            if so_far is None:
                await notes.put(session, name, self._clock().isoformat())
        outcome = "sent"
        try:
            if not (so_far and await self._was_said(channel_id, text, datetime.fromisoformat(so_far))):
                await self._sender.say(channel_id, text, nonce=nonce)
        except TryAgainError:
            raise
        except SendError as error:
            _log.warning("server %d could not be told about feed %d: %s", guild_id, feed_id, error)
            outcome = "refused"
        async with self._database.write() as session:
            await notes.put(session, name, outcome)
        return outcome == "sent"

    async def _was_said(self, channel_id: int, text: str, first_try: datetime) -> bool:
        """Tell whether an earlier try got through; within Discord's window the nonce sees to that."""
        if timedelta(0) <= self._clock() - first_try <= NONCE_WINDOW:
            return False
        return await self._sender.find_said(channel_id, text, since=first_try - CLOCK_SKEW) is not None


def _nonce(feed_id: int, notice: Notice, guild_id: int) -> str:
    """Give what Discord knows a repeat by, at most 25 characters: the same after a restart."""
    told = f"{feed_id}\0{notice.kind}\0{notice.text}\0{guild_id}"
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:25]
