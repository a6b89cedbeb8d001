"""Fits what words count for answers: a logistic regression over many measures, few of them in an example."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.stories.word_weights import Measures, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = 300
POWERS = 30


def softmax(sums: Floats) -> Floats:
    """One answer of several: their chances add up to 1."""
    shares: Floats = np.exp(sums - sums.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def each_alone(sums: Floats) -> Floats:
    """Every answer yes or no by itself."""
    chances: Floats = 1 / (1 + np.exp(-sums))
    return chances


def fit(
    rows: Sequence[Measures],
    wanted: Floats,
    counts: Floats,
    answers: Sequence[str],
    *,
    chances: Callable[[Floats], Floats],
    rare: int,
    pull: float,
    slight: float,
    given: Floats | None = None,
) -> Table:
    """Fit what every measure counts for every answer.

    `wanted` holds the chances that the answers should get (examples by answers), `counts` what each example
    counts, `given` what each answer's sum starts from. Measures that fewer than `rare` examples show are not
    weighed; weights are drawn to nothing by `pull`; those below `slight` are left out.
    """
    shown = Counter(name for row in rows for name in row)
    names = sorted(name for name, count in shown.items() if count >= rare)
    values = _Rows(rows, {name: at for at, name in enumerate(names)})
    start = np.zeros_like(wanted) if given is None else given
    share = (counts / counts.sum())[:, None]
    model = _descend(values, wanted, share, start, chances, pull)
    if chances is softmax:
        model -= model.mean(axis=1, keepdims=True)
    model[np.abs(model) < slight] = 0.0
    heavy = np.flatnonzero(np.abs(model).max(axis=1))
    return Table([names[at] for at in heavy], answers, model[heavy].astype(np.float32))


class _Rows:
    """Examples by measures, of which only those that are not nothing are kept."""

    def __init__(self, rows: Sequence[Measures], column: dict[str, int]) -> None:
        held = [
            (at, column[name], value)
            for at, row in enumerate(rows)
            for name, value in row.items()
            if name in column
        ]
        self.shape = (len(rows), len(column))
        self._row = np.array([at for at, _, _ in held], dtype=np.int64)
        self._column = np.array([at for _, at, _ in held], dtype=np.int64)
        self._value = np.array([value for _, _, value in held])

    def sums(self, model: Floats) -> Floats:
        """What every example's measures add up to, by answer."""
        return self._added(model, self._column, self._row, self.shape[0])

    def back(self, errors: Floats) -> Floats:
        """What every measure's examples add up to, by answer."""
        return self._added(errors, self._row, self._column, self.shape[1])

    def _added(self, what: Floats, given: Ints, into: Ints, length: int) -> Floats:
        return np.stack([np.bincount(into, self._value * answer[given], length) for answer in what.T], axis=1)


def _descend(
    rows: _Rows,
    wanted: Floats,
    share: Floats,
    start: Floats,
    chances: Callable[[Floats], Floats],
    pull: float,
) -> Floats:
    """Find what each measure adds to the sum of each answer, by quickened descent (Nesterov)."""
    step = 1 / (0.5 * _widest(rows, share) + pull)
    before = ahead = np.zeros((rows.shape[1], wanted.shape[1]))
    speed = 1.0
    for _ in range(STEPS):
        errors = share * (chances(start + rows.sums(ahead)) - wanted)
        now = ahead - step * (rows.back(errors) + pull * ahead)
        faster = (1 + math.sqrt(1 + 4 * speed * speed)) / 2
        ahead = now + (speed - 1) / faster * (now - before)
        before, speed = now, faster
    return before


def _widest(rows: _Rows, share: Floats) -> float:
    """The largest eigenvalue of the examples' weighed squares, by repeated multiplication."""
    way = np.ones((rows.shape[1], 1))
    length = 1.0
    for _ in range(POWERS):
        way = rows.back(share * rows.sums(way / length))
        length = float(np.linalg.norm(way))
    return 1.05 * length


def write(path: Path, table: Table, *notes: str) -> None:
    """Write a file that `bot.stories.word_weights` reads."""
    lines = [*(f"# {note}" for note in notes), "\t".join(("word", *table.answers))]
    for word, weights in sorted(zip(table.words, table.weights.tolist(), strict=True)):
        counts = (f"{100 * weight:.0f}" for weight in weights)
        lines.append("\t".join((word, *("" if count in ("0", "-0") else count for count in counts))).rstrip())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
