"""The end of a process the way systemd ends it: SIGTERM to it and to all its children at once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from bot.feeds.workers import ParserPool
from bot.intake.analysis import AnalysisPool
from bot.stories.model import Article

_FEED = b"""<rss version="2.0"><channel><title>Wire</title><item><title>News</title>
<link>https://example.org/1</link></item></channel></rss>"""
_ARTICLE = Article(
    title="The FBI served Google with a subpoena", body="The FBI served Google with a subpoena."
)


def _end_children() -> int:
    ended = 0
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGTERM)
                ended += 1
    return ended


async def test_what_is_being_read_is_read_to_its_end() -> None:
    """Else each stop puts a feed on record as failing, and an article off."""
    async with ParserPool(1) as parser, AnalysisPool(1) as analysis:
        await asyncio.gather(parser.parse(_FEED), analysis.analyse(_ARTICLE))  # both have started
        assert _end_children() == 2
        await asyncio.sleep(0.3)
        feed, story = await asyncio.gather(parser.parse(_FEED), analysis.analyse(_ARTICLE))
    assert len(feed.sightings) == 1
    assert story.relevant
