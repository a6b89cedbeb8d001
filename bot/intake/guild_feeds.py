"""A server's feeds: added, paused and removed within its limit, each change written into its audit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.clock import Clock
from bot.errors import QuashError, told
from bot.feeds import catalogue, opml
from bot.feeds.adding import no_room
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import shown_url
from bot.feeds.reports import Added, Imported, ListedFeed, LookReport
from bot.feeds.service import FeedService
from db import audit, entries
from db.engine import Database
from db.entries import SeenEntry

MOST_FEEDS = 200


class GuildFeedsError(QuashError):
    """A server's feeds cannot be changed so; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who changes a server's feeds."""

    guild_id: int
    user_id: int


class GuildFeeds:
    """The feeds of servers. `most`: how many one server may use."""

    def __init__(
        self, database: Database, feeds: FeedService, clock: Clock, *, most: int = MOST_FEEDS
    ) -> None:
        self._database = database
        self._feeds = feeds
        self._clock = clock
        self._most = most

    async def list(self, guild_id: int) -> Sequence[ListedFeed]:
        """Give a server's feeds."""
        return await self._feeds.list(guild_id=guild_id)

    async def add(self, who: Who, address: str) -> Added:
        """Add a feed by its address, or by that of a page. Raises `FeedError`, `GuildFeedsError`."""
        await self._check_room(who, [address])
        added = await self._feeds.add(address, guild_id=who.guild_id, added_by=who.user_id, most=self._most)
        if added.feed_id is not None and not added.known:
            await self._note_feed(who, "feed added", added.feed_id, added.title or shown_url(added.url))
        return added

    async def remove(self, who: Who, feed_id: int) -> ListedFeed:
        """Stop watching a feed for a server; gives what it was."""
        feed = await self.get(who.guild_id, feed_id)
        await self._feeds.remove(feed_id, guild_id=who.guild_id)
        await self._note_feed(who, "feed removed", feed_id, feed.title or shown_url(feed.url))
        return feed

    async def set_paused(self, who: Who, feed_id: int, *, paused: bool) -> ListedFeed:
        """Pause a feed for a server, or resume it."""
        feed = await self.get(who.guild_id, feed_id)
        if feed.paused != paused:
            await self._feeds.set_paused(feed_id, guild_id=who.guild_id, paused=paused)
            action = "feed paused" if paused else "feed resumed"
            await self._note_feed(who, action, feed_id, feed.title or shown_url(feed.url))
        return feed

    async def check(self, guild_id: int, feed_id: int) -> LookReport:
        """Look at one of a server's feeds now, unless it was looked at a moment ago."""
        await self.get(guild_id, feed_id)
        report = await self._feeds.check([feed_id])
        return report.looks[0]

    async def newest(self, guild_id: int, feed_id: int, limit: int = 5) -> Sequence[SeenEntry]:
        """Give the newest entries of one of a server's feeds, with what was made of them."""
        await self.get(guild_id, feed_id)
        async with self._database.read() as session:
            return await entries.newest_of_feed(session, feed_id, limit)

    async def import_list(self, who: Who, content: bytes) -> Imported:
        """Add the feeds of an OPML file or of a list of addresses. Raises `OpmlError`, `GuildFeedsError`.

        What the list held besides is refused with a sentence and no address.
        """
        listed = await asyncio.to_thread(opml.read_list, content)
        imported = await self._add_many(who, listed.feeds)
        return replace(imported, refused=(*imported.refused, *(("", why) for why in listed.problems)))

    async def export_list(self, guild_id: int) -> bytes:
        """Give a server's feeds as OPML."""
        feeds = await self.list(guild_id)
        listed = [opml.ListedFeed(feed.url, feed.title, feed.site) for feed in feeds]
        return opml.write_opml(listed, title="Quash", now=self._clock())

    async def add_from_catalogue(self, who: Who, urls: Sequence[str]) -> Imported:
        """Add feeds of the catalogue; addresses that are not in it are refused."""
        known = {feed.url: feed for feed in catalogue.load()}
        chosen = [known[url] for url in urls if url in known]
        if len(chosen) != len(urls):
            raise GuildFeedsError(
                told("That is not in the catalogue any more; open `/feeds catalogue` anew.")
            )
        return await self._add_many(who, [opml.ListedFeed(f.url, f.name, f.site) for f in chosen])

    async def get(self, guild_id: int, feed_id: int) -> ListedFeed:
        """Give one of a server's feeds. Raises `GuildFeedsError` where it watches none of this number."""
        for feed in await self.list(guild_id):
            if feed.id == feed_id:
                return feed
        raise GuildFeedsError(
            told(
                "This server watches no feed #{feed_id}; `/feeds list` shows those it does.", feed_id=feed_id
            )
        )

    async def _add_many(self, who: Who, items: Sequence[opml.ListedFeed]) -> Imported:
        if not items:
            raise GuildFeedsError(told("There is no feed in it; give an OPML file, or one address a line."))
        await self._check_room(who, [item.url for item in items])
        imported = await self._feeds.add_many(
            items, guild_id=who.guild_id, added_by=who.user_id, most=self._most
        )
        if imported.added:  # else nothing changed
            await self._note(who, "feeds imported", {"feeds": imported.added})
        return imported

    async def _check_room(self, who: Who, addresses: Sequence[str]) -> None:
        """Raise where a server has no room for those of these addresses that it does not watch already."""
        known = {feed.url for feed in await self.list(who.guild_id)}
        more: set[str] = set()
        for number, address in enumerate(addresses):
            with contextlib.suppress(FetchError):  # what cannot be added is refused by itself
                more.add(self._feeds.normal(address))
            if number % 200 == 199:
                await asyncio.sleep(0)
        if len(known | more) > max(self._most, len(known)):
            raise no_room(self._most, len(known))

    async def _note_feed(self, who: Who, action: str, feed_id: int, name: str) -> None:
        await self._note(who, action, {"feed": feed_id, "name": name[:200]})

    async def _note(self, who: Who, action: str, after: dict[str, Any]) -> None:
        async with self._database.write() as session:
            audit.note(session, who.guild_id, who.user_id, self._clock(), action, after=after)
