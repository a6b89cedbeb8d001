"""Asking moderators: which stories wait for their decision, in the transaction that stores the story.

Asked is about what would be a message of its own. A further report of a matter is not asked about again:
while its case waits, or after it was rejected, the moderators have the matter before them; once it was
approved, the card names it as a further source. What one rule's channel gets is no answer for another's: a
rule that the case's earlier stories did not meet asks for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.clauses import RoutedStory
from bot.alerts.routing import Destination, Verdict, nonce_of
from bot.errors import told
from db import deliveries, reviews
from db.case_status import after, moves_on
from db.tables import ReviewRow

Wants = Callable[[int, int], bool]  # whether the rule of that number wants the story of that number
REVIEW_KINDS = ("review", "decided")
LET_THROUGH = reviews.LET_THROUGH

# What the record says of a decision.
RECORDED = {
    "approved": told("moderators approved it"),
    "rejected": told("moderators rejected it"),
    "merged": told("moderators said that it is part of case {case}"),
    "posted": told("no moderator decided in time; the rule says that it is posted then"),
    "dropped": told("no moderator decided in time; the rule says that it is dropped then"),
}
_OF_CASE = {
    "waiting": told("its case is before the moderators, whose card will name it as a further source"),
    "rejected": told("moderators rejected its case, of which it is a further report"),
    "dropped": told("no moderator decided on its case in time, of which it is a further report"),
    "merged": told("moderators said that its case is part of another one"),
}
_UNWANTED = ("rejected", "dropped", "merged")
_LOOKED_BACK = 20  # reviews of a case in a channel, the newest


@dataclass(frozen=True, slots=True)
class Ask:
    """A story that moderators are asked about in a channel, by which of their rules."""

    guild_id: int
    channel_id: int
    rule_ids: tuple[int, ...]
    until: datetime
    at_end: str

    @property
    def place(self) -> tuple[str, int]:
        """Where they are asked."""
        return "channel", self.channel_id

    @property
    def said(self) -> str:
        """What the record says of it."""
        when = f"{self.until:%Y-%m-%d %H:%M}"
        return told("moderators are asked first; they have until {when} UTC", when=when)

    def review_row(self, story_id: int, now: datetime) -> dict[str, Any]:
        """What is stored of it."""
        return {
            "guild_id": self.guild_id,
            "story_id": story_id,
            "channel_id": self.channel_id,
            "state": "waiting",
            "created_at": now,
            "until": self.until,
            "at_end": self.at_end,
        }

    def delivery_row(self, story_id: int, identity: str, now: datetime) -> dict[str, Any]:
        """The message to the moderators."""
        return review_delivery(story_id, identity, self.guild_id, self.channel_id, "review", now) | {
            "rule_id": self.rule_ids[0]
        }


@dataclass(frozen=True, slots=True)
class Asking:
    """What comes of wishes that ask for a review: what moderators are asked, whom the story is for without
    asking, and lines for the record (server, outcome, words)."""

    asks: tuple[Ask, ...]
    due: tuple[Verdict, ...]
    lines: tuple[tuple[int, str, str], ...]


async def ask(
    session: AsyncSession,
    story: RoutedStory,
    wishes: Sequence[Verdict],
    now: datetime,
    *,
    wanting: Callable[[Collection[int], Collection[int]], Awaitable[Wants]],
) -> Asking:
    """Decide about wishes that ask for a review.

    `wanting` gives what tells which of some rules want which of some stories.
    """
    of: dict[tuple[int, int], list[Verdict]] = {}
    for wish in wishes:
        if wish.review is not None:
            of.setdefault((wish.guild_id, wish.review.channel_id), []).append(wish)
    channels = {channel_id for _, channel_id in of}
    asked = await reviews.get_asked(session, [(story.id, channel_id) for channel_id in channels])
    before: dict[int, list[ReviewRow]] = {}
    status_of: dict[int, str | None] = {}
    if of and story.case_id is not None and story.adds == "source":
        before = await reviews.get_of_case(session, story.case_id, channels, _LOOKED_BACK)
        status_of = await reviews.get_statuses(session, before)
    wants: Wants = _none
    if any(before.values()):
        rule_ids = {wish.rule_id for wish in wishes if wish.rule_id is not None}
        wants = await wanting(rule_ids, {row.story_id for rows in before.values() for row in rows})
    asks: list[Ask] = []
    due: list[Verdict] = []
    lines: list[tuple[int, str, str]] = []
    for (guild_id, channel_id), some in of.items():
        if (story.id, channel_id) in asked:
            continue  # a further feed brings it
        to_ask: list[Verdict] = []
        approved: list[Verdict] = []
        for wish in some:
            rows = before.get(channel_id, [])
            if rows:
                await asyncio.sleep(0)  # a turn of the event loop: many long stories may be looked through
            own = [row for row in rows if wants(wish.rule_id or 0, row.story_id)]
            stood = after(status_of[row.story_id] for row in reversed(own or rows))
            # What none of them said is asked about.
            state = "" if moves_on(stood, story.status) else _decided_before(own, rows)
            if state in _OF_CASE:
                outcome = "review" if state == "waiting" else state
                lines.append((guild_id, outcome, f"rule {wish.rule_id}: {_OF_CASE[state]}"))
            else:
                (approved if state in LET_THROUGH else to_ask).append(wish)
        # Only what edits the card that was approved goes through; a message of its own is asked about.
        through = await _edits(session, story.case_id, approved)
        due += through
        to_ask += [wish for wish in approved if wish not in through]
        if to_ask:
            asks.append(ask_by(to_ask, now))
            lines += [(guild_id, "review", f"rule {w.rule_id}: {asks[-1].said}") for w in to_ask]
    return Asking(tuple(asks), tuple(due), tuple(lines))


def _none(_rule_id: int, _story_id: int) -> bool:
    return False


def _decided_before(own: Sequence[ReviewRow], rows: Sequence[ReviewRow]) -> str:
    """Tell how a rule's case stands with the moderators, "" where it was not before them.

    That is how the newest of its stories stands that the rule wants, too (`own`); of a matter that they do
    not want they are not asked for other rules either.
    """
    if own:
        return own[0].state
    return rows[0].state if rows and rows[0].state in _UNWANTED else ""


async def _edits(session: AsyncSession, case_id: int | None, wishes: Sequence[Verdict]) -> list[Verdict]:
    """Give the wishes by which a further source of a case edits the card that their channel has of it."""
    if case_id is None:
        return []
    places = [("channel", wish.destination.id) for wish in wishes]
    cards = await deliveries.get_cards(session, case_id, places)
    return [
        wish
        for wish in wishes
        if wish.when == "now" and wish.thread != "case" and ("channel", wish.destination.id) in cards
    ]


def ask_by(wishes: Sequence[Verdict], now: datetime) -> Ask:
    """Give what moderators are asked by wishes of one review channel.

    The longest time counts, and posting at its end where all of them say so.
    """
    said = [wish.review for wish in wishes if wish.review is not None]
    return Ask(
        wishes[0].guild_id,
        said[0].channel_id,
        tuple(wish.rule_id for wish in wishes if wish.rule_id is not None),
        now + timedelta(hours=max(review.hours for review in said)),
        "post" if all(review.at_end == "post" for review in said) else "drop",
    )


def review_delivery(
    story_id: int, identity: str, guild_id: int, channel_id: int, kind: str, now: datetime
) -> dict[str, Any]:
    """Give a message to moderators, or (`kind` "decided") the edit of it that says what was decided.

    It is of no case: it is no card that later reports would answer or edit.
    """
    place = Destination("channel", channel_id)
    return {
        "story_id": story_id,
        "case_id": None,
        "kind": kind,
        "target": "channel",
        "target_id": channel_id,
        "guild_id": guild_id,
        "rule_id": None,
        "subscription_id": None,
        "ping_role": None,
        "reason": "moderators decide",
        "state": "due",
        "nonce": nonce_of(identity, place, "review" if kind == "review" else "decided"),
        "attempts": 0,
        "created_at": now,
        "due_at": now,
    }
