"""Permissions and ids, by Discord's published rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.discord import permissions as p
from bot.sandbox.discord.snowflakes import Snowflakes, seconds_of
from bot.sandbox.discord.world import World

NOW = 1_790_000_000.0


@pytest.fixture
def world() -> World:
    return World(lambda: NOW)


def test_roles_then_everyone_then_roles_then_the_member(world: World) -> None:
    guild = world.add_guild("g", everyone=("view_channel",), bot_permissions=("send_messages",))
    channel = world.add_channel(guild, "c")
    role, bot = world.bot_role(guild), world.users[world.bot_id]

    def may(permission: int) -> bool:
        return bool(world.permissions_in(channel, world.bot_id) & permission)

    assert may(p.VIEW_CHANNEL)
    assert may(p.SEND_MESSAGES)
    world.set_overwrite(channel, guild.roles[guild.id], deny=("send_messages",))
    assert not may(p.SEND_MESSAGES)  # @everyone's overwrite takes away what a role gave
    world.set_overwrite(channel, role, allow=("send_messages",))
    assert may(p.SEND_MESSAGES)
    world.set_overwrite(channel, bot, deny=("send_messages",))
    assert not may(p.SEND_MESSAGES)  # the member's own overwrite has the last word
    world.set_overwrite(channel, bot)
    assert may(p.SEND_MESSAGES)
    world.set_overwrite(channel, role, deny=("view_channel",))
    assert world.permissions_in(channel, world.bot_id) == 0  # who does not see a channel may do nothing there


def test_owner_and_administrator_may_everything(world: World) -> None:
    guild = world.add_guild("g", everyone=0, bot_permissions=("administrator",))
    channel = world.add_channel(guild, "c")
    world.set_overwrite(channel, world.bot_role(guild), deny=("view_channel",))
    assert world.permissions_in(channel, world.bot_id) == p.ALL
    assert world.permissions_in(channel, guild.owner_id) == p.ALL
    assert world.permissions_in(channel, world.add_user("stranger").id) == 0


def test_who_may_not_speak_may_not_attach_either(world: World) -> None:
    guild = world.add_guild("g")
    channel = world.add_channel(guild, "c")
    world.set_overwrite(channel, world.bot_role(guild), deny=("send_messages",))
    may = world.permissions_in(channel, world.bot_id)
    assert not may & (p.ATTACH_FILES | p.EMBED_LINKS | p.SEND_MESSAGES)


def test_names_of_permissions() -> None:
    assert p.names(p.bits(("manage_guild", "view_channel"))) == ["manage_guild", "view_channel"]
    assert p.bits(8) == p.ADMINISTRATOR
    with pytest.raises(ValueError, match="no such permission: fly"):
        p.bits(("fly",))


@given(st.lists(st.floats(min_value=1_420_070_400, max_value=4_000_000_000), min_size=1))
def test_ids_always_grow_whatever_the_clock_does(moments: list[float]) -> None:
    clock = iter(moments)
    ids = Snowflakes(lambda: next(clock))
    made = [ids.next() for _ in moments]
    assert made == sorted(set(made))
    assert abs(seconds_of(made[0]) - moments[0]) < 0.01
