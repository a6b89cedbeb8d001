"""Documents for the parser's tests, put together from the formats' specifications."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.feeds.model import Entry, Feed
from bot.feeds.parse import parse_feed

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WHERE = "https://news.example/feeds/all.xml"

_NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
)


def rss(channel: str, *, version: str = "2.0") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="{version}" {_NAMESPACES}>'
        f"<channel>{channel}</channel></rss>"
    ).encode()


def rss_item(item: str) -> bytes:
    return rss(f"<title>Docket</title><link>https://news.example/</link><item>{item}</item>")


def atom(feed: str, *, attributes: str = "") -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{feed}</feed>'.encode()


def atom_entry(entry: str, *, attributes: str = "") -> bytes:
    return atom(f"<title>Docket</title><entry>{entry}</entry>", attributes=attributes)


def atom03_entry(entry: str) -> bytes:
    return (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Docket</title>'
        f"<entry>{entry}</entry></feed>"
    ).encode()


def rdf(rest: str) -> bytes:
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        f"{_NAMESPACES}>"
        '<channel rdf:about="https://news.example/"><title>Docket</title><link>https://news.example/</link>'
        '<image rdf:resource="https://news.example/logo.png"/></channel>'
        '<image rdf:about="https://news.example/logo.png"><title>Logo</title>'
        f"<link>https://logo.example/</link></image>{rest}</rdf:RDF>"
    ).encode()


def parsed(content: bytes, content_type: str | None = None, url: str = WHERE) -> Feed:
    return parse_feed(content, url=url, content_type=content_type, now=NOW)


def only(content: bytes, content_type: str | None = None, url: str = WHERE) -> Entry:
    feed = parsed(content, content_type, url)
    assert len(feed.entries) == 1
    return feed.entries[0]


def ordinary_rss(entries: int = 20, body: int = 1500) -> bytes:
    """Give a feed as a common blog program writes it."""
    words = "The court asked the agency for its reasons. "
    items = "".join(
        f"<item>\n<title>Order no. {number} &#8217; in part</title>\n"
        f"<link>https://news.example/{number}/?utm_source=rss</link>\n"
        f"<comments>https://news.example/{number}/#comments</comments>\n"
        f"<dc:creator><![CDATA[Jo Writer]]></dc:creator>\n"
        f"<pubDate>Tue, {1 + number % 24:02d} Nov 2026 10:{number % 60:02d}:00 +0000</pubDate>\n"
        f"<category><![CDATA[Courts]]></category>\n"
        f'<guid isPermaLink="false">https://news.example/?p={number}</guid>\n'
        f"<description><![CDATA[<p>Short {number} &#8230;</p>]]></description>\n"
        f"<content:encoded><![CDATA[<p>{number} “{words * (body // len(words))}” <b>x</b></p>]]>"
        "</content:encoded>\n"
        "</item>\n"
        for number in range(entries)
    )
    return rss(
        "<title>Docket</title><link>https://news.example/</link>"
        '<atom:link href="https://news.example/feed/" rel="self" type="application/rss+xml"/>' + items
    )


def ordinary_atom(entries: int = 20, body: int = 1500) -> bytes:
    """Give a feed as a common site generator writes it."""
    words = "The court asked the agency for its reasons. "
    return atom(
        '<title type="html">Docket</title><link href="https://news.example/" rel="alternate"/>'
        + "".join(
            f'<entry><title type="html">Order {number} &amp;amp; costs</title>'
            f'<link href="https://news.example/{number}" rel="alternate" type="text/html"/>'
            f"<published>2026-11-{1 + number % 24:02d}T10:00:00+01:00</published>"
            f"<updated>2026-11-{1 + number % 24:02d}T11:00:00+01:00</updated>"
            f"<id>https://news.example/{number}</id><author><name>Jo Writer</name></author>"
            f'<content type="html">&lt;p&gt;{number} “{words * (body // len(words))}”&lt;/p&gt;</content>'
            f'<summary type="html">Short {number}</summary></entry>'
            for number in range(entries)
        )
    )
