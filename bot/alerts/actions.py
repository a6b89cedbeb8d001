"""What people do with alerts, as services without Discord: subscriptions, a card's buttons; and the rules of
`bot.alerts.rule_actions`, which can be had from here as well.

Each call is one transaction. Wrong input is answered with `WishError`, what is not there (or not theirs to
see) with `NotHereError`; the message of both is the answer to the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import wishes
from bot.alerts.errors import NotHereError, WishError
from bot.alerts.foreign import plain_text
from bot.alerts.outbox import subscription_from
from bot.alerts.routing import Subscription
from bot.alerts.rule_actions import ListedRule as ListedRule
from bot.alerts.rule_actions import add_rule as add_rule
from bot.alerts.rule_actions import edit_rule as edit_rule
from bot.alerts.rule_actions import list_rules as list_rules
from bot.alerts.rule_actions import pause_rule as pause_rule
from bot.alerts.rule_actions import remove_rule as remove_rule
from bot.alerts.rule_actions import resume_rule as resume_rule
from bot.alerts.rule_preview import RulePreview as RulePreview
from bot.alerts.rule_preview import preview_rule as preview_rule
from bot.words import labelled, say
from db import deliveries, guilds, lookups, sources, subscriptions
from db.cases import get_case
from db.engine import Database
from db.lookups import Viewer, visible
from db.stories import insert_ignoring, name_key
from db.tables import CaseOverrideRow, CaseRow, DemandRow, PartyRow, ReportRow, StoryRow, SubscriptionRow

MOST_SUBSCRIPTIONS = 100  # of a member


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription as its member sees it. `label` says what it is about ("Twitter", a case's title)."""

    subscription: Subscription
    label: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an alert says ("Topic: legal-demands"), with the sentences that it rests on, of which
    it can do with the first `least`."""

    says: str
    evidence: tuple[str, ...]
    least: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """A story's claims, each with its sentences, verbatim and in the article's own language."""

    story_id: int
    title: str
    url: str
    source: str
    published: datetime | None
    language: str
    claims: tuple[Claim, ...]


# --------------------------------------------------------------------- subscriptions


async def subscribe(
    database: Database,
    *,
    user_id: int,
    guild_id: int,
    kind: str,
    value: str,
    delivery: str | None = None,
    now: datetime,
) -> ListedSubscription:
    """Subscribe a member to a topic, a party (in any known spelling), a case (number or title) or a search.

    `delivery`: now, daily, weekly. Twice is once, with the last delivery that was named (else now); a paused
    subscription goes on.
    """
    delivery = wishes.parse_delivery(delivery) if delivery is not None else None
    if kind == "party":
        value = name_key((await wishes.canonical_parties([value]))[0])
    async with database.write() as session:
        if kind == "topic":
            value = wishes.parse_topic(value)
        elif kind == "case":
            value = str((await _case_named(session, Viewer(guild_id), value)).id)
        elif kind == "search":
            value = wishes.parse_search(value)
        elif kind != "party":
            raise WishError(say("One can subscribe to a topic, a party, a case or a search."))
        if not value:
            raise WishError(say("A name is missing; type the party's name."))
        return await _keep(session, user_id, guild_id, kind, value, now, delivery)


async def follow_case(
    database: Database,
    *,
    case_id: int,
    user_id: int,
    guild_id: int | None,
    mark: str | None = None,
    now: datetime,
) -> ListedSubscription:
    """Subscribe the member who clicked to a case.

    In a direct message `mark` tells which server it is about.
    """
    async with database.write() as session:
        case = await get_case(session, case_id)
        # The button keeps its case's number; the messages of one that was merged go by the other's.
        about = {"case_id": case.id if case else case_id}
        viewer = await _viewer(session, about, user_id, guild_id, mark)
        of = viewer.guild_id
        if of is not None and not await guilds.get_joined(session, [of]):
            of = None  # the bot has left that server, where nothing comes from any more
        if of is None or case is None or not await _case_is_seen(session, viewer, case.id):
            raise NotHereError(
                say("That case is not among this server's stories; follow it where it was posted.")
            )
        return await _keep(session, user_id, of, "case", str(case.id), now)


async def list_subscriptions(database: Database, *, user_id: int) -> tuple[ListedSubscription, ...]:
    """Give a member's own subscriptions, oldest first."""
    async with database.read() as session:
        rows = await subscriptions.get_subscriptions_of(session, user_id)
        return await _all_listed(session, rows)


async def end_subscription(database: Database, *, user_id: int, subscription_id: int) -> ListedSubscription:
    """End one of a member's subscriptions and give what it was."""
    async with database.write() as session:
        row = await session.get(SubscriptionRow, subscription_id)
        if row is None or row.user_id != user_id:
            raise NotHereError(say("You have no such subscription; /subscriptions shows those you have."))
        ended = await _listed(session, row)
        await subscriptions.delete_subscription(session, subscription_id)
    return ended


async def change_subscription(
    database: Database,
    *,
    user_id: int,
    subscription_id: int,
    delivery: str | None = None,
    paused: bool | None = None,
) -> ListedSubscription:
    """Change when one of a member's subscriptions is told of, or let it rest; gives what it is now."""
    async with database.write() as session:
        row = await session.get(SubscriptionRow, subscription_id)
        if row is None or row.user_id != user_id:
            raise NotHereError(say("You have no such subscription; /subscriptions shows those you have."))
        if delivery is not None:
            row.delivery = wishes.parse_delivery(delivery)
        if paused is not None:
            row.paused = paused
            row.pause_reason = None
        await session.flush()
        return await _listed(session, row)


async def _keep(
    session: AsyncSession,
    user_id: int,
    guild_id: int,
    kind: str,
    value: str,
    now: datetime,
    delivery: str | None = None,
) -> ListedSubscription:
    await guilds.remember(session, guild_id, now)
    row = await subscriptions.get_subscription(session, user_id, guild_id, kind, value)
    if row is None:
        if await subscriptions.count_subscriptions(session, user_id) >= MOST_SUBSCRIPTIONS:
            raise WishError(
                say(
                    "{most} subscriptions are the most; end one in /subscriptions first.",
                    most=MOST_SUBSCRIPTIONS,
                )
            )
        row = await subscriptions.make_subscription(session, user_id, guild_id, kind, value, now)
    row.delivery = delivery or row.delivery or "now"
    row.paused = False
    row.pause_reason = None
    await session.flush()
    return await _listed(session, row)


async def _listed(session: AsyncSession, row: SubscriptionRow) -> ListedSubscription:
    (listed,) = await _all_listed(session, [row])
    return listed


async def _all_listed(
    session: AsyncSession, rows: Sequence[SubscriptionRow]
) -> tuple[ListedSubscription, ...]:
    """Say what subscriptions are about: cases as their servers call them, parties by their names."""
    cases = [int(row.value) for row in rows if row.kind == "case"]
    keys = {row.value for row in rows if row.kind == "party"}
    titles: dict[int, str] = {}
    names: dict[str, str] = {}
    own: dict[tuple[int, int], str] = {}
    if cases:
        for case in await session.execute(select(CaseRow.id, CaseRow.title).where(CaseRow.id.in_(cases))):
            titles[case.id] = case.title
        for said in await session.scalars(
            select(CaseOverrideRow).where(
                CaseOverrideRow.guild_id.in_({row.guild_id for row in rows}),
                CaseOverrideRow.case_id.in_(cases),
                CaseOverrideRow.title.is_not(None),
            )
        ):
            own[said.guild_id, said.case_id] = said.title or ""
    if keys:
        for party in await session.execute(
            select(PartyRow.name_key, PartyRow.name).where(PartyRow.name_key.in_(keys))
        ):
            names[party.name_key] = party.name
        # One that no story names so far is called as it is known to be written.
        for name in await wishes.canonical_parties(sorted(keys - names.keys())):
            names[name_key(name)] = name

    def label(row: SubscriptionRow) -> str:
        if row.kind == "case":
            number = int(row.value)
            if number not in titles:
                return say("a case that is gone")
            return own.get((row.guild_id, number)) or titles[number] or f"#{number}"
        return names.get(row.value, row.value) if row.kind == "party" else row.value

    return tuple(ListedSubscription(subscription_from(row), label(row)) for row in rows)


async def _case_named(session: AsyncSession, viewer: Viewer, name: str) -> CaseRow:
    found = await lookups.find_cases(session, viewer, name, limit=1) if name.strip() else []
    if not found:
        raise WishError(
            say(
                "No case “{name}” is known here; type a part of its title and choose one.",
                name=plain_text(name, 60),
            )
        )
    return found[0]


async def _case_is_seen(session: AsyncSession, viewer: Viewer, case_id: int) -> bool:
    found = await session.execute(select(exists().where(StoryRow.case_id == case_id, visible(viewer))))
    return bool(found.scalar_one())


# --------------------------------------------------------------------- a card's other buttons


async def evidence(
    database: Database, *, story_id: int, user_id: int, guild_id: int | None, mark: str | None = None
) -> Evidence:
    """Give a story's claims with their sentences, to somebody whose server's feeds brought the story."""
    async with database.read() as session:
        viewer = await _viewer(session, {"story_id": story_id}, user_id, guild_id, mark)
        story = await _story_seen(session, story_id, viewer)
        await sources.name(session, viewer, [story])
        found = await session.scalars(
            select(DemandRow).where(DemandRow.story_id == story_id).order_by(DemandRow.id)
        )
        claims = (*_analysed(story.analysis), *(_demand_claim(demand) for demand in found))
    return Evidence(
        story_id=story.id,
        title=story.title,
        url=story.url,
        source=story.source,
        published=story.published,
        language=story.language,
        claims=tuple(claim for claim in claims if claim.evidence),
    )


async def report(
    database: Database,
    *,
    story_id: int,
    user_id: int,
    guild_id: int | None,
    mark: str | None = None,
    now: datetime,
) -> bool:
    """Note that a member finds a story not relevant; False when that member had said so before."""
    async with database.write() as session:
        viewer = await _viewer(session, {"story_id": story_id}, user_id, guild_id, mark)
        await _story_seen(session, story_id, viewer)
        values = {"user_id": user_id, "story_id": story_id, "guild_id": viewer.guild_id, "at": now}
        made = await session.execute(
            insert_ignoring(session, ReportRow).values(values).returning(ReportRow.story_id)
        )
        return made.first() is not None


async def _story_seen(session: AsyncSession, story_id: int, viewer: Viewer) -> StoryRow:
    found = await session.scalars(select(StoryRow).where(StoryRow.id == story_id, visible(viewer)))
    story = found.one_or_none()
    if story is None:
        raise NotHereError(say("That story is not among this server's stories (any more)."))
    return story


async def _viewer(
    session: AsyncSession, about: dict[str, int], user_id: int, guild_id: int | None, mark: str | None
) -> Viewer:
    """Tell for which server somebody sees something: the one they are in, or in a direct message the one
    whose story that message told. A mark can be forged, so it must be of a message to that very member."""
    if guild_id is None and mark is not None:
        row = await deliveries.get_by_nonce(session, about, mark)
        if row is not None and row.target == "user" and row.target_id == user_id:
            return Viewer(row.guild_id)
    return Viewer(guild_id)


def _analysed(analysis: dict[str, Any]) -> list[Claim]:
    claims = [Claim(say("Relevant"), tuple(analysis.get("relevance_evidence", ())))]
    claims += [
        Claim(say("Topic: {topic}", topic=say(t["topic"])), tuple(t["evidence"]))
        for t in analysis.get("topics", ())
    ]
    return claims


def _demand_claim(demand: DemandRow) -> Claim:
    who = ", ".join(demand.issuer) or say("not named")
    whom = ", ".join(demand.recipient) or say("not named")
    what = f"{say(demand.instrument)}, {say(demand.status)}"
    # One sentence may tell of the demand, and another one where it stands.
    return Claim(labelled(f"{who} → {whom}", what), tuple(demand.evidence), least=2)
