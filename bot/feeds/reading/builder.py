"""Builds a `Feed` from the elements of a document as they go by, whatever reads the document.

What an element means follows the formats (RSS 0.9x, 1.0 and 2.0, Atom 0.3 and RFC 4287) and, where they
are silent, what feed readers have long agreed on: the first title counts, else the last of several; a
guid is a link unless it says that it is none; descriptions are HTML, Atom's texts what their type says.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.feeds.model import Entry, Feed
from bot.feeds.reading import names, rhythm
from bot.feeds.reading.clean import one_line, title_text, web_address, with_absolute_links
from bot.feeds.reading.draft import Draft
from bot.feeds.reading.limits import MAX_DEPTH, MAX_ENTRIES
from bot.feeds.reading.names import ID, LAST_PLAIN, LAST_TEXT, MET, UPDATED, role_of, usual_name

_BASE: Final = names.XML + "}base"
_LANG: Final = names.XML + "}lang"
_HTML_TYPES: Final = frozenset(("text/html", "application/xhtml+xml"))
_TYPES: Final = {
    "text": "text/plain",
    "plain": "text/plain",
    "html": "text/html",
    "xhtml": "application/xhtml+xml",
}
_VOID: Final = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
))  # fmt: skip
_SCHEME: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]{0,40}:")
_MOST_PIECES: Final = 100_000  # tags and texts of one XHTML text
_MOST_BASES: Final = 16  # xml:base inside xml:base
_ALTERNATE: Final = ("alternate", "http://www.iana.org/assignments/relation/alternate")

# What a text construct is when it does not say.
_DEFAULT_TYPE: Final = {
    names.TITLE: "text/plain",
    names.MEDIA_TITLE: "text/plain",
    names.DESCRIPTION: "text/html",
    names.SUMMARY: "text/plain",
    names.MEDIA_DESCRIPTION: "text/plain",
    names.CONTENT: "text/plain",
    names.ENCODED: "text/html",
    names.BODY: "application/xhtml+xml",
}


class EnoughEntriesError(Exception):
    """The bound on entries is reached: whoever drives the builder stops reading."""


class TooDeepError(Exception):
    """The bound on tags inside each other is reached: the document is to be read in some other way."""


class FeedBuilder:
    """Takes `start`, `data` and `end` of each element in order; `feed()` gives what came of it."""

    __slots__ = (
        "_atom",
        "_author_depth",
        "_author_text",
        "_base",
        "_base64",
        "_bases",
        "_controls",
        "_depth",
        "_dialect",
        "_draft",
        "_entry_depth",
        "_escaped",
        "_head",
        "_hub",
        "_in_channel",
        "_language",
        "_markup",
        "_now",
        "_own_base",
        "_pieces",
        "_rhythm",
        "_role",
        "_role_depth",
        "_rooted",
        "_self_url",
        "_type",
        "data",
        "entries",
    )  # fmt: skip

    def __init__(self, base: str, now: datetime, *, controls: bool = True) -> None:
        """`controls` tells whether control characters may stand in the document's texts."""
        self._base = base
        self._now = now
        self._controls = controls
        self._depth = 0
        self._own_base = ""  # what the document itself says, wherever it came from
        self._bases: list[tuple[int, str, str]] = []  # what xml:base changed: at which depth, from what
        self._role = 0  # of the element whose text is being gathered, or which is passed over
        self._role_depth = 0
        self._pieces: list[str] = []
        self.data = self._pieces.append
        self._type = ""
        self._base64 = False
        self._markup = False  # the text being gathered is serialised markup (XHTML)
        self._escaped = 0  # so many of its pieces are markup already, the rest is text
        self._dialect = ""
        self._atom = self._rooted = self._in_channel = False
        self._head = self._draft = Draft()
        self._entry_depth = 0
        self._author_depth = 0
        self._author_text = ""
        self._language: str | None = None
        self._hub: str | None = None
        self._self_url: str | None = None
        self._rhythm = rhythm.Gathered()
        self.entries: list[Entry] = []

    # Driven by the readers; these two run for every tag, hence their brevity

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take an element's start tag."""
        depth = self._depth = self._depth + 1
        if depth > MAX_DEPTH:
            raise TooDeepError
        if self._role_depth:
            self._start_inside(name, attributes)
            return
        if attributes:
            self._inherit(attributes)
        role = MET.get(name)
        if role is None:
            role = role_of(name)
        self._pieces.clear()
        if role > LAST_TEXT:
            self._start_holder(role, name, attributes)
        elif role:
            self._role = role
            self._role_depth = depth
            if role > LAST_PLAIN:
                self._start_text(role, attributes)
            elif role == ID:
                self._draft.id_is_link = not attributes or _is_permalink(attributes)

    def end(self, name: str) -> None:
        """Take an element's end tag."""
        depth = self._depth
        self._depth = depth - 1
        if self._role_depth:
            if depth == self._role_depth:
                self._end_role()
            else:
                self._end_inside(name)
        elif depth == self._entry_depth:
            self._end_entry()
        elif depth == self._author_depth:
            self._end_author()
        if self._bases and self._bases[-1][0] == depth:
            _, self._base, self._own_base = self._bases.pop()

    def feed(self) -> Feed | None:
        """Give the feed; None when the document is none (no root, channel or entry of any known format)."""
        if self._entry_depth:
            self._end_entry()
        if not self._rooted and not self.entries:
            return None
        head = self._head
        return Feed(
            title=title_text(head.title, head.title_markup),
            link=head.link
            or head.other_link
            or (web_address(head.texts[ID], self._base) if self._atom else ""),
            entries=tuple(self.entries),
            dialect=self._dialect,
            language=self._language,
            rhythm=self._rhythm.result(),
            hub=self._hub,
            self_url=self._self_url,
        )

    # Start tags

    def _start_holder(self, role: int, name: str, attributes: Mapping[str, str]) -> None:
        if role == names.LINK:
            self._start_link(attributes)
        elif role == names.ENTRY:
            self._start_entry(attributes)
        elif role == names.AUTHOR:
            self._author_depth = self._depth
            self._author_text = ""
            self._gather(role)
        elif role == names.SKIPPED:
            self._gather(role)
        elif role == names.CHANNEL:
            self._in_channel = self._rooted = True
            if attributes:
                self._take_language(attributes)
                self._read_cdf(attributes)
        elif role == names.ROOT and not self._rooted:
            self._start_root(name, attributes)

    def _start_root(self, name: str, attributes: Mapping[str, str]) -> None:
        self._rooted = True
        self._take_language(attributes)
        usual = usual_name(name)
        version = _plain_attribute(attributes, "version").strip()
        if usual == "feed":
            self._atom = self._in_channel = True
            self._dialect = "atom 1.0" if name.lower().startswith("http://www.w3.org/2005/atom") else "atom"
            if version in ("0.1", "0.2", "0.3"):
                self._dialect = f"atom {version}"
        elif usual == "rss":
            self._dialect = f"rss {version[:8]}" if version else "rss"
        else:
            self._dialect = "rdf"

    def _start_entry(self, attributes: Mapping[str, str]) -> None:
        if self._entry_depth:  # an entry inside an entry: the outer one was not closed
            self._end_entry()
        if len(self.entries) >= MAX_ENTRIES:
            raise EnoughEntriesError
        self._entry_depth = self._depth
        draft = self._draft = Draft()
        if attributes:
            draft.about = _plain_attribute(attributes, "about")  # rdf:about of RSS 1.0
            self._read_cdf(attributes)

    def _read_cdf(self, attributes: Mapping[str, str]) -> None:
        """Take what Microsoft's Channel Definition Format (1997) keeps in attributes."""
        href = _plain_attribute(attributes, "href")
        if href:
            self._draft.link = web_address(href, self._base)
            self._draft.texts[UPDATED] = _plain_attribute(attributes, "lastmod")
            self._dialect = self._dialect or "cdf"

    def _start_link(self, attributes: Mapping[str, str]) -> None:
        href = (
            (attributes.get("href") or attributes.get("url") or attributes.get("uri")) if attributes else None
        )
        if not href:
            self._gather(names.LINK)
            return
        address = web_address(href, self._base)
        rel = attributes.get("rel", "alternate").strip().lower()
        draft = self._draft
        if not address:
            return
        if rel in _ALTERNATE:
            kind = attributes.get("type", "text/html").strip().lower()
            if _TYPES.get(kind, kind) in _HTML_TYPES:
                draft.link = address
            else:
                draft.other_link = draft.other_link or address
        elif draft is self._head:
            if rel == "hub":
                self._hub = self._hub or address
            elif rel == "self":
                self._self_url = self._self_url or address

    def _start_text(self, role: int, attributes: Mapping[str, str]) -> None:
        kind = _DEFAULT_TYPE[role]
        mode = ""
        if attributes:
            kind = attributes.get("type", "").strip().lower() or kind
            kind = _TYPES.get(kind, kind)
            mode = attributes.get("mode", "")  # of Atom 0.3
        self._type = kind
        self._markup = kind.endswith(("+xml", "/xml"))
        self._escaped = 0
        # RFC 4287, section 4.1.3.3: content that is neither text nor XML is in Base64.
        self._base64 = mode == "base64" or (
            role == names.CONTENT and not self._markup and not kind.startswith("text/")
        )

    def _gather(self, role: int) -> None:
        self._role = role
        self._role_depth = self._depth
        self._pieces.clear()

    # Elements inside the one whose text is gathered

    def _start_inside(self, name: str, attributes: Mapping[str, str]) -> None:
        role = self._role
        if role == names.SKIPPED:
            return
        if role == names.AUTHOR:
            inner = role_of(name)
            if inner in (names.AUTHOR_NAME, names.AUTHOR_EMAIL):
                self._author_text = "".join(self._pieces)
                self._gather(inner)
            return
        if role == names.LINK or role <= LAST_PLAIN:
            return
        local = _local(name)
        if not self._markup:
            # The element said that it holds text or escaped HTML, but elements stand in it: go on as XHTML.
            self._type = "application/xhtml+xml"
            self._markup = True
            self._escaped = len(self._pieces)
            if local == "div":
                return
        if len(self._pieces) > _MOST_PIECES:
            return
        from xml.sax.saxutils import quoteattr  # few feeds hold XHTML, and it brings all of urllib along

        written = "".join(
            f" {_local(key)}={quoteattr(value)}" for key, value in attributes.items() if "xmlns" not in key
        )
        self._escape_text()
        self._pieces.append(f"<{local}{written}>")
        self._escaped += 1

    def _escape_text(self) -> None:
        """Turn the text that came since the last tag into markup, too."""
        pieces = self._pieces
        for index in range(self._escaped, len(pieces)):
            pieces[index] = html.escape(pieces[index], quote=False)
        self._escaped = len(pieces)

    def _end_inside(self, name: str) -> None:
        if not self._markup or len(self._pieces) > _MOST_PIECES:
            return
        local = _local(name)
        self._escape_text()
        last = self._pieces[-1] if self._pieces else ""
        if local in _VOID and last.startswith("<" + local) and last.endswith(">"):
            self._pieces[-1] = last[:-1] + " />"
        else:
            self._pieces.append(f"</{local}>")
            self._escaped += 1

    # End tags

    def _end_role(self) -> None:
        role = self._role
        self._role = self._role_depth = 0
        pieces = self._pieces
        if LAST_PLAIN < role <= LAST_TEXT:
            if self._markup:
                self._escape_text()
            self._end_text(role, pieces[0] if len(pieces) == 1 else "".join(pieces))
        elif role <= names.LAST_KEPT:
            text = pieces[0] if len(pieces) == 1 else "".join(pieces)
            if role == ID and self._own_base and self._draft.id_is_link and not _SCHEME.match(text):
                # Against the document's own base alone: an id must not change with the feed's address.
                text = web_address(text, self._own_base) or text
            self._draft.texts[role] = text
        elif role != names.SKIPPED:
            self._end_other(role, "".join(pieces).strip())

    def _end_other(self, role: int, text: str) -> None:
        draft = self._draft
        if role == names.LINK:
            if self._in_channel or draft is not self._head:
                draft.link = web_address(text, self._base) or draft.link
        elif role == names.AUTHOR:
            self._author_text = self._author_text or text
            self._end_author()
        elif role in (names.AUTHOR_NAME, names.AUTHOR_EMAIL):
            if self._author_depth and (role == names.AUTHOR_NAME or not self._author_text.strip()):
                self._author_text = text
        elif draft is self._head:
            if role == names.LANGUAGE:
                self._language = one_line(text, 40) or self._language
            else:
                self._rhythm.take(role, text)

    def _end_text(self, role: int, text: str) -> None:
        kind = self._type
        readable = True
        if self._markup:
            self._markup = False
            if self._atom:
                text = _without_wrapper(text.strip())
        if self._bases and kind in _HTML_TYPES and "=" in text:
            text = with_absolute_links(text, self._base)
        if self._base64:
            decoded = _decoded(text)
            readable = decoded is not None or kind.startswith("text/") or kind.endswith("xml")
            text = decoded or text
        draft = self._draft
        if role == names.TITLE:
            if (not draft.title_depth or self._depth < draft.title_depth) and text and not text.isspace():
                draft.title_depth = self._depth
                draft.title = text
                draft.title_markup = True if kind in _HTML_TYPES else False if self._atom else None
        elif role == names.MEDIA_TITLE:
            if not draft.title:
                draft.title = text
                draft.title_markup = kind in _HTML_TYPES or None
        elif draft is self._head or not text:
            return
        elif role == names.DESCRIPTION or role == names.SUMMARY or role == names.MEDIA_DESCRIPTION:
            draft.add_summary(role, text)
        elif readable:
            draft.add_content(text)

    def _end_author(self) -> None:
        self._author_depth = 0
        self._draft.add_author(self._author_text)

    def _end_entry(self) -> None:
        draft = self._draft
        self._draft = self._head
        self._entry_depth = 0
        self.entries.append(draft.entry(self._base, self._now, atom=self._atom, controls=self._controls))

    # Inherited attributes

    def _inherit(self, attributes: Mapping[str, str]) -> None:
        base = attributes.get(_BASE) or attributes.get("xml:base")
        if base and len(self._bases) < _MOST_BASES:
            resolved = web_address(base, self._base)
            if resolved:
                self._bases.append((self._depth, self._base, self._own_base))
                self._base = resolved
                self._own_base = web_address(base, self._own_base)

    def _take_language(self, attributes: Mapping[str, str]) -> None:
        language = attributes.get(_LANG) or attributes.get("xml:lang")
        if language and self._language is None:
            self._language = one_line(language, 40)


def _is_permalink(attributes: Mapping[str, str]) -> bool:
    return (_plain_attribute(attributes, "ispermalink") or "true").strip() == "true"


def _plain_attribute(attributes: Mapping[str, str], wanted: str) -> str:
    """Look up an attribute without regard to its namespace and case."""
    for key, value in attributes.items():
        if _local(key).lower() == wanted:
            return value
    return ""


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _without_wrapper(text: str) -> str:
    """Take off the one div that RFC 4287 (section 3.1.1.3) puts around XHTML and calls no part of it."""
    if not text.startswith("<div") or not text.endswith("</div>"):
        return text
    start = text.find(">") + 1
    # Only if that first div is also the last to close.
    depth = 0
    position = 0
    while True:
        position = text.find("div", position)
        if position == -1:
            return text
        if text[position - 1] == "<" and text[position + 3 : position + 4] in (">", " "):
            depth += 1
        elif text[position - 2 : position] == "</":
            depth -= 1
            if depth == 0:
                return text[start:-6].strip() if position + 4 >= len(text) else text
        position += 3
