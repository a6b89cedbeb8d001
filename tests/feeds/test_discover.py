"""Feeds that a page names."""

from __future__ import annotations

import time

import pytest

from bot.feeds.discover import FeedLink, find_feeds, well_known

PAGE = "https://news.example/section/page.html"


def urls(html: str, *headers: str, content_type: str | None = None) -> list[str]:
    return [link.url for link in find_feeds(html.encode(), PAGE, headers, content_type)]


def test_links_of_the_head_in_order_comments_last() -> None:
    html = """<!doctype html><html><head>
      <link rel="alternate" type="application/rss+xml" title="Comments on this" href="/comments/feed/">
      <link rel="alternate" type="application/rss+xml" title="News &amp; more" href="/feed/">
      <LINK REL="Alternate" TYPE="application/atom+xml; charset=utf-8" HREF="atom.xml">
      <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
      <link rel="stylesheet" type="text/css" href="/x.css"></head><body></body></html>"""
    assert find_feeds(html.encode(), PAGE) == (
        FeedLink("https://news.example/feed/", "News & more", "RSS"),
        FeedLink("https://news.example/section/atom.xml", "", "Atom"),
        FeedLink("https://cdn.example/feed.json", "", "JSON Feed"),
        FeedLink("https://news.example/comments/feed/", "Comments on this", "RSS"),
    )


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" type="text/html" hreflang="de" href="/de/">',
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="alternate stylesheet" type="application/rss+xml" href="/x">',
        '<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">',
        '<link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">',
        '<link rel="alternate" type="application/rss+xml">',
        '<a href="/feed">RSS</a>',
    ],
)
def test_other_links_are_none(link: str) -> None:
    assert urls(f"<html><head>{link}</head></html>") == []


def test_base_and_doubles() -> None:
    html = (
        '<base href="https://other.example/dir/">'
        '<link rel="alternate" type="application/rss+xml" href="feed">'
        '<link rel="feed" href="https://other.example/dir/feed">'
    )
    assert urls(html) == ["https://other.example/dir/feed"]


def test_link_header() -> None:
    found = urls(
        "",
        '</feed.xml>; rel="alternate"; type="application/rss+xml"; title="All", '
        '<https://hub.example/>; rel="hub"',
        "<https://news.example/atom>;rel=alternate;type=application/atom+xml",
    )
    assert found == ["https://news.example/feed.xml", "https://news.example/atom"]


@pytest.mark.parametrize(
    "html", ["", "\0\0", "<" * 100_000, "<link " * 50_000, "<html>" + "<div>" * 100_000, "{}"]
)
def test_nonsense_names_none(html: str) -> None:
    assert urls(html) == []


def test_long_headers_are_no_trap() -> None:
    assert urls("", "<" + "a;" * 50_000, '<x>; rel="' + "\\" * 50_000) == []


def test_the_charset_of_the_page() -> None:
    html = '<link rel="alternate" type="application/rss+xml" title="Café" href="/f">'
    (link,) = find_feeds(html.encode("latin-1"), PAGE, (), "text/html; charset=iso-8859-1")
    assert link.title == "Café"


def test_well_known_paths() -> None:
    paths = well_known("https://news.example/blog?x=1")
    assert paths[0] == "https://news.example/blog/feed/"
    assert "https://news.example/rss.xml" in paths
    assert len(paths) == len(set(paths))


def test_a_tag_of_very_many_attributes_costs_no_time() -> None:
    link = b"<link rel=alternate type=application/rss+xml href=/feed>"
    for crowd in (b"a%d=b ", b"a%d ", b"a%d/", b"a%d\n"):
        page = b"<html><head>" + link + b"<meta " + b"".join(crowd % n for n in range(100_000)) + b">"
        began = time.process_time()
        assert [found.url for found in find_feeds(page, "https://paper.example/")] == [
            "https://paper.example/feed"
        ]
        assert time.process_time() - began < 2
    picture = b"<html><body><img src='data:image/png;base64," + b"A" * 100_000 + b"'>" + link
    assert len(find_feeds(picture, "https://paper.example/")) == 1
