"""A stand-in, and the real discord.py client joined to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
import yarl

from bot.sandbox import StandIn
from tests.sandbox.town import OPENAPI, Bot, Join, Town


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    async with StandIn(openapi=OPENAPI) as standin:
        monkeypatch.setattr(discord.http.Route, "BASE", standin.api_url)
        gateway = yarl.URL(standin.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        yield Town(standin)
        assert standin.violations == []


@pytest.fixture
async def join(town: Town) -> AsyncIterator[Join]:
    """Start a client and wait until it is ready; ends all that were started."""
    running: list[tuple[discord.Client, asyncio.Task[None]]] = []

    async def start(setup: Callable[[Bot], Awaitable[None]] | None = None, **more: object) -> Bot:
        bot = Bot(setup, **more)
        running.append((bot, asyncio.create_task(bot.start(town.discord.token))))
        await asyncio.wait_for(bot.ready(running[-1][1]), 20)
        return bot

    yield start
    for bot, task in running:
        await bot.close()
        await asyncio.wait([task])
