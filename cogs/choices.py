"""Completion of what can be known: topics, instruments, statuses, parties, cases; and "did you mean"."""

from __future__ import annotations

import asyncio
import difflib
import threading
from collections.abc import Callable, Iterable, Sequence

from discord import app_commands

from bot.errors import QuashError
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.stories.naming import canonical_name
from bot.words import mark, say
from db.stems import fold

_MOST = 25  # choices that Discord shows
_LENGTH = 100  # characters of a choice
_gazetteer_read = threading.Event()
_LIKE = 0.5  # how alike what was typed and a name are where that name may be meant, 0 to 1
# The same where one name alone is told as meant: what is less alike is often the opposite ("thrown out"
# is not withdrawn, "dropped" not complied).
_MUCH_LIKE = 0.6
_A_WORD = 4  # letters of a word that says something by itself
_SHOWN = 60  # characters of what was typed that an answer repeats


class UnknownNameError(QuashError):
    """An option's value is none of those that exist; names the likeliest."""


def one_of(value: str, allowed: Sequence[str], what: str, called: Callable[[str], str] = say) -> str:
    """Give the value in its canonical form, whichever way of writing and whether in English or the reader's
    language (`called`) it was typed. Raises `UnknownNameError` that says what was likely meant.
    """
    written = _key(value)
    known = {_key(name): name for name in allowed} | {_key(called(name)): name for name in allowed}
    short = {_initials(name): name for name in allowed} | known
    if written and written in short:
        return short[written]
    near = _meant(written, known)
    hint = (
        say("did you mean {name}?", name=called(known[near]))
        if near
        else say("known are {names}.", names=", ".join(map(called, allowed)))
    )
    shown = "".join(c for c in value[:_SHOWN] if c.isalnum() or c in " -_.")
    shown += "…" if len(value) > _SHOWN else ""
    raise UnknownNameError(say("There is no {what} “{name}”; {hint}", what=say(what), name=shown, hint=hint))


def _meant(written: str, known: Iterable[str]) -> str:
    """Give the known name that was likely meant, "" for none: one that stands within what was typed, one that
    begins with the same word ("Geofence-Anordnung"), else one that is written much alike.
    """
    first = written.partition(" ")[0]
    held = [name for name in known if len(name) >= _A_WORD and f" {name} " in f" {written} "]
    alike = [name for name in known if len(first) >= _A_WORD and f"{name} ".startswith(f"{first} ")]
    near = difflib.get_close_matches(written, alike, n=1, cutoff=0) if alike else []
    near = near or difflib.get_close_matches(written, list(known), n=1, cutoff=_MUCH_LIKE)
    return max(held, key=len) if held else "".join(near)


def _key(name: str) -> str:
    """Give a name without what people write differently: capitals, accents, hyphens."""
    return " ".join(map(fold, name.casefold().replace("-", " ").replace("_", " ").split()))


def _initials(name: str) -> str:
    """Give what a name of three words or more is called for short ("NSL"), "" for others."""
    words = _key(name).split()
    return "".join(word[0] for word in words) if len(words) > 2 else ""


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
    wanted = _key(typed)
    known = {name: (_key(name), _key(called(name))) for name in names}
    short = {name: (*written, _initials(name)) for name, written in known.items()}
    starts = [n for n, written in short.items() if any(w.startswith(wanted) for w in written)]
    parts = [n for n, written in known.items() if any(wanted in w for w in written) and n not in starts]
    found = starts + parts
    if not found:
        of_written = {w: name for name, written in known.items() for w in written}
        near = difflib.get_close_matches(wanted, of_written, n=_MOST, cutoff=_LIKE)
        found = list(dict.fromkeys(of_written[w] for w in near))  # the likeliest first
    return [app_commands.Choice(name=called(n)[:_LENGTH], value=n[:_LENGTH]) for n in found[:_MOST]]


def matching_last(
    typed: str, names: Sequence[str], called: Callable[[str], str] = say
) -> list[app_commands.Choice[str]]:
    """The same for a comma-separated list: the last item is completed, those before it are kept."""
    *before, last = typed.split(",")
    taken = set(map(_key, before))
    free = [name for name in names if taken.isdisjoint((_key(name), _key(called(name))))]
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
