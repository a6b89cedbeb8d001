"""Reads the demands out of one sentence: who asks whom, with which words, as a fact or not.

A `Frame` is one way in which a sentence speaks of a demand. It is found from its word for the instrument
("a subpoena from ICE to Google"), from a verb of demanding with what is to be done ("ordered Twitter to
hand over"), or from the act of taking, giving, refusing or buying data. Roles come from the place of the
parties around that word: possessives, prepositions, active and passive verbs; what the place leaves open,
the kind of the party answers (agencies ask, companies are asked).

The frames of all sentences are put together in `bot.stories.demands`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from bot.stories.instruments import Instrument, instrument_words, load_table
from bot.stories.marks import ASKED, COURT, MARKS, PARTY, STATE, Marked, Slot
from bot.stories.sought import CONTENT, data_words

EXPLICIT = 3.0
"""Weight of a role that grammar states ("from ICE", "subpoenaed Google")."""
BESIDE = 2.0
"""Weight of a role that a noun beside the word suggests ("the Twitter subpoena")."""
NEAR = 0.5
"""Weight of a role that only the kind of a party in the same sentence suggests."""

_LEFT, _RIGHT = 170, 230  # characters around a word in which its parties are looked for

LIST = (
    rf"{PARTY}(?:(?:'s)?(?: \([^()]{{0,40}}\))?(?:, (?:and |or )?|,? and |,? or | & |/| as well as |, including )"
    rf"(?:the |its |parent )?{PARTY})*"
)
_LIST = re.compile(LIST)
_CLAUSE_END = re.compile(r"[;]|\. |, (?:but|while|whereas|although|though|because|since) | - ")
_DEFINITE = re.compile(
    r"(?:\b(?:the|its|their|his|her|this|that|these|those|both|such an?|hundreds of|dozens of)|'s|s')(?: [\w-]+){0,2} $"
)
_FOLLOW_UP = re.compile(
    r"^(?:s)? (?:requirements?|powers?|authorit(?:y|ies)|process|system|law|bill|canary)\b"
)


@dataclass(slots=True)
class Frame:
    """One mention of a demand in one sentence, with the weight of each party in each role."""

    index: int
    instrument: str
    family: str  # data, content, gag, buy
    rank: int
    form: str  # noun, verb, taking, giving, refusing, buying, favour
    position: int
    issuers: dict[str, float] = field(default_factory=dict)
    recipients: dict[str, float] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    slots: dict[str, Slot] = field(default_factory=dict)
    weight: float = 1.0
    hint: str | None = None

    def vote(self, role: str, slots: list[Slot], weight: float) -> None:
        """Count parties for a role."""
        votes = self.issuers if role == "issuer" else self.recipients
        for slot in slots:
            self.slots.setdefault(slot.name, slot)
            if role == "target":
                if slot.name not in self.targets:
                    self.targets.append(slot.name)
            else:
                votes[slot.name] = max(votes.get(slot.name, 0.0), weight)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The compiled verbs of `data/demand_verbs.toml`."""

    instrument_verb: re.Pattern[str]
    instrument_verbs: tuple[str, ...]
    demanding: re.Pattern[str]
    active: re.Pattern[str]
    passive_right: re.Pattern[str]
    ask_for: re.Pattern[str]
    issue: re.Pattern[str]
    receive: re.Pattern[str]
    hypothetical: re.Pattern[str]
    taking: re.Pattern[str]
    giving: re.Pattern[str]
    refusing: re.Pattern[str]
    buying: re.Pattern[str]
    selling: re.Pattern[str]
    data: re.Pattern[str]


def _any(words: list[str]) -> str:
    joined = "|".join(sorted(words, key=len, reverse=True))
    return "(?:" + joined.replace("{party}", PARTY).replace("{marks}", MARKS) + ")"


@cache
def rules() -> _Rules:
    """Compile the verbs, once a process."""
    table = load_table("demand_verbs.toml")
    compel, ask = _any(table["demanding"]["compel"]), _any(table["demanding"]["ask"])
    deeds = table["deeds"]
    deed = rf"(?:(?P<silence>{_any(deeds['silence'])})|(?P<content>{_any(deeds['content'])})|(?P<data>{_any(deeds['data'])}))\b"
    taking = _any(table["taking"]["seek"] + table["taking"]["obtain"])
    data = data_words()
    verbs = table["instrument_verbs"]
    return _Rules(
        instrument_verb=re.compile(
            r"\b(?:" + "|".join(f"({_any(words)})" for words in verbs.values()) + r")(?!\w)"
        ),
        instrument_verbs=tuple(verbs),
        demanding=re.compile(rf"\b(?:(?P<compel>{compel})|(?P<ask>{ask}))\b"),
        active=re.compile(
            rf" (?:that |for |of |on |upon |both |from )?(?:the |its |a |an )?(?P<who>{LIST})(?P<own>'s? (?:[\w-]+ ){{0,3}}?(?P<owned>{LIST}))?"
            rf"(?P<between>[^;{MARKS}]{{0,50}}?)\b{deed}"
        ),
        passive_right=re.compile(
            rf"(?: [\w,-]+){{0,4}}?(?: by (?:the |a |an )?(?P<by>{LIST}))?[^;]{{0,50}}? (?:to|for|that it) (?:[\w-]+ ){{0,2}}?(?:{deed}|(?:the |its |all )?(?P<thing>{data})\b)"
        ),
        ask_for=re.compile(
            rf"(?: (?:the |a |an )?(?P<who>{LIST}))? (?:for )?(?:[^;{MARKS}]{{0,60}}? )?(?P<thing>{data})\b(?:[^;{MARKS}]{{0,60}}? from (?:the )?(?P<from>{LIST}))?"
        ),
        issue=re.compile(rf"\b{_any(table['instrument_actions']['issue'])}\b"),
        receive=re.compile(rf"\b{_any(table['instrument_actions']['receive'])}\b"),
        hypothetical=re.compile(rf"\b{_any(table['hypothetical']['before'])}(?: [\w'-]+){{0,3}} $"),
        taking=re.compile(
            rf"\b(?:(?P<seek>{_any(table['taking']['seek'])})|(?P<obtain>{_any(table['taking']['obtain'])}))(?P<gap> [^;]{{0,70}}?)\b(?P<thing>{data})\b"
        ),
        giving=re.compile(
            rf"(?P<who>{LIST})?(?P<mid>[^;{MARKS}]{{0,40}}?)\b{_any(table['giving']['gave'])}\b(?P<gap>[^;]{{0,90}}?) (?:to|with) (?:the |a |an )?(?P<to>{LIST})"
        ),
        refusing=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;.{MARKS}]{{0,40}}?)\b(?:refus(?:ed|es|ing|al)(?: to)?|declin(?:ed|es|ing) to|would not|will not|won't|did not|didn't|does not|doesn't|has not|never|not (?:want|wish|agree) to|failed to|fails to)\b"
            rf"(?: (?:want to|agree to|\w+ly))? (?P<rest>{deed})(?P<gap>[^;]{{0,90}})"
        ),
        buying=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;{MARKS}]{{0,40}}?)\b{_any(table['buying']['buy'])}\b(?P<gap>[^;]{{0,120}}?)(?: from | with |'s )(?:the |a |an )?(?P<from>{LIST})"
        ),
        selling=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;{MARKS}]{{0,40}}?)\b{_any(table['buying']['sell'])}\b(?P<gap>[^;]{{0,120}}?) to (?:the |a |an )?(?P<to>{LIST})"
        ),
        data=re.compile(rf"\b{data}\b"),
    )


_STATE_KINDS = {"agency"}
_ASKED_KINDS = {"company", "organisation"}
_LEGISLATURE = re.compile(
    r"\b(?:congress|senate|house of representatives|parliament|house|lawmakers|supreme court)\b",
    re.IGNORECASE,
)


def _issuers(slots: list[Slot], *, courts: bool = False) -> list[Slot]:
    """Of a list with several kinds, those that demand: agencies first, then whoever is there."""
    states = [slot for slot in slots if slot.kind in _STATE_KINDS]
    if states:
        return states
    return [
        slot
        for slot in slots
        if slot.kind in ("organisation", "company", "person") or (courts and slot.kind == "court")
    ]


def _recipients(slots: list[Slot]) -> list[Slot]:
    """Of a list with several kinds, those that are asked: companies first."""
    companies = [slot for slot in slots if slot.kind in _ASKED_KINDS]
    if companies:
        return companies
    return [
        slot for slot in slots if slot.kind in ("agency", "person") and not _LEGISLATURE.search(slot.name)
    ]


def _clause_left(text: str, position: int) -> str:
    """What stands before a place, within its clause."""
    left = text[max(0, position - _LEFT) : position]
    cut = 0
    for match in _CLAUSE_END.finditer(left):
        cut = match.end()
    return left[cut:]


def _clause_right(text: str, position: int) -> str:
    right = text[position : position + _RIGHT]
    match = _CLAUSE_END.search(right)
    return right[: match.start()] if match else right


_BY = re.compile(r"\b(?:by|from)(?: (?:the|a|an|its|u\.s\.|us|federal|two|several))*(?: [\w-]+){0,2} $")
_TO = re.compile(
    r"\b(?:to|on|upon|against|at|compelling|forcing|requiring|ordering|directing|demanding|telling|asking|compels?|forces?|requires?|orders?|directs?|directed|ordered|asks?|told|tells|commanding|commands|hitting|reached|that)(?: (?:the|a|an|its|that|web|host|companies|firms|such as|like|tech|technology|social|media|largest|including|biggest|giants?|company|hosting|provider|messaging|app|service|search))* $"
)
_OF = re.compile(
    r"\b(?:of|for|about|over|behind|on|regarding|concerning|targeting|covering|to identify|to unmask)(?: (?:the|a|an|its|all|account|accounts|user|users|identity|data|records|information))* $"
)
_FROM_DATA = re.compile(
    r"\b(?:data|information|records|details|logs|e-?mails?|messages|names|identit\w+|seeking|seeks|sought|for|history|documents|address\w*|metadata|footage)[^,]{0,25} from(?: (?:the|a|an))?(?: [\w-]+){0,2} $"
)
_SENT_BEFORE = re.compile(
    r"\b(?:sent|send|sends|sending|serv(?:ed|es|ing)|issued|handed|gave|gives|slapped|hit|hits|hitting|giving|delivered to|issued to|sent to)(?: (?:the|a|an))?(?: [\w-]+){0,2} $"
)
_PASSIVE_GET = re.compile(
    r"\b(?:was|were|been|being|got|is|are|be)\b(?: \w+)? (?:issued|served|sent|hit|handed|slapped|given|presented)\b"
)
_ARTICLES = re.compile(r"^(?:'s|')?(?: [\w$,.-]+){0,5} $")


def _noun_roles(frame: Frame, marked: Marked, start: int, stop: int, *, court: bool) -> None:
    """Find the parties around a word for an instrument."""
    rule = rules()
    left = _clause_left(marked.text, start)
    lists = list(_LIST.finditer(left))[-3:]
    for distance, match in enumerate(reversed(lists)):
        slots = marked.names(match.group())
        if not slots or all(slot.kind == "account" for slot in slots):
            frame.vote("target", slots, EXPLICIT)
            continue
        gap, before = left[match.end() :], left[: match.start()]
        kinds = {slot.kind for slot in slots}
        if kinds == {"court"} and not court:
            continue
        if rule.receive.search(gap) or _PASSIVE_GET.search(gap):
            if kinds & _STATE_KINDS and not kinds & _ASKED_KINDS and not _PASSIVE_GET.search(gap):
                frame.vote("issuer", slots, NEAR)
            else:
                frame.vote("recipient", _recipients(slots), EXPLICIT if distance == 0 else BESIDE)
        elif _SENT_BEFORE.search(before) and distance == 0:
            frame.vote("recipient", _recipients(slots), EXPLICIT)
        elif re.search(r"\b(?:by|from)(?: the| a| an)? $", before):
            frame.vote("issuer", _issuers(slots, courts=court), EXPLICIT)
        elif rule.issue.search(gap):
            passive = re.search(r"\bto(?: the| a)? $", before)
            frame.vote(
                "recipient" if passive else "issuer",
                _recipients(slots) if passive else _issuers(slots, courts=court),
                EXPLICIT if distance == 0 else BESIDE,
            )
        elif distance == 0 and _ARTICLES.match(gap):
            owner = gap.startswith("'")
            if kinds & _STATE_KINDS or (owner and "company" not in kinds) or (kinds == {"court"} and court):
                frame.vote("issuer", _issuers(slots, courts=court), EXPLICIT if owner else BESIDE)
            elif owner:
                frame.vote("issuer", _issuers(slots), BESIDE)
            elif kinds & _ASKED_KINDS:
                frame.vote("recipient", _recipients(slots), BESIDE)
        else:
            _by_kind(frame, slots)
    right = _clause_right(marked.text, stop)
    last = 0
    for number, match in enumerate(_LIST.finditer(right)):
        if number > 3:
            break
        slots = marked.names(match.group())
        before = right[last : match.start()]
        last = match.end()
        kinds = {slot.kind for slot in slots}
        owned = right[match.end() : match.end() + 2] == "'s"
        if kinds == {"account"}:
            frame.vote("target", slots, EXPLICIT)
        elif _FROM_DATA.search(before) and kinds & _ASKED_KINDS:
            frame.vote("recipient", _recipients(slots), EXPLICIT)
        elif _BY.search(before):
            if kinds != {"court"} or court:
                frame.vote("issuer", _issuers(slots, courts=court), EXPLICIT)
        elif _TO.search(before) and kinds != {"court"}:
            frame.vote("recipient", _recipients(slots), EXPLICIT)
        elif _OF.search(before) or (number == 0 and before == " "):
            if kinds & {"company"}:
                frame.vote("recipient", _recipients(slots), BESIDE)
            elif "person" in kinds:
                frame.vote("target", slots, EXPLICIT)
            elif re.search(r"\bof(?: the)? $", before):
                frame.vote("issuer", _issuers(slots, courts=court), BESIDE)
            else:
                _by_kind(frame, slots)
        elif not owned:
            _by_kind(frame, slots)


def _by_kind(frame: Frame, slots: list[Slot]) -> None:
    """Let the kind of a party decide, weakly."""
    frame.vote("issuer", [slot for slot in slots if slot.kind == "agency"], NEAR)
    frame.vote("recipient", [slot for slot in slots if slot.kind == "company"], NEAR)
    frame.vote("target", [slot for slot in slots if slot.kind == "account"], NEAR)


_NOT_AN_ORDER = re.compile(
    r"(?:executive|restraining|in|law and|new world|pecking|removal|deportation|stay-at-home|court|travel|short|tall|public|money|mail|back) $"
)
_CONTENT_NEAR = re.compile(
    rf"\b(?:block\w*|remov\w*|delet\w*|tak(?:e|en|ing) [^,;]{{0,30}}down|suspend\w*|censor\w*|restrict\w*|takedown|geo-?block\w*|withh\w+)\b[^;]{{0,60}}\b{CONTENT}\b|\b{CONTENT}\b[^;]{{0,40}}\b(?:blocked|removed|deleted|taken down|suspended|censored|restricted)\b"
)
_ARREST = re.compile(
    r"\b(?:arrest|bench|death|royal|extradition|no-knock|outstanding|felony|immigration|deportation|traffic) $"
)
_WARRANTS_VERB = re.compile(
    r"^ (?:the |a |an |further |more |attention|action|concern|scrutiny|investigation)"
)
_TESTIMONY = re.compile(
    r"\b(?:testimony|testify|witness(?:es)?|appear before|tax returns|hearing|depositions?)\b"
)


def noun_frames(marked: Marked) -> list[Frame]:
    """Read the words for instruments."""
    pattern, instruments = instrument_words()
    rule = rules()
    text = marked.text
    frames: list[Frame] = []
    for match in pattern.finditer(text):
        instrument = instruments[(match.lastindex or 1) - 1]
        start, stop = match.span()
        left = text[max(0, start - 60) : start]
        word = match.group()
        if _ARREST.search(left) or (
            instrument.name == "search warrant"
            and _WARRANTS_VERB.match(text[stop : stop + 14])
            and word == "warrants"
        ):
            continue
        if instrument.family == "any" and (_NOT_AN_ORDER.search(left) or _is_verb(text, start, stop, word)):
            continue
        definite = _DEFINITE.search(left)
        if _FOLLOW_UP.match(text[stop : stop + 16]):
            continue
        if (
            not definite or re.search(r"\b(?:no|without|any|need|needs) (?:a |the )?(?:\w+ )?$", left)
        ) and rule.hypothetical.search(left):
            continue
        frame = _noun_frame(instrument, marked, start, stop, word)
        if frame is not None:
            frames.append(frame)
    return frames


def _is_verb(text: str, start: int, stop: int, word: str) -> bool:
    """Whether "orders", "demands", "requests" is a verb here, which the verb rules read."""
    if not word.endswith("s") and re.search(
        r"\b(?:to|will|would|could|may|might|must|not|they|we|i|you|can|should) $", text[:start][-8:]
    ):
        return True
    after = text[stop : stop + 4]
    return bool(
        re.match(rf" {PARTY}| the ", after)
        and re.search(rf"(?:{PARTY}|it|he|she|they|who|which|that) $", text[max(0, start - 8) : start])
    )


def _noun_frame(instrument: Instrument, marked: Marked, start: int, stop: int, word: str) -> Frame | None:
    name, family, rank = instrument.name, instrument.family, instrument.rank
    around = marked.text[max(0, start - 90) : stop + 130]
    if family == "any":
        if word.startswith("order") or word.startswith(("directi", "decree", "edict")):
            name, rank = "court order", 4
        if _CONTENT_NEAR.search(around):
            name, family, rank = "takedown order", "content", 5
        elif rules().data.search(around):
            family = "data"
        else:
            family = "weak"
    frame = Frame(marked.index, name, family, rank, "noun", start)
    court = name == "court order"
    _noun_roles(frame, marked, start, stop, court=court)
    named = max([*frame.issuers.values(), *frame.recipients.values(), 0.0])
    if family == "weak":
        both = frame.issuers and frame.recipients
        if not both and named < EXPLICIT:
            return None
        frame.family = "data"
        frame.weight = 0.4 if both else 0.2
    elif not instrument.lone:
        frame.weight = 0.9 if (named >= BESIDE) else 0.3
    else:
        frame.weight = 1.5 if named >= BESIDE else 1.0 if named else 0.5
        if name == "search warrant" and named < BESIDE:
            frame.weight *= 0.7
    if _TESTIMONY.search(around) and not any(slot.kind == "company" for slot in frame.slots.values()):
        frame.weight *= 0.3
    return frame


def verb_frames(marked: Marked) -> list[Frame]:
    """Read the verbs: subpoenaed; ordered, asked, demanded that somebody do something."""
    rule = rules()
    text = marked.text
    frames: list[Frame] = []
    for match in rule.instrument_verb.finditer(text):
        frame = _subpoenaed(marked, match, rule)
        if frame:
            frames.append(frame)
    for match in rule.demanding.finditer(text):
        frame = _demanded(marked, match, rule)
        if frame:
            frames.append(frame)
    return frames


_AUX = re.compile(
    rf"(?:(?P<who>{LIST})(?:,? (?:which|who))?(?:, [^,;]{{0,60}},)?(?:'s)?(?: accounts?)? )?(?P<aux>was|were|been|is|are|being|be|got|gets|have been|has been|had been)(?: \w+ly| also| then| now| first)? $"
)


def _subject(left: str, marked: Marked, *, courts: bool) -> list[Slot]:
    """The party that acts: the nearest one before the verb that no preposition holds."""
    lists = list(_LIST.finditer(left))
    for match in reversed(lists[-3:]):
        slots = marked.names(match.group())
        if re.search(
            r"\b(?:of|for|against|with|in|at|to|over|behind|about|on)(?: the| a| an)? $",
            left[: match.start()],
        ):
            continue
        if left[match.end() : match.end() + 2] == "'s":
            continue
        kept = _issuers(slots, courts=courts) or (
            [slot for slot in slots if slot.kind == "court"] if courts else []
        )
        if kept:
            return kept
    return []


def _subpoenaed(marked: Marked, match: re.Match[str], rule: _Rules) -> Frame | None:
    text = marked.text
    left, right = _clause_left(text, match.start()), _clause_right(text, match.end())
    if rule.hypothetical.search(left[-60:]):
        return None
    name = rule.instrument_verbs[(match.lastindex or 1) - 1]
    frame = Frame(marked.index, name, "data", 5, "verb", match.start())
    passive = _AUX.search(left)
    by = re.match(rf"(?: [\w,-]+){{0,4}}? by (?:the |a |an )?(?P<by>{LIST})", right)
    if passive or by:
        who = passive.group("who") if passive else None
        if who is None and (found := list(_LIST.finditer(left))):
            who = found[-1].group()
        frame.vote("recipient", _recipients(marked.names(who or "")), EXPLICIT)
        if by:
            frame.vote("issuer", _issuers(marked.names(by.group("by"))), EXPLICIT)
    else:
        frame.vote("issuer", _subject(left, marked, courts=False), EXPLICIT)
        what = re.match(
            rf" (?:the |a |an |tech (?:giants?|compan\w+) |social media (?:company|giant) )?(?P<who>{LIST})(?P<own>'s)?",
            right,
        )
        if what:
            slots = marked.names(what.group("who"))
            companies = [slot for slot in slots if slot.kind in ("company", "organisation")]
            frame.vote(
                "recipient" if companies or not what.group("own") else "target",
                companies or _recipients(slots),
                EXPLICIT,
            )
        elif not rule.data.search(right[:80]):
            return None
        for found in re.finditer(rf" from (?:the )?(?P<who>{LIST})", right):
            frame.vote("recipient", _recipients(marked.names(found.group("who"))), EXPLICIT)
    if "person" in {slot.kind for slot in frame.slots.values()} and _TESTIMONY.search(text):
        frame.weight = 0.2
    elif any(slot.kind == "company" for slot in frame.slots.values()):
        frame.weight = 2.0
    elif not rule.data.search(text):
        frame.weight = 0.3
    return frame


_NO_DEMAND_COMPLEMENT = re.compile(
    r"^(?: to (?:comment|respond|explain|testify|appear|pay|apologi[sz]e|answer questions))"
)
_STRONG_DEED = re.compile(
    r"unmask|identif|hand|turn|unlock|decrypt|reveal|disclos|surrender|dox|nam[ei]|divulg|preserv|comply"
)


def _demanded(marked: Marked, match: re.Match[str], rule: _Rules) -> Frame | None:
    text = marked.text
    left, right = _clause_left(text, match.start()), _clause_right(text, match.end())
    if rule.hypothetical.search(left[-60:]) or _NO_DEMAND_COMPLEMENT.match(right):
        return None
    compel = match.group("compel") is not None
    verb = match.group()
    passive = _AUX.search(left)
    participle = verb.endswith("ed") or verb in ("told", "sought")
    frame = Frame(
        marked.index,
        "court order" if compel else "informal request",
        "data",
        4 if compel else 3,
        "verb",
        match.start(),
    )
    found: re.Match[str] | None
    reduced = participle and not passive and re.match(r" (?:by|to) ", right) is not None
    if (passive and participle) or reduced:
        found = rule.passive_right.match(right)
        if not found:
            return None
        who = passive.group("who") if passive else None
        if who is None and (lists := list(_LIST.finditer(left))) and len(left) - lists[-1].end() < 45:
            who = lists[-1].group()
        frame.vote("recipient", _recipients(marked.names(who or "")), EXPLICIT)
        if found.group("by"):
            frame.vote("issuer", _issuers(marked.names(found.group("by")), courts=True), EXPLICIT)
    else:
        found = rule.active.match(right)
        if found and re.match(
            r" (?:to|not to|must|should|should not|for)\b| $", found.group("between") or " "
        ):
            slots = marked.names(found.group("owned") or found.group("who"))
            frame.vote("recipient", _recipients(slots), EXPLICIT)
            if found.group("owned"):
                frame.vote("target", marked.names(found.group("who")), BESIDE)
        else:
            found = rule.ask_for.match(right)
            if not found or not (found.group("from") or (found.group("who") and " for " in found.group())):
                return None
            frame.vote(
                "recipient", _recipients(marked.names(found.group("from") or found.group("who"))), EXPLICIT
            )
        frame.vote(
            "issuer",
            _subject(left, marked, courts=True),
            EXPLICIT if left.rstrip()[-1:] in marked.slots else BESIDE,
        )
    if not frame.recipients or (set(frame.recipients) & set(frame.issuers)):
        return None
    return _deed(frame, found, text, rule, compel=compel)


def _deed(frame: Frame, found: re.Match[str], text: str, rule: _Rules, *, compel: bool) -> Frame | None:
    """What shall be done decides which instrument it is, and whether it is a demand for data at all."""
    groups = found.groupdict()
    if groups.get("silence"):
        frame.instrument, frame.family, frame.rank = "gag order", "gag", 6
        return frame
    if groups.get("content"):
        if not re.search(rf"\b{CONTENT}\b", text):
            return None
        frame.instrument, frame.family, frame.rank = "takedown order", "content", 5
        frame.weight = 1.2
        return frame
    deed = groups.get("data") or groups.get("thing") or ""
    strong = bool(_STRONG_DEED.match(deed))
    if not strong and not rule.data.search(text):
        return None
    asked = any(frame.slots[name].kind == "company" for name in frame.recipients)
    frame.weight = (1.5 if strong else 1.0) if asked else (0.9 if strong else 0.4)
    if not compel and not frame.issuers:
        frame.weight *= 0.6
    return frame


def act_frames(marked: Marked) -> list[Frame]:
    """Read the acts of taking, giving, refusing and buying data."""
    rule = rules()
    text = marked.text
    frames: list[Frame] = []
    for match in rule.taking.finditer(text):
        frame = _taken(marked, match, rule)
        if frame:
            frames.append(frame)
    for match in rule.giving.finditer(text):
        to = [slot for slot in marked.names(match.group("to")) if slot.kind == "agency"]
        if (
            not to
            or not rule.data.search(match.group())
            or rule.hypothetical.search((match.group("mid") or "") + " ")
        ):
            continue
        frame = Frame(
            marked.index, "informal request", "data", 2, "giving", match.start(), hint="complied", weight=0.9
        )
        frame.vote("issuer", to, BESIDE)
        frame.vote(
            "recipient",
            [s for s in marked.names(match.group("who") or "") if s.kind in _ASKED_KINDS],
            EXPLICIT,
        )
        frames.append(frame)
    for match in rule.refusing.finditer(text):
        who = [slot for slot in marked.names(match.group("who")) if slot.kind == "company"]
        if not who or not (
            match.group("data")
            and (_STRONG_DEED.match(match.group("data")) or rule.data.search(match.group()))
        ):
            continue
        frame = Frame(
            marked.index, "informal request", "data", 2, "refusing", match.start(), hint="refused", weight=0.9
        )
        frame.vote("recipient", who, EXPLICIT)
        near = re.search(rf"\b(?:to|for|with|help|assist) (?:the |a )?(?P<to>{LIST})", match.group("gap"))
        if near:
            frame.vote(
                "issuer", [slot for slot in marked.names(near.group("to")) if slot.kind == "agency"], BESIDE
            )
        frames.append(frame)
    frames.extend(_bought(marked, rule))
    frames.extend(_favours(marked, rule))
    return frames


def _taken(marked: Marked, match: re.Match[str], rule: _Rules) -> Frame | None:
    text = marked.text
    left, right = _clause_left(text, match.start()), _clause_right(text, match.end())
    if rule.hypothetical.search(left[-60:]):
        return None
    subject = [
        slot
        for slot in _subject(left, marked, courts=False)
        if slot.kind in ("agency", "person", "organisation")
    ]
    seek = match.group("seek") is not None
    verb = match.group("seek") or match.group("obtain")
    if (
        not subject
        or match.group("thing") in ("documents", "information", "evidence", "material", "details")
        or (not seek and not verb.endswith("ed"))
    ):
        return None
    if not seek and not any(slot.kind == "agency" or slot.kind == "person" for slot in subject):
        return None
    tail = re.search(rf"\b(?:from|of|for|belonging to|used by) (?:the |a |an )?(?P<who>{LIST})", right[:110])
    inside = [slot for slot in marked.names(match.group("gap")) if slot.name not in {s.name for s in subject}]
    around = marked.names(tail.group("who")) if tail else []
    companies = [slot for slot in around if slot.kind == "company"]
    targets = [slot for slot in [*inside, *around] if slot.kind in ("person", "account", "organisation")]
    if not companies and not targets and not re.search(r"\b(?:his|her|their)\b", text):
        return None
    frame = Frame(
        marked.index,
        "informal request",
        "data",
        1,
        "taking",
        match.start(),
        hint=None if seek else "complied",
    )
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", companies, EXPLICIT)
    frame.vote("target", targets, BESIDE)
    frame.weight = 1.2 if companies else 0.8
    return frame


_GOODS = re.compile(
    r"\b(?:data|location|records|histor(?:y|ies)|access to|information|firehose|database|feeds?|profiles|logs|tweets|posts|netflow)\b"
)


def _bought(marked: Marked, rule: _Rules) -> list[Frame]:
    frames = []
    for pattern, buyer, seller in ((rule.buying, "who", "from"), (rule.selling, "to", "who")):
        for match in pattern.finditer(marked.text):
            buyers = [slot for slot in marked.names(match.group(buyer)) if slot.kind == "agency"]
            sellers = [slot for slot in marked.names(match.group(seller)) if slot.kind == "company"]
            if not buyers or not sellers or not _GOODS.search(match.group()):
                continue
            if rule.hypothetical.search(match.group("mid")) or all(slot.generic for slot in sellers):
                continue
            frame = Frame(
                marked.index, "purchase", "buy", 8, "buying", match.start(), hint="complied", weight=1.5
            )
            frame.vote("issuer", buyers, EXPLICIT)
            frame.vote("recipient", sellers, EXPLICIT)
            frames.append(frame)
    return frames


_FAVOUR = re.compile(
    rf"(?:(?P<who>{LIST})[^;]{{0,100}})?\b(?:searches|search|look-?ups|queries|searched|queried|look-?up)\b[^;]{{0,80}}?\b(?:for|on behalf of|at the request of|at request of|requests? of|to help|to assist|for agencies like) (?:the )?(?P<for>{LIST})"
)


def _favours(marked: Marked, rule: _Rules) -> list[Frame]:
    """Searches that one agency runs for another: an informal request that was granted."""
    frames = []
    for match in _FAVOUR.finditer(marked.text):
        asking = [
            slot for slot in marked.names(match.group("for")) if slot.kind == "agency" and not slot.generic
        ]
        if not asking:
            continue
        doing = [
            slot
            for slot in marked.names(match.group("who") or "")
            if slot.kind == "agency" and slot.name != asking[0].name
        ]
        frame = Frame(
            marked.index,
            "informal request",
            "data",
            2,
            "favour",
            match.start(),
            hint="complied",
            weight=1.0 if doing else 0.6,
        )
        frame.vote("issuer", asking, EXPLICIT)
        frame.vote("recipient", doing, EXPLICIT)
        frames.append(frame)
    return frames


def frames_of(marked: Marked) -> list[Frame]:
    """Everything that one sentence says of demands, in the order of the words."""
    frames = [*noun_frames(marked), *verb_frames(marked), *act_frames(marked)]
    frames.sort(key=lambda frame: frame.position)
    return frames


__all__ = ["ASKED", "COURT", "STATE", "Frame", "frames_of"]
