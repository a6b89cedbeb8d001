"""What was due before and meets a server's quiet hours: it waits for their end, or comes in their digest.

An outage's backlog, or what waited while the bot was away: at the end of the quiet hours it would all come at
once. It is put to the same question (`bot.alerts.moments.moment`) as what comes in during them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.gathering import Gathering, gather
from bot.alerts.moments import moment, period_of
from bot.alerts.routing import Verdict
from bot.alerts.timing import Hours
from db import digests
from db.tables import DeliveryRow

SAID = "It is told in the digest after the quiet hours."


async def postpone(
    session: AsyncSession, row: DeliveryRow, wish: Verdict, hours: Hours, until: datetime, now: datetime
) -> dict[str, Any]:
    """Let a post that was not tried yet wait until then; gives what changes of it.

    Where too many wait for that moment it is gathered with them in a digest, but not what has to be looked
    for first (`db.restarts`): it may be posted. The caller holds the lock of the destination.
    """
    waits = {"id": row.id, "state": "due", "attempts": 0, "due_at": until}
    if row.kind not in ("card", "update") or row.story_id is None or row.intent_at is not None:
        return waits
    place = (row.target, row.target_id)
    waiting = (await digests.get_waiting(session, [place], now)).get(place, [])
    there = (await digests.get_slots(session, {(*place, until.isoformat())})).values()
    when = moment(
        wish,
        hours,
        now,
        waiting=[other.due_at for other in waiting],
        digests=[until] if any(digest.is_open for digest in there) else [],
    )
    if not when.gathered or when.at != until:
        return waits
    together = [row, *(other for other in waiting if other.due_at == until and other.intent_at is None)]
    gathered = [
        Gathering(
            destination=wish.destination,
            at=until,
            period=period_of(wish),
            zone=hours.zone,
            story_id=other.story_id,
            guild_id=other.guild_id,
            rule_id=other.rule_id,
            subscription_id=other.subscription_id,
        )
        for other in together
        if other.story_id is not None
    ]
    await gather(session, gathered, now)
    await digests.fold(session, [other.id for other in together], SAID)
    return {"id": row.id, "state": "skipped", "error": SAID}
