"""News is read before history, and one feed's flood does not keep the others waiting.

Revision: 0017; follows 0016.
"""

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("turn", db.types.UtcDateTime(timezone=True), nullable=True))
    op.execute("UPDATE entries SET turn = first_seen WHERE state = 'new' AND alert")
    op.drop_index("ix_entries_new", "entries")
    _index("ix_entries_new", ["alert", "turn", "id"], "state = 'new'", "state = 'new'")
    _index("ix_entries_news", ["feed_id", "turn"], "state = 'new' AND alert = 1", "state = 'new' AND alert")


def downgrade() -> None:
    op.drop_index("ix_entries_news", "entries")
    op.drop_index("ix_entries_new", "entries")
    _index("ix_entries_new", ["id"], "state = 'new'", "state = 'new'")
    op.drop_column("entries", "turn")


def _index(name: str, columns: list[str], sqlite: str, postgres: str) -> None:
    op.create_index(
        name, "entries", columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgres)
    )
