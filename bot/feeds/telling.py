"""What the people who use a feed are told of it, once each: what happened, and what can be done. Pure.

Texts hold words of strangers (titles, hosts): whoever shows them makes them safe first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import told

_NAMES = 900  # characters of the names in one text
_NAME = 80

# By cause (`FetchError.kind`, "parse", or a status as text): what a moderator can do about it.
_WAIT = told("Quash goes on trying; if the site has moved, add its new address with /feeds add.")
_MOVED = told("Look for its new address and add that with /feeds add, or end it with /feeds remove.")
_PUBLISHER = told("Only the publisher can put that right; ask them, or end it with /feeds remove.")
_TO_BE_DONE = {
    "dns": _MOVED,
    "tls": _PUBLISHER,
    "answer": _PUBLISHER,
    "parse": _MOVED,
    "large": told("Ask the publisher for a shorter feed, or end it with /feeds remove."),
    "redirect": _MOVED,
    "forbidden": _MOVED,
    "address": _MOVED,
    "401": told("Look for a feed without log-in and add that with /feeds add, or end it with /feeds remove."),
    "403": told("Ask the publisher to let Quash in, or end it with /feeds remove."),
    "404": _MOVED,
    "429": told(
        "Quash asks ever more rarely; ask the publisher to let Quash in, or end it with /feeds remove."
    ),
    "451": told("End it with /feeds remove."),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told; `kind` is failing, back, gone, moved or rebuilt.

    `name` is the feed's, with which `text` begins, and `host` its server's; both are known when it is read
    for telling.
    """

    kind: str
    text: str
    name: str = ""
    host: str = ""

    @property
    def matter(self) -> tuple[str, str, str]:
        """What feeds of one server have in common that are told of in one message."""
        return self.kind, self.host, self.text.removeprefix(self.name)


def together(notices: Sequence[Notice]) -> str:
    """Put notices of one matter in one text that names the feeds."""
    if len(notices) == 1:
        return notices[0].text
    names: list[str] = []
    room = _NAMES
    for notice in notices:
        room -= min(len(notice.name), _NAME)
        if room < 0:
            break
        names.append(notice.name if len(notice.name) <= _NAME else notice.name[: _NAME - 1] + "…")
    them = "; ".join(names)
    if len(names) < len(notices):
        them = told("{names} and {number} more", names=them, number=len(notices) - len(names))
    all_of_them = told("Each of these {number} feeds of {host}", number=len(notices), host=notices[0].host)
    rest = notices[0].text.removeprefix(notices[0].name)
    return f"{all_of_them}{rest} {told('They are: {names}.', names=them)}"


def failing(name: str, error: str, *, cause: str) -> Notice:
    """Say that a feed fails for long (`rhythm.FAILS_FOR_LONG`). `error` is a sentence."""
    said = told("{name} could not be read for a day: {error}", name=name, error=error)
    return Notice("failing", f"{said} {_TO_BE_DONE.get(cause, _WAIT)}")


def back(name: str) -> Notice:
    """Say that a feed that failed works again."""
    return Notice("back", told("{name} can be read again.", name=name))


def back_rebuilt(name: str, new: int) -> Notice:
    """Say both of a feed: that it works again, and that entries were kept back (`rebuilt`)."""
    return Notice(
        "back",
        told(
            "{name} can be read again, but was rebuilt: {number} entries look new at once, so nobody is "
            "alerted of them; they can be looked up with /latest and /search.",
            name=name,
            number=new,
        ),
    )


def gone(name: str) -> Notice:
    """Say that a feed has ended (410)."""
    return Notice(
        "gone",
        told(
            "{name} is gone for good, says its server, and is looked at no more; if it has a successor, "
            "add that with /feeds add, and take this one off the list with /feeds remove.",
            name=name,
        ),
    )


def moved(name: str, host: str) -> Notice:
    """Say that a feed has another address."""
    return Notice(
        "moved",
        told(
            "{name} moved for good to {host} and is followed there; nothing needs to be done.",
            name=name,
            host=host,
        ),
    )


def rebuilt(name: str, new: int) -> Notice:
    """Say that entries were kept back, as a feed shows all of them anew."""
    return Notice(
        "rebuilt",
        told(
            "{name} was rebuilt: {number} entries look new at once, so nobody is alerted of them; "
            "they can be looked up with /latest and /search.",
            name=name,
            number=new,
        ),
    )
