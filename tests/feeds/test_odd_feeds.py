"""Feeds that show their entries in other ways than most: all anew, under other ids, more than before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from db.tables import FeedRow
from tests.feeds.web import daily, rss
from tests.feeds.world import Clock, World, world

ONE = 5  # a server


async def test_a_feed_that_gives_all_its_entries_other_ids_with_each_look(clock: Clock) -> None:
    """It was called rebuilt, and its servers told so, with every look; no story of it was ever posted."""
    async with world(clock) as w:

        def say(look: int, items: Sequence[tuple[str, datetime]]) -> None:
            own = f"<guid isPermaLink='false'>{look}-"
            w.site.say(body=rss(items).replace("<guid isPermaLink='false'>", own))

        items = daily(10, clock.now)
        say(0, items)
        await w.service.add(w.site.url(), guild_id=ONE)
        for look in range(1, 9):
            clock.turn(hours=3)
            if look % 4 == 0:
                items = [(f"fresh{look}", clock.now), *items][:10]
            say(look, items)
            await w.service.check(gap=0)
        entries = await w.entries()
        assert [entry.title for entry in entries if entry.alert] == ["Title of fresh4", "Title of fresh8"]
        assert len(entries) == 12
        assert list(await w.service.notices()) == []


async def test_a_feed_that_is_rebuilt_with_each_look_is_told_of_once(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(10, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        told = []
        for look in range(24):
            clock.turn(hours=3)
            w.site.say(body=rss(daily(10, clock.now, name=f"at{look}-")))
            await w.service.check(gap=0)
            for feed_id, notice, _ in await w.service.notices():
                told.append(notice.kind)
                await w.service.told(feed_id, notice)
        assert told == ["rebuilt"]


async def test_a_feed_that_breaks_off_is_asked_for_whole(clock: Clock) -> None:
    """Half an entry was taken for one of its own; what stood behind it was seen when the feed changed."""
    async with world(clock) as w:
        items = daily(4, clock.now)
        w.site.say(body=rss(items), headers={"ETag": '"1"'})
        await w.service.add(w.site.url(), guild_id=ONE)
        w.site.say(body=rss(items[:2]), headers={"ETag": '"2"'})
        await w.service.check(gap=0)
        shown = (await w.feed()).oldest_shown
        news = [(name, clock.now) for name in ("new", "newer", "newest")]
        whole = rss([*news, *items])
        w.site.say(body=whole[: whole.index(items[0][0])], headers={"ETag": '"3"'})
        await w.service.check(gap=0)
        assert Counter(e.title for e in await w.entries() if e.alert) == {f"Title of {n}": 1 for n, _ in news}
        assert (await w.feed()).oldest_shown == shown, "the rest may be shown again"
        w.site.say(body=whole, headers={"ETag": '"3"'})
        await w.service.check(gap=0)
        assert len([e for e in await w.entries() if e.alert]) == 3
        assert (await w.feed()).etag == '"3"'
        assert list(await w.service.notices()) == []


async def test_a_feed_that_ended_where_it_moved_to_goes_on_when_the_move_is_undone(clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(2, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        async with w.database.write() as session:
            row = await session.get_one(FeedRow, 1)
            row.url, row.memory = w.site.url("/ended"), {**row.memory, "former": [row.url]}
        w.site.say("/ended", status=410)
        await w.run(days=9)
        assert (await w.feed()).state == "gone"
        await w.service.undo_move(1)
        w.site.say(body=rss(daily(3, clock.now)))
        await w.run(days=1)
        assert len(await w.entries()) > 2
        assert (await w.feed()).failure is None


async def test_a_daily_bulletin_is_alerted_once_its_habit_is_known(clock: Clock) -> None:
    """All its entries are new each day, so it looked rebuilt each day; nothing of it was ever alerted."""
    async with world(clock) as w:

        def publish(day: int, again: int = 0) -> None:
            old = [(f"old{day}-{number}", clock.now - timedelta(days=400)) for number in range(again)]
            w.site.say(body=rss([*((f"day{day}-{number}", clock.now) for number in range(6)), *old]))

        publish(0)
        await w.service.add(w.site.url(), guild_id=ONE)
        for day in range(1, 7):
            clock.turn(days=1)
            publish(day, again=2 if day == 5 else 0)
            await w.service.check(gap=0)
        entries = await w.entries()
        assert sorted(entry.title for entry in entries if entry.alert) == [
            f"Title of day{day}-{number}" for day in range(2, 7) for number in range(6)
        ]
        assert {entry.history for entry in entries if "Title of old5" in entry.title} == {"issue"}
        assert [notice.kind for _, notice, _ in await w.service.notices()] == ["rebuilt"]


async def test_a_bulletin_that_is_dated_before_it_comes_out_is_alerted(clock: Clock) -> None:
    """With a look each hour, an issue that is dated with its day alone was older than the last look."""
    async with world(clock) as w:
        w.site.say(body=rss(daily(6, clock.now)))
        await w.service.add(w.site.url(), guild_id=ONE)
        for hour in range(1, 24 * 4 + 1):
            clock.turn(hours=1)
            if hour % 24 == 0:
                issue = [(f"{hour}-{number}", clock.now - timedelta(hours=9)) for number in range(6)]
                w.site.say(body=rss(issue))
            await w.service.check(gap=0)
        alerted = sorted(entry.title for entry in await w.entries() if entry.alert)
        assert alerted == [f"Title of {hour}-{number}" for hour in (48, 72, 96) for number in range(6)]


async def test_two_entries_of_one_address_and_title_are_two(clock: Clock) -> None:
    """The later one was taken for the first under another id."""
    link = "<title>Status</title><link>https://paper.example/status</link>"
    async with world(clock) as w:

        def say(items: Sequence[tuple[str, datetime]]) -> None:
            w.site.say(body=re.sub("<title>Title of .*?</link>", link, rss(items)))

        first = clock.now
        say([("one", first)])
        await w.service.add(w.site.url(), guild_id=ONE)
        clock.turn(hours=1)
        say([("two", clock.now), ("one", first)])
        await w.service.check(gap=0)
        assert [entry.alert for entry in await w.entries()] == [False, True]


@pytest.mark.parametrize(
    ("written", "odd"),
    [
        ("<guid (.*?)>.*?</guid>", r"<guid \1>0</guid>"),  # one id for all
        ("<guid .*?</guid>(.*?)paper.example/(.*?)</link>", r"\1paper.example/news#\2</link>"),  # one page
        (
            "<guid (.*?)>.*?</guid>(.*?)<link>.*?</link>",
            r"<guid \1>0</guid>\2<link>https://a.example/</link>",
        ),
    ],
)
async def test_a_feed_that_gives_all_its_entries_one_id_or_one_address(
    clock: Clock, written: str, odd: str
) -> None:
    """One entry was kept of it, and nothing that came later was ever alerted."""
    async with world(clock) as w:

        def say(items: Sequence[tuple[str, datetime]]) -> None:
            w.site.say(body=re.sub(written, odd, rss(items)))

        items = daily(5, clock.now)
        say(items)
        await w.service.add(w.site.url(), guild_id=ONE)
        clock.turn(hours=3)
        say([("fresh", clock.now), *items])
        await w.service.check(gap=0)
        assert len(await w.entries()) == 6
        clock.turn(hours=3)
        say([("more", clock.now), *items[:1]])  # so few that they alone do not show it
        await w.service.check(gap=0)
        entries = await w.entries()
        assert len(entries) == 7
        assert [entry.title for entry in entries if entry.alert] == ["Title of fresh", "Title of more"]


async def _look(
    w: World, items: Sequence[str | tuple[str, datetime]], *, untitled: bool = False
) -> list[str]:
    """Have a feed show these entries at its next look; gives the titles that are alerted of then."""
    w.site.say(body=re.sub("Title of [^<]*", "", rss(items)) if untitled else rss(items))
    if await w.entries():
        before = len(await w.entries())
        await w.service.check(gap=0)
        return sorted(entry.title for entry in (await w.entries())[before:] if entry.alert)
    await w.service.add(w.site.url(), guild_id=ONE)
    return []


async def test_a_busy_day_of_a_short_feed_is_alerted(clock: Clock) -> None:
    """Three new ones of five within an hour were called rebuilt, and nobody was told of them."""
    async with world(clock) as w:
        known = daily(5, clock.now)
        await _look(w, known)
        clock.turn(hours=1)
        new = [(f"new{n}", clock.now - timedelta(minutes=9 * n)) for n in range(3)]
        assert await _look(w, [*new, *known[:2]]) == [f"Title of new{n}" for n in range(3)]
        assert list(await w.service.notices()) == []
        # The same under other ids and addresses and with the date of the move is no news.
        clock.turn(hours=1)
        moved = rss([(f"moved{n}", clock.now) for n in range(3)] + known[:2])
        w.site.say(body=re.sub("Title of moved", "Title of new", moved))
        report = await w.service.check(gap=0)
        assert "rebuilt" in report.looks[0].reason
        assert len([entry for entry in await w.entries() if entry.alert]) == 3


async def test_a_busy_day_without_titles_or_dates_or_with_one_dated_back_is_alerted(clock: Clock) -> None:
    async with world(clock) as w:
        known = daily(5, clock.now)
        await _look(w, known, untitled=True)
        clock.turn(hours=1)
        assert (
            len(
                await _look(
                    w, [("x", clock.now), ("y", clock.now), ("z", clock.now), *known[:2]], untitled=True
                )
            )
            == 3
        )
    async with world(clock) as w:
        await _look(w, ["a", "b", "c", "d", "e"])
        clock.turn(hours=1)
        assert len(await _look(w, ["new2", "new1", "new0", "a", "b"])) == 3
    async with world(clock) as w:
        known = daily(5, clock.now)
        await _look(w, known)
        clock.turn(hours=1)
        new = [("x", clock.now), ("y", clock.now), ("z", clock.now - timedelta(hours=9))]
        assert len(await _look(w, [*new, *known[:2]])) == 3


@pytest.mark.parametrize("newest_first", [True, False])
async def test_entries_behind_all_that_a_feed_showed_are_history(clock: Clock, newest_first: bool) -> None:
    """A publisher who shows 25 in place of ten had the old ones posted; so had one who takes one back."""
    async with world(clock) as w:
        items = daily(25, clock.now)
        order = 1 if newest_first else -1
        await _look(w, items[:10][::order])
        clock.turn(hours=3)
        assert await _look(w, [*items[:4], *items[5:11]][::order]) == []
        clock.turn(hours=3)
        late = ("late", clock.now - timedelta(days=30))  # dated back, in front
        fresh = [late, ("fresh", clock.now)] if newest_first else [("fresh", clock.now)]
        assert await _look(w, [*fresh, *items[:4], *items[5:]][::order]) == sorted(
            f"Title of {name}" for name, _ in fresh
        )
        assert list(await w.service.notices()) == []
        assert len(await w.entries()) == 25 + len(fresh)
        reasons = Counter(entry.history for entry in await w.entries())
        assert reasons == {"first": 10, "older": 15, None: len(fresh)}


@pytest.mark.parametrize("redated", [False, True])
async def test_a_site_that_comes_back_rebuilt_after_days_brings_nothing_twice(
    clock: Clock, redated: bool
) -> None:
    """So many days explained so many entries, and all of them were posted again."""
    async with world(clock) as w:
        items = daily(10, clock.now)
        await _look(w, items)
        w.site.say(status=503)
        await w.run(days=7)
        moved = [(f"moved-{name}", clock.now if redated else date) for name, date in items[:9]]
        w.site.say(body=re.sub("Title of moved-", "Title of ", rss([("fresh", clock.now), *moved])))
        await w.service.check(gap=0)
        assert [entry.title for entry in await w.entries() if entry.alert] == []


async def test_days_without_a_look_are_no_rebuilding_though_titles_come_again(clock: Clock) -> None:
    async with world(clock) as w:

        def say() -> None:
            names = re.compile("Title of [^<]*")
            titles = iter(["Order", "Motion", "Notice", "Brief", "Docket"] * 2)
            w.site.say(
                body=names.sub(lambda _: next(titles), rss(daily(10, clock.now, name=f"{clock.now:%d}-")))
            )

        say()
        await w.service.add(w.site.url(), guild_id=ONE)
        clock.turn(days=11)
        say()
        await w.service.check(gap=0)
        assert len([entry for entry in await w.entries() if entry.alert]) == 10


async def test_an_old_article_that_was_revised_is_no_news(clock: Clock) -> None:
    """Feeds that put what was changed last in front had articles of years ago posted."""

    def entry(name: str, published: datetime, updated: datetime) -> str:
        return (
            f"<entry><id>urn:{name}</id><title>{name}</title><link href='https://paper.example/{name}'/>"
            f"<published>{published.isoformat()}</published><updated>{updated.isoformat()}</updated></entry>"
        )

    def say(*entries: str) -> None:
        w.site.say(
            body=f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Paper</title>{''.join(entries)}</feed>"
        )

    async with world(clock) as w:
        known = entry("known", clock.now - timedelta(days=3), clock.now - timedelta(days=3))
        say(known)
        await w.service.add(w.site.url(), guild_id=ONE)
        clock.turn(hours=3)
        old = clock.now - timedelta(days=700)
        say(entry("revised", old, clock.now), entry("dated back", old, old), known)
        await w.service.check(gap=0)
        assert {entry.title: entry.history for entry in await w.entries()} == {
            "known": "first",
            "revised": "revised",
            "dated back": None,
        }
