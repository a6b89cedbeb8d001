"""What speaks for and against a claim and its parties: the measures that the weights weigh.

Every measure is a name and a number; `data/demand_weights.toml` says what it counts. The rules' own answer
is among them ("rules"), so that the weights say how far to follow it. A name with a bar ("kind:company/buy")
is a measure within a kind of party or a family of demands.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.stories.demand_claims import Claim
from bot.stories.demand_guesses import sort_of
from bot.stories.demand_watched import watched
from bot.stories.demand_words import DemandWords, tables
from bot.stories.demands import Reading
from bot.stories.marks import MARKS, Marked, Slot
from bot.stories.said import Said, said_in
from bot.stories.word_weights import Measures

Values = dict[str, float]

_SIGN = re.compile(f"[{MARKS}]")
_BEFORE = re.compile(r"([a-z]+)(?: (?:the|an?|its|their|his|her))? $")
_SMALL = frozenset(("to", "from", "by", "against", "on", "of", "with", "for", "at"))
_MOST_PLACES = 12  # of one party that are looked at
_MODAL = re.compile(
    r"(?<!\w)(?:could|would|may|might|should|must|bill|law|legislation|proposed|proposal|plan|plans|if|whether|"
    r"want|wants|wanted|will|can)(?!\w)"
)
_DONE = re.compile(
    r"(?<!\w)(?:ordered|asked|demanded|subpoenaed|requested|forced|told|issued|served|sent|obtained|received|"
    r"handed|gave|refused|removed|blocked|took|seized|bought|sold|paid|compelled|sued|filed|ruled)(?!\w)"
)


@dataclass(slots=True)
class Place:
    """One place where a party stands: its sentence, where in it, how many parties stand before it there."""

    index: int
    position: int
    order: int
    marks: tuple[str, ...]  # the word before it, "'s" behind it


@dataclass(slots=True)
class Presence:
    """A party of the article and the places where it stands."""

    slot: Slot
    places: list[Place] = field(default_factory=list)
    sentences: set[int] = field(default_factory=set)
    values: Values = field(default_factory=dict)  # what it is and where it stands, whatever the claim


@dataclass(slots=True)
class Scene:
    """An article as the weights see it. `signs`: where parties stand in each sentence.

    `words` and `parts` are what its words say of its demands, and of each party's part in them.
    """

    reading: Reading
    odds: float  # of its being relevant, by its words and the rules' demands
    parties: dict[str, Presence]
    signs: dict[int, list[int]]
    texts: dict[int, str]  # with signs
    most: dict[str, int]  # of each kind, in how many sentences the party most often named stands
    named: dict[str, int]  # of each kind, how many parties have a name
    said: list[Said]
    words: DemandWords
    parts: dict[str, Measures]
    watched: frozenset[str]  # whom it is about and who is not asked, whatever the claim


def scene_of(reading: Reading, claims: list[Claim], odds: float) -> Scene:
    """Look at an article's parties and words once, for all its claims."""
    parties: dict[str, Presence] = {}
    signs: dict[int, list[int]] = {}
    for item in reading.marked:
        signs[item.index] = _read_places(item, parties) if item.slots else []
    for claim in claims:
        for frame in claim.group.frames:
            for name, slot in frame.slots.items():
                parties.setdefault(name, Presence(slot))
        for name in (*claim.base.issuer, *claim.base.recipient) if claim.base else ():
            parties.setdefault(name, Presence(Slot(name, "agency")))
    most: dict[str, int] = defaultdict(int)
    named: dict[str, int] = defaultdict(int)
    for party in parties.values():
        if not party.slot.generic:
            kind = party.slot.kind
            most[kind] = max(most[kind], len(party.sentences))
            named[kind] += 1
    texts = {item.index: item.text for item in reading.marked}
    for party in parties.values():
        party.values = _presence_values(party, most, named)
    said = said_in(reading.marked)
    words = DemandWords(said, tables())
    return Scene(
        reading,
        odds,
        parties,
        signs,
        texts,
        most,
        named,
        said,
        words,
        parts_by(words, parties),
        watched(reading.marked),
    )


def parts_by(words: DemandWords, parties: Mapping[str, Presence]) -> dict[str, Measures]:
    """Say of every party how likely its words make it for each part in a demand."""
    return {name: words.parts(name, party.values) for name, party in parties.items()}


def _read_places(item: Marked, parties: dict[str, Presence]) -> list[int]:
    text = item.text
    positions: list[int] = []
    for match in _SIGN.finditer(text):
        slot = item.slots.get(match.group())
        if slot is None:  # a sign that stood in the article itself
            continue
        position = match.start()
        order = len(positions)
        positions.append(position)
        party = parties.get(slot.name)
        if party is None:
            party = parties[slot.name] = Presence(slot)
        elif (slot.official and not party.slot.official) or (party.slot.generic and not slot.generic):
            party.slot = slot
        party.sentences.add(item.index)
        if len(party.places) < _MOST_PLACES:
            before = _BEFORE.search(text, max(0, position - 14), position)
            marks = [before.group(1)] if before and before.group(1) in _SMALL else []
            if text.startswith("'s", position + 1):
                marks.append("'s")
            party.places.append(Place(item.index, position, order, tuple(marks)))
    return positions


def _share(value: float, most: float) -> float:
    return min(value, most) / most


def party_values(scene: Scene, claim: Claim) -> list[tuple[str, Values]]:
    """Measure every party of the article for a claim, whatever the role: where it stands beside the claim."""
    spots: dict[int, list[int]] = defaultdict(list)
    for frame in claim.group.frames:
        spots[frame.index].append(frame.position)
    return [
        (name, _beside(scene, claim, party, spots))
        for name, party in scene.parties.items()
        if party.slot.kind != "account"
    ]


def _beside(scene: Scene, claim: Claim, party: Presence, spots: dict[int, list[int]]) -> Values:
    there, anchors, kind = party.sentences, claim.anchors, party.slot.kind
    values = {f"kind:{_kind(party.slot)}/{claim.family}": 1.0}
    beside = there & anchors
    if beside:
        values["beside"] = len(beside) / len(anchors)
        values["beside.some"] = values[f"beside/{kind}"] = 1.0
    elif any(index + 1 in there or index - 1 in there for index in anchors):
        values["next to"] = 1.0
    else:
        values["apart"] = 1.0
    for place in party.places:
        here = spots.get(place.index)
        if here is None:
            continue
        for word in place.marks:
            values[f"word:{word}/beside"] = 1.0
        if place.order == 0:
            values["opens"] = 1.0
        signs = scene.signs[place.index]
        for position in here:
            side = "before" if place.position < position else "after"
            values[side] = 1.0
            low, high = sorted((place.position, position))
            if not any(low < sign < high for sign in signs):
                values[f"just {side}"] = 1.0
    return values


def role_values(scene: Scene, claim: Claim, role: str, other: str | None) -> dict[str, Values]:
    """Measure what the rules say of parties for a role of a claim; `other` has the other role already."""
    opposite = "recipients" if role == "issuers" else "issuers"
    base: tuple[str, ...] = ()
    contrary: tuple[str, ...] = ()
    if claim.base is not None:
        sides = (claim.base.issuer, claim.base.recipient)
        base, contrary = sides if role == "issuers" else (sides[1], sides[0])
    votes: dict[str, float] = defaultdict(float)
    against: dict[str, float] = defaultdict(float)
    surest: dict[str, float] = defaultdict(float)
    for frame in claim.group.frames:
        share = min(1.0, 0.3 + frame.weight / 2)
        for name, weight in getattr(frame, role).items():
            votes[name] += weight * share
            surest[name] = max(surest[name], weight)
        for name, weight in getattr(frame, opposite).items():
            against[name] += weight * share
    most = max(votes.values(), default=0.0)
    found: dict[str, Values] = defaultdict(dict)
    for name, sum_of_votes in votes.items():
        found[name]["votes"] = _share(sum_of_votes, 6)
        found[name][f"vote:{surest[name]:g}"] = 1.0
        if sum_of_votes == most:
            found[name]["votes.most"] = 1.0
    for name, sum_of_votes in against.items():
        found[name]["against"] = _share(sum_of_votes, 6)
        if sum_of_votes > votes.get(name, 0.0):
            found[name]["against.more"] = 1.0
    for name in base:
        found[name]["rules"] = 1.0
        found[name][f"rules/{claim.kind}"] = 1.0
        found[name][f"rules/{_kind(scene.parties[name].slot)}"] = 1.0
    for name in base[:1]:
        found[name]["rules.first"] = 1.0
    for name in contrary:
        found[name]["rules.opposite"] = 1.0
    if other is not None:
        found[other]["taken"] = 1.0
    return found


def _kind(slot: Slot) -> str:
    return f"{slot.kind}, a noun" if slot.generic else slot.kind


def _presence_values(party: Presence, most: Mapping[str, int], named: Mapping[str, int]) -> Values:
    """What a party is and where it stands in the article, whatever the claim."""
    slot, there = party.slot, party.sentences
    kind = slot.kind
    values = {f"kind:{_kind(slot)}": 1.0, "often": math.log1p(len(there)) / 2}
    if sort := sort_of(slot.name):
        values[f"sort:{sort}"] = 1.0
    if slot.official:
        values["official"] = 1.0
    if slot.bystander:
        values["bystander"] = 1.0
    if slot.generic:
        if named.get(kind):
            values["noun beside names"] = 1.0
    else:
        if len(there) == most[kind]:
            values["most"] = values[f"most/{kind}"] = 1.0
        if named[kind] == 1:
            values[f"only/{kind}"] = 1.0
    if -1 in there:
        values["title"] = values[f"title/{kind}"] = 1.0
    if 0 in there:
        values["first"] = values[f"first/{kind}"] = 1.0
    if 1 in there or 2 in there:
        values["early"] = 1.0
    if there and min(there) > 6:
        values["late"] = 1.0
    for place in party.places:
        for word in place.marks:
            values[f"word:{word}"] = 1.0
    return values


@dataclass(frozen=True, slots=True)
class Pick:
    """The party that the weights choose for a role, how surely (0 to 1), and by how high a sum."""

    name: str
    chance: float
    sum: float


def claim_values(
    scene: Scene, claim: Claim, order: int, issuer: Pick | None, recipient: Pick | None
) -> Values:
    """Measure how surely a claim is a demand. `order` counts the claims of the article."""
    kind = claim.kind
    frames = claim.group.frames
    weight = sum(frame.weight for frame in frames)
    first = min(claim.anchors, default=99)
    anchored = [scene.texts[index] for index in claim.anchors if index in scene.texts]
    sides = [(max(f.issuers.values(), default=0.0), max(f.recipients.values(), default=0.0)) for f in frames]
    own: Values = {  # measures that count differently for told and left claims
        "": 1.0,
        claim.family: 1.0,
        "weight": _share(weight, 4),
        "rank": max((frame.rank for frame in frames), default=0) / 10,
        "frames": _share(len(frames), 8),
        "first": 1 / (2 + first),
        "relevance": max(-3.0, min(5.0, scene.odds)) / 4,
        "modal": sum(_MODAL.search(text) is not None for text in anchored) / max(1, len(anchored)),
        "done": sum(_DONE.search(text) is not None for text in anchored) / max(1, len(anchored)),
        "order": _share(order, 3),
        "both sides": float(any(a and b for a, b in sides)),
        "both sides, surely": float(any(a >= 2 and b >= 2 for a, b in sides)),
        "issuer's vote": max((a for a, _ in sides), default=0.0) / 3,
        "recipient's vote": max((b for _, b in sides), default=0.0) / 3,
        "target": float(any(frame.targets for frame in frames)),
    }
    for limit in (-2, 0, 1, 3):
        own[f"relevance<{limit}"] = float(scene.odds <= limit)
    if first < 2:
        own["in title" if first < 0 else "in lead"] = 1.0
    for frame in frames:
        own[f"form:{frame.form}"] = own[f"instrument:{frame.instrument}"] = 1.0
    if claim.base is None:
        own["rules:none"] = 1.0
    else:
        own[f"rules:{claim.base.instrument}"] = own[f"rules:{claim.base.status}"] = 1.0
        own["rules:issuer"] = float(bool(claim.base.issuer))
        own["rules:recipient"] = float(bool(claim.base.recipient))
        own["rules:both"] = float(bool(claim.base.issuer and claim.base.recipient))
        own["rules:ended"] = float(any(name == "status" for name, _ in claim.base.field_evidence))
    _add_picks(own, scene, claim, issuer, recipient)
    values = {f"{kind} {name}".rstrip(): value for name, value in own.items() if value}
    values["any"] = 1.0
    values["weight"] = _share(weight, 4)
    values["heaviest"] = _share(max((frame.weight for frame in frames), default=0.0), 2)
    values["long"] = _share(len(scene.reading.marked), 40)
    if weight > 1:
        values["heavy"] = 1.0
    for frame in frames:
        values[f"form:{frame.form}"] = 1.0
    for limit in (-2, 0, 1, 3):
        if scene.odds <= limit:
            values[f"relevance<{limit}"] = 1.0
    if scene.reading.told and kind != "told":
        values["others told"] = 1.0
    return values


def _add_picks(own: Values, scene: Scene, claim: Claim, issuer: Pick | None, recipient: Pick | None) -> None:
    """Add what the chosen parties show."""
    for role, pick in (("issuer", issuer), ("recipient", recipient)):
        if pick is None:
            own[f"{role}:none"] = 1.0
            continue
        party = scene.parties[pick.name]
        own[f"{role} chance"] = pick.chance
        own[f"{role} sum"] = max(-5.0, min(10.0, pick.sum)) / 5
        own[f"{role}:{_kind(party.slot)}"] = 1.0
        own[f"{role} title"] = float(-1 in party.sentences)
        own[f"{role} first"] = float(0 in party.sentences)
        own[f"{role} often"] = _share(len(party.sentences), 6)
        if sort := sort_of(pick.name):
            own[f"{role} sort:{sort}"] = 1.0
        if claim.base is not None:
            names = claim.base.issuer if role == "issuer" else claim.base.recipient
            own[f"{role} {'as rules' if pick.name in names else 'not as rules'}"] = 1.0
    if issuer is not None and recipient is not None:
        both = scene.parties[issuer.name].sentences & scene.parties[recipient.name].sentences
        own["together"] = _share(len(both), 3)
        own["together beside"] = float(bool(both & claim.anchors))
        own["together in title"] = float(-1 in both)
