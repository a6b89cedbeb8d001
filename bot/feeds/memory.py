"""What the policy remembers of a feed between looks: a small value, kept as JSON in the feed's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.feeds.model import Rhythm


@dataclass(frozen=True, slots=True)
class Move:
    """A permanent redirect that was seen: where to, since when, in how many looks.

    `ours`: whether the target showed entries of this feed when it first showed any; None: not seen yet.
    """

    to: str
    since: int
    seen: int
    ours: bool | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Times are Unix times in whole seconds.

    `times`: when the latest entries appeared. `not_before`: the server asked not to be asked until then,
    not even by hand. `gone`: looks in a row that found 410. `former`: addresses that the feed had before a
    move. `refused_move`: a move that somebody undid. `kept`: the operator added it, so it is looked at
    though no guild uses it. `hub`, `topic`: where it can be subscribed to, and as what. `push_until`: a
    hub delivers until then. `told_rebuilt`: when it was last told that the feed was rebuilt. `rebuilt`: when
    it last looked so, the latest last. `shared`: keys that several of its entries had at once, and so none.
    `reaches`: the date of the oldest entry that it has shown.
    """

    times: tuple[int, ...] = ()
    hints: Rhythm = field(default_factory=Rhythm)
    not_before: int | None = None
    gone: int = 0
    move: Move | None = None
    former: tuple[str, ...] = ()
    refused_move: str | None = None
    kept: bool = False
    hub: str | None = None
    topic: str | None = None
    push_until: int | None = None
    told_rebuilt: int | None = None
    rebuilt: tuple[int, ...] = ()
    shared: tuple[str, ...] = ()
    reaches: int | None = None

    def pushed(self, now: datetime) -> bool:
        """Whether a hub delivers what is new."""
        return self.push_until is not None and self.push_until > now.timestamp()

    def barred_until(self, now: datetime) -> datetime | None:
        """Until when the server asked not to be asked at all, None when it may be."""
        return barred_until(self.not_before, now)


def barred_until(not_before: int | None, now: datetime) -> datetime | None:
    """The same for what is stored under that name."""
    if not_before is None or not_before <= now.timestamp():
        return None
    return datetime.fromtimestamp(not_before, UTC)


def from_json(data: Mapping[str, Any]) -> Memory:
    """Read what is stored; what is missing has its default."""
    move = data.get("move")
    return Memory(
        times=tuple(data.get("times", ())),
        hints=Rhythm(
            data.get("ttl"), frozenset(data.get("skip_hours", ())), frozenset(data.get("skip_days", ()))
        ),
        not_before=data.get("not_before"),
        gone=data.get("gone", 0),
        move=Move(move["to"], move["since"], move["seen"], move["ours"]) if move else None,
        former=tuple(data.get("former", ())),
        refused_move=data.get("refused_move"),
        kept=data.get("kept", False),
        hub=data.get("hub"),
        topic=data.get("topic"),
        push_until=data.get("push_until"),
        told_rebuilt=data.get("told_rebuilt"),
        rebuilt=tuple(data.get("rebuilt", ())),
        shared=tuple(data.get("shared", ())),
        reaches=data.get("reaches"),
    )


def to_json(memory: Memory) -> dict[str, Any]:
    """Give what is stored: only what differs from the default."""
    move = memory.move
    data: dict[str, Any] = {
        "times": list(memory.times),
        "ttl": memory.hints.ttl_seconds,
        "skip_hours": sorted(memory.hints.skip_hours),
        "skip_days": sorted(memory.hints.skip_days),
        "not_before": memory.not_before,
        "gone": memory.gone,
        "move": {"to": move.to, "since": move.since, "seen": move.seen, "ours": move.ours} if move else None,
        "former": list(memory.former),
        "refused_move": memory.refused_move,
        "kept": memory.kept,
        "hub": memory.hub,
        "topic": memory.topic,
        "push_until": memory.push_until,
        "told_rebuilt": memory.told_rebuilt,
        "rebuilt": list(memory.rebuilt),
        "shared": list(memory.shared),
        "reaches": memory.reaches,
    }
    return {name: value for name, value in data.items() if value}
