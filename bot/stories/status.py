"""Where a demand stands: the events that an article reports of it, and which of them is the last.

An event is a way of saying "withdrawn", "quashed", "refused" ... (`data/statuses.toml`), found in a sentence.
Which one counts: the newest section of an updated article before older ones; what ends a matter (a court's
word, a withdrawal) before what happens on the way (refused, challenged), before the bare fact that it was
issued; what the title or the first sentences say before what stands further down; and of two that weigh the
same the one told last.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache

from bot.stories.demand_guesses import UMBRELLA
from bot.stories.demand_roles import LISTS, clause_left, fill
from bot.stories.demand_rules import subject_of
from bot.stories.gazetteer import load as gazetteer
from bot.stories.instruments import load_table
from bot.stories.marks import ASKED, COMPANY, CONTENT, COURT, DATA, DEVICE, PARTY, STATE, Marked, Slot
from bot.stories.model import STATUSES
from bot.stories.wanted import Wanted

_THING = (
    r"(?:subpoenas?|summons(?:es)?|warrants?|orders?|demands?|requests?|letters?|quest|bids?|"
    r"efforts?|attempts?|claims?|"
    r"campaign|notices?|application|push|directives?|directions?|injunction|gag|mandate|nsls?|decree)"
)

# How far along a matter is: the base of an event's weight.
_STANDING: dict[str, float] = {
    "withdrawn": 6.0,
    "quashed": 6.0,
    "upheld": 6.0,
    "partly complied": 5.2,
    "complied": 4.6,
    "challenged": 4.0,
    "refused": 3.6,
}
_TITLE, _LEAD, _EARLY = 2.2, 1.2, 0.6
_OLDER_SECTION = -2.5
_PAST_PERFECT = re.compile(
    r"(?<!\w)(?:had|having|earlier|previously|last (?:year|month|week)|years ago|in the past|"
    r"initially|at first|once|before|first|in (?:19|20)\d\d)(?!\w)[^,;]{0,25}$"
)
_WEAK = re.compile(
    r"(?<!\w)(?:often|sometimes|usually|typically|generally|routinely|always|in the past|"
    r"reserves the right|whenever|each time)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One report of a status: its sentence (`index`, -1 is the title) and how much it weighs."""

    status: str
    index: int
    weight: float
    signs: str  # the parties in the words that say so
    family: str = ""  # "gag" when the words speak of silence alone
    order: bool = False  # a court's order to deliver, which may itself be the demand
    court: bool = False  # whether a court stands in the sentence
    later: bool = False  # whether the sentence says that it came after something
    objects: tuple[tuple[str, str], ...] = ()  # whom somebody sues: name and kind
    soft: bool = False  # an exemption, which may be from another thing than was asked
    pleaded: bool = False  # whether it is what somebody other than a court holds
    actors: tuple[tuple[str, str], ...] = ()  # who does it: name and kind of its subject, where it has one
    theirs: bool = False  # counts only where the one who is asked does it
    loser: bool = False  # told as a defeat: whose it is decides which way the court ruled
    after_court: bool = False  # told as what followed upon a court's word in the same sentence
    of_kind: bool = False  # told of demands of its kind: no outcome of a single one


@dataclass(frozen=True, slots=True)
class _Rule:
    status: str
    weight: float
    says: tuple[str, ...]
    unless: re.Pattern[str] | None
    order: bool
    soft: bool
    family: str  # "content" where the words say so of content alone
    theirs: bool


def _fill(pattern: str, deed: str) -> str:
    for name, value in (
        ("who", rf"(?:{ASKED}(?:'s \w+)?(?:, [^,]{{1,60}},|,)?|(?:it|they|we|he|she)(?:'(?:ve|d|s))?(?!\w))"),
        ("few", r"(?: [\w-]+){0,3}"),
        (
            "aye",
            r"(?: (?!not|never|only|no |yet|neither|nor|be|is |was |were |are |to |refus|declin)[\w-]+){0,3}",
        ),
        ("asked", ASKED),
        ("company", COMPANY),
        ("state", STATE),
        ("court", COURT),
        ("gap", r"[^;]{0,60}?"),
        ("long", r"[^;]{0,150}?"),
        ("short", r"[^;]{0,25}?"),
        (
            "yes",
            r"(?:(?!(?<!\w)(?:not|never|no longer|refus\w+ to|declin\w+ to|yet to|only|be|to)(?!\w)|"
            r"n't)[^;]){0,25}?",
        ),
        ("thing", _THING),
        ("deed", deed),
        ("things", f"[{DATA}{DEVICE}]"),
        ("data", DATA),
        ("content", CONTENT),
        ("party", PARTY),
    ):
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


@cache
def _rules() -> tuple[_Rule, ...]:
    deeds = load_table("demand_verbs.toml")["deeds"]
    deed = fill([*deeds["plain"], *deeds["data"], *deeds["content"]])
    found = []
    for event in load_table("statuses.toml")["event"]:
        if event["status"] not in STATUSES:
            raise ValueError(f"data/statuses.toml names an unknown status: {event['status']}")
        says = tuple(rf"(?<!\w)(?:{_fill(words, deed)})" for words in event["says"])
        unless = re.compile(_fill(event["not"], deed)) if event.get("not") else None
        found.append(
            _Rule(
                event["status"],
                float(event["weight"]),
                says,
                unless,
                bool(event.get("order")),
                bool(event.get("soft")),
                event.get("family", ""),
                bool(event.get("theirs")),
            )
        )
    return tuple(found)


@cache
def _ways() -> tuple[tuple[tuple[_Rule, str], ...], Wanted]:
    """Every way of saying something, in order, and what tells the few that a sentence may hold."""
    ways = tuple((rule, pattern) for rule in _rules() for pattern in rule.says)
    return ways, Wanted([pattern for _, pattern in ways])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Hundreds of ways are known and a story holds few: each is made ready when it is first met."""
    return re.compile(pattern)


_UNSURE = re.compile(
    r"(?<!\w)(?:whether|if|show that|prove that|unless|so that|in order to|until)(?!\w)[^,;]{0,40}$"
)


def events_of(marked: Marked, section: int, *, place: int) -> list[StatusEvent]:
    """Find what a sentence says of where a demand stands.

    `section` is the sentence's (0 is the newest); `place` counts the sentences from 0, the title is -1.
    """
    text = marked.text
    ways, wanted = _ways()
    found = []
    done: _Rule | None = None  # of each rule the first way that matches counts
    for number in wanted.among(text.split()):
        rule, pattern = ways[number]
        if rule is done:
            continue
        match = _match(rule, pattern, text)
        if match is None:
            continue
        of_kind = _is_of_kind(text, match)
        done = rule if not of_kind else done  # another way may tell of this one
        before = text[max(0, match.start() - 60) : match.start()]
        weight = _STANDING[rule.status] * rule.weight
        if place < 0:
            weight += _TITLE
        elif place < 2:
            weight += _LEAD
        elif place < 4:
            weight += _EARLY
        if section > 0:
            weight += _OLDER_SECTION
        if _PAST_PERFECT.search(before):
            weight -= 1.5
        if _WEAK.search(text):
            weight -= 4.5
        if rule.order and not any(slot.kind == "court" for slot in marked.slots.values()):
            continue  # an agency's order enforces nothing
        words = text[max(0, match.start() - 30) : match.end() + 30]
        family = rule.family or (
            "gag" if _GAG.search(words) and not _THE_DEMAND.search(match.group()) else ""
        )
        actors = tuple((slot.name, slot.kind) for slot in _actors(marked, match) if not slot.generic)
        if rule.status == "quashed" and _UNLAWFUL.search(match.group()) and not _RULED.search(text):
            continue
        found.append(
            StatusEvent(
                rule.status,
                marked.index,
                weight,
                _signs(match.group()),
                family,
                rule.order,
                any(slot.kind == "court" for slot in marked.slots.values()),
                _LATER.search(text) is not None,
                _sued(marked, match),
                rule.soft,
                pleaded=_pleaded(before, match.group(), actors),
                actors=actors,
                theirs=rule.theirs,
                loser=_DEFEAT.match(match.group()) is not None,
                after_court=_AFTER_A_COURT.match(text[: match.start()]) is not None,
                of_kind=of_kind,
            )
        )
    return found


def _actors(marked: Marked, match: re.Match[str]) -> list[Slot]:
    """The subject of the words that tell the event: in them, or the nearest before them."""
    first = LISTS.match(match.group())
    if first:
        named = marked.names(first.group())
        # "the police obtained the records": the asking one's act, but it tells that the asked one gave
        return [] if any(slot.kind == "agency" for slot in named) else named
    left = clause_left(marked.text, match.start())
    if _PRONOUN.match(match.group()):
        left += re.split("[ ']", match.group(), maxsplit=1)[0] + " "
    subject = subject_of(left, marked, courts=True)
    if _GOT.match(match.group()) and any(slot.kind == "agency" for slot in subject):
        return []  # who asked got it
    return subject


_PLEADED = re.compile(
    r"(?<!\w)(?:lawyers?|attorneys?|counsel|company|firm|critics?|groups?)(?: \w+)? (?:held|holds?|"
    r"argued?|argues|said|says|"
    r"think|thinks|found|claimed) (?:that )?[^;.]{0,60}$"
)
_HOLDS = re.compile(r"(?:held|holds|found|finds|ruled|declared|called)(?!\w)")


def _pleaded(before: str, words: str, actors: tuple[tuple[str, str], ...]) -> bool:
    """Whether somebody other than a court holds a demand to be unlawful: a plea and no ruling."""
    if _PLEADED.search(before):
        return True
    return _HOLDS.match(words) is not None and bool(actors) and all(kind != "court" for _, kind in actors)


_DEMANDS = r"(?:subpoenas|summonses|warrants|orders|demands|requests|letters|inquiries|process)(?!\w)"
# Of its kind and not the one that is told: what a company always does, what became of others.
_OF_KIND = re.compile(
    r"(?<!\w)(?:such|similar|comparable|previous|earlier|past|any|every|valid|lawful|legal|legitimate|"
    r"overbroad|broad|overreaching|sweeping|improper|unlawful|illegal|unjustified) (?:[\w-]+ ){0,2}"
    rf"{_DEMANDS}|(?<!\w)(?:{_DEMANDS}|those) (?:like (?:this|these|it)|where|when|"
    r"(?:that|which) (?:are|is|it|they|threaten|violate|lack|go|do)|it (?:considers|deems|believes))(?!\w)|"
    r"^(?:compl|follow|obey)\w* (?:with )?(?:\w+ ){0,2}laws?(?!\w)|"
    r"(?<!\w)another (?:user|account|person|customer)(?!\w)|"
    r"(?<!\w)(?:when|if|unless|where) (?:\w+ ){0,2}(?:legally )?(?:required|obliged|compelled)(?!\w)"
)
_BEHIND = re.compile(r"(?: (?!and |but |while |as |after |before )[\w'-]+){0,9}")
_THIS_TOO = re.compile(
    r"^(?:stop|quit|ceas|paus|suspend|halt|freez|froze|no longer)|"
    r"(?<!\w)(?:had to|no (?:choice|option|alternative)|(?:was|were) forced)(?!\w)"
)


def _is_of_kind(text: str, match: re.Match[str]) -> bool:
    """Whether words tell of demands of a kind; who stops answering those does not answer this one either,
    and who had to obey the law obeyed."""
    behind = _BEHIND.match(text, match.end())
    words = match.group() + (behind.group() if behind else "")
    return _OF_KIND.search(words) is not None and _THIS_TOO.search(words) is None


# A demand is called unlawful by whoever fights it. A ruling says so in words of a court's.
_UNLAWFUL = re.compile(
    r"(?<!\w)(?:un(?:constitutional|lawful)|illegal|invalid|overbroad|void|broke|violat\w+|"
    r"(?:may|can|could) ?not use)(?!\w)"
)
_RULED = re.compile(
    rf"(?<!\w)(?:ruled|rules|ruling|rulings|declared|verdict)(?!\w)"
    rf"|{COURT}(?:(?! to | because | that | it | its | their | lawyers? )[^;]){{0,60}}? "
    r"(?:agreed|agrees|called|calls|concluded|concludes|decided|decides|deemed|determined|finds|found|held|"
    r"holds|said|says|wrote|writes)(?!\w)"
    rf"|(?<!\w)(?:agreed|concluded|decided|found|held|said|says|wrote|writes) (?:by )?(?:the |a |an )?{COURT}"
)

_PRONOUN = re.compile(r"(?:it|they|we|he|she)(?:'(?:ve|d|s))? ")
_DEFEAT = re.compile(r"(?:los(?:t|es?|ing)|unsuccessful(?:ly)?|fail(?:s|ed))(?!\w)")
_GAG = re.compile(r"(?<!\w)(?:gag|secrecy|silence|silent|nondisclosure)(?!\w)")
_THE_DEMAND = re.compile(
    r"(?<!\w)(?:the|its|this|that) (?:order|subpoena|warrant|demand|request|summons)s?(?!\w)"
)
_GOT = re.compile(r"(?:and |it |they |which )?(?:got|received|obtained)(?!\w)")
_LATER = re.compile(
    r"(?<!\w)(?:then|later|afterwards|finally|eventually|at last|in the end|the (?:next|same) day|"
    r"on (?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)day|(?:days?|weeks?|months?) (?:later|after)|after (?:the|that|losing|it lost))(?!\w)"
)


_AFTER_A_COURT = re.compile(
    rf"^(?:only )?after (?:an? |the )?(?:[\w-]+ )?{COURT}[^;]{{0,90}}, (?:{PARTY} )?$"
)


def _sued(marked: Marked, match: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """Whom somebody sues, where the words are those of a suit."""
    if not match.group().startswith(("sue", "suing")):
        return ()
    found = _OBJECT.match(marked.text[match.end() :])
    return tuple((slot.name, slot.kind) for slot in marked.names(found.group("who"))) if found else ()


_OBJECT = re.compile(rf" (?:the |its |a )?(?:[\w-]+ ){{0,3}}?(?P<who>{LISTS.pattern})")
_CONDITIONAL = re.compile(r"[^.;,]{0,40}(?<!\w)(?:would|could|might) ")


def _match(rule: _Rule, pattern: str, text: str) -> re.Match[str] | None:
    """Find a place where a way of the rule's stands, and nothing before it takes it back."""
    start = 0
    way = _compiled(pattern)
    while (match := way.search(text, start)) is not None:
        start = match.start() + 1  # what was taken back may have reached over words that say it
        before = text[max(0, match.start() - 60) : match.start()]
        if _UNSURE.search(before) or (rule.unless is not None and rule.unless.search(before)):
            continue
        after = text[match.end() :]
        if "?" in after or (match.group().split(" ", 1)[0].endswith("ing") and _CONDITIONAL.match(after)):
            continue  # a question; what handing it over would do
        return match
    return None


def _signs(text: str) -> str:
    return "".join(char for char in text if "\ue000" <= char <= "\ue5ff")


def _parent(name: str) -> str:
    entry = gazetteer().entries.get(name)
    return entry.parent if entry else ""


_ANSWERS = ("challenged", "refused", "complied", "partly complied")


def acted(
    event: StatusEvent,
    issuers: tuple[str, ...],
    recipients: tuple[str, ...],
    near: Collection[int] = (),
) -> bool:
    """Whether an event is done by one who may do it: the asked answer, the asking withdraw.

    Where another company than those asked is the one that answers, it is another demand's answer. `near` are
    the sentences in which "it" or "the company" may be the one that is asked.
    """
    names = {name for name, _ in event.actors}
    if (
        event.objects
        and issuers
        and not any(name in issuers or kind in ("agency", "court") for name, kind in event.objects)
    ):
        return False  # a suit against somebody else
    if event.theirs and not (
        names & set(recipients) or _related(names, recipients) if names else event.index in near
    ):
        return False
    if not names:
        return True
    if event.status in _ANSWERS:
        if all(name in issuers or (issuers and _speaks_for_all(name, recipients)) for name in names):
            return False
        others = {name for name, kind in event.actors if kind == "company"}
        if _related(others, recipients):
            return True  # Meta answers for Instagram
        if event.status != "challenged" and others and others == names and recipients:
            if (
                not others & set(recipients)
                and all(map(carries, recipients))
                and not any(map(carries, others))
            ):
                return False  # a service that carriers shall block answers another demand
            common = any(name.split()[-1].islower() for name in recipients)  # "internet providers"
            return bool(others & set(recipients)) or len(recipients) > 1 or common
        return True
    if event.status == "withdrawn":
        return not names <= set(recipients)
    return not (event.status == "quashed" and event.pleaded)


def _speaks_for_all(name: str, recipients: tuple[str, ...]) -> bool:
    """Whether a party is the state as a whole, which does not answer what one of its offices asks."""
    return name not in recipients and UMBRELLA.search(name) is not None


_CARRIER = re.compile(
    r"(?:providers?|operators?|carriers?|networks|telecom\w*|telcos?|isps?)$", re.IGNORECASE
)


def carries(name: str) -> bool:
    """Whether a party is a telecom, by the gazetteer or by its name."""
    entry = gazetteer().entries.get(name)
    return entry.sort == "telecom" if entry else _CARRIER.search(name) is not None


def _related(names: Collection[str], others: tuple[str, ...]) -> bool:
    return any(_parent(one) == other or _parent(other) == one for one in names for other in others)


def turned(event: StatusEvent, issuers: tuple[str, ...]) -> StatusEvent:
    """An event as it stands for those who demand: where they lose in court, their demand is quashed."""
    names = {name for name, _ in event.actors}
    if event.loser and event.status == "upheld" and names and names <= set(issuers):
        return replace(event, status="quashed")
    if event.status == "quashed" and event.actors and all(kind == "agency" for _, kind in event.actors):
        return replace(event, status="withdrawn")  # no court lifts it, an office does
    return event


def last_status(events: list[StatusEvent]) -> StatusEvent | None:
    """Choose the event that tells where the matter stands in the end."""
    if not events:
        return None
    best = max(events, key=lambda event: (event.weight, event.index))
    if best.weight <= 1.0:
        return None
    if best.status == "upheld":
        # Who lost in court and then gave has given: told later, it came later.
        fought = {e.index for e in events if e.status == "challenged" and e.weight >= 4.0}
        given = [
            event
            for event in events
            if event.status == "complied"
            and (
                (event.later and event.index > max(best.index, 0) and event.index not in fought)
                or (event.after_court and event.index == best.index)
            )
            and event.weight >= 4.0
        ]
        if given:
            return given[-1]
    if best.status == "challenged":
        # Whom it was fought over is told in the headline, that it was dropped in the end below it.
        dropped = [e for e in events if e.status == "withdrawn" and best.weight - e.weight < 1.0]
        if dropped and best.index < 0:
            return dropped[-1]
    if best.status == "refused":
        gave = [e for e in events if e.status == "complied" and e.later and e.index > max(best.index, 0)]
        if gave and gave[-1].weight >= 4.0:
            return gave[-1]
    if best.status == "quashed":
        # A court only lifts what the office that asked for it no longer wants.
        given_up = [e for e in events if e.status == "withdrawn" and best.weight - e.weight < 1.3]
        if given_up and best.family == "gag":
            return given_up[-1]
    if best.status in ("complied", "refused"):
        # Gave one thing, refused another: partly, when both are said about as plainly.
        other = "refused" if best.status == "complied" else "complied"
        rivals = [
            event
            for event in events
            if event.status == other and best.weight - event.weight < 1.1 and event.weight > 2.5
        ]
        if rivals and not any(
            event.status == "challenged" and event.weight >= best.weight for event in events
        ):
            return StatusEvent("partly complied", best.index, best.weight, best.signs)
    return best
