"""The schema's version: bring it up to date, or say what is wrong with it (Alembic does the work)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from db.engine import Database
from db.errors import SchemaError


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


@cache
def _known() -> tuple[str, ...]:
    """All revisions that this program knows, newest first."""
    return tuple(s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions())


def head() -> str:
    """Give the revision that this program needs."""
    return _known()[0]


async def current(database: Database) -> str | None:
    """Give the revision that the database has, None when it is empty."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())


async def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply the migrations that are missing; gives the revisions before and after.

    Raises `SchemaError` when the database comes from a newer program.
    """
    before = await current(database)
    _refuse_newer(before)
    if before != head():
        async with database.engine.connect() as connection:
            await connection.run_sync(lambda c: command.upgrade(_config(c), "head"))
            await connection.commit()
    return before, head()


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


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in _known():
        raise SchemaError(
            f"The database was written by a newer Quash (schema {found}); "
            "update the program, or point DATABASE_URL at another database."
        )
