"""Sentences in which every party is one sign: what the reading of demands works on.

"DHS subpoenaed Google" becomes "<sign> subpoenaed <sign>", lower-cased, and each sign knows its party. So a
rule can say "a party, then 'subpoenaed', then a party" as one short regular expression, however a party
is written. The signs are private-use characters: the first byte tells the kind, the second counts. Words for
data, devices and content (`data/generic_parties.toml`) are followed by a sign as well, a word of its own:
rules count it as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from bot.stories.instruments import load_table
from bot.stories.model import Mention

KIND_BASE: dict[str, int] = {
    "agency": 0xE000,
    "company": 0xE100,
    "organisation": 0xE200,
    "court": 0xE300,
    "person": 0xE400,
    "account": 0xE500,
}
_PER_KIND = 0x100


def _signs(*kinds: str) -> str:
    return "".join(f"{chr(KIND_BASE[kind])}-{chr(KIND_BASE[kind] + _PER_KIND - 1)}" for kind in kinds)


MARKS = _signs(*KIND_BASE)
"""All signs of parties, for use inside a character class."""
PARTY = f"[{MARKS}]"
STATE = f"[{_signs('agency')}]"
COURT = f"[{_signs('court')}]"
COMPANY = f"[{_signs('company')}]"
ORGANISATION = f"[{_signs('organisation')}]"
ASKED = f"[{_signs('company', 'organisation', 'person')}]"

DATA, DEVICE, CONTENT = "\ua4d3", "\ua4e3", "\ua4da"
"""Signs behind a word for data, for a device (or account), for content: letters of a rare script (Lisu)."""

MAX_LENGTH = 1_200
"""Characters of a sentence that are read. Real sentences are shorter; the rest of a monster says nothing."""

_JUDGE = re.compile(r"(?:judge|justice|magistrate)\s+(?:\w\.? ?){0,2}$")
_OFFICE = re.compile(
    r"(?:special counsel|attorney general|state'?s? attorney|premier|chancellor|president|prosecutors?|"
    r"detective|sheriff|commissioner|minister|"
    r"inspector|investigator|chairman|chairwoman|chair|chairs|"
    r"district attorney|u\.s\. attorney|regulator|secretary|superintendent|mayor|governor)(?: \w+)? $"
)
_FOLD = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "\u00a0": " "})
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Slot:
    """A party at one place: its canonical name, and whether it is only a common noun ("the police")."""

    name: str
    kind: str
    generic: bool = False
    official: bool = False  # a person with an office that may demand ("special counsel Robert Mueller")
    bystander: bool = False  # a person who is quoted, judges, or is what others are for or against


@dataclass(slots=True)
class Marked:
    """A sentence with signs for parties. `index` is the sentence's own, -1 for the title."""

    text: str
    index: int
    slots: dict[str, Slot] = field(default_factory=dict)

    def names(self, signs: str) -> list[Slot]:
        """The parties whose signs stand in `signs`, in order, each once."""
        seen: dict[str, Slot] = {}
        for sign in signs:
            slot = self.slots.get(sign)
            if slot is not None:
                seen.setdefault(slot.name, slot)
        return list(seen.values())


@dataclass(frozen=True, slots=True)
class _Word:
    """What a word may be: a party's noun of some kind, a word before one, a word for data with its sign."""

    kind: str | None
    before: bool
    alone: bool  # a party's noun also without a word before it
    sign: str | None


@dataclass(frozen=True, slots=True)
class _Words:
    known: dict[str, _Word]
    no_party_before: frozenset[str]


@cache
def _words() -> _Words:
    table = load_table("generic_parties.toml")
    signs: dict[str, str] = {}
    for key, sign in (("data", DATA), ("device", DEVICE), ("content", CONTENT)):
        for word in table["things"][key]:
            signs[word] = signs.get(word, "") + sign
    kinds = {word: kind for kind, words in table["nouns"].items() for word in words}
    before, needs = set(table["before"]), set(table["needs_before"]["words"])
    return _Words(
        known={
            word: _Word(
                kinds.get(word),
                word in before,
                word not in needs,
                " " + "".join(dict.fromkeys(signs[word])) if word in signs else None,
            )
            for word in {*kinds, *before, *signs}
        },
        no_party_before=frozenset(table["no_party_before"]["words"]),
    )


def lower_same_length(text: str) -> str:
    """Lower-case text so that every offset stays where it was; typographic quotes become plain ones."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.translate(_FOLD)


_ON_THE_BENCH = re.compile(
    r"^,? (?:of|at|from|in|on) (?:the )?[^,;.]{0,40}?(?:court|tribunal|circuit|bench)(?!\w)"
)


def judges_in(texts: Iterable[tuple[str, Sequence[Mention]]]) -> frozenset[str]:
    """The persons of an article that some sentence calls a judge: they are courts wherever they are named."""
    found = set()
    for text, mentions in texts:
        persons = [mention for mention in mentions if mention.kind == "person"]
        if not persons:
            continue
        for mention in persons:
            before = text[max(0, mention.start - 24) : mention.start].lower()
            after = text[mention.end : mention.end + 60].lower()
            if _JUDGE.search(before) or _ON_THE_BENCH.match(after):
                found.add(mention.name)
    return frozenset(found)


def mark(
    sentence: str, index: int, mentions: Sequence[Mention], judges: frozenset[str] = frozenset()
) -> Marked:
    """Put a sign for every party of the sentence (`mentions` are those of this sentence alone).

    Persons who are `judges` (`judges_in`) get the sign of a court.
    """
    text = sentence[:MAX_LENGTH]
    lowered = lower_same_length(text)
    spans = _named(lowered, mentions, judges)
    nouns = _nouns(text, lowered, spans)  # may lengthen spans
    edits: list[tuple[int, int, Slot | str]] = [*spans, *nouns]
    edits.sort(key=lambda edit: (edit[0], edit[1]))
    marked = Marked("", index)
    counts = dict.fromkeys(KIND_BASE, 0)
    pieces: list[str] = []
    position = 0
    for start, stop, what in edits:
        if start < position:  # inside a party's name
            continue
        if isinstance(what, str):
            pieces += [lowered[position:stop], what]
            position = stop
            continue
        if counts[what.kind] >= _PER_KIND:
            continue
        sign = chr(KIND_BASE[what.kind] + counts[what.kind])
        counts[what.kind] += 1
        marked.slots[sign] = what
        pieces += [lowered[position:start], sign]
        position = stop
    pieces.append(lowered[position:])
    marked.text = "".join(pieces)
    return marked


_NO_PARTY_ITSELF = re.compile(
    r"-(?:owned|backed|based|run|led|style|linked|affiliated|funded|built|made)(?!\w)"
    r"| (?:candidates?|hopefuls?|nominees?|contenders?)(?!\w)"
    r"|[- ](?:tracking|spotting|sightings?|watching|alert) (?:apps?|groups?|pages?|sites?|accounts?|"
    r"maps?)(?!\w)"
)
_POSING = re.compile(
    r"(?<!\w)(?:pos(?:ed|ing|es?) as|pretend(?:ed|ing)? to be|impersonat(?:ed|ing|es?)|disguised as|"
    r"claim(?:ed|ing) to be|"
    r"passed (?:themselves|himself|herself) off as|in the guise of)(?: (?:the|a|an))? (?:\w+ )?$"
)
"""Whoever somebody only pretends to be takes no part."""
_COMMITTEE = re.compile(
    r"(?<!\w)(?<!national )(?<!central )(?<!action )(?<!republican )(?<!democratic )(?<!party )(?<!strike )"
    r"(?<!organi[sz]ing )(?<!steering )(?<!amicus )(?:committee|subcommittee|panel|task force)$",
    re.IGNORECASE,
)
_THEIR_COMMITTEE = re.compile(r" (?:[a-z]+ )?(?:sub)?(?:committee|panel)(?!\w)")


def _named(lowered: str, mentions: Sequence[Mention], judges: frozenset[str]) -> list[tuple[int, int, Slot]]:
    spans = []
    end = -1
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if mention.start < end or mention.end > len(lowered) or mention.kind not in KIND_BASE:
            continue
        if _NO_PARTY_ITSELF.match(lowered, mention.end):  # "the Microsoft-owned site"
            continue
        if _POSING.search(lowered[max(0, mention.start - 30) : mention.start]):
            continue
        kind = mention.kind
        if kind == "person" and (
            mention.name in judges or _JUDGE.search(lowered[max(0, mention.start - 24) : mention.start])
        ):
            kind = "court"
        if kind in ("agency", "organisation"):  # committees of a parliament demand as agencies do
            if _COMMITTEE.search(mention.name):
                kind = "agency"
            elif mention.name in _CHAMBERS and (theirs := _THEIR_COMMITTEE.match(lowered, mention.end)):
                name = f"{mention.name.removesuffix(' of Representatives')}{theirs.group()}"
                spans.append((mention.start, theirs.end(), Slot(name, "agency")))
                end = theirs.end()
                continue
        # A gazetteer may hold common nouns as well ("internet service providers"): lower case tells them.
        named = _WRITTEN_SMALL.search(mention.name) is not None  # "4chan", "archive.today", "@handle"
        common = mention.by == "country" or (
            mention.by != "coreference" and mention.name.islower() and not named
        )
        official = (
            kind == "person"
            and _OFFICE.search(lowered[max(0, mention.start - 40) : mention.start]) is not None
        )
        bystander = kind == "person" and _is_bystander(lowered, mention.start, mention.end)
        slot = Slot(mention.name, kind, common or (_is_common(mention) and not named), official, bystander)
        spans.append((mention.start, mention.end, slot))
        end = mention.end
    return spans


_WRITTEN_SMALL = re.compile(r"[\d@_]|\w\.\w")
_CHAMBERS = ("House of Representatives", "Senate", "House of Commons", "House of Lords", "Congress")
_COURT_ORDERS = re.compile(r" orders (?:the |a |an )?[A-Z]")
_ABOUT = re.compile(
    r"(?:anti|pro)-$|(?<!\w)(?:critics?|critical|criticism|supporters?|opponents?|parody|impersonat\w+|"
    r"satire) of (?:president )?$|"
    r"(?<!\w)(?:criticis\w+|criticiz\w+|mock\w*|insult\w*|opposed to|ridicul\w+|lampoon\w*) (?:president )?$|"
    r"(?:lawyer|attorney|professor|spokesman|spokeswoman|director|expert|researcher|analyst|judge|"
    r"justice|president) $"
)
_QUOTED = re.compile(
    r"^(?:'s (?:polic|administration|government|critics|order)| administration|"
    r" (?:critics?|opponents?|detractors?|supporters?|parody|parodies|impersonators?)(?!\w)|"
    r",? (?:who )?(?:said|says|told|wrote|argued|"
    r"argues|added|studies|teaches|represent\w*|signed|ruled)(?!\w)|, (?:an?|the|its|his|her|"
    r"who) [^,]{0,60}?(?:scholar|"
    r"professor|lawyer|attorney|director|spokes\w+|expert|researcher|judge|counsel|analyst|fellow|"
    r"executive|founder))"
)


def _is_bystander(lowered: str, start: int, end: int) -> bool:
    """Whether a person is only quoted, judges, or is what somebody is for or against ("anti-Trump")."""
    return (
        _ABOUT.search(lowered[max(0, start - 40) : start]) is not None
        or _QUOTED.match(lowered[end : end + 90]) is not None
    )


def _is_common(mention: Mention) -> bool:
    return mention.by != "coreference" and mention.kind != "account" and mention.surface.islower()


_STATE_SERVICE = re.compile(r"(?:intelligence|security|secret|customs|tax|police|border|revenue) service$")


def _nouns(text: str, lowered: str, taken: list[tuple[int, int, Slot]]) -> list[tuple[int, int, Slot | str]]:
    """Find the common nouns for parties, with the words before them, and the words for data and the like."""
    words = _words()
    found: list[tuple[int, int, Slot | str]] = []
    run = -1  # where a run of words that may stand before a party's noun began
    last = -1
    number = 0
    known = words.known
    for match in _TOKEN.finditer(lowered):
        word = known.get(match.group())
        if word is None:
            run = -1
            continue
        start, stop = match.span()
        while number < len(taken) and taken[number][1] <= start:
            number += 1
        if number < len(taken) and taken[number][0] < stop:
            run = -1
            continue
        if run >= 0 and lowered[last:start] != " ":
            run = -1
        last = stop
        if word.kind is not None and not lowered.startswith("-", stop) and (run >= 0 or word.alone):
            following = _next_word(lowered, stop)
            if word.before and following in known and known[following].kind is not None:
                run = start if run < 0 else run  # "police" in "police department"
                continue
            begin, run = (run if run >= 0 else start), -1
            if _POSING.search(lowered[max(0, begin - 30) : begin]) or _NO_PARTY_ITSELF.match(lowered, stop):
                continue
            if (
                (word.kind == "court" or match.group() == "jury")
                and following in words.no_party_before
                and not _COURT_ORDERS.match(text, stop)
            ):
                continue
            if (
                number < len(taken)
                and taken[number][0] == stop + 1
                and (taken[number][2].kind == word.kind or _calls_itself(match.group(), taken[number][2]))
            ):
                taken[number] = (begin, *taken[number][1:])  # "the web host DreamHost" is DreamHost
                continue
            if (
                number < len(taken)
                and taken[number][0] == stop + 2
                and taken[number][2].kind == word.kind
                and not taken[number][2].generic
                and lowered.startswith(", ", stop)
                and _CLOSES.match(lowered, taken[number][1])
                and _ONE.search(lowered[max(0, begin - 24) : begin])
            ):  # "his internet provider, Astound, was asked"
                taken[number] = (begin, *taken[number][1:])
                continue
            if (
                word.kind == "company"
                and number < len(taken)
                and taken[number][2].kind in ("company", "organisation")
                and _OWNER_OF.match(lowered, stop)
                and lowered[stop : taken[number][0]] in (" of ", " of the ")
            ):  # "the publisher of USA Today" is asked in its name
                owned = taken[number]
                taken[number] = (begin, owned[1], replace(owned[2], kind="company"))
                continue
            placed = _PLACED.match(text, stop) if word.kind == "agency" else None
            if placed and (office := _PLACED_OFFICE.search(text[begin:stop])):
                name = f"{placed.group('place')} {office.group().lower()}"
                free = number >= len(taken) or taken[number][0] >= placed.end()
                if free:  # "the attorney general of Texas", "police in Gainesville"
                    found.append((begin, placed.end(), Slot(name, "agency")))
                    continue
            kind = "agency" if _STATE_SERVICE.search(lowered[begin:stop]) else word.kind
            found.append((begin, stop, Slot(text[begin:stop], kind, generic=True)))
            continue
        if word.sign is not None:
            found.append((stop, stop, word.sign))
        if not word.before:
            run = -1
        elif run < 0:
            run = start
    return found


def _calls_itself(noun: str, slot: Slot) -> bool:
    """Whether a noun for agencies names a group ("the media watchdog Media Matters")."""
    return noun == "watchdog" and slot.kind == "organisation" and not slot.generic


_ONE = re.compile(r"(?<!\w)(?:the|a|an|his|her|its|their|my|our)(?: [\w-]+){0,2} $|'s (?:[\w-]+ )?$")
_CLOSES = re.compile(r"[,.;]|$")
_PLACED = re.compile(
    r" (?:of|in|from) (?!January|February|March|April|May|June|July|August|September|October|November|"
    r"December|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|The |A |Mr|Ms|Congress|Washington said)"
    r"(?P<place>(?:New |San |Los |Las |St\. |Santa |Fort |North |South |West )?[A-Z][a-z]+(?: (?:County|"
    r"Parish|City))?)"
    r"(?![\w'’-])(?! [A-Z])"
)
_PLACED_OFFICE = re.compile(r"\b(?:attorney general|police|sheriff)$", re.IGNORECASE)
_OWNER_OF = re.compile(r"(?:(?<=publisher)|(?<=operator)|(?<=studio)) of ")


def _next_word(lowered: str, stop: int) -> str:
    following = _TOKEN.match(lowered, stop + 1) if lowered.startswith(" ", stop) else None
    return following.group() if following else ""
