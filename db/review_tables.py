"""What moderators decide: reviews of stories before they are posted, and what a server says of cases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base, row_number


class ReviewRow(Base):
    """A story that a server's moderators look at before rules with this review channel post it.

    `state`: waiting -> approved | rejected | merged (with a case that the channel has) by a moderator, or
    posted | dropped at `until`, as `at_end` ("post", "drop") says. `words`: a summary in the moderators' own
    words.
    """

    __tablename__ = "reviews"

    id: Mapped[int] = row_number()
    guild_id: Mapped[int] = mapped_column(BigInteger)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    channel_id: Mapped[int] = mapped_column(BigInteger)  # where moderators look at it
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    created_at: Mapped[datetime]
    until: Mapped[datetime]
    at_end: Mapped[str] = mapped_column(String(4), default="drop")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    words: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("story_id", "channel_id"),
        Index(
            "ix_reviews_until",
            "until",
            sqlite_where=sql("state = 'waiting'"),
            postgresql_where=sql("state = 'waiting'"),
        ),
        Index(None, "guild_id"),
    )


class CaseOverrideRow(Base):
    """What a server's moderators say of a case: shown in that server only, beside what articles report.

    `status` comes with `source`, the address that says so.
    """

    __tablename__ = "case_overrides"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(String(20))
    source: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (Index(None, "case_id"),)


class CaseProposalRow(Base):
    """A merge or split that a server's moderators propose. Cases are everybody's, so the operator decides.

    `kind` "merge": `other_id` is to become part of the case; "split": `story_id` is to leave it. `state`:
    open, accepted, rejected.
    """

    __tablename__ = "case_proposals"

    id: Mapped[int] = row_number()
    guild_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    other_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(8), default="open")
    at: Mapped[datetime]
    proposed_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index(None, "guild_id"),
        Index(None, "case_id"),
        Index(None, "other_id"),
        Index(None, "story_id"),
        Index(None, "state"),
    )
