"""Sentences in which every party is one sign: what the reading of demands works on.

"DHS subpoenaed Google" becomes "<sign> subpoenaed <sign>", lower-cased, and each sign knows its party. So a
rule can say "a party, then 'subpoenaed', then a party" as one short regular expression, however a party
is written. The signs are private-use characters: the first byte tells the kind, the second counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from bot.stories.model import Mention

KIND_BASE: dict[str, int] = {
    "agency": 0xE000,
    "company": 0xE100,
    "organisation": 0xE200,
    "court": 0xE300,
    "person": 0xE400,
    "account": 0xE500,
}
_PER_KIND = 0x100


def _signs(*kinds: str) -> str:
    return "".join(f"{chr(KIND_BASE[kind])}-{chr(KIND_BASE[kind] + _PER_KIND - 1)}" for kind in kinds)


MARKS = _signs(*KIND_BASE)  # for use inside a character class
PARTY = f"[{MARKS}]"
STATE = f"[{_signs('agency')}]"
COURT = f"[{_signs('court')}]"
ASKED = f"[{_signs('company', 'organisation', 'person')}]"

MAX_LENGTH = 1_200
"""Characters of a sentence that are read. Real sentences are shorter; the rest of a monster says nothing."""

_JUDGE = re.compile(r"(?:judge|justice|magistrate|bench of|j\.)\s+(?:\w\.? ?){0,2}$")
_FOLD = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class Slot:
    """A party at one place: its canonical name, and whether it is only a common noun ("the police")."""

    name: str
    kind: str
    generic: bool = False
    by: str = "gazetteer"


@dataclass(slots=True)
class Marked:
    """A sentence with signs for parties. `index` is the sentence's own, -1 for the title."""

    text: str
    index: int
    slots: dict[str, Slot] = field(default_factory=dict)

    def names(self, signs: str) -> list[Slot]:
        """The parties whose signs stand in `signs`, in order, each once."""
        seen: dict[str, Slot] = {}
        for sign in signs:
            slot = self.slots.get(sign)
            if slot is not None:
                seen.setdefault(slot.name, slot)
        return list(seen.values())


@dataclass(frozen=True, slots=True)
class _Generic:
    pattern: re.Pattern[str]
    kinds: tuple[str, ...]


@cache
def _generic() -> _Generic:
    table = tomllib.loads(
        resources.files("bot.stories").joinpath("data/generic_parties.toml").read_text(encoding="utf-8")
    )
    before = "|".join(sorted((re.escape(word) for word in table["before"]), key=len, reverse=True))
    groups = []
    kinds = []
    for entry in table["nouns"]:
        words = "|".join(sorted(entry["words"], key=len, reverse=True))
        groups.append(f"({words})")
        kinds.append(entry["kind"])
    # The name is the noun with at most three of the words that may stand before it.
    pattern = re.compile(rf"\b(?:(?:{before}) ){{0,3}}(?:{'|'.join(groups)})\b(?![-\w])")
    return _Generic(pattern, tuple(kinds))


def mark(sentence: str, index: int, mentions: Sequence[Mention]) -> Marked:
    """Put a sign for every party of the sentence (`mentions` are those of this sentence alone)."""
    text = sentence[:MAX_LENGTH]
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters change their length: then offsets would lie
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    lowered = lowered.translate(_FOLD)
    marked = Marked("", index)
    counts = dict.fromkeys(KIND_BASE, 0)
    spans: list[tuple[int, int, Slot]] = []
    end = -1
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if mention.start < end or mention.end > len(lowered) or mention.kind not in KIND_BASE:
            continue
        kind = mention.kind
        if kind == "person" and _JUDGE.search(lowered[max(0, mention.start - 24) : mention.start]):
            kind = "court"
        spans.append((mention.start, mention.end, Slot(mention.name, kind, False, mention.by)))
        end = mention.end
    if spans:
        taken = bytearray(len(lowered))
        for start, stop, _ in spans:
            taken[start:stop] = b"\x01" * (stop - start)
    else:
        taken = bytearray(len(lowered))
    generic = _generic()
    for match in generic.pattern.finditer(lowered):
        start, stop = match.span()
        if 1 in taken[start:stop] or match.lastindex is None:
            continue
        name = re.sub(r"^(?:(?:the|a|an|some|other) )+", "", text[start:stop].strip(), flags=re.IGNORECASE)
        spans.append((start, stop, Slot(name, generic.kinds[match.lastindex - 1], True, "noun")))
    spans.sort(key=lambda span: span[0])
    pieces: list[str] = []
    position = 0
    for start, stop, slot in spans:
        if counts[slot.kind] >= _PER_KIND:
            continue
        sign = chr(KIND_BASE[slot.kind] + counts[slot.kind])
        counts[slot.kind] += 1
        marked.slots[sign] = slot
        pieces.append(lowered[position:start])
        pieces.append(sign)
        position = stop
    pieces.append(lowered[position:])
    marked.text = "".join(pieces)
    return marked
