"""The feeds room's front door: adding, looking, listing; for the command line, the scheduler, the cogs."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.errors import told
from bot.feeds import memory as memories
from bot.feeds.adding import UNUSED, Adder, Use, normal_address
from bot.feeds.errors import FeedError
from bot.feeds.fetch import Fetcher
from bot.feeds.guard import shown_url
from bot.feeds.limits import FeedLimits
from bot.feeds.look import name_of
from bot.feeds.looking import LEASE, Parser, Round
from bot.feeds.memory import Memory
from bot.feeds.record import write_recording
from bot.feeds.reports import Added, Imported, ListedFeed, LookReport, RoundReport, listed, report_of
from bot.feeds.rhythm import shown_duration
from bot.feeds.store import Stored
from bot.feeds.telling import Notice
from db import feed_claims, feeds
from db.engine import Database
from db.feeds import StoredFeed

if TYPE_CHECKING:  # a poll round reads no lists
    from bot.feeds import opml

__all__ = ["Added", "FeedService", "Imported", "ListedFeed", "LookReport", "Notice", "RoundReport"]

# "Check now" again within this time is answered from what the last look found (P31).
CHECK_GAP = 60.0
_TOGETHER = timedelta(minutes=15)  # that telling of a feed that is back waits for others of its server
_HOST_SHARE = 4  # times the requests that one host may have under way: its feeds in one round of due ones


# The workers of this very process.
_OURS: set[str] = set()

Progress = Callable[[int, int, LookReport], Awaitable[None]]


class FeedService:
    """All that can be done with feeds. One per process; safe to be used by many tasks."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        limits: FeedLimits,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._limits = limits
        self._started = self._published = False
        self.worker = f"{_machine()}/{os.getpid()}/{secrets.token_hex(4)}"
        _OURS.add(self.worker)
        self._adder = Adder(database, fetcher, parser, clock, limits, worker=self.worker)

    async def add(
        self,
        address: str,
        *,
        guild_id: int | None = None,
        added_by: int | None = None,
        seconds: float | None = None,
        most: int | None = None,
    ) -> Added:
        """Add a feed by its address, or by the address of a page that names one.

        A new feed is looked at at once; that is its first look. Without `guild_id` it is the operator's.
        `seconds` is what all requests may take together (default: what one may), `most` how many feeds the
        guild may use. Raises `FeedError` with the reason where nothing can be added.
        """
        return await self._adder.add(address, Use(guild_id, added_by, most), seconds=seconds)

    async def add_many(
        self,
        items: Sequence[opml.ListedFeed],
        *,
        guild_id: int | None = None,
        added_by: int | None = None,
        most: int | None = None,
    ) -> Imported:
        """Add many feeds without asking any server; each is looked at when its turn comes. All or, where the
        guild would then use more than `most`, none."""
        return await self._adder.add_many(items, Use(guild_id, added_by, most))

    def normal(self, address: str) -> str:
        """Give an address as it is stored. Raises `FetchError` for one that may not be fetched."""
        return self._adder.normal(address)

    async def store_in(
        self, session: AsyncSession, wanted: Mapping[str, str], *, guild_id: int, added_by: int
    ) -> int:
        """As `add_many` in the caller's transaction, for addresses (with titles) that `normal` gave."""
        return await self._adder.store(session, wanted, Use(guild_id, added_by))

    async def remove_in(self, session: AsyncSession, feed_id: int, *, guild_id: int) -> bool:
        """End a guild's use of a feed in the caller's transaction. False: no such."""
        if not await feeds.unuse(session, feed_id, guild_id):
            return False
        await feeds.rest_unused(session, [feed_id], UNUSED)
        return True

    # ----------------------------------------------------------------- looking

    async def _start(self) -> None:
        """Give back, once, what dead processes of this machine had claimed."""
        if self._started:
            return
        self._started = True
        async with self._database.write() as session:
            dead = [name for name in await feed_claims.claimants(session) if _is_dead(name)]
            if dead:
                await feed_claims.release_all(session, dead)

    async def _publish(self) -> None:
        """Have everybody see what the catalogue's feeds bring; a later version may hold more of them."""
        if not self._published:
            from bot.feeds import catalogue  # a poll round reads no lists

            async with self._database.write() as session:
                await feeds.publish(session, sorted(catalogue.urls()))
            self._published = True

    async def check_due(self, limit: int = 500) -> RoundReport:
        """Look at feeds that are due, at most `limit`. Of one host only a share, the rest next time (P29)."""
        await self._start()
        await self._publish()
        left = limit
        hosts: Counter[str] = Counter()
        share = self._limits.per_host * _HOST_SHARE

        def pick(feed: StoredFeed) -> bool:
            host = urlsplit(feed.url).hostname or ""
            hosts[host] += 1
            return hosts[host] <= share

        async def claims(count: int) -> Sequence[StoredFeed]:
            nonlocal left
            if left <= 0:
                return ()
            async with self._database.write() as session:
                claimed = await feed_claims.claim_due(
                    session,
                    now=self._clock(),
                    limit=min(count, left),
                    worker=self.worker,
                    lease=LEASE,
                    pick=pick,
                )
            # Fewer than asked for: nothing more is due, so there is no need to ask again.
            left = left - len(claimed) if len(claimed) == count else 0
            return claimed

        reports: list[LookReport] = []

        async def on_stored(stored: Stored) -> None:
            reports.append(report_of(stored))

        await self._round().run(claims, on_stored)
        return RoundReport(tuple(reports))

    async def check(
        self,
        ids: Sequence[int] | None = None,
        *,
        gap: float = CHECK_GAP,
        progress: Progress | None = None,
    ) -> RoundReport:
        """Look at these feeds now (None: all), whatever their schedule.

        Those that were looked at within `gap` seconds, and those whose server asked to wait
        (Retry-After), are skipped with the reason (P31); the command line gives 0. `progress` is told
        (done, all, report) after each. Raises `FeedError` for an id that does not exist.
        """
        await self._start()
        async with self._database.read() as session:
            if ids is None:
                wanted = await feeds.ids(session)
            else:
                wanted = list(dict.fromkeys(ids))
                for feed_id in wanted:
                    if await feeds.get(session, feed_id) is None:
                        raise FeedError(told("There is no feed with the number {feed_id}.", feed_id=feed_id))
        reports: list[LookReport] = []

        async def tell(report: LookReport) -> None:
            reports.append(report)
            if progress is not None:
                await progress(len(reports), len(wanted), report)

        rest = iter(wanted)

        async def claims(count: int) -> Sequence[StoredFeed]:
            while part := [feed_id for _, feed_id in zip(range(count), rest, strict=False)]:
                if ready := await self._claim_for_check(part, gap, tell):
                    return ready
            return ()

        async def on_stored(stored: Stored) -> None:
            await tell(report_of(stored))

        await self._round().run(claims, on_stored)
        return RoundReport(tuple(reports))

    async def _claim_for_check(
        self, part: Sequence[int], gap: float, tell: Callable[[LookReport], Awaitable[None]]
    ) -> list[StoredFeed]:
        """Claim what may be looked at of these, and tell why not of the others."""
        now = self._clock()
        ready: list[StoredFeed] = []
        skipped: list[tuple[StoredFeed, str]] = []
        async with self._database.write() as session:
            claimed = await feed_claims.claim_these(session, part, now=now, worker=self.worker, lease=LEASE)
            for feed in claimed:
                reason = _why_not(feed, gap, now)
                if reason:
                    skipped.append((feed, reason))
                else:
                    ready.append(feed)
            await feed_claims.release(session, [feed.id for feed, _ in skipped], worker=self.worker)
            others = set(part) - {feed.id for feed in claimed}
            for feed_id in part:
                if feed_id in others and (other := await feeds.get(session, feed_id)) is not None:
                    why = (
                        other.next_reason
                        if other.state != "active"
                        else told("it is being looked at already")
                    )
                    skipped.append((other, why or other.state))
        for feed, reason in skipped:
            await tell(LookReport(feed.id, feed.url, feed.title, "skipped", reason))
        return ready

    async def record(self, feed: int | str, folder: Path) -> Path:
        """Ask a feed's server once, without validators, and keep its raw answer in a file in `folder`.

        `feed` is its number, or an address, which need not be stored: what cannot be added can be recorded
        too. The answer is not stored. Raises `FeedError`.
        """
        now = self._clock()
        async with self._database.read() as session:
            if isinstance(feed, int):
                stored = await feeds.get(session, feed)
                if stored is None:
                    raise FeedError(told("There is no feed with the number {feed}.", feed=feed))
            else:
                url = normal_address(self._fetcher.guard, feed)
                stored = await feeds.find(session, url) or StoredFeed(0, url)
        if reason := _why_not(stored, 0, now):
            raise FeedError(
                told("{address} is not asked now: {reason}.", address=shown_url(stored.url), reason=reason)
            )
        response = await self._fetcher.fetch(stored.url)
        name = stored.id or urlsplit(stored.url).hostname
        path = folder / f"feed-{name}-{now:%Y%m%dT%H%M%SZ}.json"
        await asyncio.to_thread(write_recording, path, response)
        return path

    def _round(self) -> Round:
        return Round(
            self._database,
            self._fetcher,
            self._parser,
            self._clock,
            self._limits,
            worker=self.worker,
        )

    # ----------------------------------------------------------------- listing

    async def list(self, guild_id: int | None = None) -> Sequence[ListedFeed]:
        """Give all feeds, or those that a guild uses."""
        async with self._database.read() as session:
            stored = await feeds.listed(session, guild_id)
            paused = await feeds.paused_by(session, guild_id) if guild_id is not None else set()
        return [listed(feed, paused=feed.id in paused) for feed in stored]

    async def entry_counts(self) -> Mapping[int, int]:
        """Give how many entries each feed has that has any. All are counted, which takes its time."""
        async with self._database.read() as session:
            return await feeds.entry_counts(session)

    async def count_entries(self) -> int:
        """Give how many entries are stored, of all feeds together."""
        async with self._database.read() as session:
            return await feeds.count_entries(session)

    async def remove(self, feed_id: int, *, guild_id: int | None = None) -> bool:
        """End a guild's use of a feed, or (operator) delete the feed with its entries. False: no such.

        A feed that nobody uses any more is kept with its history and not looked at.
        """
        async with self._database.write() as session:
            if guild_id is None:
                return await feeds.delete_feed(session, feed_id)
            return await self.remove_in(session, feed_id, guild_id=guild_id)

    async def set_paused(self, feed_id: int, *, guild_id: int, paused: bool) -> bool:
        """Pause or resume a guild's use of a feed. False: no such."""
        async with self._database.write() as session:
            return await feeds.pause_use(session, feed_id, guild_id, paused=paused)

    # ----------------------------------------------------------- telling people

    async def notices(self) -> Sequence[tuple[int, Notice, tuple[int, ...]]]:
        """Give what is still to be told: (feed id, notice, the guilds that use the feed and see it)."""
        async with self._database.write() as session:
            waiting = await feeds.notices(session)
            for feed in waiting:
                await self._join(session, feed)
            awaited = await self._await_others(session, [feed for feed in waiting if feed.notice == "back"])
            return [
                (
                    feed.id,
                    Notice(feed.notice or "", feed.notice_text or "", name_of(feed), _host(feed)),
                    tuple(g for g, paused in (await feeds.guilds_of(session, feed.id)).items() if not paused),
                )
                for feed in await feeds.notices(session)
                if feed.notice != "back" or _host(feed) not in awaited
            ]

    async def _await_others(self, session: AsyncSession, back: Sequence[StoredFeed]) -> set[str]:
        """Have the other feeds of servers that are back looked at now, so that one message tells of all.

        Each once. Gives the servers whose feeds were not all looked at yet, for a quarter of an hour at most.
        """
        now = self._clock()
        since: dict[str, datetime] = {}
        for feed in back:
            at = feed.last_success_at or now
            since[_host(feed)] = min(at, since.get(_host(feed), at))
        since = {host: at for host, at in since.items() if now - at < _TOGETHER}
        awaited: set[str] = set()
        for other in await feeds.told_failing(session) if since else ():
            back_at = since.get(_host(other))
            looked_at = other.last_looked_at
            if back_at is None or (looked_at is not None and looked_at >= back_at):
                continue
            if memories.from_json(other.memory).barred_until(now) is not None:
                continue
            awaited.add(_host(other))
            if other.next_look is None or other.next_look > now:
                soon = {"next_look": now, "next_reason": told("now: its server answers again")}
                await feeds.set_columns(session, other.id, soon)
        return awaited

    async def _join(self, session: AsyncSession, feed: StoredFeed) -> None:
        """Tell at once of all feeds of a server that fail alike, not of each when it has failed for long."""
        name = name_of(feed)
        if feed.notice != "failing" or not feed.failure or not (feed.notice_text or "").startswith(name):
            return
        rest = (feed.notice_text or "").removeprefix(name)
        for other in await feeds.failing_alike(session, feed.failure):
            if _host(other) == _host(feed):
                text = name_of(other) + rest
                values = {"notice": "failing", "notice_text": text, "told_failing_at": self._clock()}
                await feeds.set_columns(session, other.id, values)

    async def told(self, feed_id: int, notice: Notice) -> None:
        """Note that it was told; a newer notice that came meanwhile stays."""
        async with self._database.write() as session:
            await feeds.told(session, feed_id, notice.kind, notice.text)

    async def undo_move(self, feed_id: int) -> str:
        """Give a feed the address back that it had before its last move; gives that address.

        The move is not made again by itself. Raises `FeedError` where there is nothing to undo.
        """
        async with self._database.write() as session:
            stored = await feeds.get(session, feed_id)
            memory = memories.from_json(stored.memory) if stored is not None else Memory()
            if stored is None or not memory.former:
                raise FeedError(told("Feed {feed_id} has not moved.", feed_id=feed_id))
            former = memory.former[-1]
            if await feeds.find(session, former) is not None:
                raise FeedError(told("{address} is watched as a feed of its own.", address=shown_url(former)))
            memory = replace(memory, former=memory.former[:-1], refused_move=stored.url, move=None, gone=0)
            # How the other address failed says nothing of this one, nor that it has gone for good.
            anew = {"failures": 0, "failing_since": None, "failure": None, "told_failing_at": None}
            await feeds.overrule(
                session,
                feed_id,
                anew
                | {
                    "url": former,
                    "state": "active" if stored.state == "gone" else stored.state,
                    "memory": memories.to_json(memory),
                    "next_look": self._clock(),
                    "next_reason": told("moved back"),
                    "etag": None,
                    "last_modified": None,
                },
            )
        return former


def _host(feed: StoredFeed) -> str:
    return urlsplit(feed.url).hostname or ""


def _machine() -> str:
    return socket.gethostname()[:32]


def _is_dead(name: str) -> bool:
    """Tell whether a worker of this machine runs no more."""
    machine, _, rest = name.partition("/")
    pid, _, _ = rest.partition("/")
    if machine != _machine() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return name not in _OURS  # else the process before us had our number: usual in containers
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _why_not(feed: StoredFeed, gap: float, now: datetime) -> str:
    """P31: why a feed is not looked at though somebody asks; "" when it may be."""
    barred = memories.barred_until(feed.memory.get("not_before"), now)
    if barred is not None:
        return told(
            "its server asked to wait another {time}", time=shown_duration((barred - now).total_seconds())
        )
    if feed.last_looked_at is not None and (since := (now - feed.last_looked_at).total_seconds()) < gap:
        return told("it was looked at {time} ago", time=shown_duration(max(since, 0)))
    return ""
