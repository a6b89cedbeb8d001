"""How Quash behaves towards servers: P1 to P33 by number, on loopback, with a clock that is turned.

Each test gives the outcome that it saw; together they are docs/feed-behaviour.md. Where that page is no
longer what the tests say, the run fails; `QUASH_WRITE_DOCS=1 pytest tests/feeds/test_behaviour.py` writes
it anew.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import re
import socket
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from bot import __version__
from bot.cli import _parser
from bot.commands.feeds import VERBS
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import FetchError
from bot.feeds.memory import from_json
from bot.feeds.opml import ListedFeed
from bot.feeds.service import FeedService
from tests.feeds.web import certificate, daily, raw_server, rss
from tests.feeds.world import Clock, World, world

HOUR, DAY = 3600.0, 86400.0
PAGE = Path(__file__).resolve().parents[2] / "docs" / "feed-behaviour.md"

RULES = {
    "P1": ("200 with ETag and Last-Modified, feed new", "one unconditional GET in the feed's whole life"),
    "P2": ("the same, second look", "sends both validators back byte for byte"),
    "P3": ("never sent Last-Modified", "never invents If-Modified-Since"),
    "P4": ("one validator changes, the other not", "the next request carries the new one"),
    "P5": ("200, same body, new validators", "stores them though nothing changed"),
    "P6": ("304 with new validators or max-age", "stores and uses them"),
    "P7": ("200 without validators after some with; 304 without", "drops the old ones; keeps them"),
    "P8": ("4xx or 5xx carrying an ETag", "stores nothing of it"),
    "P9": ("a 200 that does not parse", "does not store its validators"),
    "P10": ("validators, silent about freshness", "at most one look an hour, unless it publishes faster"),
    "P11": ("no validators at all", "slower still, and the same bytes are not parsed again"),
    "P12": ("max-age on 200, 304 or 429", "not before; the later of it and Retry-After; cut at the maximum"),
    "P13": ("Age; no-cache; Expires 0, past, malformed", "subtracts Age; own rhythm; own rhythm"),
    "P14": ("429 or 503 with Retry-After of every kind", "honoured whole up to 7 days, and said"),
    "P15": ("429 or 403 without Retry-After", "slower every time"),
    "P16": ("ten restarts in an hour", "no additional request, no burst at start"),
    "P17": ("Set-Cookie", "never a cookie"),
    "P18": ("any", "never a Referer, an added query, a fragment"),
    "P19": ("any; 403", "one honest User-Agent, the same after a 403"),
    "P20": ("any", "Accept names feed types, Accept-Encoding gzip, br, zstd"),
    "P21": ("any", "a single GET a look, no HEAD, no other path"),
    "P22": ("http only", "no probing of https"),
    "P23": ("the site's page, its icon", "not asked for by a look"),
    "P24": ("302, 307", "followed each time, the old address kept"),
    "P25": ("301, 308 for 7 days and 3 looks", "adopted, history kept, rows merged; undoable, told"),
    "P26": ("redirects that lead nowhere good", "stops, says why, makes no request to the last"),
    "P27": ("410", "one more look at most, then never; told"),
    "P28": ("404, DNS, TLS, time-outs for 40 days", "pauses grow to a day, later a week; told once each way"),
    "P29": ("20 feeds of one host", "at most FETCH_PER_HOST under way, spread out"),
    "P30": ("ttl, skipHours, skipDays, sy:updatePeriod", "a floor for the pause, never a reason for more"),
    "P31": ("“check now” ten times", "one conditional request, none before Retry-After"),
    "P32": ("one address, 50 guilds", "one look"),
    "P33": ("first look; over half of a known feed new at once", "stored for look-ups, nobody is alerted"),
}
OUTCOMES: dict[str, str] = {}

Scene = Callable[[World], Awaitable[str]]


def shows(rule: str, **changes: object) -> Callable[[Scene], Callable[..., Awaitable[None]]]:
    """Make a test of a scene that shows a rule; the outcome that it gives goes into the page."""

    def decorate(scene: Scene) -> Callable[..., Awaitable[None]]:
        @functools.wraps(scene, assigned=("__module__", "__name__", "__doc__"))
        async def test(clock: Clock) -> None:
            async with world(clock, **changes) as opened:
                OUTCOMES[rule] = await scene(opened)

        del test.__wrapped__  # pytest would take the scene's parameter for a fixture
        return test

    return decorate


@pytest.fixture(scope="module", autouse=True)
def page() -> Iterator[None]:
    """Compare the page with what the tests saw, where all of them ran."""
    yield
    if OUTCOMES.keys() != RULES.keys():
        return
    lines = [
        "# How Quash behaves towards the servers it asks",
        "",
        "Written by `tests/feeds/test_behaviour.py`, which shows each line on a real server on loopback with",
        "a clock that is turned. To write it anew:",
        "`QUASH_WRITE_DOCS=1 pytest tests/feeds/test_behaviour.py`.",
        "",
        "| id | the server | what Quash does | what the test saw |",
        "|---|---|---|---|",
        *(f"| {rule} | {server} | {does} | {OUTCOMES[rule]} |" for rule, (server, does) in RULES.items()),
        "",
    ]
    text = "\n".join(lines)
    if os.environ.get("QUASH_WRITE_DOCS"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "docs/feed-behaviour.md is out of date; see its first lines"


def ten(w: World) -> str:
    """A feed of ten items, a day apart: too slow to be a reason for more than the usual pause."""
    return rss(daily(10, w.clock.now))


def conditional(w: World) -> list[tuple[str | None, str | None]]:
    return [(asked["If-None-Match"], asked["If-Modified-Since"]) for asked in w.site.asked]


# --------------------------------------------------------------------- validators


@shows("P1")
async def test_p01(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"})
    await w.service.add(w.site.url())
    for _ in range(5):
        await w.run(hours=6)
        await w.restart()
    unconditional = sum(1 for pair in conditional(w) if pair == (None, None))
    assert conditional(w)[0] == (None, None)
    assert unconditional == 1
    assert len(w.site.asked) > 20
    return f"{unconditional} unconditional GET in {len(w.site.asked)} looks and 5 restarts"


@shows("P2")
async def test_p02(w: World) -> str:
    odd = [
        ('"quoted"', "Mon, 02 Mar 2026 10:00:00 GMT"),
        ('W/"weak"', "Mon, 2 Mar 2026 10:00:00 +0000"),
        ('"abc-gzip"', "2026-03-02T10:00:00Z"),
        ("unquoted", "yesterday at noon"),
        ('"ümlaut"', "Monday, 02-Mar-26 10:00:00 GMT"),
        ('""', "0"),
        ('W/"a, b"', "  Mon, 02 Mar 2026".strip()),
    ]
    for number, (etag, date) in enumerate(odd):
        path = f"/{number}"
        w.site.say(path, body=ten(w), headers={"ETag": etag, "Last-Modified": date})
        await w.service.add(w.site.url(path))
    w.site.asked.clear()
    await w.service.check(gap=0)
    assert sorted(zip([a.path for a in w.site.asked], conditional(w), strict=True)) == [
        (f"/{number}", pair) for number, pair in enumerate(odd)
    ]
    return f"{len(odd)} odd pairs came back as they were sent"


@shows("P3")
async def test_p03(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Date": "Mon, 02 Mar 2026 12:00:00 GMT"})
    await w.service.add(w.site.url())
    await w.run(hours=20)
    assert {date for _, date in conditional(w)} == {None}
    return f"no If-Modified-Since in {len(w.site.asked)} requests"


@shows("P4")
async def test_p04(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Last-Modified": "a"})
    await w.service.add(w.site.url())
    sent = []
    for etag, date, extra in (('"2"', "a", "x"), ('"2"', "b", "y")):
        w.site.say(
            body=rss([extra, *daily(10, w.clock.now)]),
            headers={"ETag": etag, "Last-Modified": date},
            honour=False,
        )
        await w.service.check(gap=0)
        await w.service.check(gap=0)
        sent.append(conditional(w)[-1])
    assert sent == [('"2"', "a"), ('"2"', "b")]
    return "the new one of either kind was sent in the next request"


@shows("P5")
async def test_p05(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    w.site.say(
        body=rss(daily(10, w.clock.now)), headers={"ETag": '"2"', "Last-Modified": "now"}, honour=False
    )
    await w.service.check(gap=0)
    feed = await w.feed()
    assert (feed.etag, feed.last_modified) == ('"2"', "now")
    assert w.parser.parsed == 1
    await w.service.check(gap=0)
    assert conditional(w)[-1] == ('"2"', "now")
    return "both stored; the same body was not parsed a second time"


@shows("P6")
async def test_p06(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Last-Modified": "a"})
    await w.service.add(w.site.url())
    w.site.say(status=304, headers={"ETag": '"2"', "Cache-Control": "max-age=20000"})
    await w.service.check(gap=0)
    feed = await w.feed()
    assert (feed.etag, feed.last_modified) == ('"2"', "a")
    assert feed.next_look is not None
    pause = (feed.next_look - w.clock.now).total_seconds()
    assert 20000 <= pause <= 22000
    w.site.say(status=304, headers={"Last-Modified": "b"})
    await w.service.check(gap=0)
    await w.service.check(gap=0)
    assert conditional(w)[-2:] == [('"2"', "a"), ('"2"', "b")]
    return "new ETag, new Last-Modified and max-age of a 304 were stored and used"


@shows("P7")
async def test_p07(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Last-Modified": "a"})
    await w.service.add(w.site.url())
    w.site.say(status=304)
    await w.service.check(gap=0)
    assert ((await w.feed()).etag, (await w.feed()).last_modified) == ('"1"', "a")
    w.site.say(body=rss(["new", *daily(10, w.clock.now)]))
    await w.service.check(gap=0)
    assert ((await w.feed()).etag, (await w.feed()).last_modified) == (None, None)
    await w.service.check(gap=0)
    assert conditional(w)[-1] == (None, None)
    return "kept over a 304 without; dropped after a 200 without"


@shows("P8")
async def test_p08(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Last-Modified": "a"})
    await w.service.add(w.site.url())
    before = await w.feed()
    for status in (400, 403, 404, 429, 500, 502, 503):
        w.site.say(status=status, body=ten(w), headers={"ETag": '"bad"', "Last-Modified": "bad"})
        await w.service.check(gap=0)
        feed = await w.feed()
        assert (feed.etag, feed.last_modified, feed.body_hash) == ('"1"', "a", before.body_hash)
        assert feed.last_status == status
    assert conditional(w)[-1] == ('"1"', "a")
    return "after 7 statuses with validators of their own, those of the last good answer were sent"


@shows("P9")
async def test_p09(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    for broken in ("", "<html><title>Maintenance</title></html>", "not a feed"):
        w.site.say(body=broken, headers={"ETag": '"2"'}, honour=False)
        report = await w.service.check(gap=0)
        assert report.looks[0].outcome == "failed"
        assert (await w.feed()).etag == '"1"'
    w.site.say(body=rss(["repaired", *daily(10, w.clock.now)]), headers={"ETag": '"2"'})
    report = await w.service.check(gap=0)
    assert report.new == 1
    return "three broken answers left no trace; the repaired feed with their ETag was read"


# ------------------------------------------------------------------------- rhythm


@shows("P10")
async def test_p10(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    for _ in range(8):
        await w.run(hours=3)
        await w.restart()
        await w.tick()
    slow = len(w.site.asked)
    assert min(w.gaps()) >= HOUR
    assert slow >= 22
    busy = [(f"b{n}", w.clock.now - timedelta(minutes=20 * n)) for n in range(12)]
    w.site.say("/busy", body=rss(busy), headers={"ETag": '"1"'})
    await w.service.add(w.site.url("/busy"))
    listed = await w.listed(2)
    assert listed.next_look is not None
    pause = (listed.next_look - w.clock.now).total_seconds()
    assert 300 <= pause < HOUR
    assert "publishes every" in listed.next_reason
    return f"{slow} looks in 24 h with 8 restarts; an item each 20 min: {listed.next_shown(w.clock.now)}"


@shows("P11")
async def test_p11(w: World) -> str:
    w.site.say(body=ten(w))
    await w.service.add(w.site.url())
    await w.run(hours=24)
    assert min(w.gaps()) >= 2 * HOUR
    assert w.parser.parsed == 1
    looks = len(w.site.asked)
    busy = [(f"b{n}", w.clock.now - timedelta(minutes=20 * n)) for n in range(12)]
    w.site.say("/busy", body=rss(busy))
    await w.service.add(w.site.url("/busy"))
    feed = await w.feed(2)
    assert feed.next_look is not None
    assert (feed.next_look - w.clock.now).total_seconds() < HOUR
    return f"{looks} looks in 24 h, parsed once; a busy one is looked at more often"


@shows("P12")
async def test_p12(w: World) -> str:
    async def pause_after(status: int, **headers: str) -> tuple[float, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        w.site.say(
            status=status, body=ten(w) if status == 200 else b"", headers={"ETag": '"1"'} | sent, honour=False
        )
        await w.run(lambda: len(w.site.asked) > before, days=10)
        listed = await w.listed()
        assert listed.next_look is not None
        return (listed.next_look - w.clock.now).total_seconds(), listed.next_reason

    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    for status in (200, 304, 429):
        before = len(w.site.asked)
        pause, reason = await pause_after(status, Cache_Control="public, max-age=43200")
        assert 43200 <= pause <= 47520
        assert reason == "the server asked for 12 h"
    before = len(w.site.asked)
    assert (await pause_after(429, Cache_Control="max-age=40000", Retry_After="50000"))[0] >= 50000
    before = len(w.site.asked)
    assert (await pause_after(429, Cache_Control="max-age=50000", Retry_After="40000"))[0] >= 50000
    before = len(w.site.asked)
    pause, reason = await pause_after(200, Cache_Control="max-age=31536000")
    assert pause == DAY
    assert "365 d" in reason
    assert "cut to 24 h" in reason
    return f"12 h kept after 200, 304 and 429; a year: “{reason}”"


@shows("P13")
async def test_p13(w: World) -> str:
    async def pause_after(**headers: str) -> float:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        w.site.say(body=ten(w), headers={"ETag": '"1"'} | sent)
        await w.service.check(gap=0)
        feed = await w.feed()
        assert feed.next_look is not None
        return (feed.next_look - w.clock.now).total_seconds()

    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    assert 20000 <= await pause_after(Cache_Control="max-age=36000", Age="16000") <= 22000
    date = f"{w.clock.now:%a, %d %b %Y %H:%M:%S} GMT"
    later = f"{w.clock.now + timedelta(hours=6):%a, %d %b %Y %H:%M:%S} GMT"
    assert 6 * HOUR <= await pause_after(Expires=later, Date=date) <= 6.6 * HOUR
    silent = [
        {"Cache_Control": "no-cache"},
        {"Cache_Control": "no-cache, max-age=40000"},
        {"Cache_Control": "max-age=0, must-revalidate"},
        {"Cache_Control": "max-age=banana"},
        {"Cache_Control": "max-age=40000", "Age": "50000"},
        {"Expires": "0"},
        {"Expires": "-1"},
        {"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"Expires": "in a while"},
    ]
    for headers in silent:
        assert HOUR <= await pause_after(**headers) <= 1.1 * HOUR, headers
    return f"36,000 s less an Age of 16,000 kept; {len(silent)} forms of nothing: the usual pause"


@shows("P14")
async def test_p14(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    date = f"{w.clock.now + timedelta(hours=10):%a, %d %b %Y %H:%M:%S} GMT"
    past = f"{w.clock.now - timedelta(hours=10):%a, %d %b %Y %H:%M:%S} GMT"
    cases = [
        ("7200", 2 * HOUR, "asked for 2 h"),
        (date, 10 * HOUR, "asked for 10 h"),
        (str(6 * 86400), 6 * DAY, "asked for 6 d"),
        (str(60 * 86400), 7 * DAY, "asked for 60 d, cut to 7 d"),
        ("0", None, "status"),
        ("-5", None, "status"),
        (past, None, "status"),
        ("soon", None, "status"),
        ("9" * 5000, 7 * DAY, "cut to 7 d"),
        ("1e9", None, "status"),
    ]
    for status in (429, 503):
        for number, (value, wanted, words) in enumerate(cases):
            path = f"/{status}-{number}"
            w.site.say(path, body=ten(w), headers={"ETag": '"1"'})
            feed_id = (await w.service.add(w.site.url(path))).feed_id
            assert feed_id is not None
            w.site.say(path, status=status, headers={"Retry-After": value})
            await w.service.check([feed_id], gap=0)
            listed = await w.listed(feed_id)
            assert listed.next_look is not None
            pause = (listed.next_look - w.clock.now).total_seconds()
            assert words in listed.next_reason, (value, listed.next_reason)
            if wanted is None:
                assert pause >= HOUR
                continue
            assert wanted <= pause <= wanted + 0.1 * HOUR + 5
            asked = len(w.site.asked)
            report = await w.service.check([feed_id], gap=0)
            assert report.looks[0].outcome == "skipped"
            assert "asked to wait" in report.looks[0].reason
            assert len(w.site.asked) == asked
    return f"{len(cases)} values after 429 and 503; none asked early, not even by hand"


@shows("P15")
async def test_p15(w: World) -> str:
    said = []
    for status in (429, 403):
        path = f"/{status}"
        w.site.say(path, body=ten(w), headers={"ETag": '"1"'})
        feed_id = (await w.service.add(w.site.url(path))).feed_id
        assert feed_id is not None
        w.site.say(path, status=status)
        pauses = []
        for _ in range(6):
            await w.service.check([feed_id], gap=0)
            feed = await w.feed(feed_id)
            assert feed.next_look is not None
            pauses.append((feed.next_look - w.clock.now).total_seconds())
        assert all(b > a or a >= DAY for a, b in itertools.pairwise(pauses))
        assert pauses[0] >= 2 * HOUR
        assert pauses[3] > 4 * pauses[1] - 1
        said.append(f"{status}: " + ", ".join(f"{pause / HOUR:.0f} h" for pause in pauses))
        await w.service.remove(feed_id)
    return "; ".join(said)


@shows("P16")
async def test_p16(w: World) -> str:
    for number in range(40):
        w.site.say(f"/{number}", body=ten(w), headers={"ETag": '"1"'})
    await w.service.add_many([ListedFeed(w.site.url(f"/{number}")) for number in range(40)])
    await w.run(minutes=10)
    first = len(w.site.asked)
    assert first == 40
    for _ in range(10):
        w.clock.turn(minutes=5)
        await w.restart()
        await w.tick()
    assert len(w.site.asked) == first
    w.clock.turn(days=2)  # an outage: everything is overdue
    await w.restart()
    await w.tick()
    burst = len(w.site.asked) - first
    assert burst == 8
    return f"0 requests in ten restarts; after two days' outage {burst} of 40 feeds of one host at start"


# ----------------------------------------------------------------------- requests


@shows("P17")
async def test_p17(w: World) -> str:
    w.site.say("/old", status=302, headers={"Location": "/feed", "Set-Cookie": "a=1"})
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Set-Cookie": "b=2; Max-Age=999999"})
    await w.service.add(w.site.url("/old"))
    await w.run(hours=5)
    assert {asked["Cookie"] for asked in w.site.asked} == {None}
    return f"no cookie in {len(w.site.asked)} requests"


@shows("P18")
async def test_p18(w: World) -> str:
    w.site.say("/old", status=302, headers={"Location": "/feed?b=2&a=1#there"})
    w.site.say(body=ten(w))
    await w.service.add(w.site.url("/old?x=1#here"))
    await w.run(hours=5)
    assert {asked.path for asked in w.site.asked} == {"/old?x=1", "/feed?b=2&a=1"}
    assert {asked["Referer"] for asked in w.site.asked} == {None}
    return "the addresses as they stand, without fragment; no Referer"


@shows("P19")
async def test_p19(w: World) -> str:
    w.site.say(body=ten(w))
    await w.service.add(w.site.url())
    w.site.say(status=403)
    await w.run(days=2)
    agents = {asked["User-Agent"] for asked in w.site.asked}
    (agent,) = agents
    assert re.fullmatch(r"Quash/\d+\.\d+[\w.]* \(\+https://[\w./-]+\)", agent or "")
    assert len(w.site.asked) > 3
    named = (agent or "").replace(__version__, "VERSION")
    return f"{named} in all requests, before and after the 403"


@shows("P20")
async def test_p20(w: World) -> str:
    w.site.say(body=ten(w))
    await w.service.add(w.site.url())
    asked = w.site.asked[0]
    accept = asked["Accept"] or ""
    for kind in ("application/atom+xml", "application/rss+xml", "application/feed+json"):
        assert kind in accept
    assert asked["Accept-Encoding"] == "gzip, deflate, br, zstd"
    return f"Accept-Encoding: {asked['Accept-Encoding']}"


@shows("P21")
async def test_p21(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    await w.run(days=1)
    assert {(asked.method, asked.path) for asked in w.site.asked} == {("GET", "/feed")}
    assert min(w.gaps()) >= HOUR
    return f"{len(w.site.asked)} looks, as many requests, all of them GET /feed"


@shows("P22")
async def test_p22(w: World) -> str:
    """Every connection's first byte is looked at: a TLS handshake begins with 0x16."""
    first: list[bytes] = []
    body = ten(w).encode()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(1))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    asked: list[int] = []

    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        asked.append(port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://paper.example:{port}/feed"
    async with server, Fetcher(w.limits, lookup=lookup) as fetcher:
        service = FeedService(w.database, fetcher, w.parser, w.clock, w.limits)
        assert (await service.add(url)).url == url
        for _ in range(5):
            w.clock.turn(hours=5)
            await service.check_due()
    assert first == [b"G"] * 6
    assert set(asked) == {port}
    assert (await w.feed()).url == url
    return f"{len(first)} connections, all to the port named and without TLS; kept so"


@shows("P23")
async def test_p23(w: World) -> str:
    w.site.say("/", body="<html></html>")
    w.site.say("/favicon.ico", body="x")
    w.site.say(body=ten(w).replace("https://paper.example/<", w.site.url("/") + "<"), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    await w.run(days=2)
    others = [asked.path for asked in w.site.asked if asked.path != "/feed"]
    assert others == []
    return f"{len(others)} requests for either in two days"


# ---------------------------------------------------------------------- redirects


@shows("P24")
async def test_p24(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"', "Cache-Control": "max-age=43200"})
    for status in (302, 307):
        w.site.say(f"/{status}", status=status, headers={"Location": "/feed"})
        await w.service.add(w.site.url(f"/{status}"))
    await w.run(days=10)
    asked = Counter(asked.path for asked in w.site.asked)
    assert asked["/feed"] == asked["/302"] + asked["/307"]
    assert (await w.feed(1)).url == w.site.url("/302")
    assert (await w.feed(2)).url == w.site.url("/307")
    return f"both kept after 10 days and {asked['/302'] + asked['/307']} redirects followed"


@shows("P25")
async def test_p25(w: World) -> str:
    items = daily(10, w.clock.now)
    w.site.say("/old", body=rss(items), headers={"ETag": '"1"'})
    slow = {"ETag": '"1"', "Cache-Control": "max-age=43200"}
    moved = slow | {"ETag": '"2"'}
    w.site.say("/new", body=rss(items), headers=moved)
    w.site.say("/html", body="<html><title>Log in</title></html>")
    w.site.say("/other", body=rss(daily(10, w.clock.now, name="other"), title="Another"), headers=moved)
    await w.service.add(w.site.url("/old"), guild_id=5)
    w.site.say("/to-html", body=rss(items), headers=slow)
    w.site.say("/to-other", body=rss(items), headers=slow)
    w.site.say("/twin", body=rss(items), headers=slow)
    for path in ("/to-html", "/to-other", "/twin"):
        await w.service.add(w.site.url(path), guild_id=6)
    w.site.say("/same-etag", body=rss(items), headers=moved)
    await w.service.add(w.site.url("/same-etag"), guild_id=7)
    w.site.say("/same-etag", status=301, headers={"Location": "/other"})
    w.site.say("/old", status=301, headers={"Location": "/new"})
    w.site.say("/to-html", status=308, headers={"Location": "/html"})
    w.site.say("/to-other", status=301, headers={"Location": "/other"})
    await w.run(days=6)
    assert (await w.feed(1)).url == w.site.url("/old")
    await w.run(days=3)
    assert (await w.feed(1)).url == w.site.url("/new")
    assert (await w.feed(2)).url == w.site.url("/to-html")
    assert (await w.feed(3)).url == w.site.url("/to-other")
    assert (await w.feed(5)).url == w.site.url("/same-etag")
    assert len(await w.entries(1)) == 10
    w.site.asked.clear()
    await w.service.check([1], gap=0)
    assert [asked.path for asked in w.site.asked] == ["/new"]
    notices = {feed_id: (notice.kind, guilds) for feed_id, notice, guilds in await w.service.notices()}
    assert notices[1] == ("moved", (5,))
    # A row that exists already takes the other in.
    w.site.say("/twin", status=308, headers={"Location": "/new"})
    await w.run(days=9)
    assert {feed.id for feed in await w.service.list()} == {1, 2, 3, 5}
    assert {feed.id for feed in await w.service.list(guild_id=6)} == {1, 2, 3}
    assert len(await w.entries(1)) == 10
    # Undone, it stays undone.
    undo = _parser().parse_args(["feeds", "undo-move", "1", "2"])
    with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()) as complained:
        assert await VERBS[undo.verb](undo, w.service) == 1
    assert w.site.url("/old") in said.getvalue()
    assert complained.getvalue() == "quash: Feed 2 has not moved.\n"
    await w.run(days=9)
    assert (await w.feed(1)).url == w.site.url("/old")
    return "adopted after 7 days, not for HTML or another feed; 10 entries kept; twin merged; undone for good"


@shows("P26")
async def test_p26(w: World) -> str:
    ends = {
        "loop": "/loop",
        "file": "file:///etc/passwd",
        "private": "http://10.0.0.1/feed",
        "metadata": "http://169.254.169.254/latest/",
        "number": "http://0x7f000001/",
    }
    for name, target in ends.items():
        w.site.say(f"/{name}", status=301, headers={"Location": target})
    for number in range(11):
        w.site.say(f"/hop{number}", status=302, headers={"Location": f"/hop{number + 1}"})
    w.site.say("/hop11", body=ten(w))
    for path in (*ends, "hop0"):
        with pytest.raises(FetchError):
            await w.service.add(w.site.url(f"/{path}"))
    asked = [asked.path for asked in w.site.asked]
    assert "/hop11" not in asked
    assert len(asked) == len(ends) + 11

    async def unprotected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 301 Moved\r\nLocation: {w.site.url('/hop11')}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()

    with tempfile.TemporaryDirectory() as folder:
        serving, trusting = await certificate(Path(folder), "IP:127.0.0.1")
    async with raw_server(unprotected, serving) as port, Fetcher(w.limits, tls=trusting) as fetcher:
        service = FeedService(w.database, fetcher, w.parser, w.clock, w.limits)
        with pytest.raises(FetchError, match="unprotected"):
            await service.add(f"https://127.0.0.1:{port}/")
    assert len(w.site.asked) == len(asked)
    return f"{len(ends) + 2} ways refused with a sentence; nothing asked beyond the last hop"


@shows("P27")
async def test_p27(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    for guild in (5, 6):
        await w.service.add(w.site.url(), guild_id=guild)
    w.site.say(status=410)
    w.site.asked.clear()
    await w.run(days=60)
    asked = len(w.site.asked)
    assert asked == 2
    listed = await w.listed()
    assert (listed.state, listed.next_look) == ("gone", None)
    ((_, notice, guilds),) = await w.service.notices()
    assert (notice.kind, guilds) == ("gone", (5, 6))
    await w.service.told(1, notice)
    assert list(await w.service.notices()) == []
    report = await w.service.check(gap=0)
    assert len(w.site.asked) == asked
    assert report.looks == ()
    return f"{asked} looks in 60 days; 2 guilds told once"


async def test_p28(clock: Clock) -> None:
    """404, DNS, TLS and time-outs for 40 days each."""
    OUTCOMES["P28"] = "; ".join([await _forty_days(clock, kind) for kind in ("404", "dns", "tls", "timeout")])


async def _forty_days(clock: Clock, kind: str) -> str:
    broken = kind == "dns"

    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        if broken:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    timeout = 0.03 if kind == "timeout" else 5.0
    async with world(clock, lookup=lookup, timeout=timeout) as w:
        scheme = "https" if kind == "tls" else "http"
        url = f"{scheme}://paper.example:{w.site.port}/feed"
        await w.service.add_many([ListedFeed(url)])
        w.site.say(status=404)
        w.site.pause = 0.2 if kind == "timeout" else 0.0
        looks: list[datetime] = []
        told: list[str] = []
        told_at: list[datetime] = []
        end = clock.now + timedelta(days=40)
        while clock.now < end:
            before = (await w.feed()).last_looked_at
            await w.run(lambda: False, seconds=0)
            feed = await w.feed()
            if feed.last_looked_at != before and feed.last_looked_at is not None:
                looks.append(feed.last_looked_at)
            for feed_id, notice, _ in await w.service.notices():
                told.append(notice.kind)
                told_at.append(clock.now)
                await w.service.told(feed_id, notice)
            assert feed.next_look is not None
            clock.now = feed.next_look
        pauses = [(b - a).total_seconds() for a, b in itertools.pairwise(looks)]
        assert pauses == sorted(pauses)
        assert pauses[0] < 3 * HOUR
        assert any(DAY <= pause <= 1.1 * DAY for pause in pauses)
        assert 7 * DAY <= pauses[-1] <= 7.7 * DAY
        assert (await w.feed()).state == "active"
        assert told == ["failing"]
        day_is_over = next(at for at in looks if at - looks[0] >= timedelta(days=1))
        assert told_at == [day_is_over], "told by the first look after it has failed for a day"
        assert day_is_over - looks[0] <= timedelta(days=2)
        broken = False
        w.site.pause = 0.0
        if kind == "tls":
            return f"{kind}: {len(looks)} looks, still watched"
        w.site.say(body=ten(w), headers={"ETag": '"1"'})
        await w.run(seconds=0)
        feed = await w.feed()
        assert (feed.failures, feed.failure, feed.failing_since) == (0, None, None)
        assert feed.next_look is not None
        assert (feed.next_look - clock.now).total_seconds() <= 1.1 * HOUR
        assert [notice.kind for _, notice, _ in await w.service.notices()] == ["back"]
        return f"{kind}: {len(looks)} looks, told, back at once"


@shows("P29")
async def test_p29(w: World) -> str:
    for number in range(20):
        w.site.say(f"/{number}", body=ten(w), headers={"ETag": '"1"'})
    w.site.pause = 0.005
    await w.service.add_many([ListedFeed(w.site.url(f"/{number}")) for number in range(20)])
    for _ in range(16):
        await w.tick()
        w.clock.turn(seconds=15)
    assert len(w.site.asked) == 20
    assert w.site.most_under_way == 2
    w.site.pause = 0.0
    await w.run(hours=4)
    w.site.asked.clear()
    await w.run(hours=3)
    minutes = Counter(int(asked.at.timestamp() // 60) for asked in w.site.asked)
    fullest = max(minutes.values())
    assert len(w.site.asked) > 50
    assert fullest <= 5
    return f"at most {w.site.most_under_way} at once; four hours later at most {fullest} in any minute"


@shows("P30")
async def test_p30(w: World) -> str:
    async def pause_of(path: str, more: str, **headers: str) -> float:
        w.site.say(path, body=rss(daily(10, w.clock.now), more=more), headers={"ETag": '"1"'} | headers)
        feed_id = (await w.service.add(w.site.url(path))).feed_id
        assert feed_id is not None
        feed = await w.feed(feed_id)
        assert feed.next_look is not None
        return (feed.next_look - w.clock.now).total_seconds()

    assert await pause_of("/ttl", "<ttl>240</ttl>") >= 4 * HOUR
    assert await pause_of("/low", "<ttl>5</ttl>") >= HOUR
    assert await pause_of("/sy", "<sy:updatePeriod>daily</sy:updatePeriod>") >= DAY
    assert (
        await pause_of(
            "/sy2", "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>9</sy:updateFrequency>"
        )
        >= HOUR
    )
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(12, 20))
    assert await pause_of("/hours", f"<skipHours>{hours}</skipHours>") >= 8 * HOUR
    every = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    assert await pause_of("/every", f"<skipHours>{every}</skipHours>") <= 1.1 * HOUR
    assert w.clock.now.weekday() == 0
    days = "<skipDays><day>Monday</day><day>Tuesday</day></skipDays>"
    assert await pause_of("/days", days) >= 1.5 * DAY
    return "ttl of 4 h, daily, eight skipped hours, two skipped days kept; ttl of 5 min no reason for more"


# ------------------------------------------------------------------------- people


@shows("P31")
async def test_p31(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    await w.service.add(w.site.url())
    w.clock.turn(minutes=10)
    w.site.asked.clear()
    for _ in range(10):
        await w.service.check([1])
        w.clock.turn(seconds=3)
    assert conditional(w) == [('"1"', None)]
    w.site.say(status=503, headers={"Retry-After": "3600"})
    w.clock.turn(minutes=2)
    await w.service.check([1])
    w.site.asked.clear()
    for _ in range(10):
        w.clock.turn(minutes=5)
        await w.service.check([1])
        await w.tick()
    assert w.site.asked == []
    return "1 request, conditional; 0 in the 50 minutes after a Retry-After of an hour"


@shows("P32")
async def test_p32(w: World) -> str:
    w.site.say(body=ten(w), headers={"ETag": '"1"'})
    for guild in range(1, 51):
        await w.service.add(w.site.url(), guild_id=guild)
    assert len(w.site.asked) == 1
    await w.run(minutes=70)
    assert len(w.site.asked) == 2
    assert len(await w.service.list()) == 1
    return "1 request for 50 times /feeds add, 1 more for the next look"


@shows("P33")
async def test_p33(w: World) -> str:
    w.site.say(body=ten(w))
    await w.service.add(w.site.url())
    assert [(entry.alert, entry.history) for entry in await w.entries()] == [(False, "first")] * 10
    w.clock.turn(hours=3)
    w.site.say(body=rss([("fresh", w.clock.now), *daily(9, w.clock.now - timedelta(hours=3))]))
    await w.service.check(gap=0)
    assert [entry.alert for entry in await w.entries()][10:] == [True]
    w.clock.turn(hours=3)
    w.site.say(body=rss(daily(10, w.clock.now, name="rebuilt")))
    report = await w.service.check(gap=0)
    entries = await w.entries()
    assert len(entries) == 21
    assert [(entry.alert, entry.history) for entry in entries[10:]] == [
        (True, None),
        *[(False, "rebuilt")] * 10,
    ]
    assert "rebuilt" in report.looks[0].reason
    assert [notice.kind for _, notice, _ in await w.service.notices()] == ["rebuilt"]
    assert from_json((await w.feed()).memory).times
    return f"10 of a first look and 10 of a rebuilt feed stored, 0 alerts of them; “{report.looks[0].reason}”"
