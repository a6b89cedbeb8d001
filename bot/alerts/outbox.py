"""The outbox: a story's deliveries are written down in the transaction that stores the story."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.routing import (
    DeliveryKind,
    Destination,
    Due,
    RoutedStory,
    Rule,
    Standing,
    Subscription,
    Verdict,
    messages,
    route,
)
from db import cards, deliveries, rules, subscriptions
from db.tables import RuleRow, StoryRow, SubscriptionRow

_T = TypeVar("_T")

_NEXT_OF_SERVER = timedelta(minutes=1)
_LAST_OF_SERVER = timedelta(hours=1)
_AT_ONCE = 100  # rules or destinations that are dealt with between two turns of the event loop


async def owe(session: AsyncSession, story_id: int, *, now: datetime, alert: bool = True) -> int:
    """Write down a delivery for every destination that wants the story; gives how many were written.

    To be called last in the transaction that stores the story, with its topics, parties, feeds and case
    flushed; and again when a further feed brings the story: who has been served is not served twice.
    What each rule decided is stored here, as findings of its server.
    """
    story = await load_story(session, story_id, alert=alert)
    if story is None or not alert:
        return 0
    due = await _ask(session, story, now)
    turns = _turns(due, now)
    identity = await _identity(session, story_id)
    owed = 0
    # In the order of their places: see `db.deliveries.enqueue`.
    for some in _slices(sorted(due, key=lambda one: _place(one.destination))):
        places = [_place(one.destination) for one in some]
        await deliveries.enqueue(session, places, now, turns)  # the lock, before the look at what they have
        standing = await _standings(session, story, places)
        rows = [
            _row(story, identity, one, kind, now)
            for one in some
            for kind in messages(story, standing(_place(one.destination)), thread=one.thread)
        ]
        await deliveries.insert_deliveries(session, rows)
        owed += len(rows)
    return owed


def _turns(due: Sequence[Due], now: datetime) -> dict[deliveries.Place, datetime]:
    """Tell whose turn is when, among all that wait: a server with many channels holds no other server.

    Its first channel has its turn now, each further one later, an hour at most: so another server's story
    that comes meanwhile is before them, and nobody waits for good.
    """
    counts: Counter[int | None] = Counter()
    turns: dict[deliveries.Place, datetime] = {}
    for one in due:
        turns[_place(one.destination)] = now + min(counts[one.guild_id] * _NEXT_OF_SERVER, _LAST_OF_SERVER)
        counts[one.guild_id] += 1
    return turns


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut what is many into what can be worked on between two turns of the event loop."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


async def _identity(session: AsyncSession, story_id: int) -> str:
    row = await session.get_one(StoryRow, story_id)
    return row.url_key or f"{row.title}\n{row.source}\n{row.published}"


async def load_story(
    session: AsyncSession, story_id: int, *, alert: bool = True, guilds: Collection[int] | None = None
) -> RoutedStory | None:
    """Read what routing asks about a story, None when it is none to be alerted about.

    `guilds` limits the question which servers see it.
    """
    row = await session.get(StoryRow, story_id)
    if row is None or not row.relevant:
        return None
    return RoutedStory(
        id=row.id,
        title=row.title,
        summary=tuple(row.summary),
        text=row.text,
        relevance=row.relevance,
        topics=frozenset(await cards.get_topics_of(session, story_id)),
        parties=frozenset(party.name_key for party in await cards.get_parties_of(session, story_id)),
        case_id=row.case_id,
        adds=row.adds,
        guilds=await cards.get_guilds_that_see(session, story_id, guilds),
        alert=alert,
    )


def rule_from(row: RuleRow) -> Rule:
    """Give a stored rule as routing knows it."""
    return Rule(
        id=row.id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        topics=tuple(row.topics),
        parties=tuple(row.parties),
        keywords=tuple(row.keywords),
        exclude=tuple(row.exclude),
        min_relevance=row.min_relevance,
        ping_role=row.ping_role,
        when=row.when,
        style=row.style,
        thread=row.thread,
        paused=row.paused,
    )


def subscription_from(row: SubscriptionRow) -> Subscription:
    """Give a stored subscription as routing knows it."""
    return Subscription(
        id=row.id,
        user_id=row.user_id,
        guild_id=row.guild_id,
        kind=row.kind,
        value=row.value,
        delivery=row.delivery,
        paused=row.paused,
        pause_reason=row.pause_reason,
    )


def nonce_of(story: str, destination: Destination, kind: DeliveryKind) -> str:
    """Give what a message is recognised by, at Discord (25 characters at most) and in a channel's history.

    A hash of the story's identity, the destination and the kind, and so the same however often the row
    is made: after a restored backup, too, a post that is there already can be recognised.
    """
    said = f"{story}\n{destination.target}\n{destination.id}\n{kind}".encode()
    return "q" + base64.b32encode(hashlib.sha256(said).digest()[:14]).decode().rstrip("=").lower()


async def _ask(session: AsyncSession, story: RoutedStory, now: datetime) -> list[Due]:
    """Put the story to all rules and subscriptions that may want it, and store what the rules decided.

    A page may end within a server, so that two pages can name one channel: the first wins.
    """
    due: dict[Destination, Due] = {}
    after = (0, 0)
    while page := await rules.get_rules_that_see(session, story.id, after=after, limit=_AT_ONCE):
        routed = route(story, map(rule_from, page), ())
        for one in routed.due:
            due.setdefault(one.destination, one)
        await _record(session, story, routed.verdicts, now)
        after = (page[-1].guild_id, page[-1].id)
    fitting = await subscriptions.get_subscriptions_that_fit(
        session, story.id, topics=story.topics, parties=story.parties, case_id=story.case_id
    )
    for some in _slices(fitting):
        for one in route(story, (), map(subscription_from, some)).due:
            due.setdefault(one.destination, one)
        await asyncio.sleep(0)
    return list(due.values())


def _place(destination: Destination) -> deliveries.Place:
    return destination.target, destination.id


async def _standings(
    session: AsyncSession, story: RoutedStory, places: Sequence[deliveries.Place]
) -> Callable[[deliveries.Place], Standing]:
    """Read what destinations have already; gives the answer for each."""
    served = await deliveries.get_served(session, story.id, places)
    cards_posted: dict[deliveries.Place, bool] = {}
    edits: set[deliveries.Place] = set()
    if story.case_id is not None:
        cards_posted = await deliveries.get_cards(session, story.case_id, places)
        edits = await deliveries.get_waiting_edits(session, story.case_id, places)

    def standing(place: deliveries.Place) -> Standing:
        posted = cards_posted.get(place)
        return Standing(
            served=place in served,
            card="none" if posted is None else "posted" if posted else "waits",
            edit_waits=place in edits,
        )

    return standing


def _row(story: RoutedStory, identity: str, due: Due, kind: DeliveryKind, now: datetime) -> dict[str, Any]:
    return {
        "story_id": story.id,
        "case_id": story.case_id,
        "kind": kind,
        "target": due.destination.target,
        "target_id": due.destination.id,
        "guild_id": due.guild_id,
        "rule_id": due.rule_id,
        "subscription_id": due.subscription_id,
        "ping_role": due.ping_role,
        "reason": due.reason,
        "state": "due",
        "nonce": nonce_of(identity, due.destination, kind),
        "attempts": 0,
        "created_at": now,
        "due_at": now,
    }


async def _record(
    session: AsyncSession, story: RoutedStory, verdicts: Sequence[Verdict], now: datetime
) -> None:
    """Store what the rules decided, each for its server. What members want is nobody's to read."""
    rows = [
        {
            "story_id": story.id,
            "guild_id": verdict.guild_id,
            "at": now,
            "stage": "rule",
            "outcome": verdict.outcome,
            "reason": verdict.told,
            "evidence": [],
        }
        for verdict in verdicts
    ]
    await deliveries.insert_findings(session, rows)
