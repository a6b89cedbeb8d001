"""Threads, forum posts and publishing: where a case's messages stand.

Revision: 0007; follows 0006.
"""

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("thread_id", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("publish_at", db.types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("deliveries", sa.Column("published_at", db.types.UtcDateTime(timezone=True), nullable=True))
    _partial_index("ix_deliveries_publish", ["publish_at"], "publish_at IS NOT NULL")
    _partial_index("ix_deliveries_dead", ["guild_id", "id"], "state = 'dead'")
    op.add_column("destinations", sa.Column("told_at", db.types.UtcDateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_rules_channel_id"), "rules", ["channel_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_rules_channel_id"), "rules")
    op.drop_column("destinations", "told_at")
    op.drop_index("ix_deliveries_dead", "deliveries")
    op.drop_index("ix_deliveries_publish", "deliveries")
    for name in ("published_at", "publish_at", "thread_id"):
        op.drop_column("deliveries", name)


def _partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
