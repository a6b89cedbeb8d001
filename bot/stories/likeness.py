"""How likely two stories tell of one matter: a few measures of what they share, weighed together.

The weights (`data/likeness.toml`) are those of a logistic model, made by `tools/train_cases.py`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from operator import mul
from typing import Any

from bot.stories.fingerprints import UNSEEN_WORD, rarity
from bot.stories.gazetteer import load as load_gazetteer
from bot.stories.model import Fingerprint

MEASURES = (
    "bias",
    "words",  # cosine of the words
    "some_words",  # its root: the first few words in common tell the most
    "names",  # cosine of the words written as names are
    "titles",  # cosine of the titles' words
    "told",  # share of each title that the other article's words hold
    "own_names",  # root of how rare the names are that both have, by which few other matters are known
    "rarest_names",  # how many of the rarest of those names
    "rare",  # how many rare words both have
    "demand",  # the same issuer asks the same recipient
    "unique",  # the same account, one that others do not name, or the same docket number
    "target",  # the same target
    "topics",  # share of topics that both have
    "time",  # 0: within ten days, 1: a year or more apart
    "means",  # the same instrument (1), or another (-0.5)
    "strangers",  # both name several parties, none of them the same
    "recipients",  # both report demands, but none to the same recipient
    "another",  # the demands that they report are alike in nothing: not in whom, by what, or about whom
    "languages",  # they are in different languages: then few words are the same in one matter, too
)

_RARE = 4.5
_UNIQUE = 6.5
_MUCH_RARE = 40.0
_NEAR_DAYS, _FAR_DAYS = 10.0, 365.0
_UNKNOWN_TIME = 0.35

_Terms = dict[str, float]
_NONE: _Terms = {}


_VECTORS = ("word", "name", "head")
_MUCH_OWN = 10.0
_RAREST_NAME, _MANY_NAMES = 4.0, 3.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A fingerprint laid out for comparing: its terms by kind, and the lengths of its vectors."""

    kinds: Mapping[str, _Terms]
    lengths: Mapping[str, float]
    head_sum: float
    recipients: frozenset[str]
    published: datetime | None

    def kind(self, name: str) -> _Terms:
        """Give the terms of a kind."""
        return self.kinds.get(name, _NONE)


def read(found: Fingerprint) -> Reading:
    """Lay a fingerprint out for comparing."""
    kinds: dict[str, _Terms] = {}
    for term, weight in found.terms:
        kind, _, value = term.partition(":")
        kinds.setdefault(kind, {})[value] = weight
    return Reading(
        kinds,
        {kind: math.hypot(*kinds.get(kind, _NONE).values()) for kind in _VECTORS},
        sum(kinds.get("head", _NONE).values()),
        frozenset(_family(demand.partition(" > ")[2]) for demand in kinds.get("demand", _NONE)),
        found.published,
    )


def measure(one: Reading, other: Reading) -> tuple[float, ...]:
    """Give the `MEASURES` of two stories, most of them between -1 and 1."""
    words, their_words = one.kind("word"), other.kind("word")
    own, their_own = one.kind("own"), other.kind("own")
    parties, their_parties = one.kind("party"), other.kind("party")
    topics, their_topics = one.kind("topic"), other.kind("topic")
    means, their_means = one.kind("means"), other.kind("means")
    shared_words = words.keys() & their_words.keys()
    every_topic = len(topics.keys() | their_topics.keys())
    rare = rarity()[0]
    rareness = sum(max(0.0, rare.get(word, UNSEEN_WORD) - _RARE) for word in shared_words)
    told = _share(one.kind("head"), their_words, one.head_sum)
    told += _share(other.kind("head"), words, other.head_sum)
    alike = _cosine("word", one, other)
    own_names = [min(own[name], their_own[name]) for name in own.keys() & their_own.keys()]
    rarest = sum([weight >= _RAREST_NAME for weight in own_names])
    languages, their_languages = one.kind("language"), other.kind("language")
    both_ask = bool(one.recipients and other.recipients)
    unique = max(_meet(_unique(one), _unique(other)), _meet(one.kind("docket"), other.kind("docket")))
    target = _meet(one.kind("target"), other.kind("target"))
    elsewhere = both_ask and one.recipients.isdisjoint(other.recipients)
    by_other_means = bool(means and their_means) and means.keys().isdisjoint(their_means)
    strangers = len(parties) > 2 and len(their_parties) > 2 and parties.keys().isdisjoint(their_parties)
    return (
        1.0,
        alike,
        math.sqrt(alike),
        _cosine("name", one, other),
        _cosine("head", one, other),
        told / 2,
        math.sqrt(sum(own_names) / _MUCH_OWN),
        math.sqrt(min(1.0, rarest / _MANY_NAMES)),
        math.sqrt(min(1.0, rareness / _MUCH_RARE)),
        _meet(one.kind("demand"), other.kind("demand")),
        unique,
        target,
        len(topics.keys() & their_topics.keys()) / every_topic if every_topic else 0.0,
        _apart(one.published, other.published),
        (-0.5 if by_other_means else 1.0) if means and their_means else 0.0,
        float(strangers),
        float(elsewhere),
        float(elsewhere and by_other_means and not (unique or target)),
        float(bool(languages and their_languages) and languages.keys().isdisjoint(their_languages)),
    )


@cache
def _held() -> dict[str, Any]:
    return tomllib.loads(resources.files("bot.stories.data").joinpath("likeness.toml").read_text("utf-8"))


@cache
def weights() -> tuple[tuple[float, ...], float]:
    """Give the weights of the measures and the sum from which on a story joins a case."""
    held = _held()
    return tuple(float(held["weights"][name]) for name in MEASURES), float(held["join_at"])


@cache
def margin() -> tuple[float, float]:
    """Give how much it counts that a case is liker than the next, and the least likeness of a next one."""
    held = _held()
    return float(held["margin"]), float(held["next_at_least"])


def likeness(one: Reading, other: Reading) -> float:
    """Give, in log-odds, how likely two stories tell of one matter."""
    odds: float = sum(map(mul, weights()[0], measure(one, other)))
    return odds


@lru_cache(maxsize=20_000)
def _family(name: str) -> str:
    """Give the party that owns a party, or is above it, as far as the gazetteer knows."""
    entries = load_gazetteer().entries
    seen = {name}
    while (entry := entries.get(name)) is not None and entry.parent and entry.parent not in seen:
        name = entry.parent
        seen.add(name)
    return name


def _unique(story: Reading) -> _Terms:
    return {account: rare for account, rare in story.kind("account").items() if rare >= _UNIQUE}


def _cosine(kind: str, one: Reading, other: Reading) -> float:
    mine, theirs = one.kind(kind), other.kind(kind)
    shared = mine.keys() & theirs.keys()
    if not shared:
        return 0.0
    return sum([mine[term] * theirs[term] for term in shared]) / (one.lengths[kind] * other.lengths[kind])


def _share(head: _Terms, words: _Terms, whole: float) -> float:
    return sum(weight for word, weight in head.items() if word in words) / whole if whole else 0.0


def _meet(one: _Terms, other: _Terms) -> float:
    return float(not one.keys().isdisjoint(other)) if one and other else 0.0


def _apart(one: datetime | None, other: datetime | None) -> float:
    if one is None or other is None:
        return _UNKNOWN_TIME
    days = max(1.0, abs((one - other).total_seconds()) / 86_400)
    return min(1.0, max(0.0, math.log(days / _NEAR_DAYS) / math.log(_FAR_DAYS / _NEAR_DAYS)))
