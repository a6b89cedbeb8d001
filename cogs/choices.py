"""Completion of what can be known: topics, instruments, statuses, parties, cases; and "did you mean"."""

from __future__ import annotations

import asyncio
import difflib
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from discord import app_commands

from bot.alerts.foreign import plain_text
from bot.alerts.wishes import initials, written
from bot.alerts.wishes import one_of as one_of
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.stories.naming import canonical_name
from bot.words import mark, say

_MOST = 25  # choices that Discord shows
_LENGTH = 100  # characters of a choice
_gazetteer_read = threading.Event()
_LIKE = 0.5  # how alike what was typed and a name are where that name may be meant, 0 to 1


def topic(value: str | None) -> str | None:
    """Check a topic."""
    return one_of(value, TOPICS, mark("topic")) if value else None


def instrument(value: str | None) -> str | None:
    """Check an instrument."""
    return one_of(value, INSTRUMENTS, mark("instrument")) if value else None


def status(value: str | None) -> str | None:
    """Check a status."""
    return one_of(value, STATUSES, mark("status")) if value else None


async def party(value: str | None) -> str:
    """Give a party's canonical name, "" where nothing was typed.

    The first call reads the gazetteer, which takes a third of a second: off the event loop. Afterwards it
    takes less than to wait for a thread while those are busy with pages and names of hosts.
    """
    if not value:
        return ""
    if not _gazetteer_read.is_set():
        await asyncio.to_thread(canonical_name, value)
        _gazetteer_read.set()
    return canonical_name(value)


def matching(
    typed: str, names: Iterable[str], called: Callable[[str], str] = say
) -> list[app_commands.Choice[str]]:
    """Give the names that go with what was typed: beginnings first, then parts, then look-alikes.

    A name of the closed lists is shown and known in the reader's language too (`called`); its value stays the
    same.
    """
    wanted = written(typed)
    known = {name: (written(name), written(called(name))) for name in names}
    short = {name: (*ways, initials(name)) for name, ways in known.items()}
    starts = [name for name, ways in short.items() if any(way.startswith(wanted) for way in ways)]
    parts = [
        name for name, ways in known.items() if any(wanted in way for way in ways) and name not in starts
    ]
    found = starts + parts
    if not found:
        name_of = {way: name for name, ways in known.items() for way in ways}
        near = difflib.get_close_matches(wanted, name_of, n=_MOST, cutoff=_LIKE)
        found = list(dict.fromkeys(map(name_of.__getitem__, near)))  # the likeliest first
    return [app_commands.Choice(name=called(n)[:_LENGTH], value=n[:_LENGTH]) for n in found[:_MOST]]


def numbered(typed: object, named: Iterable[tuple[int, str]]) -> list[app_commands.Choice[int]]:
    """Give what is chosen by its number, as far as its name holds what was typed."""
    wanted = str(typed).casefold()
    fitting = ((number, name) for number, name in named if wanted in name.casefold())
    return [
        app_commands.Choice(name=plain_text(name, _LENGTH), value=number)
        for number, name in islice(fitting, _MOST)
    ]


def matching_last(
    typed: str, names: Sequence[str], called: Callable[[str], str] = say
) -> list[app_commands.Choice[str]]:
    """The same for a comma-separated list: the last item is completed, those before it are kept."""
    *before, last = typed.split(",")
    taken = set(map(written, before))
    free = [name for name in names if taken.isdisjoint((written(name), written(called(name))))]
    return in_list(typed, matching(last, free, called))


def in_list(typed: str, fitting: Iterable[app_commands.Choice[str]]) -> list[app_commands.Choice[str]]:
    """Put each of these in the place of the last item of a comma-separated list.

    What is longer than a choice is left out: cut, it would name something else.
    """
    head, comma, _ = typed.rpartition(",")
    before = f"{head}{comma} ".lstrip() if comma else ""
    whole = [(before + choice.name, before + choice.value) for choice in fitting]
    return [
        app_commands.Choice(name=name if len(name) <= _LENGTH else value, value=value)
        for name, value in whole
        if len(value) <= _LENGTH
    ]
