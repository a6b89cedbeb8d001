"""The outbox: one row for every destination that is owed a message, in the story's own transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from bot.alerts.outbox import owe
from bot.alerts.routing import Destination, nonce_of
from db import case_corrections
from db.tables import DeliveryRow, FindingRow, RuleRow, StoryFeedRow
from tests.alerts.house import House, told

GUILD, OTHER = 1, 2


async def test_each_channel_and_member_that_wants_a_story_is_owed_it_once(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    first = await house.rule(GUILD, 100, ping_role=9)
    await house.rule(GUILD, 100, topics=["anonymity"])
    await house.rule(GUILD, 200, topics=["spyware"])
    await house.subscription(7, GUILD, "topic", "anonymity")
    await house.subscription(7, GUILD, "party", "twitter")
    await house.story(feed, await house.case())

    rows = await house.deliveries()
    assert told(rows) == [("card", "channel", 100, "due"), ("card", "user", 7, "due")]
    assert (rows[0].rule_id, rows[0].ping_role) == (first, 9)
    assert "any topic" in rows[0].reason
    assert rows[0].nonce != rows[1].nonce
    assert all(len(row.nonce) <= 25 for row in rows)


async def test_a_server_gets_only_stories_of_the_feeds_it_uses(house: House) -> None:
    mine, theirs = await house.feed("mine"), await house.feed("theirs")
    await house.guild(GUILD, mine)
    await house.guild(OTHER, theirs)
    await house.rule(GUILD, 100)
    await house.rule(OTHER, 200)
    await house.subscription(7, OTHER, "topic", "anonymity")
    await house.story(mine, await house.case())
    assert told(await house.deliveries()) == [("card", "channel", 100, "due")]


async def test_a_further_feed_that_brings_the_story_serves_only_those_not_served(house: House) -> None:
    mine, theirs = await house.feed("mine"), await house.feed("theirs")
    await house.guild(GUILD, mine, theirs)
    await house.guild(OTHER, theirs)
    await house.rule(GUILD, 100)
    await house.rule(OTHER, 200)
    story = await house.story(mine, await house.case())
    async with house.database.write() as session:
        session.add(StoryFeedRow(story_id=story, feed_id=theirs))
        await session.flush()
        assert await owe(session, story, now=house.clock()) == 1
        assert await owe(session, story, now=house.clock()) == 0
    assert told(await house.deliveries()) == [
        ("card", "channel", 100, "due"),
        ("card", "channel", 200, "due"),
    ]


async def test_nobody_is_owed_a_feeds_history(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    await house.story(feed, await house.case(), alert=False)
    assert await house.deliveries() == []


async def test_a_server_that_removed_the_bot_is_owed_nothing(house: House) -> None:
    from db import guilds

    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    await house.subscription(7, GUILD, "topic", "anonymity")
    async with house.database.write() as session:
        await guilds.mark_left(session, GUILD, house.clock())
    await house.story(feed, await house.case())
    assert await house.deliveries() == []


async def test_further_reports_of_a_case_are_one_edit_and_none_while_the_card_waits(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    case = await house.case()
    await house.story(feed, case)
    await house.story(feed, case, adds="source")
    assert [row.kind for row in await house.deliveries()] == ["card"]

    await _posted(house)
    await house.story(feed, case, adds="source")
    await house.story(feed, case, adds="source")
    assert [row.kind for row in await house.deliveries()] == ["card", "edit"]

    await house.story(feed, case, adds="update", status="withdrawn")
    assert [row.kind for row in await house.deliveries()] == ["card", "edit", "update"]


async def test_a_change_that_another_servers_feed_told_first_is_news_where_that_feed_is_not_used(
    house: House,
) -> None:
    theirs, ours = await house.feed("theirs"), await house.feed("ours")
    await house.guild(99, theirs, ours)
    await house.guild(GUILD, ours)
    await house.rule(99, 900)
    await house.rule(GUILD, 100)
    await house.subscription(7, GUILD, "topic", "anonymity")
    await house.subscription(7, 99, "topic", "legal-demands")
    case = await house.case()
    await house.story(ours, case)
    await _posted(house)
    await house.story(theirs, case, adds="update", status="withdrawn")
    await _posted(house)
    before = len(await house.deliveries())
    await house.story(ours, case, adds="source", status="withdrawn")
    await house.story(ours, case, adds="source", status="withdrawn")
    await house.story(ours, case, adds="source", status="challenged")
    added = [row[:3] for row in told(await house.deliveries())[before:]]
    assert sorted(set(added)) == [
        ("edit", "channel", 100),
        ("edit", "channel", 900),
        ("edit", "user", 7),
        ("update", "channel", 100),
    ]
    assert added.count(("update", "channel", 100)) == 1


async def test_a_change_is_news_by_a_feed_that_gives_days_alone_and_where_its_digest_was_never_sent(
    house: House,
) -> None:
    theirs, ours = await house.feed("theirs"), await house.feed("ours")
    await house.guild(99, theirs)
    await house.guild(GUILD, ours)
    rule = await house.rule(GUILD, 100)
    case = await house.case()
    await house.story(ours, case)
    await _posted(house)
    await house.story(theirs, case, adds="update", status="withdrawn")
    that_day = datetime(2026, 3, 1, tzinfo=UTC)
    async with house.database.write() as session:
        await session.execute(update(RuleRow).where(RuleRow.id == rule).values(when="daily"))
    await house.story(ours, case, adds="source", status="withdrawn", published=that_day)
    async with house.database.write() as session:
        await session.execute(update(DeliveryRow).where(DeliveryRow.state == "due").values(state="skipped"))
        await session.execute(update(RuleRow).where(RuleRow.id == rule).values(when="now"))
    await house.story(ours, case, adds="source", status="withdrawn", published=that_day)
    rows = await house.deliveries()
    assert [(row.kind, row.state) for row in rows if row.kind in ("digest", "update")] == [
        ("digest", "skipped"),
        ("update", "due"),
    ]


async def test_a_destination_without_a_card_of_the_case_gets_one_whatever_the_story_adds(
    house: House,
) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    case = await house.case()
    await house.story(feed, case)
    await _posted(house)
    await house.rule(GUILD, 200)
    await house.story(feed, case, adds="source")
    assert told(await house.deliveries())[1:] == [
        ("edit", "channel", 100, "due"),
        ("card", "channel", 200, "due"),
    ]


async def test_an_interrupted_transaction_owes_nothing(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    story = await house.story(feed, await house.case(), owes=False)
    with pytest.raises(RuntimeError):
        async with house.database.write() as session:
            assert await owe(session, story, now=house.clock())
            raise RuntimeError("killed")
    assert await house.deliveries() == []
    assert await house.destination("channel", 100) is None


async def test_what_each_rule_decided_is_stored_for_its_server_alone(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.guild(OTHER, feed)
    stopped = await house.rule(GUILD, 100, topics=["spyware"])
    passed = await house.rule(OTHER, 200)
    await house.subscription(7, GUILD, "topic", "anonymity")
    story = await house.story(feed, await house.case())
    async with house.database.read() as session:
        found = list(
            await session.scalars(select(FindingRow).where(FindingRow.stage == "rule").order_by("id"))
        )
    assert [(f.story_id, f.guild_id, f.outcome) for f in found] == [
        (story, GUILD, "stopped by topics"),
        (story, OTHER, "passed"),
    ]
    assert found[0].reason.startswith(f"rule {stopped}: its topics (anonymity, legal-demands) are none of")
    assert found[1].reason.startswith(f"rule {passed}: ")


async def test_more_rules_than_a_page_are_all_asked_and_a_channel_is_served_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.alerts.outbox._AT_ONCE", 3)
    feed = await house.feed()
    for guild in range(1, 5):
        await house.guild(guild, feed)
    async with house.database.write() as session:
        session.add_all(
            RuleRow(guild_id=n % 4 + 1, channel_id=100 + n % 8, created_at=house.clock()) for n in range(20)
        )
    await house.story(feed, await house.case())
    assert sorted(row.target_id for row in await house.deliveries()) == list(range(100, 108))


def test_a_nonce_is_the_same_for_the_same_and_differs_for_all_else() -> None:
    here, there = Destination("channel", 1), Destination("user", 1)
    nonces = {
        nonce_of(story, place, kind)  # type: ignore[arg-type]  # the kinds are spelled out
        for story in ("a", "b")
        for place in (here, there)
        for kind in ("card", "update", "edit")
    }
    assert len(nonces) == 12
    assert nonce_of("a", here, "card") in nonces
    assert all(len(nonce) <= 25 and nonce.isalnum() and nonce.islower() for nonce in nonces)


async def _posted(house: House) -> None:
    """Make all that waits look posted."""
    async with house.database.write() as session:
        await session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.state == "due")
            .values(state="sent", attempts=1, message_id=1, sent_at=house.clock())
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_card_that_waits_hides_none_that_is_posted_after_cases_were_merged(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100)
    kept, gone = await house.case(), await house.case()
    await house.story(feed, kept)
    async with house.database.write() as session:
        await session.execute(update(DeliveryRow).values(state="sent", attempts=1, message_id=5))
    await house.story(feed, gone)  # its card waits, for the end of quiet hours
    async with house.database.write() as session:
        await case_corrections.merge(session, kept, gone, house.clock())
    await house.story(feed, kept, adds="source")
    assert [row.kind for row in await house.deliveries()] == ["card", "card", "edit"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("limit", [None, 5])
async def test_one_rules_daily_limit_holds_up_nothing_that_another_wants(
    house: House, limit: int | None
) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.rule(GUILD, 100, daily_limit=1)
    await house.rule(GUILD, 100, topics=["spyware"], daily_limit=limit)
    for topic in ("anonymity", "spyware", "anonymity", "spyware"):
        await house.story(feed, None, topics=[topic])
    assert [row.kind for row in await house.deliveries()] == ["card", "card", "digest", "card"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_report_for_a_thread_is_no_post_that_a_limit_gives_to_another_rule(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    threads = await house.rule(GUILD, 100, daily_limit=1, thread="case")
    await house.rule(GUILD, 100)
    case = await house.case()
    await house.story(feed, case)
    await _posted(house)
    await house.story(feed, case, adds="source")
    owed = [(row.kind, row.rule_id) for row in await house.deliveries()]
    assert owed == [(kind, threads) for kind in ("card", "report", "edit")]
