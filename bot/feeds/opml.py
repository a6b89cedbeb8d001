"""Lists of feeds: OPML 2.0 (http://opml.org/spec2.opml) in and out, and one address a line.

A list comes from a stranger as well as a feed does: its size, its number and its nesting are bounded,
and what is no http(s) address is passed over with a word about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from bot.errors import told
from bot.feeds.errors import FeedError
from bot.feeds.reading.charset import utf8_document
from bot.feeds.reading.clean import one_line, web_address, without_controls
from bot.feeds.reading.doctype import without_doctype
from bot.feeds.reading.repair import mended

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_FEEDS: Final = 10_000
MAX_NESTING: Final = 64
_MOST_PROBLEMS: Final = 50


class OpmlError(FeedError):
    """A list of feeds that cannot be read: says why."""


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed in a list. `folders` are the outlines it stands in, the outermost first."""

    url: str
    title: str = ""
    site: str = ""
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedList:
    """What a list held: feeds without doubles, and one sentence for each thing passed over (50 at most)."""

    feeds: tuple[ListedFeed, ...]
    problems: tuple[str, ...] = ()


def read_list(content: bytes) -> FeedList:
    """Read OPML, or one address a line ("#" starts a remark). Raises `OpmlError`."""
    if len(content) > MAX_BYTES:
        raise OpmlError(told("The list is larger than {number} MB; divide it.", number=MAX_BYTES // 2**20))
    document = utf8_document(content)
    if not document.strip():
        raise OpmlError(told("The list is empty."))
    if document.lstrip()[:1] == b"<":
        return _Outlines().read(document)
    return _read_lines(document.decode("utf-8", "replace"))


def write_opml(feeds: Iterable[ListedFeed], *, title: str, now: datetime) -> bytes:
    """Write an OPML 2.0 document; feeds with a folder stand in it."""
    groups: dict[str, list[ListedFeed]] = {}
    for feed in feeds:
        groups.setdefault(feed.folders[0] if feed.folders else "", []).append(feed)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<opml version="2.0">', "  <head>"]
    lines.append(f"    <title>{_text(title)}</title>")
    lines.append(f"    <dateCreated>{format_datetime(now)}</dateCreated>")
    lines += ["  </head>", "  <body>"]
    for folder, members in sorted(groups.items()):
        if folder:
            lines.append(f"    <outline text={_attribute(folder)}>")
        for feed in members:
            name = _attribute(feed.title or feed.url)
            site = f" htmlUrl={_attribute(feed.site)}" if feed.site else ""
            indent = "      " if folder else "    "
            lines.append(
                f'{indent}<outline type="rss" text={name} title={name} xmlUrl={_attribute(feed.url)}{site}/>'
            )
        if folder:
            lines.append("    </outline>")
    lines += ["  </body>", "</opml>", ""]
    return "\n".join(lines).encode("utf-8", "replace")


def _attribute(text: str) -> str:
    return quoteattr(without_controls(text))


def _text(text: str) -> str:
    return without_controls(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Gathering:
    """Feeds and problems as they come, bounded."""

    def __init__(self) -> None:
        self._feeds: dict[str, ListedFeed] = {}
        self._problems: list[str] = []

    def add(self, address: str, title: str, site: str, folders: tuple[str, ...]) -> None:
        url = web_address(address, "")
        if not url:
            if len(self._problems) < _MOST_PROBLEMS:  # a file that is no list has a million such lines
                sentence = told("{address} is no http or https address.", address=one_line(address, 100))
                self._problems.append(sentence)
        elif url not in self._feeds:
            if len(self._feeds) >= MAX_FEEDS:
                raise OpmlError(
                    told("The list names more than {number} feeds; divide it.", number=f"{MAX_FEEDS:,}")
                )
            self._feeds[url] = ListedFeed(url, one_line(title, 300), web_address(site, ""), folders)

    def result(self) -> FeedList:
        return FeedList(tuple(self._feeds.values()), tuple(self._problems))


def _read_lines(text: str) -> FeedList:
    gathering = _Gathering()
    for line in text.splitlines():
        address = line.partition(" #")[0].strip()
        if address and not address.startswith("#"):
            gathering.add(address, "", "", ())
    found = gathering.result()
    if not found.feeds and found.problems:
        raise OpmlError(
            told("The list holds no address: neither OPML nor lines that start with http:// or https://.")
        )
    return found


class _Outlines:
    """Reads the outlines of an OPML document."""

    def __init__(self) -> None:
        self._gathering = _Gathering()
        self._folders: list[str | None] = []  # of the open outlines; None for one that is a feed
        self._is_opml = False

    def read(self, document: bytes) -> FeedList:
        document = without_doctype(document.lstrip())
        try:
            self._parse(document)
        except expat.ExpatError:
            self.__init__()  # type: ignore[misc]  # a second try on the mended document starts anew
            try:
                self._parse(mended(document))
            except expat.ExpatError as error:
                reason = expat.ErrorString(error.code)
                raise OpmlError(
                    told(
                        "The list is broken XML: line {number}, {reason}.", number=error.lineno, reason=reason
                    )
                ) from None
        if not self._is_opml:
            raise OpmlError(told("The document is XML, but not an OPML list of feeds."))
        return self._gathering.result()

    def _parse(self, document: bytes) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.Parse(document, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.lower()
        if name == "opml":
            self._is_opml = True
        if name != "outline":
            return
        if len(self._folders) >= MAX_NESTING:
            raise OpmlError(told("The list nests deeper than {number} levels.", number=MAX_NESTING))
        given = {key.lower(): value for key, value in attributes.items()}
        title = given.get("title") or given.get("text") or ""
        address = given.get("xmlurl", "").strip()
        if address:
            folders = tuple(folder for folder in self._folders if folder)
            self._gathering.add(address, title, given.get("htmlurl", ""), folders)
        self._folders.append(None if address else one_line(title, 100))

    def _end(self, name: str) -> None:
        if name.lower() == "outline" and self._folders:
            self._folders.pop()
