"""The messages by which moderators are asked, made when they are sent, as all cards are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.asking import REVIEW_KINDS
from bot.alerts.cards import Card, CardReview, card_from
from bot.alerts.orders import LEASE, SEND_TIMEOUT, Offer, Order
from bot.errors import told
from db import reviews
from db.cards import CardMaterial, CardShelf
from db.deliveries import Claim
from db.lookups import Viewer
from db.tables import DeliveryRow, ReviewRow


@dataclass(frozen=True, slots=True)
class ReviewShelf:
    """The reviews that some deliveries are about, and the messages by which moderators were asked."""

    rows: dict[reviews.Asked, ReviewRow]
    posts: dict[reviews.Asked, DeliveryRow]

    async def order(self, claim: Claim, row: DeliveryRow, shelf: CardShelf, now: datetime) -> Order | str:
        """Make the order for a delivery, or say why there is none. Moderators are asked at any hour: it pings
        nobody."""
        asked = (row.story_id or 0, row.target_id)
        review, post = self.rows.get(asked), row if row.kind == "review" else self.posts.get(asked)
        if review is None:
            return told("Its story is no longer stored.")
        if row.kind == "review" and review.state != "waiting" and row.intent_at is None:
            return told("It was decided before moderators were asked.")
        if row.kind == "decided" and (post is None or post.message_id is None):
            return told("Its message is not on Discord.")
        material = await shelf.get(review.story_id, Viewer(review.guild_id))
        if material is None or post is None:
            return told("Its story is no longer stored.")
        card = review_card(material, review, mark=post.nonce)
        return Order(
            claim=claim,
            delivery_id=row.id,
            kind=row.kind,
            nonce=row.nonce,
            offers=(Offer(card, review.guild_id, row.rule_id, None),),
            attempts=row.attempts + 1,
            unsure_since=row.intent_at,
            send_by=now + LEASE - timedelta(seconds=SEND_TIMEOUT),
            channel_id=row.target_id,
            edits=post.message_id if row.kind == "decided" else None,
            answers=None,
        )


async def read_reviews(session: AsyncSession, rows: Iterable[DeliveryRow]) -> ReviewShelf:
    """Read what deliveries to moderators are made of."""
    asked = [(row.story_id or 0, row.target_id) for row in rows if row.kind in REVIEW_KINDS]
    return ReviewShelf(await reviews.get_asked(session, asked), await reviews.get_posts(session, asked))


def review_card(material: CardMaterial, review: ReviewRow, *, mark: str | None) -> Card:
    """Give a story's card as moderators see it who decide about it."""
    about = CardReview(review.id, review.state, review.until, review.at_end, review.decided_by)
    return card_from(material, mark=mark, words=review.words, review=about)
