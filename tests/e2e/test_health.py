"""The health endpoint and the end of a process, as an operator sees them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot import app
from bot.clock import utc_now
from bot.health import HealthServer
from bot.sandbox import Fault
from bot.settings import Address, Settings
from bot.watch import LoopWatch
from db.engine import Database
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.forked import Forker


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_health_readiness_and_metrics(
    place: Place, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    base = f"http://127.0.0.1:{(port := _free_port())}"
    async with (
        BotProcess(place.discord, sqlite_url, tmp_path, forker, HTTP_ADDR=f"127.0.0.1:{port}"),
        aiohttp.ClientSession() as session,
    ):
        async with session.get(f"{base}/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        await _until(session, f"{base}/readyz", 200)
        async with session.get(f"{base}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        assert "quash_guilds 1" in lines
        assert "quash_deliveries_open 0" in lines


async def test_metrics_answer_while_the_database_is_away(
    place: Place, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    """A scrape a minute must not fill the log, and what is known all the same is told."""
    base = f"http://127.0.0.1:{(port := _free_port())}"
    async with (
        BotProcess(place.discord, sqlite_url, tmp_path, forker, HTTP_ADDR=f"127.0.0.1:{port}") as bot,
        aiohttp.ClientSession() as session,
    ):
        await _until(session, f"{base}/readyz", 200)
        with contextlib.closing(sqlite3.connect(sqlite_url.partition(":///")[2])) as other:
            other.execute("ALTER TABLE feeds RENAME TO feeds_away")
            for _ in range(2):
                async with session.get(f"{base}/metrics") as answer:
                    lines = (await answer.text()).splitlines()
                    assert answer.status == 200
                    assert "quash_guilds 1" in lines and "quash_database_ready 0" in lines
            other.execute("ALTER TABLE feeds_away RENAME TO feeds")
        async with session.get(f"{base}/metrics") as answer:
            assert "quash_database_ready 1" in (await answer.text()).splitlines()
    assert "Error handling request" not in bot.log


async def test_metrics_are_whole_numbers_however_large() -> None:
    async def figures() -> dict[str, float]:
        return {"entries_waiting": 1_234_567.0}

    async def troubles() -> tuple[str, ...]:
        return ()

    async with (
        HealthServer(Address("127.0.0.1", 0), troubles, figures) as server,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}/metrics") as answer,
    ):
        assert await answer.text() == "quash_entries_waiting 1234567\n"


async def test_a_request_that_never_ends_does_not_hold_the_end_up() -> None:
    """Else the process is cut off after ten seconds, with all that was still to be closed in order."""

    async def take(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def figures() -> dict[str, float]:
        return {}

    async def troubles() -> tuple[str, ...]:
        return ()

    push = web.post("/push", take)
    async with asyncio.timeout(5):
        async with HealthServer(Address("127.0.0.1", 0), troubles, figures, [push]) as server:
            _, sending = await asyncio.open_connection("127.0.0.1", server.port)
            sending.write(b"POST /push HTTP/1.1\r\nHost: quash\r\nContent-Length: 9\r\n\r\nhalf")
            await sending.drain()
            await asyncio.sleep(0.2)
        sending.close()


async def test_it_is_not_ready_while_nothing_can_be_published(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def __init__(self, *_: object) -> None: ...

        async def publish_due(self) -> None:
            raise RuntimeError

    monkeypatch.setattr(app, "Publisher", Failing)
    monkeypatch.setattr(app, "_PUBLISHING_EVERY", 0.01)
    database, stop, settled = Database(sqlite_url), asyncio.Event(), asyncio.Event()
    settled.set()
    process = app._Process(Settings(), database, utc_now, stop, None)
    parts: Any = SimpleNamespace(settled=settled)
    telling = asyncio.create_task(process._tell(parts, parts, parts))
    troubles: tuple[str, ...] = ()
    for _ in range(100):
        if troubles := await process._troubles():
            break
        await asyncio.sleep(0.05)
    assert troubles[0].startswith("publishing: failed 1")
    stop.set()
    await telling
    await database.close()


async def _until(session: aiohttp.ClientSession, url: str, status: int) -> None:
    for _ in range(100):
        async with session.get(url) as answer:
            if answer.status == status:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{url} did not come to {status}")


async def test_a_port_that_is_taken_is_one_sentence(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        bot = BotProcess(place.discord, sqlite_url, tmp_path, HTTP_ADDR=address)
        assert await bot.run_to_its_end() == 1
    assert bot.log.count("\n") == 1
    assert address in bot.log


async def test_sigterm_ends_it_in_order_and_soon(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    async with BotProcess(place.discord, sqlite_url, tmp_path) as bot:
        began = time.monotonic()
        assert await bot.stop() == 0
        assert time.monotonic() - began < 10
    assert "Traceback" not in bot.log


async def test_discord_away_at_the_start_is_waited_for(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    place.discord.faults.add(Fault("status", status=503, method="GET", path="/users/@me", times=1))
    async with BotProcess(place.discord, sqlite_url, tmp_path) as bot:
        assert "the next try is in" in bot.log
        assert await bot.stop() == 0


async def test_it_ends_soon_though_discord_leaves_it_waiting_at_its_start(
    place: Place, sqlite_url: str, tmp_path: Path
) -> None:
    stall = place.discord.faults.add(Fault("stall", method="GET", path="/users/@me", times=None))
    bot = BotProcess(place.discord, sqlite_url, tmp_path)
    await bot.spawn()
    await place.discord.wait_for(lambda _: stall.struck, 60)
    began = time.monotonic()
    assert await bot.stop() == 0
    assert time.monotonic() - began < 10
    assert bot.log == ""


@pytest.mark.parametrize("seconds", [0.5, 2.0, 5.0])
async def test_it_ends_soon_wherever_its_start_has_come_to(
    place: Place, sqlite_url: str, tmp_path: Path, seconds: float
) -> None:
    bot = BotProcess(place.discord, sqlite_url, tmp_path)
    await bot.spawn()
    await asyncio.sleep(seconds)
    began = time.monotonic()
    assert await bot.stop() in (0, -15)  # before it listens for signals, or after
    assert time.monotonic() - began < 10
    assert "Traceback" not in bot.log and "never awaited" not in bot.log


async def test_an_event_loop_that_stands_still_is_said_once_with_the_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with LoopWatch(still=0.3, every=0.05):
        await asyncio.sleep(0.5)
        assert caplog.records == []
        time.sleep(1.2)  # noqa: ASYNC251 - this is what must not happen
        await asyncio.sleep(0.5)
    first, last = [record.getMessage() for record in caplog.records]
    assert "stood still" in first and "test_health.py" in first and "time.sleep" in first
    assert "turns again" in last
