"""The bot's absence from servers: an outage is none, and being removed is not the end for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta

from bot.clock import Clock
from bot.feeds.adding import UNUSED
from db import absence, guilds
from db.engine import Database

_log = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # a server's settings, after the bot was removed; `/privacy` says so
_AT_ONCE = 20


async def leave(database: Database, guild_id: int, clock: Clock) -> None:
    """Note that the bot was removed from a server. If it is added again, all is as it was."""
    await _leave(database, guild_id, clock)


async def notice_absence(
    database: Database, present: Callable[[], Collection[int]], is_ours: Callable[[int], bool], clock: Clock
) -> int:
    """Note which servers the bot was removed from while it was not there to be told; gives how many.

    `present`: the servers that Discord has named by now, those in an outage among them; asked after what is
    stored, and again before each is noted, so that one that is joined meanwhile is among them. `is_ours`:
    whether this process would have been told of a server (it is one of its shards').
    """
    async with database.read() as session:
        stored = await absence.get_present(session)
    count = 0
    for guild_id in stored - set(present()):
        if is_ours(guild_id) and await _leave(database, guild_id, clock, unless=present):
            count += 1
    return count


async def _leave(
    database: Database, guild_id: int, clock: Clock, *, unless: Callable[[], Collection[int]] = tuple
) -> bool:
    """Note that the bot was removed from a server, unless it is among those that Discord names by now.

    Asked with the server's lock: whoever is about to note that the bot was added to it is before or behind.
    """
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        if guild_id in unless():
            return False
        await absence.leave(session, guild_id, clock())
    _log.info("removed from server %d; its settings are kept for %d days", guild_id, KEPT.days)
    return True


async def forget_left(database: Database, clock: Clock) -> int:
    """Forget servers that the bot was removed from more than 30 days ago; gives how many. For a daily job."""
    count = 0
    while True:
        async with database.read() as session:
            guild_ids = await absence.get_left(session, clock() - KEPT, _AT_ONCE)
        for guild_id in guild_ids:
            async with database.write() as session:
                await guilds.hold(session, guild_id)
                if await guilds.get_joined(session, [guild_id]):
                    continue  # it was added again a moment ago
                await absence.forget(session, guild_id, unused=UNUSED)
            _log.info("server %d is forgotten: the bot was removed from it long ago", guild_id)
            count += 1
        if len(guild_ids) < _AT_ONCE:
            return count
