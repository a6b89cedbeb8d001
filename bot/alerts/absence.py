"""The bot's absence from servers: an outage is none, and being removed is not the end for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta

from bot.clock import Clock
from bot.feeds.adding import UNUSED
from db import absence
from db.engine import Database

_log = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # a server's settings, after the bot was removed; `/privacy` says so
_AT_ONCE = 20


async def leave(database: Database, guild_id: int, clock: Clock) -> None:
    """Note that the bot was removed from a server. If it is added again, all is as it was."""
    async with database.write() as session:
        await absence.leave(session, guild_id, clock())
    _log.info("removed from server %d; its settings are kept for %d days", guild_id, KEPT.days)


async def notice_absence(
    database: Database, present: Callable[[], Collection[int]], is_ours: Callable[[int], bool], clock: Clock
) -> int:
    """Note which servers the bot was removed from while it was not there to be told; gives how many.

    `present`: the servers that Discord has named by now, those in an outage among them; asked after what is
    stored, so that one that is joined meanwhile is among them. `is_ours`: whether this process would have
    been told of a server (it is one of its shards').
    """
    async with database.read() as session:
        stored = await absence.get_present(session)
    gone = [guild_id for guild_id in stored - set(present()) if is_ours(guild_id)]
    for guild_id in gone:
        await leave(database, guild_id, clock)
    return len(gone)


async def forget_left(database: Database, clock: Clock) -> int:
    """Forget servers that the bot was removed from more than 30 days ago; gives how many. For a daily job."""
    count = 0
    while True:
        async with database.read() as session:
            guild_ids = await absence.get_left(session, clock() - KEPT, _AT_ONCE)
        for guild_id in guild_ids:
            async with database.write() as session:
                await absence.forget(session, guild_id, unused=UNUSED)
            _log.info("server %d is forgotten: the bot was removed from it long ago", guild_id)
        count += len(guild_ids)
        if len(guild_ids) < _AT_ONCE:
            return count
