"""The tables of stories and cases: what articles say, who is in them, what a case is recognised by."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base, row_number


class CaseRow(Base):
    """One matter that goes on over time. `merged_into` remembers a merge by a moderator."""

    __tablename__ = "cases"

    id: Mapped[int] = row_number()
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(String(20))
    opened: Mapped[datetime]
    updated: Mapped[datetime]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "updated"), Index(None, "merged_into"))


class CaseTermRow(Base):
    """The inverted index by which a story finds its case: term -> cases that hold it, the newest first."""

    __tablename__ = "case_terms"

    term: Mapped[str] = mapped_column(String(200), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    last_seen: Mapped[datetime]

    __table_args__ = (Index(None, "case_id"), Index(None, "term", "last_seen"))


class CaseMemberRow(Base):
    """What a story is recognised by, and the case that it was found to belong to.

    `case_id` stays when that case is merged into another: the stories that come after still find it, and
    through it the case that it was merged into. That is how a merge is remembered.
    """

    __tablename__ = "case_members"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    terms: Mapped[dict[str, Any]]  # term -> weight, a fingerprint
    filed: Mapped[list[str]]  # those of the terms that stand in the index
    published: Mapped[datetime | None]

    __table_args__ = (Index(None, "case_id", "story_id"),)


class CaseSplitRow(Base):
    """A moderator said that these two are different matters. Stored in both directions."""

    __tablename__ = "case_splits"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]

    __table_args__ = (Index(None, "other_id"),)


class StoryRow(Base):
    """What Quash made of one article. `analysis` holds topics, parties, demands with their sentences."""

    __tablename__ = "stories"

    id: Mapped[int] = row_number()
    url: Mapped[str] = mapped_column(Text, default="")
    url_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[datetime | None]
    first_seen: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(16), default="und")
    relevant: Mapped[bool] = mapped_column(Boolean)
    relevance: Mapped[float] = mapped_column(Float)
    status: Mapped[str | None] = mapped_column(String(20))
    summary: Mapped[list[str]] = mapped_column(default=list)
    text: Mapped[str] = mapped_column(Text, default="")
    analysis: Mapped[dict[str, Any]] = mapped_column(default=dict)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    adds: Mapped[str] = mapped_column(String(16), default="new")  # to its case: new, update, source
    # When its text went for its age (db.retention); such a story alerts nobody any more.
    forgotten_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "case_id"),
        Index(
            "ix_stories_relevant_seen",
            "first_seen",
            sqlite_where=sql("relevant = 1"),
            postgresql_where=sql("relevant"),
        ),
        Index(
            "ix_stories_kept",
            "id",
            sqlite_where=sql("forgotten_at IS NULL"),
            postgresql_where=sql("forgotten_at IS NULL"),
        ),
    )


class StoryTopicRow(Base):
    """A topic of a story."""

    __tablename__ = "story_topics"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    score: Mapped[float] = mapped_column(Float)

    __table_args__ = (Index(None, "topic", "story_id"),)


class PartyRow(Base):
    """Somebody who appears in stories, by canonical name."""

    __tablename__ = "parties"

    id: Mapped[int] = row_number()
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(String(200), unique=True)  # case-folded, for look-ups
    kind: Mapped[str] = mapped_column(String(16))
    stories: Mapped[int] = mapped_column(Integer, default=0)  # relevant ones that name it

    __table_args__ = (Index(None, "stories"),)


class StoryPartyRow(Base):
    """A party's part in a story."""

    __tablename__ = "story_parties"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    mentions: Mapped[int] = mapped_column(Integer, default=1)

    __table_args__ = (Index(None, "party_id", "story_id"),)


class DemandRow(Base):
    """A demand as one story reports it; the ledger groups them by case."""

    __tablename__ = "demands"

    id: Mapped[int] = row_number()
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    instrument: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(20))
    issuer: Mapped[list[str]] = mapped_column(default=list)
    recipient: Mapped[list[str]] = mapped_column(default=list)
    target: Mapped[list[str]] = mapped_column(default=list)
    sought: Mapped[list[str]] = mapped_column(default=list)
    statute: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(default=list)
    reported: Mapped[datetime]  # the story's date, by which the ledger is ordered

    __table_args__ = (Index(None, "story_id"), Index(None, "case_id"), Index(None, "reported"))


class DemandPartyRow(Base):
    """A party's side in a demand (issuer, recipient, target): what the ledger is filtered by."""

    __tablename__ = "demand_parties"

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id", ondelete="CASCADE"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[str] = mapped_column(String(16), primary_key=True)

    __table_args__ = (Index(None, "party_id", "side"),)


class CaseEventRow(Base):
    """A line of a case's timeline: what changed, when, and which story said so first."""

    __tablename__ = "case_events"

    id: Mapped[int] = row_number()
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    status: Mapped[str | None] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(16))  # opened, status, source, merged, corrected
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "case_id", "at"), Index(None, "story_id"))


class FindingRow(Base):
    """One line of the record: what a stage decided about an entry or story, and why."""

    __tablename__ = "findings"

    id: Mapped[int] = row_number()
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"))
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    guild_id: Mapped[int | None] = mapped_column(BigInteger)  # set where the finding is one guild's own
    at: Mapped[datetime]
    stage: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(default=list)
    weight: Mapped[float | None] = mapped_column(Float)

    __table_args__ = (Index(None, "story_id"), Index(None, "entry_id"))


def came_out(published: datetime | None, first_seen: datetime) -> datetime:
    """Give when a story came out; a date after it was seen is a mistake of its feed's."""
    return min(published or first_seen, first_seen)


def came_out_by(published: datetime | None, first_seen: datetime) -> datetime:
    """Give the latest moment at which a story can have come out.

    Midnight stands for any time of its day, because so write feeds that give days alone.
    """
    if published is not None and published.time() == time():
        published += timedelta(days=1)
    return came_out(published, first_seen)
