"""Faults on demand: what a network and a Discord in trouble do to a request.

A `Fault` says which requests it strikes and how; `Faults` keeps those that are set. `when` decides whether
it strikes before the request is carried out or after: a connection dropped `after` storing a message is the
answer that got lost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from bot.sandbox.discord.errors import Json

GATEWAY = "/gateway"
EFFECTS = ("drop", "cut", "delay", "stall", "status", "ratelimit", "cloudflare")


@dataclass(slots=True)
class Fault:
    """One kind of trouble.

    `effect`: `drop` the connection; `cut` the answer in its middle (always after carrying out); `delay` by
    `seconds`; `stall` without any answer; answer `status` (with Discord's `code` and `message`; 5xx in HTML
    as its proxies do when `html`); `ratelimit` with 429 of a `scope` (`user`, `shared`, `global`) for
    `seconds`; `cloudflare`: 429 in HTML without a `Via` header.

    Which: `method` and `path` are patterns (`*`) on the path below `/api/v10`; `body` must stand in the raw
    body. The websocket is struck, while it connects, only by the path `/gateway`. The first `skip` matching
    requests go free, then `times` are struck (None: all), each with `probability`. (aiohttp repeats a GET,
    PUT or DELETE once by itself when the connection breaks.)
    """

    effect: str
    when: str = "before"
    method: str = "*"
    path: str = "*"
    body: str = ""
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 500
    code: int = 0
    message: str = ""
    html: bool = False
    scope: str = "user"
    struck: int = 0

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"no such effect: {self.effect}; known are {', '.join(EFFECTS)}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {self.when}")
        if self.effect == "cut":
            self.when = "after"

    @classmethod
    def from_json(cls, data: Json) -> Fault:
        """Read a fault from the control API; raises ValueError for a field that does not exist."""
        known = {each.name for each in fields(cls)} - {"struck"}
        unknown = set(data) - known
        if unknown:
            raise ValueError(
                f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
            )
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        """Give the fault with how often it struck."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def matches(self, method: str, path: str, raw: bytes) -> bool:
        """Say whether a request is of the kind that this fault strikes."""
        if path == GATEWAY and self.path != GATEWAY:
            return False
        return (
            fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
            and (not self.body or self.body.encode() in raw)
        )


@dataclass(slots=True)
class Faults:
    """The faults that are set, struck in the order in which they were added."""

    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - no secret hangs on it
    rules: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        """Set a fault."""
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Take all faults away."""
        self.rules.clear()

    def draw(self, method: str, path: str, raw: bytes) -> Fault | None:
        """Give the fault that strikes this request, if one does, and count it."""
        for fault in self.rules:
            if fault.times is not None and fault.struck >= fault.times:
                continue
            if not fault.matches(method, path, raw):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1 and self.chance.random() >= fault.probability:
                continue
            fault.struck += 1
            return fault
        return None
