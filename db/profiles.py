"""What is known of one party, and how topics and demands went over time; as far as the viewer may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import sources
from db.lookups import Viewer, place_in_matter, visible, with_topic
from db.stories import name_key
from db.tables import DemandPartyRow, DemandRow, PartyRow, StoryPartyRow, StoryRow, StoryTopicRow

_MOST_DEMANDS = 5000  # of one party that are counted, the newest


@dataclass(frozen=True, slots=True)
class Profile:
    """A party: how many stories it is in, its demands by side and status, its newest stories."""

    id: int
    name: str
    kind: str
    stories_total: int
    by_side: Mapping[str, tuple[tuple[str, int], ...]]  # issuer, recipient, target -> (status, number)
    opposite: tuple[tuple[str, int], ...]  # who it has to do with in demands, the most frequent first
    newest: tuple[StoryRow, ...]


async def get_party_name(session: AsyncSession, party_id: int) -> str | None:
    """Give a party's canonical name by its number."""
    return (await session.scalars(select(PartyRow.name).where(PartyRow.id == party_id))).one_or_none()


async def get_party_id(session: AsyncSession, name: str) -> int | None:
    """Give a party's number by any spelling of its canonical name."""
    return await session.scalar(select(PartyRow.id).where(PartyRow.name_key == name_key(name)))


async def get_profile(session: AsyncSession, viewer: Viewer, name: str, *, newest: int = 5) -> Profile | None:
    """Give a party's profile by any spelling of its canonical name; None when the viewer knows none such."""
    party = (await session.scalars(select(PartyRow).where(PartyRow.name_key == name_key(name)))).one_or_none()
    if party is None:
        return None
    of_party = (
        select(StoryRow)
        .join(StoryPartyRow, StoryPartyRow.story_id == StoryRow.id)
        .where(StoryPartyRow.party_id == party.id, visible(viewer))
    )
    total = (
        await session.execute(
            select(func.count()).select_from(of_party.with_only_columns(StoryRow.id).subquery())
        )
    ).scalar_one()
    if not total:
        return None
    found = await session.scalars(
        of_party.order_by(StoryRow.first_seen.desc(), StoryRow.id.desc()).limit(newest)
    )
    stories = found.all()
    await sources.name(session, viewer, stories)
    by_side, opposite = await _demands_of(session, viewer, party)
    return Profile(party.id, party.name, party.kind, total, by_side, opposite, tuple(stories))


async def _demands_of(
    session: AsyncSession, viewer: Viewer, party: PartyRow
) -> tuple[dict[str, tuple[tuple[str, int], ...]], tuple[tuple[str, int], ...]]:
    """Count a party's demands, one a case and instrument (its newest report), and who else is in them."""
    rows = await session.execute(
        # As columns: thousands of rows as objects, with their evidence, hold the event loop.
        select(
            DemandPartyRow.side,
            DemandRow.id,
            DemandRow.case_id,
            DemandRow.instrument,
            DemandRow.status,
            DemandRow.issuer,
            DemandRow.recipient,
        )
        .join(DemandRow, DemandRow.id == DemandPartyRow.demand_id)
        .join(StoryRow, StoryRow.id == DemandRow.story_id)
        .where(DemandPartyRow.party_id == party.id, visible(viewer))
        .order_by(DemandRow.reported.desc(), DemandRow.id.desc())
        .limit(_MOST_DEMANDS)
    )
    seen: set[tuple[str, int, str]] = set()
    counts: dict[str, Counter[str]] = {}
    opposite: Counter[str] = Counter()
    for side, demand_id, case_id, instrument, status, issuer, recipient in rows:
        matter = (side, case_id or -demand_id, instrument)
        if matter in seen:
            continue
        seen.add(matter)
        counts.setdefault(side, Counter())[status] += 1
        others = recipient if side == "issuer" else issuer
        opposite.update(other for other in others if name_key(other) != party.name_key)
    return {side: tuple(count.most_common()) for side, count in counts.items()}, tuple(
        opposite.most_common(8)
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """Numbers of stories by topic, in parts of a period of equal length; and of demands by status, one a case
    and instrument, as its newest report in the period has it."""

    starts: tuple[datetime, ...]
    topics: Mapping[str, tuple[int, ...]]  # the most frequent first
    statuses: tuple[tuple[str, int], ...]
    stories_total: int


async def get_trend(
    session: AsyncSession, viewer: Viewer, starts: tuple[datetime, ...], end: datetime, topic: str | None
) -> Trend:
    """Count the stories of a period by topic (one, or all) and part; the demands by their status."""
    at = func.coalesce(StoryRow.published, StoryRow.first_seen)
    # What was published in the period was seen after its start: that bound is the one with an index.
    seen = (visible(viewer), StoryRow.first_seen >= starts[0], at >= starts[0], at < end)
    wanted = [StoryTopicRow.topic == topic] if topic else []
    part = case(*((at < stop, number) for number, stop in enumerate((*starts[1:], end))))
    # `+ 0`: SQLite begins with the stories of the period, not with the topics of all.
    rows = await session.execute(
        select(StoryTopicRow.topic, part.label("part"), func.count())
        .join(StoryRow, StoryTopicRow.story_id == StoryRow.id + 0)
        .where(*seen, *wanted)
        .group_by(StoryTopicRow.topic, "part")
    )
    counts: dict[str, list[int]] = {}
    for name, place, number in rows:
        counts.setdefault(name, [0] * len(starts))[place] = number
    within = (*seen, *([with_topic(topic)] if topic else []))
    total = await session.execute(select(func.count()).select_from(StoryRow).where(*within))
    demands = (
        select(DemandRow.status, place_in_matter())
        .join(StoryRow, StoryRow.id == DemandRow.story_id)
        .where(*within)
        .subquery()
    )
    statuses = await session.execute(
        select(demands.c.status, func.count())
        .where(demands.c.place == 1)
        .group_by(demands.c.status)
        .order_by(func.count().desc(), demands.c.status)
    )
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    return Trend(
        starts,
        {name: tuple(numbers) for name, numbers in ordered},
        tuple((str(status), int(number)) for status, number in statuses),
        total.scalar_one(),
    )
