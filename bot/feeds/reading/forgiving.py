"""Reading ill-formed feeds with feedparser, which knows twenty years of publishers' mistakes.

It is slow (some 3 MB a second) and has quadratic corners, so it is given small documents only, in UTF-8
and without declarations; it opens nothing, since it is handed a stream.
"""

from __future__ import annotations

import calendar
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from bot.feeds.model import Entry, Feed
from bot.feeds.reading.authors import person_name
from bot.feeds.reading.clean import entry_id, one_line, title_text, web_address, without_controls
from bot.feeds.reading.dates import credible, parse_date
from bot.feeds.reading.limits import MAX_AUTHORS, MAX_ENTRIES, MAX_TEXT

_DIALECTS = {"rss20": "rss 2.0", "rss10": "rdf", "rss090": "rdf", "atom10": "atom 1.0", "atom03": "atom 0.3"}


def read_forgivingly(document: bytes, base: str, now: datetime) -> Feed | None:
    """Read a UTF-8 document as well as it can be; None when there is nothing of a feed in it."""
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": base}
    try:
        parsed = feedparser.parse(
            io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception:
        # feedparser's loose reader raises whatever its handlers run into (AttributeError, KeyError,
        # AssertionError, RecursionError, ...); to us they all say that it could not read this.
        return None
    head = parsed.get("feed") or {}
    version = str(parsed.get("version") or "")
    entries = tuple(_entry(entry, version, now) for entry in parsed.entries[:MAX_ENTRIES])
    if not entries and not version and not head.get("title"):
        return None
    return Feed(
        title=_title(head, version),
        link=web_address(_text(head, "link"), base),
        entries=entries,
        dialect=_DIALECTS.get(version, version),
        language=one_line(_text(head, "language"), 40) or None,
    )


def _entry(entry: Mapping[str, Any], version: str, now: datetime) -> Entry:
    summary = without_controls(_text(entry, "summary")[:MAX_TEXT])
    contents = [
        without_controls(_text(content, "value")[:MAX_TEXT]) for content in entry.get("content") or ()
    ]
    published = _moment(entry, "published", now)
    updated = _moment(entry, "updated", now) if "updated" in entry.keys() else None  # noqa: SIM118 - its `in` falls back to published
    if published is None:
        if updated is None:
            published = _moment(entry, "created", now)
        elif not version.startswith("atom"):
            published = updated
    content = next((text for text in contents if text), "")
    return Entry(
        id=entry_id(_text(entry, "id")),
        url=web_address(_text(entry, "link"), ""),
        title=_title(entry, version),
        published=published,
        updated=updated,
        summary=summary or content,
        content=content,
        authors=_authors(entry),
    )


def _title(holder: Mapping[str, Any], version: str) -> str:
    kind = (holder.get("title_detail") or {}).get("type", "")
    markup = (
        True
        if kind in ("text/html", "application/xhtml+xml")
        else False
        if version.startswith("atom")
        else None
    )
    return title_text(_text(holder, "title"), markup)


def _moment(entry: Mapping[str, Any], field: str, now: datetime) -> datetime | None:
    moment = parse_date(_text(entry, field))
    if moment is None and (parsed := entry.get(field + "_parsed")):
        try:
            moment = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
        except (OverflowError, ValueError, OSError):
            return None
    return credible(moment, now)


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    people = entry.get("authors") or ()
    names = [
        person_name(_text(person, "name") or _text(person, "email"))
        for person in people[:MAX_AUTHORS]
        if person
    ]
    if not any(names):
        names = [person_name(_text(entry, "author"))]
    return tuple(dict.fromkeys(name for name in names if name))


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
