"""What the formats say, one case each: RSS 0.9x to 2.0, RDF, Atom 0.3 and RFC 4287, JSON Feed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.model import Rhythm
from bot.feeds.sight import sight
from tests.feeds.documents import atom, atom03_entry, atom_entry, only, parsed, rdf, rss, rss_item


def when(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_whole_rss_feed() -> None:
    feed = parsed(
        rss(
            "<title>Docket</title><link>https://news.example/</link><language>en-gb</language>"
            '<atom:link rel="self" href="https://news.example/feed"/>'
            '<atom:link rel="hub" href="https://hub.example/"/>'
            "<image><title>Logo</title><link>https://logo.example/</link></image>"
            "<item><title>First</title><link>https://news.example/1</link><guid>https://news.example/1</guid>"
            "<pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate><author>jo@news.example (Jo Writer)</author>"
            "<description>Short</description><content:encoded>&lt;p&gt;Long&lt;/p&gt;</content:encoded></item>"
            "<item><title>Second</title></item>"
        )
    )
    assert (feed.title, feed.link, feed.dialect) == ("Docket", "https://news.example/", "rss 2.0")
    assert (feed.language, feed.hub, feed.self_url) == (
        "en-gb",
        "https://hub.example/",
        "https://news.example/feed",
    )
    first, second = feed.entries
    assert first.id == first.url == "https://news.example/1"
    assert first.published == when(2026, 11, 24, 10)
    assert first.updated is None or first.updated == first.published
    assert (first.summary, first.content) == ("Short", "<p>Long</p>")
    assert first.authors == ("Jo Writer",)
    assert (second.title, second.id, second.url, second.published) == ("Second", "", "", None)


@pytest.mark.parametrize(
    ("item", "identity", "url"),
    [
        ("<guid>https://n.example/g</guid>", "https://n.example/g", "https://n.example/g"),
        ('<guid isPermaLink="false">https://n.example/g</guid>', "https://n.example/g", ""),
        ('<guid isPermaLink="false">x1</guid><link>https://n.example/l</link>', "x1", "https://n.example/l"),
        ("<guid>https://n.example/g</guid><link>https://n.example/l</link>", "https://n.example/g", "https://n.example/l"),
        ("<guid>/g</guid>", "/g", "https://news.example/g"),
        ("<link>\n  /1  \n</link>", "", "https://news.example/1"),
        ("<link><![CDATA[https://n.example/?a=1&b=2]]></link>", "", "https://n.example/?a=1&b=2"),
        ("<link>https://n.example/?a=1&amp;amp;b=2</link>", "", "https://n.example/?a=1&b=2"),
        ('<atom:link rel="self" href="https://n.example/s"/><link>https://n.example/1</link>', "", "https://n.example/1"),
        ('<atom:link href="https://n.example/a"/>', "", "https://n.example/a"),
        ('<link>https://n.example/1</link><media:content url="https://m.example/"/>', "", "https://n.example/1"),
        ("<link>javascript:alert(1)</link>", "", ""),
        ("<link>ftp://n.example/1</link>", "", ""),
        ("<link>data:text/html,x</link>", "", ""),
        ("<link>http:///nohost</link>", "", ""),
    ],
)  # fmt: skip
def test_ids_and_links_of_rss(item: str, identity: str, url: str) -> None:
    entry = only(rss_item(item))
    assert (entry.id, entry.url) == (identity, url)


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("<title>A &amp; B &lt;b&gt;bold&lt;/b&gt;</title>", "A & B bold"),
        ("<title><![CDATA[A <i>x</i> &amp; y]]></title>", "A x & y"),
        ("<title>1 &lt; 2</title>", "1 < 2"),
        ("<title>Rows of List&lt;T&gt;</title>", "Rows of List<T>"),
        ("<title>AT&amp;amp;T</title>", "AT&T"),
        ("<title>It&amp;#8217;s</title>", "It’s"),
        ("<title>&amp;amp;lt;b&amp;amp;gt;</title>", "&lt;b&gt;"),
        ("<title>A <b>b</b> c</title>", "A b c"),
        ("<title>One</title><title>Two</title>", "One"),
        ("<media:title>Picture</media:title><title>One</title>", "One"),
        ("<media:title>Picture</media:title>", "Picture"),
        ("<dc:title>One</dc:title>", "One"),
        ("<image><title>Logo</title></image><title>One</title>", "One"),
        ('<source url="https://s.example/">Other</source><title>One</title>', "One"),
        ("<title>\n  One\n\t two </title>", "One two"),
        ("<title>a<!-- no -->b</title>", "ab"),
        ("<title>a&lt;br/&gt;b</title>", "a b"),
        ("<title>&lt;script&gt;alert(1)&lt;/script&gt;Real</title>", "Real"),
        ("<title>cafÃ©</title>", "café"),
        ("<title>It&#146;s</title>", "It’s"),
        ("<TITLE>Shouted</TITLE>", "Shouted"),
    ],
)  # fmt: skip
def test_titles_of_rss(item: str, title: str) -> None:
    assert only(rss_item(item)).title == title


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<title>A &amp; B</title>", "A & B"),
        ("<title>A &lt;b&gt;</title>", "A <b>"),
        ('<title type="text">AT&amp;amp;T</title>', "AT&amp;T"),
        ('<title type="html">A &lt;b&gt;x&lt;/b&gt; &amp;amp; B</title>', "A x & B"),
        (
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>x</b> &lt; B</div></title>',
            "A x < B",
        ),
        ("<title type='html'><![CDATA[<b>x</b>]]></title>", "x"),
        ("<source><title>Other</title></source><title>One</title>", "One"),
    ],
)
def test_titles_of_atom_are_what_their_type_says(written: str, title: str) -> None:
    assert only(atom_entry(written)).title == title


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('<title type="text/html" mode="escaped">A &lt;b&gt;x&lt;/b&gt;</title>', "A x"),
        ('<title type="text/html" mode="base64">QSA8Yj54PC9iPg==</title>', "A x"),
        (
            '<title type="application/xhtml+xml" mode="xml">'
            '<p xmlns="http://www.w3.org/1999/xhtml">A x</p></title>',
            "A x",
        ),
    ],
)
def test_titles_of_atom_03(written: str, title: str) -> None:
    assert only(atom03_entry(written)).title == title


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("safe\u202egpj.exe", "safegpj.exe"),
        ("pay\u200bpal\u2060", "paypal"),
        ("a\u0007b", "ab"),
        ("flag \U000e0041\U000e0042 end", "flag end"),
        ("\U0001f468\u200d\U0001f4bb at work", "\U0001f468\u200d\U0001f4bb at work"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", "ab"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ufeffmark", "mark"),
        ("line\u2028two", "line two"),
    ],
)
def test_titles_hold_nothing_unseen(title: str, clean: str) -> None:
    document = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": title}]}
    assert only(json.dumps(document).encode()).title == clean


def test_a_title_is_bounded() -> None:
    title = only(rss_item(f"<title>{'word ' * 2000}</title>")).title
    assert len(title) <= 1000
    assert title.endswith("…")


@pytest.mark.parametrize(
    ("item", "summary", "content"),
    [
        ("<description>&lt;p&gt;Hi&lt;/p&gt;</description>", "<p>Hi</p>", ""),
        ("<description><p>Hi <b>b</b></p></description>", "<p>Hi <b>b</b></p>", ""),
        ("<content:encoded>&lt;p&gt;F&lt;/p&gt;</content:encoded>", "<p>F</p>", "<p>F</p>"),
        (
            "<content:encoded>&lt;p&gt;F&lt;/p&gt;</content:encoded><description>S</description>",
            "S",
            "<p>F</p>",
        ),
        ("<description>A</description><description>B</description>", "A", "B"),
        ("<description>S</description><content:encoded>S</content:encoded>", "S", "S"),
        ("<media:group><media:description>M</media:description></media:group>", "M", ""),
        ("<description>S</description><media:description>M</media:description>", "S", ""),
        ('<body xmlns="http://www.w3.org/1999/xhtml"><p>Hi</p></body>', "<p>Hi</p>", "<p>Hi</p>"),
    ],
)
def test_texts_of_rss(item: str, summary: str, content: str) -> None:
    entry = only(rss_item(item))
    assert (entry.summary, entry.content) == (summary, content)


def test_one_text_is_not_stored_twice() -> None:
    for item in (
        "<content:encoded>C</content:encoded>",
        "<description>C</description><content:encoded>C</content:encoded>",
    ):
        entry = only(rss_item(item))
        assert (entry.summary, entry.content) == ("C", "C")
        assert (sight(entry).summary, sight(entry).content) == ("", "C")


@pytest.mark.parametrize(
    ("written", "base", "identity"),
    [
        ("<id>/e/1</id>", "https://b.example/d/", "https://b.example/e/1"),
        ("<id xml:base='https://c.example/'>e/1</id>", "https://b.example/d/", "https://c.example/e/1"),
        ("<id xml:base='sub/'>1</id>", "https://b.example/d/", "https://b.example/d/sub/1"),
        ("<id>/e/1</id>", "", "/e/1"),  # the feed's own address may change
        ("<id>/e/1</id>", "sub/", "/e/1"),
        ("<id>tag:b.example,2004:1</id>", "https://b.example/d/", "tag:b.example,2004:1"),
        ("<id>https://B.example/a b</id>", "https://b.example/d/", "https://B.example/a b"),
    ],
)
def test_an_id_is_resolved_against_the_documents_own_base_alone(
    written: str, base: str, identity: str
) -> None:
    assert only(atom_entry(written, attributes=f"xml:base='{base}'" if base else "")).id == identity
    guid = f"<guid isPermaLink='false' xml:base='{base or 'https://b.example/'}'>/e/1</guid>"
    assert only(rss_item(guid)).id == "/e/1"


def test_a_feeds_language_is_not_that_of_an_entry() -> None:
    entry = "<entry xml:lang='de'><id>urn:x</id><title>T</title></entry>"
    for attribute, language in (("", None), ("xml:lang='fr'", "fr")):
        feed = f"<feed xmlns='http://www.w3.org/2005/Atom' {attribute}><title>F</title>{entry}</feed>"
        assert parsed(feed.encode()).language == language


def test_when_an_entry_was_created_counts_where_nothing_better_is_known() -> None:
    created, modified = "<created>2003-12-31</created>", "<modified>2004-01-02</modified>"
    both = only(atom03_entry(created + modified))
    assert (both.published, both.updated) == (None, when(2004, 1, 2))
    assert only(atom03_entry(created)).published == when(2003, 12, 31)


@pytest.mark.parametrize(
    ("written", "content"),
    [
        ('<content type="html">&lt;p&gt;C&lt;/p&gt;</content>', "<p>C</p>"),
        (
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p class="x">A &amp; B</p><br/>'
            "</div></content>",
            '<p class="x">A &amp; B</p><br />',
        ),
        (
            '<content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>A</h:p></h:div>'
            "</content>",
            "<p>A</p>",
        ),
        (
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><div>A</div><div>B</div></div>'
            "</content>",
            "<div>A</div><div>B</div>",
        ),
        ('<content type="application/octet-stream">PGI+SGk8L2I+</content>', "<b>Hi</b>"),
        ('<content type="image/png">iVBORw0KGgo=</content>', ""),
        (
            '<content type="html" xml:base="https://c.example/d/">&lt;a href="x"&gt;y&lt;/a&gt;</content>',
            '<a href="https://c.example/d/x">y</a>',
        ),
    ],
)
def test_content_of_atom(written: str, content: str) -> None:
    assert only(atom_entry(written)).content == content


@pytest.mark.parametrize(
    ("written", "identity", "url"),
    [
        ('<id>urn:x</id><link href="https://n.example/1"/>', "urn:x", "https://n.example/1"),
        ('<link rel="self" href="https://n.example/s"/><id>tag:n.example:1</id>', "tag:n.example:1", ""),
        ('<link rel="alternate" type="application/pdf" href="https://n.example/p"/>', "", "https://n.example/p"),
        ('<link rel="related" href="/r"/><id>https://n.example/i</id>', "https://n.example/i", "https://n.example/i"),
        ('<link href="a/b"/>', "", "https://base.example/dir/a/b"),
        ('<link xml:base="sub/" href="x"/>', "", "https://base.example/dir/sub/x"),
        (
            '<link rel="http://www.iana.org/assignments/relation/alternate" href="https://n.example/1"/>',
            "",
            "https://n.example/1",
        ),
    ],
)  # fmt: skip
def test_ids_and_links_of_atom(written: str, identity: str, url: str) -> None:
    entry = only(atom_entry(written, attributes='xml:base="https://base.example/dir/"'))
    assert (entry.id, entry.url) == (identity, url)


def test_dates_of_atom_and_their_relatives() -> None:
    entry = only(
        atom_entry("<published>2026-11-24T10:00:00+01:00</published><updated>2026-11-24T10:30:00Z</updated>")
    )
    assert (entry.published, entry.updated) == (when(2026, 11, 24, 9), when(2026, 11, 24, 10, 30))
    assert only(atom_entry("<updated>2026-11-24T10:30:00Z</updated>")).published is None
    old = only(atom03_entry("<issued>2003-12-31</issued><modified>2004-01-01</modified>"))
    assert (old.published, old.updated) == (when(2003, 12, 31), when(2004, 1, 1))
    assert only(atom03_entry("<created>2003-12-31</created>")).published == when(2003, 12, 31)
    dublin = only(rss_item("<dc:date>2026-11-24T10:00:00Z</dc:date>"))
    assert dublin.published == when(2026, 11, 24, 10)


@pytest.mark.parametrize(
    "date", ["1970-01-01T00:00:00Z", "1989-12-31T23:59:59Z", "2026-11-28T00:00:00Z", "2099-01-01"]
)
def test_absurd_dates_are_none(date: str) -> None:
    entry = only(atom_entry(f"<published>{date}</published><updated>{date}</updated>"))
    assert entry.published is None
    assert entry.updated is None


def test_a_date_of_tomorrow_is_taken() -> None:
    assert only(atom_entry("<published>2026-11-27T11:00:00Z</published>")).published == when(2026, 11, 27, 11)


@pytest.mark.parametrize(
    ("written", "authors"),
    [
        ("<author>jo@n.example</author>", ("jo",)),
        ("<author>Jo &lt;jo@n.example&gt;</author>", ("Jo",)),
        ("<dc:creator>Jo</dc:creator><dc:creator>Al</dc:creator>", ("Jo", "Al")),
        ("<dc:creator>Jo</dc:creator><itunes:author>Jo</itunes:author>", ("Jo",)),
        ("<dc:contributor>Jo</dc:contributor>", ()),
    ],
)
def test_authors_of_rss(written: str, authors: tuple[str, ...]) -> None:
    assert only(rss_item(written)).authors == authors


def test_authors_of_atom() -> None:
    entry = only(
        atom_entry(
            "<author><name>Jo</name><email>jo@n.example</email><uri>https://n.example/jo</uri></author>"
            "<author><name>Al</name></author><contributor><name>Cy</name></contributor>"
        )
    )
    assert entry.authors == ("Jo", "Al")


def test_rdf_with_items_outside_the_channel() -> None:
    feed = parsed(
        rdf(
            '<item rdf:about="https://news.example/1"><title>One</title><link>https://news.example/1</link>'
            "<description>D</description><dc:date>2026-11-24T10:00:00Z</dc:date></item>"
            '<item rdf:about="https://news.example/2"><title>Two</title></item>'
            '<textinput rdf:about="t"><title>Search</title><link>https://s.example/</link></textinput>'
        )
    )
    assert (feed.title, feed.link, feed.dialect) == ("Docket", "https://news.example/", "rdf")
    assert [entry.id for entry in feed.entries] == ["https://news.example/1", "https://news.example/2"]
    assert [entry.url for entry in feed.entries] == ["https://news.example/1", "https://news.example/2"]


def test_rss_091_with_its_dtd_and_html_names() -> None:
    feed = parsed(
        b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        b'"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
        b"<title>caf&eacute;</title><item><title>x &copy; y</title></item></channel></rss>"
    )
    assert (feed.title, feed.entries[0].title, feed.dialect) == ("café", "x © y", "rss 0.91")


def test_cdf() -> None:
    feed = parsed(
        b'<CHANNEL HREF="https://n.example/"><TITLE>Channel</TITLE><ITEM HREF="https://n.example/1" '
        b'LASTMOD="2002-03-01T10:00"><TITLE>One</TITLE><ABSTRACT>A</ABSTRACT></ITEM></CHANNEL>'
    )
    assert (feed.title, feed.link) == ("Channel", "https://n.example/")
    entry = feed.entries[0]
    assert (entry.title, entry.url, entry.updated, entry.summary) == (
        "One",
        "https://n.example/1",
        when(2002, 3, 1, 10),
        "A",
    )


@pytest.mark.parametrize(
    "document",
    [
        b'<r:rss xmlns:r="http://backend.userland.com/rss2" version="2.0"><r:channel><r:title>D</r:title>'
        b"<r:item><r:title>One</r:title><r:link>https://n.example/1</r:link></r:item></r:channel></r:rss>",
        b'<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>D</a:title><a:entry><a:title>One</a:title>'
        b'<a:link href="https://n.example/1"/></a:entry></a:feed>',
        b'<feed><title>D</title><entry><title>One</title><link href="https://n.example/1"/></entry></feed>',
        b"<feed xmlns='HTTP://www.w3.org/2005/ATOM'><title>D</title><entry><title>One</title>"
        b"<link href='https://n.example/1'/></entry></feed>",
        b"<rss version='0.92'><channel><title>D</title></channel><item><title>One</title>"
        b"<link>https://n.example/1</link></item></rss>",
    ],
)
def test_odd_prefixes_and_places(document: bytes) -> None:
    feed = parsed(document)
    assert feed.title == "D"
    assert [(entry.title, entry.url) for entry in feed.entries] == [("One", "https://n.example/1")]


def test_rhythm() -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in (0, 24, 5, 99))
    feed = parsed(
        rss(
            f"<title>D</title><ttl>90</ttl><skipHours>{hours}</skipHours><skipDays><day>Sunday</day><day>x</day>"
            "</skipDays><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
        )
    )
    assert feed.rhythm == Rhythm(21_600, frozenset((0, 5)), frozenset((6,)))
    assert parsed(rss("<title>D</title><ttl>-5</ttl><ttl>x</ttl>")).rhythm == Rhythm()


def test_json_feed() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Docket",
        "home_page_url": "https://news.example/",
        "feed_url": "https://news.example/feed.json",
        "language": "en",
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
        "authors": [{"name": "Everyone"}],
        "items": [
            {
                "id": 7,
                "url": "/1",
                "title": "A <b> & c",
                "summary": "S",
                "content_html": "<p>C</p>",
                "date_published": "2026-11-24T10:00:00+01:00",
                "authors": [{"name": "Jo"}, {"url": "x"}],
            },
            {"id": "https://news.example/2", "external_url": "https://other.example/", "content_text": "T"},
            "no item",
        ],
    }
    feed = parsed(json.dumps(document).encode(), "application/feed+json")
    assert (feed.title, feed.link, feed.dialect, feed.language) == (
        "Docket",
        "https://news.example/",
        "json 1.1",
        "en",
    )
    assert (feed.hub, feed.self_url) == ("https://hub.example/", "https://news.example/feed.json")
    first, second = feed.entries
    assert (first.id, first.url, first.title, first.authors) == (
        "7",
        "https://news.example/1",
        "A <b> & c",
        ("Jo",),
    )
    assert (first.summary, first.content, first.published) == ("S", "<p>C</p>", when(2026, 11, 24, 9))
    assert (second.url, second.content, second.authors) == ("https://other.example/", "T", ("Everyone",))


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><head><title>News</title></head><body>x</body></html>",
        b"\n<HTML lang=en><body><p>Forbidden</p></body></HTML>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head/><body/></html>',
    ],
)
def test_a_web_page_is_called_one(page: bytes) -> None:
    with pytest.raises(NotAFeedError, match="web page"):
        parsed(page)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \n\0\0", "empty"),
        (b"\x1f\x8b\x08\0rest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b'<opml version="2.0"><body/></opml>', "OPML"),
        (b"<urlset><url/></urlset>", "sitemap"),
        (b'{"error": "no"}', "JSON"),
        (b'{"items": [', "JSON"),
        (b"just words", "can be read"),
        (b"<note><to>you</to></note>", "not a feed"),
    ],
)
def test_what_is_no_feed_is_said_in_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said) as caught:
        parsed(content)
    assert "\n" not in str(caught.value)


def test_an_empty_feed_is_a_feed() -> None:
    assert parsed(rss("<title>Quiet</title>")).entries == ()
    assert parsed(atom("<title>Quiet</title>")).title == "Quiet"
