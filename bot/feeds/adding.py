"""Adding feeds: by address, by a page that names one, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.errors import told
from bot.feeds import memory as memories
from bot.feeds.errors import FeedError, NotAFeedError
from bot.feeds.fetch import Fetcher, Response
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import Guard, shown_url
from bot.feeds.limits import FeedLimits
from bot.feeds.look import Look, name_of
from bot.feeds.looking import LEASE, Parser, look_at
from bot.feeds.memory import Memory
from bot.feeds.reading.kinds import WEB_PAGE
from bot.feeds.reports import Added, Imported
from bot.feeds.rhythm import read_retry_after
from bot.feeds.store import store_looks
from db import feeds
from db.engine import Database
from db.feeds import StoredFeed

if TYPE_CHECKING:  # a poll round reads no lists
    from bot.feeds import opml

# One address asked for by a member is one knock on a stranger's door: so far apart for one host.
PROBE_GAP = 60.0
UNUSED = told("nobody uses it")  # why a feed rests
_IN_USE = told("in use again")
_ADDED = told("somebody has added it")


def no_room(most: int, count: int) -> FeedError:
    """Give the error of a guild that uses `count` feeds already, of at most so many."""
    return FeedError(
        told(
            "A server watches at most {most} feeds and this one has {count}; "
            "remove some with `/feeds remove` first.",
            most=most,
            count=count,
        )
    )


@dataclass(frozen=True, slots=True)
class Use:
    """Who adds a feed: a guild, which may use `most`, and the member who asked; or (None) the operator."""

    guild_id: int | None
    added_by: int | None
    most: int | None = None

    async def hold(self, session: AsyncSession) -> None:
        """Let nobody else add feeds for the guild until the transaction ends; to be called first in it."""
        if self.guild_id is not None and self.most is not None:
            from db import guilds  # a poll round does without, and with the tables of all rooms

            await guilds.hold(session, self.guild_id)

    async def note(self, session: AsyncSession, feed_ids: Sequence[int], now: datetime) -> int:
        """Note the use; gives how many are new ones. Raises `FeedError` where they are too many."""
        if self.guild_id is None:
            return 0
        fresh = await feeds.use(session, feed_ids, self.guild_id, self.added_by, now)
        if fresh and self.most is not None:
            count = await feeds.count_used(session, self.guild_id)
            if count > self.most:
                raise no_room(self.most, count - fresh)
        return fresh


class Adder:
    """Adds feeds."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        limits: FeedLimits,
        *,
        worker: str,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._limits = limits
        self._worker = worker
        self._probes: dict[str, datetime] = {}
        self._offered: dict[str, datetime] = {}

    async def add(self, address: str, use: Use, *, seconds: float | None = None) -> Added:
        """Add one feed. Its server, and that of a feed which its page names, have `seconds` in all.

        The default is what one request may take. Raises `FeedError`.
        """
        url = self.normal(address)
        if use.guild_id is not None and await self._is_unknown(url):
            self._knock(url)
        clock = asyncio.get_running_loop().time
        seconds = self._limits.timeout if seconds is None else seconds
        until = clock() + seconds
        added = await self._add_feed(url, use, seconds)
        if isinstance(added, Added):
            return added
        if not isinstance(added.error, NotAFeedError) or added.response is None:
            raise added.error or FeedError(told("There is no feed at this address."))
        return await self._discover(added.response, added.error, use, lambda: until - clock())

    async def _add_feed(self, url: str, use: Use, seconds: float) -> Added | Look:
        """Add the feed at this very address; where there is none, gives the look that found so."""
        if (known := await self._use_known(url, use)) is not None:
            return known
        look = await look_at(_unknown(url), self._fetcher, self._parser, self._clock, seconds=seconds)
        return look if look.error is not None else await self._add_looked(look, use)

    async def _discover(
        self, page: Response, error: NotAFeedError, use: Use, left: Callable[[], float]
    ) -> Added:
        """Add the feed that a page names, or give the choice. Paths are tried only where it names none.

        `left` tells how many seconds are left: a page that names feeds, or whose site has a dozen paths to
        try, gets no more time than a feed, or a slow server would have it all a dozen times over.
        """
        from bot.feeds.discover import find_feeds, well_known  # a poll round looks into no pages

        links = await asyncio.to_thread(
            find_feeds, page.body, page.url, page.headers.getall("Link", ()), page.content_type
        )
        if len(links) > 1:
            self._offer(page, [link.url for link in links])
            reason = told(
                "{address} offers {number} feeds; choose one of them.",
                address=shown_url(page.url),
                number=len(links),
            )
            return Added(None, page.url, "", reason, candidates=links)
        for url in [link.url for link in links] or well_known(page.url):
            if not links and left() <= 0:
                break
            added = await self._add_feed(self.normal(url), use, left())
            if isinstance(added, Added):
                return added
            if added.error is not None and (links or _asks_to_wait(added)):
                raise added.error
        if str(error) != WEB_PAGE:
            raise error  # it is something else (a list of feeds, a sitemap), and that is what to know
        raise NotAFeedError(
            told(
                "{address} is a page that names no feed; look there for a link called RSS or Atom.",
                address=shown_url(page.url),
            )
        )

    async def _is_unknown(self, url: str) -> bool:
        async with self._database.read() as session:
            return await feeds.find(session, url) is None

    async def _use_known(self, url: str, use: Use) -> Added | None:
        """Where the address is stored already, note the new use; no request (P32)."""
        now = self._clock()
        async with self._database.write() as session:
            await use.hold(session)
            stored = await feeds.find(session, url)
            if stored is None:
                return None
            if stored.state == "gone":
                raise FeedError(_ended(stored))
            fresh = await use.note(session, [stored.id], now)
            stored = await feeds.get(session, stored.id) or stored  # it may have been let rest at this moment
            guilds = await feeds.guilds_of(session, stored.id) if use.guild_id is not None else {}
            paused = use.guild_id is not None and guilds.get(use.guild_id, False)
            memory = memories.from_json(stored.memory)
            values: dict[str, Any] = {}
            if use.guild_id is None and not memory.kept:
                values["memory"] = memories.to_json(replace(memory, kept=True))
            if stored.state == "paused":
                values |= feeds.woken(stored, _IN_USE, now)
            elif stored.failure and (fresh or values) and _may_be_asked(stored, memory, now):
                values |= {"next_look": now, "next_reason": _ADDED}  # its pause may have grown to a week
            if values:
                await feeds.overrule(session, stored.id, values)
        name = stored.title or shown_url(url)
        known = paused or (not fresh and not values)
        failure = values.get("failure", stored.failure)
        if paused:
            reason = told(
                "{name} is watched already, but paused here; /feeds resume lets its stories come again.",
                name=name,
            )
        elif known:
            reason = told("{name} is watched already.", name=name)
        elif failure:
            reason = told(
                "{name} is watched from now on, but cannot be read at present: {error}",
                name=name,
                error=failure,
            )
        else:
            reason = told("{name} is watched from now on.", name=name)
        return Added(stored.id, url, stored.title, reason, known=known)

    async def _add_looked(self, look: Look, use: Use) -> Added:
        url, now = look.stored.url, look.at
        async with self._database.write() as session:
            await use.hold(session)
            feed_id = await feeds.add_new(
                session,
                _row(url, now, kept=use.guild_id is None)
                | {
                    "claim": 1,
                    "claimed_until": now + timedelta(seconds=LEASE),
                    "claimed_by": self._worker,
                },
            )
            if feed_id is not None:
                await use.note(session, [feed_id], now)
        if feed_id is None:  # somebody else added it while we looked
            known = await self._use_known(url, use)
            if known is None:
                raise FeedError(told("The feed was removed at this very moment; add it again."))
            return known
        memory = memories.to_json(Memory(kept=use.guild_id is None))
        look = look._replace(stored=look.stored._replace(id=feed_id, claim=1, memory=memory))
        stored = (await store_looks(self._database, [look], self._limits))[0]
        title = look.feed.title if look.feed is not None else ""
        entries = len(stored.decision.new) if stored.decision is not None else 0
        shown = title or shown_url(url)
        reason = (
            told("{title} is watched from now on; it shows one entry at present.", title=shown)
            if entries == 1
            else told(
                "{title} is watched from now on; it shows {entries} entries at present.",
                title=shown,
                entries=entries,
            )
        )
        return Added(feed_id, url, title, reason, is_new=True, entries=entries)

    async def add_many(self, items: Sequence[opml.ListedFeed], use: Use) -> Imported:
        """Add many feeds without asking any server."""
        wanted: dict[str, str] = {}
        refused: list[tuple[str, str]] = []
        for number, item in enumerate(items):
            try:
                wanted.setdefault(self.normal(item.url), item.title)
            except FetchError as error:
                refused.append((shown_url(item.url), str(error)))
            if number % 200 == 199:
                await asyncio.sleep(0)
        async with self._database.write() as session:
            await use.hold(session)
            for feed in await feeds.ended(session, list(wanted)):
                del wanted[feed.url]
                refused.append((shown_url(feed.url), _ended(feed)))
            fresh = await self.store(session, wanted, use)
        return Imported(fresh, len(wanted) - fresh, tuple(refused))

    async def store(self, session: AsyncSession, wanted: Mapping[str, str], use: Use) -> int:
        """Store feeds (addresses as `normal` gives them, with their titles) in the caller's transaction.

        Gives how many are new: to the guild, which is not told what others watch; to all, for the operator.
        One that rested because nobody used it goes on.
        """
        now = self._clock()
        known = await feeds.known_urls(session, list(wanted))
        rows = [
            _row(url, now, kept=use.guild_id is None) | {"title": title[:300]}
            for url, title in wanted.items()
            if url not in known
        ]
        await feeds.add_many(session, rows)
        fresh = len(rows)
        if use.guild_id is not None:
            ids = await feeds.known_urls(session, list(wanted))
            fresh = await use.note(session, list(ids.values()), now)
        else:
            await feeds.keep(session, list(known.values()))
        await feeds.wake_unused(session, list(known.values()), _IN_USE, now)
        return fresh

    def normal(self, address: str) -> str:
        """Give an address as it is stored. Raises `FetchError` for one that may not be fetched."""
        return normal_address(self._fetcher.guard, address)

    def _knock(self, url: str) -> None:
        """Refuse a member's second new address on the same host within a minute."""
        host = urlsplit(url).hostname or ""
        now = self._clock()
        if self._fetcher.guard.is_allowed_block(host) or _is_recent(self._offered.pop(url, None), now):
            return
        last = self._probes.get(host)
        if _is_recent(last, now):
            raise FeedError(told("{host} was asked a moment ago; try again in a minute.", host=host))
        self._probes = _recent(self._probes, now) | {host: now}

    def _offer(self, page: Response, urls: Sequence[str]) -> None:
        """Let what a page offers of its own server be chosen at once: that is the same knock still."""
        now = self._clock()
        servers = {urlsplit(page.asked).netloc, urlsplit(page.url).netloc}
        own = [url for url in urls if urlsplit(url).netloc in servers]
        self._offered = _recent(self._offered, now) | dict.fromkeys(own, now)


def _may_be_asked(stored: StoredFeed, memory: Memory, now: datetime) -> bool:
    """Tell whether a feed may be looked at out of its turn."""
    return memory.barred_until(now) is None and not _is_recent(stored.last_looked_at, now)


def _asks_to_wait(look: Look) -> bool:
    """Tell whether a server wants no further request now (P14)."""
    response = look.response
    return response is not None and (
        response.status == 429 or read_retry_after(response.headers, look.at) is not None
    )


def _is_recent(at: datetime | None, now: datetime) -> bool:
    return at is not None and (now - at).total_seconds() < PROBE_GAP


def _recent(times: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    return {name: at for name, at in times.items() if _is_recent(at, now)}


def normal_address(guard: Guard, address: str) -> str:
    """Give an address as it is stored; what has no scheme is taken for https. Raises `FetchError`."""
    address = address.strip()
    if "://" not in address:
        address = f"https://{address}"
    return str(guard.check_url(address))


def _ended(feed: StoredFeed) -> str:
    return told(
        "{name} is gone for good, says its server, and is looked at no more; "
        "look for its new address and add that.",
        name=name_of(feed),
    )


def _unknown(url: str) -> StoredFeed:
    return StoredFeed(0, url)


def _row(url: str, now: datetime, *, kept: bool) -> dict[str, Any]:
    from bot.feeds import catalogue  # a poll round reads no lists

    return {
        "url": url,
        "title": "",
        "site": "",
        "public": url in catalogue.urls(),
        "state": "active",
        "added_at": now,
        "next_look": now,
        "next_reason": told("never looked at so far"),
        "claim": 0,
        "failures": 0,
        "memory": memories.to_json(Memory(kept=kept)),
    }
