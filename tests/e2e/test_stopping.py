"""The end of a process the way systemd ends it: SIGTERM to it and to all its children at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.feeds.workers import ParserPool
from bot.intake.analysis import AnalysisPool
from bot.stories.model import Article
from tests.conftest import ROOT

_FEED = b"""<rss version="2.0"><channel><title>Wire</title><item><title>News</title>
<link>https://example.org/1</link></item></channel></rss>"""
_ARTICLE = Article(
    title="The FBI served Google with a subpoena", body="The FBI served Google with a subpoena."
)


def _end_children() -> int:
    ended = 0
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"resource_tracker" not in line and b"tests.forked" not in line:
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


@pytest.mark.parametrize("end", ["await room.end()", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_no_process_that_draws_charts_is_left_behind(tmp_path: Path, end: str) -> None:
    (tmp_path / "bot_that_ends.py").write_text(_DRAWS.format(end=end))
    with subprocess.Popen(
        [sys.executable, "bot_that_ends.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        child = Path(f"/proc/{program.stdout.readline().strip()}")
        program.wait(60)
        for _ in range(100):
            if not child.exists():
                break
            time.sleep(0.1)
        left = child.exists()
        if left:
            os.kill(int(child.name), signal.SIGKILL)
        assert not left
        if end.startswith("await"):
            assert program.stderr.read() == ""


_DRAWS = """
import asyncio, os, signal
from bot.charts import Chart, ChartRoom

async def main():
    room = ChartRoom()
    await room.draw(Chart("title", "unit", ("a", "b"), (("line", (1, 2)),)))
    print(next(iter(room._pool._processes)), flush=True)
    {end}

if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)
"""
