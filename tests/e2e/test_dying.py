"""`quash run` itself dies at every step on a story's way, one death after the other: posted once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.alerts.steps import Step
from bot.sandbox.web import SampleWeb
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.forked import Forker

_WAY = (
    Step.ENTRY_CLAIMED,
    Step.STORY_READ,
    Step.DELIVERIES_OWED,
    Step.STORY_COMMITTED,
    Step.INTENT_STORED,
    Step.INTENT_COMMITTED,
    Step.REQUEST_LEAVES,
    Step.ANSWER_CAME,
    Step.OUTCOME_STORED,
    Step.OUTCOME_COMMITTED,
)


@pytest.mark.timeout(600)
async def test_a_story_is_posted_once_though_the_program_dies_at_every_step_of_its_way(
    place: Place, web: SampleWeb, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    discord = place.discord
    async with BotProcess(discord, sqlite_url, tmp_path, forker) as bot:
        await place.moderator.command("feeds add", address=web.feed_urls[0])
        await place.moderator.command("alerts add", channel=place.alerts, topics="legal-demands")
        await place.member.command("subscribe topic", topic="anonymity")
        await bot.kill()
    web.turn_to(1)
    for step in _WAY:
        dying = BotProcess(discord, sqlite_url, tmp_path, forker, QUASH_KILL_AT=str(int(step)))
        assert await dying.run_to_its_end() == -9, step
    async with BotProcess(discord, sqlite_url, tmp_path, forker) as bot:
        await discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=60)
        await discord.wait_for(lambda d: d.direct_messages(place.member.user_id), timeout=60)
        await asyncio.sleep(3)  # nothing more comes
        await bot.kill()
    assert len(discord.messages(place.alerts.id)) == 1
    assert len(discord.direct_messages(place.member.user_id)) == 1
