"""What a story is recognised by: its rare words, its parties, accounts and docket numbers, its demands."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from bot.stories.gazetteer import load as load_gazetteer
from bot.stories.language import READ_AS_ENGLISH, UNKNOWN, small_words
from bot.stories.model import Demand, Document, Fingerprint, Party, Topic

_MAX_WORDS = 100
_MAX_NAMES = 40
_MAX_OWN = 30
_READ = 3_000  # characters of the text: the rest of a long article tells the background
_READ_FOR_DOCKETS = 8_000
_MAX_PARTIES = 30
_MAX_DEMANDS = 12

# Rarities, as in data/rarity.toml.
COMMON = 0.7  # words no rarer than this say nothing
UNSEEN_WORD = 7.5
UNSEEN_PARTY = 6.0
_UNCOUNTED = 3.5  # a word of a language whose words were not counted
LEAST_NAME = 2.2  # names no rarer than this say nothing
_UNSEEN_NAME = 7.5
_WORD_AS_NAME = 2.5  # so much rarer than the word a name can be that is one too ("Ring")
_KNOWN = 4.0  # at most: who stands in the gazetteer comes up in matter after matter
_OFFICIAL = 3.5  # at most: so does who holds an office, speaks for somebody or comments
_BESIDE = 0.3  # what the further words of one name count ("Ladar" beside "Levison")

_WORD = re.compile(r"@\w{2,30}|[^\W_]{2,30}(?:[.,-]\d{1,6})*")
_ACCOUNT = re.compile(r"(?<![\w.])@\w{3,30}")
# Words with a capital within a sentence: names of all kinds, those too that no list of parties holds.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]{2,30}(?: [A-Z][\w-]{1,30}){0,6}")
_DOCKET = re.compile(
    r"\b(?:\d{1,2}:)?\d{2}-(?:cv|cr|mc|mj|ap|md)-\d{2,6}\b|\bNo\. ?\d{2}-\d{2,6}\b|\bC-\d{1,4}/\d{2}\b",
    re.IGNORECASE,
)

# A word of a running text, with what stands between it and the next.
_RUNNING = re.compile(r"([^\W_]+(?:[.'’-][^\W_]+)*)([^\w]*)")
_MIDDLE = frozenset((" ", ", ", "; ", "-", " ("))  # after these a capital is no sentence's first
_CALENDAR = frozenset(
    (
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june", "july"),
        *("august", "september", "october", "november", "december", "new"),
    )
)
_OFFICES = frozenset(
    (
        *(
            "senator",
            "sen",
            "rep",
            "representative",
            "congressman",
            "congresswoman",
            "governor",
            "gov",
            "mayor",
        ),
        *(
            "justice",
            "commissioner",
            "attorney",
            "minister",
            "president",
            "director",
            "secretary",
            "chancellor",
        ),
        *(
            "chair",
            "chairman",
            "chairwoman",
            "spokesman",
            "spokeswoman",
            "spokesperson",
            "executive",
            "officer",
        ),
        *(
            "ceo",
            "chief",
            "head",
            "lawyer",
            "counsel",
            "analyst",
            "professor",
            "prof",
            "researcher",
            "fellow",
        ),
        "reporter",
    )
)
_OFFICE_WITHIN = 6  # words behind a name and its comma: "Ada Poe, a senior counsel at the union"

# What a case can be found by, and how many of each kind are worth asking for.
_ASKED = {"account": 4, "docket": 3, "target": 4, "demand": 6, "party": 8, "own": 6, "name": 3, "word": 18}


@cache
def rarity() -> tuple[dict[str, float], dict[str, float]]:
    """Give how rare words and parties are (`data/rarity.toml`): -ln of the share of articles with them."""
    held = _held()
    words = {word: float(level) for level, row in held["words"].items() for word in row.split(" ")}
    names = {name: float(level) for level, row in held["parties"].items() for name in row.split(" | ")}
    return words, names


@cache
def _held() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("bot.stories.data").joinpath("rarity.toml").read_text("utf-8"))


@cache
def _name_levels() -> dict[str, float]:
    """How rare words are as names: the share of articles that write them with a capital within a sentence."""
    return {name: float(level) for level, row in _held()["names"].items() for name in row.split(" ")}


_BESIDE_THE_MATTER = frozenset(("other", "critic", "counsel"))
"""Roles of those who speak of a matter and are no part of it."""


@cache
def _known_names() -> frozenset[str]:
    """The words of the names that the gazetteer holds: people's, and others' of one or two words."""
    return frozenset(
        word
        for name, entry in load_gazetteer().entries.items()
        if len(words := words_of(name)) <= 2 or entry.kind == "person"
        for word in words
    )


def words_of(text: str) -> list[str]:
    """Give the words and numbers of a text as they are compared: case folded, singular."""
    return [compared for word in _WORD.findall(text.casefold()) if (compared := _compared(word))]


@lru_cache(maxsize=20_000)
def _compared(word: str) -> str:
    """A word as it is compared; nothing for the shortest."""
    if len(word) < 3 and not word[0].isdigit():
        return ""
    if word[-1] == "s" and len(word) > 3 and word[-2] not in "sui":
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 5 else word[:-1]
    return word


def names_in(text: str) -> tuple[list[list[str]], set[str], set[str], set[str]]:
    """Give what is written with capitals, run by run, as words are compared.

    Beside the runs: those of their words that stand within a sentence, so that the capital says something;
    the words that stand there without one; and the words of runs by which an office stands.
    """
    runs: list[list[str]] = []
    within: set[str] = set()
    plain: set[str] = set()
    officials: set[str] = set()
    before, goes_on, in_office, apposed = "\n", False, False, 0
    for word, after in _RUNNING.findall(text):
        own = word[:-2] if word[-2:] in ("'s", "’s") else word
        compared = _compared(own.casefold()) if len(own) > 1 else ""
        office = compared in _OFFICES
        if compared and word[0].isupper():
            if goes_on and before == " ":
                runs[-1].append(compared)
                in_office = in_office or office
            else:
                runs.append([compared])
                in_office = office or in_office
            if in_office:
                officials.add(compared)
            if before in _MIDDLE:
                within.add(compared)
            goes_on = own == word
            apposed = _OFFICE_WITHIN if after == ", " else 0
        else:
            if compared:
                plain.add(compared)
            if apposed:
                apposed -= 1
                if office:
                    officials.update(runs[-1])
            goes_on, in_office = False, office and after in (" ", ". ")
        before = after
    return runs, within, plain, officials


def fingerprint(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> Fingerprint:
    """Give what a story is recognised by: terms named by their kind, each with a weight.

    `word:` the words of title and text, `name:` those written as names are, `head:` those of the title
    (weights: root of the rarity, for the first two times how often); `own:` the names by which few other
    matters are known (rarity above `LEAST_NAME`); `party:` who takes part, `target:`
    whose data is asked for (rarity); `account:` and `docket:`, which belong to one matter alone;
    `demand:` issuer and recipient; `means:` the instruments; `topic:` the topics with their scores;
    `language:` the language, where it is known.
    """
    text = document.text
    commenting = _commenting(parties)
    terms = _words(document.title, text[:_READ], commenting, counted=document.language in READ_AS_ENGLISH)
    terms |= _own_names(f"{document.title}.\n{text[:_READ]}", commenting, nouns_too=document.language == "de")
    if document.language != UNKNOWN:
        terms[f"language:{document.language}"] = 1.0
    names = rarity()[1]
    for party in parties[:_MAX_PARTIES]:
        weight = names.get(party.name, UNSEEN_PARTY)
        takes_part = party.role != "other" or party.mentions > 1
        terms[f"party:{party.name}"] = weight if takes_part else weight / 2
    for account in _ACCOUNT.findall(f"{document.title} {text[:_READ]}")[:5]:
        # "@realDonaldTrump" stands in many stories, "@ALT_USCIS" in those of one matter.
        terms[f"account:{account.casefold()}"] = rarity()[0].get(account.casefold(), UNSEEN_WORD)
    for docket in _DOCKET.findall(text[:_READ_FOR_DOCKETS])[:3]:
        terms[f"docket:{docket.casefold()}"] = UNSEEN_WORD
    for demand in demands[:_MAX_DEMANDS]:
        terms[f"means:{demand.instrument}"] = 1.0
        for target in demand.target[:3]:
            terms[f"target:{target}"] = names.get(target, UNSEEN_PARTY)
        for issuer in demand.issuer[:3]:
            for recipient in demand.recipient[:6]:
                terms[f"demand:{issuer} > {recipient}"] = 1.0
    for topic in topics:
        terms[f"topic:{topic.topic}"] = topic.score
    return Fingerprint(
        tuple((term[:200], round(weight, 2)) for term, weight in terms.items()), document.published
    )


def _commenting(parties: tuple[Party, ...]) -> frozenset[str]:
    """Give the words of the names of rights groups that only comment: of many matters, so they tell none."""
    entries = load_gazetteer().entries
    names = [
        party.name
        for party in parties
        if party.role in _BESIDE_THE_MATTER
        and (entry := entries.get(party.name)) is not None
        and entry.sort == "advocacy"
    ]
    short = ["".join(word[0] for word in name.split() if word[0].isupper()) for name in names]
    return frozenset(words_of(" ".join([*names, *short])))


def _own_names(text: str, commenting: frozenset[str], *, nouns_too: bool) -> dict[str, float]:
    """Weigh the names: one that no list holds is rare, one of an official or a known party is not.

    `nouns_too`: in this language each noun has a capital, so only several in a row are surely a name.
    """
    runs, within, plain, officials = names_in(text)
    levels, words = _name_levels(), rarity()[0]
    common = _known_names()
    rare: dict[str, float] = {}
    for run in runs:
        for word in run:
            as_word = words.get(word)
            level = levels.get(word, _UNCOUNTED if nouns_too and len(run) == 1 else _UNSEEN_NAME)
            if word not in within and (word in plain or (as_word is not None and level > as_word + COMMON)):
                continue  # a sentence's first word
            if as_word is not None:
                level = min(level, as_word + (0.0 if word in plain else _WORD_AS_NAME))
            if word in officials:
                level = min(level, _OFFICIAL)
            elif word in common:
                level = min(level, _KNOWN)
            if level > LEAST_NAME and word not in _CALENDAR and word not in commenting:
                rare[word] = level - LEAST_NAME
    weights: dict[str, float] = {}
    for run in runs:
        # Of people the last name is the one by which later reports go on.
        rarest = max(((rare.get(word, 0.0), at) for at, word in enumerate(run)))[1]
        for at, word in enumerate(run):
            if word in rare:
                counts = rare[word] * (1.0 if at == rarest else _BESIDE)
                weights[word] = max(weights.get(word, 0.0), counts)
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_MAX_OWN]
    return {f"own:{word}": weight for word, weight in heaviest}


def asked(found: Fingerprint) -> tuple[str, ...]:
    """Give the terms by which a story is filed in the index, and by which its case is looked for."""
    kinds: dict[str, list[tuple[float, str]]] = {kind: [] for kind in _ASKED}
    for term, weight in found.terms:
        kind = term.partition(":")[0]
        if kind in kinds:
            kinds[kind].append((-weight, term))
    return tuple(term for kind, limit in _ASKED.items() for _, term in sorted(kinds[kind])[:limit])


def _words(title: str, text: str, commenting: frozenset[str], *, counted: bool) -> dict[str, float]:
    head = dict.fromkeys(words_of(title), 1)
    used = Counter(words_of(text))
    used.update(dict.fromkeys(head, 2))
    names = Counter([word for word in words_of(" ".join(_NAME.findall(text))) if word not in commenting])
    return {
        **_weighed("word", used, _MAX_WORDS, counted=counted),
        **_weighed("name", names, _MAX_NAMES, counted=counted),
        **_weighed("head", head, _MAX_NAMES, counted=counted),
    }


def _weighed(kind: str, used: Mapping[str, int], limit: int, *, counted: bool) -> dict[str, float]:
    roots = _roots()
    unseen = math.sqrt((UNSEEN_WORD if counted else _UNCOUNTED) - COMMON)
    small = frozenset[str]() if counted else _small()  # of English words the counts say which they are
    weights = [
        (-root * (1.0 + math.log(count)) if count > 1 else -root, word)
        for word, count in used.items()
        if word not in small and (root := roots.get(word, unseen))
    ]
    weights.sort()
    return {f"{kind}:{word}": -weight for weight, word in weights[:limit]}


@cache
def _small() -> frozenset[str]:
    return frozenset(words_of(" ".join(small_words())))


@cache
def _roots() -> dict[str, float]:
    """The root of how far each word's rarity is above that of the common ones; 0 for these."""
    return {word: math.sqrt(max(0.0, rare - COMMON)) for word, rare in rarity()[0].items()}
