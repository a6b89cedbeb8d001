"""Servers that the bot joins and leaves at the worst of moments."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.sandbox import Guild
from db import absence, guilds
from db.tables import GuildRow
from tests.cogs.conftest import Scene


async def _row(scene: Scene, guild_id: int) -> GuildRow | None:
    async with scene.house.database.read() as session:
        return await session.get(GuildRow, guild_id)


async def _until_stored(scene: Scene, guild_id: int, *, left: bool) -> None:
    for _ in range(100):
        row = await _row(scene, guild_id)
        if row is not None and (row.left_at is not None) is left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("left" if row is not None and row.left_at else "in it" if row else "not known")


async def test_a_server_that_is_joined_while_servers_are_counted_is_not_taken_for_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be told nothing, and after 30 days its settings would be gone."""
    assert scene.client is not None
    count = absence.get_present
    joined: list[Guild] = []

    async def while_one_is_joined(session: AsyncSession) -> set[int]:
        if not joined:
            joined.append(scene.discord.world.add_guild("New here"))
        await _until_stored(scene, joined[0].id, left=False)
        return await count(session)

    monkeypatch.setattr(absence, "get_present", while_one_is_joined)
    await scene.client.on_shard_ready(0)
    row = await _row(scene, joined[0].id)
    assert row is not None and row.left_at is None


async def test_joining_and_leaving_while_the_database_is_away_is_stored_when_it_is_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord tells each once."""
    assert scene.client is not None
    await _until_stored(scene, scene.other.id, left=False)
    away = True
    remember, leave = guilds.remember, absence.leave

    async def refuse(*_: object, **__: object) -> None:
        if away:
            raise ConnectionRefusedError("the database is restarting")

    async def remember_later(*arguments: object) -> None:
        await refuse()
        await remember(*arguments)  # type: ignore[arg-type]  # as they came

    async def leave_later(*arguments: object) -> None:
        await refuse()
        await leave(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(guilds, "remember", remember_later)
    monkeypatch.setattr(absence, "leave", leave_later)
    new = scene.discord.world.add_guild("New here")
    scene.discord.world.leave(scene.other)
    await asyncio.sleep(1)
    away = False
    await _until_stored(scene, new.id, left=False)
    await _until_stored(scene, scene.other.id, left=True)
