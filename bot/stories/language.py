"""Tells the language of a text: by its small words where it is one that Quash reads, else by a model.

Counting stop words is some fifty times cheaper than the n-gram model of py3langid and, on news text of
the seven languages, as sure. The model is asked only when the small words know nothing; what it then
answers is "a language that is not read here", for it may not overrule the count.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

SUPPORTED: frozenset[str] = frozenset({"en", "de", "fr", "es", "pt", "it", "nl"})
UNKNOWN = "und"  # ISO 639-2: undetermined

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SAMPLE = 1500  # characters: more of a text tells no more of its language
_MIN_WORDS = 4  # fewer words than this tell nothing
_MIN_SHARE = 0.14  # of the words of a text that are small words of its language; running text has 0.3 to 0.6
_MODEL_MIN_BYTES = 40  # of words in UTF-8, so that a script that says more in a letter needs fewer of them


@cache
def _small_words() -> dict[str, tuple[tuple[str, float], ...]]:
    """Give for each small word the languages it belongs to, and what it tells for each of them."""
    source = resources.files("bot.stories.data").joinpath("languages.toml")
    lists: dict[str, str] = tomllib.loads(source.read_text(encoding="utf-8"))
    owners: dict[str, list[str]] = {}
    for language, words in lists.items():
        for word in set(words.split()):
            owners.setdefault(word, []).append(language)
    return {word: tuple((language, 1.0 / len(names)) for language in names) for word, names in owners.items()}


@cache
def small_words() -> frozenset[str]:
    """Give the small words of all languages that are read: words that tell nothing of a subject."""
    return frozenset(_small_words())


def detect(text: str, hint: str | None = None) -> str:
    """Give the ISO 639-1 code of the language that `text` is written in, or "und" when too little says so.

    `hint` (a BCP 47 tag that the source claims) decides only where the text itself does not.
    """
    sample = text[:_SAMPLE]
    words = _WORD.findall(sample.lower().replace("’", "'"))
    claimed = _primary(hint)
    if len(words) >= _MIN_WORDS:
        found = _by_small_words(words)
        if found:
            return found
    if claimed in SUPPORTED and len(words) < 3 * _MIN_WORDS:
        return claimed
    if len("".join(words).encode("utf-8", "ignore")) < _MODEL_MIN_BYTES:
        return claimed or UNKNOWN
    named = _by_model(sample)
    return UNKNOWN if named in SUPPORTED else named


def _primary(tag: str | None) -> str:
    found = re.match(r"[A-Za-z]{2,3}(?=$|[-_])", tag or "")
    return found.group().lower() if found else ""


def _by_small_words(words: list[str]) -> str:
    table = _small_words()
    scores: dict[str, float] = dict.fromkeys(SUPPORTED, 0.0)
    hits: dict[str, int] = dict.fromkeys(SUPPORTED, 0)
    for word in words:
        if word in table:
            for language, weight in table[word]:
                scores[language] += weight
                hits[language] += 1
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    enough = hits[best] >= _MIN_SHARE * len(words) and hits[best] >= 2
    return best if enough and scores[best] > 1.15 * scores[second] else ""


def _by_model(text: str) -> str:
    """Ask py3langid, loaded on first need (about a second): most sources never need it."""
    import py3langid

    return str(py3langid.classify(text)[0])
