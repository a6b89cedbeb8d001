"""What a campaign of hostile addresses, servers and documents tripped over, each in its smallest form."""

from __future__ import annotations

import pytest

from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import AddressError, DnsError
from bot.feeds.guard import Guard
from bot.feeds.parse import parse_feed
from tests.feeds.web import limits, rss


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
