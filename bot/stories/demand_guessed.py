"""Writes the demand of an article whose words surely tell one where nothing in it was sure enough to be it.

"The letter wanted names; the paper gave none": no rule sees a demand in it, and yet the choice of words says
that there is one, of which kind, and who is who. Each field rests on the sentence that speaks most for it.
So it is with an order to watch somebody, which names nobody who is asked.
"""

from __future__ import annotations

import re

from bot.stories.demand_claims import Claim
from bot.stories.demand_features import Scene
from bot.stories.demand_fields import deadline_in, instant_in, statute_in, targets_in
from bot.stories.demand_told import Group
from bot.stories.demand_watched import order_to_watch
from bot.stories.demand_words import FAMILIES, ROLES
from bot.stories.demand_writing import where_named
from bot.stories.model import Demand
from bot.stories.sought import kinds_sought

_TRADE = re.compile(
    r"\b(?:bought|buy(?:s|ing|ers?)?|purchas\w+|pa(?:id|ys?|ying|yment)|s(?:old|ell\w*|ales?)|"
    r"contract\w*|licen[cs]\w+|subscri\w+|customers?|vendors?|brokers?)\b",
    re.IGNORECASE,
)
"""Words of which some stand where data is bought."""
_LEAST = -1.0  # log-odds of a party's part below which it is left open


def guessed(scene: Scene) -> tuple[Demand, Claim] | None:
    """Write the demand that the words tell, as issued; None where no party is likely enough to be in it."""
    issuer, recipient = _parties(scene)
    traded = any(_TRADE.search(text) for text in scene.reading.texts.values())
    odds = {name: each for name, each in scene.words.instruments.items() if traded or name != "purchase"}
    if not odds or (issuer is None and recipient is None):
        return None
    instrument = max(odds, key=lambda name: odds[name])
    told = scene.words.tells_most([name for name in (issuer, recipient) if name is not None])
    names_it = scene.words.names_most(instrument)
    return _written(scene, "guessed", told, issuer, recipient, instrument, names_it, ())


def of_watching(scene: Scene) -> tuple[Demand, Claim] | None:
    """Write the order to watch people that the article is of, by the agency that most likely asked for it."""
    order = order_to_watch(scene.reading.marked)
    if order is None:
        return None
    agencies = [
        (not party.sentences.isdisjoint(order.sentences), scene.parts[name].get("issuer", _LEAST), name)
        for name, party in scene.parties.items()
        if party.slot.kind == "agency" and not party.slot.generic
    ]
    issuer = max(agencies)[2] if agencies else None
    told = order.sentences[0]
    return _written(scene, "watched", told, issuer, None, order.instrument, told, order.names)


def _written(
    scene: Scene,
    kind: str,
    told: int,
    issuer: str | None,
    recipient: str | None,
    instrument: str,
    names_it: int,
    targets: tuple[str, ...],
) -> tuple[Demand, Claim]:
    """Write a demand as issued that the sentence `told` tells; `names_it` is the one that names the means."""
    texts = scene.reading.texts
    family = FAMILIES.get(instrument, "data")
    claim = Claim(kind, Group(family), None, frozenset((told,)))
    fields = [
        (role, texts[where_named(scene, claim, name)])
        for role, name in zip(ROLES, (issuer, recipient), strict=True)
        if name is not None
    ]
    fields.append(("instrument", texts[names_it]))
    of_data = family == "data"
    demand = Demand(
        issuer=(issuer,) if issuer else (),
        instrument=instrument,
        recipient=(recipient,) if recipient else (),
        target=targets or (targets_in([texts[told]]) if of_data else ()),
        sought=kinds_sought(texts[told].lower()) if of_data else (),
        status="issued",
        evidence=(texts[told],),
        statute=statute_in([texts[told]]),
        demanded_on=instant_in([texts[told]]),
        deadline=deadline_in([texts[told]]),
        field_evidence=tuple(fields),
    )
    return demand, claim


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
