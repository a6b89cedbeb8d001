"""Digests: what is gathered for later; and what else a rule can ask for.

Revision: 0010; follows 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LISTS = ("statuses", "languages", "sources", "ping_when", "urgent")


def upgrade() -> None:
    for name in _LISTS:
        op.add_column("rules", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("rules", sa.Column("daily_limit", sa.Integer(), nullable=True))
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("story_id", existing_type=_KEY, nullable=True)
        table.add_column(sa.Column("slot", sa.String(length=32), nullable=True))
    op.create_index(
        "ix_deliveries_slot",
        "deliveries",
        ["target", "target_id", "slot"],
        unique=True,
        sqlite_where=sa.text("slot IS NOT NULL"),
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    op.create_index(op.f("ix_deliveries_rule_id_created_at"), "deliveries", ["rule_id", "created_at"])
    op.create_table(
        "digest_items",
        sa.Column("delivery_id", _KEY, nullable=False),
        sa.Column("story_id", _KEY, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("rule_id", _KEY, nullable=True),
        sa.Column("subscription_id", _KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_digest_items_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_digest_items_story_id_stories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["rules.id"], name=op.f("fk_digest_items_rule_id_rules"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_digest_items_subscription_id_subscriptions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "story_id", name=op.f("pk_digest_items")),
    )
    for column in ("story_id", "rule_id", "subscription_id"):
        op.create_index(op.f(f"ix_digest_items_{column}"), "digest_items", [column])


def downgrade() -> None:
    op.drop_table("digest_items")
    op.execute("DELETE FROM deliveries WHERE story_id IS NULL")
    op.drop_index(op.f("ix_deliveries_rule_id_created_at"), "deliveries")
    op.drop_index("ix_deliveries_slot", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.drop_column("slot")
        table.alter_column("story_id", existing_type=_KEY, nullable=False)
    for name in (*_LISTS, "daily_limit"):
        op.drop_column("rules", name)
