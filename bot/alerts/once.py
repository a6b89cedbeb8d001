"""Saying something once: plain messages to a server that a crash neither loses nor repeats.

How far it has come is a note, written before the request leaves and after: what a crash left undecided is
sent again with the same nonce, by which Discord knows a repeat, and later looked for in the channel.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.courier import CLOCK_SKEW, NONCE_WINDOW
from bot.alerts.errors import SendError, TryAgainError
from bot.clock import Clock
from db import notes
from db.engine import Database

_log = logging.getLogger(__name__)

_DONE = frozenset({"sent", "refused"})


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message. `custom_id` says all that a click means."""

    label: str
    custom_id: str


class PlainSender(Protocol):
    """What plain messages need of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def say(self, channel_id: int, text: str, *, nonce: str, buttons: Sequence[Button] = ()) -> int:
        """Post a plain text that mentions nobody, with at most five buttons; gives its message id."""

    async def find_said(self, channel_id: int, text: str, *, since: datetime) -> int | None:
        """Look for the text among the bot's own messages in a channel since then."""


class OnceSayer:
    """Says things once each."""

    def __init__(self, database: Database, sender: PlainSender, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock

    async def say(
        self, name: str, channel_id: int, text: str, *, nonce: str, buttons: Sequence[Button] = ()
    ) -> str:
        """Say a text (made safe by the caller), unless that was done under this name of a note.

        Gives "sent", "refused" (Discord does not let it through), or "" where either had happened before.
        Raises `TokenRefusedError`, and `TryAgainError`: later, under the same name.
        """
        async with self._database.write() as session:
            so_far = await notes.get(session, name)
            if so_far in _DONE:
                return ""
            if so_far is None:
                await notes.put(session, name, self._clock().isoformat())
        outcome = "sent"
        try:
            if not (so_far and await self._was_said(channel_id, text, datetime.fromisoformat(so_far))):
                await self._sender.say(channel_id, text, nonce=nonce, buttons=buttons)
        except TryAgainError:
            raise
        except SendError as error:
            _log.warning("channel %d was not told: %s", channel_id, error)
            outcome = "refused"
        async with self._database.write() as session:
            await notes.put(session, name, outcome)
        return outcome

    async def _was_said(self, channel_id: int, text: str, first_try: datetime) -> bool:
        """Tell whether an earlier try got through; within Discord's window the nonce sees to that."""
        if timedelta(0) <= self._clock() - first_try <= NONCE_WINDOW:
            return False
        return await self._sender.find_said(channel_id, text, since=first_try - CLOCK_SKEW) is not None


def nonce_for(*parts: object) -> str:
    """Give what Discord knows a repeat by, at most 25 characters: the same after a restart."""
    told = "\0".join(map(str, parts))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:25]
