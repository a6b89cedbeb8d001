"""What waits, failed or was given up in a server's channels, for its moderators: see, send again, drop.

Services without Discord, as `bot.alerts.actions`: whether somebody may do so is the caller's check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.alerts.errors import NotHereError, WishError
from bot.errors import told
from bot.words import say
from db import audit, deliveries, places
from db.engine import Database
from db.tables import DeliveryRow

STATES = {"waiting": ("due", "sending"), "failed": ("failed",), "dead": ("dead",)}
DROPPABLE = ("due", "failed", "dead")
SHOWN = 100  # deliveries of a list


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery as moderators see it. `state` is waiting, failed (will be tried again) or dead (given up);
    `reason` says why, `title` is its story's, raw."""

    id: int
    state: str
    kind: str
    channel_id: int
    title: str
    due_at: datetime
    attempts: int
    reason: str


async def list_deliveries(database: Database, guild_id: int, state: str = "") -> tuple[ListedDelivery, ...]:
    """Give what is not posted in a server's channels, the oldest first, at most 100; "" for every state."""
    if state and state not in STATES:
        raise WishError(say("There is no such state; known are {states}.", states=", ".join(STATES)))
    wanted = STATES[state] if state else tuple(each for of in STATES.values() for each in of)
    async with database.read() as session:
        found = await places.list_deliveries(session, guild_id, wanted, SHOWN)
        broken = await deliveries.get_broken_reasons(session, {row.target_id for row, _ in found})
    return tuple(_listed(row, title, broken.get(row.target_id, "")) for row, title in found)


async def send_again(
    database: Database, *, guild_id: int, user_id: int, delivery_id: int, now: datetime
) -> None:
    """Let a delivery that was given up be sent after all; its channel gets it next.

    Whoever asks for it has looked that it is not posted already.
    """
    async with database.write() as session:
        row = await places.hold_delivery(session, guild_id, delivery_id)
        if row is None or row.state != "dead":
            raise _not_here(delivery_id, row)
        await deliveries.enqueue(session, {(row.target, row.target_id): now})
        audit.note(session, guild_id, user_id, now, "delivery sent again", before=_told(row))
        row.state, row.error, row.attempts = "due", None, 0
        row.intent_at, row.due_at = None, now


async def drop(database: Database, *, guild_id: int, user_id: int, delivery_id: int, now: datetime) -> None:
    """Let a delivery be that waits, failed or was given up: it is not posted, and not listed any more."""
    async with database.write() as session:
        row = await places.hold_delivery(session, guild_id, delivery_id)
        if row is None or row.state not in DROPPABLE:
            raise _not_here(delivery_id, row)
        audit.note(session, guild_id, user_id, now, "delivery dropped", before=_told(row))
        row.state, row.error = "skipped", told("A moderator dropped it.")


def _listed(row: DeliveryRow, title: str | None, broken: str) -> ListedDelivery:
    state = next(name for name, of in STATES.items() if row.state in of)
    return ListedDelivery(
        id=row.id,
        state=state,
        kind=row.kind,
        channel_id=row.target_id,
        title=title or "",
        due_at=row.due_at,
        attempts=row.attempts,
        reason=row.error or broken,
    )


def _not_here(delivery_id: int, row: DeliveryRow | None) -> NotHereError:
    """Say why nothing can be done: another moderator, or delivery itself, was first."""
    state = row.state if row is not None else ""
    if state == "sending":
        return NotHereError(say("Delivery #{number} is being sent at this moment.", number=delivery_id))
    if state in ("due", "failed"):
        return NotHereError(
            say("Delivery #{number} waits to be sent already; somebody was first.", number=delivery_id)
        )
    if state:
        return NotHereError(
            say("Delivery #{number} was posted or dropped already; somebody was first.", number=delivery_id)
        )
    return NotHereError(
        say("There is no delivery #{number} here; `/deliveries` shows those there are.", number=delivery_id)
    )


def _told(row: DeliveryRow) -> dict[str, Any]:
    """Give what the audit says of a delivery as it was."""
    return {"delivery": row.id, "channel_id": row.target_id, "error": row.error}
