"""Discord's Markdown, as far as a bot's messages use it: lines of styled pieces.

https://support.discord.com/hc/en-us/articles/210298617 (headings, quotes, small print, bold, code, links,
escapes) and https://discord.com/developers/docs/reference#message-formatting (times, channels, roles).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_PIECE = re.compile(
    r"\\(?P<escaped>[^A-Za-z0-9\s])"
    r"|\*\*(?P<bold>(?:\\.|[^*\n]){1,2000})\*\*"
    r"|`(?P<code>[^`\n]{1,500})`"
    r"|\[(?P<label>(?:\\.|[^\]\\\n]){1,1000})\]\(<?(?P<url>https?://[^\s<>)]{1,2000})>?\)"
    r"|<t:(?P<time>-?\d{1,12})(?::(?P<style>[tTdDfFR]))?>"
    r"|<(?P<kind>#|@&|@)(?P<id>\d{1,20})>"
)
_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60))
_HEADING = re.compile(r"(#{1,3}) ")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text in one style."""

    text: str
    bold: bool = False
    code: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line. `kind`: text, heading, small or quote."""

    kind: str
    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str:
        """The line's words alone."""
        return "".join(piece.text for piece in self.pieces)


Name = Callable[[str, int], str]


def lines_of(text: str, name: Name, now: datetime) -> list[Line]:
    """Read a text. `name` gives the name behind a mention (kind "#", "@" or "@&", and its id)."""
    found: list[Line] = []
    for raw in text.split("\n"):
        kind, rest = "text", raw
        if heading := _HEADING.match(raw):
            kind, rest = "heading", raw[heading.end() :]
        elif raw.startswith("-# "):
            kind, rest = "small", raw[3:]
        elif raw.startswith("> "):
            kind, rest = "quote", raw[2:]
        elif raw.startswith(("- ", "* ")):
            rest = f"• {raw[2:]}"
        found.append(Line(kind, tuple(_pieces(rest, name, now, bold=False, url=None))))
    return found


def _pieces(text: str, name: Name, now: datetime, *, bold: bool, url: str | None) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            found.append(Piece(text[at : match.start()], bold=bold, url=url))
        at = match.end()
        if match["escaped"]:
            found.append(Piece(match["escaped"], bold=bold, url=url))
        elif match["bold"]:
            found += _pieces(match["bold"], name, now, bold=True, url=url)
        elif match["code"]:
            found.append(Piece(match["code"], code=True))
        elif match["label"]:
            found += _pieces(match["label"], name, now, bold=bold, url=match["url"])
        elif match["time"]:
            found.append(Piece(_time(int(match["time"]), match["style"] or "f", now), bold=bold))
        else:
            found.append(Piece(name(match["kind"], int(match["id"])), bold=True))
    if at < len(text):
        found.append(Piece(text[at:], bold=bold, url=url))
    return found


def _time(seconds: int, style: str, now: datetime) -> str:
    at = datetime.fromtimestamp(max(0, min(seconds, 253_402_300_799)), UTC)
    if style == "R":
        return _relative((at - now).total_seconds())
    if style in "tT":
        return at.strftime("%H:%M")
    if style == "d":
        return at.strftime("%d/%m/%Y")
    return at.strftime("%-d %B %Y" if style == "D" else "%-d %B %Y %H:%M")


def _relative(seconds: float) -> str:
    for unit, size in _UNITS:
        count = int(abs(seconds) // size)
        if count:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "in a moment" if seconds > 0 else "just now"
