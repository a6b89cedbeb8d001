"""Takedown demands told from the platform's side: "Google removed an app at the request of the regulator"."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, EXPLICIT, LIST, Frame, clause_left, demanding
from bot.stories.demand_rules import is_fact, subject_of
from bot.stories.marks import CONTENT, Marked, Slot

_STEMS = (
    "remov",
    "took",
    "taken",
    "takes",
    "take",
    "delet",
    "block",
    "hid",
    "restrict",
    "withh",
    "suspend",
    "pull",
    "disabl",
    "label",
    "correction",
    "warning",
    "notice",
    "slow",
    "throttl",
    "cut",
    "censor",
    "delist",
    "ban",
    "lift",
    "revers",
    "unavailable",
    "shut",
)
_LINKS = (
    "order",
    "request",
    "demand",
    "behest",
    "command",
    "pressure",
    "complain",
    "notice",
    "letter",
    "ruling",
    "warn",
    "directive",
    "injunction",
    "told",
    "asked",
    "forced",
    "threat",
    "insist",
    "instruct",
    "word",
    "call",
    "outreach",
    "visit",
    "contact",
    "interven",
    "plea",
    "appeal",
)
_ACT = re.compile(
    r"(?<![\w-])(?P<not>(?:refus\w+ to|declin\w+ to|not|never|n't) )?(?:remov(?:ed?|es|ing)|(?:took|"
    r"takes?|taken|"
    r"taking)(?= [^;]{0,60}?(?:down|offline))|delet(?:ed?|es|ing)|block(?:ed|s|ing)?|hid(?:es|den|e)?|"
    r"restrict(?:ed|s|"
    r"ing)?|withh[eo]ld(?:s|ing)?|suspend(?:ed|s|ing)?|pull(?:ed|s|ing)?|disabl(?:ed?|es|ing)|"
    r"censor(?:ed|s|ing)?|"
    r"delist(?:ed|s|ing)?|bann(?:ed|ing)|geo-?block(?:ed|s|ing)?|ma[dk]e(?:s)?(?= [^;]{0,60}? unavailable)|"
    r"shut(?:s)? (?:down|off)|label(?:l?ed|s)|(?:puts?|placed|applied|attached) (?:an? |"
    r"the )?(?:\w+ )?(?:labels?|"
    r"correction|warning|notice))(?!\w)"
)
_DEMAND = (
    r"(?:(?:court |legal |removal |blocking |takedown |government |written |formal )*(?:orders?|"
    r"requests?|demands?|behest|"
    r"command|pressure|complaints?|notices?|letters?|rulings?|warnings?|directives?|injunctions?|"
    r"instructions?|"
    r"threats?|insistence))"
)
_ASKED = (
    r"(?:had |has |have )?(?:ordered|demanded|told|asked|forced|requested|threatened|complained|warned|"
    r"directed|"
    r"instructed|required|pressed|insisted)"
)
_CONTACT = r"(?:word|(?:phone )?calls?|outreach|visits?|contact|intervention|pleas?|appeals?)"
"""What is no demand by its name, and is one where something goes because of it."""
_OFFICE = r"(?:'s (?:[\w-]+ )?(?:department|office|ministry|government|agency|men|people|staff))?"
_WHO = rf"(?:the |an? )?(?:[\w-]+ ){{0,2}}?(?P<who>{LIST})"
_LINK = re.compile(
    rf"(?<!\w)(?:at|on|upon|after|following|under|because of|in response to|response to|to comply with|"
    rf"comply with|citing|"
    rf"acting on|over|by|with|to) (?:[\w-]+ ){{0,3}}?"
    rf"(?:(?:{_DEMAND}|{_CONTACT})[^;,]{{0,25}}? (?:of|from|by) {_WHO}|"
    rf"{_WHO.replace('who', 'own')}(?:'s?)? (?:[\w-]+ )?{_DEMAND}(?!\w))"
    rf"|(?<!\w)(?:after|because|when|as|since) {_WHO.replace('who', 'told')}{_OFFICE} {_ASKED}(?!\w)"
)
_INSTRUMENT = re.compile(
    r" (?:(?:an?|the|its|their|this|that|any|such) )?(?:[\w-]+ ){0,2}?"
    r"(?:subpoenas?|summons(?:es)?|warrants?|(?:court |gag )?orders?|injunctions?|rulings?)(?!\w)"
)


def removal_frames(marked: Marked) -> list[Frame]:
    """Read what a platform took down or kept up because somebody demanded it."""
    text = marked.text
    if not any(stem in text for stem in _STEMS):
        return []
    frames = [*cut_off_frames(marked), *lifted_frames(marked), *imposed_frames(marked)]
    linked = any(stem in text for stem in _LINKS)
    links = list(_LINK.finditer(text)) if linked else []
    for act in _ACT.finditer(text):
        left = clause_left(text, act.start())
        if not is_fact(left[-60:], noun=False) and not act.group("not"):
            continue
        if _INSTRUMENT.match(text, act.end()):
            continue  # "to block a summons": what shall go is the demand itself
        who = _platform(left, marked) or _behind(text[act.end() :], marked)
        near = text[act.start() : act.end() + 120]
        if not who or not (
            CONTENT in near or _apps(near, marked, who) or (links and _IT.match(text, act.end()))
        ):
            continue
        frame = Frame(marked.index, "takedown order", "content", 4, "removal", act.start(), weight=0.3)
        frame.vote("recipient", who, EXPLICIT)
        for link in links:
            names = link.group("who") or link.group("own") or link.group("told")
            askers = [
                slot
                for slot in demanding(marked.names(names), courts=True)
                if slot.name not in frame.recipients
                and slot.kind in ("agency", "court", "person", "organisation")
            ]
            if askers:
                frame.vote("issuer", askers, EXPLICIT)
                frame.weight = 1.2
                break
        frames.append(frame)
        break
    return frames


_IT = re.compile(r" (?:it|them)(?!\w)")
_LIFTED = re.compile(
    r"(?<![\w-])(?:lift(?:ed|s)|revers(?:ed|es)|suspend(?:ed|s)|froze|freezes|end(?:ed|s)|annul(?:led|s)|"
    r"overturn(?:ed|s)) (?:the |its |his |her |their |a )?(?:own |nationwide |\w+-\w+ )?(?:ban|block|"
    r"blockade|"
    r"suspension|shutdown)(?!\w)(?! of (?:\w+ )?(?:travel|flights|trade))"
)


def lifted_frames(marked: Marked) -> list[Frame]:
    """ "The authority lifted the block": the demand is told by its end."""
    frames = []
    for match in _LIFTED.finditer(marked.text):
        left = clause_left(marked.text, match.start())
        who = [
            slot
            for slot in subject_of(left, marked, courts=True)
            if slot.kind in ("agency", "court") or (slot.kind == "person" and not slot.bystander)
        ]
        if who and is_fact(left[-60:], noun=False):
            frame = Frame(marked.index, "takedown order", "content", 4, "removal", match.start(), weight=0.7)
            frame.vote("issuer", who, BESIDE)
            frames.append(frame)
    return frames


_IMPOSED = re.compile(
    rf"(?<![\w-])(?:ban|block|blockade|suspension|stoppage|shutdown|blackout)(?:,? [^;.]{{0,40}}?)? "
    rf"(?:was|were|is|"
    rf"been) (?:imposed|ordered|decreed)(?: on (?:the )?(?P<who>{LIST}))?(?: on \w+day)? by (?:the |an? )?"
    rf"(?:[\w-]+ ){{0,4}}?(?P<by>{LIST})"
)


def imposed_frames(marked: Marked) -> list[Frame]:
    """ "The ban was imposed on the carriers by a court": who shall block stands beside it, if anywhere."""
    frames = []
    for match in _IMPOSED.finditer(marked.text):
        who = [s for s in marked.names(match.group("by")) if s.kind in ("agency", "court") or s.official]
        if who:
            frame = Frame(marked.index, "takedown order", "content", 4, "removal", match.start(), weight=0.9)
            frame.vote("issuer", who, EXPLICIT)
            asked = [s for s in marked.names(match.group("who") or "") if s.kind == "company"]
            frame.vote("recipient", asked, EXPLICIT)
            frames.append(frame)
    return frames


_CUT_OFF = re.compile(
    rf"(?<![\w-])(?:block(?:ed|s)|bann(?:ed)|bans|cut(?:s)? off|shut(?:s)? (?:off|down)|switch(?:ed|es) off|"
    rf"pull(?:ed|s) the plug on|clos(?:ed|es)|slow(?:ed|s)(?: down)?|throttl(?:ed|es)|"
    rf"restrict(?:ed|s)|suspend(?:ed|s))(?: access to)?(?: all| the| some| most|"
    rf" parts)?(?: [a-z]+ of)? (?P<who>{LIST})"
    rf"(?!'s| (?:from|merger|deal|users?|accounts?|executive))"
    rf"|(?<!\w)(?:had|has|got) (?:the )?(?P<whom>{LIST}) (?:blocked|shut down|shut off|cut off|switched "
    rf"off|suspended|"
    rf"banned|taken down|taken offline|removed)(?!\w)(?! by)"
)
_CUT_OFF_ALL = re.compile(
    rf"(?<![\w-])(?:had access (?:to it |to the \w+ )?(?:cut off|blocked)|(?:blocked|banned|cut off|"
    rf"cut|shut down|"
    rf"shut off|shut|switched off|closed|slowed|slowed down|throttled|suspended|degraded)(?: access "
    rf"to)? (?:it|"
    rf"the (?:whole |entire )?(?:site|website|app|service|platform|network|messenger|encyclop\w+)"
    rf"(?: {CONTENT})?))(?= (?:on|in|for|after|since|because|across|down|off|nationwide|when|as|"
    rf"under)(?!\w)|[,.]|$)"
)


def cut_off_frames(marked: Marked) -> list[Frame]:
    """ "The regulator blocked Wikipedia": a state that acts on the whole of a service."""
    frames = []
    for match in _CUT_OFF.finditer(marked.text):
        left = clause_left(marked.text, match.start())
        states = [slot for slot in subject_of(left, marked, courts=True) if slot.kind in ("agency", "court")]
        services = [
            slot
            for slot in marked.names(match.group("who") or match.group("whom"))
            if slot.kind in ("company", "organisation") and (not slot.generic or match.group("whom"))
        ]
        if not states or not services or not is_fact(left[-60:], noun=False):
            continue
        frame = Frame(marked.index, "takedown order", "content", 4, "removal", match.start(), weight=1.0)
        frame.vote("issuer", states, EXPLICIT)
        frame.vote("recipient", services, EXPLICIT)
        frames.append(frame)
    for match in _CUT_OFF_ALL.finditer(marked.text) if not frames else ():
        left = clause_left(marked.text, match.start())
        states = [slot for slot in subject_of(left, marked, courts=True) if slot.kind in ("agency", "court")]
        if states and is_fact(left[-60:], noun=False):  # which service, the title tells
            frame = Frame(marked.index, "takedown order", "content", 4, "removal", match.start(), weight=0.8)
            frame.vote("issuer", states, EXPLICIT)
            frames.append(frame)
            break
    return frames


def _platform(left: str, marked: Marked) -> list[Slot]:
    return [
        slot for slot in subject_of(left, marked, courts=False) if slot.kind in ("company", "organisation")
    ]


_BEHIND = re.compile(rf" (?:[^;,]{{0,60}} )?by (?:the )?(?P<who>{LIST})")


def _behind(right: str, marked: Marked) -> list[Slot]:
    """ "posts were removed by Facebook": who did it stands behind the act."""
    match = _BEHIND.match(right[:120])
    return [slot for slot in marked.names(match.group("who")) if slot.kind == "company"] if match else []


def _apps(near: str, marked: Marked, who: list[Slot]) -> bool:
    """Whether what goes is itself a service that is named ("Apple pulled Telegram")."""
    own = {slot.name for slot in who}
    return any(slot.kind == "company" and slot.name not in own for slot in marked.names(near)) or bool(
        re.search(
            r"(?<!\w)(?:extensions?|add-ons?|books?|songs?|listings?|passages?|archives?|sermons?)(?!\w)",
            near,
        )
    )
