"""Fits the words that tell a story's topics, and says how they do on sets they were not fitted to.

    python tools/train_topic_words.py --data NAME=FILE ... [--write]

FILE holds labelled articles in the format of the shared set (../shared/eval/README.md), one a line; the
relevant ones in English are examples. What the evidence adds up to (tools/train_relevance.py) is given, the
words (`bot.stories.topic_words`) count beside it. Each set is judged by words fitted without it; its evidence
may have been fitted with it. Needs numpy, which the program itself does not.

Without --write nothing is changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.record import Recorder  # noqa: E402 - a script must say first where the project is
from bot.stories import demand_choice, parties, relevance, text, topic_words  # noqa: E402
from bot.stories.evidence import with_demands  # noqa: E402
from bot.stories.model import TOPICS, Article  # noqa: E402
from bot.stories.word_weights import Measures, Table  # noqa: E402
from tools import word_fit  # noqa: E402
from tools.train_demands import labelled  # noqa: E402

WORDS = ROOT / "bot" / "stories" / "data" / "topic_words.txt"

RARE = 5  # articles that must hold a word before it is weighed
PULL = 5e-4  # how hard weights are drawn to nothing
SLIGHT = 0.05  # weights below it are left out


@dataclass(frozen=True, slots=True)
class Example:
    """A relevant article: its words, what the evidence says of each topic, and what its reader says."""

    set: str
    measures: Measures
    odds: Measures
    right: frozenset[str]


def example_of(row: dict[str, Any], name: str) -> Example | None:
    """Read one labelled article."""
    document = text.read(Article(row["title"] or "", row["text"], source=row.get("source") or ""), Recorder())
    evidence = relevance.evidence_of(document)
    if not row["relevant"] or document.language != "en" or evidence is None:
        return None
    mentions = parties.find_mentions(document)
    found, _ = demand_choice.find(document, mentions, evidence, Recorder())
    evidence = with_demands(evidence, document, found)
    odds = {topic: relevance.odds_of(evidence, topic) for topic in TOPICS}
    return Example(name, topic_words.measures(document), odds, frozenset(row["topics"]))


def fit(examples: Sequence[Example]) -> Table:
    """Fit what every word counts for every topic."""
    return word_fit.fit(
        [example.measures for example in examples],
        np.array([[float(topic in example.right) for topic in TOPICS] for example in examples]),
        np.ones(len(examples)),
        TOPICS,
        chances=word_fit.each_alone,
        rare=RARE,
        pull=PULL,
        slight=SLIGHT,
        given=np.array(
            [[topic_words.offset(example.odds[topic]) for topic in TOPICS] for example in examples]
        ),
    )


def judge(table: Table | None, examples: Sequence[Example]) -> float:
    """Give the micro F1 of topics, by the evidence alone or with words beside it."""
    both = said = right = 0
    for example in examples:
        odds = example.odds if table is None else topic_words.beside(example.odds, example.measures, table)
        ranked = sorted(TOPICS, key=lambda topic: -odds[topic])
        told = {topic for rank, topic in enumerate(ranked) if rank == 0 or odds[topic] > 0}
        both += len(told & example.right)
        said += len(told)
        right += len(example.right)
    return 2 * both / (said + right)


def main() -> None:
    """Judge each set by the others, then fit on everything and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FILE", required=True)
    parser.add_argument("--write", action="store_true", help=f"write {WORDS.relative_to(ROOT)}")
    parser.add_argument("--quick", action="store_true", help="judge nothing")
    options = parser.parse_args()
    examples: list[Example] = []
    for name, _, row in labelled(options.data):
        example = example_of(row, name)
        if example is not None:
            examples.append(example)
    if not options.quick:
        for name in dict.fromkeys(example.set for example in examples):
            inside = [example for example in examples if example.set == name]
            table = fit([example for example in examples if example.set != name])
            print(
                f"{name:10} with words {judge(table, inside):.3f}  evidence alone {judge(None, inside):.3f}"
            )
    if options.write:
        word_fit.write(
            WORDS,
            fit(examples),
            TOPICS,
            "Made by tools/train_topic_words.py from labelled articles; do not edit by hand.",
            "What a word counts for each topic, in hundredths of log-odds; endings are cut off.",
        )


if __name__ == "__main__":
    main()
