"""`quash db upgrade|current|check|backup`: the schema's version, whether all is in order, a copy."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from bot.settings import Settings
from db import schema
from db.engine import Database, sqlite_file
from db.errors import DatabaseUnavailableError


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the verb says."""
    return asyncio.run(_main(arguments, settings))


async def _main(arguments: argparse.Namespace, settings: Settings) -> int:
    database = Database(settings.database_url)
    try:
        if arguments.verb == "backup":
            return await _back_up(database, arguments.file)
        if arguments.verb != "upgrade":
            _find(database)
        await database.check()
        if arguments.verb == "upgrade":
            return await _upgrade(database)
        if arguments.verb == "check":
            return await _check(database)
        found = await schema.current(database)
        print(f"schema {found or 'none'} (this program needs {schema.head()})")
    finally:
        await database.close()
    return 0


def _find(database: Database) -> None:
    """Raise where there is no database to look at: to open SQLite's file would make an empty one."""
    file = sqlite_file(database.url)
    if file is not None and not file.is_file():
        raise DatabaseUnavailableError(
            f"There is no database {file}; DATABASE_URL names another file, `quash db upgrade` makes one."
        )


async def _upgrade(database: Database) -> int:
    before, after = await schema.upgrade(database)
    print(f"schema {after}: nothing to do" if before == after else f"schema {before or 'none'} -> {after}")
    return 0


async def _check(database: Database) -> int:
    """Print a line for each thing that was looked at; status 1 where something is not as it must be."""
    from db import check

    found = await check.check(database)
    for one in found:
        print(f"{'ok ' if one.ok else 'BAD'} {one.what}: {one.found}")
    bad = sum(not one.ok for one in found)
    print(f"{bad} of {len(found)} are not in order" if bad else f"all {len(found)} in order")
    return 1 if bad else 0


async def _back_up(database: Database, file: Path) -> int:
    from db import backup

    copied = await asyncio.to_thread(backup.back_up, database, file)
    print(f"{file}: {copied.size:,} bytes, schema {copied.schema}, stories: {copied.stories}; checked")
    return 0
