"""Opening the database: one `Database` per process, sessions for reading and for writing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from db.errors import DatabaseUnavailableError

_BUSY_TIMEOUT_MS = 15_000
_ALLOWED = ("sqlite+aiosqlite", "postgresql+asyncpg")


def parse_url(url: str) -> URL:
    """Check a `DATABASE_URL`; `DatabaseUnavailableError` says what is allowed, never the password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if (
        parsed is None
        or parsed.drivername not in _ALLOWED
        or (parsed.get_backend_name() == "postgresql" and not parsed.database)
    ):
        raise DatabaseUnavailableError(
            "DATABASE_URL is no database address; allowed are sqlite+aiosqlite:///FILE and "
            "postgresql+asyncpg://USER@HOST/NAME."
        )
    return parsed


class Database:
    """The database of a process.

    `async with db.read() as session` sees one consistent state; `async with db.write() as session` is
    one transaction that commits at its end and rolls back on an exception. On SQLite a writer takes the
    write lock at once (BEGIN IMMEDIATE), so that it never fails half-way for a lock it could not get; the
    writers of one process queue for it here, in the order in which they came, because SQLite's own waiting
    is by sleeping and trying again. Never ask for a second `write` inside a first.
    """

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": 10, "pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(self.url, **options)
        if self.is_sqlite:
            _tame_sqlite(self.engine)
        self._writers = asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @property
    def shown(self) -> str:
        """The address without its password, for logs."""
        return self.url.render_as_string(hide_password=True)

    async def check(self) -> None:
        """Connect once. Raises `DatabaseUnavailableError` when that cannot be done."""
        if self.is_sqlite and self.url.database and self.url.database != ":memory:":
            folder = Path(self.url.database).parent
            if not await asyncio.to_thread(folder.is_dir):
                raise DatabaseUnavailableError(
                    f"The database cannot be opened: there is no folder {folder}; make it first."
                )
        try:
            async with self.engine.connect():
                pass
        except (OSError, OperationalError) as error:
            raise DatabaseUnavailableError(
                f"The database {self.shown} cannot be opened ({_cause(error)}); "
                "check DATABASE_URL and that it is running."
            ) from error
        except Exception as error:  # asyncpg raises its own tree for wrong names and passwords
            if type(error).__module__.startswith(("asyncpg", "sqlalchemy", "sqlite3")):
                raise DatabaseUnavailableError(
                    f"The database {self.shown} refused the connection ({_cause(error)}); check DATABASE_URL."
                ) from error
            raise

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reading; what is changed in it is lost."""
        async with self._sessions() as session:
            yield session

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose changes are one transaction."""
        async with self._writers, self._sessions() as session:
            if self.is_sqlite:
                await session.connection(execution_options={"quash_begin": "BEGIN IMMEDIATE"})
            yield session
            await session.commit()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _cause(error: BaseException) -> str:
    """Give the driver's own words in one line, without statements or parameters."""
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split())[:200]


def _tame_sqlite(engine: AsyncEngine) -> None:
    """WAL, foreign keys, a patient writer; and transactions begun by us instead of by the driver."""

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("quash_begin", "BEGIN"))
