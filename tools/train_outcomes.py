"""Fits the words that tell where a demand stands, and says how they do on sets they were not fitted to.

    python tools/train_outcomes.py --data NAME=FILE[@COUNTS] ... [--apart NAME,NAME] ... [--write]

FILE holds labelled articles in the format of the shared set (../shared/eval/README.md), one a line. Of each,
the demands that the program finds and a label tells are examples: their words (`bot.stories.demand_outcome`)
and the label's status. COUNTS is what each example of a set counts (1): less for sets that the rules were
made on, whose answers are better there than on anything new. Sets named together by an `--apart` are judged
by words fitted without them.

A softmax over the statuses, its weights drawn to nothing.

Without --write nothing is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.stories import demands, language, parties, relevance  # noqa: E402
from bot.stories.demand_choice import found_in, scene_and_claims, weights  # noqa: E402
from bot.stories.demand_outcome import Outcomes, choose  # noqa: E402
from bot.stories.model import STATUSES  # noqa: E402
from bot.stories.word_weights import Measures, Table  # noqa: E402
from tools import word_fit  # noqa: E402
from tools.labelled import arguments, as_json, document_of, labelled, load_scorer, matched  # noqa: E402

WORDS = ROOT / "bot" / "stories" / "data" / "outcome_words.txt"

RARE = 5  # examples that must show a measure before it is weighed
PULL = 5e-4  # how hard weights are drawn to nothing
SLIGHT = 0.07  # weights below it are left out
FIRST = 0.7  # what the label's own status counts; the rest goes to all that a careful reader might name


@dataclass(frozen=True, slots=True)
class Example:
    """A demand that was found: what counts for its status, what the rules say, what its reader says."""

    set: str
    counts: float
    measures: Measures
    by_rules: str
    right: tuple[str, ...]  # the label's status first


def examples_of(row: dict[str, Any], name: str, counts: float, scorer: ModuleType) -> list[Example]:
    """Read one labelled article."""
    labels = [each for each in row.get("demands") or [] if not scorer.unscored(each, "status")]
    document = document_of(row)
    evidence = relevance.evidence_of(document)
    if not labels or evidence is None or document.language not in language.READ_AS_ENGLISH:
        return []
    reading = demands.Reading(document, parties.find_mentions(document))
    scene, claims = scene_and_claims(reading, document, evidence)
    if scene is None:
        return []
    told = list(found_in(scene, claims, weights()))
    outcomes = Outcomes(scene.said, reading.texts)
    scored = [
        (scorer.pair_score(label, as_json(demand)), number, at)
        for number, label in enumerate(labels)
        for at, (demand, _, _) in enumerate(told)
    ]
    return [
        Example(
            name,
            counts,
            outcomes.measures(told[at][0], told[at][1]),
            told[at][0].status,
            tuple(
                status
                for status in (label["status"], *scorer.aslist(label.get("status_alt")))
                if status in STATUSES
            ),
        )
        for at, label in matched(scored, labels, 0.01).items()
    ]


def fit(examples: Sequence[Example]) -> Table:
    """Fit the weights, by measure and status."""
    wanted = np.zeros((len(examples), len(STATUSES)))
    for at, example in enumerate(examples):
        wanted[at, STATUSES.index(example.right[0])] += FIRST
        for status in example.right:
            wanted[at, STATUSES.index(status)] += (1 - FIRST) / len(example.right)
    return word_fit.fit(
        [example.measures for example in examples],
        wanted,
        np.array([example.counts for example in examples]),
        STATUSES,
        chances=word_fit.softmax,
        rare=RARE,
        pull=PULL,
        slight=SLIGHT,
    )


def judge(model: Table, examples: Iterable[Example]) -> tuple[int, int, int]:
    """Count how many statuses the words get right, how many the rules, of how many."""
    by_words = by_rules = count = 0
    for example in examples:
        by_words += choose(example.measures, example.by_rules, model) in example.right
        by_rules += example.by_rules in example.right
        count += 1
    return by_words, by_rules, count


def main() -> None:
    """Judge the sets that are kept apart, then fit on everything and write if asked."""
    options = arguments(__doc__, WORDS, apart="NAME,NAME").parse_args()
    scorer = load_scorer(options.shared)
    examples: list[Example] = []
    for name, counts, row in labelled(options.data):
        examples += examples_of(row, name, float(counts or 1), scorer)
    totals = [0, 0, 0]
    for names in (each.split(",") for each in options.apart):
        model = fit([example for example in examples if example.set not in names])
        for name in names:
            figures = judge(model, [example for example in examples if example.set == name])
            totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
            print(f"{name:10} words {figures[0]:4}  rules {figures[1]:4}  of {figures[2]:4}", flush=True)
    if options.apart:
        print(f"{'all':10} words {totals[0]:4}  rules {totals[1]:4}  of {totals[2]:4}")
    if options.write:
        word_fit.write(
            WORDS,
            fit(examples),
            "Made by tools/train_outcomes.py from labelled articles; do not edit by hand.",
            "What a word, or two side by side, counts for each status (hundredths); endings are cut off.",
        )


if __name__ == "__main__":
    main()
