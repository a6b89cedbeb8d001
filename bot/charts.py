"""The chart of `/trends`, drawn in a process of its own: matplotlib is large, and drawing is CPU work.

The process is started for a chart and ends when none was asked for in a while, so that an idle bot stays
small. Colours are Okabe and Ito's, which the colour-blind can tell apart; every line also has a marker of its
own and its name below. Legible on Discord's light and dark themes: it brings its own light ground.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from bot import children
from bot.errors import QuashError, told

_DEADLINE = 30.0  # seconds for one chart; the first has to load matplotlib
_IDLE = 120.0  # seconds after which the process ends
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
_MARKERS = "osD^vPX"
_MOST_LABELS = 7  # below the chart, in one line
MOST_LINES = len(_COLOURS)


class ChartError(QuashError):
    """A chart could not be drawn."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over parts of time: `parts` are the labels below, each line has one number a part."""

    title: str
    unit: str
    parts: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]


def draw(chart: Chart) -> bytes:
    """Draw a chart as PNG, 1,200 by 900 pixels, with letters that can be read on a phone."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 6), dpi=150, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    places = range(len(chart.parts))
    for (name, numbers), colour, sign in zip(chart.lines, _COLOURS, _MARKERS, strict=False):
        axes.plot(places, numbers, color=colour, marker=sign, markersize=8, linewidth=2.5, label=name)
    axes.set_title(chart.title, fontsize=18, loc="left", pad=12)
    axes.set_ylabel(chart.unit, fontsize=14)
    step = -(-len(chart.parts) // _MOST_LABELS)
    axes.set_xticks(list(places)[::step], chart.parts[::step], fontsize=14)
    axes.tick_params(axis="y", labelsize=14)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.grid(axis="y", color="#dddddd")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if chart.lines:
        figure.legend(fontsize=14, frameon=False, loc="outside lower left", ncols=3)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


class ChartRoom:
    """Draws charts, one at a time."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._drawing = asyncio.Lock()
        self._ending: asyncio.TimerHandle | None = None

    async def draw(self, chart: Chart) -> bytes:
        """Draw a chart as PNG. Raises `ChartError`."""
        async with self._drawing:
            if self._ending is not None:
                self._ending.cancel()
            # "spawn": a fork of a process with threads and an event loop may hang.
            pool = self._pool = self._pool or ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn"), initializer=children.obey_parent
            )
            try:
                return await asyncio.wait_for(asyncio.wrap_future(pool.submit(draw, chart)), _DEADLINE)
            except (TimeoutError, BrokenProcessPool) as error:
                self.close(kill=True)
                raise ChartError(
                    told("The chart could not be drawn this time; the figures stand without it.")
                ) from error
            finally:
                self._ending = asyncio.get_running_loop().call_later(_IDLE, self.close)

    async def end(self) -> None:
        """End the process for good, whatever it draws."""
        pool = self._forget()
        if pool is not None:
            await children.end(pool)

    def close(self, *, kill: bool = False) -> None:
        """End the process; what it draws at the moment is lost only when it is killed."""
        pool = self._forget()
        if pool is not None:
            children.abandon(pool, kill=kill)

    def _forget(self) -> ProcessPoolExecutor | None:
        if self._ending is not None:
            self._ending.cancel()
        pool, self._pool, self._ending = self._pool, None, None
        return pool
