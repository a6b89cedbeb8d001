"""Gathering stories into digests, in the transaction that stores a story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.routing import Destination, nonce_of
from bot.alerts.timing import next_due
from db import deliveries, digests


@dataclass(frozen=True, slots=True)
class Gathering:
    """A story that a destination is told in the digest `at` a moment, or in the next one that still takes it
    in by `period` and `zone`; and by whose wish."""

    destination: Destination
    at: datetime
    period: str
    zone: str
    story_id: int
    guild_id: int | None
    rule_id: int | None
    subscription_id: int | None

    @property
    def slot(self) -> digests.Slot:
        """What tells the digest from all others."""
        return self.destination.target, self.destination.id, self.at.isoformat()


async def gather(session: AsyncSession, wanted: Sequence[Gathering], now: datetime) -> None:
    """Put stories into digests; the caller holds the locks of their destinations (`deliveries.enqueue`)."""
    while wanted:
        there = await digests.get_slots(session, {one.slot for one in wanted})
        new = {one.slot: _row(one, now) for one in reversed(wanted) if one.slot not in there}
        if new:
            await deliveries.insert_deliveries(session, list(new.values()))
            there |= await digests.get_slots(session, new)
        await digests.add_items(session, [_item(one, there) for one in wanted if there[one.slot].is_open])
        # A digest that is being sent takes nothing in any more: by another machine's clock its time has come.
        wanted = [
            replace(one, at=next_due(one.period, one.zone, one.at))
            for one in wanted
            if not there[one.slot].is_open
        ]


def _item(one: Gathering, there: dict[digests.Slot, digests.Gathered]) -> dict[str, Any]:
    return {
        "delivery_id": there[one.slot].delivery_id,
        "story_id": one.story_id,
        "guild_id": one.guild_id,
        "rule_id": one.rule_id,
        "subscription_id": one.subscription_id,
    }


def _row(one: Gathering, now: datetime) -> dict[str, Any]:
    return {
        "story_id": None,
        "case_id": None,
        "kind": "digest",
        "slot": one.slot[2],
        "target": one.destination.target,
        "target_id": one.destination.id,
        "guild_id": one.guild_id,
        "rule_id": one.rule_id,
        "subscription_id": one.subscription_id,
        "ping_role": None,
        "reason": "what was gathered until then",
        "state": "due",
        "nonce": nonce_of(one.slot[2], one.destination, "digest"),
        "attempts": 0,
        "created_at": now,
        "due_at": one.at,
    }
