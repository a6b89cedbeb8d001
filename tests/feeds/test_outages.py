"""Servers that cannot be reached, all at once or for long: what is told of them, when they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.feeds import looking
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import DnsError
from bot.feeds.guard import AddressInfo, Lookup
from bot.feeds.look import Look
from bot.feeds.looking import look_at
from bot.feeds.opml import ListedFeed
from bot.feeds.store import store_looks
from db import feed_claims
from db.tables import FeedRow
from tests.feeds.web import DirectParser, daily, limits, rss
from tests.feeds.world import Clock, world

ONE, OTHER = 5, 6  # servers


def _without(away: Collection[str]) -> Lookup:
    """Have these names lead nowhere."""

    def lookup(host: str, port: int) -> list[AddressInfo]:
        if host in away:
            raise OSError("no network")
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    return lookup


async def test_who_adds_a_feed_that_fails_at_present_is_told_so(clock: Clock) -> None:
    """It was said to be watched and no more; of its failing the others had been told long before."""
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(status=404)
        await w.run(days=3)
        added = await w.service.add(w.site.url(), guild_id=OTHER)
        assert added.reason.startswith("Paper is watched from now on, but cannot be read at present: ")
        assert "404" in added.reason
        w.site.say(body=rss(daily(3, clock.now)))
        await w.tick()
        assert (await w.feed()).failure is None, "its next look was due in a day, later in a week"


@pytest.mark.parametrize("rested", [False, True])
async def test_what_failed_before_a_long_absence_begins_to_fail_anew(clock: Clock, rested: bool) -> None:
    """One failure more was told as a month of failing, and the next look came a week after."""
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(status=500)
        await w.service.check(gap=0)
        if rested:
            await w.service.remove(1, guild_id=ONE)
        clock.turn(days=40)  # nobody used it, or the bot was not running
        if rested:
            added = await w.service.add(w.site.url(), guild_id=ONE)
            assert added.reason == "Paper is watched from now on.", "nobody knows how it does at present"
        await w.tick()
        assert await w.service.notices() == []
        feed = await w.listed()
        assert feed.state_shown(clock.now) == "failing for 0 s"
        assert feed.next_look is not None
        assert feed.next_look - clock.now < timedelta(hours=3)


async def test_after_one_fault_a_busy_feed_is_looked_at_soon(clock: Clock) -> None:
    """A single 502 had it wait for an hour, though it publishes every twenty minutes."""
    async with world(clock) as w:
        often = [(f"a{number}", clock.now - timedelta(minutes=20 * number)) for number in range(12)]
        w.site.say(body=rss(often), headers={"ETag": '"1"'})
        await w.service.add(w.site.url())
        w.site.say(status=502)
        await w.service.check(gap=0)
        assert timedelta(0) < ((await w.feed()).next_look or clock.now) - clock.now < timedelta(minutes=15)


async def test_a_feed_that_comes_back_rebuilt_is_told_of_as_both(clock: Clock) -> None:
    """A site that is made anew is away first: that its stories were kept back, nobody was told."""
    async with world(clock) as w:
        w.site.say(body=rss(daily(30, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(status=503)
        await w.run(days=3)
        ((feed_id, notice, _),) = await w.service.notices()
        await w.service.told(feed_id, notice)
        w.site.say(body=rss([(f"new{number}", clock.now) for number in range(30)]))
        await w.run(days=2)
        ((_, notice, guilds_told),) = await w.service.notices()
        assert (notice.kind, guilds_told) == ("back", (ONE,))
        assert notice.text.startswith("Paper can be read again, but was rebuilt: 30 entries")


async def test_a_claim_is_prolonged_after_the_database_was_away_for_a_moment(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is refused is no error of SQLAlchemy's: it ended the prolonging, and was not seen."""
    monkeypatch.setattr(looking, "LEASE", 0.3)
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add_many([ListedFeed(w.site.url())])
        w.site.pause = 2.0
        look = asyncio.create_task(w.tick())
        for _ in range(1000):
            if w.site.asked:
                break
            await asyncio.sleep(0.01)
        claimed = (await w.feed()).claimed_until
        away, write = [1], w.database.write

        @asynccontextmanager
        async def flaky() -> AsyncIterator[AsyncSession]:
            if away and away.pop():
                raise ConnectionRefusedError("the database starts anew")
            async with write() as session:
                yield session

        monkeypatch.setattr(w.database, "write", flaky)
        clock.turn(seconds=30)
        await asyncio.sleep(0.7)
        assert not away
        assert (await w.feed()).claimed_until != claimed
        await look


async def test_an_outage_of_our_own_is_no_news_of_the_feeds(clock: Clock) -> None:
    """After a day without a connection each server was told of each of its feeds that it cannot be read;
    and once the connection was back, some feeds were looked at as late as a day after."""
    away: set[str] = set()
    async with world(clock, lookup=_without(away)) as w:
        hosts = [f"paper{number}.example" for number in range(8)]
        addresses = {host: f"http://{host}:{w.site.port}/{host}" for host in hosts}
        for host, address in addresses.items():
            w.site.say(f"/{host}", body=rss(daily(3, clock.now, name=host), title=host))
            await w.service.add(address, guild_id=ONE)
        await w.run(hours=6)
        away.update(hosts)
        await w.restart()  # neither names nor connections are at hand any more
        await w.run(days=3)
        assert list(await w.service.notices()) == []
        away.difference_update(hosts[1:])
        await w.restart()
        began = clock.now
        w.site.asked.clear()
        await w.run(lambda: bool(w.site.asked), days=2)
        back = clock.now
        await w.run(minutes=5)
        assert {asked.path for asked in w.site.asked} == {f"/{host}" for host in hosts[1:]}
        assert back - began < timedelta(days=1)
        # Only the one that fails still, though others are read, is news.
        ((_, notice, _),) = await w.service.notices()
        assert (notice.kind, notice.name) == ("failing", hosts[0])


async def test_after_hours_without_a_connection_of_our_own_feeds_are_looked_at_soon(clock: Clock) -> None:
    """Their pauses had grown to sixteen hours, so for as long nothing was read though all could be."""
    away: set[str] = set()
    async with world(clock, lookup=_without(away)) as w:
        hosts = [f"paper{number}.example" for number in range(8)]
        for host in hosts:
            w.site.say(f"/{host}", body=rss(daily(3, clock.now, name=host)), headers={"ETag": '"1"'})
            await w.service.add(f"http://{host}:{w.site.port}/{host}", guild_id=ONE)
        await w.run(hours=6)
        away.update(hosts)
        await w.restart()
        await w.run(hours=18)
        away.clear()
        w.site.asked.clear()
        await w.run(hours=2)
        assert {asked.path for asked in w.site.asked} == {f"/{host}" for host in hosts}


@pytest.mark.parametrize("order", [1, -1])
async def test_what_comes_first_of_looks_stored_together_decides_nothing(clock: Clock, order: int) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        for address in (w.site.url(), "http://gone.example/feed"):
            await w.service.add_many([ListedFeed(address)], guild_id=ONE)
        began = clock.now
        clock.turn(days=2)
        async with w.database.write() as session:
            await session.execute(
                update(FeedRow).values(
                    failing_since=began, last_success_at=began, failures=9, next_look=began
                )
            )
            claimed = await feed_claims.claim_due(session, now=clock.now, limit=2, worker="w", lease=60)
        back, fails = sorted(claimed, key=lambda feed: "gone" in feed.url)
        async with Fetcher(limits()) as fetcher:
            looks = [await look_at(back, fetcher, DirectParser(), clock)]
        looks.append(Look(fails, clock.now, error=DnsError("There is no such name.")))
        await store_looks(w.database, looks[::order], limits())
        assert list(await w.service.notices()) == [], "it may have been our connection still"


async def test_feeds_that_all_fail_for_good_are_told_of_in_the_end(clock: Clock) -> None:
    """Where a server answers at all, if with 404, the connection is there: they are told of after a day."""
    for status, days in ((404, 2), (0, 8)):
        async with world(clock) as w:
            for host in ("127.0.0.1", "127.0.0.2"):
                await w.service.add_many([ListedFeed(f"http://{host}:9/feed")], guild_id=ONE)
            w.site.say(body=rss(daily(3, clock.now)))
            await w.service.add(w.site.url(), guild_id=ONE)
            await w.run(hours=1)
            if status:
                w.site.say(status=status)
            else:
                async with w.database.write() as session:
                    gone = f"http://127.0.0.1:9/{clock.now:%H}"
                    await session.execute(update(FeedRow).where(FeedRow.id == 3).values(url=gone))
            await w.run(days=days)
            assert len(await w.service.notices()) == 3, status
