"""The feeds room's front door: adding, looking, listing; for the command line, the scheduler, the cogs."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.clock import Clock, utc_now
from bot.feeds import memory as memories
from bot.feeds.errors import FeedError, NotAFeedError
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import shown_url
from bot.feeds.limits import FeedLimits
from bot.feeds.look import Look, Notice
from bot.feeds.looking import Parser, Recorder, Round, look_at
from bot.feeds.memory import Memory
from bot.feeds.rhythm import shown_duration
from bot.feeds.store import Stored, store_looks
from db import feeds
from db.engine import Database
from db.feeds import StoredFeed

# How long a worker may be silent about a feed before another takes it, in seconds.
LEASE = 120.0
# "Check now" again within this time is answered from what the last look found (P31).
CHECK_GAP = 60.0
# One address asked for by a member is one knock on a stranger's door: so far apart for one host.
PROBE_GAP = 60.0
_HOST_SHARE = 4  # times the requests that one host may have under way: its feeds in one round of due ones


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed that a page offers."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an address. `feed_id` is None where there is a choice to be made (`candidates`)."""

    feed_id: int | None
    url: str
    title: str
    reason: str
    is_new: bool = False
    entries: int = 0
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of many addresses. `refused` pairs an address, fit to be shown, with the reason."""

    added: int
    known: int
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LookReport:
    """What one look came to: `outcome` is new, edited, unchanged, failed, skipped or lost."""

    feed_id: int
    url: str
    title: str
    outcome: str
    reason: str
    new: int = 0
    edited: int = 0
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round came to."""

    looks: tuple[LookReport, ...]

    def count(self, outcome: str) -> int:
        """How many looks had this outcome."""
        return sum(1 for look in self.looks if look.outcome == outcome)

    @property
    def new(self) -> int:
        """How many entries are new."""
        return sum(look.new for look in self.looks)

    @property
    def edited(self) -> int:
        """How many known entries changed."""
        return sum(look.edited for look in self.looks)


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed as it is listed. `paused`: by the guild that asks."""

    id: int
    url: str
    title: str
    site: str
    state: str
    entries: int
    last_looked_at: datetime | None
    last_change_at: datetime | None
    next_look: datetime | None
    next_reason: str
    failure: str | None
    failures: int
    failing_since: datetime | None
    public: bool = False
    language: str | None = None
    paused: bool = False

    def next_shown(self, now: datetime) -> str:
        """Say when it is looked at next, and why then: "in 11 h: the server asked for 12 h"."""
        if self.state != "active":
            return f"{self.state}: {self.next_reason}" if self.next_reason else self.state
        if self.next_look is None or self.next_look <= now:
            return "now"
        return f"in {shown_duration((self.next_look - now).total_seconds())}: {self.next_reason}"


Progress = Callable[[int, int, LookReport], Awaitable[None]]


class FeedService:
    """All that can be done with feeds. One per process; safe to be used by many tasks."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        parser: Parser,
        *,
        limits: FeedLimits,
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._limits = limits
        self._recorder = recorder
        self._probes: dict[str, datetime] = {}
        self.worker = f"{_machine()}/{os.getpid()}/{secrets.token_hex(4)}"

    # ------------------------------------------------------------------ adding

    async def add(
        self,
        address: str,
        *,
        guild_id: int | None = None,
        added_by: int | None = None,
        discover: bool = True,
        public: bool = False,
    ) -> Added:
        """Add a feed by its address or, with `discover`, by the address of a page that names one.

        A new feed is looked at at once; that is its first look. Without `guild_id` it is the operator's.
        Raises `FeedError` with the reason where nothing can be added.
        """
        url = self._normal(address)
        if (known := await self._use_known(url, guild_id, added_by)) is not None:
            return known
        if guild_id is not None:
            self._knock(url)
        look = await look_at(_unknown(url), self._fetcher, self._parser, self._clock)
        if isinstance(look.error, NotAFeedError) and discover:
            return await self._discover(look, guild_id, added_by, public=public)
        if look.error is not None:
            raise look.error
        return await self._add_looked(look, guild_id, added_by, public=public)

    async def _use_known(self, url: str, guild_id: int | None, added_by: int | None) -> Added | None:
        """Where the address is stored already, note the new use; no request (P32)."""
        now = self._clock()
        async with self._database.write() as session:
            stored = await feeds.find(session, url)
            if stored is None:
                return None
            fresh = await feeds.use(session, [stored.id], guild_id, added_by, now) if guild_id else 0
            memory = memories.from_json(stored.memory)
            values: dict[str, Any] = {}
            if guild_id is None and not memory.kept:
                values["memory"] = memories.to_json(replace(memory, kept=True))
            if stored.state == "paused":
                values |= {"state": "active", "next_look": now, "next_reason": "in use again"}
            if values:
                await feeds.set_columns(session, stored.id, values)
        name = stored.title or shown_url(url)
        reason = f"{name} is watched from now on." if fresh or values else f"{name} is watched already."
        return Added(stored.id, url, stored.title, reason)

    async def _add_looked(
        self, look: Look, guild_id: int | None, added_by: int | None, *, public: bool
    ) -> Added:
        url, now = look.stored.url, look.at
        async with self._database.write() as session:
            if await feeds.find(session, url) is None:
                feed_id = await feeds.add(
                    session,
                    _row(url, now, kept=guild_id is None, public=public)
                    | {
                        "claim": 1,
                        "claimed_until": now + timedelta(seconds=LEASE),
                        "claimed_by": self.worker,
                    },
                )
                if guild_id is not None:
                    await feeds.use(session, [feed_id], guild_id, added_by, now)
            else:
                feed_id = 0
        if not feed_id:  # somebody else added it while we looked
            known = await self._use_known(url, guild_id, added_by)
            if known is None:
                raise FeedError("The feed was removed at this very moment; add it again.")
            return known
        memory = memories.to_json(Memory(kept=guild_id is None))
        look = replace(look, stored=replace(look.stored, id=feed_id, claim=1, public=public, memory=memory))
        stored = (await store_looks(self._database, [look], self._limits))[0]
        title = look.feed.title if look.feed is not None else ""
        entries = len(stored.decision.new) if stored.decision is not None else 0
        return Added(
            feed_id,
            url,
            title,
            f"{title or shown_url(url)} is watched from now on; it shows {entries} entries at present.",
            is_new=True,
            entries=entries,
        )

    async def _discover(
        self, look: Look, guild_id: int | None, added_by: int | None, *, public: bool
    ) -> Added:
        raise NotImplementedError

    async def add_many(
        self,
        items: Sequence[Candidate],
        *,
        guild_id: int | None = None,
        added_by: int | None = None,
        public: bool = False,
    ) -> Imported:
        """Add many feeds without asking any server; each is looked at when its turn comes."""
        wanted: dict[str, str] = {}
        refused: list[tuple[str, str]] = []
        for number, item in enumerate(items):
            try:
                wanted.setdefault(self._normal(item.url), item.title)
            except FetchError as error:
                refused.append((shown_url(item.url), str(error)))
            if number % 200 == 199:
                await asyncio.sleep(0)
        now = self._clock()
        async with self._database.write() as session:
            known = await feeds.known_urls(session, list(wanted))
            rows = [
                _row(url, now, kept=guild_id is None, public=public) | {"title": title[:300]}
                for url, title in wanted.items()
                if url not in known
            ]
            await feeds.add_many(session, rows)
            if guild_id is not None:
                all_ids = await feeds.known_urls(session, list(wanted))
                await feeds.use(session, list(all_ids.values()), guild_id, added_by, now)
        return Imported(len(rows), len(known), tuple(refused))

    def _normal(self, address: str) -> str:
        """Give the address as it is stored. What has no scheme is taken for https."""
        address = address.strip()
        if "://" not in address:
            address = f"https://{address}"
        return str(self._fetcher.guard.check_url(address))

    def _knock(self, url: str) -> None:
        """Refuse a member's second new address on the same host within a minute."""
        host = urlsplit(url).hostname or ""
        if self._fetcher.guard.is_allowed_block(host):
            return
        now = self._clock()
        last = self._probes.get(host)
        if last is not None and (now - last).total_seconds() < PROBE_GAP:
            raise FeedError(f"{host} was asked a moment ago; try again in a minute.")
        self._probes = {
            known: at for known, at in self._probes.items() if (now - at).total_seconds() < PROBE_GAP
        } | {host: now}

    # ----------------------------------------------------------------- looking

    async def start(self) -> None:
        """Give back what dead processes of this machine had claimed."""
        async with self._database.write() as session:
            dead = [name for name in await feeds.claimants(session) if _is_dead(name, self.worker)]
            if dead:
                await feeds.release_all(session, dead)

    async def check_due(self, limit: int = 500) -> RoundReport:
        """Look at feeds that are due, at most `limit`. Of one host only a share, the rest next time (P29)."""
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
                claimed = await feeds.claim_due(
                    session,
                    now=self._clock(),
                    limit=min(count, left),
                    worker=self.worker,
                    lease=LEASE,
                    pick=pick,
                )
            left -= len(claimed)
            return claimed

        reports: list[LookReport] = []

        async def on_stored(stored: Stored) -> None:
            reports.append(_report(stored))

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
        async with self._database.read() as session:
            if ids is None:
                wanted = await feeds.ids(session)
            else:
                wanted = list(dict.fromkeys(ids))
                for feed_id in wanted:
                    if await feeds.get(session, feed_id) is None:
                        raise FeedError(f"There is no feed with the number {feed_id}.")
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
            await tell(_report(stored))

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
            claimed = await feeds.claim_these(session, part, now=now, worker=self.worker, lease=LEASE)
            for feed in claimed:
                reason = _why_not(feed, gap, now)
                if reason:
                    skipped.append((feed, reason))
                else:
                    ready.append(feed)
            await feeds.release(session, [feed.id for feed, _ in skipped], worker=self.worker)
            others = set(part) - {feed.id for feed in claimed}
            for feed_id in part:
                if feed_id in others and (other := await feeds.get(session, feed_id)) is not None:
                    why = other.next_reason if other.state != "active" else "it is being looked at already"
                    skipped.append((other, why or other.state))
        for feed, reason in skipped:
            await tell(LookReport(feed.id, feed.url, feed.title, "skipped", reason))
        return ready

    def _round(self) -> Round:
        return Round(
            self._database,
            self._fetcher,
            self._parser,
            self._clock,
            self._limits,
            worker=self.worker,
            lease=LEASE,
            recorder=self._recorder,
        )

    # ----------------------------------------------------------------- listing

    async def list(self, guild_id: int | None = None) -> Sequence[ListedFeed]:
        """Give all feeds, or those that a guild uses."""
        async with self._database.read() as session:
            stored = await feeds.listed(session, guild_id)
            counts = await feeds.entry_counts(session, [feed.id for feed in stored])
            paused = await feeds.paused_by(session, guild_id) if guild_id is not None else set()
        return [_listed(feed, counts.get(feed.id, 0), paused=feed.id in paused) for feed in stored]

    async def remove(self, feed_id: int, *, guild_id: int | None = None) -> bool:
        """End a guild's use of a feed, or (operator) delete the feed with its entries. False: no such.

        A feed that nobody uses any more is kept with its history and not looked at.
        """
        async with self._database.write() as session:
            if guild_id is None:
                return await feeds.delete_feed(session, feed_id)
            if not await feeds.unuse(session, feed_id, guild_id):
                return False
            await self._rest_if_unused(session, feed_id)
        return True

    async def set_paused(self, feed_id: int, *, guild_id: int | None = None, paused: bool) -> bool:
        """Pause or resume a guild's use of a feed, or (operator) all looks at it. False: no such."""
        async with self._database.write() as session:
            if guild_id is not None:
                return await feeds.pause_use(session, feed_id, guild_id, paused=paused)
            stored = await feeds.get(session, feed_id)
            if stored is None:
                return False
            values: dict[str, Any] = {"state": "paused", "next_reason": "paused by the operator"}
            if not paused:
                values = {"state": "active", "next_look": self._clock(), "next_reason": "resumed"}
            await feeds.set_columns(session, feed_id, values)
        return True

    async def _rest_if_unused(self, session: Any, feed_id: int) -> None:
        stored = await feeds.get(session, feed_id)
        if stored is None or stored.public or memories.from_json(stored.memory).kept:
            return
        if not await feeds.guilds_of(session, feed_id):
            await feeds.set_columns(session, feed_id, {"state": "paused", "next_reason": "nobody uses it"})

    # ----------------------------------------------------------- telling people

    async def notices(self) -> Sequence[tuple[int, Notice, tuple[int, ...]]]:
        """Give what is still to be told: (feed id, notice, the guilds that use the feed)."""
        async with self._database.read() as session:
            return [
                (
                    feed.id,
                    Notice(feed.notice or "", feed.notice_text or ""),
                    tuple(await feeds.guilds_of(session, feed.id)),
                )
                for feed in await feeds.notices(session)
            ]

    async def told(self, feed_id: int, notice: Notice) -> None:
        """Note that it was told."""
        async with self._database.write() as session:
            await feeds.told(session, feed_id, notice.kind)

    async def undo_move(self, feed_id: int) -> str:
        """Give a feed the address back that it had before its last move; gives that address.

        The move is not made again by itself. Raises `FeedError` where there is nothing to undo.
        """
        async with self._database.write() as session:
            stored = await feeds.get(session, feed_id)
            memory = memories.from_json(stored.memory) if stored is not None else Memory()
            if stored is None or not memory.former:
                raise FeedError(f"Feed {feed_id} has not moved.")
            former = memory.former[-1]
            if await feeds.find(session, former) is not None:
                raise FeedError(f"{shown_url(former)} is watched as a feed of its own.")
            memory = replace(memory, former=memory.former[:-1], refused_move=stored.url, move=None)
            await feeds.set_columns(
                session,
                feed_id,
                {
                    "url": former,
                    "memory": memories.to_json(memory),
                    "next_look": self._clock(),
                    "next_reason": "moved back",
                    "etag": None,
                    "last_modified": None,
                },
            )
        return former


def _machine() -> str:
    return socket.gethostname()[:32]


def _is_dead(name: str, own: str) -> bool:
    """Tell whether a worker of this machine runs no more."""
    machine, _, rest = name.partition("/")
    pid, _, _ = rest.partition("/")
    if machine != _machine() or not pid.isdigit() or name == own:
        return False
    if int(pid) == os.getpid():
        return True  # the process before us had our number: usual in containers
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _unknown(url: str) -> StoredFeed:
    return StoredFeed(0, url)


def _row(url: str, now: datetime, *, kept: bool, public: bool) -> dict[str, Any]:
    return {
        "url": url,
        "title": "",
        "site": "",
        "public": public,
        "state": "active",
        "added_at": now,
        "next_look": now,
        "next_reason": "never looked at so far",
        "claim": 0,
        "failures": 0,
        "memory": memories.to_json(Memory(kept=kept)),
    }


def _why_not(feed: StoredFeed, gap: float, now: datetime) -> str:
    """P31: why a feed is not looked at though somebody asks; "" when it may be."""
    barred = memories.from_json(feed.memory).barred_until(now)
    if barred is not None:
        return f"its server asked to wait another {shown_duration((barred - now).total_seconds())}"
    if feed.last_looked_at is not None and (since := (now - feed.last_looked_at).total_seconds()) < gap:
        return f"it was looked at {shown_duration(max(since, 0))} ago"
    return ""


def _report(stored: Stored) -> LookReport:
    feed, decision = stored.look.stored, stored.decision
    if decision is None:
        return LookReport(feed.id, feed.url, feed.title, "lost", "another worker has looked meanwhile")
    title = str(decision.columns.get("title") or feed.title)
    return LookReport(
        stored.merged_into or feed.id,
        feed.url,
        title,
        decision.outcome,
        decision.reason,
        len(decision.new),
        len(decision.edits),
        decision.notice,
    )


def _listed(feed: StoredFeed, entries: int, *, paused: bool) -> ListedFeed:
    return ListedFeed(
        id=feed.id,
        url=feed.url,
        title=feed.title,
        site=feed.site,
        state=feed.state,
        entries=entries,
        last_looked_at=feed.last_looked_at,
        last_change_at=feed.last_change_at,
        next_look=feed.next_look,
        next_reason=feed.next_reason,
        failure=feed.failure,
        failures=feed.failures,
        failing_since=feed.failing_since,
        public=feed.public,
        language=feed.language,
        paused=paused,
    )
