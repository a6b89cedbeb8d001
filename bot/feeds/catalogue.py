"""The feeds that come with Quash: real feeds of the field, by country, language and topic."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class CatalogueFeed:
    """A feed of the catalogue.

    `topics` are what it mostly reports on; `country` is an ISO 3166-1 code in lower case, "eu" or "int";
    `language` an ISO 639-1 code.
    """

    name: str
    url: str
    site: str
    topics: tuple[str, ...]
    country: str
    language: str


@lru_cache(maxsize=1)
def load() -> tuple[CatalogueFeed, ...]:
    """Give the catalogue, as it stands in `data/catalogue.toml`."""
    text = resources.files("bot.feeds").joinpath("data/catalogue.toml").read_text(encoding="utf-8")
    return tuple(
        CatalogueFeed(
            name=row["name"],
            url=row["url"],
            site=row["site"],
            topics=tuple(row["topics"]),
            country=row["country"],
            language=row["language"],
        )
        for row in tomllib.loads(text)["feed"]
    )


@lru_cache(maxsize=1)
def urls() -> frozenset[str]:
    """Give the addresses of the catalogue: of feeds that may be shown to everybody, whoever added them."""
    return frozenset(feed.url for feed in load())
