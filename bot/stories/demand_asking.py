"""Demands read from verbs: "DHS subpoenaed Google", "a judge ordered Twitter to hand over the data"."""

from __future__ import annotations

import re

from bot.stories.demand_nouns import TESTIMONY
from bot.stories.demand_roles import (
    BESIDE,
    EXPLICIT,
    LIST,
    LISTS,
    Frame,
    asked,
    clause_left,
    clause_right,
    demanding,
    phrase_before,
)
from bot.stories.demand_rules import GENERAL, THINGS, holds, is_fact, rules, subject_of
from bot.stories.marks import COMPANY, CONTENT, DATA, DEVICE, ORGANISATION, PARTY, Marked, Slot

_THEM = re.compile(r" (?:them|it|those|the (?:\w+ )?(?:messages|records|data|material|files|logs))(?!\w)")
_AUX = re.compile(
    rf"(?:(?P<who>{LIST})(?:,? (?:which|who))?(?:, [^,;]{{0,60}},)?(?:'s)? )?(?:was|were|been|is|"
    rf"are|being|be|got|gets|have been|has been|had been)(?: \w+ly| also| then| now| first| "
    r"thereupon| therefore| later| again)? $"
)
_ALLOWED = re.compile(rf"(?P<who>{LIST}) (?:to )?$")
_CANNOT = re.compile(r"(?<!\w)(?:cannot|can't|can not|may not|could not) $")
_NO_DEMAND = re.compile(
    r"^(?: to (?:comment|respond|explain|testify|appear|pay|apologi[sz]e|answer questions|"
    r"account|be (?:named|quoted))| if | whether | why | how )"
)


_INSTRUMENT_VERBS = ("subpoena", "summon", "served ", "appl")


def verb_frames(marked: Marked) -> list[Frame]:
    """Read the verbs: subpoenaed; ordered, asked, demanded that somebody do something."""
    rule = rules()
    frames: list[Frame] = []
    if holds(marked.text, _INSTRUMENT_VERBS):
        for match in rule.instrument_verb.finditer(marked.text):
            frame = _subpoenaed(marked, match)
            if frame:
                frames.append(frame)
    for match in rule.demanding.finditer(marked.text):
        frame = _demanded(marked, match)
        if frame:
            frames.append(frame)
    return frames


def _subpoenaed(marked: Marked, match: re.Match[str]) -> Frame | None:
    rule = rules()
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    if not is_fact(left[-70:], noun=False):
        return None
    frame = Frame(
        marked.index, rule.instrument_verbs[(match.lastindex or 1) - 1], "data", 5, "verb", match.start()
    )
    passive = _AUX.search(left)
    by = re.match(rf"(?: [\w,-]+){{0,4}}? by (?:the |a |an )?(?:[\w-]+ ){{0,2}}?(?P<by>{LIST})", right)
    if passive or by or (marked.index < 0 and re.match(r" (?:by|for|over|in)(?!\w)", right)):
        who = passive.group("who") if passive else None
        if who is None and (found := list(LISTS.finditer(left))):
            who = found[-1].group()
        frame.vote("recipient", asked(marked.names(who or "")), EXPLICIT)
        if by:
            frame.vote("issuer", demanding(marked.names(by.group("by"))), EXPLICIT)
    else:
        allowed = _ALLOWED.search(left)
        subject = demanding(marked.names(allowed.group("who"))) if allowed else []
        subject = subject or subject_of(left, marked, courts=False) or phrase_before(left)
        frame.vote("issuer", subject, EXPLICIT)
        what = re.match(
            rf"(?: (?!(?:for|to|in|on|about|from|and|over|as|by|at|with|who|that)\b)[a-z-]+){{0,4}}? "
            rf"(?:of (?:both )?)?(?P<who>{LIST})(?P<own>'s)?",
            right,
        )
        if what:
            slots = marked.names(what.group("who"))
            firms = [slot for slot in slots if slot.kind in ("company", "organisation")]
            frame.vote(
                "recipient" if firms or not what.group("own") else "target", firms or asked(slots), EXPLICIT
            )
        elif _THEM.match(right) and (holders := [s for s in marked.slots.values() if s.kind == "company"]):
            frame.vote("recipient", holders[:1], BESIDE)
        elif DATA not in right[:90] and not (subject and DATA in left[-80:]):
            return None
        for found_from in re.finditer(rf" from (?:the )?(?P<who>{LIST})", right):
            frame.vote("recipient", asked(marked.names(found_from.group("who"))), EXPLICIT)
    if any(slot.kind == "company" for slot in frame.slots.values()):
        frame.weight = 2.0
    elif TESTIMONY.search(text):
        frame.weight = 0.2
    elif DATA not in text:
        frame.weight = 0.3
    return frame


def _demanded(marked: Marked, match: re.Match[str]) -> Frame | None:
    rule = rules()
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    ruled = (
        match.group("force") is not None and _CANNOT.search(left) is not None
    )  # "cannot force Reddit to name"
    if _NO_DEMAND.match(right) or not (ruled or is_fact(left[-70:], noun=False)):
        return None
    verb = match.group()
    ordered = match.group("order") is not None
    frame = Frame(
        marked.index,
        "court order" if ordered else "informal request",
        "data",
        4 if ordered else 2,
        "verb",
        match.start(),
    )
    frame.asking = verb.startswith(("demand", "ask", "request", "want", "press", "seek", "approach"))
    passive = _AUX.search(left)
    participle = verb.endswith("ed") or verb in ("told", "made", "given")
    reduced = participle and not passive and re.match(r" (?:by|to) ", right) is not None
    if participle and (passive or reduced):
        found = rule.passive.match(right)
        if not found:
            return None
        who = passive.group("who") if passive else None
        if who is None and (lists := list(LISTS.finditer(left))) and len(left) - lists[-1].end() < 45:
            who = lists[-1].group()
        frame.vote("recipient", asked(marked.names(who or "")), EXPLICIT)
        if found.group("by"):
            frame.vote("issuer", demanding(marked.names(found.group("by")), courts=True), EXPLICIT)
    else:
        found = rule.active.match(right)
        if not found or not _COMPLEMENT.search(found.group("between")):
            return (
                _wanted_from(frame, marked, left, right)
                or _blocked(frame, marked, left, right)
                or _ordered_to(frame, marked, left, right)
                or _phrase_asked(frame, marked, left, right)
            )
        slots = marked.names(found.group("owned") or found.group("who") or "")
        frame.vote("recipient", asked(slots), EXPLICIT)
        if found.group("owned"):
            frame.vote("target", marked.names(found.group("who")), BESIDE)
        firm = any(slot.kind == "company" and not slot.generic for slot in slots)
        frame.vote(
            "issuer",
            subject_of(left, marked, courts=True) or (phrase_before(left) if firm else []),
            EXPLICIT,
        )
        if (
            not found.group("who")
            and not frame.issuers
            and not re.search(r"(?<!\w)(?:orders?|warrant|subpoena|summons|notice|that|which|it) $", left)
        ):
            return None
    if set(frame.recipients) & set(frame.issuers):
        frame.issuers.clear()
    if not frame.recipients and (found.re is rule.passive or found.group("who")):
        return None
    return _deed(frame, found, text)


def _state_to_person(frame: Frame) -> bool:
    return any(frame.slots[name].kind == "person" for name in frame.recipients) and any(
        frame.slots[name].kind == "agency" for name in frame.issuers
    )


_NOT_DATA = re.compile(
    r"(?:hand|turn|giv\w*|surrender\w*|releas\w*|disclos\w*)(?: over)?(?: (?:the|its|their|his|"
    r"more|some|any|over|up|all))* (?:cash|money|\$|control|power|funds|suspects?|land|"
    r"territory|hostages?|weapons|guns|reins|profits|prisoners?|tax returns|medical supplies|"
    r"ukraine)"
)
_KEEPS = re.compile(r"preserv|retain|keep|save|saving")
_COMPLEMENT = re.compile(
    r"^ $|^: $|^, [^;]{0,60}?, (?:to|must)(?: \w+){0,2} $|^ (?:to|not to|must|should|should not|have to|"
    r"over|for)(?!\w)|^(?: (?!that |which |"
    r"who )[\w,-]+){0,6} (?:to|must|should|has to)(?: \w+){0,2} $"
)
_BLOCKED = re.compile(
    rf"(?: on \w+day| in \w+)?(?: (?:that|the))* (?P<who>{LIST})(?:'s (?:[\w-]+ "
    rf"){{0,3}}(?P<owned>{LIST})?)? (?:to be |"
    rf"be )?(?:blocked|banned|suspended|shut down|cut off|switched off|shut off|closed|taken down|taken "
    rf"offline|removed|"
    rf"unblocked)(?!\w)"
)


_BLOCK_A_FIRM = re.compile(
    rf"[^;]{{0,120}}?(?<!\w)(?:block|suspend|ban|restrict|cut|cut off|shut|shut down|shut off|switch "
    rf"off|slow|"
    rf"slow down|throttle|limit|stop|stop offering|stop carrying|bar|end|deny|prevent|disable|close|"
    rf"keep|pull|remove|disconnect|throw|make|take)(?:(?: all)? access to)?(?: [\w,'-]+){{0,4}}? "
    rf"(?:{COMPANY}|{ORGANISATION}|[\w-]+(?:\.[a-z]{{2,6}})+(?!\w)|(?:access|internet|web|"
    rf"connections?|networks?|platforms?|services?|messengers?|social media|websites|apps)(?!\w))"
)
_IT_GONE = re.compile(
    r"(?:remov|delet|tak|pull|block|label|switch|shut|cut|clos|turn|slow)\w* (?:it|them|what|those)(?!\w)|"
    r"(?:implement|impose|enforce|apply) (?:an?|the) |"
    r"make [^;.]{1,50} (?:inaccessible|unreachable|unavailable)"
)
_SILENCE_SOMEBODY = re.compile(
    rf"(?:censor|silence|ban|suspend|deplatform|de-platform|mute) (?:president |candidate |senator )?{PARTY}"
)
_SERVICE_GONE = re.compile(
    rf"(?: on \w+day)?(?: (?:the|an?))?(?: [\w\",'-]+){{0,5}}? (?:suspension|block|blocking|blockade|"
    rf"shutdown|blackout|"
    rf"ban|removal|throttling)\"? (?:of|on) (?:the )?(?:[\w-]+ )?(?P<who>{LIST})"
)
_ORDERED_TO = re.compile(rf"(?: (?:the|all))* (?:(?P<who>{LIST})|it|them)(?: \w+)? to(?:[.,:;]|$)")
_DEMANDED_IT = re.compile(r" (?:it|them|this|the (?:step|move|blocks?|removals?))(?:[ ,.;]|$)")
_ASKED_NOUN = re.compile(
    rf" (?:an?|the|its) (?P<phrase>(?:[a-z][a-z-]* ){{1,3}}?)(?:[{DATA}{DEVICE}{CONTENT}]+ )?to "
    r"(?P<rest>.{0,60})"
)


def _phrase_asked(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """ "a court ordered a news site to take down an article": the one that is asked is no known party."""
    found = _ASKED_NOUN.match(right)
    subject = subject_of(left, marked, courts=True)
    if not found or frame.instrument != "court order" or not subject:
        return None
    deed = rules().deed.match(found.group("rest"))
    if not deed:
        return None
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", [Slot(found.group("phrase").strip(), "company", generic=True)], BESIDE)
    return _deed(frame, deed, marked.text)


def _ordered_to(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """ "after the regulator ordered them to": what was done stands elsewhere in the sentence."""
    if frame.asking and _DEMANDED_IT.match(right):
        frame.vote("issuer", subject_of(left, marked, courts=False), EXPLICIT)
        frame.family, frame.weight = "any", 0.7
        return frame if frame.issuers else None
    found = _ORDERED_TO.match(right)
    if not found or frame.instrument != "court order":
        return None
    frame.vote("issuer", subject_of(left, marked, courts=True), EXPLICIT)
    frame.vote("recipient", asked(marked.names(found.group("who") or "")), EXPLICIT)
    frame.family, frame.weight = "any", 0.9
    return frame if frame.issuers else None


def _blocked(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """ "orders LinkedIn blocked", "ordered the suspension of X": the platform is what shall go."""
    found = _BLOCKED.match(right)
    gone = None if found else _SERVICE_GONE.match(right)
    if not (found or gone) or frame.instrument != "court order":
        return None
    frame.instrument, frame.family, frame.rank, frame.weight = "takedown order", "content", 5, 1.2
    names = (found.group("owned") or found.group("who")) if found else gone.group("who") if gone else ""
    frame.vote(
        "recipient",
        [s for s in marked.names(names) if s.kind == "company"],
        EXPLICIT,
    )
    frame.vote("issuer", subject_of(left, marked, courts=True), EXPLICIT)
    return frame if frame.recipients else None


_TO_BE_GONE = re.compile(r" be (?:\w+ )?(?:removed|taken down|deleted|pulled|erased)$")
"""Before "from YouTube": what is asked for is gone, and not given."""


def _wanted_from(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """ "demanded user data from Google", "asked Apple for the data"."""
    if frame.instrument != "court order" and not frame.asking:
        return None
    source = re.search(rf" from (?:the )?(?:[\w-]+ ){{0,2}}?(?P<from>{LIST})", right[:150])
    found = re.match(
        rf"(?: (?:the|a))*(?: [a-z-]+)? (?P<who>{LIST})(?: (?:in|on|last|this) \w+)*(?: host| owner|"
        rf" parent| operator|"
        rf" maker)?(?:,? (?:and|or) (?:[\w-]+ ){{0,4}}[\w-]+)? for [^;]{{0,80}}?(?:{THINGS}|(?:documents|"
        rf"papers|assessments?|internal \w+|every \w+|all (?:of )?(?:its|the) \w+)(?!\w))",
        right,
    )
    who = source.group("from") if source else found.group("who") if found else None
    if not who:
        return None
    frame.vote("recipient", asked(marked.names(who)), EXPLICIT)
    if source and _TO_BE_GONE.search(right[: source.start()]):
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    firm = any(
        frame.slots[name].kind == "company" and not frame.slots[name].generic for name in frame.recipients
    )
    if DATA not in right and DEVICE not in right and not firm:
        return None
    frame.vote("issuer", subject_of(left, marked, courts=True), EXPLICIT)
    state = any(
        frame.slots[name].kind in ("agency", "court") or frame.slots[name].official for name in frame.issuers
    )
    frame.weight = 1.2 if state else 0.7
    return frame if frame.recipients and not set(frame.recipients) & set(frame.issuers) else None


def _deed(frame: Frame, found: re.Match[str], text: str) -> Frame | None:
    """What shall be done decides which instrument it is, and whether it is a demand for data at all."""
    groups = found.groupdict()
    if groups.get("silence"):
        frame.instrument, frame.family, frame.rank = "gag order", "gag", 6
        return frame
    if groups.get("content"):
        named = (
            CONTENT in text
            or _BLOCK_A_FIRM.match(text[frame.position :])
            or _SILENCE_SOMEBODY.match(found.string, found.start("content"))
        )
        if not named and not _IT_GONE.match(found.string, found.start("content")):
            return None
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
        frame.weight = 1.2 if named else 0.7
        return frame
    plain = bool(groups.get("plain"))
    kept = _KEEPS.match(groups.get("deed") or "")
    if kept and not any(frame.slots[name].kind == "court" for name in frame.issuers):
        frame.instrument, frame.rank = "preservation request", 5
    if _NOT_DATA.search(text[frame.position : frame.position + 120]):
        return None
    if not plain and DATA not in text and DEVICE not in text and not (kept and CONTENT in text):
        return None
    firm = any(frame.slots[name].kind == "company" for name in frame.recipients)
    if plain and DEVICE in text[frame.position :] and not firm and _state_to_person(frame):
        frame.rank = 5  # an officer who tells somebody to unlock a phone asks as plainly as a letter does
        frame.weight = 1.2
        return frame
    frame.weight = (1.5 if plain else 1.0) if firm else (0.8 if plain else 0.4)
    if not frame.issuers:
        frame.weight *= 0.7
    if GENERAL.search(text):
        frame.weight *= 0.4
    return frame
