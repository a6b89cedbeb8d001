"""What an article may report as demands: what the rules hold told, and what they left lying.

A `Claim` is one possible demand. `bot.stories.demand_choice` decides by learned weights which claims are
demands and who takes part in them; here they are only gathered: what the rules hold *told*, and of the frames
that were too weak for them, or told in passing, one claim for each family of instruments (*left*), and one
for each more of its kind that the words count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from bot.stories.demand_more import ones_more, split_followers
from bot.stories.demand_roles import Frame
from bot.stories.demand_told import Group
from bot.stories.demands import Reading
from bot.stories.model import Demand

_SURE = 0.3  # weight from which a frame is one that a claim rests on


@dataclass(frozen=True, slots=True)
class Claim:
    """One possible demand: its frames, and what the rules make of them (None: too little)."""

    kind: str  # "told", "left"; of `bot.stories.demand_guessed`: "guessed" by words alone, "watched"
    group: Group
    base: Demand | None
    anchors: frozenset[int]  # the sentences that it rests on

    @property
    def family(self) -> str:
        """What is asked for: data, content, gag, buy, favour."""
        return self.group.family

    def distance(self, index: int) -> int:
        """Tell how many sentences one is away from those that the claim rests on."""
        return min((abs(index - anchor) for anchor in self.anchors), default=0)


def claims_of(reading: Reading) -> list[Claim]:
    """Gather everything that may be a demand, what the rules hold told first."""
    told = [Claim("told", group, demand, _anchors(group.frames)) for group, demand in reading.told]
    groups = [claim.group for claim in told]
    left = []
    for family, frames in _left(reading, groups).items():
        parts = split_followers(Group(family, frames), reading.marked)
        if not any(group.family == "data" for group in groups):
            parts += ones_more(parts, reading.marked)
        for group in parts:
            base = reading.demand_of(group, [*groups, group])
            left.append(Claim("left", group, base, _anchors(group.frames)))
    return [*told, *left]


def _anchors(frames: list[Frame]) -> frozenset[int]:
    sure = frozenset(frame.index for frame in frames if frame.weight >= _SURE)
    return sure or frozenset(frame.index for frame in frames)


def _left(reading: Reading, told: list[Group]) -> dict[str, list[Frame]]:
    """The frames that no demand of the rules rests on, by family; favours between agencies aside."""
    taken = {id(frame) for group in told for frame in group.frames}
    left: dict[str, list[Frame]] = defaultdict(list)
    for frame in reading.frames:
        if id(frame) not in taken and frame.family != "favour":
            left[frame.family].append(frame)
    if "any" in left:
        loose = left.pop("any")
        weights = {
            family: sum(each.weight for each in left.get(family, ())) for family in ("data", "content")
        }
        left[max(weights, key=lambda family: weights[family])].extend(loose)
    return {family: frames for family, frames in left.items() if frames}
