"""Telling servers what happened to their feeds: failing for long, gone, moved, rebuilt, back; each once.

What is to be told stands in the feed's row (`db.feeds.notices`), how far the telling has come in a note for
each server (`bot.alerts.once`).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.alerts.errors import TryAgainError
from bot.alerts.foreign import safe_text
from bot.alerts.once import OnceSayer, PlainSender, nonce_for
from bot.clock import Clock
from bot.feeds.service import FeedService
from bot.feeds.telling import Notice
from db import feeds, guilds
from db.engine import Database

_log = logging.getLogger(__name__)

_LONGEST = 1500  # units of a message's 2000
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long


class Teller:
    """Tells what is to be told, one message a notice and server."""

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
        nonce = nonce_for(feed_id, notice.kind, notice.text, guild_id)
        name = feeds.telling_note(feed_id, nonce)
        text = safe_text(notice.text, _LONGEST)
        return await self._sayer.say(name, channel_id, text, nonce=nonce) == "sent"
