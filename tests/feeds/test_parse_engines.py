"""The quick reader and the exact one agree, and the exact one agrees with feedparser on what it knows."""

from __future__ import annotations

import calendar
import io
import re
from datetime import UTC, datetime

import feedparser
import pytest

from bot.feeds.reading.quick import read_quickly
from bot.feeds.reading.strict import read_strict
from tests.feeds.documents import (
    NOW,
    WHERE,
    atom03_entry,
    atom_entry,
    ordinary_atom,
    ordinary_rss,
    rdf,
    rss_item,
)


@pytest.mark.parametrize(
    "content", [ordinary_rss(), ordinary_atom(), ordinary_rss(200, 300), ordinary_atom(200, 300)]
)
def test_quick_is_exact_on_ordinary_feeds(content: bytes) -> None:
    quick = read_quickly(content, WHERE, NOW)
    assert quick is not None, "the quick reader gave an ordinary feed up; has fastfeedparser changed?"
    assert quick == read_strict(content, WHERE, NOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<title>Order no. 1 ", b"<media:title>Picture</media:title><title>Order no. 1 "),
        (b"<pubDate>Tue, 02", b"<pubDate>never</pubDate><x>Tue, 02"),
        (b"<link>https://news.example/1/", b'<atom:link rel="self" href="https://x.example/"/><link>https://news.example/1/'),
        (b"<dc:creator>", b"<dc:creator>Second Hand</dc:creator><dc:creator>"),
    ],
)  # fmt: skip
def test_quick_leaves_what_it_would_misread(before: bytes, after: bytes) -> None:
    content = (
        ordinary_rss().replace(before, after).replace(b"<x>Tue, 02 Nov 2026 10:01:00 +0000</pubDate>", b"")
    )
    read = read_quickly(content, WHERE, NOW)
    assert read is None or read == read_strict(content, WHERE, NOW)


def test_quick_resolves_links_under_the_base_of_a_content() -> None:
    content = ordinary_atom().replace(
        b'<content type="html">', b'<content type="html" xml:base="https://b.example/d/">'
    )
    content = content.replace(b"&lt;p&gt;7 ", b'&lt;p&gt;7 &lt;a href="x"&gt;y&lt;/a&gt; ')
    quick = read_quickly(content, WHERE, NOW)
    assert quick == read_strict(content, WHERE, NOW)
    assert quick is not None
    assert '<a href="https://b.example/d/x">' in quick.entries[7].content


def test_quick_keeps_out_of_mixed_titles() -> None:
    content = ordinary_atom().replace(b'<title type="html">Order 5 &amp;amp;', b"<title>Order 5 &amp;amp;")
    assert read_quickly(content, WHERE, NOW) is None


@pytest.mark.parametrize("content", [ordinary_rss(), ordinary_atom()])
@pytest.mark.parametrize(
    "part",
    [b"summary|description", b"content|content:encoded", b"guid|id", b"pubDate|published", b"updated"],
)
@pytest.mark.parametrize("has", [True, False])
def test_quick_keeps_out_of_feeds_of_which_some_entries_have_a_part_and_some_not(
    content: bytes, part: bytes, has: bool
) -> None:
    """Of an entry in the middle the content was lost, and with it the entry edited as it moved down."""
    entries = re.split(b"(?=<item>|<entry>)", content)
    for number, entry in enumerate(entries):
        if (number == 7) is not has:
            entries[number] = re.sub(b"<(" + part + b")[ >].*?</(" + part + b")>", b"", entry, flags=re.S)
    mixed = b"".join(entries).replace(b"</title>", b"</title>" + b" " * 1000)  # as long as before
    exact = read_strict(mixed, WHERE, NOW)
    assert (read_quickly(mixed, WHERE, NOW) or exact) == exact


def test_quick_takes_no_medium_for_the_article() -> None:
    """Of an entry in the middle the link led to its recording."""
    plain = ordinary_atom().replace(b' rel="alternate" type="text/html"', b"")
    medium = b'<link rel="enclosure" href="https://news.example/7.mp3"/><link href="https://news.example/7"'
    content = plain.replace(b'<link href="https://news.example/7"', medium)
    assert read_quickly(plain, WHERE, NOW) is not None
    assert read_quickly(content, WHERE, NOW) is None


AGREED = {
    "rss": rss_item(
        "<title>A &amp; B</title><link>https://n.example/1</link><guid isPermaLink='false'>g</guid>"
        "<pubDate>Thu, 01 Jan 2004 19:48:21 EST</pubDate><description>&lt;p&gt;S&lt;/p&gt;</description>"
        "<content:encoded>&lt;p&gt;C&lt;/p&gt;</content:encoded><author>jo@news.com (Jo)</author>"
    ),
    "guid": rss_item("<guid>https://n.example/g</guid><title>A</title><title>B</title>"),
    "links": rss_item("<link>https://n.example/1</link><atom:link href='https://n.example/2'/>"),
    "atom": atom_entry(
        "<title type='html'>A &lt;b&gt;x&lt;/b&gt;</title><id>urn:x</id><link href='https://n.example/1'/>"
        "<published>2003-12-31T10:14:55+01:00</published><updated>2004-01-01T10:14:55Z</updated>"
        "<summary>S</summary><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>C</p></div></content>"
        "<author><name>Jo</name></author><author><name>Al</name></author>"
    ),
    "base": atom_entry(
        "<link xml:base='https://b.example/' href='x'/><id>urn:y</id>", attributes="xml:base='sub/'"
    ),
    "atom03": atom03_entry(
        "<title type='text/html' mode='base64'>QSA8Yj54PC9iPg==</title><issued>2003-12-31</issued>"
        "<modified>2004-01-01</modified><link rel='alternate' type='text/html' href='https://n.example/1'/>"
    ),
    "rdf": rdf(
        "<item rdf:about='a'><title>A</title><link>https://n.example/1</link><description>D</description></item>"
    ),
}


@pytest.mark.parametrize("name", AGREED)
def test_exact_agrees_with_feedparser(name: str) -> None:
    feed = read_strict(AGREED[name], WHERE, NOW)
    reference = feedparser.parse(
        io.BytesIO(AGREED[name]),
        response_headers={"content-type": "application/xml", "content-location": WHERE},
    )
    assert feed is not None
    ours, theirs = feed.entries[0], reference.entries[0]

    def moment(field: str) -> datetime | None:
        parsed = dict.get(theirs, field)
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None

    assert ours.id == theirs.get("id", "")
    assert ours.url == theirs.get("link", "")
    assert ours.published == moment("published_parsed")
    assert ours.updated == moment("updated_parsed")
    assert ours.summary == theirs.get("summary", "")
    assert ours.content == (theirs.get("content") or [{}])[0].get("value", "")
    assert list(ours.authors) == [author.get("name", "") for author in theirs.get("authors", [])]
    assert feed.title == reference.feed.get("title", "")
