"""The full-text index over stories: FTS5 on SQLite, tsvector on PostgreSQL.

Revision: 0002; follows 0001.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # rowid is the story's id. Diacritics folded, English stemmed: "subpoenaed" finds "subpoena".
        op.execute(
            "CREATE VIRTUAL TABLE story_search USING fts5("
            "title, parties, summary, body, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
    else:
        op.execute(
            "CREATE TABLE story_search (story_id BIGINT PRIMARY KEY REFERENCES stories(id) ON DELETE CASCADE, "
            "words TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_story_search_words ON story_search USING GIN (words)")


def downgrade() -> None:
    op.execute("DROP TABLE story_search")
