"""Text and addresses from outside, made safe for a Discord message.

What must hold of everything that leaves this module: Discord shows it as plain words. It never pings,
never becomes a link, a timestamp, a command or an emoji, and never breaks out of the place it stands in.
Texts are cut between graphemes, after escaping, so that a cut undoes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import regex

# An invisible character that no rule of Discord's Markdown passes over: tokens are broken with it.
BREAK = "\u200b"
ELLIPSIS = "…"

_MARKDOWN = frozenset("\\*_~`|[]")
_AT_START = frozenset("#>-+")
_INVITES = ("discord.gg", "discord.com", "discordapp.com", "discord.me", "discord.new")
# The two letters i of Turkish that `casefold` leaves apart from "i", and others' comparisons do not.
_DOTS = str.maketrans("\u0130\u0131", "ii")
_BRACKETS = str.maketrans("[](){}<>", "［］（）｛｝＜＞")
# Controls, format characters (bidirectional, zero-width, tags), lone surrogates, private use, and what
# Unicode tells programs not to show (fillers, variation selectors).
_INVISIBLE = regex.compile(
    r"[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]"
)
_STACKED = regex.compile(r"(?<=[\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+")
_GRAPHEME = regex.compile(r"\X")
_HOST = regex.compile(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?")
_LONGEST_URL = 600
# RFC 3986's characters less those that mean something to Discord's Markdown, to a mention ("@") or to
# whoever quotes an address.
_URL_KEPT = "-._~/?#!$&+,;=%:"


def clean(text: str) -> str:
    """Take out what cannot be seen and fold white space: one line of visible text.

    At most four combining marks stay on a letter.
    """
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join(_STACKED.sub("", _INVISIBLE.sub("", spaced)).split())


def width(text: str) -> int:
    """Give a text's length as Discord's limits count it, in UTF-16 units (the strictest reading)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def safe_text(text: str, limit: int) -> str:
    """Make a text from outside plain words in a message, at most `limit` units long, escapes included.

    It may stand anywhere in a line but inside a masked link's brackets: see `link`.
    """
    made: list[str] = []
    before, length = "", 0
    cleaned = clean(text)
    for grapheme in _GRAPHEME.findall(cleaned):
        if length > limit:  # what comes now is cut off
            break
        unit = ""
        for character in grapheme:
            unit += _escaped(character, before, cleaned[len(before) + 1 : len(before) + 2])
            before += character
        made.append(unit)
        length += len(unit)
    return _cut(made, limit)


def feed_label(number: int, title: str, url: str, limit: int = 80) -> str:
    """Give a feed's number and name as lists show them; its host where it has no title."""
    return f"**#{number}** {safe_text(title, limit) or host(url)}"


def plain_text(text: str, limit: int) -> str:
    """Cut a text from outside for a place that knows no Markdown (a choice, a label, a terminal)."""
    return _cut(_GRAPHEME.findall(clean(text)), limit)


def link(text: str, url: str, limit: int) -> str:
    """Make a text from outside a link, or plain words where the address is none that can be linked.

    Brackets and parentheses of the text become their full-width forms: in whatever way Discord's parser
    pairs brackets, the text holds none. `limit` is the text's; the address adds at most 600.
    """
    address = safe_url(url)
    if address is None:
        return safe_text(text, limit)
    label = safe_text(clean(text).translate(_BRACKETS), limit) or host(url)
    return f"[{label}]({address})"


def safe_url(url: str) -> str | None:
    """Give an address in a form that nothing breaks out of; None when it should not be linked.

    http and https only, with a host, without credentials, in ASCII (host in punycode, the rest in percent
    encoding), at most 600 characters.
    """
    if _INVISIBLE.search(url):
        return None
    try:
        parts = urlsplit(url.strip())
        name = _ascii_host(parts.hostname or "")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return None
    made = f"{parts.scheme}://{name}{port}{quote(parts.path or '/', safe=_URL_KEPT)}"
    if parts.query:
        made += "?" + quote(parts.query, safe=_URL_KEPT)
    if parts.fragment:
        made += "#" + quote(parts.fragment, safe=_URL_KEPT)
    return made if len(made) <= _LONGEST_URL else None


def host(url: str) -> str:
    """Give an address's host for people, safe as text; "" where there is none.

    A name with letters beyond ASCII is shown as written when all of them are Latin; otherwise in
    punycode, because one script's letters can pass for another's.
    """
    try:
        shown = _ascii_host(urlsplit(url.strip()).hostname or "").removeprefix("www.")
        as_written = shown.encode("ascii").decode("idna")
    except ValueError:
        return ""
    latin = all(not c.isalpha() or unicodedata.name(c, "").startswith("LATIN ") for c in as_written)
    return safe_text(as_written if latin else shown, 100)


def _ascii_host(name: str) -> str:
    """Bring a host into ASCII. Raises `ValueError` for what is no host name."""
    made = name.encode("idna").decode("ascii").lower().rstrip(".")
    if not _HOST.fullmatch(made):
        raise ValueError("no host name")
    return made


def _escaped(character: str, before: str, after: str) -> str:
    """Make one character harmless where it stands.

    A backslash keeps punctuation from being Markdown. It does not keep "<@1>" or "@everyone" from being
    a mention, nor "://" or an invitation from being a link: there the token is broken.
    """
    if character in "<@" or (character == ":" and after == "/"):
        return character + BREAK
    if character == "/" and before[-20:].translate(_DOTS).casefold().endswith(_INVITES):
        return BREAK + character
    starts_line = (character in _AT_START and not before) or (character == "." and before.isdecimal())
    return "\\" + character if character in _MARKDOWN or starts_line else character


def _cut(units: Sequence[str], limit: int) -> str:
    """Join units as far as they fit into `limit`, with an ellipsis where some did not."""
    whole = "".join(units)
    if width(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - width(ELLIPSIS)
    for unit in units:
        room -= width(unit)
        if room < 0:
            break
        kept.append(unit)
    return "".join(kept).rstrip() + ELLIPSIS if limit > 0 else ""
