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


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists of `names.toml` and `party_patterns.toml`, made ready for look-up."""

    titles: Trie
    judicial: frozenset[str]
    given: frozenset[str]
    particles: frozenset[str]
    never: frozenset[str]
    heads: dict[str, str]  # head as written -> kind
    starts: dict[str, str]  # first word as written -> kind
    local: Trie  # lower-case body after a place -> kind
    person_nouns: frozenset[str]
    said: frozenset[str]
    trade: dict[str, str]  # lower-case trade noun -> kind


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
        judicial=frozenset(title.lower() for title in names["judicial"]),
        given=frozenset(names["given"].split()),
        particles=frozenset(names["particles"]),
        never=frozenset(names["never"].split()),
        heads={head: kind for kind, heads in patterns["heads"].items() for head in heads},
        starts={start: kind for kind, starts in patterns["starts"].items() for start in starts},
        local=local,
        person_nouns=frozenset(patterns["person"]["nouns"]),
        said=frozenset(patterns["person"]["said"]),
        trade={noun: kind for kind, nouns in patterns["trade"].items() for noun in nouns},
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
    """Whether a line is written as headlines are, nearly every word with a capital."""
    letters = [word for word in tokens.words if word[0].isalpha() and len(word) > 3]
    return len(letters) >= 3 and sum(word[0].isupper() for word in letters) >= 0.75 * len(letters)


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper() or (len(word) >= 2 and word[-1] == "." and word[0].isupper())


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
            if word.isupper() and len(word) > 3 and word.isalpha():
                break  # an acronym
            parts.append(word)
            at += 1
            if _is_initial(word) and at < count and tokens.words[at] == "." and tokens.starts[at] == tokens.ends[at - 1]:
                parts[-1] += "."
                at += 1
            elif low in ("jr", "sr") and at < count and tokens.words[at] == ".":
                parts[-1] += "."
                at += 1
            elif (
                at + 1 < count
                and tokens.words[at] == "-"
                and is_capital(tokens.words[at + 1])
                and tokens.starts[at] == tokens.ends[at - 1]
                and tokens.starts[at + 1] == tokens.ends[at]
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


def _is_person_by_context(tokens: Tokens, start: int, end: int, known: Words) -> bool:
    lows = tokens.lows
    count = len(lows)
    if end < count and lows[end] in known.said:
        return True
    if start > 0 and lows[start - 1] in known.said and not (start > 1 and lows[start - 2] == "the"):
        return True
    if end + 1 < count and tokens.words[end] == "," and not is_capital(tokens.words[end + 1]):
        if lows[end + 1] == "who":
            return True
        if any(low in known.person_nouns for low in lows[end + 1 : end + 9]):
            return lows[end + 1] in ("a", "an", "the", "one", "its", "his", "her", "their") or (
                any(low in known.person_nouns for low in lows[end + 1 : end + 5])
            )
    if end + 2 < count and tokens.words[end] == "(" and lows[end + 1] in ("d", "r", "i"):
        return True
    return start > 0 and lows[start - 1] in known.person_nouns and lows[start - 1] not in known.trade


def find_person(tokens: Tokens, start: int, *, headline: bool, people: Gazetteer | None = None) -> Found | None:
    """A person named at `start`, with or without titles before, or None."""
    known = words()
    after_titles, title = _title_end(tokens, start, known)
    if after_titles > start and (after_titles >= len(tokens.words) or not is_capital(tokens.words[after_titles])):
        return None
    end, parts = _name_end(tokens, after_titles, known)
    if not parts:
        return None
    real = [part for part in parts if not _is_initial(part.rstrip(".")) and part.lower() not in known.particles]
    if not real or real[-1][0].islower():
        return None
    last = real[-1].lower().replace("’", "'")
    if real[-1].rstrip(".") in ("Jr", "Sr", "II", "III") and len(real) > 1:
        last = real[-2].lower()
    name = " ".join(part.replace("’", "'") for part in parts)
    if title:
        if len(real) == 1 and headline:
            return None
        return Found(after_titles, end, name, "person", title, last)
    if len(parts) < 2:
        return None
    first = parts[0].lower()
    given = first in known.given or (_is_initial(parts[0].rstrip(".")) and len(parts) > 1)
    if given and real[-1].lower() not in known.given | known.never or given and len(real) == 2:
        if headline and len(real) > 3:
            return None
        return Found(after_titles, end, name, "person", "", last)
    if not headline and len(real) >= 2 and len(real) <= 4 and _is_person_by_context(tokens, start, end, known):
        if starts_sentence(tokens, start) and first in known.never:
            return None
        return Found(after_titles, end, name, "person", "", last)
    return None


_LINKS = frozenset(("of", "for", "the", "and", "&", "on", "to", "in"))


def find_organisation(tokens: Tokens, start: int, *, headline: bool) -> Found | None:
    """An organisation, agency, court or company named at `start` by the form of its name, or None."""
    known = words()
    lows, text_words = tokens.lows, tokens.words
    count = min(len(lows), start + LONGEST_NAME)
    first = text_words[start]
    last_good = -1
    kind = ""
    begins = known.starts.get(first)
    at = start
    while at < count:
        word = text_words[at]
        if is_capital(word):
            if word in known.heads and at > start:
                last_good, kind = at + 1, known.heads[word]
                if word in ("Inc", "Corp", "Ltd", "Co") and at + 1 < count and text_words[at + 1] == ".":
                    last_good += 1
            elif begins and at > start + 1:
                last_good, kind = at + 1, kind or begins
            at += 1
        elif at > start and lows[at] in _LINKS and at + 1 < count:
            if lows[at] in ("to", "in") and not begins:
                break
            if lows[at] == "and" and not begins:
                break
            at += 1
        elif word == "," and at + 1 < count and text_words[at + 1] in ("Inc", "LLC", "Ltd", "Corp"):
            at += 1
        elif word == "'" and at + 1 < count and lows[at + 1] == "s" and at + 2 < count:
            tail = text_words[at + 2]
            if tail in ("Office", "Department", "Bureau", "Association", "Union"):
                last_good, kind = at + 3, "agency" if tail in ("Office", "Department") else "organisation"
            break
        elif word in ("-", "&") and at + 1 < count and is_capital(text_words[at + 1]):
            at += 1
        else:
            break
    if last_good < 0 or headline and last_good - start > 4:
        return None
    lead = lows[start]
    if lead in known.never and starts_sentence(tokens, start):
        return None
    return Found(start, last_good, _spell(tokens, start, last_good), kind)


def _spell(tokens: Tokens, start: int, end: int) -> str:
    """The words from `start` to `end` as one name, spaced as in the text."""
    out = tokens.words[start]
    for at in range(start + 1, end):
        if tokens.starts[at] > tokens.ends[at - 1]:
            out += " "
        out += tokens.words[at]
    return out.replace("’", "'")


def find_local(tokens: Tokens, start: int) -> Found | None:
    """A government, police force, court or the like named after its place at `start`, or None."""
    known = words()
    places = load().places
    hit = places.trie.longest(tokens.lows, start)
    if hit is None or not is_capital(tokens.words[start]):
        return None
    at, (what, canonical) = hit
    if at + 1 < len(tokens.words) and tokens.words[at] in ("'", "’") and tokens.lows[at + 1] == "s":
        at += 2
    if at < len(tokens.words) and tokens.lows[at] in ("county", "state", "city") and is_capital(tokens.words[at]):
        canonical = f"{canonical} {tokens.words[at]}"
        at += 1
    if at >= len(tokens.words):
        return None
    body = known.local.longest(tokens.lows, at)
    if body is None:
        return None
    end, kind = body
    if what in ("country", "adjective"):
        canonical = places.adjective[canonical]
    noun = " ".join(tokens.lows[at:end]).replace(" ' s", "'s")
    if noun in ("government", "regime") or (what == "adjective" and noun == "state government"):
        noun = "government"
    elif is_capital(tokens.words[at]):
        noun = " ".join(tokens.words[at:end]).replace(" ' s", "'s")
    return Found(start, end, f"{canonical} {noun}", kind)
