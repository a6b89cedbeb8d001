"""Whose words and calls are taken without their being asked: the watched, never the one who is asked.

"A warrant to monitor Carter Page" and "the A.P.'s phone records" name whom a demand is about; whoever holds
the line is asked, and mostly goes unnamed. That is so of people and of the press; of a firm, "Google's
records" are the ones that it is asked for. An article that is of such a warrant tells a demand, though it
names nobody who is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.stories.demand_guesses import sort_of
from bot.stories.demand_rules import is_fact
from bot.stories.marks import DATA, DEVICE, MARKS, PARTY, Marked, Slot

_THING = f"(?: [{DATA}{DEVICE}]+)?"  # the sign behind a word for data or a device
_THEIRS = r"(?:reporters'?|journalists'?|editors'?|staff|private|personal|work|home|cell|office|secret|own)"
_CALLS = rf"(?:tele)?(?:phone|call|toll){_THING}"
_CALL_RECORDS = rf"{_CALLS}\b[^.;:,{MARKS}]{{0,16}} ?records"
_WATCH = (
    r"(?:surveil|monitor|wiretap|eavesdrop on|spy on|snoop on|track|listen in on|intercept|"
    r"conduct surveillance (?:of|on))"
)
_WATCHED = re.compile(
    rf"\b(?:warrants?|wiretaps?|orders?|applications?|permission|authority|surveillance)\b{_THING}"
    rf"[^.;:{MARKS}]{{0,40}}? (?:to (?:secretly |electronically )?{_WATCH}|on|against|targeting|tied to)\b"
    r"([^.;:,\d]{0,80})"
    rf"|\b(?:wiretaps?|wiretapping|surveillance|monitoring|eavesdropping){_THING} (?:of|on)\b"
    r"([^.;:,]{0,80})"
    rf"|({PARTY})(?:'s?)? (?:{_THEIRS} )*{_CALL_RECORDS}"
    rf"|\b{_CALL_RECORDS}{_THING} (?:of|from|at|for|belonging to)\b([^.;:,]{{0,50}})"
    rf"|\blines{_THING} (?:assigned|belonging) to\b([^.;:,]{{0,50}})"
)
_BY_ORDER = re.compile(r"(?:warrant|wiretap|order|application)s?\b")
_SECRET = re.compile(r"\b(?:fisa|foreign intelligence|secret court|surveillance court)\b")
_TO_WATCH = re.compile(r"surveil|\bsp(?:y|ying)\b|wiretap|monitor|eavesdrop|listen in|intercept")
_EARLY = 6  # sentences in which an order is told that the article is of; one told later is told twice
_ADDRESSED = re.compile(
    rf"\b(?:subpoenas?|summons(?:es)?|letters?|requests?|warrants?|orders?|served|sent|issued|handed)"
    rf"(?: \w+)? (?:to|on|upon) (?:the )?({PARTY})"
    rf"|\b(?:subpoenaed|subpoena|served|ordered|told|asked|compelled|directed|forced|summoned) (?:the )?"
    rf"({PARTY})(?!(?:'s?)? (?:{_THEIRS} )*(?:{_CALLS}|records|e-?mails?))"
    rf"|({PARTY})(?:,[^,;.]{{0,60}},)? (?:\w+ )?(?:received|complied|refused|declined to|handed over|"
    r"turned over|cooperated|was (?:served|ordered|subpoenaed|asked|told|compelled|forced)|got an?|fought|"
    r"is fighting|must)\b"
    rf"|({PARTY}),? [^;.{MARKS}]{{0,40}}\bcooperated\b"
)
_SIGNS = re.compile(
    rf"{PARTY}(?!(?:'s?)? (?:[\w-]+ )?(?:campaign|team|transition|administration|advis[eo]rs?|aides?|"
    r"all(?:y|ies)|associates?|lawyers?)\b)"
)
"""Parties that stand for themselves: of "the Trump campaign" and "a Trump aide" another is meant."""


def watched(marked: Sequence[Marked]) -> frozenset[str]:
    """Name the people and the press whom an article says to be watched, and not to be asked themselves."""
    found: set[str] = set()
    asked: set[str] = set()
    for item in marked:
        for match in _WATCHED.finditer(item.text) if item.slots else ():
            found.update(slot.name for slot in _named(item, match) if _is_watched(slot))
    for item in marked if found else ():
        for match in _ADDRESSED.finditer(item.text):
            asked.update(slot.name for slot in _named(item, match))
    return frozenset(found - asked)


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """An order to watch people: what it is, whom it is on, and the sentences that tell it, in order."""

    instrument: str
    names: tuple[str, ...]
    sentences: tuple[int, ...]


def order_to_watch(marked: Sequence[Marked]) -> WatchOrder | None:
    """Find the order to watch named people that an article is of, told as a fact; None if there is none."""
    found: list[tuple[Marked, list[str]]] = []
    for item in marked:
        for match in _WATCHED.finditer(item.text) if item.slots else ():
            words = match.group()
            names = [slot.name for slot in _named(item, match) if not slot.generic and slot.kind == "person"]
            to_watch = _is_secret(item) or _TO_WATCH.search(words)
            before = item.text[max(0, match.start() - 70) : match.start()]
            if names and to_watch and _BY_ORDER.search(words) and is_fact(before, noun=False):
                found.append((item, names))
                break
    sentences = tuple(item.index for item, _ in found)
    if not sentences or (len(sentences) < 2 and sentences[0] >= _EARLY):
        return None
    secret = any(_is_secret(item) for item in marked)
    return WatchOrder(
        "foreign intelligence order" if secret else "wiretap order",
        tuple(dict.fromkeys(name for _, names in found for name in names)),
        sentences,
    )


def _is_secret(item: Marked) -> bool:
    """Whether a sentence speaks of the court that lets spies listen, or of its law."""
    return _SECRET.search(item.text) is not None or any(
        "Foreign Intelligence" in slot.name for slot in item.slots.values()
    )


def _named(item: Marked, match: re.Match[str]) -> list[Slot]:
    return item.names("".join(_SIGNS.findall(" ".join(filter(None, match.groups())))))


def _is_watched(slot: Slot) -> bool:
    return not slot.generic and (slot.kind == "person" or sort_of(slot.name) == "press")
