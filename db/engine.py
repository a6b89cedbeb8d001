"""Opening the database: one `Database` per process, sessions for reading and for writing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL, Connection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from db.errors import AddressError, DatabaseUnavailableError

_log = logging.getLogger(__name__)

_BUSY_TIMEOUT_MS, _BUSY_TRIES = 3_000, 5  # a process must be able to end within 10 s
# Per process: a PostgreSQL lets in 100 by default, and several processes share it. Times in seconds.
_POSTGRES: dict[str, Any] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": 15,
    "pool_pre_ping": True,
    "connect_args": {"timeout": 10, "command_timeout": 60},
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_AWAY = ("08", "25006", "53", "57", "58")  # connection, read only, resources, operator, system
# https://www.sqlite.org/rescode.html
_SQLITE_AWAY = ("BUSY", "LOCKED", "FULL", "READONLY", "IOERR", "CANTOPEN", "NOMEM", "PROTOCOL")
# Bytes, of a new file; one that exists keeps its own. An entry with its text takes some 3 KB: of these one
# fits SQLite's usual 4,096, and storing 25,000 took a quarter more work.
_PAGE = 8192
# KiB of pages that a connection may keep at hand; SQLite's usual 2,000 are less than one batch of new entries
# takes, and what has to make room is written and read again.
_CACHE = 16_000
_LOG = 64 * 2**20  # bytes of SQLite's log that are left on the disk after a large change, as an upgrade
_OLDEST = (3, 35)  # of SQLite, that knows RETURNING and DROP COLUMN
INCREMENTAL = 2  # SQLite's number for an auto_vacuum that gives free pages back when asked
_ALLOWED = ("sqlite+aiosqlite", "postgresql+asyncpg")
# What may follow a PostgreSQL address after `?`: what asyncpg takes as text.
_POSTGRES_OPTIONS = (
    "host", "passfile", "port", "prepared_statement_cache_size", "ssl", "target_session_attrs",
)  # fmt: skip
_NUMBERS = ("port", "prepared_statement_cache_size")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def sqlite_file(url: URL) -> Path | None:
    """Give the file of a SQLite database; None for one in memory, and for PostgreSQL."""
    kept = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if kept else None


def parse_url(url: str) -> URL:
    """Check a `DATABASE_URL`; `AddressError` says what is allowed, never the password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a ValueError of the port
        parsed = None
    if parsed is None or parsed.drivername not in _ALLOWED:
        raise _no_address()
    if parsed.get_backend_name() == "sqlite":
        if parsed.host:
            raise _no_address()
        if sqlite3.sqlite_version_info < _OLDEST:
            raise AddressError(
                f"DATABASE_URL: this Python comes with SQLite {sqlite3.sqlite_version}, and "
                f"{'.'.join(map(str, _OLDEST))} or later is needed; take another Python, or PostgreSQL."
            )
        return parsed
    if not parsed.database or "@" in (parsed.host or ""):  # which would be a part of the password
        raise _no_address()
    if "sslmode" in parsed.query:  # so every other program calls it
        mode = parsed.query["sslmode"]
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    foreign = sorted(set(parsed.query).difference(_POSTGRES_OPTIONS))
    if foreign:
        raise AddressError(
            f"DATABASE_URL: after ? it has {foreign[0][:60]}; allowed there are "
            f"{', '.join(_POSTGRES_OPTIONS)}."
        )
    for name in _NUMBERS:  # of several hosts several, one behind the other or with commas between
        given = parsed.normalized_query.get(name, ("0",))
        if not all(each.replace(",", "").isdigit() for each in given):
            raise AddressError(f"DATABASE_URL: {name} is no whole number.")
    if parsed.query.get("ssl", _SSL_MODES[0]) not in _SSL_MODES:
        raise AddressError(f"DATABASE_URL: ssl is none of the modes allowed: {', '.join(_SSL_MODES)}.")
    return parsed


def _no_address() -> AddressError:
    return AddressError(
        "DATABASE_URL is no database address; allowed are sqlite+aiosqlite:///FILE and "
        "postgresql+asyncpg://USER@HOST/NAME (in a password, @ is written %40)."
    )


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says that the database is away, full or locked, and not that it was misused."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_outage(each) for each in error.exceptions)
    if isinstance(error, OSError | PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or error.statement is None:  # lost, or not had at all
        return True
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).removeprefix("SQLITE_").startswith(_SQLITE_AWAY)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_POSTGRES_AWAY)
    return isinstance(error, OperationalError)


def is_denied(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL does not allow its role what was asked."""
    return getattr(error.orig, "sqlstate", None) == "42501"


def is_damaged(error: DBAPIError) -> bool:
    """Tell whether SQLite found its file damaged."""
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def report(error: BaseException, doing: str) -> None:
    """Log what failed in a loop that goes on, unless the database is away, which `Outage` tells once."""
    if not is_outage(error):
        _log.error("%s failed inside Quash", doing, exc_info=error)


class Outage:
    """What is the matter with the database at present: said when it begins and, counted, when it ends."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._began = 0.0
        self._count = 0
        self.cause = ""

    def failed(self, kind: str, error: BaseException) -> None:
        """Note that a transaction of this kind ("read", "write") failed for want of the database."""
        if not self._kinds:
            self._began, self._count, self.cause = time.monotonic(), 0, _cause(error)
            _log.error("the database does not do its work (%s); what needs it waits", self.cause)
        self._kinds.add(kind)
        self._count += 1

    def worked(self, kind: str) -> None:
        """Note that a transaction went through: what can be written can be read, too."""
        if not self._kinds:
            return
        self._kinds = set() if kind == "write" else self._kinds - {"read"}
        if not self._kinds:
            lasted = time.monotonic() - self._began
            _log.warning("the database works again after %.0f s (%d failures)", lasted, self._count)
            self.cause = ""


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
        # What people follow and look for stands in no log: errors tell statements without their values.
        self.engine: AsyncEngine = create_async_engine(
            self.url, hide_parameters=True, **({} if self.is_sqlite else _POSTGRES)
        )
        self.outage = Outage()
        if self.is_sqlite:
            _tame_sqlite(self.engine)
        else:
            event.listen(self.engine.sync_engine, "handle_error", _without_values)
        self._writers = asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @property
    def shown(self) -> str:
        """The address without its password, for logs."""
        return self.url.render_as_string(hide_password=True)

    async def check(self) -> None:
        """Connect once. Raises `DatabaseUnavailableError` when that cannot be done."""
        if (file := sqlite_file(self.url)) is not None:
            folder = file.parent
            if not await asyncio.to_thread(folder.is_dir):
                raise DatabaseUnavailableError(
                    f"The database cannot be opened: there is no folder {folder}; make it first."
                )
        try:
            async with self.engine.connect():
                pass
        except (OSError, SQLAlchemyError) as error:
            needed = "its folder can be written to" if self.is_sqlite else "it is running"
            raise DatabaseUnavailableError(
                f"The database {self.shown} cannot be opened ({_cause(error)}); check DATABASE_URL and that "
                f"{needed}."
            ) from error

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reading; what is changed in it is lost."""
        async with self._watched("read"), self._sessions() as session:
            yield session

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose changes are one transaction."""
        async with self._writers, self._watched("write"), self._begun() as session:
            yield session
            if self.is_sqlite and self.outage.cause:
                # What changes nothing goes through with a full disk, too, and would end the outage.
                await session.execute(text("PRAGMA user_version = 0"))
            await session.commit()

    @contextlib.asynccontextmanager
    async def _begun(self) -> AsyncIterator[AsyncSession]:
        """Give a session for writing, on SQLite one that has the write lock.

        It is asked for a few times in a row: a task that is to end must not hang in SQLite's own waiting.
        """
        for tries_left in reversed(range(_BUSY_TRIES)):
            async with self._sessions() as session:
                try:
                    if self.is_sqlite:
                        await session.connection(execution_options={"quash_begin": "BEGIN IMMEDIATE"})
                except OperationalError:
                    if not tries_left:
                        raise
                    continue
                yield session
                return

    @contextlib.asynccontextmanager
    async def _watched(self, kind: str) -> AsyncIterator[None]:
        """Note whether the database did its work."""
        try:
            yield
        except BaseException as error:
            if is_outage(error):
                self.outage.failed(kind, error)
            raise
        self.outage.worked(kind)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _cause(error: BaseException) -> str:
    """Give the driver's own words in one line, without statements or parameters."""
    original = getattr(error, "orig", None) or error
    if words := " ".join(str(original).split())[:200]:
        return words
    return "no answer in time" if isinstance(original, TimeoutError) else type(original).__name__


def _without_values(context: ExceptionContext) -> None:
    """Take out of PostgreSQL's own error what it tells of a row ("Key (...)=(...) already exists")."""
    cause = getattr(context.original_exception, "__cause__", None)
    if cause is not None and hasattr(cause, "detail"):
        cause.detail = None


def _tame_sqlite(engine: AsyncEngine) -> None:
    """WAL, foreign keys, a patient writer; and transactions begun by us instead of by the driver."""

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA page_size = {_PAGE}")
        # Before the first page is written, else only VACUUM makes it so (`db.schema.upgrade`). Not where it
        # is so: saying it again writes, and who only reads would wait for whoever writes.
        cursor.execute("PRAGMA auto_vacuum")
        if cursor.fetchone() != (INCREMENTAL,):
            cursor.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA journal_size_limit = {_LOG}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA cache_size = -{_CACHE}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("quash_begin", "BEGIN"))
