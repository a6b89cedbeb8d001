"""Labelled sets of articles, as the tools that fit weights read them.

A set is a file in the format of the shared set (../shared/eval/README.md), one article a line.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.record import Recorder
from bot.stories import text
from bot.stories.model import Article, Demand, Document

ROOT = Path(__file__).resolve().parent.parent

Labels = dict[str, Any]


def arguments(about: str | None, writes: Path, *, apart: str, scored: bool = True) -> argparse.ArgumentParser:
    """Give what a tool is called with: its sets, those it is judged on, whether `writes` are written.

    `apart` is what stands for a value of `--apart` in the help; `scored`: the shared set's scorer is needed.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FILE[@COUNTS]", required=True)
    parser.add_argument("--apart", action="append", default=[], metavar=apart)
    if scored:
        parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--write", action="store_true", help=f"write {writes.relative_to(ROOT)}")
    return parser


def labelled(data: Iterable[str]) -> Iterator[tuple[str, str, Labels]]:
    """Read the sets of a command line, each NAME=FILE[@COUNTS]: name, counts and a labelled article."""
    for given in data:
        name, _, rest = given.partition("=")
        path, _, counts = rest.partition("@")
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            yield name, counts, json.loads(line)


def document_of(row: Labels) -> Document:
    """Read the text of a labelled article."""
    return text.read(Article(row["title"] or "", row["text"], source=row.get("source") or ""), Recorder())


def load_scorer(shared: Path) -> ModuleType:
    """Load the shared set's scorer, which compares names of parties."""
    path = shared / "eval" / "score.py"
    spec = importlib.util.spec_from_file_location("shared_scorer", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"The shared set's scorer is not at {path}; say where with --shared.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_json(demand: Demand) -> Labels:
    """A demand as the scorer reads it."""
    return {
        "issuer": list(demand.issuer),
        "recipient": list(demand.recipient),
        "target": list(demand.target),
        "instrument": demand.instrument,
        "status": demand.status,
    }


def matched(scored: list[tuple[float, int, int]], labels: list[Labels], least: float) -> dict[int, Labels]:
    """Pair labels with what was found, the best first. `scored`: score, number of the label, of the found."""
    found: dict[int, Labels] = {}
    used: set[int] = set()
    for score, number, at in sorted(scored, reverse=True):
        if score >= least and number not in used and at not in found:
            used.add(number)
            found[at] = labels[number]
    return found
