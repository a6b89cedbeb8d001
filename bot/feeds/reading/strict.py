"""Reading a well-formed document with expat: one pass, no tree, nothing outside the document.

expat neither opens files nor addresses here: no handler for external entities is set, and document type
declarations were taken off before (`doctype`), so that there is nothing to expand either.
"""

from __future__ import annotations

from datetime import datetime
from xml.parsers import expat

from bot.feeds.model import Feed
from bot.feeds.reading.builder import EnoughEntriesError, FeedBuilder
from bot.feeds.reading.clean import may_hold_controls

_BUFFER = 65_536


class IllFormedError(Exception):
    """The document is no well-formed XML. `feed` is what was read up to there, if anything."""

    def __init__(self, reason: str, line: int, feed: Feed | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.feed = feed


def read_strict(document: bytes, base: str, now: datetime, *, namespaces: bool = True) -> Feed | None:
    """Read a UTF-8 document; None when it is XML but no feed.

    `namespaces=False` reads documents whose prefixes are declared nowhere. Raises `IllFormedError`.
    """
    builder = FeedBuilder(base, now, controls=may_hold_controls(document))
    # S314: entities cannot be declared in what comes here, see above.
    parser = expat.ParserCreate("utf-8", "}" if namespaces else None)
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(document, True)
    except EnoughEntriesError:
        pass
    except expat.ExpatError as error:
        if error.code != _JUNK_AFTER_ROOT:
            raise IllFormedError(expat.ErrorString(error.code), error.lineno, builder.feed()) from None
    return builder.feed()


_JUNK_AFTER_ROOT = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]
