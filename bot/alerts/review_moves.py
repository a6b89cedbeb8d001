"""What waits for moderators' decision when its rule comes to ask in another channel, or asks no more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import lines
from bot.alerts.asking import RECORDED, Ask, ask_by, review_delivery
from bot.alerts.clauses import RoutedStory
from bot.alerts.outbox import get_identity, load_story, owe_reviewed, rule_from
from bot.alerts.routing import Rule, Verdict, ask_rule
from bot.errors import told
from db import deliveries, digests, reviews
from db.tables import ReviewRow, RuleRow

_MOVED = 100  # stories, the newest, that go along


async def follow(session: AsyncSession, row: RuleRow, before: int, *, user_id: int, now: datetime) -> None:
    """Let what waits in the review channel `before` for a decision go the way that its rule says by now.

    It is asked about in the rule's new channel, with its whole time; a message that stands in the old one
    goes on working. Where the rule asks no more, that was the moderators' word: it is owed as if it had been
    approved. What other rules ask about in the old channel stays there for those. What somebody decides on in
    this very moment goes by the rule as it was. The caller holds the locks of the channels.
    """
    others = [rule_from(one) for one in await reviews.get_rules(session, row.guild_id, before)]
    rule = rule_from(row)
    for waiting in await reviews.take_waiting(session, row.guild_id, before, _MOVED):
        story = await load_story(session, waiting.story_id)
        if story is None or not (wish := ask_rule(story, rule)).passed:
            continue
        stays = await _is_wanted(story, others)
        if wish.review is not None:
            await _ask(session, waiting, story, wish, stays=stays, now=now)
            continue
        await owe_reviewed(session, story.id, [row], "approved", RECORDED["approved"], now=now)
        if not stays:
            waiting.state, waiting.decided_at, waiting.decided_by = "approved", now, user_id
            identity = await get_identity(session, story.id)
            edit = review_delivery(story.id, identity, row.guild_id, before, "decided", now)
            await deliveries.insert_deliveries(session, [edit])


async def _is_wanted(story: RoutedStory, others: Sequence[Rule]) -> bool:
    for other in others:
        await asyncio.sleep(0)  # a turn of the event loop: a long story is looked through for each
        if ask_rule(story, other).passed:
            return True
    return False


async def _ask(
    session: AsyncSession,
    waiting: ReviewRow,
    story: RoutedStory,
    wish: Verdict,
    *,
    stays: bool,
    now: datetime,
) -> None:
    """Ask in a rule's new channel, unless another rule has the story asked about there already."""
    this: Ask = ask_by([wish], now)
    here, there = (story.id, waiting.channel_id), (story.id, this.channel_id)
    if await reviews.get_asked(session, [there]):
        return
    posts = await reviews.get_posts(session, [here, there])
    if there in posts and posts[there].state in deliveries.GIVEN_UP:  # the rule asked there before
        posts[there].state, posts[there].error, posts[there].attempts = "due", None, 0
        posts[there].due_at = now
    if stays:
        await reviews.insert_reviews(session, [this.review_row(story.id, now)])
    else:
        unsent = [posts[here].id] if here in posts and posts[here].state in deliveries.OPEN else []
        await digests.skip(session, unsent, told("Nobody asks for it any more."))
        waiting.channel_id, waiting.until, waiting.at_end = this.channel_id, this.until, this.at_end
    identity = await get_identity(session, story.id)
    await deliveries.insert_deliveries(session, [this.delivery_row(story.id, identity, now)])
    await deliveries.insert_findings(session, [lines.of_rule(story, wish, "review", this.said, now)])
