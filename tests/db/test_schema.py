"""The schema: the migrations build what the tables say, and a foreign version is refused in one sentence."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select, text

from bot import cli
from db import entries, lookups, schema
from db.engine import Database, parse_url
from db.errors import AddressError, DatabaseUnavailableError, SchemaError
from db.lookups import Viewer
from db.tables import PERSONAL, Base, DeliveryRow, GuildRow, NoteRow, RuleRow
from tests.conftest import ROOT


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


async def test_of_two_that_upgrade_at_the_same_time_the_second_finds_it_done(database_url: str) -> None:
    first, second = Database(database_url), Database(database_url)
    await asyncio.gather(schema.upgrade(first), schema.upgrade(second))
    assert await schema.current(second) == schema.head()
    await first.close()
    await second.close()


_OLD = (  # a row of each table that later steps change or read
    "INSERT INTO feeds (id, url, title, site, public, state, added_at, next_reason, claim, failures, memory) "
    "VALUES (1, 'u', '', '', false, 'active', :at, '', 0, 0, '{}')",
    "INSERT INTO guild_feeds (guild_id, feed_id, added_at, paused) VALUES (9, 1, :at, false)",
    "INSERT INTO entries (id, feed_id, key, url, title, first_seen, content_hash, summary, content, alert, "
    "state, attempts) VALUES (1, 1, 'k', '', 't', :at, '', '', '', true, 'new', 0)",
    "INSERT INTO cases (id, title, opened, updated) VALUES (1, 'The lantern case', :at, :at)",
    "INSERT INTO stories (id, url, title, source, first_seen, language, relevant, relevance, summary, text, "
    "analysis, adds, case_id) VALUES (1, '', 'A lantern subpoena', 's', :at, 'en', true, 0.9, "
    """'["It asked."]', 'periwinkle', '{}', 'new', 1)""",
    "INSERT INTO parties (id, name, name_key, kind) VALUES (1, 'Harborline', 'harborline', 'company')",
    "INSERT INTO story_parties (story_id, party_id, role, mentions) VALUES (1, 1, 'recipient', 1)",
    "INSERT INTO story_feeds (story_id, feed_id) VALUES (1, 1)",
    "INSERT INTO guilds (id, joined_at, timezone, language) VALUES (9, :at, 'UTC', 'en')",
    "INSERT INTO rules (id, guild_id, channel_id, topics, parties, keywords, exclude, min_relevance, "
    """"when", style, thread, paused, created_at) VALUES (1, 9, 2, '[]', '[]', '[]', '[]', 0.5, 'now', """
    "'full', 'off', false, :at)",
    "INSERT INTO deliveries (id, story_id, case_id, kind, target, target_id, guild_id, rule_id, reason, "
    "state, nonce, attempts, created_at, due_at) VALUES (1, 1, 1, 'card', 'channel', 2, 9, 1, '', 'sent', "
    "'q', 1, :at, :at)",
)


async def test_a_store_of_an_older_version_keeps_what_it_holds(database_url: str) -> None:
    def old(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "db" / "migrations"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")

    database = Database(database_url)
    async with database.engine.connect() as connection:
        await connection.run_sync(old)
        for row in _OLD:
            await connection.exec_driver_sql(row.replace(":at", "'2026-01-01 00:00:00.000000'"))
        await connection.commit()
    assert await schema.upgrade(database) == ("0005", schema.head())
    async with database.read() as session:
        for words in ("lanterns", "periwinkle", "asked", "harborline"):
            found = await lookups.search_stories(session, Viewer(9), words)
            assert [story.title for story in found.stories] == ["A lantern subpoena"], words
        assert list(await lookups.party_names(session, Viewer(9), "harb")) == ["Harborline"]
        assert (await session.scalars(select(DeliveryRow.message_id))).all() == [None]
        assert [rule.channel_id for rule in await session.scalars(select(RuleRow))] == [2]
    async with database.write() as session:
        (entry,) = await entries.claim_new(session, datetime(2026, 2, 1, tzinfo=UTC), 5)
        assert entry.title == "t"
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


@pytest.mark.parametrize(
    "url",
    [
        "",
        "quash.db",
        "mysql://h/x",
        "postgresql+asyncpg://host",
        "sqlite:///x",
        "sqlite+aiosqlite://secret/x",
        "postgresql+asyncpg://u:a@secret@h/n",
        "postgresql+asyncpg://u:secret@h/n?connect_timeout=5",
        "postgresql+asyncpg://u:secret@h/n?sslmode=yes",
        "postgresql+asyncpg://u:secret@/n?host=h&port=x",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(AddressError, match="DATABASE_URL") as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


def test_a_sqlite_that_is_too_old_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a system whose packages are older than its newest Python."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    with pytest.raises(AddressError, match=r"SQLite 3\.34\.1, and 3\.35 or later is needed"):
        parse_url("sqlite+aiosqlite:///quash.db")


async def test_a_role_that_may_not_make_tables_is_wrong_configuration(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a role of its own is, since PostgreSQL 15, in a database that another one made."""
    owner = Database(postgres_url)
    role = f"plain_{owner.url.database}"
    async with owner.engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        await connection.execute(text("REVOKE CREATE ON SCHEMA public FROM public"))
    monkeypatch.setattr("bot.logs.set_up", lambda *_: None)  # the log is this process's
    monkeypatch.setenv("DATABASE_URL", postgres_url.replace("postgres@", f"{role}@"))
    assert await asyncio.to_thread(cli.main, ["db", "upgrade"]) == 2
    await schema.upgrade(owner)
    assert await asyncio.to_thread(cli.main, ["db", "current"]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("quash: DATABASE_URL: its role may not do that (permission denied for ")
    async with owner.engine.begin() as connection:
        await connection.execute(text(f"DROP ROLE {role}"))
    await owner.close()


def test_sslmode_means_what_it_means_elsewhere() -> None:
    assert parse_url("postgresql+asyncpg://u@h/n?sslmode=require").query == {"ssl": "require"}


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
