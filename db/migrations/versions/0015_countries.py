"""Rules by countries.

Revision: 0015; follows 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rules", sa.Column("countries", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("rules", "countries")
