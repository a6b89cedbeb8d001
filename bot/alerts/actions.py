"""What people do with alerts, as services without Discord: rules, subscriptions, a card's buttons.

Each call is one transaction; what changes a server's configuration leaves an audit row. Wrong input is
answered with `WishError`, what is not there (or not theirs to see) with `NotHereError`; the message of
both is the answer to the person. Whether somebody may configure a server is the caller's check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.alerts.routing import Rule, Subscription
from db.engine import Database


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as its moderators see it. `broken`: why its channel gets nothing at present."""

    rule: Rule
    broken: str | None


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription as its member sees it. `label` says what it is about ("Twitter", a case's title)."""

    subscription: Subscription
    label: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an alert says ("Topic: legal-demands"), with the sentences that it rests on."""

    says: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A story's claims, each with its sentences, verbatim and in the article's own language."""

    story_id: int
    title: str
    url: str
    source: str
    published: datetime | None
    language: str
    claims: tuple[Claim, ...]


async def add_rule(
    database: Database,
    *,
    guild_id: int,
    user_id: int,
    channel_id: int,
    topics: str = "",
    parties: str = "",
    keywords: str = "",
    exclude: str = "",
    relevance: float | None = None,
    ping_role: int | None = None,
    style: str = "full",
    now: datetime,
) -> Rule:
    """Make a rule: lists are comma-separated, empty ones stand for "any"; `relevance` is 0 to 1."""
    raise NotImplementedError


async def list_rules(database: Database, *, guild_id: int) -> tuple[ListedRule, ...]:
    """Give a server's rules, oldest first."""
    raise NotImplementedError


async def remove_rule(
    database: Database, *, guild_id: int, user_id: int, rule_id: int, now: datetime
) -> Rule:
    """Remove a rule and give what it was; what it still owed is not posted."""
    raise NotImplementedError


async def subscribe(
    database: Database,
    *,
    user_id: int,
    guild_id: int,
    kind: str,
    value: str,
    delivery: str = "now",
    now: datetime,
) -> ListedSubscription:
    """Subscribe a member: `kind` is topic, party or case (by id or title).

    Twice is once; a paused one resumes.
    """
    raise NotImplementedError


async def list_subscriptions(database: Database, *, user_id: int) -> tuple[ListedSubscription, ...]:
    """Give a member's own subscriptions, oldest first."""
    raise NotImplementedError


async def end_subscription(database: Database, *, user_id: int, subscription_id: int) -> ListedSubscription:
    """End one of a member's subscriptions and give what it was."""
    raise NotImplementedError


async def follow_case(
    database: Database,
    *,
    case_id: int,
    user_id: int,
    guild_id: int | None,
    mark: str | None = None,
    now: datetime,
) -> ListedSubscription:
    """Subscribe the member who clicked to a case.

    In a direct message `mark` tells which server it is about.
    """
    raise NotImplementedError


async def evidence(
    database: Database, *, story_id: int, user_id: int, guild_id: int | None, mark: str | None = None
) -> Evidence:
    """Give a story's claims with their sentences, to somebody whose server's feeds brought the story."""
    raise NotImplementedError


async def report(
    database: Database,
    *,
    story_id: int,
    user_id: int,
    guild_id: int | None,
    mark: str | None = None,
    now: datetime,
) -> bool:
    """Note that a member finds a story not relevant; False when that member had said so before."""
    raise NotImplementedError
