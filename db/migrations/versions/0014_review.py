"""Reviews before stories are posted, sources that rules leave out, and what servers say of cases.

Revision: 0014; follows 0013.
"""

import sqlalchemy as sa
from alembic import op

from db.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("rules", sa.Column("review_hours", sa.Integer(), nullable=False, server_default="12"))
    op.add_column(
        "rules", sa.Column("review_then", sa.String(length=4), nullable=False, server_default="drop")
    )
    op.add_column("rules", sa.Column("exclude_sources", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "reviews",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("story_id", _KEY, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("at_end", sa.String(length=4), nullable=False),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_reviews_story_id_stories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("story_id", "channel_id", name=op.f("uq_reviews_story_id_channel_id")),
    )
    op.create_index(
        "ix_reviews_until",
        "reviews",
        ["until"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(op.f("ix_reviews_guild_id"), "reviews", ["guild_id"])
    op.create_table(
        "case_overrides",
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_overrides_case_id_cases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("guild_id", "case_id", name=op.f("pk_case_overrides")),
    )
    op.create_index(op.f("ix_case_overrides_case_id"), "case_overrides", ["case_id"])
    op.create_table(
        "case_proposals",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("other_id", _KEY, nullable=True),
        sa.Column("story_id", _KEY, nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_proposals_case_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["cases.id"], name=op.f("fk_case_proposals_other_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_case_proposals_story_id_stories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_proposals")),
    )
    for column in ("guild_id", "case_id", "other_id", "story_id", "state"):
        op.create_index(op.f(f"ix_case_proposals_{column}"), "case_proposals", [column])


def downgrade() -> None:
    op.drop_table("case_proposals")
    op.drop_table("case_overrides")
    op.drop_table("reviews")
    op.drop_column("rules", "exclude_sources")
    op.drop_column("rules", "review_then")
    op.drop_column("rules", "review_hours")
