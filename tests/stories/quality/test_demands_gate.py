"""The gate for demands: on articles of our own the fields of a demand must stay as right as they are.

The floors lie about three points under what was measured when they were set; raise them with the figures.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand

FLOORS = {"issuer": 0.72, "instrument": 0.75, "recipient": 0.89, "status": 0.85}

_ALIASES = {
    "facebook": "meta",
    "meta platforms": "meta",
    "federal bureau of investigation": "fbi",
    "internal revenue service": "irs",
    "x": "twitter",
    "alphabet": "google",
    "signal": "open whisper systems",
    "protonmail": "proton",
    "proton mail": "proton",
    "tutanota": "tuta",
}


def _name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9@ ]+", " ", name.lower().replace("'s", "")).strip()
    plain = re.sub(r"\b(?:the|inc|llc|corp|u s|us|federal)\b", " ", plain)
    plain = re.sub(r"\s+", " ", plain).strip()
    return _ALIASES.get(plain, plain)


def _names(value: Any) -> list[str]:
    if not value:
        return []
    return [_name(each) for each in (value if isinstance(value, list) else [value])]


def _same(wanted: list[str], found: tuple[str, ...]) -> bool:
    """Whether a name that was found is one of those wanted, or the better half of it."""
    for name in map(_name, found):
        for other in wanted:
            shorter, longer = sorted((name.split(), other.split()), key=len)
            if shorter and (name == other or (set(shorter) <= set(longer) and len(" ".join(shorter)) > 5)):
                return True
    return False


def _right(gold: dict[str, Any], demand: Demand) -> dict[str, bool]:
    right = {
        "instrument": demand.instrument in [gold["instrument"], *gold.get("instrument_alt", [])],
        "status": demand.status in [gold["status"], *gold.get("status_alt", [])],
    }
    if gold.get("instrument_unscored"):
        del right["instrument"]
    if gold["issuer"]:
        right["issuer"] = _same(_names(gold["issuer"]) + _names(gold.get("issuer_alt")), demand.issuer)
    if gold["recipient"]:
        right["recipient"] = _same(_names(gold["recipient"]), demand.recipient)
    return right


def _measure(articles: list[dict[str, Any]]) -> dict[str, float]:
    """F1 of each field over all demands: a demand not found is wrong in every field, one too many as well."""
    good = dict.fromkeys(FLOORS, 0)
    wanted = dict.fromkeys(FLOORS, 0)
    claimed = dict.fromkeys(FLOORS, 0)
    for item in articles:
        notes = Recorder()
        document = text.read(Article(title=item["title"], body=item["text"], language=item["lang"]), notes)
        found = list(find_demands(document, parties.find_mentions(document), notes))
        for gold in sorted(item["demands"], key=lambda each: bool(each.get("optional"))):
            best = max(found, key=lambda each: sum(_right(gold, each).values()), default=None)
            if best is not None:
                found.remove(best)
            if gold.get("optional"):
                continue
            for key, right in _right(gold, best).items() if best else ():
                good[key] += right
                claimed[key] += 1
            for key in FLOORS:
                wanted[key] += bool(gold.get(key)) and not (
                    key == "instrument" and gold.get("instrument_unscored")
                )
        for key in FLOORS:
            claimed[key] += len(found)
    return {key: 2 * good[key] / max(1, wanted[key] + claimed[key]) for key in FLOORS}


@pytest.fixture(scope="module")
def articles() -> list[dict[str, Any]]:
    lines = (Path(__file__).parent / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_set_is_what_its_page_says(articles: list[dict[str, Any]]) -> None:
    assert len(articles) >= 60
    assert len({item["id"] for item in articles}) == len(articles)
    assert sum(item["near_miss"] for item in articles) == 20
    assert all(item["demands"] == [] for item in articles if not item["relevant"])


def test_demands_stay_as_right_as_they_are(articles: list[dict[str, Any]]) -> None:
    figures = _measure([item for item in articles if item["relevant"]])
    assert {key: value for key, value in figures.items() if value < FLOORS[key]} == {}, figures


def test_every_claim_has_its_sentence(articles: list[dict[str, Any]]) -> None:
    for item in articles:
        notes = Recorder()
        document = text.read(Article(title=item["title"], body=item["text"], language=item["lang"]), notes)
        sentences = {sentence.text for sentence in document.sentences} | {document.title}
        for demand in find_demands(document, parties.find_mentions(document), notes):
            assert demand.evidence
            assert set(demand.evidence) <= sentences
            assert {sentence for _, sentence in demand.field_evidence} <= sentences
