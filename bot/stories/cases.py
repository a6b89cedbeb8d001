"""Cases: which matter a story belongs to.

A story is recognised by its `Fingerprint`: names, accounts, docket numbers and rare words, each with a
weight. Candidates come from an inverted index (a table in the database, `CaseBook` in memory), so the
cost of a story does not grow with the store; `choose_case` decides among them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.stories.model import Demand, Document, Fingerprint, Party, Topic

_MAX_TERMS = 60
_JOIN_AT = 0.30
_WORD = re.compile(r"[^\W\d_]{4,30}|@\w{2,30}")


@dataclass(frozen=True, slots=True)
class CaseSketch:
    """What is known of a case that a story might belong to: its terms, and when it was last reported."""

    case_id: int
    terms: tuple[tuple[str, float], ...]
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class CaseChoice:
    """The decision: the case to join (None: open a new one), how alike, and a sentence that says why."""

    case_id: int | None
    score: float
    reason: str


def fingerprint(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> Fingerprint:
    """Give what a story is recognised by."""
    weights: dict[str, float] = {}
    words: dict[str, int] = defaultdict(int)
    for word in _WORD.findall(f"{document.title} {document.title} {document.text[:4000]}"):
        words[word.casefold()] += 1
    for word, count in words.items():
        weights[f"word:{word}"] = 1.0 + math.log(count)
    for party in parties:
        if party.role != "other":
            weights[f"party:{party.name.casefold()}"] = 3.0
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_MAX_TERMS]
    return Fingerprint(tuple(ranked), document.published)


def choose_case(found: Fingerprint, candidates: Sequence[CaseSketch]) -> CaseChoice:
    """Decide which of the candidates a story belongs to, if any."""
    best = CaseChoice(None, 0.0, "nothing alike is known")
    mine = dict(found.terms)
    for sketch in candidates:
        theirs = dict(sketch.terms)
        shared = mine.keys() & theirs.keys()
        dot = sum(mine[t] * theirs[t] for t in shared)
        size = math.hypot(*mine.values()) * math.hypot(*theirs.values())
        score = dot / size if size else 0.0
        if score > best.score:
            best = CaseChoice(sketch.case_id, score, f"shares {len(shared)} terms")
    return best if best.score >= _JOIN_AT else CaseChoice(None, best.score, "nothing is alike enough")


def case_title(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> str:
    """Give the title that a person would give the case."""
    return document.title


def merge_terms(
    old: Iterable[tuple[str, float]], new: Iterable[tuple[str, float]]
) -> tuple[tuple[str, float], ...]:
    """Give a case's terms after a further story joined it."""
    merged = dict(old)
    for term, weight in new:
        merged[term] = max(weight, merged.get(term, 0.0))
    return tuple(sorted(merged.items(), key=lambda item: (-item[1], item[0]))[: 2 * _MAX_TERMS])


@dataclass(slots=True)
class CaseBook:
    """The inverted index in memory, for `analyse --jsonl`, `preview` and the tests."""

    _sketches: dict[int, CaseSketch] = field(default_factory=dict)
    _by_term: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def place(self, found: Fingerprint) -> tuple[int, CaseChoice]:
        """Join a story to its case or open one; gives the case's number and the decision."""
        ids = {i for term, _ in found.terms for i in self._by_term.get(term, ())}
        choice = choose_case(found, [self._sketches[i] for i in sorted(ids)])
        case_id = choice.case_id if choice.case_id is not None else len(self._sketches) + 1
        old = self._sketches.get(case_id)
        terms = merge_terms(old.terms if old else (), found.terms)
        self._sketches[case_id] = CaseSketch(case_id, terms, found.published)
        for term, _ in terms:
            self._by_term[term].add(case_id)
        return case_id, choice
