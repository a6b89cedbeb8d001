"""Cases: which matter a story belongs to.

A story is recognised by its `Fingerprint`. Candidates come from an inverted index (a table in the database,
`CaseBook` in memory) that is asked a bounded number of terms and gives a bounded number of cases, so the
cost of a story does not grow with the store; `choose_case` decides among them. A case is known by its newest
members, not by one bag of all their words: a matter that drags on changes its words.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import told
from bot.stories.case_titles import case_title
from bot.stories.fingerprints import UNSEEN_WORD, asked, fingerprint, rarity
from bot.stories.likeness import Reading, likeness, margin, read, weights
from bot.stories.model import Fingerprint
from bot.stories.odds import chance

__all__ = [
    "CaseBook",
    "CaseChoice",
    "CaseSketch",
    "asked",
    "case_title",
    "choose_case",
    "fingerprint",
    "nearest",
]

MEMBERS = 6
"""How many of a case's newest stories stand for it."""
CANDIDATES = 6
"""How many cases are looked at closely."""
HOLDERS = 12
"""How many cases, the newest, a term gives: one that all hold says nothing about which is meant."""

_SUPPORT = 3  # members whose mean likeness counts beside the best one
_SHARED_SHOWN = 6
_RARE_ENOUGH = 4.0


@dataclass(frozen=True, slots=True)
class CaseSketch:
    """What is known of a case that a story might belong to.

    `members` are its newest stories. `apart` are cases that a moderator has split it from: what both
    hold does not tell which of the two is meant.
    """

    case_id: int
    members: tuple[Reading, ...]
    apart: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CaseChoice:
    """The decision: the case to join (None: open a new one), how surely (0 to 1), and why."""

    case_id: int | None
    score: float
    reason: str


def choose_case(found: Fingerprint | Reading, candidates: Sequence[CaseSketch]) -> CaseChoice:
    """Decide which of the candidates a story belongs to, if any."""
    mine = read(found) if isinstance(found, Fingerprint) else found
    scored = sorted(
        ((*_score(mine, sketch), sketch) for sketch in candidates if sketch.members),
        key=lambda item: (-item[0], item[2].case_id),
    )
    if not scored:
        return CaseChoice(None, 0.0, told("nothing alike is known"))
    join_at = weights()[1]
    score, nearest, sketch = scored[0]
    stands_out = standing(score, [other[0] for other in scored[1:] if other[2].case_id not in sketch.apart])
    if stands_out < join_at:
        near = _shared(mine, nearest)
        seen = told("the nearest shares only {words}", words=near) if near else told("nothing alike is known")
        return CaseChoice(None, chance(stands_out - join_at), seen)
    for other_score, other_nearest, other in scored[1:]:
        if (
            standing(other_score, ()) >= join_at
            and other.case_id in sketch.apart
            and _leans(mine, sketch, other) < 0
        ):
            nearest, sketch = other_nearest, other
    return CaseChoice(
        sketch.case_id,
        chance(stands_out - join_at),
        told("shares {words}", words=_shared(mine, nearest) or told("many words")),
    )


def standing(score: float, others: Iterable[float]) -> float:
    """Give how like a case is, more where it is liker than all others: told anew, a matter shares little.

    Two matters of the same actors are about as like as each other.
    """
    counts, least = margin()
    return score + counts * (score - max([*others, least]))


def nearest(holders: Mapping[str, Collection[int]]) -> list[int]:
    """Give the cases to look at closely, from which cases hold which of a story's terms.

    A term that few cases hold tells more.
    """
    sums: dict[int, float] = {}
    for held in holders.values():
        tells = 1.0 / math.sqrt(1.0 + len(held))
        for case_id in held:
            sums[case_id] = sums.get(case_id, 0.0) + tells
    return heapq.nlargest(CANDIDATES, sums, key=lambda case_id: (sums[case_id], case_id))


def _score(mine: Reading, sketch: CaseSketch) -> tuple[float, Reading]:
    """Give how well a story fits a case: half by its nearest member, half by those next to that one."""
    likes = sorted(((likeness(mine, member), at) for at, member in enumerate(sketch.members)), reverse=True)
    best, at = likes[0]
    near = [like for like, _ in likes[:_SUPPORT]]
    return (best + sum(near) / len(near)) / 2, sketch.members[at]


def _leans(mine: Reading, one: CaseSketch, other: CaseSketch) -> float:
    """Tell which of two split cases a story leans to by what only one of them holds: above 0 the first."""
    sums = [0.0, 0.0]
    for kind in ("word", "party", "target", "account", "docket", "demand"):
        held = [set[str]().union(*(m.kind(kind) for m in sketch.members)) for sketch in (one, other)]
        for term, weight in mine.kind(kind).items():
            if (term in held[0]) != (term in held[1]):
                sums[term in held[1]] += weight
    return sums[0] - sums[1]


def _shared(mine: Reading, other: Reading) -> str:
    """Name what two stories share, what is rarest and most telling first."""
    names: dict[str, None] = {}
    for kind in ("target", "account", "docket", "party", "means"):
        terms = mine.kind(kind)
        both = terms.keys() & other.kind(kind).keys()
        for term in sorted(both, key=lambda t: (-terms[t], t)):
            if term.casefold() not in {name.casefold() for name in names}:
                names[term] = None
    if len(names) < _SHARED_SHOWN:
        rare = rarity()[0]
        words = mine.kind("word").keys() & other.kind("word").keys()
        telling = sorted(
            (-rare.get(w, UNSEEN_WORD), w) for w in words if rare.get(w, UNSEEN_WORD) >= _RARE_ENOUGH
        )
        names.update({f"“{word}”": None for _, word in telling if word not in " ".join(names).casefold()})
    return ", ".join(list(names)[:_SHARED_SHOWN])


@dataclass(slots=True)
class CaseBook:
    """The inverted index in memory, for `analyse --jsonl`, `preview` and the tests."""

    _members: dict[int, deque[Reading]] = field(default_factory=dict)
    _holders: dict[str, dict[int, None]] = field(default_factory=dict)

    def place(self, found: Fingerprint) -> tuple[int, CaseChoice]:
        """Join a story to its case or open one; gives the case's number and the decision."""
        terms = asked(found)
        mine = read(found)
        close = nearest({term: self._holders.get(term, ()) for term in terms})
        choice = choose_case(mine, [CaseSketch(c, tuple(self._members[c])) for c in close])
        case_id = choice.case_id if choice.case_id is not None else len(self._members) + 1
        self._members.setdefault(case_id, deque(maxlen=MEMBERS)).append(mine)
        self._file(terms, case_id)
        return case_id, choice

    def _file(self, terms: Iterable[str], case_id: int) -> None:
        for term in terms:
            holders = self._holders.setdefault(term, {})
            holders.pop(case_id, None)
            holders[case_id] = None
            if len(holders) > HOLDERS:
                del holders[next(iter(holders))]
