"""Demands read from acts: attempts at data, data taken, given or refused, and duties to give it."""

from __future__ import annotations

import re

from bot.stories.demand_duties import duty_frames
from bot.stories.demand_roles import (
    BESIDE,
    EXPLICIT,
    IMPOSTORS,
    LIST,
    Frame,
    clause_left,
    clause_right,
    demanding,
)
from bot.stories.demand_rules import PRONOUN_SUBJECT, holds, is_fact, rules, subject_of
from bot.stories.demand_trade import bought, favours
from bot.stories.marks import COMPANY, CONTENT, DATA, DEVICE, Marked

# Letters of which some must stand in a sentence for the rules of the same name: a look is cheaper.
# fmt: off
_ATTEMPTS = (
    "bid", "wish", "effort", "attempt", "quest", "push", "campaign", "fight", "drive", "request", "demand",
    "motion", "battle", "fail", "tri", "want", "seek", "sought", "hope", "aim",
)
_TURNING = ("turned to", "went to", "came to", "wrote to", "applied to")
_BREAKING = (
    "walked", "marched", "went", "entered", "stormed", "descended", "raid", "search", "seiz", "took",
    "emptied", "confiscat", "carr", "cop", "through", "removed",
)
# fmt: on
_REFUSALS = ("refus", "declin", "not ", "n't", "fail", "never", "nothing to")
# fmt: off
_TAKINGS = (
    "seek", "sought", "demand", "request", "want", "ask", "after", "obtain", "acquir", "seiz", "receiv",
    "access", "got", "subpoenaed", "collected", "pulled", "secured", "took", "gather", "swept",
)
# fmt: on


def act_frames(marked: Marked) -> list[Frame]:
    """Read attempts at data, and the acts of taking, giving, refusing and buying it."""
    text = marked.text
    frames: list[Frame] = []
    for match in rules().attempt.finditer(text) if holds(text, _ATTEMPTS) else ():
        _keep(frames, _attempted(marked, match))
    if DATA in text or DEVICE in text:
        for match in rules().taking.finditer(text) if holds(text, _TAKINGS) else ():
            _keep(frames, _taken(marked, match))
        frames.extend(_given(marked))
    frames.extend(bought(marked))
    for match in rules().refusing.finditer(text) if holds(text, _REFUSALS) else ():
        _keep(frames, _refused(marked, match))
    for match in _RAID.finditer(text) if holds(text, ("seiz", "raid", "search", "confiscat", "took")) else ():
        _keep(frames, _raided(marked, match))
    for match in _BROKE_IN.finditer(text) if holds(text, _BREAKING) else ():
        _keep(frames, _broke_in(marked, match))
    for match in _TURNED_TO.finditer(text) if holds(text, _TURNING) else ():
        _keep(frames, _turned_to(marked, match))
    frames.extend(favours(marked))
    frames.extend(duty_frames(marked))
    return frames


def _keep(frames: list[Frame], frame: Frame | None) -> None:
    if frame is not None:
        frames.append(frame)


_PURSUES = re.compile(
    r"(?<!\w)(?:drop|abandon|gave up|given up|los[et]|end|in (?:its|their|his|her)|launch|renew|"
    r"continu|press|step|is|are|was|were|also|then)|^$"
)


def _attempted(marked: Marked, match: re.Match[str]) -> Frame | None:
    text = marked.text
    if not (
        match.group("plain")
        or (match.group("deed") and DATA in match.group())
        or (match.group("content") and CONTENT in match.group("after"))
    ):
        return None
    if not is_fact(text[max(0, match.start() - 60) : match.start()] + " ", noun=False):
        return None
    if match.group("content") and all(
        s.kind == "company" for s in marked.names(match.group("who") or "") or ()
    ):
        return None  # a platform's own doing
    frame = Frame(marked.index, "informal request", "data", 2, "attempt", match.start(), weight=0.9)
    if match.group("content"):
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    gap = match.group("gap") or ""
    if gap.startswith("'") or marked.index < 0 or _PURSUES.search(gap):
        slots = demanding(marked.names(match.group("who") or ""))
        frame.vote("issuer", slots, EXPLICIT if gap.startswith("'") else BESIDE)
    inside = marked.names((match.group("rest") or "") + (match.group("after") or ""))
    frame.vote(
        "recipient",
        [slot for slot in inside if slot.kind == "company" and slot.name not in frame.issuers],
        BESIDE,
    )
    frame.vote("target", [slot for slot in inside if slot.kind in ("account", "person")], BESIDE)
    return frame


_WEAK_THINGS = {
    "information",
    "details",
    "account",
    "accounts",
    "code",
    "list",
    "lists",
    "phone",
    "phones",
    "record",
    "location",
    "mail",
    "movements",
}


_OF_SOMEBODY = re.compile(
    r" (?:of|from|belonging to) (?:[\w'-]+ ){0,5}?(?P<who>(?:reporter|journalist|editor|"
    r"activist|lawyer|lawmaker|senator|protester|"
    r"blogger|user|customer|aide|official|whistleblower|suspect|lawmaker|adviser|critic)s?)(?!\w)"
)


def _taken(marked: Marked, match: re.Match[str]) -> Frame | None:
    """ "The FBI obtained his e-mails": a demand when it is known whose data it was, or from whom."""
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    seek = match.group("seek") is not None
    verb = match.group("seek") or match.group("obtain")
    thing = match.group("more") or match.group("thing")
    past = verb.endswith("ed") or verb.startswith(("got", "took")) or marked.index < 0
    if seek and _A_REQUEST.search(left[-24:]) and verb in ("request", "demand"):
        return None  # a noun: "the committee's June request"
    if not is_fact(left[-70:], noun=False) or not (past or seek) or (verb == "after" and marked.index >= 0):
        return None
    subject = [
        slot
        for slot in subject_of(left, marked, courts=False)
        if slot.kind in ("agency", "person") or (seek and slot.kind == "organisation")
    ]
    if not subject:
        return None
    own = {slot.name for slot in subject}
    tail = right[:90]
    source = re.search(rf" from (?:the )?(?:[\w-]+ ){{0,2}}?(?P<who>{LIST})", tail)
    owners = re.search(rf"(?P<who>{LIST})(?:'s)?(?: [\w-]+){{0,3}} $", match.group("gap"))
    companies = [
        slot
        for slot in marked.names(
            (source.group("who") if source else "") + (owners.group("who") if owners else "")
        )
        if slot.kind == "company" and slot.name not in own
    ]
    about = [
        slot
        for slot in marked.names(match.group("gap") + tail)
        if slot.name not in own and slot.kind in ("person", "account", "organisation")
    ]
    if seek and not companies and not about:
        if all(slot.generic for slot in subject) or thing in _WEAK_THINGS:
            return None
        frame = Frame(marked.index, "informal request", "data", 1, "seeking", match.start(), weight=0.3)
        frame.vote("issuer", subject, EXPLICIT)
        return frame
    if (
        not companies
        and not about
        and (
            thing in _WEAK_THINGS
            or not (
                _OF_SOMEBODY.search(right) or re.search(r"(?<!\w)(?:his|her|their|its|that)(?!\w)", right)
            )
        )
    ):
        return None
    form = "seeking" if seek else "taking"
    somebody = None if companies or about else _OF_SOMEBODY.search(right)
    frame = Frame(marked.index, "informal request", "data", 1, form, match.start())
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", companies, EXPLICIT)
    frame.vote("target", about, BESIDE)
    if somebody:
        frame.targets.append(somebody.group("who"))
    frame.weight = 1.1 if companies else 0.4 if (seek or thing in _WEAK_THINGS) else 1.0
    return frame


_A_REQUEST = re.compile(
    r"(?:s'|'s|(?<!\w)(?:the|an?|its|their|his|her|this|that|any|first|previous|earlier|formal|new|latest))"
    r"(?: \w+){0,2} $"
)


_BROKE_IN = re.compile(
    r"(?<!\w)(?:raid(?:ed|s)?|search(?:ed|es)|seiz(?:ed|es)|took|emptied|confiscat(?:ed|es)|"
    r"carr(?:ied|ies) off|"
    r"cop(?:ied|ies)|(?:went|gone|going) through|combed through|removed|"
    r"(?:walked|marched|went) into|entered|stormed|descended on)(?P<gap>[^;]{0,90})"
)
_PLACE = re.compile(
    rf"(?<!\w)(?:home|house|apartment|flat|newsroom|offices?|premises|headquarters|studios?)(?!\w)|[{DEVICE}]"
)
_WATCHED = re.compile(
    r"(?<!\w)(?P<who>(?:reporter|journalist|editor|publisher|blogger|activist|protester|lawyer|attorney|"
    r"weekly|newspaper|magazine|broadcaster|newsroom|whistleblower|commenter|critic)s?)(?!\w)"
)


def _broke_in(marked: Marked, match: re.Match[str]) -> Frame | None:
    """ "Officers searched the home of a reporter": a warrant on a person or a paper."""
    text = marked.text
    gap = match.group("gap")
    left = clause_left(text, match.start())
    police = [slot for slot in subject_of(left, marked, courts=False) if slot.kind == "agency"]
    watched = _WATCHED.search(gap)
    who = [s for s in marked.names(gap) if s.kind in ("person", "company", "organisation") and not s.generic]
    if not police or not (watched or who) or not _PLACE.search(gap) or not is_fact(left[-70:], noun=False):
        return None
    frame = Frame(marked.index, "search warrant", "data", 4, "taking", match.start(), weight=0.7)
    frame.vote("issuer", police, EXPLICIT)
    firms = [slot for slot in who if slot.kind != "person"]
    frame.vote("recipient", firms or who, BESIDE)
    if watched and not who:
        frame.targets.append(watched.group("who"))
    return frame


_TURNED_TO = re.compile(
    rf"(?<!\w)(?:turn|went|came|wrote|appl)(?:ed|ied)? to (?:the )?(?P<who>{COMPANY})(?:,? which|"
    rf",? who|[,;:] it|"
    rf"[,;:] the (?:company|firm)|\.|$)(?P<rest>.{{0,60}})"
)
_ANSWERED = re.compile(
    r"^ (?:then |later |soon |had |has )?(?:gave|supplied|handed|provided|produced|turned|sent|named|"
    r"disclosed|refused|"
    r"declined|would not|said no|named)(?!\w)"
)


def _turned_to(marked: Marked, match: re.Match[str]) -> Frame | None:
    """ "The police turned to Apple, which supplied a name"."""
    left = clause_left(marked.text, match.start())
    who = [slot for slot in subject_of(left, marked, courts=False) if slot.kind == "agency"]
    rest = match.group("rest")
    if not who or not _ANSWERED.match(rest) or not (DATA in rest or "name" in rest or "refus" in rest):
        return None
    frame = Frame(marked.index, "informal request", "data", 2, "giving", match.start())
    frame.vote("issuer", who, EXPLICIT)
    frame.vote("recipient", marked.names(match.group("who")), EXPLICIT)
    return frame


_RAID = re.compile(
    rf"(?<!\w)(?:(?P<took>seiz(?:ed|es|ing)|confiscat(?:ed|es|ing)|took|taken)(?: [^;,]{{0,60}}?)? from|"
    rf"raid(?:ed|s)?(?: on)?|search(?:ed|es)?(?: of)?) (?:the )?(?:offices?|newsroom|home|premises)?(?: of)?"
    rf"(?: the)? ?(?P<who>{LIST})"
)


def _raided(marked: Marked, match: re.Match[str]) -> Frame | None:
    """ "Devices that officers seized from the Record": who is raided is who is asked by the warrant."""
    text = marked.text
    who = [
        s for s in marked.names(match.group("who")) if s.kind in ("company", "organisation") and not s.generic
    ]
    left = clause_left(text, match.start())
    if match.group("took") and not holds(text, (DATA, DEVICE)):
        return None
    if not who or not is_fact(left[-70:], noun=False) or _ENGINE.match(text, match.end()):
        return None
    frame = Frame(marked.index, "search warrant", "data", 4, "taking", match.start(), weight=0.6)
    frame.vote("recipient", who, BESIDE)
    frame.vote("issuer", [s for s in subject_of(left, marked, courts=False) if s.kind == "agency"], BESIDE)
    return frame


_ENGINE = re.compile(r"'s (?:search|history)| engine| (?:for|history)(?!\w)")
_HABIT = re.compile(r"(?:gives|provides|shares|hands|turns|passes|discloses)(?!\w)")
_GAVE = re.compile(r"(?<!\w)(?:gave|handed|turned|passed|surrendered)(?!\w)")


def _given(marked: Marked) -> list[Frame]:
    """ "Google gave the FBI the data", "the data was handed to the police"."""
    text = marked.text
    frames = []
    for pattern in (rules().giving, rules().gave):
        for match in pattern.finditer(text):
            to = [
                slot
                for slot in marked.names(match.group("to"))
                if slot.kind == "agency" or IMPOSTORS.search(slot.name)
            ]
            left = clause_left(text, match.start())
            if (
                not to
                or DATA not in text[max(0, match.start() - 60) : match.end() + 60]
                or not is_fact(left[-70:], noun=False)
            ):
                continue
            who = [
                slot
                for slot in subject_of(left, marked, courts=False)
                if slot.kind in ("company", "organisation")
            ]
            frame = Frame(
                marked.index,
                "informal request",
                "data",
                2,
                "giving",
                match.start(),
                weight=1.0 if who and _GAVE.search(match.group()) else 0.9 if who else 0.6,
            )
            if _HABIT.match(match.group()) and all(slot.generic for slot in to):
                frame.weight *= 0.5  # "Telegram now gives authorities the data": a custom
            frame.vote("issuer", to, BESIDE)
            frame.vote("recipient", who, EXPLICIT)
            frames.append(frame)
    return frames


_TOLD = re.compile(rf"(?<!\w)told (?:[\w'-]+ ){{0,2}}?(?P<to>{LIST}) (?:that )?(?:it|he|she|they)(?: \w+)? $")


def _refused(marked: Marked, match: re.Match[str]) -> Frame | None:
    """ "Apple refused to unlock the phone", "it would not give the FSB its keys"."""
    data = match.group("plain") or (
        match.group("deed") and (DATA in match.group() or DEVICE in match.group())
    )
    content = match.group("content") and CONTENT in match.group()
    if not data and not content:
        return None
    left = clause_left(marked.text, match.start())
    if re.search(r"(?<!\w)(?:could|may|might|if|whether|should|can|to)(?: \w+)? $", left):
        return None
    who = [
        slot
        for slot in subject_of(re.sub(r"for $", "", left), marked, courts=False)
        if slot.kind == "company"
    ]
    pronoun = PRONOUN_SUBJECT.search(left)
    told = _TOLD.search(left) if pronoun else None
    if told:  # "Durov told the FSB that he will not"
        who = [slot for slot in marked.names(left[: told.start()]) if slot.kind == "company"]
    if not who and not pronoun:
        return None
    frame = Frame(
        marked.index, "informal request", "data", 2, "refusing", match.start(), weight=0.9 if who else 0.6
    )
    if content:
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    frame.vote("recipient", who, EXPLICIT)
    if told:
        frame.vote(
            "issuer", [slot for slot in marked.names(told.group("to")) if slot.kind == "agency"], BESIDE
        )
    near = re.search(
        rf"(?: (?:to|for|with|help|assist|give|by))? (?:the |a |of the )?(?P<to>{LIST})", match.group("gap")
    )
    if near:
        frame.vote(
            "issuer", [slot for slot in marked.names(near.group("to")) if slot.kind == "agency"], BESIDE
        )
    return frame
