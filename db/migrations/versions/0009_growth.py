"""Indexes by which old rows are found, and what is remembered so that nothing old comes again as new.

Revision: 0009; follows 0008.
"""

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEPT = "forgotten_at IS NULL"

# Columns that refer to rows which get deleted: without an index each deletion reads the whole table.
_REFERRING = (
    ("story_feeds", "entry_id"),
    ("case_events", "story_id"),
    ("case_splits", "other_id"),
    ("cases", "merged_into"),
    ("deliveries", "subscription_id"),
)


def upgrade() -> None:
    op.add_column("feeds", sa.Column("oldest_shown", sa.BigInteger(), nullable=True))
    op.add_column("stories", sa.Column("forgotten_at", db.types.UtcDateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_stories_kept", "stories", ["id"], sqlite_where=sa.text(_KEPT), postgresql_where=sa.text(_KEPT)
    )
    for table, column in _REFERRING:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in _REFERRING:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    op.drop_index("ix_stories_kept", "stories")
    op.drop_column("stories", "forgotten_at")
    op.drop_column("feeds", "oldest_shown")
