"""Fits the words that tell whether a story is of the field and its topics; says how they do on other sets.

    python tools/train_story_words.py --data NAME=FILE ... [--apart NAME,NAME] ... [--write]

FILE holds labelled articles in the format of the shared set (../shared/eval/README.md), one a line; those in
English are examples, for topics the relevant ones. What the evidence adds up to (tools/train_relevance.py) is
given, the words (`bot.stories.story_words`) count beside it. Sets named together by an `--apart` are judged
by words fitted without them; their evidence may have been fitted with them.

Without --write nothing is changed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.record import Recorder  # noqa: E402 - a script must say first where the project is
from bot.stories import demand_choice, parties, relevance, story_words  # noqa: E402
from bot.stories.evidence import with_demands  # noqa: E402
from bot.stories.model import TOPICS  # noqa: E402
from bot.stories.word_weights import Measures, Table  # noqa: E402
from tools import word_fit  # noqa: E402
from tools.labelled import arguments, document_of, labelled  # noqa: E402

WORDS = ROOT / "bot" / "stories" / "data" / "story_words.txt"

RARE = 5  # articles that must hold a word before it is weighed
PULL = 5e-4  # how hard weights are drawn to nothing
SLIGHT = 0.05  # weights below it are left out
OUTSIDE = 2.0  # what a story that is not of the field counts: one let in costs more than one left out


@dataclass(frozen=True, slots=True)
class Example:
    """An article: its words, what the evidence says of each decision, and what its reader says."""

    set: str
    measures: Measures
    odds: Measures
    right: frozenset[str]
    near_miss: bool

    @property
    def relevant(self) -> bool:
        """Whether it is of the field."""
        return story_words.RELEVANCE in self.right


def example_of(row: dict[str, Any], name: str) -> Example | None:
    """Read one labelled article."""
    document = document_of(row)
    evidence = relevance.evidence_of(document)
    if document.language != "en" or evidence is None:
        return None
    mentions = parties.find_mentions(document)
    found, _ = demand_choice.find(document, mentions, evidence, Recorder())
    evidence = with_demands(evidence, document, found)
    odds = {decision: relevance.odds_of(evidence, decision) for decision in story_words.DECISIONS}
    right = {*row["topics"], story_words.RELEVANCE} if row["relevant"] else set()
    return Example(name, story_words.measures(document), odds, frozenset(right), bool(row.get("near_miss")))


def fit(examples: Sequence[Example]) -> Table:
    """Fit what every word counts for relevance and for every topic."""
    counts = [1.0 if example.relevant else OUTSIDE for example in examples]
    tables = [_fit(examples, counts, (story_words.RELEVANCE,))]
    relevant = [example for example in examples if example.relevant]
    tables.append(_fit(relevant, [1.0] * len(relevant), TOPICS))
    counted: dict[str, Measures] = {}
    for table in tables:
        for word, weights in zip(table.words, table.weights.tolist(), strict=True):
            counted.setdefault(word, {}).update(zip(table.answers, weights, strict=True))
    return Table.of(counted, story_words.DECISIONS)


def _fit(examples: Sequence[Example], counts: list[float], decisions: Sequence[str]) -> Table:
    return word_fit.fit(
        [example.measures for example in examples],
        np.array([[float(each in example.right) for each in decisions] for example in examples]),
        np.array(counts),
        decisions,
        chances=word_fit.each_alone,
        rare=RARE,
        pull=PULL,
        slight=SLIGHT,
        given=np.array(
            [[story_words.offset(example.odds[each]) for each in decisions] for example in examples]
        ),
    )


def judge(table: Table | None, examples: Sequence[Example]) -> str:
    """Say how well they do by the evidence alone or with words beside it."""
    both = said = right = 0
    found: Counter[tuple[bool, bool]] = Counter()
    near = kept = 0
    for example in examples:
        odds = example.odds
        if table is not None:
            odds = story_words.beside(odds, table.sums(example.measures))
        held = odds[story_words.RELEVANCE] > 0
        found[example.relevant, held] += 1
        near += example.near_miss
        kept += example.near_miss and not held
        if not example.relevant:
            continue
        ranked = sorted(TOPICS, key=lambda topic: -odds[topic])
        told = {topic for rank, topic in enumerate(ranked) if rank == 0 or odds[topic] > 0}
        both += len(told & example.right)
        said += len(told)
        right += len(example.right) - 1
    relevance_f1 = 2 * found[True, True] / (2 * found[True, True] + found[True, False] + found[False, True])
    return f"topics {2 * both / (said + right):.3f}  relevance {relevance_f1:.3f}, near misses {kept}/{near}"


def main() -> None:
    """Judge the sets that are kept apart, then fit on everything and write if asked."""
    options = arguments(__doc__, WORDS, apart="NAME,NAME", scored=False).parse_args()
    examples = [
        example for name, _, row in labelled(options.data) if (example := example_of(row, name)) is not None
    ]
    for names in (each.split(",") for each in options.apart):
        table = fit([example for example in examples if example.set not in names])
        for name in names:
            inside = [example for example in examples if example.set == name]
            print(f"{name:10} evidence alone: {judge(None, inside)}")
            print(f"{'':10} with words:     {judge(table, inside)}", flush=True)
    if options.write:
        word_fit.write(
            WORDS,
            fit(examples),
            "Made by tools/train_story_words.py from labelled articles; do not edit by hand.",
            "What a word counts for relevance and each topic (hundredths of log-odds); endings are cut off.",
        )


if __name__ == "__main__":
    main()
