"""Processes that read what waits and deliver what is due, and end when nothing is left to do now.

    async with Nursery() as nursery:
        status = await nursery.live(Run(database_url, api_url, token, kill_at="7"))  # -9: killed

They are forked from one that has lived such a life to its end itself (`rehearse`), so that hundreds of deaths
take a minute: modules, lexicons, patterns and SQL are loaded and compiled, and what is killed is a process of
its own all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import itertools
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import discord
import yarl

from bot.alerts import deliver, steps
from bot.alerts.closed import ClosedTeller
from bot.alerts.deliver import Deliverer
from bot.alerts.ledger import Ledger
from bot.alerts.limiter import TokenBucket
from bot.alerts.publish import Publisher
from bot.alerts.sender import DiscordSender
from bot.errors import QuashError
from bot.feeds.articles import Page
from bot.intake.reading import Reader
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story
from db import restarts
from db.engine import Database
from tests.conftest import ROOT, keep_compiled, share_compiled


@dataclass(frozen=True)
class Run:
    """One life of the process.

    `ahead`: seconds that its clock is ahead, so that a test need not wait. `kill_at`: a step's number, see
    `bot.alerts.steps`. `kill_after`: seconds after which it is killed wherever it is. `swapped`: messages
    are sent before the intent to send them is stored, as they must not be. `gateway`: it is told of channels
    and permissions, as `quash run` is.
    """

    database_url: str
    api_url: str
    token: str
    ahead: float = 0.0
    kill_at: str = ""
    kill_after: float | None = None
    swapped: bool = False
    gateway: bool = False


class Nursery:
    """The process that the others are forked from; an async context manager that ends them all."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 10)
        await self._reading

    async def live(self, run: Run, within: float = 60.0) -> int:
        """Let a process live to its end; gives its exit status (-9: killed).

        One that has not ended by then writes to standard error what it waits for.
        """
        assert self._process.stdin is not None
        number = next(self._numbers)
        ended = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps([number, asdict(run)]).encode() + b"\n")
        try:
            return await asyncio.wait_for(asyncio.shield(ended), within)
        except TimeoutError:
            self._process.stdin.write(json.dumps([number, None]).encode() + b"\n")
            await asyncio.wait({ended}, timeout=5)
            raise

    async def rehearse(self, run: Run, within: float = 240.0) -> int:
        """Let the nursery itself live a life to its end, before any other: later ones begin from there."""
        assert not run.kill_at and run.kill_after is None and not run.swapped
        assert self._process.stdin is not None
        number = next(self._numbers)
        ended = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps([number, {"here": asdict(run)}]).encode() + b"\n")
        return await asyncio.wait_for(ended, within)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            number, status = json.loads(line)
            self._waiting.pop(number).set_result(status)


# ------------------------------------------------------------------------- in the nursery's process


def _serve() -> None:
    """Fork a process for each line that asks for one; end with the input."""
    analyse(Article(title="", body="A court ordered the company to hand over data."))  # loads the lexicons
    _freeze()
    children: dict[int, int] = {}
    buffered = b""
    while True:
        if select.select([0], [], [], 0.01)[0]:
            read = os.read(0, 1 << 16)
            if not read:
                break
            *lines, buffered = (buffered + read).split(b"\n")
            for number, run in map(json.loads, lines):
                if "here" in (run or {}):
                    asyncio.run(_live(Run(**run["here"])))
                    _freeze()
                    print(json.dumps([number, 0]), flush=True)
                    continue
                if run is None:
                    _ask_what_holds_up(pid for pid, of in children.items() if of == number)
                    continue
                pid = os.fork()
                if pid == 0:
                    _child(Run(**run))
                children[pid] = number
        for pid, status in _ended(children):
            print(json.dumps([children.pop(pid), os.waitstatus_to_exitcode(status)]), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _freeze() -> None:
    """Have what all have in common neither looked through nor copied by each."""
    gc.collect()
    gc.freeze()


def _ask_what_holds_up(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGUSR1)


def _ended(children: dict[int, int]) -> Iterator[tuple[int, int]]:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            yield pid, status


def _child(run: Run) -> None:
    status = 1
    try:
        steps.arm(run.kill_at)
        asyncio.run(_live(run))
        status = 0
    except BaseException:  # told here, as nobody above is there to tell it
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stderr.flush()
        os._exit(status)


class SendFirst(Ledger):
    """The wrong order: what is about to be sent is not stored before the request leaves."""

    async def _write(self, session, writing, now):  # type: ignore[no-untyped-def]  # as in `Ledger`
        writing.changes = [change for change in writing.changes if change.get("state") != "sending"]
        await super()._write(session, writing, now)


async def _analyse(article: Article) -> Story:
    return analyse(article)


async def _no_page(url: str) -> Page:
    raise QuashError(f"nobody should fetch {url}: the entry has its text")


def _tell_what_holds_up(*_: object) -> None:
    """Write to standard error what the process does and waits for."""
    faulthandler.dump_traceback(all_threads=True)
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


async def _live(run: Run) -> None:
    signal.signal(signal.SIGUSR1, _tell_what_holds_up)
    if run.kill_after is not None:
        asyncio.get_running_loop().call_later(run.kill_after, os.kill, os.getpid(), signal.SIGKILL)
    if run.swapped:
        deliver.Ledger = SendFirst  # type: ignore[misc,attr-defined]  # the defect that a test must find
    discord.http.Route.BASE = run.api_url
    database = Database(run.database_url)
    share_compiled(database)
    client = discord.Client(
        intents=discord.Intents(guilds=True), max_ratelimit_timeout=60.0, guild_ready_timeout=0.05
    )
    await client.login(run.token)
    connection = await _connect(client) if run.gateway else None

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=run.ahead)

    sender = DiscordSender(client, TokenBucket(1000))
    deliverer = Deliverer(database, sender, clock=clock, poll=0.1)
    reader = Reader(database, _analyse, _no_page, clock=clock, wake=deliverer.wake)
    async with database.write() as session:
        await restarts.note_start(session, clock())
    while await reader.read_new():
        pass
    await deliverer.reopen()
    await deliverer.deliver_due()
    while await Publisher(database, sender, clock).publish_due():
        pass
    await ClosedTeller(database, sender, clock=clock).tell()
    await client.close()
    if connection is not None:
        await connection
    await database.close()
    keep_compiled(database)


async def _connect(client: discord.Client) -> asyncio.Task[None]:
    """Connect to the gateway, and wait until it has told of the servers."""
    _, address, _ = await client.http.get_bot_gateway()
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address)
    connection = asyncio.create_task(client.connect(reconnect=False))
    await asyncio.wait_for(client.wait_until_ready(), 30)
    return connection


if __name__ == "__main__":
    _serve()
