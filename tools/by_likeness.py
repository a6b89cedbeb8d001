"""Fits weights of words, of which there are far more than examples: on the examples' likeness to each other.

What a word counts is the sum, over the examples that hold it, of what each example adds to an answer; so it
is enough to find the latter. Needs numpy, which the program itself does not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.stories.word_weights import Measures, Table

Floats = NDArray[np.float64]

STEPS = 200


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
    column = {name: at for at, name in enumerate(names)}
    values = np.zeros((len(rows), len(names)))
    for at, row in enumerate(rows):
        for name, value in row.items():
            if name in column:
                values[at, column[name]] = value
    start = np.zeros_like(wanted) if given is None else given
    share = (counts / counts.sum())[:, None]
    model = values.T @ _descend(values @ values.T, wanted, share, start, chances, pull)
    if chances is softmax:
        model -= model.mean(axis=1, keepdims=True)
    found: Table = {}
    for name, line in zip(names, model, strict=True):
        heavy = {a: float(w) for a, w in zip(answers, line, strict=True) if abs(w) >= slight}
        if heavy:
            found[name] = heavy
    return found


def _descend(
    alike: Floats,
    wanted: Floats,
    share: Floats,
    start: Floats,
    chances: Callable[[Floats], Floats],
    pull: float,
) -> Floats:
    """Find what each example adds to the sum of each answer, by quickened descent (Nesterov)."""
    widest = float(np.linalg.eigvalsh(alike)[-1])
    step = 1 / (0.5 * widest * float(share.max()) + pull)
    before = ahead = np.zeros_like(wanted)
    speed = 1.0
    for _ in range(STEPS):
        now = ahead - step * (share * (chances(start + alike @ ahead) - wanted) + pull * ahead)
        faster = (1 + math.sqrt(1 + 4 * speed * speed)) / 2
        ahead = now + (speed - 1) / faster * (now - before)
        before, speed = now, faster
    return before


def write(path: Path, table: Table, answers: Sequence[str], *notes: str) -> None:
    """Write a file that `bot.stories.word_weights` reads."""
    lines = [*(f"# {note}" for note in notes), "\t".join(("word", *answers))]
    for name in sorted(table):
        counts = (f"{100 * table[name].get(answer, 0):.0f}" for answer in answers)
        lines.append("\t".join((name, *("" if count in ("0", "-0") else count for count in counts))).rstrip())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
