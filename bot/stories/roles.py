"""Which part each party plays: from the demands, from who does what to whom, and from their trade.

The demands come first: they were read with care by their own stage. What they leave open is decided by
frames (a verb of the kinds in `party_roles.toml`, with the party before it and the party after it), and
what those leave open by what a party is: an advocacy group that speaks is a critic, a spyware maker a vendor.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache

from bot.stories.gazetteer import Entry, load, read_data
from bot.stories.model import Demand, Document, Mention

REACH = 90  # characters between a verb and its party
WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
BE = frozenset(("is", "are", "was", "were", "be", "been", "being", "get", "gets", "got", "not"))
PREPOSITIONS = frozenset(
    ("by", "of", "to", "from", "for", "with", "against", "at", "on", "in", "about", "over", "than", "like", "after")
)
STATE = frozenset(("intelligence", "law enforcement", "department", "regulator", "police"))
NAMED_ONLY = ("other", "named only")
MAKERS = frozenset(("spyware", "surveillance", "broker"))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists of `party_roles.toml`."""

    frames: dict[str, frozenset[str]]  # word form -> the frames it opens
    speech: frozenset[str]
    complaint: re.Pattern[str]
    counsel: re.Pattern[str]
    modified: frozenset[str]
    criticised: re.Pattern[str]
    account: re.Pattern[str]


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
    singled_out: int = 0  # an account that the words around it make the subject
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


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, phrases)), re.IGNORECASE)


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
        complaint=re.compile(rf"\b(?:{_any_of(data['complaint']['stems']).pattern})", re.IGNORECASE),
        counsel=_any_of(data["counsel"]["phrases"]),
        modified=frozenset(data["modified"]["nouns"]),
        criticised=_any_of(data["criticised"]["phrases"]),
        account=_any_of(data["account"]["words"]),
    )


def standings(document: Document, mentions: tuple[Mention, ...]) -> dict[str, Standing]:
    """What the article shows of each party, by canonical name, in order of appearance."""
    gazetteer = load()
    found: dict[str, Standing] = {}
    by_sentence: dict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        standing = found.get(mention.name)
        if standing is None:
            standing = found[mention.name] = Standing(mention.name, mention.kind, gazetteer.entry(mention.name))
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
    weight = 2 if index == -1 else 1
    complaint = known.complaint.search(text) is not None
    counsel = [
        match.start()
        for match in known.counsel.finditer(text)
        if not any(m.kind == "organisation" and 0 <= m.start - match.end() < 6 for m in here)
    ]
    for mention in here:
        standing = found[mention.name]
        if mention.kind == "agency" and known.criticised.search(text, max(0, mention.start - 28), mention.start):
            standing.criticised += 1
        elif mention.kind == "account" and known.account.search(text):
            standing.singled_out += 1
        elif mention.kind in ("person", "organisation"):
            if any(0 <= at - mention.end < 50 or 0 <= mention.start - at < 30 for at in counsel):
                standing.counsels += 1
            standing.complains += complaint
    _read_allies(here, found)
    words = [(match.group().lower(), match.start(), match.end()) for match in WORD.finditer(text)]
    before = 0  # mentions that end before the word looked at
    for at, (word, start, end) in enumerate(words):
        names = known.frames.get(word)
        speech = word in known.speech
        if names is None and not speech:
            continue
        while before < len(here) and here[before].end <= start:
            before += 1
        if before and here[before - 1].end > start or before < len(here) and here[before].start < end:
            continue  # a word inside a name
        left = _left(text, here, before, start)
        right = _right(text, here, before, end)
        if speech:
            for mention in (left[:1] or []) + (right[:1] if right and right[0].start - end < 12 else []):
                found[mention.name].speaks += 1
        for name in names or ():
            passive = at > 0 and words[at - 1][0] in BE and word.endswith(("ed", "en", "ied", "n", "t"))
            agents, patients = (right if _by(text, right, end) else [], left) if passive else (left, right)
            for party, part in [(a, "agent") for a in agents] + [(p, "patient") for p in patients]:
                key = f"{name}:{part}"
                standing = found[party.name]
                standing.frames[key] += weight
                standing.shown_by.setdefault(key, index)


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
        if not lead or lead[-1] not in PREPOSITIONS and (lead[-1] != "the" or len(lead) < 2 or lead[-2] not in PREPOSITIONS):
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
    while at + 1 < len(here) and _is_adjective(text, here[at]) and here[at + 1].start - here[at].end < 30:
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
    after = WORD.match(text, mention.end + 1)
    return after is not None and text[mention.end] == " " and after.group() in lexicon().modified


def _joined(between: str) -> bool:
    """Whether two mentions stand in one list."""
    return between.strip(" ") in (",", "and", ", and", "or", "&", "'s", "’s")


def _by(text: str, right: list[Mention], end: int) -> bool:
    return bool(right) and re.search(r"\bby\b", text[end : right[0].start]) is not None


# ------------------------------------------------------------------ deciding


def from_demands(demands: tuple[Demand, ...]) -> dict[str, str]:
    """The roles that the demands give, by name; the first demand's word stands."""
    roles: dict[str, str] = {}
    for demand in demands:
        bought = demand.instrument == "purchase"
        for names, role in (
            (demand.issuer, "buyer" if bought else "issuer"),
            (demand.recipient, "vendor" if bought else "recipient"),
            (demand.target, "target"),
        ):
            for name in names:
                roles.setdefault(name, role)
    return roles


def decide(standing: Standing, story: dict[str, Standing], given: dict[str, str]) -> tuple[str, str]:
    """The role of one party, and the reason in words. `given` are the roles from demands."""
    role = given.get(standing.name)
    if role is not None:
        return role, "named so in a demand"
    match standing.kind:
        case "agency":
            return _agency(standing, story, given)
        case "company":
            return _company(standing, story, given)
        case "organisation":
            return _organisation(standing)
        case "person":
            return _person(standing, story, given)
        case "account" if not given and _is_acted_upon(standing, story):
            return "target", "an account that is acted upon"
    return NAMED_ONLY


def _is_acted_upon(standing: Standing, story: dict[str, Standing]) -> bool:
    """Whether an account is what the story is about, and not just where a person of it was quoted from."""
    if not (standing.weight("moderate:patient", "sue:patient") or standing.singled_out):
        return False
    handle = standing.name.lower().strip("@_").removeprefix("real").removeprefix("the")
    return not any(other.kind == "person" and other.name.lower().replace(" ", "") == handle for other in story.values())


def _is_state(standing: Standing) -> bool:
    return standing.kind == "agency" and (standing.sort in STATE or standing.entry is None)


def _agency(standing: Standing, story: dict[str, Standing], given: dict[str, str]) -> tuple[str, str]:
    acts = standing.weight("watch:agent", "sanction:agent", "demand:agent", "moderate:agent")
    if given:
        return _agency_beside_demand(standing, story, given, acts)
    if standing.weight("buy:agent", "sell:patient") > acts and any(
        other.sort in MAKERS for other in story.values() if other.kind == "company"
    ):
        return "buyer", "buys from a firm of the trade"
    prominent = standing.in_title or standing.count >= 3 or standing.first <= 1
    if standing.sort == "intelligence" and not any(
        other.sort == "intelligence" and other.count > standing.count for other in story.values()
    ):
        return "issuer", "an intelligence service in a story about power over data"
    if standing.sort in STATE and (standing.in_title or standing.first <= 1 or prominent and acts or acts >= 2):
        return "issuer", "the power that the story is about"
    if standing.sort == "executive":
        rival = any(_is_state(other) for other in story.values())
        if not rival and standing.name != "White House" and (acts or standing.in_title or standing.count >= 2):
            return "issuer", "the government that acts"
    if standing.entry is None and acts and prominent:
        return "issuer", "acts on somebody's data or speech"
    return NAMED_ONLY


def _agency_beside_demand(
    standing: Standing, story: dict[str, Standing], given: dict[str, str], acts: int
) -> tuple[str, str]:
    """An agency in a story whose demands name others: their parent, or one that acts along with them."""
    for name, role in given.items():
        other = story.get(name)
        if role == "issuer" and other is not None and other.entry is not None:
            if other.entry.parent == standing.name and standing.count > 1:
                return "issuer", "the parent of an agency that demands"
    if acts and standing.sort in STATE and not standing.criticised:
        return "issuer", "acts along with those that demand"
    return NAMED_ONLY


def _company(standing: Standing, story: dict[str, Standing], given: dict[str, str]) -> tuple[str, str]:
    sanctioned = standing.weight("sanction:patient", "violate:agent")
    prominent = standing.in_title or standing.count >= 3
    if standing.sort in MAKERS:
        if not given and any(other.sort == "regulator" for other in story.values()):
            return ("target", "a regulator acts against it") if prominent or standing.first <= 1 else NAMED_ONLY
        return "vendor", "makes or sells the means"
    if given:
        return NAMED_ONLY
    if standing.weight("sue:patient") and any(
        other.kind == "person" and other.weight("sue:agent") for other in story.values()
    ):
        return "recipient", "sued by somebody over what it carries"
    moderates = standing.weight("moderate:agent")
    if moderates and moderates >= sanctioned and prominent and not _is_under_attack(story):
        return "issuer", "decides what stands on its platform"
    if (sanctioned or standing.sort == "platform" and _is_under_attack(story)) and (prominent or standing.first <= 3):
        return "target", "somebody acts against it"
    if standing.weight("sell:agent") >= 2 and standing.entry is None:
        return "vendor", "sells it"
    return NAMED_ONLY


def _is_under_attack(story: dict[str, Standing]) -> bool:
    """Whether an official in the title acts against platforms, rather than they against somebody."""
    return any(
        other.kind == "person" and other.sort == "official" and other.in_title and other.frames["sanction:agent"]
        for other in story.values()
    )


def _organisation(standing: Standing) -> tuple[str, str]:
    if standing.sort == "law firm":
        return "counsel", "a law firm"
    if standing.sort in ("advocacy", "research"):
        if standing.counsels and standing.sort == "advocacy":
            return "counsel", "acts for somebody"
        if standing.complains or standing.speaks or standing.count > 1 or standing.weight("criticise:agent"):
            return "critic", "a group that objects"
        return NAMED_ONLY
    if standing.sort in ("movement", "media") and standing.weight("moderate:patient", "watch:patient"):
        return "target", "acted upon"
    return NAMED_ONLY


def _person(standing: Standing, story: dict[str, Standing], given: dict[str, str]) -> tuple[str, str]:
    if standing.counsels and standing.sort in ("", "advocate") and standing.count <= 4:
        return "counsel", "a lawyer for somebody"
    if standing.sort == "target" and not given:
        return "target", "acted upon"
    if standing.sort in ("advocate", "researcher", "regulator"):
        return "critic", "an advocate who speaks"
    acts = standing.weight("watch:agent", "moderate:agent", "sanction:agent", "sue:agent")
    prominent = standing.in_title or standing.count >= 3
    if standing.weight("sue:agent") and prominent and not given:
        return "issuer", "goes to court"
    watched = standing.weight("watch:patient", "moderate:patient")
    if standing.sort == "politician" or (standing.sort == "" and standing.allies & {"advocacy", "research"}):
        if watched >= 3 and prominent and not given:
            return "target", "acted upon"
        if standing.complains or standing.weight("criticise:agent") or standing.allies & {"advocacy"}:
            return "critic", "objects to it"
        return NAMED_ONLY
    if standing.sort == "official" and acts and standing.in_title and not given:
        return "issuer", "acts by the power of office"
    if watched >= 2 and prominent and watched > acts and not given:
        return "target", "acted upon"
    return NAMED_ONLY
