"""Completion of what can be known: topics, instruments, statuses, parties, cases; and "did you mean"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from discord import app_commands

from bot.errors import QuashError
from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from bot.words import mark, say

_MOST = 25  # choices that Discord shows
_LENGTH = 100  # characters of a choice


class UnknownNameError(QuashError):
    """An option's value is none of those that exist; names the likeliest."""


def one_of(value: str, allowed: Sequence[str], what: str) -> str:
    """Give the value in its canonical form. Raises `UnknownNameError` that says what was likely meant."""
    folded = value.strip().casefold()
    for name in allowed:
        if folded in (name.casefold(), say(name).casefold()):
            return name
    near = difflib.get_close_matches(folded, [name.casefold() for name in allowed], n=1, cutoff=0.5)
    hint = (
        say("did you mean {name}?", name=near[0])
        if near
        else say("known are {names}.", names=", ".join(allowed))
    )
    shown = "".join(c for c in value[:60] if c.isalnum() or c in " -_.")
    raise UnknownNameError(say("There is no {what} “{name}”; {hint}", what=say(what), name=shown, hint=hint))


def topic(value: str | None) -> str | None:
    """Check a topic."""
    return one_of(value, TOPICS, mark("topic")) if value else None


def instrument(value: str | None) -> str | None:
    """Check an instrument."""
    return one_of(value, INSTRUMENTS, mark("instrument")) if value else None


def status(value: str | None) -> str | None:
    """Check a status."""
    return one_of(value, STATUSES, mark("status")) if value else None


def matching(typed: str, names: Iterable[str]) -> list[app_commands.Choice[str]]:
    """Give the names that go with what was typed: beginnings first, then parts, then look-alikes.

    A name of the closed lists is shown and known in the reader's language too; its value stays the same.
    """
    wanted = typed.strip().casefold()
    known = list(dict.fromkeys(names))
    shown = {n: say(n) for n in known}
    starts = [n for n in known if n.casefold().startswith(wanted) or shown[n].casefold().startswith(wanted)]
    parts = [
        n for n in known if (wanted in n.casefold() or wanted in shown[n].casefold()) and n not in starts
    ]
    found = starts + parts
    if not found:
        near = difflib.get_close_matches(wanted, [n.casefold() for n in known], n=_MOST, cutoff=0.5)
        found = [n for n in known if n.casefold() in near]
    return [app_commands.Choice(name=shown[n][:_LENGTH], value=n[:_LENGTH]) for n in found[:_MOST]]


def matching_last(typed: str, names: Sequence[str]) -> list[app_commands.Choice[str]]:
    """The same for a comma-separated list: the last item is completed, those before it are kept."""
    head, comma, last = typed.rpartition(",")
    before = f"{head}{comma} " if comma else ""
    taken = {part.strip().casefold() for part in head.split(",")}
    fitting = matching(last, [n for n in names if n.casefold() not in taken])
    whole = [before.lstrip() + choice.value for choice in fitting]
    return [app_commands.Choice(name=w, value=w) for w in whole if len(w) <= _LENGTH]
