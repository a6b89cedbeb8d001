"""Organisations that no list holds: by the form of the name, by the place, by the trade beside it."""

from __future__ import annotations

from bot.stories.gazetteer import Tokens, load
from bot.stories.names import (
    Found,
    Words,
    is_capital,
    is_law,
    is_place,
    spell,
    starts_sentence,
    trade_after,
    words,
)

LONGEST_NAME = 12  # tokens of one organisation's name


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
    if len(tokens.words[start]) < 3 or (end < len(tokens.words) and is_capital(tokens.words[end])):
        return None
    before = tokens.lows[start - 1] if start else ""
    kind = known.trade.get(before, "")
    if (
        kind
        and kind != "account"
        and not (start > 1 and tokens.words[start - 1][0].isupper())  # "the App Store"
        and (start < 2 or tokens.words[start - 2] != "-")
        and (start < 2 or tokens.lows[start - 2] not in ("a", "an"))
    ):
        return Found(start, end, spell(tokens, start, end), kind)
    if low.endswith("ly") or (before and is_capital(tokens.words[start - 1])):
        return None
    kind = trade_after(tokens, end, known)
    return Found(start, end, spell(tokens, start, end), kind) if kind in ("company", "organisation") else None


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
            if (
                low in known.never
                and at > start
                and word not in known.heads
                and not _court_follows(tokens, at)
            ):
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
            if at < known_end or not (
                head in known.starts or (head in known.heads and at > start + 1) or (low == "of" and goes_on)
            ):
                break
            if end == at and kind in ("company", "organisation") and head not in known.starts:
                break  # "the Foo Foundation for years"
            goes_on = True
            kind = kind or known.starts.get(head, "") or known.heads.get(head, "")
        elif low == "the" and lows[at - 1] in ("of", "for", "on", "and"):
            pass
        elif low == "and":
            if end == at and kind == "company" and not goes_on:
                break  # "Halden Broadband and Norcove Telephone"
            if lows[at + 1] == "the" and _head_follows(tokens, at + 2, known):
                break  # "... of Singapore and the Media Authority"
            if 0 < known_end - start >= at - start or not (goes_on or _head_follows(tokens, at + 1, known)):
                break
        elif word in (",", "-", "&"):
            if not is_capital(there[at + 1]) or (
                word == "," and there[at + 1] not in ("Inc", "LLC", "Ltd", "Corp")
            ):
                break
        elif word in ("'", "’") and there[at + 1] in _OWNED:  # "Journalists' Syndicate"
            end, kind = at + 2, "organisation"
            break
        elif word in ("'", "’") and lows[at + 1] == "s":
            if at + 2 < len(there) and there[at + 2] in ("Office", "Department"):
                end, kind = at + 3, "agency"
            elif at + 2 < len(there) and there[at + 2] == "Court":
                end, kind = at + 3, "court"
            elif at + 2 < len(there) and there[at + 2] in _OWNED:
                end, kind = at + 3, "organisation"
            break
        else:
            break
        at += 1
    if there[end - 1 : end + 1] == ["School", "District"]:
        end, kind = end + 1, "agency"
    if end > known_end and is_law(tokens, end):
        return None
    if end <= known_end or (headline and end - start > 5):
        return None
    known_tail = _known_tail(tokens, start, end, known_end)
    if known_tail is not None:
        return known_tail if known_tail.start == start else None
    name = spell(tokens, start, end)
    for generic in ("High Court of ", "Superior Court of "):
        if name.startswith(generic) and kind == "court":
            name = f"{name[len(generic) :].removeprefix('the ')} {generic[:-4]}"
    if kind == "organisation" and trade_after(tokens, end, known) == "account":
        kind = "account"
    return Found(start, end, name, kind or begins)


_OWNED = frozenset(
    (
        "Hospital",
        "Hospitals",
        "Union",
        "Association",
        "Syndicate",
        "Federation",
        "Council",
        "Guild",
        "Alliance",
    )
)
_COMPANY_FORMS = frozenset(
    ("inc", "corp", "ltd", "llc", "co", "corporation", "limited", "plc", "gmbh", "ag", "group", ".", ",")
)
_NATION = frozenset(("us", "uk", "united states", "union", "british", "american"))


def _known_tail(tokens: Tokens, start: int, end: int, known_end: int) -> Found | None:
    """The party of the gazetteer that a longer name only repeats: "U.S. ...", "... Inc.", "CNN ..."."""
    gazetteer = load()
    if known_end > start and all(low in _COMPANY_FORMS for low in tokens.lows[known_end:end]):
        hit = gazetteer.match(tokens, start)
        return Found(start, end, hit[1].entry.name, hit[1].entry.kind, by="gazetteer") if hit else None
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


def _court_follows(tokens: Tokens, at: int) -> bool:
    """Whether a word such as "Central" belongs to the name of a court ("Seoul Central District Court")."""
    if tokens.lows[at] not in words().of_courts:
        return False
    for word in tokens.words[at + 1 : at + 4]:
        if not is_capital(word):
            return False
        if word in ("Court", "Tribunal"):
            return True
    return False


_JOINS_PLACE = frozenset(("de", "di", "da", "do", "del", "d", "of", "von", "in", "te", "van"))


def find_fronted(tokens: Tokens, start: int) -> Found | None:
    """A court or an authority whose place stands behind it ("Amtsgericht Stuttgart"), or None."""
    hit = words().fronts.longest(tokens.lows, start)
    if hit is None:
        return None
    end, kind = hit
    ahead = end + (end < len(tokens.words) and tokens.lows[end] in _JOINS_PLACE)
    if (
        ahead < len(tokens.words)
        and is_capital(tokens.words[ahead])
        and (ahead > end or tokens.lows[ahead] not in words().never)
    ):
        end = ahead + 1
    return Found(start, end, spell(tokens, start, end), kind, sure=True)


def find_force(tokens: Tokens, start: int) -> Found | None:
    """The police or the sheriff of a town that no list holds ("Baton Rouge police"), or None."""
    known = words()
    count = len(tokens.words)
    if _FORCES.isdisjoint(tokens.lows[start + 1 : start + 4]):
        return None
    at = start
    while at < min(count, start + 3) and is_capital(tokens.words[at]) and tokens.lows[at] not in _FORCES:
        if tokens.lows[at] in known.never or tokens.lows[at] in known.given or len(tokens.words[at]) < 3:
            return None
        at += 1
    if at == start or at >= count or tokens.lows[at] not in _FORCES:
        return None
    if starts_sentence(tokens, start) and tokens.lows[start].endswith(("ing", "ed", "ly")):
        return None
    if tokens.lows[start] in known.no_towns or known.titles.longest(tokens.lows, start) is not None:
        return None
    body = known.local.longest(tokens.lows, at)
    return Found(start, body[0], spell(tokens, start, body[0]), body[1], sure=True) if body else None


_FORCES = frozenset(("police", "sheriff", "prosecutors"))


_IN_ITS_PLACE = {"police": "police", "prosecutors": "prosecutors", "detectives": "police"}
_MERELY_WHERE = frozenset(
    ("in", "from", "across", "throughout", "near", "outside", "around", "within", "through")
)


def find_placed(tokens: Tokens, start: int, least: int) -> Found | None:
    """A force whose place stands behind it at `start`, or None; begins at token `least` or later.

    "Police in Larkton", "prosecutors in Munich", "the sheriff of Larkton County".
    """
    body = start - 2
    noun, joint = tokens.lows[body], tokens.lows[start - 1]
    if body < least or not (noun in _IN_ITS_PLACE if joint == "in" else noun == "sheriff"):
        return None
    if is_capital(tokens.words[body]) and not starts_sentence(tokens, body):
        return None  # "the Metropolitan Police in London"
    hit = load().places.trie.longest(tokens.lows, start)
    end = hit[0] if hit is not None else start
    never = words().never
    while (
        end < min(len(tokens.words), start + 3)
        and is_capital(tokens.words[end])
        and tokens.lows[end] not in never
    ):
        end += 1
    county = end < len(tokens.words) and tokens.words[end] == "County"
    if end == start or (joint == "of" and not county):
        return None
    place = spell(tokens, start, end)
    if hit is not None and hit[0] == end and hit[1][0] in ("country", "adjective"):
        place = load().places.adjective[hit[1][1]]
    if county:
        place, end = f"{place} County", end + 1
    return Found(body, end, f"{place} {_IN_ITS_PLACE.get(noun, 'Sheriff')}", "agency", sure=True)


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
        canonical = spell(tokens, start, at)
    if at + 1 < count and tokens.words[at] in ("'", "’") and tokens.lows[at + 1] == "s":
        at += 2
    if at < count and tokens.words[at] in ("County", "State", "City"):
        canonical = f"{canonical} {tokens.words[at]}"
        at += 1
    if at >= count:
        return None
    body = known.local.longest(tokens.lows, at)
    if body is None and tokens.words[at - 1] == "County":
        return _place_itself(tokens, start, at, known.acts)
    if body is None and what in ("region", "city"):
        return _place_itself(tokens, start, at, known.place_acts)
    if body is None or (what == "county" and tokens.words[at - 1] != "County"):
        return None
    end, kind = body
    listed = load().match(tokens, at)
    if hit is not None and listed is not None and listed[0] == end and not listed[1].weak:
        entry = listed[1].entry
        if entry.country and entry.country == places.country(hit[1]):
            return Found(start, end, entry.name, entry.kind, by="gazetteer", sure=True)  # "US Secret Service"
    if what in ("country", "adjective"):
        canonical = places.adjective[canonical]
    written = spell(tokens, at, end)
    if written.lower() == "sheriffs":  # "San Diego and Orange County sheriffs": each county has one
        written = written[:-1]
    return Found(start, end, f"{canonical} {written}", kind, sure=True)


_BEFORE_WHERE = _MERELY_WHERE | {"of", "to", "for", "at", "by", "with", "on", "and", ",", "-"}


def _place_itself(tokens: Tokens, start: int, end: int, acts: frozenset[str]) -> Found | None:
    """A county, a city or a state that acts as its government ("Larkton County in Texas paid"), or None."""
    at = end
    if at + 1 < len(tokens.words) and tokens.lows[at] == "in" and is_place(tokens, at + 1):
        at += 2
    before = tokens.lows[start - 1] if start else ""
    if (
        at >= len(tokens.words)
        or tokens.lows[at] not in acts
        or tokens.words[end - 1] == "s"
        or before in _BEFORE_WHERE
        or (before and is_capital(tokens.words[start - 1]) and not starts_sentence(tokens, start))
    ):
        return None
    return Found(start, end, spell(tokens, start, end), "agency")
