"""Opening the database that the settings name, for every command that needs one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot.errors import QuashError
from bot.settings import Settings
from db import schema
from db.engine import Database, parse_url


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
def alone_on(database_url: str) -> Iterator[None]:
    """Hold a SQLite database for this process: two bots on one would both answer each command.

    Held by a lock on a file of its own beside it, which ends with the process however that ends: to open and
    close the database's own file would let go of SQLite's locks. Raises `NotAloneError`.
    """
    url = parse_url(database_url)
    name = url.database if url.get_backend_name() == "sqlite" else None
    try:
        import fcntl

        file = Path(f"{name}-run").open("wb") if name and name != ":memory:" else None  # noqa: SIM115 - below
    except (ImportError, OSError):  # Windows has none; of a folder that is read-only the database tells
        file = None
    if file is None:
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotAloneError(
                f"Another Quash runs on {name} already, and only one may; end it first, or set DATABASE_URL "
                "to PostgreSQL."
            ) from error
        except OSError:  # a file system without locks
            pass
        yield
