"""Decides whether a story is worth an alert, and what it is about.

Each decision is a sum: what stands in the story (evidence.py) times what that counts for the decision
(data/weights.toml, made by tools/train_relevance.py). The parts of the sum, each with its sentence, are the
explanation. In English stories plain words count beside it (story_words.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from bot.errors import told
from bot.record import Notes
from bot.stories.evidence import TITLE, Evidence, features, gather, with_demands
from bot.stories.lexicon import LANGUAGES, read_data
from bot.stories.model import TOPICS, Demand, Document, Relevance, Topic
from bot.stories.odds import chance

_SENTENCES = 3  # how many sentences are given as evidence of a decision
_REASONS = 4  # how many parts of the sum are told, for and against each
_TELLING = 0.15  # log-odds; a smaller part is not worth telling
SURELY_TOLD = 0.7
"""How surely a demand is told, from which its story is relevant for that alone."""
_SPEAK_AGAINST = -1.0  # log-odds; below it the words speak so much against a story that no demand saves it
_BEYOND_WORDS = -3.0  # log-odds of the evidence from which no words make a story relevant
_FALLBACK_LANGUAGE = "en"  # what a text too short to tell its language is read as


@dataclass(frozen=True, slots=True)
class Weights:
    """One decision: what each feature adds, in log-odds, and the sum from which the answer is yes."""

    intercept: float
    threshold: float
    by_feature: dict[str, float]


class Part(NamedTuple):
    """What one feature adds to a decision."""

    feature: str
    weight: float


@cache
def weights() -> dict[str, Weights]:
    """Give the weights of every decision: "relevance" and each topic."""
    return {
        decision: Weights(
            float(entry["intercept"]),
            float(entry["threshold"]),
            {name: float(w) for name, w in entry.items() if name not in ("intercept", "threshold")},
        )
        for decision, entry in read_data("weights.toml").items()
    }


def evidence_of(document: Document) -> Evidence | None:
    """Collect the evidence in the words of a document; None in a language without a lexicon.

    The title and the first few thousand words are read. The names that count are in the lexicons, so that a
    missed party costs no alert.
    """
    language = _FALLBACK_LANGUAGE if document.language == "und" else document.language
    return gather(document, language) if language in LANGUAGES else None


def weigh(
    document: Document,
    evidence: Evidence | None,
    notes: Notes,
    demands: tuple[Demand, ...] = (),
    surely: float = 0.0,
) -> tuple[Relevance, tuple[Topic, ...]]:
    """Decide relevance and topics, and write down what decided.

    `evidence` is what `evidence_of` gives; what `demands` tell counts beside it. `surely` is how sure it is
    that one of them is reported (0 to 1): a story that surely reports a demand is relevant unless its
    other words speak clearly against it. A story in a language without a lexicon is not relevant, and the
    notes say why.
    """
    if evidence is None:
        notes.note(
            "language",
            "unsupported",
            told(
                "Relevance and topics are not known for the language “{language}”; "
                "supported are {languages}.",
                language=document.language,
                languages=", ".join(LANGUAGES),
            ),
        )
        return Relevance(False, 0.0, ()), ()
    evidence = with_demands(evidence, document, demands)
    proof = _Proof(document, evidence)
    relevance = _judge_relevance(proof, evidence, notes)
    if not relevance.relevant and surely >= SURELY_TOLD and odds_of(evidence, "relevance") > _SPEAK_AGAINST:
        relevance = _by_demand(demands[0], surely, notes)
    if not relevance.relevant:
        return relevance, ()
    return relevance, _judge_topics(proof, evidence, notes)


def _by_demand(demand: Demand, surely: float, notes: Notes) -> Relevance:
    notes.note(
        "relevance",
        "relevant",
        told("A story that surely reports a demand is relevant for that alone."),
        evidence=demand.evidence,
        weight=surely,
    )
    return Relevance(True, surely, demand.evidence)


def odds_of(evidence: Evidence, decision: str) -> float:
    """Add up one decision, in log-odds above its threshold."""
    entry = weights()[decision]
    each = entry.by_feature
    known = sum([each[name] * value for name, value in evidence.values.items() if name in each])
    return entry.intercept - entry.threshold + known


def parts_of(evidence: Evidence, decision: str) -> list[Part]:
    """Give the parts of the sum of one decision."""
    each = weights()[decision].by_feature
    return [Part(name, each[name] * value) for name, value in evidence.values.items() if name in each]


def _largest(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=_size)


def _size(part: Part) -> float:
    return -abs(part.weight)


def _judge_relevance(proof: _Proof, evidence: Evidence, notes: Notes) -> Relevance:
    words = evidence.words
    by_evidence = odds = odds_of(evidence, "relevance")
    parts = parts_of(evidence, "relevance")
    shown = proof.of(parts)
    weightiest: tuple[str, ...] = ()
    if words is not None and odds > _BEYOND_WORDS:
        odds = words.beside({"relevance": odds})["relevance"]
        if odds > 0:
            said, weightiest = words.shown("relevance", _SENTENCES)
            shown = shown or said
    relevant = odds > 0
    notes.note(
        "relevance",
        "relevant" if relevant else "not relevant",
        told("The evidence adds up to {number}; a story is relevant above 0.", number=f"{by_evidence:+.1f}"),
        evidence=shown,
        weight=by_evidence,
    )
    if odds != by_evidence:
        because = f", first of all by words like {', '.join(weightiest)}" if weightiest else ""
        notes.note(
            "relevance", "words", f"All its words together move that to {odds:+.1f}{because}.", weight=odds
        )
    ranked = _largest(parts)
    for outcome, weighty in (
        ("for", [part for part in ranked if part.weight >= _TELLING]),
        ("against", [part for part in ranked if part.weight <= -_TELLING]),
    ):
        for part in weighty[:_REASONS]:
            notes.note(
                "relevance",
                outcome,
                _about()[part.feature],
                evidence=proof.of([Part(part.feature, 1.0)], limit=1),
                weight=part.weight,
            )
    return Relevance(relevant, chance(odds), shown if relevant else ())


def _judge_topics(proof: _Proof, evidence: Evidence, notes: Notes) -> tuple[Topic, ...]:
    words = evidence.words
    by_evidence = {topic: odds_of(evidence, topic) for topic in TOPICS}
    odds = words.beside(by_evidence) if words is not None else by_evidence
    # Every relevant story is about something: the likeliest topic stands even below its threshold.
    ranked = sorted(TOPICS, key=lambda topic: -odds[topic])
    topics: list[Topic] = []
    for topic in (topic for rank, topic in enumerate(ranked) if rank == 0 or odds[topic] > 0):
        parts = parts_of(evidence, topic)
        because = [_about()[part.feature] for part in _largest(parts) if part.weight >= _TELLING]
        reasons = because[:_REASONS]
        shown = proof.of(parts)
        if words is not None and (not shown or by_evidence[topic] <= 0):
            said, weightiest = words.shown(topic, _SENTENCES)
            shown = shown or said
            if weightiest:
                reasons.append("words like " + ", ".join(weightiest))
        if not shown:
            continue  # no claim without a sentence
        notes.note(
            "topic",
            topic,
            "Because of " + "; ".join(reasons) + "." if reasons else "The likeliest of all topics.",
            evidence=shown,
            weight=odds[topic],
        )
        topics.append(Topic(topic, chance(odds[topic]), shown))
    return tuple(topics)


@cache
def _about() -> dict[str, str]:
    return {feature.name: feature.about for feature in features()}


class _Proof:
    """Gives the sentences of a document that carry a decision."""

    def __init__(self, document: Document, evidence: Evidence) -> None:
        self._texts = {s.index: s.text for s in document.sentences if not s.is_heading}
        self._title = {TITLE: document.title} if document.title else {}  # where no sentence carries it
        self._places = evidence.places
        self._shares: dict[str, list[tuple[int, float]]] = {}

    def of(self, parts: Iterable[Part], limit: int = _SENTENCES) -> tuple[str, ...]:
        """Give the sentences of a sum's parts in the article's order; the title where none does."""
        carried: defaultdict[int, float] = defaultdict(float)
        for feature, weight in parts:
            for index, share in self._shares.get(feature) or self._shares_of(feature):
                carried[index] += weight * share
        for texts in (self._texts, self._title):
            best: dict[str, int] = {}  # a page may say a sentence twice
            for _, index in sorted([(-w, i) for i, w in carried.items() if w > 0 and i in texts]):
                best[texts[index]] = min(index, best.get(texts[index], index))
                if len(best) == limit:
                    break
            if best:
                return tuple(sorted(best, key=best.__getitem__))
        return ()

    def _shares_of(self, feature: str) -> list[tuple[int, float]]:
        """Where a feature stands, with each place's share of it."""
        places = self._places[feature]
        total = sum([weight for _, weight in places])
        shares = self._shares[feature] = [(index, weight / total) for index, weight in places]
        return shares
