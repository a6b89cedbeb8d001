"""Words as the search compares them: folded, and reduced to their stem in the language of the text.

FTS5 brings English stemming alone and PostgreSQL's dictionaries differ from it, so both are handed words
that are stemmed here, by the Snowball algorithms (https://snowballstem.org): both give the same answers.
A question does not say its language: it is asked in all of them (`forms_of`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

_ALGORITHMS = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "pt": "portuguese",
    "it": "italian",
    "nl": "dutch",
}
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 40  # characters of a word that are looked at; longer ones are addresses and keys
_SHORT = 3  # letters of a word of whose stem there may be one
_UMLAUTS = frozenset(["ae", "oe", "ue"])
_KNOWN = 50_000  # words whose stems are remembered: in pure Python one takes a quarter of a millisecond


def words_of(text: str) -> list[str]:
    """Cut a text into its words, in small letters. Accents that stand by themselves are put on their letters:
    they would cut a word in two."""
    return [word[:_LONGEST] for word in _WORD.findall(unicodedata.normalize("NFC", text).casefold())]


@lru_cache(_KNOWN)
def fold(word: str) -> str:
    """Take the accents off: whoever types "citacion" finds "citación"."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFKD", word)
    # Cut once more: taken apart some have three times as many letters (Korean, ligatures).
    return "".join(c for c in apart if c.isalnum())[:_LONGEST] or word


@lru_cache(_KNOWN)
def stem(word: str, language: str) -> str:
    """Give a word's stem, folded; a word of a language that is not read here is its own stem."""
    algorithm = _ALGORITHMS.get(language[:2])
    if algorithm is None:
        return fold(word)
    return fold(str(_stemmer(algorithm).stemWord(word)))


def starts_of(word: str, language: str) -> tuple[str, ...]:
    """Give the two letters with which a word's stem begins: its own, or others that Snowball makes of them.

    Stems take far longer than all else that is done to words, so only those words are stemmed that may have a
    stem that is asked for.
    """
    folded, own = fold(word), language[:2]
    found = [folded[:2]]
    if len(folded) <= _SHORT:
        found.append(folded[:1])  # "às": "a"
    if own == "nl":
        first, second = folded[:1], folded[1:2]
        found += [first * 2, first + {"v": "f", "z": "s"}.get(second, second)]  # "open": "oop", "ovens": "of"
        if folded.startswith("ge"):
            found.append(folded[2:4])  # "gehackt": "hack"
        elif folded[1:3] == "ge":
            found.append(first + folded[3:4])
    elif own == "de" and folded[:2] in _UMLAUTS:
        found.append(folded[0] + folded[2:3])  # "ueber": "uber"
    elif own == "en" and folded[1:] == "ying":
        found.append(folded[0] + "i")  # "lying": "lie"
    return tuple(found)


def forms_of(words: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Give the forms that words side by side may have in a stored text: as they are, and in each language."""
    asked = tuple(words)
    forms = [tuple(stem(word, language) for word in asked) for language in ("", *_ALGORITHMS)]
    return tuple(dict.fromkeys(forms))


@cache
def _stemmer(algorithm: str) -> Any:
    import snowballstemmer  # at the first search or story: a command that needs neither starts sooner

    return snowballstemmer.stemmer(algorithm)
