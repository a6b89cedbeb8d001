"""The tables by which names are found as somebody types them; the full-text index is `db.search`'s own."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base

# Compared byte by byte, so that what begins with something is a range (PostgreSQL compares by language else).
_Word = String(40).with_variant(String(40, collation="C"), "postgresql")


class SearchWordRow(Base):
    """A word of titles or names, under each form that it has with one letter left out (and as it is).

    Two words that differ by a slip of the finger share such a form.
    """

    __tablename__ = "search_words"

    form: Mapped[str] = mapped_column(_Word, primary_key=True)
    word: Mapped[str] = mapped_column(_Word, primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class TextWordRow(Base):
    """A word that stands in a story: what a beginning ("subp*") may stand for."""

    __tablename__ = "text_words"

    word: Mapped[str] = mapped_column(_Word, primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class PartyWordRow(Base):
    """A word of a party's name."""

    __tablename__ = "party_words"

    word: Mapped[str] = mapped_column(_Word, primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "party_id"), {"sqlite_with_rowid": False})


class FeedPartyRow(Base):
    """Which parties a feed's stories name, and on which sides of demands: what servers see of them, without
    reading stories. `sides`: bits, see `db.names.SIDES`."""

    __tablename__ = "feed_parties"

    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True)
    sides: Mapped[int] = mapped_column(Integer, default=0)

    __table_args__ = (Index(None, "feed_id"), {"sqlite_with_rowid": False})
