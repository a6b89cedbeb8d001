"""What the parts of delivery hand to each other: orders to send, and what came of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerts.cards import Card
from bot.alerts.digests import Digest
from db.deliveries import Claim
from db.tables import DeliveryRow

SEND_TIMEOUT = 60.0  # seconds for one order with all of discord.py's own retries and waits
LEASE = timedelta(seconds=90)  # of a destination: longer than SEND_TIMEOUT, shorter than the nonce's window

OfOthers = Callable[[Collection[int]], Awaitable[set[int]]]
"""Tells of some message ids which are stored as those of other deliveries."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A card or a digest, and by whose wish it is for its destination."""

    card: Card | Digest
    guild_id: int
    rule_id: int | None
    subscription_id: int | None


@dataclass(frozen=True, slots=True)
class CaseThread:
    """Where a rule that opens threads wants a case's messages.

    `thread_id`: the thread as far as it is known. `head`: the case's first card in the channel, of which the
    thread is made where it is not known. `opens`: whether a card that is posted in the channel gets a thread
    (a story without a case does not; in a forum everything is a post of its own).
    """

    thread_id: int | None
    head: int | None
    opens: bool


NO_THREAD = CaseThread(thread_id=None, head=None, opens=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message on Discord; `thread_id` is the case's thread, `publish` whether it is to be published."""

    channel_id: int
    message_id: int
    thread_id: int | None = None
    publish: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A message whose intent is stored.

    `offers`: a channel's first wish that holds; all that hold of a member, who gets the first of a server
    that the member is in. `unsure_since`: when an earlier request left whose outcome is not known.
    `send_by`: later than that nothing leaves, because the lease might end first. `channel_id` is None until
    a direct message channel is opened. `edits` is the message that an edit is for, `answers` the one that
    an update replies to. `thread`: None where no threads are wanted. `in_forum`: the same for a channel that
    is a forum, which takes posts only, whatever is wanted. `perhaps_in`: threads where an earlier request may
    have gone, whatever is wanted by now.
    """

    claim: Claim
    delivery_id: int
    kind: str
    nonce: str
    offers: tuple[Offer, ...]
    attempts: int
    unsure_since: datetime | None
    send_by: datetime
    channel_id: int | None
    edits: int | None = None
    answers: int | None = None
    thread: CaseThread | None = None
    in_forum: CaseThread = NO_THREAD
    perhaps_in: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        claim: Claim,
        row: DeliveryRow,
        offers: tuple[Offer, ...],
        now: datetime,
        *,
        channel_id: int | None,
    ) -> Order:
        """Make the order for the next try of a delivery, as a message of its own beside all threads."""
        return cls(
            claim=claim,
            delivery_id=row.id,
            kind=row.kind,
            nonce=row.nonce,
            offers=offers,
            attempts=row.attempts + 1,
            unsure_since=row.intent_at,
            send_by=now + LEASE - timedelta(seconds=SEND_TIMEOUT),
            channel_id=channel_id,
        )

    @property
    def guilds(self) -> set[int]:
        """The servers by whose wish it is."""
        return {offer.guild_id for offer in self.offers}

    def said_in(self, languages: Mapping[int, str]) -> Order:
        """Give the order with each offer in its server's language."""
        offers = (
            replace(offer, card=replace(offer.card, language=languages.get(offer.guild_id, "en")))
            for offer in self.offers
        )
        return replace(self, offers=tuple(offers))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: a message by an offer, or an error (a `SendError`, `TokenRefusedError`, or a
    defect of ours), or neither: nobody may be sent it any more, for the reason `skipped`. `lost_answer`: a
    try before the one that the error is about may have posted it."""

    order: Order
    at: datetime
    offer: Offer | None = None
    posted: Posted | None = None
    error: Exception | None = None
    skipped: str = ""
    lost_answer: bool = False
