"""Discord's rate limits: buckets per route and major parameter, the global limit, invalid requests.

Source: https://docs.discord.com/developers/topics/rate-limits
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.settings import Settings

WITHOUT_ENFORCEMENT = 1000  # how many times wider a bucket is while limits are not enforced


@dataclass(frozen=True, slots=True)
class Limit:
    """A route's bucket: so many requests in so many seconds."""

    requests: int
    seconds: float


DEFAULT = Limit(20, 5.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headers for the answer and, where the request is one too many, the body of the 429."""

    headers: dict[str, str]
    refusal: Json | None = None


@dataclass(slots=True)
class _Window:
    left: int
    ends: float


@dataclass(slots=True)
class Limiter:
    """Counts requests in fixed windows that begin with their first request. `now`: seconds since 1970."""

    settings: Settings
    now: Callable[[], float]
    invalid: list[float] = field(default_factory=list)
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _global: _Window = field(default_factory=lambda: _Window(0, 0.0))
    _banned_until: float = 0.0

    def take(self, route: str, major: str, limit: Limit, *, counts_globally: bool) -> Verdict:
        """Count one request of a route (`POST /channels/{channel_id}/messages`) and its major parameter."""
        now = self.now()
        if self.settings.enforce_limits and counts_globally:
            if self._global.ends <= now:
                self._global = _Window(self.settings.global_per_second, now + 1.0)
            if self._global.left <= 0:
                return too_many("global", self._global.ends - now)
            self._global.left -= 1
        allowed = limit.requests * (1 if self.settings.enforce_limits else WITHOUT_ENFORCEMENT)
        bucket = hashlib.sha256(route.encode()).hexdigest()[:32]
        window = self._windows.get((bucket, major))
        if window is None or window.ends <= now:
            self._forget_old(now)
            window = self._windows[bucket, major] = _Window(allowed, now + limit.seconds)
        fits = window.left > 0
        window.left = max(0, window.left - 1)
        headers = {
            "X-RateLimit-Limit": str(allowed),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{window.ends - now:.3f}",
            "X-RateLimit-Bucket": bucket,
        }
        if fits:
            return Verdict(headers)
        refused = too_many("user", window.ends - now)
        return Verdict(headers | refused.headers, refused.refusal)

    def count_answer(self, status: int, scope: str | None) -> None:
        """Count an answer that Discord holds against the sender's address (401, 403, 429 unless shared)."""
        if status in (401, 403) or (status == 429 and scope != "shared"):
            now = self.now()
            self.invalid = (
                [each for each in self.invalid if each > now - 600]
                if len(self.invalid) > 2000
                else self.invalid
            )
            self.invalid.append(now)
            if (
                self.settings.enforce_limits
                and self.invalid_requests >= self.settings.invalid_per_ten_minutes
            ):
                self._banned_until = now + 600

    @property
    def invalid_requests(self) -> int:
        """How many invalid requests the last ten minutes saw; at 10,000 Cloudflare shuts the address out."""
        since = self.now() - 600
        return sum(each > since for each in self.invalid)

    @property
    def banned(self) -> bool:
        """Whether Cloudflare turns everything away."""
        return self.now() < self._banned_until

    def _forget_old(self, now: float) -> None:
        if len(self._windows) > 50_000:
            self._windows = {key: window for key, window in self._windows.items() if window.ends > now}


def too_many(scope: str, retry_after: float, code: int = 0) -> Verdict:
    """Give the 429 of a scope: `user`, `shared` or `global`; `retry_after` in seconds."""
    wait = max(0.001, round(retry_after, 3))
    headers = {"X-RateLimit-Scope": scope, "Retry-After": f"{wait:.3f}"}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    body: Json = {"message": "You are being rate limited.", "retry_after": wait, "global": scope == "global"}
    if code:
        body["code"] = code
    return Verdict(headers, body)


CLOUDFLARE_BAN = (
    "<!DOCTYPE html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title>"
    "</head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>"
)
