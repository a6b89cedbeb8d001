"""What an idle bot takes: `python tests/bench/idle.py [--guilds 1000] [--channels 50] [--seconds 30]`.

Starts a stand-in for Discord with so many servers, each with so many channels, and `quash run` on SQLite
with all roles in one process; waits until all servers are there and so many seconds more. Prints one JSON
line: the memory of the bot's process and of all that it started (parsers, readers of articles, their
servers), in MB: `rss` counts pages that processes share in each of them, `pss` once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.fanout import TOKEN, process, said, world  # noqa: E402 - after the path


def children_of(pid: int) -> list[int]:
    """Give a process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children_of(int(child))
    return found


def name_of(pid: int) -> str:
    """Give the beginning of a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:80]


def memory_of(pid: int) -> tuple[float, float]:
    """Give the resident memory of a process and its share of it, in MB."""
    figures = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        figures[name] = int(value.split()[0]) / 1024
    return figures["Rss"], figures["Pss"]


async def measure(guilds: int, channels: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Start it all, wait, look."""
    described = folder / "world.json"
    described.write_text(json.dumps(world(guilds * channels, guilds)), encoding="utf-8")
    async with process("-m", "bot.sandbox", "--token", TOKEN, "--world", str(described)) as standin:
        about = await said(standin)
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run",
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DISCORD_TOKEN": TOKEN,
                "DISCORD_API_URL": about["api_url"],
                "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/quash.db",
            },
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert bot.stderr is not None
        try:
            async for line in bot.stderr:
                sys.stderr.write(line.decode())
                if f"in {guilds} servers" in line.decode():
                    break
            await asyncio.sleep(seconds)
            processes = [(name_of(pid), *memory_of(pid)) for pid in children_of(bot.pid)]
        finally:
            bot.send_signal(signal.SIGTERM)
            await asyncio.wait_for(bot.wait(), 30)
    return {
        "guilds": guilds,
        "channels": guilds * channels,
        "rss": round(sum(rss for _, rss, _ in processes), 1),
        "pss": round(sum(pss for _, _, pss in processes), 1),
        "processes": [(name, round(rss, 1), round(pss, 1)) for name, rss, pss in processes],
    }


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--guilds", type=int, default=1000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quash-idle-") as name:
        print(
            json.dumps(
                asyncio.run(measure(arguments.guilds, arguments.channels, arguments.seconds, Path(name)))
            )
        )


if __name__ == "__main__":
    main()
