"""Which part each party plays: from the demands, from who does what to whom, and from their trade.

The demands come first: they were read with care by their own stage. What they leave open is decided by
frames (a verb of the kinds in `party_roles.toml`, with the party before it and the party after it), and
what those leave open by what a party is: an advocacy group that speaks is a critic, a spyware maker a vendor.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache, lru_cache

from bot.stories.gazetteer import Entry, load, read_data
from bot.stories.model import Demand, Document, Mention

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
STATE = frozenset(("intelligence", "law enforcement", "department", "regulator", "police"))
NAMED_ONLY = ("other", "named only")
SPEAKERS = frozenset(("advocacy", "research", "law firm", "press"))
MAKERS = frozenset(("spyware", "surveillance", "broker"))


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


# ------------------------------------------------------------------ deciding


@dataclass(frozen=True, slots=True)
class Facts:
    """What the roles of all parties hang on: the demands' own words, and who else is in the story."""

    given: dict[str, str]  # roles by name, from the demands
    parents: frozenset[str]  # parents of agencies that demand
    people: frozenset[str]  # names of people, lower case without blanks
    makers: bool  # makers or sellers of the means of surveillance are named
    regulators: bool
    states: bool  # agencies with powers of their own are named, not only a government
    most: int  # mentions of the agency with powers of its own that is named most
    attacked: bool  # an official in the title acts against platforms, rather than they against somebody
    sued: bool  # a person goes to court


def facts_of(story: dict[str, Standing], demands: tuple[Demand, ...]) -> Facts:
    """Gather what `decide` needs to know of the whole story."""
    given = _from_demands(demands, story)
    issuers = [story[name].entry for name, role in given.items() if role == "issuer" and name in story]
    everybody = story.values()
    people = [standing for standing in everybody if standing.kind == "person"]
    return Facts(
        given=given,
        parents=frozenset(entry.parent for entry in issuers if entry is not None and entry.parent),
        people=frozenset(person.name.lower().replace(" ", "") for person in people),
        makers=any(s.sort in MAKERS for s in everybody if s.kind == "company"),
        regulators=any(s.sort == "regulator" for s in everybody),
        states=any(s.kind == "agency" and (s.sort in STATE or s.entry is None) for s in everybody),
        most=max((s.count for s in everybody if s.kind == "agency" and s.sort in STATE), default=0),
        attacked=any(p.sort == "official" and p.in_title and p.frames["sanction:agent"] for p in people),
        sued=any(p.frames["sue:agent"] for p in people),
    )


def _from_demands(demands: tuple[Demand, ...], story: dict[str, Standing]) -> dict[str, str]:
    """The roles that the demands give, by name; the first demand's word stands.

    A target in other words ("Doe's account") is the person or the account of the story that it names.
    """
    given: dict[str, str] = {}
    for demand in demands:
        bought = demand.instrument == "purchase"
        for names, role in (
            (demand.issuer, "buyer" if bought else "issuer"),
            (demand.recipient, "vendor" if bought else "recipient"),
            (demand.target, "target"),
        ):
            for name in names:
                given.setdefault(name, role)
                if role == "target" and name not in story:
                    for party in _named_in(name, story):
                        given.setdefault(party, role)
    return given


def _named_in(words: str, story: dict[str, Standing]) -> list[str]:
    """The people and accounts whose (last) name stands in `words`."""
    there = frozenset(re.findall(r"@?[\w-]+", words.lower()))
    return [
        standing.name
        for standing in story.values()
        if standing.kind in ("person", "account") and standing.name.lower().rsplit(" ", 1)[-1] in there
    ]


def decide(standing: Standing, facts: Facts) -> tuple[str, str]:
    """The role of one party, and the reason in words."""
    role = facts.given.get(standing.name)
    if role is not None:
        parent = standing.entry.parent if standing.entry is not None else ""
        if parent and facts.given.get(parent) == role and standing.kind == "company":
            return "other", "a service of a company that is named itself"
        return role, "named so in a demand"
    match standing.kind:
        case "agency":
            return _agency_beside_demand(standing, facts) if facts.given else _agency(standing, facts)
        case "company":
            return _company(standing, facts)
        case "organisation":
            return _organisation(standing)
        case "person":
            return _person(standing, facts)
        case "account" if _is_acted_upon(standing, facts):
            return "target", "an account that is acted upon"
    return NAMED_ONLY


def _is_acted_upon(account: Standing, facts: Facts) -> bool:
    """Whether an account is what the story is about, and not just where a person of it was quoted from."""
    handle = account.name.lower().strip("@_").removeprefix("real").removeprefix("the")
    if handle in facts.people:
        return False
    if facts.given:
        return not any(name.startswith("@") for name in facts.given)
    return bool(account.weight("moderate:patient", "sue:patient") or account.singled_out)


def _agency(standing: Standing, facts: Facts) -> tuple[str, str]:
    acts = _state_acts(standing)
    if standing.weight("buy:agent", "sell:patient") > acts and facts.makers:
        return "buyer", "buys from a firm of the trade"
    if standing.sort == "intelligence" and standing.count >= facts.most:
        return "issuer", "an intelligence service in a story about power over data"
    prominent = standing.in_title or standing.count >= 3 or standing.first <= 1
    leading = standing.in_title or standing.first <= 1
    if standing.sort in STATE and (leading or (prominent and acts) or acts >= 2):
        return "issuer", "the power that the story is about"
    alone = standing.sort == "executive" and standing.name != "White House" and not facts.states
    if alone and (acts or standing.in_title or standing.count >= 2):
        return "issuer", "the government that acts"
    if standing.entry is None and acts and prominent:
        return "issuer", "acts on somebody's data or speech"
    return NAMED_ONLY


def _agency_beside_demand(standing: Standing, facts: Facts) -> tuple[str, str]:
    """An agency in a story whose demands name others: their parent, or one that acts along with them."""
    if standing.name in facts.parents and standing.count > 1:
        return "issuer", "the parent of an agency that demands"
    own_power = standing.sort in STATE or standing.entry is None
    if own_power and _state_acts(standing) and not standing.criticised:
        return "issuer", "acts along with those that demand"
    return NAMED_ONLY


def _state_acts(standing: Standing) -> int:
    return standing.weight("watch:agent", "sanction:agent", "demand:agent", "moderate:agent")


def _company(standing: Standing, facts: Facts) -> tuple[str, str]:
    prominent = standing.in_title or standing.count >= 3
    if standing.sort in MAKERS:
        if facts.given or not facts.regulators:
            central = prominent or standing.count > 1 or standing.first <= 3
            return ("vendor", "makes or sells the means") if central else NAMED_ONLY
        if prominent or standing.first <= 1:
            return "target", "a regulator acts against it"
        return NAMED_ONLY
    if facts.given:
        return NAMED_ONLY
    if facts.sued and standing.frames["sue:patient"]:
        return "recipient", "sued by somebody over what it carries"
    sanctioned = standing.weight("sanction:patient", "violate:agent")
    moderates = standing.frames["moderate:agent"]
    if moderates and moderates >= sanctioned and prominent and not facts.attacked:
        return "issuer", "decides what stands on its platform"
    attacked = sanctioned or (facts.attacked and standing.sort == "platform")
    if attacked and (prominent or standing.first <= 3):
        return "target", "somebody acts against it"
    if standing.frames["sell:agent"] >= 2 and standing.entry is None:
        return "vendor", "sells it"
    return NAMED_ONLY


def _organisation(standing: Standing) -> tuple[str, str]:
    if standing.sort == "law firm":
        return "counsel", "a law firm"
    if standing.sort in ("advocacy", "research"):
        if standing.counsels and standing.sort == "advocacy":
            return "counsel", "acts for somebody"
        if standing.complains or standing.speaks or standing.count > 1 or standing.frames["criticise:agent"]:
            return "critic", "a group that objects"
        return NAMED_ONLY
    if standing.sort in ("movement", "media") and standing.weight("moderate:patient", "watch:patient"):
        return "target", "acted upon"
    return NAMED_ONLY


def _person(standing: Standing, facts: Facts) -> tuple[str, str]:
    if standing.counsels and standing.sort in ("", "advocate") and standing.count <= 4:
        return "counsel", "a lawyer for somebody"
    if standing.sort in ("advocate", "researcher", "regulator"):
        return "critic", "an advocate who speaks"
    prominent = standing.in_title or standing.count >= 3
    watched = standing.weight("watch:patient", "moderate:patient")
    acts = standing.weight("watch:agent", "moderate:agent", "sanction:agent", "sue:agent")
    if standing.sort == "target" and (standing.singled_out or not facts.given):
        return "target", "acted upon"
    if not standing.sort and standing.singled_out and not standing.speaks and not standing.allies & SPEAKERS:
        return "target", "suspected, arrested, or watched"
    if facts.given and standing.sort == "official" and standing.speaks and standing.allies & STATE:
        return "issuer", "speaks for the agencies that demand"
    if not facts.given:
        if standing.frames["sue:agent"] and prominent:
            return "issuer", "goes to court"
        if standing.sort == "official" and acts and standing.in_title:
            return "issuer", "acts by the power of office"
        if watched >= (3 if standing.sort == "politician" else 2) and prominent and watched > acts:
            return "target", "acted upon"
    objects = standing.complains or standing.frames["criticise:agent"]
    if standing.sort == "politician" and objects:
        return "critic", "a lawmaker who objects"
    if not standing.sort and ("advocacy" in standing.allies or (objects and "research" in standing.allies)):
        return "critic", "speaks for a group that objects"
    return NAMED_ONLY
