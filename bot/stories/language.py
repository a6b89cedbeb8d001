"""Tells the language of a text: by its small words where it is one that Quash reads, else by a model.

Counting stop words is some fifty times cheaper than the n-gram model of py3langid and, on news text of
the seven languages, as sure. The model (100 MB of memory) is asked only where neither the small words nor a
script of one language's own are sure; it may name a language that is not read here, or agree with the
guess of the small words, but not overrule it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from importlib import resources

SUPPORTED: frozenset[str] = frozenset({"en", "de", "fr", "es", "pt", "it", "nl"})
UNKNOWN = "und"  # ISO 639-2: undetermined
READ_AS_ENGLISH = ("en", UNKNOWN)
"""Languages that are read by what is known of English: most texts too short to tell are that, too."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SAMPLE = 1500  # characters: more of a text tells no more of its language
_MIN_WORDS = 4  # fewer words than this tell nothing
_DISTINCT = 0.1  # of the words, at the least; running text of a sample's length has 0.5
_MIN_SHARE = 0.2  # of the words of a text that are small words of its language; running text has 0.3 to 0.6
_LEAD = 1.15  # times as much as the next language; nearer than that the count does not decide
_FOREIGN_MIN_BYTES = 40  # of words in UTF-8, so that a script that says more in a letter needs fewer of them
# Scripts that one language alone writes its news in, with the share of letters that shows it: Japanese has
# Chinese characters among its own.
_SCRIPTS = tuple(
    (code, re.compile(f"[{letters}]"), share)
    for code, letters, share in (
        ("ja", "\u3041-\u30ff", 0.1),
        ("zh", "\u3400-\u4dbf\u4e00-\u9fff", 0.5),
        ("ko", "\uac00-\ud7a3", 0.5),
        ("el", "\u0370-\u03ff\u1f00-\u1fff", 0.5),
        ("he", "\u0590-\u05ff", 0.5),
        ("th", "\u0e00-\u0e7f", 0.5),
        ("hy", "\u0530-\u058f", 0.5),
        ("ka", "\u10a0-\u10ff", 0.5),
    )
)


@cache
def _lists() -> dict[str, dict[str, frozenset[str]]]:
    source = resources.files("bot.stories.data").joinpath("languages.toml")
    data: dict[str, dict[str, str]] = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        kind: {code: frozenset(words.split()) for code, words in lists.items()}
        for kind, lists in data.items()
    }


@cache
def small_words() -> frozenset[str]:
    """Give the small words of all languages that are read: words that tell nothing of a subject."""
    return frozenset().union(*_lists()["read"].values())


@cache
def _owners() -> dict[str, tuple[tuple[str, float], ...]]:
    """Give for each small word the languages it belongs to, and what it tells for each of them."""
    owners: dict[str, list[str]] = {}
    for lists in _lists().values():
        for code, words in lists.items():
            for word in words:
                owners.setdefault(word, []).append(code)
    return {word: tuple((code, 1.0 / len(codes)) for code in codes) for word, codes in owners.items()}


def detect(text: str, hint: str | None = None) -> str:
    """Give the ISO 639-1 code of the language that `text` is written in, or "und" when too little says so.

    `hint` (a BCP 47 tag that the source claims) decides only where the text itself does not.
    """
    sample = text[:_SAMPLE]
    words = _WORD.findall(sample.lower().replace("’", "'"))
    claimed, guess = _primary(hint), ""
    if len(words) >= _MIN_WORDS:
        guess, sure = _by_small_words(words)
        if sure:
            return guess
    if claimed in SUPPORTED and len(words) < 3 * _MIN_WORDS:
        return claimed
    letters = "".join(words)
    if len(letters.encode("utf-8", "ignore")) < _FOREIGN_MIN_BYTES:
        return claimed or UNKNOWN
    if written := _by_script(letters):
        return written
    if len(set(words)) < max(_MIN_WORDS, _DISTINCT * len(words)):
        return claimed or UNKNOWN
    named = _by_model(sample)
    return named if named not in SUPPORTED or named == guess else UNKNOWN


def _primary(tag: str | None) -> str:
    found = re.match(r"[A-Za-z]{2,3}(?=$|[-_])", tag or "")
    return found.group().lower() if found else ""


def _by_small_words(words: list[str]) -> tuple[str, bool]:
    """Give the language with most small words among `words`, and whether it has enough and leads enough."""
    table = _owners()
    scores: dict[str, float] = {}
    hits: dict[str, int] = {}
    for owners, count in Counter(filter(None, map(table.get, words))).items():
        for code, weight in owners:
            scores[code] = scores.get(code, 0.0) + weight * count
            hits[code] = hits.get(code, 0) + count
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    if not ranked:
        return "", False
    best = ranked[0]
    enough = hits[best] >= 2 and hits[best] >= _MIN_SHARE * len(words)
    leads = len(ranked) == 1 or scores[best] > _LEAD * scores[ranked[1]]
    return best, enough and leads


def _by_script(letters: str) -> str:
    """Give the language whose script most letters are of, "" where a script does not tell."""
    if letters.isascii():
        return ""
    for code, script, share in _SCRIPTS:
        if len(script.findall(letters)) > share * len(letters):
            return code
    return ""


def _by_model(text: str) -> str:
    """Ask py3langid, loaded on first need (about a second): most sources never need it."""
    import py3langid

    return str(py3langid.classify(text)[0])
