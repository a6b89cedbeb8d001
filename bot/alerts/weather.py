"""Whether Discord can be spoken to: a breaker for outages, and the budget of requests that it refuses.

In an outage every request would fail, be repeated, and count against the bot; so nothing leaves but one
message now and then, at growing pauses, until one gets through. Discord shuts an address out that gets
10,000 refusals (401, 403, and 429 but of shared limits) in ten minutes: long before that delivery rests.
https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.alerts.answers import seconds
from bot.alerts.errors import TryAgainError
from bot.alerts.orders import Outcome
from bot.clock import Clock
from db.deliveries import Place

_log = logging.getLogger(__name__)

STRUCK = 3  # destinations that fail one after the other, and nothing gets through: then it is not theirs
LONGEST_PAUSE = 60.0  # seconds between two probes
REFUSALS = 2_000  # in `WINDOW`: several processes may share an address
WINDOW = timedelta(minutes=10)


class Weather:
    """What one process knows of Discord's health. Told of every outcome and every answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing: set[Place] = set()
        self._failures = 0
        self._away_since: datetime | None = None
        self._probe_at: datetime | None = None
        self._refusals: deque[datetime] = deque(maxlen=REFUSALS)
        self._resting = False

    def room(self, wanted: int, running: int) -> int:
        """Tell how many messages may leave, of so many that are wanted while so many are under way."""
        now = self._clock()
        if self._is_spent(now):
            return 0
        if self._away_since is None:
            return wanted
        # A clock that was turned back must not make the pause longer than it can be.
        waits = self._probe_at is not None and now < self._probe_at <= now + timedelta(hours=7)
        return 0 if waits or running else min(wanted, 1)

    @property
    def trouble(self) -> str:
        """What is wrong, in words; "" while all is well."""
        if self._away_since is not None:
            return f"Discord: out of order since {self._away_since:%Y-%m-%d %H:%M:%S} UTC"
        if self._is_spent(self._clock()):
            return "Discord: it refused so many requests that delivery rests"
        return ""

    def note(self, outcome: Outcome) -> None:
        """Hear what came of an order."""
        error = outcome.error
        if not isinstance(error, TryAgainError):
            self._is_back()
        elif error.outage:
            self._failing.add(outcome.order.claim.place)
            if self._away_since is not None or len(self._failing) >= STRUCK:
                self._is_away(str(error), error.pause)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Hear of an answer, of whatever request: count refusals, and rest where Discord asks all to."""
        shared = headers.get("X-RateLimit-Scope") == "shared"
        if status in (401, 403) or (status == 429 and not shared):
            self._refusals.append(self._clock())
        if status == 429 and ("X-RateLimit-Global" in headers or "Via" not in headers):
            self._is_away("it asks for fewer requests", _retry_after(headers))

    def listen(self, config: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
        """Let a client session tell of its answers; gives the configuration back."""

        async def ended(_session: Any, _context: Any, request: aiohttp.TraceRequestEndParams) -> None:
            self.answered(request.response.status, request.response.headers)

        config.on_request_end.append(ended)
        return config

    def _is_away(self, why: str, pause: float | None) -> None:
        now = self._clock()
        if self._away_since is None:
            self._away_since = now
            _log.error("Discord is out of order: nothing is sent but a probe now and then (%s)", why)
        wait = max(pause or 0.0, min(2.0**self._failures, LONGEST_PAUSE))
        self._failures = min(self._failures + 1, 10)
        self._probe_at = max(now + timedelta(seconds=wait), self._probe_at or now)

    def _is_back(self) -> None:
        self._failing.clear()
        if self._away_since is not None:
            _log.info("Discord answers again, after %d probes", self._failures)
        self._failures = 0
        self._away_since = self._probe_at = None

    def _is_spent(self, now: datetime) -> bool:
        """Tell whether there were too many refusals lately."""
        full = len(self._refusals) == REFUSALS
        resting = full and timedelta(0) <= now - self._refusals[0] <= WINDOW
        if resting and not self._resting:
            _log.error(
                "Discord refused %d requests within %d minutes: delivery rests until they are past",
                REFUSALS,
                WINDOW.total_seconds() / 60,
            )
        self._resting = resting
        return resting


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return seconds(float(headers.get("Retry-After", "")))
    except ValueError:
        return None
