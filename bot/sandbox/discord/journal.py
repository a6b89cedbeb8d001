"""What came in and what was answered, for tests and for the terminal."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.sandbox.discord.errors import Json

KEPT = 200_000


@dataclass(slots=True)
class Recorded:
    """One request. `path` is below `/api/v10`; `time` in seconds since 1970; `status` 0: none was given.

    `fault`: the effect of the fault that struck it; `code`: Discord's JSON error code.
    """

    number: int
    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: list[str]
    time: float
    status: int = 0
    code: int = 0
    seconds: float = 0.0
    fault: str = ""

    def to_json(self) -> Json:
        """Give it as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Violation:
    """A request body that Discord's description of its API does not allow: where, and what is wrong."""

    number: int
    method: str
    path: str
    pointer: str
    problem: str

    def to_json(self) -> Json:
        """Give it as JSON."""
        return asdict(self)


@dataclass(slots=True)
class Journal:
    """The newest requests, and all violations."""

    requests: deque[Recorded] = field(default_factory=lambda: deque(maxlen=KEPT))
    violations: list[Violation] = field(default_factory=list)
    count: int = 0

    def open(self, method: str, path: str, query: dict[str, str], time: float) -> Recorded:
        """Begin the record of a request."""
        self.count += 1
        entry = Recorded(self.count, method, path, query, None, [], time)
        self.requests.append(entry)
        return entry
