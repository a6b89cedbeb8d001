"""Where a demand stands: the events that an article reports of it, and which of them is the last.

An event is a way of saying "withdrawn", "quashed", "refused" ... (`data/statuses.toml`), found in a sentence.
Which one counts: the newest section of an updated article before older ones; what ends a matter (a court's
word, a withdrawal) before what happens on the way (refused, challenged), before the bare fact that it was
issued; what the title or the first sentences say before what stands further down; and of two court rulings
the one that an article tells last, since it tells an appeal after the ruling below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.stories.instruments import load_table
from bot.stories.marks import ASKED, COURT, PARTY, STATE, Marked
from bot.stories.model import STATUSES
from bot.stories.sought import data_words

_THING = (
    r"(?:subpoenas?|summons(?:es)?|warrants?|orders?|demands?|requests?|letters?|quest|bids?|efforts?|attempts?|claims?|"
    r"campaign|notices?|application|push|investigation|directives?|injunction|gag|mandate)"
)

# How far along a matter is: the base of an event's weight.
_STANDING: dict[str, float] = {
    "withdrawn": 6.0,
    "quashed": 6.0,
    "upheld": 6.0,
    "partly complied": 5.0,
    "complied": 4.4,
    "challenged": 4.0,
    "refused": 3.6,
}
_TITLE, _LEAD, _EARLY = 2.2, 1.2, 0.6
_OLDER_SECTION = -2.5
_PAST_PERFECT = re.compile(
    r"\b(?:had|having|earlier|previously|last year|years ago|in the past|initially|at first|once)\b[^,;]{0,25}$"
)
_WEAK = re.compile(
    r"\b(?:often|sometimes|usually|typically|generally|routinely|always|in the past|reserves the right|whenever)\b"
)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One report of a status: where it stands (`index` of the sentence, -1 the title) and how much it weighs."""

    status: str
    index: int
    weight: float
    signs: str  # the parties in the words that say so


@dataclass(frozen=True, slots=True)
class _Rule:
    status: str
    weight: float
    says: re.Pattern[str]
    unless: re.Pattern[str] | None


def _fill(pattern: str, deed: str) -> str:
    return (
        pattern.replace("{party}", PARTY)
        .replace("{asked}", ASKED)
        .replace("{state}", STATE)
        .replace("{court}", COURT)
        .replace("{gap}", r"[^;]{0,60}?")
        .replace("{short}", r"[^;]{0,25}?")
        .replace("{thing}", _THING)
        .replace("{deed}", deed)
        .replace("{data}", data_words())
    )


@cache
def _rules() -> tuple[_Rule, ...]:
    deeds = load_table("demand_verbs.toml")["deeds"]
    deed = (
        "(?:"
        + "|".join([*deeds["data"], *deeds["content"]]).replace("{party}", PARTY).replace("{marks}", "")
        + ")"
    )
    found = []
    for event in load_table("statuses.toml")["event"]:
        if event["status"] not in STATUSES:
            raise ValueError(f"data/statuses.toml names an unknown status: {event['status']}")
        says = "|".join(_fill(words, deed) for words in event["says"])
        unless = re.compile(event["not"]) if event.get("not") else None
        found.append(
            _Rule(event["status"], float(event["weight"]), re.compile(rf"(?<!\w)(?:{says})"), unless)
        )
    return tuple(found)


def events_of(marked: Marked, section: int, *, early: int) -> list[StatusEvent]:
    """Find what a sentence says of where a demand stands.

    `section` is the sentence's (0 is the newest); `early` is its place among the first sentences (0 the first),
    or a large number further down.
    """
    text = marked.text
    found = []
    for rule in _rules():
        for match in rule.says.finditer(text):
            before = text[max(0, match.start() - 45) : match.start()]
            if rule.unless is not None and rule.unless.search(before):
                continue
            weight = _STANDING[rule.status] * rule.weight
            if marked.index < 0:
                weight += _TITLE
            elif early < 2:
                weight += _LEAD
            elif early < 4:
                weight += _EARLY
            if section > 0:
                weight += _OLDER_SECTION
            if _PAST_PERFECT.search(before):
                weight -= 1.5
            if _WEAK.search(text):
                weight -= 3.0
            found.append(StatusEvent(rule.status, marked.index, weight, _signs(match.group())))
            break
    return found


def _signs(text: str) -> str:
    return "".join(char for char in text if "\ue000" <= char <= "\ue5ff")


def last_status(events: list[StatusEvent]) -> StatusEvent | None:
    """Choose the event that tells where the matter stands in the end."""
    if not events:
        return None
    best = max(events, key=lambda event: (event.weight, event.index))
    statuses = {event.status for event in events if event.weight > 2.5}
    if best.status in ("complied", "refused") and {"complied", "refused"} <= statuses:
        # Gave one thing, refused another: partly, when both are said as plainly.
        other = "refused" if best.status == "complied" else "complied"
        rival = max(event.weight for event in events if event.status == other)
        if best.weight - rival < 1.0 and not any(
            event.status == "challenged" and event.weight >= best.weight for event in events
        ):
            return StatusEvent("partly complied", best.index, best.weight, best.signs)
    return best
