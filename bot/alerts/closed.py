"""Telling moderators of channels that take nothing any more: once each, where they can read it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.alerts.errors import TryAgainError
from bot.alerts.foreign import safe_text
from bot.alerts.once import OnceSayer, PlainSender, nonce_for
from bot.clock import Clock
from db import notes, places
from db.engine import Database
from db.places import BrokenChannel

_log = logging.getLogger(__name__)

_AT_ONCE = 20
_TRIED = 3  # channels that are tried until one takes the message
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long


class ClosedTeller:
    """Tells of channels that refuse; again only if messages went through meanwhile."""

    def __init__(self, database: Database, sender: PlainSender, *, clock: Clock) -> None:
        self._database = database
        self._sayer = OnceSayer(database, sender, clock)
        self._clock = clock
        self._rest_until: datetime | None = None

    async def tell(self) -> int:
        """Tell what is still to be told; gives the number of messages posted.

        Raises `TokenRefusedError`. When Discord is out of order the rest waits for a later call.
        """
        if self._rest_until is not None and self._clock() < self._rest_until:
            return 0
        async with self._database.read() as session:
            untold = await places.get_untold(session, _AT_ONCE)
        count = 0
        for broken in untold:
            try:
                count += await self._tell(broken)
            except TryAgainError as error:
                self._rest_until = self._clock() + timedelta(seconds=error.pause or _PAUSE)
                _log.warning("telling of closed channels waits: %s", error)
                return count
        return count

    async def _tell(self, broken: BrokenChannel) -> bool:
        prefix = f"closed:{broken.channel_id}:"
        said = False
        for listener in broken.listeners[:_TRIED]:
            nonce = nonce_for(broken.channel_id, broken.since, listener)
            outcome = await self._sayer.say(prefix + nonce, listener, _text(broken), nonce=nonce)
            said = outcome == "sent"
            if outcome != "refused":
                break
        async with self._database.write() as session:
            await places.mark_told(session, broken.channel_id, self._clock())
            await notes.drop(session, prefix)
        return said


def _text(broken: BrokenChannel) -> str:
    return (
        f"Alerts for <#{broken.channel_id}> wait: {safe_text(broken.reason, 500)} "
        "Nothing is lost; what waits is posted in its order as soon as that is done."
    )
