"""Fits the weights of demands, and says how well they hold on articles they were not fitted to.

    python tools/train_demands.py --data NAME=FILE[@COUNTS] ... [--apart NAME] [--shared ../shared] [--write]

FILE holds labelled articles in the format of the shared set (../shared/eval/README.md), one a line. COUNTS
marks a set that the rules were made on, and is what each of its articles counts; articles of other sets
count 1. Articles of sets named by `--apart` are judged by weights fitted without the whole set; the others
are dealt into folds by their case. Names of parties are compared by the shared set's own scorer, so
`--shared` must hold it.

Three choices are fitted (`bot.stories.demand_choice`), each a conditional logit: options with measures, one
weight a measure, so that the right option's share of the sums is as large as can be. Two things keep the
rules' own answers from counting for more than they do on new articles: sets that the rules were made on may
count less, and each of their articles stands in the training twice, once as if the rules had held nothing
told.

Without --write nothing is changed.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.record import Recorder  # noqa: E402 - a script must say first where the project is
from bot.stories import demands, language, parties, relevance  # noqa: E402
from bot.stories.demand_choice import (  # noqa: E402
    Judged,
    Picker,
    decide,
    judge,
    scene_and_claims,
)
from bot.stories.demand_claims import Claim  # noqa: E402
from bot.stories.demand_features import (  # noqa: E402
    Scene,
    Values,
    claim_values,
    party_values,
    role_values,
)
from bot.stories.model import Demand  # noqa: E402
from bot.stories.relevance import SURELY_TOLD  # noqa: E402
from tools.labelled import Labels, arguments, as_json, document_of, labelled, load_scorer, matched  # noqa: E402

WEIGHTS = ROOT / "bot" / "stories" / "data" / "demand_weights.toml"
Floats = NDArray[np.float64]
Tables = dict[str, Values]

FOLDS = 5
INNER_FOLDS = 3
RARE = 8  # options that must show a measure before it is weighed
PULL = {"issuer": 1.0, "recipient": 1.0, "claim": 3.0}  # how hard weights are drawn to nothing
SILENT = 0.3  # what an article counts that is read as if the rules had held nothing told
OPTIONAL = 0.5  # what a demand counts that one careful reader might list and another not
_FAMILIES = {
    "takedown order": ("content",),
    "gag order": ("gag", "data"),
    "purchase": ("buy",),
    "informal request": ("data", "content"),
}


@dataclass(slots=True)
class Choice:
    """Options, of which some are right, and what it counts that a right one is chosen."""

    options: list[Values]
    right: list[bool]
    counts: float


@dataclass(slots=True)
class Example:
    """An article as the program sees it, and what its reader says that it reports."""

    id: str
    set: str
    fold: str
    counts: float
    labels: list[Labels]
    relevant: bool
    rules: list[Demand]  # what the rules say of a language that the weights do not know
    scene: Scene | None = None
    claims: list[Claim] = field(default_factory=list)
    silent: bool = False
    held_relevant: bool = False  # by the rules


# ---------------------------------------------------------------------- reading


def examples_of(row: Labels, name: str, counts: float, *, made_on: bool) -> list[Example]:
    """Read one labelled article; one the rules were made on once more as if they had held nothing told."""
    document = document_of(row)
    mentions = parties.find_mentions(document)
    labels = [_listed(each) for each in row.get("demands") or []]
    fold = str(row.get("case") or row["id"])
    example = Example(row["id"], name, fold, counts, labels, bool(row.get("relevant", True)), [])
    evidence = relevance.evidence_of(document)
    if document.language not in language.READ_AS_ENGLISH or evidence is None:
        example.rules = list(demands.find_demands(document, mentions, Recorder()))
        told = tuple(example.rules)
        example.held_relevant = relevance.weigh(document, evidence, Recorder(), told)[0].relevant
        return [example]
    reading = demands.Reading(document, mentions)
    told = tuple(demand for _, demand in reading.told)
    example.rules = list(told)
    example.held_relevant = relevance.weigh(document, evidence, Recorder(), told)[0].relevant
    example.scene, example.claims = scene_and_claims(reading, document, evidence)
    if not told or not made_on:
        return [example]
    reading = demands.Reading(document, mentions)
    reading.told = ()
    scene, claims = scene_and_claims(reading, document, evidence)
    return [example, replace(example, scene=scene, claims=claims, silent=True, counts=SILENT)]


def _listed(labels: Labels) -> Labels:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in labels.items()}


# ---------------------------------------------------------------------- choices


def assigned(example: Example, scorer: ModuleType) -> dict[int, Labels]:
    """Which labelled demand each claim tells, if any: the claim that says most of it, of a fitting family."""
    scored = []
    for number, labels in enumerate(example.labels):
        families = _FAMILIES.get(labels["instrument"], ("data",))
        for at, claim in enumerate(example.claims):
            said = scorer.pair_score(labels, as_json(claim.base)) if claim.base else 0.0
            liking = 0.5 if claim.kind == "told" else 0.0
            scored.append((said * 10 + 2 * (claim.family in families) + liking, number, at))
    return matched(scored, example.labels, 2.0)


def _said(judged: Judged) -> Labels:
    base = judged.claim.base
    said = as_json(base) if base else {"instrument": "", "status": "", "target": []}
    return {**said, "issuer": list(judged.issuers), "recipient": list(judged.recipients)}


def role_choices(examples: Iterable[Example], scorer: ModuleType) -> dict[str, list[Choice]]:
    """The choices of parties that the labels answer."""
    found: dict[str, list[Choice]] = {"issuer": [], "recipient": []}
    for example in examples:
        if example.scene is None:
            continue
        for at, labels in assigned(example, scorer).items():
            claim = example.claims[at]
            counts = example.counts * (OPTIONAL if labels.get("optional") else 1.0)
            taken: dict[str, str | None] = {"issuers": None, "recipients": None}
            for role, name, is_right in (
                ("issuers", "issuer", scorer.ok_issuer),
                ("recipients", "recipient", scorer.ok_recipient),
            ):
                beside = party_values(example.scene, claim)
                by_rules = role_values(example.scene, claim, role, taken["issuers"])
                options = [
                    (party, example.scene.parties[party].values | values | by_rules.get(party, {}))
                    for party, values in beside
                ]
                right = [bool(is_right(labels, {name: party})) for party, _ in options]
                if any(right):
                    taken[role] = options[right.index(True)][0]
                    found[name].append(Choice([values for _, values in options], right, counts))
    return found


def claim_choices(examples: Iterable[Example], tables: Tables, scorer: ModuleType) -> list[Choice]:
    """For every claim the choice between the claim and nothing, its parties chosen by `tables`."""
    found = []
    for example in examples:
        if example.scene is None:
            continue
        judged = judge(example.scene, example.claims, {**tables, "claim": {}})
        picker = Picker(example.scene, tables)
        scored = []
        for number, labels in enumerate(example.labels):
            for at, each in enumerate(judged):
                if score := scorer.pair_score(labels, _said(each)):
                    scored.append((score + (0.1 if each.claim.kind == "told" else 0.0), number, at))
        told = matched(scored, example.labels, 0.01)
        order = {id(claim): at for at, claim in enumerate(example.claims)}
        for at, each in enumerate(judged):
            if at in told and told[at].get("optional"):
                continue
            issuer, recipient = picker.pick(each.claim)
            values = claim_values(example.scene, each.claim, order[id(each.claim)], issuer, recipient)
            found.append(Choice([values, {}], [at in told, at not in told], example.counts))
    return found


# ---------------------------------------------------------------------- fitting


def fit(choices: Sequence[Choice], pull: float) -> Values:
    """Fit a conditional logit by damped Newton steps, its weights drawn to nothing by `pull`."""
    shown = Counter(name for choice in choices for values in choice.options for name in values)
    names = sorted(name for name, count in shown.items() if count >= RARE)
    column = {name: at for at, name in enumerate(names)}
    rows = np.zeros((sum(len(choice.options) for choice in choices), len(names)))
    starts: list[int] = []
    owner: list[int] = []
    right: list[bool] = []
    for number, choice in enumerate(choices):
        starts.append(len(owner))
        for values, is_right in zip(choice.options, choice.right, strict=True):
            for name, value in values.items():
                if name in column:
                    rows[len(owner), column[name]] = value
            owner.append(number)
            right.append(is_right)
    first, owners, good = np.array(starts), np.array(owner), np.array(right)
    counts = np.array([choice.counts for choice in choices])[owners]

    def shares(sums: Floats) -> tuple[Floats, Floats]:
        highest = np.maximum.reduceat(sums, first)
        parts = np.exp(sums - highest[owners])
        whole = np.add.reduceat(parts, first)
        return parts / whole[owners], highest + np.log(whole)

    def loss(model: Floats) -> float:
        sums = rows @ model
        gap = shares(sums)[1] - shares(np.where(good, sums, -1e9))[1]
        return float(counts[first] @ gap + 0.5 * pull * model @ model)

    model = np.zeros(len(names))
    now = loss(model)
    for _ in range(30):
        sums = rows @ model
        share, wanted = shares(sums)[0], shares(np.where(good, sums, -1e9))[0]
        slope = rows.T @ (counts * (share - wanted)) + pull * model
        middle = np.add.reduceat(rows * share[:, None], first, axis=0)
        bend = (rows * (counts * share)[:, None]).T @ rows - (middle * counts[first][:, None]).T @ middle
        step = np.linalg.solve(bend + pull * np.eye(len(names)), slope)
        size = 1.0
        while size > 1e-3 and loss(model - size * step) > now:
            size /= 2
        model = model - size * step
        before, now = now, loss(model)
        if before - now < 1e-4 * abs(now):
            break
    return {name: float(weight) for name, weight in zip(names, model, strict=True) if abs(weight) >= 0.005}


def train(examples: Sequence[Example], scorer: ModuleType) -> Tables:
    """Fit all three choices; claims by parties that were chosen without the claim's own article."""

    def roles(some: Iterable[Example]) -> Tables:
        return {name: fit(choices, PULL[name]) for name, choices in role_choices(some, scorer).items()}

    claims: list[Choice] = []
    for part in range(INNER_FOLDS):
        inside = [example for example in examples if _part(example.fold, INNER_FOLDS, "in") == part]
        outside = [example for example in examples if _part(example.fold, INNER_FOLDS, "in") != part]
        claims += claim_choices(inside, roles(outside), scorer)
    return {**roles(examples), "claim": fit(claims, PULL["claim"])}


def _part(key: str, parts: int, salt: str = "") -> int:
    return zlib.crc32(f"{salt}{key}".encode()) % parts


# -------------------------------------------------------------------- measuring


def decided(example: Example, tables: Tables) -> tuple[list[Demand], bool]:
    """What the weights make of an article: its demands, and whether they make it relevant."""
    if example.scene is None:
        return (example.rules if example.held_relevant else []), example.held_relevant
    found = decide(example.scene, example.claims, tables)
    surely = any(each.sure >= SURELY_TOLD for each in found)
    return [each.demand for each in found], example.scene.odds > 0 or surely


def assess(name: str, answers: list[tuple[Example, list[Demand], bool]], scorer: ModuleType) -> None:
    """Print how well the rules and the weights do on a set."""
    rows = [{"id": example.id, "demands": example.labels} for example, _, _ in answers]
    by_rules = {e.id: (e.rules if e.held_relevant else [], e.held_relevant) for e, _, _ in answers}
    by_weights = {e.id: (found, relevant) for e, found, relevant in answers}
    for said, answer in (("rules", by_rules), ("weights", by_weights)):
        told = {key: {"demands": [as_json(each) for each in found]} for key, (found, _) in answer.items()}
        lines: list[str] = []
        figures = scorer.score_demands(rows, told, lines)
        fields = " ".join(
            f"{key} {figures[f'demand_{key}_f1']:.3f}"
            for key in ("issuer", "recipient", "instrument", "status")
        )
        missed = sum(e.relevant and not answer[e.id][1] for e, _, _ in answers)
        let_in = sum(not e.relevant and answer[e.id][1] for e, _, _ in answers)
        found_at_all = lines[1].split("all")[1].strip()
        print(f"{name:9} {said:8}{found_at_all}  {fields}  relevance: missed {missed}, let in {let_in}")


def cross_validate(examples: Sequence[Example], apart: Sequence[str], scorer: ModuleType) -> None:
    """Judge every article by weights fitted without it (its set, its case) and print the figures."""

    def fold(example: Example) -> str:
        return example.set if example.set in apart else str(_part(example.fold, FOLDS))

    answers: dict[str, list[tuple[Example, list[Demand], bool]]] = {}
    for part in sorted({fold(example) for example in examples}):
        tables = train([example for example in examples if fold(example) != part], scorer)
        for example in examples:
            if fold(example) == part and not example.silent:
                answers.setdefault(example.set, []).append((example, *decided(example, tables)))
    for name, each in answers.items():
        assess(name, each, scorer)


# ---------------------------------------------------------------------- the file


def write(tables: Tables) -> None:
    """Write the weights file that the program reads."""
    lines = [
        "# Made by tools/train_demands.py from labelled articles; do not edit by hand.",
        "# What each measure (bot/stories/demand_features.py) adds to the sum of an option, in log-odds.",
    ]
    for choice, table in tables.items():
        lines += ["", f"[{choice}]"]
        lines += [f"{json.dumps(name, ensure_ascii=False)} = {table[name]:.2f}" for name in sorted(table)]
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Cross-validate, then fit on everything and write if asked."""
    parser = arguments(__doc__, WEIGHTS, apart="NAME")
    parser.add_argument("--quick", action="store_true", help="no cross-validation")
    options = parser.parse_args()
    scorer = load_scorer(options.shared)
    examples: list[Example] = []
    for name, counts, row in labelled(options.data):
        examples += examples_of(row, name, float(counts or 1), made_on=bool(counts))
    if not options.quick:
        cross_validate(examples, options.apart, scorer)
    if options.write:
        write(train(examples, scorer))


if __name__ == "__main__":
    main()
