"""The bounds of what a feed may make us hold; past the first the feed is refused, past the others it is cut.

A publisher's feed has 10 to 100 entries and some 100 kB; the largest met in the field have a few
thousand entries. The bounds stand well above that and well below what hurts a small machine.
"""

from __future__ import annotations

from typing import Final

from bot.errors import told
from bot.feeds.errors import ParseError

MAX_BYTES: Final = 16 * 1024 * 1024
"""Larger documents are refused whole (bytes, decompressed)."""

MAX_ENTRIES: Final = 5_000
"""Entries kept of one feed: the first, since feeds put the newest there."""

MAX_TEXT: Final = 256 * 1024
"""Characters kept of one summary or content."""

MAX_TITLE: Final = 1_000
"""Characters kept of a title or a person's name."""

MAX_ADDRESS: Final = 4_096
"""Characters of an id or an address; a longer address is dropped, a longer id is replaced by its hash."""

MAX_AUTHORS: Final = 20
"""People kept of one entry."""

MAX_TAGS: Final = 500_000
"""Tags read of one document; what comes after is left unread. About a second of work."""

MAX_DEPTH: Final = 50_000
"""Tags inside each other of a document that is read in one pass: some 15 MB, and no feed nests a hundred."""

MAX_MENDED_BYTES: Final = 2 * 1024 * 1024
"""How far an ill-formed document is read."""

MAX_TREE_TAGS: Final = 100_000
"""Tags of a fragment that is built as a tree (only ill-formed ones are): about 30 MB."""

MAX_START_TAG: Final = 16 * 1024
"""Longest start tag given to a reader that is slow with many attributes (bytes)."""

MAX_FORGIVING_BYTES: Final = 128 * 1024
"""Largest document given to feedparser, which reads some 3 MB a second and has quadratic corners."""

MAX_FORGIVING_TAGS: Final = 10_000
"""Tags of such a document: feedparser takes up to 0.1 ms for each."""

MAX_JSON_VALUES: Final = 500_000
"""Lists, objects and commas of a JSON Feed."""

MAX_QUICK_BYTES: Final = 8 * 1024 * 1024
"""Largest document given to the native reader, which holds all texts at once."""


def refuse_too_large(content: bytes) -> None:
    """Raise `ParseError` for what is too large to be read, before it is copied to where feeds are read."""
    if len(content) > MAX_BYTES:
        raise ParseError(
            told(
                "The feed is larger than {number} MB ({size} MB), more than any real feed; "
                "ask its publisher for a shorter one.",
                number=MAX_BYTES // 2**20,
                size=len(content) // 2**20,
            )
        )
