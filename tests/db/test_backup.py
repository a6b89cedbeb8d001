"""Copies of a database in use, restored older ones, and the check of what must always hold."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot import cli
from bot.alerts.steps import Step
from bot.sandbox import StandIn
from db import guilds, restarts, schema
from db.backup import BackupError, back_up
from db.check import check
from db.engine import Database
from db.tables import CaseRow, DeliveryRow, EntryRow, FeedRow, GuildFeedRow, NoteRow, RuleRow, StoryRow
from tests.delivery.process import Nursery, Run

TITLES = (
    "Agency withdraws summons for the names behind a critical account",
    "Agency withdraws its subpoena against a second critical account",
)
TEXT = """Customs and Border Protection has withdrawn an administrative summons that ordered Twitter to hand
over the names behind an account critical of the government. Twitter had sued in federal court, saying that
the summons was unlawful and that the Constitution protects anonymous speech. """


@pytest.fixture
async def opened(tmp_path: Path) -> Database:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/quash.db")
    await schema.upgrade(database)
    return database


def _named(folder: Path, part: str) -> list[str]:
    return [file.name for file in folder.iterdir() if part in file.name]


async def test_a_copy_made_while_others_write_is_whole(opened: Database, tmp_path: Path) -> None:
    done = asyncio.Event()

    async def write() -> None:
        count = 0
        while not done.is_set():
            async with opened.write() as session:
                # Two rows that must be seen together or not at all.
                session.add(NoteRow(name=f"a{count}", value="x" * 2000))
                session.add(NoteRow(name=f"b{count}", value="x" * 2000))
            count += 1

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    for number in range(3):
        copied = await asyncio.to_thread(back_up, opened, tmp_path / f"copy{number}.db")
        assert copied.schema == schema.head()
    done.set()
    await writing
    counts = []
    for number in range(3):
        with sqlite3.connect(tmp_path / f"copy{number}.db") as copy:
            of = dict(copy.execute("SELECT substr(name, 1, 1), count(*) FROM notes GROUP BY 1"))
        assert of.get("a") == of.get("b")
        counts.append(of.get("a", 0))
    assert counts == sorted(counts)
    assert not _named(tmp_path, "part")
    await opened.close()


async def test_a_copy_overwrites_nothing_and_a_failed_one_leaves_nothing(
    opened: Database, tmp_path: Path
) -> None:
    there = tmp_path / "there.db"
    there.write_text("precious")
    with pytest.raises(BackupError, match="not overwritten"):
        back_up(opened, there)
    assert there.read_text() == "precious"
    with pytest.raises(BackupError, match="is a folder"):
        back_up(opened, Path())
    with pytest.raises(BackupError, match="no folder"):
        back_up(opened, tmp_path / "nowhere" / "copy.db")
    await opened.close()
    (tmp_path / "quash.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(BackupError, match="could not be made"):
        back_up(opened, tmp_path / "copy.db")
    assert not _named(tmp_path, "copy")


async def test_the_check_finds_what_must_never_be(database: Database) -> None:
    assert all(one.ok for one in await check(database))
    now = datetime.now(UTC)
    async with database.write() as session:
        case = CaseRow(title="a", opened=now, updated=now)
        session.add(case)
        await session.flush()
        session.add(CaseRow(id=77, title="b", opened=now, updated=now, merged_into=case.id))
        story = StoryRow(title="t", first_seen=now, relevant=True, relevance=1.0, case_id=77)
        session.add(story)
        await session.flush()
        session.add(
            DeliveryRow(
                story_id=story.id, kind="card", target="channel", target_id=1, nonce="q",
                created_at=now, due_at=now,
            )
        )  # fmt: skip
    bad = [one.what for one in await check(database) if not one.ok]
    assert [what.split(" (")[0] for what in bad] == [
        "deliveries that wait where nobody looks",
        "stories in a case that was merged into another",
        "relevant stories that no search finds",
    ]


async def test_the_commands_say_one_line_each_and_their_status_says_it_too(
    opened: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await opened.close()
    monkeypatch.setattr("bot.logs.set_up", lambda *_: None)  # the log is this process's
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/quash.db")
    copy = str(tmp_path / "copy.db")
    assert await asyncio.to_thread(cli.main, ["db", "backup", copy]) == 0
    assert "checked" in capsys.readouterr().out
    assert await asyncio.to_thread(cli.main, ["db", "backup", copy]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert await asyncio.to_thread(cli.main, ["db", "check"]) == 0
    assert "all" in capsys.readouterr().out
    with sqlite3.connect(tmp_path / "quash.db") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO story_topics VALUES (99, 'surveillance', 1.0)")
    connection.close()
    assert await asyncio.to_thread(cli.main, ["db", "check"]) == 1
    assert "BAD references: 1 rows refer to nothing (story_topics)" in capsys.readouterr().out


# ------------------------------------------------------------ an older copy comes back


async def _feed(database: Database, guild: int, channel: int) -> None:
    now = datetime.now(UTC)
    async with database.write() as session:
        feed = FeedRow(url="https://news.example/feed", title="The News", language="en", added_at=now)
        session.add(feed)
        await session.flush()
        await guilds.remember(session, guild, now)
        session.add(GuildFeedRow(guild_id=guild, feed_id=feed.id, added_at=now))
        session.add(RuleRow(guild_id=guild, channel_id=channel, created_at=now))


async def _bring(database: Database, number: int, *, dated: bool) -> None:
    now = datetime.now(UTC)
    async with database.write() as session:
        session.add(
            EntryRow(
                feed_id=1, key=str(number), url=f"https://news.example/{number}", url_key=str(number),
                title=TITLES[number], content=TEXT * 5, first_seen=now, published=now if dated else None,
                state="new", alert=True,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("copied", "dated"),
    [
        ("before the story came in", True),
        ("before the story came in", False),
        ("while its message was due", True),
    ],
)
async def test_a_restored_older_copy_posts_nothing_twice(
    opened: Database, tmp_path: Path, copied: str, dated: bool
) -> None:
    """What came in after the copy was made comes in again after it is restored, long after Discord has
    forgotten the nonces."""
    ahead = 0.0
    async with StandIn(now=lambda: time.time() + ahead) as discord, Nursery() as nursery:
        guild = discord.world.add_guild("Digital Rights")
        channel = discord.world.add_channel(guild, "news").id
        await _feed(opened, guild.id, channel)
        url = f"sqlite+aiosqlite:///{tmp_path}/quash.db"

        async def live(kill_at: str = "") -> int:
            run = Run(url, discord.api_url, discord.token, ahead, kill_at)
            return await nursery.live(run, within=240)  # on a busy machine too

        assert await live() == 0
        if copied == "while its message was due":
            await _bring(opened, 0, dated=dated)
            assert await live(str(int(Step.STORY_COMMITTED))) == -9
        back_up(opened, tmp_path / "copy.db")
        if copied == "before the story came in":
            await _bring(opened, 0, dated=dated)
        assert await live() == 0
        assert len(discord.messages(channel)) == 1
        await opened.close()
        for end in ("", "-wal", "-shm"):
            (tmp_path / f"quash.db{end}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "copy.db", tmp_path / "quash.db")
        ahead = 700.0
        restored = Database(url)
        if copied == "before the story came in":
            await _bring(restored, 0, dated=dated)
        await _bring(restored, 1, dated=dated)
        assert await live() == 0
        await restored.close()
        told = [
            [title in message.text for message in discord.messages(channel)].count(True) for title in TITLES
        ]
        assert told[0] == 1
        assert len(discord.messages(channel)) <= 2


async def test_a_short_pause_doubts_nothing_and_a_long_one_only_what_was_out_before_it_ended(
    database: Database,
) -> None:
    start = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    later = start + timedelta(hours=3)
    async with database.write() as session:
        assert await restarts.note_start(session, start) is None
        assert await restarts.note_start(session, start + timedelta(seconds=50)) is None
        assert await restarts.note_start(session, later) == timedelta(hours=3) - timedelta(seconds=50)
        story = StoryRow(title="t", first_seen=start, relevant=True, relevance=1.0)
        session.add(story)
        await session.flush()

        async def intent(published: datetime | None, now: datetime) -> bool:
            await session.execute(text("DELETE FROM deliveries"))
            row = DeliveryRow(
                story_id=story.id, kind="card", target="channel", target_id=1, nonce="q",
                created_at=now, due_at=now,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            await restarts.doubt(session, story.id, published, now)
            await session.refresh(row)
            return row.intent_at is not None

        assert await intent(later - timedelta(minutes=5), later)
        assert await intent(None, later)
        assert not await intent(later + timedelta(minutes=5), later + timedelta(minutes=6))
        assert not await intent(later - timedelta(minutes=5), later + timedelta(days=8))
