"""The outbox in the database: what is owed, to whom, and who is sending it.

The row of a destination is the lock of its queue: whoever changes what waits there takes that row first
(on SQLite there is one writer at a time anyway). That is why `enqueue` comes before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, case, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db.stories import insert_ignoring
from db.tables import DeliveryRow, DestinationRow, FindingRow

OPEN = ("due", "sending", "failed")
GIVEN_UP = ("dead", "skipped")

_AT_ONCE = 100  # rows of one INSERT

Place = tuple[str, int]  # target ("channel", "user") and its id


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send what waits for a destination; `number` is its fence."""

    target: str
    target_id: int
    number: int


# ------------------------------------------------------------- writing down what is owed


async def enqueue(session: AsyncSession, places: Iterable[Place], due_at: datetime) -> None:
    """Lock destinations until the transaction ends, and note that something is due there.

    In sorted order, so that two transactions never wait for each other.
    """
    kind = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = kind(DestinationRow)
    new, old = statement.excluded.next_due, DestinationRow.next_due
    rows = [
        {"target": target, "target_id": id, "next_due": due_at, "claim": 0, "failures": 0}
        for target, id in sorted(set(places))
    ]
    upsert = statement.on_conflict_do_update(
        index_elements=["target", "target_id"],
        set_={"next_due": case((or_(old.is_(None), old > new), new), else_=old)},
    )
    for some in _in_turns(rows):
        await session.execute(upsert, some)


async def insert_deliveries(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Write deliveries down; gives the ids of those that were not there yet."""
    statement = insert_ignoring(session, DeliveryRow).returning(DeliveryRow.id)
    ids: list[int] = []
    for some in _in_turns(rows):
        ids += (await session.scalars(statement, some)).all()
    return sorted(ids)


async def insert_findings(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Store lines of the record."""
    for some in _in_turns(rows):
        await session.execute(insert(FindingRow), some)


def _in_turns(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Cut many rows into statements that are short enough not to hold the event loop."""
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


async def get_served(session: AsyncSession, story_id: int) -> set[Place]:
    """Give the destinations that have, or are owed, a message about the story."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id).where(DeliveryRow.story_id == story_id)
    )
    return {(row.target, row.target_id) for row in found}


async def get_cards(session: AsyncSession, case_id: int) -> dict[Place, bool]:
    """Give the destinations that have a card of the case; True where it was (or may have been) posted."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id, DeliveryRow.state, DeliveryRow.attempts).where(
            DeliveryRow.case_id == case_id, DeliveryRow.kind == "card", DeliveryRow.state.not_in(GIVEN_UP)
        )
    )
    return {(row.target, row.target_id): row.state != "due" or row.attempts > 0 for row in found}


async def get_waiting_edits(session: AsyncSession, case_id: int) -> set[Place]:
    """Give the destinations whose card of the case is going to be edited anyway."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id).where(
            DeliveryRow.case_id == case_id,
            DeliveryRow.kind == "edit",
            DeliveryRow.state.in_(("due", "failed")),
        )
    )
    return {(row.target, row.target_id) for row in found}


# ------------------------------------------------------------- sending it


async def claim_destinations(
    session: AsyncSession, owner: str, *, now: datetime, until: datetime, limit: int
) -> list[Claim]:
    """Take destinations where something is due and that nobody else holds, the longest waiting first."""
    key = tuple_(DestinationRow.target, DestinationRow.target_id)
    due = (
        select(DestinationRow.target, DestinationRow.target_id)
        .where(
            DestinationRow.next_due <= now,
            DestinationRow.broken_at.is_(None),
            or_(DestinationRow.claimed_until.is_(None), DestinationRow.claimed_until <= now),
        )
        .order_by(DestinationRow.next_due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    places = [(row.target, row.target_id) for row in await session.execute(due)]
    if not places:
        return []
    taken = await session.execute(
        update(DestinationRow)
        .where(key.in_(places))
        .values(claimed_until=until, claimed_by=owner, claim=DestinationRow.claim + 1)
        .returning(DestinationRow.target, DestinationRow.target_id, DestinationRow.claim)
        .execution_options(synchronize_session=False)
    )
    numbers = {(row.target, row.target_id): row.claim for row in taken}
    return [Claim(*place, numbers[place]) for place in places]


async def hold(session: AsyncSession, claim: Claim, until: datetime) -> bool:
    """Lock the destination and renew the lease; False when somebody else has it by now."""
    done = await session.execute(
        update(DestinationRow)
        .where(
            DestinationRow.target == claim.target,
            DestinationRow.target_id == claim.target_id,
            DestinationRow.claim == claim.number,
        )
        .values(claimed_until=until)
        .returning(DestinationRow.target_id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None


async def get_destination(session: AsyncSession, target: str, target_id: int) -> DestinationRow | None:
    """Give a destination's row."""
    return await session.get(DestinationRow, (target, target_id))


def _open(target: str, target_id: int) -> Select[DeliveryRow]:
    # Literals, as in the partial index: with parameters a planner cannot tell that it may use it.
    states: BindParameter[str] = bindparam("open", OPEN, expanding=True, literal_execute=True)
    return select(DeliveryRow).where(
        DeliveryRow.target == target,
        DeliveryRow.target_id == target_id,
        DeliveryRow.state.in_(states),
    )


async def get_head(session: AsyncSession, claim: Claim, now: datetime) -> DeliveryRow | None:
    """Give the first delivery of a destination that is due."""
    return (
        await session.scalars(
            _open(claim.target, claim.target_id)
            .where(DeliveryRow.due_at <= now)
            .order_by(DeliveryRow.id)
            .limit(1)
        )
    ).first()


async def let_go(session: AsyncSession, claim: Claim, *, now: datetime, pause_until: datetime | None) -> None:
    """Give a destination back, with the time of what is due there next; until then nobody takes it.

    A destination that still has something due goes to the end of the line.
    """
    if not await hold(session, claim, now):
        return
    waiting = _open(claim.target, claim.target_id).with_only_columns(func.min(DeliveryRow.due_at))
    next_due = (await session.execute(waiting)).scalar_one_or_none()
    await session.execute(
        update(DestinationRow)
        .where(DestinationRow.target == claim.target, DestinationRow.target_id == claim.target_id)
        .values(next_due=max(next_due, now) if next_due else None, claimed_until=pause_until, claimed_by=None)
        .execution_options(synchronize_session=False)
    )


async def forget_claims(session: AsyncSession, owner: str | None = None) -> None:
    """Give back all destinations that an owner holds; without one, all: where no other process can be."""
    held = DestinationRow.claimed_by.is_not(None) if owner is None else DestinationRow.claimed_by == owner
    await session.execute(update(DestinationRow).where(held).values(claimed_until=None, claimed_by=None))


async def get_first_card(
    session: AsyncSession, case_id: int | None, target: str, target_id: int
) -> DeliveryRow | None:
    """Give the delivery of the card that a destination has of a case, if it was posted."""
    if case_id is None:
        return None
    return (
        await session.scalars(
            select(DeliveryRow)
            .where(
                DeliveryRow.case_id == case_id,
                DeliveryRow.target == target,
                DeliveryRow.target_id == target_id,
                DeliveryRow.kind == "card",
                DeliveryRow.state == "sent",
                DeliveryRow.message_id.is_not(None),
            )
            .order_by(DeliveryRow.id)
            .limit(1)
        )
    ).first()


async def get_last_edit(session: AsyncSession, card: DeliveryRow) -> datetime | None:
    """Tell when a card was edited last."""
    return (
        await session.execute(
            select(func.max(DeliveryRow.sent_at)).where(
                DeliveryRow.case_id == card.case_id,
                DeliveryRow.target == card.target,
                DeliveryRow.target_id == card.target_id,
                DeliveryRow.kind == "edit",
            )
        )
    ).scalar_one_or_none()


async def get_broken_channels(session: AsyncSession, limit: int) -> Sequence[DestinationRow]:
    """Give channels that take nothing at present, the longest broken first."""
    return (
        await session.scalars(
            select(DestinationRow)
            .where(DestinationRow.broken_at.is_not(None), DestinationRow.target == "channel")
            .order_by(DestinationRow.broken_at)
            .limit(limit)
        )
    ).all()


async def get_broken_reasons(session: AsyncSession, channel_ids: Iterable[int]) -> dict[int, str]:
    """Tell which of these channels take nothing at present, and why."""
    found = await session.execute(
        select(DestinationRow.target_id, DestinationRow.broken).where(
            DestinationRow.target == "channel",
            DestinationRow.target_id.in_(list(channel_ids)),
            DestinationRow.broken_at.is_not(None),
        )
    )
    return {row.target_id: row.broken or "" for row in found}


async def get_by_nonce(
    session: AsyncSession, story_or_case: dict[str, int], nonce: str
) -> DeliveryRow | None:
    """Give the delivery that a card's mark names, looked for among those of its story or case."""
    return (
        await session.scalars(
            select(DeliveryRow).filter_by(**story_or_case).where(DeliveryRow.nonce == nonce).limit(1)
        )
    ).first()
