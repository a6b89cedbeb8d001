"""The clock, handed in wherever time matters, so that tests can turn it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the time now, aware and in UTC."""
    return datetime.now(UTC)
