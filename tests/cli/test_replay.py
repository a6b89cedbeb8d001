"""`quash preview --replay`: a sample of 90 days through three configurations, by the program's own way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import wishes
from bot.commands import replay
from bot.commands.replay import Tally
from tests.conftest import ROOT

_START = datetime(2026, 1, 5, 10, tzinfo=UTC)
# Matters that have nothing in common but their topic.
_SURVEILLANCE = (
    ("Aldmoor police ran a cell-site simulator", "a cell-site simulator", "phones near the harbour"),
    ("Brindle schools watch pupils' laptops", "spying software", "what pupils type at home"),
    ("Corvale buses record every conversation", "hidden microphones", "the talk of passengers"),
    ("Dunmere sheriff bought a drone fleet", "drones with night cameras", "back gardens and roofs"),
    ("Eastwick council reads number plates", "licence plate readers", "the ways of all cars for a year"),
    ("Farrow landlord logs every door", "electronic locks", "when tenants come and go"),
    ("Glenhaven hospital tracked its nurses", "radio badges", "how long nurses rest"),
    ("Hollis border guards copied phones", "forensic extraction boxes", "messages of travellers"),
    ("Inverley stadium scans the crowd", "a network of street cameras", "supporters on their way to matches"),
    ("Jarrow library kept every search", "a logging proxy", "what readers looked up in twelve years"),
    ("Kelso casino profiled its guests", "gait recognition", "how gamblers walk"),
    ("Lundale prison listened to lawyers", "call recorders", "talks between inmates and counsel"),
    ("Mossend airline tracked its crews", "smart watches", "the sleep and pulse of pilots"),
    ("Norwell mall followed shoppers", "wireless beacons", "the paths of customers between shops"),
    ("Oakham church livestreamed confessions", "a forgotten baby monitor", "the sins of parishioners"),
    ("Pendle taxi firm filmed its passengers", "dashboard lenses", "faces of drunk revellers"),
    ("Quarley university graded attention", "eye trackers", "where students look in exams"),
    ("Rushden power company metered lives", "smart meters", "when households cook and shower"),
    ("Selwick hotel bugged its minibars", "pressure sensors", "the thirst of delegates"),
    ("Thornby farm counted its pickers", "implanted chips", "the steps of seasonal workers"),
    ("Upwell theatre rated applause", "thermal imaging", "how warm an audience gets"),
    ("Vennor marina watched its sailors", "sonar buoys", "nightly swims of boat owners"),
    ("Wexcombe zoo spied on visitors", "parrot cages with tape machines", "gossip at the aviary"),
    ("Yarrow gym sold its members' sweat", "spectrometers", "drugs in the perspiration of athletes"),
    ("Zellby ferry read its travellers' tickets", "magnetic readers", "who sails with whom"),
)


def _surveillance(n: int) -> dict[str, str]:
    title, tool, watched = _SURVEILLANCE[n]
    place = title.split()[0]
    return {
        "title": title,
        "text": (
            f"Records of {place} show mass surveillance without a warrant: {tool} collected {watched}. "
            f"Privacy advocates in {place} say that the warrantless surveillance of {watched} is unlawful."
        ),
    }


def _subpoena(status: str) -> dict[str, str]:
    told = {
        "issued": "The district attorney of Kestrel Bay served a subpoena on Reddit for the names of users.",
        "quashed": "A judge quashed the subpoena that the district attorney of Kestrel Bay served on Reddit.",
    }
    ends = {"issued": "seeks names of critics", "quashed": "is quashed"}
    return {
        "title": f"Kestrel Bay prosecutor's subpoena to Reddit {ends[status]}",
        "text": f"{told[status]} It asked for the identity of anonymous critics of the prosecutor. "
        "Lawyers said that the First Amendment protects anonymous speech.",
    }


def _sample() -> list[dict[str, Any]]:
    """A recipe a week, one busy day, and a matter that ends weeks later."""
    made: list[tuple[datetime, dict[str, str]]] = []
    for n in range(len(_SURVEILLANCE)):
        made.append((_START + timedelta(days=40, minutes=10 * n), _surveillance(n)))
    made.append((_START, _subpoena("issued")))
    made.append((_START + timedelta(days=60), _subpoena("quashed")))
    for week in range(12):
        made.append(
            (
                _START + timedelta(weeks=week, days=3),
                {
                    "title": f"Recipe of the week {week}",
                    "text": f"Boil {week + 2} potatoes and serve them with butter and salt.",
                },
            )
        )
    return [
        {
            "id": n,
            "url": f"https://paper.example/{n}",
            "source": f"Paper {n % 3}",
            "published": at.isoformat(),
        }
        | story
        for n, (at, story) in enumerate(made)
    ]


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DISCORD_TOKEN"}
    return subprocess.run(
        [sys.executable, "-m", "bot", "preview", *arguments],
        cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip


def test_a_replay_counts_and_no_channel_gets_more_than_its_limit(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in _sample()]
    assert len(_SURVEILLANCE) > wishes.USUAL_A_DAY
    lines += [json.dumps({"title": "Without a date", "text": "Nobody knows when."}), "no json"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:10]))
    (tmp_path / "b.jsonl").write_text("\n".join(lines[10:]))
    done = _run("--replay", str(tmp_path), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "it has no date" in done.stderr
    assert "it is no JSON" in done.stderr
    everything, limited, pinged = map(json.loads, done.stdout.splitlines())
    for one in (everything, limited, pinged):
        assert one["most_posts_a_day"] <= one["daily_limit"], one
    assert everything["daily_limit"] == wishes.USUAL_A_DAY, "what a new rule has"
    assert everything["most_posts_a_day"] == everything["daily_limit"], "the busy day"
    assert everything["updates"] == 1, "the subpoena that was quashed"
    assert everything["digests"] == 1, "the rest of the busy day"
    assert everything["pings"] == 0
    assert limited["most_posts_a_day"] == limited["daily_limit"] == 5
    assert limited["digests"] == 1, "the rest of the busy day"
    assert limited["alerts"] == 5
    assert pinged["pings"] == 1, "the role is mentioned when the subpoena is quashed, and only then"
    assert pinged["alerts"] + pinged["updates"] < everything["alerts"]


def test_a_story_that_a_file_holds_twice_is_told_once(tmp_path: Path) -> None:
    """It ended the replay with an error of the database; and a line that held U+2028 was no JSON."""
    first, other = _subpoena("issued"), _surveillance(0)
    other["text"] += f"\u2028{other['text']}"
    lines = [
        json.dumps({"url": f"https://paper.example/{url}", "source": source, "published": at, **story},
                   ensure_ascii=False)
        for url, source, at, story in (
            (1, "Paper", "2026-01-05", first),
            (1, "Paper", "2026-01-06", _subpoena("quashed")),  # an edit, of which no feed makes a story
            (1, "Gazette", "2026-01-07", _subpoena("quashed")),
            (2, "Paper", "2026-01-08", other),
        )
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = _run("--replay", str(tmp_path / "a.jsonl"), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "quash: left out of 4 stories: 1, as their sources had others at the same addresses before.\n"
    )
    everything = json.loads(done.stdout.splitlines()[0])
    assert (everything["alerts"], everything["updates"]) == (2, 0)


def test_a_story_of_a_date_to_come_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps(one) for one in (*_sample(), {"title": "T", "text": "T.", "published": "2050-09-30"})]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert len(replay.read_articles(tmp_path, _START + timedelta(days=200))) == len(_sample())
    told = f"line {len(lines)} of a.jsonl is left out: its date, 30 September 2050, is still to come."
    assert told in capsys.readouterr().err


def test_what_cannot_be_replayed_is_said_in_one_line(tmp_path: Path) -> None:
    missing = _run("--replay", str(tmp_path / "no.jsonl"), folder=tmp_path)
    assert missing.returncode == 1
    assert "cannot be read" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1
    both = _run("https://x.example", "--replay", str(tmp_path), folder=tmp_path)
    assert both.returncode == 2


def test_a_limit_that_was_passed_is_told() -> None:
    tally = Tally()
    limited = replay.CONFIGURATIONS[1]
    assert not replay._is_over(limited, tally)
    tally.posts[_START] = 6
    assert replay._is_over(limited, tally)
