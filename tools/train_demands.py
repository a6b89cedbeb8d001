"""Fits the weights by which claims of demands are judged, and says how well they hold on articles left out.

    python tools/train_demands.py [--shared ../shared] [--more labelled.jsonl ...] [--write]

Every claim that `bot.stories.demands.claims_in` reads from a labelled article is an example; what it is worth
is the share of its issuer, recipient, instrument and status that are right (0 where no labelled demand fits).
A logistic model over `bot.stories.demand_chance.MEASURES` says how much a claim is likely to be worth, drawn
back to the judgement below (a Gaussian prior round it). Sets: the shared set, our own articles
(tests/stories/quality), short reports (tests/stories/labels/demands.jsonl) and claims in pool articles that a
reader judged (demands_pool.json); other claims in relevant pool articles count a little, as wrong. For the
figures articles are left out, eight folds. Without --write nothing is changed. Needs numpy, which the program
itself does not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.record import Recorder  # noqa: E402 - a script must say first where the project is
from bot.stories import parties, text  # noqa: E402
from bot.stories.analyse import analyse  # noqa: E402
from bot.stories.demand_chance import MEASURES, Claim  # noqa: E402
from bot.stories.demands import claims_in  # noqa: E402
from bot.stories.model import Article  # noqa: E402
from tests.stories.quality.score import right_fields  # noqa: E402

WEIGHTS = ROOT / "bot" / "stories" / "data" / "demand_chance.toml"
LABELS = ROOT / "tests" / "stories" / "labels"
QUALITY = ROOT / "tests" / "stories" / "quality"
JUDGEMENT = {
    "bias": -1.5,
    "by-rules": 3.0,
    "first": 0.5,
    "exact": 0.5,
    "whole": 0.5,
    "issuer-none": -0.5,
    "recipient-none": -1.0,
    "long-none": -1.0,
    "late": -0.5,
    "passing": -1.0,
    "politics": -0.5,
}
SPREAD = 1.0
FOLDS = 8
UNREAD = 0.15  # how much a claim in a pool article that nobody judged counts

Labels = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A claim: the article it stands in, its measures, what it is worth and how much it counts."""

    article: str
    group: str
    measures: dict[str, float]
    worth: float
    counts: float


@dataclass(slots=True)
class Sum:
    """What a choice of claims gives: demands labelled, claims made, and what these are worth."""

    wanted: float = 0.0
    claimed: float = 0.0
    worth: float = 0.0

    @property
    def f1(self) -> float:
        """F1 of fields: twice what was right, by what was wanted and what was claimed."""
        return 2 * self.worth / (self.wanted + self.claimed) if self.wanted + self.claimed else 1.0


def claims_of(labels: Labels) -> list[Claim]:
    """Read an article of a set; no claims where it is not relevant or not English."""
    article = Article(title=labels["title"], body=f"{labels['title']}\n\n{labels['text']}")
    document = text.read(article, Recorder())
    if document.language not in ("en", "und"):
        return []
    return claims_in(document, parties.find_mentions(document))


def judged(labels: Labels, claims: Sequence[Claim]) -> list[float]:
    """What each claim is worth: the demand that it fits best is its own, each demand has one claim."""
    pairs = []
    for number, wanted in enumerate(labels["demands"]):
        for place, claim in enumerate(claims):
            right = right_fields(wanted, claim.demand)
            if right.get("issuer") or right.get("recipient"):
                pairs.append((sum(right.values()) / len(right), -place, number))
    worth = [0.0] * len(claims)
    taken: set[int] = set()
    done: set[int] = set()
    for share, place, number in sorted(pairs, reverse=True):
        if number not in taken and -place not in done:
            taken.add(number)
            done.add(-place)
            worth[-place] = -1.0 if labels["demands"][number].get("optional") else share
    return worth


def examples(group: str, sets: Iterable[Labels]) -> Iterator[Example]:
    """Give the claims of labelled articles; those that fit an optional demand are no examples."""
    for labels in sets:
        if labels.get("lang", "en") != "en":
            continue
        claims = claims_of(labels)
        for claim, worth in zip(claims, judged(labels, claims), strict=True):
            if worth >= 0:
                yield Example(labels["id"], group, claim.measures, worth, 1.0)


def from_pool(path: Path) -> Iterator[Example]:
    """Claims in pool articles: judged by a reader, or of articles whose claims nobody judged."""
    judgements = json.loads((LABELS / "demands_pool.json").read_text(encoding="utf-8"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            known = row["id"] in judgements
            if not known and crc32(row["id"].encode()) % 3:
                continue
            story = analyse(Article(title=row["title"], body=f"{row['title']}\n\n{row['text']}"))
            if not known and not story.relevant:
                continue
            for place, claim in enumerate(claims_of(row)):
                true = known and place == 0 and judgements[row["id"]]
                yield Example(
                    row["id"], "pool", claim.measures, 0.8 if true else 0.0, 1.0 if known else UNREAD
                )


def read(path: Path) -> list[Labels]:
    """Read a set of labelled articles."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def matrix(found: Sequence[Example]) -> NDArray[np.float64]:
    """The measures of examples, a row each."""
    return np.array([[example.measures.get(name, 0.0) for name in MEASURES] for example in found])


def fit(found: Sequence[Example]) -> NDArray[np.float64]:
    """Fit the weights: Newton's method on the penalised likelihood."""
    prior = np.array([JUDGEMENT.get(name, 0.0) for name in MEASURES])
    x, weights = matrix(found), prior.copy()
    y = np.array([example.worth for example in found])
    counts = np.array([example.counts for example in found])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (counts * (y - chance)) - (weights - prior) / SPREAD**2
        curve = (x * (counts * chance * (1 - chance))[:, None]).T @ x + np.eye(len(prior)) / SPREAD**2
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def main() -> None:
    """Fit, tell how well it holds on articles left out, and write the weights if asked to."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    asked.add_argument("--more", type=Path, nargs="*", default=[])
    asked.add_argument("--write", action="store_true")
    options = asked.parse_args()
    sets = {name: read(QUALITY / f"{name}.jsonl") for name in ("articles", "second", "shorts")}
    texts = {labels["id"]: labels for labels in read(LABELS / "written.jsonl")}
    sets["written"] = [texts[row["id"]] | row for row in read(LABELS / "demands.jsonl") if row["id"] in texts]
    if (options.shared / "eval").exists():
        sets["shared"] = read(options.shared / "eval" / "dev.jsonl")
    for path in options.more:
        sets[path.stem] = read(path)
    found = [example for name, rows in sets.items() for example in examples(name, rows)]
    wanted = {
        name: sum(
            not demand.get("optional")
            for row in rows
            if row.get("lang", "en") == "en"
            for demand in row["demands"]
        )
        for name, rows in sets.items()
    }
    if (options.shared / "eval").exists():
        found += from_pool(options.shared / "eval" / "pool.jsonl.gz")
    folds = [crc32(example.article.encode()) % FOLDS for example in found]
    held_out = np.zeros(len(found))
    for fold in range(FOLDS):
        weights = fit([example for example, its in zip(found, folds, strict=True) if its != fold])
        there = [number for number, its in enumerate(folds) if its == fold]
        held_out[there] = matrix([found[number] for number in there]) @ weights
    by_rules = np.array([10.0 if example.measures.get("by-rules") else -10.0 for example in found])
    print("fields' F1, (claims made, worth more than half), pool claims made: right, wrong")
    tell("the rules alone", found, by_rules, 0.0, wanted)
    for threshold in (-1.0, -0.7, -0.5, -0.3, -0.1, 0.1, 0.4):
        tell(f"held out, {threshold:+.1f}", found, held_out, threshold, wanted)
    weights = fit(found)
    for name, weight in zip(MEASURES, weights, strict=True):
        print(f"{name:16} {weight:+.2f}   {sum(bool(e.measures.get(name)) for e in found)}")
    if options.write:
        head = WEIGHTS.read_text(encoding="utf-8").split("[weights]")[0]
        lines = [f"{name} = {weight:.3f}" for name, weight in zip(MEASURES, weights, strict=True)]
        WEIGHTS.write_text(head + "[weights]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def tell(
    title: str,
    found: Sequence[Example],
    chances: NDArray[np.float64],
    threshold: float,
    wanted: dict[str, int],
) -> None:
    """Print what a threshold gives on every set."""
    sums = {name: Sum(float(number)) for name, number in wanted.items()}
    good = dict.fromkeys(wanted, 0)
    pool = [0.0, 0.0]
    for example, chance in zip(found, chances, strict=True):
        if chance < threshold:
            continue
        if example.group == "pool":
            pool[example.worth < 0.5] += 1
            continue
        sums[example.group].claimed += 1
        sums[example.group].worth += example.worth
        good[example.group] += example.worth > 0.5
    told = "  ".join(
        f"{name} {each.f1:.3f} ({each.claimed:.0f}, {good[name]})" for name, each in sums.items()
    )
    print(f"{title:18} {told}  pool {pool[0]:.0f}, {pool[1]:.0f}")


if __name__ == "__main__":
    main()
