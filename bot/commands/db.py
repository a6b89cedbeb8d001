"""`quash db upgrade|current`: the schema's version."""

from __future__ import annotations

import argparse
import asyncio

from bot.settings import Settings
from db import schema
from db.engine import Database


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Bring the schema up to date, or say which it is."""
    return asyncio.run(_main(arguments.verb, settings))


async def _main(verb: str, settings: Settings) -> int:
    database = Database(settings.database_url)
    try:
        await database.check()
        if verb == "upgrade":
            before, after = await schema.upgrade(database)
            print(
                f"schema {after}: nothing to do"
                if before == after
                else f"schema {before or 'none'} -> {after}"
            )
        else:
            found = await schema.current(database)
            print(f"schema {found or 'none'} (this program needs {schema.head()})")
    finally:
        await database.close()
    return 0
