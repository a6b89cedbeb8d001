"""`quash cases`: the operator's view of the cases, and what was put right about them."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from bot.opening import open_database
from bot.settings import Settings
from db import case_corrections, cases
from db.tables import CaseRow


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb."""
    console = Console(highlight=False)
    verb = {"list": _list, "merge": _merge, "split": _split}[arguments.verb]
    asyncio.run(verb(arguments, settings, console))
    return 0


async def _list(arguments: argparse.Namespace, settings: Settings, console: Console) -> None:
    words = " ".join(arguments.words)
    async with open_database(settings) as database, database.read() as session:
        row = await cases.get_case(session, int(words)) if words.isdecimal() and len(words) < 18 else None
        if row is not None:
            _head(console, row)
            for report in await cases.status_history(session, row.id):
                by = f" · first told by {report.story.source or report.story.url}" if report.story else ""
                console.print(Text(f"  {_day(report.at)}  {report.status}{by}"))
            for story in await cases.get_stories(session, row.id):
                day = _day(story.published or story.first_seen)
                console.print(Text(f"  story {story.id}  {day}  {story.source}: {story.title}", style="dim"))
            return
        listed = await cases.list_cases(session, words, arguments.limit)
    for row, stories in listed:
        _head(console, row, stories)
    if not listed:
        console.print("No case was found.", style="dim")


async def _merge(arguments: argparse.Namespace, settings: Settings, console: Console) -> None:
    async with open_database(settings) as database, database.write() as session:
        row = await case_corrections.merge(session, arguments.into, arguments.other, datetime.now(UTC))
    console.print(Text(f"Case {arguments.other} is now part of case {row.id}, “{row.title}”."))
    console.print(Text("Later stories about either go there.", style="dim"))


async def _split(arguments: argparse.Namespace, settings: Settings, console: Console) -> None:
    async with open_database(settings) as database, database.write() as session:
        row = await case_corrections.split(
            session, arguments.case, arguments.stories, datetime.now(UTC), arguments.title
        )
    console.print(Text(f"Case {row.id}, “{row.title}”, now stands apart from case {arguments.case}."))


def _head(console: Console, row: CaseRow, stories: int | None = None) -> None:
    told = "" if stories is None else f" · {stories} {'story' if stories == 1 else 'stories'}"
    console.print(Text(f"case {row.id}  {row.title}", style="bold"))
    console.print(Text(f"  {row.status or 'no demand'} · {_day(row.updated)}{told}", style="dim"))


def _day(at: datetime) -> str:
    return at.date().isoformat()
