"""The outbox: a story's deliveries are written down in the transaction that stores the story."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import lines
from bot.alerts.asking import LET_THROUGH, Ask, Wants, ask
from bot.alerts.clauses import RoutedStory
from bot.alerts.gathering import Gathering, gather
from bot.alerts.moments import moment, period_of, quiet_for
from bot.alerts.routing import (
    Condition,
    DeliveryKind,
    Destination,
    Rule,
    Standing,
    Subscription,
    Verdict,
    ask_rule,
    choose_among,
    chosen,
    messages,
    nonce_of,
    route,
    to_review,
)
from bot.alerts.timing import Hours, day_start
from bot.errors import told
from bot.stories.countries import Part, countries_of
from db import cards, deliveries, digests, guilds, reviews, rules, sources, subscriptions
from db.case_status import moves_on
from db.stories import name_key
from db.tables import DeliveryRow, RuleRow, StoryRow, SubscriptionRow

_T = TypeVar("_T")

_NEXT_OF_SERVER = timedelta(minutes=1)
_LAST_OF_SERVER = timedelta(hours=1)
_MOVED = 100  # stories, the newest, that a rule takes along to another channel
_AT_ONCE = 50  # rules or destinations that are dealt with between two turns of the event loop


async def owe(session: AsyncSession, story_id: int, *, now: datetime, alert: bool = True) -> int:
    """Write down a delivery for every destination that wants the story; gives how many were written.

    To be called last in the transaction that stores the story, with its topics, parties, feeds and case
    flushed; and again when a further feed brings the story: who has been served is not served twice.
    What each rule decided is stored here, as findings of its server.
    """
    story = await load_story(session, story_id, alert=alert)
    if story is None or not alert:
        return 0
    due, reviewed = await _ask(session, story, now)
    asking = await ask(session, story, reviewed, now, wanting=partial(_wanting, session))
    await deliveries.insert_findings(
        session,
        [lines.line(story, guild, outcome, said, now) for guild, outcome, said in asking.lines],
    )
    if asking.due:
        await asyncio.sleep(0)
        due = chosen((*due, *asking.due))
    return await _owe(session, story, due, asking.asks, now)


async def _wanting(session: AsyncSession, rule_ids: Collection[int], story_ids: Collection[int]) -> Wants:
    """Give what tells which of some rules want which of some stories."""
    stories = await load_stories(session, story_ids)
    rows = {row.id: row for row in await rules.get_rules(session, rule_ids)}

    def wants(rule_id: int, story_id: int) -> bool:
        story, row = stories.get(story_id), rows.get(rule_id)
        return story is not None and row is not None and ask_rule(story, rule_from(row)).passed

    return wants


async def owe_reviewed(
    session: AsyncSession,
    story_id: int,
    rows: Sequence[RuleRow],
    outcome: str,
    said: str,
    *,
    also: Collection[deliveries.Place] = (),
    now: datetime,
) -> tuple[Verdict, ...]:
    """Write down what rules are owed of a story that moderators have let through; gives the wishes of those
    rules, as they are by now, that it meets.

    `outcome` and `said` go into the record for each of them. With an outcome that lets nothing through only
    that is written. `also` is locked with the channels of those rules, in the order in which all lock.
    """
    story = await load_story(session, story_id)
    if story is None:
        return ()
    wanted = tuple(verdict for row in rows if (verdict := ask_rule(story, rule_from(row))).passed)
    await deliveries.insert_findings(
        session, [lines.of_rule(story, one, outcome, said, now) for one in wanted]
    )
    if outcome in LET_THROUGH:
        await _owe(session, story, chosen(wanted), (), now, also=also)
    return wanted


async def owe_elsewhere(session: AsyncSession, row: RuleRow, before: int, *, now: datetime) -> None:
    """Owe what a rule owes to the channel `before` to the one that it names by now, as if it came now.

    The caller holds the locks of both.
    """
    for story_id in await digests.detach(session, row.id, before, _MOVED):
        if (story := await load_story(session, story_id)) is not None:
            await _owe(session, story, chosen([ask_rule(story, rule_from(row))]), (), now)


async def _owe(
    session: AsyncSession,
    story: RoutedStory,
    due: Sequence[Verdict],
    asks: Sequence[Ask],
    now: datetime,
    *,
    also: Collection[deliveries.Place] = (),
) -> int:
    story_id = story.id
    await asyncio.sleep(0)  # a turn of the event loop between steps over thousands of destinations
    turns = _turns(due, now)
    await asyncio.sleep(0)
    hours = await get_hours(session, {one.guild_id for one in due})
    identity = await get_identity(session, story_id)
    of = {_place(one): one for one in due}
    asks_of = {one.place: one for one in asks}
    owed = 0
    # In the order of their places: see `db.deliveries.enqueue`.
    for places in _slices(sorted({*of, *asks_of, *also})):
        some = [of[place] for place in places if place in of]
        asked = [asks_of[place] for place in places if place in asks_of]
        # The lock, before the look at what they have. What is for later need not be looked for now.
        dues = {_place(one): moment(one, hours[one.guild_id], now).at for one in some}
        dues |= {one.place: now for one in asked}
        await deliveries.enqueue(session, {place: dues.get(place, now) for place in places}, turns)
        look = await _look(session, story, some, hours, now)
        writing = _Writing()
        writing.rows += [one.delivery_row(story_id, identity, now) for one in asked]
        await reviews.insert_reviews(session, [one.review_row(story_id, now) for one in asked])
        for one in some:
            _decide(writing, story, identity, one, look, now)
        sooner = {
            place: now
            for row in writing.rows
            if row["due_at"] < dues[place := (row["target"], row["target_id"])]
        }
        await deliveries.enqueue(session, sooner, turns)
        owed += await _write(session, writing, now)
    return owed


def _turns(due: Sequence[Verdict], now: datetime) -> dict[deliveries.Place, datetime]:
    """Tell whose turn is when, among all that wait: a server with many channels holds no other server.

    Its first channel has its turn now, each further one later, an hour at most: so another server's story
    that comes meanwhile is before them, and nobody waits for good.
    """
    moments = [now + number * _NEXT_OF_SERVER for number in range(_LAST_OF_SERVER // _NEXT_OF_SERVER + 1)]
    counts: Counter[int | None] = Counter()
    turns: dict[deliveries.Place, datetime] = {}
    for one in due:
        turns[_place(one)] = moments[min(counts[one.guild_id], len(moments) - 1)]
        counts[one.guild_id] += 1
    return turns


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut what is many into what can be worked on between two turns of the event loop."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


async def get_identity(session: AsyncSession, story_id: int) -> str:
    """Give what a story is known by beyond its number: what nonces are made of."""
    row = await session.get_one(StoryRow, story_id)
    return row.url_key or f"{row.title}\n{row.source}\n{row.published}"


async def load_story(session: AsyncSession, story_id: int, *, alert: bool = True) -> RoutedStory | None:
    """Read what routing asks about a story, None when it is none to be alerted about."""
    return (await load_stories(session, [story_id], alert=alert)).get(story_id)


async def load_stories(
    session: AsyncSession,
    story_ids: Collection[int],
    *,
    alert: bool = True,
    guilds: Collection[int] | None = None,
) -> dict[int, RoutedStory]:
    """Read what routing asks about stories; left out are those that are none to be alerted about.

    `guilds` limits the question which servers see them.
    """
    ids = set(story_ids)
    topics = await cards.get_topics_of(session, ids)
    parts = await cards.get_parts_of(session, ids)
    # Off the event loop, because the first call reads the gazetteer.
    countries = await asyncio.to_thread(lambda: {id: _countries(of) for id, of in parts.items()})
    titles = await sources.get_titles(session, ids, guilds)
    return {
        row.id: RoutedStory(
            id=row.id,
            title=row.title,
            summary=tuple(row.summary),
            text=row.text,
            relevance=row.relevance,
            topics=frozenset(topics.get(row.id, ())),
            parties=frozenset(name_key(part.name) for part in parts.get(row.id, ())),
            case_id=row.case_id,
            adds=row.adds,
            guilds=frozenset(titles.get(row.id, ())),
            alert=alert,
            status=row.status,
            language=row.language,
            source=row.source,
            titles=titles.get(row.id, {}),
            url=row.url,
            countries=countries.get(row.id, ()),
        )
        for row in await cards.get_routed(session, ids)
    }


def _countries(parts: Collection[cards.StoredPart]) -> tuple[str, ...]:
    return countries_of(Part(part.name, part.kind, part.role, part.mentions) for part in parts)


async def get_hours(session: AsyncSession, guild_ids: Collection[int]) -> dict[int, Hours]:
    """Read servers' time zones and quiet hours."""
    found = await guilds.get_hours(session, guild_ids)
    return {guild_id: Hours(*found[guild_id]) if guild_id in found else Hours() for guild_id in guild_ids}


def rule_from(row: RuleRow) -> Rule:
    """Give a stored rule as routing knows it."""
    return Rule(
        id=row.id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        topics=tuple(row.topics),
        parties=tuple(row.parties),
        keywords=tuple(row.keywords),
        exclude=tuple(row.exclude),
        statuses=tuple(row.statuses),
        languages=tuple(row.languages),
        sources=tuple(row.sources),
        min_relevance=row.min_relevance,
        ping_role=row.ping_role,
        ping_when=Condition.of(row.ping_when),
        urgent=Condition.of(row.urgent),
        when=row.when,
        daily_limit=row.daily_limit,
        style=row.style,
        thread=row.thread,
        paused=row.paused,
        exclude_sources=tuple(row.exclude_sources),
        review_channel=row.review_channel,
        review_hours=row.review_hours,
        review_then=row.review_then,
        countries=tuple(row.countries),
    )


def subscription_from(row: SubscriptionRow) -> Subscription:
    """Give a stored subscription as routing knows it."""
    return Subscription(
        id=row.id,
        user_id=row.user_id,
        guild_id=row.guild_id,
        kind=row.kind,
        value=row.value,
        delivery=row.delivery,
        paused=row.paused,
        pause_reason=row.pause_reason,
    )


async def _ask(
    session: AsyncSession, story: RoutedStory, now: datetime
) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    """Put the story to all rules and subscriptions that may want it, and store what the rules decided.

    Gives who gets it, and the wishes that moderators are asked about first.
    """
    chosen_so_far: dict[Destination, Verdict] = {}  # two pages can name one channel
    reviewed: list[Verdict] = []
    after = (0, 0)
    while page := await rules.get_rules_that_see(session, story.id, after=after, limit=_AT_ONCE):
        routed = route(story, map(rule_from, page), ())
        choose_among(chosen_so_far, routed.due)
        reviewed += routed.reviewed
        await lines.note_verdicts(session, story, routed.verdicts, now)
        after = (page[-1].guild_id, page[-1].id)
    await lines.note_not_asked(session, story, now)
    fitting = await subscriptions.get_subscriptions_that_fit(
        session, story.id, topics=story.topics, parties=story.parties, case_id=story.case_id
    )
    for some in _slices(fitting):
        choose_among(chosen_so_far, route(story, (), map(subscription_from, some)).due)
        await asyncio.sleep(0)
    due = tuple(chosen_so_far.values())
    return due, to_review(reviewed, due)


def _place(one: Verdict) -> deliveries.Place:
    return one.destination.target, one.destination.id


@dataclass(frozen=True, slots=True)
class _Look:
    """What destinations have already, as far as it decides what more they get."""

    hours: dict[int, Hours]
    served: set[deliveries.Place]
    cards_posted: dict[deliveries.Place, bool]
    edits: set[deliveries.Place]
    stood: dict[deliveries.Place, str]
    gathered: dict[deliveries.Place, digests.Gathered]
    posted_today: dict[int, int]
    waiting: dict[deliveries.Place, list[DeliveryRow]]
    digests: dict[deliveries.Place, list[datetime]]

    def standing(self, one: Verdict) -> Standing:
        """Give a destination's standing. A digest that is not made yet gives a story away for a post."""
        place = _place(one)
        posted = self.cards_posted.get(place)
        held = self.gathered.get(place)
        kept = held is not None and not (held.is_open and one.when == "now")
        return Standing(
            served=place in self.served or kept,
            card="none" if posted is None else "posted" if posted else "waits",
            edit_waits=place in self.edits,
            stood=self.stood.get(place),
        )


async def _look(
    session: AsyncSession, story: RoutedStory, some: Sequence[Verdict], hours: dict[int, Hours], now: datetime
) -> _Look:
    places = [_place(one) for one in some]
    cards_posted: dict[deliveries.Place, bool] = {}
    edits: set[deliveries.Place] = set()
    stood: dict[deliveries.Place, str] = {}
    if story.case_id is not None:
        cards_posted = await deliveries.get_cards(session, story.case_id, places)
        edits = await deliveries.get_waiting_edits(session, story.case_id, places)
        if story.adds == "source" and cards_posted and moves_on("issued", story.status):
            stood = await cards.get_stood(session, story.id, places)
    limited = {
        each.rule_id: day_start(hours[each.guild_id].zone, now)
        for one in some
        for each in (one, *one.others)
        if each.rule_id is not None and each.daily_limit is not None
    }
    quiet = {
        _place(one): until
        for one in some
        if one.when == "now" and (until := quiet_for(one, hours[one.guild_id], now)) is not None
    }
    slots = await digests.get_slots(session, {(*place, until.isoformat()) for place, until in quiet.items()})
    return _Look(
        hours=hours,
        served=await deliveries.get_served(session, story.id, places),
        cards_posted=cards_posted,
        edits=edits,
        stood=stood,
        gathered=await digests.get_gathered(session, story.id, places),
        posted_today=await digests.count_posts(session, limited) if limited else {},
        waiting=await digests.get_waiting(session, list(quiet), now) if quiet else {},
        digests={
            place: [until]
            for place, until in quiet.items()
            if (found := slots.get((*place, until.isoformat()))) is not None and found.is_open
        },
    )


@dataclass(slots=True)
class _Writing:
    """What is going to be stored: deliveries, stories for digests, stories that leave a digest, and posts
    that a digest takes the place of."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    gathered: list[Gathering] = field(default_factory=list)
    taken_out: list[tuple[int, int]] = field(default_factory=list)
    folded: list[int] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def note(self, story: RoutedStory, one: Verdict, outcome: str, now: datetime) -> None:
        """Note what a channel gets instead of a post. What members get is nobody's to read."""
        if one.rule_id is not None:
            self.findings.append(lines.instead(story, one, outcome, now))


def _decide(
    writing: _Writing, story: RoutedStory, identity: str, one: Verdict, look: _Look, now: datetime
) -> None:
    """Decide what a destination gets, and when."""
    place, hours = _place(one), look.hours[one.guild_id]
    standing = look.standing(one)
    kinds = messages(story, standing, when=one.when, thread=one.thread)
    if not standing.served and all(kind == "edit" for kind in kinds):
        writing.note(story, one, "source", now)
    if kinds and place in look.gathered:
        writing.taken_out.append((look.gathered[place].delivery_id, story.id))
    for kind in kinds:
        if kind in ("edit", "report"):
            wait = quiet_for(one, hours, now) if kind == "report" else None
            writing.rows.append(_row(story, identity, one, kind, now, wait or now))
            continue
        waiting = look.waiting.get(place, [])
        by = _within_limit(one, look)
        when = moment(
            by,
            hours,
            now,
            posted_today=look.posted_today.get(by.rule_id or 0, 0),
            waiting=[row.due_at for row in waiting],
            digests=look.digests.get(place, ()),
        )
        if when.why:
            writing.note(story, by, when.why, now)
        if not when.gathered:
            writing.rows.append(_row(story, identity, by, kind, now, when.at))
            continue
        this = Gathering(
            destination=by.destination,
            at=when.at,
            period=period_of(by),
            zone=hours.zone,
            story_id=story.id,
            guild_id=by.guild_id,
            rule_id=by.rule_id,
            subscription_id=by.subscription_id,
        )
        for row in waiting:
            # Not what has to be looked for first (`db.restarts`): it may be posted.
            if row.due_at == when.at and row.story_id is not None and row.intent_at is None:
                writing.folded.append(row.id)
                writing.gathered.append(
                    replace(this, story_id=row.story_id, guild_id=row.guild_id, rule_id=row.rule_id)
                )
        writing.gathered.append(this)


def _within_limit(one: Verdict, look: _Look) -> Verdict:
    """Give the first of a destination's wishes by which a post may still come today; else the first."""
    for each in (one, *one.others):
        if each.daily_limit is None or look.posted_today.get(each.rule_id or 0, 0) < each.daily_limit:
            return replace(each, ping_role=one.ping_role)
    return one


async def _write(session: AsyncSession, writing: _Writing, now: datetime) -> int:
    """Store what was decided; gives how many destinations are owed something more."""
    for delivery_id, story_id in writing.taken_out:
        await digests.take_out(session, delivery_id, story_id)
    await digests.fold(session, writing.folded, told("It is told in the digest after the quiet hours."))
    await gather(session, writing.gathered, now)
    await deliveries.insert_deliveries(session, writing.rows)
    await deliveries.insert_findings(session, writing.findings)
    return len(writing.rows) + len(writing.gathered) - len(writing.folded)


def _row(
    story: RoutedStory, identity: str, one: Verdict, kind: DeliveryKind, now: datetime, due_at: datetime
) -> dict[str, Any]:
    return {
        "story_id": story.id,
        "case_id": story.case_id,
        "kind": kind,
        "target": one.destination.target,
        "target_id": one.destination.id,
        "guild_id": one.guild_id,
        "rule_id": one.rule_id,
        "subscription_id": one.subscription_id,
        "ping_role": one.ping_role,
        "reason": one.reason,
        "state": "due",
        "nonce": nonce_of(identity, one.destination, kind),
        "attempts": 0,
        "created_at": now,
        "due_at": due_at,
    }
