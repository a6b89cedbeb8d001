"""Which instrument a demand is made by: the exact kind that the article names for it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from bot.stories.demand_guesses import holds_office
from bot.stories.demand_roles import Frame
from bot.stories.demand_told import Group

_STATE_NAME = re.compile(
    r"\b(?:Treasury|Mayor|City|County|State|Committee|Panel|Attorney|Counsel|Congress|Senate|House|"
    r"Office|Mueller|Barr|Smith)\b",
    re.IGNORECASE,
)
_SPECIAL = {
    "subpoena": ("administrative subpoena", "grand jury subpoena", "civil subpoena"),
    "search warrant": ("geofence warrant", "keyword warrant", "foreign intelligence order"),
}


_AGENCY_POWER = re.compile(
    r"\b(?:Homeland Security|Immigration and Customs|Border Protection|Trade Commission|Exchange Commission|"
    r"[Aa]ttorney [Gg]eneral|Consumer|Utilities|Drug Enforcement|Labor|Health)\b"
)
"""Offices whose own subpoenas are administrative ones."""
_ABROAD = re.compile(
    r"National Security Agency|Federal Bureau|U\.S\. government|Department of Justice|Foreign "
    r"Intelligence|intelligence"
)
_SECRETLY = re.compile(
    r"(?<!\w)(?:foreign intelligence surveillance|FISA|FISC|fisa|secret (?:court|order))(?!\w)", re.IGNORECASE
)
_EXACT_KIND = (
    (
        re.compile(r"(?<!\w)(?:administrative|immigration enforcement) subpoena", re.IGNORECASE),
        "administrative subpoena",
    ),
    (re.compile(r"(?<!\w)grand[- ]jury", re.IGNORECASE), "grand jury subpoena"),
)


def kind_named(instrument: str, issuers: tuple[str, ...], texts: Iterable[str]) -> str:
    """The exact kind of a "subpoena" that the article names anywhere, in whatever connection."""
    secret = (
        instrument in ("court order", "informal request") and _ABROAD.search(" ".join(issuers)) is not None
    )
    if secret and any(_SECRETLY.search(text[:1_200]) for text in texts):
        return "foreign intelligence order"
    if instrument != "subpoena" or not issuers:
        return instrument
    for pattern, name in _EXACT_KIND:
        if any(pattern.search(text[:1_200]) for text in texts):
            return name
    if any(_AGENCY_POWER.search(name) for name in issuers):
        return "administrative subpoena"
    return instrument


def _alone(frame: Frame, group: Group) -> bool:
    """Whether the words for instruments that the article uses for a demand name this one alone."""
    return {each.instrument for each in group.frames if each.form == "noun" and each.rank >= 5} == {
        frame.instrument
    }


def instrument_of(group: Group, issuers: tuple[str, ...]) -> tuple[str, int]:
    """Choose the instrument that the article names for a demand, and the sentence that names it.

    The words that weigh most count; a general word gives way to the exact one ("subpoena" to "administrative
    subpoena"), a mere verb to a noun.
    """
    scores: dict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    for frame in group.frames:
        scores[frame.instrument] += frame.weight * (0.4 + frame.rank / 8)
        if frame.instrument not in first or (first[frame.instrument] < 0 <= frame.index):
            first[frame.instrument] = frame.index
    best = max(scores, key=lambda name: scores[name])
    if group.asked_first:
        return "informal request", first[best]
    if group.campaign:
        whole = instrument_of(group.campaign, issuers)[0]
        if whole in _SPECIAL.get(best, ()) or best == "informal request":
            return whole, first[best]
    for name in _SPECIAL.get(best, ()):
        if name in scores:
            best = name
            break
    if best in ("subpoena", "informal request", "court order"):
        offices = any(holds_office(name) for name in issuers) or any(
            frame.slots[name].official for frame in group.frames for name in issuers if name in frame.slots
        )
        kinds = {frame.slots[name].kind for frame in group.frames for name in issuers if name in frame.slots}
        if any("jury" in name.lower() for name in issuers) and (
            asked_by := [f for f in group.frames if "subpoena" in f.instrument]
        ):
            return "grand jury subpoena", asked_by[0].index
        if (
            best == "subpoena"
            and issuers
            and not offices
            and kinds <= {"company", "organisation", "person"}
            and not any(_STATE_NAME.search(name) for name in issuers)
        ):
            return "civil subpoena", first[best]
        nouns = {
            frame.instrument: frame.rank
            for frame in group.frames
            if frame.form in ("noun", "verb")
            and frame.rank >= 5
            and frame.weight >= 0.3
            and (frame.issuers or frame.recipients or frame.index <= 2 or _alone(frame, group))
        }
        if best in ("informal request", "court order") and nouns:
            best = max(nouns, key=lambda name: (nouns[name], scores[name]))
        elif best == "informal request" and "court order" in scores and scores["court order"] >= 0.3:
            best = "court order"
    return best, first[best]
