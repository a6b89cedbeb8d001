"""What moderators decide about stories before they are posted, as services without Discord.

Each decision is one transaction: who was first, the audit, what is owed of it, and the edit of the message
by which moderators were asked. So a decision is whole or was never made, whatever is killed; the outbox does
the rest. Whether somebody may configure a server is the caller's check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.asking import LET_THROUGH, RECORDED, review_delivery
from bot.alerts.cards import Card
from bot.alerts.errors import NotHereError, WishError
from bot.alerts.outbox import get_identity, owe_reviewed
from bot.alerts.render import REVIEW_ENDS, WORDS
from bot.alerts.review_posts import review_card, until
from bot.clock import Clock
from bot.words import say
from db import audit, case_overrides, deliveries, lookups, restarts, reviews
from db.cards import CardShelf
from db.cases import where_stand
from db.engine import Database
from db.lookups import Viewer
from db.stems import fold, words_of
from db.tables import DeliveryRow, ReviewRow, StoryRow

CASES = 25  # that are offered for a merge: as many as a select on Discord takes
_LOOKED_THROUGH = 100  # newest cases of which the likeliest are offered
_AT_ONCE = 50  # overdue reviews that are ended between two looks


class DecidedAlreadyError(NotHereError):
    """Another moderator, or the end of the time, was first; says who."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: its story's title (raw), and the channels of the rules that post it now or in a digest."""

    title: str
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What moderators are asked: the card as they see it, and the summary as it stands now (raw)."""

    card: Card
    summary: str


@dataclass(frozen=True, slots=True)
class LikelyCase:
    """A case that a story may belong to: what it is called in the server (raw), and where it stands."""

    id: int
    title: str
    status: str | None


async def approve(
    database: Database, *, guild_id: int, user_id: int, review_id: int, now: datetime
) -> Decided:
    """Let a story be posted by the rules that ask for this review, as they are by now."""
    async with database.write() as session:
        row = await _hold(session, guild_id, review_id)
        return await _decide(session, row, "approved", user_id, now)


async def reject(
    database: Database, *, guild_id: int, user_id: int, review_id: int, now: datetime
) -> Decided:
    """Keep a story from being posted; `/why` says so."""
    async with database.write() as session:
        row = await _hold(session, guild_id, review_id)
        return await _decide(session, row, "rejected", user_id, now)


async def merge(
    database: Database, *, guild_id: int, user_id: int, review_id: int, case_id: int, now: datetime
) -> Decided:
    """Say that a story belongs to a case that is known already: it is not posted on its own.

    Cases are all servers', so that the two become one is proposed to the operator.
    """
    async with database.write() as session:
        row = await _hold(session, guild_id, review_id)
        case = await lookups.find_cases(session, Viewer(guild_id), str(case_id))
        story = await session.get_one(StoryRow, row.story_id)
        if not case or case[0].id == story.case_id:
            raise WishError(say("That case is not among this server's cases, or the story is in it already."))
        if story.case_id is not None:
            await case_overrides.propose(
                session,
                guild_id=guild_id,
                user_id=user_id,
                kind="merge",
                case_id=case[0].id,
                other_id=story.case_id,
                now=now,
            )
        return await _decide(session, row, "merged", user_id, now, case_id=case[0].id)


async def set_words(
    database: Database, *, guild_id: int, user_id: int, review_id: int, words: str, now: datetime
) -> Asked:
    """Put moderators' own words in the place of a story's summary; empty ones take them away again."""
    said = " ".join(words.split())
    if len(said) > WORDS:
        raise WishError(say("A summary has at most {most} characters; shorten it.", most=WORDS))
    async with database.write() as session:
        row = await _hold(session, guild_id, review_id)
        story = await session.get_one(StoryRow, row.story_id)
        if said == " ".join(" ".join(story.summary)[:WORDS].split()):
            said = ""  # the article's own, sent back as they were shown
        audit.note(
            session,
            guild_id,
            user_id,
            now,
            "review summary edited",
            before={"id": row.id, "summary": row.words},
            after={"id": row.id, "summary": said or None},
        )
        row.words = said or None
        await session.flush()
        return await _asked(session, row)


async def get_asked(database: Database, *, guild_id: int, review_id: int) -> Asked:
    """Give what moderators are asked, while nobody has decided."""
    async with database.read() as session:
        row = await reviews.get(session, guild_id, review_id)
        return await _asked(session, _open(row, review_id))


async def likely_cases(database: Database, *, guild_id: int, review_id: int) -> Sequence[LikelyCase]:
    """Give the server's cases that a story may belong to, the likeliest first, as they are called there."""
    async with database.read() as session:
        row = _open(await reviews.get(session, guild_id, review_id), review_id)
        story = await session.get_one(StoryRow, row.story_id)
        cases = await lookups.find_cases(session, Viewer(guild_id), "", limit=_LOOKED_THROUGH)
        own = await case_overrides.get_titles(session, Viewer(guild_id))
        words = _words(f"{story.title} {' '.join(story.summary)}")
        others = [case for case in cases if case.id != story.case_id]
        others.sort(key=lambda case: -len(words & _words(f"{case.title} {own.get(case.id, '')}")))
        likely = others[:CASES]
        stand = await where_stand(session, Viewer(guild_id), likely)
    return [LikelyCase(case.id, own.get(case.id, case.title), stand[case.id]) for case in likely]


async def end_overdue(database: Database, clock: Clock) -> int:
    """End the reviews that nobody has decided on in time, as their rules say; gives how many there were.

    What would be dropped has more time where moderators were asked late, or could not be asked yet.
    """
    count = 0
    while True:
        async with database.read() as session:
            overdue = await reviews.get_overdue(session, clock(), _AT_ONCE)
        for guild_id, review_id in overdue:
            async with database.write() as session:
                row = await reviews.hold(session, guild_id, review_id)
                if row is None or row.state != "waiting":
                    continue  # a moderator was a moment earlier
                if (later := await _until(session, row, clock())) > clock():
                    row.until = later
                    continue
                await _decide(session, row, "posted" if row.at_end == "post" else "dropped", None, clock())
                count += 1
            await asyncio.sleep(0)
        if len(overdue) < _AT_ONCE:
            return count


async def _until(session: AsyncSession, row: ReviewRow, now: datetime | None = None) -> datetime:
    hours, pauses = await reviews.get_hours(session, [row]), await restarts.get_pauses(session)
    return until(row, await _post(session, row), hours, now, pauses)


async def _post(session: AsyncSession, row: ReviewRow) -> DeliveryRow | None:
    """Give the delivery by which moderators were, or are to be, asked."""
    asked = (row.story_id, row.channel_id)
    return (await reviews.get_posts(session, [asked])).get(asked)


# ------------------------------------------------------------------------ the decision


async def _decide(
    session: AsyncSession,
    row: ReviewRow,
    state: str,
    user_id: int | None,
    now: datetime,
    *,
    case_id: int | None = None,
) -> Decided:
    row.state, row.decided_at, row.decided_by = state, now, user_id
    await session.flush()
    story = await session.get_one(StoryRow, row.story_id)
    if user_id is not None:  # what nobody decided is no change of somebody's
        after = {"id": row.id, "story": story.title[:200]} | ({"case": case_id} if case_id else {})
        audit.note(session, row.guild_id, user_id, now, f"review {state}", after=after)
    rules = await reviews.get_rules(session, row.guild_id, row.channel_id)
    said = RECORDED[state].format(case=case_id)
    place = ("channel", row.channel_id)
    wanted = await owe_reviewed(session, row.story_id, rules, state, said, also=[place], now=now)
    await deliveries.enqueue(session, {place: now})
    identity = await get_identity(session, row.story_id)
    edit = review_delivery(row.story_id, identity, row.guild_id, row.channel_id, "decided", now)
    await deliveries.insert_deliveries(session, [edit])
    posted = {one.destination.id: None for one in wanted} if state in LET_THROUGH else {}
    return Decided(story.title, tuple(posted))


async def _hold(session: AsyncSession, guild_id: int, review_id: int) -> ReviewRow:
    return _open(await reviews.hold(session, guild_id, review_id), review_id)


def _open(row: ReviewRow | None, review_id: int) -> ReviewRow:
    """Give a review that waits for a decision, or say why there is none to be made."""
    if row is None:
        raise NotHereError(
            say("There is no review #{number} here (any more); its story is not stored.", number=review_id)
        )
    if row.state == "waiting":
        return row
    when = f"<t:{int((row.decided_at or row.until).timestamp())}:R>"
    if row.decided_by is None:
        raise DecidedAlreadyError(
            say("That was decided {when}: {how}.", when=when, how=say(REVIEW_ENDS[row.state]))
        )
    raise DecidedAlreadyError(
        say(
            "<@{person}> was first, {when}: {how}.",
            person=row.decided_by,
            when=when,
            how=say(REVIEW_ENDS[row.state]),
        )
    )


async def _asked(session: AsyncSession, row: ReviewRow) -> Asked:
    material = await CardShelf(session).get(row.story_id, Viewer(row.guild_id))
    if material is None:
        raise NotHereError(say("Its story is no longer stored."))
    card = review_card(material, row, await _post(session, row), until=await _until(session, row))
    return Asked(card, row.words or " ".join(material.story.summary))


def _words(text: str) -> set[str]:
    return {fold(word) for word in words_of(text) if len(word) > 3}
