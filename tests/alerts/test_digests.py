"""Digests: gathered with the story, one message at the local time, each story once; from story to message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.alerts import actions, ids
from bot.alerts.deliver import Deliverer
from bot.alerts.digest_view import digest_texts
from bot.alerts.digests import Digest, Matter, Told, matters
from bot.alerts.foreign import width
from bot.alerts.outbox import owe
from bot.sandbox import Fault
from db.digests import DigestStory
from db.tables import DigestItemRow, GuildRow, StoryFeedRow
from tests.alerts.house import House, told
from tests.alerts.place import Place, text_of
from tests.conftest import TurnedClock

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the clock of these tests


async def _set(place: Place, **values: object) -> None:
    async with place.house.database.write() as session:
        await session.execute(update(GuildRow).where(GuildRow.id == place.guild.id).values(**values))


async def test_what_fits_comes_as_one_message_at_the_local_time(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await _set(place, timezone="America/New_York")
    await place.house.rule(place.guild.id, place.channel.id, when="daily", topics=["anonymity"])
    summons = await place.house.case("The summons")
    for number in range(3):
        await place.house.story(
            place.feed, summons, adds="source" if number else "new", title=f"Report {number}"
        )
    await place.house.story(
        place.feed, await place.house.case("Another", "quashed"), title="Elsewhere", status="quashed"
    )
    await place.house.story(place.feed, await place.house.case("Not wanted"), topics=["spyware"])
    assert told(await place.house.deliveries()) == [("digest", "channel", place.channel.id, "due")]

    clock.now = datetime(2026, 3, 2, 13, 59, tzinfo=UTC)
    assert await deliverer.deliver_due() == 0
    clock.turn(minutes=1)  # 9 o'clock in New York
    assert await deliverer.deliver_due() == 1
    clock.turn(days=3)
    assert await deliverer.deliver_due() == 0, "a digest without stories is not sent"
    (message,) = place.posted
    text = text_of(message)
    assert "Digest: 4 stories, 2 matters" in text
    assert "[Report 2](https://news.example/3)" in text and "3 reports" in text
    assert "Elsewhere" in text and "✘\N{NO-BREAK SPACE}quashed" in text
    (row,) = await place.house.deliveries()
    assert (row.state, row.message_id) == ("sent", message.id)
    button = message.components[-1]["components"][-1]["components"][-1]
    assert ids.mark_of([button["custom_id"]]) == row.nonce


async def test_two_rhythms_of_one_channel_share_a_message_and_the_soonest_has_the_story(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, when="weekly")
    await place.house.rule(place.guild.id, place.channel.id, when="daily", topics=["spyware"])
    await place.house.rule(place.guild.id, place.channel.id, topics=["biometrics"])
    for topic in ("anonymity", "spyware", "biometrics"):
        await place.house.story(place.feed, await place.house.case(topic), title=topic, topics=[topic])
    await deliverer.deliver_due()
    assert [text_of(message).count("biometrics") > 0 for message in place.posted] == [True]
    clock.now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    await deliverer.deliver_due()
    assert "spyware" in text_of(place.posted[1]) and "anonymity" not in text_of(place.posted[1])
    clock.now = datetime(2026, 3, 8, 12, tzinfo=UTC)
    await place.house.story(place.feed, await place.house.case("s"), title="sunday", topics=["spyware"])
    clock.now = datetime(2026, 3, 9, 9, tzinfo=UTC)
    await deliverer.deliver_due()
    assert len(place.posted) == 3
    assert "anonymity" in text_of(place.posted[2]) and "sunday" in text_of(place.posted[2])


async def test_a_member_is_told_once_whether_at_once_or_in_a_digest(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    guild, member = place.guild.id, place.member.id
    await place.house.subscription(member, guild, "topic", "anonymity", delivery="daily")
    await place.house.subscription(member, guild, "topic", "spyware", delivery="weekly")
    now = await place.house.subscription(member, guild, "party", "twitter")
    both = await place.house.case("Both")
    await place.house.story(place.feed, both, title="At once")
    await actions.end_subscription(place.house.database, user_id=member, subscription_id=now)
    await place.house.story(
        place.feed, await place.house.case("Later"), title="Later", topics=["anonymity", "spyware"]
    )
    await deliverer.deliver_due()
    assert [row.kind for row in await place.house.deliveries()] == ["card", "digest"]
    clock.turn(days=8)
    await deliverer.deliver_due()
    # The card's subscription ended before it was sent: but the daily one wants that story too.
    assert len(place.direct) == 2
    assert "At once" in text_of(place.direct[0])
    assert "Later" in text_of(place.direct[1]) and "At once" not in text_of(place.direct[1])


async def test_a_story_that_somebody_wants_at_once_after_all_leaves_the_digest(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    other = place.standin.world.add_guild("Elsewhere")
    place.standin.world.add_member(other, place.member)
    theirs = await place.house.feed("theirs")
    await place.house.guild(other.id, theirs)
    await place.house.subscription(place.member.id, place.guild.id, "topic", "anonymity", delivery="daily")
    await place.house.subscription(place.member.id, other.id, "topic", "anonymity")
    story = await place.house.story(place.feed, await place.house.case())
    async with place.house.database.write() as session:
        session.add(StoryFeedRow(story_id=story, feed_id=theirs))
        await session.flush()
        assert await owe(session, story, now=clock()) == 1
        assert await owe(session, story, now=clock()) == 0
    await deliverer.deliver_due()
    clock.turn(days=2)
    await deliverer.deliver_due()
    assert len(place.direct) == 1
    assert [(row.kind, row.state) for row in await place.house.deliveries()] == [
        ("digest", "skipped"),
        ("card", "sent"),
    ]


async def test_a_digest_tells_a_member_only_of_servers_that_they_are_in(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    other = place.standin.world.add_guild("Elsewhere")
    theirs = await place.house.feed("theirs")
    await place.house.guild(other.id, theirs)
    for guild in (place.guild.id, other.id):
        await place.house.subscription(place.member.id, guild, "topic", "anonymity", delivery="daily")
    case = await place.house.case()
    await place.house.story(place.feed, case, title="Of my server")
    await place.house.story(theirs, case, adds="source", title="Of a server that I left")
    clock.turn(days=1)
    await deliverer.deliver_due()
    (message,) = place.direct
    assert "Of my server" in text_of(message) and "that I left" not in text_of(message)
    assert "news.example/2" not in text_of(message)


async def test_what_is_not_wanted_any_more_is_left_out_and_an_empty_digest_is_not_sent(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    rule = await place.house.rule(place.guild.id, place.channel.id, when="hourly")
    await place.house.story(place.feed, None, title="Keep me")
    await place.house.story(place.feed, None, title="Spyware for sale", topics=["spyware"])
    changes = {"topics": "anonymity", "when": "weekly"}
    await actions.edit_rule(
        place.house.database, guild_id=place.guild.id, user_id=1, rule_id=rule, changes=changes, now=clock()
    )
    clock.turn(hours=1)
    await deliverer.deliver_due()
    (message,) = place.posted
    assert "Keep me" in text_of(message) and "Spyware" not in text_of(message)
    assert "1 story" in text_of(message)

    await place.house.story(place.feed, None, title="Of next week")
    await actions.pause_rule(
        place.house.database, guild_id=place.guild.id, user_id=1, rule_id=rule, now=clock()
    )
    clock.turn(days=8)
    await deliverer.deliver_due()
    assert len(place.posted) == 1
    assert (await place.house.deliveries())[-1].state == "skipped"


async def test_a_digest_whose_answer_got_lost_is_not_sent_twice_and_takes_nothing_more_in(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, when="daily")
    await place.house.story(place.feed, None, title="First")
    clock.now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    path = f"/channels/{place.channel.id}/messages"
    place.standin.faults.add(Fault("status", when="after", status=503, method="POST", path=path, times=None))
    await deliverer.deliver_due()
    place.standin.faults.clear()
    # Another machine's clock is late: for it the digest of 9 o'clock is still to come.
    clock.now = datetime(2026, 3, 3, 8, 59, tzinfo=UTC)
    await place.house.story(place.feed, None, title="Second")
    place.standin.settings.nonce_seconds = -1.0
    clock.now = datetime(2026, 3, 3, 10, tzinfo=UTC)
    await deliverer.deliver_due()
    assert [("First" in text_of(m), "Second" in text_of(m)) for m in place.posted] == [(True, False)]
    clock.now = datetime(2026, 3, 4, 9, tzinfo=UTC)
    await deliverer.deliver_due()
    assert [("First" in text_of(m), "Second" in text_of(m)) for m in place.posted] == [
        (True, False),
        (False, True),
    ]


async def test_past_its_daily_limit_a_rules_posts_come_in_the_next_daily_digest(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, daily_limit=2, topics=["anonymity"])
    await place.house.rule(place.guild.id, place.channel.id, topics=["spyware"])
    cases = [await place.house.case(f"Case {n}") for n in range(4)]
    for number, case in enumerate(cases):
        await place.house.story(place.feed, case, title=f"Story {number}")
        await deliverer.deliver_due()
    await place.house.story(place.feed, cases[0], adds="source", title="One more source")  # an edit, no post
    await place.house.story(place.feed, None, title="By another rule", topics=["spyware"])
    clock.turn(minutes=2)
    await deliverer.deliver_due()
    assert [
        title in text_of(m) for m, title in zip(place.posted, ("0", "1", "another rule"), strict=True)
    ] == [True] * 3
    assert "One more source" in text_of(place.posted[0])
    clock.now = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)  # another day
    await place.house.story(place.feed, None, title="Of the next day")
    await deliverer.deliver_due()
    clock.now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    await deliverer.deliver_due()
    assert [text_of(m).count("Digest: 2 stories") for m in place.posted] == [0, 0, 0, 0, 1]
    assert "Story 2" in text_of(place.posted[4]) and "Story 3" in text_of(place.posted[4])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_one_rule_posts_past_the_limit_of_another_counts_for_its_own(
    place: Place, deliverer: Deliverer
) -> None:
    await place.house.rule(place.guild.id, place.channel.id, daily_limit=1)
    await place.house.rule(place.guild.id, place.channel.id, daily_limit=2)
    for number in range(5):
        await place.house.story(place.feed, None, title=f"Story {number}")
        await deliverer.deliver_due()
    assert [(row.kind, row.rule_id) for row in await place.house.deliveries()] == [
        ("card", 1),
        ("card", 2),
        ("card", 2),
        ("digest", 1),
    ]


async def test_a_digest_mentions_the_roles_of_the_rules_that_have_something_in_it(
    place: Place, deliverer: Deliverer, clock: TurnedClock
) -> None:
    roles = [place.standin.world.add_role(place.guild, name).id for name in ("a", "b", "c", "d")]
    desk = place.standin.world.add_channel(place.guild, "desk")
    for role, topic in zip(roles[:3], ("anonymity", "spyware", "biometrics"), strict=True):
        await place.house.rule(
            place.guild.id, place.channel.id, when="daily", topics=[topic], ping_role=role,
            ping_when=["quashed"] if topic == "spyware" else [],
        )  # fmt: skip
    undecided = {"ping_role": roles[3], "review_channel": desk.id}
    await place.house.rule(place.guild.id, place.channel.id, topics=["anonymity"], **undecided)
    await place.house.story(place.feed, None, topics=["anonymity"])
    await place.house.story(place.feed, None, topics=["spyware"])  # is issued, not quashed
    clock.turn(days=1)
    await deliverer.deliver_due()
    (request,) = [r for r in place.standin.requests if r.path == f"/channels/{place.channel.id}/messages"]
    assert request.body["allowed_mentions"]["roles"] == [roles[0]]
    text = text_of(place.posted[0])
    assert [f"<@&{role}>" in text for role in roles] == [True, False, False, False]


@pytest.mark.parametrize(
    ("zone", "language", "name"),
    [("UTC", "en", "Digest 2026-03-03"), ("Pacific/Auckland", "de", "Überblick 2026-03-03")],  # 2 March, UTC
)
async def test_a_forum_has_its_digest_as_a_post_of_its_own_day_and_language(
    place: Place, deliverer: Deliverer, clock: TurnedClock, zone: str, language: str, name: str
) -> None:
    await _set(place, timezone=zone, language=language)
    forum = place.standin.world.add_channel(place.guild, "cases", "forum")
    await place.house.rule(place.guild.id, forum.id, when="daily", thread="case")
    await place.house.story(place.feed, await place.house.case(), title="In the forum")
    clock.turn(days=1)
    assert await deliverer.deliver_due() == 1
    (post,) = [each for each in place.guild.channels.values() if each.parent_id == forum.id]
    assert post.name == name
    assert "In the forum" in text_of(place.standin.messages(post.id)[0])


async def test_two_digests_of_one_moment_cannot_be(house: House) -> None:
    feed = await house.feed()
    await house.guild(1, feed)
    await house.rule(1, 100, when="daily")
    await house.rule(1, 101, when="daily")

    async def bring(number: int) -> None:
        await house.story(feed, None, title=f"Story {number}")

    await asyncio.gather(*(bring(number) for number in range(6)))
    rows = await house.deliveries()
    assert sorted(row.target_id for row in rows) == [100, 101]
    async with house.database.read() as session:
        items = list(await session.scalars(select(DigestItemRow)))
    assert len(items) == 12
    assert len({row.nonce for row in rows}) == 2


# ------------------------------------------------------------------------- what a digest tells


def _story(number: int, **fields: object) -> DigestStory:
    values: dict[str, object] = {
        "id": number, "title": f"Story {number}", "url": f"https://news.example/{number}",
        "source": "The Example News", "published": NOW + timedelta(minutes=number),
        "first_seen": NOW + timedelta(hours=9),
        "status": "issued", "relevance": 0.5, "summary": ["A sentence."], "adds": "new",
        "case_id": number, "case_title": "Case", "case_status": None,
    } | fields  # fmt: skip
    return DigestStory(**values)  # type: ignore[arg-type]  # spelled out above


def _digest(*stories: DigestStory) -> Digest:
    return Digest(tuple(Told(story, frozenset({1})) for story in stories), (), NOW, NOW + timedelta(days=1))


def _ids(found: tuple[Matter, ...]) -> list[int]:
    return [matter.story.id for matter in found]


def test_changes_come_first_then_what_is_most_relevant_then_the_newest() -> None:
    digest = _digest(
        _story(1), _story(2, relevance=0.9), _story(3), _story(4, adds="update", relevance=0.1),
    )  # fmt: skip
    assert _ids(matters(digest)) == [4, 2, 3, 1]


def test_a_case_is_one_matter_with_its_newest_state_and_all_its_reports() -> None:
    gathered = [
        _story(1, case_id=7, case_status="quashed"),
        _story(2, case_id=7, case_status="quashed", adds="source"),
    ]
    known = [Told(_story(n, case_id=7, status="quashed"), frozenset({1})) for n in (2, 3, 4)]
    elsewhere = Digest(tuple(Told(s, frozenset({1})) for s in gathered), (), NOW, NOW)
    assert matters(elsewhere)[0].status == "issued", "none of the reports that are seen here says else"
    digest = replace(elsewhere, reports=tuple(known))
    (matter,) = matters(digest)
    assert (matter.story.id, matter.status, matter.reports, matter.changed) == (2, "quashed", 4, False)
    assert [source.title for source in matter.others] == ["Story 4", "Story 3", "Story 1"]


def test_what_changed_here_is_told_so_though_another_servers_feed_was_first() -> None:
    known = tuple(Told(_story(n, case_id=7), frozenset({1})) for n in (1, 2))
    for status, changed in (("withdrawn", True), ("issued", False)):
        told = Told(_story(3, case_id=7, adds="source", status=status), frozenset({1}))
        (matter,) = matters(Digest((told,), (told, *known), NOW, NOW))
        assert matter.changed is changed
    day = _story(3, case_id=7, adds="source", status="withdrawn", published=NOW.replace(hour=0, minute=0))
    (matter,) = matters(Digest((Told(day, frozenset({1})),), known, NOW, NOW))
    assert matter.changed, "a feed that gives days alone means any time of its day"


@pytest.mark.parametrize("count", [1, 24, 25, 26, 400])
@pytest.mark.parametrize("length", [1, 5000])
def test_however_much_there_is_it_fits_into_a_message_and_the_rest_is_counted(
    count: int, length: int
) -> None:
    stories = [
        _story(
            n,
            title="w" * length,
            summary=["*" * length],
            url=f"https://news.example/{'x' * min(length, 500)}/{n}",
        )
        for n in range(count)
    ]
    texts = digest_texts(_digest(*stories))
    assert sum(map(width, texts)) <= 4000
    assert len(texts) <= 27
    shown = sum("](https://news.example/" in text for text in texts)
    assert shown >= min(count, 3)
    assert (shown == count) or f"and {count - shown} more" in texts[-1]
