"""Shards and request tokens shared among processes; whose claim an entry is; turns among destinations.

Revision: 0008; follows 0007.
"""

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateways",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("seen_until", db.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_gateways")),
    )
    op.create_table(
        "shards",
        sa.Column("shard_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shard_count", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", db.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shard_id", name=op.f("pk_shards")),
    )
    op.create_table(
        "turns",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    op.add_column("entries", sa.Column("claimed_by", sa.String(length=64), nullable=True))
    op.add_column("destinations", sa.Column("turn", db.types.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("destinations", "turn")
    op.drop_column("entries", "claimed_by")
    op.drop_table("turns")
    op.drop_table("shards")
    op.drop_table("gateways")
