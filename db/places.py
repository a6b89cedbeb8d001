"""What channels have beside their queue: what moderators are told, what is published, what is listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import notes
from db.deliveries import at_places, not_ended, open_at_destination
from db.tables import DeliveryRow, DestinationRow, GuildRow, RuleRow, StoryRow

# ------------------------------------------------------------- channels that take nothing


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server is told something: in which channels, the best first, in which language; and where none
    takes it, by whom its rules were made, as long as they may configure it: `moderator_role` may, too."""

    guild_id: int
    channels: tuple[int, ...]
    language: str
    makers: tuple[int, ...] = ()
    moderator_role: int | None = None


@dataclass(frozen=True, slots=True)
class BrokenChannel:
    """A channel that takes nothing, of whom moderators are to be told; `heard` None: no rule names it."""

    channel_id: int
    reason: str
    since: str
    heard: Listening | None


async def get_untold(session: AsyncSession, limit: int) -> list[BrokenChannel]:
    """Give broken channels that nobody was told of, the longest broken first.

    They are told of in the server's log channel; else where its other rules post. Not in channels that are
    broken themselves.
    """
    rows = (
        await session.scalars(
            select(DestinationRow)
            .where(
                DestinationRow.broken_at.is_not(None),
                DestinationRow.told_at.is_(None),
                DestinationRow.target == "channel",
            )
            .order_by(DestinationRow.broken_at)
            .limit(limit)
        )
    ).all()
    return [await _broken(session, row) for row in rows]


async def _broken(session: AsyncSession, row: DestinationRow) -> BrokenChannel:
    found = await session.execute(
        select(RuleRow.guild_id, RuleRow.created_by)
        .join(GuildRow, GuildRow.id == RuleRow.guild_id)
        .where(
            or_(RuleRow.channel_id == row.target_id, RuleRow.review_channel == row.target_id),
            GuildRow.left_at.is_(None),
        )
        .order_by(RuleRow.id.desc())
    )
    naming = found.all()  # the rules that name it
    heard = None
    if naming:
        guild_id = naming[0].guild_id
        heard = (await get_listeners(session, [guild_id])).get(guild_id)
    if heard is not None:
        makers = dict.fromkeys(rule.created_by for rule in naming if rule.created_by is not None)
        heard = replace(heard, makers=tuple(dict.fromkeys((*makers, *heard.makers))))
    return BrokenChannel(row.target_id, row.broken or "", str(row.broken_at), heard)


async def get_listeners(session: AsyncSession, guild_ids: Collection[int]) -> dict[int, Listening]:
    """Give where servers are told what concerns their configuration, and in which language.

    The log channel, then the channels of rules that are not paused, the oldest first; none that takes
    nothing at present. Who made a rule last is the first of the makers. Servers that the bot was removed
    from are left out.
    """
    servers = (
        await session.execute(
            select(GuildRow.id, GuildRow.log_channel, GuildRow.language, GuildRow.moderator_role).where(
                GuildRow.id.in_(guild_ids), GuildRow.left_at.is_(None)
            )
        )
    ).all()
    wanted: dict[int, dict[int, None]] = {
        row.id: {row.log_channel: None} if row.log_channel else {} for row in servers
    }
    makers: dict[int, dict[int, None]] = {row.id: {} for row in servers}
    of_rules = await session.execute(
        select(RuleRow.guild_id, RuleRow.channel_id, RuleRow.created_by, RuleRow.paused)
        .where(RuleRow.guild_id.in_(wanted))
        .order_by(RuleRow.id)
    )
    for rule in of_rules:
        if not rule.paused:
            wanted[rule.guild_id].setdefault(rule.channel_id)
        if rule.created_by is not None:
            makers[rule.guild_id].pop(rule.created_by, None)
            makers[rule.guild_id][rule.created_by] = None
    broken = set(
        await session.scalars(
            select(DestinationRow.target_id).where(
                DestinationRow.target == "channel",
                DestinationRow.target_id.in_({each for of in wanted.values() for each in of}),
                DestinationRow.broken_at.is_not(None),
            )
        )
    )
    return {
        row.id: Listening(
            row.id,
            tuple(each for each in wanted[row.id] if each not in broken),
            row.language,
            tuple(reversed(makers[row.id])),
            row.moderator_role,
        )
        for row in servers
    }


async def mark_told(session: AsyncSession, channel_id: int, now: datetime) -> None:
    """Note that moderators were told of a broken channel, or that there is nobody to tell."""
    await session.execute(
        update(DestinationRow)
        .where(DestinationRow.target == "channel", DestinationRow.target_id == channel_id)
        .values(told_at=now)
    )


# ------------------------------------------------------------- what was given up

_UNTOLD = "given-up:"  # notes `given-up:SERVER:DELIVERY`, until moderators were told


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What was given up in a server's channels since moderators were told last; `title` is raw.

    `delivery_ids`: all of it; the rest is of the first.
    """

    guild_id: int
    delivery_ids: tuple[int, ...]
    channel_id: int
    title: str
    reason: str


async def note_given_up(session: AsyncSession, delivery_ids: Collection[int]) -> None:
    """Note, in the transaction that gives deliveries up, that moderators are to be told of those."""
    if not delivery_ids:
        return
    found = await session.execute(
        select(DeliveryRow.id, DeliveryRow.guild_id).where(
            DeliveryRow.id.in_(delivery_ids), DeliveryRow.target == "channel"
        )
    )
    for row in found:
        await notes.put(session, f"{_UNTOLD}{row.guild_id}:{row.id}", "")


async def get_given_up(session: AsyncSession) -> list[GivenUp]:
    """Give what was given up and nobody was told of, a server at a time."""
    of: dict[int, list[int]] = {}
    for name in await notes.named(session, _UNTOLD):
        guild_id, delivery_id = name.removeprefix(_UNTOLD).split(":")
        of.setdefault(int(guild_id), []).append(int(delivery_id))
    return [await _given_up(session, guild_id, tuple(sorted(ids))) for guild_id, ids in sorted(of.items())]


async def _given_up(session: AsyncSession, guild_id: int, delivery_ids: tuple[int, ...]) -> GivenUp:
    row = (
        await session.execute(
            select(DeliveryRow.target_id, DeliveryRow.error, StoryRow.title)
            .outerjoin(StoryRow, StoryRow.id == DeliveryRow.story_id)
            .where(DeliveryRow.id == delivery_ids[0])
        )
    ).one_or_none()
    channel_id, reason, title = row or (0, None, None)
    return GivenUp(guild_id, delivery_ids, channel_id, title or "", reason or "")


async def forget_given_up(session: AsyncSession, told: GivenUp) -> None:
    """Note that moderators were told, or that there is nobody to tell."""
    for delivery_id in told.delivery_ids:
        await notes.remove(session, f"{_UNTOLD}{told.guild_id}:{delivery_id}")


async def get_with_threads(session: AsyncSession, channel_ids: Collection[int]) -> set[int]:
    """Tell for which of these channels a rule wants threads."""
    found = await session.scalars(
        select(RuleRow.channel_id).where(RuleRow.channel_id.in_(channel_ids), RuleRow.thread == "case")
    )
    return set(found)


async def get_servers_owed(session: AsyncSession, channel_ids: Collection[int]) -> dict[int, int]:
    """Give for those of these channels where something waits the server that it is for."""
    first = open_at_destination(DeliveryRow.guild_id).limit(1).scalar_subquery()
    found = await session.execute(
        select(DestinationRow.target_id, first.label("guild_id")).where(
            at_places(DestinationRow, [("channel", channel_id) for channel_id in channel_ids])
        )
    )
    return {row.target_id: row.guild_id for row in found if row.guild_id is not None}


# ------------------------------------------------------------- publishing


@dataclass(frozen=True, slots=True)
class Publishing:
    """A message of an announcement channel that is to be published."""

    delivery_id: int
    channel_id: int
    message_id: int


async def claim_publishing(
    session: AsyncSession, *, now: datetime, until: datetime, limit: int
) -> list[Publishing]:
    """Take messages that are to be published now; others leave them alone until then."""
    due = (
        select(DeliveryRow.id)
        .where(DeliveryRow.publish_at <= now)
        .order_by(DeliveryRow.publish_at, DeliveryRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(due))
    if not ids:
        return []
    taken = await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids))
        .values(publish_at=until)
        .returning(DeliveryRow.id, DeliveryRow.channel_id, DeliveryRow.message_id)
        .execution_options(synchronize_session=False)
    )
    found = (Publishing(row.id, row.channel_id or 0, row.message_id or 0) for row in taken)
    return sorted(found, key=lambda one: one.delivery_id)


async def end_publishing(session: AsyncSession, delivery_id: int, published_at: datetime | None) -> None:
    """Note that a message was published, or (None) that it never will be."""
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id)
        .values(publish_at=None, published_at=published_at)
    )


async def put_off_publishing(session: AsyncSession, channel_id: int, until: datetime) -> None:
    """Let all that is to be published in a channel wait."""
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.publish_at.is_not(None), DeliveryRow.channel_id == channel_id)
        .values(publish_at=until)
    )


# ------------------------------------------------------------- what waits, or was given up


async def list_deliveries(
    session: AsyncSession, guild_id: int, states: Collection[str], limit: int
) -> Sequence[tuple[DeliveryRow, str | None]]:
    """Give a server's deliveries to channels in these states, the oldest first, with their stories' titles.

    What members get is theirs alone.
    """
    named = await session.execute(
        select(RuleRow.channel_id, RuleRow.review_channel).where(RuleRow.guild_id == guild_id)
    )
    channels = {id for row in named for id in row if id is not None}
    # Literals, as in the partial indexes: an open delivery is found by its channel, a dead one by its server.
    waiting = (
        at_places(DeliveryRow, [("channel", id) for id in channels]),
        not_ended(),
        DeliveryRow.state.in_(states),
        DeliveryRow.guild_id == guild_id,
    )
    dead = (
        DeliveryRow.state == literal_column("'dead'"),
        DeliveryRow.guild_id == guild_id,
        DeliveryRow.target == "channel",
    )
    found: list[tuple[DeliveryRow, str | None]] = []
    for where, asked in ((waiting, bool(channels)), (dead, "dead" in states)):
        if not asked:
            continue
        rows = await session.execute(
            select(DeliveryRow, StoryRow.title)
            .outerjoin(StoryRow, StoryRow.id == DeliveryRow.story_id)
            .where(*where)
            .order_by(DeliveryRow.id)
            .limit(limit)
        )
        found += [(row.DeliveryRow, row.title) for row in rows]
    return sorted(found, key=lambda one: one[0].id)[:limit]


async def hold_delivery(session: AsyncSession, guild_id: int, delivery_id: int) -> DeliveryRow | None:
    """Give a delivery to one of a server's channels, with the lock of its queue: nobody else changes it."""
    asked = select(DeliveryRow).where(
        DeliveryRow.id == delivery_id, DeliveryRow.guild_id == guild_id, DeliveryRow.target == "channel"
    )
    found: DeliveryRow | None = (await session.scalars(asked)).one_or_none()
    if found is None:
        return None
    await session.execute(
        select(DestinationRow.claim)
        .where(DestinationRow.target == "channel", DestinationRow.target_id == found.target_id)
        .with_for_update()
    )
    held: DeliveryRow | None = (
        await session.scalars(asked.with_for_update().execution_options(populate_existing=True))
    ).one_or_none()
    return held
