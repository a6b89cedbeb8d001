"""What a story is recognised by: its rare words, its parties, accounts and docket numbers, its demands."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from bot.stories.model import Demand, Document, Fingerprint, Party, Topic

_MAX_WORDS = 100
_MAX_NAMES = 40
_READ = 3_000  # characters of the text: the rest of a long article tells the background
_READ_FOR_DOCKETS = 8_000
_MAX_PARTIES = 30
_MAX_DEMANDS = 12

# Rarities, as in data/rarity.toml.
COMMON = 0.7  # words no rarer than this say nothing
UNSEEN_WORD = 7.5
UNSEEN_PARTY = 6.0
_UNCOUNTED = 3.5  # a word of a language whose words were not counted

_WORD = re.compile(r"@\w{2,30}|[^\W_]{2,30}(?:[.,-]\d{1,6})*")
_ACCOUNT = re.compile(r"(?<![\w.])@\w{3,30}")
# Words with a capital within a sentence: names of all kinds, those too that no list of parties holds.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]{2,30}(?: [A-Z][\w-]{1,30}){0,6}")
_DOCKET = re.compile(
    r"\b(?:\d{1,2}:)?\d{2}-(?:cv|cr|mc|mj|ap|md)-\d{2,6}\b|\bNo\. ?\d{2}-\d{2,6}\b|\bC-\d{1,4}/\d{2}\b",
    re.IGNORECASE,
)

# What a case can be found by, and how many of each kind are worth asking for.
_ASKED = {"account": 4, "docket": 3, "target": 4, "demand": 6, "party": 8, "name": 8, "word": 20}


@cache
def rarity() -> tuple[dict[str, float], dict[str, float]]:
    """Give how rare words and parties are (`data/rarity.toml`): -ln of the share of articles with them."""
    held = tomllib.loads(resources.files("bot.stories.data").joinpath("rarity.toml").read_text("utf-8"))
    words = {word: float(level) for level, row in held["words"].items() for word in row.split(" ")}
    names = {name: float(level) for level, row in held["parties"].items() for name in row.split(" | ")}
    return words, names


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


def fingerprint(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> Fingerprint:
    """Give what a story is recognised by: terms named by their kind, each with a weight.

    `word:` the words of title and text, `name:` those written as names are, `head:` those of the title
    (weights: root of the rarity, for the first two times how often); `party:` who takes part, `target:`
    whose data is asked for (rarity); `account:` and `docket:`, which belong to one matter alone;
    `demand:` issuer and recipient; `means:` the instruments; `topic:` the topics with their scores.
    """
    text = document.text
    terms = _words(document.title, text[:_READ], counted=document.language in ("en", "und"))
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


def asked(found: Fingerprint) -> tuple[str, ...]:
    """Give the terms by which a story is filed in the index, and by which its case is looked for."""
    kinds: dict[str, list[tuple[float, str]]] = {kind: [] for kind in _ASKED}
    for term, weight in found.terms:
        kind = term.partition(":")[0]
        if kind in kinds:
            kinds[kind].append((-weight, term))
    return tuple(term for kind, limit in _ASKED.items() for _, term in sorted(kinds[kind])[:limit])


def _words(title: str, text: str, *, counted: bool) -> dict[str, float]:
    head = dict.fromkeys(words_of(title), 1)
    used = Counter(words_of(text))
    used.update(dict.fromkeys(head, 2))
    names = Counter(words_of(" ".join(_NAME.findall(text))))
    return {
        **_weighed("word", used, _MAX_WORDS, counted=counted),
        **_weighed("name", names, _MAX_NAMES, counted=counted),
        **_weighed("head", head, _MAX_NAMES, counted=counted),
    }


def _weighed(kind: str, used: Mapping[str, int], limit: int, *, counted: bool) -> dict[str, float]:
    roots = _roots()
    unseen = math.sqrt((UNSEEN_WORD if counted else _UNCOUNTED) - COMMON)
    weights = [
        (-root * (1.0 + math.log(count)) if count > 1 else -root, word)
        for word, count in used.items()
        if (root := roots.get(word, unseen))
    ]
    weights.sort()
    return {f"{kind}:{word}": -weight for weight, word in weights[:limit]}


@cache
def _roots() -> dict[str, float]:
    """The root of how far each word's rarity is above that of the common ones; 0 for these."""
    return {word: math.sqrt(max(0.0, rare - COMMON)) for word, rare in rarity()[0].items()}
