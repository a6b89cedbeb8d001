"""Whether frames that speak of one demand report it as a fact of the article, and not in passing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.stories.demand_guesses import sort_of
from bot.stories.demand_roles import BESIDE, EXPLICIT, Frame
from bot.stories.demand_told import ENOUGH, Group, most, whole
from bot.stories.marks import Marked
from bot.stories.model import Demand, Document


def reported(group: Group, marked: list[Marked]) -> bool:
    """Whether a group is a demand: weighty enough, with a name, and with at least two of its parties."""
    frames = group.frames
    if _headline(group, marked):
        return True
    if group.weight < (ENOUGH if not any(whole(frame) for frame in frames) else 0.8):
        return False
    slots = [slot for frame in frames for slot in frame.slots.values()]
    issuer = most(frames, "issuers")
    recipient = most(frames, "recipients")
    if all(slot.generic for slot in slots) and not _told_first(frames):
        first = group.family == "buy" and min(frame.index for frame in frames) < 1
        return first and any(
            s.kind == "company" and not s.generic for m in marked[:5] for s in m.slots.values()
        )
    asked = [frame.slots[name] for frame in frames for name in frame.recipients]
    named = any(
        not frame.slots[name].generic and weight >= BESIDE
        for frame in frames
        for name, weight in frame.issuers.items()
    )
    named = named or all(slot.generic for slot in slots)
    firms = any(slot.kind in ("company", "organisation") and (named or not slot.generic) for slot in asked)
    target = any(frame.targets for frame in frames)
    if group.family in ("favour", "buy"):
        return issuer >= BESIDE
    if group.family == "content":
        if max(frame.weight for frame in frames) < 0.7:
            return False  # what a platform removes of its own accord
        orders = any(frame.rank >= 8 for frame in frames)
        return (issuer >= BESIDE and (firms or orders)) or (
            firms
            and group.weight >= 1.2
            and any(
                (
                    frame.form == "noun"
                    and frame.rank >= 5
                    and max(frame.recipients.values(), default=0.0) >= BESIDE
                )
                or (frame.form == "verb" and frame.index < 0)
                for frame in frames
            )
        )
    exact = any(frame.rank >= 5 and frame.form in ("noun", "verb") for frame in frames)
    if (
        group.family == "data"
        and not exact
        and not firms
        and not any(frame.form == "taking" and target for frame in frames)
    ):
        return False  # people and agencies ask each other for all sorts of things
    sure = (issuer >= BESIDE) + (recipient >= BESIDE and (firms or exact)) + target
    lead = any(
        frame.index < 2 and frame.rank >= 9 and frame.form == "noun" and _named_issuer(frame)
        for frame in frames
    )
    return sure >= 2 or (firms and group.weight >= 1.3) or (lead and group.weight >= 1.5)


_LONG = 14
"""Sentences from which an article is long: what it tells late and lightly is told in passing."""


def in_passing(group: Group, marked: Sequence[Marked], document: Document) -> bool:
    """Whether a demand is only touched upon, or is a warrant on a person that politics quarrels over."""
    told = [frame.index for frame in group.frames if frame.weight >= 0.5]
    first = min(told, default=0)
    late = len(document.sentences) >= _LONG and first > 7 and group.weight < 3.0
    if late and not (group.family == "buy" and _of_the_headline(group, marked)):
        return True
    long = len(document.sentences) >= _LONG
    if group.family == "content":
        return long and not any(
            frame.weight >= 1.0 and (frame.form != "removal" or whole(frame)) and _ordered_by_office(frame)
            for frame in group.frames
            if frame.index < 8 or (frame.form == "verb" and whole(frame))
        )
    if group.family != "data" or _asks_firm(group):
        return False
    if any(
        slot.kind in ("company", "organisation") and sort_of(slot.name) not in ("media", "press")
        for item in marked[: 1 if long else 2]
        if item.index < 1
        for slot in item.slots.values()
    ):
        return False  # whom the headline names is who is asked
    return (long and not _opens_with(group)) or (first > 1 and len(document.sentences) >= 8)


def _of_the_headline(group: Group, marked: Sequence[Marked]) -> bool:
    """Whether the headline names the firm that sells: what is bought of it is what the article is about."""
    named = {slot.name for item in marked if item.index < 1 for slot in item.slots.values()}
    return any(name in named for frame in group.frames for name in frame.recipients)


def _ordered_by_office(frame: Frame) -> bool:
    """Whether words tell an order or notice, or a state or a court that asks: what others ask is a plea."""
    if frame.form == "noun" and frame.rank >= 8:
        return True
    return any(
        weight >= BESIDE and (frame.slots[name].kind in ("agency", "court") or frame.slots[name].official)
        for name, weight in frame.issuers.items()
    )


def _asks_firm(group: Group) -> bool:
    """Whether some words say that a firm or an organisation is asked."""
    return any(
        frame.slots[name].kind in ("company", "organisation") and weight >= BESIDE
        for frame in group.frames
        for name, weight in frame.recipients.items()
    )


def _opens_with(group: Group) -> bool:
    """Whether the title or the first sentence tells who demands by which instrument, and about whom."""
    return any(
        frame.index < 1
        and frame.weight >= 1.0
        and max(frame.issuers.values(), default=0.0) >= EXPLICIT
        and (bool(frame.targets) or bool(frame.recipients))
        for frame in group.frames
    )


def names_both(group: Group) -> bool:
    """Whether words of a demand name some party that may demand and say that some other is asked."""
    asking = any(not frame.slots[name].generic for frame in group.frames for name in frame.issuers)
    return asking and any(
        weight >= BESIDE and not frame.slots[name].generic
        for frame in group.frames
        for name, weight in frame.recipients.items()
    )


def has_outcome(group: Group, demand: Demand, document: Document) -> bool:
    """Whether a demand that is told weakly names both sides and has a known end: then it is one all the same.

    In a long article one sentence has to tell that one side ordered the other.
    """
    told = any(whole(frame) for frame in group.frames)
    ordered = any(whole(f) and f.form == "verb" and f.rank >= 4 for f in group.frames)
    named = any(
        name in frame.slots and not frame.slots[name].generic
        for frame in group.frames
        for name in demand.issuer
    )
    asked = any(
        weight >= BESIDE
        and name in demand.recipient
        and not frame.slots[name].generic
        and (frame.slots[name].kind == "company" or (told and frame.slots[name].kind == "organisation"))
        for frame in group.frames
        for name, weight in frame.recipients.items()
    )
    return (
        named
        and asked
        and (ordered or len(document.sentences) < _LONG)
        and any(field == "status" for field, _ in demand.field_evidence)
    )


_EARLY = 7
"""Sentences in which an article says what it is about."""


def loosely_told(named: dict[tuple[str, str], Group], marked: list[Marked]) -> list[Group]:
    """The demand of an article that names its instrument early, but its parties in other sentences."""
    early = [item for item in marked if item.index < _EARLY]
    slots = [slot for item in early for slot in item.slots.values() if not slot.generic]
    firm = any(slot.kind == "company" for slot in slots)
    lead = any(s.kind == "company" and not s.generic for m in marked[:2] for s in m.slots.values())
    asking = any(slot.kind in ("agency", "court") or slot.official for slot in slots)
    found = []
    for (matter, family), group in named.items():
        exact = [
            frame
            for frame in group.frames
            if frame.index < _EARLY
            and frame.form in ("noun", "verb", "removal")
            and frame.rank >= 5
            and frame.weight >= 0.5
        ]
        if matter != "main" or family not in ("data", "gag", "content") or not exact:
            continue
        votes = {name for frame in exact for name in (*frame.issuers, *frame.recipients)}
        sure = max(frame.rank for frame in exact) >= (7 if lead else 8) or (
            sum(frame.weight for frame in exact) >= 1.5 and bool(votes)
        )
        if sure and (asking or votes) and (firm or max(frame.rank for frame in exact) >= 9):
            found.append(group)
    return found


def _told_first(frames: list[Frame]) -> bool:
    """Whether the first sentences tell in full who ordered whom, though neither has a name."""
    return any(
        frame.index < 2
        and frame.form == "verb"
        and frame.weight >= 1.2
        and max(frame.issuers.values(), default=0.0) >= EXPLICIT
        and max(frame.recipients.values(), default=0.0) >= BESIDE
        for frame in frames
    )


def _named_issuer(frame: Frame) -> bool:
    return any(weight >= BESIDE and not frame.slots[name].generic for name, weight in frame.issuers.items())


def _headline(group: Group, marked: list[Marked]) -> bool:
    """Whether the title names a company, the article an agency, and sentences an exact instrument."""
    title = marked[0].slots.values()
    firm = any(slot.kind == "company" and not slot.generic for slot in title)
    if (
        not firm
        or sum(frame.weight for frame in group.frames if frame.rank >= 5 and frame.form == "noun") < 0.8
    ):
        return False
    return any(slot.kind in ("agency", "court") for item in marked[:6] for slot in item.slots.values())


def is_plain(group: Group) -> bool:
    """Whether some sentence says plainly who demands, or whom a gag order silences."""
    return any(
        frame.rank >= 8 and frame.weight >= 0.5 and max(frame.recipients.values(), default=0.0) >= BESIDE
        for frame in group.frames
    ) or any(
        max(frame.issuers.values(), default=0.0) >= BESIDE and frame.weight >= 1.0 for frame in group.frames
    )


def stands_alone(group: Group, groups: list[Group]) -> bool:
    """Whether what is told of another matter is a demand of its own, fully told."""
    return (
        group.weight >= 1.2
        and any(frame.named() >= BESIDE for frame in group.frames)
        and any(frame.issuers or frame.recipients for frame in group.frames)
    )
