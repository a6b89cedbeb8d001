"""Storing a story: its row, its topics, parties and demands, its place in a case, the search index."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db import names, search
from db.lists import is_sqlite
from db.tables import (
    DemandPartyRow,
    DemandRow,
    EntryRow,
    FindingRow,
    PartyRow,
    StoryFeedRow,
    StoryPartyRow,
    StoryRow,
    StoryTopicRow,
)


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party's part in a story that is about to be stored."""

    name: str
    kind: str
    role: str
    mentions: int


@dataclass(frozen=True, slots=True)
class NewDemand:
    """A demand that is about to be stored. Issuer, recipient and target are canonical names."""

    issuer: tuple[str, ...]
    instrument: str
    recipient: tuple[str, ...]
    target: tuple[str, ...]
    sought: tuple[str, ...]
    status: str
    statute: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewStory:
    """A story that is about to be stored; `analysis` is the JSON that explanations read."""

    url: str
    url_key: str | None
    title: str
    source: str
    published: datetime | None
    language: str
    relevant: bool
    relevance: float
    status: str | None
    summary: tuple[str, ...]
    text: str
    analysis: dict[str, Any]
    topics: tuple[tuple[str, float], ...] = ()
    parties: tuple[NewParty, ...] = ()
    demands: tuple[NewDemand, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A line of the record that is about to be stored."""

    stage: str
    outcome: str
    reason: str
    evidence: tuple[str, ...] = field(default=())
    weight: float | None = None


def name_key(name: str) -> str:
    """Give the form of a party's name that look-ups compare: case and width folded, at most 200 long."""
    return unicodedata.normalize("NFKC", name).casefold().strip()[:200]


def insert_ignoring(session: AsyncSession, table: type[Any]) -> Any:
    """Give an INSERT that passes over rows that are there already, for the session's database."""
    if is_sqlite(session):
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


async def story_by_url_key(session: AsyncSession, url_key: str | None) -> StoryRow | None:
    """Find the story of a canonical address, whatever feed brought it."""
    if url_key is None:
        return None
    return (await session.execute(select(StoryRow).where(StoryRow.url_key == url_key))).scalar_one_or_none()


async def insert_story(
    session: AsyncSession, story: NewStory, *, case_id: int | None, adds: str, now: datetime
) -> int:
    """Store a story with all that hangs on it; gives its id. `adds`: new, update or source."""
    row = StoryRow(
        url=story.url,
        url_key=story.url_key,
        title=story.title,
        source=story.source,
        published=story.published,
        first_seen=now,
        language=story.language,
        relevant=story.relevant,
        relevance=story.relevance,
        status=story.status,
        summary=list(story.summary),
        text=story.text,
        analysis=story.analysis,
        case_id=case_id,
        adds=adds,
    )
    session.add(row)
    await session.flush()
    if story.topics:
        await session.execute(
            insert(StoryTopicRow),
            [{"story_id": row.id, "topic": topic, "score": score} for topic, score in story.topics],
        )
    ids = await _party_ids(session, story)
    if story.parties:
        parts = {ids[name_key(p.name)]: p for p in reversed(story.parties)}
        await session.execute(
            insert(StoryPartyRow),
            [
                {"story_id": row.id, "party_id": party_id, "role": p.role, "mentions": p.mentions}
                for party_id, p in parts.items()
            ],
        )
    for demand in story.demands:
        await _insert_demand(session, row, demand, ids, now)
    if story.relevant:
        await search.index_story(session, row.id)
        named = [*(p.name for p in story.parties), *_named_in_demands(story)]
        await names.learn(session, [story.title], {ids[name_key(name)]: name for name in named})
        await names.count_story(session, row.id)
    return row.id


async def take_place(session: AsyncSession, story_id: int, of: int) -> None:
    """Have a story stand for one that is of no interest, as that was made of less of the same article.

    What feeds brought the other bring this one. The other is deleted, with what was made of it.
    """
    feeds = select(StoryFeedRow.feed_id, StoryFeedRow.entry_id).where(StoryFeedRow.story_id == of)
    for feed_id, entry_id in (await session.execute(feeds)).all():
        await add_story_feed(session, story_id, feed_id, entry_id)
    seen = FindingRow.story_id == of, FindingRow.stage == "fetch"
    await session.execute(update(FindingRow).where(*seen).values(story_id=story_id))
    await session.execute(update(EntryRow).where(EntryRow.story_id == of).values(story_id=story_id))
    await session.execute(delete(StoryRow).where(StoryRow.id == of))


async def _insert_demand(
    session: AsyncSession, story: StoryRow, demand: NewDemand, ids: dict[str, int], now: datetime
) -> None:
    row = DemandRow(
        story_id=story.id,
        case_id=story.case_id,
        instrument=demand.instrument,
        status=demand.status,
        issuer=list(demand.issuer),
        recipient=list(demand.recipient),
        target=list(demand.target),
        sought=list(demand.sought),
        statute=demand.statute,
        evidence=list(demand.evidence),
        reported=story.published or now,
    )
    session.add(row)
    await session.flush()
    sides = {
        (ids[name_key(name)], side)
        for side, names in (
            ("issuer", demand.issuer),
            ("recipient", demand.recipient),
            ("target", demand.target),
        )
        for name in names
    }
    if sides:
        await session.execute(
            insert(DemandPartyRow),
            [{"demand_id": row.id, "party_id": party, "side": side} for party, side in sorted(sides)],
        )


def _named_in_demands(story: NewStory) -> list[str]:
    return [name for d in story.demands for name in (*d.issuer, *d.recipient, *d.target)]


async def _party_ids(session: AsyncSession, story: NewStory) -> dict[str, int]:
    """Make the parties known that are not yet; gives name key -> id."""
    kinds = {name_key(p.name): (p.name, p.kind) for p in story.parties}
    for name in _named_in_demands(story):
        kinds.setdefault(name_key(name), (name, "account" if name.startswith("@") else "organisation"))
    if not kinds:
        return {}
    await session.execute(
        insert_ignoring(session, PartyRow),
        [{"name": name, "name_key": key, "kind": kind} for key, (name, kind) in sorted(kinds.items())],
    )
    found = await session.execute(select(PartyRow.name_key, PartyRow.id).where(PartyRow.name_key.in_(kinds)))
    return {row.name_key: row.id for row in found}


async def add_story_feed(session: AsyncSession, story_id: int, feed_id: int, entry_id: int | None) -> None:
    """Note that a feed brought a story: its guilds may see it from now on.

    Where it brought the story before, the entry counts that is news (`db.news.came_as_news`).
    """
    values = {"story_id": story_id, "feed_id": feed_id, "entry_id": entry_id}
    fresh = insert_ignoring(session, StoryFeedRow).values(values).returning(StoryFeedRow.story_id)
    if (await session.execute(fresh)).first() is not None:
        await search.add_feed(session, [story_id], feed_id)
        await names.name_in_feed(session, story_id, feed_id)
    elif entry_id is not None:
        this = StoryFeedRow.story_id == story_id, StoryFeedRow.feed_id == feed_id
        news = exists().where(EntryRow.id == entry_id, EntryRow.alert.is_(True))
        await session.execute(update(StoryFeedRow).where(*this, news).values(entry_id=entry_id))


async def add_findings(
    session: AsyncSession,
    findings: Iterable[NewFinding],
    *,
    entry_id: int | None,
    story_id: int | None,
    now: datetime,
) -> None:
    """Store lines of the record, in their order."""
    rows: Sequence[dict[str, Any]] = [
        {
            "entry_id": entry_id,
            "story_id": story_id,
            "at": now,
            "stage": f.stage,
            "outcome": f.outcome[:32],
            "reason": f.reason,
            "evidence": list(f.evidence),
            "weight": f.weight,
        }
        for f in findings
    ]
    if rows:
        await session.execute(insert(FindingRow), rows)
