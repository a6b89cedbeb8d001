"""`/digest` and the digests of rules and subscriptions, as people meet them."""

from __future__ import annotations

from datetime import timedelta

import discord
import pytest

from bot.alerts import digests
from bot.alerts.deliver import Deliverer
from bot.alerts.digests import open_digest
from bot.alerts.errors import NotHereError
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from tests.alerts.house import House
from tests.cogs.conftest import Scene
from tests.conftest import TurnedClock


async def _stories(house: House, feed: int, count: int, **fields: object) -> None:
    for number in range(count):
        case = await house.case(f"Case {number}")
        await house.story(feed, case, title=f"Story {number}", owes=False, **fields)  # type: ignore[arg-type]


async def test_what_one_missed_comes_in_pages_with_ones_own_first(scene: Scene, clock: TurnedClock) -> None:
    feed, theirs = await scene.house.feed(), await scene.house.feed("theirs")
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.guild(scene.other.id, theirs)
    await _stories(scene.house, feed, 1, topics=["biometrics"])
    clock.turn(days=2)
    await _stories(scene.house, feed, 6, topics=["anonymity"])
    await scene.house.story(feed, None, title="About spyware", topics=["spyware"], owes=False)
    await scene.house.story(theirs, None, title="Of another server", topics=["spyware"], owes=False)
    await scene.member.command("subscribe topic", topic="spyware", delivery="weekly")
    # A member of this server alone has subscribed elsewhere, and is not there (any more).
    await scene.house.subscription(scene.member.user_id, scene.other.id, "topic", "spyware")

    first = await scene.member.command("digest")
    assert first.ephemeral
    assert first.text.index("About spyware") < first.text.index("Story 5")
    assert "★" in first.text and "7 stories" in first.text and "1 to 5 of 7" in first.text
    assert "Of another server" not in first.text
    second = await scene.member.click(first.message, "Next")
    assert "6 to 7 of 7" in second.text and "About spyware" not in second.text
    week = await scene.member.command("digest", period="week")
    assert "8 stories" in week.text

    direct = await scene.alone.command("digest")  # nothing is public, and no subscription
    assert "Nothing came" in direct.text and "period:week" in direct.text
    assert "period:week" not in (await scene.alone.command("digest", period="week")).text
    stranger = await scene.stranger.command("digest")
    assert "Of another server" in stranger.text and "★" not in stranger.text


async def test_show_all_shows_a_digest_to_its_server_alone(scene: Scene, clock: TurnedClock) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    added = await scene.moderator.command("alerts add", channel=scene.channel, when="daily")
    assert "daily digest" in added.text
    subscribed = await scene.member.command("subscribe topic", topic="anonymity", delivery="daily")
    assert "one direct message a day" in subscribed.text and "once a day" in subscribed.text
    for number in range(30):
        await scene.house.story(feed, None, title=f"Story {number}")
    clock.turn(days=1)
    client = discord.Client(intents=discord.Intents.none())
    await client.login(scene.discord.token)
    sender = DiscordSender(client, TokenBucket(10_000))
    assert await Deliverer(scene.house.database, sender, clock=clock).deliver_due() == 2
    await client.close()
    (posted,) = scene.discord.messages(scene.channel.id)
    opened = await scene.member.click(posted, "Show all")
    assert opened.ephemeral and "1 to 5 of 30" in opened.text
    assert "6 to 10 of 30" in (await scene.member.click(opened.message, "Next")).text
    (direct,) = scene.discord.direct_messages(scene.member.user_id)
    at_home = scene.discord.person(scene.member.user_id)
    assert "30 stories" in (await at_home.click(direct, "Show all")).text

    theirs = next(row for row in await scene.house.deliveries() if row.target == "user")
    for user_id, guild_id in ((scene.moderator.user_id, scene.guild.id), (scene.moderator.user_id, None)):
        with pytest.raises(NotHereError):  # a custom id can be forged
            await open_digest(scene.house.database, delivery_id=theirs.id, user_id=user_id, guild_id=guild_id)


async def test_a_rule_is_paused_and_resumed_by_moderators_alone(scene: Scene, clock: TurnedClock) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    added = await scene.moderator.command("alerts add", channel=scene.channel, limit=20)
    assert "at most 20 a day" in added.text
    choices = await scene.moderator.autocomplete("alerts pause", "rule", "")
    assert [choice.value for choice in choices] == [1]
    assert "(paused)" in (await scene.moderator.command("alerts pause", rule=1)).text
    await scene.house.story(feed, None)
    assert await scene.house.deliveries() == []
    refused = await scene.member.command("alerts resume", forced=True, rule=1)
    assert "Manage Server" in refused.text
    assert "(paused)" not in (await scene.moderator.command("alerts resume", rule=1)).text
    clock.now += timedelta(minutes=1)
    await scene.house.story(feed, None)
    assert len(await scene.house.deliveries()) == 1


async def test_looking_back_asks_many_searches_of_the_newest_stories(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred searches of five hundred stories kept a processor busy for seconds."""
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await _stories(scene.house, feed, 4)
    for query in ("agency", "nowhere"):
        await scene.house.subscription(scene.member.user_id, scene.guild.id, "search", query)
    assert (await scene.member.command("digest")).text.count("★") == 4 + 1, "and what it means"
    monkeypatch.setattr(digests, "_MOST_ASKED", 5)
    shown = (await scene.member.command("digest")).text
    assert shown.count("★") == 2 + 1
    assert "at least 4 stories" in shown
    assert shown.index("Story 3") < shown.index("Story 2") < shown.index("Story 1")
    own = scene.discord.person(scene.member.user_id)
    assert "at least 2 stories" in (await own.command("digest")).text, "outside of the server"
    monkeypatch.setattr(digests, "MOST_STORIES", 3)
    assert "at least 3 stories" in (await scene.member.command("digest")).text
