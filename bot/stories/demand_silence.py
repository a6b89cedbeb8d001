"""Gags told without the words "gag order": whoever is asked for data is also told to keep it to itself.

What is read here only stands beside a demand for data (`bot.stories.demand_groups`), whose parties it takes
where its own words name none.
"""

from __future__ import annotations

import re

from bot.stories.demand_roles import EXPLICIT, LISTS, Frame, clause_left
from bot.stories.demand_rules import holds, is_fact
from bot.stories.marks import DATA, Marked, Slot

_STEMS = (
    "gag",
    "tell",
    "speak",
    "disclos",
    "inform",
    "notif",
    "mention",
    "talk",
    "quiet",
    "silen",
    "mum",
    "secre",
)
_TELL = r"(?:tell|speak|disclos|inform|notify|mention|talk|let(?:ting)? any|say(?:ing)? (?:a word|any))\w*"
_ABOUT_IT = r"(?P<what>[^;.]{0,60})"

_FORBIDS = re.compile(
    rf"(?<!\w)(?:forb(?:ade|ids?|idden|idding)|barr(?:ed|ing)|bars|prohibit(?:ed|s|ing)|prevent(?:ed|s)|kept|"
    rf"keeps|keeping|stopp?(?:ed|s)|bann(?:ed|ing)|a ban)[\"']? (?P<who>(?:[^;. ]+ ){{0,5}}?)"
    rf"(?:from|to|on) (?:\w+ly |even )?{_TELL}{_ABOUT_IT}"
)
_HUSHED = re.compile(
    rf"(?<!\w)(?:told|tells|orders?|ordered|ask(?:s|ed)|instructed|directed|required|commanded) "
    rf"(?P<who>(?:[^;. ]+ ){{0,5}}?)"
    rf"(?:to (?:keep (?:\S+ ){{0,3}}?(?:quiet|silent|mum|secret)|stay (?:silent|quiet|mum))|not to {_TELL})"
    rf"{_ABOUT_IT}"
)
_MAY_NOT = re.compile(
    rf"(?<!\w)(?:could not|couldn't|cannot|can't|(?:was|were|is|are)(?: not|n't) (?:allowed|permitted|"
    rf"free) to|"
    rf"must not|mustn't|may not) (?:\w+ly |even )?(?:tell|notify|inform|talk|speak)"
    rf"(?= (?:to )?(?:any\w+|a soul|(?:the |its |his |her |their |those )?(?:\w+ )?(?:users?|customers?|"
    rf"subscribers?|clients?|account holders?|newsroom|public|owner)|her|him|them|about it|of "
    rf"it)(?!\w)){_ABOUT_IT}"
)
_WORDS = re.compile(
    r"(?<!\w)(?:gagg(?:ed|ing)|gags?(?! (?:orders?|provisions?|reel|gift|rule|about))|"
    r"(?:non-?disclosure|secrecy) (?:requirements?|parts?|clauses?|provisions?|conditions?|demands?)|"
    r"orders? of (?:secrecy|silence))(?!\w)"
)
_OF_THE_DEMAND = re.compile(
    r"(?<!\w)(?:about|existence|request|order|demand|subpoena|warrant|letter|investigation|inquir|that)"
)


def gag_frames(marked: Marked) -> list[Frame]:
    """Read that somebody was told to keep silent: "forbade the company to speak about it"."""
    text = marked.text
    if not holds(text, _STEMS):
        return []
    frames = []
    for pattern, weight in ((_FORBIDS, 1.0), (_HUSHED, 1.0), (_MAY_NOT, 0.5), (_WORDS, 0.5)):
        match = pattern.search(text)
        if match is None or not is_fact(clause_left(text, match.start())[-60:], noun=pattern is _WORDS):
            continue
        about = match.groupdict().get("what") or ""
        if DATA in about and not _OF_THE_DEMAND.search(about):
            continue  # what must not be told is the data: no gag
        frame = Frame(marked.index, "gag order", "gag", 6, "silence", match.start(), weight=weight)
        frame.vote("recipient", _silenced(marked, match), EXPLICIT)
        frames.append(frame)
        break
    return frames


def _silenced(marked: Marked, match: re.Match[str]) -> list[Slot]:
    """Whom the words name: behind the verb, or as what stands before it."""
    who = match.groupdict().get("who") or ""
    if not who.strip() and (found := list(LISTS.finditer(clause_left(marked.text, match.start())))):
        who = found[-1].group() if match.re is not _WORDS or match.group().startswith("gagg") else ""
    return [slot for slot in marked.names(who) if slot.kind == "company" and not slot.generic]
