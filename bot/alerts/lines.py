"""Lines of the record about alerts: what each rule decided, and what a channel gets instead of a post."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.clauses import RoutedStory
from bot.alerts.routing import Verdict
from bot.errors import told
from db import deliveries, rules

# What is recorded where a story that a rule wants is not posted at once, by what was decided.
_INSTEAD = {
    "digest": told("it is gathered for the rule's digest"),
    "limit": told("the rule's daily limit ({limit}) is reached, so it is gathered for the daily digest"),
    "quiet": told("it comes after the server's quiet hours"),
    "source": told(
        "the channel has a card of its case, which names it as a further source; there is no new post"
    ),
}


def line(
    story: RoutedStory, guild_id: int, outcome: str, reason: str, now: datetime, *, stage: str = "delivery"
) -> dict[str, Any]:
    """Make a line of a server's record about a story."""
    return {
        "story_id": story.id,
        "guild_id": guild_id,
        "at": now,
        "stage": stage,
        "outcome": outcome,
        "reason": reason,
        "evidence": [],
    }


def of_rule(story: RoutedStory, wish: Verdict, outcome: str, said: str, now: datetime) -> dict[str, Any]:
    """Make the line of what became of a rule's wish."""
    return line(story, wish.guild_id, outcome, f"rule {wish.rule_id}: {said}", now)


def instead(story: RoutedStory, wish: Verdict, outcome: str, now: datetime) -> dict[str, Any]:
    """Make the line of what a channel gets instead of a post."""
    return of_rule(story, wish, outcome, _INSTEAD[outcome].format(limit=wish.daily_limit), now)


async def note_verdicts(
    session: AsyncSession, story: RoutedStory, verdicts: Sequence[Verdict], now: datetime
) -> None:
    """Store what the rules decided, each for its server. What members want is nobody's to read."""
    rows = [line(story, one.guild_id, one.outcome, one.told, now, stage="rule") for one in verdicts]
    await deliveries.insert_findings(session, rows)


async def note_not_asked(session: AsyncSession, story: RoutedStory, now: datetime) -> None:
    """Store for which servers no rule was asked: the bot is not there, or they have paused all feeds that
    bring the story."""
    paused = told("the feed was paused here when the story came")
    away = told("Quash was not in this server when the story came")
    rows = [
        line(story, guild_id, "away" if left else "feed paused", away if left else paused, now, stage="rule")
        for guild_id, left in await rules.get_guilds_not_asked(session, story.id)
    ]
    await deliveries.insert_findings(session, rows)
