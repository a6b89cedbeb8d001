"""Which element is which, whatever prefix or namespace a feed gives it.

Names arrive as expat gives them: "uri}local" with namespaces, "prefix:local" or "local" without. A name
is looked up once and remembered; what is not listed here is not read.
"""

from __future__ import annotations

from enum import IntEnum, auto
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


class Role(IntEnum):
    """What an element is to us."""

    OTHER = 0
    ROOT = auto()
    CHANNEL = auto()
    ENTRY = auto()
    SKIPPED = auto()  # a whole subtree that speaks of something else: a picture, a quoted feed
    TITLE = auto()
    MEDIA_TITLE = auto()
    LINK = auto()
    ID = auto()
    PUBLISHED = auto()
    UPDATED = auto()
    CREATED = auto()
    DESCRIPTION = auto()
    SUMMARY = auto()
    MEDIA_DESCRIPTION = auto()
    CONTENT = auto()
    ENCODED = auto()
    BODY = auto()
    AUTHOR = auto()
    AUTHOR_NAME = auto()
    AUTHOR_EMAIL = auto()
    LANGUAGE = auto()
    TTL = auto()
    SKIP_HOUR = auto()
    SKIP_DAY = auto()
    PERIOD = auto()
    FREQUENCY = auto()


_ROLES: Final = {
    "rss": Role.ROOT,
    "rdf:rdf": Role.ROOT,
    "feed": Role.ROOT,
    "channel": Role.CHANNEL,
    "item": Role.ENTRY,
    "entry": Role.ENTRY,
    "image": Role.SKIPPED,
    "textinput": Role.SKIPPED,
    "source": Role.SKIPPED,
    "contributor": Role.SKIPPED,
    "dc:contributor": Role.SKIPPED,
    "cloud": Role.SKIPPED,
    "title": Role.TITLE,
    "dc:title": Role.TITLE,
    "media:title": Role.MEDIA_TITLE,
    "link": Role.LINK,
    "guid": Role.ID,
    "id": Role.ID,
    "pubdate": Role.PUBLISHED,
    "published": Role.PUBLISHED,
    "issued": Role.PUBLISHED,
    "dcterms:issued": Role.PUBLISHED,
    "updated": Role.UPDATED,
    "modified": Role.UPDATED,
    "lastbuilddate": Role.UPDATED,
    "dc:date": Role.UPDATED,
    "dcterms:modified": Role.UPDATED,
    "created": Role.CREATED,
    "dcterms:created": Role.CREATED,
    "description": Role.DESCRIPTION,
    "dc:description": Role.DESCRIPTION,
    "abstract": Role.SUMMARY,
    "summary": Role.SUMMARY,
    "tagline": Role.DESCRIPTION,
    "subtitle": Role.DESCRIPTION,
    "itunes:summary": Role.MEDIA_DESCRIPTION,
    "media:description": Role.MEDIA_DESCRIPTION,
    "content": Role.CONTENT,
    "content:encoded": Role.ENCODED,
    "fullitem": Role.ENCODED,
    "body": Role.BODY,
    "xhtml:body": Role.BODY,
    "author": Role.AUTHOR,
    "managingeditor": Role.AUTHOR,
    "dc:creator": Role.AUTHOR,
    "dc:author": Role.AUTHOR,
    "itunes:author": Role.AUTHOR,
    "name": Role.AUTHOR_NAME,
    "foaf:name": Role.AUTHOR_NAME,
    "email": Role.AUTHOR_EMAIL,
    "language": Role.LANGUAGE,
    "dc:language": Role.LANGUAGE,
    "ttl": Role.TTL,
    "hour": Role.SKIP_HOUR,
    "day": Role.SKIP_DAY,
    "sy:updateperiod": Role.PERIOD,
    "sy:updatefrequency": Role.FREQUENCY,
}

_REMEMBERED = 512
_MEMORY: dict[str, Role] = {}


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


def role_of(name: str) -> Role:
    """Tell an element's role by its name; remembered for the names that feeds have in common."""
    role = _MEMORY.get(name)
    if role is None:
        role = _ROLES.get(usual_name(name), Role.OTHER)
        if len(_MEMORY) < _REMEMBERED and len(name) < 128:
            _MEMORY[name] = role
    return role
