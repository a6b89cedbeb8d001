"""An order's way through Discord: out of a stored intent a message, and what came of it.

A delivery with an intent and no outcome may or may not be on Discord: within Discord's window the same
nonce is sent again, and Discord answers with the first message; after it, the channel's history is read for
the delivery's mark before anything is sent. The database's side is `bot.alerts.ledger`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts import fence
from bot.alerts.asking import REVIEW_KINDS
from bot.alerts.cards import Card
from bot.alerts.digests import Digest
from bot.alerts.errors import (
    NO_TEXT_CHANNEL,
    UNKNOWN_CHANNEL,
    DestinationRefusedError,
    MessageGoneError,
    SendError,
    ThreadLockedError,
    TokenRefusedError,
    UndecidedError,
    held_up,
    unanswered,
)
from bot.alerts.orders import LEASE, SEND_TIMEOUT, CaseThread, Offer, OfOthers, Order, Outcome, Posted
from bot.alerts.steps import Step, step
from bot.clock import Clock
from bot.errors import told

_log = logging.getLogger(__name__)

NONCE_WINDOW = timedelta(minutes=2)  # Discord keeps nonces "for a few minutes": on the safe side of it
CLOCK_SKEW = timedelta(minutes=10)  # how far this machine's clock may be from Discord's

_HAVE_THREADS = ("text", "announcement")


class Sender(Protocol):
    """What delivery needs of Discord. Each call raises the `SendError` kinds of `bot.alerts.errors`."""

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""

    async def send(
        self, channel_id: int, card: Card | Digest, *, nonce: str, answers: int | None = None
    ) -> int:
        """Post a card and give its message id; `answers` is the message it replies to."""

    async def edit(self, channel_id: int, message_id: int, card: Card | Digest) -> None:
        """Make a posted card show what `card` says."""

    async def find(self, channel_id: int, mark: str, *, since: datetime) -> int | None:
        """Look for the message with this mark among the bot's own in a channel since then.

        Raises `UndecidedError` when there is more to read than can be read.
        """

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """Tell whether somebody is in a server at this moment."""

    async def kind_of(self, channel_id: int) -> str:
        """Tell what a channel is: text, announcement, forum, media, thread or other."""

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> int:
        """Make a thread of a message, or give the one that it has; raises `MessageGoneError`."""

    async def open_post(
        self, channel_id: int, card: Card | Digest, *, name: str, topics: Iterable[str]
    ) -> int:
        """Make a post in a forum with a card as its first message; gives the id that both have."""

    async def find_post(
        self, channel_id: int, mark: str, *, since: datetime, of_others: OfOthers
    ) -> int | None:
        """Look for the post with this mark among the bot's own in a forum since then, as `find` does."""

    async def publish(self, channel_id: int, message_id: int) -> None:
        """Publish a message of an announcement channel; twice is once."""

    def publishes(self, channel_id: int) -> bool:
        """Tell, without a request, whether a channel's messages can be published; True if unknown."""

    def may_post(self, channel_id: int, *, threads: bool = False) -> bool:
        """Tell, without a request, whether the bot may post in a channel as far as is known."""

    def may_sleep(self, channel_id: int, guild_id: int) -> bool:
        """Tell, without a request, whether a channel of a server may be a thread that sleeps."""

    def lacks(self, channel_id: int, *, threads: bool = False) -> str:
        """Name the permissions that the bot lacks for posting in a channel, "" for none that are known."""


class Courier:
    """Carries orders to Discord."""

    def __init__(self, sender: Sender, clock: Clock, of_others: OfOthers) -> None:
        self._sender = sender
        self._clock = clock
        self._of_others = of_others

    async def carry(self, order: Order) -> Outcome:
        """Send, and tell what came of it; whatever goes wrong is part of that."""
        try:
            with fence.leased(self._left(order)) as lease:
                async with asyncio.timeout(SEND_TIMEOUT):
                    offer = await self._choose(order)
                    if offer is None:
                        left = told("The member is not in the server any more.")
                        return Outcome(order, self._clock(), skipped=left)
                    posted = await self._request(order, offer)
        except TimeoutError:
            return Outcome(order, self._clock(), error=unanswered(SEND_TIMEOUT))
        except (SendError, TokenRefusedError) as error:
            return Outcome(order, self._clock(), error=error, lost_answer=lease.lost_answer)
        except Exception as error:  # a defect: one delivery that cannot be made must not stop the others
            _log.exception("delivery %d failed inside Quash", order.delivery_id)
            return Outcome(order, self._clock(), error=error)
        step(Step.ANSWER_CAME)
        return Outcome(order, self._clock(), offer, posted)

    def _left(self, order: Order) -> float:
        """Give the seconds that are left of the lease under which an order is carried out."""
        return min((order.send_by - self._clock()).total_seconds() + SEND_TIMEOUT, LEASE.total_seconds())

    async def _choose(self, order: Order) -> Offer | None:
        """Give the offer that is sent; a member's, only of a server that the member is in now."""
        if order.claim.target == "channel":
            return order.offers[0]
        if isinstance(digest := order.offers[0].card, Digest):
            here = [
                guild
                for guild in sorted(digest.guilds)
                if await self._sender.is_member(guild, order.claim.target_id)
            ]
            seen = digest.seen_in(here)
            return replace(order.offers[0], card=seen) if seen else None
        for offer in order.offers:
            if await self._sender.is_member(offer.guild_id, order.claim.target_id):
                return offer
        return None

    async def _request(self, order: Order, offer: Offer) -> Posted:
        """Send, and tell where it stands; or find it where it has been all along."""
        channel_id = order.channel_id or await self._sender.open_direct(order.claim.target_id)
        if order.edits is not None:
            self._about_to_leave(order)
            try:
                await self._sender.edit(channel_id, order.edits, offer.card)
            except DestinationRefusedError as error:
                if error.code != UNKNOWN_CHANNEL or channel_id == order.claim.target_id:
                    raise
                raise MessageGoneError(told("The card's thread was deleted on Discord.")) from error
            return Posted(channel_id, order.edits)
        if order.perhaps_in and (found := await self._look_around(channel_id, order)):
            return found
        if order.thread is not None:
            return await self._by_threads(channel_id, order, order.thread, offer.card)
        try:
            message_id = await self._send(channel_id, order, offer.card, answers=order.answers)
        except DestinationRefusedError as error:
            if error.code != NO_TEXT_CHANNEL or await self._sender.kind_of(channel_id) != "forum":
                raise
            return await self._by_threads(channel_id, order, order.in_forum, offer.card)
        return Posted(channel_id, message_id, publish=self._publishes(channel_id, order))

    async def _send(
        self, channel_id: int, order: Order, card: Card | Digest, *, answers: int | None = None
    ) -> int:
        """Send to a channel or thread, unless an earlier try got through."""
        if not self._within_nonce_window(order):
            found = await self._sender.find(channel_id, order.nonce, since=_since(order))
            if found is not None:
                return found
        self._about_to_leave(order)
        try:
            return await self._sender.send(channel_id, card, nonce=order.nonce, answers=answers)
        except ThreadLockedError as error:
            if channel_id != order.claim.target_id:
                raise
            # The rule posts in this very thread: nothing gets through until it is open again.
            said = told("The thread is locked; unlock it or give me Manage Threads.")
            raise DestinationRefusedError(said, error.code) from error

    # ------------------------------------------------------------- threads and forums

    async def _look_around(self, channel_id: int, order: Order) -> Posted | None:
        """Look for what an earlier try may have sent to a thread of the case, or to the channel beside it.

        Rules are changed and threads deleted between two tries: the next may mean another place than the
        first, where that place's history does not tell of it.
        """
        try:
            return await self._look_in_all(channel_id, order)
        except UndecidedError:
            if not self._within_nonce_window(order):
                raise
            return None  # Discord knows the nonce still, wherever the message stands

    async def _look_in_all(self, channel_id: int, order: Order) -> Posted | None:
        for thread_id in order.perhaps_in:
            try:
                found = await self._sender.find(thread_id, order.nonce, since=_since(order))
            except DestinationRefusedError as error:
                if error.code != UNKNOWN_CHANNEL:
                    raise
            else:
                if found is not None:
                    return Posted(thread_id, found, thread_id)
        if await self._sender.kind_of(channel_id) not in _HAVE_THREADS:
            return None  # a forum is looked through before a post is made in it
        found = await self._sender.find(channel_id, order.nonce, since=_since(order))
        if found is None:
            return None
        return Posted(channel_id, found, publish=self._publishes(channel_id, order))

    async def _by_threads(
        self, channel_id: int, order: Order, wanted: CaseThread, card: Card | Digest
    ) -> Posted:
        """Send into the case's thread. Where there is none, or none any more, the message opens one."""
        kind = await self._sender.kind_of(channel_id)
        if kind == "media":
            raise DestinationRefusedError(
                told(
                    "A media channel takes posts with pictures or videos only; "
                    "choose a forum or a text channel."
                )
            )
        thread_id = wanted.thread_id
        if thread_id is None and wanted.head is not None and kind in _HAVE_THREADS:
            try:
                thread_id = await self._sender.open_thread(channel_id, wanted.head, _name(card))
            except MessageGoneError:
                _log.info("the card that a thread was to be made of is gone from channel %d", channel_id)
        if thread_id is not None:
            try:
                message_id = await self._send(thread_id, order, card)
            except DestinationRefusedError as error:
                if error.code != UNKNOWN_CHANNEL:
                    raise
                _log.info("thread %d is gone; the case goes on in a new one", thread_id)
            else:
                return Posted(thread_id, message_id, thread_id)
        if kind == "forum":
            post_id = await self._post(channel_id, order, card)
            return Posted(post_id, post_id, post_id)
        return await self._head(channel_id, order, card, opens=wanted.opens and kind in _HAVE_THREADS)

    async def _post(self, forum_id: int, order: Order, card: Card | Digest) -> int:
        """Make a post in a forum, unless an earlier try got through: no nonce helps, so look first."""
        if order.unsure_since is not None:
            found = await self._sender.find_post(
                forum_id, order.nonce, since=_since(order), of_others=self._of_others
            )
            if found is not None:
                return found
        self._about_to_leave(order)
        return await self._sender.open_post(forum_id, card, name=_name(card), topics=card.topics)

    async def _head(self, channel_id: int, order: Order, card: Card | Digest, *, opens: bool) -> Posted:
        """Send a card to the channel and make a thread of it."""
        lacks = self._sender.lacks(channel_id, threads=True) if opens else ""
        if lacks:
            raise DestinationRefusedError(
                told("I may not open threads there; give me {lacks} in that channel.", lacks=lacks)
            )
        message_id = await self._send(channel_id, order, card)
        step(Step.CARD_POSTED)
        thread_id = None
        if opens:
            try:
                thread_id = await self._sender.open_thread(channel_id, message_id, _name(card))
            except SendError as error:  # the message stands; the next report tries again
                _log.warning("no thread could be opened in channel %d: %s", channel_id, error)
        return Posted(channel_id, message_id, thread_id, publish=self._publishes(channel_id, order))

    def _publishes(self, channel_id: int, order: Order) -> bool:
        if order.claim.target != "channel" or order.kind in REVIEW_KINDS:  # what moderators see is theirs
            return False
        return self._sender.publishes(channel_id)

    def _about_to_leave(self, order: Order) -> None:
        if self._clock() > order.send_by:
            raise held_up(landed=False)
        step(Step.REQUEST_LEAVES)

    def _within_nonce_window(self, order: Order) -> bool:
        """Tell whether Discord itself refuses a second message; a clock that was turned back does not."""
        if order.unsure_since is None:
            return True
        return timedelta(0) <= self._clock() - order.unsure_since <= NONCE_WINDOW


def _since(order: Order) -> datetime:
    """Tell since when what is looked for may have been posted, by Discord's clock."""
    return (order.unsure_since or order.send_by) - CLOCK_SKEW


def _name(card: Card | Digest) -> str:
    """Give what a case's thread is called, or a digest's post in a forum."""
    return card.title if isinstance(card, Digest) else card.case_title or card.title
