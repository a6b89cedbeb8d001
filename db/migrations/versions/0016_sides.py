"""Names complete without reading demands: which feeds name whom, and on which sides of demands.

Revision: 0016; follows 0015.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NAMED = (
    "SELECT n.party_id, f.feed_id, sum(DISTINCT n.side) FROM (SELECT story_id, party_id, 0 AS side "
    "FROM story_parties UNION ALL SELECT d.story_id, p.party_id, CASE p.side WHEN 'issuer' THEN 1 "
    "WHEN 'recipient' THEN 2 ELSE 4 END FROM demand_parties AS p JOIN demands AS d ON d.id = p.demand_id) AS n "
    "JOIN stories AS s ON s.id = n.story_id JOIN story_feeds AS f ON f.story_id = s.id "
    "WHERE s.relevant GROUP BY n.party_id, f.feed_id"
)
_COUNTED = (
    "SELECT p.party_id, f.feed_id, count(*) FROM story_parties AS p JOIN stories AS s ON s.id = p.story_id "
    "JOIN story_feeds AS f ON f.story_id = s.id WHERE s.relevant GROUP BY p.party_id, f.feed_id"
)


def upgrade() -> None:
    _exchange("stories", "sides", _NAMED)


def downgrade() -> None:
    _exchange("sides", "stories", _COUNTED)


def _exchange(old: str, new: str, rows: str) -> None:
    op.execute("DELETE FROM feed_parties")
    op.drop_column("feed_parties", old)
    op.add_column("feed_parties", sa.Column(new, sa.Integer(), nullable=False, server_default="0"))
    op.execute(f"INSERT INTO feed_parties (party_id, feed_id, {new}) {rows}")
