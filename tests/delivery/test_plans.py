"""What delivery asks of SQLite on every turn reads an index, however much is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from db import deliveries, digests, schema
from db import places as places_of
from db.deliveries import Release
from db.engine import Database
from db.tables import DeliveryRow, GuildRow, RuleRow


async def test_no_question_of_a_turn_reads_a_whole_table(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await schema.upgrade(database)
    asked: list[tuple[str, Any]] = []

    def listen(
        _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool
    ) -> None:
        asked.append((statement, values[0] if many else values))

    now = datetime.now(UTC)
    places = [("channel", 1), ("channel", 2), ("user", 3)]
    rows = [DeliveryRow(case_id=1, target=target, target_id=id) for target, id in places]
    async with database.write() as session:
        session.add(GuildRow(id=1, joined_at=now))
        session.add(RuleRow(guild_id=1, channel_id=1, created_at=now))
        await session.flush()
        event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
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
        event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
        connection = await session.connection()
        for statement, values in asked:
            if statement.startswith("INSERT"):
                continue
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[3] for row in plan]
            assert not any(step.startswith(("SCAN deliveries", "SCAN destinations")) for step in steps), (
                f"{statement}: {steps}"
            )
    assert len(asked) >= 11
    await database.close()
