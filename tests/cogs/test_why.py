"""`/why`: right for each way in which a story does not appear, through the real pipeline and client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.intake import why
from bot.sandbox import Fault, NotOffered
from bot.sandbox.web.articles import SampleArticle
from db import guilds
from db.engine import Database
from db.retention import Retention
from db.tables import EntryRow, GuildRow, RuleRow
from tests.cogs.conftest import Scene
from tests.cogs.press import ARTICLES, Press, open_press

SUMMONS, WITHDRAWN, FOLLOWERS = (
    "twitter-sues-over-summons",
    "government-withdraws-alt-uscis-summons",
    "alt-uscis-followers",
)


@pytest.fixture
async def press(scene: Scene) -> AsyncIterator[Press]:
    async with open_press(scene) as opened:
        yield opened


async def test_from_the_feed_to_the_article(scene: Scene, press: Press) -> None:
    """Nothing watched, history, no rule, made later, not relevant, a wall, unreadable, known, paused,
    failing, never seen."""
    nothing = await press.why(press.link(SUMMONS))
    assert "This server watches no feed" in nothing
    assert "`/feeds add`" in nothing

    press.feeds["a"] = [ARTICLES["geofence-warrant-google-bank"]]
    press.pages["geofence-warrant-google-bank"] = "<p>An old story.</p>"
    await scene.moderator.command("feeds add", address=press.feed("a"))
    await press.read()
    history = await press.why(press.link("geofence-warrant-google-bank"))
    assert "It was not posted here. It was already in the feed" in history
    assert "`/latest`" in history
    for reason, said in (
        ("rebuilt", "The feed showed most of its entries anew at once"),
        ("older", "It came in behind all that the feed had shown"),
        ("revised", "has been revised since"),
        ("issue", "this one is not dated after those before"),
        (None, "or the feed was rebuilt"),
    ):
        async with scene.house.database.write() as session:
            await session.execute(update(EntryRow).values(history=reason))
        assert said in await press.why(press.link("geofence-warrant-google-bank"))

    await press.publish("a", SUMMONS)
    no_rule = await press.why(press.link(SUMMONS))
    assert "It was not posted here. This server has no rule" in no_rule
    assert "✔ It is relevant" in no_rule
    assert "> " in no_rule, "the sentences it rests on"
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    async with scene.house.database.write() as session:
        later = scene.house.clock.now.replace(hour=23)
        await session.execute(update(RuleRow).where(RuleRow.id == rule).values(created_at=later))
    assert f"It was not posted here. Rule #{rule} was made later" in await press.why(press.link(SUMMONS))

    await press.publish("a", "tide-table")
    irrelevant = await press.why(press.link("tide-table"))
    assert "It was not posted here. It is not relevant (0." in irrelevant

    walled = "for-subscribers"
    ARTICLES[walled] = SampleArticle(
        feed="", day=0, slug=walled, author="", posted=False, paragraphs=(),
        title="Agency asks company for user data", teaser="The company has not said whether it will answer.",
    )  # fmt: skip
    press.pages[walled] = "<html><body><p>Subscribe to continue reading this article.</p></body></html>"
    await press.publish("a", walled)
    wall = await press.why(press.link(walled))
    assert "the page does not show its article" in wall
    assert "So only the short text of the feed could be judged" in wall
    assert "It was not posted here. It is not relevant" in wall
    assert "Only the feed's short text could be judged." in wall

    press.unreadable = {ARTICLES["clearview-dutch-fine"].title}
    await press.publish("a", "clearview-dutch-fine")
    unread = await press.why(press.link("clearview-dutch-fine"))
    assert "It was not posted here. It could not be read yet: the article took longer" in unread
    for _ in range(6):
        scene.house.clock.turn(days=2)
        await press.read()
    given_up = await press.why(press.link("clearview-dutch-fine"))
    assert "It could not be read: the article took longer than 30 s to read" in given_up
    assert "5 times" in given_up

    await scene.moderator.command("feeds add", address=press.feed("b"))
    await press.publish("b", SUMMONS)
    known = await press.why(press.link(SUMMONS))
    assert "**#2** Paper b brought the same address as **#1** Paper a" in known

    await scene.moderator.command("feeds pause", feed=1)
    await scene.house.guild(scene.other.id, 1)
    await press.publish("a", "pegasus-on-reporters-phones")
    paused = await press.why(press.link("pegasus-on-reporters-phones"))
    assert "It was not posted here. The feed was paused here when it came" in paused
    await scene.moderator.command("feeds resume", feed=1)
    assert "The feed was paused here when it came" in await press.why(
        ARTICLES["pegasus-on-reporters-phones"].title
    )

    press.down = True
    await press.look()
    failing = await press.why(press.link("chat-scanning-vote"))
    assert "It was not posted here. **#1** Paper a has not been readable since" in failing
    press.down = False
    await press.look()
    never = await press.why(press.link("chat-scanning-vote"))
    assert "It was not posted here. None of this server's feeds has shown it." in never
    assert "What was not relevant is deleted after some months." in never, "so it may have been shown"
    assert "**#1** Paper a is watched here" in never
    elsewhere = await press.why("https://example.org/a-story")
    assert "It was not posted here. No feed that this server watches is from example.org." in elsewhere
    unknown = await press.why("nothing of this title")
    assert "No story from this server's feeds has that title or number." in unknown
    assert "None of this server's feeds" not in unknown, "what is not known may well have been shown"


async def test_each_rule_and_the_clause_that_stopped_it(scene: Scene, press: Press) -> None:
    await scene.moderator.command("feeds add", address=press.feed("a"))
    asked = {
        "topics": ({"topics": ["spyware"]}, "its topics", "add one of its topics"),
        "exclude": (
            {"exclude": ["First Amendment"]},
            "excluded because it says First Amendment",
            "exclusions",
        ),
        "keywords": ({"keywords": ["submarine"]}, "says none of submarine", "add a word"),
        "parties": ({"parties": ["Federal Bureau of Investigation"]}, "no part in it has", "parties"),
        "paused": ({"paused": True}, "the rule is paused", "`/alerts resume`"),
        "relevance": ({"min_relevance": 1.0}, "is below 1.00", "lower the relevance"),
        "languages": ({"languages": ["de"]}, "its language (en) is none of de", "language"),
        "countries": (
            {"countries": ["Germany"]},
            "its countries (United States) are none of Germany",
            "one of its countries",
        ),
        "statuses": ({"statuses": ["quashed"]}, "is none of quashed", "status"),
        "sources": ({"sources": ["Other Paper"]}, "is none of Other Paper", "source"),
    }
    numbers = {
        clause: await scene.house.rule(scene.guild.id, scene.channel.id, **fields)
        for clause, (fields, _, _) in asked.items()
    }
    await scene.house.rule(scene.other.id, 999, topics=["biometrics"])
    await press.publish("a", SUMMONS)
    text = await press.why(press.link(SUMMONS))
    assert f"It was not posted here. Rule #{numbers['topics']} " in text
    for clause, (_, reason, remedy) in asked.items():
        line, _, rest = text[text.index(f"✘ Rule #{numbers[clause]} ") :].partition("\n")
        assert reason in line, clause
        assert remedy in rest.split("\n")[0], clause
    assert "biometrics" not in text, "another server's rule"
    await scene.house.rule(scene.guild.id, scene.channel.id)
    await scene.moderator.command("alerts remove", rule=numbers["topics"])
    assert "removed since" in await press.why(press.link(SUMMONS))


async def test_from_the_rule_to_the_message(scene: Scene, press: Press) -> None:
    """Posted, a further source, waiting for quiet hours, a digest, a limit, Discord away, a channel that
    refuses, a channel that is gone, forgotten."""
    house, world = scene.house, scene.discord.world
    await scene.moderator.command("feeds add", address=press.feed("a"))
    rule = await house.rule(scene.guild.id, scene.channel.id)
    await press.publish("a", SUMMONS)
    assert "It is still to be posted here." in await press.why(press.link(SUMMONS))
    await press.deliverer.deliver_due()
    posted = await press.why(press.link(SUMMONS))
    (message,) = scene.discord.messages(scene.channel.id)
    link = f"https://discord.com/channels/{scene.guild.id}/{scene.channel.id}/{message.id}"
    assert "It was posted here." in posted
    assert link in posted
    assert f"✔ Rule #{rule} " in posted
    assert "It was posted here." in await press.why(link), "asked by the message's link"

    await press.publish("a", WITHDRAWN)
    assert "– Update → " in await press.why(press.link(WITHDRAWN))
    await press.deliverer.deliver_due()
    await press.publish("a", FOLLOWERS)
    source = await press.why(press.link(FOLLOWERS))
    assert "It has no post of its own here: the card of its case names it" in source
    assert "belongs to “Twitter and the" in source
    await press.deliverer.deliver_due()
    assert "✔ Edit of the case's card" in await press.why(press.link(FOLLOWERS))

    await _set(scene, rule, when="daily")
    await press.publish("a", "pegasus-on-reporters-phones")
    digest = await press.why(press.link("pegasus-on-reporters-phones"))
    assert "It is still to be posted here." in digest
    assert "it is gathered for the rule's digest" in digest
    assert "– Digest → " in digest
    await _set(scene, rule, when="now", daily_limit=1)
    await press.publish("a", "clearview-dutch-fine")
    assert "the rule's daily limit (1) is reached" in await press.why(press.link("clearview-dutch-fine"))
    await _set(scene, rule, daily_limit=None)
    async with house.database.write() as session:
        await session.execute(
            update(GuildRow).where(GuildRow.id == scene.guild.id).values(quiet_from="00:00", quiet_to="23:00")
        )
    await press.publish("a", "sheriff-buys-location-data")
    assert "it comes after the server's quiet hours" in await press.why(
        press.link("sheriff-buys-location-data")
    )
    async with house.database.write() as session:
        await session.execute(update(GuildRow).values(quiet_from=None, quiet_to=None))

    scene.discord.faults.add(
        Fault("status", status=503, method="POST", path=f"/channels/{scene.channel.id}/messages")
    )
    await press.publish("a", "chat-scanning-vote")
    await press.deliverer.deliver_due()
    away = await press.why(press.link("chat-scanning-vote"))
    assert "It is still to be posted here." in away
    assert "✘ Post → " in away
    assert "is tried again (1 try)" in away

    closed, gone = world.add_channel(scene.guild, "closed"), world.add_channel(scene.guild, "gone")
    for channel in (closed, gone):
        await house.rule(scene.guild.id, channel.id, topics=["biometrics"])
    world.set_overwrite(closed, world.bot_role(scene.guild), deny=("send_messages",))
    world.remove_channel(gone)
    await press.publish("a", "stadium-face-recognition")
    await press.deliverer.deliver_due()
    lost = await press.why(press.link("stadium-face-recognition"))
    assert f"In <#{closed.id}> I lack Send Messages" in lost
    assert f"✘ Post → <#{closed.id}>: it waits, as the channel takes nothing" in lost
    assert f"✘ Post → <#{gone.id}>: it waits, as the channel takes nothing" in lost
    assert lost.count("what waits is posted as soon as that is put right") == 1, "of the one that is there"
    assert lost.count("another channel with `/alerts edit`") == 1, "of the one that is gone"
    assert "The channel is gone, or I cannot see it" in lost

    house.clock.turn(days=400)
    await Retention(house.database, house.clock, 30).sweep()
    old = await press.why(press.link(FOLLOWERS))
    assert "were deleted for their age" in old


async def _set(scene: Scene, rule: int, **fields: object) -> None:
    async with scene.house.database.write() as session:
        await session.execute(update(RuleRow).where(RuleRow.id == rule).values(**fields))


async def test_no_server_learns_of_anothers_feeds(scene: Scene, press: Press) -> None:
    await scene.house.guild(scene.other.id)
    assert scene.services is not None
    added = await scene.services.feeds.add(press.feed("b"))
    assert added.feed_id is not None
    async with scene.house.database.write() as session:
        from db import feeds

        await feeds.use(session, [added.feed_id], scene.other.id, None, scene.house.clock())
    await press.publish("b", SUMMONS)
    await scene.moderator.command("feeds add", address=f"{press.feed('a')}")
    unseen = await press.why(press.link(SUMMONS))
    assert "None of this server's feeds has shown it." in unseen
    assert "Paper b" not in unseen
    for number in ("1", "#1", "entry 1", "entry #1"):
        assert "No story from this server's feeds has that title or number" in await press.why(number), number
    assert await scene.moderator.autocomplete("why", "story", "") == []
    await press.publish("a", SUMMONS)
    (choice,) = await scene.moderator.autocomplete("why", "story", "goes to court")
    brought = await press.why(choice.value)
    assert "Paper a" in brought
    assert "Paper b" not in brought
    assert "same address" not in brought


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.text(max_size=60)
    | st.from_regex(r"https?://[^ ]{1,40}")
    | st.from_regex(r"(entry )?#?\d{1,25}", fullmatch=True)
    | st.from_regex(r"https://discord.com/channels/\d{1,22}/\d{1,22}/\d{1,22}", fullmatch=True)
)
async def test_any_text_finds_nothing_and_breaks_nothing(database: Database, typed: str) -> None:
    assert await why.find(database, 1, typed) is None
    found = await why.explain_nothing(database, 1, typed, datetime(2026, 3, 2, tzinfo=UTC))
    assert found.headline == "It was not posted here. This server watches no feed."


async def test_everyone_may_ask_why_an_alert_is_there(scene: Scene, press: Press) -> None:
    await scene.moderator.command("feeds add", address=press.feed("a"))
    await scene.house.rule(scene.guild.id, scene.channel.id, topics=["legal-demands"])
    await scene.house.rule(scene.guild.id, 77, topics=["spyware"])
    await scene.house.subscription(scene.member.user_id, scene.guild.id, "topic", "anonymity")
    await press.publish("a", SUMMONS)
    await press.deliverer.deliver_due()
    (message,) = scene.discord.messages(scene.channel.id)
    told = await scene.member.menu("Why this alert?", message)
    assert told.ephemeral
    assert "✔ Rule #1" in told.text
    assert "topic legal-demands" in told.text
    assert "spyware" not in told.text, "rules of other channels are for moderators"
    whole = await scene.moderator.menu("Why this alert?", message)
    assert "✘ Rule #2" in whole.text
    for text in (told.text, whole.text):
        assert str(scene.member.user_id) not in text, "what members follow is nobody's to read"
    mine = await scene.member.say("Why?")
    assert "That is no alert of this server" in (await scene.member.menu("Why this alert?", mine)).text
    with pytest.raises(NotOffered):
        await scene.member.command("why", story="1")
    forced = await scene.member.command("why", story="1", forced=True)
    assert "Manage Server" in forced.text


async def test_the_link_of_a_message_is_asked_about(scene: Scene, press: Press) -> None:
    await scene.moderator.command("feeds add", address=press.feed("a"))
    await scene.moderator.command("alerts add", channel=scene.channel, when="daily")
    await press.publish("a", SUMMONS)
    scene.house.clock.turn(days=1)
    await press.deliverer.deliver_due()
    (digest,) = scene.discord.messages(scene.channel.id)
    address = f"https://discord.com/channels/{scene.guild.id}/{scene.channel.id}/"
    told = (await scene.moderator.command("why", story=f"{address}{digest.id}")).text
    assert "A digest of what this channel's rules wanted" in told
    assert ARTICLES[SUMMONS].title in told
    quoted = (await scene.moderator.command("why", story=f"why <{address}{digest.id}>?")).text
    assert quoted == told, "as people write a link that is not to be shown large"
    assert "It was posted here." in await press.why(f"<{press.link(SUMMONS)}>")
    unknown = (await scene.moderator.command("why", story=f"{address}{digest.id + 1}")).text
    assert "No alert here is known by that message" in unknown, "not: no feed here is of discord.com"


async def test_every_rule_is_told_beside_a_long_title_and_address(scene: Scene, press: Press) -> None:
    await scene.moderator.command("feeds add", address=press.feed("a"))
    numbers = [
        await scene.house.rule(
            scene.guild.id,
            scene.channel.id,
            keywords=[f"words that are not in it {number} {i}" for i in range(15)],
        )
        for number in range(14)
    ]
    await press.publish("a", SUMMONS)
    address, title = f"https://news.example/{'long' * 130}", "A title as papers write them " * 8
    async with scene.house.database.write() as session:
        await session.execute(update(EntryRow).values(url=address, title=title))
    text = await press.why("#1")
    assert [number for number in numbers if f"✘ Rule #{number} " not in text] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_title_is_found_however_it_is_written_and_however_old_it_is(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    titles = ["The Agency\u2019s Lawyers Ask a Court for the Names Behind a Café\u2019s Critical Account"]
    titles += ["Die Straße bleibt überwacht", "Суд отказал следователям"]
    titles += [f"Another story {number}" for number in range(500)]
    async with scene.house.database.write() as session:
        session.add_all(
            EntryRow(
                feed_id=feed, key=str(n), url=f"https://news.example/{n}", title=title,
                first_seen=scene.house.clock(), alert=True, state="new", attempts=0,
                summary="", content="", content_hash="",
            )
            for n, title in enumerate(titles)
        )  # fmt: skip
    for typed in ("critical account", "agency's lawyers", titles[0], "Behind a café", "another STORY 499"):
        ref = await why.find(scene.house.database, scene.guild.id, typed)
        assert ref is not None, typed
        assert ref.entry_id == (503 if "499" in typed.lower() else 1), typed
    for typed, number in (("straße bleibt", 2), ("Strasse bleibt", 2), (titles[2], 3)):
        ref = await why.find(scene.house.database, scene.guild.id, typed)
        assert ref is not None and ref.entry_id == number, typed
    assert await why.find(scene.house.database, scene.guild.id, "critical accountant") is None
    assert await why.find(scene.house.database, scene.guild.id, "?!") is None
    assert await why.find(scene.house.database, scene.other.id, "critical account") is None
    told = [one.title for one in await why.suggestions(scene.house.database, scene.guild.id, "Story 49")]
    assert told[0] == "Another story 499"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_digest_left_out_is_not_said_to_be_posted(scene: Scene) -> None:
    house = scene.house
    feed = await house.feed()
    await house.guild(scene.guild.id, feed)
    await scene.moderator.command("alerts add", channel=scene.channel, when="daily")
    house.clock.turn(minutes=1)
    left = await house.story(feed, await house.case(), title="Of names", topics=["anonymity"])
    kept = await house.story(feed, await house.case("Tools"), title="Of tools", topics=["spyware"])
    await scene.moderator.command("alerts edit", rule=1, topics="spyware")
    house.clock.turn(days=1)
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    await Deliverer(house.database, sender, clock=house.clock).deliver_due()
    (digest,) = scene.discord.messages(scene.channel.id)
    assert "Of tools" in digest.text and "Of names" not in digest.text
    told = (await scene.moderator.command("why", story=f"#{left}")).text
    assert "**It was not posted here: it was not wanted any more when its digest was made: its topics" in told
    assert "✔ Digest" not in told
    assert "✔ A feed that is watched here brought it" in told, "of old stories no entry is kept"
    assert "It was posted here." in (await scene.moderator.command("why", story=f"#{kept}")).text
    assert "Of names" not in (await scene.member.click(digest, "Show all")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_came_while_the_bot_was_not_there_is_told_so(scene: Scene) -> None:
    house, here = scene.house, scene.guild.id
    feed = await house.feed()
    await house.guild(here, feed)
    await house.rule(here, scene.channel.id)
    async with house.database.write() as session:
        await guilds.mark_left(session, here, house.clock())
    house.clock.turn(days=1)
    story = await house.story(feed, await house.case())
    async with house.database.write() as session:
        await guilds.remember(session, here, house.clock())
    told = (await scene.moderator.command("why", story=f"#{story}")).text
    assert "**It was not posted here. Quash was not in this server when it came.**" in told


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_further_report_that_is_the_first_one_here_is_posted_and_told_so(scene: Scene) -> None:
    house = scene.house
    ours, theirs = await house.feed("ours"), await house.feed("theirs")
    await house.guild(scene.guild.id, ours)
    await house.guild(scene.other.id, theirs)
    await house.rule(scene.guild.id, scene.channel.id)
    case = await house.case()
    await house.story(theirs, case)
    here = await house.story(ours, case, adds="source")
    told = (await scene.moderator.command("why", story=f"#{here}")).text
    assert "It is still to be posted here." in told
    assert "It is a further report of its case." in told
    assert "there is no new post" not in told
    await house.story(theirs, case, adds="update", status="withdrawn")
    changed = await house.story(ours, case, adds="source", status="withdrawn")
    told = (await scene.moderator.command("why", story=f"#{changed}")).text
    assert "It changed where its case stands." in told, "here it did"
