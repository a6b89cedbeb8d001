"""Which of Discord's shards this process connects, where several gateways share one PostgreSQL.

Leases in the database say who holds which (`db.shards`). A gateway takes what is free up to an even share,
prolongs it, and gives it back at its end; what one that died held is free when its lease is over. When one
joins, the others give up what is more than their share. Why: `docs/decisions/roles.md`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.errors import QuashError, SettingsError
from db import shards
from db.engine import Database, report

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
_GIVING_BACK = 2.0  # seconds


class ShardError(QuashError):
    """The shards were divided anew while this process was held up."""


class Shards(Protocol):
    """What is connected to Discord (`bot.client.QuashClient`)."""

    recommended_shards: int
    settled: asyncio.Event

    async def take_shards(self, shard_ids: Collection[int], shard_count: int) -> None:
        """Connect further shards."""

    async def drop_shard(self, shard_id: int) -> None:
        """Leave a shard to another process."""

    async def close(self) -> None:
        """End all connections."""


class ShardKeeper:
    """Keeps this process's share. `only`: the shards that the operator gave it, of `count`."""

    def __init__(
        self,
        database: Database,
        client: Shards,
        clock: Clock,
        *,
        owner: str,
        only: Sequence[int] | None = None,
        count: int | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._owner = owner
        self._only = only
        self._wanted = count
        self._lease = lease
        self._count = 0
        self._held: frozenset[int] = frozenset()
        self._connecting: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._waited_for: frozenset[int] = frozenset()

    def wake(self) -> None:
        """Look at once what there is to take or to give up."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the share until told to stop, then give it back.

        Raises `SettingsError` where the others run with another number of shards, `ShardError` where that
        number changed meanwhile. While the database is away the connections stay as they are: nobody else
        can take them over either.
        """
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._turn()
                except (SQLAlchemyError, OSError) as error:
                    report(error, "sharing out the connections")
                woken = asyncio.ensure_future(self._woken.wait())
                await asyncio.wait(
                    {woken, stopping},
                    timeout=self._lease.total_seconds() / 3,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                woken.cancel()
                self._woken.clear()
        finally:
            stopping.cancel()
            if self._connecting is not None:
                self._connecting.cancel()

    async def give_back(self) -> None:
        """Give all back, once the connections have ended."""
        try:
            async with asyncio.timeout(_GIVING_BACK), self._database.write() as session:
                await shards.give_back(session, self._owner)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.info("shards were not given back (%s); their leases run out", type(error).__name__)

    async def _turn(self) -> None:
        """Prolong, take and give up."""
        now = self._clock()
        async with self._database.write() as session:
            wanted = self._wanted or self._client.recommended_shards
            count = self._count or await shards.agree_on_count(session, wanted, now)
            if self._wanted not in (None, count):
                raise SettingsError(
                    f"SHARD_COUNT: it is {self._wanted} here and {count} in the gateways that run; "
                    "set it the same everywhere, or stop them first."
                )
            share = await shards.hold(session, self._owner, self._only, now=now, until=now + self._lease)
        self._count = count  # agreed on now that it is stored
        if share.count != count:
            raise ShardError("The number of shards changed while this process was held up; start it again.")
        self._say_what_is_missing(share)
        lost = self._held - share.held
        if lost:
            _log.warning("other gateways have taken shards %s meanwhile", _listed(lost))
        keeps = share.held - share.surplus
        for shard_id in sorted(self._held - keeps):
            await self._client.drop_shard(shard_id)
        self._held &= keeps
        if share.surplus:
            async with self._database.write() as session:
                await shards.give_back(session, self._owner, share.surplus)
            _log.info("shards %s are given up: other gateways have fewer", _listed(share.surplus))
        self._connect(keeps)

    def _connect(self, held: frozenset[int]) -> None:
        """Have the client connect what is new, in a task of its own: sessions wait for their turns."""
        if self._connecting is not None and self._connecting.done():
            if not self._connecting.cancelled() and (error := self._connecting.exception()):
                raise error
            self._connecting = None
        if self._connecting is not None:
            return  # what came since is taken with the next turn
        new = held - self._held
        self._held = held
        if new:
            _log.info("this gateway serves shards %s of %d", _listed(held), self._count)
            self._connecting = asyncio.create_task(self._client.take_shards(new, self._count))
        elif not held:
            self._client.settled.set()  # it stands by, and delivers

    def _say_what_is_missing(self, share: shards.Share) -> None:
        if share.taken_by_others != self._waited_for:
            self._waited_for = share.taken_by_others
            if share.taken_by_others:
                _log.warning(
                    "shards %s of SHARD_IDS are served by other gateways; they are taken when those end",
                    _listed(share.taken_by_others),
                )


def _listed(shard_ids: Collection[int]) -> str:
    return ", ".join(map(str, sorted(shard_ids)))
