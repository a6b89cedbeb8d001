"""`quash search`: the same search that `/search` answers, over everything that is stored."""

from __future__ import annotations

import argparse
import asyncio
import json

from rich.console import Console
from rich.text import Text

from bot.commands.screen import Screen
from bot.errors import UsageError
from bot.opening import open_database
from bot.settings import Settings
from bot.stories.model import TOPICS
from db import lookups
from db.lookups import Hits, Viewer
from db.passages import find_passage
from db.tables import StoryRow


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the hits, best first."""
    if arguments.topic is not None and arguments.topic not in TOPICS:
        raise UsageError(f"there is no topic {arguments.topic[:60]!r}; known are {', '.join(TOPICS)}.")
    query = " ".join(arguments.query)
    stories, total, more = asyncio.run(_search(settings, query, arguments.topic, arguments.limit))
    if arguments.json:
        for story in stories:
            case = None if story.case_id is None else str(story.case_id)
            print(json.dumps({**story.analysis, "id": str(story.id), "case": case}, ensure_ascii=False))
        return 0
    console = Screen()
    for story in stories:
        _show(console, story, query)
    counted = f"{len(stories)} of {'at least ' if more else ''}{total}"
    nothing = "Nothing was found."
    if more:
        nothing = "Nothing was found among the newest stories with these words; older ones were left out."
    console.print(counted if stories else nothing, style="dim")
    return 0


async def _search(settings: Settings, query: str, topic: str | None, limit: int) -> Hits:
    async with open_database(settings) as database, database.read() as session:
        return await lookups.search_stories(session, Viewer(operator=True), query, topic=topic, limit=limit)


def _show(console: Console, story: StoryRow, query: str) -> None:
    at = (story.published or story.first_seen).date().isoformat()
    console.print(Text(story.title, style="bold"))
    console.print(Text(f"{story.source} · {at} · {story.status or 'no demand'} · {story.url}", style="dim"))
    found = find_passage(query, summary=story.summary, text=story.text, language=story.language)
    if found is None:  # its title or parties hold the words
        console.print(Text(f"  {' '.join(story.summary)}"))
        return
    passage = Text(found.text)
    for start, end in found.hits:
        passage.stylize("bold", start, end)
    console.print(Text("  ") + passage)
