"""What people type into a rule or subscription, checked: in, their words; out, values that can be met."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from bot.alerts.clauses import fold
from bot.alerts.errors import WishError
from bot.alerts.foreign import plain_text
from bot.alerts.routing import WHEN, Condition
from bot.alerts.searching import can_be_asked
from bot.stories.countries import all_countries, country_named
from bot.stories.model import STATUSES, TOPICS
from bot.stories.naming import canonical_name
from bot.words import mark, say
from db.stems import fold as without_accents
from db.stories import name_key

MOST_ITEMS = 25
LONGEST_ITEM = 80
LONGEST_SOURCE = 300  # as long as a feed's title
STYLES = ("full", "compact")
THREADS = ("off", "case")
DELIVERIES = ("now", "daily", "weekly")  # of subscriptions
MOST_A_DAY = 1000
USUAL_A_DAY = 20  # posts of a new rule, where nothing is said
MOST_REVIEW_HOURS = 168
REVIEW_ENDS = ("drop", "post")
LONGEST_SEARCH = 200
_A_WORD = 4  # letters of a word that says something by itself
# How alike what was typed and a name are, 0 to 1, where that name is told as meant: what is less alike is
# often the opposite ("thrown out" is not withdrawn, "dropped" not complied).
_MUCH_LIKE = 0.6
_LANGUAGE = re.compile(r"[a-z]{2,3}")

Listed = str | Sequence[str]  # a list as it is typed, separated by commas, or as a file has it


def parse_list(typed: Listed, what: str, *, longest: int = LONGEST_ITEM) -> tuple[str, ...]:
    """Split a comma-separated list, or take one that is split; each item once, in the order given."""
    said = typed.split(",") if isinstance(typed, str) else typed
    items = {" ".join(item.split()): None for item in said if item.strip()}
    if len(items) > MOST_ITEMS:
        raise WishError(
            say(
                "A rule takes at most {most} {what}; make a second rule for the rest.",
                most=MOST_ITEMS,
                what=say(what),
            )
        )
    for item in items:
        if len(item) > longest:
            raise WishError(
                say(
                    "“{item}” is too long; {what} have at most {most} characters.",
                    item=plain_text(item, 40),
                    what=say(what),
                    most=longest,
                )
            )
    return tuple(items)


def parse_sources(typed: Listed) -> tuple[str, ...]:
    """Split a comma-separated list of sources: feeds' titles or sites."""
    return parse_list(typed, mark("sources"), longest=LONGEST_SOURCE)


def parse_words(typed: Listed, what: str) -> tuple[str, ...]:
    """Split a comma-separated list of words and phrases; "subpoena*" stands for any ending."""
    words = parse_list(typed, what)
    for word in words:
        if not fold(word).strip():
            raise WishError(
                say(
                    "“{item}” holds no word; {what} are words or phrases.",
                    item=plain_text(word, 40),
                    what=say(what),
                )
            )
    return words


def parse_topics(typed: Listed) -> tuple[str, ...]:
    """Split a comma-separated list of topics."""
    return tuple(dict.fromkeys(parse_topic(item) for item in parse_list(typed, mark("topics"))))


def parse_topic(typed: str) -> str:
    """Check a topic; an unknown one is answered with the one that was likely meant."""
    return one_of(typed, TOPICS, "topic")


def parse_statuses(typed: Listed) -> tuple[str, ...]:
    """Split a comma-separated list of statuses."""
    return tuple(
        dict.fromkeys(one_of(item, STATUSES, mark("status")) for item in parse_list(typed, mark("statuses")))
    )


def parse_languages(typed: Listed) -> tuple[str, ...]:
    """Split a comma-separated list of languages, by their codes ("en", "de")."""
    codes = tuple(dict.fromkeys(item.casefold() for item in parse_list(typed, mark("languages"))))
    for code in codes:
        if not _LANGUAGE.fullmatch(code):
            raise WishError(
                say(
                    "“{item}” is no language; use its code, such as en, de or fr.",
                    item=plain_text(code, 40),
                )
            )
    return codes


def parse_condition(typed: Listed) -> Condition:
    """Read when a story is special: statuses and at most one figure of relevance ("quashed, upheld, 0.9")."""
    statuses, relevance = [], None
    for item in parse_list(typed, mark("conditions")):
        figure = item.casefold().removeprefix("relevance").strip(" >=")
        if not figure[:1].isdigit() and figure[:1] not in ("-", "+", "."):
            statuses.append(one_of(item, STATUSES, mark("status")))
            continue
        try:
            found = parse_relevance(float(figure))
        except ValueError:
            raise WishError(
                say(
                    "“{item}” is no figure; write statuses and a relevance: quashed, 0.9.",
                    item=plain_text(item, 40),
                )
            ) from None
        relevance = found if relevance is None else min(relevance, found)
    return Condition(tuple(dict.fromkeys(statuses)), relevance)


def parse_search(typed: str) -> str:
    """Check a search that is subscribed to; spaces are evened out, so that the same is the same."""
    query = " ".join(typed.split())
    if len(query) > LONGEST_SEARCH:
        raise WishError(
            say("A search has at most {most} characters; leave some words out.", most=LONGEST_SEARCH)
        )
    if not can_be_asked(query):
        raise WishError(
            say("There is no word in that search; write words that must occur, such as geofence.")
        )
    return query


async def canonical_parties(parties: Iterable[str]) -> list[str]:
    """Give each party's one name; off the event loop, because the first call reads the gazetteer."""
    names = await asyncio.to_thread(lambda: [canonical_name(party) for party in parties])
    return list({name_key(name): name for name in names}.values())


async def known_countries(typed: Iterable[str]) -> list[str]:
    """Give each country's one name; off the event loop, because the first call reads the gazetteer."""
    return await asyncio.to_thread(lambda: list(dict.fromkeys(_country(one) for one in typed)))


def _country(typed: str) -> str:
    return country_named(typed) or one_of(typed, all_countries(), mark("country"))


def parse_relevance(relevance: float | None) -> float:
    """Check how sure Quash must be; 0.5 where nothing is said."""
    if relevance is None:
        return 0.5
    if not 0.0 <= relevance <= 1.0:
        raise WishError(
            say(
                "A relevance of {relevance} is not possible; it goes from 0 (everything) to 1.",
                relevance=f"{relevance:g}",
            )
        )
    return relevance


def parse_daily_limit(limit: int | None) -> int | None:
    """Check how many posts a day a rule makes; None (no limit) for 0, and where nothing is said."""
    if limit is not None and not 0 <= limit <= MOST_A_DAY:
        raise WishError(
            say(
                "A daily limit of {limit} is not possible; it goes from 1 to {most}, 0 for none.",
                limit=limit,
                most=MOST_A_DAY,
            )
        )
    return limit or None


def parse_style(style: str) -> str:
    """Check a style."""
    return one_of(style, STYLES, mark("style"))


def parse_thread(thread: str) -> str:
    """Check whether a case's messages stand in a thread of their own."""
    return one_of(thread, THREADS, mark("thread"))


def parse_review_hours(hours: int | None) -> int:
    """Check how many hours moderators have to decide about a story; 12 where nothing is said."""
    if hours is not None and not 1 <= hours <= MOST_REVIEW_HOURS:
        raise WishError(
            say(
                "A review of {hours} hours is not possible; it takes from 1 to {most}.",
                hours=hours,
                most=MOST_REVIEW_HOURS,
            )
        )
    return hours or 12


def parse_review_then(end: str) -> str:
    """Check what becomes of a story that no moderator decided on in time."""
    return one_of(end, REVIEW_ENDS, "“review_then”")


def parse_when(when: str) -> str:
    """Check when a rule's stories come."""
    return one_of(when, WHEN, mark("“when”"))


def parse_delivery(delivery: str) -> str:
    """Check when a subscription's stories come."""
    return one_of(delivery, DELIVERIES, mark("delivery"))


def one_of(typed: str, known: Sequence[str], what: str, called: Callable[[str], str] = say) -> str:
    """Check a name of a closed list, in English, as the reader is shown it (`called`) or by its initials, in
    any way of writing; an unknown one is answered with the one that was likely meant."""
    names = {written(name): name for name in known} | {written(called(name)): name for name in known}
    short = {initials(name): name for name in known} | names
    wanted = written(typed)
    if wanted and wanted in short:
        return short[wanted]
    near = _meant(wanted, names)
    hint = (
        say("did you mean {name}?", name=called(names[near]))
        if near
        else say("known are {names}.", names=", ".join(map(called, known)))
    )
    raise WishError(
        say("There is no {what} “{name}”; {hint}", what=say(what), name=plain_text(typed, 60), hint=hint)
    )


def _meant(wanted: str, names: Collection[str]) -> str:
    """Give the name that was likely meant, "" for none: one that stands within what was typed, one that
    begins with the same word ("Geofence-Anordnung"), else one that is written much alike."""
    held = [name for name in names if len(name) >= _A_WORD and f" {name} " in f" {wanted} "]
    if held:
        return max(held, key=len)
    first = wanted.partition(" ")[0]
    alike = [name for name in names if len(first) >= _A_WORD and f"{name} ".startswith(f"{first} ")]
    near = difflib.get_close_matches(wanted, alike, n=1, cutoff=0)
    return "".join(near or difflib.get_close_matches(wanted, names, n=1, cutoff=_MUCH_LIKE))


def written(name: str) -> str:
    """Give a name without what people write differently: capitals, accents, hyphens."""
    words = name.casefold().replace("-", " ").replace("_", " ").split()
    return " ".join(map(without_accents, words))


def initials(name: str) -> str:
    """Give what a name of three words or more is called for short ("NSL"), "" for others."""
    words = written(name).split()
    return "".join(word[0] for word in words) if len(words) > 2 else ""
