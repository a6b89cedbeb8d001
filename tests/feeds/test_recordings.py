"""Recorded answers, replayed by a server on loopback through the whole of a look.

A recording is made with `quash feeds record FEED tests/feeds/recordings`; what must come of it stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.feeds.errors import FeedError
from bot.feeds.fetch import Response
from bot.feeds.memory import from_json
from bot.feeds.record import read_recording
from tests.conftest import TurnedClock
from tests.feeds.web import Site
from tests.feeds.world import world

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Outcome:
    """What comes of a recording: titles as stored (oldest first), or the sentence that a person hears."""

    feed: str = ""
    titles: tuple[str, ...] = ()
    etag: str | None = None
    hub: str | None = None
    error: str = ""


OUTCOMES = {
    "latin1-gzip": Outcome(
        "La Gazette des Libertés",
        ("Écoutes : le juge exige un décompte", "L'opérateur a livré les « métadonnées » & se tait"),
        etag='W/"a1-gzip"',
    ),
    "moved-atom-with-hub": Outcome(
        "Ledger of Requests",
        ("A gag order ends", "Three <b> subpoenas in a week"),
        hub="https://hub.example/",
    ),
    "json-as-text": Outcome("Town Watch", ("Cameras over the market", "")),
    "cut-off": Outcome("Courts & Cables", ("Search & seizure of a phone",)),
    "consent-page": Outcome(error="names no feed"),
    "busy": Outcome(error="fault of its own"),
}


def play(site: Site, recorded: Response) -> str:
    """Let a site answer as recorded, redirects included; gives the address to ask."""
    places = [urlsplit(url).path for url in (recorded.asked, *(hop.url for hop in recorded.hops))]
    for place, hop in zip(places, recorded.hops, strict=False):
        site.say(place, status=hop.status, headers={"Location": urlsplit(hop.url).path})
    kept = {"content-type", "etag", "last-modified", "link", "cache-control", "expires", "retry-after"}
    headers = {name: value for name, value in recorded.headers.items() if name.lower() in kept}
    site.say(places[-1], status=recorded.status, body=recorded.body, headers=headers)
    return site.url(places[0])


def test_every_recording_has_its_outcome() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
async def test_a_recording_is_read_as_it_was(name: str, clock: TurnedClock) -> None:
    expected = OUTCOMES[name]
    clock.turn(days=268)  # to the time of the recordings
    async with world(clock) as w:
        address = play(w.site, read_recording(FOLDER / f"{name}.json"))
        if expected.error:
            with pytest.raises(FeedError, match=expected.error):
                await w.service.add(address)
            assert await w.service.list() == []
            return
        await w.service.add(address)
        row = await w.feed()
        entries = await w.entries()
        assert (row.title, tuple(entry.title for entry in entries)) == (expected.feed, expected.titles)
        assert (row.etag, from_json(row.memory).hub) == (expected.etag, expected.hub)
        assert all(entry.url.startswith("https://") for entry in entries)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_recording_holds_no_cookie_and_no_key(path: Path) -> None:
    text = path.read_text().lower()
    assert "cookie" not in text
    assert "0123456789abcdef" not in text
