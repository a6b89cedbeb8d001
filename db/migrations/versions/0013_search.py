"""Search that stays fast as the store grows.

Revision: 0013; follows 0012.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from db import names, search

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_AT_ONCE = 200
_WORD = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("form", _WORD, nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.PrimaryKeyConstraint("form", "word", name=op.f("pk_search_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "text_words",
        sa.Column("word", _WORD, nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_text_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "party_words",
        sa.Column("word", _WORD, nullable=False),
        sa.Column("party_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["parties.id"], name=op.f("fk_party_words_party_id_parties"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "party_id", name=op.f("pk_party_words")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_party_words_party_id"), "party_words", ["party_id"])
    op.create_table(
        "feed_parties",
        sa.Column("party_id", _key(), nullable=False),
        sa.Column("feed_id", _key(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["parties.id"], name=op.f("fk_feed_parties_party_id_parties"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_feed_parties_feed_id_feeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("party_id", "feed_id", name=op.f("pk_feed_parties")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_feed_parties_feed_id"), "feed_parties", ["feed_id"])
    op.add_column("parties", sa.Column("stories", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_parties_stories"), "parties", ["stories"])
    _count()
    _make_index()
    _fill_index()


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _count() -> None:
    op.execute(
        "UPDATE parties SET stories = (SELECT count(*) FROM story_parties AS p JOIN stories AS s ON s.id = p.story_id "
        "WHERE p.party_id = parties.id AND s.relevant)"
    )
    op.execute(
        "INSERT INTO feed_parties (party_id, feed_id, stories) SELECT p.party_id, f.feed_id, count(*) "
        "FROM story_parties AS p JOIN stories AS s ON s.id = p.story_id JOIN story_feeds AS f ON f.story_id = s.id "
        "WHERE s.relevant GROUP BY p.party_id, f.feed_id"
    )


def _make_index() -> None:
    """The words come stemmed, separated by spaces: every other character is part of a word."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE story_search")
        op.execute("CREATE VIRTUAL TABLE story_search USING fts5(words, tokenize = \"ascii tokenchars '_'\")")
    else:
        op.execute("TRUNCATE story_search")


def _fill_index() -> None:
    bind = op.get_bind()
    lite = bind.dialect.name == "sqlite"
    insert = sa.text(
        "INSERT INTO story_search (rowid, words) VALUES (:id, :words)"
        if lite
        else "INSERT INTO story_search (story_id, words) VALUES (:id, CAST(:words AS tsvector))"
    )
    write = search.sqlite_words if lite else search.postgres_words
    for stories in _stories(bind):
        ids = [story["id"] for story in stories]
        topics = _of(bind, "SELECT story_id, topic FROM story_topics WHERE story_id IN :ids", ids)
        feeds = _of(bind, "SELECT story_id, feed_id FROM story_feeds WHERE story_id IN :ids", ids)
        parties = _of(
            bind,
            "SELECT p.story_id, p.party_id, q.name FROM story_parties AS p JOIN parties AS q ON q.id = p.party_id "
            "WHERE p.story_id IN :ids ORDER BY p.party_id",
            ids,
        )
        rows: list[dict[str, Any]] = []
        words: set[str] = set()
        beginnings: set[str] = set()
        named: dict[int, str] = {}
        for story in stories:
            mine = parties.get(story["id"], [])
            heads = [story["title"], *(name for _, name in mine)]
            named |= dict(mine)
            words |= names.known_words(heads)
            if story["case_title"] not in (None, story["title"]):
                heads.append(story["case_title"])
            marks = search.marks_of(
                story["id"],
                topics=[topic for (topic,) in topics.get(story["id"], [])],
                parties=[party_id for party_id, _ in mine],
                feeds=[feed_id for (feed_id,) in feeds.get(story["id"], [])],
                status=story["status"],
            )
            tokens = search.tokens_of(
                heads=heads,
                summary=story["summary"],
                body=story["text"],
                language=story["language"],
                marks=marks,
            )
            rows.append({"id": story["id"], "words": write(tokens)})
            beginnings |= search.beginnings_of(tokens)
        bind.execute(insert, rows)
        for statement, some in (
            (names.LEARN_WORD, names.word_rows(words)),
            (names.LEARN_NAME, names.name_rows(named.items())),
            (search.LEARN_BEGINNING, [{"word": word} for word in sorted(beginnings)]),
        ):
            if some:
                bind.execute(sa.text(statement), some)


def _stories(bind: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    query = sa.text(
        "SELECT s.id, s.title, s.summary, s.text, s.language, s.status, c.title AS case_title FROM stories AS s "
        "LEFT JOIN cases AS c ON c.id = s.case_id WHERE s.relevant AND s.id > :after ORDER BY s.id LIMIT :most"
    ).columns(id=sa.Integer, summary=sa.JSON)
    after = 0
    while some := [dict(row) for row in bind.execute(query, {"after": after, "most": _AT_ONCE}).mappings()]:
        yield some
        after = some[-1]["id"]


def _of(bind: sa.Connection, query: str, ids: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for story_id, *values in bind.execute(
        sa.text(query).bindparams(sa.bindparam("ids", ids, expanding=True))
    ):
        found.setdefault(story_id, []).append(tuple(values))
    return found


def downgrade() -> None:
    for table in ("feed_parties", "party_words", "text_words", "search_words"):
        op.drop_table(table)
    op.drop_index(op.f("ix_parties_stories"), "parties")
    op.drop_column("parties", "stories")
    op.execute("DELETE FROM story_search")
