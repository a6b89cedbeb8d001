"""Recordings: what a server sent comes back byte for byte, and is read as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.feeds.errors import FeedError
from bot.feeds.parse import parse_feed
from bot.feeds.record import RecordingError, read_recording, write_recording
from tests.feeds.web import daily, rss
from tests.feeds.world import Clock, world


async def test_a_recording_replays_what_the_server_sent(tmp_path: Path, clock: Clock) -> None:
    async with world(clock) as w:
        body = rss(daily(3, clock.now)).encode()
        w.site.say("/new", body=body, headers={"ETag": '"ü"', "Set-Cookie": "secret=1"})
        w.site.say(status=301, headers={"Location": "/new"})
        await w.service.add(w.site.url())
        before = await w.feed()
        path = await w.service.record(1, tmp_path)
        assert w.site.asked[-1]["If-None-Match"] is None
        assert (await w.feed()).next_look == before.next_look
    replayed = read_recording(path)
    assert (replayed.body, replayed.status, replayed.etag) == (body, 200, '"ü"')
    assert [hop.status for hop in replayed.hops] == [301]
    assert "secret" not in path.read_text()
    feed = parse_feed(replayed.body, url=replayed.url, content_type=replayed.content_type)
    assert len(feed.entries) == 3
    again = tmp_path / "again.json"
    write_recording(again, replayed)
    assert read_recording(again) == replayed


async def test_no_recording_before_retry_after(tmp_path: Path, clock: Clock) -> None:
    async with world(clock) as w:
        w.site.say(body=rss(daily(3, clock.now)))
        await w.service.add(w.site.url())
        w.site.say(status=429, headers={"Retry-After": "600"})
        await w.service.check(gap=0)
        asked = len(w.site.asked)
        with pytest.raises(FeedError, match="asked to wait"):
            await w.service.record(1, tmp_path)
        assert len(w.site.asked) == asked
        with pytest.raises(FeedError, match="no feed with the number 9"):
            await w.service.record(9, tmp_path)


async def test_a_recording_holds_no_keys(tmp_path: Path, clock: Clock) -> None:
    """A key in the address is hidden there and wherever the answer repeats it, at the same length."""
    async with world(clock) as w:
        own = w.site.url("/feed?user=anna&token=s3cr3t%21abc&page=2")
        more = f"<item><link>{own.replace('&', '&amp;')}</link><title>x</title></item>"
        w.site.say(body=rss(daily(1, clock.now), more=more), headers={"Link": f'<{own}>; rel="self"'})
        path = await w.service.record(own, tmp_path / "new folder")
    replayed = read_recording(path)
    assert b"s3cr3t" not in path.read_bytes() + replayed.body
    assert replayed.asked == replayed.url == own.replace("s3cr3t%21abc", "x" * 10)
    assert replayed.headers["Link"] == f'<{own.replace("s3cr3t%21abc", "x" * 12)}>; rel="self"'
    assert b"user=anna&amp;token=xxxxxxxxxxxx&amp;page=2" in replayed.body
    again = tmp_path / "again.json"
    write_recording(again, replayed)
    assert read_recording(again) == replayed


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"quash_recording": 1}', "\x00", '{"quash_recording": 2}'])
def test_what_is_no_recording_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(RecordingError):
        read_recording(path)
    with pytest.raises(RecordingError):
        read_recording(tmp_path / "missing.json")
