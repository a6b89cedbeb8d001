"""Finding a site's feeds in what its page says: `link rel=alternate` and the `Link` header. Pure.

No address is tried here. `well_known` lists paths that a person may ask to have tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from bot.crowded import without_crowded_tags
from bot.feeds.reading.charset import http_charset
from bot.feeds.reading.clean import one_line, web_address

if TYPE_CHECKING:
    from lxml import etree

_TYPES: Final = {
    "application/atom+xml": "Atom",
    "application/rss+xml": "RSS",
    "application/rdf+xml": "RSS",
    "application/feed+json": "JSON Feed",
    "text/rss": "RSS",
    "application/x-rss+xml": "RSS",
}
_MOST: Final = 30
_HEAD: Final = 1024 * 1024  # bytes of a page that are looked at
_LINK_VALUE: Final = re.compile(
    r'<([^<>]{1,2000})>((?:\s*;\s*[\w*!#$&+.^`|~-]{1,40}(?:\s*=\s*(?:"[^"]{0,500}"|[^\s",;]{0,500}))?){0,20})'
)
_PARAMETER: Final = re.compile(r';\s*([\w*-]{1,40})\s*=\s*(?:"([^"]{0,500})"|([^\s",;]{0,500}))')
_WELL_KNOWN: Final = ("feed/", "rss.xml", "atom.xml", "feed.xml", "index.xml", "rss", "feed.json")


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names: its address (http or https), its title or "", its kind ("RSS", ...)."""

    url: str
    title: str
    kind: str


def find_feeds(
    html: bytes, base_url: str, link_headers: Sequence[str] = (), content_type: str | None = None
) -> tuple[FeedLink, ...]:
    """Give the feeds that a page names, in its order, those of comments last; none for a page without.

    `link_headers` are the values of the answer's Link fields (RFC 8288), `content_type` that field's value.
    """
    found: dict[str, FeedLink] = {}
    for link in (*_from_headers(link_headers, base_url), *_from_page(html, base_url, content_type)):
        if link.url and link.url not in found and len(found) < _MOST:
            found[link.url] = link
    return tuple(sorted(found.values(), key=_is_of_comments))


def well_known(base_url: str) -> tuple[str, ...]:
    """Give addresses where feeds often are: below the page itself, then at the site's root."""
    page = base_url.split("?", 1)[0].split("#", 1)[0]
    page = page if page.endswith("/") else page + "/"
    addresses = [page + path for path in _WELL_KNOWN] + [urljoin(page, "/" + path) for path in _WELL_KNOWN]
    return tuple(dict.fromkeys(addresses))


def find_hub(link_headers: Sequence[str], base_url: str) -> tuple[str | None, str | None]:
    """Give the hub and the feed's own address that Link headers name (WebSub section 4), None where not."""
    found: dict[str, str] = {}
    for target, named in _links(link_headers):
        for relation in named.get("rel", "").lower().split():
            if relation in ("hub", "self") and (address := web_address(target, base_url)):
                found.setdefault(relation, address)
    return found.get("hub"), found.get("self")


def _links(values: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the targets of Link fields (RFC 8288), each with its parameters."""
    for value in values:
        for target, parameters in _LINK_VALUE.findall(value[:20_000]):
            named: dict[str, str] = {}
            for name, quoted, bare in _PARAMETER.findall(parameters):
                named.setdefault(name.lower(), quoted or bare)
            yield target, named


def _from_headers(values: Sequence[str], base_url: str) -> Iterator[FeedLink]:
    for target, named in _links(values):
        kind = _kind(named.get("rel", ""), named.get("type", ""))
        if kind:
            yield FeedLink(web_address(target, base_url), one_line(named.get("title", ""), 200), kind)


def _from_page(html: bytes, base_url: str, content_type: str | None) -> Iterator[FeedLink]:
    root = _parsed(without_crowded_tags(html[:_HEAD]), http_charset(content_type))
    if root is None:
        return
    base = next((tag.get("href") for tag in root.iter("base") if tag.get("href")), None)
    base_url = (web_address(base, base_url) if base else "") or base_url
    for tag in root.iter("link", "a"):
        kind = _kind(tag.get("rel") or "", tag.get("type") or "")
        if kind:
            title = tag.get("title") or ""
            yield FeedLink(web_address(tag.get("href") or "", base_url), one_line(title, 200), kind)


def _parsed(html: bytes, charset: str) -> etree._Element | None:
    from lxml import etree  # a poll round does without

    for encoding in (charset or None, None):
        try:
            parser = etree.HTMLParser(
                encoding=encoding, no_network=True, remove_comments=True, huge_tree=False
            )
            return etree.fromstring(html, parser)
        except (etree.XMLSyntaxError, ValueError):
            return None
        except LookupError:
            continue
    return None


def _kind(rel: str, media_type: str) -> str:
    """Tell a feed's kind by relation and type; "" for another link.

    `application/json` is not taken: WordPress names its programming interface so, as an alternate.
    """
    relations = rel.lower().split()
    kind = _TYPES.get(media_type.partition(";")[0].strip().lower(), "")
    if "alternate" in relations and "stylesheet" not in relations:
        return kind
    if "feed" in relations:
        return kind or "RSS"
    return ""


def _is_of_comments(link: FeedLink) -> bool:
    return (
        "comment" in link.url.lower() or "comment" in link.title.lower() or "kommentar" in link.title.lower()
    )
