"""Measures what the program makes of labelled articles: our own sets, and the shared set where it is there.

    python tests/stories/quality/score.py            the figures of the project's own sets
    python tests/stories/quality/score.py --wrong    ... and what is wrong, article by article
    python tests/stories/quality/score.py --set-dev  take the shared set's figures of today as the standard

Names are compared through the gazetteer: labels may say "FBI" or "Federal Bureau of Investigation". Every
figure lies between 0 and 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SHARED = ROOT.parent / "shared" / "eval"
DEV_FIGURES = HERE / "dev_figures.toml"
SUMMARY_LIMIT = 320  # characters

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from bot.commands.analyse import moment  # noqa: E402 - a script must say first where the project is
from bot.stories.analyse import analyse  # noqa: E402
from bot.stories.cases import CaseBook  # noqa: E402
from bot.stories.gazetteer import Entry, tokenise  # noqa: E402
from bot.stories.gazetteer import load as gazetteer  # noqa: E402
from bot.stories.model import Article, Demand, Story  # noqa: E402

Labels = dict[str, Any]
DEV_MEASURES = (
    "relevance_f1",
    "topics_micro_f1",
    "demand_issuer_f1",
    "demand_recipient_f1",
    "demand_instrument_f1",
    "demand_status_f1",
    "parties_f1",
    "summary_coverage",
    "summary_verbatim",
    "case_b3_f1",
    "case_pair_f1",
)
FIELDS = ("issuer", "instrument", "recipient", "status")


@dataclass(frozen=True, slots=True)
class Read:
    """A labelled article, the story that was made of it, and the case that it was put in."""

    labels: Labels
    story: Story
    case: str


def load(name: str) -> list[Labels]:
    """One of the sets in this folder."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def read_all(articles: Iterable[Labels]) -> list[Read]:
    """Analyse articles in the order of the set, as they would arrive, cases included."""
    book = CaseBook()
    found = []
    for labels in articles:
        story = analyse(
            Article(
                title=labels["title"],
                body=labels["text"],
                source=labels["source"] or "",
                published=moment(labels["published"]),
                language=labels["lang"],
            )
        )
        case = f"case {book.place(story.fingerprint)[0]}" if story.relevant else f"alone {labels['id']}"
        found.append(Read(labels, story, case))
    return found


# -------------------------------------------------------------------------- names


@cache
def _listed(name: str) -> Entry | None:
    """The party of the gazetteer that the whole of a name stands for."""
    tokens = tokenise(name)
    found = gazetteer().match(tokens, 0) if tokens.words else None
    return found[1].entry if found is not None and found[0] == len(tokens.words) else None


@cache
def _plain(name: str) -> str:
    entry = _listed(name)
    words = re.findall(
        r"[\w@]+", (entry.name if entry else name).lower().replace("’", "'").replace("'s ", " ")
    )
    return " ".join(
        word for word in words if word not in ("the", "inc", "llc", "corp", "ltd", "us", "federal")
    )


@cache
def same(one: str, other: str) -> bool:
    """Whether two names mean one party: equal, a part of a longer one, or a service and its company."""
    a, b = _plain(one), _plain(other)
    if a == b:
        return True
    if not a or not b:
        return False
    shorter, longer = sorted((a.split(), b.split()), key=len)
    if set(shorter) <= set(longer) and len(" ".join(shorter)) > 5:
        return True
    parents = {_parent(one), _parent(other)} - {""}
    return bool(parents & {a, b})


def _parent(name: str) -> str:
    entry = _listed(name)
    return _plain(entry.parent) if entry is not None and entry.parent and entry.kind == "company" else ""


def _several(value: Any) -> list[str]:
    return [] if not value else value if isinstance(value, list) else [value]


def _any_same(wanted: Sequence[str], found: Sequence[str]) -> bool:
    return any(same(a, b) for a in wanted for b in found)


# ------------------------------------------------------------------------ figures


def _f1(right: float, wanted: float, claimed: float) -> float:
    return 2 * right / (wanted + claimed) if wanted + claimed else 1.0


def measure(read: Sequence[Read]) -> dict[str, float]:
    """All measures of a set."""
    relevant = [each for each in read if each.labels["relevant"]]
    near = [each for each in read if each.labels["near_miss"]]
    return {
        "relevance": _f1(
            sum(each.story.relevant for each in relevant),
            len(relevant),
            sum(each.story.relevant for each in read),
        ),
        "near misses kept out": sum(not each.story.relevant for each in near) / len(near) if near else 1.0,
        "topics": _topics(relevant),
        **_demands(relevant),
        "parties": _parties(relevant),
        "key facts": _key_facts(relevant),
        "cases": _b_cubed({each.labels["id"]: each for each in relevant}),
    }


def _topics(read: Sequence[Read]) -> float:
    pairs = [(set(each.labels["topics"]), {topic.topic for topic in each.story.topics}) for each in read]
    return _f1(
        sum(len(a & b) for a, b in pairs), sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs)
    )


def right_fields(labels: Labels, demand: Demand) -> dict[str, bool]:
    """For each field that the labels name, whether the demand has it right."""
    right = {"status": demand.status in [labels["status"], *_several(labels.get("status_alt"))]}
    if not labels.get("instrument_unscored"):
        right["instrument"] = demand.instrument in [
            labels["instrument"],
            *_several(labels.get("instrument_alt")),
        ]
    for name, found in (("issuer", demand.issuer), ("recipient", demand.recipient)):
        if labels[name]:
            right[name] = _any_same([*_several(labels[name]), *_several(labels.get(f"{name}_alt"))], found)
    return right


def _pair(
    wanted: Sequence[Labels], found: Sequence[Demand]
) -> tuple[list[tuple[Labels, Demand | None]], int]:
    """Each labelled demand with the one found that fits best, and how many of those found fit none."""
    left = list(found)
    pairs: list[tuple[Labels, Demand | None]] = []
    for labels in sorted(wanted, key=lambda each: bool(each.get("optional"))):
        best = max(left, key=lambda each: sum(right_fields(labels, each).values()), default=None)
        if best is not None:
            left.remove(best)
        pairs.append((labels, best))
    return pairs, len(left)


def _demands(read: Sequence[Read]) -> dict[str, float]:
    """F1 of each field: a demand that was not found is wrong in every field, one too many as well."""
    good, wanted, claimed = Counter[str](), Counter[str](), Counter[str]()
    for each in read:
        pairs, spare = _pair(each.labels["demands"], each.story.demands)
        for labels, found in pairs:
            if labels.get("optional"):
                continue
            named = [name for name in FIELDS if labels.get(name)]
            if labels.get("instrument_unscored"):
                named.remove("instrument")
            wanted.update(named)
            if found is not None:
                claimed.update(named)
                good.update({name: int(right) for name, right in right_fields(labels, found).items()})
        claimed.update(dict.fromkeys(FIELDS, spare))
    return {f"demands: {name}": _f1(good[name], wanted[name], claimed[name]) for name in FIELDS}


def _parties(read: Sequence[Read]) -> float:
    """F1 of the names; a party more that plays no part (role "other") costs nothing."""
    good = wanted = claimed = 0
    for each in read:
        names = [party["name"] for party in each.labels["parties"]]
        wanted += len(names)
        hit = [name for name in names if _any_same([name], [party.name for party in each.story.parties])]
        good += len(hit)
        wrong = [p for p in each.story.parties if p.role != "other" and not _any_same([p.name], names)]
        claimed += len(hit) + len(wrong)
    return _f1(good, wanted, claimed)


def _key_facts(read: Sequence[Read]) -> float:
    shares = []
    for each in read:
        told = " ".join(each.story.summary)[:SUMMARY_LIMIT]
        facts = each.labels["key_facts"]
        if facts:
            shares.append(sum(bool(re.search("|".join(fact), told, re.I)) for fact in facts) / len(facts))
    return sum(shares) / len(shares)


def _b_cubed(read: Mapping[str, Read]) -> float:
    """B-cubed F1 (Bagga and Baldwin 1998): for each story, how well its case and its matter coincide."""
    matters: dict[str, set[str]] = defaultdict(set)
    cases: dict[str, set[str]] = defaultdict(set)
    for name, each in read.items():
        matters[each.labels["case"] or name].add(name)
        cases[each.case].add(name)
    precision = recall = 0.0
    for name, each in read.items():
        matter, case = matters[each.labels["case"] or name], cases[each.case]
        precision += len(matter & case) / len(case)
        recall += len(matter & case) / len(matter)
    return 2 * precision * recall / (precision + recall) / len(read)


# --------------------------------------------------------------------- shared set


def dev_figures() -> dict[str, float]:
    """Score the shared set by its own scorer. Raises CalledProcessError when that fails."""
    batch = f"{shlex.quote(sys.executable)} -m bot analyse --jsonl"
    command = [sys.executable, str(SHARED / "score.py"), "--gold", str(SHARED / "dev.jsonl")]
    done = subprocess.run(
        [*command, "--split", "all", "--json", "--batch", batch],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {name: round(found[name], 4) for name in DEV_MEASURES}


def stored_dev_figures() -> dict[str, float]:
    """The figures of the shared set that the project holds itself to."""
    figures: dict[str, float] = tomllib.loads(DEV_FIGURES.read_text(encoding="utf-8"))["figures"]
    return figures


def store_dev_figures(found: Mapping[str, float]) -> None:
    """Write the shared set's figures down as the standard."""
    lines = [f"{name} = {value:.4f}" for name, value in sorted(found.items())]
    DEV_FIGURES.write_text(
        "# The shared set's figures (../shared/eval, score.py) that a change may not fall below by more\n"
        "# than a point. Written by: python tests/stories/quality/score.py --set-dev\n\n[figures]\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )


# ------------------------------------------------------------------------- wrong


def wrong(read: Sequence[Read]) -> list[str]:
    """What is wrong, a line each, for whoever wants to put it right."""
    lines = []
    for each in read:
        labels, story = each.labels, each.story
        name = labels["id"]
        if story.relevant != labels["relevant"]:
            lines.append(f"{name}: {'not found relevant' if labels['relevant'] else 'let in'}")
        if not labels["relevant"] or not story.relevant:
            continue
        topics = {topic.topic for topic in story.topics}
        if topics != set(labels["topics"]):
            missed, more = set(labels["topics"]) - topics, topics - set(labels["topics"])
            lines.append(f"{name}: topics missed {sorted(missed)}, too many {sorted(more)}")
        pairs, spare = _pair(labels["demands"], story.demands)
        for wanted, found in pairs:
            if found is None and not wanted.get("optional"):
                lines.append(f"{name}: demand missed: {wanted['issuer']} to {wanted['recipient']}")
            for field, right in right_fields(wanted, found).items() if found else ():
                if not right and not wanted.get("optional"):
                    lines.append(f"{name}: {field} {getattr(found, field)!r} for {wanted[field]!r}")
        if spare:
            lines.append(f"{name}: {spare} demands too many")
        names = [party["name"] for party in labels["parties"]]
        there = [party.name for party in story.parties]
        missed_names = [n for n in names if not _any_same([n], there)]
        more_names = [p.name for p in story.parties if p.role != "other" and not _any_same([p.name], names)]
        if missed_names or more_names:
            lines.append(f"{name}: parties missed {missed_names}, too many {more_names}")
        told = " ".join(story.summary)[:SUMMARY_LIMIT]
        untold = [fact for fact in labels["key_facts"] if not re.search("|".join(fact), told, re.I)]
        if untold:
            lines.append(f"{name}: untold {untold}")
    return lines


def main() -> int:
    """Print the figures, or set the standard of the shared set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set-dev", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="tell what is wrong, article by article")
    given = parser.parse_args()
    if given.set_dev:
        store_dev_figures(dev_figures())
        print(DEV_FIGURES.read_text(encoding="utf-8"))
        return 0
    for name in ("articles.jsonl", "second.jsonl"):
        read = read_all(load(name))
        print(name, len(read))
        for figure, value in measure(read).items():
            print(f"  {figure:24} {value:.3f}")
        if given.wrong:
            print(*wrong(read), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
