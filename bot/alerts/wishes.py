"""What people type into a rule or subscription, checked: in, their words; out, values that can be met."""

from __future__ import annotations

import difflib

from bot.alerts.errors import WishError
from bot.alerts.foreign import plain_text
from bot.alerts.routing import fold
from bot.stories.model import TOPICS

MOST_ITEMS = 25
LONGEST_ITEM = 80
STYLES = ("full", "compact")


def parse_list(typed: str, what: str) -> tuple[str, ...]:
    """Split a comma-separated list; each item once, in the order given."""
    items = {" ".join(item.split()): None for item in typed.split(",") if item.strip()}
    if len(items) > MOST_ITEMS:
        raise WishError(f"A rule takes at most {MOST_ITEMS} {what}; make a second rule for the rest.")
    for item in items:
        if len(item) > LONGEST_ITEM:
            raise WishError(
                f"“{plain_text(item, 40)}” is too long; {what} have at most {LONGEST_ITEM} characters."
            )
    return tuple(items)


def parse_words(typed: str, what: str) -> tuple[str, ...]:
    """Split a comma-separated list of words and phrases; "subpoena*" stands for any ending."""
    words = parse_list(typed, what)
    for word in words:
        if not fold(word).strip():
            raise WishError(f"“{plain_text(word, 40)}” holds no word; {what} are words or phrases.")
    return words


def parse_topics(typed: str) -> tuple[str, ...]:
    """Split a comma-separated list of topics."""
    return tuple(dict.fromkeys(parse_topic(item) for item in parse_list(typed, "topics")))


def parse_topic(typed: str) -> str:
    """Check a topic; an unknown one is answered with the one that was likely meant."""
    wanted = typed.strip().casefold().replace(" ", "-").replace("_", "-")
    if wanted in TOPICS:
        return wanted
    near = difflib.get_close_matches(wanted, TOPICS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(TOPICS)}."
    raise WishError(f"There is no topic “{plain_text(typed, 40)}”; {hint}")


def parse_relevance(relevance: float | None) -> float:
    """Check how sure Quash must be; 0.5 where nothing is said."""
    if relevance is None:
        return 0.5
    if not 0.0 <= relevance <= 1.0:
        raise WishError(f"The relevance {relevance:g} cannot be; it goes from 0 (everything) to 1.")
    return relevance


def parse_style(style: str) -> str:
    """Check a style."""
    if style not in STYLES:
        raise WishError(f"There is no style “{plain_text(style, 40)}”; it is full or compact.")
    return style
