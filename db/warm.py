"""A new process asks its first look-ups itself, before anybody waits for them.

The first one of a process took a quarter of a second: the stemmers are loaded, SQLAlchemy writes each
statement, and each new connection reads the catalogue of its database and plans.
"""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from db import lookups
from db.engine import Database
from db.stems import stem, words_of
from db.tables import GuildFeedRow, StoryFeedRow, StoryRow
from db.visibility import Viewer

_log = logging.getLogger(__name__)

_CONNECTIONS = 5  # that a pool keeps


async def warm(database: Database) -> None:
    """Ask what members ask, of the newest story that a server sees, on each connection; errors are logged."""
    await asyncio.to_thread(stem, "asked", "en")  # loads the stemmers
    try:
        newest = (
            select(GuildFeedRow.guild_id, StoryRow.title)
            .join(StoryFeedRow, StoryFeedRow.feed_id == GuildFeedRow.feed_id)
            .join(StoryRow, StoryRow.id == StoryFeedRow.story_id)
            .where(StoryRow.relevant)
            .order_by(StoryFeedRow.story_id.desc())
            .limit(1)
        )
        async with database.read() as session:
            some = (await session.execute(newest)).first()
        if some is not None:
            viewers = Viewer(some.guild_id), Viewer()
            await asyncio.gather(*(_ask(database, viewers, some.title) for _ in range(_CONNECTIONS)))
    except (SQLAlchemyError, OSError) as error:
        _log.warning("the first look-ups will be slow: %s", type(error).__name__)


async def _ask(database: Database, viewers: tuple[Viewer, ...], title: str) -> None:
    words = words_of(title)[:2]
    typed = " ".join(words)[:-1]
    async with database.read() as session:
        for viewer in viewers:
            await lookups.case_names(session, viewer, typed)
            await lookups.party_names(session, viewer, typed[:3])
            await lookups.party_names(session, viewer, typed[:3], side="issuer")
            await lookups.search_stories(session, viewer, typed)
