"""Opening the database that the settings name, for every command that needs one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from bot.settings import Settings
from db import schema
from db.engine import Database


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database with the schema that this program needs."""
    database = Database(settings.database_url)
    try:
        await database.check()
        await schema.require_current(database)
        yield database
    finally:
        await database.close()
