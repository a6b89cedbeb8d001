"""The real client with all cogs, on a stand-in Discord, over a newsroom in a real database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from bot.client import QuashClient
from bot.feeds.articles import PageFetcher
from bot.feeds.fetch import Fetcher
from bot.feeds.limits import FeedLimits
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.intake.links import LinkReader
from bot.intake.services import Services
from bot.sandbox import Channel, Guild, Person, StandIn
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db.engine import Database
from tests.alerts.house import House
from tests.conftest import SHARED, TurnedClock

_DESCRIPTION = SHARED / "discord-openapi.json"

SOON = 0.2  # seconds in which the stand-in tells the next server


@dataclass(slots=True)
class Scene:
    """A server with the bot in it; `other` is a server that uses none of the feeds."""

    discord: StandIn
    house: House
    guild: Guild
    channel: Channel
    other: Guild
    moderator: Person
    member: Person
    stranger: Person
    alone: Person
    client: QuashClient | None = None
    services: Services | None = None


async def read_here(article: Article) -> Story:
    """Analyse in this process: what a pool of processes adds is tested in `tests/intake`."""
    return await asyncio.to_thread(analyse, article)


@pytest.fixture
async def scene(
    database: Database, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.client._SESSION_EVERY", 0.5)  # seconds; who starts anew need not wait for five
    house = House(database, clock)
    limits = FeedLimits(interval=1, interval_min=1, allow_networks=(ip_network("127.0.0.0/8"),))
    openapi = _DESCRIPTION if _DESCRIPTION.is_file() else None
    async with StandIn(openapi=openapi) as discord, Fetcher(limits) as fetcher, ParserPool(1) as parser:
        made = _people(discord, house)
        feeds = FeedService(database, fetcher, parser, clock, limits)
        links = LinkReader(read_here, PageFetcher(fetcher, clock).fetch_page)
        services = Services(database, feeds, clock, wake=lambda: None, links=links)
        client = QuashClient(services, api_url=discord.api_url, servers_within=SOON)
        running = asyncio.create_task(client.start(discord.token))
        await discord.wait_ready()
        await asyncio.wait_for(client.wait_until_ready(), 20)
        made.client, made.services = client, services
        yield made
        await client.close()
        services.charts.close()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert discord.violations == []


def _people(discord: StandIn, house: House) -> Scene:
    world = discord.world
    guild, other = world.add_guild("Digital Rights"), world.add_guild("Elsewhere")
    channel, there = world.add_channel(guild, "alerts"), world.add_channel(other, "talk")
    moderator, member, stranger = (world.add_user(name) for name in ("moderator", "member", "stranger"))
    alone = world.add_user("alone", has_app=True)
    world.add_member(guild, moderator, world.add_role(guild, "moderators", ("manage_guild",)))
    world.add_member(guild, member)
    world.add_member(other, stranger)
    return Scene(
        discord,
        house,
        guild,
        channel,
        other,
        discord.person(moderator, guild, channel),
        discord.person(member, guild, channel),
        discord.person(stranger, other, there),
        discord.person(alone),
    )
