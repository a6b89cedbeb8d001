"""What an order and its outcome change in a delivery's row and for its destination: pure decisions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.alerts.errors import (
    DestinationRefusedError,
    LaterError,
    MessageGoneError,
    SendError,
    TokenRefusedError,
    TryAgainError,
)
from bot.alerts.orders import Offer, Order, Outcome, Posted
from bot.errors import told
from db.deliveries import Release

_LONGEST_PAUSE = 120.0  # seconds
_DEFECT_ATTEMPTS = 5
_FIRST_CHECK = 30.0  # seconds; doubled with every refusal
_LONGEST_CHECK = 6 * 3600.0

Change = dict[str, Any]  # columns of a delivery, its id among them


def decide(outcome: Outcome) -> tuple[Change, Release]:
    """Tell what an outcome means for its delivery and its destination."""
    order, error = outcome.order, outcome.error
    claim = order.claim
    if error is None:
        if outcome.offer is None or outcome.posted is None:
            return closed(order.delivery_id, "skipped", outcome.skipped), Release(claim, claim.failures)
        return _sent(outcome, outcome.offer, outcome.posted), Release(claim, 0)
    failed = Release(claim, claim.failures + 1)
    nothing = not outcome.lost_answer  # was posted, where Discord refused the last try
    if isinstance(error, TryAgainError):
        wait = max(error.pause or 0.0, pause_after(failed.failures))
        paused = Release(claim, failed.failures, pause_until=outcome.at + timedelta(seconds=wait))
        return _failed(order, str(error), posted_nothing=nothing and not error.landed), paused
    if isinstance(error, TokenRefusedError):
        return _failed(order, str(error), posted_nothing=nothing), failed
    if isinstance(error, DestinationRefusedError):
        if claim.target == "channel":
            broken = Release(claim, failed.failures, broken=str(error))
            return _failed(order, str(error), posted_nothing=nothing), broken
        if error.is_the_members:
            return closed(order.delivery_id, "dead", str(error)), failed
        # Half an hour at first: it may be the same for all members, and refusals are counted (`weather`).
        rests = Release(claim, failed.failures, pause_until=outcome.at + check_after(failed.failures + 5))
        return _failed(order, str(error), posted_nothing=nothing), rests
    if isinstance(error, LaterError):
        later = {"due_at": outcome.at + timedelta(seconds=error.pause)}
        return _failed(order, str(error), posted_nothing=nothing) | later, Release(claim, claim.failures)
    if isinstance(error, SendError):
        state = "skipped" if isinstance(error, MessageGoneError) else "dead"
        return closed(order.delivery_id, state, str(error)), Release(claim, claim.failures)
    until = outcome.at + timedelta(seconds=pause_after(order.attempts))
    return (
        defect(order.delivery_id, order.attempts, error),
        Release(claim, claim.failures, pause_until=until),
    )


def intent(order: Order, now: datetime) -> Change:
    """It is about to be sent; `intent_at` stays the time of the first request whose outcome is not known."""
    return {
        "id": order.delivery_id,
        "state": "sending",
        "attempts": order.attempts,
        "intent_at": order.unsure_since or now,
        **_by_whose_wish(order.offers[0]),
    }


def _sent(outcome: Outcome, offer: Offer, posted: Posted) -> Change:
    change: Change = {
        "id": outcome.order.delivery_id,
        "state": "sent",
        "sent_at": outcome.at,
        "channel_id": posted.channel_id,
        "message_id": None if outcome.order.edits is not None else posted.message_id,
        "thread_id": posted.thread_id,
        "publish_at": outcome.at if posted.publish else None,
        "error": None,
    }
    return change | _by_whose_wish(offer)


def _by_whose_wish(offer: Offer) -> Change:
    return {
        "guild_id": offer.guild_id,
        "rule_id": offer.rule_id,
        "subscription_id": offer.subscription_id,
        "ping_role": offer.card.ping_role,
    }


def _failed(order: Order, reason: str, *, posted_nothing: bool) -> Change:
    change: Change = {"id": order.delivery_id, "state": "failed", "error": reason}
    if posted_nothing:  # this request, for one
        change["intent_at"] = order.unsure_since
    return change


def closed(delivery_id: int, state: str, reason: str) -> Change:
    """It comes to its end without a message, and why."""
    return {"id": delivery_id, "state": state, "error": reason}


def defect(delivery_id: int, attempts: int, error: Exception) -> Change:
    """Try again a few times, then give the delivery up, so that the next one has its turn."""
    said = told("Something went wrong inside Quash ({name}); the log has more.", name=type(error).__name__)
    state = "dead" if attempts >= _DEFECT_ATTEMPTS else "failed"
    return {"id": delivery_id, "state": state, "error": said, "attempts": attempts}


def pause_after(failures: int) -> float:
    """Give the seconds until a destination that failed so often is tried again."""
    return min(2.0 ** min(failures, 10), _LONGEST_PAUSE)


def check_after(failures: int) -> timedelta:
    """Give the time until Discord is asked again that refuses a place for no reason that is known."""
    return timedelta(seconds=min(_FIRST_CHECK * 2 ** min(failures, 10), _LONGEST_CHECK))
