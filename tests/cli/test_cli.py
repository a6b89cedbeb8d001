"""The command line as a user meets it: exit statuses, one line on standard error, never a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox import StandIn
from tests.conftest import ROOT, SHARED
from tests.forked import Forker


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str


def quash(
    *arguments: str,
    folder: Path,
    stdin: str | bytes = "",
    timeout: float = 60,
    forker: Forker | None = None,
    **environment: str,
) -> Ran:
    """Run a command to its end. `forker`: without the work of a start; each command has one start without."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **environment}
    if forker is not None:
        status, out, err = forker.run(
            arguments, folder=folder, environment=environment, stdin=given, timeout=timeout, hasty=True
        )
        ran = Ran(status, out.decode(), err.decode())
    else:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            input=given,
            capture_output=True,
            cwd=folder,
            env=environment,
            timeout=timeout,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ran.err
    return ran


def test_version_and_help_answer_at_once(tmp_path: Path) -> None:
    """By the CPU's time of the program that was started: other work on the machine is not its doing."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    for argument in ("--version", "--help"):
        took = []
        for _ in range(3):
            began = used()
            assert quash(argument, folder=tmp_path).status == 0
            took.append(used() - began)
        assert min(took) < 0.3


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    heavy = ("discord", "sqlalchemy", "lxml", "aiohttp")
    code = f"import sys, bot.cli; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("feeds",),
        ("run", "--role", "king"),
        ("preview", "--limit", "0"),
        ("analyse",),
        ("feeds", "remove", "99999999999999999999"),
        ("cases", "merge", "1", "99999999999999999999"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = quash(*arguments, folder=tmp_path)
    assert ran.status == 2
    assert ran.err.startswith("quash: ")
    assert ran.err.count("\n") == 1


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    ran = quash("feeds", "list", folder=tmp_path, FEED_INTERVAL="soon")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("quash: FEED_INTERVAL: 'soon' is not allowed")


def test_run_without_a_token_says_where_to_get_one(tmp_path: Path) -> None:
    ran = quash("run", folder=tmp_path)
    assert ran.status == 2
    assert "DISCORD_TOKEN" in ran.err
    assert ran.err.count("\n") == 1


async def test_a_token_that_discord_refuses_ends_the_program(tmp_path: Path) -> None:
    import asyncio

    async with StandIn() as discord:
        ran = await asyncio.to_thread(
            quash, "run", folder=tmp_path, DISCORD_TOKEN="wrong.token.here", DISCORD_API_URL=discord.api_url
        )
    assert ran.status == 2
    assert "DISCORD_TOKEN" in ran.err
    assert "wrong.token.here" not in ran.err
    assert ran.err.count("\n") == 1


def test_a_database_that_cannot_be_opened(tmp_path: Path, forker: Forker) -> None:
    ran = quash(
        "feeds",
        "list",
        folder=tmp_path,
        forker=forker,
        DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/no/quash.db",
    )
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    (tmp_path / "words.db").write_text("this is no database " * 100)
    ran = quash(
        "feeds",
        "list",
        folder=tmp_path,
        forker=forker,
        DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/words.db",
    )
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert (tmp_path / "words.db").read_text().startswith("this is no database")


@pytest.mark.parametrize(
    "address",
    ["quash.db", "mysql://h/n", "postgresql+asyncpg://u@h", "postgresql+asyncpg://u:geheim@h:port/n"],
)
def test_an_address_of_no_database_is_wrong_configuration(
    tmp_path: Path, address: str, forker: Forker
) -> None:
    """Status 2: whoever starts it again and again need not."""
    ran = quash("run", folder=tmp_path, forker=forker, DISCORD_TOKEN="t", DATABASE_URL=address)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("quash: DATABASE_URL is no database address; allowed are")
    assert "geheim" not in ran.err


def test_a_database_that_another_program_holds_is_one_sentence(tmp_path: Path, forker: Forker) -> None:
    assert quash("feeds", "list", folder=tmp_path, forker=forker).status == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "quash.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = quash("feeds", "remove", "1", folder=tmp_path, forker=forker)
    assert ran.status == 1
    assert ran.err.splitlines()[-1] == (
        "quash: The database does not do its work (database is locked); try again when it does."
    )
    assert "SQL" not in ran.err


def test_a_damaged_file_is_told_as_that(tmp_path: Path, migrated_sqlite: Path, forker: Forker) -> None:
    file = tmp_path / "quash.db"
    shutil.copyfile(migrated_sqlite, file)
    with contextlib.closing(sqlite3.connect(file)) as opened:
        opened.execute(
            "INSERT INTO feeds (url, title, site, public, state, added_at, next_reason, claim, failures, "
            "memory) VALUES ('https://periwinkle.example', '', '', 0, 'active', '2026-01-01', '', 0, 0, '{}')"
        )
        opened.commit()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    while (at := content.find(b"periwinkle")) >= 0:
        content[at - at % size : at - at % size + size] = b"\xff" * size
    file.write_bytes(content)
    ran = quash("feeds", "list", folder=tmp_path, forker=forker)
    assert ran.status == 1
    assert ran.err.startswith("quash: The database file is damaged (database disk image is malformed);")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("verb", [("backup", "copy.db"), ("check",), ("current",)], ids=" ".join)
def test_looking_in_the_wrong_folder_says_so_and_makes_nothing(
    tmp_path: Path, verb: tuple[str, ...], forker: Forker
) -> None:
    ran = quash("db", *verb, folder=tmp_path, forker=forker)
    assert ran.status == 1
    assert ran.err.startswith("quash: There is no database quash.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_newer_than_the_program(tmp_path: Path, forker: Forker) -> None:
    assert quash("db", "upgrade", folder=tmp_path, forker=forker).status == 0
    with sqlite3.connect(tmp_path / "quash.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    ran = quash("feeds", "list", folder=tmp_path, forker=forker)
    assert ran.status == 1
    assert "newer Quash" in ran.err
    assert "9999" in quash("db", "current", folder=tmp_path, forker=forker).out


def test_analyse_reads_files_and_says_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Court orders chat firm to unmask user\n\n"
        "A court in Denver has ordered the chat service Discord to hand over the name of a user who had "
        "criticised the sheriff. Discord refused to comply with the order and will appeal."
    )
    ran = quash("analyse", "a.txt", "missing.txt", "--json", folder=tmp_path)
    assert ran.status == 1
    assert "missing.txt cannot be read" in ran.err
    (line,) = ran.out.splitlines()
    story = json.loads(line)
    assert story["relevant"]
    assert "legal-demands" in {t["topic"] for t in story["topics"]}
    shown = quash("analyse", "a.txt", folder=tmp_path)
    assert "legal-demands" in shown.out


def test_analyse_jsonl_answers_every_line_in_order(tmp_path: Path, forker: Forker) -> None:
    lines = [
        {"id": "b", "title": "Soup", "text": "We made soup. It was good soup."},
        {
            "id": 7,
            "html": "<p>The FBI served Google with a search warrant for a user's emails.</p>",
        },
        {
            "id": "half a pair \ud83d",
            "title": "The half \ud83d of a sign",
            "published": "0001-01-01T00:00:00+01:00",
        },
    ]
    ran = quash(
        "analyse",
        "--jsonl",
        folder=tmp_path,
        forker=forker,
        stdin="\n".join(map(json.dumps, lines)) + "\nnonsense\n",
    )
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [a["id"] for a in answers] == ["b", 7, "half a pair \ud83d", None]
    assert answers[0]["relevant"] is False
    assert ran.status == 1
    assert "line 4" in ran.err


@pytest.mark.skipif(not SHARED.is_dir(), reason="the articles to check against lie outside the project")
def test_the_five_seed_articles(tmp_path: Path, forker: Forker) -> None:
    seeds = sorted((SHARED / "seeds").glob("*.txt"))
    ran = quash("analyse", *map(str, seeds), "--json", folder=tmp_path, forker=forker)
    assert ran.status == 0, ran.err
    cbp, journal, dhs, dataminr, isis = (json.loads(line) for line in ran.out.splitlines())

    assert cbp["relevant"]
    assert {"legal-demands", "anonymity"} <= {t["topic"] for t in cbp["topics"]}
    (demand,) = cbp["demands"]
    issuers = demand["issuer"] if isinstance(demand["issuer"], list) else [demand["issuer"]]
    assert set(issuers) & {"Customs and Border Protection", "Department of Homeland Security"}
    assert (demand["recipient"], demand["target"]) == ("Twitter", "@ALT_USCIS")
    assert demand["instrument"] in ("administrative summons",)
    assert demand["status"] == "withdrawn"
    assert cbp["case"] == journal["case"]

    (demand,) = dhs["demands"]
    assert set(demand["recipient"]) >= {"Google", "Meta", "Reddit", "Discord"}
    assert demand["instrument"] == "administrative subpoena"
    assert demand["status"] in ("partly complied", "complied")

    assert {"surveillance", "data-brokers"} <= {t["topic"] for t in dataminr["topics"]}
    roles = {p["name"]: p["role"] for p in dataminr["parties"]}
    assert "vendor" in {roles.get("Twitter"), roles.get("Dataminr")}
    assert "buyer" in {roles.get("Secret Service"), roles.get("law enforcement")}
    assert not [d for d in dataminr["demands"] if "subpoena" in d["instrument"]]

    assert "platform-moderation" in {t["topic"] for t in isis["topics"]}
    assert isis["demands"] == []

    for story in (cbp, journal, dhs, dataminr, isis):
        summary = " ".join(story["summary"])
        assert 40 < len(summary) <= 320
        for clutter in (
            "Advertisement",
            "Related",
            "Updated on",
            "Photo courtesy",
            "This weekend you can get",
        ):
            assert clutter not in summary


def test_sigterm_leaves_no_folder_behind(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text("<rss/>")
    program = [sys.executable, "-m", "bot", "preview", "feed.xml"]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(program, cwd=tmp_path, env=environment) as process:
        while not list(tmp_path.glob("quash-*")):
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == -signal.SIGTERM
    assert not list(tmp_path.glob("quash-*"))


def test_what_a_library_logs_is_no_traceback(tmp_path: Path) -> None:
    """SQLAlchemy does at a SIGTERM that comes while connections are closed."""
    program = (
        "import logging; from bot import cli; from bot.commands import cases; odd = OSError('x');"
        "cases.main = lambda *_: logging.getLogger('sqlalchemy.pool').error('odd', exc_info=odd) or 0;"
        "cli.main(['cases', 'list'])"
    )
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert b"odd (OSError: x)" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "analyse", "--jsonl"],
            input=b'{"title": "a"}',
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"No space left" in done.stderr and b"Quash itself" not in done.stderr


def test_feeds_are_added_listed_exported_imported_and_removed(tmp_path: Path) -> None:
    long = f"https://example.org/{'feed/' * 20}"
    (tmp_path / "list.txt").write_text(f"{long}\nhttps://example.com/rss\nnot an address\n")
    imported = quash("feeds", "import", "list.txt", folder=tmp_path)
    assert (imported.status, imported.err) == (1, "quash: not an address is no http or https address.\n")
    assert "Feeds added: 2; known already: 0; refused: 1." in imported.out
    listed = quash("feeds", "list", folder=tmp_path)
    assert long in listed.out
    assert "active" in listed.out
    assert "next look now: never looked at so far" in listed.out
    exported = quash("feeds", "export", "all.opml", folder=tmp_path)
    assert exported.status == 0
    assert "https://example.com/rss" in (tmp_path / "all.opml").read_text()
    assert quash("feeds", "remove", "1", folder=tmp_path).status == 0
    gone = quash("feeds", "remove", "1", folder=tmp_path)
    assert (gone.status, "no feed with the number 1" in gone.err) == (1, True)


def test_search_of_an_empty_store(tmp_path: Path) -> None:
    ran = quash("search", 'summons "border', "-x", "NEAR(", folder=tmp_path)
    assert (ran.status, ran.out.strip()) in ((0, "Nothing was found."), (2, ""))


def test_a_feed_is_recorded_and_a_failed_check_is_one_line(tmp_path: Path, forker: Forker) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            loopback = {"folder": tmp_path, "forker": forker, "FETCH_ALLOW_NETWORKS": "127.0.0.0/8"}
            assert quash("feeds", "add", f"{address}/feed", **loopback).status == 0
            for feed in ("1", "#1", f"{address}/feed"):
                recorded = quash("feeds", "record", feed, "kept", **loopback)
                assert (recorded.status, recorded.err) == (0, "")
                path = tmp_path / recorded.out.removeprefix("Written to ").partition(";")[0]
                assert json.loads(path.read_text())["status"] == 200
            for wrong in ("7", "http://10.0.0.1/feed", "mailto:x@y"):
                refused = quash("feeds", "record", wrong, **loopback)
                assert (refused.status, refused.err.count("\n")) == (1, 1)
            imported = quash("feeds", "import", "-", stdin=f"{address}/{'long/' * 20}", **loopback)
            assert imported.status == 0
            checked = quash("feeds", "check", "2", **loopback)
            assert (checked.status, checked.err.count("\n")) == (1, 1)
        finally:
            server.kill()


_SERVER = """
import asyncio
from tests.feeds.web import rss, serving

async def main():
    async with serving() as site:
        site.say(body=rss(["a"]))
        print(site.port, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
