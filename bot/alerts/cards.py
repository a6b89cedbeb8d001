"""A card: all that an alert shows, as a frozen value. Pure: stored rows in, `Card` out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.words import say, say_number
from db.cards import CardMaterial


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
    published: datetime | None


@dataclass(frozen=True, slots=True)
class CardSaid:
    """Where a server's moderators say that a case stands, and the address that tells so."""

    status: str
    source: str


@dataclass(frozen=True, slots=True)
class CardReview:
    """That a card is shown to moderators who decide about it: the review's number, how it stands
    (`db.tables.ReviewRow`), until when they have, what becomes of it then, and who decided."""

    number: int
    state: str
    until: datetime
    at_end: str
    by: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One alert. Texts are the article's own words, raw: rendering makes them safe.

    `status` is what this story reports, `case_status` where its case stands now; they differ on a card
    that was posted before the case went on. `said` is what moderators say of that, beside what articles
    report. `is_update`: the card answers the case's first card.
    `sources` are the first few further reports, `sources_total` counts all. `mark` is its delivery's
    nonce, None where nothing is delivered (previews, look-ups). `late_since`: when it was due, if it was
    posted much later. `language`: what the card is written in by whoever posts it (not the article's).
    `words` stand in the place of the summary: moderators' own, no quotation. `review`: the card is shown to
    moderators, who decide about it.
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
    said: CardSaid | None = None
    sources: tuple[CardSource, ...] = ()
    sources_total: int = 0
    is_update: bool = False
    style: str = "full"
    ping_role: int | None = None
    mark: str | None = None
    late_since: datetime | None = None
    language: str = "en"
    words: str | None = None
    review: CardReview | None = None

    @property
    def moved_on(self) -> str | None:
        """Where the case stands now, if it went on since this story."""
        return None if self.case_status in (self.status, "unknown") else self.case_status

    @property
    def standing(self) -> str | None:
        """Where the matter stands as far as is known: what the card's colour is taken from."""
        return (self.said.status if self.said else None) or self.moved_on or self.status


@dataclass(frozen=True, slots=True)
class Look:
    """A status to the eye: a sign and a colour (24 bits), never shown without the word."""

    sign: str
    colour: int


# Okabe and Ito's palette, which the colour-blind can tell apart; the sign and the word say the same.
_LOOKS = {
    "issued": Look("▶", 0xE69F00),
    "challenged": Look("⚑", 0x56B4E9),
    "refused": Look("✋", 0x0072B2),
    "complied": Look("✔", 0xD55E00),
    "partly complied": Look("◐", 0xD55E00),
    "withdrawn": Look("↩", 0x009E73),
    "quashed": Look("✘", 0x009E73),
    "upheld": Look("■", 0xCC79A7),
}
NO_STATUS = Look("•", 0x8A8F98)


def look_of(status: str | None) -> Look:
    """Give how a status looks; what is unknown, or no demand at all, is grey."""
    return _LOOKS.get(status or "", NO_STATUS)


def demand_parts(demand: CardDemand) -> tuple[str, ...]:
    """Tell a demand in one line, part by part, raw: "Customs and Border Protection → Twitter",
    "administrative summons", "about @ALT_USCIS", "withdrawn"."""
    who = _names(demand.issuer)
    whom = _names(demand.recipient)
    parts = [f"{who or say('not named')} → {whom or say('not named')}"] if who or whom else []
    parts.append(say(demand.instrument))
    if demand.target:
        parts.append(say("about {target}", target=_names(demand.target)))
    if demand.status != "unknown":
        parts.append(say(demand.status))
    return tuple(parts)


def _names(names: Iterable[str], shown: int = 4) -> str:
    given = list(names)
    more = (
        " " + say_number("and {number} more", "and {number} more", len(given) - shown)
        if len(given) > shown
        else ""
    )
    return ", ".join(given[:shown]) + more


def card_from(
    material: CardMaterial,
    *,
    style: str = "full",
    is_update: bool = False,
    ping_role: int | None = None,
    mark: str | None = None,
    late_since: datetime | None = None,
    words: str | None = None,
    review: CardReview | None = None,
) -> Card:
    """Make a card from what is stored."""
    story, case, said = material.story, material.case, material.override
    return Card(
        story_id=story.id,
        title=story.title,
        url=story.url,
        source=material.source,
        published=story.published,
        summary=tuple(story.summary),
        topics=material.topics,
        demands=tuple(
            CardDemand(tuple(d.issuer), tuple(d.recipient), tuple(d.target), d.instrument, d.status)
            for d in material.demands
        ),
        status=story.status,
        case_id=case.id if case else None,
        case_title=((said.title if said else None) or case.title) if case else None,
        case_status=material.case_status,
        said=CardSaid(said.status, said.source or "") if said and said.status else None,
        sources=tuple(CardSource(s.title, s.url, s.published) for s in material.others),
        sources_total=material.others_total,
        is_update=is_update,
        style=style,
        ping_role=ping_role,
        mark=mark,
        late_since=late_since,
        words=words,
        review=review,
    )
