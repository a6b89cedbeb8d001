"""What completes as one types, and "did you mean": names of parties, and words with a slip in them.

Parties are found by the beginnings of the words of their names. Where nothing begins so, the words are put
right by those that are known (`search_words`): two words that differ by one letter have a form with one
letter left out in common.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from itertools import islice, product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    SelectBase,
    SQLColumnExpression,
    String,
    Subquery,
    bindparam,
    exists,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db import names
from db.lists import among, as_one, is_sqlite
from db.names import without
from db.search import AFTER_ALL
from db.stems import fold, words_of
from db.stories import name_key
from db.tables import FeedPartyRow, PartyRow, PartyWordRow, SearchWordRow
from db.visibility import Kind, Viewer, feeds_of

LONGEST_CHOICE = 100  # characters of a value that Discord completes
_POPULAR = 100  # parties, the most reported, that are looked through first
_WITH_BEGINNING = 400  # parties with a word that begins as typed, that are looked at
_SHORT = 3  # letters of a word with which more parties may begin than are looked at
_OF_FEEDS = 1000  # rows of what the viewer's feeds name, that are looked at
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


async def is_named(session: AsyncSession, viewer: Viewer, name: str, *, side: str | None = None) -> bool:
    """Tell whether the viewer's stories name a party (by its canonical name), on a demand's `side` if any."""
    values: dict[str, Any] = {"key": name_key(name), **viewer.values}
    if side is not None:
        values["side"] = names.SIDES[side]
    return await session.scalar(_exactly(viewer.kind, side is not None), values) is not None


async def whole_name(session: AsyncSession, viewer: Viewer, name: str) -> str:
    """Give the party's name that was completed as `name`, which Discord cuts; any shorter one as it is."""
    if len(name) < LONGEST_CHOICE - 1:  # Discord takes the space off at which it was cut
        return name
    longer = PartyRow.name_key.startswith(name_key(name), autoescape=True)
    found = (
        select(PartyRow.name)
        .where(longer, _named(viewer.kind, PartyRow.id, of_side=False))
        .order_by(PartyRow.name_key)
        .limit(1)
    )
    return await session.scalar(found, viewer.values) or name


# ------------------------------------------------------------------------ parties


@cache
def _exactly(kind: Kind, of_side: bool) -> Select[int]:
    key = bindparam("key", type_=String)
    return select(PartyRow.id).where(PartyRow.name_key == key, _named(kind, PartyRow.id, of_side))


async def _parties(
    session: AsyncSession, viewer: Viewer, words: Sequence[str], side: str | None, limit: int
) -> list[str]:
    """Give the names of the most reported that begin so and are named in the viewer's stories."""
    values: dict[str, Any] = {"most": limit, **viewer.values}
    for place, word in enumerate(sorted(words, key=len, reverse=True)):
        values |= {f"from_{place}": word, f"to_{place}": word + AFTER_ALL}
    if side is not None:
        values["side"] = names.SIDES[side]
    kind, of_side = viewer.kind, side is not None
    found = list(await session.scalars(_statement(kind, len(words), of_side), values))
    few = not found if words else len(found) < limit
    if few and kind != "operator" and all(len(word) <= _SHORT for word in words):
        # Many are better known than those of a small server's feeds, and were all that was looked at.
        found += await session.scalars(_of_feeds(kind, len(words), of_side), values)
    return list(dict.fromkeys(found))[:limit]


@cache
def _statement(kind: Kind, words: int, of_side: bool) -> Select[str]:
    """Make what is asked for so many words: one statement, for the way of each takes its time."""
    popular = select(PartyRow.id).order_by(PartyRow.stories.desc(), PartyRow.id).limit(_POPULAR).subquery()
    begins = (_begins(popular.c.id, place) for place in range(words))
    fitting: SelectBase = select(popular.c.id).where(*begins)
    if words:
        fitting = union(fitting, select(_with_words(words).c.party_id))
    some = (
        select(PartyRow.id, PartyRow.name, PartyRow.stories)
        .where(PartyRow.id.in_(fitting))
        .order_by(PartyRow.stories.desc(), PartyRow.id)
        .limit(2 * _POPULAR)
        .subquery()
    )
    return (
        select(some.c.name)
        .where(_named(kind, some.c.id, of_side))
        .order_by(some.c.stories.desc(), some.c.id)
        .limit(bindparam("most", type_=Integer))
    )


@cache
def _of_feeds(kind: Kind, words: int, of_side: bool) -> Select[str]:
    """Make what is asked for so many words of the parties of the viewer's feeds."""
    some = (
        select(FeedPartyRow.party_id, FeedPartyRow.sides)
        .where(FeedPartyRow.feed_id.in_(feeds_of(kind)))
        .limit(_OF_FEEDS)  # before anything else is asked: of a large server all would be read in vain
        .subquery()
    )
    ids = select(some.c.party_id)
    if of_side:
        ids = ids.where(_on_side(some.c.sides))
    return (
        select(PartyRow.name)
        .where(PartyRow.id.in_(ids), *(_begins(PartyRow.id, place) for place in range(words)))
        .order_by(PartyRow.stories.desc(), PartyRow.id)
        .limit(bindparam("most", type_=Integer))
    )


def _with_words(words: int) -> Subquery:
    """Ask for parties by the first word, the longest, and of each of them whether it has the others."""
    ids = select(PartyWordRow.party_id).where(
        _between(PartyWordRow.word, 0),
        *(_begins(PartyWordRow.party_id, place) for place in range(1, words)),
    )
    return ids.limit(_WITH_BEGINNING).subquery()


def _begins(party_id: SQLColumnExpression[int], place: int) -> ColumnElement[bool]:
    """Give the condition that a word of a party's name begins as the word at this place."""
    of_name = PartyWordRow.__table__.alias()
    return exists().where(of_name.c.party_id == party_id, _between(of_name.c.word, place))


def _between(word: SQLColumnExpression[str], place: int) -> ColumnElement[bool]:
    return word.between(bindparam(f"from_{place}", type_=String), bindparam(f"to_{place}", type_=String))


def _named(kind: Kind, party_id: SQLColumnExpression[int], of_side: bool) -> ColumnElement[bool]:
    """Give the condition that the viewer's stories name a party, on a demand's `side` if any."""
    named = exists().where(FeedPartyRow.party_id == party_id)
    if kind != "operator":
        # `+ 0`: each feed of a party is looked at until one is the viewer's, which comes soon. By its index
        # each of the viewer's feeds would be looked for, of a party that few name in vain.
        named = named.where((FeedPartyRow.feed_id + 0).in_(feeds_of(kind)))
    if of_side:
        named = named.where(_on_side(FeedPartyRow.sides))
    return named


def _on_side(sides: SQLColumnExpression[int]) -> ColumnElement[bool]:
    return sides.bitwise_and(bindparam("side", type_=Integer)) != 0


# ------------------------------------------------------------------------- slips


async def readings(session: AsyncSession, words: Sequence[str]) -> list[tuple[str, ...]]:
    """Give what was likely meant by these words, each put right or as it is; the likeliest first.

    Not what only goes on where the last word ends: that was found, if at all, by the beginning.
    """
    asked = [fold(word) for word in words][:_TYPED_WORDS]
    if not asked:
        return []
    forms = {form for typed in asked for form in _forms(typed)}
    sqlite = is_sqlite(session)
    known = (await session.scalars(_alike(sqlite), {"forms": as_one(sqlite, forms)})).all()
    found = product(*(_near(typed, known) or [typed] for typed in asked))
    others = (one for one in found if [*one[:-1], one[-1][: len(asked[-1])]] != asked)
    return list(islice(others, _READINGS))


@cache
def _alike(sqlite: bool) -> Select[str]:
    """Make what is asked for the known words that have one of the `forms`."""
    form = among(sqlite, SearchWordRow.form, bindparam("forms"))
    return select(SearchWordRow.word).where(form).distinct()


def _most_slips(typed: str) -> int:
    return 2 if len(typed) >= _TWO_SLIPS else 1


def _forms(typed: str) -> set[str]:
    """Give the forms of which one is also a form of any word that was likely meant."""
    return {form for out in range(_most_slips(typed) + 1) for form in without(typed[:20], out)}


def _near(typed: str, known: Collection[str]) -> list[str]:
    """Give the words that a typed one may be a slip of, the nearest first; a known one is no slip."""
    if typed in known:
        return [typed]
    most = _most_slips(typed)
    near = ((slips(typed, word, most), abs(len(word) - len(typed)), word) for word in known)
    return [word for count, _, word in sorted(one for one in near if one[0] <= most)[:_NEAR]]


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
