"""The names of the people who wrote an entry, out of the ways in which feeds write them."""

from __future__ import annotations

import re
from typing import Final

from bot.feeds.reading.clean import looks_like_html, one_line, plain_text
from bot.feeds.reading.limits import MAX_TITLE

_EMAIL: Final = re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,253}")


def person_name(text: str) -> str:
    """Give the name in "jo@example.org (Jo Writer)" or "Jo Writer <jo@example.org>"; "" where is none.

    A bare address gives the part before the "@", which is no use to a sender of unwanted mail.
    """
    text = text[: MAX_TITLE * 4].strip()
    match = _EMAIL.search(text) if "@" in text else None
    if match:
        rest = (text[: match.start()] + text[match.end() :]).strip()
        for pair in ("()", "<>", "&lt;&gt;", "mailto:"):
            rest = rest.replace(pair, "").strip()
        if rest.startswith("(") and rest.endswith(")"):
            rest = rest[1:-1]
        text = rest.strip() or match.group().partition("@")[0]
    if ("<" in text or "&" in text) and looks_like_html(text):
        text = plain_text(text)
    return one_line(text)
