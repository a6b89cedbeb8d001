"""What is not known after a pause: whether this database is the one that was used last, or an older copy.

A process notes every half minute that it lives. Where the last such note is old when a process starts, the
bot was off, or the file was replaced by a copy from then; nothing in the database tells which. In a copy
what was posted since then looks as if it were still to be posted. So whatever may have been posted in the
pause is treated as sent with its outcome unknown (`DeliveryRow.intent_at`): before it is sent, delivery
looks for it in the channel. That concerns what waited when the pause began and was due before it ended, and
stories that were out before it ended.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from db import notes
from db.deliveries import not_ended
from db.tables import DeliveryRow

_ALIVE = "alive"  # note: when a process was last alive
_PAUSES = "pauses"  # note: the pauses of which stories may still come in, [from, to] each
_BACK = "back"  # note: when the last long pause ended
_SHORT = timedelta(seconds=60)  # another process is alive, or Discord still knows the nonces
_REMEMBERED = timedelta(days=7)  # after a pause, until every feed was looked at
_SOON = timedelta(days=2)  # the same for stories without a date: a feed that works is looked at once a day
_LONG = timedelta(days=1)
_MOST = 20


async def note_start(session: AsyncSession, now: datetime) -> timedelta | None:
    """Note that a process starts; gives how long none was alive, None where that was short or never so."""
    before = await notes.get(session, _ALIVE)
    await beat(session, now)
    if before is None:
        return None
    since = datetime.fromisoformat(before)
    if now - since <= _SHORT:
        return None
    pauses = [(a, b) for a, b in await get_pauses(session) if now - b <= _REMEMBERED]
    written = [[a.isoformat(), b.isoformat()] for a, b in [*pauses[-_MOST + 1 :], (since, now)]]
    await notes.put(session, _PAUSES, json.dumps(written))
    if now - since > _LONG:
        await notes.put(session, _BACK, now.isoformat())
    await session.execute(
        update(DeliveryRow)
        .where(
            not_ended(),
            DeliveryRow.state != "sending",
            DeliveryRow.intent_at.is_(None),
            DeliveryRow.due_at <= now,
        )
        .values(intent_at=since)
        .execution_options(synchronize_session=False)
    )
    return now - since


async def beat(session: AsyncSession, now: datetime) -> None:
    """Note that a process is alive."""
    await notes.put(session, _ALIVE, now.isoformat())


async def was_off_since(session: AsyncSession, since: datetime) -> bool:
    """Tell whether nothing ran for long at some time since then."""
    back = await notes.get(session, _BACK)
    return back is not None and datetime.fromisoformat(back) > since


async def doubt(session: AsyncSession, story_id: int, published: datetime | None, now: datetime) -> None:
    """Mark the deliveries that a story was just given, where they may have been posted in a pause before.

    `published` is the entry's own date; without one, every story that comes in soon after a pause is meant.
    """
    since = [
        a
        for a, b in await get_pauses(session)
        if (now - b <= _SOON if published is None else now - b <= _REMEMBERED and published <= b)
    ]
    if since:
        await session.execute(
            update(DeliveryRow)
            .where(
                DeliveryRow.story_id == story_id, DeliveryRow.state == "due", DeliveryRow.intent_at.is_(None)
            )
            .values(intent_at=min(since))
            .execution_options(synchronize_session=False)
        )


async def get_pauses(session: AsyncSession) -> list[tuple[datetime, datetime]]:
    """Give the pauses of the last days, from when to when nothing ran."""
    written = await notes.get(session, _PAUSES)
    return [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in json.loads(written or "[]")]
