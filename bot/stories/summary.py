"""Chooses the one to three sentences that tell a story in little space, as they stand in the article.

Every sentence is worth the words it brings (those of the headline, of the lead, of the parties and of the
field) and what it shows (a demand, where it stands). The best set within the limit is the one whose words
together weigh most, each word counted once; sentences that hang on others, speak in quotations or carry
the page's own notices pay for it. Weights and words stand in `data/summary.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from math import fsum

from bot.record import Notes
from bot.stories import clutter
from bot.stories.language import small_words
from bot.stories.model import Demand, Document, Party, Sentence, Topic

MAX_SENTENCES = 3
_CONSIDERED = 30  # sentences of the article that are looked at; news says what happened before that
_CANDIDATES = 10  # of those, the best by themselves are put together
_PAIRS_EXTENDED = 8
_STEM = 6  # letters that tell words apart well enough: "subpoe", "encryp", "survei"
_TELLING = 2  # words of the field that make a sentence about a party news
_FILLER = 0.06  # a further sentence has to add so much of what the others weigh

_WORD = re.compile(r"@?\w+(?:'\w+)?")
_SHORT = frozenset({"us", "uk", "eu", "un", "x", "ai"})  # names that are no longer than a small word
_OPENING_WORDS = re.compile(r"^[\"“‘'(\[]*((?:[\w'’]+[ ,]+){0,3}[\w'’]+)")
_LAST_NAME = re.compile(r"(?:(?:Mr|Ms|Mrs|Dr|Sen|Rep|Gov)\. |Judge |Justice )?(\w[\w-]+)")
_CLOSED = re.compile(r"(?<!\.\.)[.!。！][\"'”’»)\]]*$")
_ENDING = 8  # characters that hold a sentence's last mark and what closes behind it
_QUESTION = re.compile(r"[?？][\"'”’»)\]]*$")
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Ww]e|[Oo]ur|us|[Yy]ou|[Yy]our)\b")
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
_PASTED_SIGNS = ("/", "(@", "pic.")  # one of them stands in everything that the next pattern finds
_PASTED = re.compile(r"pic\.twitter\.com|https?://|\bt\.co/|— [^—]{2,60} \(@\w+\)")


@dataclass(frozen=True, slots=True)
class _Data:
    weights: dict[str, float]
    penalties: dict[str, float]
    openings: dict[str, frozenset[str]]
    times: frozenset[str]
    leaning: frozenset[str]
    field_words: frozenset[str]
    field_stems: tuple[str, ...]
    light: frozenset[str]
    notices: tuple[str, ...]


@cache
def _data() -> _Data:
    source = resources.files("bot.stories.data").joinpath("summary.toml")
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    words = data["words"]
    field_words = words["field"].split()
    return _Data(
        weights=data["weights"],
        penalties=data["penalties"],
        openings={
            language: frozenset(lists["joining"]) | frozenset(lists["standing"])
            for language, lists in data["openings"].items()
            if language != "any"
        },
        times=frozenset(data["openings"]["any"]["times"]),
        leaning=frozenset(data["openings"]["any"]["leaning"]),
        field_words=frozenset(word for word in field_words if not word.endswith("*")),
        field_stems=tuple(word[:-1] for word in field_words if word.endswith("*")),
        light=frozenset(words["light"].split()),
        notices=tuple(words["notices"]),
    )


@dataclass(slots=True)
class _Candidate:
    """A sentence, the words it brings, and what it is worth besides."""

    sentence: Sentence
    words: frozenset[str]
    worth: float
    hangs: float  # what it loses when the sentence before it is not taken
    weight: float = 0.0  # of its words


def summarise(
    document: Document,
    topics: tuple[Topic, ...],
    demands: tuple[Demand, ...],
    parties: tuple[Party, ...],
    notes: Notes,
    limit: int = 320,
) -> tuple[str, ...]:
    """Choose at most three sentences of at most `limit` characters in all, in the order of the article.

    An article without a sentence gives none. Where every sentence is longer than `limit`, the best one
    stands alone: a sentence is never cut.
    """
    first: dict[str, Sentence] = {}  # of each sentence: pages tell their lead twice
    for sentence in document.sentences:
        if not sentence.is_heading:
            first.setdefault(sentence.text, sentence)
    usable = list(first.values())[:_CONSIDERED]
    if not usable:
        notes.note("summary", "none", "The article has no whole sentence to take.")
        return ()
    in_title, shown = _stems(document.title), _shown(topics, demands)
    named = _stems(" ".join(party.name for party in parties))
    people = {
        party.name.split()[-1]: party.name
        for party in parties
        if party.kind == "person" and party.name not in document.title
    }
    candidates = [_candidate(sentence, document, in_title, shown, people) for sentence in usable]
    weights = _word_weights(in_title, named, candidates, demands)
    for candidate in candidates:
        candidate.weight = fsum([weights[word] for word in candidate.words])  # the order of a set is chance
    fitting = [candidate for candidate in candidates if len(candidate.sentence.text) <= limit]
    chosen = _best_set(fitting, weights, limit) if fitting else [max(candidates, key=_alone)]
    taken = tuple(candidate.sentence.text for candidate in sorted(chosen, key=lambda c: c.sentence.index))
    notes.note(
        "summary",
        "chosen",
        f"{len(taken)} of {len(usable)} sentences say most of the headline, the parties and where it stands"
        f" in {len(' '.join(taken))} characters.",
        evidence=taken,
    )
    return taken


# ---------------------------------------------------------------- words
def _stems(text: str) -> frozenset[str]:
    """Give the telling words of a text, cut to their stems."""
    text = text.lower().replace("’", "'")
    words = set(_WORD.findall(text))
    if "'s" in text:
        words = {word.removesuffix("'s") for word in words}
    return frozenset(
        [word[:_STEM] for word in words - _empty_words() if len(word) > 2 or word in _SHORT or word.isdigit()]
    )


@cache
def _empty_words() -> frozenset[str]:
    return _data().light | small_words()


@cache
def _field_stems() -> frozenset[str]:
    data = _data()
    return frozenset(word[:_STEM] for word in data.field_words) | frozenset(data.field_stems)


@lru_cache(maxsize=50_000)
def _is_field(stem: str) -> bool:
    stems = _field_stems()
    return any(stem[:size] in stems for size in range(3, len(stem) + 1))


def _tells_news(words: frozenset[str], in_title: frozenset[str], named: frozenset[str]) -> bool:
    """Whether a sentence may be the lead: what stands before it paints the scene.

    It speaks of what the headline speaks of, or tells of a party what the headline says in other words.
    """
    return not words.isdisjoint(in_title) or (
        not words.isdisjoint(named) and sum(map(_is_field, words - named)) >= _TELLING
    )


def _word_weights(
    in_title: frozenset[str],
    named: frozenset[str],
    candidates: Sequence[_Candidate],
    demands: Sequence[Demand],
) -> dict[str, float]:
    """Weigh every telling word of the article."""
    weight = _data().weights
    frequency = Counter[str]()
    found: dict[str, float] = {}
    lead = next(
        (at for at, candidate in enumerate(candidates) if _tells_news(candidate.words, in_title, named)), 0
    )
    for place, candidate in enumerate(candidates):
        worth = weight["lead"] / (1 + 0.5 * (place - lead)) if place >= lead else 0.0
        frequency.update(candidate.words)
        for stem in candidate.words:
            if worth > found.get(stem, -1.0):
                found[stem] = worth
    asked = _stems(
        " ".join(
            word
            for demand in demands
            for word in (*demand.issuer, *demand.recipient, *demand.target, demand.instrument)
        )
    )
    again = [weight["frequent"] * times**0.5 for times in range(5)]  # what repeating adds, up to four times
    in_headline, of_demand, of_party, of_field = (
        weight[name] for name in ("title", "demand_party", "party", "field")
    )
    for stem, worth in found.items():
        worth += again[min(frequency[stem] - 1, 4)]
        if stem in in_title:
            worth += in_headline
        if stem in asked:
            worth *= of_demand
        elif stem in named:
            worth *= of_party
        if _is_field(stem):
            worth *= of_field
        found[stem] = worth
    return found


# ---------------------------------------------------------------- sentences
def _shown(topics: Sequence[Topic], demands: Sequence[Demand]) -> dict[str, float]:
    """Give what a sentence is worth for what it shows: where a demand stands, a demand, a topic."""
    weight = _data().weights
    found = {text: weight["topic"] for topic in topics for text in topic.evidence}
    for text in {text for demand in demands for text in demand.evidence}:
        found[text] = found.get(text, 0.0) + weight["evidence"]
    for text in {text for demand in demands for name, text in demand.field_evidence if name == "status"}:
        found[text] = found.get(text, 0.0) + weight["status"]
    return found


def _candidate(
    sentence: Sentence,
    document: Document,
    in_title: frozenset[str],
    shown: Mapping[str, float],
    people: Mapping[str, str],
) -> _Candidate:
    weight, text = _data().weights, sentence.text
    words = _stems(text)
    worth = shown.get(text, 0.0) - _faults(sentence, document.title)
    if not in_title or words & in_title:  # a first paragraph that paints the scene is no lead
        worth += weight["early"] / (1 + 0.5 * sentence.paragraph)
    if sentence.section == 0 and document.sentences[-1].section > 0:
        worth += weight["newest"]
    return _Candidate(sentence, words, worth, _hangs(text, document.language, people))


def _hangs(text: str, language: str, people: Mapping[str, str]) -> float:
    """Say what a sentence loses when the one before it is not beside it; `people` by their last names."""
    data = _data()
    match = _OPENING_WORDS.match(text)
    if match is None:
        return 0.0
    named = _LAST_NAME.match(text)
    if named is not None and people.get(named.group(1), text) not in text:
        return data.penalties["last_name"]
    words = match.group(1).lower().replace("’", "'").replace(",", "").split()
    if words[0] == "this" and len(words) > 1 and words[1] in data.times:
        return 0.0
    opening = {" ".join(words[:size]) for size in range(1, len(words) + 1)}
    if opening & data.openings.get(language, data.openings["en"]):
        return data.penalties["dangling"]
    if words[0] == "the" and not data.leaning.isdisjoint(_common_nouns(match.group(1))):
        return data.penalties["leaning"]
    return 0.0


def _common_nouns(opening: str) -> Iterator[str]:
    """Give the words behind "The" up to the first with a capital: "The Justice Department" is a name."""
    for word in opening.split()[1:]:
        if word[0].isupper():
            return
        yield word.rstrip(",").replace("’", "'").removesuffix("'s")


def _faults(sentence: Sentence, title: str) -> float:
    """Add up what speaks against a sentence by itself."""
    cost, text = _data().penalties, sentence.text
    low = text.lower()
    total = 0.0
    if text[0] in "\"“„«'‘":
        total += cost["quotation"]
    if text.count('"') % 2 or text.count("“") != text.count("”"):
        total += cost["torn"]
    if _QUESTION.search(text[-_ENDING:]):
        total += cost["question"]
    elif not _CLOSED.search(text[-_ENDING:]):
        total += cost["open_end"]
    if _FIRST_PERSON.search(text) and _FIRST_PERSON.search(_QUOTED.sub("", text)):
        total += cost["first_person"]
    if text[0] in "([":
        total += cost["aside"]
    if len(text) < 40:
        total += cost["short"]
    if not sentence.as_stands:
        total += cost["altered"]
    if clutter.splices(text):
        total += cost["spliced"]
    if any(sign in text for sign in _PASTED_SIGNS) and _PASTED.search(text):
        total += cost["pasted"]
    for notice in _data().notices:
        if notice in low and notice not in title.lower():
            total += cost["notice"]
            break
    return total


# ---------------------------------------------------------------- sets
def _alone(candidate: _Candidate) -> float:
    return candidate.weight + candidate.worth - candidate.hangs


def _leant_on(candidate: _Candidate, others: Iterable[_Candidate]) -> float:
    """What a sentence loses beside these others: nothing when the one before it is among them."""
    if candidate.hangs and any(other.sentence.index == candidate.sentence.index - 1 for other in others):
        return 0.0
    return candidate.hangs


def _best_set(candidates: Sequence[_Candidate], weights: dict[str, float], limit: int) -> list[_Candidate]:
    """Try the best sentences alone, in pairs, and the best pairs with a third."""
    singles = sorted(candidates, key=_alone, reverse=True)[:_CANDIDATES]
    best_value, best = _alone(singles[0]), [singles[0]]
    shared: dict[tuple[int, int], float] = {}
    pairs: list[tuple[float, int, int]] = []
    for a, first in enumerate(singles):
        for b in range(a + 1, len(singles)):
            second = singles[b]
            shared[a, b] = shared[b, a] = fsum([weights[word] for word in first.words & second.words])
            if len(first.sentence.text) + 1 + len(second.sentence.text) > limit:
                continue
            value = first.weight + second.weight - shared[a, b] + first.worth + second.worth
            value -= _leant_on(first, (second,)) + _leant_on(second, (first,))
            if value > _alone(first) * (1 + _FILLER):
                pairs.append((value, a, b))
                if value > best_value:
                    best_value, best = value, [first, second]
    pairs.sort(reverse=True)
    for value, a, b in pairs[:_PAIRS_EXTENDED]:
        first, second = singles[a], singles[b]
        space = limit - len(first.sentence.text) - len(second.sentence.text) - 2
        twice = first.words & second.words
        for c, third in enumerate(singles):
            if c in (a, b) or len(third.sentence.text) > space:
                continue
            three = [first, second, third]
            together = (
                first.weight + second.weight + third.weight - shared[a, b] - shared[a, c] - shared[b, c]
            )
            together += fsum([weights[word] for word in twice & third.words])
            together += sum(candidate.worth - _leant_on(candidate, three) for candidate in three)
            if together > best_value and together > value * (1 + _FILLER):
                best_value, best = together, three
    return best
