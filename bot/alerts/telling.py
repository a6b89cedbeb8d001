"""Telling a server what concerns its configuration: once, where it can be read, with buttons to act.

That is a channel; where none takes it, whoever made the server's rules gets a direct message.

What is to be told and how long it stays to be told is each subclass's; how it is told is the same for all.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerts import ids
from bot.alerts.errors import SendError, TryAgainError
from bot.alerts.foreign import safe_text
from bot.alerts.once import Button, OnceSayer, PlainSender, nonce_for
from bot.clock import Clock
from bot.words import say, speaking
from db import notes
from db.engine import Database
from db.places import Listening

_log = logging.getLogger(__name__)

_TRIED = 3  # channels, and then people, that are tried until one takes the message
_PAUSE = 30.0  # seconds of rest when Discord is out of order and does not say how long


@dataclass(frozen=True, slots=True)
class News:
    """Something that one server is to be told.

    `name` begins the names of the notes that say how far the telling has come; `about` tells it from other
    news of that name. `where` it is told (`db.places.get_listeners`), None: nowhere. `text` is safe
    Markdown. `done` is called when it was told, or when nobody takes it: to note that nothing is left to be
    told, and to drop the notes.
    """

    name: str
    about: tuple[object, ...]
    where: Listening | None
    text: str
    done: Callable[[], Awaitable[None]]
    buttons: tuple[Button, ...] = ()


class Teller:
    """Tells one kind of news."""

    def __init__(self, database: Database, sender: PlainSender, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
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

    async def _forget(self, names: Iterable[str]) -> None:
        """Forget that something was told of: it is in order again, or gone, or long ago."""
        gone = list(names)
        if gone:
            async with self._database.write() as session:
                for name in gone:
                    await notes.remove(session, name)

    async def _tell(self, one: News) -> bool:
        outcome = "refused"
        for listener in one.where.channels[:_TRIED] if one.where else ():
            outcome = await self._say(one, listener, listener, one.text, one.buttons)
            if outcome != "refused":
                break
        if outcome == "refused" and one.where is not None:
            outcome = await self._tell_makers(one, one.where)
        await one.done()
        return outcome == "sent"

    async def _tell_makers(self, one: News, where: Listening) -> str:
        outcome = "refused"
        for person in where.makers[:_TRIED]:
            try:
                name = await self._sender.configured_by(where.guild_id, person, where.moderator_role)
                if name is None:
                    continue  # whoever left, or was let go, learns nothing more
                direct = await self._sender.open_direct(person)
            except TryAgainError:
                raise
            except SendError as error:
                _log.info("member %d takes no direct message: %s", person, error)
                continue
            with speaking(where.language):
                server = say("Server: {name}", name=safe_text(name, 100))
            buttons = [
                replace(button, custom_id=ids.of_server(button.custom_id, where.guild_id))
                for button in one.buttons
                if button.in_direct
            ]
            outcome = await self._say(one, person, direct, f"{one.text}\n-# {server}", buttons)
            if outcome != "refused":
                break
        return outcome

    async def _say(
        self, one: News, listener: int, channel_id: int, text: str, buttons: Sequence[Button]
    ) -> str:
        nonce = nonce_for(*one.about, listener)
        return await self._sayer.say(one.name + nonce, channel_id, text, nonce=nonce, buttons=buttons)
