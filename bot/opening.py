"""Opening the database that the settings name, for every command that needs one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot.errors import QuashError
from bot.settings import Settings
from db import schema
from db.engine import Database, parse_url, sqlite_file


class NotAloneError(QuashError):
    """Another process runs on a database that only one may use."""


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


@contextlib.contextmanager
def alone_on(database_url: str, role: str) -> Iterator[None]:
    """Hold a SQLite database for this process, as gateway, worker or both ("all").

    Two gateways on one would both answer each command. Held by locks on files of their own beside it, which
    end with the process however that ends: to open and close the database's own file would let go of SQLite's
    locks. Raises `NotAloneError`.
    """
    database = sqlite_file(parse_url(database_url))
    with contextlib.ExitStack() as held:
        if database is not None:
            for part in ("gateway", "worker") if role == "all" else (role,):
                _hold(held, database, part)
        yield


def _hold(held: contextlib.ExitStack, database: Path, part: str) -> None:
    try:
        import fcntl

        file = held.enter_context(Path(f"{database}-run-{part}").open("wb"))  # noqa: SIM115 - the stack closes it
    except (ImportError, OSError):  # Windows has none; of a folder that is read-only the database tells
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NotAloneError(
            f"Another Quash runs on {database} already, and only one may; end it first, or set DATABASE_URL "
            "to PostgreSQL."
        ) from error
    except OSError:  # a file system without locks
        return
