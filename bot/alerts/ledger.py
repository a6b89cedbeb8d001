"""Delivery's side of the database: what came of orders is stored, and new orders are taken.

Both happen in one transaction for many destinations at once. An order leaves only after the transaction
that stored its intent. An outcome that could not be stored is handed in again with the next turn; one that
died with its process is found by its intent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import changes, lines, unreachable
from bot.alerts.asking import REVIEW_KINDS
from bot.alerts.cards import card_from
from bot.alerts.changes import Change
from bot.alerts.clauses import RoutedStory
from bot.alerts.digests import DigestShelf, words_of
from bot.alerts.errors import DestinationRefusedError
from bot.alerts.moments import quiet_for
from bot.alerts.night import postpone
from bot.alerts.orders import LEASE, NO_THREAD, CaseThread, Offer, Order, Outcome
from bot.alerts.outbox import get_hours, load_stories, rule_from, subscription_from
from bot.alerts.review_posts import ReviewShelf, read_reviews
from bot.alerts.routing import (
    Rule,
    Subscription,
    Verdict,
    as_owed,
    ask_rule,
    ask_subscription,
)
from bot.alerts.steps import Step, step
from bot.alerts.timing import Hours
from bot.clock import Clock
from bot.errors import told
from db import deliveries, digests, guilds, places, reviews, rules, subscriptions
from db.cards import CardShelf
from db.deliveries import Claim, Release
from db.engine import Database
from db.lookups import Viewer
from db.tables import DeliveryRow

_log = logging.getLogger(__name__)

EDIT_EVERY = timedelta(minutes=1)
EDIT_OLD_EVERY = timedelta(minutes=10)  # of messages older than an hour: Discord limits that further (30046)
LATE = timedelta(minutes=10)  # from then on a card says that it is
_OLD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one transaction took: orders to carry, and how many destinations needed none after all."""

    orders: list[Order]
    idle: int


@dataclass(slots=True)
class _Writing:
    """What one transaction is going to change."""

    changes: list[Change] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Heads:
    """The first due delivery of each claimed destination, with all that an order is made of."""

    session: AsyncSession
    rows: dict[deliveries.Place, DeliveryRow]
    stories: dict[int, RoutedStory]
    rules: dict[int, list[Rule]]
    subscriptions: dict[int, list[Subscription]]
    first_cards: dict[deliveries.Thread, DeliveryRow]
    last_edits: dict[deliveries.Thread, datetime]
    case_threads: dict[deliveries.Thread, tuple[int, ...]]
    hours: dict[int, Hours]
    shelf: CardShelf
    gathered: dict[int, dict[int, digests.Wish]]  # the stories of the deliveries that are digests
    digests: DigestShelf
    reviews: ReviewShelf
    words: dict[tuple[int, int], str]  # moderators' own, by story and server
    let_through: set[tuple[int, int]]  # stories, each by the moderators of a channel or the end of their time


class Ledger:
    """Keeps the book for one process, which claims destinations in the name of `owner`."""

    def __init__(self, database: Database, clock: Clock, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner

    async def turn(self, outcomes: Sequence[Outcome], room: int) -> Turn:
        """Store what came of orders, and take up to `room` new ones; one transaction."""
        now = self._clock()
        async with self._database.write() as session:
            if outcomes:
                await self._settle(session, outcomes, now)
                step(Step.OUTCOME_STORED)
            turn = await self._take(session, room, now) if room > 0 else Turn([], 0)
            if turn.orders:
                step(Step.INTENT_STORED)
        if outcomes:
            step(Step.OUTCOME_COMMITTED)
        if turn.orders:
            step(Step.INTENT_COMMITTED)
        return turn

    # ------------------------------------------------------------- outcomes

    async def _settle(self, session: AsyncSession, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Store what came of orders, and give their destinations back where they are still ours."""
        held = await deliveries.lock(session, [outcome.order.claim for outcome in outcomes])
        writing = _Writing()
        for outcome in outcomes:
            change, release = changes.decide(outcome)
            ours = outcome.order.claim in held
            if ours or outcome.offer is not None:  # what has happened is true, whoever holds the lease by now
                writing.changes.append(change)
            if not ours:
                continue
            writing.releases.append(release)
            if release.broken:
                _log.warning("channel %d is left alone: %s", outcome.order.claim.target_id, release.broken)
            refused = outcome.error if isinstance(outcome.error, DestinationRefusedError) else None
            if outcome.order.claim.target == "user" and refused is not None and refused.is_the_members:
                await unreachable.rest(session, outcome.order.claim.target_id)
        await self._write(session, writing, now)

    async def _write(self, session: AsyncSession, writing: _Writing, now: datetime) -> None:
        await deliveries.update_deliveries(session, writing.changes)
        dead = [change["id"] for change in writing.changes if change.get("state") == "dead"]
        await places.note_given_up(session, dead)
        await deliveries.let_go(session, writing.releases, now=now)

    # ------------------------------------------------------------- orders

    async def _take(self, session: AsyncSession, room: int, now: datetime) -> Turn:
        """Claim destinations where something is due, and store the intent to send the first of each.

        The cards are made in the same transaction: whoever adds to a card's case afterwards finds the
        intent and owes an edit.
        """
        claims = await deliveries.claim_destinations(
            session, self._owner, now=now, until=now + LEASE, limit=room
        )
        if not claims:
            return Turn([], 0)
        heads = await self._read(session, claims, now)
        orders: list[Order] = []
        writing = _Writing()
        for claim in claims:
            order = await self._order(claim, heads, writing, now)
            await asyncio.sleep(0)  # many cards are made here: not all in one turn of the event loop
            if order is not None:
                orders.append(order)
        await self._write(session, writing, now)
        languages = await guilds.get_languages(session, {id for order in orders for id in order.guilds})
        return Turn([order.said_in(languages) for order in orders], len(claims) - len(orders))

    async def _read(self, session: AsyncSession, claims: list[Claim], now: datetime) -> _Heads:
        """Read what the orders of claimed destinations are made of, each kind of thing at once."""
        rows = await deliveries.get_heads(session, claims, now)
        to_channels = [row for row in rows.values() if row.target == "channel"]
        to_members = {row.target_id for row in rows.values() if row.target == "user"}
        threads = [row for row in rows.values() if row.kind != "card"]
        found_rules = await rules.get_rules_of_channels(
            session,
            {row.guild_id for row in to_channels if row.guild_id is not None},
            {row.target_id for row in to_channels},
        )
        found_wishes = await subscriptions.get_subscriptions_of_all(session, to_members)
        concerned = {rule.guild_id for of in found_rules.values() for rule in of}
        concerned |= {wish.guild_id for of in found_wishes.values() for wish in of}
        shelf = DigestShelf(session)
        gathered = await shelf.items([row.id for row in rows.values() if row.kind == "digest"])
        story_ids = {row.story_id for row in rows.values() if row.story_id is not None}
        story_ids.update(*gathered.values())
        desks = {rule.review_channel for of in found_rules.values() for rule in of if rule.review_channel}
        return _Heads(
            session=session,
            rows=rows,
            stories=await load_stories(session, story_ids, guilds=concerned),
            rules={id: [rule_from(row) for row in of] for id, of in found_rules.items()},
            subscriptions={id: [subscription_from(row) for row in of] for id, of in found_wishes.items()},
            first_cards=await deliveries.get_first_cards(session, threads),
            last_edits=await deliveries.get_last_edits(session, threads),
            case_threads=await deliveries.get_case_threads(session, threads),
            hours=await get_hours(session, concerned),
            shelf=CardShelf(session),
            gathered=gathered,
            digests=shelf,
            reviews=await read_reviews(session, rows.values()),
            words=await reviews.get_words(session, story_ids) if to_channels else {},
            let_through=await reviews.get_let_through(session, story_ids, desks),
        )

    async def _order(self, claim: Claim, heads: _Heads, writing: _Writing, now: datetime) -> Order | None:
        """Make the order for a claimed destination; without one the destination is given back."""
        row = heads.rows.get(claim.place)
        pause: float | None = None
        if row is not None:
            try:
                order, change = await self._prepare(claim, row, heads, now)
            except (SQLAlchemyError, OSError):
                raise
            except Exception as error:  # a defect: one delivery that cannot be made must not stop the others
                _log.exception("delivery %d failed inside Quash", row.id)
                order, change = None, changes.defect(row.id, row.attempts + 1, error)
                pause = changes.pause_after(row.attempts + 1)
            writing.changes.append(change)
            if order is not None:
                return order
        until = now + timedelta(seconds=pause) if pause else None
        writing.releases.append(Release(claim, claim.failures, pause_until=until))
        return None

    async def _prepare(
        self, claim: Claim, row: DeliveryRow, heads: _Heads, now: datetime
    ) -> tuple[Order | None, Change]:
        """Make the order for a delivery, or tell what becomes of it instead.

        The story is put once more to the rules or subscriptions of its destination, as they are by now.
        """
        if row.kind == "digest":
            return await self._prepare_digest(claim, row, heads, now)
        if row.kind in REVIEW_KINDS:
            made = await heads.reviews.order(claim, row, heads.shelf, now)
            if isinstance(made, str):
                return None, changes.closed(row.id, "skipped", made)
            return made, changes.intent(made, now)
        verdicts = _verdicts(claim, heads, row.story_id)
        first = heads.first_cards.get(deliveries.thread_of(row))
        # A card stays as the rule wants it that posted it.
        by = first if first is not None and row.kind == "edit" else row
        wanted = _wanted(verdicts, heads, row.story_id, (row.rule_id, by.rule_id))
        if not wanted:
            return None, changes.closed(row.id, "skipped", _why_not(verdicts))
        if claim.target == "channel":
            wanted = [as_owed(wanted, by.rule_id)]
        if row.kind != "edit" and (quiet := _quiet(row, wanted[0], heads, now)) is not None:
            hours = heads.hours[wanted[0].guild_id]
            return None, await postpone(heads.session, row, wanted[0], hours, quiet, now)
        shown = row
        if row.kind == "edit":
            if first is None:
                return None, changes.closed(row.id, "skipped", told("Its card is not on Discord."))
            again = _edit_again(first, heads.last_edits.get(deliveries.thread_of(row)), now)
            if again > now:
                return None, {"id": row.id, "due_at": again}
            shown = first
        rule = _rule_of(wanted[0], heads)
        threads = rule is not None and rule.thread == "case"
        if row.kind == "report" and not threads:
            return None, changes.closed(row.id, "skipped", told("The rule has no threads any more."))
        thread = _case_thread(row, first, heads)
        cards = [await _offer(shown, verdict, heads, now) for verdict in wanted]
        offers = tuple(offer for offer in cards if offer is not None)
        if len(offers) < len(cards):
            return None, changes.closed(row.id, "skipped", told("Its story is no longer stored."))
        order = replace(
            Order.of(claim, row, offers, now, channel_id=_channel_of(shown)),
            edits=first.message_id if first and row.kind == "edit" else None,
            answers=first.message_id if first and row.kind == "update" else None,
            thread=thread if threads else None,
            in_forum=thread,
            perhaps_in=_perhaps_in(row, first, heads),
        )
        return order, changes.intent(order, now)

    async def _prepare_digest(
        self, claim: Claim, row: DeliveryRow, heads: _Heads, now: datetime
    ) -> tuple[Order | None, Change]:
        """Make the order for a digest of those of its stories that are still wanted."""
        gathered = heads.gathered[row.id]
        wanted: dict[int, list[Verdict]] = {}
        for story_id in gathered:
            verdicts = _verdicts(claim, heads, story_id)
            if passed := _wanted(verdicts, heads, story_id, (gathered[story_id].rule_id,)):
                wanted[story_id] = passed
            await asyncio.sleep(0)  # looking for keywords in hundreds of stories takes its time
        digest = await heads.digests.digest(
            {story_id: {one.guild_id for one in passed} for story_id, passed in wanted.items()},
            until=row.due_at,
        )
        if digest is None:
            return None, changes.closed(
                row.id, "skipped", told("Nothing that was gathered for it is wanted any more.")
            )
        wishes = [as_owed(passed, gathered[story_id].rule_id) for story_id, passed in wanted.items()]
        best = wishes[0]  # of the newest story
        if (quiet := _quiet(row, replace(best, urgent=False), heads, now)) is not None:
            return None, {"id": row.id, "due_at": quiet}
        await self._leave_out(claim, row, heads, wanted, now)
        roles = dict.fromkeys(wish.ping_role for wish in wishes if wish.ping_role is not None)
        topics = Counter(topic for story_id in wanted for topic in sorted(heads.stories[story_id].topics))
        digest = replace(
            digest,
            ping_roles=tuple(roles),
            delivery_id=row.id,
            mark=row.nonce,
            words=words_of(heads.words, best.guild_id) if best.rule_id is not None else {},
            zone=heads.hours[best.guild_id].zone,
            topics=tuple(topic for topic, _ in topics.most_common()),
        )
        rule = _rule_of(best, heads)
        threads = rule is not None and rule.thread == "case"
        offer = Offer(digest, best.guild_id, best.rule_id, best.subscription_id)
        order = replace(
            Order.of(claim, row, (offer,), now, channel_id=_channel_of(row)),
            thread=NO_THREAD if threads else None,
        )
        return order, changes.intent(order, now)

    async def _leave_out(
        self, claim: Claim, row: DeliveryRow, heads: _Heads, wanted: Mapping[int, object], now: datetime
    ) -> None:
        """Take what is not wanted any more out of a digest that tells the rest, and note why."""
        findings = []
        for story_id in heads.gathered[row.id]:
            if story_id in wanted:
                continue
            await digests.take_out(heads.session, row.id, story_id)
            verdicts = _verdicts(claim, heads, story_id)
            if verdicts and verdicts[0].rule_id is not None:
                said = told(
                    "it was not wanted any more when its digest was made: {why}", why=_why_not(verdicts)
                )
                findings.append(lines.of_rule(heads.stories[story_id], verdicts[0], "left out", said, now))
        await deliveries.insert_findings(heads.session, findings)


def _quiet(row: DeliveryRow, wish: Verdict, heads: _Heads, now: datetime) -> datetime | None:
    """Tell until when a message waits, if it is quiet in its server: it was due before, or the hours are new.

    What was tried, and so may be on Discord already, is brought to its end.
    """
    tried = row.intent_at is not None and row.attempts > 0  # else a pause was the reason, see `db.restarts`
    return None if tried else quiet_for(wish, heads.hours[wish.guild_id], now)


def _edit_again(first: DeliveryRow, last: datetime | None, now: datetime) -> datetime:
    """Tell from when on a card may be edited (again)."""
    is_old = first.sent_at is not None and now - first.sent_at > _OLD
    return last + (EDIT_OLD_EVERY if is_old else EDIT_EVERY) if last else now


def _channel_of(shown: DeliveryRow) -> int | None:
    """Give where a message goes, or stands already; None for a member who is to be written to."""
    if shown.state == "sent":
        return shown.channel_id
    return shown.target_id if shown.target == "channel" else None


def _case_thread(row: DeliveryRow, first: DeliveryRow | None, heads: _Heads) -> CaseThread:
    known = heads.case_threads.get(deliveries.thread_of(row))
    return CaseThread(
        thread_id=known[-1] if known else None,
        head=_head_of_thread(row, first),
        opens=row.case_id is not None,
    )


def _head_of_thread(row: DeliveryRow, first: DeliveryRow | None) -> int | None:
    """Give the case's first card where a thread can be made of it (the thread has its id), else None."""
    is_there = first is not None and row.target == "channel" and first.channel_id == row.target_id
    return first.message_id if first is not None and is_there else None


def _perhaps_in(row: DeliveryRow, first: DeliveryRow | None, heads: _Heads) -> tuple[int, ...]:
    """Give the threads in which a message may stand of which it is not known where it was sent."""
    if row.intent_at is None or row.kind == "edit":
        return ()
    known = dict.fromkeys(reversed(heads.case_threads.get(deliveries.thread_of(row), ())))
    head = _head_of_thread(row, first)
    return tuple(known | ({head: None} if head is not None else {}))


def _verdicts(claim: Claim, heads: _Heads, story_id: int | None) -> list[Verdict]:
    story = heads.stories.get(story_id) if story_id is not None else None
    if story is None:
        return []
    if claim.target == "channel":
        return [ask_rule(story, rule) for rule in heads.rules.get(claim.target_id, ())]
    return [ask_subscription(story, wish) for wish in heads.subscriptions.get(claim.target_id, ())]


def _wanted(
    verdicts: Iterable[Verdict], heads: _Heads, story_id: int | None, owed_by: Collection[int | None]
) -> list[Verdict]:
    """Give the wishes that are met with a story that rules owe.

    One that asks for a review is not, before moderators let the story through, unless it is one of these
    rules': then it asks since later.
    """
    return [
        one
        for one in verdicts
        if one.passed
        and (
            one.review is None
            or one.rule_id in owed_by
            or (story_id, one.review.channel_id) in heads.let_through
        )
    ]


def _rule_of(verdict: Verdict, heads: _Heads) -> Rule | None:
    """Give the rule whose verdict it is, None for a subscription's."""
    of_channel = heads.rules.get(verdict.destination.id, ()) if verdict.rule_id is not None else ()
    return next((rule for rule in of_channel if rule.id == verdict.rule_id), None)


async def _offer(shown: DeliveryRow, verdict: Verdict, heads: _Heads, now: datetime) -> Offer | None:
    """Make the card that a wish is met with; None when its story is gone."""
    if shown.story_id is None:
        return None
    material = await heads.shelf.get(shown.story_id, Viewer(guild_id=verdict.guild_id))
    if material is None:
        return None
    is_late = (shown.sent_at or now) - shown.due_at > LATE
    mentions = shown.ping_role if shown.state == "sent" else verdict.ping_role  # an edit notifies nobody
    card = card_from(
        material,
        style=verdict.style,
        is_update=shown.kind == "update",
        ping_role=mentions if shown.kind != "report" else None,
        mark=shown.nonce,
        late_since=shown.due_at if is_late else None,
        words=heads.words.get((shown.story_id, verdict.guild_id)),
    )
    if verdict.rule_id is None:  # what moderators say is said in their server
        card = replace(card, words=None, said=None)
    if shown.kind == "report":  # it stands among the other reports
        card = replace(card, sources=(), sources_total=0)
    return Offer(card, verdict.guild_id, verdict.rule_id, verdict.subscription_id)


def _why_not(verdicts: Iterable[Verdict]) -> str:
    """Say why a delivery that was due is not sent."""
    stopped = [verdict.reason for verdict in verdicts if not verdict.passed]
    return stopped[0] if stopped else told("Nobody asks for it any more.")
