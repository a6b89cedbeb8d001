"""Who demands and who is asked in the end: the votes of all frames of a demand, put together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from bot.stories.demand_groups import Group
from bot.stories.demand_roles import BESIDE, LIST, Frame
from bot.stories.gazetteer import load
from bot.stories.marks import Marked, Slot

_UMBRELLA = re.compile(
    r"\b(?:government|administration|authorities|white house|officials|prosecutors|"
    r"law enforcement|investigators|feds)\b",
    re.IGNORECASE,
)
_PLAINTIFF = re.compile(
    r"studios|labels|plaintiff|producers|filmmakers|publishers|holders|owners", re.IGNORECASE
)


def _votes(group: Group, role: str) -> tuple[dict[str, float], dict[str, Slot]]:
    votes: dict[str, float] = defaultdict(float)
    slots: dict[str, Slot] = {}
    for frame in group.frames:
        for name, weight in (frame.issuers if role == "issuer" else frame.recipients).items():
            slots.setdefault(name, frame.slots[name])
            votes[name] += weight * min(1.0, 0.3 + frame.weight / 2) * (1.4 if frame.index < 2 else 1.0)
    return votes, slots


def _pick(votes: dict[str, float], slots: dict[str, Slot], *, share: float, least: float) -> tuple[str, ...]:
    """The party with most votes, and those that come near it; a real name before a common noun."""
    if not votes:
        return ()
    named = {name: weight for name, weight in votes.items() if not slots[name].generic}
    pool = named if max(named.values(), default=0.0) >= least else votes
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
    _speak_for_others(issuer_votes, issuer_slots)
    _officers_are_police(issuer_votes, issuer_slots, marked)
    _fold_umbrellas(issuer_votes, issuer_slots, marked, least=1.0 if group.family == "buy" else 2.5)
    issuers = _pick(issuer_votes, issuer_slots, share=0.7, least=1.0)[:3]
    if group.campaign and max(issuer_votes.values(), default=0.0) < 2.0:
        issuers = parties_of(group.campaign, marked)[0]
    recipients = _pick(recipient_votes, recipient_slots, share=0.4, least=0.45)[:8]
    if not issuers and _open_to_guess(group):
        least = 1.0 if len(marked) <= 9 else 1.5  # in a short report every name counts
        issuers = _litigants(group, marked, recipients) or _salient(
            marked, ("agency",), exclude=set(recipients), least=least
        )
    if not issuers and group.family == "data":
        issuers = _offices(marked)
    if not recipients and group.campaign:
        recipients = parties_of(group.campaign, marked)[1]
    if not recipients and group.family != "favour":
        least = 1.0 if group.family == "buy" else 2.0 if marked[0].slots else 3.0
        recipients = (
            _salient(marked, ("company",), exclude=set(issuers), least=least)
            or _actors(marked, _RESISTED, set(issuers))
            or _holders(marked, set(issuers))
            or _only_firm(marked, set(issuers))
        )
    elif group.family == "data" and max(recipient_votes.values(), default=0.0) <= 0.7:
        recipients = _whose_files(marked, set(issuers)) or recipients
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
    return _salient(marked, ("company",), exclude=exclude, least=2.0) or recipients


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


def _served_on_persons(group: Group) -> bool:
    served = ("national security letter", "subpoena", "civil subpoena", "gag order", "administrative summons")
    return any(frame.instrument in served for frame in group.frames)


def _settle(issuers: dict[str, float], recipients: dict[str, float]) -> None:
    """One party cannot be both: the stronger role wins."""
    for name in [name for name in recipients if name in issuers]:
        if issuers[name] >= recipients[name]:
            del recipients[name]
        else:
            del issuers[name]


def _companies_only(votes: dict[str, float], slots: dict[str, Slot]) -> None:
    """Where a company is asked, persons and agencies near by are not; an organisation near by never is."""
    if any(_sort(name) not in ("media", "press") and weight >= 1.0 for name, weight in votes.items()):
        for name in [name for name in votes if _sort(name) in ("media", "press")]:
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
_HOLDERS = ("media", "press", "platform", "messenger")


def _sort(name: str) -> str:
    entry = load().entries.get(name)
    return entry.sort if entry else ""


def holds_office(name: str) -> bool:
    """Whether a person is known for an office from which data is demanded."""
    return _sort(name) in ("official", "politician")


def _speak_for_others(votes: dict[str, float], slots: dict[str, Slot]) -> None:
    """Rights groups and law firms act for those who are concerned; they demand by word of mouth alone."""
    if len(votes) > 1:
        for name in [n for n in votes if slots[n].kind == "organisation" and _sort(n) in _SPEAKERS]:
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


def _holders(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """A news outlet or a free service on which the article turns: asked like a company."""
    spoken_of = {
        slot.name
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "organisation" and _sort(slot.name) not in _HOLDERS
    }
    return _salient(marked, ("organisation",), exclude=exclude | spoken_of, least=3.0)


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


def _only_firm(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """The one firm that the title and the first sentences name at all."""
    found = {
        slot.name
        for item in marked[:4]
        if item.index < 3
        for slot in item.slots.values()
        if slot.kind == "company" and not slot.generic and slot.name not in exclude
    }
    return tuple(found) if len(found) == 1 else ()


_FILES = re.compile(
    rf"(?P<who>{LIST})'s? (?:[\w-]+ ){{0,2}}(?:files|records|papers|documents|e-?mails|data|donors|"
    r"sources)(?!\w)"
)


def _whose_files(marked: list[Marked], exclude: set[str]) -> tuple[str, ...]:
    """Whose papers the title speaks of ("rifle through Media Matters' files"): who is to hand them over."""
    match = _FILES.search(marked[0].text)
    named = marked[0].names(match.group("who")) if match else []
    return tuple(s.name for s in named if s.kind in ("company", "organisation") and s.name not in exclude)[:1]


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
        if not fitting:
            needed = min(least, 1.0) if slots[umbrella].generic else least
            fitting = [
                name
                for name in _salient(marked, ("agency",), exclude=set(votes), least=needed)
                if not _UMBRELLA.search(name)
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
    return slot.kind == "agency" and (slot.generic or _UMBRELLA.search(slot.name) is not None)


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


def _salient(
    marked: list[Marked], kinds: tuple[str, ...], exclude: set[str], *, least: float = 1.5
) -> tuple[str, ...]:
    """The party of a kind that the title and the first sentences name most."""
    counts: dict[str, float] = defaultdict(float)
    for item in marked:
        weight = 2.0 if item.index < 0 else 1.0 if item.index < 5 else 0.5
        for slot in item.slots.values():
            if slot.kind in kinds and not slot.generic and slot.name not in exclude:
                counts[slot.name] += weight * (0.4 if _UMBRELLA.search(slot.name) else 1.0)
    if not counts:
        return ()
    best, weight = max(counts.items(), key=lambda pair: pair[1])
    return (best,) if weight >= least else ()


_SUED = re.compile(
    rf"(?P<who>{LIST})[^;.]{{0,40}}? (?:sued|sues|is suing|are suing|suing|sue|filed (?:a |"
    rf"the )?(?:defamation |copyright )?(?:law)?suit)(?!\w)"
)
_RESISTED = re.compile(
    rf"(?P<who>{LIST})[^;.]{{0,20}}? (?:refused|fought|challenged|resisted|objected|complied|"
    rf"contested|appealed|(?:had )?(?:asked (?:an?|the) [^;]{{0,30}} to (?:quash|block|set|throw)|"
    rf"moved to quash))(?!\w)"
)


def _litigants(group: Group, marked: list[Marked], recipients: tuple[str, ...]) -> tuple[str, ...]:
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
    return _actors(marked, _SUED, exclude)


_OFFICES = re.compile(
    r"\b(?:jury|prosecutors?|police|detectives?|investigators?|sheriff|regulator|ministry)\b", re.IGNORECASE
)


def _offices(marked: list[Marked]) -> tuple[str, ...]:
    """Whoever may demand, by a common noun, where the article names nobody ("the grand jury")."""
    for item in marked[:9]:
        for slot in item.slots.values():
            if slot.generic and slot.kind == "agency" and _OFFICES.search(slot.name):
                return (slot.name,)
    return ()


def _actors(marked: list[Marked], pattern: re.Pattern[str], exclude: set[str]) -> tuple[str, ...]:
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
    secret = instrument == "court order" and _ABROAD.search(" ".join(issuers)) is not None
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
