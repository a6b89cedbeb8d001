"""Review in the database: whom moderators are asked for, what a decision owes, and what a restart keeps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.alerts import actions, review
from bot.alerts.clauses import RoutedStory
from bot.alerts.deliver import Deliverer
from bot.alerts.review import DecidedAlreadyError
from bot.alerts.routing import Rule, route
from db import deliveries, restarts
from db.engine import Database
from db.tables import DeliveryRow, DestinationRow, FindingRow, ReviewRow
from tests.alerts.house import House, told
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock

GUILD, POSTS, DESK = 1, 100, 200


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    return House(database, clock)


async def _reviews(house: House) -> list[ReviewRow]:
    async with house.database.read() as session:
        return list(await session.scalars(select(ReviewRow).order_by(ReviewRow.id)))


async def _opened(house: House, **rule: Any) -> int:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, POSTS, review_channel=DESK, **rule)
    return feed


async def test_a_story_is_asked_about_once_and_owed_after_the_approval(house: House) -> None:
    feed = await _opened(house)
    await house.rule(GUILD, 101, review_channel=DESK, topics=["anonymity"])
    await house.rule(GUILD, 102, review_channel=DESK, topics=["spyware"])
    case = await house.case()
    await house.story(feed, case)
    assert told(await house.deliveries()) == [("review", "channel", DESK, "due")]
    (asked,) = await _reviews(house)
    decided = await review.approve(
        house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock()
    )
    assert decided.channels == (POSTS, 101)
    assert sorted(told(await house.deliveries())) == [
        ("card", "channel", POSTS, "due"),
        ("card", "channel", 101, "due"),
        ("decided", "channel", DESK, "due"),
        ("review", "channel", DESK, "due"),
    ]
    async with house.database.read() as session:
        places = await session.scalars(
            select(DestinationRow.target_id).where(DestinationRow.next_due.is_not(None))
        )
        assert sorted(places) == [POSTS, 101, DESK], "delivery looks at all of them"
    # Services that are opened anew (after a kill right after the click) find the decision, not the question.
    again = Database(house.database.engine.url.render_as_string(hide_password=False))
    for decide in (review.approve, review.reject):
        with pytest.raises(DecidedAlreadyError, match="<@7> was first"):
            await decide(again, guild_id=GUILD, user_id=8, review_id=asked.id, now=house.clock())
    assert await review.end_overdue(again, house.clock) == 0
    await again.close()
    with pytest.raises(review.NotHereError, match="no review"):
        await review.reject(house.database, guild_id=2, user_id=8, review_id=asked.id, now=house.clock())


async def test_a_further_report_is_not_asked_about_again(house: House) -> None:
    feed = await _opened(house)
    case = await house.case()
    await house.story(feed, case)
    await house.story(feed, case, adds="source")
    (asked,) = await _reviews(house)
    await review.reject(house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock())
    await house.story(feed, case, adds="source")
    assert len(await _reviews(house)) == 1
    await house.story(feed, case, adds="source", status="challenged")
    assert len(await _reviews(house)) == 2, "a change is asked about, whoever's feed told it first"
    await house.story(feed, case, adds="source", status="challenged")
    assert len(await _reviews(house)) == 2
    await house.story(feed, case, adds="update", status="quashed")
    assert len(await _reviews(house)) == 3, "what changes where the case stands is asked about"
    assert {row.kind for row in await house.deliveries()} == {"review", "decided"}
    async with house.database.read() as session:
        lines = list(await session.scalars(select(FindingRow.reason).where(FindingRow.stage == "delivery")))
    assert any("moderators rejected it" in line for line in lines)
    assert any("moderators rejected its case" in line for line in lines)
    assert any("its case is before the moderators" in line for line in lines)


async def test_a_change_that_moderators_let_through_for_another_rule_is_asked_about_for_this_one(
    house: House,
) -> None:
    feed = await _opened(house, topics=["anonymity"])
    await house.rule(GUILD, 101, review_channel=DESK, topics=["spyware"])
    case = await house.case()
    for status, topic in (("issued", "anonymity"), ("withdrawn", "spyware")):
        await house.story(feed, case, adds="update", status=status, topics=[topic])
        asked = (await _reviews(house))[-1]
        await review.approve(house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock())
    async with house.database.write() as session:
        await session.execute(update(DeliveryRow).values(state="sent", message_id=1, attempts=1))
    await house.story(feed, case, adds="source", status="withdrawn", topics=["anonymity"])
    assert told(await house.deliveries())[-1] == ("review", "channel", DESK, "due")
    assert len(await _reviews(house)) == 3


async def test_a_rule_without_review_posts_at_once_and_one_with_digest_waits(house: House) -> None:
    feed = await _opened(house)
    await house.rule(GUILD, POSTS)
    await house.story(feed, None)
    assert told(await house.deliveries()) == [("card", "channel", POSTS, "due")]


async def test_an_approved_story_of_a_digest_rule_is_gathered(house: House) -> None:
    feed = await _opened(house, when="daily")
    await house.story(feed, None)
    (asked,) = await _reviews(house)
    await review.approve(house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock())
    assert ("digest", "channel", POSTS, "due") in told(await house.deliveries())


async def test_a_review_channel_may_be_one_that_rules_post_in(house: House) -> None:
    feed = await _opened(house)
    await house.rule(GUILD, DESK)
    await house.story(feed, None)
    assert sorted(told(await house.deliveries())) == [
        ("card", "channel", DESK, "due"),
        ("review", "channel", DESK, "due"),
    ]


async def test_of_several_rules_the_longest_time_counts_and_dropping_before_posting(house: House) -> None:
    feed = await _opened(house, review_hours=2, review_then="post")
    await house.rule(GUILD, 101, review_channel=DESK, review_hours=5, review_then="drop")
    await house.story(feed, None)
    (asked,) = await _reviews(house)
    assert (asked.until - asked.created_at).total_seconds() == 5 * 3600
    assert asked.at_end == "drop"


def test_an_excluded_source_stops_a_story() -> None:
    story = RoutedStory(
        1, "Title", (), "", 0.9, frozenset(), frozenset(), None, "new", frozenset({GUILD}),
        source="The Paper", url="https://news.paper.example/1",
    )  # fmt: skip
    for source in ("the paper", "paper.example"):
        routed = route(story, [Rule(1, GUILD, POSTS, exclude_sources=(source,))], ())
        assert routed.due == ()
        assert routed.verdicts[0].outcome == "stopped by exclude_sources"
    assert route(story, [Rule(1, GUILD, POSTS, exclude_sources=("Another",))], ()).due


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_moderators_who_were_asked_just_before_the_end_have_their_whole_time(house: House) -> None:
    feed = await _opened(house, review_hours=2)
    await house.story(feed, None)
    house.clock.turn(hours=1, minutes=59)  # the bot was away, or the channel took nothing
    (post,) = await house.deliveries()
    async with house.database.write() as session:
        await session.execute(
            update(DeliveryRow).where(DeliveryRow.id == post.id).values(state="sent", sent_at=house.clock())
        )
    (asked,) = await _reviews(house)
    shown = (await review.get_asked(house.database, guild_id=GUILD, review_id=asked.id)).card.review
    assert shown is not None
    assert shown.until == house.clock() + timedelta(hours=2)
    house.clock.turn(hours=1, minutes=59)
    assert await review.end_overdue(house.database, house.clock) == 0
    async with house.database.write() as session:  # a night in which nothing ran, and no click did anything
        await restarts.note_start(session, house.clock())
        house.clock.turn(hours=9)
        await restarts.note_start(session, house.clock())
    assert await review.end_overdue(house.database, house.clock) == 0
    house.clock.turn(minutes=1)
    assert await review.end_overdue(house.database, house.clock) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_waits_for_moderators_goes_where_their_rule_asks_by_now(house: House) -> None:
    feed = await _opened(house)
    both = await house.rule(GUILD, 101, review_channel=DESK, topics=["anonymity"])
    await house.story(feed, None, topics=["spyware"])
    await house.story(feed, None)

    async def edit(rule: int, **changes: Any) -> None:
        await actions.edit_rule(
            house.database, guild_id=GUILD, user_id=7, rule_id=rule, changes=changes, now=house.clock()
        )

    await edit(1, review_channel=300)
    await edit(1, review_channel=201)
    await edit(1, review_channel=300)
    first, second, third = await _reviews(house)
    assert [one.channel_id for one in (first, second, third)] == [300, DESK, 300], "the other rule asks still"
    states = {(row.story_id, row.target_id): row.state for row in await house.deliveries()}
    assert {states.pop((story, 201)) for story in (1, 2)} == {"skipped"}
    assert states == {(1, DESK): "skipped", (2, DESK): "due", (1, 300): "due", (2, 300): "due"}
    decided = await review.approve(
        house.database, guild_id=GUILD, user_id=7, review_id=first.id, now=house.clock()
    )
    assert decided.channels == (POSTS,), "the message that stands in the old channel goes on working"
    await edit(both, review_channel=None)
    (_, second, _) = await _reviews(house)
    assert (second.state, second.decided_by) == ("approved", 7), "who asks no more has let it through"
    cards = [(row.story_id, row.target_id) for row in await house.deliveries() if row.kind == "card"]
    assert cards == [(1, POSTS), (2, 101)]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_decision_and_a_story_that_comes_do_not_wait_for_each_other(house: House) -> None:
    desk = POSTS - 1  # before the channel, in the order in which both are locked
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, POSTS, review_channel=desk)
    await house.rule(GUILD, POSTS, topics=["spyware"])
    await house.story(feed, None, topics=["spyware"])
    await house.story(feed, None)
    (asked,) = await _reviews(house)
    async with house.database.write() as session:
        await deliveries.enqueue(session, {("channel", desk): house.clock()})
        decision = asyncio.create_task(
            review.approve(house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock())
        )
        await asyncio.sleep(0.2)
        await deliveries.enqueue(session, {("channel", POSTS): house.clock()})
    assert (await decision).channels == (POSTS,)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_further_report_is_asked_about_where_the_channel_has_no_card_of_its_case(
    house: House,
) -> None:
    feed = await _opened(house, topics=["anonymity"])
    await house.rule(GUILD, 101, review_channel=DESK, topics=["spyware"])
    case = await house.case()
    await house.story(feed, case, topics=["anonymity"])
    (asked,) = await _reviews(house)
    await review.approve(house.database, guild_id=GUILD, user_id=7, review_id=asked.id, now=house.clock())
    await house.story(feed, case, adds="source", topics=["spyware"])
    cards = [(row.story_id, row.target_id) for row in await house.deliveries() if row.kind == "card"]
    assert cards == [(1, POSTS)], "nothing is posted of its own that no moderator has seen"
    assert [one.story_id for one in await _reviews(house)] == [1, 2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_report_is_asked_about_for_a_rule_that_its_case_was_not_asked_about_for(house: House) -> None:
    """One channel for the reviews of many rules: what waits there for one tells another's readers nothing."""
    feed = await _opened(house, topics=["anonymity"])
    await house.rule(GUILD, 101, review_channel=DESK, topics=["spyware"])
    case = await house.case()
    await house.story(feed, case, topics=["anonymity"])
    await house.story(feed, case, adds="source", topics=["anonymity", "spyware"])
    first, second = await _reviews(house)
    assert (first.story_id, second.story_id) == (1, 2)
    # The first rule's next report is not asked about: its case waits; nor is the second's.
    await house.story(feed, case, adds="source", topics=["anonymity", "spyware"])
    for one in (first, second):
        await review.approve(house.database, guild_id=GUILD, user_id=7, review_id=one.id, now=house.clock())
    assert len(await _reviews(house)) == 2
    cards = [(row.story_id, row.target_id) for row in await house.deliveries() if row.kind == "card"]
    assert cards == [(1, POSTS), (2, 101)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("when", "removed"), [("now", False), ("daily", False), ("daily", True)])
async def test_what_moderators_have_not_let_through_is_not_told_by_another_rules_leave(
    place: Place, deliverer: Deliverer, clock: TurnedClock, when: str, removed: bool
) -> None:
    """Nor is the role of the rule that asks them mentioned; nor is it posted once the other rule is gone."""
    guild, desk = place.guild.id, place.standin.world.add_channel(place.guild, "desk")
    open_rule = await place.house.rule(guild, place.channel.id, when=when)
    asks = {"ping_role": 77, "urgent": ["issued"], "review_channel": desk.id}
    await place.house.rule(guild, place.channel.id, **asks)
    await place.house.story(place.feed, await place.house.case())
    for asked in await _reviews(place.house):
        await review.reject(place.house.database, guild_id=guild, user_id=7, review_id=asked.id, now=clock())
    if removed:
        await actions.remove_rule(
            place.house.database, guild_id=guild, user_id=7, rule_id=open_rule, now=clock()
        )
    clock.turn(days=1)
    await deliverer.deliver_due()
    assert ["<@&77>" in text_of(message) for message in place.posted] == ([] if removed else [False])
