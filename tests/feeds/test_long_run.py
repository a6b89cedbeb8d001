"""What only a long run brings: feeds that rest and return, move into each other, end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.alerts.absence import forget_left
from bot.feeds.errors import FeedError
from bot.feeds.fetch import Fetcher
from bot.feeds.opml import ListedFeed
from bot.feeds.service import FeedService
from bot.feeds.telling import together
from db import absence, feed_claims, feed_looks, feed_moves, feeds, guilds, suggest
from db.engine import Database
from db.tables import FeedPartyRow, FeedRow, PartyRow, PartyWordRow
from db.visibility import Viewer
from tests.feeds.web import DirectParser, Site, daily, limits, rss
from tests.feeds.world import Clock, World, world

LIMITS = limits(timeout=5.0, per_host=4)
ONE, OTHER = 5, 6  # servers
SLOW = {"Cache-Control": "max-age=43200"}


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(LIMITS, lookup=_here) as opened:
        yield opened


@pytest.fixture
def services(
    database: Database, fetcher: Fetcher, parser: DirectParser, clock: Clock, site: Site
) -> tuple[FeedService, FeedService]:
    site.clock = clock
    one, other = (FeedService(database, fetcher, parser, clock, LIMITS) for _ in range(2))
    return one, other


def _here(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    """Have every name lead to this machine."""
    return [(2, 1, 6, "", ("127.0.0.1", port))]


# ------------------------------------------------------------------------ adding


async def test_what_a_page_offers_can_be_chosen_at_once(
    services: tuple[FeedService, FeedService], site: Site, clock: Clock
) -> None:
    """Whoever chose within a minute was told that the server had been asked a moment ago."""
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" title="{name}" href="{href}">'
        for name, href in (("a", "/a"), ("b", "/b"), ("c", "/c"), ("elsewhere", "http://router.example:22/"))
    )
    site.say("/", body=f"<html><head>{links}</head></html>", headers={"Content-Type": "text/html"})
    site.say("/a", body=rss(daily(2, clock.now)))
    site.say("/b", body=rss(daily(2, clock.now)))
    server = f"http://paper.example:{site.port}"
    offered = await services[0].add(f"{server}/", guild_id=ONE)
    assert [link.title for link in offered.candidates] == ["a", "b", "c", "elsewhere"]
    clock.turn(seconds=10)
    for link in offered.candidates[:2]:
        assert (await services[0].add(link.url, guild_id=ONE)).is_new
    site.say("/c", status=404)
    for why in ("404", "a minute"):  # a choice that leads nowhere is asked once
        with pytest.raises(FeedError, match=why):
            await services[0].add(f"{server}/c", guild_id=ONE)
    with pytest.raises(FeedError, match="a minute"):
        await services[0].add(f"{server}/d", guild_id=ONE)  # what was not offered is another knock
    for _ in range(2):  # and what a page says of another server opens no door there
        with pytest.raises(FeedError) as refused:
            await services[0].add(offered.candidates[3].url, guild_id=ONE)
    assert "a minute" in str(refused.value)


async def test_an_address_that_two_add_at_the_same_moment_is_added_for_both(
    services: tuple[FeedService, FeedService], site: Site, clock: Clock
) -> None:
    """On PostgreSQL, where processes write side by side, all but one of them failed."""
    site.say(body=rss(daily(3, clock.now)))
    added = await asyncio.gather(
        *(service.add(site.url(), guild_id=number) for number, service in enumerate(services * 4))
    )
    assert len({one.feed_id for one in added}) == 1
    assert sum(one.is_new for one in added) == 1
    lists = [ListedFeed(site.url(f"/{number}")) for number in range(60)]
    imported = (service.add_many(lists, guild_id=number) for number, service in enumerate(services * 3))
    await asyncio.gather(*imported, *(services[0].add(site.url(), guild_id=77) for _ in range(4)))
    for number in range(6):
        assert len(await services[0].list(number)) == 61
    assert len(await services[0].list(77)) == 1


async def test_what_is_said_of_a_feed_that_is_added_again_or_shows_one_entry(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(1, clock.now)))
        added = await w.service.add(w.site.url(), guild_id=ONE)
        assert added.reason == "Paper is watched from now on; it shows one entry at present."
        await w.service.set_paused(1, guild_id=ONE, paused=True)
        again = await w.service.add(w.site.url(), guild_id=ONE)
        assert again.reason.startswith("Paper is watched already, but paused here; /feeds resume")


async def test_a_feed_that_ended_is_not_said_to_be_watched(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(status=410)
        await w.run(days=9)
        assert (await w.feed()).state == "gone"
        with pytest.raises(FeedError, match=r"^Paper is gone for good"):
            await w.service.add(w.site.url(), guild_id=OTHER)
        imported = await w.service.add_many([ListedFeed(w.site.url())], guild_id=OTHER)
        assert (imported.added, imported.known) == (0, 0)
        ((address, why),) = imported.refused
        assert (address, why[:21]) == (w.site.url(), "Paper is gone for goo")
        assert await w.service.list(OTHER) == []


async def test_what_the_operator_imports_is_looked_at_whoever_knew_it(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        await w.service.remove(1, guild_id=ONE)
        await w.service.add_many([ListedFeed(w.site.url())])
        assert (await w.listed()).state == "active"
        await w.service.add(w.site.url(), guild_id=ONE)
        await w.service.remove(1, guild_id=ONE)
        assert (await w.listed()).state == "active"


# ------------------------------------------------------------------------ resting


@pytest.mark.parametrize("listed", [False, True])
async def test_a_feed_that_rested_alerts_nobody_of_what_it_brought_meanwhile(
    clock: Clock, listed: bool
) -> None:
    """A server that added one was sent two months of old stories, as its address was known already."""
    async with world(clock) as w:
        w.site.say(body=rss(daily(20, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        await w.service.remove(1, guild_id=ONE)
        clock.turn(days=60)
        items = daily(20, clock.now, name="later")
        w.site.say(body=rss(items))
        if listed:
            await w.service.add_many([ListedFeed(w.site.url())], guild_id=OTHER)
        else:
            await w.service.add(w.site.url(), guild_id=OTHER)
        await w.tick()
        assert [entry.alert for entry in await w.entries()] == [False] * 40
        clock.turn(hours=3)
        w.site.say(body=rss([("news", clock.now), *items]))
        await w.tick()
        assert [entry.title for entry in await w.entries() if entry.alert] == ["Title of news"]


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.parametrize("ends_first", [True, False])
async def test_a_feed_that_one_server_ends_as_another_adds_it_goes_on(
    services: tuple[FeedService, FeedService], database: Database, site: Site, clock: Clock, ends_first: bool
) -> None:
    """It rested for good, though a server used it."""
    one, other = services
    site.say(body=rss(daily(3, clock.now)))
    feed_id = (await one.add(site.url(), guild_id=ONE)).feed_id
    assert feed_id is not None
    async with database.write() as session:
        if ends_first:
            await one.remove_in(session, feed_id, guild_id=ONE)
            meanwhile = asyncio.create_task(other.add(site.url(), guild_id=OTHER))
        else:
            await feeds.use(session, [feed_id], OTHER, None, clock.now)
            meanwhile = asyncio.create_task(other.remove(feed_id, guild_id=ONE))
        await asyncio.wait([meanwhile], timeout=0.2)
    await meanwhile
    assert [feed.state for feed in await one.list(OTHER)] == ["active"]


async def test_a_feed_that_is_used_again_is_not_asked_before_its_server_wants_it(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(status=429, headers={"Retry-After": "36000"})
        await w.service.check(gap=0)
        w.site.asked.clear()
        item = ListedFeed(w.site.url())
        for again in (
            lambda: w.service.add(item.url, guild_id=ONE),
            lambda: w.service.add_many([item], guild_id=ONE),
        ):
            await w.service.remove(1, guild_id=ONE)
            await again()
            await w.tick()
        assert w.site.asked == []
        clock.turn(hours=11)
        await w.tick()
        assert len(w.site.asked) == 1


async def test_feeds_of_a_server_that_is_forgotten_rest_unless_others_use_them(clock: Clock) -> None:
    """They were looked at and read for nobody, for ever."""
    async with world(clock) as w:
        for number, path in enumerate(("/own", "/shared", "/kept")):
            w.site.say(path, body=rss(daily(3, clock.now, name=f"{number}")))
            await w.service.add(w.site.url(path), guild_id=ONE)
        await w.service.add(w.site.url("/shared"), guild_id=OTHER)
        await w.service.add(w.site.url("/kept"))
        async with w.database.write() as session:
            await guilds.remember(session, ONE, clock.now)
            await absence.leave(session, ONE, clock.now)
        clock.turn(days=31)
        assert await forget_left(w.database, clock) == 1
        states = [(feed.state, feed.next_shown(clock.now)[:24]) for feed in await w.service.list()]
        assert states[0] == ("paused", "never: nobody uses it")
        assert [state for state, _ in states[1:]] == ["active", "active"]


# ------------------------------------------------------------------------ moving


async def _merge(w: World) -> None:
    """Have the feed at /old, the first, move into that at /new."""
    w.site.say("/old", status=301, headers={"Location": "/new"})
    await w.run(days=9)
    assert [feed.url for feed in await w.service.list()] == [w.site.url("/new")]


async def _both(w: World, items: Sequence[tuple[str, datetime]]) -> None:
    for path in ("/old", "/new"):
        w.site.say(path, body=rss(items), headers=SLOW)


@pytest.mark.parametrize("state", ["rests", "ended"])
async def test_a_feed_that_moves_to_where_another_rests_or_ended_goes_on(clock: Clock, state: str) -> None:
    """It was merged into a row that is never looked at: its servers heard nothing more, and not why."""
    async with world(clock) as w:
        items = daily(10, clock.now)
        await _both(w, items)
        await w.service.add(w.site.url("/old"), guild_id=ONE)
        await w.service.add(w.site.url("/new"), guild_id=OTHER)
        if state == "rests":
            await w.service.remove(2, guild_id=OTHER)
        else:
            w.site.say("/new", status=410)
            await w.run(days=5)
            assert (await w.feed(2)).state == "gone"
            w.site.say("/new", body=rss(items), headers=SLOW)
        await _merge(w)
        (listed,) = await w.service.list(ONE)
        assert (listed.state, listed.failure) == ("active", None)
        w.site.say("/new", body=rss([("fresh", clock.now), *items]), headers=SLOW)
        await w.run(days=2)
        assert [e.title for e in await w.entries(listed.id) if e.alert] == ["Title of fresh"]


@pytest.mark.parametrize("titles", ["Title of {}", "", "Notice"])
async def test_a_site_with_a_new_name_is_followed_though_it_names_all_its_articles_anew(
    clock: Clock, titles: str
) -> None:
    """It was taken for another feed, and lost when its old name led nowhere; equal titles tell nothing."""

    def say(path: str, name: str) -> None:
        body = re.sub("Title of a(.)", titles.format(r"\1"), rss(daily(6, clock.now)))
        w.site.say(path, body=body.replace(">a", f">{name}").replace("/a", f"/{name}"), headers=SLOW)

    async with world(clock) as w:
        say("/old", "a")
        await w.service.add(w.site.url("/old"), guild_id=ONE)
        say("/new", "b")
        w.site.say("/old", status=301, headers={"Location": "/new"})
        await w.run(days=9)
        followed = "/new" if "{}" in titles else "/old"
        assert [feed.url for feed in await w.service.list()] == [w.site.url(followed)]


async def test_a_feed_is_not_merged_as_it_brings_what_the_other_brought_before(clock: Clock) -> None:
    """That was known in the other one, so who used the first was never alerted of it."""
    async with world(clock) as w:
        items = daily(10, clock.now)
        await _both(w, items)
        await w.service.add(w.site.url("/old"), guild_id=ONE)
        await w.service.add(w.site.url("/new"), guild_id=OTHER)
        w.site.say("/old", status=301, headers={"Location": "/new"})
        await w.run(days=7, hours=8)
        w.site.say("/new", body=rss([("fresh", clock.now), *items]), headers=SLOW)
        await w.service.check([2], gap=0)
        clock.turn(hours=6)
        await w.service.check([1], gap=0)
        for feed_id in (1, 2):
            assert [e.title for e in await w.entries(feed_id) if e.alert] == ["Title of fresh"]
        await w.service.check([1], gap=0)
        assert [feed.id for feed in await w.service.list(ONE)] == [2]


async def test_a_merged_feed_is_wanted_by_all_who_wanted_either(clock: Clock) -> None:
    async with world(clock) as w:
        await _both(w, daily(10, clock.now))
        await w.service.add(w.site.url("/old"))  # by the operator
        await w.service.add(w.site.url("/old"), guild_id=ONE)
        await w.service.add(w.site.url("/new"), guild_id=ONE)
        await w.service.set_paused(2, guild_id=ONE, paused=True)
        await w.service.add(w.site.url("/new"), guild_id=OTHER)
        await w.service.set_paused(2, guild_id=OTHER, paused=True)
        await _merge(w)
        assert [feed.paused for feed in await w.service.list(ONE)] == [False], "it had it from the other"
        assert [feed.paused for feed in await w.service.list(OTHER)] == [True]
        await w.service.remove(2, guild_id=ONE)
        await w.service.remove(2, guild_id=OTHER)
        assert (await w.listed(2)).state == "active", "the operator wanted it"


async def test_names_that_only_a_merged_feed_brought_are_suggested_still(clock: Clock) -> None:
    async with world(clock) as w:
        await _both(w, daily(10, clock.now))
        await w.service.add(w.site.url("/old"), guild_id=ONE)
        await w.service.add(w.site.url("/new"), guild_id=OTHER)
        async with w.database.write() as session:
            for number, name in ((1, "Northwind"), (2, "Northgate")):
                session.add(PartyRow(id=number, name=name, name_key=name.casefold(), kind="company"))
                await session.flush()
                session.add(PartyWordRow(word=name.casefold(), party_id=number))
            session.add_all(
                FeedPartyRow(party_id=party_id, feed_id=feed_id, sides=sides)
                for party_id, feed_id, sides in ((1, 1, 1), (2, 1, 1), (2, 2, 2))
            )
        await _merge(w)
        async with w.database.read() as session:
            for side in (None, "issuer"):
                found = await suggest.party_names(session, Viewer(ONE), "north", side=side)
                assert sorted(found) == ["Northgate", "Northwind"], side


# ------------------------------------------------------------------------ telling


async def test_feeds_that_get_their_titles_as_they_come_back_are_told_of_in_one_sentence(
    clock: Clock,
) -> None:
    """It began "Each of these 2 feeds of paper.examplepaper.example can be read again."."""
    async with world(clock) as w:
        for path in ("/a", "/b"):
            w.site.say(path, status=500)
            await w.service.add_many([ListedFeed(w.site.url(path))], guild_id=ONE)
        await w.run(days=3)
        for feed_id, notice, _ in await w.service.notices():
            await w.service.told(feed_id, notice)
        for path in ("/a", "/b"):
            w.site.say(path, body=rss(daily(3, clock.now), title=f"Paper {path[1:]}"))
        await w.run(days=2)
        notices = [notice for _, notice, _ in await w.service.notices()]
        assert len({notice.matter for notice in notices}) == 1
        told = "Each of these 2 feeds of 127.0.0.1 can be read again. They are: Paper a; Paper b."
        assert together(notices) == told


async def test_the_many_feeds_of_one_server_do_not_hide_the_others_that_are_due(clock: Clock) -> None:
    """Of one host eight were taken in a round, and behind a thousand that stayed due nothing was seen."""
    async with world(clock) as w:
        many = [ListedFeed(f"http://127.0.0.2:{w.site.port}/{number}") for number in range(1200)]
        await w.service.add_many(many)
        clock.turn(minutes=1)
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add_many([ListedFeed(w.site.url())])
        await w.tick()
        assert [asked.path for asked in w.site.asked] == ["/feed"]


# ------------------------------------------------------------------------ both databases


async def test_the_statements_behind_these_do_the_same_on_both_databases(
    services: tuple[FeedService, FeedService], database: Database, site: Site, clock: Clock
) -> None:
    for path in ("/old", "/new"):
        site.say(path, body=rss(daily(3, clock.now)))
        await services[0].add(site.url(path), guild_id=ONE if path == "/old" else OTHER)
    async with database.write() as session:
        session.add(PartyRow(id=1, name="Northwind", name_key="northwind", kind="company"))
        await session.flush()
        session.add_all(FeedPartyRow(party_id=1, feed_id=feed_id, sides=feed_id) for feed_id in (1, 2))
    await services[0].remove(2, guild_id=OTHER)
    async with database.write() as session:
        assert await feed_moves.adopt(session, 1, site.url("/new")) == 2
    async with database.read() as session:
        sides = await session.scalars(select(FeedPartyRow.sides).where(FeedPartyRow.feed_id == 2))
        assert sides.all() == [3]
    assert [(feed.id, feed.state) for feed in await services[0].list()] == [(2, "active")]
    await services[0].add_many([ListedFeed(f"http://many.example/{number}") for number in range(30)])
    clock.turn(minutes=1)
    await services[0].add_many([ListedFeed("http://one.example/")])
    async with database.write() as session:
        await feed_looks.look_soon(session, clock.now, "now", clock.now - timedelta(days=1))
        claimed = await feed_claims.claim_due(
            session, now=clock.now, limit=2, worker="w", lease=60.0, pick=lambda feed: "one." in feed.url
        )
    assert [feed.url for feed in claimed] == ["http://one.example/"]
    async with database.write() as session:
        assert [url for url, _ in await feed_looks.latest_reached(session)] == [site.url("/new")]
        assert await feed_looks.latest_titles(session, 2) == {f"Title of a{number}" for number in range(3)}
        assert await feed_looks.latest_unreached(session) is None
        await session.execute(update(FeedRow).values(last_status=None, failing_since=clock.now))
        assert await feed_looks.latest_unreached(session) == 2
        await feeds.publish(session, [site.url("/new")])
    assert [feed.id for feed in await services[0].list() if feed.public] == [2]
