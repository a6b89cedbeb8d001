"""Decides by learned weights which claims of an article are demands, and who takes part in them.

Three questions, each a choice between options whose measures (`bot.stories.demand_features`) are added up
with the weights of `data/demand_weights.toml`: who demands, who is asked, and whether the claim is a demand
at all (its sum against nothing). The weights are made by tools/train_demands.py; the rules' answers are
measures among the others. Where a demand stands is weighed after that (`bot.stories.demand_outcome`); what
no weights choose (instrument, target) stays as the rules have it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from bot.record import Notes
from bot.stories.demand_claims import Claim, claims_of
from bot.stories.demand_features import (
    Pick,
    Scene,
    Values,
    claim_values,
    party_values,
    role_values,
    scene_of,
)
from bot.stories.demand_guessed import guessed, of_watching
from bot.stories.demand_guesses import UMBRELLA, sort_of
from bot.stories.demand_outcome import Outcomes
from bot.stories.demand_roles import BESIDE, EXPLICIT
from bot.stories.demand_told import most
from bot.stories.demand_unable import FOR_OFFICES, in_office, unable
from bot.stories.demand_writing import written
from bot.stories.demands import Reading, find_demands, note_demand
from bot.stories.evidence import Evidence, with_demands
from bot.stories.gazetteer import load as gazetteer
from bot.stories.language import READ_AS_ENGLISH
from bot.stories.lexicon import read_data
from bot.stories.model import Demand, Document, Mention
from bot.stories.odds import chance
from bot.stories.relevance import SURELY_TOLD, odds_of
from bot.stories.status import carries
from bot.stories.word_weights import as_written

TOLD = 0.65
"""How sure a demand must be in an article that its words make relevant."""
BESIDE_TOLD = 0.4
"""How sure a gag must be beside a demand for data that is told."""
GUESSED = 1.5
"""Log-odds that the words tell a demand, from which one is written where no claim is sure enough."""
_WORDS = 0.5  # what these log-odds count for a claim: its own measures know of some of it
_PARTS = 0.4  # the same for the part that a party's words give it
_REASONS = 5  # words that are named as a reason
_TO_LISTEN = ("foreign intelligence order", "wiretap order", "pen register order")
_HOPELESS = -3.0
"""Log-odds of relevance from which an article is not looked at: no demand would make it one of the field."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with the parties that the weights choose, and how surely (0 to 1) it is a demand."""

    claim: Claim
    issuers: tuple[str, ...]
    recipients: tuple[str, ...]
    sure: float


@dataclass(frozen=True, slots=True)
class Found:
    """A demand, how surely it is one, and what it was found by (`Claim.kind`)."""

    demand: Demand
    sure: float
    kind: str


_Alike = tuple[tuple[str, ...], tuple[str, ...], str]  # who asks, who is asked, by which instrument


@cache
def weights() -> dict[str, Values]:
    """Give the weights of the three choices: "issuer", "recipient", "claim"."""
    return {
        choice: {name: float(weight) for name, weight in entry.items()}
        for choice, entry in read_data("demand_weights.toml").items()
    }


def find(
    document: Document, mentions: tuple[Mention, ...], evidence: Evidence | None, notes: Notes
) -> tuple[tuple[Demand, ...], float]:
    """Find the demands of an article, those of the rules first, and how surely the surest is told (0 to 1).

    `mentions` are the places that name parties, `evidence` is what `relevance.evidence_of` gives. Articles in
    other languages than English are read by the rules alone (and nothing is surely told in them).
    """
    if evidence is None or document.language not in READ_AS_ENGLISH:
        return find_demands(document, mentions, notes), 0.0
    reading = Reading(document, mentions)
    scene, claims = scene_and_claims(reading, document, evidence)
    if scene is None:
        found = [Found(demand, 0.0, "told") for _, demand in reading.told]
    else:
        found = decide(scene, claims, weights())
    for each in found:
        note_demand(notes, each.demand, round(each.sure, 2))
        if each.kind == "guessed" and scene is not None:
            words = ", ".join(as_written(scene.words.weightiest(_REASONS), scene.reading.texts.values()))
            notes.note("demand", "by words", f"No known turn tells it; words like {words} do, all together.")
    if not found:
        notes.note("demand", "none", "No sentence reports a demand as a fact.")
    return tuple(each.demand for each in found), max((each.sure for each in found), default=0.0)


def scene_and_claims(
    reading: Reading, document: Document, evidence: Evidence
) -> tuple[Scene | None, list[Claim]]:
    """Gather an article's claims and look at its parties; no scene where it is hopeless or tells nothing."""
    told = tuple(demand for _, demand in reading.told)
    odds = odds_of(with_demands(evidence, document, told), "relevance")
    if odds <= _HOPELESS:
        return None, []
    claims = claims_of(reading)
    return scene_of(reading, claims, odds), claims


def decide(scene: Scene, claims: list[Claim], tables: dict[str, Values]) -> list[Found]:
    """Decide which claims are demands: each once, those of the rules first, then the surer ones."""
    outcomes = Outcomes(scene.said, scene.reading.texts)
    kept: dict[tuple[_Alike, str], Found] = {}  # by their status too
    renamed: dict[_Alike, Found] = {}  # by another instrument than their words name
    for demand, claim, sure in found_in(scene, claims, tables):
        found = Found(outcomes.stated(demand, claim), sure, claim.kind)
        alike = demand.issuer, demand.recipient, demand.instrument
        if claim.base is not None and claim.base.instrument != demand.instrument:
            renamed.setdefault(alike, found)
        else:
            kept.setdefault((alike, found.demand.status), found)
    told = {alike for alike, _ in kept}
    once = [*kept.values(), *(found for alike, found in renamed.items() if alike not in told)]
    once.sort(key=lambda each: -each.sure)
    return sorted(once, key=lambda each: each.kind != "told")


def found_in(
    scene: Scene, claims: list[Claim], tables: dict[str, Values]
) -> Iterator[tuple[Demand, Claim, float]]:
    """Give the demands of an article, where they stand by the rules alone, and how surely each is one.

    They are the claims that are sure enough; where none is, and the words are, the one that the words tell.
    """
    found = False
    for judged, demand in _accepted(scene, claims, tables):
        found = True
        demand = _without_press(scene, judged.claim, _by_likelier(scene, demand))
        yield _of_the_watched(scene, judged.claim, demand), judged.claim, judged.sure
    if not found and scene.words.told >= GUESSED and (guess := guessed(scene)):
        yield *guess, chance(scene.words.told)
    elif not found and scene.odds > 0 and (watching := of_watching(scene)):
        yield *watching, TOLD


def _of_the_watched(scene: Scene, claim: Claim, demand: Demand) -> Demand:
    """Say of a demand that it is about the watched whom its sentences name."""
    named = [
        name
        for name in scene.parties
        if name in scene.watched and not claim.anchors.isdisjoint(scene.parties[name].sentences)
    ]
    others = [name for name in demand.target if name not in named and name in scene.parties]
    return replace(demand, target=(*named, *others)) if named else demand


def _without_press(scene: Scene, claim: Claim, demand: Demand) -> Demand:
    """Take people and the press, who tell of it, from those an order to listen in asks, unless it says so."""
    if demand.instrument not in _TO_LISTEN:
        return demand
    said = _said_to_be_asked(claim)
    slots = {name: scene.parties[name].slot for name in demand.recipient if name in scene.parties}
    kept = [
        name
        for name in demand.recipient
        if name in said
        or name not in slots
        or (slots[name].kind != "person" and sort_of(name) not in ("press", "media"))
    ]
    shown = [(field, text) for field, text in demand.field_evidence if kept or field != "recipient"]
    return replace(demand, recipient=tuple(kept), field_evidence=tuple(shown))


def _by_likelier(scene: Scene, demand: Demand) -> Demand:
    """Give a demand the instrument that the words make much likelier, if there is one."""
    instrument = scene.words.likelier(demand.instrument)
    if instrument == demand.instrument:
        return demand
    shown = scene.reading.texts[scene.words.names_most(instrument, demand.instrument)]
    fields = dict(demand.field_evidence) | {"instrument": shown}
    return replace(demand, instrument=instrument, field_evidence=tuple(fields.items()))


def _accepted(
    scene: Scene, claims: list[Claim], tables: dict[str, Values]
) -> Iterator[tuple[Judged, Demand]]:
    """Give the claims that are sure enough, the surest first and gags last; status is the rules' still."""
    limit = TOLD if scene.odds > 0 else SURELY_TOLD
    silenced: Judged | None = None
    for judged in sorted(
        judge(scene, claims, tables), key=lambda each: (each.claim.family == "gag", -each.sure)
    ):
        if judged.claim.family == "gag" and silenced is not None:
            judged = _with_parties(judged, silenced)
            told = judged.sure >= BESIDE_TOLD
        else:
            told = judged.sure >= limit
        if told:
            if silenced is None and judged.claim.family == "data":
                silenced = judged
            yield judged, written(scene, judged.claim, judged.issuers, judged.recipients)


def _with_parties(gag: Judged, silenced: Judged) -> Judged:
    """A gag has the parties of the demand that it silences, where its own words name none."""
    named = {
        role: any(
            weight >= BESIDE and frame.slots[name].kind != "court"
            for frame in gag.claim.group.frames
            for name, weight in getattr(frame, role).items()
        )
        for role in ("issuers", "recipients")
    }
    return replace(
        gag,
        issuers=gag.issuers if named["issuers"] else silenced.issuers,
        recipients=gag.recipients if named["recipients"] else silenced.recipients,
    )


def judge(scene: Scene, claims: list[Claim], tables: dict[str, Values]) -> list[Judged]:
    """Choose the parties of every claim, and say how surely it is a demand."""
    picker = Picker(scene, tables)
    found = []
    for order, claim in enumerate(claims):
        issuer, recipient = picker.pick(claim)
        issuers, recipients = _names(claim, issuer, recipient)
        if claim.group.asked_first and claim.base is not None:  # by whom it was ordered afterwards
            if most(claim.group.frames, "issuers") < BESIDE:
                issuers = claim.base.issuer or issuers
            if most(claim.group.frames, "recipients") < BESIDE:
                recipients = claim.base.recipient or recipients
        if claim.group.campaign is not None and claim.family != "gag":  # one more, made to somebody else
            recipients = _said_to_be_asked(claim) or recipients
        if claim.family == "content" and not any(map(carries, recipients)):  # who blocks, not what is blocked
            recipients = tuple(filter(carries, _said_to_be_asked(claim))) or recipients
        recipients = _without_watched(scene, claim, recipients)
        issuers = tuple([name for name in issuers if not of_one_house(name, recipients)])
        if issuers or recipients:
            values = claim_values(scene, claim, order, issuer, recipient)
            odds = total(values, tables["claim"]) + _WORDS * scene.words.told
            found.append(Judged(claim, issuers, recipients, chance(odds)))
    return found


def _without_watched(scene: Scene, claim: Claim, recipients: tuple[str, ...]) -> tuple[str, ...]:
    """Of the chosen, those who are not watched; else those whom the claim's own words say to be asked."""
    kept = tuple([name for name in recipients if name not in scene.watched])
    if kept or not recipients:
        return kept
    return tuple([name for name in _said_to_be_asked(claim) if name not in scene.watched])


def of_one_house(name: str, recipients: tuple[str, ...]) -> bool:
    """Whether a party is a product or a daughter of a firm that is asked, or its owner: it asks nothing."""
    entries = gazetteer().entries
    asked = [entries[other] for other in recipients if other in entries]
    entry = entries.get(name)
    return (
        entry is not None
        and entry.kind == "company"
        and (entry.parent in recipients or any(each.parent == name for each in asked))
    )


def _said_to_be_asked(claim: Claim) -> tuple[str, ...]:
    """Whom the claim's own words say to be asked."""
    votes = [vote for frame in claim.group.frames for vote in frame.recipients.items()]
    return tuple(dict.fromkeys(name for name, vote in votes if vote >= EXPLICIT))


def total(values: Values, table: Values) -> float:
    """Add up what measures count."""
    return sum([table[name] * value for name, value in values.items() if name in table])


class Picker:
    """Chooses parties for the claims of one article; what a party counts by itself is added up once."""

    def __init__(self, scene: Scene, tables: dict[str, Values]) -> None:
        self._scene = scene
        self._tables = tables
        self._alone: dict[tuple[str, str], float] = {}  # by role and name

    def pick(self, claim: Claim) -> tuple[Pick | None, Pick | None]:
        """Choose who demands, then who is asked."""
        beside = party_values(self._scene, claim)
        issuer = self._best(claim, beside, "issuer", None)
        return issuer, self._best(claim, beside, "recipient", issuer.name if issuer else None)

    def _best(
        self, claim: Claim, beside: list[tuple[str, Values]], role: str, taken: str | None
    ) -> Pick | None:
        table = self._tables[role]
        by_rules = role_values(self._scene, claim, f"{role}s", taken)
        told = {claim.base.instrument} if claim.base else {f.instrument for f in claim.group.frames}
        for_offices = not told.isdisjoint(FOR_OFFICES)
        names, sums = [], []
        for name, values in beside:
            slot = self._scene.parties[name].slot
            if claim.family != "favour" and unable(slot, role):
                continue
            if for_offices and role == "issuer" and slot.kind == "person" and not in_office(slot):
                continue
            alone = self._alone.get((role, name))
            if alone is None:
                alone = total(self._scene.parties[name].values, table)
                alone += _PARTS * self._scene.parts[name].get(role, 0.0)
                self._alone[role, name] = alone
            own = by_rules.get(name)
            names.append(name)
            sums.append(alone + total(values, table) + (total(own, table) if own else 0.0))
        return best(names, sums) if names else None


def best(names: list[str], sums: list[float]) -> Pick:
    """The one with the highest sum, and its chance among all."""
    highest = max(sums)
    share = 1 / sum([math.exp(each - highest) for each in sums])
    return Pick(names[sums.index(highest)], share, highest)


def _names(
    claim: Claim, issuer: Pick | None, recipient: Pick | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The chosen parties; with those whom the rules name beside them, where they agree.

    "The U.S. government" is no better answer than the agency of it that the rules name.
    """
    sides: list[tuple[str, ...]] = []
    for pick, rules in (
        (issuer, claim.base.issuer if claim.base else ()),
        (recipient, claim.base.recipient if claim.base else ()),
    ):
        if pick is None:
            sides.append(())
        elif pick.name in rules or (rules and UMBRELLA.search(pick.name) and not UMBRELLA.search(rules[0])):
            sides.append(rules)
        else:
            sides.append((pick.name,))
    recipients = tuple(name for name in sides[1] if name not in sides[0])
    if not recipients and claim.base is not None and set(sides[0]) <= {*claim.base.recipient}:
        return (), sides[0]  # the only party there is: the rules say that it is asked
    return sides[0], recipients
