"""Who asks while feeds are read and a story goes out to many channels is answered as promptly as ever.

The second in which an answer is to be acknowledged is one of a machine that is the bot's own. Where others
use the processors, too, the bot and Discord's stand-in (this process) stand in line for them; the system
counts how long, and that time is no fault of the bot's. All else counts: what the bot computes, what it
waits for in the database or behind the story that goes out, whoever has slept.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from bot.sandbox import Person
from bot.sandbox.web import SampleWeb
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place

_CHANNELS = 40
_AT_ONCE = 4  # members who ask
_PROMPT = 1.0  # seconds until an answer is acknowledged, without those in line for a processor


def _in_line(process: int) -> float:
    """Give the seconds that the main thread of a process was ready to run and others ran instead, so far.

    The second number of https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat; none is
    known where there is no such file: then all time counts.
    """
    found = Path(f"/proc/{process}/schedstat")
    return int(found.read_text().split()[1]) / 1e9 if found.exists() else 0.0


def _person(place: Place, name: str, *, manages: bool = False) -> Person:
    """Somebody new, who has not used up what one may ask in a minute."""
    world = place.discord.world
    user = world.add_user(name)
    world.add_member(
        place.guild, user, *([world.add_role(place.guild, name, ("manage_guild",))] if manages else [])
    )
    return place.discord.person(user, place.guild, place.lounge)


async def test_a_member_is_answered_within_a_second_while_a_story_goes_out(
    place: Place, web: SampleWeb, sqlite_url: str, tmp_path: Path
) -> None:
    discord = place.discord
    channels = [discord.world.add_channel(place.guild, f"news-{number}") for number in range(_CHANNELS)]
    async with BotProcess(discord, sqlite_url, tmp_path) as bot:
        added = await place.moderator.command("feeds add", address=web.feed_urls[0])
        assert "The Civic Wire" in added.text
        for number, channel in enumerate(channels):
            if number % 4 == 0:
                moderator = _person(place, f"moderator-{number}", manages=True)
            made = await moderator.command("alerts add", channel=channel, topics="legal-demands")
            assert "legal-demands" in made.text, made.text

        def reached() -> int:
            return sum(bool(discord.messages(channel.id)) for channel in channels)

        assert bot.process is not None
        loops = bot.process.pid, os.getpid()

        async def ask(name: str) -> tuple[float, bool]:
            """The time of one look-up, and whether the story went out while it was under way."""
            person = _person(place, name)
            early = reached() < _CHANNELS
            began, before = time.monotonic(), [_in_line(loop) for loop in loops]
            answer = await person.command("latest")
            whole = time.monotonic() - began
            # The longer of both, and no sum: they may stand in line at the same time.
            lost = max(_in_line(loop) - at for loop, at in zip(loops, before, strict=True))
            return answer.seconds * (1 - lost / whole), early and reached() > 0

        web.turn_to(1)
        asked: list[tuple[float, bool]] = []
        async with asyncio.timeout(60):
            while reached() < _CHANNELS:
                names = [f"member-{len(asked) + number}" for number in range(_AT_ONCE)]
                asked += await asyncio.gather(*map(ask, names))
        meanwhile = [seconds for seconds, was_meanwhile in asked if was_meanwhile]
        assert len(meanwhile) >= _AT_ONCE
        assert max(meanwhile) < _PROMPT
        assert await bot.stop() == 0
