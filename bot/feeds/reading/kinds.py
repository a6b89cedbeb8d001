"""Telling what bytes are that are no feed, so that a person hears it in one sentence."""

from __future__ import annotations

import re
from typing import Final

from bot.errors import told
from bot.feeds.errors import NotAFeedError, ParseError

_PACKED: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
)
_FEED_ROOT: Final = re.compile(rb"<(?:[a-z][\w.-]{0,30}:)?(?:rss|feed|rdf|channel)[\s>]")
_OTHERS: Final = (
    (b"<opml", told("The document is an OPML list of feeds, not a feed; import it instead.")),
    (b"<urlset", told("The document is a sitemap for search engines, not a feed.")),
    (b"<sitemapindex", told("The document is a sitemap for search engines, not a feed.")),
    (b"<svg", told("The document is a picture, not a feed.")),
)
_PAGE: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta")
WEB_PAGE: Final = told(
    "The document is a web page, not a feed; look for a feed on it, or give the feed's own address."
)


def refuse_other_kinds(content: bytes) -> None:
    """Raise `NotAFeedError` for a web page or another known kind, `ParseError` for packed bytes."""
    for mark, kind in _PACKED:
        if content.startswith(mark):
            raise ParseError(
                told(
                    "The document is {kind} data where a feed was expected; "
                    "its server sends the wrong bytes.",
                    kind=kind,
                )
            )
    head = content[:4096].lower()
    if _FEED_ROOT.search(head):
        return
    for mark, sentence in _OTHERS:
        if mark in head:
            raise NotAFeedError(sentence)
    if any(mark in head for mark in _PAGE):
        raise NotAFeedError(WEB_PAGE)
