"""What only the whole article says of who is asked: a block is carried out by operators, records are held by
a carrier, "the landlord" is the firm that is named.

One sentence at a time, the blocked service looks like the one that is asked, and the newspaper whose calls
were listed like the one that handed them over. Here the frames of an article (`demand_frames`) are looked at
together and their votes corrected, before they are put together into demands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.stories.demand_guesses import OUTLET, sort_of
from bot.stories.demand_roles import BESIDE, EXPLICIT, LIST, LISTS, Frame
from bot.stories.demand_unable import in_office, leave_out_the_unable
from bot.stories.marks import PARTY, Marked, Slot


def settle(frames: list[Frame], marked: list[Marked]) -> list[Frame]:
    """Correct the votes of an article's frames by its other sentences; leave out what is no demand."""
    if any(frame.family == "content" for frame in frames) and (operators := _told_to_block(marked)):
        _let_operators_block(frames, operators, {item.index: item for item in marked})
    if any(frame.form in ("taking", "noun", "verb", "seeking") for frame in frames if frame.family != "buy"):
        _let_carriers_hold(frames, marked)
    _name_the_nouns(frames, marked)
    _name_the_force(frames, marked)
    _name_the_court(frames, marked)
    _only_offices_get_warrants(frames)
    _courts_order_what_agencies_pass_on(frames, marked)
    _leave_out_go_betweens(frames, marked)
    leave_out_the_unable(frames)
    return _demands_alone(frames, marked)


# ------------------------------------------------------------------ blocks

_OPERATORS = re.compile(
    r"\b(?:providers?|isps?|carriers?|(?:telecom\w*|phone|mobile|network|gateway|internet|cable) "
    r"(?:operators?|companies|companys?|firms?|providers?)|operators|gateways|telecoms|telcos)$",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rf"(?<!\w)(?:told|tells|order(?:ed|s|ing)|ask(?:ed|s|ing)|instruct(?:ed|s|ing)|direct(?:ed|s|ing)|"
    rf"oblig(?:ed|es|ing)|requir(?:ed|es|ing)|forc(?:ed|es|ing)|compell?(?:ed|s|ing)|had) "
    rf"(?:all |the |its |some |major |main |country's |other |every |\w+ing )*(?P<who>{LIST})[^.;]{{0,30}}? "
    rf"(?:to )?(?:block|suspend|cut|shut|restrict|filter|stop|deny|disable|disconnect|bar|switch|slow|"
    rf"throttle)"
)
_OBEYED = re.compile(
    rf"(?P<who>{LIST})(?:,? [^.;,]{{0,30}}?| (?:and|as well as) [^.;]{{0,40}}?|"
    rf", [^.;,]{{0,40}},)? (?:obey(?:ed|s)|"
    r"act(?:ed|ing) on|carried (?:it |them )?out|compl(?:ied|y)|went along|go along|follow(?:ed|s) (?:suit|"
    r"the)|"
    r"implement(?:ed|s|ing)?|enforc(?:ed|es)|began (?:blocking|to block|on)|(?:have |has |had )?block(?:ed|"
    r"s)|"
    r"(?:were|was|been) (?:told|ordered|instructed|directed|given)|received [^.;]{0,30}"
    r"(?:orders?|directives?|instructions?|letters?)|unblock(?:ed|s)|restor(?:ed|es)|cut (?:off|access)|"
    r"(?:blamed|cited|citing) [^.;]{0,30}(?:orders?|directives?|government))(?!\w)"
)


def _shuts_off(frame: Frame) -> bool:
    """Whether a frame tells that a whole service was shut off, or let in again (`demand_removals`)."""
    return frame.form == "removal" and bool(frame.issuers) and frame.weight in (0.7, 1.0)


def _operators(slots: list[Slot]) -> list[Slot]:
    """Who carries traffic; where one of a list does, the firms beside it do."""
    firms = [slot for slot in slots if slot.kind == "company"]
    if any(_OPERATORS.search(slot.name) or sort_of(slot.name) == "telecom" for slot in firms):
        return [slot for slot in firms if sort_of(slot.name) in ("telecom", "")]
    return []


def _told_to_block(marked: list[Marked]) -> list[Slot]:
    """The operators that the article lets block, or lets be told to."""
    found: dict[str, Slot] = {}
    for item in marked:
        for pattern in (_TOLD, _OBEYED):
            for match in pattern.finditer(item.text):
                for slot in _operators(item.names(match.group("who"))):
                    found.setdefault(slot.name, slot)
    return list(found.values())


def _let_operators_block(frames: list[Frame], operators: list[Slot], texts: dict[int, Marked]) -> None:
    """The operators are asked, the service that is shut off is what the demand is about."""
    names = {slot.name for slot in operators}
    shut = {
        slot.name
        for frame in frames
        if _shuts_off(frame) and frame.index in texts
        for slot in texts[frame.index].slots.values()
        if slot.kind in ("company", "organisation")
        and slot.name not in names
        and slot.name not in frame.issuers
    }
    asked = {
        name
        for frame in frames
        if frame.form in ("verb", "refusing", "noun") and frame.family != "gag"
        for name, weight in frame.recipients.items()
        if weight >= BESIDE
    }
    for frame in frames:
        if frame.family not in ("content", "any"):
            continue
        there = [slot for slot in operators if slot.name in frame.recipients]
        if _shuts_off(frame):
            there = operators
        elif there:  # "obliges providers to block VKontakte": what stands near is what shall go
            _move(frame, {n for n, weight in frame.recipients.items() if weight < BESIDE and n not in names})
        if there or frame.form == "removal":
            _move(frame, shut - asked)
        frame.vote("recipient", there, EXPLICIT)


def _move(frame: Frame, names: set[str]) -> None:
    """Make recipients what the demand is about."""
    for name in names & set(frame.recipients):
        del frame.recipients[name]
        frame.vote("target", [frame.slots[name]], BESIDE)


# ------------------------------------------------------------------ records of calls

_CALLS = re.compile(
    r"(?<!\w)(?:tele)?(?:phone|call|toll|cellphone|calling)[ -](?:records|data|logs|bills|lists)"
)
_GAVE = re.compile(
    rf"(?P<who>{LIST})(?:, [^,;]{{0,60}},)? (?:has |had |have )?(?:(?:turned|handed|gave|provided|supplied|"
    rf"delivered|"
    r"passed|released|disclosed|complied|sent|answered|obliged)(?!\w)|(?:was|were) (?:served|asked|ordered|"
    r"subpoenaed|told))"
)
_FROM = re.compile(
    rf"(?<!\w)(?:from|by|of|with|to) (?:the |a |an |her |his |its |their |\w+ )?(?P<who>{LIST})"
)


def _let_carriers_hold(frames: list[Frame], marked: list[Marked]) -> None:
    """Lists of calls are got from a carrier, whoever made the calls: a paper is whom they are about."""
    texts = {item.index: item for item in marked}
    lists = [
        frame
        for frame in frames
        if frame.family in ("data", "any") and frame.index in texts and _CALLS.search(texts[frame.index].text)
    ]
    if not lists:
        return
    carriers = list(dict.fromkeys(_carriers(marked)))
    if not carriers:
        return
    for frame in frames:
        if frame.family in ("data", "any"):
            for carrier in carriers:
                frame.issuers.pop(carrier.name, None)
            spoken = {name for name in frame.recipients if sort_of(name) in ("press", "media")}
            spoken |= {
                name for name in frame.recipients if frame.slots[name].kind in ("person", "organisation")
            }
            if spoken and frame in lists:
                _move(frame, spoken)
    for frame in lists:
        if frame.form in ("taking", "noun", "verb", "seeking") and not any(
            weight >= BESIDE for weight in frame.recipients.values()
        ):
            frame.vote("recipient", carriers[:3], EXPLICIT)


def _carriers(marked: list[Marked]) -> Iterator[Slot]:
    """The carriers that gave or were asked; where there is none, those that are named at all."""
    named: list[Slot] = []
    sure = False
    for item in marked:
        for pattern in (_GAVE, _FROM):
            for match in pattern.finditer(item.text):
                for slot in _operators(item.names(match.group("who"))):
                    sure = True
                    yield slot
        named.extend(
            slot for match in LISTS.finditer(item.text) for slot in _operators(item.names(match.group()))
        )
    if not sure:
        yield from named[:1]


# ------------------------------------------------------------------ nouns that stand for a name

_ONE_FIRM = re.compile(
    r"(?:^|.* )(?:landlord|school|publisher|giant|studio|label|lender|bank|company|firm|chain|plaintiff|"
    r"hospital|"
    r"clinic|newspaper|bookseller|bookstore|retailer|manufacturer|provider|carrier|operator|host|messenger|"
    r"broker|exchange|startup|start-up|service|registrar|business|university)$",
    re.IGNORECASE,
)
_PAPER = re.compile(r"\b(?:newspaper|weekly|daily|publisher)$", re.IGNORECASE)
_WENT_TO_COURT = re.compile(
    rf"(?P<who>{LIST})(?:, [^.;]{{0,80}},)? (?:has |had |have |also |then |first )*(?:applied|filed|sued|"
    rf"sues|asked|"
    r"asks|sought|seeks|petitioned|moved|subpoenaed|obtained|wants|wanted|served|sent|withdrew|brought|"
    r"demanded)(?!\w)"
)
_NEVER_DEMAND = ("advocacy", "law firm", "press", "research", "union")
_ENOUGH_PLACES = 2


def _name_the_nouns(frames: list[Frame], marked: list[Marked]) -> None:
    """Let "the landlord", "a private school" be the one firm that the article names for it."""
    nouns = {
        role: {
            name: frame.slots[name]
            for frame in frames
            if frame.family != "favour"
            for name in getattr(frame, role)
            if frame.slots[name].generic and frame.slots[name].kind in _FIRMS and _ONE_FIRM.match(name)
        }
        for role in ("issuers", "recipients")
    }
    if not any(nouns.values()):
        return
    named: dict[str, Slot] = {}
    places: dict[str, int] = {}
    for item in marked:
        for slot in item.slots.values():
            if slot.kind in _FIRMS and not slot.generic:
                named.setdefault(slot.name, slot)
                places[slot.name] = places.get(slot.name, 0) + 1
    taken = {
        role: {n for frame in frames for n, weight in getattr(frame, role).items() if weight >= BESIDE}
        for role in nouns
    }
    going = {
        slot.name
        for item in marked
        for match in _WENT_TO_COURT.finditer(item.text)
        for slot in item.names(match.group("who"))
    }
    for noun in nouns["issuers"].values():
        able = [
            slot
            for name, slot in named.items()
            if name in going and name not in taken["recipients"] and sort_of(name) not in _NEVER_DEMAND
        ]
        _rename(frames, "issuers", noun, able)
    for noun in nouns["recipients"].values():
        others = [
            slot
            for name, slot in named.items()
            if name not in taken["issuers"]
            and (places[name] >= _ENOUGH_PLACES or noun.kind == "organisation")
        ]
        papers = [slot for slot in others if _is_paper(slot)]
        firms = [slot for slot in others if slot.kind == "company" and slot not in papers]
        unlisted = [slot for slot in firms if not sort_of(slot.name)]
        if not _PAPER.search(noun.name):
            _rename(frames, "recipients", noun, firms)
        elif noun.name.lower().endswith("publisher"):  # a firm as often as a paper
            _rename(frames, "recipients", noun, papers + unlisted)
        else:
            _rename(frames, "recipients", noun, papers or unlisted)


_FIRMS = ("company", "organisation")


def _is_paper(slot: Slot) -> bool:
    return sort_of(slot.name) in ("press", "media") or OUTLET.search(slot.name) is not None


def _rename(frames: list[Frame], role: str, noun: Slot, able: list[Slot]) -> None:
    """Count a noun's votes for the one firm that it may stand for; two are none."""
    if len(able) != 1:
        return
    (firm,) = able
    for frame in frames:
        votes = getattr(frame, role)
        if noun.name in votes:
            weight = votes.pop(noun.name)
            frame.slots.setdefault(firm.name, firm)
            votes[firm.name] = max(votes.get(firm.name, 0.0), weight)


# ------------------------------------------------------------------ who acts in an office

_OFFICER = re.compile(
    r"^(?:[\w-]+ )?(?:detectives?|deputies|officers?|police|sheriffs?|cops)$", re.IGNORECASE
)
_FORCE = re.compile(r"\b(?:police|sheriff|constabulary)\b", re.IGNORECASE)
_OF_THE_STATE = (
    "search warrant",
    "geofence warrant",
    "keyword warrant",
    "wiretap order",
    "pen register order",
)


def _name_the_force(frames: list[Frame], marked: list[Marked]) -> None:
    """ "A detective", "deputies": the one police force that the article names."""
    forces = {
        slot.name: slot
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "agency"
        and not slot.generic
        and (_FORCE.search(slot.name) or sort_of(slot.name) == "police")
    }
    if len(forces) != 1:
        return
    officers = {
        name: frame.slots[name]
        for frame in frames
        for name in frame.issuers
        if frame.slots[name].generic and frame.slots[name].kind == "agency" and _OFFICER.match(name)
    }
    for officer in officers.values():
        _rename(frames, "issuers", officer, list(forces.values()))


_A_COURT = re.compile(r"^(?:court|judge|magistrate|tribunal|judges)$", re.IGNORECASE)


def _name_the_court(frames: list[Frame], marked: list[Marked]) -> None:
    """ "A court", "the judge": the one court that the article names, or names first of all."""
    nouns = {name: frame.slots[name] for frame in frames for name in frame.issuers if _A_COURT.match(name)}
    if not nouns:
        return
    named = [
        (item.index, slot)
        for item in marked
        for slot in item.slots.values()
        if slot.kind == "court" and not slot.generic and _COURT_OF_LAW.search(slot.name)
    ]
    courts = {slot.name: slot for _, slot in named}
    first = {slot.name: slot for index, slot in named if index < 1}
    for noun in nouns.values():
        _rename(frames, "issuers", noun, list((courts if len(courts) == 1 else first).values()))


def _only_offices_get_warrants(frames: list[Frame]) -> None:
    """A person beside a warrant is its target, a lawyer or a critic, unless it is an officer."""
    for frame in frames:
        if frame.instrument in _OF_THE_STATE and frame.family in ("data", "any"):
            for name in list(frame.issuers):
                slot = frame.slots[name]
                if slot.kind == "person" and not in_office(slot):
                    del frame.issuers[name]


_PASSED_ON = re.compile(
    rf"(?P<who>{LIST})(?:, [^,;.]{{0,50}},)?(?:'s [\w-]+(?: [\w-]+)?)? (?:has |had |have |then |also |was |"
    rf"were |"
    r"(?:has|had|got) (?:\w+ ){1,2}to )*"
    r"(?:(?:pass(?:ed|es)?|forward(?:ed|s)?|relay(?:ed|s)?|hand(?:ed|s))(?: on)? (?:the|its|that|this|it)|"
    r"notif(?:ied|ies)|carr(?:ied|ies) (?:it |the \w+ )?out|executed)(?!\w)"
)
_COURT_OF_LAW = re.compile(r"\b(?:court|tribunal|judge|circuit)\b", re.IGNORECASE)


def _courts_order_what_agencies_pass_on(frames: list[Frame], marked: list[Marked]) -> None:
    """An agency that passes a court's order on to operators has not given it: the judge has, or the court."""
    agencies = {
        name
        for frame in frames
        if frame.family in ("content", "any")
        for name in frame.issuers
        if frame.slots[name].kind == "agency"
    }
    courts: dict[str, float] = {}
    for item in marked:
        for slot in item.slots.values():
            if slot.kind == "court" and not slot.generic:
                person = 0.0 if _COURT_OF_LAW.search(slot.name) else 1.0
                courts[slot.name] = courts.get(slot.name, person) + 1
    if not agencies or not courts:
        return
    passing = {
        (slot.name, item.index)
        for item in marked
        for match in _PASSED_ON.finditer(item.text)
        for slot in item.names(match.group("who"))
        if slot.name in agencies and sort_of(slot.name) != "executive"
    }
    names, there = {name for name, _ in passing}, {index for _, index in passing}
    judge = Slot(max(courts, key=lambda name: courts[name]), "court")
    for frame in frames:
        if frame.family in ("content", "any") and (names & set(frame.issuers) or frame.index in there):
            for name in names & set(frame.issuers):
                del frame.issuers[name]
            if not frame.issuers:
                frame.vote("issuer", [judge], BESIDE)


_GO_BETWEEN = re.compile(rf"(?<!\w)(?:by way of|through|via) (?:the )?(?P<who>{PARTY})(?!'s)")


def _leave_out_go_betweens(frames: list[Frame], marked: list[Marked]) -> None:
    """The office through which a request goes abroad ("by way of Europol") is not the one that asks."""
    between = {
        slot.name
        for item in marked
        if "through" in item.text or "way of" in item.text or "via" in item.text
        for match in _GO_BETWEEN.finditer(item.text)
        for slot in item.names(match.group("who"))
        if slot.kind == "agency"
    }
    others = {name for frame in frames for name in frame.issuers} - between
    for frame in frames if between and others else ():
        for name in between & set(frame.issuers):
            del frame.issuers[name]


# ------------------------------------------------------------------ what looks like a demand and is none

_FINED = re.compile(r"(?<!\w)(?:fin(?:ed|es|e)|penalt(?:y|ies))(?!\w)")
_OWED_TO_THE_STATE = re.compile(
    r"hand|turn|giv|provid|disclos|surrender|deliver|key|decrypt|unlock|remov|delet|block|tak|identif|"
    r"unmask|produc"
)
_TRIAL = re.compile(r"(?<!\w)(?:jurors?|witness(?:es)?|defendant|hush money|murder|prosecutors|trial)(?!\w)")


def _demands_alone(frames: list[Frame], marked: list[Marked]) -> list[Frame]:
    """Fines for what a firm owes its users, and gags on those who stand trial, are no demands."""
    texts = {item.index: item.text for item in marked}
    gags = [frame for frame in frames if frame.family == "gag"]
    persons = gags and all(frame.slots[n].kind == "person" for frame in gags for n in frame.recipients)
    data = sum(frame.weight for frame in frames if frame.family == "data" and frame.rank >= _EXACT)
    trial = (
        persons and data < 1.0 and sum(bool(_TRIAL.search(text)) for text in texts.values()) >= _ENOUGH_PLACES
    )
    return [
        frame
        for frame in frames
        if not (trial and frame.family == "gag")
        and not (
            frame.form == "refusing"
            and not frame.issuers
            and _FINED.search(text := texts.get(frame.index, ""))
            and not _OWED_TO_THE_STATE.search(text, frame.position, frame.position + 60)
        )
    ]


_EXACT = 5  # rank from which an instrument is named exactly
