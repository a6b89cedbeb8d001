"""Of an entry that alerts nobody it is stored why, so that /why need not name all it may have been.

Revision: 0018; follows 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("history", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("entries", "history")
