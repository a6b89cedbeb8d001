"""What the people who use a feed are still to be told about it.

Revision: 0003; follows 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feeds", sa.Column("notice", sa.String(length=16), nullable=True))
    op.add_column("feeds", sa.Column("notice_text", sa.Text(), nullable=True))
    op.create_index(
        "ix_feeds_notice",
        "feeds",
        ["id"],
        sqlite_where=sa.text("notice IS NOT NULL"),
        postgresql_where=sa.text("notice IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_feeds_notice", "feeds")
    op.drop_column("feeds", "notice_text")
    op.drop_column("feeds", "notice")
