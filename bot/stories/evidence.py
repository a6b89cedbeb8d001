"""Turns a document into evidence: which groups and frames of the field stand where, and how strongly.

Groups are sets of words, frames are groups that stand together in one sentence (who acts on whom);
`data/evidence.toml` defines both. What stands in the title or the lead counts more than what is said in
passing further down, and repeating adds less and less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product

from bot.stories.demand_evidence import told_by
from bot.stories.lexicon import Hit, lexicon_for, read_data, words_of
from bot.stories.model import Demand, Document
from bot.stories.story_words import StoryWords
from bot.stories.story_words import words_of as story_words_of

TITLE = -1  # the sentence index that stands for the title

# What a place in the article counts: (up to which sentence, weight). News puts first what it is about.
_TITLE_WEIGHT = 3.0
_PLACES: tuple[tuple[int, float], ...] = ((2, 2.0), (5, 1.2), (10, 0.8), (25, 0.5), (60, 0.2))
_FAR_WEIGHT = 0.05
_HEADING_SHARE = 0.5
_HALF = 2.0  # a strength of this much fills half of a feature; the rest fills ever more slowly

# In a short report each sentence tells more of the whole: strengths are scaled to an article of usual length.
_USUAL = 16.0
_LEAST_SHARE, _MOST_SHARE = 0.7, 2.0

_WORDS_READ = 4000  # an article's first words decide; a book is not read to its end
_PIECE = 80  # words; a longer "sentence" is cut, so that words far apart do not make a frame
_PLACES_PER_GROUP = 6  # in one sentence
_LEAD = 1  # the index of the last sentence of the lead
_CORE = 0.9  # the judged relevance from which a feature makes a sentence one of the field's


@dataclass(frozen=True, slots=True)
class Frame:
    """Groups that must stand within `span` words of each other; each need is met by any of its groups."""

    name: str
    needs: tuple[tuple[str, ...], ...]
    span: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that counts, and what somebody who knows the field expects it to count for."""

    name: str
    about: str
    relevance: float
    topics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly each feature is there (0 to 1), and in which sentences (`TITLE` for the title).

    Beside the features `words`, all the plain words; None in a language whose words are not known.
    """

    values: dict[str, float]
    places: dict[str, tuple[tuple[int, float], ...]]
    words: StoryWords | None = None


@cache
def frames() -> tuple[Frame, ...]:
    """Give the frames of `data/evidence.toml`."""
    return tuple(
        Frame(
            name,
            tuple(tuple(need.split("|")) for need in entry["needs"]),
            int(entry["span"]),
            bool(entry.get("order", False)),
        )
        for name, entry in read_data("evidence.toml")["frame"].items()
    )


@cache
def features() -> tuple[Feature, ...]:
    """Give everything that counts, measures, groups and frames, in the order of the file.

    A group with `alone = false` is none: it only fills frames.
    """
    data = read_data("evidence.toml")
    return tuple(
        Feature(name, entry["about"], float(entry.get("relevance", 0.0)), dict(entry.get("topics", {})))
        for kind in ("measure", "group", "frame")
        for name, entry in data[kind].items()
        if entry.get("alone", True)
    )


@cache
def _core() -> frozenset[str]:
    """The features that by themselves make a sentence one of the field's."""
    return frozenset(feature.name for feature in features() if feature.relevance >= _CORE)


def gather(document: Document, language: str, demands: tuple[Demand, ...] = ()) -> Evidence:
    """Collect the evidence of a document, read with the words of `language`, and of the demands in it."""
    lexicon = lexicon_for(language)
    strengths: dict[str, float] = {}
    places: dict[str, list[tuple[int, float]]] = {}
    core = _core()
    read = 0.0
    for index, weight, words in _pieces(document):
        names = _found(lexicon.scan(words))
        if index != TITLE:
            read += weight
        if not core.isdisjoint(names):
            names.append("headline" if index == TITLE else "focus")
        for name in names:
            strengths[name] = strengths.get(name, 0.0) + weight
            places.setdefault(name, []).append((index, weight))
    share = min(_MOST_SHARE, max(_LEAST_SHARE, _USUAL / (read + _TITLE_WEIGHT)))
    values = {name: 1.0 - 2.0 ** (-strength * share / _HALF) for name, strength in strengths.items()}
    if "headline" in values:
        values["headline"] = 1.0
    if "focus" in values:
        values["focus"] = strengths["focus"] / read
    _measure(values, places)
    found = Evidence(values, {name: tuple(where) for name, where in places.items()}, story_words_of(document))
    return with_demands(found, document, demands)


def with_demands(evidence: Evidence, document: Document, demands: tuple[Demand, ...]) -> Evidence:
    """Add what the demands of a document tell to the evidence of its words."""
    if not demands:
        return evidence
    index = {sentence.text: sentence.index for sentence in document.sentences}
    told = told_by(demands)
    places: dict[str, tuple[tuple[int, float], ...]] = {
        name: tuple((index.get(text, TITLE), 1.0) for text in texts) for name, texts in told.items()
    }
    return replace(
        evidence, values=evidence.values | dict.fromkeys(told, 1.0), places=evidence.places | places
    )


def _measure(values: dict[str, float], places: dict[str, list[tuple[int, float]]]) -> None:
    """Add how the evidence is spread."""
    focus = places.get("focus", [])
    early = [spot for spot in focus if spot[0] <= _LEAD]
    if early:
        values["lead"] = 1.0
        places["lead"] = early
    elif focus and "headline" not in values:
        values["in-passing"] = 1.0 / len(focus)
        places["in-passing"] = focus


def _pieces(document: Document) -> Iterator[tuple[int, float, list[str]]]:
    """Give (sentence index, weight, words) of the title and the sentences that are read."""
    yield TITLE, _TITLE_WEIGHT, words_of(document.title[:1000])[:_PIECE]
    left = _WORDS_READ
    for order, sentence in enumerate(document.sentences):
        if left <= 0:
            return
        weight = _place_weight(order) * (_HEADING_SHARE if sentence.is_heading else 1.0)
        words = words_of(sentence.text[: left * 12])[:left]
        left -= len(words)
        for start in range(0, len(words), _PIECE):
            yield sentence.index, weight if start == 0 else weight * 0.25, words[start : start + _PIECE]


def _place_weight(order: int) -> float:
    for end, weight in _PLACES:
        if order < end:
            return weight
    return _FAR_WEIGHT


def _found(hits: list[Hit]) -> list[str]:
    """Which groups and frames stand in one piece of text."""
    spots: dict[str, list[tuple[int, int]]] = {}
    for group, start, end in hits:
        at = spots.setdefault(group, [])
        if len(at) < _PLACES_PER_GROUP:
            at.append((start, end))
    names = list(spots)
    if len(spots) > 1:
        bits, begun = _masks()
        here = 0
        for group in spots:
            here |= bits[group]
        tried: set[str] = set()
        for group in spots:
            for frame, needs in begun.get(group, ()):
                for need in needs:
                    if not here & need:
                        break
                else:
                    if frame.name not in tried:
                        tried.add(frame.name)
                        if _stands(frame, spots):
                            names.append(frame.name)
    return names


@cache
def _masks() -> tuple[dict[str, int], dict[str, list[tuple[Frame, tuple[int, ...]]]]]:
    """A bit for each group; and, by the groups that meet its choosiest need, each frame with its other needs.

    Needs are sets of bits: with them nearly all frames are ruled out at a glance.
    """
    bits = {name: 1 << order for order, name in enumerate(read_data("evidence.toml")["group"])}
    begun: dict[str, list[tuple[Frame, tuple[int, ...]]]] = {}
    for frame in frames():
        choosy = min(frame.needs, key=len)
        others = tuple(sum(bits[group] for group in need) for need in frame.needs if need is not choosy)
        for group in choosy:
            begun.setdefault(group, []).append((frame, others))
    return bits, begun


def _stands(frame: Frame, spots: dict[str, list[tuple[int, int]]]) -> bool:
    """Whether each need of a frame is met by words of its own, all within its span."""
    met = [[spot for group in need if group in spots for spot in spots[group]] for need in frame.needs]
    return any(_fits(frame, choice) for choice in product(*met))


def _fits(frame: Frame, choice: tuple[tuple[int, int], ...]) -> bool:
    if frame.ordered:
        if any(first[1] > second[0] for first, second in pairwise(choice)):
            return False
    elif len({start for start, _ in choice}) < len(choice):
        return False  # one and the same word does not act on itself
    return max(end for _, end in choice) - min(start for start, _ in choice) <= frame.span
