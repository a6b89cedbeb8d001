"""Who demands and who is asked in the end: the votes of all frames of a demand, put together."""

from __future__ import annotations

import re
from collections import defaultdict

from bot.stories.demand_guesses import (
    RESISTED,
    UMBRELLA,
    actors,
    holders,
    holds_office,
    litigants,
    offices,
    only_firm,
    only_paper,
    plaintiff_in_title,
    salient,
    sort_of,
    whose_files,
)
from bot.stories.demand_roles import BESIDE
from bot.stories.demand_told import Group
from bot.stories.marks import Marked, Slot


def _votes(group: Group, role: str) -> tuple[dict[str, float], dict[str, Slot]]:
    votes: dict[str, float] = defaultdict(float)
    slots: dict[str, Slot] = {}
    for frame in group.frames:
        for name, weight in (frame.issuers if role == "issuer" else frame.recipients).items():
            slots.setdefault(name, frame.slots[name])
            votes[name] += weight * min(1.0, 0.3 + frame.weight / 2) * (1.4 if frame.index < 2 else 1.0)
    return votes, slots


_BESIDE_NOUN = 0.25
"""Share of a common noun's votes from which a name counts before it: one that merely stands near does not."""


def _pick(votes: dict[str, float], slots: dict[str, Slot], *, share: float, least: float) -> tuple[str, ...]:
    """The party with most votes, and those that come near it; a real name before a common noun."""
    if not votes:
        return ()
    named = {name: weight for name, weight in votes.items() if not slots[name].generic}
    enough = max(least, _BESIDE_NOUN * max(votes.values()))
    pool = named if max(named.values(), default=0.0) >= enough else votes
    top = max(pool.values())
    return tuple(
        name
        for name, weight in sorted(pool.items(), key=lambda item: -item[1])
        if weight >= top * share and weight >= min(top, 1.2)
    )


def parties_of(
    group: Group, marked: list[Marked]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Decide issuers, recipients and named targets of a demand."""
    issuer_votes, issuer_slots = _votes(group, "issuer")
    recipient_votes, recipient_slots = _votes(group, "recipient")
    _settle(issuer_votes, recipient_votes)
    _offices_only(group, issuer_votes, issuer_slots, marked)
    if group.family != "favour":
        for name in [name for name in recipient_votes if recipient_slots[name].kind == "agency"]:
            del recipient_votes[name]
        _companies_only(recipient_votes, recipient_slots)
    if group.family == "content":
        _order_or_notice(group, issuer_votes, issuer_slots, marked)
    if not _court_itself(group):
        _courts_last(issuer_votes, issuer_slots)
    if any(
        frame.rank >= 5
        and frame.family == "data"
        and frame.form == "noun"
        and frame.weight >= 1.0
        and frame.instrument != "court order"
        for frame in group.frames
    ):
        for name in [name for name in issuer_votes if issuer_slots[name].kind == "court"]:
            del issuer_votes[name]  # a court approves a warrant or enforces a subpoena, it issues neither
    if group.family == "gag" and (sued := salient(marked[:4], ("agency",), exclude=set(), least=1.0)):
        for name in [name for name in issuer_votes if issuer_slots[name].kind == "court"]:
            del issuer_votes[name]  # a court signs what an agency asks for
        if not issuer_votes:
            issuer_votes[sued[0]] = 1.0
            issuer_slots[sued[0]] = Slot(sued[0], "agency")
    _speak_for_others(issuer_votes, issuer_slots)
    _officers_are_police(issuer_votes, issuer_slots, marked)
    _fold_umbrellas(issuer_votes, issuer_slots, marked, least=1.0 if group.family == "buy" else 2.5)
    issuers = _pick(issuer_votes, issuer_slots, share=0.7, least=1.0)[:3]
    if group.campaign and max(issuer_votes.values(), default=0.0) < 2.0:
        issuers = parties_of(group.campaign, marked)[0]
    recipients = _pick(recipient_votes, recipient_slots, share=0.4, least=0.45)[:8]
    if not issuers and _open_to_guess(group):
        least = 1.0 if len(marked) <= 9 else 1.5  # in a short report every name counts
        issuers = litigants(group, marked, recipients) or salient(
            marked, ("agency",), exclude=set(recipients), least=least
        )
    if not issuers and group.family == "data":
        issuers = offices(marked)
    if not recipients and group.campaign:
        recipients = parties_of(group.campaign, marked)[1]
    if not recipients and group.family != "favour":
        least = 1.0 if group.family == "buy" else 2.0 if marked[0].slots else 3.0
        recipients = (
            salient(marked, ("company",), exclude=set(issuers), least=least)
            or actors(marked, RESISTED, set(issuers))
            or plaintiff_in_title(marked, set(issuers))
            or holders(marked, set(issuers))
            or only_firm(marked, set(issuers))
        )
    elif group.family == "data" and max(recipient_votes.values(), default=0.0) <= 0.7:
        recipients = whose_files(marked, set(issuers)) or recipients
    recipients = _by_name(group, recipients, recipient_slots, marked, set(issuers))
    targets: dict[str, None] = {}
    for frame in group.frames:
        for name in frame.targets:
            if name not in issuers and name not in recipients:
                targets.setdefault(name)
    return issuers, recipients, tuple(targets)[:3]


_MANY = re.compile(r"(?:ies|ers|ors|ms|sps|ns|ks|ts|hosts|stores)$")


def _by_name(
    group: Group, recipients: tuple[str, ...], slots: dict[str, Slot], marked: list[Marked], exclude: set[str]
) -> tuple[str, ...]:
    """ "The company", "the hospital": the one that the article is about, where it has a name."""
    if len(recipients) != 1 or group.family == "buy":
        return recipients
    slot = slots.get(recipients[0])
    if slot is None or slot.kind != "company" or not slot.generic or _MANY.search(slot.name):
        return recipients
    return (
        salient(marked, ("company",), exclude=exclude, least=2.0)
        or (_PAPERS.search(slot.name) and only_paper(marked))
        or recipients
    )


_PAPERS = re.compile(r"\b(?:newspaper|paper|weekly|daily|publisher)$", re.IGNORECASE)
_ANYBODY = (
    "civil subpoena",
    "subpoena",
    "court order",
    "takedown order",
    "informal request",
    "gag order",
    "preservation request",
)


def _offices_only(
    group: Group, votes: dict[str, float], slots: dict[str, Slot], marked: list[Marked]
) -> None:
    """Persons demand by warrant only in an office: a name beside one is more often target or critic."""
    if any(frame.instrument in _ANYBODY and frame.form == "verb" for frame in group.frames):
        return
    if any(frame.instrument in ("civil subpoena", "subpoena") for frame in group.frames):
        return
    offices = {slot.name for item in marked for slot in item.slots.values() if slot.official}
    for name in [name for name in votes if slots[name].kind == "person" and name not in offices]:
        if (
            len(votes) > 1
            or group.family != "data"
            or not any(frame.form == "taking" for frame in group.frames)
        ):
            del votes[name]


def _settle(issuers: dict[str, float], recipients: dict[str, float]) -> None:
    """One party cannot be both: the stronger role wins."""
    for name in [name for name in recipients if name in issuers]:
        if issuers[name] >= recipients[name]:
            del recipients[name]
        else:
            del issuers[name]


def _companies_only(votes: dict[str, float], slots: dict[str, Slot]) -> None:
    """Where a company is asked, persons and agencies near by are not; an organisation near by never is."""
    if any(sort_of(name) not in ("media", "press") and weight >= 1.0 for name, weight in votes.items()):
        for name in [name for name in votes if sort_of(name) in ("media", "press")]:
            del votes[name]
    for name in [name for name in votes if slots[name].kind == "organisation" and votes[name] < 1.0]:
        del votes[name]
    if max((weight for name, weight in votes.items() if slots[name].kind == "company"), default=0.0) >= 1.0:
        for name in [name for name in votes if slots[name].kind in ("agency", "person", "organisation")]:
            if slots[name].kind != "organisation" or votes[name] < 1.0:
                del votes[name]


def _open_to_guess(group: Group) -> bool:
    """Whether who demands may be read from the rest of the article, where no sentence says it."""
    if group.family == "content":
        return ordered(group)
    return any(frame.rank >= 5 or frame.index < 4 for frame in group.frames if frame.weight >= 0.3)


def ordered(group: Group) -> bool:
    """Whether some words name an order, or tell that one was given."""
    return any(
        (frame.form == "noun" and frame.rank >= 8) or (frame.form == "verb" and frame.weight >= 1.0)
        for frame in group.frames
    )


def _order_or_notice(
    group: Group, votes: dict[str, float], slots: dict[str, Slot], marked: list[Marked]
) -> None:
    """Of persons without an office only those count whose notice, suit or order it is: others merely ask."""
    if any(frame.form == "noun" and frame.rank >= 8 for frame in group.frames):
        return
    offices = {slot.name for item in marked for slot in item.slots.values() if slot.official}
    for name in [n for n in votes if slots[n].kind == "person" and n not in offices and not holds_office(n)]:
        del votes[name]


_SPEAKERS = ("advocacy", "law firm")


def _speak_for_others(votes: dict[str, float], slots: dict[str, Slot]) -> None:
    """Rights groups and law firms act for those who are concerned; they demand by word of mouth alone."""
    if len(votes) > 1:
        for name in [n for n in votes if slots[n].kind == "organisation" and sort_of(n) in _SPEAKERS]:
            del votes[name]


_OFFICERS = re.compile(
    r"\b(?:law enforcement|officers?|detectives?|deputies|investigators?|agents)$", re.IGNORECASE
)
_POLICE = re.compile(r"\b(?:police|sheriff)", re.IGNORECASE)


def _officers_are_police(votes: dict[str, float], slots: dict[str, Slot], marked: list[Marked]) -> None:
    """ "Officers", "a detective": the police force that the article names, by name or not."""
    officers = [name for name in votes if slots[name].generic and _OFFICERS.search(name)]
    if not officers or any(slots[n].kind == "agency" and not slots[n].generic for n in votes):
        return
    forces = {
        slot.name: slot
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "agency" and _POLICE.search(slot.name)
    }
    if not forces:
        return
    best = min(forces.values(), key=lambda slot: slot.generic)
    for name in [name for name in officers if name != best.name]:
        slots.setdefault(best.name, best)
        votes[best.name] = votes.get(best.name, 0.0) + votes.pop(name)


def _court_itself(group: Group) -> bool:
    """Whether it is the court that orders a removal, while no words say that another has ordered it."""
    told = [
        frame.slots[name].kind
        for frame in group.frames
        if frame.form in ("noun", "verb")
        for name, weight in frame.issuers.items()
        if weight >= BESIDE
    ]
    return group.family == "content" and bool(told) and set(told) == {"court"}


def _courts_last(votes: dict[str, float], slots: dict[str, Slot]) -> None:
    """A court orders what somebody else has asked for: where that one is named, the court is no issuer."""
    if any(weight >= 1.0 for name, weight in votes.items() if slots[name].kind != "court"):
        for name in [name for name in votes if slots[name].kind == "court"]:
            del votes[name]


def _fold_umbrellas(
    votes: dict[str, float], slots: dict[str, Slot], marked: list[Marked], *, least: float
) -> None:
    """Let "the government", "agents", "the regulator" count for the agency that acts in the article."""
    agencies = [name for name in votes if slots[name].kind == "agency" and not _is_umbrella(slots[name])]
    for umbrella in [name for name in votes if _is_umbrella(slots[name])]:
        fitting = [
            name
            for name in agencies
            if _fits(umbrella, name) and (votes[name] >= 2.0 or not _FOREIGN.search(umbrella))
        ]
        if not fitting:  # "the Trump administration" beside "pressure from Bondi"
            fitting = [
                name
                for name in votes
                if slots[name].kind == "person" and votes[name] >= 2.0 and holds_office(name)
            ]
        if not fitting:
            needed = min(least, 1.0) if slots[umbrella].generic else least
            fitting = [
                name
                for name in salient(marked, ("agency",), exclude=set(votes), least=needed)
                if not UMBRELLA.search(name)
                and _fits(umbrella, name)
                and (_ADMINISTRATION.search(umbrella) or not _FOREIGN.search(umbrella))
            ]
        if fitting:
            best = max(fitting, key=lambda name: votes.get(name, 0.0))
            slots.setdefault(best, Slot(best, "agency"))
            votes[best] = votes.get(best, 0.0) + votes.pop(umbrella)


_ITSELF = re.compile(r"\b(?:army|military|navy|treasury|committee|panel|parliament)\b", re.IGNORECASE)


def _is_umbrella(slot: Slot) -> bool:
    if _ITSELF.search(slot.name):
        return False
    return slot.kind == "agency" and (slot.generic or UMBRELLA.search(slot.name) is not None)


_LOCAL = re.compile(
    r"\b(?:police|sheriffs?|jury|attorneys?|committee|panel|troopers|deputies|detectives)\b", re.IGNORECASE
)
_FOREIGN = re.compile(
    r"\b(?:[A-Z]\w+(?:ish|ese|ian|an|i|ch|ss)|French|Dutch|Swiss|Greek|Thai|UK|"
    r"EU)\b.*\b(?:[Gg]overnment|[Aa]uthorities|[Pp]olice|[Pp]rosecutors|[Ii]nvestigators)\b"
)
_ADMINISTRATION = re.compile(r"^(?:Trump|Biden|Obama|Bush|American|US|U\.S\.)\b")


def _fits(umbrella: str, name: str) -> bool:
    """Whether a common noun may stand for an agency: local forces do not stand for national ones."""
    return bool(_LOCAL.search(name)) if _LOCAL.search(umbrella) else True
