"""`quash preview`: the posts that `run` would make of some feeds, with no token and no database of one's own.

It is the same pipeline, on a database in a temporary folder, with a server that wants everything
relevant and a sender that shows instead of sending.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import logs
from bot.alerts import actions
from bot.alerts.cards import Card
from bot.alerts.deliver import Deliverer
from bot.alerts.digests import Digest
from bot.alerts.html import cards_to_html
from bot.alerts.orders import OfOthers
from bot.alerts.terminal import print_card
from bot.bounds import limits_of
from bot.clock import utc_now
from bot.commands.screen import Screen
from bot.errors import QuashError
from bot.feeds.articles import Page, PageFetcher
from bot.feeds.entry_rows import new_entry_row, oldest_first
from bot.feeds.errors import FeedError
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import shown_url
from bot.feeds.limits import FeedLimits
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.intake.analysis import AnalysisPool
from bot.intake.reading import Reader
from bot.opening import open_database
from bot.settings import Settings
from bot.stories.model import Article
from db import feed_looks, feeds, guilds
from db.engine import Database
from db.tables import EntryRow, StoryRow

_GUILD = 1
_CHANNEL = 1
_POSTS = 10  # that are shown unless more are asked for
_OF_EACH = 15  # newest entries that are read of every feed of the bundled list
_OF_NAMED = 100  # and, at least, of one that was named
_MAX_FILE = 50_000_000
# Seconds for reading stories once the time for fetching is over, and what may be added for the last of them.
_READING, _OVERTIME = 2.0, 1.0
_PATIENCE = 10.0  # seconds for the first of them on a busy machine: to show nothing would help nobody
_SAMPLE, _AT_ONCE = 4, 16  # stories that are read first, to see how long they take, and then at a time
_WITH_STORING = 1.2  # times what reading a story takes alone: most of the storing goes on beside it


class PreviewError(QuashError):
    """Something that was to be previewed cannot be."""


class _NoPageError(FetchError):
    """A page could not be had. A preview has no second try: the feed's own words have to do."""

    kind = "preview"


class _Screen:
    """Takes what would be sent, as `bot.alerts.courier.Sender` asks."""

    def __init__(self) -> None:
        self.cards: dict[int, Card] = {}

    async def open_direct(self, user_id: int) -> int:
        return user_id

    async def send(
        self, channel_id: int, card: Card | Digest, *, nonce: str, answers: int | None = None
    ) -> int:
        number = len(self.cards) + 1
        if isinstance(card, Card):
            self.cards[number] = card
        return number

    async def edit(self, channel_id: int, message_id: int, card: Card | Digest) -> None:
        if isinstance(card, Card):
            self.cards[message_id] = card

    async def find(self, channel_id: int, mark: str, *, since: datetime) -> int | None:
        return None

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        return True

    async def kind_of(self, channel_id: int) -> str:
        return "text"

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> int:
        return message_id

    async def open_post(
        self, channel_id: int, card: Card | Digest, *, name: str, topics: Iterable[str]
    ) -> int:
        return await self.send(channel_id, card, nonce="")

    async def find_post(
        self, channel_id: int, mark: str, *, since: datetime, of_others: OfOthers
    ) -> int | None:
        return None

    async def publish(self, channel_id: int, message_id: int) -> None:
        return None

    def publishes(self, channel_id: int) -> bool:
        return False

    def may_post(self, channel_id: int, *, threads: bool = False) -> bool:
        return True

    def may_sleep(self, channel_id: int, guild_id: int) -> bool:
        return False

    def lacks(self, channel_id: int, *, threads: bool = False) -> str:
        return ""


class _Ahead:
    """The clock, moved on once everything is posted, so that edits that wait their minute are shown too."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Show the posts. Status 1 when a feed could not be read; the others are shown all the same."""
    logs.set_up("ERROR", settings.log_format)
    if arguments.replay is not None:
        from bot.commands import replay

        return replay.main(arguments, settings)
    with tempfile.TemporaryDirectory(prefix="quash-preview-") as folder:
        own = replace(settings, database_url=f"sqlite+aiosqlite:///{folder}/preview.db")
        return asyncio.run(_Preview(own, arguments).run())


class _Preview:
    def __init__(self, settings: Settings, arguments: argparse.Namespace) -> None:
        self._settings = settings
        self._arguments = arguments
        self._named: list[str] = arguments.feeds
        self._failed = 0
        self._clock = _Ahead()
        self._began = self._clock()
        self._until = time.monotonic() + settings.fetch_timeout

    async def run(self) -> int:
        limits = limits_of(self._settings)
        async with (
            open_database(self._settings) as database,
            Fetcher(limits) as fetcher,
            ParserPool() as parser,
            AnalysisPool(self._settings.analysis_workers) as analysis,
        ):
            # The process that reads articles starts while the feeds are fetched.
            warming = asyncio.create_task(_warm(analysis))
            try:
                await self._make_guild(database)
                await self._gather(database, fetcher, parser, limits)
                if chosen := await self._choose_entries(database):
                    await warming
            finally:
                warming.cancel()
            pages = PageFetcher(fetcher)

            async def fetch_page(url: str) -> Page:
                try:
                    async with asyncio.timeout(max(0.1, self._until - time.monotonic())):
                        return await pages.fetch_page(url)
                except TimeoutError as error:
                    raise _NoPageError("there was no time left for it") from error
                except FetchError as error:
                    raise _NoPageError(str(error), host=error.host) from error

            reader = Reader(database, analysis.analyse, fetch_page, clock=self._clock)
            await self._read(database, reader, analysis, chosen)
            await self._show(database)
        return int(self._failed > 0)

    async def _make_guild(self, database: Database) -> None:
        async with database.write() as session:
            await guilds.remember(session, _GUILD, self._clock())
        await actions.add_rule(
            database, guild_id=_GUILD, user_id=1, channel_id=_CHANNEL, now=self._clock(), daily_limit=0
        )

    # --------------------------------------------------------------- the feeds

    async def _gather(
        self, database: Database, fetcher: Fetcher, parser: ParserPool, limits: FeedLimits
    ) -> None:
        service = FeedService(database, fetcher, parser, self._clock, limits)
        names = self._named or _bundled()
        files = [n for n in names if "://" not in n and await asyncio.to_thread(Path(n).is_file)]
        addresses = [n for n in names if n not in files]
        await asyncio.gather(*(self._add(database, service, url) for url in addresses))
        for name in files:
            try:
                await self._add_file(database, parser, name)
            except (FeedError, PreviewError) as error:
                self._complain(name, error)

    async def _add(self, database: Database, service: FeedService, url: str) -> None:
        try:
            added = await service.add(url)
            if added.feed_id is None:
                left = max(0.0, self._until - time.monotonic())
                added = await service.add(added.candidates[0].url, seconds=left)
            if added.feed_id is not None:
                async with database.write() as session:
                    # From before the look: what a feed held by then would be history here.
                    await feeds.use(session, [added.feed_id], _GUILD, None, self._began)
        except QuashError as error:
            self._complain(shown_url(url) if "://" in url else url, error)

    async def _add_file(self, database: Database, parser: ParserPool, name: str) -> None:
        address, content = await asyncio.to_thread(_read_file, name)
        feed = await parser.parse(content)
        now = self._clock()
        async with database.write() as session:
            row = {"url": address, "title": feed.title, "added_at": now}
            feed_id = await feeds.add_new(session, row)
            if feed_id is None:
                return  # the same file was named twice
            await feeds.use(session, [feed_id], _GUILD, None, now)
            seen = oldest_first(feed.sightings, now)
            rows = {s.key: new_entry_row(s, feed_id, now, history=None) for s in seen}
            await feed_looks.insert_entries(session, list(rows.values()))

    def _complain(self, name: str, error: QuashError) -> None:
        self._failed += 1
        sentence = " ".join(str(error).split())
        known = sentence.startswith(name)
        print(f"quash: {'' if known else f'{name[:200]}: '}{sentence}", file=sys.stderr)

    async def _choose_entries(self, database: Database) -> list[int]:
        """Choose the newest entries of each feed, and let none wait to be read yet.

        Gives their ids, oldest first.
        """
        most = max(_OF_NAMED, self._arguments.limit or 0) if self._named else _OF_EACH
        date = func.coalesce(EntryRow.published, EntryRow.first_seen)
        chosen: list[int] = []
        taken: Counter[int] = Counter()
        async with database.write() as session:
            await session.execute(update(EntryRow).values(state="read", alert=True))
            newest = select(EntryRow.id, EntryRow.feed_id).order_by(date.desc(), EntryRow.id.desc())
            for entry_id, feed_id in await session.execute(newest):
                taken[feed_id] += 1
                if taken[feed_id] <= most:
                    chosen.append(entry_id)
        return chosen[::-1]

    # -------------------------------------------------------------- the stories

    async def _read(
        self, database: Database, reader: Reader, analysis: AnalysisPool, chosen: Sequence[int]
    ) -> None:
        """Read entries in the order of their dates; where there is no time for all, rather the newest.

        What `run` would do with a story depends on those before it, so the order stays: what there is no time
        for is left out of the front. How long a story takes is known from those that were read, and from the
        newest, which is read ahead for that.
        """
        worked = analysis.worked
        until = max(self._until, time.monotonic()) + _READING
        await _read_ahead(database, analysis, chosen[-1:])
        waiting, done, late = list(chosen), 0, False
        while waiting:
            left = until - time.monotonic()
            each = (analysis.worked - worked) / self._settings.analysis_workers / (1 + done)
            room = max(int(left / max(each * _WITH_STORING, 0.001)), 0 if done else _SAMPLE)
            late = late or room < len(waiting)
            waiting = waiting[max(0, len(waiting) - room) :]
            part = waiting[: _AT_ONCE if done else _SAMPLE]
            waiting = waiting[len(part) :]
            await _let_wait(database, part)
            try:
                async with asyncio.timeout(max(left + _OVERTIME, 0 if done else _PATIENCE)):
                    while await reader.read_new():
                        pass
            except TimeoutError:
                late, waiting = True, []
            done += await _count_read(database, part)
        if late:
            print(
                f"quash: there was time to read {done} of {len(chosen)} stories, the newest before others; "
                f"a longer FETCH_TIMEOUT (now {self._settings.fetch_timeout:g} s) leaves time for more.",
                file=sys.stderr,
            )

    # ---------------------------------------------------------------- the posts

    async def _show(self, database: Database) -> None:
        if self._arguments.json:
            async with database.read() as session:
                lines = await _stories(session, self._arguments.limit)
            print(*lines, sep="\n", end="\n" if lines else "")
            if self._arguments.html is None:
                return
        screen = _Screen()
        deliverer = Deliverer(database, screen, clock=self._clock)
        await deliverer.deliver_due()
        self._clock.by += timedelta(minutes=5)
        await deliverer.deliver_due()
        cards = list(screen.cards.values())
        shown = cards[-(self._arguments.limit or _POSTS) :]
        if self._arguments.html is not None:
            await asyncio.to_thread(_write_file, self._arguments.html, cards_to_html(shown))
        if not self._arguments.json:
            console = Screen()
            for card in shown:
                print_card(console, card)
            before = len(cards) - len(shown)
            left = f"; {before} before them with --limit {len(cards)}" if before else ""
            posts = "1 post" if len(shown) == 1 else f"{len(shown)} posts"
            console.print(f"{posts}{left}", style="dim")


async def _warm(analysis: AnalysisPool) -> None:
    """Have a process loaded; one that cannot be is said of the first article."""
    with contextlib.suppress(QuashError):
        await analysis.analyse(Article(title="", body=""))


def _bundled() -> list[str]:
    from bot.feeds import catalogue

    return [feed.url for feed in catalogue.load()]


async def _read_ahead(database: Database, analysis: AnalysisPool, entry_ids: Sequence[int]) -> None:
    """Read entries for nothing but the time that it takes."""
    query = select(EntryRow.title, EntryRow.summary, EntryRow.content).where(EntryRow.id.in_(entry_ids))
    async with database.read() as session:
        rows = (await session.execute(query)).all()
    for title, *texts in rows:
        body = max(texts, key=len)
        with contextlib.suppress(QuashError):
            await analysis.analyse(Article(title=title, body=body, is_html="<" in body))


async def _let_wait(database: Database, entry_ids: Sequence[int]) -> None:
    async with database.write() as session:
        await session.execute(update(EntryRow).where(EntryRow.id.in_(entry_ids)).values(state="new"))


async def _count_read(database: Database, entry_ids: Sequence[int]) -> int:
    query = select(func.count()).where(EntryRow.id.in_(entry_ids), EntryRow.state == "read")
    async with database.read() as session:
        return (await session.execute(query)).scalar_one()


async def _stories(session: AsyncSession, limit: int | None) -> Sequence[str]:
    rows = await session.scalars(select(StoryRow).order_by(StoryRow.id.desc()).limit(limit))
    lines = []
    for story in reversed(rows.all()):
        case = None if story.case_id is None else str(story.case_id)
        lines.append(json.dumps({**story.analysis, "id": str(story.id), "case": case}, ensure_ascii=False))
    return lines


def _read_file(name: str) -> tuple[str, bytes]:
    """Give a file's address and content."""
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise PreviewError(f"it cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_FILE:
        raise PreviewError(f"it is larger than {_MAX_FILE // 1_000_000} MB.")
    return Path(name).absolute().as_uri(), content


def _write_file(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise PreviewError(f"{path} cannot be written: {error.strerror}.") from error
