"""What moderators are about to do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base, row_number


class PendingImportRow(Base):
    """A configuration whose difference was shown and that is not applied yet; kept for a day.

    `mark` is that of the configuration (`bot.intake.configuration`) which the difference was made to.
    """

    __tablename__ = "pending_imports"

    id: Mapped[int] = row_number()
    guild_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    mark: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index(None, "guild_id"),)
