"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bot.errors import told
from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.model import Entry, Feed
from bot.feeds.reading.authors import person_name
from bot.feeds.reading.clean import entry_id, one_line, repaired, title_text, web_address, without_controls
from bot.feeds.reading.dates import credible, parse_date
from bot.feeds.reading.limits import MAX_AUTHORS, MAX_ENTRIES, MAX_JSON_VALUES, MAX_TEXT


def read_json(document: bytes, base: str, now: datetime) -> Feed:
    """Read a JSON Feed in UTF-8. Raises `ParseError`; a wrong kind of value counts as absent."""
    if document.count(b"{") + document.count(b"[") + document.count(b",") > MAX_JSON_VALUES:
        raise ParseError(
            told(
                "The JSON Feed holds more than {number} values; ask its publisher for a shorter one.",
                number=f"{MAX_JSON_VALUES:,}",
            )
        )
    try:
        data = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ParseError(
            told("The document starts like JSON but cannot be read as JSON; the feed is cut or broken.")
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise NotAFeedError(told("The document is JSON, but not a JSON Feed: it has no list of items."))
    version = _text(data, "version").rstrip("/").rpartition("/")[2][:8]
    hubs = data.get("hubs")
    hub = (
        next((_text(hub, "url") for hub in hubs if isinstance(hub, dict)), "")
        if isinstance(hubs, list)
        else ""
    )
    own = web_address(_text(data, "feed_url"), base)
    base = base or own
    everyone = _authors(data)
    return Feed(
        title=title_text(_text(data, "title"), False),
        link=web_address(_text(data, "home_page_url"), base),
        entries=tuple(
            _entry(item, base, everyone, now)
            for item in data["items"][:MAX_ENTRIES]
            if isinstance(item, dict)
        ),
        dialect=f"json {version}".strip(),
        language=one_line(_text(data, "language"), 40) or None,
        hub=web_address(hub, base) or None,
        self_url=own or None,
    )


def _entry(item: dict[str, Any], base: str, everyone: tuple[str, ...], now: datetime) -> Entry:
    content = _body(item, "content_html") or _body(item, "content_text")
    return Entry(
        id=entry_id(_text(item, "id")),
        url=web_address(_text(item, "url"), base) or web_address(_text(item, "external_url"), base),
        title=title_text(_text(item, "title"), False),
        published=credible(parse_date(_text(item, "date_published")), now),
        updated=credible(parse_date(_text(item, "date_modified")), now),
        summary=_body(item, "summary") or content,
        content=content,
        authors=_authors(item) or everyone,
    )


def _authors(holder: dict[str, Any]) -> tuple[str, ...]:
    """Give the names in `authors` (1.1) or `author` (1.0)."""
    authors = holder.get("authors")
    people = authors if isinstance(authors, list) else [holder.get("author")]
    names = (
        person_name(_text(person, "name")) for person in people[:MAX_AUTHORS] if isinstance(person, dict)
    )
    return tuple(dict.fromkeys(name for name in names if name))


def _body(item: dict[str, Any], key: str) -> str:
    return without_controls(repaired(_text(item, key)[:MAX_TEXT])).strip()


def _text(holder: dict[str, Any], key: str) -> str:
    """Give a text; numbers, which readers have to take for ids, as text (JSON Feed 1.1, "id")."""
    value = holder.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""
