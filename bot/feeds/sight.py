"""What a poll needs of a feed that was read: its entries with their identities, ready to be compared.

Worked out where the feed is read (`bot.feeds.worker`), away from the event loop: for a thousand feeds it is
as much work as reading them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from bot.feeds.identity import entry_key, shared_ids, url_key
from bot.feeds.model import Entry, Feed, Rhythm


class Sighting(NamedTuple):
    """An entry with its identity, as it is stored. `content_hash` covers what a reader sees, not its dates.

    `published` is a Unix time; where the feed only says when an entry was updated, it is that.
    """

    key: str
    url_key: str | None
    content_hash: str
    url: str
    title: str
    summary: str
    content: str
    published: float | None


class SeenFeed(NamedTuple):
    """A feed's words about itself, and its entries in the feed's own order."""

    title: str
    link: str
    language: str | None
    rhythm: Rhythm
    hub: str | None
    self_url: str | None
    sightings: tuple[Sighting, ...]


def seen(feed: Feed) -> SeenFeed:
    """Work out the identities of a feed's entries."""
    shared = shared_ids(feed.entries)
    return SeenFeed(
        feed.title,
        feed.link,
        feed.language,
        feed.rhythm,
        feed.hub,
        feed.self_url,
        tuple(sight(entry._replace(id="") if entry.id in shared else entry) for entry in feed.entries),
    )


def sight(entry: Entry) -> Sighting:
    """Work out an entry's identity. A summary that is the content is not kept twice."""
    _, url, title, published, updated, summary, content, _ = entry
    if summary == content:
        summary = ""
    shown = f"{title}\0{url}\0{summary}\0{content}"
    date = published or updated
    return Sighting(
        entry_key(entry),
        url_key(url),
        sha256(shown.encode("utf-8", "replace")).hexdigest()[:32],
        url,
        title,
        summary,
        content,
        None if date is None else date.timestamp(),
    )
