"""What the cogs are handed: the services of the rooms below, put together by `bot.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.charts import ChartRoom
from bot.clock import Clock
from bot.feeds.service import FeedService
from bot.intake.guild_feeds import MOST_FEEDS
from bot.intake.links import LinkReader
from db.engine import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process. `wake` lets the delivery loop look at once; `links` reads single pages."""

    database: Database
    feeds: FeedService
    clock: Clock
    wake: Callable[[], None]
    links: LinkReader
    charts: ChartRoom = field(default_factory=ChartRoom)
    max_feeds_per_guild: int = MOST_FEEDS
