"""Demands seen from the one who is asked: what it must do, is punished for not doing, or quarrels over."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, EXPLICIT, LIST, Frame, clause_left, demanding
from bot.stories.demand_rules import holds, is_fact, rules
from bot.stories.marks import COMPANY, CONTENT, COURT, DATA, DEVICE, Marked, Slot

_DUTIES = (
    "must",
    "has to",
    "have to",
    "had to",
    "is to",
    "are to",
    "was to",
    "were to",
    "forced to",
    "need not",
)
_PENALTIES = ("fin", "penali", "punish", "contempt", "cut off", "block", "sue", "threaten")
_QUARRELS = (
    "fight",
    "battle",
    "dispute",
    "quarrel",
    "standoff",
    "row ",
    "clash",
    "odds",
    "tussle",
    "showdown",
)

_OBLIGED = re.compile(
    rf"(?P<who>{LIST})(?:, [^,;]{{1,60}},)? (?P<verb>must|has to|have to|had to|is to|are to|was to|were to|"
    rf"was forced to|is forced to|"
    r"need not|does not have to|did not have to) "
)
_PUNISHED = re.compile(
    rf"(?<!\w)(?:fin(?:ed|es|ing)|penali[sz](?:ed|es)|punish(?:ed|es)|contempt|cut off|block(?:ed|s)|sue[sd]|"
    rf"threaten\w*)(?!\w)[^;]{{0,40}}?(?P<who>{LIST})|(?P<whom>{LIST})[^;]{{0,40}}? "
    rf"(?:was|were|is|are|been|being|be) (?:fined|penali[sz]ed|punished|threatened|held in contempt)(?!\w)"
)
_OMITTED = re.compile(
    r"(?<!\w)(?:not|refus(?:ed|es|ing|al)|fail(?:ed|s|ing|ure)|ignor(?:ed|es|ing)|over|unless (?:it|they|he))"
    r"(?: to| its| their)? (?P<rest>[^;]{0,80})"
)
_QUARREL = re.compile(
    rf"(?<!\w)(?:fight|battle|dispute|quarrel|standoff|row|clash|odds|tussle|"
    rf"showdown) over (?P<rest>[^;]{{0,50}}[{DATA}{DEVICE}])"
)


def duty_frames(marked: Marked) -> list[Frame]:
    """Read what a company must do, is punished for, or fights over."""
    text = marked.text
    frames: list[Frame | None] = []
    if holds(text, _DUTIES):
        frames.extend(_obliged(marked))
    if holds(text, _PENALTIES):
        frames.extend(_punished(marked))
    if holds(text, _UNANSWERED) and _QUESTIONS.search(text):
        frames.append(_unanswered(marked))
    if holds(text, _QUARRELS):
        for match in _QUARREL.finditer(text):
            who = [slot for slot in marked.slots.values() if slot.kind == "company" and not slot.generic]
            if who:
                frames.append(_seen_from_asked(marked, match, who[:1], None, match.group("rest"), 0.6))
    return [frame for frame in frames if frame is not None]


def _obliged(marked: Marked) -> list[Frame | None]:
    """ "OpenAI must keep the chats"."""
    text = marked.text
    court = any(slot.kind == "court" for slot in marked.slots.values())
    frames = []
    for match in _OBLIGED.finditer(text):
        who = [
            slot for slot in marked.names(match.group("who")) if slot.kind == "company" and not slot.generic
        ]
        rest = text[match.end() : match.end() + 90]
        found = rules().deed.search(rest)
        if not who or not found or found.start() > 20:
            continue
        if is_fact(clause_left(text, match.start("verb"))[-60:], noun=False):
            weight = 1.0 if marked.index < 0 and court else 0.8 if marked.index < 0 or court else 0.5
            frame = _seen_from_asked(marked, match, who, found, rest, weight)
            if frame is not None and court and _DECIDES.search(text):
                _ordered_by(frame, marked, match.end())
            frames.append(frame)
    return frames


_DECIDES = re.compile(
    rf"{COURT}[^;]{{0,60}}(?<!\w)(?:decid|rul|order|held|hold|said|say|wrote|writ|found|find|determin)"
)
_AT_REQUEST = re.compile(rf"(?<!\w)at the (?:request|behest|urging) of (?:the )?(?P<who>{LIST})")


def _ordered_by(frame: Frame, marked: Marked, stop: int) -> None:
    """What a court says must be done is ordered by it, or by whoever asked it."""
    asked_by = _AT_REQUEST.search(marked.text, stop)
    courts = [slot for slot in marked.slots.values() if slot.kind == "court"]
    frame.vote("issuer", courts[:1], BESIDE)
    if asked_by:
        frame.vote("issuer", demanding(marked.names(asked_by.group("who"))), EXPLICIT)
    if frame.family == "data":
        frame.instrument, frame.rank = "court order", 4
    frame.weight = max(frame.weight, 0.9)


def _punished(marked: Marked) -> list[Frame | None]:
    """ "Telegram was fined for not giving its keys", "held in contempt"."""
    text = marked.text
    frames = []
    for match in _PUNISHED.finditer(text):
        who = [
            slot
            for slot in marked.names((match.group("who") or "") + (match.group("whom") or ""))
            if slot.kind == "company"
        ]
        if not who:
            continue
        for omitted in _OMITTED.finditer(text):
            found = rules().deed.match(omitted.group("rest"))
            if found or DATA in omitted.group("rest"):
                frames.append(_seen_from_asked(marked, match, who, found, omitted.group("rest"), 0.8))
                break
        else:
            if "contempt" in match.group():
                frame = Frame(marked.index, "court order", "data", 4, "refusing", match.start(), weight=0.6)
                frame.vote("recipient", who, EXPLICIT)
                frames.append(frame)
    return frames


_UNANSWERED = ("answer", "respon", "repl", "operat", "compl")
_QUESTIONS = re.compile(
    r"(?<!\w)(?:not|n't|never|refus\w+(?: to)?|declin\w+(?: to)?|fail\w*(?: to)?|without|"
    r"ignor\w+) (?:answer(?:ed)?|responded to|replied to|respond(?:ing)? to|repl(?:y|ying) to|"
    r"answering|co-?operat\w+ with|compl\w+ with)"
    r"(?: \S+){0,5}? (?:questions?|requests?|demands?|inquir\w+|information|notices?|letters?|summons)(?!\w)"
)


def _unanswered(marked: Marked) -> Frame | None:
    """ "The regulator fines 4chan because it would not answer its questions"."""
    firms = [s for s in marked.slots.values() if s.kind == "company" and not s.generic]
    asking = [s for s in marked.slots.values() if s.kind == "agency"]
    if len({slot.name for slot in firms}) != 1:
        return None
    frame = Frame(marked.index, "informal request", "data", 2, "refusing", 0, weight=1.0)
    frame.vote("recipient", firms, EXPLICIT)
    frame.vote("issuer", asking[:1], BESIDE)
    return frame


def _seen_from_asked(
    marked: Marked,
    match: re.Match[str],
    who: list[Slot],
    found: re.Match[str] | None,
    rest: str,
    weight: float,
) -> Frame | None:
    content = found is not None and bool(found.group("content"))
    if not content and not (found and found.group("plain")) and DATA not in rest and DEVICE not in rest:
        return None
    if content and CONTENT not in marked.text and not re.search(COMPANY, rest):
        return None
    frame = Frame(marked.index, "informal request", "data", 1, "refusing", match.start(), weight=weight)
    if content:
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    frame.vote("recipient", who, EXPLICIT)
    near = re.search(rf" (?:to|for|with|help|give|let)(?: the| a)? (?P<to>{LIST})", rest)
    if near:
        frame.vote(
            "issuer", [slot for slot in marked.names(near.group("to")) if slot.kind == "agency"], BESIDE
        )
    return frame
