"""Publishing what was posted in announcement channels: once, and after it is recorded.

A message that is to be published says so in its delivery's row (`publish_at`). A second try does no harm:
Discord says that it is published already. Nothing that goes wrong here touches the message itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.alerts.errors import LaterError, SendError, TryAgainError
from bot.alerts.steps import Step, step
from bot.clock import Clock
from db import places
from db.engine import Database
from db.places import Publishing

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than a request with all of its waits
AT_ONCE = 20
_TIMEOUT = 60.0  # seconds for one request
_PAUSE = 60.0  # seconds until the next try, where Discord does not say


class PublishingSender(Protocol):
    """What publishing needs of Discord."""

    async def kind_of(self, channel_id: int) -> str:
        """Tell what a channel is: text, announcement, forum, media, thread or other."""

    async def publish(self, channel_id: int, message_id: int) -> None:
        """Publish a message of an announcement channel; twice is once."""


class Publisher:
    """Publishes what is to be published."""

    def __init__(self, database: Database, sender: PublishingSender, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock

    async def publish_due(self) -> int:
        """Publish all that is due now; gives the number of messages published.

        A channel may publish ten messages an hour: the rest waits for its time. Raises `TokenRefusedError`.
        """
        now = self._clock()
        async with self._database.write() as session:
            due = await places.claim_publishing(session, now=now, until=now + LEASE, limit=AT_ONCE)
        if not due:
            return 0
        step(Step.PUBLISHING_CLAIMED)
        of: dict[int, list[Publishing]] = {}
        for one in due:
            of.setdefault(one.channel_id, []).append(one)
        return sum(await asyncio.gather(*map(self._publish_in_order, of.values())))

    async def _publish_in_order(self, of_channel: Sequence[Publishing]) -> int:
        count = 0
        for one in of_channel:
            try:
                async with asyncio.timeout(_TIMEOUT):
                    published = await self._publish(one)
            except (TryAgainError, LaterError, TimeoutError) as error:
                await self._put_off(one.channel_id, getattr(error, "pause", None) or _PAUSE)
                return count
            except SendError as error:
                _log.warning("message %d is not published: %s", one.message_id, error)
                await self._end(one, published=False)
            else:
                step(Step.PUBLISHED)
                await self._end(one, published=published)
                count += published
        return count

    async def _publish(self, one: Publishing) -> bool:
        """Publish a message, unless it stands in a channel that has no followers; tells which."""
        if await self._sender.kind_of(one.channel_id) != "announcement":
            return False
        await self._sender.publish(one.channel_id, one.message_id)
        return True

    async def _end(self, one: Publishing, *, published: bool) -> None:
        at = self._clock() if published else None
        async with self._database.write() as session:
            await places.end_publishing(session, one.delivery_id, at)

    async def _put_off(self, channel_id: int, pause: float) -> None:
        until = self._clock() + timedelta(seconds=pause)
        async with self._database.write() as session:
            await places.put_off_publishing(session, channel_id, until)
