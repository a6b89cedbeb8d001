"""A start while Discord is in trouble, as an operator sees it."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import aiohttp
import pytest

from bot.client import QuashClient
from bot.clock import utc_now
from bot.intake.services import Services
from bot.sandbox import Fault
from db.engine import Database
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.e2e.test_health import _free_port


async def test_it_is_not_ready_while_it_cannot_log_in(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    away = place.discord.faults.add(Fault("status", status=503, method="GET", path="/users/@me", times=None))
    port = _free_port()
    bot = BotProcess(place.discord, sqlite_url, tmp_path, HTTP_ADDR=f"127.0.0.1:{port}")
    await bot.spawn()
    try:
        await place.discord.wait_for(lambda _: away.struck, 60)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            assert answer.status == 503
            assert "Discord" in await answer.text()
    finally:
        assert await bot.stop() == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, method="GET", path="/gateway/bot", times=1),
        Fault("ratelimit", seconds=61.5, method="GET", path="/users/@me", times=1),
    ],
    ids=lambda fault: f"{fault.method} {fault.path}",
)
async def test_no_trouble_of_discords_ends_a_start(
    place: Place, sqlite_url: str, tmp_path: Path, fault: Fault
) -> None:
    trouble = place.discord.faults.add(fault)
    bot = BotProcess(place.discord, sqlite_url, tmp_path)
    await bot.spawn()
    await place.discord.wait_for(lambda _: trouble.struck, 60)
    await asyncio.sleep(2)
    assert bot.process is not None and bot.process.returncode is None, bot.log
    assert await bot.stop() == 0


async def test_it_ends_soon_while_no_connection_stands(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    """discord.py tries for ever to make one, though it is told to end."""
    away = place.discord.faults.add(Fault("status", status=503, path="/gateway", times=None))
    bot = BotProcess(place.discord, sqlite_url, tmp_path)
    await bot.spawn()
    await place.discord.wait_for(lambda _: away.struck, 60)
    began = time.monotonic()
    assert await bot.stop() == 0
    assert time.monotonic() - began < 6
    assert "ending took" not in bot.log


async def test_a_long_wait_for_a_new_session_does_not_end_it(
    place: Place, sqlite_url: str, tmp_path: Path
) -> None:
    async with BotProcess(place.discord, sqlite_url, tmp_path) as bot:
        trouble = place.discord.faults.add(
            Fault("ratelimit", seconds=61.5, method="GET", path="/gateway/bot", times=1)
        )
        place.discord.gateway.invalidate()
        await place.discord.wait_for(lambda _: trouble.struck, 30)
        await asyncio.sleep(2)
        assert bot.process is not None and bot.process.returncode is None, bot.log


async def test_commands_that_discord_does_not_take_now_hold_no_posts_up(
    place: Place, sqlite_url: str, tmp_path: Path
) -> None:
    place.discord.faults.add(
        Fault("ratelimit", seconds=3600, method="PUT", path="/applications/*/commands", times=1)
    )
    async with BotProcess(place.discord, sqlite_url, tmp_path) as bot:  # it is on the gateway
        assert "the next try is in 3600 s" in bot.log


async def test_who_starts_does_not_wait_for_another_whose_commands_discord_refuses(
    place: Place, sqlite_url: str, migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "quash.db")
    place.discord.faults.add(Fault("status", status=403, method="PUT", path="/applications/*/commands"))
    database = Database(sqlite_url)
    services = Services(database, None, utc_now, wake=lambda: None, links=None)  # type: ignore[arg-type]
    for _ in ("refused", "while the first one's turn lasts"):
        client = QuashClient(services, api_url=place.discord.api_url)
        try:
            async with asyncio.timeout(15):
                await client.login(place.discord.token)
        finally:
            await client.close()
    await database.close()


async def test_commands_that_another_program_replaced_are_sent_again(
    place: Place, sqlite_url: str, migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "quash.db")
    database = Database(sqlite_url)
    services = Services(database, None, utc_now, wake=lambda: None, links=None)  # type: ignore[arg-type]
    kept = place.discord.world.commands[None]
    for _ in ("at first", "after they were taken away"):
        kept.clear()
        client = QuashClient(services, api_url=place.discord.api_url)
        await client.login(place.discord.token)
        await client.close()
        assert "latest" in {command["name"] for command in kept.values()}
    await database.close()


async def test_a_second_bot_on_one_sqlite_ends_at_once_and_the_first_goes_on(
    place: Place, sqlite_url: str, tmp_path: Path
) -> None:
    """Both would answer each command, and both be told that it is answered."""
    (tmp_path / "second").mkdir()
    async with BotProcess(place.discord, sqlite_url, tmp_path) as first:
        second = BotProcess(place.discord, sqlite_url, tmp_path / "second")
        assert await second.run_to_its_end() == 1
        assert second.log.startswith("quash: Another Quash runs on ") and second.log.count("\n") == 1
        assert (await place.moderator.command("help")).messages
        await first.kill()
        async with BotProcess(place.discord, sqlite_url, tmp_path / "second"):
            assert (await place.moderator.command("help")).messages
