"""What a campaign of hostile addresses, servers and documents tripped over, each in its smallest form."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.feeds.errors import FeedError, ParseError
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import AddressError, DnsError
from bot.feeds.guard import Guard
from bot.feeds.identity import canonical_url
from bot.feeds.parse import parse_feed
from bot.stories.html import extract
from tests.feeds.web import limits, raw_server, rss
from tests.feeds.world import Clock, world


@pytest.mark.parametrize("host", ["xn--.example", "xn--a.example", "news.xn--a"])
def test_a_name_that_is_no_encoded_one_is_refused_before_anything_is_asked(host: str) -> None:
    with pytest.raises(AddressError, match="not one that can be asked"):
        Guard().check_url(f"http://{host}/feed")


@pytest.mark.parametrize("host", ["xn--bcher-kva.example", "xn--strae-oqa.example", "xn--i-7iq.example"])
def test_encoded_names_are_asked_as_they_are(host: str) -> None:
    assert Guard().check_url(f"http://{host}/feed").host_subcomponent == host


async def test_a_name_without_any_address_is_a_name_that_cannot_be_found() -> None:
    async with Fetcher(limits(), lookup=lambda host, port: []) as fetcher:
        with pytest.raises(DnsError, match="cannot be found"):
            await fetcher.fetch("http://empty.example/feed")


@pytest.mark.parametrize("name", ["cp037", "cp500", "utf-16", "utf-32", "zip", "idna"])
def test_a_charset_of_another_family_is_not_believed(name: str) -> None:
    document = rss(["one"], title="Long, Loud and LaTeX")  # in EBCDIC an "L" is a "<"
    feed = parse_feed(document.encode(), content_type=f"text/xml; charset={name}")
    assert [entry.title for entry in feed.entries] == ["Title of one"]


@pytest.mark.parametrize("where", ["root", "each entry"])
def test_a_namespace_of_100_kilobytes_costs_no_more_than_its_bytes(where: str) -> None:
    name = "urn:" + "x" * 100_000
    tags = "<t:b t:c='1'>x</t:b>" * 50_000
    item = "<item><title>one</title></item>"
    document = (
        f"<rss xmlns:t='{name}'><channel>{item}{tags}</channel></rss>"
        if where == "root"
        else f"<rss><channel>{item}<item xmlns:t='{name}'>{tags}</item></channel></rss>"
    )
    started = time.process_time()
    feed = parse_feed(document.encode())
    assert time.process_time() - started < 2
    assert feed.entries[0].title == "one"


@pytest.mark.parametrize("links", ["", "<link rel=alternate type=application/rss+xml href=/feed>"])
async def test_a_page_and_all_that_is_tried_after_it_have_the_time_of_one_request(
    links: str, clock: Clock
) -> None:
    page = f"<html><title>A site</title>{links}</html>".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asked:
            await asyncio.sleep(60)
        asked.append(True)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
        writer.write(head.encode() + page)
        await writer.drain()

    asked: list[bool] = []
    async with raw_server(talk) as port, world(clock, timeout=1.0) as made:
        started = time.monotonic()
        with pytest.raises(FeedError, match="did not finish" if links else "names no feed"):
            await made.service.add(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - started < 5  # seven paths, each with a second of its own, would be 8


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u2003 ", "\x1f"])
@pytest.mark.parametrize("end", ["#0", "?utm_source=x", "/amp", "/#0"])
def test_blanks_in_an_address_do_not_keep_it_from_having_one_form(blank: str, end: str) -> None:
    canonical = canonical_url(f"https://n.example/a{blank}{end}")
    assert canonical == canonical_url(canonical) == "https://n.example/a%20"


@pytest.mark.parametrize("opened", ["<a>", "<rss><channel>"])
def test_what_nests_half_a_million_deep_is_given_up_early(opened: str) -> None:
    with pytest.raises(ParseError, match="no feed that can be read"):
        parse_feed(opened.encode() * 250_000)


def test_entries_around_one_that_nests_too_deep_are_read() -> None:
    deep = "<item><description>" + "<i>" * 60_000 + "</i>" * 60_000 + "</description></item>"
    others = [f"<item><title>{name}</title></item>" for name in ("one", "two")]
    document = f"<rss><channel>{others[0]}{deep}{others[1]}</channel></rss>"
    assert [entry.title for entry in parse_feed(document.encode()).entries] == ["one", "two"]


def test_a_page_of_half_a_million_tags_is_read_as_far_as_an_article_goes() -> None:
    told = "<p>The agency served the company with a subpoena for the records of an anonymous reader.</p>"
    page = f"<html><body><article>{told * 20}</article>{'<p>x</p>' * 200_000}<p>{'The end. ' * 50}</p></body>"
    text = extract(page).text
    assert "anonymous reader" in text
    assert "The end" not in text
