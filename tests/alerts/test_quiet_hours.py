"""A server's quiet hours: what comes then waits, in order, or comes as a digest; what is urgent does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from bot.alerts.deliver import Deliverer
from bot.alerts.moments import moment
from bot.alerts.routing import Destination, Verdict
from bot.alerts.timing import Hours
from bot.sandbox import Fault
from db.tables import GuildRow
from tests.alerts.house import told
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock

NIGHT = datetime(2026, 3, 3, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 7, tzinfo=UTC)


@pytest.fixture
async def night(place: Place, clock: TurnedClock) -> None:
    await _quiet(place, "22:00", "07:00")
    clock.now = NIGHT


async def _quiet(place: Place, begins: str | None, ends: str | None, zone: str = "UTC") -> None:
    async with place.house.database.write() as session:
        await session.execute(
            update(GuildRow)
            .where(GuildRow.id == place.guild.id)
            .values(quiet_from=begins, quiet_to=ends, timezone=zone)
        )


@pytest.mark.usefixtures("night")
async def test_a_few_posts_wait_and_come_in_their_order(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    for number in range(5):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
        clock.turn(minutes=10)
    assert await deliverer.deliver_due() == 0
    clock.now = MORNING
    assert await deliverer.deliver_due() == 5
    assert [f"Story {n}" in text_of(message) for n, message in enumerate(place.posted)] == [True] * 5
    assert "Posted late" not in text_of(place.posted[0])


@pytest.mark.usefixtures("night")
async def test_many_posts_come_as_one_digest(place: Place, deliverer: Deliverer, clock: TurnedClock) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    cases = [await place.house.case(f"Case {number}") for number in range(7)]
    for number, case in enumerate(cases):
        await place.house.story(place.feed, case, title=f"Story {number}")
    await place.house.story(place.feed, cases[0], adds="source", title="Another report")
    assert await deliverer.deliver_due() == 0
    clock.now = MORNING
    assert await deliverer.deliver_due() == 1
    (message,) = place.posted
    text = text_of(message)
    assert all(f"Story {number}" in text for number in range(1, 7))
    assert "8 stories, 7 matters" in text and "Another report" in text
    assert {row.state for row in await place.house.deliveries()} == {"sent", "skipped"}
    clock.turn(hours=1)
    await place.house.story(place.feed, cases[1], adds="update", status="withdrawn", title="In the day")
    await deliverer.deliver_due()
    assert len(place.posted) == 2


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_report_for_the_thread_of_a_card_that_comes_in_a_digest_comes_in_it_too(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, thread="case")
    case = await place.house.case()
    await place.house.story(place.feed, case)
    await place.house.story(place.feed, case, adds="source", title="Another report")
    for number in range(6):
        await place.house.story(place.feed, await place.house.case(f"Case {number}"), title=f"Story {number}")
    clock.now = MORNING
    assert await deliverer.deliver_due() == 1
    (message,) = place.posted
    assert "Another report" in text_of(message) or "2 reports" in text_of(message)


@pytest.mark.usefixtures("night")
async def test_what_a_rule_calls_urgent_passes(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, urgent=["quashed", "upheld", "0.95"])
    await place.house.story(place.feed, await place.house.case("One"), title="Waits")
    await place.house.story(place.feed, await place.house.case("Two"), title="Comes", status="quashed")
    assert await deliverer.deliver_due() == 1
    assert "Comes" in text_of(place.posted[0])
    clock.now = MORNING
    await deliverer.deliver_due()
    assert "Waits" in text_of(place.posted[1])


@pytest.mark.usefixtures("night")
async def test_edits_make_no_noise_and_direct_messages_are_their_members_own(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.subscription(place.member.id, place.guild.id, "topic", "spyware")
    case = await place.house.case()
    clock.now = datetime(2026, 3, 2, 20, tzinfo=UTC)
    await place.house.story(place.feed, case)
    await deliverer.deliver_due()
    clock.now = NIGHT
    await place.house.story(place.feed, case, adds="source", title="A further source")
    await place.house.story(place.feed, None, title="For the member", topics=["spyware"])
    await deliverer.deliver_due()
    assert [text_of(message).count("A further source") for message in place.posted] == [1]
    assert "For the member" in text_of(place.direct[0])
    assert len(place.direct) == 1


async def test_what_was_due_before_waits_too_and_a_digest_comes_after_the_night(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    digests = place.standin.world.add_channel(place.guild, "digests")
    await place.house.rule(place.guild.id, place.channel.id)
    await place.house.rule(place.guild.id, digests.id, when="hourly")
    await place.house.story(place.feed, None, title="Of the day")
    clock.now = NIGHT
    await _quiet(place, "22:00", "07:00")  # nothing was sent: the bot was away, and the hours are new
    assert await deliverer.deliver_due() == 0
    clock.now = MORNING
    assert await deliverer.deliver_due() == 2
    clock.now = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
    await place.house.story(place.feed, None, title="Of the night")
    clock.now = datetime(2026, 3, 4, 6, 59, tzinfo=UTC)
    assert await deliverer.deliver_due() == 0
    clock.turn(minutes=1)
    assert await deliverer.deliver_due() == 2
    assert sorted(told(await place.house.deliveries())) == sorted(
        [("card", "channel", place.channel.id, "sent"), ("digest", "channel", digests.id, "sent")] * 2
    )


@pytest.mark.parametrize(("number", "messages"), [(5, 5), (9, 1)])
async def test_the_backlog_of_an_outage_that_meets_the_night_does_not_come_all_at_once_in_the_morning(
    place: Place, deliverer: Deliverer, clock: TurnedClock, number: int, messages: int
) -> None:
    await _quiet(place, "22:00", "07:00")
    await place.house.rule(place.guild.id, place.channel.id)
    clock.now = datetime(2026, 3, 2, 21, 50, tzinfo=UTC)
    place.standin.faults.add(Fault("status", status=503, path="/channels/*", times=None))
    for each in range(number):
        await place.house.story(place.feed, await place.house.case(f"Case {each}"), title=f"Story {each}")
    assert await deliverer.deliver_due() == 0
    place.standin.faults.clear()
    clock.now = NIGHT
    sent = await deliverer.deliver_due()
    assert sent == 1  # what was tried in the outage, and may be on Discord, is brought to its end
    clock.now = MORNING
    assert await deliverer.deliver_due() == (messages if messages == 1 else messages - sent)
    text = "\n".join(map(text_of, place.posted))
    assert [text.count(f"Story {each}") for each in range(number)] == [1] * number
    assert await deliverer.deliver_due() == 0


async def test_quiet_hours_are_local_across_a_change_of_clock(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await _quiet(place, "23:00", "06:00", "Europe/Berlin")
    await place.house.rule(place.guild.id, place.channel.id)
    clock.now = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # 23:30; the clock is put on that night
    await place.house.story(place.feed, None)
    clock.now = datetime(2026, 3, 29, 3, 59, tzinfo=UTC)
    assert await deliverer.deliver_due() == 0
    clock.turn(minutes=1)  # 6:00 of summer
    assert await deliverer.deliver_due() == 1


# ------------------------------------------------------------------------- the decision alone

_HOURS = Hours("UTC", "22:00", "07:00")
_RULE = Verdict(Destination("channel", 100), 1, 1, None, ())
_WISH = Verdict(Destination("user", 7), 1, None, 1, ())


def _rule(**fields: object) -> Verdict:
    return replace(_RULE, **fields)  # type: ignore[arg-type]  # fields of a verdict


@pytest.mark.parametrize(
    ("wish", "now", "known", "at", "gathered"),
    [
        (_RULE, MORNING, {}, MORNING, False),
        (_RULE, NIGHT, {}, MORNING, False),
        (_rule(urgent=True), NIGHT, {}, NIGHT, False),
        (_RULE, NIGHT, {"waiting": [MORNING] * 4}, MORNING, False),
        (_RULE, NIGHT, {"waiting": [MORNING] * 5}, MORNING, True),
        (_RULE, NIGHT, {"waiting": [NIGHT] * 9}, MORNING, False),
        (_RULE, NIGHT, {"digests": [MORNING]}, MORNING, True),
        (_rule(daily_limit=3), MORNING, {"posted_today": 2}, MORNING, False),
        (
            _rule(daily_limit=3),
            MORNING,
            {"posted_today": 3},
            datetime(2026, 3, 3, 9, tzinfo=UTC),
            True,
        ),
        (
            _rule(daily_limit=3, urgent=True),
            MORNING,
            {"posted_today": 3},
            datetime(2026, 3, 3, 9, tzinfo=UTC),
            True,
        ),
        (_rule(when="hourly"), NIGHT, {}, MORNING, True),
        (_rule(when="weekly"), NIGHT, {}, datetime(2026, 3, 9, 9, tzinfo=UTC), True),
        (_WISH, NIGHT, {}, NIGHT, False),
    ],
)
def test_when_a_post_comes(
    wish: Verdict, now: datetime, known: dict[str, object], at: datetime, gathered: bool
) -> None:
    found = moment(wish, _HOURS, now, **known)  # type: ignore[arg-type]  # spelled out above
    assert (found.at, found.gathered) == (at, gathered)
