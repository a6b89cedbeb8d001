"""Mending the commonest faults of feeds before giving up on a strict reading; each step is linear."""

from __future__ import annotations

import re
from typing import Final

from bot.feeds.reading.doctype import named_characters
from bot.feeds.reading.limits import MAX_MENDED_BYTES

_FORBIDDEN: Final = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0B, 0x0C, 0x0D))
_SPACES: Final = bytes.maketrans(b"\x0b\x0c", b"  ")
_MOST_AMPERSANDS: Final = 200_000
_BARE_AMPERSAND: Final = re.compile(rb"&(?!(?:[A-Za-z_][\w.-]{0,40}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_CHARACTER: Final = re.compile(rb"&#(?:([0-9]{1,7})|x([0-9A-Fa-f]{1,6}));")
_START: Final = re.compile(
    rb"<\?xml\s|<(?:[A-Za-z][\w.-]{0,30}:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE
)


def trimmed(document: bytes) -> bytes:
    """Take off what stands before the document: white space, warnings of a script, a stray BOM."""
    if not document.startswith((b"<?xml ", b"<rss", b"<feed")):
        document = document.lstrip(b" \t\r\n\x00\xef\xbb\xbf")
    if document.startswith((b"<?", b"<!", b"{", b"[")):
        return document
    start = _START.search(document, 0, 8192)
    return document[start.start() :] if start else document


def mended(document: bytes) -> bytes:
    """Give the document, up to the bound, without forbidden characters, bare ampersands and references
    that nobody declared.
    """
    document = document[:MAX_MENDED_BYTES].translate(_SPACES, _FORBIDDEN)
    document = document.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    document = _outside_cdata(document)
    head, _, rest = document.partition(b"?>")
    if head.startswith(b"<?xml") and len(head) < 400:
        document = rest.lstrip()  # one that expat stumbled over may be broken; UTF-8 needs none
    return document


def _outside_cdata(document: bytes) -> bytes:
    """Mend ampersands and references, but not in CDATA sections, where they mean themselves."""
    pieces: list[bytes] = []
    position = 0
    while True:
        start = document.find(b"<![CDATA[", position)
        end = document.find(b"]]>", start) if start != -1 else -1
        if end == -1:
            pieces.append(_references(document[position:]))
            return b"".join(pieces)
        pieces.append(_references(document[position:start]))
        pieces.append(document[start : end + 3])
        position = end + 3


def _references(text: bytes) -> bytes:
    ampersands = text.count(b"&")
    if not ampersands or ampersands > _MOST_AMPERSANDS:
        return text
    text = _BARE_AMPERSAND.sub(b"&amp;", text)
    return _CHARACTER.sub(_allowed, named_characters(text))


def _allowed(match: re.Match[bytes]) -> bytes:
    code = int(match.group(1)) if match.group(1) else int(match.group(2), 16)
    valid = (
        code in (0x09, 0x0A, 0x0D)
        or 0x20 <= code < 0xD800
        or 0xE000 <= code < 0xFFFE
        or 0x10000 <= code < 0x110000
    )
    return match.group() if valid else b""
