"""A stand-in in a process of its own, steered over HTTP, with the bot in another."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox import StandIn
from bot.sandbox.discord import worldfile

ROOT = Path(__file__).parents[2]
WORLD = {
    "users": [{"id": "1", "name": "mod"}, {"id": 2, "name": "member", "dms_open": False}],
    "guilds": [
        {
            "id": "10",
            "name": "Digital Rights",
            "bot_permissions": ["view_channel", "send_messages", "read_message_history"],
            "roles": [{"id": "11", "name": "moderators", "permissions": ["manage_guild"]}],
            "members": [{"user": "1", "roles": ["11"]}, {"user": "2"}],
            "channels": [
                {"id": "12", "name": "alerts"},
                {"id": "13", "name": "closed", "overwrites": [{"role": "bot", "deny": ["send_messages"]}]},
                {"id": "14", "name": "cases", "type": "forum", "tags": ["open"]},
            ],
        }
    ],
}
BOT = """
import asyncio, sys
import discord, yarl
from discord import app_commands

class Bot(discord.Client):
    async def setup_hook(self):
        tree = app_commands.CommandTree(self)

        @tree.command(description="Posts")
        async def post(interaction: discord.Interaction, channel: discord.TextChannel, text: str):
            await interaction.response.defer(ephemeral=True)
            await channel.send(text, view=Panel())
            await interaction.followup.send("posted")

        @post.autocomplete("text")
        async def texts(interaction: discord.Interaction, current: str):
            return [app_commands.Choice(name=current + "!", value=current)]

        await tree.sync()

class Form(discord.ui.Modal, title="Form"):
    name = discord.ui.TextInput(label="Name")

    async def on_submit(self, interaction):
        await interaction.response.send_message(f"hello {self.name.value}")

class Panel(discord.ui.View):
    @discord.ui.button(label="Press")
    async def press(self, interaction, button):
        await interaction.response.send_modal(Form())

async def main(api, gateway, token):
    discord.http.Route.BASE = api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    await Bot(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05).start(token)

asyncio.run(main(*sys.argv[1:]))
"""


class Remote:
    """The control API, as another process sees it."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        async with self._session.request(method, self._address + path, json=body) as answer:
            data = await answer.json()
            assert answer.status == status, data
            return data

    async def act(self, act: str, *, status: int = 200, **more: Any) -> Any:
        where = {"user": "1", "guild": "10", "channel": "12"}
        return await self.ask("POST", f"/person/{act}", where | more, status)


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncIterator[Remote]:
    world = tmp_path / "world.json"
    world.write_text(json.dumps(WORLD))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.sandbox", "--world", str(world), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        about = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        async with aiohttp.ClientSession() as session:
            yield Remote(session, about["control_url"])
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.fixture
async def near() -> AsyncIterator[Remote]:
    """The same in this process."""
    async with StandIn() as standin, aiohttp.ClientSession() as session:
        worldfile.load(standin.world, WORLD)
        yield Remote(session, f"{standin.url}/control")


@pytest.fixture
async def bot(remote: Remote) -> AsyncIterator[None]:
    about = await remote.ask("GET", "")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOT, about["api_url"], about["gateway_url"], about["token"]
    )
    try:
        for _ in range(200):
            if (await remote.ask("GET", ""))["connected"]:
                break
            await asyncio.sleep(0.1)
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_person_acts_from_afar(remote: Remote, bot: None) -> None:
    answer = await remote.act("command", command="post", options={"channel": "12", "text": "story"})
    assert (answer["kind"], answer["ephemeral"], answer["text"], answer["pending"]) == (
        "deferred",
        True,
        "posted",
        False,
    )
    assert answer["seconds"] < 3
    choices = await remote.act("autocomplete", command="post", option="text", typed="ab", options={})
    assert choices == [{"name": "ab!", "value": "ab"}]
    (message,) = await remote.ask("GET", "/messages/12?count=1&timeout=5")
    assert (message["text"], message["pings"]["everyone"]) == ("story", False)
    opened = await remote.act("click", message=message["id"], which="Press")
    assert opened["modal"]["title"] == "Form"
    done = await remote.act("submit", answer=opened["id"], values={"Name": "you"})
    assert done["text"] == "hello you"
    assert (await remote.ask("GET", f"/answers/{done['id']}"))["text"] == "hello you"
    refused = await remote.act("click", message=message["id"], which="Nothing", status=409)
    assert "no 'Nothing'" in refused["error"]
    assert [each["name"] for each in await remote.ask("GET", "/commands")] == ["post"]
    sent = await remote.ask("GET", "/requests?method=POST&path=/channels/*/messages")
    assert [(each["status"], each["body"]["content"]) for each in sent] == [(200, "story")]
    assert await remote.ask("GET", f"/requests?since={sent[-1]['number']}&method=PUT") == []
    await remote.ask("DELETE", f"/messages/12/{message['id']}")
    assert [each["text"] for each in await remote.ask("GET", "/messages/12")] == ["hello you"]


async def test_the_world_and_its_troubles_are_steered_from_afar(remote: Remote, bot: None) -> None:
    await remote.ask(
        "POST", "/faults", [{"effect": "status", "status": 503, "path": "/channels/12/messages"}]
    )
    answer = await remote.act(
        "command", command="post", options={"channel": "12", "text": "lost"}, patience=0.3
    )
    assert answer["pending"]
    (fault,) = await remote.ask("GET", "/faults")
    assert fault["struck"] == 1
    await remote.ask("DELETE", "/faults")
    assert await remote.ask("GET", "/faults") == []
    await remote.ask("POST", "/channels/12", {"do": "overwrite", "role": "bot", "deny": ["send_messages"]})
    await remote.act("command", command="post", options={"channel": "12", "text": "x"}, patience=0.3)
    assert (await remote.ask("GET", "/requests?path=/channels/*"))[-1]["code"] == 50013
    await remote.ask("POST", "/gateway", {"do": "drop", "code": 4000})
    for _ in range(100):
        gateway = await remote.ask("GET", "/gateway")
        if gateway["log"][-1][0] == "resume":
            break
        await asyncio.sleep(0.1)
    assert [kind for kind, _ in gateway["log"]] == ["identify", "resume"]
    settings = await remote.ask("PATCH", "/settings", {"enforce_limits": True, "nonce_seconds": 5})
    assert (settings["enforce_limits"], settings["nonce_seconds"]) == (True, 5)
    await remote.ask("PATCH", "/users/2", {"dms_open": True})
    await remote.ask("PATCH", "/roles/10/bot", {"permissions": ["view_channel"]})
    await remote.ask("POST", "/guilds/10", {"do": "unavailable"})
    await remote.ask("POST", "/guilds/10", {"do": "leave"})
    world = await remote.ask("POST", "/world", {"guilds": [{"id": "20", "name": "New"}]})
    assert [(each["name"], each["bot"]) for each in world["guilds"]] == [
        ("Digital Rights", False),
        ("New", True),
    ]
    await remote.ask("POST", "/channels/12", {"do": "delete"})
    assert [each["id"] for each in (await remote.ask("GET", "/world"))["guilds"][0]["channels"]] == [
        "13",
        "14",
    ]
    assert await remote.ask("GET", "/violations") == []
    assert await remote.ask("GET", "/dms/2") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", "/person/fly", {"user": "1"}, "cannot fly"),
        ("POST", "/person/command", {"user": "1"}, "KeyError"),
        ("POST", "/faults", {"effect": "drop", "times_": 1}, "a fault has no times_"),
        ("PATCH", "/settings", {"nonsense": 1}, "no such setting"),
        ("POST", "/gateway", {"do": "dance"}, "cannot dance"),
        ("POST", "/channels/12", {"do": "archive"}, "is no thread"),
        ("POST", "/guilds/99", {"do": "leave"}, "KeyError"),
        ("GET", "/messages/99", None, "KeyError"),
        ("DELETE", "/messages/12/1", None, "no such message"),
        ("PATCH", "/users/1", {"id": 5}, "cannot be changed"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(
    near: Remote, method: str, path: str, body: Any, word: str
) -> None:
    assert word in (await near.ask(method, path, body, 400))["error"]


async def test_a_world_file_that_is_wrong_ends_with_one_line(tmp_path: Path) -> None:
    world = tmp_path / "world.json"
    world.write_text('{"guilds": [{"id": "1"}]}')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.sandbox", "--world", str(world), stderr=asyncio.subprocess.PIPE, cwd=ROOT
    )
    _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert error.decode().count("\n") == 1
    assert "the stand-in cannot start" in error.decode()
