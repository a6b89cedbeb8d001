"""An order's way through Discord: out of a stored intent a message, and what came of it.

A delivery with an intent and no outcome may or may not be on Discord: within Discord's window the same
nonce is sent again, and Discord answers with the first message; after it, the channel's history is read for
the delivery's mark before anything is sent. The database's side is `bot.alerts.ledger`.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.cards import Card
from bot.alerts.errors import SendError, TokenRefusedError, TryAgainError
from bot.alerts.orders import SEND_TIMEOUT, Offer, Order, Outcome
from bot.alerts.steps import Step, step
from bot.clock import Clock

_log = logging.getLogger(__name__)

NONCE_WINDOW = timedelta(minutes=2)  # Discord keeps nonces "for a few minutes": on the safe side of it
CLOCK_SKEW = timedelta(minutes=10)  # how far this machine's clock may be from Discord's


class Sender(Protocol):
    """What delivery needs of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""

    async def send(self, channel_id: int, card: Card, *, nonce: str, answers: int | None = None) -> int:
        """Post a card and give its message id; `answers` is the message it replies to."""

    async def edit(self, channel_id: int, message_id: int, card: Card) -> None:
        """Make a posted card show what `card` says."""

    async def find(self, channel_id: int, mark: str, *, since: datetime) -> int | None:
        """Look for the message with this mark among the bot's own in a channel since then.

        Raises `UndecidedError` when there is more to read than can be read.
        """

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """Tell whether somebody is in a server at this moment."""

    def may_post(self, channel_id: int) -> bool:
        """Tell, without a request, whether the bot may post in a channel as far as is known."""


class Courier:
    """Carries orders to Discord."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    async def carry(self, order: Order) -> Outcome:
        """Send, and tell what came of it; whatever goes wrong is part of that."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                offer = await self._choose(order)
                if offer is None:
                    return Outcome(order, self._clock(), skipped="The member is not in the server any more.")
                channel_id, message_id = await self._request(order, offer)
        except TimeoutError:
            late = TryAgainError(f"Discord did not answer within {SEND_TIMEOUT:.0f} s.", landed=True)
            return Outcome(order, self._clock(), error=late)
        except (SendError, TokenRefusedError) as error:
            return Outcome(order, self._clock(), error=error)
        except Exception as error:  # a defect: one delivery that cannot be made must not stop the others
            _log.exception("delivery %d failed inside Quash", order.delivery_id)
            return Outcome(order, self._clock(), error=error)
        step(Step.ANSWER_CAME)
        return Outcome(order, self._clock(), offer, channel_id, message_id)

    async def _choose(self, order: Order) -> Offer | None:
        """Give the offer that is sent; a member's, only of a server that the member is in now."""
        if order.claim.target == "channel":
            return order.offers[0]
        for offer in order.offers:
            if await self._sender.is_member(offer.guild_id, order.claim.target_id):
                return offer
        return None

    async def _request(self, order: Order, offer: Offer) -> tuple[int, int]:
        """Send, and give the channel and the message; or find it where it has been all along."""
        channel_id = order.channel_id or await self._sender.open_direct(order.claim.target_id)
        if order.edits is None and not self._within_nonce_window(order):
            found = await self._look(channel_id, order)
            if found is not None:
                return channel_id, found
        if self._clock() > order.send_by:
            raise TryAgainError(
                "The process was held up for longer than it may serve a channel.", landed=False
            )
        step(Step.REQUEST_LEAVES)
        if order.edits is not None:
            await self._sender.edit(channel_id, order.edits, offer.card)
            return channel_id, order.edits
        message_id = await self._sender.send(channel_id, offer.card, nonce=order.nonce, answers=order.answers)
        return channel_id, message_id

    def _within_nonce_window(self, order: Order) -> bool:
        """Tell whether Discord itself refuses a second message; a clock that was turned back does not."""
        if order.unsure_since is None:
            return True
        return timedelta(0) <= self._clock() - order.unsure_since <= NONCE_WINDOW

    async def _look(self, channel_id: int, order: Order) -> int | None:
        since = (order.unsure_since or self._clock()) - CLOCK_SKEW
        return await self._sender.find(channel_id, order.nonce, since=since)
