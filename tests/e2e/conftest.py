"""A stand-in Discord with a server in it, and the sample web."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.sandbox import Channel, Guild, Person, StandIn
from bot.sandbox.web import SampleWeb
from tests.conftest import SHARED


@dataclass(frozen=True, slots=True)
class Place:
    """A server with two channels, a moderator and two members."""

    discord: StandIn
    guild: Guild
    alerts: Channel
    lounge: Channel
    moderator: Person
    member: Person
    bystander: Person


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    description = SHARED / "discord-openapi.json"
    async with StandIn(openapi=description if description.is_file() else None) as discord:
        world = discord.world
        guild = world.add_guild("Digital Rights")
        alerts, lounge = world.add_channel(guild, "alerts"), world.add_channel(guild, "lounge")
        moderator, member, bystander = (world.add_user(n) for n in ("moderator", "member", "bystander"))
        role = world.add_role(guild, "moderators", ("manage_guild",))
        world.add_member(guild, moderator, role)
        world.add_member(guild, member)
        world.add_member(guild, bystander)
        people = [discord.person(u.id, guild.id, alerts.id) for u in (moderator, member, bystander)]
        yield Place(discord, guild, alerts, lounge, *people)
        assert discord.violations == [], "a request body that Discord's API description does not allow"


@pytest.fixture
async def web() -> AsyncIterator[SampleWeb]:
    async with SampleWeb(datetime.now(UTC)) as server:
        yield server
