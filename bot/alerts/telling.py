"""Telling a server what concerns its configuration: once, where it can be read, with buttons to act.

What is to be told and how long it stays to be told is each subclass's; how it is told is the same for all.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.alerts.errors import TryAgainError
from bot.alerts.once import Button, OnceSayer, PlainSender, nonce_for
from bot.clock import Clock
from db.engine import Database

_log = logging.getLogger(__name__)

_TRIED = 3  # channels that are tried until one takes the message
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long


@dataclass(frozen=True, slots=True)
class News:
    """Something that one server is to be told.

    `name` begins the names of the notes that say how far the telling has come; `about` tells it from other
    news of that name. `listeners` are channels, the best first (`db.places.get_listeners`). `text` is safe
    Markdown. `done` is called when it was told, or when nobody takes it: to note that nothing is left to be
    told, and to drop the notes.
    """

    name: str
    about: tuple[object, ...]
    listeners: tuple[int, ...]
    text: str
    done: Callable[[], Awaitable[None]]
    buttons: tuple[Button, ...] = ()


class Teller:
    """Tells one kind of news."""

    def __init__(self, database: Database, sender: PlainSender, *, clock: Clock) -> None:
        self._database = database
        self._sayer = OnceSayer(database, sender, clock)
        self._clock = clock
        self._rest_until: datetime | None = None
        self._waited = 0  # times in a row that Discord was out of order

    async def news(self) -> Sequence[News]:
        """Give what is still to be told."""
        raise NotImplementedError

    async def tell(self) -> int:
        """Tell what is still to be told; gives the number of messages posted.

        Raises `TokenRefusedError`. When Discord is out of order the rest waits for a later call.
        """
        if self._rest_until is not None and self._clock() < self._rest_until:
            return 0
        count = 0
        for one in await self.news():
            try:
                count += await self._tell(one)
            except TryAgainError as error:
                self._rest_until = self._clock() + timedelta(seconds=error.pause or _PAUSE)
                self._waited += 1
                if self._waited == 1:
                    _log.warning("telling servers waits: %s", error)
                return count
        if self._waited:
            _log.info("telling servers goes on, after %d tries", self._waited)
            self._waited = 0
        return count

    async def _tell(self, one: News) -> bool:
        said = False
        for listener in one.listeners[:_TRIED]:
            nonce = nonce_for(*one.about, listener)
            outcome = await self._sayer.say(
                one.name + nonce, listener, one.text, nonce=nonce, buttons=one.buttons
            )
            said = outcome == "sent"
            if outcome != "refused":
                break
        await one.done()
        return said
