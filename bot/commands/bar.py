"""A progress bar on a terminal; elsewhere none, and nothing of what draws it is loaded."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar(Protocol):
    """What a command tells of its progress."""

    def update(self, done: int, total: int) -> None:
        """Show that so many of so many are done."""

    def say(self, line: str) -> None:
        """Write a line on standard error, beside the bar."""


@contextlib.contextmanager
def progress(what: str) -> Iterator[Bar]:
    """Show a bar, named by `what`, until the end of the `with` block."""
    if not sys.stderr.isatty():
        yield _NoBar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    ) as drawn:
        yield _Drawn(drawn, drawn.add_task(what, total=None))


class _NoBar:
    def update(self, done: int, total: int) -> None:
        pass

    def say(self, line: str) -> None:
        print(line, file=sys.stderr)


class _Drawn:
    def __init__(self, drawn: Progress, task: TaskID) -> None:
        self._drawn = drawn
        self._task = task

    def update(self, done: int, total: int) -> None:
        self._drawn.update(self._task, completed=done, total=total)

    def say(self, line: str) -> None:
        self._drawn.console.print(line, soft_wrap=True, markup=False)
