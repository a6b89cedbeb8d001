"""What an article says about its names: full names and last ones, acronyms, short names, weak aliases.

All of it is gathered before anything that refers to a name is resolved (`bot.stories.coreference`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.stories.gazetteer import Entry, Tokens, load
from bot.stories.names import Found, is_capital, last_name, starts_sentence, words

MOST_NAMESAKES = 8  # people of one last name in one article
_REPEATED = 4  # a capital within a sentence counts two, one at its start one
_PART_OF_MORE = frozenset(("-", "&", "/", "@", "#", "of"))

# What a title makes a person, for "the judge", "the senator".
CALLED_BY_TITLE = {
    "sen": "senator",
    "sens": "senator",
    "senator": "senator",
    "rep": "congressman",
    "representative": "congressman",
    "congressman": "congressman",
    "congresswoman": "congresswoman",
    "judge": "judge",
    "magistrate judge": "judge",
    "district judge": "judge",
    "u.s. district judge": "judge",
    "u.s. magistrate judge": "judge",
    "chief judge": "judge",
    "president": "president",
    "prime minister": "prime minister",
    "minister": "minister",
    "sheriff": "sheriff",
    "commissioner": "commissioner",
}


@dataclass(slots=True)
class Scan:
    """What one scan of a text found: sure spans, weak ones, and capitalised words left over."""

    sentence: int
    text: str
    tokens: Tokens
    headline: bool
    spans: list[Found] = field(default_factory=list)
    weak: list[tuple[int, int, Entry]] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """What the whole document says about its names, gathered before anything is resolved."""

    full: dict[str, list[str]] = field(default_factory=dict)  # last name -> full names, in order
    canonical: dict[str, str] = field(default_factory=dict)  # a person's name as found -> as given out
    short: dict[str, tuple[str, str]] = field(default_factory=dict)  # acronym or short name -> name, kind
    called: dict[str, set[str]] = field(default_factory=dict)  # name -> nouns from titles
    accounts: dict[str, str] = field(default_factory=dict)  # lower-case handle -> as first written
    strong: set[str] = field(default_factory=set)  # canonical names that stand in the text in so many words
    countries: Counter[str] = field(default_factory=Counter)
    main_country: str = ""
    fullest: dict[str, str | None] = field(default_factory=dict)  # answers of `_fullest`


def gather(scans: list[Scan]) -> Known:
    """Gather what all scans of a document say about its names; weak aliases that it supports become spans."""
    known = Known()
    gazetteer = load()
    for scan in scans:
        for span in scan.spans:
            if span.kind == "person":
                _gather_person(known, span)
            elif span.kind == "account":
                known.accounts.setdefault(span.name.lower(), span.name)
            known.strong.add(span.name)
            _gather_short(known, scan, span)
            entry = gazetteer.entry(span.name)
            if entry is not None and entry.country and entry.kind == "agency":
                known.countries[entry.country] += 2
        for at in scan.loose:
            if scan.tokens.lows[at] in gazetteer.places.trie.root:
                hit = gazetteer.places.trie.longest(scan.tokens.lows, at)
                country = gazetteer.places.country(hit[1]) if hit else ""
                if country:
                    known.countries[country] += 1
    _accept_weak(known, scans)
    _gather_repeated(known, scans)
    if known.countries:
        known.main_country = known.countries.most_common(1)[0][0]
    return known


def _gather_repeated(known: Known, scans: list[Scan]) -> None:
    """Note the names that no list and no form betrays, but that the article repeats and lets act.

    A lone capital ("Outlogic replied", "Outlogic's") is an organisation or, where it ends a longer name and
    speaks ("Mitt Romney ... Romney said"), a person. What the article writes in small letters too is no name.
    """
    lists = words()
    seen: Counter[str] = Counter()
    acting: set[str] = set()
    longer: dict[str, str] = {}
    for scan in scans:
        if scan.headline:
            continue
        there, last = scan.tokens.words, -1  # the loose capital before
        for at in scan.loose:
            follows, last = at - 1 == last, at
            word, ahead = there[at], there[at + 1] if at + 1 < len(there) else ""
            before = there[at - 1] if at else ""
            if (ahead and (is_capital(ahead) or ahead in _PART_OF_MORE)) or before in _PART_OF_MORE:
                continue
            if before and is_capital(before):
                if follows and (at < 2 or not is_capital(there[at - 2])) and _may_name(before, known):
                    longer.setdefault(word, f"{before} {word}")
                continue
            if not _may_name(word, known):
                continue
            inside = not starts_sentence(scan.tokens, at)
            seen[word] += 1 + inside
            if ahead in lists.acts or ahead in lists.said or (ahead in ("'", "’") and inside):
                acting.add(word)
    for word in sorted(acting):
        if word in longer:
            _gather_person(known, Found(0, 0, longer[word], "person"))
        elif seen[word] >= _REPEATED and not any(word.lower() in scan.tokens.words for scan in scans):
            known.short[word] = (word, "organisation" if word.isupper() else "company")


def _may_name(word: str, known: Known) -> bool:
    """Whether a capitalised word by itself may be a name that is not known otherwise."""
    lists, low = words(), word.lower()
    return (
        len(word) > 2
        and word.isalpha()
        and not (low[-1] == "s" and low[-2] not in "aius")  # "Russians", "Marines"
        and not (low in lists.never or low in lists.given or low in lists.no_names)
        and not (low in known.full or word in known.short)
        and low not in load().places.trie.root
    )


def _gather_person(known: Known, span: Found) -> None:
    name = span.name
    if span.title:
        noun = CALLED_BY_TITLE.get(span.title)
        if noun:
            known.called.setdefault(name, set()).add(noun)
    if " " not in name:
        return
    last = span.last or last_name(name)
    names = known.full.setdefault(last, [])
    if name in names or len(names) >= MOST_NAMESAKES:
        return
    for index, other in enumerate(names):
        if _same_person(name, other):
            if len(name) > len(other) and load().entry(other) is None:
                names[index] = name
                known.canonical[other] = name
            else:
                known.canonical[name] = other
            return
    names.append(name)


def _same_person(a: str, b: str) -> bool:
    """Whether full names with one last name are one person: first names equal, or one short for the other."""
    first, other = a.lower().split()[0].rstrip("."), b.lower().split()[0].rstrip(".")
    if ("jr" in a.lower()) != ("jr" in b.lower()):
        return False
    return first == other or first.startswith(other) or other.startswith(first)


def _gather_short(known: Known, scan: Scan, span: Found) -> None:
    """Note an acronym in brackets after a name, and the first word of a company's or group's long name."""
    if span.kind in ("person", "account"):
        return
    tokens = scan.tokens
    end = span.end
    if end + 2 < len(tokens.words) and tokens.words[end] == "(":
        after = end + 1 + (tokens.words[end + 1] in "\"“'‘" or tokens.lows[end + 1] == "the")
        if after + 1 < len(tokens.words):
            short = tokens.words[after]
            if (
                2 <= len(short) <= 12
                and short[0].isupper()
                and tokens.words[after + 1] in (")", '"', "”", "'", "’")
            ):
                known.short.setdefault(short, (span.name, span.kind))
    if load().entry(span.name) is None and span.kind in ("company", "organisation") and " " in span.name:
        first = span.name.split()[0].rstrip(",")
        lists = words()
        low = first.lower()
        if (
            len(first) > 3
            and low not in lists.never
            and low not in lists.given
            and first not in lists.heads
            and first not in lists.starts
            and load().places.trie.root.get(low) is None
        ):
            known.short.setdefault(first, (span.name, span.kind))
    elif span.kind == "company" and load().entry(span.name) is None:
        known.short.setdefault(span.name, (span.name, span.kind))


def _accept_weak(known: Known, scans: list[Scan]) -> None:
    """Turn weak aliases into spans where the article supports them: a strong alias, or a cue."""
    if not any(scan.weak for scan in scans):
        return
    text = " ".join(scan.text for scan in scans).lower()
    supported: dict[str, bool] = {}
    for scan in scans:
        for start, end, entry in scan.weak:
            if entry.name not in supported:
                supported[entry.name] = entry.name in known.strong or any(cue in text for cue in entry.cues)
            is_word = end - start == 1 and _may_be_a_word(scan, start, known, entry)
            if supported[entry.name] and not is_word and not _is_numbered(scan, start):
                scan.spans.append(Found(start, end, entry.name, entry.kind, by="gazetteer"))
            else:
                scan.loose.append(start)
    for scan in scans:
        scan.spans.sort(key=lambda span: span.start)


def _is_numbered(scan: Scan, at: int) -> bool:
    """Whether a lone capital letter belongs to the name before it ("Generation X", "Section X")."""
    tokens = scan.tokens
    if at == 0 or len(tokens.words[at]) > 1 or not is_capital(tokens.words[at - 1]):
        return False
    return not starts_sentence(tokens, at - 1) or tokens.lows[at - 1] not in words().never


def _may_be_a_word(scan: Scan, at: int, known: Known, entry: Entry) -> bool:
    """Whether a capital of a weak alias may be due to the sentence's start or to a headline."""
    if entry.name in known.strong:
        return False
    return scan.headline or starts_sentence(scan.tokens, at)
