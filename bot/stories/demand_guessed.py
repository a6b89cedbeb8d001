"""Writes the demand of an article whose words surely tell one where nothing in it was sure enough to be it.

"The letter wanted names; the paper gave none": no rule sees a demand in it, and yet the choice of words says
that there is one, of which kind, and who is who. Each field rests on the sentence that speaks most for it.
Beside a demand that is told, it is asked in the same way whether others were asked too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.stories.demand_claims import Claim
from bot.stories.demand_features import Scene
from bot.stories.demand_fields import deadline_in, instant_in, statute_in, targets_in
from bot.stories.demand_told import Group
from bot.stories.demand_words import FAMILIES, ROLES
from bot.stories.demand_writing import where_named
from bot.stories.model import Demand
from bot.stories.sought import kinds_sought

_LEAST = -1.0  # log-odds of a party's part below which it is left open
_ASKED = 0.3  # the same from which a party is asked though no claim says so


def guessed(scene: Scene) -> tuple[Demand, Claim] | None:
    """Write the demand that the words tell, as issued; None where no party is likely enough to be in it."""
    issuer, recipient = _parties(scene)
    odds = scene.words.instruments
    if not odds or (issuer is None and recipient is None):
        return None
    instrument = max(odds, key=lambda name: odds[name])
    texts = scene.reading.texts
    names = [name for name in (issuer, recipient) if name is not None]
    told = scene.words.tells_most(names)
    family = FAMILIES.get(instrument, "data")
    claim = Claim("guessed", Group(family), None, frozenset((told,)))
    fields = [
        (role, texts[where_named(scene, claim, name)])
        for role, name in zip(ROLES, (issuer, recipient), strict=True)
        if name is not None
    ]
    fields.append(("instrument", texts[scene.words.names_most(instrument)]))
    demand = Demand(
        issuer=(issuer,) if issuer else (),
        instrument=instrument,
        recipient=(recipient,) if recipient else (),
        target=targets_in([texts[told]]) if family == "data" else (),
        sought=kinds_sought(texts[told].lower()) if family == "data" else (),
        status="issued",
        evidence=(texts[told],),
        statute=statute_in([texts[told]]),
        demanded_on=instant_in([texts[told]]),
        deadline=deadline_in([texts[told]]),
        field_evidence=tuple(fields),
    )
    return demand, claim


def further(scene: Scene, found: Sequence[Demand]) -> Iterator[tuple[Demand, Claim]]:
    """Give the same demand as the first for data or content, to each other party that is likely asked.

    Articles often tell one demand in full and the next in half a sentence ("Verizon did not object").
    """
    first = next((each for each in found if each.instrument != "gag order"), None)
    if first is None:
        return
    taken = {name for each in found for name in (*each.issuer, *each.recipient)}
    for name, odds in scene.parts.items():
        asked = odds.get("recipient", _LEAST)
        if name in taken or name in scene.watched or scene.parties[name].slot.generic:
            continue
        if asked < _ASKED or odds.get("issuer", _LEAST) > asked:
            continue
        told = scene.words.tells_most((name,))
        text = scene.reading.texts[told]
        claim = Claim("guessed", Group(FAMILIES.get(first.instrument, "data")), None, frozenset((told,)))
        fields = dict(first.field_evidence) | {"recipient": text}
        yield replace(first, recipient=(name,), evidence=(text,), field_evidence=tuple(fields.items())), claim


def _parties(scene: Scene) -> tuple[str | None, str | None]:
    """The likeliest two for the two parts, each left open where it is not likely at all."""
    asks, asked = ({name: odds[role] for name, odds in scene.parts.items() if role in odds} for role in ROLES)
    asked = {name: odds for name, odds in asked.items() if name not in scene.watched}
    pairs = [(asks[one] + asked[other], one, other) for one in asks for other in asked if one != other]
    issuer, recipient = max(pairs)[1:] if pairs else (next(iter(asks), None), None)
    return (
        issuer if issuer is not None and asks[issuer] >= _LEAST else None,
        recipient if recipient is not None and asked[recipient] >= _LEAST else None,
    )
