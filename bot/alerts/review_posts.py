"""The messages by which moderators are asked, made when they are sent, as all cards are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.asking import REVIEW_KINDS
from bot.alerts.cards import Card, CardReview, card_from
from bot.alerts.orders import Offer, Order
from bot.errors import told
from db import reviews
from db.cards import CardMaterial, CardShelf
from db.deliveries import GIVEN_UP, Claim
from db.lookups import Viewer
from db.tables import DeliveryRow, ReviewRow

_LATE = timedelta(minutes=10)  # after which moderators were not asked at once


@dataclass(frozen=True, slots=True)
class ReviewShelf:
    """The reviews that some deliveries are about, and the messages by which moderators were asked."""

    rows: dict[reviews.Asked, ReviewRow]
    posts: dict[reviews.Asked, DeliveryRow]
    hours: dict[tuple[int, int], int]

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
        card = review_card(material, review, post, until=until(review, post, self.hours, now))
        offer = Offer(card, review.guild_id, row.rule_id, None)
        order = Order.of(claim, row, (offer,), now, channel_id=row.target_id)
        return replace(order, edits=post.message_id) if row.kind == "decided" else order


async def read_reviews(session: AsyncSession, rows: Iterable[DeliveryRow]) -> ReviewShelf:
    """Read what deliveries to moderators are made of."""
    asked = [(row.story_id or 0, row.target_id) for row in rows if row.kind in REVIEW_KINDS]
    found, posts = await reviews.get_asked(session, asked), await reviews.get_posts(session, asked)
    return ReviewShelf(found, posts, await reviews.get_hours(session, found.values()))


def until(
    review: ReviewRow,
    post: DeliveryRow | None,
    hours: Mapping[tuple[int, int], int],
    now: datetime | None = None,
    pauses: Iterable[tuple[datetime, datetime]] = (),
) -> datetime:
    """Tell until when moderators have.

    Who was asked late, as the channel took nothing or the bot was away, has all of the rules' time (`hours`)
    from then on before a story is dropped; nor do pauses count in which a click would have done nothing.
    `post` is the message by which they are asked; `now` stands for the moment of asking where they are not
    asked yet.
    """
    whole = hours.get((review.guild_id, review.channel_id))
    if review.at_end != "drop" or whole is None or post is None or post.state in GIVEN_UP:
        return review.until
    asked = post.sent_at or now
    if asked is None:
        return review.until
    missed = sum((ends - max(began, asked) for began, ends in pauses if ends > asked), timedelta())
    if not missed and asked - review.created_at <= _LATE:
        return review.until
    return max(review.until, asked + timedelta(hours=whole) + missed)


def review_card(
    material: CardMaterial, review: ReviewRow, post: DeliveryRow | None, *, until: datetime
) -> Card:
    """Give a story's card as moderators see it who decide about it; `post` is its message."""
    about = CardReview(review.id, review.state, until, review.at_end, review.decided_by)
    return card_from(material, mark=post.nonce if post else None, words=review.words, review=about)
