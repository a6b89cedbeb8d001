"""The schema's version: bring it up to date, or say what is wrong with it (Alembic does the work)."""

from __future__ import annotations

import logging
import sqlite3
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from db.engine import INCREMENTAL, Database, is_denied, is_outage
from db.errors import SchemaError

_log = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_310_009  # of PostgreSQL's advisory locks, of this module alone


def _apply(connection: Connection) -> None:
    # Imported here: a command on a database that is up to date starts a quarter of a second sooner.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@cache
def _known() -> tuple[str, ...]:
    """All revisions that this program knows, newest first: the numbers that their files begin with."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return tuple(sorted((file.name.partition("_")[0] for file in files), reverse=True))


def head() -> str:
    """Give the revision that this program needs."""
    return _known()[0]


async def current(database: Database) -> str | None:
    """Give the revision that the database has, None when it is empty."""
    async with database.engine.connect() as connection:
        try:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        except (OperationalError, ProgrammingError) as error:
            if is_outage(error) or is_denied(error):
                raise
            return None  # no such table: an empty database
        return found.scalar()


async def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply the migrations that are missing; gives the revisions before and after.

    Raises `SchemaError` when the database comes from a newer program.
    """
    before = await current(database)
    _refuse_newer(before)
    if before != head():
        # A statement that rewrites a large store may take longer than any other is allowed to.
        engine = (
            database.engine if database.is_sqlite else create_async_engine(database.url, hide_parameters=True)
        )
        async with engine.connect() as connection:
            # All steps or none; and of two that begin at the same time, the second finds it done.
            if database.is_sqlite:
                await connection.execution_options(quash_begin="BEGIN IMMEDIATE")
            await connection.begin()
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_apply)
            await connection.commit()
        if engine is not database.engine:
            await engine.dispose()
        if database.is_sqlite:
            await _let_shrink(database)
    return before, head()


async def _let_shrink(database: Database) -> None:
    """Let a SQLite file give free pages back one by one; one from before needs rewriting for that, once.

    Where that cannot be done (no room on the disk, another process in it) it works as before.
    """
    connection = await database.engine.connect()
    try:
        # Past SQLAlchemy, which would begin a transaction: VACUUM takes none.
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            return
        (mode,) = await (await driver.execute("PRAGMA auto_vacuum")).fetchone()
        if mode != INCREMENTAL:
            await driver.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
            await driver.execute("VACUUM")
    except sqlite3.OperationalError as error:
        _log.warning("the database file was not rewritten, so it will not shrink by itself: %s", error)
    finally:
        await connection.close()


async def require_current(database: Database) -> None:
    """Check that the schema is the one that this program needs.

    SQLite, one community's own file, is brought up to date at once; a PostgreSQL server may be shared by
    processes of another version, so there the operator decides. Raises `SchemaError`.
    """
    found = await current(database)
    _refuse_newer(found)
    if found == head():
        return
    if not database.is_sqlite:
        raise SchemaError(
            f"The database has schema {found or 'none'} and this program needs {head()}; "
            "run `quash db upgrade` while no other Quash is running."
        )
    await upgrade(database)


def is_known(found: str | None) -> bool:
    """Tell whether a database's revision is one of this program's; no newer one is."""
    return found is None or found in _known()


def _refuse_newer(found: str | None) -> None:
    if not is_known(found):
        raise SchemaError(
            f"The database was written by a newer Quash (schema {found}); "
            "update the program, or point DATABASE_URL at another database."
        )
