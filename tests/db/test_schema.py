"""The schema: the migrations build what the tables say, and a foreign version is refused in one sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from db import schema
from db.engine import Database, parse_url
from db.errors import DatabaseUnavailableError, SchemaError
from db.tables import PERSONAL, Base, GuildRow, NoteRow, RuleRow


@pytest.fixture
def postgres_url(empty_postgres_url: str) -> str:
    return empty_postgres_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """One that is migrated here, from nothing."""
    opened = Database(database_url)
    await schema.upgrade(opened)
    yield opened
    await opened.close()


async def test_the_migrations_build_exactly_the_tables(database: Database) -> None:
    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})  # type: ignore[arg-type]
        return [d for d in compare_metadata(context, Base.metadata) if "story_search" not in str(d)]

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_empty_database_says_so_and_an_upgraded_one_is_current(database_url: str) -> None:
    database = Database(database_url)
    assert await schema.current(database) is None
    assert await schema.upgrade(database) == (None, schema.head())
    assert await schema.upgrade(database) == (schema.head(), schema.head())
    await database.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer Quash"):
        await schema.require_current(database)


async def test_postgres_is_not_upgraded_behind_the_operators_back(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(SchemaError, match="quash db upgrade"):
        await schema.require_current(database)
    await database.close()


async def test_a_time_comes_back_aware_and_the_same(database: Database) -> None:
    moment = datetime(2026, 3, 2, 12, 30, 15, 123456, tzinfo=UTC)
    async with database.write() as session:
        session.add(GuildRow(id=1, joined_at=moment))
        session.add(RuleRow(guild_id=1, channel_id=2, created_at=moment))
    async with database.read() as session:
        row = (await session.execute(select(RuleRow))).scalar_one()
    assert row.created_at == moment
    assert row.created_at.utcoffset() is not None


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.write() as session:
            session.add(NoteRow(name="a", value="b"))
            await session.flush()
            raise RuntimeError
    async with database.read() as session:
        assert await session.get(NoteRow, "a") is None


@pytest.mark.parametrize("url", ["", "quash.db", "mysql://h/x", "postgresql+asyncpg://host", "sqlite:///x"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match="DATABASE_URL"):
        parse_url(url)


async def test_a_file_in_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/nowhere/quash.db")
    with pytest.raises(DatabaseUnavailableError, match="no folder"):
        await database.check()


async def test_a_server_that_is_away_is_one_sentence_without_the_password() -> None:
    database = Database("postgresql+asyncpg://quash:s3cret@127.0.0.1:9/quash")
    with pytest.raises(DatabaseUnavailableError) as caught:
        await database.check()
    assert "s3cret" not in str(caught.value)


def test_every_column_that_can_name_a_person_is_known_to_privacy() -> None:
    suspicious = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in {"user_id", "added_by", "created_by", "approved_by", "member_id", "author_id"}
    }
    assert suspicious <= set(PERSONAL)
