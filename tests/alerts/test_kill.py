"""A real process is killed in the middle of a send; the next one loses nothing and repeats nothing."""

from __future__ import annotations

import asyncio
import sys

import pytest

from bot.alerts.deliver import Deliverer
from bot.alerts.sender import DiscordSender
from bot.sandbox import Fault, StandIn
from db import schema
from db.engine import Database
from tests.alerts.house import House
from tests.conftest import ROOT, TurnedClock


@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_while_the_answer_is_awaited(
    standin: StandIn, sender: DiscordSender, sqlite_url: str, clock: TurnedClock, when: str
) -> None:
    database = Database(sqlite_url)
    await schema.upgrade(database)
    house = House(database, clock)
    guild = standin.world.add_guild("Digital Rights")
    channel = standin.world.add_channel(guild, "alerts")
    feed = await house.feed()
    await house.guild(guild.id, feed)
    await house.rule(guild.id, channel.id)
    for number in range(3):
        await house.story(feed, await house.case(f"Case {number}"), title=f"Story {number}")
    path = f"/channels/{channel.id}/messages"
    standin.faults.add(Fault("stall", when=when, method="POST", path=path, skip=1))

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.alerts.dying", sqlite_url, standin.api_url, standin.token, cwd=ROOT
    )
    try:
        await standin.wait_for(lambda d: sum(r.path == path for r in d.requests) == 2, timeout=30)
    finally:
        process.kill()
        await process.wait()
    assert [row.state for row in await house.deliveries()] == ["sent", "sending", "due"]

    stop = asyncio.Event()
    following = asyncio.create_task(Deliverer(database, sender).run(stop))
    await standin.wait_for(lambda d: len(d.messages(channel.id)) == 3, timeout=15)
    stop.set()
    await asyncio.wait_for(following, 10)
    assert [row.message_id for row in await house.deliveries()] == [
        m.id for m in standin.messages(channel.id)
    ]
    await database.close()
