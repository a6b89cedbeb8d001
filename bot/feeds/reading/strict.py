"""Reading a well-formed document with expat: one pass, no tree, nothing outside the document.

expat neither opens files nor addresses here: no handler for external entities is set, and document type
declarations were taken off before (`doctype`), so that there is nothing to expand either.
"""

from __future__ import annotations

from datetime import datetime
from xml.parsers import expat

from bot.feeds.model import Feed
from bot.feeds.reading.builder import EnoughEntriesError, FeedBuilder, TooDeepError
from bot.feeds.reading.clean import may_hold_controls
from bot.feeds.reading.limits import MAX_TAGS

_BUFFER = 65_536
# A namespace's name is put before that of each of its elements: one of 100 kB would be copied for every tag.
_LONGEST_NAMESPACE = 2_000
_PORTION = 1024 * 1024
_JUNK_AFTER_ROOT = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]
_ABORTED = expat.errors.codes[expat.errors.XML_ERROR_ABORTED]
_UNBOUND_PREFIX = expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]


class IllFormedError(Exception):
    """The document is no well-formed XML."""

    def __init__(self, code: int, line: int) -> None:
        self.reason = expat.ErrorString(code)
        self.line = line
        self.unbound_prefix = code == _UNBOUND_PREFIX
        super().__init__(f"line {line}, {self.reason}")


def read_strict(document: bytes, base: str, now: datetime, *, namespaces: bool = True) -> Feed | None:
    """Read a UTF-8 document; None when it is XML but no feed.

    `namespaces=False` reads documents whose prefixes are declared nowhere. Raises `IllFormedError`.
    """
    builder = FeedBuilder(base, now, controls=may_hold_controls(document))
    parser = expat.ParserCreate("utf-8", "}" if namespaces else None)
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartNamespaceDeclHandler = _refuse_long_name
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        if len(document) <= _PORTION:
            parser.Parse(document, True)
        else:
            _parse_in_portions(parser, document)
    except EnoughEntriesError:
        pass
    except TooDeepError:
        raise IllFormedError(_ABORTED, parser.CurrentLineNumber) from None
    except expat.ExpatError as error:
        if error.code != _JUNK_AFTER_ROOT:
            raise IllFormedError(error.code, error.lineno) from None
    return builder.feed()


def _refuse_long_name(prefix: str | None, name: str | None) -> None:
    """Take a prefix bound to what is no real name for one that is bound to nothing."""
    if name is not None and len(name) > _LONGEST_NAMESPACE:
        raise IllFormedError(_UNBOUND_PREFIX, 0)


def _parse_in_portions(parser: expat.XMLParserType, document: bytes) -> None:
    """Read a large document as far as the bound on tags allows."""
    budget = MAX_TAGS
    for start in range(0, len(document), _PORTION):
        portion = document[start : start + _PORTION]
        budget -= portion.count(b"<")
        if budget < 0:
            return
        parser.Parse(portion, start + _PORTION >= len(document))
