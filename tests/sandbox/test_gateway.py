"""Sessions: joining, resuming, losing them, and what a session is told."""

from __future__ import annotations

import asyncio
import json
import zlib

import aiohttp
import discord
import pytest

from bot.sandbox import StandIn
from bot.sandbox.discord.gateway import Encoder
from tests.sandbox.town import Bot, Join, Town


def sessions(town: Town, what: str) -> list[str]:
    return [session for kind, session in town.discord.gateway.log if kind == what]


async def test_the_client_learns_the_guild_as_it_is(town: Town, join: Join) -> None:
    bot = await join()
    guild = bot.get_guild(town.guild.id)
    assert guild is not None
    assert guild.me.guild_permissions.send_messages
    assert [each.name for each in guild.channels] == ["alerts"]
    assert {each.name for each in guild.roles} == {"@everyone", "Quash", "moderators"}
    assert [each.id for each in guild.members] == [bot.user.id]  # type: ignore[union-attr]
    assert guild.member_count == 4


async def test_changes_are_told_as_they_happen(town: Town, join: Join) -> None:
    bot = await join()
    guild = bot.get_guild(town.guild.id)
    assert guild is not None
    channel = town.world.add_channel(town.guild, "new")
    role = town.world.add_role(town.guild, "crowd")
    town.world.set_overwrite(channel, town.world.bot_role(town.guild), deny=("send_messages",))
    await town.discord.wait_for(lambda d: "CHANNEL_UPDATE" in bot.seen)
    known = guild.get_channel(channel.id)
    assert isinstance(known, discord.TextChannel)
    assert not known.permissions_for(guild.me).send_messages
    town.world.set_role(town.guild, town.world.bot_role(town.guild), ("view_channel",))
    town.world.remove_role(town.guild, role)
    town.world.remove_channel(channel)
    await town.discord.wait_for(lambda d: "CHANNEL_DELETE" in bot.seen)
    assert guild.get_channel(channel.id) is None
    assert guild.get_role(role.id) is None
    assert not guild.me.guild_permissions.manage_threads


async def test_an_outage_and_a_kick_differ(town: Town, join: Join) -> None:
    bot = await join()
    town.world.set_unavailable(town.guild, True)
    await town.discord.wait_for(lambda d: "GUILD_DELETE" in bot.seen)
    assert bot.get_guild(town.guild.id).unavailable  # type: ignore[union-attr]
    town.world.set_unavailable(town.guild, False)
    await town.discord.wait_for(lambda d: not bot.get_guild(town.guild.id).unavailable)  # type: ignore[union-attr]
    town.world.leave(town.guild)
    await town.discord.wait_for(lambda d: bot.get_guild(town.guild.id) is None)
    town.world.join(town.guild)
    await town.discord.wait_for(lambda d: bot.get_guild(town.guild.id) is not None)


@pytest.mark.parametrize("how", ["ask_reconnect", "drop", "abort", "resumable"])
async def test_a_broken_connection_is_resumed_and_nothing_is_missed(town: Town, join: Join, how: str) -> None:
    bot = await join()
    gateway = town.discord.gateway
    if how == "drop":
        await gateway.drop(4000)
    elif how == "resumable":
        gateway.invalidate(resumable=True)
    else:
        getattr(gateway, how)()
    town.world.add_channel(town.guild, "meanwhile")
    await town.discord.wait_for(lambda d: sessions(town, "resume"), timeout=15)
    await town.discord.wait_for(lambda d: "RESUMED" in bot.seen)
    assert sessions(town, "resume") == sessions(town, "identify")
    names = {each.name for each in bot.get_guild(town.guild.id).channels}  # type: ignore[union-attr]
    assert names == {"alerts", "meanwhile"}


async def test_an_invalid_session_is_begun_anew(
    town: Town, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    await join()
    sleep = asyncio.sleep
    monkeypatch.setattr("discord.client.asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    town.discord.gateway.invalidate()
    await town.discord.wait_for(lambda d: len(sessions(town, "identify")) == 2, timeout=15)
    assert sessions(town, "resume") == []


async def test_a_session_too_old_cannot_be_resumed(town: Town, join: Join) -> None:
    await join()
    town.discord.settings.resume_seconds = -1.0
    await town.discord.gateway.drop(4000)
    await town.discord.wait_for(lambda d: len(sessions(town, "identify")) == 2, timeout=15)


async def test_a_wrong_token(town: Town) -> None:
    bot = Bot()
    with pytest.raises(discord.LoginFailure):
        await bot.start("wrong")
    await bot.close()
    assert [(each.path, each.status) for each in town.discord.requests] == [("/users/@me", 401)]


async def test_intents_that_were_not_granted(town: Town, join: Join) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await join(intents=discord.Intents(guilds=True, members=True))
    town.world.application.members_intent = True
    bot = await join(intents=discord.Intents(guilds=True, members=True))
    assert len(bot.get_guild(town.guild.id).members) == 4  # type: ignore[union-attr]


async def test_messages_are_told_only_to_those_who_asked(town: Town, join: Join) -> None:
    quiet = await join()
    heard: list[str] = []

    class Listener(Bot):
        async def on_message(self, message: discord.Message) -> None:
            heard.append(message.content)

    async with Listener(intents=discord.Intents(guilds=True, guild_messages=True)) as bot:
        task = asyncio.create_task(bot.start(town.discord.token))
        await bot.ready(task)
        await town.person().say("hidden without the content intent")
        await bot.get_channel(town.channel.id).send("own")  # type: ignore[union-attr]
        town.world.set_overwrite(town.channel, town.world.bot_role(town.guild), deny=("view_channel",))
        await town.person().say("unseen")
        await town.discord.wait_for(lambda d: "CHANNEL_UPDATE" in bot.seen)
        await bot.close()
        await task
    assert heard == ["", "own"]
    assert "MESSAGE_CREATE" not in quiet.seen


async def test_shards_share_the_guilds(town: Town) -> None:
    town.discord.settings.shards = 2
    for number in range(4):
        town.world.add_guild(f"Guild {number}", id=(1000 + number) << 22)
    bot = discord.AutoShardedClient(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
    task = asyncio.create_task(bot.start(town.discord.token))
    await town.discord.wait_for(lambda d: len(d.gateway.connected) == 2, timeout=20)
    await bot.wait_until_ready()
    assert bot.shard_count == 2
    assert {guild.shard_id for guild in bot.guilds if guild.id >> 22 < 2000} == {0, 1}
    assert len(bot.guilds) == 5
    await bot.close()
    await task


async def test_asking_for_members(town: Town, join: Join) -> None:
    bot = await join()
    guild = bot.get_guild(town.guild.id)
    assert guild is not None
    found = await guild.query_members(user_ids=[town.mod.id, 1])
    assert [each.name for each in found] == ["mod"]


async def talk(
    standin: StandIn, *payloads: object, compress: str = ""
) -> tuple[list[dict[str, object]], int | None]:
    """Speak the gateway's protocol by hand; gives what came and the close code."""
    came = []
    inflate = zlib.decompressobj()
    address = f"{standin.gateway_url}?v=10&encoding=json{compress and '&compress=' + compress}"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        for payload in payloads:
            await socket.send_str(payload if isinstance(payload, str) else json.dumps(payload))
        while True:
            try:
                message = await socket.receive(timeout=0.3)
            except TimeoutError:
                break
            if message.type is aiohttp.WSMsgType.TEXT:
                came.append(json.loads(message.data))
            elif message.type is aiohttp.WSMsgType.BINARY:
                assert message.data.endswith(b"\x00\x00\xff\xff")
                came.append(json.loads(inflate.decompress(message.data)))
            else:
                break
        return came, socket.close_code


@pytest.mark.parametrize(
    ("payloads", "code"),
    [
        (["{"], 4002),
        ([{"op": 99, "d": {}}], 4001),
        ([{"op": 3, "d": {}}], 4003),
        ([{"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}}], 4004),
        ([{"op": 2, "d": {"token": "right", "intents": 1}}] * 2, 4005),
        ([{"op": 2, "d": {"token": "right", "intents": 1, "shard": [2, 2]}}], 4010),
        ([{"op": 2, "d": {"token": "right", "intents": 1 << 40}}], 4013),
        ([{"op": 2, "d": {"token": "right", "intents": 1 << 15}}], 4014),
        ([{"op": 1, "d": None}] * 121, 4008),
    ],
)
async def test_close_codes(payloads: list[object], code: int) -> None:
    async with StandIn("right") as standin:
        _, closed = await talk(standin, *payloads)
    assert closed == code


async def test_a_silent_client_is_dropped() -> None:
    async with StandIn() as standin:
        standin.settings.heartbeat_seconds = 0.05
        came, closed = await talk(standin)
    assert came == [{"op": 10, "d": {"heartbeat_interval": 50, "_trace": []}}]
    assert closed == 4009


async def test_identify_is_paced_and_counted_when_limits_are_enforced() -> None:
    hello = {"op": 2, "d": {"token": "right", "intents": 1}}
    async with StandIn("right", enforce_limits=True) as standin:
        first, _ = await talk(standin, hello)
        second, _ = await talk(standin, hello)
        assert [each.get("t") for each in first] == [None, "READY"]
        assert second[1:] == [{"op": 9, "d": False}]
        async with aiohttp.ClientSession(headers={"Authorization": "Bot right"}) as session:
            limits = (await (await session.get(f"{standin.api_url}/gateway/bot")).json())[
                "session_start_limit"
            ]
        assert (limits["total"], limits["remaining"], limits["max_concurrency"]) == (1000, 999, 1)


async def test_zlib_stream() -> None:
    async with StandIn("right") as standin:
        standin.world.add_guild("Digital Rights")
        came, _ = await talk(
            standin, {"op": 2, "d": {"token": "right", "intents": 1}}, compress="zlib-stream"
        )
    assert [each.get("t") for each in came] == [None, "READY", "GUILD_CREATE"]


def test_the_zstd_stream_is_one_that_a_decoder_takes() -> None:
    zstandard = pytest.importorskip("zstandard")
    encoder, decoder = Encoder("zstd-stream"), zstandard.ZstdDecompressor().decompressobj()
    for text in ("a", "", "b" * 400_000, "ü"):
        frame = encoder.encode(text)
        assert isinstance(frame, bytes)
        assert decoder.decompress(frame).decode() == text
