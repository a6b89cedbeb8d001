"""What all the words of an article say of its demands: whether it tells one, by what, and who takes part.

The rules know turns of phrase, and a writer finds others. A reader often sees from the choice of words alone
that a story is one of a demand, by which kind of instrument, and which of its parties is the one who asks. So
every word and every two side by side count a little for "a demand is told" (`data/told_words.txt`) and for
each instrument (`data/instrument_words.txt`), and those around a party's name for its part
(`data/role_words.txt`, all made by tools/train_demand_words.py). `bot.stories.demand_choice` weighs that
beside what it knows of claims; where no claim is sure enough and the words are, `bot.stories.demand_guessed`
writes the demand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple

from bot.stories.model import INSTRUMENTS
from bot.stories.said import Said, with_pairs
from bot.stories.word_weights import Measures, Table, read_table, scaled

TOLD = "told"
ROLES = ("issuer", "recipient")
FAMILIES = {"gag order": "gag", "takedown order": "content", "purchase": "buy"}
"""What an instrument is a demand for, as `Claim.family` has it; data where it is not named here."""

_TITLE = 1.5  # what a word of the title counts, beside 1 for others
_WORDS = 5.0  # the length of all measures of words together, however long the article
_WORD = 0.3  # what a word counts at most: a few sentences say less than an article
_MOST = 4.0  # log-odds; words alone never say more surely that a demand is told, or none
_LEAST = -3.0  # log-odds; nor, with what follows, more surely that none is
_FEWER = 0.5  # log-odds; of the articles that come in fewer tell a demand than of the labelled ones
_LONG = 150  # words; of what is longer fewer tell one still, and what they tell is known turns more often
_FEWER_LONGER = 1.0  # log-odds for every e-fold beyond that
_STANDING = 1.5  # by how much (log-odds) another instrument must be likelier than the one that stands
_PLACES = 8  # of one party whose words around it are read
_AROUND = 3  # words to each side of a name


class Tables(NamedTuple):
    """What words count for a demand's being told, for each instrument, for each part in it."""

    told: Table
    instruments: Table
    roles: Table


NOTHING = Tables(Table.of({}, (TOLD,)), Table.of({}, INSTRUMENTS), Table.of({}, ROLES))
"""Words that count nothing."""


@cache
def tables() -> Tables:
    """Give the tables that the program brings."""
    return Tables(*map(read_table, ("told_words.txt", "instrument_words.txt", "role_words.txt")))


class DemandWords:
    """What the words of one article say. `sentences` are its words; log-odds throughout."""

    def __init__(self, sentences: Sequence[Said], known: Tables) -> None:
        self._sentences = sentences
        self._tables = known
        self._measures = measures(sentences)
        self._around = around_names(sentences)
        odds = known.told.sums(self._measures)[TOLD]
        fewer = _fewer(sum([len(each.words) for each in sentences]))
        self.told = max(_LEAST, max(-_MOST, min(_MOST, odds)) - fewer)
        """How likely the article tells a demand."""

    @cached_property
    def instruments(self) -> Measures:
        """How likely it tells one by each instrument."""
        return self._tables.instruments.sums(self._measures)

    def likelier(self, instrument: str) -> str:
        """Give the instrument of the same family that is much likelier than this one, or this one."""
        family = FAMILIES.get(instrument)
        odds = {name: value for name, value in self.instruments.items() if FAMILIES.get(name) == family}
        best = max(odds, key=lambda name: odds[name], default=instrument)
        return best if odds.get(best, 0.0) - odds.get(instrument, 0.0) >= _STANDING else instrument

    def parts(self, name: str, presence: Mapping[str, float]) -> Measures:
        """Give how likely a party is the one who asks ("issuer") and the one who is asked ("recipient").

        `presence` is what the party is and where it stands (`demand_features.Presence.values`).
        """
        return self._tables.roles.sums(self.party_measures(name, presence))

    def party_measures(self, name: str, presence: Mapping[str, float]) -> Measures:
        """Give what counts for a party's part: what it is, where it stands, the words around its name."""
        found = dict.fromkeys(self._around.get(name, ()), 1.0)
        found.update(presence)
        found["always"] = 1.0
        return found

    def weightiest(self, most: int) -> list[str]:
        """Name the words that speak most for a demand's being told."""
        words = [word for word in self._measures if "<" not in word]  # a sign for a party is no word
        return self._tables.told.weightiest(words, TOLD, most)

    def tells_most(self, names: Iterable[str] = ()) -> int:
        """The sentence that speaks most for a demand, of those that name most of `names` (-1: the title)."""
        return self._says_most(self._tables.told, TOLD, None, frozenset(names))

    def names_most(self, instrument: str, instead_of: str | None = None) -> int:
        """The sentence whose words speak most for an instrument, and against another."""
        return self._says_most(self._tables.instruments, instrument, instead_of, frozenset())

    def _says_most(self, table: Table, answer: str, against: str | None, names: frozenset[str]) -> int:
        def telling(sentence: Said) -> tuple[int, float]:
            return len(names & sentence.names), table.telling(sentence.together, answer, against)

        below = [sentence for sentence in self._sentences if sentence.index >= 0] or self._sentences
        return max(below, key=telling).index


def _fewer(words: int) -> float:
    """What is taken from an article's log-odds because of its length alone."""
    return _FEWER + _FEWER_LONGER * math.log(max(words, _LONG) / _LONG)


def measures(sentences: Sequence[Said]) -> Measures:
    """Give an article's words, each and every two side by side, and what each counts."""
    return _measures(
        [each.together for each in sentences if each.index < 0],
        [each.together for each in sentences if each.index >= 0],
    )


def _measures(title: Iterable[Iterable[str]], below: Iterable[Iterable[str]]) -> Measures:
    found: Measures = {}
    for words in below:
        found.update(dict.fromkeys(words, 1.0))
    for words in title:
        found.update(dict.fromkeys(words, _TITLE))
    return scaled(found, _WORDS, _WORD) | {"always": 1.0}


def told_plainly(title: Sequence[str], sentences: Iterable[Sequence[str]]) -> float:
    """Say how likely an article tells a demand, by its words before anybody looked for parties in it."""
    found = _measures([with_pairs(title)], map(with_pairs, sentences))
    return tables().told.sums(found)[TOLD]


def around_names(sentences: Sequence[Said]) -> dict[str, set[str]]:
    """Give the words around each party's name: near it ("<", ">"), and next to it, one or two."""
    found: dict[str, set[str]] = {}
    places: dict[str, int] = {}
    for sentence in sentences:
        if not sentence.names:
            continue
        words = sentence.words
        for at, slot in enumerate(sentence.slots):
            if slot is None:
                continue
            places[slot.name] = places.get(slot.name, 0) + 1
            if places[slot.name] > _PLACES:
                continue
            before, after = words[max(0, at - _AROUND) : at], words[at + 1 : at + 1 + _AROUND]
            here = found.setdefault(slot.name, set())
            here.update([f"<{word}" for word in before])
            here.update([f">{word}" for word in after])
            if before:
                here.add(f"{before[-1]}<")
                here.add(f"{' '.join(before[-2:])}<<")
            if after:
                here.add(f">>{after[0]}")
                here.add(f">>>{' '.join(after[:2])}")
    return found
