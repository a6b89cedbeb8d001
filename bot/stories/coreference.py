"""Words that stand for a party named elsewhere: last names, acronyms, short names, "the agency"."""

from __future__ import annotations

from collections import Counter
from functools import cache

from bot.stories.gazetteer import Tokens, Trie, load, tokenise
from bot.stories.known_names import CALLED_BY_TITLE, Known, Scan, gather
from bot.stories.model import Mention
from bot.stories.names import Found, is_capital, starts_sentence, words

WINDOW = 10  # sentences back that "the agency" reaches
LOOK_BACK = 60  # mentions back that are looked at for it


@cache
def _nouns() -> tuple[Trie, dict[str, frozenset[str]]]:
    """Every noun that may stand for a party, as a trie, and the nouns of each gazetteer entry."""
    trie = Trie()
    own: dict[str, frozenset[str]] = {}
    for name, entry in load().entries.items():
        own[name] = frozenset(noun.lower() for noun in entry.nouns)
        for noun in own[name]:
            trie.add(tokenise(noun).lows, noun)
    patterns = words()
    for noun in (
        *(noun for nouns in patterns.nouns.values() for noun in nouns),
        *(head.lower() for head, kind in patterns.heads.items() if kind != "company"),
        *CALLED_BY_TITLE.values(),
        "government",
        "administration",
        "high court",
        "regulator",
        "watchdog",
        "court",
        "office",
    ):
        trie.add(tokenise(noun).lows, noun)
    return trie, own


def resolve(scans: list[Scan]) -> tuple[Mention, ...]:
    """Turn the spans of all scans into mentions, and resolve what refers to them."""
    _settle_headlines(scans)
    known = gather(scans)
    out: list[Mention] = []
    for scan in scans:
        here = sorted(_named(scan, known), key=lambda m: m.start)
        here.extend(_referring(scan, known, here, out))
        here.sort(key=lambda m: m.start)
        out.extend(here)
    return tuple(out)


def _settle_headlines(scans: list[Scan]) -> None:
    """Keep of the names guessed in headlines those that the running text has too; drop names of history.

    Where every word has a capital, a run of capitals says little: "YouTube Censors Project Veritas".
    """
    lists = words()
    running = {span.name for scan in scans if not scan.headline for span in scan.spans}
    for scan in scans:
        kept: list[Found] = []
        for span in scan.spans:
            guessed = span.by == "pattern" and span.kind != "account" and span.sure is False
            if span.name in lists.not_parties:
                continue
            if scan.headline and guessed and span.name not in running:
                scan.loose.extend(range(span.start, span.end))
            else:
                kept.append(span)
        scan.spans = kept


# ------------------------------------------------------------------ resolving


def _mention(scan: Scan, start: int, end: int, name: str, kind: str, by: str) -> Mention:
    first = scan.tokens.start(start)
    last = scan.tokens.end(end - 1)
    return Mention(name, kind, scan.sentence, first, last, scan.text[first:last], by)


def _named(scan: Scan, known: Known) -> list[Mention]:
    """The mentions that carry a name: spans, and leftover capitals that are last or short names."""
    gazetteer = load()
    lists = words()
    here: list[Mention] = []
    for span in scan.spans:
        name, kind, by = span.name, span.kind, span.by
        surface = scan.tokens.words[span.start]
        if kind == "person":
            name = _person_name(known, name)
        elif kind == "account":
            name = known.accounts.get(name.lower(), name)
        elif by == "pattern" and name.lower() in lists.generic:
            whole = _fullest(known, name)
            if whole is None and kind != "court":
                continue
            name, by = whole or name, "coreference" if whole else by
        elif span.end - span.start == 1 and surface in known.short and known.short[surface][0] != name:
            name, kind = known.short[surface]
            by = "coreference"
        if by == "gazetteer":
            name, kind = _meant_here(known, name, kind)
        here.append(_mention(scan, span.start, span.end, name, kind, by))
    for at in scan.loose:
        word = scan.tokens.words[at]
        low = scan.tokens.lows[at]
        if low in known.full:
            if _stands_alone(scan, at):
                here.append(
                    _mention(
                        scan, at, at + 1, _person_name(known, known.full[low][-1]), "person", "coreference"
                    )
                )
        elif word in known.short:
            name, kind = known.short[word]
            here.append(_mention(scan, at, at + 1, name, kind, "coreference"))
        elif low in gazetteer.people_by_last_name and low not in lists.common_last and _is_speaker(scan, at):
            people = gazetteer.people_by_last_name[low]
            if len(people) == 1:
                here.append(_mention(scan, at, at + 1, people[0].name, "person", "gazetteer"))
        elif "_" in word and "@" + low in known.accounts:
            here.append(_mention(scan, at, at + 1, known.accounts["@" + low], "account", "coreference"))
    return here


def _fullest(known: Known, generic: str) -> str | None:
    """The party of the article whose name ends with a generic one ("High Court": "Karnataka High Court")."""
    low = generic.lower()
    if low not in known.fullest:
        own = _nouns()[1]
        candidates = sorted(
            name for name in known.strong if name.lower().endswith(" " + low) or low in own.get(name, ())
        )
        known.fullest[low] = candidates[0] if candidates else _committee_of(known, generic)
    return known.fullest[low]


def _committee_of(known: Known, name: str) -> str | None:
    """The committee of the chamber that the article names ("Judiciary Committee" beside "the House")."""
    for chamber, party in (("House", "House of Representatives"), ("Senate", "Senate")):
        if party in known.strong and load().entry(f"{chamber} {name}") is not None:
            return f"{chamber} {name}"
    return None


def _meant_here(known: Known, name: str, kind: str) -> tuple[str, str]:
    """What a known name means in an article about another country ("Supreme Court" in one about India)."""
    entry = load().entry(name)
    if entry is not None and entry.instead and known.main_country:
        for country, other in entry.instead:
            if country == known.main_country:
                return other, kind
    return name, kind


def _person_name(known: Known, name: str) -> str:
    if " " in name:
        return known.canonical.get(name, name)
    last = name.lower()
    if last in known.full:
        full = known.full[last][-1]
        return known.canonical.get(full, full)
    people = load().people_by_last_name.get(last, [])
    return people[0].name if len(people) == 1 else name


def _stands_alone(scan: Scan, at: int) -> bool:
    """Whether a last name stands without a foreign first name before it ("Barr", not "Street Barr")."""
    if at and scan.tokens.words[at - 1] == "-":
        return False
    after = at + 1
    return not (
        after < len(scan.tokens.words)
        and is_capital(scan.tokens.words[after])
        and scan.tokens.words[after] in words().heads
    )


def _is_speaker(scan: Scan, at: int) -> bool:
    lows = scan.tokens.lows
    said = words().said
    return (at + 1 < len(lows) and lows[at + 1] in said) or (
        at > 0 and lows[at - 1] in said and lows[at - 1] != "called"
    )


def _referring(scan: Scan, known: Known, here: list[Mention], before: list[Mention]) -> list[Mention]:
    """The mentions that only a noun makes: "the agency", "the government", "police"."""
    trie = _nouns()[0]
    tokens = scan.tokens
    lows = tokens.lows
    count = len(lows)
    out: list[Mention] = []
    passed = 0  # how many of `here` start before the place looked at
    for at in range(count):
        if lows[at] == "the" and at + 1 < count:
            hit = trie.longest(lows, at + 1)
            if hit is None and at + 2 < count and _is_adjective(tokens, at + 1):
                hit = trie.longest(lows, at + 2)
            if hit is None:
                continue
            end, noun = hit
        elif lows[at] == "police" and not (at and (_names_police(tokens, at - 1))):
            end, noun = at + 1, "police"
        else:
            continue
        if not _is_definite(tokens, end):
            continue
        first, last = tokens.start(at), tokens.end(end - 1)
        while passed < len(here) and here[passed].start < first:
            passed += 1
        if (passed < len(here) and here[passed].start < last) or (passed and here[passed - 1].end > first):
            continue
        target = _antecedent(noun, scan.sentence, known, here[max(0, passed - LOOK_BACK) : passed], before)
        if target is not None:
            out.append(_mention(scan, at, end, target[0], target[1], "coreference"))
    return out


def _names_police(tokens: Tokens, before: int) -> bool:
    """Whether the word before "police" says whose ("Boise police"), so that it refers to no other."""
    if tokens.lows[before] in _NOT_ALONE:
        return True
    return is_capital(tokens.words[before]) and not starts_sentence(tokens, before)


_NOT_ALONE = frozenset(("the", "local", "state", "secret", "military", "federal"))
_ADJECTIVES = frozenset(
    [
        "federal",
        "social",
        "tech",
        "israeli",
        "messaging",
        "internet",
        "online",
        "american",
        "spy",
        "intelligence",
        "law",
        "enforcement",
        "data",
        "privacy",
    ]
)


def _is_adjective(tokens: Tokens, at: int) -> bool:
    return tokens.lows[at] in _ADJECTIVES or tokens.lows[at] in load().places.country_of


def _is_definite(tokens: Tokens, end: int) -> bool:
    """Whether "the agency" points back, rather than on ("the agency that ...", "the company Foo")."""
    if end >= len(tokens.words):
        return True
    if tokens.lows[end] in ("of", "that", "which", "whose", "behind", "for", "-") or is_capital(
        tokens.words[end]
    ):
        return False
    return not (
        tokens.words[end] == "," and end + 1 < len(tokens.words) and is_capital(tokens.words[end + 1])
    )


def _antecedent(
    noun: str, sentence: int, known: Known, here: list[Mention], before: list[Mention]
) -> tuple[str, str] | None:
    """Whom a noun means: of the fitting parties of the nearest sentence that has any, the most frequent."""
    fitting: list[tuple[str, str]] = []
    nearest: int | None = None
    recent = (before[-LOOK_BACK:] + here)[::-1]
    for mention in recent:
        if nearest is not None and mention.sentence != nearest:
            break
        if sentence - mention.sentence > WINDOW:
            break
        if _fits(noun, mention, known):
            nearest = mention.sentence
            fitting.append((mention.name, mention.kind))
    if fitting:
        counts = Counter((mention.name, mention.kind) for mention in recent)
        return max(reversed(fitting), key=lambda party: counts[party])
    if noun in ("government", "administration") and known.countries:
        return _government(known, noun)
    return None


def _fits(noun: str, mention: Mention, known: Known) -> bool:
    _, own = _nouns()
    nouns = own.get(mention.name)
    if nouns is not None:
        if noun in nouns:
            return True
    elif noun in words().nouns.get(mention.kind, ()):
        return True
    if mention.kind == "person":
        return noun in known.called.get(mention.name, ())
    if mention.kind in ("agency", "court", "organisation"):
        return noun in mention.name.lower().replace("'s", "").split()
    return False


def _government(known: Known, noun: str) -> tuple[str, str] | None:
    country = known.main_country
    if noun == "administration" and country != "United States":
        return None
    adjective = load().places.adjective.get(country)
    return (f"{adjective} government", "agency") if adjective else None
