"""The sample articles and outlets, as read from `data/*.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher. `dialect`: rss, atom, json or rdf; `full`: its feed holds whole texts."""

    key: str
    title: str
    dialect: str
    full: bool


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """An article. `day` 0 is there from the start; 1 to 6 come while the week goes by."""

    feed: str
    day: int
    slug: str
    author: str
    posted: bool
    title: str
    teaser: str
    paragraphs: tuple[str, ...]


OUTLETS: tuple[Outlet, ...] = (
    Outlet("civic-wire", "The Civic Wire", "rss", full=False),
    Outlet("platform-ledger", "Platform Ledger", "atom", full=False),
    Outlet("open-docket", "Open Docket", "json", full=True),
    Outlet("dispatch-desk", "Dispatch Desk", "rss", full=False),
    Outlet("rights-monitor", "Rights Monitor", "atom", full=True),
    Outlet("harbor-gazette", "Harbor & Hill Gazette", "rdf", full=False),
)

LAST_DAY = 6


def load() -> tuple[SampleArticle, ...]:
    """Read all articles, by day."""
    found: list[SampleArticle] = []
    folder = resources.files("bot.sandbox.web") / "data"
    for name in ("week_1.toml", "week_2.toml", "week_3.toml"):
        for raw in tomllib.loads((folder / name).read_text("utf-8"))["article"]:
            paragraphs = tuple(p.strip() for p in raw.pop("body").split("\n\n") if p.strip())
            found.append(SampleArticle(**raw, paragraphs=paragraphs))
    return tuple(sorted(found, key=lambda a: a.day))
