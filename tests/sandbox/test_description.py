"""Discord's description of its API: what the bot sends is held to it, and the stand-in's own answers too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot.sandbox import StandIn
from bot.sandbox.discord.validate import Description
from tests.sandbox.town import OPENAPI, Join, Town

SMALL: dict[str, Any] = {
    "paths": {
        "/channels/{channel_id}/messages": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Send"}}}
                },
                "responses": {},
            }
        },
        "/channels/{channel_id}/messages/pins": {"get": {"responses": {}}},
    },
    "components": {
        "schemas": {
            "SnowflakeType": {"type": "string", "pattern": "^[0-9]+$"},
            "Send": {
                "type": "object",
                "properties": {
                    "content": {"type": ["string", "null"], "maxLength": 5},
                    "reply": {"$ref": "#/components/schemas/SnowflakeType"},
                    "parts": {
                        "type": "array",
                        "items": {
                            "oneOf": [
                                {"$ref": "#/components/schemas/A"},
                                {"$ref": "#/components/schemas/B"},
                            ]
                        },
                    },
                },
            },
            "A": {
                "type": "object",
                "properties": {"type": {"enum": [1]}, "x": {"type": "integer"}},
                "required": ["type"],
            },
            "B": {
                "type": "object",
                "properties": {"type": {"enum": [2]}, "y": {"type": "integer"}},
                "required": ["type"],
            },
        }
    },
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "api.json"
    file.write_text(json.dumps(SMALL))
    return file


@pytest.mark.parametrize(
    ("body", "pointer", "problem"),
    [
        ({"content": "long text"}, "/content", "too long"),
        ({"reply": "x"}, "/reply", "does not match"),
        ({"parts": [{"type": 1}, {"type": 2, "y": "no"}]}, "/parts/1/y", "not of type 'integer'"),
        ({"parts": [{"type": 3}]}, "/parts/0", "not valid under any"),
    ],
)
def test_a_fault_is_named_where_it_is(small: Path, body: dict[str, Any], pointer: str, problem: str) -> None:
    found = list(Description.load(small).problems("POST", "/channels/1/messages", body))
    assert [each[0] for each in found] == [pointer]
    assert problem in found[0][1]


def test_what_discord_takes_is_no_fault(small: Path) -> None:
    description = Description.load(small)
    for body in ({}, {"content": None}, {"reply": 5}, {"reply": "5", "parts": [{"type": 2, "y": 1}]}):
        assert list(description.problems("POST", "/channels/1/messages", body)) == []
    assert list(description.problems("POST", "/nowhere", {})) == [("", "the description knows no such route")]


async def test_the_stand_in_notes_faults_and_goes_on(small: Path) -> None:
    async with (
        StandIn("t", small) as standin,
        aiohttp.ClientSession(headers={"Authorization": "Bot t"}) as session,
    ):
        channel = standin.world.add_channel(standin.world.add_guild("g"), "c")
        address = f"{standin.api_url}/channels/{channel.id}/messages"
        async with session.post(address, json={"content": "long text"}) as answer:
            assert answer.status == 200
        async with session.post(address, json={"content": "short"}) as answer:
            assert answer.status == 200
    assert [(each.method, each.pointer) for each in standin.violations] == [("POST", "/content")]


PICTURE = {"url": "https://example.org/a.png"}
EVERYTHING = [
    {"type": 9, "components": [{"type": 10, "content": "x"}], "accessory": {"type": 11, "media": PICTURE}},
    {"type": 12, "items": [{"media": PICTURE}]},
    {"type": 14},
    {"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "https://example.org/"}]},
    {"type": 1, "components": [{"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]}]},
    {"type": 1, "components": [{"type": 8, "custom_id": "c"}]},
]
BAD = [
    ("POST", "/channels/1/messages", {"embeds": [{"title": 5}]}),
    ("POST", "/channels/1/messages", {"components": [{"type": 1, "components": [{"type": 2, "style": 9}]}]}),
    ("POST", "/channels/1/messages", {"allowed_mentions": {"parse": ["nobody"]}}),
    ("PATCH", "/channels/1/messages/2", {"content": 5}),
    ("POST", "/channels/1/threads", {"name": "x" * 101, "message": {"content": "x"}}),
    ("POST", "/channels/1/messages/2/threads", {}),
    (
        "POST",
        "/interactions/1/t/callback",
        {"type": 9, "data": {"title": "x" * 46, "custom_id": "x", "components": []}},
    ),
    ("POST", "/interactions/1/t/callback", {"type": 8, "data": {"choices": [{"name": "x"}]}}),
    ("PUT", "/applications/1/commands", [{"name": "x" * 33, "description": "x"}]),
    ("PATCH", "/channels/1", {"name": 7}),
    ("POST", "/users/@me/channels", {"recipient_id": "me"}),
    ("POST", "/webhooks/1/t", {"content": ["x"]}),
]


@pytest.mark.skipif(OPENAPI is None, reason="Discord's description is not part of the project")
@pytest.mark.parametrize(("method", "path", "body"), BAD)
def test_discords_own_description_finds_bad_bodies(method: str, path: str, body: Any) -> None:
    assert list(_discords().problems(method, path, body))


@pytest.mark.skipif(OPENAPI is None, reason="Discord's description is not part of the project")
async def test_the_stand_ins_answers_are_what_discord_describes(town: Town, join: Join) -> None:
    """Everything that a bot reads, by the description of Discord's answers."""
    description = _discords()
    news = town.world.add_channel(town.guild, "news", "announcement")
    forum = town.world.add_channel(town.guild, "forum", "forum", tags=("open",))
    bot = await join()
    await bot.http.upsert_global_command(
        town.world.application.id, {"name": "x", "description": "x", "type": 1, "options": []}
    )
    channel, app = town.channel.id, town.world.application.id
    problems: list[str] = []
    headers = {"Authorization": f"Bot {town.discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def ask(method: str, path: str, body: Any = None) -> Any:
            async with session.request(method, town.discord.api_url + path, json=body) as answer:
                assert answer.status < 300, await answer.text()
                data = await answer.json() if answer.status != 204 else None
            if data is not None:
                found = description.answer_problems(method, path.partition("?")[0], answer.status, data)
                problems.extend(f"{method} {path} {pointer}: {problem}" for pointer, problem in found)
            return data

        sent = await ask(
            "POST",
            f"/channels/{channel}/messages",
            {"content": "x", "nonce": "n", "embeds": [{"title": "t"}]},
        )
        card = {"flags": 1 << 15, "components": [{"type": 17, "components": EVERYTHING}]}
        await ask("POST", f"/channels/{channel}/messages", card)
        reference = {"message_id": sent["id"]}
        await ask("POST", f"/channels/{channel}/messages", {"content": "y", "message_reference": reference})
        await ask("POST", f"/channels/{channel}/messages/{sent['id']}/threads", {"name": "case"})
        await ask("PATCH", f"/channels/{channel}/messages/{sent['id']}", {"content": "z"})
        story = await ask("POST", f"/channels/{news.id}/messages", {"content": "x"})
        await ask("POST", f"/channels/{news.id}/messages/{story['id']}/crosspost")
        await ask("POST", f"/channels/{forum.id}/threads", {"name": "post", "message": {"content": "x"}})
        dm = await ask("POST", "/users/@me/channels", {"recipient_id": str(town.member.id)})
        await ask("PATCH", f"/channels/{sent['id']}", {"archived": True})
        for path in (
            "/gateway",
            "/gateway/bot",
            "/users/@me",
            "/users/@me/guilds",
            f"/users/{town.mod.id}",
            "/applications/@me",
            "/oauth2/applications/@me",
            f"/applications/{app}/commands?with_localizations=true",
            f"/applications/{app}/guilds/{town.guild.id}/commands",
            f"/applications/{app}/guilds/{town.guild.id}/commands/permissions",
            f"/guilds/{town.guild.id}?with_counts=true",
            f"/guilds/{town.guild.id}/channels",
            f"/guilds/{town.guild.id}/roles",
            f"/guilds/{town.guild.id}/roles/{town.mods.id}",
            f"/guilds/{town.guild.id}/members/{town.mod.id}",
            f"/guilds/{town.guild.id}/threads/active",
            f"/channels/{channel}",
            f"/channels/{forum.id}",
            f"/channels/{dm['id']}",
            f"/channels/{channel}/messages",
            f"/channels/{channel}/messages/{sent['id']}",
            f"/channels/{sent['id']}/thread-members",
            f"/channels/{channel}/threads/archived/public",
        ):
            await ask("GET", path)
    assert problems == []


@pytest.mark.skipif(OPENAPI is None, reason="Discord's description is not part of the project")
async def test_an_answer_to_an_interaction_is_what_discord_describes(town: Town, join: Join) -> None:
    answers: list[tuple[str, int, Any]] = []

    async def setup(bot: Any) -> None:
        @bot.tree.command(name="ask", description="x")
        async def ask(interaction: discord.Interaction) -> None:
            view = discord.ui.View().add_item(discord.ui.Button(label="x", custom_id="x"))
            address = f"/interactions/{interaction.id}/{interaction.token}/callback"
            body = {"type": 4, "data": {"content": "x", "components": view.to_components(), "flags": 64}}
            route = discord.http.Route("POST", address)
            answers.append(
                (address, 200, await bot.http.request(route, json=body, params={"with_response": "1"}))
            )
            address = f"/webhooks/{bot.application_id}/{interaction.token}/messages/@original"
            answers.append((address, 200, await bot.http.request(discord.http.Route("GET", address))))

    await join(setup)
    await town.person().command("ask")
    await town.discord.wait_for(lambda d: len(answers) == 2)
    description = _discords()
    (address, _, callback), (original, _, message) = answers
    assert list(description.answer_problems("POST", address, 200, callback)) == []
    assert list(description.answer_problems("GET", original, 200, message)) == []


def _discords() -> Description:
    assert OPENAPI is not None
    return Description.load(OPENAPI)
