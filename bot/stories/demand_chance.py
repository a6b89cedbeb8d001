"""How likely it is that frames which speak of a demand report one: clear evidence, weighed.

Rules (`demand_reported`) say which frames are told plainly enough. What they leave over is often a demand all
the same (a second one beside the first, one told over several sentences), and what they let pass is often
none where a long piece on something else touches upon it. So every claim is weighed: each measure is a thing
that a reader can see, its weight (`data/demand_chance.toml`, made by `tools/train_demands.py`) is the part
it has in the log-odds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bot.stories.demand_reported import in_passing
from bot.stories.demand_roles import BESIDE, Frame
from bot.stories.demand_told import Group, whole
from bot.stories.instruments import load_table
from bot.stories.marks import Marked
from bot.stories.model import Demand, Document

MEASURES = (
    "bias",
    "by-rules",  # the rules hold it reported
    "beside",  # a part of another demand's words: another recipient, or another instrument
    "elsewhere",  # the article says that it tells of another matter
    "first",  # nothing else is claimed before it
    "gag",
    "content",
    "buy",
    "weight",
    "exact",  # a word for an exact instrument, told as a fact
    "whole",  # one sentence tells who asks and who is asked
    "issuer-said",
    "issuer-named",
    "issuer-none",
    "recipient-said",
    "firm-named",
    "recipient-none",
    "person-asked",
    "target-named",
    "in-title",
    "in-lead",
    "late",
    "long",
    "long-none",  # a long article, and nobody who is asked
    "long-late",
    "passing",
    "outcome",  # something is told of where it stands
    "politics",  # a foreign intelligence order, or a warrant on a person: what politics quarrels over
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A demand that may be reported, and what speaks for it (`MEASURES`; those left out are 0)."""

    demand: Demand
    measures: dict[str, float]


_LATE, _LONG = 6, 14


def measures_of(
    group: Group, demand: Demand, by: str, first_claim: bool, marked: Sequence[Marked], document: Document
) -> dict[str, float]:
    """Measure what speaks for a demand that was read from the frames of a group.

    `by` says how they were found: "rules" hold it reported, it is told "beside" one of those, or the "rest".
    """
    told = [frame for frame in group.frames if frame.weight >= 0.3] or group.frames
    first = min(frame.index for frame in told)
    long = len(document.sentences) >= _LONG
    firms = {
        slot.name
        for item in marked
        for slot in item.slots.values()
        if slot.kind in ("company", "organisation") and not slot.generic
    }
    held = {
        "bias": True,
        "by-rules": by == "rules",
        "beside": by == "beside",
        "elsewhere": by == "rest" and bool(group.sentences),
        "first": first_claim,
        "gag": group.family == "gag",
        "content": group.family == "content",
        "buy": group.family == "buy",
        "exact": any(f.rank >= 7 and f.form in ("noun", "buying") and f.weight >= 0.5 for f in told),
        "whole": any(whole(frame) for frame in told),
        "issuer-said": _said(told, "issuers", demand.issuer),
        "issuer-named": bool(demand.issuer) and not _generic(told, demand.issuer),
        "issuer-none": not demand.issuer,
        "recipient-said": _said(told, "recipients", demand.recipient),
        "firm-named": bool(firms & set(demand.recipient)),
        "recipient-none": not demand.recipient,
        "person-asked": bool(demand.recipient)
        and all(_kind(told, name) == "person" for name in demand.recipient),
        "target-named": any(frame.targets for frame in told),
        "in-title": first < 0,
        "in-lead": 0 <= first < 2,
        "late": first > _LATE,
        "long": long,
        "long-none": long and not demand.recipient,
        "long-late": long and first > _LATE,
        "passing": in_passing(group, marked, document),
        "outcome": any(name == "status" for name, _ in demand.field_evidence),
        "politics": demand.instrument == "foreign intelligence order"
        or (demand.instrument == "search warrant" and not firms & set(demand.recipient)),
    }
    found = {name: 1.0 for name, holds in held.items() if holds}
    found["weight"] = math.log1p(min(group.weight, 6.0))
    return found


def _said(frames: list[Frame], role: str, names: tuple[str, ...]) -> bool:
    return any(getattr(frame, role).get(name, 0.0) >= BESIDE for frame in frames for name in names)


def _generic(frames: list[Frame], names: tuple[str, ...]) -> bool:
    return all(any(n in f.slots and f.slots[n].generic for f in frames) for n in names)


def _kind(frames: list[Frame], name: str) -> str:
    return next((frame.slots[name].kind for frame in frames if name in frame.slots), "")


@cache
def _weights() -> tuple[dict[str, float], float]:
    table = load_table("demand_chance.toml")
    return table["weights"], float(table["claim_at"])


def chance(measures: dict[str, float]) -> float:
    """Give the log-odds that a claim with these measures is a demand that the article reports."""
    weights = _weights()[0]
    return sum(weights[name] * value for name, value in measures.items())


def is_likely(measures: dict[str, float]) -> bool:
    """Whether a claim is likely enough to be made."""
    return chance(measures) >= _weights()[1]
