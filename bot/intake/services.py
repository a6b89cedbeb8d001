"""What the cogs are handed: the services of the rooms below, put together by `bot.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.feeds.service import FeedService
from db.engine import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process. `wake` lets the delivery loop look at once."""

    database: Database
    feeds: FeedService
    clock: Clock
    wake: Callable[[], None]
