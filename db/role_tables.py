"""The tables by which processes on one database share what only one of them may do at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from db.feed_tables import Base


class GatewayRow(Base):
    """A process that takes shards, as long as it renews this."""

    __tablename__ = "gateways"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_until: Mapped[datetime]


class ShardRow(Base):
    """One of Discord's shards, and which process holds it; all rows have the same `shard_count`."""

    __tablename__ = "shards"

    shard_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    shard_count: Mapped[int] = mapped_column(Integer)
    owner: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None]


class TurnRow(Base):
    """When something of which there may be only so much in a time may be had next, by all processes together.

    `next_at` is in seconds since 1970, by the database's clock.
    """

    __tablename__ = "turns"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[float] = mapped_column(Double)
