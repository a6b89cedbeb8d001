"""What a poll round costs: `quash feeds check` against a bare loop, in the same run.

    python tests/bench/polling.py [--feeds 1000] [--rounds 1]

A server on loopback (a process of its own, not counted) serves feeds of about 74 KB with 25 entries.
Three phases: all new, nothing changed, 5 % with one entry more. The bare loop is an aiohttp GET with the
validators, 64 at once, fastfeedparser, and one bulk insert into SQLite. Counted are the CPU seconds of
whole process trees from start to exit, interpreters and imports included; both sides have their byte code,
as what is installed has. The event loop's longest hold is measured in a run of the same service in a process
that watches its own loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ENTRIES = 25
PHASES = ("cold", "unchanged", "5 % changed")
WORDS = ("the", "court", "order", "asks", "company", "for", "records", "of", "an", "account", "objects")


# ------------------------------------------------------------------------- server


def feed_bytes(number: int, extra: int) -> bytes:
    """Write a feed of about 74 KB; `extra` entries stand in front of the first 25."""
    chance = random.Random(number)
    items = []
    for entry in range(ENTRIES + extra - 1, extra - 1, -1):
        text = " ".join(chance.choices(WORDS, k=560))
        items.append(
            f"<item><title>Report {entry} of paper {number}</title><link>https://p{number}.example/{entry}</link>"
            f"<guid>https://p{number}.example/{entry}</guid><description>{text}</description>"
            f"<pubDate>Mon, {1 + entry % 28:02d} Feb 2026 12:00:00 GMT</pubDate></item>"
        )
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>"
        f"<title>Paper {number}</title><link>https://p{number}.example/</link><description>d</description>"
        f"{''.join(items)}</channel></rss>"
    ).encode()


async def serve(feeds: int) -> None:
    """Serve until killed; `/change` changes every twentieth feed. Prints the port."""
    from aiohttp import web

    bodies = [feed_bytes(number, 0) for number in range(feeds)]
    etags = ['"0"'] * feeds

    async def feed(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        headers = {"ETag": etags[number], "Content-Type": "application/rss+xml"}
        if request.headers.get("If-None-Match") == etags[number]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=bodies[number], headers=headers)

    async def change(request: web.Request) -> web.Response:
        changes = int(request.query["to"])
        for number in range(0, feeds, 20):
            bodies[number] = feed_bytes(number, changes)
            etags[number] = f'"{changes}"'
        return web.Response()

    application = web.Application()
    application.router.add_get("/change", change)
    application.router.add_get("/{number}", feed)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


# ---------------------------------------------------------------------- the bare loop


async def bare(port: int, feeds: int, file: str) -> None:
    """Fetch, parse, insert: the least that a poller can do."""
    import aiohttp
    import fastfeedparser

    database = sqlite3.connect(file)
    database.executescript(
        "CREATE TABLE IF NOT EXISTS feeds (id INTEGER PRIMARY KEY, etag TEXT);"
        "CREATE TABLE IF NOT EXISTS entries (feed INTEGER, id TEXT, title TEXT, link TEXT, published TEXT, "
        "content TEXT, PRIMARY KEY (feed, id));"
    )
    etags = dict(database.execute("SELECT id, etag FROM feeds"))
    turn = asyncio.Semaphore(64)
    rows: list[tuple[object, ...]] = []
    seen: list[tuple[int, str | None]] = []

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        headers = {"If-None-Match": etags[number]} if etags.get(number) else {}
        async with turn, session.get(f"http://127.0.0.1:{port}/{number}", headers=headers) as response:
            if response.status == 304:
                return
            body = await response.read()
            seen.append((number, response.headers.get("ETag")))
        for entry in fastfeedparser.parse(body).entries:
            rows.append(
                (number, entry.get("id"), entry.get("title"), entry.get("link"), entry.get("published"),
                 entry.get("description"))
            )  # fmt: skip

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        await asyncio.gather(*(one(session, number) for number in range(feeds)))
    with database:
        database.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT OR REPLACE INTO feeds VALUES (?, ?)", seen)
    print(database.execute("SELECT count(*) FROM entries").fetchone()[0], "entries are stored.")


# ------------------------------------------------------------------------------- ours


async def watched(file: str) -> None:
    """One round of the service, with an eye on its event loop."""
    import ipaddress

    from bot.clock import utc_now
    from bot.collector import calm
    from bot.feeds.fetch import Fetcher
    from bot.feeds.limits import FeedLimits
    from bot.feeds.service import FeedService
    from bot.feeds.workers import ParserPool
    from db.engine import Database

    longest = {"wall": 0.0, "cpu": 0.0}
    run: Callable[[asyncio.Handle], object] = asyncio.events.Handle._run

    def timed(handle: asyncio.Handle) -> object:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return run(handle)
        finally:
            longest["wall"] = max(longest["wall"], time.perf_counter() - wall)
            longest["cpu"] = max(longest["cpu"], time.thread_time() - cpu)

    limits = FeedLimits(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), per_host=64)
    database = Database(f"sqlite+aiosqlite:///{file}")
    calm()
    async with Fetcher(limits) as fetcher, ParserPool() as parser:
        service = FeedService(database, fetcher, parser, utc_now, limits)
        asyncio.events.Handle._run = timed  # type: ignore[method-assign]  # how else to see every callback
        started = time.perf_counter()
        await service.check(gap=0)
        seconds = time.perf_counter() - started
        asyncio.events.Handle._run = run  # type: ignore[assignment,method-assign]
    await database.close()
    print(json.dumps({"longest": longest, "seconds": seconds}))


# ------------------------------------------------------------------------- measuring


class Tree:
    """Runs a command and takes its CPU seconds, those of the processes that it waited for included.

    As the kernel counts them at the end. Looking into /proc now and then loses what a process does after the
    last look, which on a busy machine is a tenth of a short one.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, start_new_session=True, text=True, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        self.output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        self.wall = time.perf_counter() - started
        self.cpu = usage.ru_utime + usage.ru_stime
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}")


def measure(feeds: int) -> dict[str, dict[str, float]]:
    """Run all phases once; gives CPU seconds by phase and contestant."""
    folder = Path(tempfile.mkdtemp(prefix="quash-bench-"))
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", "--feeds", str(feeds)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        environment = os.environ | {
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/quash.db",
            "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
            "FETCH_PER_HOST": "64",
            "LOG_LEVEL": "WARNING",
        }
        addresses = folder / "feeds.txt"
        addresses.write_text("".join(f"http://127.0.0.1:{port}/{number}\n" for number in range(feeds)))
        _compile()
        quash = [sys.executable, "-m", "bot", "feeds"]
        loop = [sys.executable, "-m", "tests.bench.polling", "bare", f"--port={port}", f"--feeds={feeds}"]
        subprocess.run([*quash, "import", str(addresses)], env=environment, cwd=ROOT, check=True)
        shutil.copy(folder / "quash.db", folder / "watched.db")
        figures = {}
        for number, phase in enumerate(PHASES):
            if number == 2:
                _change(port, 1)
            ours = Tree([*quash, "check"], environment)
            theirs = Tree([*loop, "--file", str(folder / "bare.db")], environment)
            hold = Tree(
                [sys.executable, __file__, "watched", "--file", str(folder / "watched.db")], environment
            )
            seen = json.loads(hold.output.splitlines()[-1])
            print(f"{phase}: {ours.output.splitlines()[-1]} | bare loop: {theirs.output.strip()}")
            figures[phase] = {
                "quash": ours.cpu,
                "loop": theirs.cpu,
                "quash wall": ours.wall,
                "loop wall": theirs.wall,
                "hold": seen["longest"]["wall"],
                "hold cpu": seen["longest"]["cpu"],
            }
        return figures
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _compile() -> None:
    """Write the byte code of the checkout, as an installation does.

    Where Python may not write it (PYTHONDONTWRITEBYTECODE) or a file was changed since, each start compiles
    anew: 0.13 s and more that no user pays.
    """
    packages = ("bot", "db", "cogs", "tests/bench")
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], cwd=ROOT, check=True)


def _change(port: int, to: int) -> None:
    import urllib.request

    urllib.request.urlopen(f"http://127.0.0.1:{port}/change?to={to}").read()


def report(rounds: list[dict[str, dict[str, float]]]) -> None:
    """Print the best of the rounds for each figure: what the machine can do when nothing else runs."""
    print(f"{'phase':<12} {'quash':>8} {'loop':>8} {'ratio':>6}   {'wall':>7}   longest hold (of it CPU)")
    for phase in PHASES:
        best = {name: min(figures[phase][name] for figures in rounds) for name in rounds[0][phase]}
        print(
            f"{phase:<12} {best['quash']:6.2f} s {best['loop']:6.2f} s {best['quash'] / best['loop']:6.2f}   "
            f"{best['quash wall']:5.1f} s   {best['hold'] * 1000:.0f} ms ({best['hold cpu'] * 1000:.0f} ms)"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="measure a poll round")
    parser.add_argument("part", nargs="?", default="all", choices=["all", "serve", "bare", "watched"])
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--file", default="")
    arguments = parser.parse_args()
    if arguments.part == "serve":
        asyncio.run(serve(arguments.feeds))
    elif arguments.part == "bare":
        asyncio.run(bare(arguments.port, arguments.feeds, arguments.file))
    elif arguments.part == "watched":
        asyncio.run(watched(arguments.file))
    else:
        report([measure(arguments.feeds) for _ in range(arguments.rounds)])


if __name__ == "__main__":
    main()
