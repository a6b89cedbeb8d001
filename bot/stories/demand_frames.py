"""Reads the demands out of one sentence: who asks whom, with which words, as a fact or not.

A `Frame` (`bot.stories.demand_roles`) is one way in which a sentence speaks of a demand. It is found from its word
for the instrument ("a subpoena from ICE to Google"), from a verb of demanding with what is to be done ("ordered
Twitter to hand over"), from an attempt ("the studios' bid to unmask users"), or from the act of taking, giving,
refusing or buying data. What may happen, what a bill would allow, what the law says in general, opens no frame.

The frames of all sentences are put together in `bot.stories.demands`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.stories.demand_roles import (
    BESIDE,
    EXPLICIT,
    LIST,
    LISTS,
    NEAR,
    Frame,
    asked,
    clause_left,
    clause_right,
    demanding,
    fill,
    noun_roles,
    verbs,
)
from bot.stories.instruments import Instrument, instrument_words
from bot.stories.marks import COMPANY, CONTENT, DATA, DEVICE, MARKS, PARTY, STATE, Marked, Slot

_THINGS = f"[{DATA}{DEVICE}]"


@dataclass(frozen=True, slots=True)
class _Rules:
    """The compiled verbs of `data/demand_verbs.toml`."""

    instrument_verb: re.Pattern[str]
    instrument_verbs: tuple[str, ...]
    demanding: re.Pattern[str]
    active: re.Pattern[str]
    passive: re.Pattern[str]
    hypothetical: re.Pattern[str]
    attempt: re.Pattern[str]
    taking: re.Pattern[str]
    giving: re.Pattern[str]
    gave: re.Pattern[str]
    refusing: re.Pattern[str]
    deed: re.Pattern[str]
    buying: re.Pattern[str]
    selling: re.Pattern[str]


@cache
def _rules() -> _Rules:
    """Compile the verbs, once a process."""
    table = verbs()
    ask, deeds = table["demanding"], table["deeds"]
    deed = (
        rf"(?<!\w)(?:(?P<silence>{fill(deeds['silence'])})|(?P<plain>{fill(deeds['plain'])})|"
        rf"(?P<content>{fill(deeds['content'])})|(?P<deed>{fill(deeds['data'])}))(?!\w)"
    )
    instrument_verbs = table["instrument_verbs"]
    gave = fill(table["giving"]["gave"])
    return _Rules(
        instrument_verb=re.compile(
            r"(?<![\w-])(?:" + "|".join(f"({fill(words)})" for words in instrument_verbs.values()) + r")(?!\w)"
        ),
        instrument_verbs=tuple(instrument_verbs),
        demanding=re.compile(
            rf"(?<![\w-])(?:(?P<order>{fill(ask['order'])})|(?P<force>{fill(ask['force'])})|(?P<ask>{fill(ask['ask'])}))(?!\w)"
        ),
        # "ordered Twitter to hand over", "demanded that Google name", "ordered Carpenter's provider to turn over"
        active=re.compile(
            rf"(?: (?:that|for|of|on|upon|both|from|against))?(?: (?:the|its|a|an|internet|web|tech|all|both|five|two|three|main|several|[a-z]+'s))* (?:(?P<who>{LIST})|it|them|him|us)(?!\w)"
            rf"(?P<own>'s? (?:[\w-]+ ){{0,3}}?(?P<owned>{LIST}))?(?P<between>[^;{MARKS}]{{0,60}}?){deed}"
        ),
        # "was ordered by a judge to hand over", "was asked for the data"
        passive=re.compile(
            rf"(?: [\w,-]+){{0,4}}?(?: by (?:the |a |an )?(?:[\w-]+ ){{0,2}}?(?P<by>{LIST}))?[^;]{{0,60}}? (?:to|for|that it|that they)"
            rf" (?:[\w,-]+ ){{0,3}}?(?:{deed}|(?P<thing>[^;]{{0,40}}? {_THINGS}))"
        ),
        hypothetical=re.compile(
            rf"(?<![\w'])(?:{fill(table['hypothetical']['before'])})(?!\w)(?: [\w'{MARKS}-]+){{0,4}} $"
        ),
        attempt=re.compile(
            rf"(?:(?P<who>{LIST})(?P<gap>'s?(?: [\w-]+){{0,3}}| [^;,]{{0,40}}?))? (?:(?:{fill(table['attempts']['words'])}) (?:to|of|that)|(?:fails?|failed|tries|tried|wants?|wanted|seeks?|sought|hopes|hoped|aims) to) (?P<rest>[^;]{{0,60}}?){deed}(?P<after>[^;]{{0,70}})"
        ),
        taking=re.compile(
            rf"(?<![\w-])(?:(?P<seek>{fill(table['taking']['seek'])})|(?P<obtain>{fill(table['taking']['obtain'])}))(?P<gap> [^;]{{0,70}}?)(?P<thing>[\w-]+) {_THINGS}"
        ),
        giving=re.compile(rf"(?<![\w-]){gave}(?!\w)(?P<gap>[^;]{{0,100}}?) (?:to|with) (?:the |a |an )?(?:[\w-]+ ){{0,2}}?(?P<to>{LIST})"),
        gave=re.compile(rf"(?<![\w-]){gave} (?:the |a )?(?:[\w-]+ ){{0,2}}?(?P<to>{LIST})(?P<gap>[^;]{{0,60}}?) {_THINGS}"),
        refusing=re.compile(
            rf"(?:refus(?:ed|es|ing|al|e)|declin(?:ed|es|ing)|would not|will not|won't|did not|didn't|does not|doesn't|has not|have not|failed|fails|failing|not|never|nothing to)"
            rf" (?:to |want to |wish to |agree to |\w+ly )*{deed}(?P<gap>[^;]{{0,110}})"
        ),
        deed=re.compile(deed),
        buying=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,60}}?)(?<![\w-]){fill(table['buying']['buy'])}(?!\w)(?P<gap>[^;]{{0,120}}?)(?:'s | (?:from|with|to|for|by) )(?:the |a |an )?(?:[\w-]+ ){{0,4}}?(?P<from>{LIST})"
        ),
        selling=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,60}}?)(?<![\w-]){fill(table['buying']['sell'])}(?!\w)(?P<gap>[^;]{{0,120}}?) to (?:the |a |an )?(?:(?!for |that )[\w-]+ ){{0,3}}?(?P<to>{LIST})"
        ),
    )


# ---------------------------------------------------------------- fact or not

_DEFINITE = re.compile(r"(?:(?<!\w)(?:the|its|their|his|her|this|that|these|those|both|hundreds of|dozens of|thousands of|several|one|first|second)|'s|s')(?: [\w-]+){0,3} $")
_DENIED = re.compile(r"(?<!\w)(?:no|without|any|need|needs|such an?|whether an?|if an?) (?:a |an |the )?(?:[\w-]+ )?$")
_FOLLOW_UP = re.compile(r"^(?:s)? (?:requirements?|powers?|authorit(?:y|ies)|process|system|laws?|bill|canary|exception|clause|rules?|proceedings?)\b")
_TO_GET = re.compile(r"(?<!\w)(?:to|must|should|would|could|first|generally|and) (?:\w+ )?(?:get|obtain|seek|have|secure|issue|use|require|apply for)(?: (?:a|an|any|individual|court|search))*(?: [\w-]+){0,2} $")
_GENERAL = re.compile(r"(?<!\w)(?:in each case|in every case|always|each time|whenever|routinely|under the (?:bill|proposal|law|rules)|in general|generally|if enacted|typically|for example, (?:if|when)|every time)(?!\w)")


_STILL_FACT = re.compile(
    r"(?<!\w)(?:will|would|to|won't|may|can|could|not) (?:\w+ ){0,2}?(?:oppose|fight|challenge|appeal|contest|resist|comply with|defy|obey|ignore|quash|block|honou?r|answer|reconsider|enforce|withdraw|drop)(?: \S+){0,4} $"
    r"|(?<!\w)used? (?:[\w-]+ ){0,4}to $"
)
"""What is done about a demand may be to come, the demand is there; powers that were used were used."""


def _is_fact(left: str, *, noun: bool) -> bool:
    """Whether what stands before a word lets it be a fact."""
    if _STILL_FACT.search(left):
        return True
    if noun:
        if _DENIED.search(left) or _TO_GET.search(left):
            return False
        if _DEFINITE.search(left):
            return True
    return _rules().hypothetical.search(left) is None


# ---------------------------------------------------------------- words for instruments

_NOUN_STEMS = ("subpoena", "summons", "warrant", "order", "letter", "nsl", "gag", "request", "demand", "notice", "register", "trap", "tower dump", "directive", "decree", "edict", "mandate", "injunction", "process", "inquir", "tcn", "provision", "direction", "ruling", "search", "takedown", "fenc")
_NOT_AN_ORDER = re.compile(r"(?:executive|restraining|in|law and|new world|pecking|removal|deportation|stay-at-home|travel|short|tall|public|money|mail|back|consent|stipulated|on|lockdown|evacuation) $")
_CONTENT_NEAR = re.compile(
    rf"(?<!\w)(?:block\w*|remov\w*|delet\w*|tak(?:e|en|ing) [^,;]{{0,30}}down|suspen\w+|censor\w*|restrict\w*|takedown|geo-?block\w*|withh\w+|ban)(?!\w)[^;]{{0,60}}{CONTENT}"
    rf"|{CONTENT}[^;]{{0,40}} (?:blocked|removed|deleted|taken down|suspended|censored|restricted)(?!\w)"
)
_REMOVED_ON_ORDER = re.compile(
    r"(?<!\w)(?:remov(?:ed|es|ing)|pull(?:ed|s)|blocks?|blocked|took|taken|takes?|deleted|suspended|withh[eo]ld|restrict(?:ed|s))(?!\w)[^;]{0,70}(?:after|at|on|under|following|in response to|because of)(?!\w)[^;]{0,40}(?:orders?|requests?|demands?|directives?)(?!\w)"
)
_NO_WARRANT = re.compile(r"(?:arrest|bench|death|royal|extradition|no-knock|outstanding|felony|immigration|deportation|traffic|stock|share|murder) $")
_AFTER_NO_WARRANT = re.compile(r"^ (?:for (?:the |his |her |their )?(?:arrest|detention)|officers?)")
_WARRANTS_VERB = re.compile(r"^ (?:the |a |an |it|this|that|further |more |attention|action|concern|scrutiny|investigation|extra)")
_SECRET_COURT = re.compile(r"foreign intelligence|secret court|fisa", re.IGNORECASE)
_TESTIMONY = re.compile(r"(?<!\w)(?:testimony|testify|witness(?:es)?|appear before|tax returns|hearing|depositions?|sermons|gave birth)(?!\w)")
_QUOTED_WORD = re.compile(r"[\"'(][\w+ ]{0,12}$")


def noun_frames(marked: Marked) -> list[Frame]:
    """Read the words for instruments."""
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
            _NO_WARRANT.search(left) or _AFTER_NO_WARRANT.match(after) or (word == "warrants" and _WARRANTS_VERB.match(after))
        ):
            continue
        if instrument.family == "any" and (_NOT_AN_ORDER.search(left) or _is_verb(text, start, stop, word)):
            continue
        if _FOLLOW_UP.match(after) or not _is_fact(left, noun=True):
            continue
        frame = _noun_frame(instrument, marked, start, stop, word)
        if frame is not None:
            frames.append(frame)
    return frames


def _is_verb(text: str, start: int, stop: int, word: str) -> bool:
    """Whether "orders", "demands", "requests" is a verb here, which the verb rules read."""
    before, after = text[max(0, start - 9) : start], text[stop : stop + 5]
    if not word.endswith("s") and re.search(r"(?<!\w)(?:to|will|would|could|may|might|must|not|they|we|i|you|can|should|in) $", before):
        return True
    return bool(re.match(rf" (?:the |{PARTY}|that )", after) and re.search(rf"(?:{PARTY}|it|he|she|they|who|which|that) $", before))


def _noun_frame(instrument: Instrument, marked: Marked, start: int, stop: int, word: str) -> Frame | None:
    name, family, rank = instrument.name, instrument.family, instrument.rank
    around = marked.text[max(0, start - 90) : stop + 130]
    if family == "any":
        if word.startswith(("order", "directi", "decree", "edict", "injunction", "mandate", "ruling")):
            name, rank = "court order", 4
        if _CONTENT_NEAR.search(around) or _REMOVED_ON_ORDER.search(around):
            name, family, rank = "takedown order", "content", 5
        elif DATA in around or DEVICE in around:
            family = "data"
        else:
            family = "weak"
    frame = Frame(marked.index, name, family, rank, "noun", start, plural=word.endswith("s") and not word.endswith("ss"))
    noun_roles(frame, marked, start, stop, court=name in ("court order", "takedown order", "gag order", "wiretap order"))
    _drop_unlikely(frame, instrument)
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
    if not companies and _TESTIMONY.search(around):
        frame.weight *= 0.3
    if _GENERAL.search(marked.text) or _QUOTED_WORD.search(marked.text[max(0, start - 14) : start]):
        frame.weight *= 0.4
    return frame


_FROM_PERSONS = ("subpoena", "civil subpoena", "national security letter", "gag order", "informal request", "court order", "takedown order")
"""Instruments that a person without an office may use, or be served with."""


def _drop_unlikely(frame: Frame, instrument: Instrument) -> None:
    """No agency is served with a warrant, and nobody but an office has one."""
    for party in list(frame.recipients):
        kind = frame.slots[party].kind
        if instrument.lone and (kind == "agency" or (kind == "person" and frame.instrument not in _FROM_PERSONS)):
            del frame.recipients[party]
            if kind == "person":
                frame.targets.append(party)
    if frame.instrument not in _FROM_PERSONS:
        for party in list(frame.issuers):
            if frame.slots[party].kind in ("company", "organisation"):
                del frame.issuers[party]


# ---------------------------------------------------------------- verbs of demanding

_AUX = re.compile(
    rf"(?:(?P<who>{LIST})(?:,? (?:which|who))?(?:, [^,;]{{0,60}},)?(?:'s)? )?(?:was|were|been|is|are|being|be|got|gets|have been|has been|had been)(?: \w+ly| also| then| now| first)? $"
)
_PRONOUN_SUBJECT = re.compile(r"(?:^|[ ,\"(])(?:it|they|he|she|we)(?: (?:had|has|have|also|then|now|first|later))? $")
_NO_DEMAND = re.compile(r"^(?: to (?:comment|respond|explain|testify|appear|pay|apologi[sz]e|answer questions|account|be (?:named|quoted))| if | whether | why | how )")


def verb_frames(marked: Marked) -> list[Frame]:
    """Read the verbs: subpoenaed; ordered, asked, demanded that somebody do something."""
    rule = _rules()
    frames: list[Frame] = []
    if "subpoena" in marked.text or "summons" in marked.text:
        for match in rule.instrument_verb.finditer(marked.text):
            frame = _subpoenaed(marked, match)
            if frame:
                frames.append(frame)
    for match in rule.demanding.finditer(marked.text):
        frame = _demanded(marked, match)
        if frame:
            frames.append(frame)
    return frames


def _subject(left: str, marked: Marked, *, courts: bool) -> list[Slot]:
    """The party that acts: the nearest one before the verb that no preposition holds; none behind a pronoun."""
    if _PRONOUN_SUBJECT.search(left):
        return []
    for match in reversed(list(LISTS.finditer(left))[-3:]):
        before = left[: match.start()]
        if re.search(r"(?<!\w)(?:of|for|against|with|in|at|to|over|behind|about|on|under|asked|wanted|told|from)(?: the| a| an)?(?: \w+)? $", before):
            continue
        if left[match.end() : match.end() + 2] == "'s":
            owner = re.match(rf"'s (?:[\w-]+ ){{0,4}}$", left[match.end() :])
            if not owner:
                continue
        kept = demanding(marked.names(match.group()), courts=courts)
        if kept:
            return kept
    return []


def _subpoenaed(marked: Marked, match: re.Match[str]) -> Frame | None:
    rule = _rules()
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    if not _is_fact(left[-70:], noun=False):
        return None
    frame = Frame(marked.index, rule.instrument_verbs[(match.lastindex or 1) - 1], "data", 5, "verb", match.start())
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
        frame.vote("issuer", _subject(left, marked, courts=False), EXPLICIT)
        what = re.match(rf"(?: (?:the|a|an|tech|social|media|web|internet))* (?P<who>{LIST})(?P<own>'s)?", right)
        if what:
            slots = marked.names(what.group("who"))
            firms = [slot for slot in slots if slot.kind in ("company", "organisation")]
            frame.vote("recipient" if firms or not what.group("own") else "target", firms or asked(slots), EXPLICIT)
        elif DATA not in right[:90]:
            return None
        for found_from in re.finditer(rf" from (?:the )?(?P<who>{LIST})", right):
            frame.vote("recipient", asked(marked.names(found_from.group("who"))), EXPLICIT)
    if any(slot.kind == "company" for slot in frame.slots.values()):
        frame.weight = 2.0
    elif _TESTIMONY.search(text):
        frame.weight = 0.2
    elif DATA not in text:
        frame.weight = 0.3
    return frame


def _demanded(marked: Marked, match: re.Match[str]) -> Frame | None:
    rule = _rules()
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    if _NO_DEMAND.match(right) or not _is_fact(left[-70:], noun=False):
        return None
    verb = match.group()
    ordered = match.group("order") is not None
    frame = Frame(marked.index, "court order" if ordered else "informal request", "data", 4 if ordered else 2, "verb", match.start())
    frame.asking = verb.startswith(("demand", "ask", "request", "want", "press", "seek", "approach"))
    passive = _AUX.search(left)
    participle = verb.endswith("ed") or verb in ("told", "made")
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
            return _wanted_from(frame, marked, left, right) or _blocked(frame, marked, left, right)
        slots = marked.names(found.group("owned") or found.group("who") or "")
        frame.vote("recipient", asked(slots), EXPLICIT)
        if found.group("owned"):
            frame.vote("target", marked.names(found.group("who")), BESIDE)
        frame.vote("issuer", _subject(left, marked, courts=True), EXPLICIT)
        if not found.group("who") and not frame.issuers and not re.search(r"(?<!\w)(?:orders?|warrant|subpoena|summons|notice|that|which|it) $", left):
            return None
    if set(frame.recipients) & set(frame.issuers):
        frame.issuers.clear()
    if not frame.recipients and (found.re is rule.passive or found.group("who")):
        return None
    return _deed(frame, found, text)


_NOT_DATA = re.compile(
    r"(?:hand|turn|giv\w*|surrender\w*|releas\w*|disclos\w*)(?: over)?(?: (?:the|its|their|his|more|some|any|over|up|all))* (?:cash|money|\$|control|power|funds|suspects?|land|territory|hostages?|weapons|guns|reins|profits|prisoners?|tax returns|medical supplies|ukraine)"
)
_COMPLEMENT = re.compile(r"^ $|^ (?:to|not to|must|should|should not|have to|over|for)(?!\w)|^(?: (?!that |which |who )[\w,-]+){0,6} (?:to|must|should|has to)(?: \w+){0,2} $")
_BLOCKED = re.compile(rf"(?: (?:that|the))* (?P<who>{LIST})(?:'s (?:[\w-]+ ){{0,3}}[^ ]?)? (?:to be |be )?(?:blocked|banned|suspended|shut down|taken down|taken offline|removed|unblocked)(?!\w)")


def _blocked(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """"orders LinkedIn blocked": the platform is what shall go."""
    found = _BLOCKED.match(right)
    if not found or frame.instrument != "court order":
        return None
    frame.instrument, frame.family, frame.rank, frame.weight = "takedown order", "content", 5, 1.2
    frame.vote("recipient", [slot for slot in marked.names(found.group("who")) if slot.kind == "company"], BESIDE)
    frame.vote("issuer", _subject(left, marked, courts=True), EXPLICIT)
    return frame if frame.recipients else None


def _wanted_from(frame: Frame, marked: Marked, left: str, right: str) -> Frame | None:
    """"demanded user data from Google", "asked Apple for the data"."""
    if frame.instrument != "court order" and not frame.asking:
        return None
    found = re.match(rf"(?: (?:the|a))*(?: (?P<who>{LIST}))? (?:for )?[^;]{{0,80}}? {_THINGS}(?P<rest>[^;]{{0,90}})", right)
    if not found:
        return None
    source = re.search(rf" from (?:the )?(?:[\w-]+ ){{0,2}}?(?P<from>{LIST})", found.group("rest"))
    who = source.group("from") if source else found.group("who") if " for " in found.group() else None
    if not who:
        return None
    frame.vote("recipient", asked(marked.names(who)), EXPLICIT)
    frame.vote("issuer", _subject(left, marked, courts=True), EXPLICIT)
    state = any(frame.slots[name].kind in ("agency", "court") or frame.slots[name].official for name in frame.issuers)
    frame.weight = 1.2 if state else 0.7
    return frame if frame.recipients and not set(frame.recipients) & set(frame.issuers) else None


def _deed(frame: Frame, found: re.Match[str], text: str) -> Frame | None:
    """What shall be done decides which instrument it is, and whether it is a demand for data at all."""
    groups = found.groupdict()
    if groups.get("silence"):
        frame.instrument, frame.family, frame.rank = "gag order", "gag", 6
        return frame
    if groups.get("content"):
        if CONTENT not in text:
            return None
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
        frame.weight = 1.2
        return frame
    plain = bool(groups.get("plain"))
    if _NOT_DATA.search(text[frame.position : frame.position + 120]):
        return None
    if not plain and DATA not in text and DEVICE not in text:
        return None
    firm = any(frame.slots[name].kind == "company" for name in frame.recipients)
    frame.weight = (1.5 if plain else 1.0) if firm else (0.8 if plain else 0.4)
    if not frame.issuers:
        frame.weight *= 0.7
    if _GENERAL.search(text):
        frame.weight *= 0.4
    return frame


# ---------------------------------------------------------------- attempts and acts

def act_frames(marked: Marked) -> list[Frame]:
    """Read attempts at data, and the acts of taking, giving, refusing and buying it."""
    text = marked.text
    frames: list[Frame] = []
    for match in _rules().attempt.finditer(text):
        _keep(frames, _attempted(marked, match))
    if DATA in text or DEVICE in text:
        for match in _rules().taking.finditer(text):
            _keep(frames, _taken(marked, match))
        frames.extend(_given(marked))
    if _GOODS.search(text) and any(slot.kind == "company" for slot in marked.slots.values()):
        frames.extend(_bought(marked))
    for match in _rules().refusing.finditer(text):
        _keep(frames, _refused(marked, match))
    frames.extend(_favours(marked))
    frames.extend(_obliged(marked))
    return frames


_OBLIGED = re.compile(
    rf"(?P<who>{LIST})(?:, [^,;]{{1,60}},)? (?P<verb>must|has to|have to|had to|is to|was forced to|is forced to|need not|does not have to|did not have to) "
)
_PUNISHED = re.compile(
    rf"(?:(?:fin(?:ed|es|ing)|penali[sz](?:ed|es)|punish(?:ed|es)|contempt|cut off|block(?:ed|s)|sue[sd]|threaten\w*)(?!\w)[^;]{{0,30}}(?P<who>{LIST})|(?P<whom>{LIST})[^;]{{0,40}} (?:fined|in contempt|penali[sz]ed))"
    rf"[^;]{{0,120}}(?:not|refus\w*|fail\w*|ignor\w*|over)(?: to| its)? (?P<rest>[^;]{{0,80}})"
)


def _obliged(marked: Marked) -> list[Frame]:
    """"OpenAI must keep the chats", "Telegram fined for not giving its keys": a demand seen from the one who is asked."""
    frames = []
    text = marked.text
    court = any(slot.kind == "court" for slot in marked.slots.values())
    for match in _OBLIGED.finditer(text):
        who = [slot for slot in marked.names(match.group("who")) if slot.kind == "company" and not slot.generic]
        rest = text[match.end() : match.end() + 90]
        found = _rules().deed.search(rest)
        if not who or not found or found.start() > 20 or not _is_fact(clause_left(text, match.start("verb"))[-60:], noun=False):
            continue
        weight = 0.8 if marked.index < 0 or court else 0.5
        frames.append(_seen_from_asked(marked, match, who, found, rest, weight))
    for match in _PUNISHED.finditer(text):
        who = [slot for slot in marked.names((match.group("who") or "") + (match.group("whom") or "")) if slot.kind == "company"]
        found = _rules().deed.search(match.group("rest"))
        if who and (found or DATA in match.group("rest")):
            frames.append(_seen_from_asked(marked, match, who, found, match.group("rest"), 0.8))
    return [frame for frame in frames if frame is not None]


def _seen_from_asked(
    marked: Marked, match: re.Match[str], who: list[Slot], found: re.Match[str] | None, rest: str, weight: float
) -> Frame | None:
    content = found is not None and bool(found.group("content"))
    if not content and not (found and found.group("plain")) and DATA not in rest and DEVICE not in rest:
        return None
    if content and CONTENT not in marked.text:
        return None
    frame = Frame(marked.index, "informal request", "data", 1, "refusing", match.start(), weight=weight)
    if content:
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    frame.vote("recipient", who, EXPLICIT)
    near = re.search(rf" (?:to|for|with|help|give|let)(?: the| a)? (?P<to>{LIST})", rest)
    if near:
        frame.vote("issuer", [slot for slot in marked.names(near.group("to")) if slot.kind == "agency"], BESIDE)
    return frame


def _keep(frames: list[Frame], frame: Frame | None) -> None:
    if frame is not None:
        frames.append(frame)


def _attempted(marked: Marked, match: re.Match[str]) -> Frame | None:
    text = marked.text
    if not (match.group("plain") or (match.group("deed") and DATA in match.group()) or (match.group("content") and CONTENT in match.group("after"))):
        return None
    if not _is_fact(text[max(0, match.start() - 60) : match.start()] + " ", noun=False):
        return None
    frame = Frame(marked.index, "informal request", "data", 2, "attempt", match.start(), weight=0.9)
    if match.group("content"):
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    frame.vote("issuer", demanding(marked.names(match.group("who") or "")), EXPLICIT if (match.group("gap") or "").startswith("'") else BESIDE)
    inside = marked.names((match.group("rest") or "") + (match.group("after") or ""))
    frame.vote("recipient", [slot for slot in inside if slot.kind == "company" and slot.name not in frame.issuers], BESIDE)
    frame.vote("target", [slot for slot in inside if slot.kind in ("account", "person")], BESIDE)
    return frame


_WEAK_THINGS = {"information", "details", "account", "accounts", "code", "list", "lists", "phone", "phones", "record", "location", "mail", "movements"}


def _taken(marked: Marked, match: re.Match[str]) -> Frame | None:
    """"The FBI obtained his e-mails": a demand when it is known whose data it was, or from whom."""
    text = marked.text
    left, right = clause_left(text, match.start()), clause_right(text, match.end())
    seek = match.group("seek") is not None
    verb = match.group("seek") or match.group("obtain")
    past = verb.endswith("ed") or verb.startswith("got") or marked.index < 0
    if not _is_fact(left[-70:], noun=False) or not (past or seek) or (verb == "after" and marked.index >= 0):
        return None
    subject = [slot for slot in _subject(left, marked, courts=False) if slot.kind in ("agency", "person") or (seek and slot.kind == "organisation")]
    if not subject:
        return None
    own = {slot.name for slot in subject}
    tail = right[:90]
    source = re.search(rf" from (?:the )?(?:[\w-]+ ){{0,2}}?(?P<who>{LIST})", tail)
    owners = re.search(rf"(?P<who>{LIST})(?:'s)?(?: [\w-]+){{0,3}} $", match.group("gap"))
    companies = [
        slot
        for slot in marked.names((source.group("who") if source else "") + (owners.group("who") if owners else ""))
        if slot.kind == "company" and slot.name not in own
    ]
    about = [slot for slot in marked.names(match.group("gap") + tail) if slot.name not in own and slot.kind in ("person", "account", "organisation")]
    if seek and not companies and not about:
        if all(slot.generic for slot in subject) or match.group("thing") in _WEAK_THINGS:
            return None
        frame = Frame(marked.index, "informal request", "data", 1, "taking", match.start(), weight=0.3)
        frame.vote("issuer", subject, EXPLICIT)
        return frame
    if not companies and not about and (match.group("thing") in _WEAK_THINGS or not re.search(r"(?<!\w)(?:his|her|their|that)(?!\w)", right)):
        return None
    frame = Frame(marked.index, "informal request", "data", 1, "taking", match.start())
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", companies, EXPLICIT)
    frame.vote("target", about, BESIDE)
    frame.weight = 1.1 if companies else 0.4 if (seek or match.group("thing") in _WEAK_THINGS) else 1.0
    return frame


def _given(marked: Marked) -> list[Frame]:
    """"Google gave the FBI the data", "the data was handed to the police"."""
    text = marked.text
    frames = []
    for pattern in (_rules().giving, _rules().gave):
        for match in pattern.finditer(text):
            to = [slot for slot in marked.names(match.group("to")) if slot.kind == "agency"]
            left = clause_left(text, match.start())
            if not to or DATA not in text[max(0, match.start() - 60) : match.end() + 60] or not _is_fact(left[-70:], noun=False):
                continue
            who = [slot for slot in _subject(left, marked, courts=False) if slot.kind in ("company", "organisation")]
            frame = Frame(marked.index, "informal request", "data", 2, "giving", match.start(), weight=0.9 if who else 0.6)
            frame.vote("issuer", to, BESIDE)
            frame.vote("recipient", who, EXPLICIT)
            frames.append(frame)
    return frames


def _refused(marked: Marked, match: re.Match[str]) -> Frame | None:
    """"Apple refused to unlock the phone", "it would not give the FSB its keys"."""
    data = match.group("plain") or (match.group("deed") and (DATA in match.group() or DEVICE in match.group()))
    content = match.group("content") and CONTENT in match.group()
    if not data and not content:
        return None
    left = clause_left(marked.text, match.start())
    if re.search(r"(?<!\w)(?:could|may|might|if|whether|should|can|to)(?: \w+)? $", left):
        return None
    who = [slot for slot in _subject(re.sub(r"for $", "", left), marked, courts=False) if slot.kind == "company"]
    pronoun = _PRONOUN_SUBJECT.search(left)
    if not who and not pronoun:
        return None
    frame = Frame(marked.index, "informal request", "data", 2, "refusing", match.start(), weight=0.9 if who else 0.6)
    if content:
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
    frame.vote("recipient", who, EXPLICIT)
    near = re.search(rf"(?: (?:to|for|with|help|assist|give|by))? (?:the |a |of the )?(?P<to>{LIST})", match.group("gap"))
    if near:
        frame.vote("issuer", [slot for slot in marked.names(near.group("to")) if slot.kind == "agency"], BESIDE)
    return frame


_GOODS = re.compile(rf"(?:{DATA}|(?<!\w)(?:access|feeds?|netflow|posts|movements)(?!\w))")


_BUYERS = {"police", "law enforcement", "government", "federal government", "police departments", "federal agencies", "intelligence agencies"}


def _bought(marked: Marked) -> list[Frame]:
    frames = []
    text = marked.text
    for pattern, buyer, seller in ((_rules().buying, "who", "from"), (_rules().selling, "to", "who")):
        for match in pattern.finditer(text):
            buyers = [slot for slot in marked.names(match.group(buyer)) if slot.kind == "agency"]
            sellers = [slot for slot in marked.names(match.group(seller)) if slot.kind == "company" and not slot.generic]
            near = text[match.start() : match.end() + 60]
            if all(slot.generic and slot.name.lower() not in _BUYERS for slot in buyers) or not sellers or not _GOODS.search(near) or not _is_fact(text[: match.end("mid")][-60:], noun=False):
                continue
            frame = Frame(marked.index, "purchase", "buy", 8, "buying", match.start(), weight=1.5)
            frame.vote("issuer", buyers, EXPLICIT)
            frame.vote("recipient", sellers, EXPLICIT)
            frames.append(frame)
    return frames


_FAVOUR = re.compile(
    rf"(?:(?P<who>{LIST})[^;]{{0,110}}?)?(?<!\w)(?:searches|search|look-?ups|queries|searched|queried|look-?up)(?!\w)[^;]{{0,80}}?"
    rf" (?:for|on behalf of|at the request of|at request of|requests? of|to help|to assist)(?: [\w-]+){{0,3}}? (?P<for>{LIST})"
)


def _favours(marked: Marked) -> list[Frame]:
    """Searches that one agency runs for another: an informal request that was granted."""
    frames = []
    if not re.search(r"search|look|quer", marked.text):
        return []
    for match in _FAVOUR.finditer(marked.text):
        asking = [slot for slot in marked.names(match.group("for")) if slot.kind == "agency" and not slot.generic]
        doing = [slot for slot in marked.names(match.group("who") or "") if slot.kind == "agency" and asking and slot.name != asking[0].name]
        if not asking:
            continue
        frame = Frame(marked.index, "informal request", "favour", 2, "favour", match.start(), weight=1.1 if doing else 0.6)
        frame.vote("issuer", asking, EXPLICIT)
        frame.vote("recipient", doing, EXPLICIT)
        frames.append(frame)
    return frames


def frames_of(marked: Marked) -> list[Frame]:
    """Everything that one sentence says of demands, in the order of the words."""
    frames = [*noun_frames(marked), *verb_frames(marked), *act_frames(marked)]
    frames.sort(key=lambda frame: frame.position)
    return frames
