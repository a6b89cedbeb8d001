"""Reading what can be read of a broken document: each entry for itself, so that one cannot spoil another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bot.feeds.model import Entry, Feed
from bot.feeds.reading.builder import EnoughEntriesError, FeedBuilder
from bot.feeds.reading.limits import MAX_ENTRIES, MAX_START_TAG, MAX_TREE_TAGS
from bot.feeds.reading.strict import IllFormedError, read_strict

_ENTRY_START: Final = re.compile(rb"<(?:[A-Za-z][\w.-]{0,30}:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
_ROOT_START: Final = re.compile(
    rb"<(?:[A-Za-z][\w.-]{0,30}:)?(?:rss|feed|rdf|channel)(?=[\s>])[^<>]{0,20000}>", re.IGNORECASE
)
_END_TAG: Final = re.compile(rb"</(?:[A-Za-z][\w.-]{0,30}:)?(?:item|entry)\s*>", re.IGNORECASE)
_ROOT_END: Final = re.compile(rb"</(?:[A-Za-z][\w.-]{0,30}:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_LARGEST_ENTRY: Final = 1024 * 1024


def entry_starts(document: bytes, most: int = MAX_ENTRIES) -> list[int]:
    """Give where entries begin, CDATA sections left out, at most so many."""
    starts = []
    section = document.find(b"<![CDATA[")
    section_end = document.find(b"]]>", section) if section != -1 else -1
    for match in _ENTRY_START.finditer(document):
        at = match.start()
        while section != -1 and section_end != -1 and section_end < at:
            section = document.find(b"<![CDATA[", section_end)
            section_end = document.find(b"]]>", section) if section != -1 else -1
        if section != -1 and section < at < section_end:
            continue
        starts.append(at)
        if len(starts) >= most:
            break
    return starts


def cut_entry(document: bytes) -> int | None:
    """Give where the last entry begins, if the document breaks off inside it."""
    starts = entry_starts(document, MAX_ENTRIES + 1)
    if not 1 <= len(starts) <= MAX_ENTRIES or _END_TAG.search(document, starts[-1]):
        return None
    return None if _ROOT_END.search(document, starts[-1]) else starts[-1]


def salvage(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read the feed's head and each entry apart; None when there is neither a root nor an entry."""
    starts = entry_starts(document, MAX_ENTRIES + 1)
    head_end = starts[0] if starts else min(len(document), _LARGEST_ENTRY)
    head = read_loosely(document[: min(head_end, _LARGEST_ENTRY)], base, now)
    root = _ROOT_START.search(document, 0, head_end)
    opening = root.group() if root else b"<rss>"
    name = opening[1:].split(None, 1)[0].rstrip(b">/")
    closing = b"</" + name + b">"
    if opening.endswith(b"/>"):
        opening = opening[:-2] + b">"
    entries: list[Entry] = []
    for fragment in _fragments(document, starts[:MAX_ENTRIES]):
        part = _one(opening + fragment + closing, base, now)
        if part:
            entries.extend(part.entries[:1])
    if head is None:
        return Feed("", "", tuple(entries)) if entries else None
    return head._replace(entries=tuple(entries))


def _fragments(document: bytes, starts: list[int]) -> Iterator[bytes]:
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(document)
        fragment = document[start : min(end, start + _LARGEST_ENTRY)]
        ends = [match.end() for match in _END_TAG.finditer(fragment)]
        yield fragment[: ends[-1]] if ends else fragment


def _one(document: bytes, base: str, now: datetime) -> Feed | None:
    try:
        return read_with_any_prefix(document, base, now)
    except IllFormedError:
        return read_loosely(document, base, now)


def read_with_any_prefix(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read a well-formed document whose prefixes may be declared nowhere. Raises `IllFormedError`."""
    try:
        return read_strict(document, base, now)
    except IllFormedError as error:
        if not error.unbound_prefix:
            raise
    return read_strict(document, base, now, namespaces=False)


def has_long_tag(document: bytes) -> bool:
    """Tell whether something between "<" and ">" is longer than tags are."""
    position = document.find(b"<")
    while position != -1 and len(document) - position > MAX_START_TAG:
        end = document.find(b">", position, position + MAX_START_TAG)
        if end == -1 and not document.startswith((b"<!", b"<?"), position):
            return True
        # From the last "<" before that bound on: the next tag, or one inside this one's text.
        position = document.find(b"<", (end if end != -1 else position) + 1)
    return False


def read_loosely(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read a document, or a part of one, with libxml2 closing what is left open; None when it is no feed."""
    if document.count(b"<") > MAX_TREE_TAGS or has_long_tag(document):
        return None
    from lxml import etree  # few documents are that ill-formed

    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None:
        return None
    builder = FeedBuilder(base, now)
    try:
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if not isinstance(element.tag, str):
                if event == "end" and element.tail:
                    builder.data(element.tail)
                continue
            name = element.tag.removeprefix("{")
            if event == "start":
                builder.start(name, {key.removeprefix("{"): value for key, value in element.attrib.items()})
                if element.text:
                    builder.data(element.text)
            else:
                builder.end(name)
                if element.tail:
                    builder.data(element.tail)
    except EnoughEntriesError:
        pass
    return builder.feed()
