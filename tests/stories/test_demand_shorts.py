"""The gate over short reports: demands read by themselves, whatever the relevance of a report is held to be.

`quality/shorts.jsonl` are 244 reports of our own in six batches (ids a to f), each labelled before the
rules were run on it. The floors lie about three points under the figures of the day on which they were set.
"""

from __future__ import annotations

from collections import Counter

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand
from tests.stories.quality import score
from tests.stories.quality.score import FIELDS, Labels, right_fields

FLOORS = {"issuer": 0.80, "instrument": 0.85, "recipient": 0.83, "status": 0.80}


def _read(labels: Labels) -> list[Demand]:
    notes = Recorder()
    document = text.read(Article(title=labels["title"], body=labels["text"], language="en"), notes)
    return list(find_demands(document, parties.find_mentions(document), notes))


@pytest.fixture(scope="module")
def reports() -> list[tuple[Labels, list[Demand]]]:
    return [(labels, _read(labels)) for labels in score.load("shorts.jsonl")]


def test_fields_stay_as_right_as_they_are(reports: list[tuple[Labels, list[Demand]]]) -> None:
    good, wanted, claimed = Counter[str](), Counter[str](), Counter[str]()
    for labels, demands in reports:
        left = list(demands)
        for gold in sorted(labels["demands"], key=lambda each: bool(each.get("optional"))):
            best = max(left, key=lambda each: sum(right_fields(gold, each).values()), default=None)
            if best is not None:
                left.remove(best)
            if gold.get("optional"):
                continue
            wanted.update(field for field in FIELDS if gold[field])
            if best is not None:
                right = right_fields(gold, best)
                claimed.update(right.keys())
                good.update(field for field, is_right in right.items() if is_right)
        claimed.update(field for _ in left for field in FIELDS)
    figures = {field: 2 * good[field] / (wanted[field] + claimed[field]) for field in FIELDS}
    assert {field: value for field, value in figures.items() if value < FLOORS[field]} == {}, figures


def test_reports_without_a_demand_have_none(reports: list[tuple[Labels, list[Demand]]]) -> None:
    without = [demands for labels, demands in reports if not labels["demands"]]
    assert len(without) >= 20
    assert sum(bool(demands) for demands in without) <= 1
