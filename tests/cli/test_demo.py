"""`quash demo` as someone meets it who tries Quash for the first time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.cli.test_cli import quash
from tests.conftest import ROOT


def test_the_week_goes_by_whatever_the_own_bot_is_set_to_and_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_FEEDS_PER_GUILD=1\nFETCH_MAX_BYTES=1024\n")
    (scratch := tmp_path / "scratch").mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "demo"],
        stdin=subprocess.PIPE,  # stays open, as a terminal does
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        text=True,
    ) as demo:
        assert demo.stdout is not None and demo.stderr is not None
        guard = threading.Timer(100, demo.kill)
        guard.start()
        shown = ""
        for line in demo.stdout:
            shown += line
            if "quit ends" in line:
                break
        demo.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert demo.wait(15) == 0, shown[-2000:]
        guard.cancel()
        assert demo.stderr.read() == ""
    assert time.monotonic() - began < 7
    assert "Day 6 of 6" in shown
    assert list(scratch.glob("quash-demo-*")) == [], "nothing of it is left on the disk"


def test_a_port_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = quash("demo", "--once", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("quash: --port: 127.0.0.1:")
    assert quash("demo", "--port", "70000", folder=tmp_path).status == 2
