"""Where a demand stands by all the words around it, weighed, with what the rules say as one voice among them.

The rules (`bot.stories.demand_status`) know many ways of saying "withdrawn" or "refused", and none of those
that nobody has written down. So every word and every two words side by side count a little for each status
(`data/outcome_words.txt`, made by tools/train_outcomes.py), near the demand's own sentences in full and half
further off; whom they speak of counts as a word, "the one who is asked" and "the one who asks" first of all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from bot.stories.demand_claims import Claim
from bot.stories.marks import CONTENT, DATA, DEVICE, MARKS, Marked
from bot.stories.model import STATUSES, Demand
from bot.stories.word_weights import Measures, Table, most_telling, read_table, stem, sums

_NEAR = 2  # sentences around the demand's own in which words count in full
_FAR = 0.5  # what words elsewhere count
_WORDS = 5.0  # the length of all measures of words together, however long the article
_WORD = 0.3  # what a word counts at most: a few sentences say less than an article
_RULES = 1.5  # what the rules' own answer measures
_SURER = 0.5  # by how much (log-odds) words must be for a status where the rules know of no answer
_MUCH_SURER = 1.0  # the same where the rules know of one
_TELLING = 6  # words by which a sentence is judged as what shows a status: a long one has more of all
_TOKEN = re.compile(rf"[^\W\d_{MARKS}{DATA}{DEVICE}{CONTENT}]+|[{MARKS}{DATA}{DEVICE}{CONTENT}]")
_THINGS = {DATA: "<data>", DEVICE: "<device>", CONTENT: "<content>"}


def where_it_stands(demand: Demand, claim: Claim, marked: Sequence[Marked], texts: dict[int, str]) -> Demand:
    """Say where a demand stands, and which sentence speaks for it most; unchanged where the rules are right.

    `marked` are the article's sentences with signs for parties, `texts` the same as they were written.
    """
    chosen = choose(measures(demand, claim, marked), demand.status, _weights())
    if chosen == demand.status:
        return demand
    fields = tuple((field, text) for field, text in demand.field_evidence if field != "status")
    said = _says_most(
        chosen, demand, [each for each in marked if texts[each.index] not in demand.evidence[:1]]
    )
    if said is None:
        return replace(demand, status=chosen, field_evidence=fields)
    shown = texts[said]
    return replace(
        demand,
        status=chosen,
        evidence=demand.evidence[:1] if said < 0 else tuple(dict.fromkeys((*demand.evidence[:1], shown))),
        field_evidence=(*fields, ("status", shown)),
    )


def choose(found: Measures, by_rules: str, weights: Table) -> str:
    """Give the status with the highest sum, or the rules' own where that is little lower."""
    added = sums(found, weights)
    chosen = max(STATUSES, key=lambda status: added.get(status, 0.0))
    margin = _SURER if by_rules == "issued" else _MUCH_SURER
    return chosen if added.get(chosen, 0.0) - added.get(by_rules, 0.0) >= margin else by_rules


def measures(demand: Demand, claim: Claim, marked: Sequence[Marked]) -> Measures:
    """Give what counts for a demand's status, by name; what the rules say is `demand.status`."""
    found: Measures = {f"instrument {demand.instrument}": 1.0, f"family {claim.family}": 1.0}
    for item in marked:
        counts = 1.0 if item.index < 0 or _distance(item.index, claim.anchors) <= _NEAR else _FAR
        for name in _said(item, demand):
            if counts > found.get(name, 0.0):
                found[name] = counts
    scale = min(_WORD, _WORDS / math.sqrt(sum(value * value for value in found.values())))
    found = {name: value * scale for name, value in found.items()}
    found[f"rules {demand.status}"] = _RULES
    found["always"] = 1.0
    return found


def _said(item: Marked, demand: Demand) -> set[str]:
    """The words of a sentence, without their endings, and every two side by side."""
    words = [_word(token, item, demand) for token in _TOKEN.findall(item.text)]
    return {*words, *map(" ".join, pairwise(words))}


def _word(token: str, item: Marked, demand: Demand) -> str:
    slot = item.slots.get(token)
    if slot is not None:
        if slot.name in demand.recipient:
            return "<asked>"
        if slot.name in demand.issuer:
            return "<asking>"
        return f"<a {slot.kind}>" if slot.generic else f"<{slot.kind}>"
    return _THINGS.get(token) or stem(token)


def _distance(index: int, anchors: Collection[int]) -> int:
    return min((abs(index - anchor) for anchor in anchors), default=0)


def _says_most(status: str, demand: Demand, marked: Sequence[Marked]) -> int | None:
    """The sentence whose words speak most for one status and against the rules' own, if any does."""
    weights = _weights()
    best, most = None, 0.0
    for item in marked:
        words = {
            name: weights[name].get(status, 0.0) - weights[name].get(demand.status, 0.0)
            for name in _said(item, demand)
            if name in weights
        }
        if (telling := most_telling(words, _TELLING)) > most:
            best, most = item.index, telling
    return best


@cache
def _weights() -> Table:
    return read_table("outcome_words.txt")
