"""Builds a `Feed` from the elements of a document as they go by, whatever reads the document.

What an element means follows the formats (RSS 0.9x, 1.0 and 2.0, Atom 0.3 and RFC 4287) and, where they
are silent, what feed readers have long agreed on: the first title counts, else the last of several; a
guid is a link unless it says that it is none; descriptions are HTML, Atom's texts what their type says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from bot.feeds.model import Entry, Feed
from bot.feeds.reading import rhythm
from bot.feeds.reading.authors import person_name
from bot.feeds.reading.clean import entry_id, one_line, repaired, title_text, web_address, without_controls
from bot.feeds.reading.dates import credible, parse_date
from bot.feeds.reading.limits import MAX_AUTHORS, MAX_ENTRIES, MAX_TEXT
from bot.feeds.reading.names import XML, Role, role_of, usual_name

_BASE: Final = XML + "}base"
_LANG: Final = XML + "}lang"
_HTML_TYPES: Final = frozenset(("text/html", "application/xhtml+xml"))
_TYPES: Final = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}
_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())

# What a text construct is when it does not say.
_DEFAULT_TYPE: Final = {
    Role.TITLE: "text/plain",
    Role.MEDIA_TITLE: "text/plain",
    Role.DESCRIPTION: "text/html",
    Role.SUMMARY: "text/plain",
    Role.MEDIA_DESCRIPTION: "text/plain",
    Role.CONTENT: "text/plain",
    Role.ENCODED: "text/html",
    Role.BODY: "application/xhtml+xml",
}
_SIMPLE: Final = frozenset(
    (Role.ID, Role.PUBLISHED, Role.UPDATED, Role.CREATED, Role.AUTHOR_NAME, Role.AUTHOR_EMAIL, Role.LANGUAGE,
     Role.TTL, Role.SKIP_HOUR, Role.SKIP_DAY, Role.PERIOD, Role.FREQUENCY)
)  # fmt: skip


class EnoughEntriesError(Exception):
    """The bound on entries is reached: whoever drives the builder stops reading."""


class _Draft:
    """An entry, or the feed itself, while its elements go by."""

    __slots__ = (
        "authors", "contents", "created", "id", "id_is_link", "link", "other_link", "published", "summary",
        "summary_from", "title", "title_depth", "title_markup", "updated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.id = self.link = self.other_link = self.title = self.summary = ""
        self.published = self.updated = self.created = ""
        self.title_depth = 0
        self.title_markup: bool | None = None
        self.id_is_link = False
        self.summary_from = Role.OTHER
        self.authors: list[str] = []
        self.contents: list[str] = []


class FeedBuilder:
    """Takes `start`, `data` and `end` of each element in order; `feed()` gives what came of it."""

    def __init__(self, base: str, now: datetime) -> None:
        self._base = base
        self._now = now
        self._depth = 0
        self._skip_below = 0  # elements deeper than this belong to a subtree that is passed over
        self._bases: list[tuple[int, str]] = []
        self._role = Role.OTHER  # of the element whose text is being gathered
        self._role_depth = 0
        self._type = ""
        self._markup = False  # the text being gathered is serialised markup (XHTML)
        self._escaped = 0  # so many of its pieces are markup already, the rest is text
        self._base64 = False
        self._pieces: list[str] = []
        self.data = self._pieces.append
        self._dialect = ""
        self._atom = False
        self._rooted = False
        self._head = _Draft()
        self._draft = self._head
        self._in_channel = False
        self._entry_depth = 0
        self._author_depth = 0
        self._author_text = ""
        self._language: str | None = None
        self._hub: str | None = None
        self._self_url: str | None = None
        self._rhythm = rhythm.Gathered()
        self.entries: list[Entry] = []

    # Driven by the readers

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take an element's start tag."""
        self._depth += 1
        if self._skip_below:
            return
        if self._role:
            self._start_inside(name, attributes)
            return
        if attributes:
            self._inherit(attributes)
        role = role_of(name)
        if role == Role.OTHER:
            self._pieces.clear()
        elif role in _SIMPLE:
            self._gather(role)
            if role == Role.ID:
                self._draft.id_is_link = _plain_attribute(attributes, "ispermalink", "true").strip() == "true"
        else:
            self._start_role(role, name, attributes)

    def end(self, name: str) -> None:
        """Take an element's end tag."""
        depth = self._depth
        self._depth = depth - 1
        if self._skip_below:
            if depth == self._skip_below:
                self._skip_below = 0
        elif depth == self._role_depth:
            self._end_role()
        elif self._role:
            self._end_inside(name)
        elif depth == self._author_depth:
            self._end_author()
        elif depth == self._entry_depth:
            self._end_entry()
        if self._bases and self._bases[-1][0] == depth:
            self._base = self._bases.pop()[1]

    def feed(self) -> Feed | None:
        """Give the feed; None when the document is none (no root, channel or entry of any known format)."""
        if self._entry_depth:
            self._end_entry()
        if not self._rooted and not self.entries:
            return None
        head = self._head
        return Feed(
            title=title_text(head.title, head.title_markup),
            link=head.link or head.other_link,
            entries=tuple(self.entries),
            dialect=self._dialect,
            language=self._language,
            rhythm=self._rhythm.result(),
            hub=self._hub,
            self_url=self._self_url,
        )

    # Start tags

    def _start_role(self, role: Role, name: str, attributes: Mapping[str, str]) -> None:
        if role == Role.ENTRY:
            self._start_entry(attributes)
        elif role == Role.LINK:
            self._start_link(attributes)
        elif role in _DEFAULT_TYPE:
            self._start_text(role, attributes)
        elif role == Role.AUTHOR:
            self._author_depth = self._depth
            self._author_text = ""
            self._gather(role)
        elif role == Role.SKIPPED:
            # RSS 1.0 lists its picture and its form inside the channel as empty pointers, too.
            self._skip_below = self._depth
        elif role == Role.CHANNEL:
            self._in_channel = self._rooted = True
            self._read_cdf(attributes)
        elif role == Role.ROOT:
            self._start_root(name, attributes)

    def _start_root(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._rooted:
            return
        self._rooted = True
        usual = usual_name(name)
        version = _plain_attribute(attributes, "version", "").strip()
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
        self._draft = _Draft()
        if attributes:
            self._draft.id = _plain_attribute(attributes, "about", "")  # rdf:about of RSS 1.0
            self._draft.id_is_link = True
            self._read_cdf(attributes)

    def _read_cdf(self, attributes: Mapping[str, str]) -> None:
        """Take what Microsoft's Channel Definition Format (1997) keeps in attributes."""
        href = attributes.get("href") or attributes.get("HREF")
        if href:
            self._draft.link = web_address(href, self._base)
            self._dialect = self._dialect or "cdf"
        self._draft.updated = attributes.get("lastmod") or attributes.get("LASTMOD") or self._draft.updated

    def _start_link(self, attributes: Mapping[str, str]) -> None:
        href = attributes.get("href") or attributes.get("url") or attributes.get("uri") or ""
        if not attributes or not (href or "rel" in attributes):
            self._gather(Role.LINK)
            return
        if not href:
            return
        rel = attributes.get("rel", "alternate").strip().lower()
        address = web_address(href, self._base)
        draft = self._draft
        if not address:
            return
        if draft is self._head:
            if rel == "hub":
                self._hub = self._hub or address
            elif rel == "self":
                self._self_url = self._self_url or address
        if rel in ("alternate", "http://www.iana.org/assignments/relation/alternate"):
            kind = attributes.get("type", "text/html").strip().lower()
            if _TYPES.get(kind, kind) in _HTML_TYPES:
                draft.link = address
            else:
                draft.other_link = draft.other_link or address

    def _start_text(self, role: Role, attributes: Mapping[str, str]) -> None:
        kind = attributes.get("type", "") if attributes else ""
        kind = kind.strip().lower() or _DEFAULT_TYPE[role]
        self._type = kind = _TYPES.get(kind, kind)
        mode = attributes.get("mode", "") if attributes else ""
        self._base64 = mode == "base64" or (
            role == Role.CONTENT and not (kind.startswith("text/") or kind.endswith(("+xml", "/xml")))
        )
        self._gather(role)
        self._markup = kind.endswith(("+xml", "/xml"))
        self._escaped = 0

    def _gather(self, role: Role) -> None:
        self._role = role
        self._role_depth = self._depth
        self._pieces.clear()

    # Elements inside the one whose text is gathered

    def _start_inside(self, name: str, attributes: Mapping[str, str]) -> None:
        role = self._role
        if role == Role.AUTHOR:
            inner = role_of(name)
            if inner in (Role.AUTHOR_NAME, Role.AUTHOR_EMAIL):
                self._author_text = "".join(self._pieces)
                self._gather(inner)
            return
        if role == Role.LINK or role in _SIMPLE:
            # Something is not closed: an entry never stands inside a link or a date.
            if role_of(name) == Role.ENTRY:
                self._end_role()
                self._start_entry(attributes)
            return
        local = _local(name)
        if not self._markup:
            # The element said that it holds text or escaped HTML, but elements stand in it: go on as XHTML.
            self._type = "application/xhtml+xml"
            self._markup = True
            self._escaped = len(self._pieces)
            if local == "div":
                return
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
            pieces[index] = escape(pieces[index])
        self._escaped = len(pieces)

    def _end_inside(self, name: str) -> None:
        if not self._markup:
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
        self._role = Role.OTHER
        self._role_depth = 0
        pieces = self._pieces
        if self._markup:
            self._escape_text()
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        pieces.clear()
        text = text.strip()
        draft = self._draft
        if role in _DEFAULT_TYPE:
            self._end_text(role, text)
        elif role == Role.LINK:
            if self._in_channel or draft is not self._head:
                address = web_address(text, self._base)
                if address:
                    draft.link = address
        elif role == Role.ID:
            draft.id = text
            if draft.id_is_link and not draft.link:
                draft.link = web_address(text, self._base)
        elif role == Role.PUBLISHED:
            draft.published = text
        elif role == Role.UPDATED:
            draft.updated = text
        elif role == Role.CREATED:
            draft.created = text
        elif role == Role.AUTHOR:
            if text and not self._author_text:
                self._author_text = text
            self._end_author()
        elif role == Role.AUTHOR_NAME or role == Role.AUTHOR_EMAIL:
            if self._author_depth and (role == Role.AUTHOR_NAME or not self._author_text.strip()):
                self._author_text = text
        elif draft is self._head:
            self._end_rhythm(role, text)

    def _end_rhythm(self, role: Role, text: str) -> None:
        if role == Role.LANGUAGE:
            self._language = one_line(text, 40) or self._language
        else:
            self._rhythm.take(role, text)

    def _end_text(self, role: Role, text: str) -> None:
        kind = self._type
        if self._markup:
            self._markup = False
            if self._atom:
                text = _without_wrapper(text)
        readable = kind.startswith("text/") or kind.endswith("xml")
        if self._base64:
            self._base64 = False
            decoded = _decoded(text)
            readable = readable or decoded is not None
            text = decoded or text
        draft = self._draft
        if role == Role.TITLE:
            if text and (not draft.title_depth or self._depth < draft.title_depth):
                draft.title_depth = self._depth
                draft.title = text
                draft.title_markup = True if kind in _HTML_TYPES else False if self._atom else None
        elif role == Role.MEDIA_TITLE:
            if not draft.title:
                draft.title = text
                draft.title_markup = kind in _HTML_TYPES or None
        elif draft is not self._head:
            if not text:
                return
            text = _body(text[:MAX_TEXT])
            if role in (Role.DESCRIPTION, Role.SUMMARY):
                self._end_summary(role, text)
            elif role == Role.MEDIA_DESCRIPTION:
                if not draft.summary:
                    draft.summary, draft.summary_from = text, role
            elif readable:
                draft.contents.append(text)

    def _end_summary(self, role: Role, text: str) -> None:
        """Keep a summary; where there are two, the second is the content."""
        draft = self._draft
        if not draft.summary or draft.summary_from == Role.MEDIA_DESCRIPTION:
            draft.summary, draft.summary_from = text, role
        elif not draft.contents:
            draft.contents.append(text)
        else:
            draft.summary = text

    def _end_author(self) -> None:
        self._author_depth = 0
        name = person_name(self._author_text)
        authors = self._draft.authors
        if name and name not in authors and len(authors) < MAX_AUTHORS:
            authors.append(name)

    def _end_entry(self) -> None:
        draft = self._draft
        self._draft = self._head
        self._entry_depth = 0
        published = credible(parse_date(draft.published or draft.created), self._now)
        updated = credible(parse_date(draft.updated), self._now)
        if published is None and not self._atom:
            # dc:date in RSS is the date of the entry, not of a change.
            published = updated
        identity = draft.id
        if identity and draft.id_is_link:
            identity = web_address(identity, self._base) or identity
        self.entries.append(
            Entry(
                id=entry_id(identity),
                url=draft.link or draft.other_link or (web_address(draft.id, "") if draft.id_is_link else ""),
                title=title_text(draft.title, draft.title_markup),
                published=published,
                updated=updated,
                summary=draft.summary,
                content=next((text for text in draft.contents if text != draft.summary), ""),
                authors=tuple(draft.authors),
            )
        )

    # Inherited attributes

    def _inherit(self, attributes: Mapping[str, str]) -> None:
        base = attributes.get(_BASE) or attributes.get("xml:base")
        if base:
            resolved = web_address(base, self._base)
            if resolved:
                self._bases.append((self._depth, self._base))
                self._base = resolved
        if self._language is None and self._draft is self._head:
            language = attributes.get(_LANG) or attributes.get("xml:lang")
            if language:
                self._language = one_line(language, 40)


def _plain_attribute(attributes: Mapping[str, str], wanted: str, default: str) -> str:
    """Look up an attribute without regard to its namespace and case."""
    for key, value in attributes.items():
        if _local(key).lower() == wanted:
            return value
    return default


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _body(text: str) -> str:
    return without_controls(repaired(text)) if not text.isascii() or "\x7f" in text else text


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
