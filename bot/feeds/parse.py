"""From the bytes of a feed to a `Feed`, whatever its dialect, charset and state of repair.

A long ordinary feed is read by fastfeedparser (`reading.quick`), any other well-formed document by expat
in one pass (`reading.strict`); one with the usual faults is mended and read again; what is still
ill-formed goes to feedparser (`reading.forgiving`) and, where that finds less than there is, is read
entry by entry (`reading.salvage`). Everything is linear in the size of the document and bounded
(`reading.limits`); nothing outside the document is opened.
"""

from __future__ import annotations

from datetime import datetime

from bot.clock import utc_now
from bot.errors import told
from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.model import Feed
from bot.feeds.reading.charset import utf8_document
from bot.feeds.reading.doctype import without_doctype
from bot.feeds.reading.json_feed import read_json
from bot.feeds.reading.kinds import refuse_other_kinds
from bot.feeds.reading.limits import (
    MAX_FORGIVING_BYTES,
    MAX_FORGIVING_TAGS,
    MAX_MENDED_BYTES,
    refuse_too_large,
)
from bot.feeds.reading.quick import read_quickly
from bot.feeds.reading.repair import mended, trimmed
from bot.feeds.reading.salvage import (
    cut_entry,
    entry_starts,
    has_long_tag,
    read_with_any_prefix,
    salvage,
)
from bot.feeds.reading.strict import IllFormedError, read_strict


def parse_feed(
    content: bytes, *, url: str = "", content_type: str | None = None, now: datetime | None = None
) -> Feed:
    """Read a feed: RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1.

    `url` is where it came from (relative links are resolved against it), `content_type` the HTTP field
    (its charset counts), `now` the time against which dates are judged. Raises `ParseError`, and
    `NotAFeedError` below it for a web page or another document.
    """
    refuse_too_large(content)
    now = now or utc_now()
    refuse_other_kinds(content)
    document = trimmed(utf8_document(content, content_type, trusting=True))
    if not document or document.isspace():
        raise ParseError(told("The document is empty."))
    if document[:1] in (b"{", b"["):
        return read_json(trimmed(utf8_document(content, content_type)), url, now)
    document = without_doctype(document)
    try:
        feed = read_quickly(document, url, now) or read_strict(document, url, now)
    except IllFormedError as error:
        whole = without_doctype(trimmed(utf8_document(content, content_type)))
        document = whole[:MAX_MENDED_BYTES]
        cut = cut_entry(document)
        if entry_starts(document[:cut], 1):  # half an entry is better than none
            document = document[:cut]
        feed = _read_mended(mended(document), url, now)
        if feed is None:
            raise ParseError(
                told("The document is no feed that can be read: {error}.", error=error)
            ) from None
        feed = feed._replace(cut=cut is not None and len(whole) <= MAX_MENDED_BYTES)
    if feed is None:
        refuse_other_kinds(document)
        raise NotAFeedError(told("The document is XML, but not a feed in RSS, RDF or Atom."))
    return feed


def _read_mended(document: bytes, url: str, now: datetime) -> Feed | None:
    try:
        return read_with_any_prefix(document, url, now)
    except IllFormedError:
        return _read_ill_formed(document, url, now)


def _read_ill_formed(document: bytes, url: str, now: datetime) -> Feed | None:
    """Read with feedparser if the document is small; keep what the salvage finds if that is more."""
    from bot.feeds.reading.forgiving import read_forgivingly  # few documents are that ill-formed

    small = (
        len(document) <= MAX_FORGIVING_BYTES
        and document.count(b"<") <= MAX_FORGIVING_TAGS
        and not has_long_tag(document)
    )
    forgiving = read_forgivingly(document, url, now) if small else None
    if forgiving is not None and len(forgiving.entries) >= len(entry_starts(document)):
        return forgiving
    salvaged = salvage(document, url, now)
    if forgiving is None or (salvaged is not None and len(salvaged.entries) > len(forgiving.entries)):
        return salvaged
    return forgiving
