"""A card's buttons, clicked by real people of the stand-in, answered by the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
import yarl
from discord.ext import commands

from bot.alerts import actions, ids
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.sandbox import StandIn
from cogs import buttons
from tests.alerts.house import House
from tests.conftest import TurnedClock


@pytest.fixture
async def online(
    standin: StandIn, house: House, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[commands.Bot]:
    """The real client on the gateway with nothing but the buttons, as after a restart."""
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(standin.gateway_url))
    bot = commands.Bot(
        command_prefix="!",
        intents=discord.Intents(guilds=True),
        allowed_mentions=discord.AllowedMentions.none(),
        guild_ready_timeout=0.05,
        help_command=None,
    )
    services: Any = SimpleNamespace(database=house.database, clock=clock)
    buttons.add_to(bot, services)
    running = asyncio.create_task(bot.start(standin.token))
    await standin.wait_ready()
    await bot.wait_until_ready()
    yield bot
    await bot.close()
    await running


async def test_the_buttons_of_a_posted_card_answer_for_the_clickers_eyes(
    standin: StandIn, house: House, clock: TurnedClock, online: commands.Bot
) -> None:
    guild = standin.world.add_guild("Digital Rights")
    channel = standin.world.add_channel(guild, "alerts")
    member = standin.world.add_user("member")
    standin.world.add_member(guild, member)
    feed = await house.feed()
    await house.guild(guild.id, feed)
    await house.rule(guild.id, channel.id)
    await house.story(feed, await house.case())
    deliverer = Deliverer(
        house.database, DiscordSender(online, TokenBucket(rate=10_000)), clock=clock, poll=0.05
    )
    assert await deliverer.deliver_due() == 1
    (message,) = standin.messages(channel.id)
    person = standin.person(member.id, guild.id, channel.id)

    followed = await person.click(message, "Follow case")
    assert followed.ephemeral and "You follow this case" in followed.text
    (made,) = await actions.list_subscriptions(house.database, user_id=member.id)
    assert made.subscription.kind == "case"

    shown = await person.click(message, "Evidence")
    assert shown.ephemeral and "The agency served a summons on Twitter." in shown.text
    assert "Noted." in (await person.click(message, "Not relevant")).text
    assert "counts once" in (await person.click(message, "Not relevant")).text
    assert all(answer.seconds < 3 for answer in (followed, shown))
    # Nothing of the card was kept in memory for this.
    assert not online._connection._view_store._synced_message_views


async def test_a_forged_button_shows_nothing_of_another_server(
    standin: StandIn, house: House, clock: TurnedClock, online: commands.Bot
) -> None:
    guild = standin.world.add_guild("Here")
    channel = standin.world.add_channel(guild, "alerts")
    member = standin.world.add_user("member")
    standin.world.add_member(guild, member)
    theirs = await house.feed("theirs")
    await house.guild(99, theirs)
    await house.guild(guild.id)
    story = await house.story(theirs, await house.case())
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Evidence", custom_id=ids.evidence_id(story)))
    view.stop()
    sent = await online.get_partial_messageable(channel.id).send(
        "forged", view=view, allowed_mentions=discord.AllowedMentions.none()
    )
    answer = await standin.person(member.id, guild.id, channel.id).click(sent.id, "Evidence")
    assert answer.ephemeral
    assert answer.text.startswith("That story is not among this server's stories")


async def test_a_channel_is_taken_up_again_when_the_permission_is_back(
    standin: StandIn, house: House, clock: TurnedClock, online: commands.Bot
) -> None:
    guild = standin.world.add_guild("Digital Rights")
    channel = standin.world.add_channel(guild, "alerts")
    mine = standin.world.bot_role(guild)
    standin.world.set_overwrite(channel, mine, deny=("send_messages",))
    feed = await house.feed()
    await house.guild(guild.id, feed)
    await house.rule(guild.id, channel.id)
    for number in range(2):
        await house.story(feed, await house.case(f"Case {number}"))
    deliverer = Deliverer(
        house.database, DiscordSender(online, TokenBucket(rate=10_000)), clock=clock, poll=0.05
    )
    await deliverer.deliver_due()
    clock.turn(hours=1)
    await deliverer.reopen()
    assert await deliverer.deliver_due() == 0
    asked = len(standin.requests)

    standin.world.set_overwrite(channel, mine)
    sender = DiscordSender(online)
    for _ in range(100):
        if sender.may_post(channel.id):
            break
        await asyncio.sleep(0.05)
    await deliverer.reopen()
    assert len(standin.requests) == asked  # finding out cost no request
    assert await deliverer.deliver_due() == 2
    assert len(standin.messages(channel.id)) == 2
