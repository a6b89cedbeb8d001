"""A newsroom, and a Discord of one's own with the real discord.py client logged in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import discord
import pytest
import yarl

from bot.alerts import fence
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.sandbox import StandIn
from db.engine import Database
from tests.alerts.house import House
from tests.alerts.place import Place
from tests.conftest import SHARED, TurnedClock

_DESCRIPTION = SHARED / "discord-openapi.json"
OPENAPI = _DESCRIPTION if _DESCRIPTION.exists() else None


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    return House(database, clock)


@pytest.fixture
async def standin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandIn]:
    """A Discord of one's own; at the end every request body was valid and allowed no mention unasked."""
    async with StandIn(openapi=OPENAPI) as there:
        monkeypatch.setattr(discord.http.Route, "BASE", there.api_url)
        yield there
        assert there.violations == []
        for request in there.requests:
            if request.method in ("POST", "PATCH") and re.search(r"/messages(/\d+)?$", request.path):
                assert request.body["allowed_mentions"]["parse"] == []
            if "message" in (request.body or {}):  # of a post in a forum
                assert request.body["message"]["allowed_mentions"]["parse"] == []


@pytest.fixture
async def client(standin: StandIn) -> AsyncIterator[discord.Client]:
    """The real client, logged in but not on the gateway: delivery needs REST alone."""
    opened = discord.Client(
        intents=discord.Intents(guilds=True),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=60.0,
        http_trace=fence.trace(),
    )
    await opened.login(standin.token)
    yield opened
    await opened.close()


@pytest.fixture
def sender(client: discord.Client) -> DiscordSender:
    return DiscordSender(client, TokenBucket(rate=10_000))


@pytest.fixture
def deliverer(house: House, sender: DiscordSender, clock: TurnedClock) -> Deliverer:
    return Deliverer(house.database, sender, clock=clock, poll=0.05)


@pytest.fixture
async def place(standin: StandIn, house: House) -> Place:
    guild = standin.world.add_guild("Digital Rights")
    feed = await house.feed()
    await house.guild(guild.id, feed)
    return Place(standin, house, guild, feed)


@pytest.fixture
async def gateway(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[discord.Client]:
    """The real client on the gateway, which tells it of channels and permissions."""
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(standin.gateway_url))
    opened = discord.Client(
        intents=discord.Intents(guilds=True),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=60.0,
        guild_ready_timeout=0.05,
    )
    running = asyncio.create_task(opened.start(standin.token))
    await standin.wait_ready()
    await opened.wait_until_ready()
    yield opened
    await opened.close()
    await running
