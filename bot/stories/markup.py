"""Takes Markdown and stray HTML off a line of plain text.

Pages are often stored as Markdown, and feeds leave tags in what they call text. Only what a reader of
the rendered page would not see is taken off; the words stay as they are.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass

_SIGNS = re.compile(r"[\[\]*_`\\<>#~&]|^[-+•▪►●·‣–]\s|^!")  # without one of these a line has no markup
_HEADING = re.compile(r"^#{1,6}\s+(?=\S)")
_ITEM = re.compile(r"^(?:[-+*•▪►●·‣–]|\\-)\s+(?=\S)")
_QUOTE = re.compile(r"^(?:>\s*)+")
_COMMENT = re.compile(r"<!--[^<]{0,2000}?-->")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,15}(?:\s[^<>]{0,500})?/?>")
_IMAGE = re.compile(
    r"!\[[^\[\]]{0,500}\](?:\([^()\s]{0,500}[^()]{0,200}\)|\[[^\[\]]{0,80}\])(?:\{[^{}]{0,200}\})?"
)
_LINK = re.compile(
    r"\[([^\[\]]{1,500})\](?:\([^()]{0,700}(?:\([^()]{0,200}\)[^()]{0,300})?\)|\[[^\[\]]{0,80}\])"
)
_STARS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]{1,2000}?)(?<=[^\s*])\1(?![\w*])")
_UNDERSCORES = re.compile(r"(?<![\w_@/])(_{1,3})(?=[^\s_])([^_]{1,2000}?)(?<=[^\s_])\1(?![\w_])")
_CODE = re.compile(r"`{1,3}([^`]{1,500})`{1,3}")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~>|$])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,10});")


@dataclass(frozen=True, slots=True)
class Plain:
    """A line's words, and what its markup said about the line."""

    text: str
    is_heading: bool = False
    is_item: bool = False


def plain(line: str) -> Plain:
    """Give a line (white space folded) without its markup."""
    if not _SIGNS.search(line):
        return Plain(line)
    heading = bool(_HEADING.match(line))
    text = _HEADING.sub("", line).rstrip("# ") if heading else _QUOTE.sub("", line)
    item = bool(_ITEM.match(text))
    text = _ITEM.sub("", text)
    if "<" in text:
        text = _TAG.sub("", _COMMENT.sub("", text))
    if "[" in text:
        text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    if "*" in text:
        text = _STARS.sub(r"\2", _STARS.sub(r"\2", text))
    if "_" in text:
        text = _UNDERSCORES.sub(r"\2", text)
    if "`" in text:
        text = _CODE.sub(r"\1", text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", text)
    if "&" in text and _ENTITY.search(text):
        text = entities.unescape(text)
    return Plain(" ".join(text.split()), heading, item)
