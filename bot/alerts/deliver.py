"""Delivery: what is owed is sent once, in order, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from bot.alerts.cards import Card
from bot.clock import Clock, utc_now
from db.engine import Database


class Sender(Protocol):
    """What delivery needs of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""

    async def send(self, channel_id: int, card: Card, *, nonce: str, answers: int | None = None) -> int:
        """Post a card and give its message id; `answers` is the message it replies to."""

    async def edit(self, channel_id: int, message_id: int, card: Card) -> None:
        """Make a posted card show what `card` says."""

    async def find(self, channel_id: int, mark: str, *, since: datetime) -> int | None:
        """Look for the message with this mark in a channel's own history since then."""

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """Tell whether somebody is in a server at this moment."""

    def may_post(self, channel_id: int) -> bool:
        """Tell, without a request, whether the bot may post in a channel as far as is known."""


class Deliverer:
    """Sends what is due."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        clock: Clock = utc_now,
        on_sent: Callable[[Card], Awaitable[None]] | None = None,
    ) -> None:
        raise NotImplementedError

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop. Raises `TokenRefusedError`; everything else is retried."""
        raise NotImplementedError

    async def deliver_due(self) -> int:
        """Send what is due now and give the number of messages sent or edited."""
        raise NotImplementedError

    def wake(self) -> None:
        """Look for due deliveries at once (call it after a transaction that owed some)."""
        raise NotImplementedError
