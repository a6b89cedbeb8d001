"""Everything that one stand-in holds, handed to the routes, the gateway and the people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.limits import Limiter
from bot.sandbox.discord.messages import Host
from bot.sandbox.discord.model import Message
from bot.sandbox.discord.settings import Settings
from bot.sandbox.discord.world import World

T = TypeVar("T")
NOW_AND_THEN = 0.05


class Changes:
    """Wakes whoever waits for something to become true."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Say that something changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, check: Callable[[], T], timeout: float) -> T:
        """Wait until `check` gives something true, at most `timeout` seconds; gives its last value.

        It is asked again at every change here and now and then besides, since it may look elsewhere too.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout
        while not (value := check()):
            left = ends - loop.time()
            if left <= 0:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), min(left, NOW_AND_THEN))
        return value


@dataclass(slots=True)
class SessionStarts:
    """The budget of IDENTIFY: so many in 24 hours."""

    total: int
    used: list[float] = field(default_factory=list)

    def left(self, now: float) -> int:
        """Give how many are left."""
        return self.total - sum(each > now - 86_400 for each in self.used)


@dataclass(slots=True)
class State:
    """One stand-in's Discord. `nonces`: the message that each nonce made, and when (seconds since 1970)."""

    token: str
    world: World
    settings: Settings
    limiter: Limiter
    interactions: Interactions
    changes: Changes
    starts: SessionStarts
    host: Host
    gateway_url: str = ""
    nonces: dict[str, tuple[float, Message]] = field(default_factory=dict)
    old_edits: dict[int, list[float]] = field(default_factory=dict)
    command_creates: list[float] = field(default_factory=list)
