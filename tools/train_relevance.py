"""Fits the weights of relevance and topics, and says how well they hold on articles they were not fitted to.

    python tools/train_relevance.py [--shared ../shared] [--more SET.jsonl ...] [--leave-out SET ...]
                                    [--again SPREAD] [--write]

Each decision is one logistic model over the features of `bot/stories/data/evidence.toml`. The judgement
written there is where the fit starts and what it is drawn back to (a Gaussian prior round it), so that a word
no labelled article contains keeps the weight that somebody who knows the field gave it. Articles come from
the development set, from labels of pool articles in tests/stories/labels (identifiers and labels alone; the
texts are read from --shared), from the short reports there that were written for training and from further
labelled sets in the format of the development set (--more), which stay outside the project. --leave-out SET
fits on all sets but that one and tests on it. Without --write nothing is changed.

--again SPREAD starts from the weights that the program brings, which were fitted with sets that are not there
any more, and lets those of relevance move easily by SPREAD log-odds; topics stay as they are.
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
from bot.stories import demand_choice, parties, relevance, text
from bot.stories.evidence import features, gather
from bot.stories.model import TOPICS, Article

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "tests" / "stories" / "labels"
QUALITY = ROOT / "tests" / "stories" / "quality"
WEIGHTS = ROOT / "bot" / "stories" / "data" / "weights.toml"

# How far, in log-odds, a weight may easily move from the judgement in evidence.toml: where there is one, and
# where the judgement is that it tells nothing.
RELEVANCE_SPREAD = (1.2, 0.3)
TOPIC_SPREAD = (1.0, 0.8)
INTERCEPT = -3.0  # where a story without any evidence starts
UNSURE = 0.2  # what a label counts that its reader was not sure of
DEV = 2.0  # what an article of the development set counts, whose labels are the measure
FALSE_ALARM = 1.5  # how much more an irrelevant article counts: an alert about nothing costs a reader more
AGAIN = 0.7  # the same where a fit goes on from the last one, with sets of which most are near misses
POOL = 0.35  # what a label of a pool article counts: most are older and about politics
READ = 0.7  # the same where its reader had the whole article
WRITTEN = 0.5  # what a short report counts that was written for training
PLAIN = 0.4  # the same in as few words of the field as can be
MORE = 1.0  # what an article of a further set counts
FOLDS = 5
# A missed topic and a false one cost the same, and topics are rare: the best F1 lies below even odds.
TOPIC_THRESHOLD = {
    "legal-demands": -0.25,
    "surveillance": -0.5,
    "data-brokers": -1.0,
    "biometrics": -0.75,
    "spyware": -0.75,
    "encryption": -1.0,
    "anonymity": -1.0,
    "free-speech": -0.5,
    "platform-moderation": -1.25,
    "privacy-law": -0.25,
    "transparency": -0.5,
}
RELEVANCE_THRESHOLD = 0.0

# Labelled without sight of what the weights said of them.
HELD_OUT = "held-out"
# Pool articles and reports that a second person labelled or wrote without sight of the rules.
SECOND = "second"
# Labels of pool articles and what each counts; an article in several takes the first.
POOL_LABELS = (
    ("read", "pool_read.jsonl", READ),
    (SECOND, "second.jsonl", POOL),
    (HELD_OUT, "pool_heldout.jsonl", POOL),
    ("pool", "pool.jsonl", POOL),
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
    """Read an article as the program does and take its features."""
    document = text.read(Article(row["title"], row["text"]), Recorder())
    mentions = parties.find_mentions(document)
    told, _ = demand_choice.find(document, mentions, relevance.evidence_of(document), Recorder())
    found = gather(document, "en", told).values
    return Example(
        row["id"],
        source,
        str(label.get("case") or row["id"]),
        np.array([found.get(feature.name, 0.0) for feature in features()]),
        bool(label["relevant"]),
        bool(label.get("near_miss", not label["relevant"])),
        frozenset(label["topics"]),
        weight,
    )


def load(shared: Path, more: Iterable[Path]) -> list[Example]:
    """Read all labelled articles in English: the project's own, the development set and further sets."""
    found: list[Example] = []
    for source, path, counts in (
        ("dev", shared / "eval" / "dev.jsonl", DEV),
        *((path.stem, path, MORE) for path in more),
    ):
        for row in read_jsonl(path.open(encoding="utf-8")):
            if row.get("lang", "en") == "en":
                found.append(example(row, row, source, counts))
    with gzip.open(shared / "eval" / "pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        pool = {row["id"]: row for row in read_jsonl(lines)}
    taken: set[str] = set()
    for source, name, counts in POOL_LABELS:
        for label in read_jsonl((LABELS / name).open(encoding="utf-8")):
            if label["id"] not in taken:
                taken.add(label["id"])
                counted = counts if label["sure"] else UNSURE
                found.append(example(pool[label["id"]], label, source, counted))
    for source, file, counts in (
        (SECOND, QUALITY / "second.jsonl", WRITTEN),
        ("written", LABELS / "written.jsonl", WRITTEN),
        ("plain", LABELS / "written_plain.jsonl", PLAIN),
    ):
        for row in read_jsonl(file.open(encoding="utf-8")):
            found.append(example(row, row, source, counts))
    return found


def fit(
    values: Floats,
    wanted: Floats,
    weights: Floats,
    prior: Floats,
    spread: Floats,
    intercept: float = INTERCEPT,
) -> Floats:
    """Fit a logistic model drawn to `prior` (L-BFGS); the last weight is the intercept."""
    centre = np.append(prior, intercept)
    scale = np.append(spread, 4.5)
    rows = np.hstack([values, np.ones((len(values), 1))]) * scale
    start = rows @ (centre / scale)

    def loss(moved: Floats) -> tuple[float, Floats]:
        odds = start + rows @ moved
        chance = 1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30)))
        cost = float(weights @ (np.logaddexp(0.0, odds) - wanted * odds) + 0.5 * moved @ moved)
        return cost, rows.T @ (weights * (chance - wanted)) + moved

    found: Floats = np.zeros(len(centre))
    cost, slope = loss(found)
    past: list[tuple[Floats, Floats]] = []
    for _ in range(150):
        step, taken = slope.copy(), []
        for moved, turned in reversed(past):
            share = (moved @ step) / (turned @ moved)
            taken.append(share)
            step -= share * turned
        step *= (past[-1][0] @ past[-1][1]) / (past[-1][1] @ past[-1][1]) if past else 1.0 / len(rows)
        for (moved, turned), share in zip(past, reversed(taken), strict=True):
            step += (share - (turned @ step) / (turned @ moved)) * moved
        size = 1.0
        while (new := loss(found - size * step))[0] > cost - 1e-4 * size * (slope @ step) and size > 1e-6:
            size /= 2
        if (turned := new[1] - slope) @ step < -1e-12:
            past = [*past[-9:], (-size * step, turned)]
        done = abs(cost - new[0]) < 1e-6 * abs(cost)
        found, cost, slope = found - size * step, new[0], new[1]
        if done:
            break
    return centre + scale * found


def priors() -> dict[str, Floats]:
    """Give the judgement of evidence.toml for every decision."""
    table = {"relevance": np.array([feature.relevance for feature in features()])}
    for topic in TOPICS:
        table[topic] = np.array([feature.topics.get(topic, 0.0) for feature in features()])
    return table


def train(examples: list[Example]) -> dict[str, Floats]:
    """Fit every decision; topics on the relevant articles alone, since only those carry topics."""
    relevant = [e for e in examples if e.relevant]
    models: dict[str, Floats] = {}
    for decision, prior in priors().items():
        of_relevance = decision == "relevance"
        rows = examples if of_relevance else relevant
        near, far = RELEVANCE_SPREAD if of_relevance else TOPIC_SPREAD
        models[decision] = fit(
            np.array([e.values for e in rows]),
            np.array([float(e.relevant if of_relevance else decision in e.topics) for e in rows]),
            np.array([e.weight * (1.0 if e.relevant else FALSE_ALARM) for e in rows]),
            prior,
            np.where(prior == 0, far, near),
        )
    return models


def train_again(examples: list[Example], spread: float) -> dict[str, Floats]:
    """Fit relevance once more round the weights that the program brings; give these for topics."""
    models: dict[str, Floats] = {}
    for decision, prior in priors().items():
        known = relevance.weights()[decision]
        names = [feature.name for feature in features()]
        shipped = np.array(
            [known.by_feature.get(name, each) for name, each in zip(names, prior, strict=True)]
        )
        models[decision] = np.append(shipped, known.intercept)
    models["relevance"] = fit(
        np.array([e.values for e in examples]),
        np.array([float(e.relevant) for e in examples]),
        np.array([e.weight * (1.0 if e.relevant else AGAIN) for e in examples]),
        models["relevance"][:-1],
        np.full(len(features()), spread),
        models["relevance"][-1],
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


def answers_of(examples: list[Example], models: dict[str, Floats]) -> list[tuple[Example, dict[str, float]]]:
    """Judge examples."""
    return [(e, {d: judge(m, e.values) for d, m in models.items()}) for e in examples]


def cross_validate(examples: list[Example]) -> list[tuple[Example, dict[str, float]]]:
    """Judge every example by weights fitted without the matter that it belongs to."""
    answers: list[tuple[Example, dict[str, float]]] = []
    for held_out in folds(examples, FOLDS):
        names = {e.group for e in held_out}
        answers += answers_of(held_out, train([e for e in examples if e.group not in names]))
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
    """Show how well it holds, then fit on everything and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="further labelled sets")
    parser.add_argument("--folds", action="store_true", help="judge articles by weights without their matter")
    parser.add_argument("--leave-out", nargs="*", default=[], help="sets to test on, left out of the fit")
    parser.add_argument("--again", type=float, metavar="SPREAD", help="go on from the weights there are")
    parser.add_argument("--write", action="store_true", help="write bot/stories/data/weights.toml")
    options = parser.parse_args()
    examples = load(options.shared, options.more)

    def fitted(to: list[Example]) -> dict[str, Floats]:
        return train(to) if options.again is None else train_again(to, options.again)

    for source in options.leave_out:
        print(f"fitted on all sets but {source}:")
        models = fitted([e for e in examples if e.source != source])
        assess(answers_of([e for e in examples if e.source == source], models), print)
    if options.folds:
        print("held out, fold by fold:")
        assess(cross_validate(examples), print)
    models = fitted(examples)
    print("fitted to the same articles:")
    assess(answers_of(examples, models), print)
    if options.write:
        write(models)


if __name__ == "__main__":
    main()
