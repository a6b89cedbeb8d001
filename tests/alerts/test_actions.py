"""What people do with alerts, each checked for who may see what: rules, subscriptions, a card's buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.alerts import actions
from bot.alerts.errors import NotHereError, WishError
from db.tables import AuditRow, ReportRow
from tests.alerts.house import House, told

GUILD, OTHER, MOD, MEMBER = 1, 2, 50, 70
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def _rule(house: House, **fields: Any) -> Any:
    given = {"guild_id": GUILD, "user_id": MOD, "channel_id": 100, "now": house.clock()} | fields
    return await actions.add_rule(house.database, **given)


async def test_a_rule_is_made_listed_removed_and_each_change_is_in_the_audit(house: House) -> None:
    rule = await _rule(
        house,
        topics="Privacy Law, legal-demands,privacy-law",
        parties="DHS",
        keywords=" firehose ,",
        ping_role=5,
    )
    assert rule.topics == ("privacy-law", "legal-demands")
    assert rule.parties == ("Department of Homeland Security",)
    assert rule.keywords == ("firehose",)
    assert rule.min_relevance == 0.5
    (listed,) = await actions.list_rules(house.database, guild_id=GUILD)
    assert (listed.rule, listed.closed) == (rule, {})
    assert await actions.list_rules(house.database, guild_id=OTHER) == ()

    gone = await actions.remove_rule(
        house.database, guild_id=GUILD, user_id=MOD, rule_id=rule.id, now=house.clock()
    )
    assert gone == rule
    assert await actions.list_rules(house.database, guild_id=GUILD) == ()
    async with house.database.read() as session:
        audit = list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [(row.action, row.user_id) for row in audit] == [("rule added", MOD), ("rule removed", MOD)]
    assert audit[0].after["topics"] == ["privacy-law", "legal-demands"]
    assert audit[1].before["id"] == rule.id


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"topics": "privcy"}, "did you mean privacy-law?"),
        ({"topics": "xxxxxxxx"}, "known are legal-demands,"),
        ({"keywords": "!!!"}, "holds no word"),
        ({"exclude": "word, ???"}, "holds no word"),
        ({"parties": "x" * 90}, "at most 80 characters"),
        ({"keywords": ",".join(f"w{n}" for n in range(30))}, "at most 25 keywords"),
        ({"relevance": 1.5}, "goes from 0"),
        ({"relevance": float("nan")}, "goes from 0"),
        ({"style": "huge"}, "known are full, compact"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_in_a_sentence(
    house: House, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(WishError, match=said.replace("?", r"\?")):
        await _rule(house, **fields)
    assert await actions.list_rules(house.database, guild_id=GUILD) == ()


async def test_the_same_rule_twice_is_refused(house: House) -> None:
    first = await _rule(house, topics="spyware")
    with pytest.raises(WishError, match=f"rule #{first.id} already"):
        await _rule(house, topics="spyware")
    await _rule(house, topics="spyware", channel_id=101)


async def test_another_servers_rule_cannot_be_removed(house: House) -> None:
    rule = await _rule(house)
    with pytest.raises(NotHereError, match=f"no rule #{rule.id} in this server"):
        await actions.remove_rule(
            house.database, guild_id=OTHER, user_id=MOD, rule_id=rule.id, now=house.clock()
        )
    assert len(await actions.list_rules(house.database, guild_id=GUILD)) == 1


async def _subscribe(house: House, kind: str, value: str, guild_id: int = GUILD) -> Any:
    return await actions.subscribe(
        house.database, user_id=MEMBER, guild_id=guild_id, kind=kind, value=value, now=house.clock()
    )


async def test_subscriptions_are_made_once_listed_and_ended_by_their_member_alone(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    case = await house.case("The ALT summons")
    await house.story(feed, case)
    await _subscribe(house, "topic", "Legal demands")
    await _subscribe(house, "topic", "legal-demands")
    await _subscribe(house, "party", "cbp")
    await _subscribe(house, "case", "alt summ")
    listed = await actions.list_subscriptions(house.database, user_id=MEMBER)
    assert [(each.subscription.kind, each.label) for each in listed] == [
        ("topic", "legal-demands"),
        ("party", "Customs and Border Protection"),
        ("case", "The ALT summons"),
    ]
    assert await actions.list_subscriptions(house.database, user_id=MOD) == ()
    first = listed[0].subscription.id
    with pytest.raises(NotHereError):
        await actions.end_subscription(house.database, user_id=MOD, subscription_id=first)
    await actions.end_subscription(house.database, user_id=MEMBER, subscription_id=first)
    assert len(await actions.list_subscriptions(house.database, user_id=MEMBER)) == 2


async def test_a_subscription_to_a_party_in_any_spelling_is_owed_its_stories(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await _subscribe(house, "party", "cbp")
    await house.story(feed, await house.case())
    assert told(await house.deliveries()) == [("card", "user", MEMBER, "due")]


async def test_subscribing_again_takes_a_paused_subscription_up(house: House) -> None:
    await house.guild(GUILD)
    made = await house.subscription(
        MEMBER, GUILD, "topic", "spyware", paused=True, pause_reason="Your direct messages are closed to me."
    )
    again = await _subscribe(house, "topic", "spyware")
    assert again.subscription.id == made
    assert (again.subscription.paused, again.subscription.pause_reason) == (False, None)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("topic", "privcy", "did you mean privacy-law"),
        ("case", "no such thing", "No case “no such thing” is known here"),
        ("case", "", "No case"),
        ("party", "  ", "name is missing"),
        ("weather", "x", "a topic, a party, a case or a search"),
    ],
)
async def test_a_subscription_to_nothing_is_refused(house: House, kind: str, value: str, said: str) -> None:
    with pytest.raises(WishError, match=said):
        await _subscribe(house, kind, value)


async def test_a_case_of_other_servers_can_be_neither_followed_nor_seen(house: House) -> None:
    theirs = await house.feed("theirs")
    await house.guild(OTHER, theirs)
    await house.guild(GUILD)
    case = await house.case("Their case")
    story = await house.story(theirs, case)
    with pytest.raises(WishError):
        await _subscribe(house, "case", str(case))
    with pytest.raises(NotHereError):
        await actions.follow_case(
            house.database, case_id=case, user_id=MEMBER, guild_id=GUILD, now=house.clock()
        )
    with pytest.raises(NotHereError):
        await actions.evidence(house.database, story_id=story, user_id=MEMBER, guild_id=GUILD)
    with pytest.raises(NotHereError):
        await actions.report(
            house.database, story_id=story, user_id=MEMBER, guild_id=GUILD, now=house.clock()
        )
    with pytest.raises(NotHereError):
        await actions.evidence(house.database, story_id=10**12, user_id=MEMBER, guild_id=GUILD)


async def test_evidence_gives_each_claim_with_its_sentence(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    story = await house.story(feed, await house.case())
    found = await actions.evidence(house.database, story_id=story, user_id=MEMBER, guild_id=GUILD)
    assert [(claim.says, claim.evidence) for claim in found.claims] == [
        ("Relevant", ("The agency served a summons on Twitter.",)),
        ("Topic: legal-demands", ("It wants the account's owner.",)),
        ("Topic: anonymity", ("It wants the account's owner.",)),
        (
            "Customs and Border Protection → Twitter: administrative summons, issued",
            ("The agency served a summons on Twitter.",),
        ),
    ]


async def test_a_member_reports_a_story_once(house: House) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    story = await house.story(feed, await house.case())
    for first in (True, False):
        assert first is await actions.report(
            house.database, story_id=story, user_id=MEMBER, guild_id=GUILD, now=house.clock()
        )
    async with house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(ReportRow))).scalar_one() == 1


async def test_in_a_direct_message_the_mark_tells_the_server_but_only_to_the_one_it_was_sent_to(
    house: House,
) -> None:
    feed = await house.feed()
    await house.guild(GUILD, feed)
    await house.subscription(MEMBER, GUILD, "topic", "anonymity")
    case = await house.case()
    story = await house.story(feed, case)
    (row,) = await house.deliveries()
    for user_id, mark in ((MOD, row.nonce), (MEMBER, "qforged"), (MEMBER, None)):
        with pytest.raises(NotHereError):
            await actions.evidence(house.database, story_id=story, user_id=user_id, guild_id=None, mark=mark)
    found = await actions.evidence(
        house.database, story_id=story, user_id=MEMBER, guild_id=None, mark=row.nonce
    )
    assert found.story_id == story
    made = await actions.follow_case(
        house.database, case_id=case, user_id=MEMBER, guild_id=None, mark=row.nonce, now=house.clock()
    )
    assert made.subscription.guild_id == GUILD
