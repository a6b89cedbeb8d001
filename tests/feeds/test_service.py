"""The feeds room from its front door, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from bot.feeds import catalogue
from bot.feeds.errors import FeedError, NotAFeedError
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import FetchError
from bot.feeds.look import Look
from bot.feeds.looking import look_at
from bot.feeds.opml import ListedFeed
from bot.feeds.reports import LookReport
from bot.feeds.service import FeedService
from bot.feeds.store import store_looks
from bot.feeds.workers import ParserPool
from db import feed_claims
from db.engine import Database
from db.tables import EntryRow, FeedRow, GuildFeedRow
from tests.feeds.web import DirectParser, Site, daily, limits, rss
from tests.feeds.world import Clock, world

LIMITS = limits(timeout=5.0, per_host=4)


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(LIMITS) as opened:
        yield opened


@pytest.fixture
def service(
    database: Database, fetcher: Fetcher, parser: DirectParser, clock: Clock, site: Site
) -> FeedService:
    site.clock = clock
    return FeedService(database, fetcher, parser, clock, LIMITS)


async def rows(database: Database) -> list[EntryRow]:
    async with database.read() as session:
        return list((await session.execute(select(EntryRow).order_by(EntryRow.id))).scalars())


async def test_adding_looks_once_and_stores_what_is_there(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(3, clock.now), title="The Paper"), headers={"ETag": '"1"'})
    added = await service.add(f" {site.url()}#top ", guild_id=5, added_by=7)
    assert added.is_new
    assert (added.title, added.entries, added.url) == ("The Paper", 3, site.url())
    assert "3 entries" in added.reason
    stored = await rows(database)
    assert {entry.title for entry in stored} == {"Title of a0", "Title of a1", "Title of a2"}
    assert {(entry.state, entry.alert) for entry in stored} == {("new", False)}
    assert all(entry.url_key for entry in stored)
    async with database.read() as session:
        use = (await session.execute(select(GuildFeedRow))).scalar_one()
    assert (use.guild_id, use.added_by) == (5, 7)
    (listed,) = await service.list(guild_id=5)
    assert (listed.state, listed.failure) == ("active", None)
    assert await service.entry_counts() == {listed.id: 3}
    assert listed.next_shown(clock.now).startswith("in 1")
    assert await service.list(guild_id=6) == []
    again = await service.add(site.url(), guild_id=5)
    assert "already" in again.reason
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 404}, "404"),
        ({"status": 401}, "log-in"),
        ({"status": 500}, "500"),
        ({"body": "plain words"}, ""),
        ({"body": ""}, "empty"),
        ({"body": "<html><title>No feed here</title></html>"}, "names no feed"),
    ],
)
async def test_what_cannot_be_added_is_said_and_leaves_nothing(
    service: FeedService, site: Site, answer: dict[str, object], words: str
) -> None:
    site.say(**answer)  # type: ignore[arg-type]
    with pytest.raises(FeedError) as refused:
        await service.add(site.url())
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert await service.list() == []


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/", "file:///etc/passwd", "http://0x7f.1/", "", "not an address"]
)
async def test_addresses_that_may_not_be_asked(service: FeedService, address: str) -> None:
    with pytest.raises(FetchError):
        await service.add(address)


async def test_a_page_leads_to_its_feed(service: FeedService, site: Site, clock: Clock) -> None:
    link = '<link rel="alternate" type="application/rss+xml" title="News" href="/feed">'
    site.say("/", body=f"<html><head>{link}</head></html>", headers={"Content-Type": "text/html"})
    site.say(body=rss(daily(2, clock.now)))
    added = await service.add(site.url("/"), guild_id=5)
    assert added.url == site.url()
    assert [asked.path for asked in site.asked] == ["/", "/feed"]


async def test_a_page_with_several_feeds_gives_the_choice(service: FeedService, site: Site) -> None:
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" title="{name}" href="/{name}">'
        for name in ("a", "b")
    )
    site.say("/", body=f"<html><head>{links}</head></html>", headers={"Content-Type": "text/html"})
    added = await service.add(site.url("/"))
    assert added.feed_id is None
    assert [(c.url, c.title) for c in added.candidates] == [(site.url("/a"), "a"), (site.url("/b"), "b")]
    assert "2 feeds" in added.reason
    assert await service.list() == []


async def test_well_known_paths_are_tried_where_a_page_names_no_feed(
    service: FeedService, site: Site, clock: Clock
) -> None:
    site.say("/", body="<html><title>A site</title></html>", headers={"Content-Type": "text/html"})
    site.say("/rss.xml", body=rss(daily(2, clock.now)))
    added = await service.add(site.url("/"))
    assert added.url == site.url("/rss.xml")


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"Retry-After": "3600"})])
async def test_no_further_path_is_tried_on_a_server_that_asks_to_wait(
    service: FeedService, site: Site, status: int, headers: dict[str, str]
) -> None:
    """A dozen more requests followed at once."""
    site.say("/", body="<html><title>A site</title></html>", headers={"Content-Type": "text/html"})
    site.say("/feed/", status=status, headers=headers)
    with pytest.raises(FetchError, match=str(status)):
        await service.add(site.url("/"))
    assert [asked.path for asked in site.asked] == ["/", "/feed/"]


async def test_many_are_added_without_a_request(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    await service.add(site.url())
    site.asked.clear()
    items = [ListedFeed(site.url(f"/{n}"), f"Feed {n}") for n in range(1500)]
    refused = [ListedFeed("http://192.168.0.1/"), ListedFeed("ftp://paper.example/")]
    result = await service.add_many([ListedFeed(site.url()), *items, *items, *refused], guild_id=5)
    # What the operator watches is no news to say to a server.
    assert (result.added, result.known, len(result.refused)) == (1501, 0, 2)
    again = await service.add_many([ListedFeed(site.url()), ListedFeed(site.url("/more"))], guild_id=5)
    assert (again.added, again.known) == (1, 1)
    assert site.asked == []
    assert len(await service.list(guild_id=5)) == 1502


async def test_what_the_catalogue_holds_is_everybodys_to_see(
    service: FeedService, database: Database, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No feed was: outside of servers every look-up came back empty."""
    held: set[str] = set()
    monkeypatch.setattr(catalogue, "urls", lambda: held)
    for path in ("/before", "/bundled", "/own"):
        site.say(path, body=rss(daily(2, clock.now)))
        await service.add(site.url(path), guild_id=5)
        held |= {site.url("/bundled")}
    held.add(site.url("/before"))
    await service.check_due()
    assert {feed.url: feed.public for feed in await service.list()} == {
        site.url("/before"): True,
        site.url("/bundled"): True,
        site.url("/own"): False,
    }


async def test_new_entries_edits_and_nothing(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    items = daily(5, clock.now)
    site.say(body=rss(items))
    await service.add(site.url())
    clock.turn(hours=3)
    site.say(body=rss([("new", clock.now), *items]))
    report = await service.check()
    assert (report.new, report.edited) == (1, 0)
    assert report.looks[0].reason == "1 new"
    # A text that changes is an edit of one entry, not a new one; a changed date alone is nothing.
    clock.turn(hours=3)
    moved = [(name, date + timedelta(hours=1)) for name, date in items]
    site.say(body=rss([("new", clock.now), *moved]).replace("Title of a0", "A better title"))
    report = await service.check()
    assert (report.new, report.edited) == (0, 1)
    stored = await rows(database)
    assert len(stored) == 6
    (edited,) = [entry for entry in stored if entry.title == "A better title"]
    assert edited.published == items[0][1]
    clock.turn(hours=3)
    site.say(body=rss([("new", clock.now), *items]).replace("Title of a0", "A better title"))
    assert (await service.check()).looks[0].outcome == "unchanged"


async def test_due_feeds_are_shared_out_between_workers(
    database: Database, fetcher: Fetcher, clock: Clock, site: Site
) -> None:
    for number in range(30):
        site.say(f"/{number}", body=rss(daily(2, clock.now)))
    workers = [FeedService(database, fetcher, DirectParser(), clock, LIMITS) for _ in range(3)]
    await workers[0].add_many([ListedFeed(site.url(f"/{n}")) for n in range(30)])
    for _ in range(4):
        await asyncio.gather(*(worker.check_due() for worker in workers))
    assert sorted(asked.path for asked in site.asked) == sorted(f"/{n}" for n in range(30))
    assert len(await rows(database)) == 60


async def test_a_worker_that_comes_back_too_late_stores_nothing(
    service: FeedService, database: Database, fetcher: Fetcher, clock: Clock, site: Site
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    await service.add_many([ListedFeed(site.url())])
    async with database.write() as session:
        (late,) = await feed_claims.claim_due(session, now=clock.now, limit=5, worker="late", lease=60)
    look = await look_at(late, fetcher, DirectParser(), clock)
    async with database.write() as session:
        assert await feed_claims.claim_due(session, now=clock.now, limit=5, worker="next", lease=60) == []
    clock.turn(minutes=2)
    assert (await service.check_due()).new == 2
    before = await rows(database)
    (stored,) = await store_looks(database, [look], LIMITS)
    assert stored.decision is None
    assert len(await rows(database)) == len(before)


async def test_what_a_dead_process_had_claimed_is_free_at_once(
    database: Database, fetcher: Fetcher, clock: Clock, site: Site
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    first = FeedService(database, fetcher, DirectParser(), clock, LIMITS)
    await first.add_many([ListedFeed(site.url())])
    async with database.write() as session:
        dead = first.worker.rpartition("/")[0] + "/0000"  # the same machine and number, another life
        await feed_claims.claim_due(session, now=clock.now, limit=5, worker=dead, lease=600)
    second = FeedService(database, fetcher, DirectParser(), clock, LIMITS)
    assert (await second.check_due()).new == 2


async def test_a_round_that_is_cancelled_gives_back_what_it_took(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    site.pause = 30.0
    await service.add_many([ListedFeed(site.url())])
    task = asyncio.create_task(service.check_due())
    for _ in range(1000):
        if site.asked:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.read() as session:
        assert await feed_claims.claimants(session) == []
    site.pause = 0.0
    assert (await service.check_due()).new == 2


async def test_a_crash_while_storing_hides_nothing(
    service: FeedService, database: Database, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries and validators are one transaction: else the next answer is a 304 and the entries are lost."""
    site.say(body=rss(daily(2, clock.now)), headers={"ETag": '"1"'})
    await service.add(site.url())
    clock.turn(hours=3)
    site.say(
        body=rss([("new", clock.now), *daily(2, clock.now - timedelta(hours=3))]), headers={"ETag": '"2"'}
    )

    class CrashError(BaseException):
        """What no handler of ours catches."""

    async def crash(*_args: object) -> None:
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr("db.feed_looks.insert_entries", crash)
        with pytest.raises(BaseExceptionGroup):
            await service.check()
    async with database.read() as session:
        assert (await session.execute(select(FeedRow.etag))).scalar_one() == '"1"'
    assert (await service.check()).new == 1


async def test_one_feed_that_cannot_be_stored_costs_the_others_nothing(
    database: Database, fetcher: Fetcher, clock: Clock, site: Site
) -> None:
    service = FeedService(database, fetcher, DirectParser(), clock, LIMITS)
    await service.add_many([ListedFeed(site.url("/good")), ListedFeed(site.url("/bad"))])
    site.say("/good", body=rss(daily(2, clock.now)))
    async with database.write() as session:
        claimed = await feed_claims.claim_due(session, now=clock.now, limit=5, worker="w", lease=60)
    good = await look_at(claimed[0], fetcher, DirectParser(), clock)
    assert good.feed is not None
    broken = good.feed.sightings[0]._replace(key="k" * 32, content_hash=None)  # type: ignore[arg-type]
    looks = [good, Look(claimed[1], clock.now, feed=good.feed._replace(sightings=(broken,)))]
    first, second = await store_looks(database, looks, LIMITS)
    assert first.decision is not None
    assert second.decision is not None
    assert len(first.decision.new) == 2
    assert second.decision.outcome == "failed"
    assert "cannot be stored" in second.decision.reason


async def test_progress_is_told_and_skipped_feeds_say_why(
    service: FeedService, site: Site, clock: Clock, database: Database
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    await service.add(site.url())
    await service.add_many([ListedFeed(site.url(f"/{n}")) for n in range(3)])
    seen: list[tuple[int, int, str]] = []

    async def progress(done: int, total: int, report: LookReport) -> None:
        seen.append((done, total, report.outcome))

    report = await service.check(progress=progress)
    assert [(done, total) for done, total, _ in seen] == [(n, 4) for n in range(1, 5)]
    assert sorted(outcome for *_, outcome in seen) == ["failed", "failed", "failed", "skipped"]
    assert report.count("failed") == 3
    skipped = next(look for look in report.looks if look.outcome == "skipped")
    assert "0 s ago" in skipped.reason
    with pytest.raises(FeedError, match="no feed with the number 99"):
        await service.check([99])
    async with database.write() as session:
        await session.execute(
            update(FeedRow).where(FeedRow.id == 2).values(claimed_until=clock.now + timedelta(seconds=60))
        )
    (taken,) = (await service.check([2], gap=0)).looks
    assert taken.reason == "it is being looked at already"


async def test_failures_are_listed_with_state_and_reason(
    service: FeedService, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    await service.add(site.url())
    site.say(status=503)
    await service.check(gap=0)
    await service.check(gap=0)
    (listed,) = await service.list()
    assert "fault of its own (503)" in (listed.failure or "")
    assert listed.failures == 2
    assert listed.failing_since == clock.now
    assert "2 times in a row" in listed.next_shown(clock.now)
    site.say(body=rss(daily(2, clock.now)))
    await service.check(gap=0)
    (listed,) = await service.list()
    assert (listed.failure, listed.failures) == (None, 0)


async def test_a_feed_that_nobody_uses_rests_with_its_history(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(2, clock.now)), headers={"ETag": '"1"'})
    added = await service.add(site.url(), guild_id=5)
    assert added.feed_id is not None
    await service.add(site.url(), guild_id=6)
    assert await service.remove(added.feed_id, guild_id=5)
    assert not await service.remove(added.feed_id, guild_id=5)
    assert (await service.list())[0].state == "active"
    assert await service.remove(added.feed_id, guild_id=6)
    (listed,) = await service.list()
    assert (listed.state, listed.next_shown(clock.now)) == ("paused", "never: nobody uses it")
    clock.turn(days=2)
    assert (await service.check_due()).looks == ()
    assert len(site.asked) == 1
    await service.add(site.url(), guild_id=7)
    assert len((await service.check_due()).looks) == 1
    assert len(await rows(database)) == 2
    assert await service.remove(added.feed_id)
    assert not await service.remove(added.feed_id)
    assert await rows(database) == []


async def test_pausing(service: FeedService, site: Site, clock: Clock) -> None:
    site.say(body=rss(daily(2, clock.now)))
    added = await service.add(site.url(), guild_id=5)
    assert added.feed_id is not None
    assert await service.set_paused(added.feed_id, guild_id=5, paused=True)
    assert [feed.paused for feed in await service.list(guild_id=5)] == [True]
    assert not await service.set_paused(added.feed_id, guild_id=6, paused=True)
    assert await service.set_paused(added.feed_id, guild_id=5, paused=False)
    assert [feed.paused for feed in await service.list(guild_id=5)] == [False]


@asynccontextmanager
async def looking(service: FeedService, site: Site) -> AsyncIterator[None]:
    """Have all feeds looked at; what stands in the block happens while their server takes its time."""
    asked = len(site.asked)
    site.pause = 0.3
    look = asyncio.create_task(service.check(gap=0))
    for _ in range(1000):
        if len(site.asked) > asked:
            break
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        site.pause = 0.0
        await look


async def test_what_people_decide_while_a_look_is_under_way_stands(
    service: FeedService, site: Site, clock: Clock
) -> None:
    """The look wrote the row back as it had found it: a feed that was left meanwhile went on."""
    site.say(body=rss(daily(2, clock.now)))
    added = await service.add(site.url(), guild_id=5)
    assert added.feed_id is not None
    site.say(body=rss([("new", clock.now), *daily(2, clock.now)]))
    async with looking(service, site):
        assert await service.remove(added.feed_id, guild_id=5)
    (listed,) = await service.list()
    assert (listed.state, listed.next_shown(clock.now)) == ("paused", "never: nobody uses it")
    await service.add(site.url(), guild_id=6)
    assert (await service.check_due()).new == 1, "what the overruled look saw is seen again"


async def test_what_was_told_while_a_look_is_under_way_is_not_told_again(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    await service.add(site.url(), guild_id=5)
    site.say(status=404)
    for _ in range(3):
        clock.turn(days=1)
        await service.check(gap=0)
    ((feed_id, notice, _),) = await service.notices()
    async with looking(service, site):
        await service.told(feed_id, notice)
    assert list(await service.notices()) == []


async def test_a_member_cannot_use_quash_to_knock_on_doors(
    database: Database, clock: Clock, parser: DirectParser
) -> None:
    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        raise OSError("nobody there")

    async with Fetcher(limits(timeout=1), lookup=lookup) as fetcher:
        service = FeedService(database, fetcher, parser, clock, LIMITS)
        with pytest.raises(FetchError):
            await service.add("http://router.example:22/", guild_id=5)
        with pytest.raises(FeedError, match="try again in a minute"):
            await service.add("http://router.example:23/", guild_id=6)
        with pytest.raises(FetchError):
            await service.add("http://other.example/", guild_id=6)
        clock.turn(seconds=61)
        with pytest.raises(FetchError):
            await service.add("http://router.example:23/", guild_id=6)


async def test_the_worker_processes_read_the_feeds(
    database: Database, fetcher: Fetcher, clock: Clock, site: Site
) -> None:
    site.say(body=rss(daily(2, clock.now)))
    site.say("/bad", body="<rss><channel><item><title>half")
    async with ParserPool() as pool:
        service = FeedService(database, fetcher, pool, clock, LIMITS)
        assert (await service.add(site.url())).entries == 2
        await service.add_many([ListedFeed(site.url("/bad"))])
        report = await service.check(gap=0)
    assert {look.outcome for look in report.looks} <= {"unchanged", "new", "failed"}


def test_a_poll_round_loads_the_tables_of_the_feeds_alone() -> None:
    code = "import sys, bot.commands.feeds; print({'db.tables', 'db.stories', 'lxml'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n", "each start would wait for them"


async def test_large_numbers_leave_the_event_loop_its_turns() -> None:
    content = rss([f"id{n}" for n in range(5000)], text="x" * 2000).encode()
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        # The loop thread's own time: what other processes of a busy machine take is not our doing.
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    async with ParserPool(1) as pool:
        gc.freeze()  # as the program does (`bot.collector`): the test run's own objects are no part of it
        watcher = asyncio.create_task(watch())
        feed = await pool.parse(content, "https://paper.example/feed", None)
        watcher.cancel()
        gc.unfreeze()
    assert len({sighting.key for sighting in feed.sightings}) == 5000
    assert longest < 0.05


async def test_indexes_serve_the_queries_that_run_on_a_schedule(database: Database) -> None:
    if not database.is_sqlite:
        return
    async with database.read() as session:
        connection = await session.connection()
        plan = await connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM feeds WHERE state = 'active' AND next_look <= '2026' "
            "AND (claimed_until IS NULL OR claimed_until < '2026') ORDER BY next_look LIMIT 10"
        )
        assert "ix_feeds_due" in str(plan.all())
        assert (await session.execute(select(func.count()).select_from(FeedRow))).scalar() == 0


async def test_entries_are_stored_in_the_order_in_which_they_are_to_be_told(
    service: FeedService, database: Database, site: Site, clock: Clock
) -> None:
    site.say(body=rss(daily(3, clock.now)))  # as feeds do, the newest first
    await service.add(site.url())
    assert [entry.title for entry in await rows(database)] == ["Title of a2", "Title of a1", "Title of a0"]


async def test_a_304_that_nobody_asked_for_is_no_feed(service: FeedService, site: Site) -> None:
    site.say(status=304)
    with pytest.raises(FeedError, match="304"):
        await service.add(site.url())
    assert list(await service.list()) == []


async def test_what_is_neither_page_nor_feed_is_called_what_it_is(service: FeedService, site: Site) -> None:
    site.say(body="<opml version='2.0'><body/></opml>")
    with pytest.raises(NotAFeedError, match="OPML"):
        await service.add(site.url())


async def test_of_a_server_that_is_back_all_feeds_are_looked_at_and_told_of_together(clock: Clock) -> None:
    async with world(clock) as w:
        paths = ("/a", "/b", "/c")
        for number, path in enumerate(paths):
            w.site.say(path, body=rss(daily(3, clock.now, name=path[1:])))
            await w.service.add(w.site.url(path), guild_id=number + 1)
            w.site.say(path, status=500)
        await w.run(days=5)
        told = list(await w.service.notices())
        assert [notice.kind for _, notice, _ in told] == ["failing"] * 3
        for feed_id, notice, _ in told:
            await w.service.told(feed_id, notice)
        for path in paths[:2]:
            w.site.say(path, body=rss(daily(3, clock.now, name=path[1:])))
        w.site.asked.clear()
        await w.run(lambda: any(feed.path != "/c" for feed in w.site.asked), days=2)
        assert list(await w.service.notices()) == []
        looked_at = clock.now
        await w.run(minutes=2)
        asked = [asked.path for asked in w.site.asked if asked.at >= looked_at]
        assert sorted(asked) == ["/a", "/b", "/c"]
        back = {notice.matter for _, notice, _ in await w.service.notices()}
        assert len(back) == 1
        assert [feed_id for feed_id, _, _ in await w.service.notices()] == [1, 2]
        await w.run(minutes=20)
        assert [asked.path for asked in w.site.asked].count("/c") <= 2  # nothing more often than it was
