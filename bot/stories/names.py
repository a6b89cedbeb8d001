"""Names that no list holds: people with titles or trades, new companies, courts, police, ministries.

Everything here works on tokens (see `gazetteer.tokenise`) and looks a bounded number of them ahead, so
that a strange text costs no more than an ordinary one of its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from bot.stories.gazetteer import Gazetteer, Tokens, Trie, load, read_data, tokenise

LONGEST_NAME = 12  # tokens of one organisation's name
SENTENCE_END = frozenset(".!?:;")
CLOSERS = frozenset(('.', '"', "”", ",", ";"))
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
    not_parties: frozenset[str]
    particles: frozenset[str]
    never: frozenset[str]
    heads: dict[str, str]  # head as written -> kind
    starts: dict[str, str]  # first word as written -> kind
    local: Trie  # lower-case body after a place -> kind
    person_nouns: frozenset[str]
    said: frozenset[str]
    trade: dict[str, str]  # lower-case trade noun -> kind
    not_names: frozenset[str]  # pairs of words that look like the end of a name
    generic: frozenset[str]  # names that say only what somebody is
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
    return Words(
        titles=titles,
        before_last_name=frozenset(title.lower() for title in names["before_last_name"]),
        given=frozenset(names["given"].split()),
        not_parties=frozenset(names["not_parties"]),
        particles=frozenset(names["particles"]),
        never=frozenset(names["never"].split()),
        heads={head: kind for kind, heads in patterns["heads"].items() for head in heads},
        starts={start: kind for kind, starts in patterns["starts"].items() for start in starts},
        local=local,
        person_nouns=frozenset(patterns["person"]["nouns"]),
        said=frozenset(patterns["person"]["said"]),
        trade={noun: kind for kind, nouns in patterns["trade"].items() for noun in nouns},
        not_names=frozenset(patterns["not_names"]),
        generic=frozenset(patterns["generic"]),
        nouns={kind: frozenset(nouns) for kind, nouns in patterns["nouns"].items()},
    )


def is_capital(word: str) -> bool:
    """Whether a token is written as a part of a name."""
    return word[0].isupper()


def starts_sentence(tokens: Tokens, at: int) -> bool:
    """Whether a capital at `at` may be there only because a sentence or a quotation begins."""
    before = at - 1
    while before >= 0 and tokens.words[before] in QUOTES:
        before -= 1
    return before < 0 or tokens.words[before] in SENTENCE_END


def is_title_case(tokens: Tokens) -> bool:
    """Whether a line is written as headlines are, nearly every word with a capital and no full stop."""
    if len(tokens.words) > 30 or not tokens.words or tokens.words[-1] in CLOSERS:
        return False
    letters = [word for word in tokens.words if word[0].isalpha() and len(word) > 3]
    return len(letters) >= 3 and sum(word[0].isupper() for word in letters) >= 0.75 * len(letters)


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper() or (len(word) >= 2 and word[-1] == "." and word[0].isupper())


def _is_glued(word: str) -> bool:
    """Whether a small letter meets a capital inside a word, other than as in "McConnell" or "DeLong"."""
    return any(
        a.islower() and b.isupper() and at > 2 for at, (a, b) in enumerate(zip(word, word[1:], strict=False), start=1)
    ) and not word.startswith("Mac")


def _name_end(tokens: Tokens, start: int, known: Words) -> tuple[int, list[str]]:
    """Where a run of name words that starts at `start` ends, and its words without initials' points."""
    at = start
    parts: list[str] = []
    count = len(tokens.words)
    while at < count and len(parts) < 6:
        word = tokens.words[at]
        low = tokens.lows[at]
        if is_capital(word):
            if low in known.never and not (_is_initial(word) and parts) or word in known.heads:
                break
            if word in parts or _is_glued(word):
                break  # two lines run together, as in "Justin Amash Justin AmashTrump slams"
            if parts and at + 1 < count and tokens.lows[at + 1] in known.given and low in known.titles.root:
                return at, []  # "Judiciary Chair Jim Jordan": the name begins later
            if word.isupper() and len(word) > 3 and word.isalpha():
                break  # an acronym
            parts.append(word)
            at += 1
            if (
                _is_initial(word)
                and at < count
                and tokens.words[at] == "."
                and tokens.touch(at)
            ):
                parts[-1] += "."
                at += 1
            elif low in ("jr", "sr") and at < count and tokens.words[at] == ".":
                parts[-1] += "."
                at += 1
            elif (
                at + 1 < count
                and tokens.words[at] == "-"
                and is_capital(tokens.words[at + 1])
                and tokens.touch(at)
                and tokens.touch(at + 1)
            ):
                parts[-1] += "-" + tokens.words[at + 1]
                at += 2
        elif low in known.particles and parts and at + 1 < count and tokens.words[at][0].isalpha():
            ahead = at + 1
            while ahead < count and ahead < at + 2 and tokens.lows[ahead] in (*known.particles, "-"):
                ahead += 1
            if ahead < count and is_capital(tokens.words[ahead]) and tokens.lows[ahead] not in known.never:
                glue = tokens.words[at:ahead]
                parts.extend(g for g in glue if g != "-")
                at = ahead
                if "-" in glue:
                    parts[-1] += "-" + tokens.words[ahead]
                    at += 1
            else:
                break
        else:
            break
    return at, parts


def _title_end(tokens: Tokens, start: int, known: Words) -> tuple[int, str]:
    """Where the titles that start at `start` end (== start: none), and the last of them."""
    at = start
    title = ""
    while at < len(tokens.words):
        hit = known.titles.longest(tokens.lows, at)
        if hit is None:
            break
        at, title = hit
        if at < len(tokens.words) and tokens.words[at] in (".", "-") and at + 1 < len(tokens.words):
            at += 1
    return at, title


def _trade_after(tokens: Tokens, end: int, known: Words) -> str:
    """What an apposition after a name says it is: "person", a kind, or "" ("..., a Tel Aviv spyware firm")."""
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
        if low in (
            ",",
            ".",
            ";",
            ":",
            "who",
            "that",
            "which",
            "with",
            "from",
            "said",
            "and",
            "'",
            "’",
            "at",
            "in",
            "on",
        ):
            return ""
        noun = "person" if low in known.person_nouns else known.trade.get(low, "")
        if not noun:
            continue
        ahead = lows[at + 1] if at + 1 < len(lows) else ""
        if ahead in known.person_nouns or ahead in known.trade or ahead in ("-", "'", "’", "/"):
            continue
        return noun if article or noun == "person" else ""
    return ""


def _speaks(tokens: Tokens, start: int, end: int, known: Words) -> bool:
    """Whether the words around a name treat it as a person who says something."""
    lows = tokens.lows
    if end < len(lows) and lows[end] in known.said:
        return True
    if (
        end + 2 < len(lows)
        and tokens.words[end] == "("
        and tokens.words[end + 1] in ("D", "R", "I", "D-", "R-")
    ):
        return True
    if start == 0:
        return False
    before = lows[start - 1]
    return (
        before in known.said
        and before != "called"
        or before in known.person_nouns
        and before not in known.trade
    )


def _real_words(parts: list[str], known: Words) -> list[str]:
    """The words of a name that are neither initials nor particles."""
    return [
        part for part in parts if not _is_initial(part.rstrip(".")) and part.lower() not in known.particles
    ]


def last_name(name: str) -> str:
    """The last name in a full one, in look-up form."""
    parts = [part for part in name.lower().split() if part.rstrip(".") not in ("jr", "sr", "ii", "iii")]
    return parts[-1] if parts else name.lower()


def _ends_in_person(tokens: Tokens, at: int, end: int) -> bool:
    """Whether the run of capitals only leads up to a known person, or to a given name and a last name."""
    if end - at == 3 and tokens.lows[at + 1] in words().given and tokens.lows[at] in words().person_nouns:
        return True
    for start in range(at + 1, end):
        hit = load().match(tokens, start)
        if hit is not None and hit[0] == end and hit[1].entry.kind == "person":
            return True
    return False


def _doe(tokens: Tokens, at: int) -> Found | None:
    """"John Doe 4" is a party, "John Doe summons" is none."""
    number = tokens.words[at + 2] if at + 2 < len(tokens.words) else ""
    if not number.isdigit():
        return None
    return Found(at, at + 3, _spell(tokens, at, at + 3), "person", "", "doe")


def find_person(tokens: Tokens, start: int, *, headline: bool) -> Found | None:
    """A person named at `start`, with or without titles before, or None.

    A title, a given name, or words around it that only people have, make a run of capitals a person.
    """
    known = words()
    at, title = _title_end(tokens, start, known)
    if at > start and (at >= len(tokens.words) or not is_capital(tokens.words[at])):
        return None
    end, parts = _name_end(tokens, at, known)
    real = _real_words(parts, known)
    if not real or real[-1][0].islower() or len(real[-1]) < 2:
        return None
    last = last_name(" ".join(real)).replace("’", "'")
    name = " ".join(parts).replace("’", "'")
    found = Found(at, end, name, "person", title, last)
    listed = load().match(tokens, at)
    if listed is not None and listed[0] - at > 1 and listed[1].entry.kind == "person":
        known_name = listed[1].entry.name
        return Found(at, listed[0], known_name, "person", title, last_name(known_name), "gazetteer")
    if end < len(tokens.words) and _is_glued(tokens.words[end]) and parts[0].lower() in known.given:
        return None  # "John Kennedy John Neely KennedyMORE"
    if len(real) > 1 and (real[0].lower(), last) in load().people:
        known_name = load().people[real[0].lower(), last].name
        return Found(at, end, known_name, "person", title, last, "gazetteer")
    if parts[0] in ("John", "Jane") and len(parts) > 1 and parts[1] == "Doe":
        return _doe(tokens, at)
    if len(parts) > 1 and parts[0].lower() not in known.given and _ends_in_person(tokens, at, end):
        return None  # "Coverage Trump", "Adviser Susan Rice"
    if _is_law(tokens, end) or real[-1].isupper() and len(real[-1]) > 1 and real[-1] not in ("II", "III", "IV"):
        return None
    if title:
        if len(real) > 1:
            return found
        listed_last = last in load().people_by_last_name
        return found if listed_last or title in known.before_last_name and not headline else None
    if len(parts) < 2 or headline and len(real) > 3:
        return None
    first = parts[0].lower()
    if first in known.given or _is_initial(parts[0].rstrip(".")):
        return found if len(real) <= 4 and not is_place(tokens, at) else None
    if headline or not 2 <= len(real) <= 4 or is_place(tokens, at):
        return None
    if len(real) == 3 and real[1].lower() in known.given:
        return found
    if _speaks(tokens, at, end, known) or _trade_after(tokens, end, known) == "person":
        return found
    return None


def is_place(tokens: Tokens, at: int) -> bool:
    """Whether a known place starts at `at`."""
    return load().places.trie.longest(tokens.lows, at) is not None


def find_by_trade(tokens: Tokens, start: int) -> Found | None:
    """A company or organisation that its trade betrays: "the spyware maker Foo", "Foo, a data broker"."""
    known = words()
    low = tokens.lows[start]
    if low in known.never or low in known.particles or is_place(tokens, start) or low in known.given:
        return None
    if known.titles.longest(tokens.lows, start) is not None:
        return None
    end = start + 1
    while end < min(len(tokens.words), start + 3) and is_capital(tokens.words[end]):
        if tokens.lows[end] in known.never or known.titles.longest(tokens.lows, end) is not None:
            return None
        end += 1
    if len(tokens.words[start]) < 3 or end < len(tokens.words) and is_capital(tokens.words[end]):
        return None
    before = tokens.lows[start - 1] if start else ""
    kind = known.trade.get(before, "")
    if kind and kind != "account" and (start < 2 or tokens.words[start - 2] != "-") and (start < 2 or tokens.lows[start - 2] not in ("a", "an")):
        return Found(start, end, _spell(tokens, start, end), kind)
    if low.endswith("ly") or before and is_capital(tokens.words[start - 1]):
        return None
    kind = _trade_after(tokens, end, known)
    return Found(start, end, _spell(tokens, start, end), kind) if kind in ("company", "organisation") else None


_LINKS = frozenset(("of", "for", "the", "and", "&", "on", "to", "in"))
_BEFORE_MORE = frozenset((".", "'", "’", "-", ",", "(", "of", "for", "on", "&", "and"))


def find(tokens: Tokens, start: int, known_end: int, *, headline: bool) -> Found | None:
    """The longest name at the capitalised token `start` that its form betrays, or None.

    `known_end` is where a party of the gazetteer ends that starts here too (`start` when none does): a
    pattern must go beyond it without a break.
    """
    ahead = tokens.words[start + 1] if start + 1 < len(tokens.words) else ""
    capital_ahead = bool(ahead) and is_capital(ahead)
    best = find_local(tokens, start)
    lists = words()
    if capital_ahead or ahead in _BEFORE_MORE or ahead in lists.particles:
        for found in (
            find_organisation(tokens, start, known_end, headline=headline),
            find_person(tokens, start, headline=headline) if known_end == start else None,
        ):
            if found is not None and (best is None or found.end > best.end):
                best = found
    if best is None and known_end == start and not headline:
        before = tokens.lows[start - 1] if start else ""
        if capital_ahead or ahead == "," or before in lists.trade:
            best = find_by_trade(tokens, start)
    return best


def find_organisation(tokens: Tokens, start: int, known_end: int, *, headline: bool) -> Found | None:
    """An organisation, agency, court or company named at `start` by the form of its name, or None."""
    known = words()
    lows, there = tokens.lows, tokens.words
    if lows[start] in known.never and (starts_sentence(tokens, start) or lows[start] in ("the", "a", "an")):
        return None
    if lows[start] in known.before_last_name:
        return None
    count = min(len(lows), start + LONGEST_NAME)
    begins = known.starts.get(there[start], "")
    end, kind = -1, ""
    goes_on = False  # whether an "of", "for" or "on" was passed that the head of the name asks for
    at = start
    while at < count:
        word, low = there[at], lows[at]
        if is_capital(word):
            if low in known.never and (goes_on or at > start) and word not in known.heads:
                break
            if at > start and word in known.heads and f"{lows[at - 1]} {low}" not in known.not_names:
                end, kind = at + 1, kind if goes_on else known.heads[word]
                if word in ("Inc", "Corp", "Ltd", "Co") and at + 1 < count and there[at + 1] == ".":
                    at, end = at + 1, end + 1
            elif goes_on:
                end, kind = at + 1, kind or begins
        elif at == start or at + 1 >= count:
            break
        elif low in ("of", "for", "on"):
            head = there[at - 1]
            if at < known_end or not (head in known.starts or head in known.heads or low == "of" and goes_on):
                break
            if end == at and kind in ("company", "organisation") and head not in known.starts:
                break  # "the Foo Foundation for years"
            goes_on = True
            kind = kind or known.starts.get(head, "") or known.heads.get(head, "")
        elif low == "the" and lows[at - 1] in ("of", "for", "on", "and"):
            pass
        elif low == "and":
            if 0 < known_end - start >= at - start or not (goes_on or _head_follows(tokens, at + 1, known)):
                break
        elif word in (",", "-", "&"):
            if not is_capital(there[at + 1]) or word == "," and there[at + 1] not in ("Inc", "LLC", "Ltd", "Corp"):
                break
        elif word in ("'", "’") and lows[at + 1] == "s":
            if at + 2 < len(there) and there[at + 2] in ("Office", "Department"):
                end, kind = at + 3, "agency"
            break
        else:
            break
        at += 1
    if end > known_end and _is_law(tokens, end):
        return None
    if end <= known_end or headline and end - start > 5:
        return None
    known_tail = _known_tail(tokens, start, end, known_end)
    if known_tail is not None:
        return known_tail if known_tail.start == start else None
    name = _spell(tokens, start, end)
    for generic in ("High Court of ", "Superior Court of "):
        if name.startswith(generic) and kind == "court":
            name = f"{name[len(generic) :].removeprefix('the ')} {generic[:-4]}"
    if kind == "organisation" and _trade_after(tokens, end, known) == "account":
        kind = "account"
    return Found(start, end, name, kind or begins)


_LAWS = frozenset(("Act", "Bill", "Law", "Amendment", "Treaty", "Directive", "Regulation", "Convention", "Code", "Rule"))


def _is_law(tokens: Tokens, end: int) -> bool:
    """Whether a run of capitals goes on after `end` to be a law's name ("Health Insurance ... Act")."""
    for word in tokens.words[end : end + 6]:
        if word in _LAWS:
            return True
        if not is_capital(word) and word not in ("and", "of", "for", "&", "the", "in"):
            return False
    return False


_COMPANY_FORMS = frozenset(("inc", "corp", "ltd", "llc", "co", "corporation", "limited", "plc", "gmbh", "ag", "group", ".", ","))
_NATION = frozenset(("us", "uk", "united states", "union", "british", "american"))


def _known_tail(tokens: Tokens, start: int, end: int, known_end: int) -> Found | None:
    """The party of the gazetteer that a longer name only repeats: "U.S. ...", "... Inc.", "CNN ..."."""
    gazetteer = load()
    if known_end > start and all(low in _COMPANY_FORMS for low in tokens.lows[known_end:end]):
        hit = gazetteer.match(tokens, start)
        assert hit is not None  # known_end says so
        return Found(start, end, hit[1].entry.name, hit[1].entry.kind, by="gazetteer")
    for at in range(start + 1, end):
        hit = gazetteer.match(tokens, at)
        if hit is None or hit[1].weak or hit[0] < end:
            continue
        entry = hit[1].entry
        if " ".join(tokens.lows[start:at]) in _NATION:
            return Found(start, hit[0], entry.name, entry.kind, by="gazetteer")
        if known_end == at or hit[0] > end:
            return Found(at, hit[0], entry.name, entry.kind, by="gazetteer")
    return None


def _head_follows(tokens: Tokens, at: int, known: Words) -> bool:
    """Whether one or two capitals and then a head come: "Cohesion and Integration Commission"."""
    ahead = tokens.words[at : at + 4]
    for index, word in enumerate(ahead):
        if not is_capital(word):
            return False
        if word in known.heads:
            return index > 0
    return False


def _spell(tokens: Tokens, start: int, end: int) -> str:
    """The words from `start` to `end` as one name, spaced as in the text."""
    out = tokens.words[start]
    for at in range(start + 1, end):
        if not tokens.touch(at):
            out += " "
        out += tokens.words[at]
    return out.replace("’", "'")


def find_local(tokens: Tokens, start: int) -> Found | None:
    """A government, police force, court or the like named after its place at `start`, or None."""
    known = words()
    places = load().places
    count = len(tokens.words)
    hit = places.trie.longest(tokens.lows, start) if tokens.lows[start] in places.trie.root else None
    if hit is not None:
        at, (what, canonical) = hit
    else:
        at, what = start + 1, "county"
        while at < min(count, start + 3) and is_capital(tokens.words[at]) and tokens.words[at] != "County":
            at += 1
        if at >= count or tokens.words[at] != "County" or tokens.lows[start] in known.never:
            return None
        canonical = _spell(tokens, start, at)
    if at + 1 < count and tokens.words[at] in ("'", "’") and tokens.lows[at + 1] == "s":
        at += 2
    if at < count and tokens.words[at] in ("County", "State", "City"):
        canonical = f"{canonical} {tokens.words[at]}"
        at += 1
    if at >= count:
        return None
    body = known.local.longest(tokens.lows, at)
    if body is None or what == "county" and tokens.words[at - 1] != "County":
        return None
    end, kind = body
    if what in ("country", "adjective"):
        canonical = places.adjective[canonical]
    return Found(start, end, f"{canonical} {_spell(tokens, at, end)}", kind, sure=True)
