"""What members ask for about parties, time, single pages and themselves."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from aiohttp import ClientOSError
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.alerts import actions, unreachable
from bot.alerts.actions import ListedSubscription
from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.sandbox import Fault, Person
from bot.sandbox.web import SampleWeb
from cogs.errors import sentence_for
from cogs.limits import Budget
from cogs.privacy import KINDS
from db.engine import Database
from db.guilds import mark_left
from db.tables import PERSONAL, AuditRow, GuildRow, PartyRow, ReportRow, RuleRow, SubscriptionRow
from tests.cogs.conftest import Scene
from tests.conftest import TurnedClock

_PNG = b"\x89PNG\r\n\x1a\n"
_EPHEMERAL = 64


@pytest.fixture
async def web() -> AsyncIterator[SampleWeb]:
    async with SampleWeb(datetime(2026, 3, 2, tzinfo=UTC)) as server:
        server.turn_to(6)
        yield server


async def _stories(scene: Scene, *statuses: str) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.guild(scene.other.id)
    for status in statuses:
        case = await scene.house.case(f"The {status} matter")
        await scene.house.story(feed, case, status=status, owes=False)


async def test_a_party_shows_its_demands_by_side_and_status_and_is_followed(scene: Scene) -> None:
    await _stories(scene, "issued", "withdrawn", "withdrawn")
    answer = await scene.member.command("party", name="cbp")
    assert "Customs and Border Protection" in answer.text
    assert "Demands that it made: 3" in answer.text
    assert "withdrawn 2" in answer.text
    assert "Twitter 3" in answer.text
    assert "Demands that it received: 3" in (await scene.member.command("party", name="twitter")).text
    followed = await scene.member.click(answer.message, "Follow")
    assert followed.ephemeral
    assert "You follow Customs and Border Protection" in followed.text
    assert "Customs and Border Protection" in (await scene.member.command("subscriptions")).text


async def test_a_party_of_other_servers_is_not_known_here(scene: Scene) -> None:
    await _stories(scene, "issued")
    answer = await scene.stranger.command("party", name="Twitter")
    assert "is in no story here" in answer.text
    assert "Customs" not in answer.text
    near = await scene.member.command("party", name="Narnia Bureau")
    assert "Known are: Customs and Border Protection" in near.text


async def test_trends_show_a_chart_that_says_its_figures(scene: Scene) -> None:
    await _stories(scene, "issued", "withdrawn")
    answer = await scene.member.command("trends", period="month")
    (picture,) = answer.message.attachments
    assert picture.content.startswith(_PNG)
    assert "legal-demands" in (picture.description or "")
    assert "2 stories · in brackets: stories in 3 days, from " in answer.text
    assert "legal-demands: **2** (9 × 0, 2)" in answer.text
    assert "withdrawn 1" in answer.text
    one = await scene.member.command("trends", topic="anonymity")
    assert "legal-demands" not in one.text
    assert "Nothing was reported" in (await scene.stranger.command("trends")).text
    assert "moderators choose with `/feeds`" in (await scene.stranger.command("trends", period="year")).text


async def test_a_page_is_analysed_on_request_and_by_the_messages_menu(scene: Scene, web: SampleWeb) -> None:
    article = next(a for a in web.published() if a.posted)
    page = f"http://127.0.0.1:{web.port}/{article.feed}/{article.slug}.html"
    answer = await scene.member.command("analyse", link=page)
    assert answer.ephemeral
    await scene.discord.wait_for(lambda _: "relevant" in answer.text)
    assert "Reading it" not in answer.text
    message = await scene.member.say(f"have you seen {page}?")
    again = await scene.member.menu("Analyse link", message)
    await scene.discord.wait_for(lambda _: again.text == answer.text)
    shown = await scene.member.say("look", embeds=[{"title": "a preview", "url": page}])
    for told in (shown, answer.message):  # what stands in a preview, and in a post of Quash
        again = await scene.member.menu("Analyse link", told)
        await scene.discord.wait_for(lambda _, again=again: again.text == answer.text)
    assert (
        "no link in it" in (await scene.member.menu("Analyse link", await scene.member.say("nothing"))).text
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_dismisses_an_answer_is_not_told_of_a_fault(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.member.patience = 0.3  # seconds: nothing comes
    scene.discord.faults.add(Fault("status", status=404, code=10008, method="PATCH", path="/webhooks/*"))
    answer = await scene.member.command("analyse", link="http://10.0.0.1/secret")
    assert "inside Quash" not in answer.text
    scene.discord.faults.add(Fault("cut", method="POST", path="/webhooks/*", times=2))
    await scene.member.command("subscribe case", name="nope")
    await asyncio.sleep(0.2)
    gc.collect()  # an error that nobody took is told of when it is thrown away
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_pages_that_cannot_be_read_get_a_sentence(scene: Scene) -> None:
    assert "There is no link in it" in (await scene.member.command("analyse", link="hello")).text
    refused = await scene.member.command("analyse", link="http://10.0.0.1/secret")
    assert "inside Quash" not in refused.text
    for _ in range(6):
        last = await scene.member.command("analyse", link="http://10.0.0.1/secret")
    assert "try again in" in last.text
    assert "try again in" not in (await scene.moderator.command("analyse", link="http://10.0.0.1/x")).text
    cog: Any = scene.client.get_cog("Analyse") if scene.client else None
    cog._of_server, cog._of_all = Budget(1, timedelta(minutes=10)), Budget(3, timedelta(minutes=10))
    for person, told in ((scene.moderator, False), (scene.moderator, True), (scene.stranger, False),
                         (scene.alone, False), (scene.alone, True)):  # fmt: skip
        refused = await person.command("analyse", link="http://10.0.0.1/x")
        assert ("try again in" in refused.text) is told, "a whole server, and all, have their bounds too"
    for _ in range(4):
        await scene.moderator.command("analyse", link="http://10.0.0.1/x")
    cog._of_server = cog._of_all = Budget(60, timedelta(minutes=10))
    refused = await scene.moderator.command("analyse", link="http://10.0.0.1/x")
    assert "try again in" not in refused.text, "what was refused for others' sake is not counted"


async def test_one_sees_takes_and_deletes_what_is_stored_about_oneself(scene: Scene) -> None:
    await _stories(scene, "issued")
    nothing = await scene.member.command("privacy show")
    assert "Nothing at all" in nothing.text
    await scene.member.command("subscribe topic", topic="surveillance")
    await scene.moderator.command("subscribe topic", topic="spyware")
    async with scene.house.database.write() as session:
        session.add(
            ReportRow(user_id=scene.member.user_id, story_id=1, guild_id=None, at=scene.house.clock())
        )
        session.add(
            RuleRow(
                guild_id=scene.guild.id,
                channel_id=scene.channel.id,
                keywords=["of the moderators who came after"],
                created_by=scene.member.user_id,
                created_at=scene.house.clock(),
            )
        )
    shown = await scene.member.command("privacy show")
    assert "what you subscribed to: 1" in shown.text.replace("**", "")
    assert "stories that you found not relevant: 1" in shown.text.replace("**", "")
    exported = await scene.member.command("privacy export")
    (file,) = exported.message.attachments
    content = json.loads(file.content)
    assert [row["value"] for row in content["subscriptions"]] == ["surveillance"]
    assert [row["id"] for row in content["rules"]] == [1]
    assert "of the moderators who came after" not in file.content.decode()
    assert str(scene.moderator.user_id) not in file.content.decode()
    asked = await scene.member.command("privacy forget")
    done = await scene.member.click(asked.message, "Forget me")
    assert "3 entries were deleted" in done.text
    assert "Nothing at all" in (await scene.member.command("privacy show")).text
    async with scene.house.database.read() as session:
        assert (await session.scalars(select(RuleRow.created_by))).all() == [None]
        assert (await session.scalars(select(SubscriptionRow.value))).all() == ["spyware"]
        assert (await session.scalars(select(AuditRow.user_id))).all() == []


def test_every_kind_of_personal_data_has_its_words() -> None:
    assert {table for table, _ in PERSONAL} == set(KINDS)


async def test_a_subscription_rests_goes_on_and_is_told_of_less_often(scene: Scene) -> None:
    await _stories(scene, "issued")
    made = await scene.member.command("subscribe search", query="summons -sport", delivery="daily")
    assert "search: summons -sport" in made.text.replace("\\", "")
    listed = await scene.member.command("subscriptions")
    resting = await scene.member.click(listed.message, "Pause #1")
    assert "paused" in resting.text
    going = await scene.member.click(resting.message, "Resume #1")
    assert "paused" not in going.text
    changed = await scene.member.select(going.message, "quash:subscription:change:1", "weekly")
    assert "once a week" in changed.text
    nothing = await scene.member.command("subscribe search", query="-sport")
    assert "There is no word in that search" in nothing.text
    async with scene.house.database.read() as session:
        (row,) = (await session.scalars(select(SubscriptionRow))).all()
    assert (row.kind, row.delivery, row.paused) == ("search", "weekly", False)


async def test_topics_are_subscribed_to_and_ended_with_a_select(scene: Scene) -> None:
    await _stories(scene, "issued")
    await scene.stranger.command("subscribe topic", topic="spyware")
    empty = await scene.member.command("subscriptions")
    assert "You have none" in empty.text
    made = await scene.member.select(empty.message, "quash:subscription:topics", "surveillance", "spyware")
    assert "surveillance" in made.text
    assert "spyware" in made.text
    unnamed = await scene.member.command("subscribe party", name="home office")
    assert "party: Home Office" in unnamed.text and "No story here names it so far" in unnamed.text
    await scene.member.select(made.message, "quash:subscription:change:3", "weekly")
    changed = await scene.member.select(made.message, "quash:subscription:topics", "spyware", "anonymity")
    assert "surveillance" not in changed.text
    assert "topic: anonymity · at once" in changed.text
    assert "spyware · once a week" in changed.text, "what stays stays as it is"
    left = await scene.member.select(changed.message, "quash:subscription:topics")
    assert "Home Office" in left.text
    assert "spyware" not in left.text
    assert "spyware" in (await scene.stranger.command("subscriptions")).text, "nobody else's"
    assert "Topics to be told of in this server" in left.text
    assert "Topics" not in (await scene.alone.command("subscriptions")).text, "outside of servers"


async def test_a_subscribed_search_finds_what_the_search_finds(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    for query in (
        "owners -sport", '"summons on Twitter"', "serv*", "agency -twitter", "geofence", "summons -border",
        '"owner the"', '"border protection"',
    ):  # fmt: skip
        await scene.member.command("subscribe search", query=query)
    await scene.house.story(feed, None)
    told = await scene.house.deliveries()
    assert [each.subscription_id for each in told] == [1]
    await scene.member.click((await scene.member.command("subscriptions")).message, "End #1")
    await scene.house.story(feed, None)
    assert [each.subscription_id for each in await scene.house.deliveries()][1:] == [2]
    for number in (2, 3):
        await scene.member.click((await scene.member.command("subscriptions")).message, f"End #{number}")
    await scene.house.story(feed, None)
    assert [each.subscription_id for each in await scene.house.deliveries()][2:] == [8], "a party's name"


async def test_whoever_takes_no_direct_messages_is_told_so_once_at_the_next_command(scene: Scene) -> None:
    await _stories(scene, "issued")
    # Not by a command: the look that follows each one could come after the next lines, and tell at once.
    await actions.subscribe(
        scene.house.database,
        user_id=scene.member.user_id,
        guild_id=scene.guild.id,
        kind="search",
        value="summons",
        now=scene.house.clock(),
    )
    async with scene.house.database.write() as session:
        await unreachable.rest(session, scene.member.user_id)

    async def told(person: Person, command: str, looks: int = 40) -> bool:
        answer = await person.command(command)
        for _ in range(looks):  # it comes after the answer
            if "could not send you a direct message" in answer.text:
                return all(message.flags & _EPHEMERAL for message in answer.messages)
            await asyncio.sleep(0.02)
        return False

    assert not await told(scene.stranger, "latest"), "nobody else"
    assert await told(scene.member, "latest", looks=1000)
    assert not await told(scene.member, "help"), "once"
    assert "closed to me" in (await scene.member.command("subscriptions")).text


async def test_only_a_party_of_this_server_is_followed_whatever_a_button_says(scene: Scene) -> None:
    await _stories(scene, "issued")
    answer = await scene.member.command("party", name="twitter")
    (button,) = (b for row in answer.message.components if row["type"] == 1 for b in row["components"])
    async with scene.house.database.write() as session:
        session.add(PartyRow(name="Quietcorp", name_key="quietcorp", kind="company"))
        await session.flush()
        (number,) = await session.scalars(select(PartyRow.id).where(PartyRow.name == "Quietcorp"))
    button["custom_id"] = f"quash:party:follow:{number}"
    told = (await scene.member.click(answer.message, "Follow")).text
    assert "Quietcorp" not in told
    assert "not known any more" in told


async def test_follow_keeps_when_one_wants_to_be_told(scene: Scene) -> None:
    await _stories(scene, "issued")
    for kind, name in (("case", "1"), ("party", "twitter")):
        await scene.member.command(f"subscribe {kind}", name=name, delivery="weekly")
        shown = await scene.member.command(kind, name=name)
        await scene.member.click(shown.message, "Follow case" if kind == "case" else "Follow")
    assert (await scene.member.command("subscriptions")).text.count("once a week") == 2


async def test_what_is_not_relevant_is_counted_for_the_server_of_a_direct_message(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.subscription(scene.member.user_id, scene.guild.id, "topic", "anonymity")
    await scene.house.story(feed, None)
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(10_000))
    assert await Deliverer(scene.house.database, sender, clock=scene.house.clock).deliver_due() == 1
    (direct,) = scene.discord.direct_messages(scene.member.user_id)
    at_home = scene.discord.person(scene.member.user_id)
    assert "Noted" in (await at_home.click(direct, "Not relevant")).text
    async with scene.house.database.read() as session:
        assert (await session.scalars(select(ReportRow.guild_id))).all() == [scene.guild.id]


async def test_what_one_missed_is_told_whichever_process_has_the_servers_shard(scene: Scene) -> None:
    await _stories(scene, "issued")
    await scene.member.command("subscribe topic", topic="anonymity", delivery="weekly")
    assert scene.client is not None
    (guild,) = (guild for guild in scene.client.guilds if guild.id == scene.guild.id)
    scene.client._connection._remove_guild(guild)
    told = (await scene.discord.person(scene.member.user_id).command("digest")).text
    assert "1 story" in told
    stranger = scene.discord.person(scene.stranger.user_id)
    await scene.house.subscription(scene.stranger.user_id, scene.guild.id, "topic", "anonymity")
    assert "Nothing came" in (await stranger.command("digest")).text, "no member of that server"
    async with scene.house.database.write() as session:
        await mark_left(session, scene.guild.id, scene.house.clock())
    gone = (await scene.discord.person(scene.member.user_id).command("digest")).text
    assert "Nothing came" in gone, "of servers that the bot has left Discord is not asked"


async def test_a_page_that_cannot_be_read_leaves_nothing_that_looks_under_way(scene: Scene) -> None:
    refused = await scene.member.command("analyse", link="http://10.0.0.1/secret")
    await scene.discord.wait_for(lambda _: "Fetching" not in refused.text)
    assert "not a public address" in refused.text


async def test_today_begins_by_the_servers_clock(scene: Scene) -> None:
    await _stories(scene, "issued")  # published on March 1 at 10 in UTC, which is at 5 in New York
    scene.house.clock.now = datetime(2026, 3, 2, 3, tzinfo=UTC)
    for typed in ("today", "2026-03-01"):
        here = await scene.member.command("search", query="account", since=typed)
        assert ("Nothing was found" in here.text) is (typed == "today")
    await scene.moderator.command("settings", timezone="America/New_York")
    for typed in ("today", "2026-03-01", "2026-03-01T04:00"):
        assert (
            "Nothing was found"
            not in (await scene.member.command("search", query="account", since=typed)).text
        ), typed
    late = await scene.member.command("search", query="account", since="2026-03-01T06:00")
    assert "Nothing was found" in late.text
    assert "no date" in (await scene.member.command("search", query="a", since="0001-01-01T00:00+23:00")).text


async def test_subscriptions_name_their_server_whichever_process_has_its_shard(scene: Scene) -> None:
    await scene.member.command("subscribe topic", topic="anonymity")
    assert scene.client is not None
    (guild,) = (guild for guild in scene.client.guilds if guild.id == scene.guild.id)
    scene.client._connection._remove_guild(guild)
    at_home = scene.discord.person(scene.member.user_id)
    shown = await at_home.command("subscriptions")
    assert "of Digital Rights" in shown.text
    assert "of Digital Rights" in (await at_home.click(shown.message, "Pause #1")).text
    await scene.house.subscription(scene.member.user_id, 4711, "topic", "spyware")
    listed = (await at_home.command("subscriptions")).text
    assert listed.count("topic:") == 2, "one of a server that the bot is not in (any more), which has no name"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_two_clicks_at_once_follow_once(database: Database, clock: TurnedClock) -> None:
    async def follow(query: str) -> ListedSubscription:
        return await actions.subscribe(
            database, user_id=1, guild_id=2, kind="search", value=query, now=clock.now
        )

    for query in ("harbour", "lantern", "orchard"):
        made = await asyncio.gather(*(follow(query) for _ in range(3)))
        assert len({each.subscription.id for each in made}) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_old_message_of_a_server_that_was_left_follows_nothing_there(scene: Scene) -> None:
    """What was set in a server is deleted thirty days after the bot left it, whoever clicks meanwhile."""
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.subscription(scene.member.user_id, scene.guild.id, "topic", "anonymity")
    await scene.house.rule(scene.guild.id, scene.channel.id)
    await scene.house.story(feed, await scene.house.case())
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(10_000))
    assert await Deliverer(scene.house.database, sender, clock=scene.house.clock).deliver_due() == 2
    (direct,) = scene.discord.direct_messages(scene.member.user_id)
    (card,) = scene.discord.messages(scene.channel.id)
    async with scene.house.database.write() as session:
        await mark_left(session, scene.guild.id, scene.house.clock())
    at_home = scene.discord.person(scene.member.user_id)
    for person, message in ((at_home, direct), (scene.member, card)):
        told = (await person.click(message, "Follow case")).text
        assert "not among this server's stories" in told
    async with scene.house.database.read() as session:
        assert await session.scalar(select(GuildRow.left_at)) is not None


async def test_what_a_member_follows_stands_in_no_error(database: Database) -> None:
    """Errors of the database are logged with their statements."""
    asked = text("SELECT id FROM subscriptions WHERE value = :value AND no_such_column = 1")
    with pytest.raises(DBAPIError) as error:
        async with database.read() as session:
            await session.execute(asked, {"value": "Borealis Data"})
    assert "no_such_column" in str(error.value) and "Borealis" not in str(error.value)
    row = {"user_id": 7, "guild_id": 1, "kind": "party", "value": "Borealis Data"}
    with pytest.raises(DBAPIError) as error:
        async with database.write() as session:
            for _ in range(2):
                await session.execute(insert(SubscriptionRow).values(**row, created_at=datetime.now(UTC)))
    told = "".join(map(str, (error.value, error.value.orig, getattr(error.value.orig, "__cause__", ""))))
    assert "user_id" in told and "Borealis" not in told


def test_a_lost_connection_to_discord_is_not_said_to_be_the_database() -> None:
    for error in (ClientOSError(104, "Connection reset by peer"), discord.RateLimited(90)):
        told = sentence_for(error)
        assert told is not None and told.startswith("Discord does not answer")
    for away in (ConnectionRefusedError(111, "Connection refused"), PoolTimeoutError("QueuePool limit")):
        told = sentence_for(away)
        assert told is not None and told.startswith("The database does not answer")
    wrong = IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
    assert sentence_for(wrong) is None, "that is Quash's own fault, and logged with an id"
