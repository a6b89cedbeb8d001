"""A repair of discord.py's rate limit buckets, for routes whose window is long.

With `max_ratelimit_timeout`, discord.py 2.7.1 refuses a request as soon as the window of its bucket lasts
longer than that, however much of the bucket is left: of the ten messages an hour that a channel may publish,
one would leave. And it takes an empty bucket for full again once it has refused to wait for it. Here a bucket
that has something left is used, and an empty one stays empty until its window ends.
"""

from __future__ import annotations

import asyncio
import itertools

import discord.http

_FEW_BUCKETS = 256  # as in discord.py
_LOOKED_THROUGH = 8


class Bucket(discord.http.Ratelimit):
    """A bucket of which as much may be taken as is in it."""

    async def acquire(self) -> None:
        """Take one; raises `discord.RateLimited` where the wait for it would be too long."""
        if self.remaining > 0 and self.expires is not None and not self.is_expired():
            self._last_request = asyncio.get_running_loop().time()
            self.remaining -= 1
            self.outgoing += 1
            return
        await super().acquire()

    async def _refresh(self) -> None:
        longest = self._max_ratelimit_timeout
        if longest and self.reset_after > longest:
            waiting = len(self._pending_requests)
            self._wake(waiting, exception=discord.RateLimited(self.reset_after))
            return
        await super()._refresh()


def _forget_some(client: discord.http.HTTPClient) -> None:
    """Forget buckets that nobody uses any more, a few at a time.

    discord.py looks through all of them at each channel that is new: with 10,000 channels, milliseconds for
    every message.
    """
    known = client._buckets
    if len(known) < _FEW_BUCKETS:
        return
    for key, bucket in list(itertools.islice(known.items(), _LOOKED_THROUGH)):
        del known[key]
        if not bucket.is_inactive():
            known[key] = bucket  # behind all others


def mend() -> None:
    """Let discord.py make such buckets from now on, and forget them without holding the event loop."""
    discord.http.HTTPClient._try_clear_expired_ratelimits = _forget_some  # type: ignore[method-assign, assignment]
    discord.http.Ratelimit = Bucket  # type: ignore[misc]  # the place where discord.py looks for the class
