"""The tables of the feeds room and of the program's own notes; `db.tables` holds the rest.

Apart from the rest because a poll round needs no more: building the classes of all tables, and loading the
dialect of PostgreSQL that some of them name, takes a tenth of a second at each start. Annotations are values
here (no `from __future__ import annotations`): SQLAlchemy would compile each of them from its text.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import Key, UtcDateTime


class Base(DeclarativeBase):
    """The root of all tables; constraints get names, so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


def row_number() -> Mapped[int]:
    """Give the primary key of rows that the database numbers."""
    return mapped_column(Key, primary_key=True, autoincrement=True)


def _partial(name: str, *columns: str, where: str) -> Index:
    """Give an index of some rows only.

    On PostgreSQL it has the same condition by its migration; saying so here would load that dialect.
    """
    return Index(name, *columns, sqlite_where=sql(where))


class FeedRow(Base):
    """One address that is looked at. Shared by all guilds that use it; fetched once for all."""

    __tablename__ = "feeds"

    id: Mapped[int] = row_number()
    url: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text, default="")
    site: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str | None] = mapped_column(String(8))
    language: Mapped[str | None] = mapped_column(String(16))
    public: Mapped[bool] = mapped_column(
        Boolean, default=False
    )  # of the bundled catalogue: may be named to all
    state: Mapped[str] = mapped_column(String(16), default="active")  # active, paused, gone
    added_at: Mapped[datetime]
    # What the server told about the last good answer (RFC 9110 section 8.8), byte for byte.
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[str | None] = mapped_column(String(64))
    # When to look next, and why then; `next_look` is the queue that workers claim from.
    next_look: Mapped[datetime | None]
    next_reason: Mapped[str] = mapped_column(Text, default="")
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claim: Mapped[int] = mapped_column(Integer, default=0)  # fencing: grows with every claim
    first_looked_at: Mapped[datetime | None]
    last_looked_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_change_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)  # one sentence, without secrets
    told_failing_at: Mapped[datetime | None]
    # What those who use the feed are still to be told: failing, back, gone, moved, rebuilt; and how.
    notice: Mapped[str | None] = mapped_column(String(16))
    notice_text: Mapped[str | None] = mapped_column(Text)
    # The lowest id among the entries that the last full answer showed: none of these may be forgotten.
    oldest_shown: Mapped[int | None] = mapped_column(BigInteger)
    # What the policy remembers between looks (entry rhythm, moves seen, push lease): its own JSON.
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        _partial("ix_feeds_due", "next_look", where="state = 'active'"),
        _partial("ix_feeds_notice", "id", where="notice IS NOT NULL"),
    )


class GuildFeedRow(Base):
    """A guild uses a feed: its stories are that guild's to see."""

    __tablename__ = "guild_feeds"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True)
    added_by: Mapped[int | None] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    paused: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (Index(None, "feed_id"),)


FIRST, REBUILT, OLDER, REVISED, ISSUE = HISTORY = ("first", "rebuilt", "older", "revised", "issue")
"""Why an entry is history: shown at the first look, with many more at once, behind what had been shown, in
front again as it was revised, or not dated after the last issue of a feed that shows other entries each time.
"""


class EntryRow(Base):
    """One item that a feed has shown, stored once. `key` is its identity within the feed."""

    __tablename__ = "entries"

    id: Mapped[int] = row_number()
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))  # hash of id, else address, else title and date
    url: Mapped[str] = mapped_column(Text, default="")
    url_key: Mapped[str | None] = mapped_column(String(64))  # hash of the canonical address: across feeds
    title: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[datetime | None]
    first_seen: Mapped[datetime]
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text, default="")
    alert: Mapped[bool] = mapped_column(Boolean, default=True)  # False: history, alerts nobody
    history: Mapped[str | None] = mapped_column(String(16))  # why it is that (`HISTORY`), where it is known
    turn: Mapped[datetime | None]  # who is read first of those that alert (`db.news`)
    # new -> read (a story exists or it was judged irrelevant) | failed
    state: Mapped[str] = mapped_column(String(16), default="new")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    try_after: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="SET NULL"))

    __table_args__ = (
        UniqueConstraint("feed_id", "key"),
        Index(None, "url_key"),
        Index(None, "story_id"),
        _partial("ix_entries_new", "alert", "turn", "id", where="state = 'new'"),
        _partial("ix_entries_news", "feed_id", "turn", where="state = 'new' AND alert = 1"),
    )


class StoryFeedRow(Base):
    """Which feeds brought a story: decides which guilds may see it."""

    __tablename__ = "story_feeds"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "feed_id", "story_id"), Index(None, "entry_id"))


class NoteRow(Base):
    """A small fact that the program keeps for itself (the hash of the synced command tree, ...)."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
