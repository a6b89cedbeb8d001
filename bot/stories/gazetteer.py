"""The gazetteer: the parties that are known by name, and the places that others are named after.

It is data (`data/parties/*.toml`, `data/places.toml`), read once per process and compiled into a trie over
words, so that one scan of a text finds every alias, however many the gazetteer holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

# A handle (with the escapes of Markdown, "@ALT\_USCIS"), an abbreviation with points ("U.S."), a word with
# apostrophes inside ("O'Brien", but not the possessive "'s"), or one other character.
TOKEN = re.compile(r"(?<![\w.])@\w(?:\\?\w)*|(?:[A-Za-z]\.){2,}|\w+(?:['’](?!s\b)\w+)*|[^\w\s]")

ABBREVIATION = re.compile(r"[A-Za-z]\.[A-Za-z]\.")


@dataclass(slots=True)
class Tokens:
    """A text cut into words: what stands there, its look-up form, and where it stands."""

    words: list[str]
    lows: list[str]
    text: str
    _starts: list[int] = field(default_factory=list)  # found on first need: most sentences never ask

    def start(self, at: int) -> int:
        """Where token `at` starts in the text."""
        starts = self._starts
        if len(starts) <= at:  # go on from where the last question ended
            text, words = self.text, self.words
            end = starts[-1] + len(words[len(starts) - 1]) if starts else 0
            for word in words[len(starts) : at + 1]:  # nothing but white space stands between two tokens
                start = text.index(word, end)
                starts.append(start)
                end = start + len(word)
        return starts[at]

    def end(self, at: int) -> int:
        """Where token `at` ends in the text (exclusive)."""
        return self.start(at) + len(self.words[at])

    def touch(self, at: int) -> bool:
        """Whether no blank stands between token `at - 1` and token `at`."""
        return self.start(at) == self.end(at - 1)


def tokenise(text: str) -> Tokens:
    """Cut `text` into tokens; look-up forms are lower case, without points, with straight apostrophes."""
    words = TOKEN.findall(text)
    lows = [word.lower() for word in words]
    if "’" in text:
        lows = [low.replace("’", "'") if len(low) > 1 else low for low in lows]
    if ABBREVIATION.search(text):
        lows = [low.replace(".", "") if low[-1] == "." and len(low) > 1 else low for low in lows]
    return Tokens(words, lows, text)


@dataclass(frozen=True, slots=True)
class Entry:
    """A party of the gazetteer. `sort` is its trade ("platform", "intelligence", "advocacy", "media", ...).

    `nouns` are what "the ..." may call it; `cues` are the words of which one must stand in the article for
    a weak alias to count.
    """

    name: str
    kind: str
    sort: str
    country: str = ""
    parent: str = ""
    nouns: frozenset[str] = frozenset()
    cues: tuple[str, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()  # (country, the party that the same words mean there)


@dataclass(frozen=True, slots=True)
class Alias:
    """One way to write a party: the words as written in the data, and whether it needs support."""

    words: tuple[str, ...]
    entry: Entry
    weak: bool


Row = tuple[Entry, tuple[str, ...], tuple[str, ...]]  # a party, its aliases, its weak aliases


class Trie:
    """Finds the longest known sequence of words at a place."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}

    def add(self, lows: list[str], value: Any) -> None:
        """Enter `value` under a sequence of look-up forms; the first one entered stays."""
        node = self.root
        for low in lows:
            node = node.setdefault(low, {})
        node.setdefault("", value)

    def longest(self, lows: list[str], start: int) -> tuple[int, Any] | None:
        """The end (exclusive) and the value of the longest sequence at `start`, or None."""
        node = self.root.get(lows[start])
        if node is None:
            return None
        best: tuple[int, Any] | None = None
        at = start + 1
        while True:
            value = node.get("")
            if value is not None:
                best = (at, value)
            if at >= len(lows):
                return best
            node = node.get(lows[at])
            if node is None:
                return best
            at += 1


_SMALL = frozenset(("without", "for", "the", "of", "and", "to", "in", "on", "with", "against", "a"))


def written_alike(alias: tuple[str, ...], words: list[str], start: int) -> bool:
    """Whether the text writes an alias as names are written.

    Acronyms must stand in capitals ("ICE" is not "ice"), other words may be capitalised more ("Fight For
    The Future") but not less, small words apart ("Reporters without Borders").
    """
    for offset, word in enumerate(alias):
        there = words[start + offset]
        if word == there or not word[0].isupper() or (offset and there in _SMALL):
            continue
        if not there[0].isupper():
            return False
        if len(word) > 1 and word.isupper() and not there.isupper():
            return False
    return True


@dataclass(frozen=True, slots=True)
class Places:
    """Countries by every word for them, adjectives by country, and all names of places."""

    country_of: dict[str, str]  # look-up form of a country, its adjective or one of its regions -> country
    adjective: dict[str, str]  # country -> the adjective that stands in canonical names
    trie: Trie  # value: ("country" | "adjective" | "region" | "city", canonical)

    def country(self, place: tuple[str, str]) -> str:
        """The country of a place that the trie gave, or "" where the data do not say."""
        what, canonical = place
        return canonical if what in ("country", "adjective") else self.country_of.get(canonical.lower(), "")


class Gazetteer:
    """All known parties, to be found by alias or by canonical name."""

    def __init__(self, entries: list[Row], places: Places) -> None:
        self.places = places
        self.entries: dict[str, Entry] = {}
        self.trie = Trie()
        self.small_starts: set[str] = set()  # first words of aliases that need no capital
        self.people: dict[tuple[str, str], Entry] = {}  # (first name, last name), lower case
        self.people_by_last_name: dict[str, list[Entry]] = {}
        for entry, aliases, weak in entries:
            self.entries[entry.name] = entry
            strong = [entry.name] if entry.name not in weak else []
            for text, is_weak in [*((a, False) for a in (*strong, *aliases)), *((a, True) for a in weak)]:
                self._add(text, entry, is_weak)
            if entry.kind == "person":
                first, last = entry.name.split()[0].lower(), entry.name.rsplit(" ", 1)[-1].lower()
                self.people[first, last] = entry
                self.people_by_last_name.setdefault(last, []).append(entry)

    def _add(self, text: str, entry: Entry, weak: bool) -> None:
        tokens = tokenise(text)
        node = self.trie.root
        for low in tokens.lows:
            node = node.setdefault(low, {})
        if not tokens.words[0][0].isupper():
            self.small_starts.add(tokens.lows[0])
        node.setdefault("", []).append(Alias(tuple(tokens.words), entry, weak))

    def match(self, tokens: Tokens, start: int) -> tuple[int, Alias] | None:
        """The end (exclusive) and the alias of the longest known party at token `start`, or None."""
        node = self.trie.root.get(tokens.lows[start])
        if node is None:
            return None
        lows = tokens.lows
        best: tuple[int, Alias] | None = None
        at = start + 1
        while node is not None:
            for alias in node.get("", ()):
                if written_alike(alias.words, tokens.words, start):
                    best = (at, alias)
                    break
            node = node.get(lows[at]) if at < len(lows) else None
            at += 1
        return best

    def aliases(self) -> Iterator[Alias]:
        """Every way to write any party."""
        nodes = [self.trie.root]
        while nodes:
            for word, node in nodes.pop().items():
                if word:
                    nodes.append(node)
                else:
                    yield from node

    def entry(self, name: str) -> Entry | None:
        """The party of that canonical name, or None."""
        return self.entries.get(name)


def read_data(name: str) -> dict[str, Any]:
    """Read one TOML file of `bot/stories/data`."""
    file = resources.files("bot.stories").joinpath("data", *name.split("/"))
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _load_places() -> Places:
    data = read_data("places.toml")
    country_of: dict[str, str] = {}
    adjective: dict[str, str] = {}
    trie = Trie()
    for country, adjectives in data["countries"].items():
        adjective[country] = adjectives[0]
        for word in (country, *adjectives):
            country_of[" ".join(tokenise(word).lows)] = country
        for word in adjectives:
            trie.add(tokenise(word).lows, ("adjective", country))
        trie.add(tokenise(country).lows, ("country", country))
    for country, names in data["regions"].items():
        for name in names:
            trie.add(tokenise(name).lows, ("region", name))
            if country in adjective:
                country_of.setdefault(name.lower(), country)
    for name in data["cities"]["names"]:
        trie.add(tokenise(name).lows, ("city", name))
    return Places(country_of, adjective, trie)


def _read_group(group: dict[str, Any]) -> list[Row]:
    found: list[Row] = []
    for name, value in group["parties"].items():
        own: dict[str, Any] = value if isinstance(value, dict) else {"aliases": value}
        # An empty `weak` says that the canonical name itself is an ordinary word.
        weak = tuple(own["weak"] or [name]) if "weak" in own else ()
        entry = Entry(
            name=name,
            kind=own.get("kind", group["kind"]),
            sort=own.get("sort", group["sort"]),
            country=own.get("country", group.get("country", "")),
            parent=own.get("parent", ""),
            nouns=frozenset((*group["nouns"], *own.get("nouns", ()))),
            cues=tuple(own.get("cues", ())),
            instead=tuple(own.get("instead", {}).items()),
        )
        found.append((entry, tuple(own["aliases"]), weak))
    return found


@cache
def load() -> Gazetteer:
    """The gazetteer, read once per process."""
    entries: list[Row] = []
    folder = resources.files("bot.stories").joinpath("data", "parties")
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for group in read_data(f"parties/{file.name}")["group"]:
                entries.extend(_read_group(group))
    places = _load_places()
    named = {entry.name for entry, _, _ in entries}
    entries.extend(g for g in _governments(places) if g[0].name not in named)
    return Gazetteer(entries, places)


def _governments(places: Places) -> list[Row]:
    """The government of every country, by its adjective ("Kenyan government") and by its name."""
    found: list[Row] = []
    for country, adjective in places.adjective.items():
        entry = Entry(
            name=f"{adjective} government",
            kind="agency",
            sort="executive",
            country=country,
            nouns=frozenset(("government",)),
        )
        aliases = (f"government of {country}", f"{country} government", f"{country}'s government")
        found.append((entry, aliases, ()))
    return found
