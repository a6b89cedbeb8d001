"""Which countries a story is about: those whose power is used in it, worked out from who takes part.

Where a court is asked for names or an agency buys data, the country is theirs: an order of India's government
to an American platform is India's story. Only where nobody acts and no agency or court takes part do the
companies, organisations and people decide whom it is done to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from bot.stories import gazetteer

_ACTING = ("issuer", "buyer", "vendor")  # roles, in the order in which they count
_PUBLIC = ("agency", "court")
_CONCERNED = ("recipient", "target")
_MORE_THAN_PASSING = 2  # mentions of a party with no part of its own


@dataclass(frozen=True, slots=True)
class Part:
    """A party's part in a story, as `bot.stories.model.Party` has it."""

    name: str
    kind: str
    role: str
    mentions: int = 1


def countries_of(parts: Iterable[Part]) -> tuple[str, ...]:
    """Give the countries that a story is about, the issuer's first; none where nobody's country is known."""
    often = sorted(parts, key=lambda part: (-part.mentions, part.name))
    acting = [part for role in _ACTING for part in often if part.role == role]
    public = [part for part in often if part.kind in _PUBLIC and part.role not in _ACTING]
    found = _known(acting)
    found |= _known(part for part in public if part.mentions >= _MORE_THAN_PASSING)
    others = (
        public,
        [part for part in often if part.role in _CONCERNED],
        [part for part in often if part.mentions >= _MORE_THAN_PASSING],
        often,
    )
    for some in others:
        found = found or _known(some)
    return tuple(found)


def _known(parts: Iterable[Part]) -> dict[str, None]:
    return dict.fromkeys(country for part in parts if (country := country_of(part.name, part.kind)))


@lru_cache(maxsize=4096)
def country_of(name: str, kind: str) -> str:
    """Give the country of a party, "" where it has none or none is known."""
    known, data = gazetteer.load(), _data()
    entry = known.entry(name)
    seen = {name}
    country = entry.country if entry else ""
    while entry and not country and entry.parent and entry.parent not in seen:
        seen.add(entry.parent)
        entry = known.entry(entry.parent)
        country = entry.country if entry else ""
    country = country or data.parties.get(name, "")
    if entry is None and kind in _PUBLIC:
        country = country or _place_in(name)
    return data.within.get(country, country)


def _place_in(name: str) -> str:
    """Give the country that an agency's or court's own name tells ("Texas attorney general")."""
    places, tokens = gazetteer.load().places, gazetteer.tokenise(name)
    at = 0
    while at < len(tokens.lows):
        found = places.trie.longest(tokens.lows, at)
        if found is not None and (country := places.country(found[1])):
            return _data().named_after.get(country, country) if found[1][0] == "country" else country
        at = at + 1 if found is None else found[0]
    low = name.lower()
    return next((country for office, country in _data().offices.items() if office in low), "")


def country_named(typed: str) -> str | None:
    """Give the country that somebody means ("Germany", "German", "de", "Allemagne"), None for none."""
    wanted = " ".join(typed.split()).casefold()
    return _data().written.get(wanted)


@cache
def all_countries() -> tuple[str, ...]:
    """Give the names of all countries that a story can be about, A to Z."""
    return tuple(sorted(set(_data().written.values())))


def countries_beginning(typed: str) -> tuple[str, ...]:
    """Give the countries of which a way to write them begins so, the one that is meant by just that first."""
    wanted = " ".join(typed.split()).casefold()
    found = {country for way, country in _data().written.items() if way.startswith(wanted)}
    return tuple(sorted(found, key=lambda country: (country != country_named(wanted), country)))


@dataclass(frozen=True, slots=True)
class _Data:
    within: dict[str, str]
    named_after: dict[str, str]
    offices: dict[str, str]
    parties: dict[str, str]
    written: dict[str, str]


@cache
def _data() -> _Data:
    read = gazetteer.read_data("countries.toml")
    within: dict[str, str] = read["within"]
    written: dict[str, str] = {}
    for country, adjectives in gazetteer.read_data("places.toml")["countries"].items():
        written.update((way.casefold(), within.get(country, country)) for way in (country, *adjectives))
    for country, ways in read["written"].items():
        written.update((way.casefold(), country) for way in (country, *ways))
    return _Data(within, read["named_after"], _turned(read["offices"]), _turned(read["parties"]), written)


def _turned(table: dict[str, list[str]]) -> dict[str, str]:
    return {name: country for country, names in table.items() for name in names}
