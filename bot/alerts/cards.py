"""A card: all that an alert shows, as a frozen value. Pure: stored values in, `Card` out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CardDemand:
    """A demand as a card tells it in one line; empty tuples stand for what the article does not name."""

    issuer: tuple[str, ...]
    recipient: tuple[str, ...]
    target: tuple[str, ...]
    instrument: str
    status: str


@dataclass(frozen=True, slots=True)
class CardSource:
    """A further report of the same matter."""

    title: str
    url: str
    source: str
    published: datetime | None


@dataclass(frozen=True, slots=True)
class Card:
    """One alert. Texts are the article's own words, raw: rendering makes them safe.

    `case_status` is where the case stands now, `status` what this story reports; they differ on a card
    that was posted before the case went on. `is_update`: the card answers the case's first card.
    `mark` is its delivery's nonce, None where nothing is delivered (previews, look-ups).
    """

    story_id: int
    title: str
    url: str
    source: str
    published: datetime | None
    summary: tuple[str, ...]
    topics: tuple[str, ...]
    demands: tuple[CardDemand, ...]
    status: str | None
    case_id: int | None = None
    case_title: str | None = None
    case_status: str | None = None
    sources: tuple[CardSource, ...] = ()
    language: str = "en"
    is_update: bool = False
    style: str = "full"
    ping_role: int | None = None
    mark: str | None = None
