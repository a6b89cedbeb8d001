"""What a poll needs of a feed that was read: its entries with their identities, ready to be compared.

Worked out where the feed is read (`bot.feeds.worker`), away from the event loop: for a thousand feeds it is
as much work as reading them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from bot.feeds.identity import entry_key, shared_addresses, shared_ids, title_key, url_key
from bot.feeds.model import Entry, Feed, Rhythm

_LONG_AFTER: Final = timedelta(days=30)


class Sighting(NamedTuple):
    """An entry with its identity, as it is stored. `content_hash` covers what a reader sees, not its dates.

    `published` is a Unix time; where the feed only says when an entry was updated, it is that. `revised`: it
    was updated long after it came out.
    """

    key: str
    url_key: str | None
    content_hash: str
    url: str
    title: str
    summary: str
    content: str
    published: float | None
    revised: bool = False


class SeenFeed(NamedTuple):
    """A feed's words about itself, and its entries in the feed's own order.

    `shared`: keys by which several entries would be taken for one (`bot.feeds.identity`), which so are none.
    `cut`: the document broke off, so there are more.
    """

    title: str
    link: str
    language: str | None
    rhythm: Rhythm
    hub: str | None
    self_url: str | None
    sightings: tuple[Sighting, ...]
    shared: tuple[str, ...] = ()
    cut: bool = False


def seen(feed: Feed) -> SeenFeed:
    """Work out the identities of a feed's entries."""
    entries = feed.entries
    ids = shared_ids(entries)
    shared = {entry_key(Entry(one, "", "")) for one in ids} | shared_addresses(entries, ids)
    found = SeenFeed(
        feed.title,
        feed.link,
        feed.language,
        feed.rhythm,
        feed.hub,
        feed.self_url,
        tuple(map(sight, entries)),
        cut=feed.cut,
    )
    return told_apart(found, shared)


def told_apart(feed: SeenFeed, shared: Collection[str]) -> SeenFeed:
    """Give a feed whose entries have other keys than those, which were `shared` in it before."""
    every = {*feed.shared, *shared}
    if not every:
        return feed
    return feed._replace(
        sightings=tuple(_apart(one, every) if one.key in every else one for one in feed.sightings),
        shared=tuple(sorted(every)),
    )


def _apart(one: Sighting, shared: Collection[str]) -> Sighting:
    """Give an entry the next best key: its address's, else that of its title and date."""
    key = one.url_key
    if key is None or key in shared:
        date = None if one.published is None else datetime.fromtimestamp(one.published, UTC)
        key = title_key(one.title, date)
    return one if key is None else one._replace(key=key)


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
        published is not None and updated is not None and updated - published > _LONG_AFTER,
    )
