"""Writes the sample feeds: RSS 2.0, Atom 1.0, JSON Feed 1.1 and RSS 1.0 (RDF)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

from bot.sandbox.web.articles import Outlet, SampleArticle


@dataclass(frozen=True, slots=True)
class Item:
    """An article with its address and its time."""

    article: SampleArticle
    url: str
    published: datetime


CONTENT_TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "rdf": "application/rdf+xml",
}


def write(outlet: Outlet, home: str, items: Sequence[Item]) -> bytes:
    """Give an outlet's feed in its dialect, newest first."""
    newest = sorted(items, key=lambda i: i.published, reverse=True)
    return _WRITERS[outlet.dialect](outlet, home, newest).encode()


def _html(article: SampleArticle) -> str:
    return "".join(f"<p>{escape(p, quote=False)}</p>" for p in article.paragraphs)


def _rss(outlet: Outlet, home: str, items: Sequence[Item]) -> str:
    entries = "".join(
        f"<item><title>{escape(i.article.title)}</title><link>{escape(i.url)}</link>"
        f'<guid isPermaLink="true">{escape(i.url)}</guid>'
        f"<pubDate>{format_datetime(i.published)}</pubDate>"
        f"<description>{escape(_html(i.article) if outlet.full else i.article.teaser)}</description></item>\n"
        for i in items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(outlet.title)}</title><link>{escape(home)}</link>"
        f"<description>News from {escape(outlet.title)}</description><language>en</language>\n"
        f"{entries}</channel></rss>\n"
    )


def _atom(outlet: Outlet, home: str, items: Sequence[Item]) -> str:
    def body(article: SampleArticle) -> str:
        if outlet.full:
            return f'<content type="html">{escape(_html(article))}</content>'
        return f'<summary type="text">{escape(article.teaser)}</summary>'

    entries = "".join(
        f"<entry><id>{escape(i.url)}</id><title>{escape(i.article.title)}</title>"
        f'<link rel="alternate" href="{escape(i.url)}"/>'
        f"<published>{i.published.isoformat()}</published><updated>{i.published.isoformat()}</updated>"
        f"<author><name>{escape(i.article.author or outlet.title)}</name></author>{body(i.article)}</entry>\n"
        for i in items
    )
    updated = items[0].published.isoformat() if items else "2026-01-01T00:00:00+00:00"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f'<id>{escape(home)}</id><title>{escape(outlet.title)}</title><link href="{escape(home)}"/>'
        f"<updated>{updated}</updated>\n{entries}</feed>\n"
    )


def _json(outlet: Outlet, home: str, items: Sequence[Item]) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": outlet.title,
            "home_page_url": home,
            "language": "en",
            "items": [
                {
                    "id": i.url,
                    "url": i.url,
                    "title": i.article.title,
                    "summary": i.article.teaser,
                    "content_html": _html(i.article),
                    "date_published": i.published.isoformat(),
                }
                for i in items
            ],
        },
        indent=1,
    )


def _rdf(outlet: Outlet, home: str, items: Sequence[Item]) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{escape(i.url)}"/>' for i in items)
    entries = "".join(
        f'<item rdf:about="{escape(i.url)}"><title>{escape(i.article.title)}</title>'
        f"<link>{escape(i.url)}</link><description>{escape(i.article.teaser)}</description>"
        f"<dc:date>{i.published.isoformat()}</dc:date></item>\n"
        for i in items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<channel rdf:about="{escape(home)}"><title>{escape(outlet.title)}</title>'
        f"<link>{escape(home)}</link><description>News from {escape(outlet.title)}</description>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{entries}</rdf:RDF>\n"
    )


_WRITERS: dict[str, Callable[[Outlet, str, Sequence[Item]], str]] = {
    "rss": _rss,
    "atom": _atom,
    "json": _json,
    "rdf": _rdf,
}
