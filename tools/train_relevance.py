"""Fits the weights of relevance and topics, and says how well they hold on articles they were not fitted to.

    python tools/train_relevance.py [--shared ../shared] [--write]

Each decision is one logistic model over the features of `bot/stories/data/evidence.toml`. The judgement
written there is where the fit starts and what it is drawn back to (a Gaussian prior round it), so that a word
no labelled article contains keeps the weight that somebody who knows the field gave it. Articles come from
the development set, from labels of pool articles in tests/stories/labels (identifiers and labels alone; the
texts are read from --shared) and from the short reports there that were written for training. Without --write
nothing is changed. Needs numpy, which the program itself does not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.record import Recorder
from bot.stories import demands, parties, text
from bot.stories.evidence import features, gather
from bot.stories.model import TOPICS, Article

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "tests" / "stories" / "labels"
QUALITY = ROOT / "tests" / "stories" / "quality"
WEIGHTS = ROOT / "bot" / "stories" / "data" / "weights.toml"

# How far, in log-odds, a weight may easily move from the judgement in evidence.toml: where there is one, and
# where the judgement is that it tells nothing.
RELEVANCE_SPREAD = (1.2, 0.5)
TOPIC_SPREAD = (1.0, 0.8)
INTERCEPT = -3.0  # where a story without any evidence starts
UNSURE = 0.3  # what a label counts that its reader was not sure of
READ = 1.5  # what a label counts whose reader had the whole article
PLAIN = 0.5  # what a report counts that was written in as few words of the field as can be
FOLDS = 10
# A missed topic and a false one cost the same, and topics are rare: the best F1 lies below even odds.
TOPIC_THRESHOLD = dict.fromkeys(TOPICS, -0.75) | {
    "legal-demands": -1.0,
    "transparency": -1.0,
    "surveillance": -0.5,
    "privacy-law": -0.5,
}
# An alert about nothing costs a reader more than one missed in a stream of many reports.
RELEVANCE_THRESHOLD = 0.0

# Labelled without sight of what the weights said of them, and never fitted to.
HELD_OUT = "held-out"
# Pool articles and reports that a second person labelled or wrote without sight of the rules.
SECOND = "second"
# Labels of pool articles and what each counts; an article in several takes the first.
POOL_LABELS = (
    ("read", "pool_read.jsonl", READ),
    (SECOND, "second.jsonl", 1.0),
    (HELD_OUT, "pool_heldout.jsonl", 1.0),
    ("pool", "pool.jsonl", 1.0),
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled article: its features, its labels, where it is from and what it counts."""

    id: str
    source: str
    group: str  # articles of one matter stay together when folds are made
    values: Floats
    relevant: bool
    near_miss: bool
    topics: frozenset[str]
    weight: float


def read_jsonl(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Read one JSON object a line."""
    return [json.loads(line) for line in lines if line.strip()]


def example(row: dict[str, Any], label: dict[str, Any], source: str, weight: float) -> Example:
    """Make an example of an article and its label."""
    document = text.read(Article(row["title"], row["text"]), Recorder())
    told = demands.find_demands(document, parties.find_mentions(document), Recorder())
    found = gather(document, "en", told).values
    values = np.array([found.get(feature.name, 0.0) for feature in features()])
    return Example(
        row["id"],
        source,
        str(label.get("case") or row["id"]),
        values,
        bool(label["relevant"]),
        bool(label.get("near_miss", not label["relevant"])),
        frozenset(label["topics"]),
        weight,
    )


def load(shared: Path) -> list[Example]:
    """Read the development set, the labels of pool articles and the articles written for training."""
    found: list[Example] = []
    for row in read_jsonl((shared / "eval" / "dev.jsonl").open(encoding="utf-8")):
        if row["lang"] == "en":
            found.append(example(row, row, "dev", 1.0))
    with gzip.open(shared / "eval" / "pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        pool = {row["id"]: row for row in read_jsonl(lines)}
    taken: set[str] = set()
    for source, name, counts in POOL_LABELS:
        for label in read_jsonl((LABELS / name).open(encoding="utf-8")):
            if label["id"] not in taken:
                taken.add(label["id"])
                found.append(example(pool[label["id"]], label, source, counts if label["sure"] else UNSURE))
    for row in read_jsonl((QUALITY / "second.jsonl").open(encoding="utf-8")):
        found.append(example(row, row, SECOND, 1.0))
    for source, name, counts in (("written", "written.jsonl", 1.0), ("plain", "written_plain.jsonl", PLAIN)):
        for row in read_jsonl((LABELS / name).open(encoding="utf-8")):
            found.append(example(row, row, source, counts))
    return found


def fit(
    values: Floats, wanted: Floats, weights: Floats, prior: Floats, spread: tuple[float, float]
) -> Floats:
    """Fit a logistic model by damped Newton steps, drawn to `prior`; the last weight is the intercept."""
    rows = np.hstack([values, np.ones((len(values), 1))])
    centre = np.append(prior, INTERCEPT)
    pull = np.append(1.0 / np.where(prior == 0, spread[1], spread[0]) ** 2, 0.05)

    def loss(model: Floats) -> float:
        odds = rows @ model
        return float(weights @ (np.logaddexp(0.0, odds) - wanted * odds) + 0.5 * pull @ (model - centre) ** 2)

    found = centre.copy()
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (weights * (chance - wanted)) + pull * (found - centre)
        bend = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        size = 1.0
        while size > 1e-4 and loss(found - size * step) > loss(found):
            size /= 2
        found = found - size * step
        if float(np.abs(size * step).max()) < 1e-6:
            break
    return found


def priors() -> dict[str, Floats]:
    """Give the judgement of evidence.toml for every decision."""
    table = {"relevance": np.array([feature.relevance for feature in features()])}
    for topic in TOPICS:
        table[topic] = np.array([feature.topics.get(topic, 0.0) for feature in features()])
    return table


def train(examples: list[Example]) -> dict[str, Floats]:
    """Fit every decision; topics on the relevant articles alone, since only those carry topics."""
    prior = priors()
    values = np.array([e.values for e in examples])
    weights = np.array([e.weight for e in examples])
    models = {
        "relevance": fit(
            values,
            np.array([float(e.relevant) for e in examples]),
            weights,
            prior["relevance"],
            RELEVANCE_SPREAD,
        )
    }
    relevant = [e for e in examples if e.relevant]
    values = np.array([e.values for e in relevant])
    weights = np.array([e.weight for e in relevant])
    for topic in TOPICS:
        models[topic] = fit(
            values,
            np.array([float(topic in e.topics) for e in relevant]),
            weights,
            prior[topic],
            TOPIC_SPREAD,
        )
    return models


def judge(model: Floats, values: Floats) -> float:
    """Give the log-odds of a decision."""
    return float(values @ model[:-1] + model[-1])


@dataclass(slots=True)
class Tally:
    """Counts right and wrong answers of one decision."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def add(self, said: bool, so: bool) -> None:
        """Count one answer."""
        if said:
            self.tp, self.fp = self.tp + so, self.fp + (not so)
        else:
            self.fn, self.tn = self.fn + so, self.tn + (not so)

    def __str__(self) -> str:
        precision = self.tp / max(1, self.tp + self.fp)
        recall = self.tp / max(1, self.tp + self.fn)
        f1 = 2 * self.tp / max(1, 2 * self.tp + self.fp + self.fn)
        counts = f"tp {self.tp} fp {self.fp} fn {self.fn} tn {self.tn}"
        return f"P {precision:.3f} R {recall:.3f} F1 {f1:.3f} ({counts})"


def assess(answers: list[tuple[Example, dict[str, float]]], show: Callable[[str], object]) -> None:
    """Print how well answers (log-odds by decision) fit the labels, by source."""
    for source in sorted({e.source for e, _ in answers}):
        relevance, micro, near = Tally(), Tally(), Tally()
        topics = {topic: Tally() for topic in TOPICS}
        for e, odds in answers:
            if e.source != source or e.weight == UNSURE:
                continue
            relevance.add(odds["relevance"] > RELEVANCE_THRESHOLD, e.relevant)
            if e.near_miss:
                near.add(odds["relevance"] > RELEVANCE_THRESHOLD, e.relevant)
            if e.relevant:
                for topic in TOPICS:
                    said = odds[topic] > TOPIC_THRESHOLD[topic]
                    micro.add(said, topic in e.topics)
                    topics[topic].add(said, topic in e.topics)
        show(f"{source:8} relevance {relevance}")
        show(f"{source:8} near misses kept out {near.tn}/{near.tn + near.fp}")
        show(f"{source:8} topics    {micro}")
        for topic, tally in topics.items():
            show(f"    {topic:20} {tally}")


def folds(examples: list[Example], count: int, seed: int = 7) -> list[list[Example]]:
    """Deal the examples into `count` parts; articles of one matter go to the same part."""
    groups = sorted({e.group for e in examples})
    random.Random(seed).shuffle(groups)
    part = {group: i % count for i, group in enumerate(groups)}
    return [[e for e in examples if part[e.group] == i] for i in range(count)]


def cross_validate(examples: list[Example]) -> list[tuple[Example, dict[str, float]]]:
    """Judge every example by weights fitted without the matter that it belongs to."""
    answers: list[tuple[Example, dict[str, float]]] = []
    for held_out in folds(examples, FOLDS):
        names = {e.group for e in held_out}
        models = train([e for e in examples if e.group not in names])
        answers += [(e, {d: judge(m, e.values) for d, m in models.items()}) for e in held_out]
    return answers


def write(models: dict[str, Floats]) -> None:
    """Write the weights file that the program reads."""
    names = [feature.name for feature in features()]
    lines = [
        "# Made by tools/train_relevance.py from evidence.toml and labelled articles; do not edit by hand.",
        "# Log-odds that each feature adds to a decision when the story is full of it.",
    ]
    for decision, model in models.items():
        threshold = RELEVANCE_THRESHOLD if decision == "relevance" else TOPIC_THRESHOLD[decision]
        lines += ["", f"[{decision}]", f"intercept = {model[-1]:.3f}", f"threshold = {threshold:.3f}"]
        lines += [f"{name} = {w:.3f}" for name, w in zip(names, model[:-1], strict=True) if abs(w) >= 0.0005]
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Cross-validate, then fit on everything and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--write", action="store_true", help="write bot/stories/data/weights.toml")
    options = parser.parse_args()
    everything = load(options.shared)
    examples = [e for e in everything if e.source not in (HELD_OUT, SECOND)]
    unseen = [e for e in everything if e.source in (HELD_OUT, SECOND)]
    print("held out, fold by fold:")
    assess(cross_validate(examples), print)
    models = train(examples)
    answers = [(e, {d: judge(m, e.values) for d, m in models.items()}) for e in examples]
    print("never fitted to:")
    assess([(e, {d: judge(m, e.values) for d, m in models.items()}) for e in unseen], print)
    print("fitted to the same articles:")
    assess(answers, print)
    if options.write:
        write(models)


if __name__ == "__main__":
    main()
