"""WebSub: what to ask of a hub and when, and what to make of what comes from one. Pure.

W3C Recommendation of 23 January 2018, https://www.w3.org/TR/websub/; sections are named below. A `Push` is
one subscription: a feed's topic at a hub, under a callback address of its own that nobody can guess.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

WANTED, HELD, LEAVING = "wanted", "held", "leaving"

LEASE_ASKED = timedelta(days=7)
LEASE_LEAST = timedelta(minutes=10)  # a hub that grants less would be asked all the time: not taken
LEASE_MOST = timedelta(days=30)  # renewed by then, whatever a hub grants
_RENEW_AFTER = 0.75  # of the lease
_FIRST_PAUSE = timedelta(minutes=15)  # for the hub to verify; doubled with each try without success
_LONGEST_PAUSE = timedelta(days=7)
_ANSWER_WITHIN = timedelta(days=1)  # a verification that comes later is nobody's answer
_LEAVE_TRIES = 3
_SEEN_KEPT = 20
_LONGEST_CHALLENGE = 2048
_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})  # section 8, "X-Hub-Signature"


@dataclass(frozen=True, slots=True)
class Push:
    """One subscription. `token` is the last part of `callback`, 256 random bits; so is `secret`.

    `state`: wanted (not verified so far), held (verified; until `lease_until`), leaving. `asked_at`: when
    the hub was last asked for what it has not verified since. `due_at`: when something is to be done.
    `failures`: requests in a row that were not verified. `seen`: digests of the latest pushes.
    """

    token: str
    callback: str
    hub: str
    topic: str
    secret: str
    state: str
    due_at: datetime
    asked_at: datetime | None = None
    lease_until: datetime | None = None
    failures: int = 0
    seen: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """What a hub's question comes to: the challenge to answer with (None: 404), the subscription after it.

    `push` is None where the subscription has ended and nothing of it is kept.
    """

    challenge: str | None
    push: Push | None


def callback_base(public_url: str) -> str:
    """Give what all callback addresses begin with."""
    return f"{public_url.rstrip('/')}/websub/"


def new_push(hub: str, topic: str, public_url: str, now: datetime) -> Push:
    """Give a subscription that is to be asked for."""
    token = secrets.token_urlsafe(32)
    return Push(
        token, callback_base(public_url) + token, hub, topic, secrets.token_urlsafe(32), WANTED, due_at=now
    )


def leave(push: Push, now: datetime) -> Push:
    """Give a subscription that is to be ended."""
    return replace(push, state=LEAVING, due_at=now, asked_at=None, failures=0)


def ask(push: Push, now: datetime) -> tuple[Push | None, dict[str, str]]:
    """Give the form to POST to the hub (section 5.1) and the subscription once that is under way.

    It is due again when the hub has not verified in time; None: left without the hub's word.
    """
    if push.state == LEAVING and push.failures >= _LEAVE_TRIES:
        return None, {}
    form = {
        "hub.callback": push.callback,
        "hub.mode": "unsubscribe" if push.state == LEAVING else "subscribe",
        "hub.topic": push.topic,
    }
    if push.state != LEAVING:
        form["hub.secret"] = push.secret
        form["hub.lease_seconds"] = str(int(LEASE_ASKED.total_seconds()))
    lapsed = push.state == HELD and (push.lease_until is None or push.lease_until <= now)
    pause = min(_FIRST_PAUSE * 2 ** min(push.failures, 20), _LONGEST_PAUSE)
    asked = replace(push, asked_at=now, due_at=now + pause, failures=push.failures + 1)
    return replace(asked, state=WANTED, lease_until=None) if lapsed else asked, form


def put_off(push: Push, seconds: float, now: datetime) -> Push:
    """Give a subscription whose hub asks to be left alone for so long (Retry-After)."""
    return replace(push, due_at=max(push.due_at, now + min(timedelta(seconds=seconds), _LONGEST_PAUSE)))


def verify(push: Push, query: Mapping[str, str], now: datetime) -> Verdict:
    """Answer a hub's verification of intent (section 5.3) or denial (section 5.2).

    Agreed is only to what was asked for, and lately.
    """
    refused = Verdict(None, push)
    mode, challenge = query.get("hub.mode", ""), query.get("hub.challenge", "")
    if query.get("hub.topic", "") != push.topic:
        return refused
    if mode == "denied" and push.state != LEAVING:
        denied = replace(push, state=WANTED, asked_at=None, lease_until=None, due_at=now + _LONGEST_PAUSE)
        return Verdict("", denied)
    waited_for = push.asked_at is not None and now - push.asked_at <= _ANSWER_WITHIN
    if not waited_for or not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        return refused
    if mode == "unsubscribe" and push.state == LEAVING:
        return Verdict(challenge, None)
    lease = _lease(query.get("hub.lease_seconds"))
    if mode != "subscribe" or push.state == LEAVING or lease is None:
        return refused
    held = replace(
        push,
        state=HELD,
        asked_at=None,
        failures=0,
        lease_until=now + lease,
        due_at=now + lease * _RENEW_AFTER,
    )
    return Verdict(challenge, held)


def _lease(text: str | None) -> timedelta | None:
    """Give how long a hub will send, cut to what is believed; None for what is too short or no number."""
    if text is None:  # hubs of before the Recommendation leave it out: then it is what was asked for
        return LEASE_ASKED
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    lease = min(timedelta(seconds=int(text)), LEASE_MOST) if int(text) < 10**9 else LEASE_MOST
    return lease if lease >= LEASE_LEAST else None


def is_signed(push: Push, signature: str, body: bytes) -> bool:
    """Tell whether a body bears the mark of our secret (section 7.1): "sha256=HEX".

    The comparison takes the same time wherever the two differ.
    """
    method, _, digest = signature.strip().partition("=")
    if method not in _METHODS:
        return False
    ours = hmac.new(push.secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return hmac.compare_digest(ours.encode(), digest.strip().lower().encode("utf-8", "replace"))


def digest_of(body: bytes) -> str:
    """Give what a push is recognised by when it comes again."""
    return hashlib.sha256(body).hexdigest()


def remember(push: Push, digest: str) -> Push | None:
    """Give the subscription that knows of a push; None for one that came before (a repeat, or a replay)."""
    if digest in push.seen:
        return None
    return replace(push, seen=(*push.seen, digest)[-_SEEN_KEPT:])
