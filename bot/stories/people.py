"""People that no list holds, known by a title, a given name, or words that only people have around them."""

from __future__ import annotations

from itertools import pairwise

from bot.stories.gazetteer import Tokens, load
from bot.stories.names import (
    Found,
    Words,
    is_capital,
    is_law,
    is_place,
    last_name,
    spell,
    starts_sentence,
    trade_after,
    words,
)

MOST_TITLES = 4  # titles in a row ("Former Deputy Attorney General")
MOST_PARTS = 6  # words of one name


def _is_initial(word: str) -> bool:
    return (len(word) == 1 and word.isupper()) or (len(word) >= 2 and word[-1] == "." and word[0].isupper())


def _is_glued(word: str) -> bool:
    """Whether a small letter meets a capital inside a word, other than as in "McConnell" or "DeLong"."""
    if word[1:].islower():  # most names
        return False
    return any(
        a.islower() and b.isupper() and at > 2 for at, (a, b) in enumerate(pairwise(word), start=1)
    ) and not word.startswith("Mac")


_SURNAMES_TOO = frozenset(("white", "law", "hill", "mac"))


def _ends_a_name(tokens: Tokens, at: int, parts: list[str], known: Words) -> bool:
    """Whether a word that stands in no other name may be a last one ("Nathan Law", "Jeffrey White")."""
    if len(parts) != 1 or parts[0].lower() not in known.given or is_place(tokens, at - 1):
        return False
    ahead = tokens.words[at + 1] if at + 1 < len(tokens.words) else "."
    return not is_capital(ahead) and ahead != "-"


def _name_end(tokens: Tokens, start: int, known: Words) -> tuple[int, list[str]]:
    """Where a run of name words that starts at `start` ends, and its words without initials' points."""
    at = start
    parts: list[str] = []
    count = len(tokens.words)
    while at < count and len(parts) < MOST_PARTS:
        word = tokens.words[at]
        low = tokens.lows[at]
        if is_capital(word):
            if word in known.heads or (
                low in known.never
                and not (_is_initial(word) and parts)
                and not (low in _SURNAMES_TOO and _ends_a_name(tokens, at, parts, known))
            ):
                break
            if word in parts or _is_glued(word):
                break  # two lines run together, as in "Justin Amash Justin AmashTrump slams"
            if parts and at + 1 < count and tokens.lows[at + 1] in known.given and low in known.titles.root:
                return at, []  # "Judiciary Chair Jim Jordan": the name begins later
            if word.isupper() and len(word) > 3 and word.isalpha():
                break  # an acronym
            parts.append(word)
            at += 1
            if (_is_initial(word) and at < count and tokens.words[at] == "." and tokens.touch(at)) or (
                low in ("jr", "sr") and at < count and tokens.words[at] == "."
            ):
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
            elif (
                len(parts) == 2
                and parts[0].lower() in known.family_first
                and at + 1 < count
                and tokens.words[at] == "-"
                and tokens.words[at + 1].isalpha()
                and tokens.touch(at)
                and tokens.touch(at + 1)
            ):  # "Park Geun-hye"
                parts[-1] += "-" + tokens.words[at + 1]
                return at + 2, parts
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
    for _ in range(MOST_TITLES):
        if at >= len(tokens.words):
            break
        hit = known.titles.longest(tokens.lows, at)
        if hit is None:
            break
        at, title = hit
        if at < len(tokens.words) and tokens.words[at] in (".", "-") and at + 1 < len(tokens.words):
            at += 1
    return at, title


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
    return (before in known.said and before != "called") or (
        before in known.person_nouns and before not in known.trade
    )


def _real_words(parts: list[str], known: Words) -> list[str]:
    """The words of a name that are neither initials nor particles."""
    return [
        part for part in parts if not _is_initial(part.rstrip(".")) and part.lower() not in known.particles
    ]


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
    """A party such as "John Doe 4"; what a "John Doe summons" is about has no name."""
    number = tokens.words[at + 2] if at + 2 < len(tokens.words) else ""
    if not number.isdigit():
        return None
    return Found(at, at + 3, spell(tokens, at, at + 3), "person", "", "doe")


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
    if is_law(tokens, end) or (
        real[-1].isupper() and len(real[-1]) > 1 and real[-1] not in ("II", "III", "IV")
    ):
        return None
    if title:
        if len(real) > 1:
            return found
        listed_last = last in load().people_by_last_name
        return found if listed_last or (title in known.before_last_name and not headline) else None
    if len(parts) < 2 or (headline and len(real) > 3):
        return None
    first = parts[0].lower()
    if first in known.given or _is_initial(parts[0].rstrip(".")):
        return found if len(real) <= 4 and not is_place(tokens, at) else None
    if headline or not 2 <= len(real) <= 4 or is_place(tokens, at):
        return None
    if (
        len(real) == 2
        and first in known.family_first
        and real[1].rpartition("-")[2].islower()
        and "-" in real[1]
    ):
        return found
    if len(real) == 3 and real[1].lower() in known.given and not starts_sentence(tokens, at):
        return found
    if _speaks(tokens, at, end, known) or trade_after(tokens, end, known) == "person":
        return found
    return None
