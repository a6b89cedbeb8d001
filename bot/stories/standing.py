"""What an article shows of each party: how often and where it stands, what it does, what is done to it.

Frames (a verb of the kinds in `party_roles.toml`, with the party before it and the party after it), who
speaks and who objects, and what the words beside a name make of it. `bot.stories.roles` decides from that.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache, lru_cache

from bot.stories.gazetteer import Entry, load, read_data
from bot.stories.model import Document, Mention

MOST_MENTIONS = 100  # of one sentence, that are looked at
REACH = 90  # characters between a verb and its party
WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
BE = frozenset(("is", "are", "was", "were", "be", "been", "being", "get", "gets", "got", "not"))
DEEDS = frozenset(("hack", "suspension", "ban", "removal"))  # "the Doe hack": what stands before suffers it
PREPOSITIONS = frozenset(
    (
        "by",
        "of",
        "to",
        "from",
        "for",
        "with",
        "against",
        "at",
        "on",
        "in",
        "about",
        "over",
        "than",
        "like",
        "after",
    )
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists of `party_roles.toml`."""

    frames: dict[str, frozenset[str]]  # word form -> the frames it opens
    speech: frozenset[str]
    complaint: tuple[str, ...]  # beginnings of words
    counsel: tuple[str, ...]  # these and the next: phrases in lower case
    criticised: tuple[str, ...]
    account: tuple[str, ...]
    suspect: tuple[str, ...]
    modified: frozenset[str]


@dataclass(slots=True)
class Standing:
    """What the article shows of one party."""

    name: str
    kind: str
    entry: Entry | None
    count: int = 0
    named: int = 0  # mentions that are no bare nouns
    in_title: bool = False
    first: int = 10_000
    sentences: list[int] = field(default_factory=list)
    frames: Counter[str] = field(default_factory=Counter)  # "watch:agent", "moderate:patient", ...
    shown_by: dict[str, int] = field(default_factory=dict)  # frame -> the sentence that shows it first
    speaks: int = 0
    complains: int = 0
    counsels: int = 0
    criticised: int = 0
    objects: int = 0  # sentences of complaint that the party itself speaks
    in_office: int = 0  # places where an office with powers of its own stands beside a person
    speaks_for: int = 0  # places that call a person the voice or the head of a firm
    whose_data: int = 0  # places that speak of the party's data, devices or account
    singled_out: int = 0  # an account or a person that the words around make the one that is looked for
    allies: set[str] = field(default_factory=set)  # sorts of organisations named beside them

    @property
    def sort(self) -> str:
        """The trade that the gazetteer knows, or ""."""
        return self.entry.sort if self.entry is not None else ""

    def weight(self, *frames: str) -> int:
        """How often the party stands in one of these frames; the title counts double."""
        return sum(self.frames[frame] for frame in frames)


def _forms(verb: str) -> set[str]:
    """The regular forms of an English verb."""
    if verb.endswith("e"):
        return {verb, verb + "s", verb + "d", verb[:-1] + "ing"}
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return {verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"}
    forms = {verb, verb + "s", verb + "es", verb + "ed", verb + "ing"}
    if len(verb) < 6 and verb[-1] not in "aeiouwxy" and verb[-2] in "aeiou" and verb[-3] not in "aeiou":
        forms |= {verb + verb[-1] + "ed", verb + verb[-1] + "ing"}
    return forms


@cache
def lexicon() -> Lexicon:
    """The word lists, read once per process."""
    data = read_data("party_roles.toml")
    frames: dict[str, set[str]] = defaultdict(set)
    for name, frame in data["frames"].items():
        for verb in frame["verbs"]:
            for form in _forms(verb):
                frames[form].add(name)
        for form in frame["forms"]:
            frames[form].add(name)
    return Lexicon(
        frames={form: frozenset(names) for form, names in frames.items()},
        speech=frozenset(data["speech"]["words"]),
        complaint=tuple(data["complaint"]["stems"]),
        counsel=tuple(data["counsel"]["phrases"]),
        criticised=tuple(data["criticised"]["phrases"]),
        account=tuple(data["account"]["words"]),
        suspect=tuple(data["suspect"]["phrases"]),
        modified=frozenset(data["modified"]["nouns"]),
    )


@lru_cache(maxsize=20_000)
def _complains(word: str) -> bool:
    return word.startswith(lexicon().complaint)


def _holds(low: str, phrases: tuple[str, ...], start: int, end: int) -> bool:
    """Whether one of the phrases stands in `low` between two places."""
    return any(low.find(phrase, max(0, start), end) >= 0 for phrase in phrases)


def standings(document: Document, mentions: tuple[Mention, ...]) -> dict[str, Standing]:
    """What the article shows of each party, by canonical name, in order of appearance."""
    gazetteer = load()
    found: dict[str, Standing] = {}
    by_sentence: dict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        standing = found.get(mention.name)
        if standing is None:
            standing = found[mention.name] = Standing(
                mention.name, mention.kind, gazetteer.entry(mention.name)
            )
        standing.count += 1
        standing.named += mention.surface[:4].lower() != "the "
        standing.in_title |= mention.sentence == -1
        standing.first = min(standing.first, mention.sentence)
        if not standing.sentences or standing.sentences[-1] != mention.sentence:
            standing.sentences.append(mention.sentence)
        by_sentence[mention.sentence].append(mention)
    texts = {sentence.index: sentence.text for sentence in document.sentences}
    texts[-1] = document.title
    for index, here in by_sentence.items():
        _read_sentence(texts.get(index, ""), index, here, found)
    return found


def _read_sentence(text: str, index: int, here: list[Mention], found: dict[str, Standing]) -> None:
    known = lexicon()
    here = here[:MOST_MENTIONS]
    weight = 2 if index == -1 else 1
    low = text.lower()
    matches = list(WORD.finditer(low))
    words = [match[0] for match in matches]
    _read_surroundings(low, words, here, found)
    _read_allies(here, found)
    before = 0  # mentions that end before the word looked at
    for at, word in enumerate(words):
        names = known.frames.get(word)
        speech = word in known.speech
        if names is None and not speech:
            continue
        start, end = matches[at].span()
        while before < len(here) and here[before].end <= start:
            before += 1
        if (before and here[before - 1].end > start) or (before < len(here) and here[before].start < end):
            continue  # a word inside a name
        left = _left(text, here, before, start)
        right = _right(text, here, before, end)
        if speech:
            for mention in (left[:1] or []) + (right[:1] if right and right[0].start - end < 12 else []):
                found[mention.name].speaks += 1
                found[mention.name].objects += any(map(_complains, words))
        for name in names or ():
            participle = word.endswith(("ed", "en", "n", "t"))
            passive = participle and (
                (at > 0 and words[at - 1] in BE) or (at + 1 < len(words) and words[at + 1] == "by")
            )
            passive |= word in DEEDS and bool(left) and start - left[0].end == 1
            agents, patients = (right if _by(text, right, end) else [], left) if passive else (left, right)
            for party, part in [(a, "agent") for a in agents] + [(p, "patient") for p in patients]:
                key = f"{name}:{part}"
                standing = found[party.name]
                standing.frames[key] += weight
                standing.shown_by.setdefault(key, index)


def _read_surroundings(low: str, words: list[str], here: list[Mention], found: dict[str, Standing]) -> None:
    """Note what the words around a mention make of it: criticised, looked for, a lawyer, one who objects."""
    known = lexicon()
    kinds = {mention.kind for mention in here}
    people = not kinds.isdisjoint(("person", "organisation"))
    criticised = _there(known.criticised, low) if "agency" in kinds else ()
    account = _there(known.account, low) if "account" in kinds else ()
    suspect = _there(known.suspect, low) if people else ()
    counsel = _there(known.counsel, low) if people else ()
    complaint = people and any(map(_complains, words))
    for mention in here:
        standing = found[mention.name]
        start, end = mention.start, mention.end
        if mention.kind == "agency":
            standing.criticised += _holds(low, criticised, start - 28, start)
        elif mention.kind == "account":
            standing.singled_out += _holds(low, account, start - 150, end + 150)
        elif mention.kind in ("person", "organisation"):
            standing.complains += complaint
            standing.singled_out += _holds(low, suspect, start - 50, end + 60)
            standing.counsels += _is_counsel(low, counsel, mention, here)
            if mention.kind == "person":
                before, after = low[max(0, start - 60) : start], low[end : end + 60]
                standing.in_office += bool(_OFFICE.search(before) or _OFFICE_AFTER.match(after))
                standing.speaks_for += bool(_VOICE.search(before) or _VOICE_AFTER.match(after))
                standing.whose_data += bool(_DATA_OF.search(before) or _DATA_AFTER.match(after))


_OFFICES = (
    r"(?:(?:police|sheriff's) chief|chief of police|sheriff|"
    r"(?:county|district|city|u\.s\.|us|state) attorney|"
    r"prosecutor|attorney general|commissioner|minister|secretary|chairman|chairwoman|"
    r"chair|special counsel|inspector|superintendent)"
)
_OFFICE = re.compile(rf"(?<!\w){_OFFICES}(?:,| of [\w ]{{3,25}},)? $")
_OFFICE_AFTER = re.compile(rf",? (?:the |who is |a |its )?(?:[\w'’-]+ ){{0,3}}{_OFFICES}(?!\w)")
_VOICES = (
    r"(?:spokes\w+|chief executive|chief legal officer|ceo|founder|president|vice president|general counsel|"
    r"executive|manager|owner|publisher|editor|judge|justice|magistrate)"
)
_VOICE = re.compile(rf"(?<!\w){_VOICES},? $")
_VOICE_AFTER = re.compile(rf",? (?:an? |the |its |his |her |who is )?(?:[\w'’-]+ ){{0,3}}{_VOICES}(?!\w)")
_DATA = (
    r"(?:accounts?|records|e-?mails?|messages|phones?|data|texts|iphone|history|posts|page|blog|name|identity|"
    r"locations?|devices?|chats|files|computers?|laptop)"
)
_DATA_OF = re.compile(
    rf"(?<!\w){_DATA} (?:of|belonging to|used by|run by|about|on)(?: (?:the |a |an |former |sen\. |rep\. |"
    rf"representatives? |senator |activist |journalist |reporter |lawyer |suspect |dissident |editor )*)?$"
)
_DATA_AFTER = re.compile(rf"['’]s? (?:[\w-]+ ){{0,2}}{_DATA}(?!\w)")


def _there(phrases: tuple[str, ...], low: str) -> tuple[str, ...]:
    return tuple([phrase for phrase in phrases if phrase in low])


def _is_counsel(low: str, phrases: tuple[str, ...], mention: Mention, here: list[Mention]) -> bool:
    """Whether "attorney for ..." stands beside a name, other than for the organisation one belongs to."""
    for phrase in phrases:
        for first, last in ((mention.start - 45, mention.start), (mention.end, mention.end + 65)):
            at = low.find(phrase, max(0, first), last)
            end = at + len(phrase)
            if at >= 0 and not any(m.kind == "organisation" and 0 <= m.start - end < 6 for m in here):
                return True
    return False


def _read_allies(here: list[Mention], found: dict[str, Standing]) -> None:
    """Note beside which kinds of organisations a person is named ("Jane Doe, a lawyer with the ACLU")."""
    for at, mention in enumerate(here):
        if mention.kind != "person":
            continue
        for other in (*here[at + 1 : at + 3], *here[max(0, at - 1) : at]):
            gap = other.start - mention.end if other.start > mention.start else mention.start - other.end
            entry = found[other.name].entry
            if gap < 70 and entry is not None and entry.kind != "person":
                found[mention.name].allies.add(entry.sort)


def _left(text: str, here: list[Mention], before: int, start: int) -> list[Mention]:
    """The subject before a verb: the nearest mention that no preposition governs, and those joined to it."""
    at = before - 1
    while at >= 0 and start - here[at].end < REACH:
        lead = text[max(0, here[at].start - 12) : here[at].start].lower().split()
        if not lead or (
            lead[-1] not in PREPOSITIONS
            and (lead[-1] != "the" or len(lead) < 2 or lead[-2] not in PREPOSITIONS)
        ):
            break
        at -= 1
    else:
        at = -1
    if at < 0:
        return []
    group = [here[at]]
    while at > 0 and _joined(text[here[at - 1].end : here[at].start]):
        at -= 1
        group.append(here[at])
    return group


def _right(text: str, here: list[Mention], before: int, end: int) -> list[Mention]:
    """The object after a verb: the nearest mention, and those joined to it."""
    at = before
    while at + 1 < len(here) and (
        here[at + 1].start - here[at].end == 1
        or (_is_adjective(text, here[at]) and here[at + 1].start - here[at].end < 30)
    ):
        at += 1
    if at >= len(here) or here[at].start - end > REACH or _is_adjective(text, here[at]):
        return []
    group = [here[at]]
    while at + 1 < len(here) and _joined(text[here[at].end : here[at + 1].start]):
        at += 1
        group.append(here[at])
    return group


def _is_adjective(text: str, mention: Mention) -> bool:
    """Whether a name only qualifies the noun after it ("Twitter users", "Trump ally")."""
    if text[max(0, mention.start - 5) : mention.start].lower().endswith(("anti-", "pro-")):
        return True
    after = WORD.match(text, mention.end + 1)
    return after is not None and text[mention.end] == " " and after.group() in lexicon().modified


def _joined(between: str) -> bool:
    """Whether two mentions stand in one list."""
    return between.strip(" ") in (",", "and", ", and", "or", "&", "'s", "’s")


def _by(text: str, right: list[Mention], end: int) -> bool:
    return bool(right) and re.search(r"\bby\b", text[end : right[0].start]) is not None
