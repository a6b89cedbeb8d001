"""Waking other processes: what is stored is announced when it is committed (PostgreSQL's LISTEN and NOTIFY).

Whoever waits for something looks for it now and then all the same; this only saves the wait. On SQLite there
is no other process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database

_log = logging.getLogger(__name__)

DELIVERIES = "quash_deliveries"  # something is due
ENTRIES = "quash_entries"  # something waits to be read
SHARDS = "quash_shards"  # a process that shares shards came or went

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before the connection is tried again
_CHECK = 20.0  # seconds between two questions whether the connection still stands


async def ring(session: AsyncSession, channel: str) -> None:
    """Wake those who listen to a channel, when this transaction is committed."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel})


class Listener:
    """Calls what a channel's bell is to wake; over a connection of its own, made again when lost."""

    def __init__(self, database: Database, calls: Mapping[str, Callable[[], None]]) -> None:
        self._database = database
        self._calls = dict(calls)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop; on SQLite, where nobody rings, only wait."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            if self._database.is_sqlite:
                await stop.wait()
                return
            try:
                await self._listen(stop)
                pause = _FIRST_PAUSE
            except Exception as error:  # of asyncpg's own tree or the socket's: polling goes on meanwhile
                _log.debug("nobody is heard ringing (%s); tried again in %.1f s", type(error).__name__, pause)
            await _wait(stop, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _listen(self, stop: asyncio.Event) -> None:
        """Listen while the connection stands."""
        import asyncpg

        _, options = self._database.engine.dialect.create_connect_args(self._database.url)
        options.pop("prepared_statement_cache_size", None)  # SQLAlchemy's own
        connection = await asyncpg.connect(**options, timeout=10)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._calls:
                await connection.add_listener(channel, self._heard)
            for call in self._calls.values():
                call()  # what was rung before this connection stood
            while not stop.is_set() and not lost.is_set():
                await _wait(stop, _CHECK, lost)
                if not stop.is_set() and not lost.is_set():
                    await connection.execute("SELECT 1", timeout=10)
        finally:
            with contextlib.suppress(Exception):  # closing what is lost may fail in any way
                await connection.close(timeout=1)

    def _heard(self, _connection: Any, _pid: int, channel: str, _payload: object) -> None:
        self._calls[channel]()


async def _wait(stop: asyncio.Event, seconds: float, *others: asyncio.Event) -> None:
    """Wait so long, or until one of the events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (stop, *others)]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
