"""What a server is told about its feeds: one sentence, once, in one channel; also after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Fault
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.feeds.web import Site, rss, serving
from tests.forked import Forker


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        opened.say(body=rss(["a", "b", "c"], title="The *Old* Paper @everyone"))
        yield opened


async def _watch(place: Place, site: Site) -> None:
    added = await place.moderator.command("feeds add", address=site.url())
    assert "is watched from now on" in added.text
    for channel in (place.alerts, place.lounge):
        await place.moderator.command("alerts add", channel=channel, relevance=0.5)


async def test_a_feed_that_is_gone_is_told_once(
    place: Place, site: Site, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    discord = place.discord
    async with BotProcess(discord, sqlite_url, tmp_path, forker, FEED_INTERVAL_MAX="1") as bot:
        await _watch(place, site)
        site.say(status=410)
        await discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=30)
        (told,) = discord.messages(place.alerts.id)
        assert "is gone for good, says its server" in told.text
        assert "/feeds remove" in told.text
        assert r"\*Old\*" in told.text, "a stranger's title is plain words"
        assert "@everyone" not in told.text

        await bot.kill()
        await bot.start()
        await asyncio.sleep(3)  # it tells twice a second
        assert len(discord.messages(place.alerts.id)) == 1, "told once, also after a restart"
        assert discord.messages(place.lounge.id) == [], "one channel of a server is enough"
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log


async def test_killed_while_telling_it_still_tells_once(
    place: Place, site: Site, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    """The message is posted and the answer never comes: the bot cannot know, and is killed."""
    discord = place.discord
    async with BotProcess(discord, sqlite_url, tmp_path, forker, FEED_INTERVAL_MAX="1") as bot:
        await _watch(place, site)
        discord.faults.add(
            Fault("stall", when="after", method="POST", path="/channels/*/messages", seconds=60, times=1)
        )
        site.say(status=410)
        await discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=30)
        await bot.kill()
        await bot.start()
        await asyncio.sleep(5)  # the turn of the one that was killed is over, and it tells twice a second
        assert len(discord.messages(place.alerts.id)) == 1
