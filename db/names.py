"""What is remembered of names and titles, so that `db.suggest` finds them as somebody types them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.stems import fold, words_of
from db.tables import SearchWordRow

_LONG_ENOUGH = 4  # letters of a word that is recognised in spite of a slip
_LONGEST = 24  # letters of a word that are compared

LEARN_WORD = "INSERT INTO search_words (form, word) VALUES (:form, :word) ON CONFLICT DO NOTHING"
LEARN_NAME = "INSERT INTO party_words (word, party_id) VALUES (:word, :party_id) ON CONFLICT DO NOTHING"

SIDES = {"issuer": 1, "recipient": 2, "target": 4}  # bits of `feed_parties.sides`
# Each side is there once in the sum: that makes it the union of the bits.
NAME_IN_FEEDS = (
    "INSERT INTO feed_parties (party_id, feed_id, sides) SELECT n.party_id, f.feed_id, sum(DISTINCT n.side) "
    "FROM (SELECT story_id, party_id, 0 AS side FROM story_parties UNION ALL "
    "SELECT d.story_id, p.party_id, CASE p.side WHEN 'issuer' THEN 1 WHEN 'recipient' THEN 2 ELSE 4 END "
    "FROM demand_parties AS p JOIN demands AS d ON d.id = p.demand_id) AS n "
    "JOIN stories AS s ON s.id = n.story_id JOIN story_feeds AS f ON f.story_id = s.id "
    "WHERE s.relevant AND {stories} GROUP BY n.party_id, f.feed_id "
    "ON CONFLICT (party_id, feed_id) DO UPDATE SET sides = feed_parties.sides | excluded.sides "
    "WHERE feed_parties.sides | excluded.sides <> feed_parties.sides"
)


def without(word: str, out: int) -> set[str]:
    """Give the forms of a word with so many letters left out."""
    if len(word) <= out:
        return set()
    return {
        "".join(c for at, c in enumerate(word) if at not in gone)
        for gone in map(set, combinations(range(len(word)), out))
    }


def known_words(texts: Iterable[str]) -> set[str]:
    """Give the words of titles and names that can be meant by a slip: no short ones, no numbers."""
    words = (fold(word)[:_LONGEST] for part in texts for word in words_of(part))
    return {word for word in words if len(word) >= _LONG_ENOUGH and not word.isdigit()}


def word_rows(words: Iterable[str]) -> list[dict[str, Any]]:
    """Give the rows by which words are found in spite of a slip."""
    return [
        {"form": form, "word": word}
        for word in sorted(set(words))
        for form in sorted({word} | without(word, 1))
    ]


def name_rows(parties: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """Give the rows by which parties (id and name) are found by the words of their names."""
    return [
        {"word": word, "party_id": party_id}
        for party_id, name in sorted(parties)
        for word in sorted({fold(word) for word in words_of(name)})
    ]


async def learn(session: AsyncSession, titles: Sequence[str], parties: dict[int, str]) -> None:
    """Make the words of titles and of parties' names (by id) known."""
    words = known_words([*titles, *parties.values()])
    there = select(SearchWordRow.word).where(
        SearchWordRow.form.in_(words), SearchWordRow.form == SearchWordRow.word
    )
    new = words - set(await session.scalars(there))
    for statement, rows in ((LEARN_WORD, word_rows(new)), (LEARN_NAME, name_rows(parties.items()))):
        if rows:
            await session.execute(text(statement), rows)


async def count_story(session: AsyncSession, story_id: int) -> None:
    """Count a new story for each of its parties."""
    await session.execute(
        text(
            "UPDATE parties SET stories = stories + 1 "
            "WHERE id IN (SELECT party_id FROM story_parties WHERE story_id = :story_id)"
        ),
        {"story_id": story_id},
    )


async def name_in_feed(session: AsyncSession, story_id: int, feed_id: int) -> None:
    """Note of a story that a feed has brought whom it names, and on which sides of its demands."""
    await session.execute(
        text(NAME_IN_FEEDS.format(stories="s.id = :story_id AND f.feed_id = :feed_id")),
        {"story_id": story_id, "feed_id": feed_id},
    )


async def bring_names(session: AsyncSession, source: int, target: int) -> None:
    """Note of a feed that it has brought, too, what another one has, which is merged into it."""
    await session.execute(
        text(
            "INSERT INTO feed_parties (party_id, feed_id, sides) "
            "SELECT party_id, CAST(:target AS BIGINT), sides FROM feed_parties WHERE feed_id = :source "
            "ON CONFLICT (party_id, feed_id) DO UPDATE SET sides = feed_parties.sides | excluded.sides"
        ),
        {"source": source, "target": target},
    )
