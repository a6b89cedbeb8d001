"""Fits the weights by which stories are linked to cases, and says how well they hold on cases not fitted to.

    python tools/train_cases.py [--shared ../shared] [--also NAME=LABELLED.jsonl[@COUNTS]] [--write]

Every pair of stories of one set is an example; a logistic model over `bot.stories.likeness.MEASURES` says
whether the two tell of one matter, its weights drawn to zero. Sets: the development set, pool articles
grouped by a reader (tests/stories/labels/cases.json), our own articles (tests/stories/quality), the sample
week, in which everything happens within days, and further labelled sets in the format of the development
set (--also; COUNTS: how much each of its pairs counts, 0 for a set that is judged only). For the figures
each set is judged by weights that saw nothing of it. Figures are of stories that arrive one by one, in
several orders. Without --write nothing is changed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.stories import likeness
from bot.stories.analyse import analyse
from bot.stories.cases import MEMBERS, CaseBook, standing
from bot.stories.likeness import MEASURES
from bot.stories.model import Article, Fingerprint
from tools.labelled import ROOT, Labels, labelled

WEIGHTS = ROOT / "bot" / "stories" / "data" / "likeness.toml"

PULL = 0.3  # how strongly weights are drawn to zero, or to what is judged
# Demands to different recipients are two matters by what a case is. The sets seldom show two such demands
# within days, so it is no less than this; nor of demands that are alike in nothing at all, which are another
# matter even in the same words on the same day. An account or a docket of one matter alone shows it.
JUDGED = {"recipients": -3.5, "another": -2.5, "unique": 1.2}
FIRM = 100.0
# Most pairs are of two matters, and a large case has more pairs than many small ones together.
SAME = 2.0
# How much a pair counts. Those of the sample week, where no distance in time helps, are few, as are those of
# the development set and of our own beside the many of retold pages; those of the pool are very many.
WEEK, DEV, OWN, POOL = 10.0, 10.0, 5.0, 0.3
ORDERS = 5
JOIN_AT = tuple(round(-0.4 + 0.2 * step, 1) for step in range(8))

Floats = NDArray[np.float64]
Likes = dict[str, float]  # of a story to others


@dataclass(frozen=True, slots=True)
class Told:
    """One story: the set it is of, its case (a name of its own where it is alone), what it is known by."""

    set: str
    id: str
    case: str
    found: Fingerprint
    counts: float = 1.0


def gather(shared: Path, also: Sequence[str] = ()) -> list[Told]:
    """Read all sets and analyse their articles."""
    dev, own = shared / "eval" / "dev.jsonl", ROOT / "tests/stories/quality/articles.jsonl"
    return [
        *_labelled([f"dev={dev}@{DEV}", f"own={own}@{OWN}"]),
        *_pool(shared),
        *_week(),
        *_labelled(also),
    ]


def _told(set_: str, item: Labels, case: str | None, counts: float = 1.0) -> Told:
    at = item.get("published")
    published = datetime.fromisoformat(at) if at else None
    if published is not None and published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    article = Article(title=item["title"] or "", body=item["text"] or "", published=published)
    return Told(set_, item["id"] or "", case or f"alone:{item['id']}", analyse(article).fingerprint, counts)


def _labelled(data: Sequence[str]) -> Iterator[Told]:
    for set_, counts, item in labelled(data):
        if item["relevant"]:
            yield _told(set_, item, item.get("case"), float(counts or 1.0))


def _pool(shared: Path) -> Iterator[Told]:
    labels = json.loads((ROOT / "tests/stories/labels/cases.json").read_text("utf-8"))
    case = {id_: name for name, ids in labels["groups"].items() for id_ in ids}
    case |= {id_: f"alone:{id_}" for id_ in labels["alone"]}
    with gzip.open(shared / "eval" / "pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if item["id"] in case:
                yield _told("pool", item, case[item["id"]], POOL)


def _week() -> Iterator[Told]:
    case = tomllib.loads((ROOT / "tests/stories/labels/week_cases.toml").read_text("utf-8"))
    of = {slug: name for name, slugs in case.items() for slug in slugs}
    for path in sorted((ROOT / "bot/sandbox/web/data").glob("week_*.toml")):
        for article in tomllib.loads(path.read_text("utf-8"))["article"]:
            if article["posted"] or article["slug"] in of:
                at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=article["day"])
                item = {
                    "id": article["slug"],
                    "title": article["title"],
                    "text": article["body"],
                    "published": at.isoformat(),
                }
                yield _told("week", item, of.get(article["slug"]), WEEK)


# ------------------------------------------------------------------------- fit


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of stories within a set: which, their measures, of one case or not, their weight."""

    who: list[tuple[int, int]]
    values: Floats
    same: Floats
    weight: Floats


def pairs_of(stories: Sequence[Told]) -> Pairs:
    """Measure all pairs."""
    readings = [likeness.read(story.found) for story in stories]
    size = Counter((story.set, story.case) for story in stories)
    who, values, same, weight = [], [], [], []
    for i, one in enumerate(stories):
        for j in range(i):
            other = stories[j]
            if one.set != other.set:
                continue
            alike = one.case == other.case
            counts = SAME / (size[one.set, one.case] - 1) ** 0.5 if alike else 1.0
            who.append((i, j))
            values.append(likeness.measure(readings[i], readings[j]))
            same.append(float(alike))
            weight.append(counts * one.counts)
    return Pairs(who, np.array(values), np.array(same), np.array(weight))


def fit(values: Floats, same: Floats, weight: Floats) -> Floats:
    """Fit by Newton's method; the bias is not drawn to zero."""
    judged = np.array([JUDGED.get(name, 0.0) for name in MEASURES])
    pull = np.array([FIRM if name in JUDGED else 0.001 if name == "bias" else PULL for name in MEASURES])
    found = judged.copy()
    for _ in range(50):
        chance = 1 / (1 + np.exp(-values @ found))
        slope = values.T @ (weight * (chance - same)) + pull * (found - judged)
        curve = (values * (weight * chance * (1 - chance))[:, None]).T @ values + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-7:
            break
    return found


# ------------------------------------------------------------------- judgement


def agreement(truth: Mapping[str, Hashable], given: Mapping[str, Hashable]) -> tuple[float, float]:
    """Give B-cubed F1 and pairwise F1 of two ways to group the same items."""
    real: defaultdict[Hashable, set[str]] = defaultdict(set)
    made: defaultdict[Hashable, set[str]] = defaultdict(set)
    for item in truth:
        real[truth[item]].add(item)
        made[given[item]].add(item)
    meet = {item: len(real[truth[item]] & made[given[item]]) for item in truth}
    precision = sum(meet[i] / len(made[given[i]]) for i in truth) / len(truth)
    recall = sum(meet[i] / len(real[truth[i]]) for i in truth) / len(truth)
    both = sum(meet[i] - 1 for i in truth)
    pairs = sum(len(group) * (len(group) - 1) for group in (*real.values(), *made.values()))
    return 2 * precision * recall / (precision + recall), 2 * both / pairs if pairs else 1.0


def orders(stories: Sequence[Told]) -> Iterator[list[Told]]:
    """Give the stories as they stand, then shuffled."""
    yield list(stories)
    for seed in range(ORDERS - 1):
        mixed = list(stories)
        random.Random(seed).shuffle(mixed)
        yield mixed


def place_by(likes: Mapping[str, Likes], join_at: float, stories: Sequence[Told]) -> dict[str, Hashable]:
    """Place stories one by one as `CaseBook` does, with a given likeness, all cases looked at."""
    held: list[list[str]] = []
    placed: dict[str, Hashable] = {}
    for story in stories:
        mine = likes[story.id]
        scores = []
        for number, members in enumerate(held):
            near = sorted([mine[member] for member in members[-MEMBERS:]], reverse=True)[:3]
            scores.append(((near[0] + sum(near) / len(near)) / 2, number))
        scores.sort(reverse=True)
        if scores and standing(scores[0][0], [score for score, _ in scores[1:2]]) >= join_at:
            where = scores[0][1]
        else:
            held.append([])
            where = len(held) - 1
        held[where].append(story.id)
        placed[story.id] = where
    return placed


def left_out(stories: Sequence[Told], pairs: Pairs) -> dict[str, dict[str, Likes]]:
    """Give each pair's likeness by weights that saw nothing of its set: by set, story and story."""
    set_of = np.array([stories[i].set for i, _ in pairs.who])
    likes: dict[str, dict[str, Likes]] = {}
    for name in dict.fromkeys(story.set for story in stories):
        seen = set_of != name
        found = fit(pairs.values[seen], pairs.same[seen], pairs.weight[seen])
        of = likes[name] = {story.id: {} for story in stories if story.set == name}
        for at in np.flatnonzero(~seen):
            one, other = (stories[number].id for number in pairs.who[at])
            of[one][other] = of[other][one] = float(pairs.values[at] @ found)
    return likes


def main() -> None:
    """Fit, say how well it holds, and write the weights where that is asked."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    arguments.add_argument("--also", action="append", default=[], metavar="NAME=FILE[@COUNTS]")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--join-at", type=float, default=likeness.weights()[1])
    options = arguments.parse_args()
    stories = gather(options.shared, options.also)
    sets = {name: [s for s in stories if s.set == name] for name in dict.fromkeys(s.set for s in stories)}
    pairs = pairs_of(stories)
    likes = left_out(stories, pairs)
    print("each set left out: B-cubed F1 / pairwise F1, mean over orders (worst pairwise)")
    for join_at in JOIN_AT:
        row = [_figures(told, partial(place_by, likes[name], join_at)) for name, told in sets.items()]
        print(f"  join at {join_at:4.1f}   ", "   ".join(f"{n} {f}" for n, f in zip(sets, row, strict=True)))
    found = fit(pairs.values, pairs.same, pairs.weight)
    print("weights:", ", ".join(f"{n} {w:.2f}" for n, w in zip(MEASURES, found, strict=True)))
    if options.write:
        _write(found, options.join_at)
        likeness.weights.cache_clear()
    print("CaseBook with the weights as they stand now:")
    for name, told in sets.items():
        print(f"  {name} {_figures(told, _place)}")


def _place(stories: Sequence[Told]) -> dict[str, Hashable]:
    book = CaseBook()
    return {story.id: book.place(story.found)[0] for story in stories}


def _figures(told: Sequence[Told], place: Callable[[Sequence[Told]], dict[str, Hashable]]) -> str:
    truth = {story.id: story.case for story in told}
    rows = np.array([agreement(truth, place(order)) for order in orders(told)])
    cubed, pairwise = rows.mean(axis=0)
    return f"{cubed:.3f}/{pairwise:.3f} ({rows[:, 1].min():.3f})"


def _write(found: Floats, join_at: float) -> None:
    counts, least = likeness.margin()
    lines = [
        "# How much each measure of what two stories share counts (log-odds), made by tools/train_cases.py.",
        "# `join_at`: the likeness from which on a story joins a case; lower joins more. `margin`: how much",
        "# it counts that a case is liker than the next, which is taken to be at least `next_at_least`.",
        "",
        f"join_at = {join_at}",
        f"margin = {counts}",
        f"next_at_least = {least}",
        "",
        "[weights]",
        *(f"{name} = {weight:.3f}" for name, weight in zip(MEASURES, found, strict=True)),
    ]
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
