"""One demand as an article tells it: the frames that speak of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.stories.demand_roles import BESIDE, Frame

ENOUGH = 1.0
"""Weight of the frames of a demand, together, from which it is reported."""


@dataclass(slots=True)
class Group:
    """Frames that speak of one demand. `sentences` are those it may take its status from; empty: all that
    are left, but for `foreign` ones, which tell of other matters. `campaign` is the demand that this
    one was singled out of: what it leaves open, that one tells.
    """

    family: str
    frames: list[Frame] = field(default_factory=list)
    sentences: frozenset[int] = frozenset()
    foreign: frozenset[int] = frozenset()
    campaign: Group | None = None
    asked_first: bool = False  # by word alone, before the order that `campaign` is

    @property
    def weight(self) -> float:
        """How surely the demand is one."""
        return sum(frame.weight for frame in self.frames)

    @property
    def default_status(self) -> str:
        """The status where no event tells one: what was taken, bought or granted was given."""
        if self.family in ("buy", "favour"):
            return "complied"
        forms = {frame.form for frame in self.frames if frame.weight >= 0.6}
        return "complied" if forms and forms <= {"taking", "giving"} else "issued"


def whole(frame: Frame) -> bool:
    """Whether one sentence tells who asks and who is asked, one of them by name."""
    sides = (frame.issuers, frame.recipients)
    return all(max(side.values(), default=0.0) >= BESIDE for side in sides) and any(
        not frame.slots[name].generic for side in sides for name in side
    )


def most(frames: list[Frame], role: str) -> float:
    """Give the weight of the surest party in a role ("issuers" or "recipients")."""
    return max((weight for frame in frames for weight in getattr(frame, role).values()), default=0.0)
