"""The main job, end to end: a moderator sets the bot up, news comes, everybody gets what they asked for.

The bot is a process of its own; Discord and the web are real servers on loopback. On SQLite it does the
whole job started as by hand; elsewhere it is forked, with short waits: on PostgreSQL one that follows a
killed one would wait half a minute for its shard.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox import Answer, NotOffered
from bot.sandbox.web import SampleWeb
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.forked import Forker

_NEWS = "Twitter goes to court to keep the name of a government critic secret"
_QUICK = 3.0  # seconds within which Discord wants the first answer


def _quick(answer: Answer) -> str:
    assert answer.seconds < _QUICK
    assert answer.ephemeral, "answers concern one person"
    return answer.text


async def _set_up(place: Place, web: SampleWeb) -> None:
    added = await place.moderator.command("feeds add", address=web.feed_urls[0])
    assert "The Civic Wire is watched from now on" in added.text
    answer = await place.moderator.command(
        "alerts add", channel=place.alerts, topics="legal-demands, surveillance"
    )
    assert "legal-demands, surveillance" in _quick(answer)
    subscribed = await place.member.command("subscribe topic", topic="anonymity")
    assert "anonymity" in _quick(subscribed)


async def test_a_new_entry_becomes_one_card_and_one_direct_message(
    place: Place, web: SampleWeb, database_url: str, tmp_path: Path, forker: Forker
) -> None:
    discord = place.discord
    forked = forker if database_url.startswith("postgresql") else None
    async with BotProcess(discord, database_url, tmp_path, forked) as bot:
        await _set_up(place, web)
        await asyncio.sleep(2)
        assert discord.messages(place.alerts.id) == [], "what stood in the feed before is nobody's news"

        web.turn_to(1)
        await discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=30)
        await discord.wait_for(lambda d: d.direct_messages(place.member.user_id), timeout=30)
        (card,) = discord.messages(place.alerts.id)
        assert _NEWS in card.text
        assert "Customs and Border Protection → Twitter · administrative summons" in card.text
        (private,) = discord.direct_messages(place.member.user_id)
        assert _NEWS in private.text
        assert not discord.messages(place.lounge.id)
        assert not discord.direct_messages(place.bystander.user_id)

        await _look_things_up(place)

        await bot.kill()
        await bot.start()
        await asyncio.sleep(4)
        assert len(discord.messages(place.alerts.id)) == 1, "nothing is posted again after a restart"
        assert len(discord.direct_messages(place.member.user_id)) == 1

        follow = await place.bystander.click(card, "Follow case")
        assert "follow" in _quick(follow).casefold()
        web.turn_to(2)
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log
    assert discord.token not in bot.log


async def _look_things_up(place: Place) -> None:
    latest = _quick(await place.member.command("latest"))
    assert _NEWS in latest
    assert _NEWS in _quick(await place.member.command("search", query='summons "border protection"'))
    assert "Nothing was found" in _quick(await place.member.command("search", query="summons -twitter"))
    case = await place.member.command("case", name="@ALT_USCIS")
    assert "Timeline" in _quick(case)
    assert "first reported" in case.text
    ledger = _quick(await place.member.command("demands", issuer="CBP"))
    assert "Customs and Border Protection → Twitter" in ledger
    assert "Customs and Border Protection" in _quick(await place.member.command("demands", issuer="Nobody"))
    assert "anonymity" in _quick(await place.member.command("subscriptions"))
    assert "You have none" in _quick(await place.bystander.command("subscriptions"))
    assert "/search" in _quick(await place.member.command("help"))
    assert "#1" in _quick(await place.moderator.command("alerts list"))
    assert "The Civic Wire" in _quick(await place.moderator.command("feeds list"))
    choices = await place.member.autocomplete("demands", "issuer", "border")
    assert [c.value for c in choices] == ["Customs and Border Protection"]


async def test_configuring_needs_manage_server_even_where_discord_shows_the_command(
    place: Place, web: SampleWeb, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    async with BotProcess(place.discord, sqlite_url, tmp_path, forker):
        with pytest.raises(NotOffered):
            await place.member.command("alerts add", channel=place.alerts)
        forced = await place.member.command("alerts add", forced=True, channel=place.alerts)
        assert "Manage Server" in _quick(forced)
        forced = await place.member.command("feeds add", forced=True, address=web.feed_urls[0])
        assert "Manage Server" in _quick(forced)
        assert "There is none yet" in (await place.moderator.command("alerts list")).text
        assert "There is none yet" in (await place.moderator.command("feeds list")).text


async def test_wrong_input_is_one_sentence(
    place: Place, web: SampleWeb, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    async with BotProcess(place.discord, sqlite_url, tmp_path, forker):
        moderator, member = place.moderator, place.member
        unknown = _quick(await moderator.command("alerts add", channel=place.alerts, topics="survaillance"))
        assert "surveillance" in unknown
        no_feed = await moderator.command("feeds add", address=f"{web.feed_urls[0]}/nothing")
        assert "404" in no_feed.text
        assert "127.0.0.2" not in (await moderator.command("feeds add", address="http://10.0.0.1/feed")).text
        assert "no topic" in _quick(await member.command("latest", topic="cats"))
        assert "no date" in _quick(await member.command("search", query="x", since="the other day"))
        assert "No case" in _quick(await member.command("case", name="nothing at all"))


async def test_a_channel_where_the_bot_may_not_post_is_refused_at_once(
    place: Place, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    everyone = place.guild.roles[place.guild.id]
    place.discord.world.set_overwrite(place.alerts, everyone, deny=("send_messages",))
    async with BotProcess(place.discord, sqlite_url, tmp_path, forker):
        answer = _quick(await place.moderator.command("alerts add", channel=place.alerts, relevance=0.5))
        assert "Send Messages" in answer
