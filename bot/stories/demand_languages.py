"""Demands in German, French, Spanish, Portuguese, Italian and Dutch.

Fewer words and a plainer reading than for English: a sentence with a word of demanding and a word for data (or a
word of blocking), in an article that names an agency or a court and a company; the kind of a party is its role.
Data: `data/demand_languages.toml`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from bot.stories.instruments import load_table
from bot.stories.model import Demand, Document, Mention

_MAX_LENGTH = 1_200
_STANDING = {
    "withdrawn": 6.0,
    "quashed": 6.0,
    "upheld": 6.0,
    "complied": 4.6,
    "challenged": 4.0,
    "refused": 4.2,
}


@dataclass(frozen=True, slots=True)
class _Words:
    demand: re.Pattern[str]
    block: re.Pattern[str]
    data: re.Pattern[str]
    statuses: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _languages() -> dict[str, _Words]:
    found = {}
    for language, table in load_table("demand_languages.toml").items():
        compiled = {
            key: re.compile(r"(?<!\w)(?:" + "|".join(words) + r")(?!\w)") for key, words in table.items()
        }
        found[language] = _Words(
            compiled["demand"],
            compiled["block"],
            compiled["data"],
            tuple((status, compiled[status]) for status in _STANDING),
        )
    return found


def supported() -> frozenset[str]:
    """The languages besides English (ISO 639-1) in which demands are read."""
    return frozenset(_languages())


def demands_in(document: Document, mentions: tuple[Mention, ...], *, most: int) -> tuple[Demand, ...]:
    """Find the one demand that an article in another language reports, or none. `most` bounds the sentences read."""
    words = _languages().get(document.language)
    if words is None:
        return ()
    texts = {-1: document.title, **{s.index: s.text for s in document.sentences[:most]}}
    kinds: dict[str, dict[str, float]] = {
        "agency": defaultdict(float),
        "court": defaultdict(float),
        "company": defaultdict(float),
    }
    where: dict[str, int] = {}
    for mention in mentions:
        if mention.kind in kinds and mention.sentence in texts:
            kinds[mention.kind][mention.name] += 2.0 if mention.sentence < 1 else 1.0
            where.setdefault(mention.name, mention.sentence)
    issuers = kinds["agency"] or kinds["court"]
    if not issuers or not kinds["company"]:
        return ()
    data: list[int] = []
    block: list[int] = []
    events: list[tuple[float, int, str]] = []
    for index, text in texts.items():
        lowered = text[:_MAX_LENGTH].lower()
        if words.demand.search(lowered) and words.data.search(lowered):
            data.append(index)
        if words.block.search(lowered):
            block.append(index)
        for status, pattern in words.statuses:
            if pattern.search(lowered):
                events.append(
                    (_STANDING[status] + (2.0 if index < 0 else 1.0 if index < 2 else 0.0), -index, status)
                )
    if len(data) + len(block) < 2 and not (data and data[0] < 2):
        return ()
    content = len(block) > len(data)
    best = max(events, default=None)
    first = next((index for index in (block if content else data) if index >= 0), (block or data)[0])
    issuer = max(issuers, key=lambda name: issuers[name])
    recipient = max(kinds["company"], key=lambda name: kinds["company"][name])
    evidence = dict.fromkeys([texts[first], *([texts[-best[1]]] if best and best[1] <= 0 else [])])
    fields = [
        ("issuer", texts[where[issuer]]),
        ("recipient", texts[where[recipient]]),
        ("instrument", texts[first]),
    ]
    if best:
        fields.append(("status", texts[-best[1]]))
    court = bool(kinds["court"])
    return (
        Demand(
            issuer=(issuer,),
            instrument="takedown order" if content else "court order" if court else "informal request",
            recipient=(recipient,),
            target=(),
            sought=(),
            status=best[2] if best else "issued",
            evidence=tuple(evidence),
            field_evidence=tuple(fields),
        ),
    )
