"""Turns at what all processes of a bot may do only so often: requests a second, sessions in five seconds.

One row a kind of thing says when the next may be had. Who asks for some moves it on by what they take, in one
statement, and is told how long to wait for the first of them.
"""

from __future__ import annotations

import time

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.lists import is_sqlite
from db.role_tables import TurnRow

# By the database's clock, read after the row is locked: the processes' own clocks differ.
_POSTGRES_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
_ALONE = 60.0  # seconds: no line of the few who share a file is longer
_TAKE = """
INSERT INTO turns (name, next_at) VALUES (:name, {now} + :took)
ON CONFLICT (name) DO UPDATE SET next_at = :took + CASE
    WHEN turns.next_at BETWEEN {now} AND {now} + :longest THEN turns.next_at ELSE {now} END
RETURNING next_at - :took - {now}
"""


async def take(session: AsyncSession, name: str, took: float, *, longest: float = 3600.0) -> float:
    """Take `took` seconds of the line called `name`; gives how many seconds it is until they begin.

    A line that is longer than `longest` comes from a clock that was turned, and is begun anew.
    """
    if is_sqlite(session):
        values, now = {"now": time.time()}, ":now"
        longest = min(longest, _ALONE)
    else:
        values, now = {}, _POSTGRES_NOW
    found = await session.execute(
        text(_TAKE.format(now=now)), {"name": name, "took": took, "longest": longest, **values}
    )
    return max(0.0, float(found.scalar_one()))


async def give_back(session: AsyncSession, name: str, rest: float) -> None:
    """End a turn before its time: the next may be had in `rest` seconds."""
    await session.execute(delete(TurnRow).where(TurnRow.name == name))
    await take(session, name, rest)
