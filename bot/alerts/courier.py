"""One delivery, from "it is due" to "its outcome is stored".

Three steps, each its own transaction or request: that it is about to be sent is stored (`sending`, with
the time), the request leaves, its outcome is stored. A delivery with an intent and no outcome may or may
not be on Discord: within Discord's window the same nonce is sent again, and Discord answers with the first
message; after it, the channel's history is read for the delivery's mark before anything is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.cards import Card, card_from
from bot.alerts.errors import (
    DestinationRefusedError,
    MessageGoneError,
    SendError,
    TokenRefusedError,
    TryAgainError,
)
from bot.alerts.outbox import load_story, rule_from, subscription_from
from bot.alerts.routing import Rule, Verdict, ask_rule, ask_subscription
from bot.clock import Clock
from db import cards, deliveries, rules, subscriptions
from db.deliveries import Claim
from db.engine import Database
from db.lookups import Viewer
from db.tables import DeliveryRow

_log = logging.getLogger(__name__)

NONCE_WINDOW = timedelta(minutes=2)  # Discord keeps nonces "for a few minutes": on the safe side of it
CLOCK_SKEW = timedelta(minutes=10)  # how far this machine's clock may be from Discord's
EDIT_EVERY = timedelta(minutes=1)
SEND_TIMEOUT = 60.0  # seconds for one request with all of discord.py's own retries and waits
LEASE = timedelta(seconds=90)  # longer than SEND_TIMEOUT, shorter than NONCE_WINDOW
_LONGEST_PAUSE = 900.0
_DEFECT_ATTEMPTS = 5

OnSent = Callable[[Card], Awaitable[None]]


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


@dataclass(frozen=True, slots=True)
class Step:
    """How serving a destination goes on: with the next delivery, or not for so many seconds."""

    go_on: bool
    pause: float | None = None
    sent: bool = False


_NEXT = Step(go_on=True)
_STOP = Step(go_on=False)


@dataclass(frozen=True, slots=True)
class _Wish:
    """By whose wish a story is for a destination at the moment of sending."""

    verdict: Verdict
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class _Order:
    """A message that is about to be sent.

    `unsure_since`: when an earlier request left whose outcome is not known. `channel_id` is None until a
    direct message channel is opened. `message_id` is the card that an edit is for.
    """

    delivery_id: int
    nonce: str
    card: Card
    unsure_since: datetime | None
    channel_id: int | None
    message_id: int | None
    answers: int | None


class Courier:
    """Carries deliveries to destinations that its process has claimed."""

    def __init__(self, database: Database, sender: Sender, clock: Clock, on_sent: OnSent | None) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._on_sent = on_sent

    async def step(self, claim: Claim) -> Step:
        """Deal with the first delivery that is due at a destination.

        Raises `TokenRefusedError`, and the database's errors: what was not stored then is found later.
        """
        async with self._database.read() as session:
            row = await deliveries.get_head(session, claim, self._clock())
            if row is None:
                return _STOP
            wishes = await self._wishes(session, claim, row.story_id)
        unsure_since = row.intent_at
        try:
            wish = await self._choose(claim, wishes)
            if wish is None:
                return await self._skip(claim, row.id, _why_not(wishes))
            order = await self._intend(claim, row.id, wish)
            if isinstance(order, Step):
                return order
            channel_id, message_id = await self._request(claim, order)
        except (SendError, TokenRefusedError) as error:
            step = await self._note_failure(claim, row.id, unsure_since, error)
            if isinstance(error, TokenRefusedError):
                raise
            return step
        except (SQLAlchemyError, OSError):
            raise
        except Exception as error:  # a defect: one delivery that cannot be made must not stop the others
            _log.exception("delivery %d failed inside Quash", row.id)
            return await self._note_defect(claim, row.id, error)
        await self._note_sent(claim, order, channel_id, message_id)
        return Step(go_on=True, sent=True)

    # ------------------------------------------------------------- is it wanted still?

    async def _wishes(self, session: AsyncSession, claim: Claim, story_id: int) -> list[_Wish]:
        """Put the story once more to the rules or subscriptions of a destination, as they are by now."""
        if claim.target == "channel":
            of_channel = [rule_from(r) for r in await rules.get_rules_of_channel(session, claim.target_id)]
            story = await load_story(session, story_id, guilds={r.guild_id for r in of_channel})
            return [_Wish(ask_rule(story, rule), rule) for rule in of_channel] if story else []
        of_member = [
            subscription_from(r) for r in await subscriptions.get_subscriptions_of(session, claim.target_id)
        ]
        story = await load_story(session, story_id, guilds={s.guild_id for s in of_member})
        return [_Wish(ask_subscription(story, wish), None) for wish in of_member] if story else []

    async def _choose(self, claim: Claim, wishes: list[_Wish]) -> _Wish | None:
        """Give the first wish that holds; a member's, only for a server that the member is in now."""
        member_of: dict[int, bool] = {}
        for wish in wishes:
            if not wish.verdict.passed:
                continue
            if claim.target == "channel":
                return wish
            guild_id = wish.verdict.guild_id
            if guild_id not in member_of:
                member_of[guild_id] = await self._sender.is_member(guild_id, claim.target_id)
            if member_of[guild_id]:
                return wish
        return None

    # ------------------------------------------------------------- intent and request

    async def _intend(self, claim: Claim, delivery_id: int, wish: _Wish) -> _Order | Step:
        """Store that a message is about to be sent, and make it in the same transaction.

        Whoever adds to a card's case afterwards finds the intent and owes an edit.
        """
        now = self._clock()
        async with self._database.write() as session:
            if not await deliveries.hold(session, claim, now + LEASE):
                return _STOP  # slept past the lease: somebody else serves this destination now
            row = await session.get(DeliveryRow, delivery_id)
            if row is None or row.state not in deliveries.OPEN:
                return _NEXT
            first = await deliveries.get_first_card(session, row.case_id, row.target, row.target_id)
            shown = row
            if row.kind == "edit":
                if first is None:
                    return _close(row, "skipped", "Its card is not on Discord.")
                edited = await deliveries.get_last_edit(session, first)
                if edited is not None and edited + EDIT_EVERY > now:
                    row.due_at = edited + EDIT_EVERY
                    return _NEXT
                shown = first
            card = await self._card(session, shown, wish)
            if card is None:
                return _close(row, "skipped", "Its story is no longer stored.")
            unsure_since = row.intent_at
            row.state = "sending"
            row.attempts += 1
            row.intent_at = unsure_since or now
            row.guild_id = wish.verdict.guild_id
            row.rule_id = wish.verdict.rule_id
            row.subscription_id = wish.verdict.subscription_id
            row.ping_role = card.ping_role
            return _Order(
                delivery_id=row.id,
                nonce=row.nonce,
                card=card,
                unsure_since=unsure_since,
                channel_id=row.target_id if row.target == "channel" else None,
                message_id=first.message_id if first and row.kind == "edit" else None,
                answers=first.message_id if first and row.kind == "update" else None,
            )

    async def _card(self, session: AsyncSession, shown: DeliveryRow, wish: _Wish) -> Card | None:
        viewer = Viewer(guild_id=wish.verdict.guild_id)
        material = await cards.get_card_material(session, shown.story_id, viewer)
        if material is None:
            return None
        return card_from(
            material,
            style=wish.rule.style if wish.rule else "full",
            is_update=shown.kind == "update",
            ping_role=wish.rule.ping_role if wish.rule else None,
            mark=shown.nonce,
        )

    async def _request(self, claim: Claim, order: _Order) -> tuple[int, int]:
        """Send, and give the channel and the message; or find it where it has been all along."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                channel_id = order.channel_id or await self._sender.open_direct(claim.target_id)
                if order.message_id is not None:
                    await self._sender.edit(channel_id, order.message_id, order.card)
                    return channel_id, order.message_id
                if not self._within_nonce_window(order):
                    found = await self._look(channel_id, order)
                    if found is not None:
                        return channel_id, found
                message_id = await self._sender.send(
                    channel_id, order.card, nonce=order.nonce, answers=order.answers
                )
                return channel_id, message_id
        except TimeoutError as error:
            raise TryAgainError(
                f"Discord did not answer within {SEND_TIMEOUT:.0f} s.", landed=True
            ) from error

    def _within_nonce_window(self, order: _Order) -> bool:
        """Tell whether Discord itself refuses a second message; a clock that was turned back does not."""
        if order.unsure_since is None:
            return True
        return timedelta(0) <= self._clock() - order.unsure_since <= NONCE_WINDOW

    async def _look(self, channel_id: int, order: _Order) -> int | None:
        since = (order.unsure_since or self._clock()) - CLOCK_SKEW
        return await self._sender.find(channel_id, order.nonce, since=since)

    # ------------------------------------------------------------- outcomes

    async def _note_sent(self, claim: Claim, order: _Order, channel_id: int, message_id: int) -> None:
        # What has happened is true whoever holds the lease by now: no fence here.
        async with self._database.write() as session:
            row = await session.get(DeliveryRow, order.delivery_id)
            if row is not None:
                row.state = "sent"
                row.sent_at = self._clock()
                row.channel_id = channel_id
                row.message_id = None if row.kind == "edit" else message_id
                row.error = None
            destination = await deliveries.get_destination(session, claim.target, claim.target_id)
            if destination is not None and destination.failures:
                destination.failures = 0
        if self._on_sent is not None and order.message_id is None:
            await self._on_sent(order.card)

    async def _skip(self, claim: Claim, delivery_id: int, reason: str) -> Step:
        async with self._database.write() as session:
            if not await deliveries.hold(session, claim, self._clock() + LEASE):
                return _STOP
            row = await session.get(DeliveryRow, delivery_id)
            return _close(row, "skipped", reason) if row is not None else _NEXT

    async def _note_failure(
        self,
        claim: Claim,
        delivery_id: int,
        unsure_since: datetime | None,
        error: SendError | TokenRefusedError,
    ) -> Step:
        """Store what went wrong, and decide what it means for the delivery and its destination."""
        async with self._database.write() as session:
            if not await deliveries.hold(session, claim, self._clock() + LEASE):
                return _STOP
            row = await session.get(DeliveryRow, delivery_id)
            destination = await deliveries.get_destination(session, claim.target, claim.target_id)
            if row is None or destination is None:
                return _NEXT
            if isinstance(error, TryAgainError | TokenRefusedError | DestinationRefusedError):
                row.state = "failed"
                row.error = str(error)
                if not (isinstance(error, TryAgainError) and error.landed):
                    row.intent_at = unsure_since  # this request, for one, posted nothing
                destination.failures += 1
            if isinstance(error, TryAgainError):
                return Step(go_on=False, pause=max(error.pause or 0.0, _pause(destination.failures)))
            if isinstance(error, TokenRefusedError):
                return _STOP
            if isinstance(error, DestinationRefusedError):
                if claim.target == "channel":
                    destination.broken = str(error)
                    destination.broken_at = self._clock()
                    _log.warning("channel %d is left alone: %s", claim.target_id, error)
                    return _STOP
                await subscriptions.pause_subscriptions(
                    session, claim.target_id, "Your direct messages are closed to me."
                )
            gone = isinstance(error, MessageGoneError)
            return _close(row, "skipped" if gone else "dead", str(error))

    async def _note_defect(self, claim: Claim, delivery_id: int, error: Exception) -> Step:
        """Try again a few times, then give the delivery up, so that the next one has its turn."""
        async with self._database.write() as session:
            if not await deliveries.hold(session, claim, self._clock() + LEASE):
                return _STOP
            row = await session.get(DeliveryRow, delivery_id)
            if row is None:
                return _NEXT
            said = f"Something went wrong inside Quash ({type(error).__name__}); the log has more."
            if row.attempts >= _DEFECT_ATTEMPTS:
                return _close(row, "dead", said)
            row.attempts += 1
            row.state = "failed"
            row.error = said
            return Step(go_on=False, pause=_pause(row.attempts))


def _pause(failures: int) -> float:
    return min(2.0 ** min(failures, 10), _LONGEST_PAUSE)


def _close(row: DeliveryRow, state: str, reason: str) -> Step:
    row.state = state
    row.error = reason
    return _NEXT


def _why_not(wishes: list[_Wish]) -> str:
    """Say why a delivery that was due is not sent."""
    if not wishes:
        return "Nobody asks for it any more."
    stopped = [wish.verdict.reason for wish in wishes if not wish.verdict.passed]
    return stopped[0] if len(stopped) == len(wishes) else "The member is not in the server any more."
