"""Who demands or is asked where no sentence says it: read from the rest of the article."""

from __future__ import annotations

import re
from collections import defaultdict

from bot.stories.demand_roles import LIST
from bot.stories.demand_slots import OUTLET_WORDS
from bot.stories.demand_told import Group
from bot.stories.gazetteer import load
from bot.stories.marks import Marked

UMBRELLA = re.compile(
    r"\b(?:government|administration|authorities|white house|officials|prosecutors|"
    r"law enforcement|investigators|feds)\b",
    re.IGNORECASE,
)
_PLAINTIFF = re.compile(
    r"studios|labels|plaintiff|producers|filmmakers|publishers|holders|owners", re.IGNORECASE
)


_HOLDERS = ("media", "press", "platform", "messenger")


def sort_of(name: str) -> str:
    """Give the trade of a party that the gazetteer knows, or ""."""
    entry = load().entries.get(name)
    return entry.sort if entry else ""


def holds_office(name: str) -> bool:
    """Whether a person is known for an office from which data is demanded."""
    return sort_of(name) in ("official", "politician")


def holders(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """A news outlet or a free service on which the article turns: asked like a company."""
    spoken_of = {
        slot.name
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "organisation" and sort_of(slot.name) not in _HOLDERS
    }
    return salient(marked, ("organisation",), exclude=exclude | spoken_of, least=3.0)


def only_firm(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """The one firm that the title and the first sentences name at all."""
    found = {
        slot.name
        for item in marked[:4]
        if item.index < 3
        for slot in item.slots.values()
        if slot.kind == "company" and not slot.generic and slot.name not in exclude
    }
    return tuple(found) if len(found) == 1 else ()


OUTLET = re.compile(rf"\b(?:{OUTLET_WORDS})$")
"""The look of a newspaper's name."""


_WENT_TO_COURT = re.compile(
    rf"(?P<who>{LIST})[^;.]{{0,20}}? (?:sued|sues|moved to|went to court|asked (?:an?|the) \w+ to|"
    rf"challenged|appealed)(?!\w)"
)


def plaintiff_in_title(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """The organisation that the title names and that went to court, as one that is asked does."""
    titled = {slot.name for slot in marked[0].slots.values() if slot.kind == "organisation"} - exclude
    for item in marked[1:] if titled else ():
        for match in _WENT_TO_COURT.finditer(item.text):
            found = [slot.name for slot in item.names(match.group("who")) if slot.name in titled]
            if found:
                return tuple(found[:1])
    return ()


def only_paper(marked: list[Marked]) -> tuple[str, ...]:
    """The one newspaper that the article names, by the look of its name."""
    found = {
        slot.name
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "company" and not slot.generic and OUTLET.search(slot.name)
    }
    return tuple(found) if len(found) == 1 else ()


_FILES = re.compile(
    rf"(?P<who>{LIST})'s? (?:[\w-]+ ){{0,2}}(?:files|records|papers|documents|e-?mails|data|donors|"
    r"sources)(?!\w)"
)


def whose_files(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """Whose papers the title speaks of ("rifle through Media Matters' files"): who is to hand them over."""
    match = _FILES.search(marked[0].text)
    named = marked[0].names(match.group("who")) if match else []
    return tuple(s.name for s in named if s.kind in ("company", "organisation") and s.name not in exclude)[:1]


def salient(
    marked: list[Marked], kinds: tuple[str, ...], exclude: set[str], *, least: float = 1.5
) -> tuple[str, ...]:
    """The party of a kind that the title and the first sentences name most."""
    counts: dict[str, float] = defaultdict(float)
    for item in marked:
        weight = 2.0 if item.index < 0 else 1.0 if item.index < 5 else 0.5
        for slot in item.slots.values():
            if slot.kind in kinds and not slot.generic and slot.name not in exclude:
                counts[slot.name] += weight * (0.4 if UMBRELLA.search(slot.name) else 1.0)
    if not counts:
        return ()
    best, weight = max(counts.items(), key=lambda pair: pair[1])
    return (best,) if weight >= least else ()


_SUED = re.compile(
    rf"(?P<who>{LIST})[^;.]{{0,40}}? (?:sued|sues|is suing|are suing|suing|sue|filed (?:a |"
    rf"the )?(?:defamation |copyright )?(?:law)?suit)(?!\w)"
)
RESISTED = re.compile(
    rf"(?P<who>{LIST})[^;.]{{0,20}}? (?:refused|fought|challenged|resisted|objected|complied|"
    rf"contested|appealed|(?:had )?(?:asked (?:an?|the) [^;]{{0,30}} to (?:quash|block|set|throw)|"
    rf"moved to quash))(?!\w)"
)


def litigants(group: Group, marked: list[Marked], recipients: tuple[str, ...]) -> tuple[str, ...]:
    """Who demands by a subpoena of which no agency is named: whoever has sued, or "the studios"."""
    exclude = set(recipients)
    for item in (
        marked
        if any("subpoena" in frame.instrument or frame.form == "attempt" for frame in group.frames)
        else ()
    ):
        for slot in item.slots.values():
            if (
                slot.generic
                and slot.kind == "organisation"
                and _PLAINTIFF.search(slot.name)
                and slot.name not in exclude
            ):
                return (slot.name,)
    return actors(marked, _SUED, exclude)


_OFFICES = re.compile(
    r"\b(?:jury|prosecutors?|police|detectives?|investigators?|sheriff|regulator|ministry)\b", re.IGNORECASE
)


def offices(marked: list[Marked]) -> tuple[str, ...]:
    """Whoever may demand, by a common noun, where the article names nobody ("the grand jury")."""
    for item in marked[:9]:
        for slot in item.slots.values():
            if slot.generic and slot.kind == "agency" and _OFFICES.search(slot.name):
                return (slot.name,)
    return ()


def actors(marked: list[Marked], pattern: re.Pattern[str], exclude: set[str]) -> tuple[str, ...]:
    """Persons and firms of which the article says that they did something."""
    for item in marked:
        for match in pattern.finditer(item.text):
            found = [
                slot.name
                for slot in item.names(match.group("who"))
                if slot.kind in ("person", "company") and not slot.generic and slot.name not in exclude
            ]
            if found:
                return tuple(found[:3])
    return ()
