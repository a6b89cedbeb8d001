"""A small reader of Discord's Markdown, for tests: what would a reader's client make of a text?

Written from how the client behaves, not from the code under test. `read` gives the inline pieces of one
text; `tokens` what Discord finds in the raw text whatever the Markdown says (mentions, commands,
timestamps are found there even behind a backslash).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    kind: str  # text, link, url, code, strong, emphasis, underline, strike, spoiler, or a token's kind
    text: str
    target: str = ""


_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_LINK = re.compile(
    r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]"
    r"\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['\"]([\s\S]*?)['\"])?\s*\)"
)
_INLINE = (
    ("url", re.compile(r"<?(?:https?|discord|steam)://[^\s<]*[^<.,:;\"'\]\s]>?", re.IGNORECASE)),
    ("invite", re.compile(r"(?:discord\.gg|discord(?:app)?\.com/invite)/[\w-]+", re.IGNORECASE)),
    ("code", re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")),
    ("strong", re.compile(r"\*\*([\s\S]+?)\*\*(?!\*)")),
    ("underline", re.compile(r"__([\s\S]+?)__(?!_)")),
    (
        "emphasis",
        re.compile(
            r"\b_((?:__|\\[\s\S]|[^\\_])+?)_\b|\*(?=\S)((?:\*\*|\s+(?:[^*\s]|\*\*)|[^\s*])+?)\*(?!\*)"
        ),
    ),
    ("strike", re.compile(r"~~([\s\S]+?)~~")),
    ("spoiler", re.compile(r"\|\|([\s\S]+?)\|\|")),
)
_TOKEN = re.compile(
    r"(?P<mention><@[!&]?\d+>|<#\d+>|@everyone|@here)"
    r"|(?P<timestamp><t:-?\d+(?::[tTdDfFR])?>)"
    r"|(?P<command></[^:>]+:\d+>)|(?P<emoji><a?:\w+:\d+>)|(?P<place><id:\w+>)"
)
_LINE = re.compile(r"^(?:\s*(?:#{1,3}|-#|>{1,3}|[-*+]|\d+\.)\s)")


def read(text: str) -> list[Piece]:
    """Give the inline pieces of a text, neighbouring plain text joined."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        piece, at = _piece(text, at)
        if piece.kind == "text" and pieces and pieces[-1].kind == "text":
            piece = Piece("text", pieces.pop().text + piece.text)
        pieces.append(piece)
    return pieces


def _piece(text: str, at: int) -> tuple[Piece, int]:
    if found := _ESCAPE.match(text, at):
        return Piece("text", found[1]), found.end()
    if found := _TOKEN.match(text, at):
        return Piece(found.lastgroup or "", found[0]), found.end()
    if found := _LINK.match(text, at):
        return Piece("link", found[1], found[2]), found.end()
    for kind, pattern in _INLINE:
        if found := pattern.match(text, at):
            inner = next((g for g in found.groups() if g and set(g) - {"`"}), found[0])
            return Piece(kind, inner), found.end()
    return Piece("text", text[at]), at + 1


def tokens(text: str) -> list[str]:
    """Give what is found in the raw text: mentions, timestamps, commands, emoji."""
    return [found[0] for found in _TOKEN.finditer(text)]


def starts_block(text: str) -> bool:
    """Tell whether a line would be a heading, quote, list item or small print."""
    return any(_LINE.match(line) for line in text.split("\n"))
