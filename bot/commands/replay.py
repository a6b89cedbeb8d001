"""`quash preview --replay`: what 90 days of stories would have brought to three typical servers, counted.

The stories go the whole way: reading, cases, routing, daily limits, digests and delivery are those of `run`,
on a database in a temporary folder, with a clock that is turned from one thing that is due to the next. Only
Discord is not there: what would be sent is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bot.alerts import actions
from bot.alerts.cards import Card
from bot.alerts.deliver import Deliverer
from bot.alerts.digest_view import pinged
from bot.alerts.digests import Digest
from bot.alerts.timing import day_start
from bot.alerts.wishes import USUAL_A_DAY
from bot.clock import utc_now
from bot.commands.analyse import article_from_json
from bot.commands.preview import PreviewError, _Screen
from bot.errors import UsageError
from bot.feeds.articles import Page
from bot.feeds.fetch_errors import FetchError
from bot.feeds.identity import url_key
from bot.intake.analysis import AnalysisPool
from bot.intake.reading import Reader
from bot.opening import open_database
from bot.settings import Settings
from bot.stories.model import Article, Story
from db import feed_looks, feeds, guilds
from db.engine import Database
from db.tables import DestinationRow

DAYS = 90
_MOST_FILE = 200_000_000
_MOST = 20_000  # stories
_FAST = timedelta(days=1)  # that a story's clock may be
_STILL = timedelta(days=8)  # after the last story, in which the last digests come
_ROLE = 1


@dataclass(frozen=True, slots=True)
class Configuration:
    """A typical server: what it is, and its one rule, as `bot.alerts.actions.add_rule` takes it."""

    name: str
    rule: dict[str, Any]

    @property
    def daily_limit(self) -> int:
        """How many posts a day its channel gets at most."""
        return int(self.rule.get("daily_limit", USUAL_A_DAY))


CONFIGURATIONS = (
    Configuration("all topics, at once, as new rules are", {}),
    Configuration(
        "surveillance and encryption, at most 5 posts a day, the rest in a daily digest",
        {"topics": "surveillance, encryption", "daily_limit": 5},
    ),
    Configuration(
        "spyware and legal demands, a role is pinged when one is quashed",
        {"topics": "spyware, legal-demands", "ping_role": _ROLE, "ping_when": "quashed"},
    ),
)


@dataclass(slots=True)
class Tally:
    """What one channel got: messages by kind, pings, and messages and single posts by day (UTC)."""

    counts: Counter[str] = field(default_factory=Counter)
    messages: Counter[datetime] = field(default_factory=Counter)
    posts: Counter[datetime] = field(default_factory=Counter)

    @property
    def busiest(self) -> int:
        """The most messages of a day."""
        return max(self.messages.values(), default=0)

    @property
    def most_posts(self) -> int:
        """The most single posts of a day, which a daily limit is about."""
        return max(self.posts.values(), default=0)

    def note(self, message: Card | Digest, now: datetime) -> None:
        """Count a message."""
        kind = "digest" if isinstance(message, Digest) else "update" if message.is_update else "alert"
        day = day_start("UTC", now)
        self.counts[kind] += 1
        self.counts["ping"] += bool(pinged(message))
        self.messages[day] += 1
        self.posts[day] += kind != "digest"


class _Counting(_Screen):
    """Counts what would be sent, by channel."""

    def __init__(self, clock: _Turned) -> None:
        super().__init__()
        self._clock = clock
        self.tallies: dict[int, Tally] = {}

    async def send(
        self, channel_id: int, card: Card | Digest, *, nonce: str, answers: int | None = None
    ) -> int:
        self.tallies.setdefault(channel_id, Tally()).note(card, self._clock())
        return await super().send(channel_id, card, nonce=nonce, answers=answers)


class _Turned:
    """A clock that is turned."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class _NoPageError(FetchError):
    """A replay asks no site: what its file holds has to do."""

    kind = "replay"


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Replay and print the counts. Status 1 when a channel got more than its limit."""
    if arguments.feeds:
        raise UsageError("--replay takes a file or folder of stories and no feeds; leave one of the two out.")
    articles = read_articles(arguments.replay, utc_now())
    with tempfile.TemporaryDirectory(prefix="quash-replay-") as folder:
        own = replace(settings, database_url=f"sqlite+aiosqlite:///{folder}/replay.db")
        tallies = asyncio.run(_replay(own, articles))
    if arguments.json:
        for one, tally in zip(CONFIGURATIONS, tallies, strict=True):
            print(json.dumps(_figures(one, tally), ensure_ascii=False))
    else:
        _show(articles, tallies)
    return int(any(_is_over(one, tally) for one, tally in zip(CONFIGURATIONS, tallies, strict=True)))


# ------------------------------------------------------------------------ the stories


def read_articles(path: Path, now: datetime) -> list[Article]:
    """Read the stories of the last 90 days of a file of JSON lines, or of all such files in a folder, in the
    order of their dates. One without a date that can be is left out and told of. Raises `PreviewError`."""
    try:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if sum(file.stat().st_size for file in files) > _MOST_FILE:
            raise PreviewError(f"{path} is larger than {_MOST_FILE // 1_000_000} MB.")
        texts = [(file, file.read_text(encoding="utf-8", errors="replace")) for file in files]
    except OSError as error:
        raise PreviewError(f"{path} cannot be read: {error.strerror}.") from error
    dated = [article for file, text in texts for article in _articles(file, text, now)]
    if not dated:
        raise PreviewError(f"{path} holds no story with a date; give JSON lines with title, text, published.")
    last = max(_date(article) for article in dated)
    kept = sorted((each for each in dated if last - _date(each) <= timedelta(days=DAYS)), key=_date)
    once: dict[tuple[str, str], Article] = {}
    for article in kept:
        once.setdefault(_place(article), article)
    if len(once) < len(kept):
        print(
            f"quash: left out of {len(kept)} stories: {len(kept) - len(once)}, as "
            "their sources had others at the same addresses before.",
            file=sys.stderr,
        )
    return list(once.values())[-_MOST:]


def _place(article: Article) -> tuple[str, str]:
    """Give what an entry of a feed is known by."""
    return article.source, article.url


def _articles(file: Path, text: str, now: datetime) -> Iterator[Article]:
    # Not by `splitlines`: a text may hold what that takes for the end of a line, as U+2028.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            article = article_from_json(json.loads(line))
            reason = "" if article.published else "it has no date"
            if article.published and article.published > now + _FAST:  # 90 days before it there is nothing
                reason = f"its date, {article.published:%d %B %Y}, is still to come"
        except (ValueError, RecursionError) as error:
            reason = str(error) if not isinstance(error, json.JSONDecodeError) else "it is no JSON"
        if reason:
            print(f"quash: line {number} of {file.name} is left out: {reason}.", file=sys.stderr)
            continue
        yield article if article.url else replace(article, url=f"https://replay.invalid/{file.stem}/{number}")


def _date(article: Article) -> datetime:
    if article.published is None:
        raise PreviewError("a story without a date cannot be replayed.")
    return article.published


# ------------------------------------------------------------------------ the replay


async def _replay(settings: Settings, articles: Sequence[Article]) -> list[Tally]:
    clock = _Turned(_date(articles[0]) - timedelta(minutes=1))
    screen = _Counting(clock)
    async with open_database(settings) as database, AnalysisPool(settings.analysis_workers) as analysis:
        sources = await _set_up(database, {article.source for article in articles}, clock())
        read = await asyncio.gather(*(analysis.analyse(article) for article in articles))
        known = {_place(article): story for article, story in zip(articles, read, strict=True)}

        async def analysed(article: Article) -> Story:
            return known[_place(article)]

        async def no_page(_: str) -> Page:
            raise _NoPageError("a replay asks no site")

        reader = Reader(database, analysed, no_page, clock=clock)
        deliverer = Deliverer(database, screen, clock=clock)
        for article in articles:
            await _deliver_until(database, deliverer, clock, _date(article))
            async with database.write() as session:
                await feed_looks.insert_entries(session, [_entry(article, sources[article.source], clock())])
            while await reader.read_new():
                pass
        await _deliver_until(database, deliverer, clock, clock() + _STILL)
    return [screen.tallies.get(number, Tally()) for number in range(1, len(CONFIGURATIONS) + 1)]


async def _set_up(database: Database, sources: Iterable[str], now: datetime) -> dict[str, int]:
    """Make the servers, each with its rule and all sources as feeds; gives the feeds by their sources."""
    found: dict[str, int] = {}
    numbers = range(1, len(CONFIGURATIONS) + 1)
    async with database.write() as session:
        for number in numbers:
            await guilds.remember(session, number, now)
        for at, source in enumerate(sorted(sources)):
            row = {"url": f"https://replay.invalid/feeds/{at}", "title": source, "added_at": now}
            found[source] = await feeds.add(session, row)
            for number in numbers:
                await feeds.use(session, [found[source]], number, None, now)
    for number, one in zip(numbers, CONFIGURATIONS, strict=True):
        await actions.add_rule(database, guild_id=number, user_id=1, channel_id=number, now=now, **one.rule)
    return found


def _entry(article: Article, feed_id: int, now: datetime) -> dict[str, Any]:
    return {
        "feed_id": feed_id,
        "key": hashlib.sha256(article.url.encode()).hexdigest(),
        "url": article.url,
        "url_key": url_key(article.url),
        "title": article.title,
        "summary": "",
        "content": article.body,
        "content_hash": "",
        "published": article.published,
        "first_seen": now,
        "alert": True,
        "state": "new",
        "attempts": 0,
    }


async def _deliver_until(database: Database, deliverer: Deliverer, clock: _Turned, until: datetime) -> None:
    """Turn the clock to each moment at which something is due, and deliver it."""
    while True:
        async with database.read() as session:
            due = await session.scalar(
                select(func.min(DestinationRow.next_due)).where(DestinationRow.broken_at.is_(None))
            )
        if due is None or due > until:
            clock.now = max(clock.now, until)
            return
        clock.now = max(clock.now, due)
        await deliverer.deliver_due()


# ------------------------------------------------------------------------ what is told


def _is_over(one: Configuration, tally: Tally) -> bool:
    return tally.most_posts > one.daily_limit


def _figures(one: Configuration, tally: Tally) -> dict[str, Any]:
    return {
        "configuration": one.name,
        **{f"{kind}s": tally.counts[kind] for kind in ("alert", "update", "digest", "ping")},
        "most_messages_a_day": tally.busiest,
        "most_posts_a_day": tally.most_posts,
        "daily_limit": one.daily_limit,
    }


def _show(articles: Sequence[Article], tallies: Sequence[Tally]) -> None:
    first, last = _date(articles[0]), _date(articles[-1])
    console = Console(highlight=False)
    console.print(f"Stories: {len(articles)}, {first:%d %B %Y} to {last:%d %B %Y}")
    table = Table("configuration", "alerts", "updates", "digests", "pings", "most messages a day", "limit")
    for one, tally in zip(CONFIGURATIONS, tallies, strict=True):
        figures = _figures(one, tally)
        kept = f"{one.daily_limit} posts: {'passed' if _is_over(one, tally) else 'kept'}"
        counts = (str(figures[name]) for name in ("alerts", "updates", "digests", "pings"))
        table.add_row(one.name, *counts, str(figures["most_messages_a_day"]), kept)
    console.print(table)
