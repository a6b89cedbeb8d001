"""What completes as one types, and "did you mean": names of parties, and words with a slip in them.

Parties are found by the beginnings of the words of their names. Where nothing begins so, the words are put
right by those that are known (`search_words`): two words that differ by one letter have a form with one
letter left out in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import names
from db.lists import one_of
from db.names import without
from db.search import AFTER_ALL
from db.stems import fold, words_of
from db.tables import (
    DemandPartyRow,
    DemandRow,
    FeedPartyRow,
    PartyRow,
    PartyWordRow,
    SearchWordRow,
    StoryRow,
)
from db.visibility import Viewer, seen_feeds

_POPULAR = 100  # parties, the most reported, that are looked through first
_WITH_BEGINNING = 400  # parties with a word that begins as typed, that are looked at
_TWO_SLIPS = 7  # letters from which on a word may be two slips away
_NEAR = 3  # known words that one typed word may have meant
_READINGS = 6  # combinations of these that are tried
_TYPED_WORDS = 4


async def party_names(
    session: AsyncSession, viewer: Viewer, typed: str, *, side: str | None = None, limit: int = 25
) -> list[str]:
    """Give names of parties that fit what was typed, the most reported first, as far as the viewer sees.

    `side`: only those that were issuer, recipient or target of a demand. Where nothing begins as typed,
    the names that were likely meant.
    """
    words = [fold(word) for word in words_of(typed)][:_TYPED_WORDS]
    if typed.strip() and not words:
        return []
    found = await _parties(session, viewer, words, side, limit)
    if found or not words:
        return found
    for reading in await readings(session, words):
        found = await _parties(session, viewer, reading, side, limit)
        if found:
            return found
    return []


# ------------------------------------------------------------------------ parties


async def _parties(
    session: AsyncSession, viewer: Viewer, words: Sequence[str], side: str | None, limit: int
) -> list[str]:
    popular = (
        select(PartyRow.id, PartyRow.name).order_by(PartyRow.stories.desc(), PartyRow.id).limit(_POPULAR)
    )
    known = {int(row.id): str(row.name) for row in await session.execute(popular)}
    chosen = {id: name for id, name in known.items() if _begin(words, name)}
    seen = await _seen(session, viewer, chosen, side, limit)
    if words and len(seen) < limit:
        rows = await session.execute(_with_words(words))
        more = {int(row.id): str(row.name) for row in rows if row.id not in chosen}
        seen += await _seen(session, viewer, more, side, limit - len(seen))
    return seen[:limit]


def _begin(words: Sequence[str], name: str) -> bool:
    """Tell whether each word is the beginning of one of the name's."""
    there = [fold(word) for word in words_of(name)]
    return all(any(part.startswith(word) for part in there) for word in words)


def _with_words(words: Sequence[str]) -> Select[int, str]:
    """Ask for parties by the longest word; the others are looked for in the names that it finds."""
    first, *others = sorted(words, key=len, reverse=True)
    ids = select(PartyWordRow.party_id).where(PartyWordRow.word.between(first, first + AFTER_ALL))
    for word in others:
        other = PartyWordRow.__table__.alias()
        ids = ids.where(
            exists().where(
                other.c.party_id == PartyWordRow.party_id, other.c.word.between(word, word + AFTER_ALL)
            )
        )
    some = ids.limit(_WITH_BEGINNING).subquery()
    return (
        select(PartyRow.id, PartyRow.name)
        .where(PartyRow.id.in_(select(some.c.party_id)))
        .order_by(PartyRow.stories.desc(), PartyRow.id)
        .limit(_POPULAR)
    )


async def _seen(
    session: AsyncSession, viewer: Viewer, parties: dict[int, str], side: str | None, limit: int
) -> list[str]:
    """Give the names of the first of these that the viewer's stories name, on a demand's `side` if any."""
    if not parties:
        return []
    known = PartyRow.stories > 0
    if side is not None:
        known = exists().where(
            DemandPartyRow.party_id == PartyRow.id,
            DemandPartyRow.side == side,
            DemandRow.id == DemandPartyRow.demand_id,
            StoryRow.id == DemandRow.story_id,
            StoryRow.relevant,
        )
    if not viewer.operator:
        feeds = await session.scalars(seen_feeds(viewer))
        of_feeds = one_of(session, FeedPartyRow.feed_id, feeds.all())
        known = exists().where(FeedPartyRow.party_id == PartyRow.id, of_feeds)
        if side is not None:
            known = known.where(FeedPartyRow.sides.bitwise_and(names.SIDES[side]) != 0)
    fitting = (
        select(PartyRow.id)
        .where(one_of(session, PartyRow.id, parties), known)
        .order_by(PartyRow.stories.desc(), PartyRow.id)
        .limit(limit)
    )
    return [parties[party_id] for party_id in await session.scalars(fitting)]


# ------------------------------------------------------------------------- slips


async def readings(session: AsyncSession, words: Sequence[str]) -> list[tuple[str, ...]]:
    """Give what was likely meant by these words, each put right or as it is; the likeliest first."""
    asked = [fold(word) for word in words][:_TYPED_WORDS]
    choices = [await _near(session, word) or [word] for word in asked]
    found = (reading for reading in product(*choices) if list(reading) != asked)
    return list(islice(found, _READINGS))


async def _near(session: AsyncSession, typed: str) -> list[str]:
    """Give the known words that a typed one may be a slip of, the nearest first; a known one is no slip."""
    letters = 2 if len(typed) >= _TWO_SLIPS else 1
    forms = {form for out in range(letters + 1) for form in without(typed[:20], out)}
    asked = select(SearchWordRow.word).where(one_of(session, SearchWordRow.form, forms)).distinct()
    found = (await session.scalars(asked)).all()
    if typed in found:
        return [typed]
    near = ((slips(typed, word, letters), abs(len(word) - len(typed)), word) for word in found)
    return [word for count, _, word in sorted(one for one in near if one[0] <= letters)[:_NEAR]]


def slips(one: str, other: str, most: int) -> int:
    """Count the slips between two words: a letter too many, missing, wrong, or two exchanged.

    Optimal string alignment distance; `most + 1` stands for all that is farther.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if last and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)
