"""Whatever the bytes: a `Feed` that keeps its promises, or a `ParseError` in one sentence."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.feeds.discover import find_feeds
from bot.feeds.errors import ParseError
from bot.feeds.identity import canonical_url, entry_key, url_key
from bot.feeds.model import Feed
from bot.feeds.opml import OpmlError, read_list
from bot.feeds.parse import parse_feed
from bot.feeds.reading.clean import one_line, plain_text, title_text, web_address
from bot.feeds.reading.dates import parse_date
from bot.feeds.reading.limits import MAX_ENTRIES, MAX_TEXT, MAX_TITLE
from tests.feeds.documents import ordinary_atom, ordinary_rss

NOW = datetime(2026, 11, 25, tzinfo=UTC)
fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

# Pieces that make most of a feed, so that chance finds its way inside.
PIECES = [
    b"<rss version='2.0'>", b"</rss>", b"<channel>", b"</channel>", b"<item>", b"</item>", b"<title>",
    b"</title>", b"<link>", b"</link>", b"<link href='x'/>", b"<guid isPermaLink='false'>", b"</guid>",
    b"<pubDate>", b"</pubDate>", b"<description>", b"</description>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"</feed>", b"<entry>", b"</entry>",
    b"<content type='xhtml'>", b"</content>", b"<div>", b"</div>", b"<author><name>",
    b"</name></author>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0' encoding='",
    b"utf-16", b"'?>", b"<!DOCTYPE x [", b"]>", b"<!ENTITY a 'b'>", b"&a;", b"&amp;", b"&", b"&#0;",
    b"&#x110000;", b"<", b">", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"xml:base='",
    b"type='html' mode='base64'", b"xmlns:a='b'", b"<a:b>", b'{"items": [', b'{"id": 1}', b"]}",
    b"Tue, 24 Nov 2026 10:00:00 GMT", b"2026-11-24T10:00:00Z", b"\xe2\x80\xae\xc3\xa9\xf0\x9f\x98\x80",
    b"https://n.example/",
]  # fmt: skip
documents = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=60).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Give an ordinary feed with some bytes changed, doubled or gone."""
    content = bytearray(
        draw(st.sampled_from([ordinary_rss(6, 40), ordinary_atom(6, 40), ordinary_rss(), ordinary_atom()]))
    )
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        gone = draw(st.integers(0, 40))
        content[at : at + gone] = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)))
    return bytes(content)


def holds(feed: Feed) -> None:
    assert len(feed.entries) <= MAX_ENTRIES
    assert feed.link == "" or feed.link.startswith(("http://", "https://"))
    for entry in feed.entries:
        assert entry.url == "" or entry.url.startswith(("http://", "https://"))
        assert len(entry.title) <= MAX_TITLE
        assert not any(
            ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0x202A <= ord(char) <= 0x202E
            for char in entry.title
        )
        for text in (entry.id, entry.summary, entry.content):
            assert len(text) <= MAX_TEXT
            assert "\0" not in text
            text.encode("utf-8")  # no lone surrogates: a database refuses them
        for moment in (entry.published, entry.updated):
            if moment is not None:
                assert moment.utcoffset() == timedelta()
                assert datetime(1990, 1, 1, tzinfo=UTC) <= moment <= NOW + timedelta(days=2)
        assert len(entry_key(entry)) == 32


@fuzzed
@given(
    st.one_of(documents, damaged(), st.binary(max_size=300)),
    st.sampled_from([None, "text/xml", "text/html; charset=utf-16", "x; charset=cp037"]),
)
@example(b"<rss><channel><item><link>http://[</link></item></channel></rss>", None)
@example(b"<rss><channel><item><title>&#xD800;</title></item></channel></rss>", None)
@example(b'{"items": [{"id": "\\ud800", "title": "\\ud800", "content_html": "\\ud800\\u0000"}]}', None)
@example(b"<feed><entry><content type='x/y'>====</content></entry></feed>", None)
@example(b"<feed xml:base='http://[::1'><entry><link href='//'/></entry></feed>", None)
@example(b"<rss><item rdf:about='a'><item></item></rss>", None)
def test_parse(content: bytes, content_type: str | None) -> None:
    try:
        feed = parse_feed(content, url="https://n.example/feed", content_type=content_type, now=NOW)
    except ParseError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 300
    else:
        holds(feed)


@fuzzed
@given(st.one_of(st.text(max_size=100), st.text("0123456789 -:/+TZ.,WJanFebαβ오후年月日", max_size=40)))
@example("²/1/1")
@example("2026-11-24T10:00:00+24:00")
@example("9999-12-31T23:59:59-15:59")
@example("0001-01-01T00:00:00+15:00")
@example("1:1:1.5.5 Jan 1 1")
def test_dates(text: str) -> None:
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() == timedelta()


@fuzzed
@given(
    st.one_of(
        st.text(max_size=100),
        st.text("https:/w.?#&=%[]@utm_amp", max_size=60).map("http://n.example/".__add__),
    )
)
@example("http://www.")
@example("https://www.google.com/amp/s/")
@example("http://n.example/%")
def test_addresses(text: str) -> None:
    address = web_address(text, "https://n.example/")
    assert address == "" or address.startswith(("http://", "https://", "HTTP", "Http", "hTTP"))
    canonical = canonical_url(address)
    assert canonical_url(canonical) == canonical
    assert url_key(address) == url_key(canonical) or not address


@fuzzed
@given(st.text(st.characters(codec=None), max_size=200))
@example("<!--" + "<" * 50)
@example("\u200d" * 20)
def test_texts(text: str) -> None:
    for markup in (True, False, None):
        title = title_text(text, markup)
        assert title == one_line(title)
        assert "\n" not in title
        assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in title)
    plain_text(text)


@fuzzed
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    b"<opml>",
                    b"<body>",
                    b"<outline ",
                    b"xmlUrl='http://n.example/' ",
                    b">",
                    b"/>",
                    b"</outline>",
                    b"</body></opml>",
                    b"&",
                    b"<!DOCTYPE x [",
                    b"]>",
                ]
            ),
            max_size=30,
        ).map(b"".join),
    )
)
def test_lists(content: bytes) -> None:
    try:
        found = read_list(content)
    except OpmlError as error:
        assert "\n" not in str(error)
    else:
        assert all(feed.url.startswith(("http://", "https://")) for feed in found.feeds)


@fuzzed
@given(st.binary(max_size=300), st.lists(st.text('<>;,="\\ relatrnive/x', max_size=60), max_size=3))
def test_discovery(html: bytes, headers: list[str]) -> None:
    assert all(link.url.startswith("http") for link in find_feeds(html, "https://n.example/", headers, None))
