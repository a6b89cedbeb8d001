"""`quash preview` on a site of one's own: what somebody sees who tries Quash before anything is set up."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.feeds.web import serving

_SUMMARY = "Customs and Border Protection withdrew the summons that told Twitter to name a critic."
_ITEM = """<item><title>{title}</title><link>{link}</link><guid>{link}</guid>
<description>{summary}</description><pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate></item>"""


async def _preview(folder: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "preview", *arguments,
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "FETCH_ALLOW_NETWORKS": "127.0.0.0/8"} | settings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return int(process.returncode or 0), out.decode(), err.decode()


async def test_a_story_whose_page_cannot_be_had_is_shown_from_the_feeds_own_words(tmp_path: Path) -> None:
    """Its entry would be tried again by `run`; a preview has no later, and showed nothing of it."""
    titles = {
        "/missing": "Agency withdraws summons for the names behind a critical account",
        "/broken": "Prosecutor drops subpoena for the names of anonymous critics of a mayor",
        "/there": "Court quashes subpoena that asked Reddit who its anonymous users are",
    }
    async with serving() as site:
        items = "".join(
            _ITEM.format(title=title, link=site.url(path), summary=_SUMMARY) for path, title in titles.items()
        )
        site.say("/feed", body=f"<rss version='2.0'><channel><title>Paper</title>{items}</channel></rss>")
        site.say("/broken", status=503)
        page = f"<html><body><article><p>{_SUMMARY}</p></article></body></html>"
        site.say("/there", body=page, headers={"Content-Type": "text/html"})
        html = tmp_path / "posts.html"
        status, out, err = await _preview(tmp_path, site.url("/feed"), "--json", "--html", str(html))
        asked = {request.path for request in site.asked}
    assert set(titles) <= asked, "each page was asked for"
    assert (status, err) == (0, "")
    shown = {story["title"]: story for story in map(json.loads, out.splitlines())}
    assert set(shown) == set(titles.values())
    for path in ("/missing", "/broken"):
        assert shown[titles[path]]["relevant"]
        assert shown[titles[path]]["url"] == site.url(path)
    assert all(title in html.read_text("utf-8") for title in titles.values()), "each has its post"


async def test_where_there_is_no_time_for_all_stories_the_newest_are_shown(tmp_path: Path) -> None:
    """A hundred long stories took half a minute, whatever time was set."""
    text = f"{_SUMMARY} The company told the account holder. " * 300
    items = "".join(
        f"<item><title>Report {number}</title><guid>{number}</guid><description>{text}</description>"
        f"<pubDate>Mon, 23 Nov 2026 09:{number:02d}:00 GMT</pubDate></item>"
        for number in range(60)
    )
    feed = tmp_path / "long.xml"
    feed.write_text(f"<rss version='2.0'><channel><title>Paper</title>{items}</channel></rss>")
    status, out, err = await _preview(tmp_path, str(feed), "--json", FETCH_TIMEOUT="1")
    said = re.fullmatch(
        r"quash: there was time to read (\d+) of 60 stories, the newest before others; "
        r"a longer FETCH_TIMEOUT \(now 1 s\) leaves time for more\.\n",
        err,
    )
    assert status == 0
    assert said is not None, err
    shown = [json.loads(line)["title"] for line in out.splitlines()]
    assert 0 < len(shown) == int(said[1])
    numbers = [int(title.removeprefix("Report ")) for title in shown]
    assert numbers == sorted(numbers), "in the order of their dates"
    assert numbers[0] > 0, "the oldest are left out"


async def test_a_saved_feed_is_read_in_the_order_of_its_dates(tmp_path: Path) -> None:
    """As `run` would: what comes of a story depends on those before it. A file was read from its top.

    Of more than are asked for the newest are shown.
    """
    items = "".join(
        f"<item><title>Report {number}</title><guid>{number}</guid>"
        f"<description>{_SUMMARY}</description>{date}</item>"
        for number, date in (
            (4, ""),
            (3, "<pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate>"),
            (1, "<pubDate>Mon, 23 Nov 2026 07:00:00 GMT</pubDate>"),
            (2, "<pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate>"),
        )
    )
    feed = tmp_path / "saved.xml"
    feed.write_text(f"<rss version='2.0'><channel><title>Paper</title>{items}</channel></rss>")
    # Named twice, which ended in an error of the database.
    status, out, err = await _preview(tmp_path, str(feed), "saved.xml", "--json", "--limit", "3")
    assert (status, err) == (0, "")
    assert [json.loads(line)["title"] for line in out.splitlines()] == [f"Report {n}" for n in (2, 3, 4)]
