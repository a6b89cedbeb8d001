"""The outbox in the database: what is owed, to whom, and who is sending it.

The row of a destination is the lock of its queue: whoever changes what waits there takes that row first
(on SQLite there is one writer at a time anyway). That is why `enqueue` comes before anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db import rules
from db.lists import is_sqlite
from db.notify import DELIVERIES, ring
from db.stories import insert_ignoring
from db.tables import DeliveryRow, DestinationRow, FindingRow

OPEN = ("due", "sending", "failed")
GIVEN_UP = ("dead", "skipped")

Place = tuple[str, int]  # target ("channel", "user") and its id


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send what waits for a destination; `number` is its fence.

    `failures` since the last message that went through: only who holds the claim changes that.
    """

    target: str
    target_id: int
    number: int
    failures: int = 0

    @property
    def place(self) -> Place:
        """Where it is for."""
        return self.target, self.target_id


def not_ended() -> ColumnElement[bool]:
    """Give the condition of the index of what is not ended: written out, so that any plan may use it."""
    return DeliveryRow.state.in_(bindparam("open", OPEN, expanding=True, literal_execute=True))


def at_places(table: type[DestinationRow | DeliveryRow], places: Iterable[Place]) -> ColumnElement[bool]:
    """Ask for the rows of places. Not by `(target, target_id) IN ...`: SQLite reads all rows for that."""
    ids: dict[str, list[int]] = {}
    for target, id in places:
        ids.setdefault(target, []).append(id)
    return or_(
        false(), *(and_(table.target == target, table.target_id.in_(of)) for target, of in ids.items())
    )


# ------------------------------------------------------------- writing down what is owed


async def enqueue(
    session: AsyncSession,
    dues: Mapping[Place, datetime],
    turns: Mapping[Place, datetime] | None = None,
) -> None:
    """Lock destinations until the transaction ends, and note when something is due there.

    To be called with sorted places, so that two transactions never wait for each other. `turns` says who is
    served first where more is due than can be sent (else: by `dues`); who waits already keeps the turn.
    """
    turns = turns or {}
    kind = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement = kind(DestinationRow)
    new, old = statement.excluded.next_due, DestinationRow.next_due
    upsert = statement.on_conflict_do_update(
        index_elements=["target", "target_id"],
        set_={
            "next_due": case((or_(old.is_(None), old > new), new), else_=old),
            "turn": case((old.is_(None), statement.excluded.turn), else_=DestinationRow.turn),
        },
    )
    rows = [
        {
            "target": place[0],
            "target_id": place[1],
            "next_due": due_at,
            "turn": turns.get(place, due_at),
            "claim": 0,
            "failures": 0,
        }
        for place, due_at in dues.items()
    ]
    await _execute_many(session, upsert, rows)
    if rows:
        await ring(session, DELIVERIES)


async def hold(session: AsyncSession, which: ColumnElement[bool]) -> list[Place]:
    """Lock the destinations for which `which` holds until the transaction ends, in sorted order as `enqueue`
    does; gives them."""
    found = await session.execute(
        select(DestinationRow.target, DestinationRow.target_id)
        .where(which)
        .order_by(DestinationRow.target, DestinationRow.target_id)
        .with_for_update()
    )
    return [(row.target, row.target_id) for row in found]


async def hold_channels(session: AsyncSession, guild_id: int) -> list[int]:
    """Lock the channels that a server's rules name, as `hold` does; gives those that are known."""
    named = DestinationRow.target_id.in_(rules.channels_of(guild_id))
    held = await hold(session, and_(DestinationRow.target == "channel", named))
    return [channel_id for _, channel_id in held]


async def insert_deliveries(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Write deliveries down; those that are there already stay as they are."""
    await _execute_many(session, insert_ignoring(session, DeliveryRow), rows)


async def insert_findings(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Store lines of the record."""
    await _execute_many(session, insert(FindingRow), rows)


async def get_served(session: AsyncSession, story_id: int, places: Sequence[Place]) -> set[Place]:
    """Tell which of these destinations have, or are owed, a message about the story.

    What moderators are asked about it is none: the channel may be one that rules post in as well.
    """
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id).where(
            DeliveryRow.story_id == story_id,
            DeliveryRow.kind.not_in(("review", "decided")),
            at_places(DeliveryRow, places),
        )
    )
    return {(row.target, row.target_id) for row in found}


async def get_cards(session: AsyncSession, case_id: int, places: Sequence[Place]) -> dict[Place, bool]:
    """Tell which of these have a card of the case; True where it was (or may have been) posted."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id, DeliveryRow.state, DeliveryRow.attempts).where(
            DeliveryRow.case_id == case_id,
            at_places(DeliveryRow, places),
            DeliveryRow.kind == "card",
            DeliveryRow.state.not_in(GIVEN_UP),
        )
    )
    posted: dict[Place, bool] = {}
    for row in found:  # a case that another was merged with may have two
        place = (row.target, row.target_id)
        posted[place] = posted.get(place, False) or row.state != "due" or row.attempts > 0
    return posted


async def get_waiting_edits(session: AsyncSession, case_id: int, places: Sequence[Place]) -> set[Place]:
    """Tell which of these have a card of the case that is going to be edited anyway."""
    found = await session.execute(
        select(DeliveryRow.target, DeliveryRow.target_id).where(
            DeliveryRow.case_id == case_id,
            at_places(DeliveryRow, places),
            DeliveryRow.kind == "edit",
            DeliveryRow.state.in_(("due", "failed")),
        )
    )
    return {(row.target, row.target_id) for row in found}


# ------------------------------------------------------------- sending it


@dataclass(frozen=True, slots=True)
class Release:
    """How a destination is given back. `failures` since the last message that went through; until
    `pause_until` nobody takes it; `broken` says why nothing can be sent there."""

    claim: Claim
    failures: int
    pause_until: datetime | None = None
    broken: str | None = None


async def claim_destinations(
    session: AsyncSession, owner: str, *, now: datetime, until: datetime, limit: int
) -> list[Claim]:
    """Take destinations where something is due and that nobody else holds, by their turns."""
    due = (
        select(DestinationRow.target, DestinationRow.target_id)
        .where(
            DestinationRow.next_due <= now,
            DestinationRow.broken_at.is_(None),
            or_(DestinationRow.claimed_until.is_(None), DestinationRow.claimed_until <= now),
        )
        .order_by(func.coalesce(DestinationRow.turn, DestinationRow.next_due))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    places = [(row.target, row.target_id) for row in await session.execute(due)]
    if not places:
        return []
    taken = await session.execute(
        update(DestinationRow)
        .where(at_places(DestinationRow, places))
        .values(claimed_until=until, claimed_by=owner, claim=DestinationRow.claim + 1)
        .returning(
            DestinationRow.target, DestinationRow.target_id, DestinationRow.claim, DestinationRow.failures
        )
        .execution_options(synchronize_session=False)
    )
    claims = {(row.target, row.target_id): Claim(*row) for row in taken}
    return [claims[place] for place in places]


async def lock(session: AsyncSession, claims: Iterable[Claim]) -> set[Claim]:
    """Lock destinations until the transaction ends; gives the claims that still hold.

    In sorted order, as `enqueue` does.
    """
    of = {claim.place: claim for claim in claims}
    found = await session.execute(
        select(DestinationRow.target, DestinationRow.target_id, DestinationRow.claim)
        .where(at_places(DestinationRow, of))
        .order_by(DestinationRow.target, DestinationRow.target_id)
        .with_for_update()
    )
    held = {(row.target, row.target_id): row.claim for row in found}
    return {claim for place, claim in of.items() if held.get(place) == claim.number}


async def get_heads(
    session: AsyncSession, claims: Iterable[Claim], now: datetime
) -> dict[Place, DeliveryRow]:
    """Give the first delivery that is due at each destination."""
    places = [claim.place for claim in claims]
    if not places:
        return {}
    due = open_at_destination(DeliveryRow.id).where(DeliveryRow.due_at <= now)
    head = due.order_by(DeliveryRow.id).limit(1).scalar_subquery()
    ids = [
        id
        for id in await session.scalars(select(head).where(at_places(DestinationRow, places)))
        if id is not None
    ]
    rows = await session.scalars(select(DeliveryRow).where(DeliveryRow.id.in_(ids)))
    return {(row.target, row.target_id): row for row in rows}


async def update_deliveries(session: AsyncSession, changes: Iterable[dict[str, Any]]) -> None:
    """Change deliveries: each a dict of columns with the delivery's `id`."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for change in changes:
        alike.setdefault(tuple(sorted(change)), []).append(change)
    table = DeliveryRow.__table__
    for names, rows in alike.items():
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names if name != "id"}
        statement = update(DeliveryRow).where(table.c.id == bindparam("new_id")).values(values)
        await _execute_many(
            session, statement, [{f"new_{name}": row[name] for name in names} for row in rows]
        )


async def let_go(session: AsyncSession, releases: Sequence[Release], *, now: datetime) -> None:
    """Give destinations back, each with the time of what is due there next.

    Where something is due still, it goes to the end of the line. Only what the caller has locked.
    """
    if not releases:
        return
    turn = DestinationRow.turn
    first = open_at_destination(func.min(DeliveryRow.due_at)).scalar_subquery()
    waiting = await session.execute(
        select(DestinationRow.target, DestinationRow.target_id, first.label("due_at")).where(
            at_places(DestinationRow, [release.claim.place for release in releases])
        )
    )
    due = {(row.target, row.target_id): max(row.due_at, now) for row in waiting if row.due_at}
    statement = (
        update(DestinationRow)
        .where(
            DestinationRow.target == bindparam("at_target"),
            DestinationRow.target_id == bindparam("at_target_id"),
        )
        .values(
            next_due=bindparam("new_due"),
            turn=case((turn > bindparam("new_turn"), turn), else_=bindparam("new_turn")),
            claimed_until=bindparam("new_until"),
            claimed_by=None,
            failures=bindparam("new_failures"),
            broken=bindparam("new_broken"),
            broken_at=bindparam("new_broken_at"),
            # Told once, until a message went through: it may refuse again after it was thought to be open.
            told_at=case((bindparam("new_failures", type_=Integer) > 0, DestinationRow.told_at), else_=None),
        )
    )
    await _execute_many(
        session,
        statement,
        [
            {
                "at_target": release.claim.target,
                "at_target_id": release.claim.target_id,
                "new_due": due.get(release.claim.place),
                "new_turn": due.get(release.claim.place, now),
                "new_until": release.pause_until,
                "new_failures": release.failures,
                "new_broken": release.broken,
                "new_broken_at": now if release.broken else None,
            }
            for release in releases
        ],
    )


async def _execute_many(session: AsyncSession, statement: Executable, rows: list[dict[str, Any]]) -> None:
    """Execute one statement for many rows, past the session's own bookkeeping of objects."""
    if rows:
        connection = await session.connection()
        await connection.execute(statement, rows)


def open_at_destination(what: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """Ask about the deliveries that are not ended, for each destination of the query around it."""
    return (
        select(what)
        .where(
            DeliveryRow.target == DestinationRow.target,
            DeliveryRow.target_id == DestinationRow.target_id,
            not_ended(),
        )
        .correlate(DestinationRow)
    )


async def forget_claims(session: AsyncSession, owner: str | None = None) -> None:
    """Give back all destinations that an owner holds; without one, all: where no other process can be."""
    held = DestinationRow.claimed_by.is_not(None) if owner is None else DestinationRow.claimed_by == owner
    await session.execute(update(DestinationRow).where(held).values(claimed_until=None, claimed_by=None))


Thread = tuple[int, str, int]  # a case at a destination: case, target, target id


async def get_first_cards(session: AsyncSession, rows: Iterable[DeliveryRow]) -> dict[Thread, DeliveryRow]:
    """Give the deliveries of the cards that the destinations of these have of their cases, if posted."""
    threads = _threads(rows)
    if not threads:
        return {}
    found = await session.scalars(
        select(DeliveryRow)
        .where(
            _in_threads(threads),
            DeliveryRow.kind == "card",
            DeliveryRow.state == "sent",
            DeliveryRow.message_id.is_not(None),
        )
        .order_by(DeliveryRow.id.desc())
    )
    return {thread_of(row): row for row in found}


async def get_last_edits(session: AsyncSession, rows: Iterable[DeliveryRow]) -> dict[Thread, datetime]:
    """Tell when the cards of these deliveries' cases were edited last."""
    threads = _threads(rows)
    if not threads:
        return {}
    found = await session.execute(
        select(
            DeliveryRow.case_id,
            DeliveryRow.target,
            DeliveryRow.target_id,
            func.max(DeliveryRow.sent_at).label("at"),
        )
        .where(_in_threads(threads), DeliveryRow.kind == "edit", DeliveryRow.sent_at.is_not(None))
        .group_by(DeliveryRow.case_id, DeliveryRow.target, DeliveryRow.target_id)
    )
    return {(row.case_id, row.target, row.target_id): row.at for row in found}


async def get_case_threads(
    session: AsyncSession, rows: Iterable[DeliveryRow]
) -> dict[Thread, tuple[int, ...]]:
    """Give the threads on Discord that these deliveries' cases have had; they go on in the last one."""
    threads = _threads(rows)
    if not threads:
        return {}
    found = await session.scalars(
        select(DeliveryRow)
        .where(_in_threads(threads), DeliveryRow.thread_id.is_not(None))
        .order_by(DeliveryRow.id)
    )
    of: dict[Thread, dict[int, None]] = {}
    for row in found:
        if row.thread_id is not None:
            known = of.setdefault(thread_of(row), {})
            known.pop(row.thread_id, None)  # what is told of again is the newest again
            known[row.thread_id] = None
    return {thread: tuple(known) for thread, known in of.items()}


async def get_stored_messages(session: AsyncSession, message_ids: Collection[int]) -> set[int]:
    """Tell which of these messages are stored as those of deliveries."""
    if not message_ids:
        return set()
    found = await session.scalars(
        select(DeliveryRow.message_id).where(DeliveryRow.message_id.in_(message_ids))
    )
    return {message_id for message_id in found if message_id is not None}


def thread_of(row: DeliveryRow) -> Thread:
    """Tell by what a delivery finds the card that it answers or edits; -1 where it has no case."""
    return (-1 if row.case_id is None else row.case_id, row.target, row.target_id)


def _in_threads(threads: Sequence[Thread]) -> ColumnElement[bool]:
    """Ask for the rows of any of these cases at any of these destinations."""
    cases = {case_id for case_id, _, _ in threads}
    return and_(
        DeliveryRow.case_id.in_(cases), at_places(DeliveryRow, {(target, id) for _, target, id in threads})
    )


def _threads(rows: Iterable[DeliveryRow]) -> list[Thread]:
    return [thread_of(row) for row in rows if row.case_id is not None]


async def get_broken_channels(
    session: AsyncSession, limit: int, *, after: DestinationRow | None = None
) -> Sequence[DestinationRow]:
    """Give channels that take nothing at present, the longest broken first; those behind `after`."""
    at, id = DestinationRow.broken_at, DestinationRow.target_id
    query = select(DestinationRow).where(at.is_not(None), DestinationRow.target == "channel")
    if after is not None:
        query = query.where(at >= after.broken_at, or_(at > after.broken_at, id > after.target_id))
    return (await session.scalars(query.order_by(at, id).limit(limit))).all()


async def reopen_channels(session: AsyncSession, channel_ids: Collection[int]) -> list[int]:
    """Take up channels that took nothing; gives those that were still left alone."""
    rows = await session.scalars(
        select(DestinationRow)
        .where(
            DestinationRow.target == "channel",
            DestinationRow.target_id.in_(channel_ids),
            DestinationRow.broken_at.is_not(None),
        )
        .order_by(DestinationRow.target_id)  # as `enqueue` locks them
        .with_for_update()
    )
    taken = list(rows)
    for row in taken:
        row.broken = row.broken_at = None
    return [row.target_id for row in taken]


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
