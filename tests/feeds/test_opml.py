"""Lists of feeds in and out."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.clock import utc_now
from bot.feeds.opml import MAX_FEEDS, ListedFeed, OpmlError, read_list, write_opml
from bot.intake.guild_feeds import GuildFeeds, Who

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_there_and_back() -> None:
    feeds = (
        ListedFeed("https://a.example/feed?x=1&y=2", 'Ann & "Bo" <c>', "https://a.example/", ("Courts",)),
        ListedFeed("https://b.example/feed"),
    )
    document = write_opml(feeds, title="Feeds & co", now=NOW)
    root = ET.fromstring(document)
    assert root.get("version") == "2.0"
    assert root.findtext("head/title") == "Feeds & co"
    back = {feed.url: feed for feed in read_list(document).feeds}
    assert back[feeds[0].url] == feeds[0]
    assert back[feeds[1].url].title == feeds[1].url


def test_nested_folders_and_old_spellings() -> None:
    found = read_list(
        b'<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY x "y">]><OPML version="1.0"><body>'
        b'<outline text="A"><outline title="B">'
        b'<outline text="One" xmlurl="https://n.example/1" htmlURL="https://n.example/"/></outline></outline>'
        b'<outline text="Two" xmlUrl=" https://n.example/2 "/>'
        b'<outline text="Two again" xmlUrl="https://n.example/2"/></body></OPML>'
    )
    assert [(feed.url, feed.folders) for feed in found.feeds] == [
        ("https://n.example/1", ("A", "B")),
        ("https://n.example/2", ()),
    ]
    assert found.feeds[0].site == "https://n.example/"


def test_one_address_a_line() -> None:
    found = read_list(
        b"\xef\xbb\xbf# mine\nhttps://n.example/1\r\n\n  https://n.example/2  # second\nftp://n.example/3\n"
    )
    assert [feed.url for feed in found.feeds] == ["https://n.example/1", "https://n.example/2"]
    assert len(found.problems) == 1
    assert "ftp://n.example/3" in found.problems[0]


def test_what_is_no_address_is_named() -> None:
    found = read_list(
        b'<opml><body><outline xmlUrl="file:///etc/passwd"/><outline xmlUrl="https://n.example/"/></body></opml>'
    )
    assert [feed.url for feed in found.feeds] == ["https://n.example/"]
    assert "file:///etc/passwd" in found.problems[0]


def test_a_bare_ampersand_is_mended() -> None:
    found = read_list(
        b'<opml><body><outline text="A & B" xmlUrl="https://n.example/?a=1&b=2"/></body></opml>'
    )
    assert [(feed.title, feed.url) for feed in found.feeds] == [("A & B", "https://n.example/?a=1&b=2")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"words, and no address\nmore words", "no address"),
        (b"<rss><channel/></rss>", "not an OPML"),
        (b"<opml><body>", "broken XML"),
        (b"<opml><body>" + b"<outline>" * 100, "deeper"),
        (b"x" * 5_000_000, "larger"),
        (b"\n".join(b"https://n.example/%d" % number for number in range(MAX_FEEDS + 1)), "more than"),
    ],
)
def test_refused(content: bytes, said: str) -> None:
    with pytest.raises(OpmlError, match=said):
        read_list(content)


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE opml [<!ENTITY a "x"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    found = read_list(
        f'{bomb}<opml><body><outline text="&b;&f;" xmlUrl="https://n.example/"/></body></opml>'.encode()
    )
    assert "root:" not in found.feeds[0].title
    assert len(found.feeds[0].title) < 30


async def test_a_file_that_is_no_list_does_not_hold_the_event_loop() -> None:
    """Two megabytes of short lines held it for more than a second."""
    nothing = cast("Any", None)  # it comes to neither
    feeds = GuildFeeds(nothing, nothing, utc_now)
    began = time.thread_time()
    with pytest.raises(OpmlError, match="no address"):
        await feeds.import_list(Who(1, 2), b"x\n" * 200_000)
    assert time.thread_time() - began < 0.05
