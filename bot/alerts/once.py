"""Saying something once: plain messages to a server that a crash neither loses nor repeats.

How far it has come is a note, written before the request leaves and after: what a crash left undecided is
sent again with the same nonce and text, by which Discord knows a repeat, and later looked for in the channel.
A process that was held up sends nothing after its time: by then another may have said it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts import courier, fence, orders
from bot.alerts.errors import SendError, TryAgainError, unanswered
from bot.clock import Clock
from db import notes
from db.engine import Database

_log = logging.getLogger(__name__)

_DONE = frozenset({"sent", "refused"})


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message. `custom_id` says all that a click means; `in_direct`: in a direct message,
    too, where the server's id is appended to it (`bot.alerts.ids.of_server`)."""

    label: str
    custom_id: str
    in_direct: bool = True


class PlainSender(Protocol):
    """What plain messages need of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def say(self, channel_id: int, text: str, *, nonce: str, buttons: Sequence[Button] = ()) -> int:
        """Post a plain text that mentions nobody, with at most five buttons; gives its message id."""

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""

    async def configured_by(self, guild_id: int, user_id: int, moderator_role: int | None) -> str | None:
        """Give a server's name if somebody may configure it at this moment, else None."""

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

        Gives "sent", "refused" (Discord does not let it through, or did not before), or "" where it had been
        said before.
        Raises `TokenRefusedError`, and `TryAgainError`: later, under the same name.
        """
        async with self._database.write() as session:
            so_far = await notes.get(session, name)
            if so_far in _DONE:
                return "" if so_far == "sent" else so_far
            if so_far is None:
                await notes.put(session, name, f"{self._clock().isoformat()}\n{text}")
        outcome = "sent"
        try:
            with fence.leased(orders.SEND_TIMEOUT):
                async with asyncio.timeout(orders.SEND_TIMEOUT):
                    await self._say(channel_id, text, so_far, nonce=nonce, buttons=buttons)
        except TimeoutError:
            raise unanswered(orders.SEND_TIMEOUT) from None
        except TryAgainError:
            raise
        except SendError as error:
            _log.warning("channel %d was not told: %s", channel_id, error)
            outcome = "refused"
        async with self._database.write() as session:
            await notes.put(session, name, outcome)
        return outcome

    async def _say(
        self, channel_id: int, text: str, so_far: str | None, *, nonce: str, buttons: Sequence[Button]
    ) -> None:
        """Post it, unless an earlier try got through; within Discord's window the nonce sees to that."""
        if so_far is not None:
            began, _, first_text = so_far.partition("\n")
            text, first_try = first_text or text, datetime.fromisoformat(began)
            if not timedelta(0) <= self._clock() - first_try <= courier.NONCE_WINDOW:
                since = first_try - courier.CLOCK_SKEW
                if await self._sender.find_said(channel_id, text, since=since) is not None:
                    return
        await self._sender.say(channel_id, text, nonce=nonce, buttons=buttons)


def nonce_for(*parts: object) -> str:
    """Give what Discord knows a repeat by, at most 25 characters: the same after a restart."""
    told = "\0".join(map(str, parts))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:25]
