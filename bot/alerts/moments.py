"""When a post comes: at once, after quiet hours, or gathered in a digest. Pure.

- A wish for later is met by the next digest, at the local time of its server.
- Past its daily limit a rule's posts of that day are gathered for the next daily digest; urgent ones too, so
  that the limit is one.
- What comes in a channel's quiet hours waits for their end; if more than five posts would wait, they are
  gathered for a digest of that moment. Urgent posts do not wait. Digests wait too.
- Direct messages know neither: their members asked for them, and have Discord's own do-not-disturb.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.routing import Verdict
from bot.alerts.timing import Hours, next_due, quiet_until

MOST_WAITING = 5  # posts of a channel that come one by one after quiet hours


@dataclass(frozen=True, slots=True)
class Moment:
    """When a post comes (UTC), and whether in a digest; `why` not at once: "digest" (the wish is for later),
    "limit" (the rule's posts of the day are used up), "quiet"; "" for at once."""

    at: datetime
    gathered: bool
    why: str = ""


def moment(
    wish: Verdict,
    hours: Hours,
    now: datetime,
    *,
    posted_today: int = 0,
    waiting: Collection[datetime] = (),
    digests: Collection[datetime] = (),
) -> Moment:
    """Tell when a post comes that a wish asks for.

    `posted_today` counts the rule's posts of the local day; `waiting` are the moments of the channel's posts
    that wait already, `digests` those of its digests.
    """
    over = wish.daily_limit is not None and posted_today >= wish.daily_limit
    if wish.when != "now" or over:
        at = next_due(period_of(wish), hours.zone, now)
        return Moment(_after_quiet(wish, hours, at), True, "limit" if wish.when == "now" else "digest")
    at = now if wish.urgent else _after_quiet(wish, hours, now)
    if at == now:
        return Moment(now, False)
    many = sum(other == at for other in waiting) >= MOST_WAITING
    return Moment(at, many or at in digests, "quiet")


def quiet_for(wish: Verdict, hours: Hours, now: datetime) -> datetime | None:
    """Tell until when a wish's posts have to wait, None when they need not."""
    if wish.destination.target == "user" or wish.urgent:
        return None
    return quiet_until(hours, now)


def period_of(wish: Verdict) -> str:
    """Give the rhythm of the digests by which a wish is met, if it is by digests."""
    return "daily" if wish.when == "now" else wish.when


def _after_quiet(wish: Verdict, hours: Hours, at: datetime) -> datetime:
    return at if wish.destination.target == "user" else quiet_until(hours, at) or at
