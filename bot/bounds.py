"""The settings as each room takes them: the rooms know nothing of the environment."""

from __future__ import annotations

from bot.feeds.limits import HOME, FeedLimits
from bot.settings import Settings


def limits_of(settings: Settings) -> FeedLimits:
    """Give the feeds room its bounds."""
    return FeedLimits(
        interval=settings.feed_interval,
        interval_min=settings.feed_interval_min,
        interval_max=settings.feed_interval_max,
        concurrency=settings.fetch_concurrency,
        per_host=settings.fetch_per_host,
        timeout=settings.fetch_timeout,
        max_bytes=settings.fetch_max_bytes,
        allow_networks=settings.fetch_allow_networks,
        contact=settings.fetch_contact or HOME,
    )
