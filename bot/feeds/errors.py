"""What can go wrong in the feeds room; kinds of failed fetches are in `bot.feeds.fetch_errors`."""

from __future__ import annotations

from bot.errors import QuashError


class FeedError(QuashError):
    """A feed could not be had or read: one sentence a person can act on."""


class ParseError(FeedError):
    """The bytes are no feed that can be read: says what they are instead, or which limit they pass."""


class NotAFeedError(ParseError):
    """The bytes are a web page (or another document), so looking for a feed on it may help."""
