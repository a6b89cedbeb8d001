"""Who demands and who is asked: the parties around a word for an instrument, by their place in the clause.

Possessives ("ICE's subpoena"), prepositions ("from ICE to Google"), and the verbs between a party and the
word ("Google received", "ICE issued") decide; where they leave it open, the kind of the party does, weakly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bot.stories.instruments import load_table
from bot.stories.marks import CONTENT, DATA, DEVICE, MARKS, PARTY, Marked, Slot

EXPLICIT = 3.0
"""Weight of a role that grammar states ("from ICE", "subpoenaed Google")."""
BESIDE = 2.0
"""Weight of a role that a noun beside the word suggests ("the Twitter subpoena")."""
NEAR = 0.5
"""Weight of a role that only the kind of a party in the same sentence suggests."""

_LEFT, _RIGHT = 170, 230  # characters around a word in which its parties are looked for

LIST = (
    rf"{PARTY}(?:(?:'s)?(?: \([^()]{{0,40}}\))?(?:, (?:[\w.-]{{2,15}}, )?(?:and |or )?|,? and |,? or | & |/|"
    rf" as well as |,? including |,? such as |,? among them )"
    rf"(?:the |its |parent |(?:[\w-]+ )?other )?{PARTY})*"
)
"""A regular expression for one party or an enumeration of parties."""

LISTS = re.compile(LIST)
IMPOSTORS = re.compile(
    r"\b(?:hackers|scammers|impostors|fraudsters|impersonators|criminals|thieves|stalkers?)$", re.IGNORECASE
)
"""Who demands in the name of an office without having one."""


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
    plural: bool = False
    asking: bool = False  # a verb of asking for a thing ("demand", "ask for")

    def vote(self, role: str, slots: list[Slot], weight: float) -> None:
        """Count parties for a role ("issuer", "recipient" or "target")."""
        for slot in slots:
            self.slots.setdefault(slot.name, slot)
            if role == "target":
                if slot.name not in self.targets and not slot.bystander:
                    self.targets.append(slot.name)
            else:
                votes = self.issuers if role == "issuer" else self.recipients
                votes[slot.name] = max(votes.get(slot.name, 0.0), weight)

    def named(self) -> float:
        """The weight of the surest role."""
        return max([*self.issuers.values(), *self.recipients.values(), 0.0])


_LEGISLATURE = re.compile(
    r"\b(?:congress|senate|house of representatives|parliament|house|lawmakers|committee|bundestag|court)\b",
    re.IGNORECASE,
)


def demanding(slots: list[Slot], *, courts: bool = False) -> list[Slot]:
    """Of a list with several kinds, those that demand: agencies first, then whoever is there."""
    states = [slot for slot in slots if slot.kind == "agency"]
    if states:
        return states
    kinds = (
        ("organisation", "company", "person", "court") if courts else ("organisation", "company", "person")
    )
    return [slot for slot in slots if slot.kind in kinds]


def asked(slots: list[Slot]) -> list[Slot]:
    """Of a list with several kinds, those that are asked: companies first."""
    slots = [slot for slot in slots if not _LEGISLATURE.search(slot.name)]
    companies = [slot for slot in slots if slot.kind in ("company", "organisation")]
    if companies:
        return companies
    return [slot for slot in slots if slot.kind in ("agency", "person")]


def fill(words: list[str]) -> str:
    """One regular expression (a group) out of words from the data files, their placeholders filled in."""
    joined = "|".join(sorted(words, key=len, reverse=True))
    for name, value in (
        ("party", PARTY),
        ("marks", MARKS),
        ("data", DATA),
        ("device", DEVICE),
        ("content", CONTENT),
    ):
        joined = joined.replace("{" + name + "}", value)
    return f"(?:{joined})"


@cache
def verbs() -> dict[str, Any]:
    """The verbs of `data/demand_verbs.toml`."""
    return load_table("demand_verbs.toml")


@cache
def _actions() -> tuple[re.Pattern[str], re.Pattern[str]]:
    actions = verbs()["instrument_actions"]
    return (
        re.compile(rf"(?<!\w){fill(actions['issue'])}(?!\w)"),
        re.compile(rf"(?<!\w){fill(actions['receive'])}(?!\w)"),
    )


_SHORT = (
    r"(?<!\bjan\. )(?<!\bfeb\. )(?<!\baug\. )(?<!\bsept\. )(?<!\boct\. )(?<!\bnov\. )(?<!\bdec\. )"
    r"(?<!\bmr\. )(?<!\bmrs\. )(?<!\bms\. )(?<!\bdr\. )(?<!\bgov\. )(?<!\bsen\. )(?<!\brep\. )"
    r"(?<!\binc\. )(?<!\bcorp\. )(?<!\bltd\. )(?<!\bu\.s\. )(?<!\bu\.k\. )"
)
"""What a full stop behind an abbreviation is preceded by: there no clause ends."""
_CLAUSE_END = re.compile(
    rf"[;]|\. {_SHORT}|, (?:but|while|whereas|although|though|because|since) | - |"
    r" – "
)


def clause_left(text: str, position: int) -> str:
    """What stands before a place, within its clause."""
    left = text[max(0, position - _LEFT) : position]
    cut = 0
    for match in _CLAUSE_END.finditer(left):
        cut = match.end()
    return left[cut:]


def clause_right(text: str, position: int) -> str:
    """What stands behind a place, within its clause."""
    right = text[position : position + _RIGHT]
    match = _CLAUSE_END.search(right)
    return right[: match.start()] if match else right


_FILL = (
    r"(?: (?:the|a|an|its|that|web|host|tech|technology|social|media|largest|including|biggest|such as|like|"
    r"two|several|three|four|five|six|seven|eight|nine|ten|\d+|all|other|further|dozens of|big|biggest|major|"
    r"main|retail|mobile|access|internet|hosting|online|u\.s\.|us|federal|local|state|companies|firms))*"
)
_BY = re.compile(rf"\b(?:by|from){_FILL}(?: [\w-]+){{0,2}} $")
_TO = re.compile(
    rf"\b(?:to|on|upon|against|at|compelling|forcing|requiring|ordering|directing|demanding|"
    rf"telling|asking|compels?|forces?|"
    rf"requires?|orders?|directs?|directed|ordered|asks?|asked|told|tells|commanding|commands|"
    rf"hitting|reached|that|required|compelled|had|made){_FILL} $"
)
_OF = re.compile(
    r"\b(?:of|for|about|over|behind|on|regarding|concerning|targeting|covering|to identify|"
    r"to unmask)(?: [\w-]+){0,5} $"
)
_FROM_DATA = re.compile(
    rf"(?: [{DATA}{DEVICE}{CONTENT}]+|\b(?:seeking|seeks|sought|for|"
    rf"documents))[^,]{{0,25}} from{_FILL}(?: [\w-]+){{0,2}} $"
)
_SENT_BEFORE = re.compile(
    rf"\b(?:sent|send|sends|sending|serv(?:e|ed|es|ing)|issued|handed|gave|gives|slapped|hit|"
    rf"hits|hitting|giving|to){_FILL} $"
)
_SERVED = re.compile(
    r"(?<!\w)(?:serv(?:ed|es|ing)|hit|slapped|presented|surprised|targeted)(?!\w)[^;]{0,50}$"
)
_WITH_A = re.compile(r"^(?:, [^;,]{1,50})?,? with (?:an? |the |its |her |his |their )?(?:[\w-]+ ){0,2}$")
"""Between somebody served, told by what he is and by name, and the word for what he was served with."""
_PASSIVE_GET = re.compile(
    r"\b(?:was|were|been|being|got|is|are|be)\b(?: \w+)? (?:issued|served|sent|hit|handed|"
    r"slapped|given|presented)\b"
)
_OWNED_NOUN = re.compile(r"^'s? (?:[\w$,.-]+ ){0,5}$")
_BESIDE_NOUN = re.compile(r"^ (?:[\w$,.-]+ ){0,2}$|^ $")
_HELD = re.compile(r"(?<!\w)(?:of(?: \w+){0,3}|(?:in|at) the(?: \w+){0,2}) $")
_BARE_TO = re.compile(r"(?<!\w)(?:to|on|upon|at|against|that)(?: (?:the|a|an|its|two|several))* $")
_SOURCE = re.compile(
    r"(?<!\w)(?:according to|told|reported by|published by|obtained by|interview with|"
    r"shared with|seen by|reviewed by)(?: the| an?)? $"
)
_SAYS = re.compile(
    r"^,? (?:first |also |has |had )?(?:reported|reports|said|says|wrote|writes|found|revealed|"
    r"published|noted)(?!\w)"
)
_PREPOSED_TO = re.compile(r"\b(?:to|on)(?: the| a| an)? $")


def noun_roles(frame: Frame, marked: Marked, start: int, stop: int, *, court: bool) -> None:
    """Find the parties around a word for an instrument. `court`: courts may be the ones that demand."""
    _roles_left(frame, marked, start, court=court)
    _roles_right(frame, marked, stop, court=court)
    if not any(weight >= BESIDE for weight in frame.issuers.values()):
        frame.vote("issuer", phrase_before(clause_left(marked.text, start), issuing=True), BESIDE)


def _roles_left(frame: Frame, marked: Marked, start: int, *, court: bool) -> None:
    issue, receive = _actions()
    left = clause_left(marked.text, start)
    for distance, match in enumerate(reversed(list(LISTS.finditer(left))[-3:])):
        slots = marked.names(match.group())
        gap, before = left[match.end() :], left[: match.start()]
        kinds = {slot.kind for slot in slots}
        state = "agency" in kinds
        sure = EXPLICIT if distance == 0 else BESIDE
        held = distance == 0 and not state and not gap.startswith("'") and _HELD.search(before)
        if held and issue.search(gap) and not _AT_THE_DOOR.search(before):
            continue  # "the robbery of the bank": what follows is not the bank's act
        if kinds == {"account"}:
            frame.vote("target", slots, EXPLICIT)
        elif kinds == {"court"} and not court:
            continue
        elif not state and (_MOVES.search(before) or _PUBLISHED.search(before)):
            if _MOVES.search(before):  # "granted motions by Yelp and threw out the subpoena"
                frame.vote("recipient", [s for s in slots if s.kind == "company"], BESIDE)
        elif not state and kinds & {"company", "organisation"} and _AT_THE_DOOR.search(before):
            frame.vote("recipient", asked(slots), EXPLICIT)
        elif distance == 0 and not state and _AGAINST.search(before):
            frame.vote("recipient", asked(slots), BESIDE)
        elif _PASSIVE_GET.search(gap):
            frame.vote("recipient", asked(slots), sure)
        elif distance == 0 and _GRANTED.search(before) and gap.startswith(" a"):
            frame.vote("issuer", slots, BESIDE)  # "a court granted the league an injunction"
        elif (
            distance == 0 and _SENT_BEFORE.search(before) and len(gap) < 40 and not gap.startswith("'")
        ) or (distance == 0 and not state and _WITH_A.match(gap) and _SERVED.search(before)):
            frame.vote("recipient", asked(slots), EXPLICIT)
        elif re.search(r"\b(?:by|from)(?: the| a| an)? $", before):
            frame.vote("issuer", demanding(slots, courts=court), sure)
        elif distance == 0 and _OWNED_NOUN.match(gap) and not receive.search(gap):
            frame.vote("issuer", demanding(slots, courts=court), EXPLICIT if state else BESIDE)
        elif distance == 0 and _BESIDE_NOUN.match(gap) and not receive.search(gap) and not issue.search(gap):
            role = "issuer" if state or (kinds == {"court"} and court) else "recipient"
            frame.vote(role, demanding(slots, courts=court) if role == "issuer" else asked(slots), BESIDE)
        elif receive.search(gap):
            if kinds == {"person"} and (len(gap) > 40 or " over " in gap or " against " in gap):
                continue
            if state and not kinds & {"company"}:
                frame.vote("issuer", demanding(slots), NEAR)
            elif kinds == {"organisation"} and not _ANSWERS_ITSELF.search(gap):
                # more often a group that helps in court than one that is asked
                frame.vote("recipient", asked(slots), NEAR)
            else:
                frame.vote("recipient", asked(slots), sure)
        elif (found := issue.search(gap)) and (distance == 0 or found.start() < 45):
            firm = bool(kinds & {"company"}) and not state
            got = found.group().startswith(("got", "has", "had")) and (
                frame.instrument in OF_THE_STATE or (firm and _TOO.search(gap))
            )
            role = "recipient" if _PREPOSED_TO.search(before) or (got and firm) else "issuer"
            frame.vote(role, demanding(slots, courts=court) if role == "issuer" else asked(slots), sure)
        elif not _SOURCE.search(before) and not _SAYS.match(gap):
            by_kind(frame, slots)


_GRANTED = re.compile(r"(?<!\w)(?:grant|award|allow|refus|den)(?:s|ed|ied|ies|ing)? (?:the |its |an? )?$")
_MOVES = re.compile(
    r"(?<!\w)(?:motions?|petitions?|challenges?|appeals?|objections?|requests? to quash|(?:law)?suits?|"
    r"pleas?|"
    r"complaints?) (?:filed |brought |made )?(?:by|from|of)(?: the)? $"
)
_PUBLISHED = re.compile(
    r"(?<!\w)(?:(?:published|reported|seen|reviewed|first reported|leaked|posted|made public) (?:by|in|to)|"
    r"according to)(?: the)? $"
)
_BY_WHICH = re.compile(r"^ (?:by|with|through|under) which (?:the |a |an )?(?:[\w-]+ ){0,3}$")
_ENDED_BY = re.compile(
    r"(?<!\w)(?:struck down|quashed|thrown out|lifted|set aside|voided|overturned|upheld|rejected|vacated|"
    r"denied|blocked|narrowed|annulled|dismissed)(?: \w+)? by(?: the| a| an)? "
)
_WENT_TO = re.compile(
    r"^(?: (?:that|which))?(?: (?:had|has|was|were|is|are|been|later|then|also))*(?: (?:went|gone|came|sent|"
    r"served|addressed|directed|aimed|delivered|issued|landed|arrived|handed)) (?:to|on|upon|at|with)"
    r"(?: (?:the|a|an|his|her|its|their))?(?: [\w'-]+){0,2} $"
)
_WRITTEN_ON = re.compile(
    r"(?<!\w)(?:report(?:s|ing|ed)?|stor(?:y|ies)|posts?|posted|writing|wrote|articles?|comments?|tweets?|"
    r"ads?|videos?|work|views|opinions?|spoke|appeared|published|seen|shared|groups?|pages?|accounts?) on "
    r"(?:the )?$"
    r"|(?<!\w)on (?:the )?(?:social media|social networks?)(?: sites| platforms)?"
    r"(?:,? such as|,? like|,? including)? $"
)
"""Before a platform that is only where something stands."""
_IS_DONE_TO = re.compile(r"^ (?:was|were|is|are|has to|had to|would have|would be|must|should|shall)(?!\w)")
_AT_THE_DOOR = re.compile(
    r"(?<!\w)(?:(?:in|at|to|into|inside|outside|from) (?:the |its )?(?:offices?|home|premises|"
    r"headquarters|newsroom|"
    r"doors?|data cent\w+)(?: of)?(?: the)?|(?:went|came|turned up|showed up|arrived|walked) (?:to|at|"
    r"into)(?: the)?) $"
)
_AGAINST = re.compile(
    r"(?<!\w)(?:fight|fights|fought|fighting|against|sued?|suing|pressed|pressing|pursued?)(?: the)? $"
)
_ANSWERS_ITSELF = re.compile(
    r"(?<!\w)(?:received|reject\w*|refus\w*|rebuff\w*|compl(?:y|ies|ied)|ignor\w*|answer\w*|def(?:y|ies|"
    r"ied)|obey\w*)(?!\w)"
)
_TOO = re.compile(r"(?<!\w)(?:such|too|also|as well|similar|another)(?!\w)")
OF_THE_STATE = (
    "search warrant",
    "geofence warrant",
    "keyword warrant",
    "national security letter",
    "grand jury subpoena",
    "administrative subpoena",
    "wiretap order",
    "pen register order",
    "foreign intelligence order",
)
"""Instruments that nobody without an office has, and that a firm gets."""
_HANDED_TO = re.compile(
    r"(?<!\w)(?:hand|give|giv|turn|provid|disclos|produc|releas|show|shar|deliver|"
    r"pass)\w* [^;]{1,90} (?:to|with)(?: the| a)? $"
)
_PHRASE = (
    r"(?:^|[,:;] |(?<!\w)(?:and|that|after|when|while|said|because|since) )(?:an?|the|one) "
    r"(?P<phrase>(?:[a-z][a-z-]* ){1,4}?)(?:in [a-z]+ |from [a-z]+ )?(?:has |had |have |also |"
    r"then |first |later |\w+ly )*"
)
_PHRASE_SUBJECT = re.compile(rf"{_PHRASE}$")


@cache
def _phrase_issues() -> re.Pattern[str]:
    return re.compile(rf"{_PHRASE}{fill(verbs()['instrument_actions']['issue'])}(?: [\w-]+){{0,4}} $")


@cache
def _countries() -> re.Pattern[str]:
    names = "|".join(sorted(load_table("generic_parties.toml")["countries"]["names"], key=len, reverse=True))
    return re.compile(
        rf"(?:^|[,.;:] |(?<!\w)(?:that|after|and|when|as|where|"
        rf"since) )(?P<country>{names})(?: has| had| also)? $"
    )


def phrase_before(left: str, *, issuing: bool = False) -> list[Slot]:
    """Give the subject that no list of parties holds ("a dental chain has subpoenaed").

    `issuing`: a verb of issuing stands between it and the end of `left` ("a game studio obtained a ...").
    """
    if not issuing and (country := _countries().search(left)):
        return [Slot(country.group("country").removeprefix("the ").title(), "agency", generic=True)]
    match = (_phrase_issues() if issuing else _PHRASE_SUBJECT).search(left)
    if match is None or _NO_SUBJECT.search(match.group("phrase")):
        return []
    return [Slot(match.group("phrase").strip(), "organisation", generic=True)]


_NO_SUBJECT = re.compile(
    r"(?<!\w)(?:bills?|laws?|rules?|act|proposal|amendment|report|letter|suit|lawsuit|order|"
    r"orders|motion|case|court|story|complaint|"
    r"warrant|subpoena|request|demand|injunction|directive|notice|decree|decision|"
    r"company|firm|platform|to|of|for|by|who|which|that|is|was|"
    r"were|not|will|would|could|may|can|user|users|man|woman)(?!\w)"
)


def _roles_right(frame: Frame, marked: Marked, stop: int, *, court: bool) -> None:
    issue, receive = _actions()
    right = clause_right(marked.text, stop)
    last = 0
    for number, match in enumerate(LISTS.finditer(right)):
        if number > 3:
            break
        slots = marked.names(match.group())
        before = right[last : match.start()]
        last = match.end()
        after = right[match.end() : match.end() + 40]
        kinds = {slot.kind for slot in slots}
        if kinds == {"account"}:
            frame.vote("target", slots, EXPLICIT)
        elif "agency" not in kinds and (_PUBLISHED.search(before) or _MOVES.search(before)):
            continue
        elif _BY_WHICH.search(before):
            if _IS_DONE_TO.match(after):
                frame.vote("recipient", asked(slots), EXPLICIT)
            else:
                frame.vote("issuer", demanding(slots, courts=court), EXPLICIT)
        elif _FROM_DATA.search(before) and kinds & {"company", "organisation"}:
            frame.vote("recipient", asked(slots), EXPLICIT)
        elif _BY.search(before):
            if receive.search(before):
                frame.vote("recipient", asked(slots), BESIDE)
            elif kinds != {"court"} or (court and not _ENDED_BY.search(before)):
                frame.vote("issuer", demanding(slots, courts=court), EXPLICIT)
        elif re.search(r"\b(?:that|which)(?: the| a)? $", before) and issue.match(after.lstrip()):
            frame.vote("issuer", demanding(slots, courts=court), EXPLICIT)
        elif _HANDED_TO.search(before):
            frame.vote("issuer", [slot for slot in slots if slot.kind == "agency"], NEAR)
        elif number == 0 and _WENT_TO.search(before) and kinds & {"company", "organisation", "person"}:
            frame.vote("recipient", asked(slots), EXPLICIT)
        elif _WRITTEN_ON.search(before):
            continue  # "what its staff wrote in reporting on X"
        elif _TO.search(before) and kinds != {"court"}:
            firm = bool(kinds & {"company", "organisation"})
            if match.start() > 60 and _BARE_TO.search(before) and not issue.search(before):
                by_kind(frame, slots)  # "a request about a server suspected of links to a bank"
            elif firm or frame.family != "any":
                frame.vote("recipient", asked(slots), EXPLICIT if firm else BESIDE)
        elif _OF.search(before) or (number == 0 and before == " "):
            _of(frame, slots, before, court=court, next_to_it=number == 0)
        elif not _SOURCE.search(before) and not _SAYS.match(after):
            by_kind(frame, slots)


def _of(frame: Frame, slots: list[Slot], before: str, *, court: bool, next_to_it: bool) -> None:
    """ "orders of the ministry", "a warrant for DreamHost's logs", "a subpoena for Smith's e-mails"."""
    kinds = {slot.kind for slot in slots}
    if "company" in kinds:
        frame.vote("recipient", asked(slots), BESIDE)
    elif "person" in kinds:
        frame.vote("target", [slot for slot in slots if slot.kind == "person"], EXPLICIT)
    elif (
        next_to_it
        and re.search(r"\bof(?: the)?(?: [\w-]+){0,2} $", before)
        and ("agency" in kinds or (court and "court" in kinds))
    ):
        frame.vote("issuer", demanding(slots, courts=court), BESIDE)
    elif "organisation" in kinds:
        frame.vote("target", slots, EXPLICIT)
    else:
        by_kind(frame, slots)


def by_kind(frame: Frame, slots: list[Slot]) -> None:
    """Let the kind of a party decide, weakly."""
    frame.vote(
        "issuer",
        [slot for slot in slots if slot.kind == "agency" and not _LEGISLATURE.search(slot.name)],
        NEAR,
    )
    frame.vote("recipient", [slot for slot in slots if slot.kind == "company"], NEAR)
    frame.vote("target", [slot for slot in slots if slot.kind == "account"], NEAR)
