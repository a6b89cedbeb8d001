"""Takes the main text, the title and the canonical address out of a web page.

trafilatura finds the main text; where it finds next to none the page's own structured data
(schema.org `articleBody`) and then its bare paragraphs are tried. What a consent notice, a pay-wall, a
log-in form or a check for robots shows in place of an article is told apart by `looks_like_wall`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from lxml.etree import ElementDefaultClassLookup, LxmlError, XPath, iterwalk
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from bot.crowded import without_crowded_tags
from bot.stories import clutter

if TYPE_CHECKING:
    from trafilatura.settings import Extractor

MAX_CHARACTERS = 2_000_000  # of HTML; what comes later in a page is never its article
_MAX_TAGS = 100_000  # of a page, start and end alike; a tree of six times as many takes 150 MB
_ENOUGH = 400  # characters of main text that need no second way
_ARTICLE_WORDS = 150  # a page with so many words of running text shows its article, whatever else it shows
_NO_ARTICLE_WORDS = 40
_NOTICE_CHARACTERS = 4_000  # a page with more text is more than a log-in form
_VISIBLE_CHARACTERS = 30_000  # of a page's text that are searched for a notice
_STRUCTURED_CHARACTERS = 500_000
_LOOKS_LIKE_HTML = re.compile(r"<(?:!doctype|html|head|body|div|p|article|section|main|form)\b", re.I)
_FURNITURE = ("script", "style", "noscript", "template", "svg", "iframe", "nav", "footer", "button", "select")
_BOX_TAGS = ("aside", "form")
_BOX_SHARE = 0.4  # of a page's running text; what holds more is no mere box
_TEASER = 100  # characters; a paragraph of so many is running text
_NAME = re.compile(r"[a-z]+")
_MENU_LINKS = 4  # a list with so many links, and little else, is a menu or a list of other stories
_MENU_SHARE = 0.8
_MAX_ELEMENTS = 15_000  # trafilatura's time grows faster than a page; ordinary pages have some thousand
_MAX_TEXT = 300_000  # characters of text, three times what is read; a list of its words, or trafilatura,
# takes 30 to 70 bytes of memory for each
_PARAGRAPH = 40  # characters
_SHORT = 3_300  # characters of main text under which a page may hold more
_SHORT_SHARE = 0.2  # ... if the text is less than this share of all that the page shows
_WHOLE_PAGE = re.compile(r"<(?:html|body|head|main|article)\b", re.I)
_HIDDEN = frozenset({"head", "figcaption", *_FURNITURE} - {"nav", "footer", "button"})
# Elements that a browser sets on lines of their own.
_SECTIONS = {
    "address",
    "article",
    "aside",
    "body",
    "center",
    "div",
    "fieldset",
    "form",
    "header",
    "main",
    "section",
}
_TEXTS = {"blockquote", "br", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "nav", "p", "pre"}
_LISTS = {"dd", "dl", "dt", "li", "ol", "option", "ul"}
_TABLES = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_BLOCKS = frozenset(_SECTIONS | _TEXTS | _LISTS | _TABLES | {"button"})
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")  # NUL, and half of a surrogate pair
_SEPARATOR = re.compile(r"\s+(?:\||::|»|·|•|—|–|-)\s+")


# One class for all elements: lxml would ask for each one in Python, and nobody fills in forms here.
_ALL_ALIKE = ElementDefaultClassLookup(element=HtmlElement)
# Counted and read inside libxml2: an object for every element of a page costs more than the work.
_count_elements = XPath("count(descendant-or-self::*)")
_texts = XPath("descendant::text()", smart_strings=False)
_count_characters = XPath("string-length(.)")


@dataclass(frozen=True, slots=True)
class Page:
    """What a web page holds. `by` tells which way led to `text`, `wall` what stands in its place, if so."""

    text: str
    title: str = ""
    canonical_url: str | None = None
    wall: str | None = None
    by: str = "nothing"


def extract(page: str, url: str = "") -> Page:
    """Take a page apart. Whatever the page is, a `Page` comes back, if only an empty one."""
    page = _bounded(page)
    tree = _parse(page)
    if tree is None:
        return Page("")
    structured = list(_structured_data(tree))
    title, canonical = _title(tree, structured, url), _canonical(tree, url)
    if not _WHOLE_PAGE.search(page):
        # A piece of HTML, as feeds carry it, is all article.
        return Page(_flow(tree), title, canonical, by="its lines")
    _drop_furniture(tree)
    text, by = _main_text(tree, structured, page)
    words = _words_of_prose(text)
    wall = None
    del tree  # it may take 60 MB, and the page is read once more
    if words < _ARTICLE_WORDS and (whole := _parse(page)) is not None:
        wall = _wall(f"{title}\n{_flow(whole)}"[:_VISIBLE_CHARACTERS], words, structured)
    if wall and wall != _NAMES["pay"]:
        text = ""  # a pay-wall leaves the beginning of its article, the others leave nothing of it
    return Page(text, title, canonical, wall, by)


def _bounded(page: str) -> str:
    """Cut a page off where no article goes on."""
    page = page[:MAX_CHARACTERS]
    if page.count("<") > _MAX_TAGS:
        page = "<".join(page.split("<", _MAX_TAGS)[:_MAX_TAGS])
    return page


def looks_like_wall(content: str) -> str | None:
    """Say what a page (HTML or its text) shows in place of its article; None when it shows one.

    One of "a consent notice", "a pay-wall", "a log-in form", "a check for robots".
    """
    if _LOOKS_LIKE_HTML.search(content[:20_000]):
        return extract(content).wall
    words = _words_of_prose(content)
    return _wall(content[:_VISIBLE_CHARACTERS], words, []) if words < _ARTICLE_WORDS else None


def _parse(page: str) -> HtmlElement | None:
    """Parse a page or a piece of one; None where there is nothing to parse."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(_ALL_ALIKE)
    source = without_crowded_tags(page.replace("\x00", "").encode("utf-8", "replace"))
    try:
        return document_fromstring(source, parser=parser)
    except (LxmlError, ValueError):
        return None


# ---------------------------------------------------------------- main text
def _drop_furniture(tree: HtmlElement) -> None:
    """Take out what never holds the article: scripts, menus, footers, lists of links.

    It spares trafilatura most of a page, and its second look at pages whose article is a small part of them.
    """
    for element in list(tree.iter(*_FURNITURE)):
        if element.getparent() is not None:
            element.drop_tree()
    _drop_boxes(tree)
    for element in list(tree.iter("ul", "ol")):
        if element.getparent() is None:
            continue
        links = element.findall(".//a")
        if len(links) < _MENU_LINKS:
            continue
        linked = sum(len(link.text_content().strip()) for link in links)
        if linked >= _MENU_SHARE * len(element.text_content().strip()):
            element.drop_tree()


def _drop_boxes(tree: HtmlElement) -> None:
    """Take out the boxes around an article that their class or id names: consent, related stories.

    A name can lie (an article in a "with-sidebar"): what holds much of the page's running text stays.
    """
    most = _BOX_SHARE * _running_text(tree)
    for element in list(tree.iter("aside", "div", "form", "section", "ul", "ol")):
        if element.getparent() is None:
            continue
        named = f"{element.get('class') or ''} {element.get('id') or ''}"[:500]
        if element.tag not in _BOX_TAGS and not _names_box(named):
            continue
        if _running_text(element) <= most:
            element.drop_tree()


@lru_cache(maxsize=2_000)
def _names_box(named: str) -> bool:
    return not clutter.box_names().isdisjoint(_NAME.findall(named.lower()))


def _running_text(tree: HtmlElement) -> int:
    """Count the characters of paragraphs that are longer than a teaser."""
    lengths = (len(p.text_content()) for p in tree.iter("p"))
    return sum(length for length in lengths if length >= _TEASER)


def _main_text(tree: HtmlElement, structured: list[dict[str, Any]], page: str) -> tuple[str, str]:
    """Give the main text and the way that led to it: the surest first, others until one gives enough."""
    if _count_elements(tree) > _MAX_ELEMENTS or _count_characters(tree) > _MAX_TEXT:
        return "\n".join(_paragraphs(tree))[:_MAX_TEXT], "its paragraphs"
    text = _by_trafilatura(tree, _options())
    if _may_be_a_part(text, tree):
        text = _by_trafilatura(tree, _options(look_again=True))
    by = "trafilatura"
    if len(text) < _ENOUGH and (whole := _parse(page)) is not None:
        _drop_boxes(whole)
        for way, found in _other_ways(whole, structured):
            if len(found) > 1.5 * len(text):
                text, by = found, way
            if len(text) >= _ENOUGH:
                break
    return text, by


def _other_ways(tree: HtmlElement, structured: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    if bodies := _said(structured, "articleBody"):
        yield "its structured data", _without_tags(max(bodies, key=len))
    yield "trafilatura (all it finds)", _by_trafilatura(tree, _options(everything=True))
    yield "its paragraphs", "\n".join(_paragraphs(tree))


@cache
def _options(*, look_again: bool = False, everything: bool = False) -> Extractor:
    """How trafilatura works: once over the page; once more where that gave little; for all there is."""
    # Imported on first need: 0.4 s that plain text does not need.
    from trafilatura.settings import Extractor

    # "fast" leaves out the comparison with jusText, whose word lists take 35 MB and a third of a second.
    options = Extractor(fast=True, recall=everything, comments=False, tables=everything)
    if not (look_again or everything):
        # "balanced" without its last step, which measures the whole page after every short article to see
        # whether to look again, a quarter of the time; `_may_be_a_part` measures the same for less.
        options.focus = "once"
    return options


def _by_trafilatura(tree: HtmlElement, options: Extractor) -> str:
    from trafilatura import extract as find_main_text

    return find_main_text(tree, options=options) or ""


def _may_be_a_part(text: str, tree: HtmlElement) -> bool:
    """Whether a short text may be little of what the page shows, so that trafilatura should look again.

    The bounds are those of trafilatura (`core.ESCALATION_MAX_LENGTH`, `ESCALATION_PAGE_SHARE`), made wider:
    it counts less of the page and more of the text.
    """
    if not 0 < len(text) < _SHORT:
        return False
    return len(text) * 0.9 < _SHORT_SHARE * len(" ".join(" ".join(_texts(tree)).split()))


def _paragraphs(tree: HtmlElement) -> Iterator[str]:
    """Give the lines of a page that are long enough to be paragraphs of an article."""
    return (line for line in _flow(tree).split("\n") if len(line) >= _PARAGRAPH)


def _without_tags(text: str) -> str:
    tree = _parse(text) if "<" in text else None
    return text if tree is None else _flow(tree)


def _flow(tree: HtmlElement) -> str:
    """Give the visible text of a page as a browser would break it into lines, without captions."""
    pieces: list[str] = []
    walk = iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        if element.tag in _BLOCKS:
            pieces.append("\n")
        if event == "start" and element.tag in _HIDDEN:
            walk.skip_subtree()
            continue
        text = element.text if event == "start" else element.tail
        if text:
            pieces.append(text.replace("\n", " "))
    lines = (" ".join(line[:_MAX_TEXT].split()) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _words_of_prose(text: str) -> int:
    """Count the words in lines of running text that are not the page's own notices, up to an article's."""
    count = 0
    for line in text.split("\n"):
        if len(line) >= 60 and not clutter.kind_of_line(line) and not clutter.is_notice(line):
            count += line.count(" ") + 1
            if count >= _ARTICLE_WORDS:
                break
    return count


# ---------------------------------------------------------------- walls
_NAMES = {
    "robot": "a check for robots",
    "consent": "a consent notice",
    "pay": "a pay-wall",
    "login": "a log-in form",
}


def _wall(visible: str, words: int, structured: list[dict[str, Any]]) -> str | None:
    """Decide from a page's visible text, and its words of an article besides, whether it is a notice."""
    sure, signs = clutter.notices(visible)
    for kind, name in _NAMES.items():
        if kind != "pay" and words >= _NO_ARTICLE_WORDS:
            continue
        if kind in sure or (signs[kind] >= 3 and len(visible) < _NOTICE_CHARACTERS):
            return name
    if any(item.get("isAccessibleForFree") in (False, "False", "false") for item in structured):
        return _NAMES["pay"]
    return None


# ---------------------------------------------------------------- metadata
def _structured_data(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """Give the objects of a page's JSON-LD, those inside lists and `@graph` too."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            continue
        source = (script.text or "")[:_STRUCTURED_CHARACTERS]
        try:
            yield from _objects(json.loads(source, strict=False), depth=4)
        except (ValueError, RecursionError):
            continue  # broken structured data is as good as none


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement"):
            yield from _objects(value.get(key), depth - 1)
    elif isinstance(value, list):
        for item in value[:50]:
            yield from _objects(item, depth - 1)


def _said(structured: list[dict[str, Any]], name: str) -> list[str]:
    """Give the texts that the structured data has under a name.

    JSON can write characters that the page itself cannot hold, and no database takes (`_NO_CHARACTER`).
    """
    texts = (item.get(name) for item in structured)
    return [_NO_CHARACTER.sub("\ufffd", text) for text in texts if isinstance(text, str)]


def _meta(tree: HtmlElement, *names: str) -> str:
    for element in tree.iter("meta"):
        if (element.get("property") or element.get("name") or "").lower() in names:
            content = " ".join((element.get("content") or "").split())
            if content:
                return content
    return ""


def _title(tree: HtmlElement, structured: list[dict[str, Any]], url: str) -> str:
    """Give the headline without the site's name."""
    site = _meta(tree, "og:site_name")
    heads = [text for element in tree.iter("h1") if (text := " ".join(" ".join(element.itertext()).split()))]
    headline = next(iter(_said(structured, "headline")), "")
    for candidate in (_meta(tree, "og:title", "twitter:title"), headline, _page_title(tree)):
        title = " ".join(candidate.split())
        if not title:
            continue
        for head in heads:
            if len(head) >= 12 and title.startswith(head):
                return head
        return _without_site(title, site, url)
    return heads[0] if heads else ""


def _page_title(tree: HtmlElement) -> str:
    element = tree.find(".//title")
    return "" if element is None else element.text or ""


def _without_site(title: str, site: str, url: str) -> str:
    parts = _SEPARATOR.split(title)
    if len(parts) < 2:
        return title
    last = parts[-1]
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    squeezed = re.sub(r"\W", "", last.lower())
    is_site = last.lower() == site.lower() or (len(squeezed) > 2 and squeezed in re.sub(r"\W", "", host))
    bar = title[: -len(last)].rstrip()[-1:] == "|"
    if is_site or (bar and len(last.split()) <= 4):
        return re.sub(r"\s+(?:\||::|»|·|•|—|–|-)$", "", title[: -len(last)].rstrip())
    return title


def _canonical(tree: HtmlElement, url: str) -> str | None:
    """Give the address by which the page wants to be known; None when it names none but its front page."""
    named = ""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").lower().split():
            named = (element.get("href") or "").strip()
            break
    named = named or _meta(tree, "og:url")
    if not named:
        return None
    try:
        address = urljoin(url, named)
        parts = urlsplit(address)
        front_page_only = parts.path in ("", "/") and not parts.query and urlsplit(url).path not in ("", "/")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or (url and front_page_only):
        return None
    return address
