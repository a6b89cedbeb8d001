"""`quash preview` on a site of one's own: what somebody sees who tries Quash before anything is set up."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.feeds.web import serving

_SUMMARY = "Customs and Border Protection withdrew the summons that told Twitter to name a critic."
_ITEM = """<item><title>{title}</title><link>{link}</link><guid>{link}</guid>
<description>{summary}</description><pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate></item>"""


async def _preview(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "preview", *arguments,
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "FETCH_ALLOW_NETWORKS": "127.0.0.0/8"},
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
        status, out, err = await _preview(tmp_path, site.url("/feed"), "--json")
        asked = {request.path for request in site.asked}
    assert set(titles) <= asked, "each page was asked for"
    assert (status, err) == (0, "")
    shown = {story["title"]: story for story in map(json.loads, out.splitlines())}
    assert set(shown) == set(titles.values())
    for path in ("/missing", "/broken"):
        assert shown[titles[path]]["relevant"]
        assert shown[titles[path]]["url"] == site.url(path)
