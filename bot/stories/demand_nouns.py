"""Demands read from the words for instruments: "a subpoena from ICE to Google", "blocking orders"."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, EXPLICIT, IMPOSTORS, LIST, Frame, demanding, noun_roles
from bot.stories.demand_rules import GENERAL, is_fact
from bot.stories.instruments import Instrument, instrument_words
from bot.stories.marks import COMPANY, CONTENT, DATA, DEVICE, PARTY, Marked

FOLLOW_UP = re.compile(
    r"^(?:s)? (?:requirements?|powers?|authorit(?:y|ies)|process|system|laws?|bill|canary|"
    r"exception|clause|rules?|proceedings?)\b"
)

_NOUN_STEMS = (
    "subpoena",
    "summons",
    "warrant",
    "order",
    "letter",
    "nsl",
    "gag",
    "request",
    "demand",
    "notice",
    "register",
    "trap",
    "tower dump",
    "directive",
    "decree",
    "edict",
    "mandate",
    "injunction",
    "process",
    "inquir",
    "tcn",
    "provision",
    "direction",
    "ruling",
    "search",
    "takedown",
    "fenc",
)
_NOT_AN_ORDER = re.compile(
    r"(?:executive|restraining|in|law and|new world|pecking|removal|deportation|stay-at-home|"
    r"travel|short|tall|public|money|mail|back|consent|stipulated|on|lockdown|evacuation) $"
)
_CONTENT_NEAR = re.compile(
    rf"(?<!\w)(?:block\w*|remov\w*|delet\w*|tak(?:e|en|ing) [^,;]{{0,30}}down|suspen\w+|"
    rf"censor\w*|restrict\w*|takedown|geo-?block\w*|withh\w+|ban)(?!\w)[^;]{{0,60}}{CONTENT}"
    rf"|{COMPANY}[^;,]{{0,25}} (?:be|been|was|were|is) (?:\w+ )?(?:blocked|banned|suspended|throttled|"
    rf"taken offline)(?!\w)"
    rf"|(?<!\w)(?:block|ban|suspend|throttle|shut down|unblock)(?:ing|ning)? (?:access to )?(?:the "
    rf")?{COMPANY}"
    rf"|{CONTENT}[^;]{{0,40}} (?:blocked|removed|deleted|taken down|suspended|censored|restricted)(?!\w)"
)
_REMOVED_ON_ORDER = re.compile(
    r"(?<!\w)(?:remov(?:ed|es|ing)|pull(?:ed|s)|blocks?|blocked|(?:took|taken|"
    r"takes?)(?= [^;]{0,40}(?:down|offline))|deleted|"
    r"suspended|withh[eo]ld|restrict(?:ed|s))(?!\w)[^;]{0,70}(?<!\w)(?:after|at|on|under|following|"
    r"in response to|because of)(?!\w)[^;]{0,40}(?:orders?|requests?|demands?|directives?)(?!\w)"
)
_NO_WARRANT = re.compile(
    r"(?:arrest|bench|death|royal|extradition|no-knock|outstanding|felony|immigration|"
    r"deportation|traffic|stock|share|murder|misdemeanou?r|fugitive|probation|tax) $"
)
_AFTER_NO_WARRANT = re.compile(
    r"^ (?:for (?:the |his |her |their )?(?:arrest|detention|unpaid|(?:back )?taxes)|officers?)"
)
_OTHER_NEWS = re.compile(
    r"(?<!\w)(?:killed|shot|shooting|shootout|gunfire|wounded|fatally)(?!\w)"
    r"|search(?:ed|es|ing)? (?:an?|two|three|several) (?:\w+ )?(?:house|home|flat|apartment|property|address)"
    rf"(?:s|es)? (?:in|near|on|with)(?! {PARTY})"
)
"""Of a warrant in whose serving somebody was hurt, or on anybody's house, and of no data, is other news."""
_WARRANTS_VERB = re.compile(
    r"^ (?:the |a |an |it|this|that|further |more |attention|action|concern|scrutiny|investigation|extra)"
)
_KEYWORDS = re.compile(
    r"(?<!\w)(?:googled|(?:everyone|anyone|everybody|anybody|all|people|users|accounts|"
    r"those)[^;]{0,30} (?:searched|looked up|typed|googled)|search terms?|keywords?)(?!\w)"
)
_AREA = re.compile(
    r"(?<!\w)(?:(?:everyone|everybody|anyone|all (?:phones|devices|people)|every (?:phone|"
    r"device)|devices|phones)[^;]{0,25} (?:near|in the area|within|nearby|around|inside)|radius|"
    r"geofence)(?!\w)"
)
_SECRET_COURT = re.compile(r"foreign intelligence|secret court|fisa", re.IGNORECASE)
TESTIMONY = re.compile(
    r"(?<!\w)(?:testimony|testify|witness(?:es)?|appear before|tax returns|hearing|depositions?|"
    r"sermons|gave birth)(?!\w)"
)
_ORDERS_SOMEBODY = re.compile(
    rf" (?:the |a |an )?(?:[\w-]+ ){{0,2}}?{PARTY}[^;.]{{0,20}} (?:to|must|not)(?!\w)"
)
_TO_COME = re.compile(
    r"^ (?:may|might|could|would|will|can) (?:yet |soon |also )?(?:follow|come|be (?:issued|next))"
)
_SILENCES = re.compile(
    r"(?<!\w)orders? (?:that |which |to )?(?:(?:had |has |have )?(?:forb\w+|bar(?:red|s|ring)?|"
    r"prohibit\w*|kept|keep\w*|"
    r"stop\w*|not to|say \w+ (?:may|must) not)) ?(?:it|them|\S+)? (?:from |to )?(?:tell|speak|disclos|"
    r"inform|notif|"
    r"say|reveal|mention|warn|discuss)"
    r"|(?<!\w)orders? (?:of|to) (?:silence|secrecy|keep (?:silent|quiet|it secret))"
)
_QUOTED_WORD = re.compile(r"(?:(?<![\w.,!?])[\"(]|(?<=\s)')[\w+ ]{0,12}$")


_IT_WENT = re.compile(
    rf"(?:^|, |; |(?<!\w)and )(?:it|they|the (?:document|paper|papers|letter|one)|letters?(?: signed)? "
    rf"(?:by|of|from) "
    rf"(?:[\w-]+ ){{0,3}}(?P<by>{LIST})|letters) (?:was|were|is|had been|has been|went|"
    rf"came)(?: on \w+day| \w+)?(?: (?:addressed|directed|served|sent|issued|delivered))? (?:to|on|"
    rf"upon) (?:the "
    rf")?(?P<who>{LIST})"
)


def _it_went(marked: Marked) -> list[Frame]:
    """ "It was addressed to Reason": the instrument stands in the sentence before."""
    frames = []
    for match in _IT_WENT.finditer(marked.text):
        who = [s for s in marked.names(match.group("who")) if s.kind in ("company", "organisation")]
        if who:
            frame = Frame(marked.index, "informal request", "any", 1, "noun", match.start(), weight=0.2)
            frame.vote("recipient", who, EXPLICIT)
            if match.group("by"):
                frame.vote("issuer", demanding(marked.names(match.group("by"))), EXPLICIT)
                frame.weight = 0.9
            frames.append(frame)
    return frames


def noun_frames(marked: Marked) -> list[Frame]:
    """Read the words for instruments."""
    return [*_named_instruments(marked), *_it_went(marked)]


def _named_instruments(marked: Marked) -> list[Frame]:
    text = marked.text
    if not any(stem in text for stem in _NOUN_STEMS):
        return []
    pattern, instruments = instrument_words()
    frames: list[Frame] = []
    for match in pattern.finditer(text):
        instrument = instruments[(match.lastindex or 1) - 1]
        start, stop = match.span()
        left, after = text[max(0, start - 70) : start], text[stop : stop + 24]
        word = match.group()
        if instrument.name == "search warrant" and (
            _NO_WARRANT.search(left)
            or _AFTER_NO_WARRANT.match(after)
            or (word == "warrants" and _WARRANTS_VERB.match(after))
            or (_OTHER_NEWS.search(text) and DATA not in text and DEVICE not in text)
        ):
            continue
        if instrument.family == "any" and (_NOT_AN_ORDER.search(left) or _is_verb(text, start, stop, word)):
            continue
        if word == "court orders" and _ORDERS_SOMEBODY.match(text[stop:]):
            continue  # a verb
        if FOLLOW_UP.match(after) or _TO_COME.match(after) or not is_fact(left, noun=True):
            continue
        frame = _noun_frame(instrument, marked, start, stop, word)
        if frame is not None:
            frames.append(frame)
    return frames


def _is_verb(text: str, start: int, stop: int, word: str) -> bool:
    """Whether "orders", "demands", "requests" is a verb here, which the verb rules read."""
    before, after = text[max(0, start - 9) : start], text[stop : stop + 5]
    if not word.endswith("s") and re.search(
        r"(?<!\w)(?:to|will|would|could|may|might|must|not|they|we|i|you|can|should|in) $", before
    ):
        return True
    if word.endswith("s") and re.search(r"(?<!\w)(?:who|which|it|he|she) $", before):
        return True
    return bool(
        re.match(rf" (?:the |{PARTY}|that )", after)
        and re.search(rf"(?:{PARTY}|it|he|she|they|who|which|that) $", before)
    )


def _noun_frame(instrument: Instrument, marked: Marked, start: int, stop: int, word: str) -> Frame | None:
    name, family, rank = instrument.name, instrument.family, instrument.rank
    around = marked.text[max(0, start - 90) : stop + 130]
    if family == "any" and _SILENCES.search(around):
        name, family, rank = "gag order", "gag", 8
    elif family == "any":
        if word.startswith(("order", "directi", "decree", "edict", "injunction", "mandate", "ruling")):
            name, rank = "court order", 4
        if _CONTENT_NEAR.search(around) or _REMOVED_ON_ORDER.search(around):
            name, family, rank = "takedown order", "content", 5
        elif DATA in around or DEVICE in around:
            family = "data"
        else:
            family = "weak"
    if name == "court order" and family == "data" and DATA not in around and DEVICE not in around:
        family = "any"
    if name == "search warrant":
        if _KEYWORDS.search(around):
            name, rank = "keyword warrant", 10
        elif _AREA.search(around):
            name, rank = "geofence warrant", 10
    frame = Frame(
        marked.index, name, family, rank, "noun", start, plural=word.endswith("s") and not word.endswith("ss")
    )
    noun_roles(
        frame,
        marked,
        start,
        stop,
        court=name in ("court order", "takedown order", "gag order", "wiretap order"),
    )
    _drop_unlikely(frame, instrument, marked)
    if name == "court order" and any(_SECRET_COURT.search(issuer) for issuer in frame.issuers):
        frame.instrument, frame.rank, family, frame.family = "foreign intelligence order", 9, "data", "data"
    named = frame.named()
    if family == "weak":
        both = min(max(frame.issuers.values(), default=0.0), max(frame.recipients.values(), default=0.0))
        if not both and named < EXPLICIT:
            return None
        frame.family = "any"
        frame.weight = 0.9 if both >= BESIDE else 0.4 if both else 0.2
    elif not instrument.lone:
        frame.weight = (0.9 if frame.issuers and frame.recipients else 0.6) if named >= BESIDE else 0.3
    else:
        frame.weight = 1.5 if named >= BESIDE else 1.0 if named else 0.5
        if name == "search warrant" and named < BESIDE:
            frame.weight *= 0.6
    companies = any(slot.kind == "company" for slot in frame.slots.values())
    if not companies and TESTIMONY.search(around):
        frame.weight *= 0.3
    if GENERAL.search(marked.text) or _QUOTED_WORD.search(marked.text[max(0, start - 14) : start]):
        frame.weight *= 0.4
    return frame


_KEPT_FROM = re.compile(
    rf"(?<!\w)(?:kept|keeps?|keeping|stop\w*|bar\w*|prevent\w*|forb\w+|prohibit\w*|block\w*) "
    rf"(?:the )?(?P<who>{LIST}) (?:from|to (?:tell|speak|disclos|inform|notif))"
)
_FROM_PERSONS = (
    "subpoena",
    "civil subpoena",
    "national security letter",
    "gag order",
    "informal request",
    "court order",
    "takedown order",
)
"""Instruments that a person without an office may use, or be served with."""


def _drop_unlikely(frame: Frame, instrument: Instrument, marked: Marked) -> None:
    """No agency is served with a warrant, and nobody but an office has one."""
    for party in list(frame.recipients):
        kind = frame.slots[party].kind
        if instrument.lone and (
            kind == "agency" or (kind == "person" and frame.instrument not in _FROM_PERSONS)
        ):
            del frame.recipients[party]
            if kind == "person":
                frame.targets.append(party)
    if frame.instrument == "gag order":  # what a firm says of a gag it is under
        for kept in _KEPT_FROM.finditer(marked.text):
            frame.vote(
                "recipient", [s for s in marked.names(kept.group("who")) if s.kind == "company"], EXPLICIT
            )
        for party in [name for name in frame.issuers if frame.slots[name].kind == "company"]:
            frame.recipients.setdefault(party, frame.issuers.pop(party))
    if frame.instrument not in _FROM_PERSONS:
        for party in list(frame.issuers):
            kind = frame.slots[party].kind
            if kind in ("company", "organisation") and not IMPOSTORS.search(party):
                del frame.issuers[party]
