"""What is fuzzed: for each target, a strategy that makes inputs and a check of what must hold of all.

An input is bytes or text, so that one that was found to be trouble can be kept in `seeds/TARGET/`; all kept
seeds are checked in every test run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bot.feeds.decode import codings
from bot.feeds.discover import find_feeds, find_hub
from bot.feeds.errors import ParseError
from bot.feeds.fetch import Response
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import Guard
from bot.feeds.identity import canonical_url, entry_key, url_key
from bot.feeds.limits import FeedLimits
from bot.feeds.model import Entry, Feed
from bot.feeds.parse import parse_feed
from bot.feeds.reading.charset import http_charset
from bot.feeds.reading.clean import web_address
from bot.feeds.reading.dates import parse_date
from bot.feeds.reading.limits import MAX_ENTRIES, MAX_TEXT, MAX_TITLE
from bot.feeds.rhythm import Answer, History, next_look, read_freshness, read_retry_after
from tests.feeds.documents import ordinary_atom, ordinary_rss

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True)
class Target:
    """A strategy of inputs (bytes or text), and the check that each must pass."""

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    is_text: bool

    def read(self, path: Path) -> Any:
        """Give a seed that was kept."""
        content = path.read_bytes()
        return content.decode("utf-8", "surrogatepass") if self.is_text else content

    def written(self, value: Any) -> bytes:
        """Give a seed as it is kept."""
        return bytes(value.encode("utf-8", "surrogatepass")) if self.is_text else bytes(value)


# ------------------------------------------------------------------------ parse

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
_documents = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=60).map(b"".join)
_CONTENT_TYPES = [None, "text/xml", "text/html; charset=utf-16", "x; charset=cp037"]


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """Give an ordinary feed with some bytes changed, doubled or gone."""
    content = bytearray(
        draw(st.sampled_from([ordinary_rss(6, 40), ordinary_atom(6, 40), ordinary_rss(), ordinary_atom()]))
    )
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        gone = draw(st.integers(0, 40))
        content[at : at + gone] = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)))
    return bytes(content)


def check_parse(content: bytes) -> None:
    """A `Feed` that keeps its promises, or a `ParseError` in one sentence; whatever HTTP says of it."""
    content_type = _CONTENT_TYPES[len(content) % len(_CONTENT_TYPES)]
    try:
        feed = parse_feed(content, url="https://n.example/feed", content_type=content_type, now=NOW)
    except ParseError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 300
    else:
        _holds(feed)


def _holds(feed: Feed) -> None:
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


# ------------------------------------------------------------------------ dates


def check_dates(text: str) -> None:
    """A date is in UTC, or there is none."""
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() == timedelta()


# --------------------------------------------------------------------- identity


def check_identity(text: str) -> None:
    """An address has one canonical form; another title alone makes no other entry."""
    address = web_address(text, "https://n.example/")
    assert address == "" or address.lower().startswith(("http://", "https://"))
    canonical = canonical_url(address)
    assert canonical_url(canonical) == canonical
    assert url_key(address) == url_key(canonical) or not address
    for entry in (Entry(text, "", "T"), Entry("", address, "T"), Entry("", "", text)):
        assert len(entry_key(entry)) == 32
    if text.strip():
        assert entry_key(Entry(text, address, "one")) == entry_key(Entry(text, address, "two"))


# ---------------------------------------------------------------------- headers

_NAMES = [
    "ETag", "Last-Modified", "Cache-Control", "Expires", "Age", "Date", "Retry-After", "Link", "Location",
    "Content-Type", "Content-Encoding", "X",
]  # fmt: skip
_VALUES = [
    "max-age=", "no-cache", "s-maxage", ",", ";", "=", '"', "W/", "0", "-1", "3600", "9" * 30, " ", "\t",
    "Wed, 25 Nov 2026 10:00:00 GMT", "Thu, 01 Jan 1970", "+9999", "<http://h.example/>", "; rel=", "hub",
    "self", "alternate", "application/rss+xml", "charset=", "utf-8", "utf-7", "gzip", "br", "//[", "http://",
    "\u00e9", "\ud800", "²",
]  # fmt: skip
_value = st.one_of(
    st.lists(st.sampled_from(_VALUES), max_size=8).map("".join),
    st.text(st.characters(codec=None), max_size=60),
)
_headers = st.lists(st.tuples(st.sampled_from(_NAMES), _value), max_size=6).map(
    lambda pairs: "\n".join(f"{name}: {value}" for name, value in pairs)
)


def check_headers(text: str) -> None:
    """Whatever a server says: times within bounds, validators that can be sent back, links that are web."""
    pairs = [(line.partition(": ")[0] or "X", line.partition(": ")[2]) for line in text.splitlines()]
    headers = CIMultiDictProxy(CIMultiDict(pairs))
    fresh, wait = read_freshness(headers, NOW), read_retry_after(headers, NOW)
    assert fresh is None or fresh > 0
    assert wait is None or wait > 0
    limits = FeedLimits()
    for answer in (
        Answer("ok", 200, fresh),
        Answer("status", 503, None, wait),
        Answer("status", 429, fresh, wait),
    ):
        when, reason = next_look(History(limits, "1", failures=1, failing_since=NOW), answer, NOW)
        assert when is not None
        assert NOW + timedelta(seconds=limits.interval_min) <= when <= NOW + timedelta(days=8)
        assert reason
        assert len(reason) < 200
    response = Response("https://n.example/", "https://n.example/", 200, headers)
    for validator in (response.etag, response.last_modified):
        assert validator is None or validator.encode() is not None
    links = headers.getall("Link", [])
    assert all(a is None or a.startswith(("http://", "https://")) for a in find_hub(links, response.url))
    assert all(link.url.startswith("http") for link in find_feeds(b"", response.url, links, None))
    http_charset(response.content_type)
    codings_of(headers)
    if (location := headers.get("Location")) is not None:
        try:
            assert Guard(()).check_url(location).scheme in ("http", "https")
        except FetchError as error:
            assert "\n" not in str(error)


def codings_of(headers: CIMultiDictProxy[str]) -> None:
    """Name the codings, or refuse them in one sentence."""
    try:
        codings(",".join(headers.getall("Content-Encoding", ())))
    except FetchError as error:
        assert "\n" not in str(error)


TARGETS = {
    "parse": Target(st.one_of(_documents, _damaged(), st.binary(max_size=300)), check_parse, is_text=False),
    "dates": Target(
        st.one_of(st.text(max_size=100), st.text("0123456789 -:/+TZ.,WJanFebαβ오후年月日", max_size=40)),
        check_dates,
        is_text=True,
    ),
    "identity": Target(
        st.one_of(
            st.text(st.characters(codec=None), max_size=100),
            st.text("https:/w.?#&=%[]@utm_amp", max_size=60).map("http://n.example/".__add__),
        ),
        check_identity,
        is_text=True,
    ),
    "headers": Target(_headers, check_headers, is_text=True),
}
