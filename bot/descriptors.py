"""File descriptors: as many as the system gives, and no more requests at once than they are enough for."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.settings import Settings

_log = logging.getLogger(__name__)

_KEPT = 40  # for the database, Discord, logs, worker processes, modules that are loaded late
_A_REQUEST = 2  # a connection, and now and then one that is being closed


def fit(settings: Settings) -> Settings:
    """Raise the limit as far as it goes; where that is not enough, lower FETCH_CONCURRENCY and say so."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return settings
    wanted = _KEPT + settings.fetch_concurrency * _A_REQUEST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed >= wanted:
        return settings
    fits = max(1, (allowed - _KEPT) // _A_REQUEST)
    _log.warning(
        "only %d file descriptors are allowed (ulimit -n): %d requests at once instead of %d",
        allowed, fits, settings.fetch_concurrency,
    )  # fmt: skip
    return replace(settings, fetch_concurrency=fits)
