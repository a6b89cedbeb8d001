"""`quash feeds`: the operator's own view of the feeds."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.bounds import limits_of
from bot.clock import utc_now
from bot.collector import calm
from bot.commands.bar import progress
from bot.errors import QuashError
from bot.feeds.fetch import Fetcher
from bot.feeds.guard import shown_url
from bot.feeds.reports import LookReport
from bot.feeds.service import FeedService
from bot.feeds.workers import ParserPool
from bot.opening import open_database
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.feeds.opml import FeedList

_WIDE = 5_000  # columns
_TOLD = 20  # addresses that were refused
_CHANGED = ("new", "edited", "failed")


class FileError(QuashError):
    """A file cannot be read or written: says which and why."""


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one verb."""
    return asyncio.run(_run(settings, arguments, VERBS[arguments.verb]))


async def _run(
    settings: Settings,
    arguments: argparse.Namespace,
    verb: Callable[[argparse.Namespace, FeedService], Coroutine[Any, Any, int]],
) -> int:
    async with open_service(settings) as service:
        return await verb(arguments, service)


@contextlib.asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[FeedService]:
    """Open the feeds room alone, on the settings' database."""
    limits = limits_of(settings)
    calm()
    async with open_database(settings) as database, Fetcher(limits) as fetcher, ParserPool() as parser:
        yield FeedService(database, fetcher, parser, utc_now, limits)


async def _list(_: argparse.Namespace, service: FeedService) -> int:
    from rich.table import Table  # the other verbs do without
    from rich.text import Text

    from bot.commands.screen import Screen

    feeds, entries = await service.list(), await service.entry_counts()
    now = utc_now()
    # For other programs each address on one line, however long.
    console = Screen(width=None if sys.stdout.isatty() else _WIDE)
    if not feeds:
        console.print("No feed is stored; `quash feeds add URL` adds one.")
        return 0
    table = Table("id", "feed", "state", "entries", "last change", box=None, header_style="bold")
    for feed in feeds:
        address = shown_url(feed.url)
        # The reason stands below the name, where it has room, and not in a column of its own.
        about = Text(feed.title or address, overflow="fold")
        if feed.title:
            about.append(f"\n{address}", style="dim")
        if feed.failure:
            about.append(f"\n{feed.failure}", style="red")
        about.append(f"\nnext look {feed.next_shown(now)}\n", style="dim")
        changed = feed.last_change_at.strftime("%Y-%m-%d %H:%M") if feed.last_change_at else "never"
        table.add_row(str(feed.id), about, feed.state_shown(now), str(entries.get(feed.id, 0)), changed)
    console.print(table)
    return 0


async def _add(arguments: argparse.Namespace, service: FeedService) -> int:
    failed = 0
    for url in arguments.urls:
        try:
            added = await service.add(url)
        except QuashError as error:
            shown = shown_url(url)
            told = str(error)
            print(f"quash: {told if shown in told else f'{shown}: {told}'}", file=sys.stderr)
            failed = 1
            continue
        number = "" if added.feed_id is None else f"#{added.feed_id} "
        print(f"{number}{added.reason}")
        for candidate in added.candidates:
            print(f"  {shown_url(candidate.url)}  {candidate.title}")
        failed = failed or int(added.feed_id is None)
    return failed


async def _remove(arguments: argparse.Namespace, service: FeedService) -> int:
    failed = 0
    for feed_id in arguments.ids:
        if await service.remove(feed_id):
            print(f"#{feed_id} is removed.")
        else:
            print(
                f"quash: there is no feed with the number {feed_id}; see `quash feeds list`.", file=sys.stderr
            )
            failed = 1
    return failed


async def _undo_move(arguments: argparse.Namespace, service: FeedService) -> int:
    failed = 0
    for feed_id in arguments.ids:
        try:
            address = await service.undo_move(feed_id)
        except QuashError as error:
            print(f"quash: {error}", file=sys.stderr)
            failed = 1
        else:
            print(f"#{feed_id} is looked at under {shown_url(address)} again, and not moved there anew.")
    return failed


async def _import(arguments: argparse.Namespace, service: FeedService) -> int:
    listed = await asyncio.to_thread(_read_list, arguments.file)
    done = 0
    refused: list[tuple[str, str]] = []
    added = known = 0
    with progress("importing") as bar:
        # In parts, so that a list of thousands shows its progress and holds no long transaction.
        for start in range(0, len(listed.feeds), 500):
            part = listed.feeds[start : start + 500]
            result = await service.add_many(part)
            added += result.added
            known += result.known
            refused += result.refused
            done += len(part)
            bar.update(done, len(listed.feeds))
    told = [*listed.problems, *(f"{url}: {reason}" for url, reason in refused)]
    for line in told[:_TOLD]:
        print(f"quash: {line}", file=sys.stderr)
    if len(told) > _TOLD:
        print(f"quash: … and {len(told) - _TOLD} more were refused.", file=sys.stderr)
    print(f"Feeds added: {added}; known already: {known}; refused: {len(told)}.")
    return int(bool(told) or not listed.feeds)


def _read_list(name: str) -> FeedList:
    from bot.feeds.opml import read_list  # a poll round does without lists

    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise FileError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return read_list(content)


async def _export(arguments: argparse.Namespace, service: FeedService) -> int:
    from bot.feeds.opml import ListedFeed, write_opml

    listed = [ListedFeed(f.url, f.title, f.site) for f in await service.list()]
    document = write_opml(listed, title="Feeds of Quash", now=utc_now())
    if arguments.file in (None, "-"):
        sys.stdout.buffer.write(document)
        return 0
    try:
        await asyncio.to_thread(Path(arguments.file).write_bytes, document)
    except OSError as error:
        raise FileError(f"{arguments.file} cannot be written: {error.strerror}.") from error
    print(f"Feeds written to {arguments.file}: {len(listed)}.")
    return 0


async def _check(arguments: argparse.Namespace, service: FeedService) -> int:
    with progress("checking") as bar:

        async def tell(done: int, total: int, report: LookReport) -> None:
            bar.update(done, total)
            name = report.title or shown_url(report.url)
            if report.outcome == "failed":
                bar.say(f"quash: #{report.feed_id} {shown_url(report.url)}: {report.reason}")
            elif report.outcome in _CHANGED or report.outcome == "skipped":
                print(f"#{report.feed_id} {name}: {report.reason}")

        result = await service.check(arguments.ids or None, gap=0, progress=tell)
    stored = await service.count_entries()
    print(
        f"Feeds checked: {len(result.looks)}; with new entries: {result.count('new')} ({result.new}); "
        f"edited: {result.count('edited')}; unchanged: {result.count('unchanged')}; "
        f"failed: {result.count('failed')}. Entries stored: {stored}."
    )
    return int(result.count("failed") > 0)


async def _record(arguments: argparse.Namespace, service: FeedService) -> int:
    feed = arguments.feed.removeprefix("#")
    path = await service.record(int(feed) if feed.isdecimal() and len(feed) < 19 else feed, arguments.folder)
    print(f"Written to {path}; look at what it holds before you share it.")
    return 0


VERBS: dict[str, Callable[[argparse.Namespace, FeedService], Coroutine[Any, Any, int]]] = {
    "list": _list,
    "add": _add,
    "remove": _remove,
    "undo-move": _undo_move,
    "import": _import,
    "export": _export,
    "check": _check,
    "record": _record,
}
