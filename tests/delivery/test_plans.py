"""What is asked on every turn, or while somebody waits, reads an index of SQLite's, however much is stored.

Here as where it is used SQLite plans without statistics: nobody makes any.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from db import deliveries, digests, figures, lookups, profiles, repair, restarts, rules
from db import places as places_of
from db.deliveries import Release
from db.engine import Database
from db.tables import DeliveryRow, FeedRow, GuildFeedRow, GuildRow, RuleRow, StoryRow
from db.visibility import Viewer, visible


@pytest.fixture
async def database(sqlite_url: str, migrated_sqlite: Path) -> AsyncIterator[Database]:
    opened = Database(sqlite_url)
    shutil.copyfile(migrated_sqlite, str(opened.url.database))
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def plans(database: Database, session: AsyncSession) -> AsyncIterator[dict[str, list[str]]]:
    """Give, at the end, the steps of each statement that is carried out meanwhile."""
    asked: list[tuple[str, Any]] = []
    found: dict[str, list[str]] = {}

    def listen(
        _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool
    ) -> None:
        asked.append((statement, values[0] if many else values))

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    yield found
    event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
    connection = await session.connection()
    for statement, values in asked:
        if not statement.startswith("INSERT"):
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            found[statement] = [row[3] for row in plan]


async def test_no_question_of_a_turn_reads_a_whole_table(database: Database) -> None:
    now = datetime.now(UTC)
    places = [("channel", 1), ("channel", 2), ("user", 3)]
    rows = [DeliveryRow(case_id=1, target=target, target_id=id) for target, id in places]
    async with database.write() as session:
        session.add(GuildRow(id=1, joined_at=now))
        session.add(RuleRow(guild_id=1, channel_id=1, created_at=now))
        await session.flush()
        async with plans(database, session) as of:
            await deliveries.enqueue(session, dict.fromkeys(places, now))
            claims = await deliveries.claim_destinations(session, "test", now=now, until=now, limit=9)
            assert len(claims) == 3
            await deliveries.lock(session, claims)
            await deliveries.get_heads(session, claims, now)
            await deliveries.get_first_cards(session, rows)
            await deliveries.get_last_edits(session, rows)
            await deliveries.get_case_threads(session, rows)
            await places_of.get_untold(session, 9)
            await places_of.claim_publishing(session, now=now, until=now, limit=9)
            await places_of.put_off_publishing(session, 1, now)
            await places_of.list_deliveries(session, 1, ("due", "failed", "dead"), 9)
            await deliveries.get_served(session, 1, places)
            await deliveries.get_cards(session, 1, places)
            await deliveries.get_waiting_edits(session, 1, places)
            await digests.get_slots(session, [(*place, now.isoformat()) for place in places])
            await digests.get_gathered(session, 1, places)
            await digests.get_waiting(session, places[:2], now)  # channels alone know quiet hours
            await digests.count_posts(session, {1: now, 2: now})
            await digests.get_items(session, [1], 10)
            await digests.skip(session, [1], "folded")
            await deliveries.update_deliveries(session, [{"id": 1, "state": "sent"}])
            await deliveries.let_go(session, [Release(claim, 0) for claim in claims], now=now)
    assert len(of) >= 11
    for statement, steps in of.items():
        assert not any(step.startswith(("SCAN deliveries", "SCAN destinations")) for step in steps), (
            f"{statement}: {steps}"
        )


async def test_no_look_up_and_no_start_reads_all_that_is_stored(database: Database) -> None:
    now = datetime.now(UTC)
    ago = now - timedelta(days=7)
    here = Viewer(1)
    async with database.write() as session:
        session.add(FeedRow(id=1, url="u", added_at=now))
        session.add(StoryRow(title="t", first_seen=now, relevant=True, relevance=1.0))
        await session.flush()
        session.add(GuildFeedRow(guild_id=1, feed_id=1, added_at=now))
        await session.execute(text("INSERT INTO story_search (rowid, words) VALUES (1, '_f1')"))
        await restarts.beat(session, ago)
        async with plans(database, session) as of:
            await lookups.case_names(session, here, "")
            await profiles.get_trend(session, here, (ago, ago + timedelta(days=1)), now, None)
            await rules.count_topics(session, 1, ago)
            await rules.get_seen_since(session, 1, ago, 9)
            await digests.get_stories_since(session, visible(here), ago, 9)
            await figures.counts(session)
            await figures.of_guild(session, 1, ago)
            await restarts.note_start(session, now)
            await repair.put_times_right(session, now)
    stored = ("cases", "deliveries", "demands", "entries", "stories", "story_feeds", "story_topics")
    for statement, steps in of.items():
        if "stories ORDER BY stories.id DESC" in statement:
            continue  # it stops at the first
        read = [step for step in steps for table in stored if step.startswith(f"SCAN {table}")]
        # What waits is little; what was merged into nothing is nearly all.
        read = [step for step in read if "ix_entries_new" not in step and "ix_deliveries_open" not in step]
        read += [step for step in steps if "ix_cases_merged_into" in step]
        # At each story its few feeds are looked at, not all that a server uses.
        read += [to for at, to in pairwise(steps) if at.startswith("CORRELATED") and "guild_feeds" in to]
        assert not read, f"{statement}: {steps}"
