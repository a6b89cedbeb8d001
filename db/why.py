"""What `/why` reads: all that the record tells one server of a story, and nothing of any other server.

A server is told of the entries of its own feeds, of what its own rules decided and of what its own channels
got. What was made of the article itself (its text, language, relevance, case) is the same for all, and is
told whoever's feed brought the article first, without saying whose that was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db import deliveries
from db.stems import fold, words_of
from db.tables import (
    CaseRow,
    DeliveryRow,
    DigestItemRow,
    EntryRow,
    FeedRow,
    FindingRow,
    GuildFeedRow,
    RuleRow,
    StoryFeedRow,
    StoryRow,
)

_LOOKED_THROUGH = 50_000  # entries, the newest of all servers, among which titles are looked for
_NEWEST = 400  # of a server's own entries that are compared with what was typed
_OLDER = 50  # of those whose titles hold so many of its words
_WORDS = 3
_MOST_LINES = 500
_MOST_DELIVERIES = 50


@dataclass(frozen=True, slots=True)
class Ref:
    """What is asked about: a story, or an entry of which there is none (yet, or any more)."""

    story_id: int | None = None
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """A feed as a server uses it."""

    feed: FeedRow
    paused: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """An entry of one of a server's feeds."""

    entry: EntryRow
    feed: OwnFeed


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery to one of a server's channels. `broken`: why that channel takes nothing at present."""

    row: DeliveryRow
    broken: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a story for one server, each kind oldest first.

    `brought`: one of its feeds did bring it, whose entry may be deleted since for its age. `lines` are those
    of the article and of this server's rules; `unread` tells why an entry could not be read. `rules` are the
    server's as they are now.
    """

    entries: tuple[OwnEntry, ...]
    brought: bool
    story: StoryRow | None
    case: CaseRow | None
    lines: tuple[FindingRow, ...]
    unread: tuple[FindingRow, ...]
    rules: tuple[RuleRow, ...]
    deliveries: tuple[Owed, ...]


@dataclass(frozen=True, slots=True)
class Titled:
    """Something that can be asked about, by its title."""

    ref: Ref
    title: str


# ------------------------------------------------------------------------ finding what is meant


async def find_link(session: AsyncSession, guild_id: int, url_key: str) -> Ref | None:
    """Find what a server's feeds brought under an address, given by its key."""
    entry = (
        await session.execute(
            select(EntryRow.id, EntryRow.story_id)
            .where(EntryRow.url_key == url_key, _of_own_feed(EntryRow.feed_id, guild_id))
            .order_by(EntryRow.story_id.is_(None), EntryRow.id)
            .limit(1)
        )
    ).first()
    if entry is not None:
        return Ref(entry.story_id, entry.id)
    # A redirect can lead to another address than the feed's.
    story = await session.scalar(select(StoryRow.id).where(StoryRow.url_key == url_key, _is_known(guild_id)))
    return Ref(story) if story is not None else None


async def find_story(session: AsyncSession, guild_id: int, story_id: int) -> Ref | None:
    """Find a story by its number, if it is one of this server's."""
    found = await session.scalar(select(StoryRow.id).where(StoryRow.id == story_id, _is_known(guild_id)))
    return Ref(found) if found is not None else None


async def find_entry(session: AsyncSession, guild_id: int, entry_id: int) -> Ref | None:
    """Find an entry by its number, if it is one of this server's feeds."""
    found = (
        await session.execute(
            select(EntryRow.id, EntryRow.story_id).where(
                EntryRow.id == entry_id, _of_own_feed(EntryRow.feed_id, guild_id)
            )
        )
    ).first()
    return Ref(found.story_id, found.id) if found is not None else None


async def find_message(session: AsyncSession, guild_id: int, message_id: int) -> DeliveryRow | None:
    """Find the delivery to one of this server's channels that a message was made for."""
    row: DeliveryRow | None = (
        await session.scalars(
            select(DeliveryRow)
            .where(
                DeliveryRow.message_id == message_id,
                DeliveryRow.guild_id == guild_id,
                DeliveryRow.target == "channel",
            )
            .order_by(DeliveryRow.id)
            .limit(1)
        )
    ).first()
    return row


async def newest(session: AsyncSession, guild_id: int, typed: str = "", limit: int = 25) -> list[Titled]:
    """Give the newest entries of a server's feeds whose titles hold all words typed, each story once."""
    last = select(func.max(EntryRow.id)).scalar_subquery()
    return await _titled(session, guild_id, typed, limit, _NEWEST, EntryRow.id > last - _LOOKED_THROUGH)


async def find_title(session: AsyncSession, guild_id: int, typed: str) -> Ref | None:
    """Find the newest entry of a server's feeds whose title holds all words typed, however old it is."""
    words = words_of(typed)
    if not words:
        return None
    found = await newest(session, guild_id, typed, 1)
    if not found:
        # Databases differ in what they make of other letters: those are looked for as they stand. "ss" may be
        # a German sharp s.
        plain = sorted((word for word in words if word.isascii() and "ss" not in word), key=len)[-_WORDS:]
        written = sorted(typed.split(), key=len)[-_WORDS:]
        says = [EntryRow.title.icontains(word, autoescape=True) for word in plain]
        says = says or [EntryRow.title.contains(word, autoescape=True) for word in written]
        found = await _titled(session, guild_id, typed, 1, _OLDER, *says)
    return found[0].ref if found else None


async def _titled(
    session: AsyncSession, guild_id: int, typed: str, limit: int, most: int, *among: ColumnElement[bool]
) -> list[Titled]:
    words = [fold(word) for word in words_of(typed)]
    rows = await session.execute(
        select(EntryRow.id, EntryRow.story_id, EntryRow.title, EntryRow.url)
        .where(*among, _of_own_feed(EntryRow.feed_id, guild_id))
        .order_by(EntryRow.id.desc())
        .limit(most)
    )
    found: dict[tuple[str, int], Titled] = {}
    for row in rows:
        title = " ".join(map(fold, words_of(row.title)))
        if all(word in title for word in words):
            key = ("entry", row.id) if row.story_id is None else ("story", row.story_id)
            found.setdefault(key, Titled(Ref(row.story_id, row.id), row.title or row.url))
        if len(found) == limit:
            break
    return list(found.values())


def _of_own_feed(feed_id: InstrumentedAttribute[int], guild_id: int) -> ColumnElement[bool]:
    return feed_id.in_(_own_feeds(guild_id))


def _own_feeds(guild_id: int) -> Select[int]:
    return select(GuildFeedRow.feed_id).where(GuildFeedRow.guild_id == guild_id)


def _is_brought(guild_id: int, story_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Ask whether a feed that a server uses brought a story."""
    return exists().where(StoryFeedRow.story_id == story_id, _of_own_feed(StoryFeedRow.feed_id, guild_id))


def _is_known(guild_id: int) -> ColumnElement[bool]:
    """Ask whether a story is a server's: a feed that it uses brought it, or it was told there."""
    brought = _is_brought(guild_id, StoryRow.id)
    told = exists().where(
        DeliveryRow.story_id == StoryRow.id,
        DeliveryRow.target == "channel",
        DeliveryRow.guild_id == guild_id,
    )
    return or_(brought, told)


# ------------------------------------------------------------------------ what is known of it


async def get_known(session: AsyncSession, guild_id: int, ref: Ref) -> Known:
    """Read all that is known for a server of what `find_...` found."""
    own = await _own_entries(session, guild_id, ref)
    story = await session.get(StoryRow, ref.story_id) if ref.story_id is not None else None
    case = await session.get(CaseRow, story.case_id) if story is not None and story.case_id else None
    entry_ids = {one.entry.id for one in own}
    return Known(
        entries=own,
        brought=bool(ref.story_id and await session.scalar(select(_is_brought(guild_id, ref.story_id)))),
        story=story,
        case=case,
        lines=await _lines(session, guild_id, ref.story_id) if ref.story_id is not None else (),
        unread=await _unread(session, entry_ids),
        rules=tuple(
            await session.scalars(select(RuleRow).where(RuleRow.guild_id == guild_id).order_by(RuleRow.id))
        ),
        deliveries=await _owed(session, guild_id, ref.story_id) if ref.story_id is not None else (),
    )


async def get_own_feeds(session: AsyncSession, guild_id: int) -> list[OwnFeed]:
    """Give a server's feeds."""
    rows = await session.execute(
        select(FeedRow, GuildFeedRow.paused, GuildFeedRow.added_at)
        .join(GuildFeedRow, GuildFeedRow.feed_id == FeedRow.id)
        .where(GuildFeedRow.guild_id == guild_id)
        .order_by(FeedRow.id)
    )
    return [OwnFeed(row.FeedRow, row.paused, row.added_at) for row in rows]


async def _own_entries(session: AsyncSession, guild_id: int, ref: Ref) -> tuple[OwnEntry, ...]:
    this = EntryRow.story_id == ref.story_id if ref.story_id is not None else EntryRow.id == ref.entry_id
    rows = await session.execute(
        select(EntryRow, FeedRow, GuildFeedRow.paused, GuildFeedRow.added_at)
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
        .join(GuildFeedRow, GuildFeedRow.feed_id == FeedRow.id)
        .where(this, GuildFeedRow.guild_id == guild_id)
        .order_by(EntryRow.id)
    )
    return tuple(OwnEntry(row.EntryRow, OwnFeed(row.FeedRow, row.paused, row.added_at)) for row in rows)


async def _lines(session: AsyncSession, guild_id: int, story_id: int) -> tuple[FindingRow, ...]:
    """Give what was made of the article, and what was decided for this server.

    Left out is which feed brought it first, and that it was known from another: that may be nobody's here.
    """
    of_article = and_(FindingRow.guild_id.is_(None), FindingRow.stage.not_in(("fetch", "known")))
    found = await session.scalars(
        select(FindingRow)
        .where(FindingRow.story_id == story_id, or_(of_article, FindingRow.guild_id == guild_id))
        .order_by(FindingRow.id)
        .limit(_MOST_LINES)
    )
    return tuple(found)


async def _unread(session: AsyncSession, entry_ids: set[int]) -> tuple[FindingRow, ...]:
    found = await session.scalars(
        select(FindingRow)
        .where(
            FindingRow.entry_id.in_(entry_ids),
            FindingRow.story_id.is_(None),
            FindingRow.outcome == "failed",
        )
        .order_by(FindingRow.id)
    )
    return tuple(found)


async def _owed(session: AsyncSession, guild_id: int, story_id: int) -> tuple[Owed, ...]:
    """Give what this server's channels are or were owed of a story, digests that tell it among them."""
    alone = select(DeliveryRow.id).where(DeliveryRow.story_id == story_id)
    gathered = select(DigestItemRow.delivery_id).where(
        DigestItemRow.story_id == story_id, DigestItemRow.guild_id == guild_id
    )
    rows = list(
        await session.scalars(
            select(DeliveryRow)
            .where(
                DeliveryRow.id.in_(union(alone, gathered)),
                DeliveryRow.guild_id == guild_id,
                DeliveryRow.target == "channel",
            )
            .order_by(DeliveryRow.id)
            .limit(_MOST_DELIVERIES)
        )
    )
    broken = await deliveries.get_broken_reasons(session, {row.target_id for row in rows})
    return tuple(Owed(row, broken.get(row.target_id)) for row in rows)


async def get_digest_stories(
    session: AsyncSession, delivery_id: int, guild_id: int, limit: int
) -> Sequence[StoryRow]:
    """Give the newest stories that a digest tells by a server's feeds."""
    return (
        await session.scalars(
            select(StoryRow)
            .join(DigestItemRow, DigestItemRow.story_id == StoryRow.id)
            .where(DigestItemRow.delivery_id == delivery_id, DigestItemRow.guild_id == guild_id)
            .order_by(StoryRow.id.desc())
            .limit(limit)
        )
    ).all()
