"""What a rule would have brought: the stored stories of the last days, put through the routing that decides.

Nothing is stored and nothing is sent. Stories count by their own dates, so that a feed that was added
yesterday shows the rhythm of its weeks and not one flood.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.alerts.clauses import RoutedStory
from bot.alerts.moments import moment
from bot.alerts.outbox import get_hours, load_stories
from bot.alerts.routing import Rule, Standing, Verdict, ask_rule, messages
from bot.alerts.timing import Hours, day_start
from db import rules
from db.case_status import after
from db.engine import Database

DAYS = 30
_MOST = 5000  # stories that are looked at, the newest
_AT_ONCE = 100
_LAST = 5


@dataclass(frozen=True, slots=True)
class Match:
    """A story that a rule would have brought, when, and the clauses that it passed."""

    story_id: int
    title: str
    url: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What a rule would have brought in `days`: first posts, updates, reports in threads, edits of cards,
    digests, and how many messages mention its role; of `seen` stories `matched` ones. `last` are the newest
    matches, the newest first; `busiest_day` counts the posts of the local day that had most."""

    days: int
    seen: int
    matched: int
    alerts: int
    updates: int
    reports: int
    edits: int
    digests: int
    pings: int
    busiest_day: int
    last: tuple[Match, ...]


async def preview_rule(database: Database, rule: Rule, *, days: int = DAYS, now: datetime) -> RulePreview:
    """Tell what a rule would have brought in the last days, whether it is stored or only thought of."""
    replay = _Replay(replace(rule, paused=False))
    async with database.read() as session:
        hours = (await get_hours(session, {rule.guild_id}))[rule.guild_id]
        seen = await rules.get_seen_since(session, rule.guild_id, now - timedelta(days=days), _MOST)
        for start in range(0, len(seen), _AT_ONCE):
            some = seen[start : start + _AT_ONCE]
            stories = await load_stories(session, [story_id for story_id, _ in some], guilds={rule.guild_id})
            for story_id, at in some:
                if story_id in stories:
                    replay.bring(stories[story_id], at, hours)
                await asyncio.sleep(0)
    return replay.told(days, len(seen))


async def last_match(database: Database, rule: Rule, *, days: int, now: datetime) -> int | None:
    """Give the newest story of the last days that a rule would have brought."""
    thought = replace(rule, paused=False)
    async with database.read() as session:
        seen = await rules.get_seen_since(session, rule.guild_id, now - timedelta(days=days), _MOST)
        newest = [story_id for story_id, _ in reversed(seen)]
        for start in range(0, len(newest), _AT_ONCE):
            some = newest[start : start + _AT_ONCE]
            stories = await load_stories(session, some, guilds={rule.guild_id})
            for story_id in some:
                if story_id in stories and ask_rule(stories[story_id], thought).passed:
                    return story_id
            await asyncio.sleep(0)
    return None


@dataclass(frozen=True, slots=True)
class _Post:
    """A post that waits for the end of quiet hours."""

    kind: str
    at: datetime
    day: datetime
    pings: bool


@dataclass(slots=True)
class _Replay:
    """What would be in the channel by now, and what waits: the counts are of messages of a kind."""

    rule: Rule
    matches: list[Match] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    per_day: Counter[datetime] = field(default_factory=Counter)
    cases: dict[int, str] = field(default_factory=dict)  # that have a card, and where they stand by it
    waiting: list[_Post] = field(default_factory=list)
    digests: dict[datetime, bool] = field(default_factory=dict)  # moment -> whether it mentions the role

    def bring(self, story: RoutedStory, at: datetime, hours: Hours) -> None:
        """Put a story to the rule."""
        verdict = ask_rule(story, self.rule)
        if not verdict.passed:
            return
        self.matches.append(Match(story.id, story.title, story.url, at, verdict.reason))
        self.waiting = [post for post in self.waiting if post.at > at]
        case_id = story.case_id
        stood = self.cases.get(case_id or 0)
        standing = Standing(card="none" if stood is None else "posted", stood=stood)
        for kind in messages(story, standing, when=verdict.when, thread=verdict.thread):
            if kind in ("edit", "report"):
                self.counts[kind] += 1
            else:
                self._post(kind, verdict, story.case_id, at, hours)
        if case_id is not None and case_id in self.cases:
            self.cases[case_id] = after((stood, story.status)) or "unknown"

    def _post(self, kind: str, verdict: Verdict, case_id: int | None, at: datetime, hours: Hours) -> None:
        day = day_start(hours.zone, at)
        pings = verdict.ping_role is not None
        when = moment(
            verdict,
            hours,
            at,
            posted_today=self.per_day[day],
            waiting=[post.at for post in self.waiting],
            digests=self.digests,
        )
        if when.gathered:
            for post in self.waiting:
                if post.at == when.at:
                    self._count(post, -1)
                    pings = pings or post.pings
            self.waiting = [post for post in self.waiting if post.at != when.at]
            self.digests[when.at] = self.digests.get(when.at, False) or pings
            return
        if case_id is not None:
            self.cases.setdefault(case_id, "unknown")
        made = _Post(kind, when.at, day, pings)
        self._count(made, 1)
        if when.at > at:
            self.waiting.append(made)

    def _count(self, post: _Post, by: int) -> None:
        self.counts[post.kind] += by
        self.counts["ping"] += by * post.pings
        self.per_day[post.day] += by

    def told(self, days: int, seen: int) -> RulePreview:
        """Give the counts."""
        return RulePreview(
            days=days,
            seen=seen,
            matched=len(self.matches),
            alerts=self.counts["card"],
            updates=self.counts["update"],
            reports=self.counts["report"],
            edits=self.counts["edit"],
            digests=len(self.digests),
            pings=self.counts["ping"] + sum(self.digests.values()),
            busiest_day=max(self.per_day.values(), default=0),
            last=tuple(reversed(self.matches[-_LAST:])),
        )
