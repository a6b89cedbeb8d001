"""Reading long ordinary feeds with the native part of fastfeedparser, some three times as fast as expat.

It does not tell apart what the formats do (a text's type, an entry without a date of its own, a link that
is none), so it is trusted with a feed only after a test: the exact reader reads the first entries and the
last one, and what both make of them has to be the same in every field. Feeds are written by programs;
what holds for three entries holds for the rest, and wherever it visibly does not, the exact reader reads
the whole.

Only its native extractor is called, not its `parse`: that one goes on to parsers without bounds where the
extractor gives up, and to guessing at dates for up to 18 ms each.
"""

from __future__ import annotations

import html
from datetime import datetime
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

from bot.feeds.model import Entry, Feed
from bot.feeds.reading.authors import person_name
from bot.feeds.reading.clean import (
    entry_id,
    may_hold_controls,
    repaired,
    title_text,
    web_address,
    with_absolute_links,
    without_controls,
)
from bot.feeds.reading.dates import credible, parse_date
from bot.feeds.reading.limits import MAX_ENTRIES, MAX_QUICK_BYTES, MAX_TEXT
from bot.feeds.reading.strict import IllFormedError, read_strict


def _native() -> Any:
    """Load the native part alone; the rest of its package imports for longer than our own readers do."""
    package = find_spec("fastfeedparser")
    places = package.submodule_search_locations if package is not None else None
    spec = PathFinder.find_spec("fastfeedparser._core", places)
    if spec is None or spec.loader is None:
        return None  # a platform without it
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_core: Final = _native()
_FEWEST_BYTES: Final = 16 * 1024  # below, the test would cost more than it saves
_HEAD: Final = 4096


def read_quickly(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read a UTF-8 document of RSS 2.0 or Atom 1.0; None where the exact reader has to do it."""
    if _core is None or not _FEWEST_BYTES <= len(document) <= MAX_QUICK_BYTES:
        return None
    sample = _sample(document, base, now)
    if sample is None:
        return None
    found = _extracted(document)
    if not 3 < len(found) <= MAX_ENTRIES:
        return None
    shape = _Shape(document, sample, found)
    if not shape.even:
        return None
    ends = [shape.entry(found[index], base, now) for index in (0, 1, -1)]
    if ends != list(sample.entries):
        return None
    entries = [ends[0], ends[1], *(shape.entry(item, base, now) for item in found[2:-1]), ends[2]]
    if not all(
        entry.url
        and entry.id
        and entry.title
        and (entry.published or entry.updated)
        and bool(entry.content) == shape.content
        for entry in entries
    ):
        return None
    return sample._replace(entries=tuple(entries))


def _extracted(document: bytes) -> list[dict[str, Any]]:
    """Let the native part list the entries, dates as they are written; none where it gives up."""
    try:
        # The document, the type of an entry, how to read dates and references; of the rest, contents only.
        result = _core.parse_entries(document, dict, str, html.unescape, True, False, False, False)
    except (TypeError, ValueError):  # another version's signature; a document it does not like
        return []
    return result[3] if isinstance(result, tuple) and len(result) == 4 else []


def _sample(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read the head, the first two entries, the last, and what follows, with the exact reader."""
    head = document[:_HEAD]
    tag = b"<item>" if b"<rss" in head else b"<entry>" if b"<feed" in head else b""
    if not tag:
        return None
    third = -1
    for _ in range(3):
        third = document.find(tag, third + 1)
        if third == -1:
            return None
    last = document.rfind(tag)
    if last == third or b"xml:base" in document[: document.find(tag)]:
        return None
    try:
        sample = read_strict(document[:third] + document[last:], base, now)
    except IllFormedError:
        return None
    return sample if sample and len(sample.entries) == 3 else None


class _Shape:
    """What the entries of one feed have in common, as far as the quick reader does not tell."""

    def __init__(self, document: bytes, sample: Feed, found: list[dict[str, Any]]) -> None:
        entries = sample.entries
        self._atom = sample.dialect.startswith("atom")
        self._published = entries[0].published is not None
        self._updated = entries[0].updated is not None
        self._summary = _has_summary(entries[0])
        self.content = bool(entries[0].content)
        self._markup = _title_markup(document, found) if self._atom else None
        mixed = self._atom and self._markup is None
        self._controls = may_hold_controls(document)
        self.even = (
            not mixed
            and self._has_same_parts(document, found)
            and all(
                (entry.published is not None) == self._published
                and (entry.updated is not None) == self._updated
                and _has_summary(entry) == self._summary
                and bool(entry.content) == self.content
                and len(entry.authors) <= 1
                for entry in entries
            )
        )
        if self.even and any(entry.authors for entry in entries):
            # It gives one author of an entry only.
            people = document.count(b"<author>") - 1 if self._atom else document.count(b":creator>") // 2
            self.even = people <= len(found)

    def _has_same_parts(self, document: bytes, found: list[dict[str, Any]]) -> bool:
        """Tell whether all entries have a summary, a content, dates if those of the sample have; and an id.

        Where one is missing the quick reader makes it up of another. Of an Atom entry's links it may take the
        first, whatever it is for, so all have to have as many.
        """
        if self._atom:
            if not self.content and any(item.get("content") for item in found):
                return False
            start = document.find(b"<entry>")
            links = document.count(b"<link", start, document.find(b"<entry>", start + 1))
            parts = [(b"</id>", 1), (b"<link", links), (b"</summary>", int(self._summary))]
            parts += [(b"</published>", int(self._published)), (b"</updated>", int(self._updated))]
        else:
            start = document.find(b"<item>")
            parts = [(b"</description>", int(self._summary)), (b"</content:encoded>", int(self.content))]
            parts.append((b"</guid>", 1))
        return all(document.count(part, start) == len(found) * times for part, times in parts)

    def entry(self, item: dict[str, Any], base: str, now: datetime) -> Entry:
        """Make an `Entry` of what the quick reader found, as the exact reader would."""
        summary = self._body(item.get("description")) if self._summary else ""
        content = ""
        if self.content and (contents := item.get("content")):
            content = self._body(contents[0].get("value"))
            if own_base := contents[0].get("base"):
                content = with_absolute_links(content, web_address(own_base, base))
        author = person_name(item["author"]) if item.get("author") else ""
        published = _moment(item.get("published"), now) if self._published else None
        return Entry(
            entry_id(item.get("id") or ""),
            web_address(item.get("link") or "", base),
            title_text(item.get("title") or "", self._markup),
            published,
            _moment(item.get("updated"), now) if self._updated else None,
            summary or content,
            content,
            (author,) if author else (),
        )

    def _body(self, text: str | None) -> str:
        if not text:
            return ""
        text = text[:MAX_TEXT].strip()
        if not text.isascii():
            text = repaired(text)
        return without_controls(text) if self._controls else text


def _has_summary(entry: Entry) -> bool:
    return bool(entry.summary) and entry.summary != entry.content


def _title_markup(document: bytes, found: list[dict[str, Any]]) -> bool | None:
    """Tell whether Atom titles are HTML, where it matters; None where they are not all of one type."""
    if not any("&" in (title := item.get("title") or "") or "<" in title for item in found):
        return False
    start = document.find(b"<entry>")
    escaped = sum(document.count(tag, start) for tag in (b'<title type="html"', b"<title type='html'"))
    if escaped in (0, len(found)):
        return escaped > 0
    return None


def _moment(text: str | None, now: datetime) -> datetime | None:
    return credible(parse_date(text), now) if text else None
