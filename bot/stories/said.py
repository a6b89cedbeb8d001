"""An article's words as the tables of words know them: without endings, parties as what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.stories.marks import CONTENT, DATA, DEVICE, MARKS, Marked, Slot
from bot.stories.word_weights import stem

_TOKEN = re.compile(rf"[^\W\d_{MARKS}{DATA}{DEVICE}{CONTENT}]+|[{MARKS}{DATA}{DEVICE}{CONTENT}]")
_THINGS = {DATA: "<data>", DEVICE: "<device>", CONTENT: "<content>"}


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one sentence (-1: the title) in order, and the party that stands at each place, if any.

    `together` holds the words and every two side by side, `names` the parties.
    """

    index: int
    words: tuple[str, ...]
    slots: tuple[Slot | None, ...]
    together: frozenset[str]
    names: frozenset[str]


def said_in(marked: Sequence[Marked]) -> list[Said]:
    """Read the words of sentences in which signs stand for parties and for what is asked for."""
    return [_said(item) for item in marked]


def _said(item: Marked) -> Said:
    tokens = _TOKEN.findall(item.text)
    slots = tuple([item.slots.get(token) for token in tokens])
    words = tuple(
        [
            _kind_of(slot) if slot is not None else _THINGS.get(token) or stem(token)
            for token, slot in zip(tokens, slots, strict=True)
        ]
    )
    names = frozenset([slot.name for slot in slots if slot is not None])
    return Said(item.index, words, slots, with_pairs(words), names)


def with_pairs(words: Sequence[str]) -> frozenset[str]:
    """Give words and every two side by side."""
    return frozenset((*words, *map(" ".join, pairwise(words))))


def _kind_of(slot: Slot) -> str:
    return f"<a {slot.kind}>" if slot.generic else f"<{slot.kind}>"
