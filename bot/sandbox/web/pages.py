"""Writes the sample pages, as untidy as the web is: menus, consent bars, advertisements, related articles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bot.sandbox.web.articles import Outlet
from bot.sandbox.web.feeds import Item

_AD = (
    '<div class="ad-slot"><span>Advertisement - Article continues below</span>'
    '<a href="/buy">Kettles that whistle. Half price until Sunday!</a></div>'
)
_CONSENT = (
    '<div id="consent" class="cookie-banner"><p>We and our 843 partners use cookies to make this page '
    "better. By going on you agree to our cookie notice.</p>"
    "<button>Accept all</button><button>Settings</button></div>"
)
_SHARE = (
    '<ul class="share"><li><a href="#">Share on Facebook</a></li><li><a href="#">Tweet this</a></li>'
    '<li><a href="#">Email</a></li><li><a href="#">Print</a></li></ul>'
)
_LETTER = (
    '<form class="newsletter"><h4>Sign up for our morning newsletter</h4><p>The news with your coffee. '
    'Unsubscribe at any time.</p><input name="email"><button>Subscribe</button></form>'
)
_COMMENTS = (
    '<section id="comments"><h3>Leave a Reply</h3><p>Your email address will not be published. '
    "Required fields are marked *</p><textarea></textarea></section>"
)


def home(outlet: Outlet, feed: str, items: Sequence[Item]) -> str:
    """Give an outlet's front page; it names its feed."""
    links = "".join(f'<li><a href="{escape(i.url)}">{escape(i.article.title)}</a></li>' for i in items)
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(outlet.title)}</title>"
        f'<link rel="alternate" type="application/rss+xml" title="{escape(outlet.title)}" '
        f'href="{escape(feed)}">'
        f"</head><body><h1>{escape(outlet.title)}</h1><ul>{links}</ul></body></html>"
    )


def article(outlet: Outlet, item: Item, others: Sequence[Item]) -> str:
    """Give an article's page, with all that stands around it."""
    related = "".join(
        f'<li><a href="{escape(o.url)}"><img alt="" src="/teaser.jpg">{escape(o.article.title)}</a>'
        f"<p>{escape(o.article.teaser[:70])}…</p></li>"
        for o in others
        if o.url != item.url
    )
    text = [f"<p>{escape(p, quote=False)}</p>" for p in item.article.paragraphs]
    text.insert(min(2, len(text)), _AD)
    byline = f'<p class="byline">By {escape(item.article.author)}</p>' if item.article.author else ""
    when = item.published.strftime("%d %B %Y, %H:%M")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(item.article.title)} | {escape(outlet.title)}</title>
<link rel="canonical" href="{escape(item.url)}">
<meta property="og:title" content="{escape(item.article.title)}">
<meta name="description" content="{escape(item.article.teaser)}">
<script>window.dataLayer = []; function track() {{ return "subpoena"; }}</script>
<style>.ad-slot {{ border: 1px solid }}</style></head>
<body>{_CONSENT}
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/politics">Politics</a></li>
<li><a href="/tech">Tech</a></li><li><a href="/sport">Sport</a></li>
<li><a href="/login">Log in</a></li></ul></nav></header>
<main><article><h1>{escape(item.article.title)}</h1>{byline}<time>{when}</time>{_SHARE}
{"".join(text)}
{_LETTER}</article>
<aside><h3>Related Articles</h3><ul class="related">{related}</ul></aside>{_COMMENTS}</main>
<footer><p>© {escape(outlet.title)}. All rights reserved. <a href="/privacy">Privacy policy</a></p></footer>
</body></html>
"""
