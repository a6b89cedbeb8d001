"""Which element is which, whatever prefix or namespace a feed gives it.

Names arrive as expat gives them: "uri}local" with namespaces, "prefix:local" or "local" without. A name
is looked up once and remembered; what is not listed here is not read.
"""

from __future__ import annotations

from typing import Final

XML: Final = "http://www.w3.org/XML/1998/namespace"

# Namespace -> the usual prefix; "" for the formats themselves. All known versions and misspellings
# of case count as one.
_PREFIX_OF: Final = {
    "": "",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/rss/1.0/modules/rss091#": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://backend.userland.com/rss091": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://cyber.law.harvard.edu/rss/rss.html": "",
    "http://example.com/newformat#": "",
    "http://example.com/necho": "",
    "http://purl.org/echo/": "",
    "uri/of/echo/namespace#": "",
    "http://purl.org/pie/": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://xmlns.com/foaf/0.1/": "foaf",
}


# What an element is to us: plain numbers, since one is looked up for every tag.
OTHER: Final = 0
# Elements read as plain text; up to LAST_KEPT the text is kept for when the entry ends
ID: Final = 1
PUBLISHED: Final = 2
UPDATED: Final = 3
CREATED: Final = 4
LAST_KEPT: Final = 4
AUTHOR_NAME: Final = 5
AUTHOR_EMAIL: Final = 6
LANGUAGE: Final = 7
TTL: Final = 8
SKIP_HOUR: Final = 9
SKIP_DAY: Final = 10
PERIOD: Final = 11
FREQUENCY: Final = 12
LAST_PLAIN: Final = 12
# Elements whose text may be markup
TITLE: Final = 13
MEDIA_TITLE: Final = 14
DESCRIPTION: Final = 15
SUMMARY: Final = 16
MEDIA_DESCRIPTION: Final = 17
CONTENT: Final = 18
ENCODED: Final = 19
BODY: Final = 20
LAST_TEXT: Final = 20
# Elements that hold others or attributes
LINK: Final = 21
AUTHOR: Final = 22
ENTRY: Final = 23
CHANNEL: Final = 24
ROOT: Final = 25
SKIPPED: Final = 26  # a whole subtree that speaks of something else: a picture, a quoted feed

_ROLES: Final = {
    "rss": ROOT,
    "rdf:rdf": ROOT,
    "feed": ROOT,
    "channel": CHANNEL,
    "item": ENTRY,
    "entry": ENTRY,
    "image": SKIPPED,
    "textinput": SKIPPED,
    "source": SKIPPED,
    "contributor": SKIPPED,
    "dc:contributor": SKIPPED,
    "cloud": SKIPPED,
    "title": TITLE,
    "dc:title": TITLE,
    "media:title": MEDIA_TITLE,
    "link": LINK,
    "guid": ID,
    "id": ID,
    "pubdate": PUBLISHED,
    "published": PUBLISHED,
    "issued": PUBLISHED,
    "dcterms:issued": PUBLISHED,
    "updated": UPDATED,
    "modified": UPDATED,
    "lastbuilddate": UPDATED,
    "dc:date": UPDATED,
    "dcterms:modified": UPDATED,
    "created": CREATED,
    "dcterms:created": CREATED,
    "description": DESCRIPTION,
    "dc:description": DESCRIPTION,
    "abstract": SUMMARY,
    "summary": SUMMARY,
    "tagline": DESCRIPTION,
    "subtitle": DESCRIPTION,
    "itunes:summary": MEDIA_DESCRIPTION,
    "media:description": MEDIA_DESCRIPTION,
    "content": CONTENT,
    "content:encoded": ENCODED,
    "fullitem": ENCODED,
    "body": BODY,
    "xhtml:body": BODY,
    "author": AUTHOR,
    "managingeditor": AUTHOR,
    "dc:creator": AUTHOR,
    "dc:author": AUTHOR,
    "itunes:author": AUTHOR,
    "name": AUTHOR_NAME,
    "foaf:name": AUTHOR_NAME,
    "email": AUTHOR_EMAIL,
    "language": LANGUAGE,
    "dc:language": LANGUAGE,
    "ttl": TTL,
    "hour": SKIP_HOUR,
    "day": SKIP_DAY,
    "sy:updateperiod": PERIOD,
    "sy:updatefrequency": FREQUENCY,
}

_REMEMBERED = 512
MET: dict[str, int] = {}
"""The roles of the names looked up so far; only the commonest names come in, so it stays small."""


def usual_name(name: str) -> str:
    """Give "dc:creator" for the Dublin Core creator and "title" for a format's title, lower case."""
    uri, brace, local = name.rpartition("}")
    if brace:
        uri = uri.lower()
        if uri.startswith("http://backend.userland.com/rss"):
            prefix: str | None = ""
        else:
            prefix = _PREFIX_OF.get(uri)
        if prefix is None:
            return "?:" + local.lower()
    else:
        prefix, _, local = name.rpartition(":")
        prefix = prefix.lower()
        if prefix in ("rss", "atom", "atom03", "atom10", "a"):
            prefix = ""
    return f"{prefix}:{local.lower()}" if prefix else local.lower()


def role_of(name: str) -> int:
    """Tell an element's role by its name; remembered for the names that feeds have in common."""
    role = MET.get(name)
    if role is None:
        role = _ROLES.get(usual_name(name), OTHER)
        if len(MET) < _REMEMBERED and len(name) < 128:
            MET[name] = role
    return role
