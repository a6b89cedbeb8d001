"""What is gathered for digests. A digest itself is a delivery of the kind "digest"."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base


class DigestItemRow(Base):
    """A story that a digest is going to tell, and by whose wish it was gathered.

    `guild_id`, `rule_id` and `subscription_id` are those of the wish at the time of gathering.
    """

    __tablename__ = "digest_items"

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("rules.id", ondelete="SET NULL"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "story_id"), Index(None, "rule_id"), Index(None, "subscription_id"))
