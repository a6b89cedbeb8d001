"""`quash cases`: the operator's view of the cases, and what was put right about them."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.commands.screen import Screen
from bot.errors import QuashError, UsageError
from bot.opening import open_database
from bot.settings import Settings
from db import case_corrections, case_overrides, cases
from db.engine import Database
from db.tables import CaseProposalRow, CaseRow, StoryRow

_SHOWN = 100


class ProposalError(QuashError):
    """A proposal cannot be decided on: says why."""


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb."""
    console = Screen()
    verbs = {"list": _list, "merge": _merge, "split": _split, "proposals": _proposals}
    verb = verbs[arguments.verb]
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


async def _proposals(arguments: argparse.Namespace, settings: Settings, console: Console) -> None:
    if arguments.decision and not arguments.numbers:
        raise UsageError(f"Name the proposals to {arguments.decision}; `quash cases proposals` lists them.")
    async with open_database(settings) as database:
        if arguments.decision:
            await decide_proposals(database, arguments.decision, arguments.numbers)
            console.print(Text(f"{len(arguments.numbers)} decided: {arguments.decision}ed."))
            return
        async with database.read() as session:
            rows = await case_overrides.list_proposals(session, _SHOWN)
            for row in rows:
                await _proposal(session, console, row)
    if not rows:
        console.print("Nothing is proposed.", style="dim")


async def _proposal(session: AsyncSession, console: Console, row: CaseProposalRow) -> None:
    case = await cases.get_case(session, row.case_id)
    other = await cases.get_case(session, row.other_id) if row.other_id else None
    story = await session.get(StoryRow, row.story_id) if row.story_id else None
    console.print(
        Text(f"proposal {row.id}  {row.kind}  {_day(row.at)}  by server {row.guild_id}", style="bold")
    )
    console.print(Text(f"  case {row.case_id}  {case.title if case else 'gone'}"))
    if row.other_id:
        console.print(Text(f"  takes in case {row.other_id}  {other.title if other else 'gone'}"))
    if row.story_id:
        console.print(Text(f"  loses story {row.story_id}  {story.title if story else 'gone'}"))


async def decide_proposals(database: Database, decision: str, numbers: Sequence[int]) -> None:
    """Accept or reject what servers' moderators propose, all named or none; accepting does it."""
    now = datetime.now(UTC)
    async with database.write() as session:
        for number in numbers:
            row = await case_overrides.hold_proposal(session, number)
            if row is None or row.state != "open":
                raise ProposalError(
                    f"There is no open proposal {number}; `quash cases proposals` shows those there are."
                )
            row.state = f"{decision}ed"
            await session.flush()
            if decision == "reject":
                continue
            if row.other_id is not None:
                await case_corrections.merge(session, row.case_id, row.other_id, now)
            elif row.story_id is not None:
                await case_corrections.split(session, row.case_id, [row.story_id], now)


def _head(console: Console, row: CaseRow, stories: int | None = None) -> None:
    told = "" if stories is None else f" · {stories} {'story' if stories == 1 else 'stories'}"
    console.print(Text(f"case {row.id}  {row.title}", style="bold"))
    console.print(Text(f"  {row.status or 'no demand'} · {_day(row.updated)}{told}", style="dim"))


def _day(at: datetime) -> str:
    return at.date().isoformat()
