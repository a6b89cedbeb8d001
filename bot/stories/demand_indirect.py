"""Demands told in other turns than "ordered somebody to do it".

By the noun of what shall be done ("requested the removal of four posts"), by its passive ("required that the
episodes be gone"), by having it done ("had the carriers slow the site"), by the duty ("the provider must name
the customer, the court said"), and by a letter ("wrote to the host and asked who owns the site").
"""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, EXPLICIT, LIST, NEAR, Frame, clause_left, demanding
from bot.stories.demand_rules import holds, is_fact, rules, subject_of
from bot.stories.marks import COMPANY, CONTENT, COURT, DATA, Marked, Slot

_ASKING = (
    r"(?:ask(?:s|ed|ing)?|demand(?:s|ed|ing)?|request(?:s|ed|ing)?|requir(?:es|ed|ing)|order(?:s|ed|ing)?|"
    r"direct(?:s|ed|ing)?|instruct(?:s|ed|ing)?|want(?:s|ed)|insist(?:s|ed)?|decid(?:es|ed)|rul(?:es|ed)|"
    r"decre(?:es|ed)|sought|seeks|call(?:s|ed)|press(?:es|ed)|urg(?:es|ed))"
)
_ORDERING = ("order", "direct", "instruct", "decid", "rul", "decre", "requir")
"""How the verbs begin that are an order and no request."""
_WHEN = (
    r"(?: (?:on \w+day|in (?:january|february|march|april|may|june|july|august|\w+ber)|today|yesterday|"
    r"last \w+))?"
)
_CONTENT_NOUN = (
    r"(?:removals?|deletions?|take-?downs?|blocking|blocks?|suspensions?|shut-?downs?|"
    r"shutting(?: down)?|closures?|"
    r"delisting|de-indexing|erasure|unpublishing|disconnection|throttling|slowing|blackouts?)"
)
_DATA_NOUN = (
    r"(?:unmasking|disclosure|identification|identit(?:y|ies)|handover|surrender|production|preservation|"
    r"release)"
)
_GONE = (
    r"(?:removed|deleted|erased|(?:taken|brought|pulled) (?:down|offline)|blocked|"
    r"closed(?: off| down)?|suspended|"
    r"shut(?: down| off)?|cut(?: off)?|banned|restricted|withdrawn|pulled|hidden|gone|made (?:unavailable|"
    r"inaccessible|unreachable)|delisted|de-indexed|unpublished|throttled|slowed|disabled|deactivated|"
    rf"(?:taken )?off (?:the (?:net|web|internet|air|app store|stores?)|{COMPANY}))"
)
_NAMED = r"(?:identified|unmasked|handed over|turned over|disclosed|revealed|preserved)"

_NOUN = re.compile(
    rf"(?<![\w-])(?P<verb>{_ASKING}){_WHEN}(?: (?:of|from) (?:the )?(?P<of>{LIST}))?{_WHEN}(?: for)?"
    rf"(?: (?!(?:to|that|who|which|and|or|not)\b)[\w'-]+){{0,3}}? "
    rf"(?:(?P<content>{_CONTENT_NOUN})|{_DATA_NOUN}) of (?P<what>[^;.]{{1,110}})"
)
_PASSIVE = re.compile(
    rf"(?<![\w-])(?P<verb>{_ASKING}){_WHEN}(?: (?:that|for))? (?P<what>[^;.]{{1,90}}?) "
    rf"(?:(?:(?:must|should|shall|(?:had |has |have |is |are |was |were |ought )?to) )?be (?:\w+ly )?)?"
    rf"(?:(?P<content>{_GONE})|{_NAMED})(?!\w)"
    rf"(?:[^;.,]{{0,30}}? by (?:the )?(?P<by>{LIST}))?"
)
_HAD_IT_DONE = re.compile(
    rf"(?<![\w-])(?:had|got) (?P<what>(?!\w+(?:ed|ing|en) )[^;.]{{1,80}}?) "
    rf"(?P<content>{_GONE})(?!\w)(?: by (?:the )?(?P<by>{LIST}))?"
)
_HAD_THEM_DO = re.compile(
    rf"(?<![\w-])(?:had|has|have|made|makes)(?: (?:the|its|all|local|mobile))* (?P<who>{LIST})"
    rf"(?:, [^;.,]{{0,30}}(?:among|included|including)[^;.,]{{0,20}},| and (?:the |its )?"
    rf"(?:others|rest|other \w+|rivals))?(?: first| then| all)? "
    rf"(?P<content>block|slow|throttle|cut|bar|shut|close|suspend|remove|delete|take|filter|disable)(?!\w)"
)
_AND = re.compile(r",? and (?:[a-z]+ ){0,2}$")
_IS_GONE = re.compile(
    rf"(?P<what>{LIST}|{CONTENT}) (?:was|were|is|are|has been|have been|had been|got|gets|being)"
    rf"(?: \w+ly| also| first| again| then)? (?P<content>{_GONE})(?!\w)(?P<mid>[^;.]{{0,60}}?) "
    rf"(?:by|(?:on|at|upon|under|following|after) (?:the |an? )?(?:written |court )?(?:orders?|request|"
    rf"behest|demand|instructions?|decision|directive|letter|ruling) (?:of|from|by)) "
    rf"(?:the |an? )?(?:[\w-]+ ){{0,2}}?(?P<by>{LIST})"
)
_OTHER_CLAUSE = re.compile(
    r"(?<!\w)(?:to|which|who|whom|whose|been|had|has|have|was|were|is|are|because|after|when|where|while|it|they|he|"
    r"she|if|why|how|what|whether|not|no)(?!\w)"
)
_NETWORKS = re.compile(
    r"(?<!\w)(?:internet|mobile|broadband|networks?|4g|3g|connections?|services?|vpns?)(?!\w)"
)

_DUTY = re.compile(
    rf"(?P<who>{LIST})(?:, [^,;.]{{0,40}},)? (?:must|(?:is|are|was|were|has|have|had) to|shall)"
    rf"(?: now| also| therefore| first| instead| \w+ly)? "
)
_BY_WHOM = re.compile(
    rf"{COURT}|(?<!\w)(?:order|orders|ruling|rulings|ruled|injunction|judgment|judgement|letter|"
    r"notice|directive|instruction)(?!\w)"
)
_IN_LAW = re.compile(
    r"(?<!\w)(?:bills?|laws?|acts?|acting|regulations?|rules|proposals?|draft|would|could|if|whether|why|when|"
    r"how|unless)(?!\w)"
)

_LETTER = re.compile(
    r"(?<![\w-])(?:wrote|writes|written|writing|(?:e-?)?mail(?:ed|s)|messaged|rang|phoned|faxed|contacted|turned|"
    r"reached out|(?:sent|served|addressed) (?:an? |the |its |two |three |several )?(?:[\w-]+ ){0,2}?"
    r"(?:letters?|e-?mails?|faxes|fax|notes?|notices?|messages?|papers?))"
    rf"{_WHEN}(?: (?:to|on|at))?(?: (?:the|its|two|three|several|hosting|web|internet|local|both))*"
    rf" (?P<who>{LIST})(?: and to (?:the )?(?P<more>{LIST}))?[^;.]{{0,60}}?,? "
    r"(?:asking|and ask(?:ed|s)|to ask|"
    r"requesting|and request(?:ed|s)|demanding|and demand(?:ed|s)|wanting|and want(?:ed|s)|and would like|"
    r"with (?:the|a) (?:request|demand|question)|"
    r"in which (?:it|they|he|she) (?:ask|demand|want|request)(?:s|ed)?|"
    r"seeking|telling|and told|instructing|ordering|to learn|to find out|for)"
    r"(?P<rest>(?:\.[a-z]|[^;.]){0,140})"
)
_IT = re.compile(r" (?:it|them|what|those)(?!\w)")
_WHO_IS_IT = re.compile(r"[ ,\"](?:who|whom|to whom|whose|from whom)(?!\w)")
# fmt: off
_STEMS = (
    "remov", "delet", "down", "block", "suspen", "shut", "clos", "delist", "index", "eras", "publish",
    "throttl", "slow", "black", "unmask", "disclos", "identi", "hand", "surrender", "produc", "preserv",
    "releas", "offline", "cut", "ban", "restrict", "withdr", "pull", "hid", "gone", "unavailable",
    "access", "reach", "disabl", "turn", "deactiv", "off ", "reveal",
)
# fmt: on
_HAVING = ("had ", "has ", "have ", "got ", "made ", "makes ")
_LETTER_STEMS = (
    "wr",
    "mail",
    "messag",
    "rang",
    "phone",
    "fax",
    "contact",
    "turned",
    "reached",
    "sent",
    "serv",
    "address",
)


def indirect_frames(marked: Marked) -> list[Frame]:
    """Read the demands of a sentence that are told in a turn of this kind."""
    if not marked.slots:
        return []
    text = marked.text
    frames: list[Frame | None] = []
    if holds(text, _STEMS):
        for pattern in (_NOUN, _PASSIVE):
            frames += [_thing(marked, found) for found in pattern.finditer(text)]
        frames += [_is_gone(marked, found) for found in _IS_GONE.finditer(text)]
        if holds(text, _HAVING):
            frames += [_had_it_done(marked, found) for found in _HAD_IT_DONE.finditer(text)]
            frames += [_had_them_do(marked, found) for found in _HAD_THEM_DO.finditer(text)]
    if _BY_WHOM.search(text):
        frames += [_duty(marked, found) for found in _DUTY.finditer(text)]
    if holds(text, _LETTER_STEMS):
        frames += [_letter(marked, found) for found in _LETTER.finditer(text)]
    return [frame for frame in frames if frame is not None]


def _firms(marked: Marked, signs: str | None) -> list[Slot]:
    return [slot for slot in marked.names(signs or "") if slot.kind in ("company", "organisation")]


def _in_office(slots: list[Slot]) -> list[Slot]:
    return [slot for slot in slots if slot.kind in ("agency", "court") or slot.official]


def _who_asks(left: str, marked: Marked) -> tuple[list[Slot], list[Slot]]:
    """The subject, and in "the ministry sent the firm a paper and required" the firm that is addressed."""
    subject = subject_of(left, marked, courts=True)
    if subject and not _in_office(subject) and (beside := _AND.search(left)):
        offices = _in_office(marked.names(left[: beside.start()]))[-1:]
        return (offices, subject) if offices else (subject, [])
    return subject, []


def _thing(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "requested the removal of four posts", "required that all six episodes be gone"."""
    text, what = marked.text, found.group("what")
    left = clause_left(text, found.start())
    subject, addressed = _who_asks(left, marked)
    if not subject or not is_fact(left[-70:], noun=False):
        return None
    content = found.group("content") is not None
    if found.re is _PASSIVE and _OTHER_CLAUSE.search(what):
        return None
    if content and not (CONTENT in what or re.search(COMPANY, found.group()) or _NETWORKS.search(what)):
        return None
    if not content and found.re is _PASSIVE and DATA not in what:
        return None
    frame = _frame(marked, found, content=content, ordered=found.group("verb").startswith(_ORDERING))
    frame.vote("issuer", subject, EXPLICIT)
    if found.re is _NOUN:
        whom = _firms(marked, found.group("of")) or _source(marked, what)
    else:
        whom = _firms(marked, found.group("by")) or [s for s in addressed if s.kind != "person"]
    frame.vote("recipient", [slot for slot in whom if slot.name not in frame.issuers], EXPLICIT)
    if not frame.recipients and content:
        named = [slot for slot in _firms(marked, what) if not slot.generic and slot.name not in frame.issuers]
        frame.vote("recipient", named[:1], NEAR)  # what shall go, if nobody else is asked
    frame.weight = (1.2 if frame.recipients else 0.8) if _in_office(subject) else 0.5
    return frame


_SOURCE = re.compile(rf"(?<!\w)(?:by|from|on|at) (?:the )?(?P<who>{LIST})")


def _source(marked: Marked, what: str) -> list[Slot]:
    found = _SOURCE.search(what)
    return _firms(marked, found.group("who")) if found else []


def _is_gone(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "the site was blocked in March by the regulator"."""
    states = _in_office(marked.names(found.group("by")))
    left = marked.text[max(0, found.start() - 70) : found.start()]
    if not states or _OTHER_CLAUSE.search(found.group("mid")) or not is_fact(left, noun=False):
        return None
    frame = _frame(marked, found, content=True, ordered=True)
    frame.vote("issuer", states, EXPLICIT)
    frame.vote("recipient", _firms(marked, found.group("what")), BESIDE)
    frame.weight = 1.0 if frame.recipients else 0.6
    return frame


def _had_it_done(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "had three news sites closed off", "had networks cut by the carriers"."""
    what = found.group("what")
    left = clause_left(marked.text, found.start())
    subject = _in_office(subject_of(left, marked, courts=True))
    if not subject or _OTHER_CLAUSE.search(what) or not is_fact(left[-70:], noun=False):
        return None
    if not (CONTENT in what or re.search(COMPANY, what) or _NETWORKS.search(what)):
        return None
    frame = _frame(marked, found, content=True, ordered=True)
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", _firms(marked, found.group("by")) or _firms(marked, what), EXPLICIT)
    frame.weight = 1.2 if frame.recipients else 0.8
    return frame


def _had_them_do(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "had the carriers slow the site"."""
    left = clause_left(marked.text, found.start())
    subject = _in_office(subject_of(left, marked, courts=True))
    whom = _firms(marked, found.group("who"))
    after = marked.text[found.end() : found.end() + 80]
    if not whom or not is_fact(left[-70:], noun=False) or not (subject or left.endswith("it ")):
        return None
    if not (CONTENT in after or re.search(COMPANY, after) or _NETWORKS.search(after)):
        return None
    frame = _frame(marked, found, content=True, ordered=True)
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", whom, EXPLICIT)
    frame.weight = 1.2
    return frame


def _duty(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "Under the order the provider must name the customer"."""
    text = marked.text
    before = text[max(0, found.start() - 90) : found.start()]
    whom = _firms(marked, found.group("who"))
    deed = rules().deed.match(text, found.end())
    if not whom or deed is None or _IN_LAW.search(before) or deed.group("silence"):
        return None
    content = deed.group("content") is not None
    around = text[deed.end() : deed.end() + 100]
    if not (
        CONTENT in around or re.search(COMPANY, around) if content else deed.group("plain") or DATA in around
    ):
        return None
    frame = _frame(marked, found, content=content, ordered=True)
    frame.vote("recipient", whom, EXPLICIT)
    courts = [slot for slot in marked.slots.values() if slot.kind == "court"]
    frame.vote("issuer", _in_office(subject_of(before, marked, courts=True)), EXPLICIT)
    frame.vote("issuer", courts[:1], BESIDE)
    frame.vote("issuer", [slot for slot in marked.slots.values() if slot.kind == "agency"][:1], NEAR)
    frame.weight = 0.9 if frame.issuers else 0.6
    return frame


def _letter(marked: Marked, found: re.Match[str]) -> Frame | None:
    """ "wrote to the host and asked who owns the site"."""
    text, rest = marked.text, found.group("rest")
    left = clause_left(text, found.start())
    whom = _firms(marked, found.group("who")) + _firms(marked, found.group("more"))
    if not whom or not is_fact(left[-70:], noun=False):
        return None
    deed = rules().deed.search(rest)
    content = (
        deed is not None
        and deed.group("content") is not None
        and (CONTENT in rest or _IT.match(rest, deed.end()) is not None)
    )
    data = DATA in rest or (_WHO_IS_IT.match(rest) and not found.group().endswith("for"))
    if not content and not data and not (deed and deed.group("plain")):
        return None
    frame = _frame(marked, found, content=content, ordered=False)
    subject = demanding(subject_of(left, marked, courts=True), courts=True)
    frame.vote("issuer", subject, EXPLICIT)
    frame.vote("recipient", [slot for slot in whom if slot.name not in frame.issuers], EXPLICIT)
    frame.weight = 1.2 if _in_office(subject) else 0.6
    return frame if frame.recipients else None


def _frame(marked: Marked, found: re.Match[str], *, content: bool, ordered: bool) -> Frame:
    if content:
        return Frame(marked.index, "takedown order", "content", 5, "verb", found.start())
    if ordered:
        return Frame(marked.index, "court order", "data", 4, "verb", found.start())
    return Frame(marked.index, "informal request", "data", 2, "verb", found.start(), asking=True)
