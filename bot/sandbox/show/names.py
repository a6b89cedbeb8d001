"""The names behind mentions."""

from __future__ import annotations

from bot.sandbox.discord.world import World
from bot.sandbox.show.markdown import Name


def namer(world: World) -> Name:
    """Give the function that names what a message mentions in this world."""

    def name(kind: str, number: int) -> str:
        if kind == "#":
            channel = world.channels.get(number)
            return f"#{channel.name}" if channel else "#unknown"
        if kind == "@&":
            for guild in world.guilds.values():
                if number in guild.roles:
                    return f"@{guild.roles[number].name}"
            return "@unknown-role"
        user = world.users.get(number)
        return f"@{user.name}" if user else "@unknown-user"

    return name
