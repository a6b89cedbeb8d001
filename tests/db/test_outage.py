"""The database goes away and comes back: said once, waited for, and nothing is left half done."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from db import notes, notify, schema
from db.engine import Database, Outage, is_outage


async def _put(database: Database, value: str) -> None:
    async with database.write() as session:
        await notes.put(session, "a", value)


async def test_a_locked_file_is_said_once_and_counted_at_the_end(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine._BUSY_TIMEOUT_MS", 50)
    database = Database(sqlite_url)
    await schema.upgrade(database)
    await _put(database, "before")
    other = sqlite3.connect(tmp_path / "quash.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(DBAPIError) as caught:
            await _put(database, "meanwhile")
        assert is_outage(caught.value)
    assert "locked" in database.outage.cause
    async with database.read() as session:
        assert await notes.get(session, "a") == "before", "who reads is not held up"
    assert database.outage.cause, "and that it can be read does not end it"
    other.execute("ROLLBACK")
    other.close()
    await _put(database, "after")
    assert database.outage.cause == ""
    said = [record.getMessage() for record in caplog.records if record.name == "db.engine"]
    assert len(said) == 2
    assert "locked" in said[0]
    assert "3 failures" in said[1]
    await database.close()


async def test_a_full_disk_is_no_less_full_for_who_writes_nothing(
    sqlite_url: str, migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "quash.db")
    database = Database(sqlite_url)
    await _put(database, "before")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "quash.db-wal").stat().st_size, usual[1]))
    try:
        with pytest.raises(DBAPIError):
            await _put(database, "meanwhile")
        with pytest.raises(DBAPIError):
            async with database.write():
                pass  # as who looks for what is due, and finds nothing
        assert database.outage.cause
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    async with database.write():
        pass
    assert database.outage.cause == ""
    await database.close()


async def test_a_statement_that_is_wrong_is_no_outage(database: Database) -> None:
    from sqlalchemy import text

    with pytest.raises(DBAPIError) as caught:
        async with database.write() as session:
            await session.execute(text("SELECT nothing FROM nowhere"))
    assert not is_outage(caught.value)
    assert not database.outage.cause


async def test_a_bell_is_heard_whatever_the_address_says_of_the_connection(postgres_url: str) -> None:
    database, stop, heard = Database(f"{postgres_url}&ssl=prefer"), asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(notify.Listener(database, {notify.ENTRIES: heard.set}).run(stop))
    await asyncio.wait_for(heard.wait(), 5)  # it listens
    heard.clear()
    async with database.write() as session:
        await notify.ring(session, notify.ENTRIES)
    await asyncio.wait_for(heard.wait(), 5)
    stop.set()
    await listening
    await database.close()


def test_a_server_that_says_nothing_at_all_is_told_in_words() -> None:
    outage = Outage()
    outage.failed("read", TimeoutError())
    assert outage.cause == "no answer in time"


async def test_connections_that_are_cut_and_refused_are_an_outage(
    postgres_address: str, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres_url)
    await schema.upgrade(database)
    await _put(database, "before")
    name = str(database.url.database)
    admin = await asyncpg.connect(postgres_address.format(name="postgres").replace("+asyncpg", ""))
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        for _ in range(2):
            with pytest.raises(DBAPIError) as caught:
                await _put(database, "meanwhile")
            assert is_outage(caught.value)
        assert database.outage.cause
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await admin.close()
    await _put(database, "after")
    assert database.outage.cause == ""
    said = [record.getMessage() for record in caplog.records if record.name == "db.engine"]
    assert len(said) == 2
    await database.close()
