"""Writes a claim down as a demand, each field with the sentence that shows it."""

from __future__ import annotations

from dataclasses import replace

from bot.stories.demand_claims import Claim
from bot.stories.demand_features import Scene
from bot.stories.demand_kinds import instrument_of
from bot.stories.demand_status import stands
from bot.stories.demands import compose
from bot.stories.model import Demand


def written(scene: Scene, claim: Claim, issuers: tuple[str, ...], recipients: tuple[str, ...]) -> Demand:
    """Give a claim its parties; what the rules say of it otherwise stays."""
    base, texts = claim.base, scene.reading.texts
    if base is not None and (base.issuer, base.recipient) == (issuers, recipients):
        return base
    groups = [group for group, _ in scene.reading.told]
    if all(group is not claim.group for group in groups):
        groups.append(claim.group)
    lead, status, event = stands(
        claim.group,
        groups,
        issuers,
        recipients,
        instrument_of(claim.group, issuers),
        scene.reading.marked,
        scene.reading.events,
    )
    if base is None:
        base = compose(claim.group, issuers, recipients, (), lead, status, event, texts)
    shown = dict(base.field_evidence)
    for role, names, before in (
        ("issuer", issuers, base.issuer),
        ("recipient", recipients, base.recipient),
    ):
        if not names:
            shown.pop(role, None)
        elif names != before or claim.base is None:
            shown[role] = texts[where_named(scene, claim, names[0])]
    shown.pop("status", None)
    if event:
        shown["status"] = texts[event.index]
    plainest = texts[_tells_most(scene, claim, issuers, recipients)]
    return replace(
        base,
        issuer=issuers,
        recipient=recipients,
        target=tuple(name for name in base.target if name not in (*issuers, *recipients)),
        status=status,
        evidence=(plainest, texts[event.index]) if event and event.index >= 0 else (plainest,),
        field_evidence=tuple(shown.items()),
    )


def where_named(scene: Scene, claim: Claim, name: str) -> int:
    """The sentence that shows a party in a claim: one that the claim rests on, or the nearest to one."""
    there = scene.parties[name].sentences
    if not there:
        return next(
            (frame.index for frame in claim.group.frames if name in frame.slots),
            min(claim.anchors, default=-1),
        )
    return min(there, key=lambda index: (claim.distance(index), index < 0, index))


def _tells_most(scene: Scene, claim: Claim, issuers: tuple[str, ...], recipients: tuple[str, ...]) -> int:
    """The sentence of a claim that names most of its parties, by the weightiest frame."""
    parties = [scene.parties[name].sentences for name in (*issuers[:1], *recipients[:1])]
    heaviest: dict[int, float] = {}
    for frame in claim.group.frames:
        heaviest[frame.index] = max(heaviest.get(frame.index, 0.0), frame.weight)
    return max(
        heaviest,
        key=lambda index: (
            index >= 0,
            sum(index in sentences for sentences in parties),
            heaviest[index],
            -index,
        ),
    )
