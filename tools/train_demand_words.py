"""Fits the words that tell a demand, its instrument and its parties' parts; says how they do on other sets.

    python tools/train_demand_words.py --data NAME=FILE[@COUNTS] ... [--apart NAME,NAME] ... [--write]

FILE holds labelled articles in the format of the shared set (../shared/eval/README.md), one a line; those in
English are examples. COUNTS is what each article of a set counts for whether a demand is told (1): less for
sets that hold hardly an article without one. Sets named together by an `--apart` are judged by words fitted
without them, by the shared set's own scorer, once without words ("claims") and once with them.

Three logistic regressions (`bot.stories.demand_words`), their weights drawn to nothing: whether an article
tells a demand, which instruments it tells of if it does, and which of its parties ask and are asked.

Without --write nothing is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.record import Recorder  # noqa: E402 - a script must say first where the project is
from bot.stories import demands, language, parties, relevance  # noqa: E402
from bot.stories.demand_choice import Found, decide, scene_and_claims, weights  # noqa: E402
from bot.stories.demand_claims import Claim  # noqa: E402
from bot.stories.demand_features import Scene, parts_by  # noqa: E402
from bot.stories.demand_words import NOTHING, ROLES, TOLD, DemandWords, Tables, measures  # noqa: E402
from bot.stories.evidence import Evidence  # noqa: E402
from bot.stories.model import INSTRUMENTS, Document  # noqa: E402
from bot.stories.word_weights import Measures, Table  # noqa: E402
from tools import word_fit  # noqa: E402
from tools.labelled import arguments, as_json, document_of, labelled, load_scorer  # noqa: E402

DATA = ROOT / "bot" / "stories" / "data"

RARE = 4  # examples that must show a measure before it is weighed
PULL = {"told": 2e-4, "instruments": 3e-4, "roles": 3e-4}  # how hard weights are drawn to nothing
SLIGHT = {"told": 0.04, "instruments": 0.1, "roles": 0.04}  # weights below it are left out


@dataclass(frozen=True, slots=True)
class Example:
    """An article as the program sees it, and what its reader says. `counts`: for whether a demand is told."""

    set: str
    counts: float
    labels: dict[str, Any]
    document: Document
    evidence: Evidence
    scene: Scene
    claims: list[Claim]
    measures: Measures

    @property
    def told(self) -> list[dict[str, Any]]:
        """The demands that every careful reader would list."""
        return [each for each in self.labels["demands"] if not each.get("optional")]


def example_of(row: dict[str, Any], name: str, counts: float) -> Example | None:
    """Read one labelled article; None for one that no demand is looked for in."""
    document = document_of(row)
    evidence = relevance.evidence_of(document)
    if evidence is None or document.language not in language.READ_AS_ENGLISH:
        return None
    reading = demands.Reading(document, parties.find_mentions(document))
    scene, claims = scene_and_claims(reading, document, evidence)
    if scene is None:
        return None
    return Example(name, counts, row, document, evidence, scene, claims, measures(scene.said))


def fit(examples: Sequence[Example], scorer: ModuleType) -> Tables:
    """Fit all three tables."""
    told = _fit(
        "told",
        [example.measures for example in examples],
        [[float(bool(example.told))] for example in examples],
        [example.counts for example in examples],
        (TOLD,),
    )
    telling = [example for example in examples if example.told]
    instruments = _fit(
        "instruments",
        [example.measures for example in telling],
        [
            [float(any(each["instrument"] == name for each in example.told)) for name in INSTRUMENTS]
            for example in telling
        ],
        [1.0] * len(telling),
        INSTRUMENTS,
    )
    options = [
        (
            example.scene.words.party_measures(name, party.values),
            [float(_takes_part(example, role, name, scorer)) for role in ROLES],
        )
        for example in telling
        for name, party in example.scene.parties.items()
    ]
    roles = _fit(
        "roles", [each for each, _ in options], [right for _, right in options], [1.0] * len(options), ROLES
    )
    return Tables(told, instruments, roles)


def _fit(
    table: str, rows: list[Measures], wanted: list[list[float]], counts: list[float], answers: Sequence[str]
) -> Table:
    return word_fit.fit(
        rows,
        np.array(wanted),
        np.array(counts),
        answers,
        chances=word_fit.each_alone,
        rare=RARE,
        pull=PULL[table],
        slight=SLIGHT[table],
    )


def _takes_part(example: Example, role: str, name: str, scorer: ModuleType) -> bool:
    """Whether a reader names this party for a part in any demand of the article."""
    return any(
        scorer.same(each, name)
        for label in example.labels["demands"]
        for each in (*scorer.aslist(label.get(role)), *scorer.aslist(label.get(f"{role}_alt")))
    )


def assess(examples: Sequence[Example], known: Tables, scorer: ModuleType) -> str:
    """Say how well the demands are found with tables: F1 of the fields, precision and recall of all."""
    answers = {}
    for number, example in enumerate(examples):
        scene = example.scene
        scene.words = DemandWords(scene.said, known)
        scene.parts = parts_by(scene.words, scene.parties)
        found: list[Found] = decide(scene, example.claims, weights())
        told = tuple(each.demand for each in found)
        surely = max((each.sure for each in found), default=0.0)
        relevant = relevance.weigh(example.document, example.evidence, Recorder(), told, surely)[0].relevant
        answers[str(number)] = {"demands": [as_json(each) for each in told] if relevant else []}
    rows = [{"id": str(number), "demands": each.labels["demands"]} for number, each in enumerate(examples)]
    lines: list[str] = []
    figures = scorer.score_demands(rows, answers, lines)
    fields = " ".join(
        f"{figures[f'demand_{key}_f1']:.3f}" for key in ("issuer", "recipient", "instrument", "status")
    )
    return f"{fields}  {lines[1].split('all')[1].strip()}"


def main() -> None:
    """Judge the sets that are kept apart, then fit on everything and write if asked."""
    options = arguments(__doc__, DATA, apart="NAME,NAME").parse_args()
    scorer = load_scorer(options.shared)
    examples = [
        example
        for name, counts, row in labelled(options.data)
        if (example := example_of(row, name, float(counts or 1))) is not None
    ]
    for names in (each.split(",") for each in options.apart):
        known = fit([example for example in examples if example.set not in names], scorer)
        for name in names:
            inside = [example for example in examples if example.set == name]
            print(f"{name:10} claims {assess(inside, NOTHING, scorer)}")
            print(f"{'':10} words  {assess(inside, known, scorer)}", flush=True)
    if options.write:
        known = fit(examples, scorer)
        for table, file, what in (
            (known.told, "told_words.txt", "an article's telling a demand"),
            (known.instruments, "instrument_words.txt", "each instrument of a demand"),
            (known.roles, "role_words.txt", "a party's part in a demand"),
        ):
            word_fit.write(
                DATA / file,
                table,
                "Made by tools/train_demand_words.py from labelled articles; do not edit by hand.",
                f"What a word counts for {what}, in hundredths of log-odds; endings are cut off.",
            )


if __name__ == "__main__":
    main()
