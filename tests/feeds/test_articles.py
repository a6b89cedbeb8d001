"""Pages: fetched with the leave of robots.txt, decoded as they say."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.feeds.articles import PageFetcher
from bot.feeds.entry_rows import new_entry_row
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import (
    DnsError,
    FetchError,
    ForbiddenAddressError,
    NotAPageError,
    RobotsError,
    StatusError,
)
from bot.feeds.guard import AddressInfo
from bot.feeds.parse import parse_feed
from bot.feeds.robots import parse_robots
from bot.feeds.sight import seen
from bot.intake.reading import Reader
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db import entries, feed_looks, feeds
from db.engine import Database
from db.tables import FindingRow
from tests.feeds.web import Site, limits, raw_server, rss
from tests.feeds.world import Clock

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("robots", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /private", "/private/x", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow: /\nAllow: /news/", "/news/1", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /*?print", "/x?print=1", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a-c-b", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Quash\nDisallow: /only", "/a", True),
        ("User-agent: Quash\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: other\nUser-agent: quash\nDisallow: /", "/a", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("\ufeffUser-Agent : * # all\n disallow : /a # this", "/a", False),
        ("User-agent: *\nDisallow: /ä", "/%C3%A4", False),
        ("User-agent: *\nDisallow: /%c3%a4", "/ä", False),
        ("User-agent: *\nDisallow: /%7Ejoe", "/~joe/", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("Disallow: /", "/a", True),
        ("<html>nonsense</html>", "/a", True),
    ],
)
def test_robots(robots: str, path: str, allowed: bool) -> None:
    assert parse_robots(robots.encode()).allows(f"https://paper.example{path}") is allowed


@given(st.binary(max_size=300), st.text("/*$?%ab", max_size=40))
def test_no_robots_file_makes_us_stumble(content: bytes, path: str) -> None:
    parse_robots(b"User-agent: *\nDisallow: " + content).allows("https://paper.example/" + path)
    parse_robots(f"User-agent: *\nDisallow: {path}".encode()).allows("https://paper.example/" + "ab/" * 500)


async def test_a_page_is_fetched_after_one_look_at_robots(site: Site, fetcher: Fetcher, clock: Clock) -> None:
    pages = PageFetcher(fetcher, clock)
    site.say("/robots.txt", body="User-agent: *\nDisallow: /private")
    site.say("/a", body="<p>Grüße</p>", headers=HTML)
    found = await asyncio.gather(*(pages.fetch_page(site.url("/a")) for _ in range(5)))
    assert {(page.text, page.is_html, page.url) for page in found} == {("<p>Grüße</p>", True, site.url("/a"))}
    with pytest.raises(RobotsError, match=r"robots\.txt"):
        await pages.fetch_page(site.url("/private/1"))
    asked = [asked.path for asked in site.asked]
    assert asked.count("/robots.txt") == 1
    assert "/private/1" not in asked
    clock.turn(hours=25)
    await pages.fetch_page(site.url("/a"))
    assert [asked.path for asked in site.asked].count("/robots.txt") == 2
    assert {asked["Accept"] for asked in site.asked if asked.path == "/a"} != {None}


async def test_no_robots_file_allows_a_server_in_trouble_is_asked_again(
    site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    """Its fault was told as the site's wish, and as that is final, the page was never read."""
    pages = PageFetcher(fetcher, clock)
    site.say("/a", body="<p>x</p>", headers=HTML)
    await pages.fetch_page(site.url("/a"))  # 404 for robots.txt
    for wait, headers in ((5, {}), (121, {"Retry-After": "7200"})):
        site.say("/robots.txt", status=503, headers=headers)
        clock.now += timedelta(days=2)
        site.asked.clear()
        for minutes in (0, 3):
            clock.turn(minutes=minutes)
            with pytest.raises(StatusError, match="503") as refused:
                await pages.fetch_page(site.url("/a"))
            assert refused.value.passing
        assert [asked.path for asked in site.asked] == ["/robots.txt"]
        site.say("/robots.txt", body="")
        clock.turn(minutes=wait)
        await pages.fetch_page(site.url("/a"))


async def test_what_sites_want_is_remembered_within_bounds(
    site: Site, fetcher: Fetcher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand sites with five thousand rules each took gigabytes."""
    monkeypatch.setattr("bot.feeds.articles._MOST_RULES", 3)
    pages = PageFetcher(fetcher, clock)
    site.say("/robots.txt", body="User-agent: *\n" + "Disallow: /private\n" * 4)
    site.say("/a", body="<p>x</p>", headers=HTML)
    for url in (site.url("/a"), site.url("/a").replace("127.0.0.1", "localhost")) * 2:
        await pages.fetch_page(url)
    assert [asked.path for asked in site.asked].count("/robots.txt") == 4


async def test_a_site_that_is_away_or_asks_to_wait_is_left_alone(site: Site, clock: Clock) -> None:
    """Each of its pages took all the time there is, while other news waited; Retry-After was not heeded."""
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[AddressInfo]:
        asked.append(host)
        raise OSError("no such name")

    async with Fetcher(limits(), lookup=lookup) as fetcher:
        pages = PageFetcher(fetcher, clock)
        for minutes in (0, 1, 4):
            clock.turn(minutes=minutes)
            with pytest.raises(DnsError):
                await pages.fetch_page("http://away.example/a")
        assert len(asked) == 2
        site.say("/a", status=429, headers={"Retry-After": "7200"})
        for hours in (0, 1, 1):
            clock.turn(hours=hours)
            with pytest.raises(StatusError):
                await pages.fetch_page(site.url("/a"))
        assert [one.path for one in site.asked].count("/a") == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<p>Grüße</p>".encode("windows-1252"), "text/html; charset=iso-8859-1"),
        ('<meta charset="windows-1251"><p>Привет</p>'.encode("windows-1251"), "text/html"),
        ("\ufeff<p>ü</p>".encode("utf-16"), "text/html"),
        (
            b'<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">'
            + "<p>日本</p>".encode("shift_jis"),
            "text/html",
        ),
    ],
)
async def test_pages_are_decoded_as_they_say(
    site: Site, fetcher: Fetcher, clock: Clock, body: bytes, content_type: str
) -> None:
    site.say("/a", body=body, headers={"Content-Type": content_type})
    page = await PageFetcher(fetcher, clock).fetch_page(site.url("/a"))
    assert any(word in page.text for word in ("Grüße", "Привет", "ü", "日本"))


async def test_what_is_no_page(site: Site, fetcher: Fetcher, clock: Clock) -> None:
    pages = PageFetcher(fetcher, clock)
    site.say("/film", body=b"x", headers={"Content-Type": "video/mp4"})
    with pytest.raises(NotAPageError, match="video/mp4"):
        await pages.fetch_page(site.url("/film"))
    with pytest.raises(StatusError):
        await pages.fetch_page(site.url("/missing"))
    site.say("/inside", status=302, headers={"Location": "http://169.254.169.254/"})
    with pytest.raises(ForbiddenAddressError):
        await pages.fetch_page(site.url("/inside"))
    with pytest.raises(FetchError):
        await pages.fetch_page("http://10.0.0.1/")


async def test_a_page_whose_type_is_no_text_holds_up_no_news(database: Database, clock: Clock) -> None:
    """Bytes that are no UTF-8 came into the record of the reading, which no database takes: the entry was
    read again each second, and none after it."""
    wrong = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wrong.set()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/\xff\xfe\r\n"
            b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"
        )
        await writer.drain()

    async def read(article: Article) -> Story:
        return analyse(article)

    async with raw_server(talk) as port, Fetcher(limits(timeout=5)) as fetcher:
        feed = rss(["one", "two"], text="The FBI served a subpoena on Northwind for records of its users.")
        sightings = seen(
            parse_feed(feed.replace("https://paper.example", f"http://127.0.0.1:{port}").encode())
        )
        async with database.write() as session:
            feed_id = await feeds.add(session, {"url": "http://paper.example/", "added_at": clock.now})
            rows = [new_entry_row(s, feed_id, clock.now, history=None) for s in sightings.sightings]
            await feed_looks.insert_entries(session, rows)
        reader = Reader(database, read, PageFetcher(fetcher, clock).fetch_page, clock=clock)
        assert await reader.read_new() == 2
        assert await reader.read_new() == 0
    assert wrong.is_set()
    async with database.read() as session:
        newest = await entries.newest_of_feed(session, feed_id, 5)
        reasons = await session.scalars(select(FindingRow.reason).where(FindingRow.outcome == "not fetched"))
        assert "application/\ufffd\ufffd" in reasons.all()[0]
    assert [(entry.state, entry.relevant) for entry in newest] == [("read", True)] * 2
