"""Making strangers' text fit to keep: titles without markup and tricks, addresses that are http(s) only."""

from __future__ import annotations

import hashlib
import html
import re
from html.entities import html5
from typing import Final
from urllib.parse import urljoin, urlsplit

from bot.feeds.reading.limits import MAX_ADDRESS, MAX_TITLE

# What browsers make of the C1 range (WHATWG HTML, "numeric character reference end state").
_WINDOWS_1252: Final = {
    0x80 + index: char
    for index, char in enumerate("€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ")
    if char != "\ufffd"
}
_CONTROLS: Final = {
    **dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)),
    **dict.fromkeys(range(0xD800, 0xE000)),
    **_WINDOWS_1252,
}
# Characters without width of their own that turn the direction, hide or split words: bidirectional
# controls (Unicode TR 9), zero-width space and joiners, invisible operators, tags, fillers.
_UNSEEN: Final = dict.fromkeys(
    (0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x200E, 0x200F,
     *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC),
     *range(0xE0000, 0xE1000))
)  # fmt: skip
_ONE_LINE: Final = {**_CONTROLS, **_UNSEEN, 0x2028: " ", 0x2029: " ", 0x0B: " ", 0x0C: " ", 0x85: "…"}

_C1: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_JOINERS: Final = "\u200c\u200d"

_PLAIN_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][!-~]*)?\Z")
_C1_BYTES: Final = re.compile(rb"\xc2[\x80-\x9f]")
# "&#146;" and the like, by its "#", which is rarer than "&"; takes some harmless ones along.
_C1_REFERENCE: Final = re.compile(rb"#[01xX](?:0*1?[2-5][0-9]|0*[789][0-9A-Fa-f]);")

_LINK_NAMES: Final = ("href=", "src=", "cite=", "action=", "background=", "longdesc=", "data=", "poster=")
_ABSOLUTE: Final = ("http:", "https:", "#", "mailto:", "data:")
_LINKS: Final = re.compile(
    r"""(\s(?:href|src|cite|action|background|longdesc|data|poster)\s?=\s?)(["'])([^"'<>]{0,2000})\2""",
    re.IGNORECASE,
)

# Elements whose presence says that a text is meant as HTML (RSS says nothing of the kind itself).
_HTML_NAMES: Final = frozenset((
    "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "col", "dd", "del", "dfn", "dir", "div", "dl", "dt", "em",
    "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i",
    "iframe", "img", "ins", "kbd", "li", "main", "mark", "nobr", "ol", "p", "pre", "q", "s", "samp", "script",
    "section", "small", "span", "strike", "strong", "style", "sub", "sup", "svg", "table", "tbody", "td",
    "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "video", "wbr",
))  # fmt: skip
_UNSHOWN: Final = frozenset(("script", "style", "iframe", "svg"))
_SPACED: Final = frozenset((
    "address", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "pre", "table", "td", "th", "tr", "ul",
))  # fmt: skip
_TAG_NAME: Final = re.compile(r"/?([A-Za-z][A-Za-z0-9]{0,15})")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


def may_hold_controls(document: bytes) -> bool:
    """Tell whether a well-formed UTF-8 document can have control characters in its texts.

    Asked once for a document, this spares a look at every text: well-formed XML has none of the C0 range.
    """
    return bool(
        # Looking for a byte is many times as fast as looking for an expression.
        (b"\xc2" in document and _C1_BYTES.search(document))
        or (b"#" in document and _C1_REFERENCE.search(document))
        or b"\x7f" in document
    )


def without_controls(text: str) -> str:
    """Drop control characters and lone surrogates; C1 bytes become the Windows-1252 characters meant."""
    return text.translate(_CONTROLS) if _C1.search(text) else text


def repaired(text: str) -> str:
    """Undo UTF-8 that somebody read as Latin-1 and encoded once more ("Ã©" for "é")."""
    if text.isascii():
        return text
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text


def looks_like_html(text: str) -> bool:
    """Tell whether a text of a format without text types (RSS) is meant as HTML.

    It is where all its tags are HTML's and there is a closing tag or a character reference; "a < b"
    and "<T> in Java" are not.
    """
    entity = _ENTITY.search(text) if "&" in text else None
    if not entity and "</" not in text and "/>" not in text and "<br" not in text.lower():
        return False
    position = text.find("<")
    while position != -1:
        name = _TAG_NAME.match(text, position + 1)
        if name and name.group(1).lower() not in _HTML_NAMES:
            return False
        position = text.find("<", position + 1)
    return not entity or _is_reference(entity.group())


def _is_reference(entity: str) -> bool:
    return entity[1] == "#" or entity[1:] in html5


def plain_text(markup: str) -> str:
    """Take the tags out of HTML and decode its character references once; linear in the text's length."""
    if "<" not in markup:
        return html.unescape(markup) if "&" in markup else markup
    pieces: list[str] = []
    position = 0
    while True:
        start = markup.find("<", position)
        if start == -1:
            pieces.append(markup[position:])
            break
        if not markup[start + 1 : start + 2].isalpha() and markup[start + 1 : start + 2] not in (
            "/",
            "!",
            "?",
        ):
            pieces.append(markup[position : start + 1])
            position = start + 1
            continue
        pieces.append(markup[position:start])
        comment = markup.startswith("<!--", start)
        end = markup.find("-->" if comment else ">", start)
        if end == -1:
            break
        name = _TAG_NAME.match(markup, start + 1)
        tag = name.group(1).lower() if name else ""
        position = end + (3 if comment else 1)
        if tag in _SPACED:
            pieces.append(" ")
        elif tag in _UNSHOWN and markup[start + 1] != "/":
            closing = markup.lower().find("</" + tag, position) if len(markup) < 10_000 else -1
            position = closing if closing != -1 else position
    return html.unescape("".join(pieces))


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """Make a text fit for a title or a name: one line, nothing unseen in it, bounded.

    A zero-width joiner stays where it does work: between emoji, or letters of scripts that need it.
    """
    if not text.isprintable():
        text = text[: limit * 8].translate(_ONE_LINE)
        if "\u200c" in text or "\u200d" in text:
            text = _without_idle_joiners(text)
    if "  " in text or not text.isprintable() or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + "…"


def _without_idle_joiners(text: str) -> str:
    kept = []
    for index, char in enumerate(text):
        if char in _JOINERS:
            before, after = text[index - 1 : index], text[index + 1 : index + 2]
            if not (_joins(before) and _joins(after)):
                continue
        kept.append(char)
    return "".join(kept)


def _joins(char: str) -> bool:
    return char >= "\u0600" and char not in _JOINERS


def title_text(text: str, markup: bool | None) -> str:
    """Clean a title. `markup` tells whether it is HTML; None where the format leaves it open."""
    if "<" in text or "&" in text:
        text = text[: MAX_TITLE * 16]
        if markup or (markup is None and looks_like_html(text)):
            text = plain_text(text)
    return one_line(repaired(text))


def web_address(href: str, base: str) -> str:
    """Resolve an address against its base; "" unless it is http or https with a host."""
    href = href.strip()
    if "&amp;" in href:
        href = href.replace("&amp;", "&")  # encoded once too often, as many feeds do
    if len(href) <= MAX_ADDRESS and _PLAIN_ADDRESS.match(href):
        return href
    if not href or len(href) > MAX_ADDRESS:
        return ""
    if not href.isprintable() or not href.isascii():
        href = "".join(href.translate(_ONE_LINE).split("\n")).replace("\t", "").replace("\r", "").strip()
    try:
        parts = urlsplit(href)
        if not parts.scheme or not parts.netloc:
            if parts.scheme and parts.scheme not in ("http", "https"):
                return ""
            href = urljoin(base, href)
            parts = urlsplit(href)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return href.replace(" ", "%20") if " " in href else href


def with_absolute_links(markup: str, base: str) -> str:
    """Resolve the addresses in HTML against its base; for feeds that set one (xml:base)."""
    if not _has_relative_links(markup):
        return markup

    def resolved(match: re.Match[str]) -> str:
        before, quote, address = match.groups()
        if not address.strip() or address.startswith(_ABSOLUTE):
            return match.group()
        try:
            return f"{before}{quote}{urljoin(base, address.strip())}{quote}"
        except ValueError:
            return match.group()

    return _LINKS.sub(resolved, markup)


def _has_relative_links(markup: str) -> bool:
    """Look for one by plain searches, ten times as fast as the expression; most texts have none."""
    for name in _LINK_NAMES:
        position = markup.find(name)
        while position != -1:
            position += len(name)
            if not markup[position : position + 9].lstrip("\"' ").startswith(_ABSOLUTE):
                return True
            position = markup.find(name, position)
    return False


def entry_id(text: str) -> str:
    """Clean a publisher's id; one beyond the bound is replaced by its hash, so that it stays the same."""
    text = text.strip()
    if not text.isprintable():
        text = without_controls(text).strip()
    if len(text) > MAX_ADDRESS:
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return text
