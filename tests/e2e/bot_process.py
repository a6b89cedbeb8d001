"""`quash run` as a real process, for tests that kill it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.sandbox import StandIn
from tests.conftest import ROOT
from tests.forked import Forked, Forker

_ORPHANED = re.compile(
    r"Traceback \(most recent call last\):\n  File \"<string>\", line 1, in <module>\n"
    r"(?:  .*\n)*?EOFError: Ran out of input\n"
)


class BotProcess:
    """A bot process on a stand-in Discord; an async context manager that ends what it started.

    `forker`: it is forked instead of started from nothing, and its waits are short (`tests.forked`).
    """

    def __init__(
        self,
        discord: StandIn,
        database_url: str,
        folder: Path,
        forker: Forker | None = None,
        **settings: str,
    ) -> None:
        self.discord = discord
        self.forker = forker
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DATABASE_URL": database_url,
            "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
            "FEED_INTERVAL": "1",
            "FEED_INTERVAL_MIN": "1",
            **settings,
        }
        self.folder = folder
        self._log = folder / "bot.log"
        self._killed = False
        self.process: asyncio.subprocess.Process | Forked | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the process and wait until it is on the gateway."""
        await self.spawn()
        assert self.process is not None
        ready = asyncio.ensure_future(self.discord.wait_ready(60))
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        assert not ended.done(), f"it ended with {ended.result()}: {self.log}"
        ended.cancel()
        await ready

    async def run_to_its_end(self) -> int:
        """Start a process that is expected to end by itself; gives its exit status."""
        await self.spawn()
        assert self.process is not None
        return int(await asyncio.wait_for(self.process.wait(), 60))

    async def spawn(self) -> None:
        """Start the process, and wait for nothing."""
        if self.forker is not None:
            self.process = self.forker.start(
                ["run"], folder=self.folder, environment=self.environment, log=self._log, hasty=True
            )
            return
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            stderr=self._log.open("ab"),
        )

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self._killed = True
        self.process.kill()
        await self.process.wait()
        await self.discord.wait_for(lambda d: not d.gateway.connected, 10)

    async def stop(self, within: float = 12) -> int:
        """Ask it to end (SIGTERM); gives its exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), within)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
                raise
        return int(self.process.returncode or 0)

    @property
    def log(self) -> str:
        """What it wrote to standard error so far.

        Without the last words of a child whose parent was killed while it started it: those are Python's, and
        nothing of the bot runs yet that could say it better.
        """
        text = self._log.read_text("utf-8", "replace")
        return _ORPHANED.sub("", text) if self._killed else text
