"""Who asks while feeds are read and a story goes out to many channels is answered as promptly as ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.sandbox import Answer, Person
from bot.sandbox.web import SampleWeb
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place

_CHANNELS = 40
_AT_ONCE = 4  # members who ask
_PROMPT = 1.0  # seconds until an answer is acknowledged


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

        async def ask(name: str) -> tuple[Answer, bool]:
            """One look-up, and whether it was answered while the story went out."""
            answer = await _person(place, name).command("latest")
            return answer, 0 < reached() < _CHANNELS

        web.turn_to(1)
        asked: list[tuple[Answer, bool]] = []
        async with asyncio.timeout(60):
            while reached() < _CHANNELS:
                names = [f"member-{len(asked) + number}" for number in range(_AT_ONCE)]
                asked += await asyncio.gather(*map(ask, names))
        meanwhile = [answer.seconds for answer, was_meanwhile in asked if was_meanwhile]
        assert len(meanwhile) >= _AT_ONCE
        assert max(meanwhile) < _PROMPT
        assert await bot.stop() == 0
