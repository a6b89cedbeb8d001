"""What the finders of names share: the word lists, a found name, and small questions about tokens.

`people.py` and `organisations.py` find names that no list holds. They work on tokens (see
`gazetteer.tokenise`) and look a bounded number of them ahead, so that a strange text costs no more than an
ordinary one of its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from bot.stories.gazetteer import Tokens, Trie, load, read_data, tokenise

SENTENCE_END = frozenset(".!?:;")
CLOSERS = frozenset((".", '"', "”", ",", ";"))
QUOTES = frozenset("\"'“”‘’«»„()[]—–-•*")


@dataclass(frozen=True, slots=True)
class Found:
    """A name found in a text: tokens `start` to `end` (exclusive), what it names and of which kind.

    `title` is the lower-case title before a person ("judge"), `last` a person's last name in look-up form.
    """

    start: int
    end: int
    name: str
    kind: str
    title: str = ""
    last: str = ""
    by: str = "pattern"
    sure: bool = False  # whether the form tells as much in a headline


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists of `names.toml` and `party_patterns.toml`, made ready for look-up."""

    titles: Trie
    before_last_name: frozenset[str]
    given: frozenset[str]
    family_first: frozenset[str]  # family names, lower case, before a name with a hyphen ("Park Geun-hye")
    common_last: frozenset[str]
    not_parties: frozenset[str]
    particles: frozenset[str]
    never: frozenset[str]
    heads: dict[str, str]  # head as written -> kind
    starts: dict[str, str]  # first word as written -> kind
    local: Trie  # lower-case body after a place -> kind
    fronts: Trie  # lower-case body before its place -> kind
    person_nouns: frozenset[str]
    said: frozenset[str]
    acts: frozenset[str]  # what a party does, right after its name
    place_acts: frozenset[str]  # what a place does only where its government is meant
    no_names: frozenset[str]  # capitalised single words that name no party
    trade: dict[str, str]  # lower-case trade noun -> kind
    not_names: frozenset[str]  # pairs of words that look like the end of a name
    generic: frozenset[str]  # names that say only what somebody is
    no_towns: frozenset[str]  # capitalised words before "police" that name no town
    of_courts: frozenset[str]  # words that end other names but stand in those of courts
    nouns: dict[str, frozenset[str]]  # kind -> what "the ..." may call a party of it that no list holds


@cache
def words() -> Words:
    """The word lists, read once per process."""
    names = read_data("names.toml")
    patterns = read_data("party_patterns.toml")
    titles = Trie()
    for title in names["titles"]:
        titles.add(tokenise(title).lows, title.lower())
    local = Trie()
    for kind, bodies in patterns["local"].items():
        for body in bodies:
            local.add(tokenise(body).lows, kind)
    fronts = Trie()
    for kind, bodies in patterns["fronts"].items():
        for body in bodies:
            fronts.add(tokenise(body).lows, kind)
    return Words(
        titles=titles,
        before_last_name=frozenset(title.lower() for title in names["before_last_name"]),
        given=frozenset(names["given"].split()),
        family_first=frozenset(names["family_first"].split()),
        common_last=frozenset(name.lower() for name in names["common_last"]),
        not_parties=frozenset(names["not_parties"]),
        particles=frozenset(names["particles"]),
        never=frozenset(names["never"].split()),
        heads={head: kind for kind, heads in patterns["heads"].items() for head in heads},
        starts={start: kind for kind, starts in patterns["starts"].items() for start in starts},
        local=local,
        fronts=fronts,
        person_nouns=frozenset(patterns["person"]["nouns"]),
        said=frozenset(patterns["person"]["said"]),
        acts=frozenset(patterns["acts"].split()),
        place_acts=frozenset(patterns["place_acts"].split()),
        no_names=frozenset(patterns["no_names"].split()),
        trade={noun: kind for kind, nouns in patterns["trade"].items() for noun in nouns},
        not_names=frozenset(patterns["not_names"]),
        generic=frozenset(patterns["generic"]),
        no_towns=frozenset(patterns["no_towns"]),
        of_courts=frozenset(patterns["of_courts"]),
        nouns={kind: frozenset(nouns) for kind, nouns in patterns["nouns"].items()},
    )


def is_capital(word: str) -> bool:
    """Whether a token is written as a part of a name."""
    return word[0].isupper()


def starts_sentence(tokens: Tokens, at: int) -> bool:
    """Whether a capital at `at` may be there only because a sentence or a quotation begins."""
    before = at - 1
    while before >= max(0, at - 6) and tokens.words[before] in QUOTES:
        before -= 1
    return before < 0 or tokens.words[before] in SENTENCE_END


def is_title_case(tokens: Tokens) -> bool:
    """Whether a line is written as headlines are, nearly every word with a capital and no full stop."""
    if len(tokens.words) > 30 or not tokens.words or tokens.words[-1] in CLOSERS:
        return False
    letters = [word for word in tokens.words if word[0].isalpha() and len(word) > 3]
    return len(letters) >= 3 and sum(word[0].isupper() for word in letters) >= 0.75 * len(letters)


_ENDS_APPOSITION = frozenset(
    (",", ".", ";", ":", "'", "’", "who", "that", "which", "with", "from", "said", "and", "at", "in", "on")
)


def trade_after(tokens: Tokens, end: int, known: Words) -> str:
    """What an apposition ("..., a Tel Aviv spyware firm") makes of a name: "person", a kind, or ""."""
    lows = tokens.lows
    count = min(len(lows), end + 12)
    if end + 2 >= len(lows) or tokens.words[end] != ",":
        return ""
    article = lows[end + 1] in ("a", "an", "the", "one", "its", "his", "her", "their", "another")
    if lows[end + 1] == "who":
        return "person"
    if not article and (is_capital(tokens.words[end + 1]) or lows[end + 1] not in known.person_nouns):
        # "Jane Doe, senior counsel at ...": a trade without its article must come soon.
        count = min(count, end + 5)
    for at in range(end + 1, count):
        low = lows[at]
        if low in _ENDS_APPOSITION:
            return ""
        noun = "person" if low in known.person_nouns else known.trade.get(low, "")
        if not noun:
            continue
        ahead = lows[at + 1] if at + 1 < len(lows) else ""
        if ahead in known.person_nouns or ahead in known.trade or ahead in ("-", "'", "’", "/"):
            continue
        return noun if article or noun == "person" else ""
    return ""


def last_name(name: str) -> str:
    """The last name in a full one, in look-up form."""
    parts = [part for part in name.lower().split() if part.rstrip(".") not in ("jr", "sr", "ii", "iii")]
    return parts[-1] if parts else name.lower()


def is_place(tokens: Tokens, at: int) -> bool:
    """Whether a known place starts at `at`."""
    return load().places.trie.longest(tokens.lows, at) is not None


_LAWS = frozenset(
    ("Act", "Bill", "Law", "Amendment", "Treaty", "Directive", "Regulation", "Convention", "Code", "Rule")
)


def is_law(tokens: Tokens, end: int) -> bool:
    """Whether a run of capitals goes on after `end` to be a law's name ("Health Insurance ... Act")."""
    for word in tokens.words[end : end + 6]:
        if word in _LAWS:
            return True
        if not is_capital(word) and word not in ("and", "of", "for", "&", "the", "in"):
            return False
    return False


def spell(tokens: Tokens, start: int, end: int) -> str:
    """The words from `start` to `end` as one name, spaced as in the text."""
    out = tokens.words[start]
    for at in range(start + 1, end):
        if not tokens.touch(at):
            out += " "
        out += tokens.words[at]
    return out.replace("’", "'")
