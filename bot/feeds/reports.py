"""What the feeds room says of itself: values for the command line, the cogs and the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import told
from bot.feeds.rhythm import shown_duration
from bot.feeds.store import Stored
from bot.feeds.telling import Notice
from db.feeds import StoredFeed

if TYPE_CHECKING:  # a poll round looks for no feeds in pages
    from bot.feeds.discover import FeedLink


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an address. `feed_id` is None where there is a choice to be made (`candidates`).

    `known`: who adds it had it already.
    """

    feed_id: int | None
    url: str
    title: str
    reason: str
    is_new: bool = False
    entries: int = 0
    candidates: tuple[FeedLink, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of many addresses. `added` and `known` are as who adds them sees it: a guild its own feeds.

    `refused` pairs an address, fit to be shown, with the reason.
    """

    added: int
    known: int
    refused: tuple[tuple[str, str], ...] = ()


class LookReport(NamedTuple):
    """What one look came to: `outcome` is new, edited, unchanged, failed, skipped or lost."""

    feed_id: int
    url: str
    title: str
    outcome: str
    reason: str
    new: int = 0
    edited: int = 0
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round came to."""

    looks: tuple[LookReport, ...]

    def count(self, outcome: str) -> int:
        """How many looks had this outcome."""
        return sum(1 for look in self.looks if look.outcome == outcome)

    @property
    def new(self) -> int:
        """How many entries are new."""
        return sum(look.new for look in self.looks)

    @property
    def edited(self) -> int:
        """How many known entries changed."""
        return sum(look.edited for look in self.looks)


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed as it is listed. `paused`: by the guild that asks."""

    id: int
    url: str
    title: str
    site: str
    state: str
    last_looked_at: datetime | None
    last_change_at: datetime | None
    next_look: datetime | None
    next_reason: str
    failure: str | None
    failures: int
    failing_since: datetime | None
    public: bool = False
    language: str | None = None
    paused: bool = False

    def state_shown(self, now: datetime) -> str:
        """Say how it stands: "active", "failing for 3 d", "paused", "gone"."""
        if self.state == "active" and self.failing_since is not None:
            return f"failing for {shown_duration((now - self.failing_since).total_seconds())}"
        return self.state

    def next_shown(self, now: datetime) -> str:
        """Say when it is looked at next, and why then: "in 11 h: the server asked for 12 h"."""
        if self.state != "active" or self.next_look is None:
            when = "never"
        elif self.next_look <= now:
            when = "now"
        else:
            when = f"in {shown_duration((self.next_look - now).total_seconds())}"
        return f"{when}: {self.next_reason}" if self.next_reason else when


def report_of(stored: Stored) -> LookReport:
    """Give the report of a look that was stored."""
    feed, decision = stored.look.stored, stored.decision
    if decision is None:
        return LookReport(feed.id, feed.url, feed.title, "lost", told("another worker has looked meanwhile"))
    title = str(decision.columns.get("title") or feed.title)
    return LookReport(
        stored.merged_into or feed.id,
        feed.url,
        title,
        decision.outcome,
        decision.reason,
        len(decision.new),
        len(decision.edits),
        decision.notice,
    )


def listed(feed: StoredFeed, *, paused: bool) -> ListedFeed:
    """Give a stored feed as it is listed."""
    return ListedFeed(
        id=feed.id,
        url=feed.url,
        title=feed.title,
        site=feed.site,
        state=feed.state,
        last_looked_at=feed.last_looked_at,
        last_change_at=feed.last_change_at,
        next_look=feed.next_look,
        next_reason=feed.next_reason,
        failure=feed.failure,
        failures=feed.failures,
        failing_since=feed.failing_since,
        public=feed.public,
        language=feed.language,
        paused=paused,
    )
