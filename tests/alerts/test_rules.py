"""Rules as moderators change them: what is said is checked, every change is in the audit, previews count."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.alerts import actions
from bot.alerts.errors import NotHereError, WishError
from bot.alerts.routing import Condition, Rule
from bot.alerts.wishes import parse_condition
from db.tables import AuditRow, GuildRow, StoryRow
from tests.alerts.house import House
from tests.conftest import TurnedClock

GUILD, OTHER, MOD = 1, 2, 50


async def _rule(house: House, **fields: Any) -> Rule:
    given = {"guild_id": GUILD, "user_id": MOD, "channel_id": 100, "now": house.clock()} | fields
    return await actions.add_rule(house.database, **given)


async def _edit(house: House, rule_id: int, guild_id: int = GUILD, **changes: Any) -> Any:
    return await actions.edit_rule(
        house.database, guild_id=guild_id, user_id=MOD, rule_id=rule_id, changes=changes, now=house.clock()
    )


async def _audit(house: House) -> list[AuditRow]:
    async with house.database.read() as session:
        return list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))


async def test_a_new_rule_has_a_daily_limit_unless_somebody_wants_none(house: House) -> None:
    assert (await _rule(house, topics="spyware")).daily_limit == 20
    assert (await _rule(house, topics="biometrics", daily_limit=0)).daily_limit is None
    await house.rule(GUILD, 100)  # as it was stored before there was one
    listed = await actions.list_rules(house.database, guild_id=GUILD)
    assert [one.rule.daily_limit for one in listed] == [20, None, None]


async def test_an_edit_changes_what_is_named_and_the_audit_tells_before_and_after(house: House) -> None:
    rule = await _rule(house, topics="spyware", ping_role=9, daily_limit=5)
    assert (rule.daily_limit, rule.when, rule.ping_when) == (5, "now", Condition())
    edited = await _edit(
        house,
        rule.id,
        statuses="Quashed, upheld",
        languages="EN,de",
        countries="us, Allemagne, british, Germany",
        sources="therecord.media, The Example News",
        ping_when="quashed, relevance 0.9",
        urgent="upheld",
        when="daily",
        daily_limit=0,
        parties="DHS",
        relevance=0.7,
    )
    assert edited.before == rule
    after = edited.after
    assert after.topics == ("spyware",) and after.ping_role == 9
    assert after.statuses == ("quashed", "upheld") and after.languages == ("en", "de")
    assert after.countries == ("United States", "Germany", "United Kingdom")
    assert after.sources == ("therecord.media", "The Example News")
    assert after.ping_when == Condition(("quashed",), 0.9) and after.urgent == Condition(("upheld",))
    assert (after.when, after.daily_limit, after.min_relevance) == ("daily", None, 0.7)
    assert after.parties == ("Department of Homeland Security",)
    (listed,) = await actions.list_rules(house.database, guild_id=GUILD)
    assert listed.rule == after

    await _edit(house, rule.id, when="daily")  # as it is already: no change, no line
    _, changed = await _audit(house)
    assert (changed.action, changed.user_id) == ("rule changed", MOD)
    assert changed.before["when"] == "now" and changed.after["when"] == "daily"
    assert changed.before["id"] == rule.id and "topics" not in changed.after


async def test_a_rule_is_paused_and_goes_on_once_each(house: House) -> None:
    rule = await _rule(house)
    for call, paused in ((actions.pause_rule, True), (actions.resume_rule, False)):
        for _ in range(2):
            found = await call(
                house.database, guild_id=GUILD, user_id=MOD, rule_id=rule.id, now=house.clock()
            )
            assert found.paused is paused
    assert [row.action for row in await _audit(house)] == ["rule added", "rule paused", "rule resumed"]


async def test_a_rule_of_another_server_or_like_another_is_not_touched(house: House) -> None:
    first = await _rule(house, topics="spyware")
    second = await _rule(house, topics="anonymity")
    with pytest.raises(NotHereError):
        await _edit(house, first.id, guild_id=OTHER, topics="")
    for call in (actions.pause_rule, actions.resume_rule):
        with pytest.raises(NotHereError):
            await call(house.database, guild_id=OTHER, user_id=MOD, rule_id=first.id, now=house.clock())
    with pytest.raises(WishError, match=f"rule #{first.id} says already"):
        await _edit(house, second.id, topics="spyware")
    assert [each.rule for each in await actions.list_rules(house.database, guild_id=GUILD)] == [first, second]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"when": "never"}, "known are now, hourly, daily, weekly"),
        ({"statuses": "quased"}, "did you mean quashed"),
        ({"languages": "English"}, "use its code"),
        ({"countries": "Germoney"}, "did you mean Germany"),
        ({"ping_when": "1.5"}, "goes from 0"),
        ({"ping_when": "0.x"}, "is no figure"),
        ({"urgent": "relevance"}, "no status"),
        ({"daily_limit": -1}, "from 1 to 1000"),
        ({"thread": "always"}, "known are off, case"),
        ({"colour": "red"}, "A rule has no colour"),
    ],
)
async def test_what_cannot_be_is_refused_in_a_sentence(
    house: House, changes: dict[str, Any], said: str
) -> None:
    rule = await _rule(house)
    with pytest.raises(WishError, match=said):
        await _edit(house, rule.id, **changes)


@pytest.mark.parametrize(
    ("typed", "condition"),
    [
        ("", Condition()),
        ("quashed", Condition(("quashed",))),
        ("0.9", Condition((), 0.9)),
        ("relevance >= 0.9, quashed, 0.8", Condition(("quashed",), 0.8)),
        ("partly complied, 1", Condition(("partly complied",), 1.0)),
    ],
)
def test_a_condition_is_read_and_stored_and_read_again(typed: str, condition: Condition) -> None:
    assert parse_condition(typed) == condition
    assert Condition.of(condition.words) == condition


# ------------------------------------------------------------------------- previews


async def _dated(house: House, story_id: int, at: datetime) -> None:
    async with house.database.write() as session:
        await session.execute(update(StoryRow).where(StoryRow.id == story_id).values(published=at))


async def _month(house: House) -> None:
    """Twelve stories, three a day on four days, of a feed that was added today; and an update."""
    feed = await house.feed()
    await house.guild(GUILD, feed)
    first = house.clock() - timedelta(days=10)
    case = await house.case()
    for number in range(12):
        story = await house.story(
            feed,
            case if number == 0 else await house.case(f"Case {number}"),
            title=f"Story {number}",
            alert=False,
            topics=["spyware"] if number % 3 == 2 else ["anonymity"],
        )
        await _dated(house, story, first + timedelta(days=number // 3, minutes=number))
    update_ = await house.story(feed, case, adds="update", status="quashed", title="Thrown out", alert=False)
    await _dated(house, update_, first + timedelta(days=5))
    old = await house.story(feed, None, title="Too old", alert=False)
    await _dated(house, old, house.clock() - timedelta(days=31))
    unseen = await house.feed("theirs")
    await house.story(unseen, None, title="Of another server", alert=False)


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, {"alerts": 12, "updates": 1, "edits": 1, "digests": 0, "pings": 0, "busiest_day": 3}),
        ({"topics": "spyware"}, {"matched": 4, "alerts": 4, "updates": 0, "edits": 0}),
        ({"daily_limit": 2}, {"alerts": 8, "updates": 1, "digests": 4, "busiest_day": 2}),
        ({"when": "daily"}, {"alerts": 0, "updates": 0, "digests": 5, "matched": 13}),
        ({"when": "weekly", "ping_role": 9}, {"alerts": 0, "digests": 2, "pings": 2}),
        ({"ping_role": 9}, {"pings": 13}),
        ({"ping_role": 9, "ping_when": "quashed"}, {"alerts": 12, "pings": 1}),
        ({"statuses": "quashed"}, {"alerts": 1, "updates": 0}),
        ({"sources": "news.example"}, {"matched": 13}),
        ({"sources": "ews.example"}, {"matched": 0}),
        ({"languages": "de"}, {"matched": 0, "seen": 13}),
        ({"countries": "usa"}, {"matched": 13}),
        ({"countries": "fr"}, {"matched": 0, "seen": 13}),
    ],
)
async def test_a_preview_counts_what_the_last_days_would_have_brought(
    house: House, fields: dict[str, Any], counts: dict[str, int]
) -> None:
    await _month(house)
    rule = await _rule(house, **fields)
    found = await actions.preview_rule(house.database, rule, now=house.clock())
    assert {name: getattr(found, name) for name in counts} == counts
    assert await house.deliveries() == []


async def test_a_preview_shows_the_newest_matches_and_keeps_quiet_hours(
    house: House, clock: TurnedClock
) -> None:
    await _month(house)
    async with house.database.write() as session:
        await session.execute(
            update(GuildRow).where(GuildRow.id == GUILD).values(quiet_from="11:00", quiet_to="13:00")
        )
    paused = Rule(id=0, guild_id=GUILD, channel_id=100, paused=True)  # thought of, not stored
    found = await actions.preview_rule(house.database, paused, days=30, now=clock())
    assert [match.title for match in found.last] == [
        "Thrown out",
        "Story 11",
        "Story 10",
        "Story 9",
        "Story 8",
    ]
    assert "any topic" in found.last[0].reason
    assert (found.alerts, found.digests) == (12, 0)  # three wait a day, which is few
    assert (await actions.preview_rule(house.database, paused, days=3, now=clock())).seen == 0
