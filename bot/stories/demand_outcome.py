"""Where a demand stands by all the words around it, weighed, with what the rules say as one voice among them.

The rules (`bot.stories.demand_status`) know many ways of saying "withdrawn" or "refused", and none of those
that nobody has written down. So every word and every two words side by side count a little for each status
(`data/outcome_words.txt`, made by tools/train_outcomes.py), near the demand's own sentences in full and half
further off; whom they speak of counts as a word, "the one who is asked" and "the one who asks" first of all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache

from bot.stories.demand_claims import Claim
from bot.stories.marks import Slot
from bot.stories.model import STATUSES, Demand
from bot.stories.said import Said, with_pairs
from bot.stories.word_weights import Measures, Table, read_table, scaled

_NEAR = 2  # sentences around the demand's own in which words count in full
_FAR = 0.5  # what words elsewhere count
_WORDS = 5.0  # the length of all measures of words together, however long the article
_WORD = 0.3  # what a word counts at most: a few sentences say less than an article
_TELLING = 2.0  # log-odds by which a sentence must speak for a status to be shown for it
_RULES = 1.5  # what the rules' own answer measures
_SURER = 0.5  # by how much (log-odds) words must be for a status where the rules know of no answer
_PLAINER = 0.3  # the same of a status and its opposite
_CONTRARY = {"upheld": "quashed", "quashed": "upheld", "complied": "refused", "refused": "complied"}
_MUCH_SURER = 1.0  # the same where the rules know of one


class Outcomes:
    """What one article says of where its demands stand.

    `sentences` are its words, `texts` the same sentences as they were written, `weights` what words count
    (those that the program brings, where none are given).
    """

    def __init__(
        self, sentences: Sequence[Said], texts: dict[int, str], weights: Table | None = None
    ) -> None:
        self._texts = texts
        self._sentences = sentences
        self._weights = weights or _weights()

    def stated(self, demand: Demand, claim: Claim) -> Demand:
        """Say where a demand stands, and which sentence speaks for it; unchanged if the rules are right."""
        chosen = choose(self.measures(demand, claim), demand.status, self._weights)
        if chosen == demand.status:
            return demand
        fields = tuple((field, text) for field, text in demand.field_evidence if field != "status")
        said = self._says_most(chosen, demand, claim)
        if said is None:
            return demand  # no sentence of it says so
        shown = self._texts[said]
        return replace(
            demand,
            status=chosen,
            evidence=demand.evidence[:1] if said < 0 else tuple(dict.fromkeys((*demand.evidence[:1], shown))),
            field_evidence=(*fields, ("status", shown)),
        )

    def measures(self, demand: Demand, claim: Claim) -> Measures:
        """Give what counts for a demand's status, by name; what the rules say is `demand.status`."""
        near: set[str] = set()
        far: set[str] = set()
        for sentence in self._sentences:
            beside = sentence.index < 0 or claim.distance(sentence.index) <= _NEAR
            (near if beside else far).update(_of(sentence, demand))
        far -= near
        near |= {f"instrument {demand.instrument}", f"family {claim.family}"}
        found = scaled(dict.fromkeys(far, _FAR) | dict.fromkeys(near, 1.0), _WORDS, _WORD)
        found[f"rules {demand.status}"] = _RULES
        found["always"] = 1.0
        return found

    def _says_most(self, status: str, demand: Demand, claim: Claim) -> int | None:
        """The sentence whose words speak most for one status and against the rules' own, if any does.

        It is one of the demand: near its words, or with a party to it. Not the one that tells the demand: it
        says nothing of what came of it.
        """
        parties = {*demand.issuer, *demand.recipient, *demand.target}
        best, most = None, _TELLING
        for sentence in self._sentences:
            if self._texts[sentence.index] in demand.evidence[:1]:
                continue
            if claim.distance(sentence.index) > _NEAR and sentence.names.isdisjoint(parties):
                continue
            telling = self._weights.telling(_of(sentence, demand), status, demand.status)
            if telling > most:
                best, most = sentence.index, telling
        return best


def _of(sentence: Said, demand: Demand) -> Collection[str]:
    """Give a sentence's words as they speak of one demand: its parties by what they do in it."""
    if sentence.names.isdisjoint(demand.recipient) and sentence.names.isdisjoint(demand.issuer):
        return sentence.together
    return with_pairs(
        [
            word if slot is None else _part_of(slot, demand) or word
            for word, slot in zip(sentence.words, sentence.slots, strict=True)
        ]
    )


def _part_of(slot: Slot, demand: Demand) -> str | None:
    if slot.name in demand.recipient:
        return "<asked>"
    return "<asking>" if slot.name in demand.issuer else None


def choose(found: Measures, by_rules: str, weights: Table) -> str:
    """Give the status with the highest sum, or the rules' own where that is little lower."""
    added = weights.sums(found)
    chosen = max(STATUSES, key=lambda status: added.get(status, 0.0))
    if added.get(chosen, 0.0) - added.get(_CONTRARY.get(chosen, ""), -math.inf) < _PLAINER:
        return by_rules  # better no outcome than the opposite one
    margin = _SURER if by_rules == "issued" else _MUCH_SURER
    return chosen if added.get(chosen, 0.0) - added.get(by_rules, 0.0) >= margin else by_rules


@cache
def _weights() -> Table:
    return read_table("outcome_words.txt")
