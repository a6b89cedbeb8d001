"""The single questions that a rule or a subscription puts to a story, each answered in words (`Clause`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from bot.alerts.searching import misses
from bot.errors import told
from db.stories import name_key

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class RoutedStory:
    """What of a story decides where it goes.

    `parties` are the name keys of canonical names; `guilds` the servers that use a feed which brought it;
    `adds` what it adds to its case ("new", "update", "source"); `alert` is False for what is stored in
    silence (a feed's history at the first look); `countries` as `bot.stories.countries` gives them; `titles`
    how the feeds are called by which servers have it (else its `source` is asked).
    """

    id: int
    title: str
    summary: tuple[str, ...]
    text: str
    relevance: float
    topics: frozenset[str]
    parties: frozenset[str]
    case_id: int | None
    adds: str
    guilds: frozenset[int]
    alert: bool = True
    status: str | None = None
    language: str = "und"
    source: str = ""
    url: str = ""
    countries: tuple[str, ...] = ()
    titles: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def sources_in(self, guild_id: int) -> tuple[str, ...]:
        """Give what a server calls its sources."""
        return self.titles.get(guild_id) or (self.source,)


@dataclass(frozen=True, slots=True)
class Clause:
    """One question that was put to a story: its name, whether it passed, and why in words."""

    name: str
    passed: bool
    reason: str


def alert(story: RoutedStory) -> Clause:
    """Ask whether a story is new, and not a part of a feed's history."""
    return Clause(
        "alert",
        story.alert,
        told("new") if story.alert else told("part of a feed's history: nobody is alerted"),
    )


def feed(story: RoutedStory, guild_id: int) -> Clause:
    """Ask whether a feed of a server brought it."""
    if guild_id in story.guilds:
        return Clause("feed", True, told("from a feed of this server"))
    return Clause("feed", False, told("no feed of this server brought it"))


def pause(paused: bool, what: str) -> Clause:
    """Ask whether the wish (`what`) rests."""
    return Clause(
        "paused",
        not paused,
        told("{what} is paused", what=what) if paused else told("{what} is active", what=what),
    )


def when(when: str) -> Clause:
    """Say when it comes; passes always."""
    return Clause(
        "when", True, told("at once") if when == "now" else told("gathered for the {when} digest", when=when)
    )


def topics(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some topics; none stands for any."""
    if not wanted:
        return Clause("topics", True, told("any topic"))
    met = [topic for topic in wanted if topic in story.topics]
    if met:
        return Clause("topics", True, told("topic {topics}", topics=", ".join(met)))
    has = ", ".join(sorted(story.topics)) or told("none")
    return Clause(
        "topics",
        False,
        told("its topics ({topics}) are none of {topics2}", topics=has, topics2=", ".join(wanted)),
    )


def parties(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some parties; none stands for any."""
    if not wanted:
        return Clause("parties", True, told("any party"))
    met = [party for party in wanted if name_key(party) in story.parties]
    if met:
        return Clause("parties", True, told("party {met}", met=", ".join(met)))
    return Clause("parties", False, told("no part in it has {wanted}", wanted=", ".join(wanted)))


def keywords(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some words or phrases; none stands for any."""
    if not wanted:
        return Clause("keywords", True, told("any words"))
    met = [keyword for keyword in wanted if says(story, keyword)]
    if met:
        return Clause("keywords", True, told("says {met}", met=", ".join(met)))
    return Clause("keywords", False, told("says none of {wanted}", wanted=", ".join(wanted)))


def exclude(story: RoutedStory, unwanted: tuple[str, ...]) -> Clause:
    """Ask that none of some words or phrases is said."""
    met = [keyword for keyword in unwanted if says(story, keyword)]
    if met:
        return Clause("exclude", False, told("excluded because it says {met}", met=", ".join(met)))
    return Clause("exclude", True, told("nothing excluded") if unwanted else told("no exclusions"))


def statuses(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some statuses of its demand."""
    has = story.status or told("none")
    if has in wanted:
        return Clause("statuses", True, told("status {status}", status=has))
    return Clause(
        "statuses",
        False,
        told("its status ({status}) is none of {status2}", status=has, status2=", ".join(wanted)),
    )


def countries(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some countries."""
    met = [country for country in wanted if country in story.countries]
    if met:
        return Clause("countries", True, told("country {met}", met=", ".join(met)))
    has = ", ".join(story.countries) or told("none known")
    return Clause(
        "countries",
        False,
        told("its countries ({has}) are none of {wanted}", has=has, wanted=", ".join(wanted)),
    )


def languages(story: RoutedStory, wanted: tuple[str, ...]) -> Clause:
    """Ask for any of some languages."""
    if story.language in wanted:
        return Clause("languages", True, told("language {language}", language=story.language))
    return Clause(
        "languages",
        False,
        told(
            "its language ({language}) is none of {wanted}", language=story.language, wanted=", ".join(wanted)
        ),
    )


def sources(story: RoutedStory, wanted: tuple[str, ...], guild_id: int) -> Clause:
    """Ask for any of some sources, as the server calls them."""
    met = [source for source in wanted if _is_from(story, source, guild_id)]
    if met:
        return Clause("sources", True, told("source {met}", met=", ".join(met)))
    return Clause(
        "sources",
        False,
        told(
            "its source ({source}) is none of {wanted}",
            source=", ".join(dict.fromkeys(filter(None, story.sources_in(guild_id)))) or told("unnamed"),
            wanted=", ".join(wanted),
        ),
    )


def exclude_sources(story: RoutedStory, unwanted: tuple[str, ...], guild_id: int) -> Clause:
    """Ask that it is from none of some sources, as the server calls them."""
    met = [source for source in unwanted if _is_from(story, source, guild_id)]
    if met:
        return Clause("exclude_sources", False, told("excluded because it is from {met}", met=", ".join(met)))
    return Clause("exclude_sources", True, told("from no excluded source"))


def _is_from(story: RoutedStory, source: str, guild_id: int) -> bool:
    """Tell whether a story is from a source: named by its title ("The Record"), its site ("record.example")
    or an address there."""
    wanted = name_key(source)
    site = (_host(wanted) or wanted).removeprefix("www.")
    return wanted in map(name_key, story.sources_in(guild_id)) or f".{_host(story.url)}".endswith(f".{site}")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def relevance(story: RoutedStory, least: float) -> Clause:
    """Ask for so much relevance."""
    passed, number = story.relevance >= least, f"{story.relevance:.2f}"
    return Clause(
        "relevance",
        passed,
        told("relevance {number} reaches {least}", number=number, least=f"{least:.2f}")
        if passed
        else told("relevance {number} is below {least}", number=number, least=f"{least:.2f}"),
    )


def subscribed(story: RoutedStory, kind: str, value: str) -> Clause:
    """Ask what a subscription of a kind (topic, party, case or search) asks."""
    if kind == "topic":
        return topics(story, (value,))
    if kind == "party":
        return parties(story, (value,))
    if kind == "case":
        passed = story.case_id is not None and str(story.case_id) == value
        return Clause(
            "case", passed, told("belongs to the case") if passed else told("belongs to another case")
        )
    missing = misses(value, findable_in(story), story.language)
    if missing:
        return Clause("search", False, told("does not meet {missing}", missing=", ".join(missing)))
    return Clause("search", True, told("meets the search {value}", value=value))


def findable_in(story: RoutedStory) -> tuple[str, ...]:
    """Give the texts of a story in which `/search` finds words."""
    return (story.title, *sorted(story.parties), *story.summary, story.text)


def says(story: RoutedStory, keyword: str) -> bool:
    """Tell whether a story says a word or phrase, whole words only; "subpoena*" takes any ending."""
    wanted = fold(keyword)
    if not wanted.strip():
        return False
    if keyword.rstrip().endswith("*"):
        wanted = wanted[:-1]
    return wanted in _words(story.title, story.summary, story.text)


@lru_cache(maxsize=16)
def _words(title: str, summary: tuple[str, ...], text: str) -> str:
    return fold(" ".join((title, *summary, text)))


def fold(text: str) -> str:
    """Bring a text into the form in which words are compared: " case folded words ", one blank between."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(words)} "
