"""Takes the attributes off tags that have so many that a parser is held up by them."""

from __future__ import annotations

import re
from typing import Final

_MOST: Final = 4_000
"""Attributes of one tag; libxml2 compares each with all before it: 20 ms for so many, by the square."""

_BETWEEN: Final = b" \t\n\r\f/\"'"  # one of these stands between any two attributes
_SCRIPT: Final = rb"<(?:script|style)\b[^>]*+>(?s:.*?)(?:</(?:script|style)|\Z)"
# A start tag up to its end; a quoted value may hold what would end it. Never goes back, so time is linear.
_VALUE: Final = rb"=\s*+(?:\"[^\"]*+\"|'[^']*+')"
_TAG: Final = re.compile(
    rb"(?i:" + _SCRIPT + rb")|<(?P<name>[a-z][^\s/>\"'=]{0,60}+)(?:[^>=]++|" + _VALUE + rb"|=)*+",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(_VALUE)
_GAPS: Final = re.compile(rb"[\s/]+")


def without_crowded_tags(html: bytes) -> bytes:
    """Give a page in which a tag of more than some thousand attributes stands without any; all else stays."""
    if len(html) - len(html.translate(None, _BETWEEN)) <= _MOST:
        return html
    return _TAG.sub(_thinned, html)


def _thinned(tag: re.Match[bytes]) -> bytes:
    written, name = tag.group(), tag.group("name")
    if name is None or len(written) <= 2 * _MOST:
        return written
    return b"<" + name if len(_GAPS.split(_QUOTED.sub(b"= ", written))) > _MOST else written
