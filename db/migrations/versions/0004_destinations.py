"""Destinations: the head of each channel's and member's queue of deliveries.

Revision: 0004; follows 0003.
"""

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = "state IN ('due', 'sending', 'failed')"


def upgrade() -> None:
    op.create_table(
        "destinations",
        sa.Column("target", sa.String(length=8), nullable=False),
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("next_due", db.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", db.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.Column("broken_at", db.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("target", "target_id", name=op.f("pk_destinations")),
    )
    _partial_index("ix_destinations_due", "destinations", ["next_due"], "broken_at IS NULL")
    _partial_index("ix_destinations_broken", "destinations", ["broken_at"], "broken_at IS NOT NULL")
    op.drop_index("ix_deliveries_open", "deliveries")
    _partial_index("ix_deliveries_open", "deliveries", ["target", "target_id", "id"], _OPEN)


def downgrade() -> None:
    op.drop_index("ix_deliveries_open", "deliveries")
    _partial_index("ix_deliveries_open", "deliveries", ["due_at", "id"], _OPEN)
    op.drop_table("destinations")


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
