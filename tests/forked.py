"""`quash` started in no time: forked from a process that has its modules loaded.

    nursery = Forker()
    process = nursery.start(["run"], folder=folder, environment={...}, log=folder / "bot.log")
    status = await process.wait()

A start from nothing is a second of work, most of it Python's reading of modules: a test that kills the
program ten times would do little else. What is killed is a process of its own all the same, with the
environment, the folder and the command line that it would have had.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import itertools
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NoReturn

from tests.conftest import ROOT


class Forked:
    """A process that was forked; what `asyncio.subprocess.Process` can do, as far as tests need it."""

    def __init__(self, pid: int, ended: Future[int]) -> None:
        self.pid = pid
        self.ended = ended

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Wait until it has ended; gives its exit status."""
        return await asyncio.shield(asyncio.wrap_future(self.ended))

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)


class Forker:
    """The process that others are forked from; `close` ends it, and all of them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._pids: dict[int, Future[int]] = {}
        self._ends: dict[int, Future[int]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        hasty: bool = False,
        reads: str = os.devnull,
        writes: str = os.devnull,
    ) -> Forked:
        """Start `quash` with these arguments, standard error added to `log`.

        `hasty`: with short waits. `reads`, `writes`: the files that are standard input and output.
        """
        number = next(self._numbers)
        pid = self._pids[number] = Future()
        ended = self._ends[number] = Future()
        wanted = [number, list(arguments), str(folder), dict(environment), [reads, writes, str(log)], hasty]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()
        return Forked(pid.result(60), ended)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: bytes,
        timeout: float,
        hasty: bool = False,
    ) -> tuple[int, bytes, bytes]:
        """Let `quash` run to its end; gives its exit status, standard output and error."""
        with tempfile.TemporaryDirectory() as name:
            into, out, err = (Path(name, each) for each in ("in", "out", "err"))
            into.write_bytes(stdin)
            process = self.start(
                arguments, folder=folder, environment=environment, log=err, hasty=hasty, reads=str(into),
                writes=str(out),
            )  # fmt: skip
            try:
                status = process.ended.result(timeout)
            finally:
                process.kill()
            return status, out.read_bytes(), err.read_bytes()

    def close(self) -> None:
        """End it, and all that were forked from it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(20)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                what, number, value = json.loads(line)
                (self._pids if what == "pid" else self._ends).pop(number).set_result(value)


# ------------------------------------------------------------------------- in the process that forks


def _serve() -> None:
    """Fork a process for each line that asks for one; end with the input."""
    import bot
    import cogs
    import db

    for package in (bot, cogs, db):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    sys.modules["__main__"] = importlib.import_module("bot.__main__")  # what its own processes import
    gc.collect()
    gc.freeze()  # what all have in common is neither looked through nor copied by each
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, int] = {}
    buffered = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 1 << 16)
        if 0 in ready:
            read = os.read(0, 1 << 16)
            if not read:
                break
            *lines, buffered = (buffered + read).split(b"\n")
            for number, *wanted in map(json.loads, lines):
                pid = os.fork()
                if pid == 0:
                    os.close(woken)
                    os.close(wake)
                    _child(*wanted)
                children[pid] = number
                print(json.dumps(["pid", number, pid]), flush=True)
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                print(json.dumps(["end", children.pop(pid), os.waitstatus_to_exitcode(status)]), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _child(
    arguments: list[str], folder: str, environment: dict[str, str], files: list[str], hasty: bool
) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for its, name in enumerate(files):
            mine = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT if its else os.O_RDONLY)
            os.dup2(mine, its)
            os.close(mine)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["quash", *arguments]
        if hasty:
            hasten(arguments)
        from bot.alerts import steps
        from bot.cli import run

        steps.arm(environment.get("QUASH_KILL_AT", ""))  # which is read when the module is loaded
        run()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:  # told here, as nobody above is there to tell it
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def hasten(arguments: list[str]) -> None:
    """Make waits short that are long for the sake of others, as Discord and the feeds' servers.

    Of a command that ends by itself: the wait for a database that another program holds.
    """
    from bot import app, client, shards
    from db import engine

    if arguments[:1] != ["run"]:
        engine._BUSY_TIMEOUT_MS = 300
        return
    app._FEEDS_EVERY = app._ENTRIES_EVERY = 0.2
    app._NOTICES_EVERY, app._TELLING_LASTS = 0.5, 3.0
    app._HUBS_EVERY = 1.0
    client._SESSION_EVERY = 0.5
    _defaults(client.QuashClient)["servers_within"] = 0.3
    _defaults(shards.ShardKeeper)["lease"] = shards.LEASE / 10


def _defaults(kind: type) -> dict[str, Any]:
    return kind.__init__.__kwdefaults__  # type: ignore[misc]


if __name__ == "__main__":
    _serve()
