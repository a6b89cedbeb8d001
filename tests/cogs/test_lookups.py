"""Look-ups as people meet them: who sees what, pages, completion, empty answers with a next step."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from bot.sandbox import Answer
from bot.sandbox.discord.options import NotOffered
from bot.words import speaking
from cogs import dates
from db.cases import add_event
from db.tables import DemandRow, FeedRow
from tests.cogs.conftest import Scene

_TITLE = "Agency demands the names behind a critical account"


async def _stories(scene: Scene, count: int, **fields: object) -> list[int]:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    case = await scene.house.case()
    return [
        await scene.house.story(feed, case, title=f"{_TITLE} {n}", owes=False, **fields)  # type: ignore[arg-type]
        for n in range(count)
    ]


def _buttons(answer: Answer) -> list[str]:
    rows = [c for c in answer.message.components if c["type"] == 1]
    return [button["label"] for row in rows for button in row["components"]]


async def test_a_server_sees_only_what_its_own_feeds_brought(scene: Scene) -> None:
    await _stories(scene, 1)
    await scene.house.guild(scene.other.id)
    assert _TITLE in (await scene.member.command("latest")).text
    for name, options in (
        ("latest", {}),
        ("search", {"query": "critical account"}),
        ("case", {"name": "summons"}),
        ("demands", {}),
    ):
        assert _TITLE not in (await scene.stranger.command(name, **options)).text
    assert await scene.stranger.autocomplete("demands", "issuer", "cus") == []
    assert await scene.stranger.autocomplete("case", "name", "") == []
    assert await scene.stranger.autocomplete("latest", "party", "twit") == []


async def test_outside_of_servers_the_public_catalogue_answers(scene: Scene) -> None:
    await _stories(scene, 1)
    answer = await scene.alone.command("latest")
    assert "Nothing is known yet" in answer.text
    async with scene.house.database.write() as session:
        await session.execute(update(FeedRow).values(public=True))
    assert _TITLE in (await scene.alone.command("latest")).text


async def _leaf_through(scene: Scene, answer: Answer) -> list[str]:
    """Press Next until there is none, and Back and Next once; gives what each page says."""
    pages = [answer.text]
    while "Next" in _buttons(answer):
        answer = await scene.member.click(answer.message, "Next")
        pages.append(answer.text)
        assert len(pages) < 20
    assert (await scene.member.click(answer.message, "Back")).text == pages[-2]
    assert (await scene.member.click(answer.message, "Next")).text == pages[-1]
    return pages


async def test_search_turns_pages_for_its_owner_alone(scene: Scene) -> None:
    await _stories(scene, 12)
    answer = await scene.member.command("search", query="critical account")
    assert "1 to 5 of at least 12" in answer.text, "not counted further than it takes to show them"
    assert _buttons(answer) == ["Next", "Newest first"]
    answer = await scene.member.click(answer.message, "Next")
    assert "6 to 10 of 12" in answer.text
    assert _buttons(answer) == ["Back", "Next", "Newest first"]
    answer = await scene.member.click(answer.message, "Next")
    assert "11 to 12 of 12" in answer.text
    assert _buttons(answer) == ["Back", "Newest first"]
    answer = await scene.member.click(answer.message, "Newest first")
    assert "1 to 5 of 12" in answer.text
    assert _buttons(answer) == ["Next", "Best first"]
    answer = await scene.member.click(answer.message, "Next")
    assert _buttons(answer) == ["Back", "Next", "Best first"]


async def test_pages_keep_all_that_was_asked_for_or_say_why_there_are_none(scene: Scene) -> None:
    await _stories(scene, 7)
    query = '"critical account" -"100%25 of" сводка'
    nothing = await scene.member.command("search", query=query)
    assert "Nothing was found" in nothing.text
    answer = await scene.member.command(
        "search", query='"critical account" -"100%25" -сводка', status="issued"
    )
    assert "6 to 7 of 7" in (await scene.member.click(answer.message, "Next")).text
    long = " ".join(f"-nothing{n}" for n in range(15))
    answer = await scene.member.command("search", query=f"account {long}")
    assert "1 to 5 of 7 · the options are too long for more pages; shorten them" in answer.text
    assert _buttons(answer) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_timeline_begins_with_the_first_report_that_is_seen_here(scene: Scene) -> None:
    ours, theirs = await scene.house.feed("ours"), await scene.house.feed("theirs")
    await scene.house.guild(scene.guild.id, ours)
    case = await scene.house.case(status="withdrawn")
    reports = (
        (theirs, "opened", "issued"),
        (ours, "source", "issued"),
        (ours, "source", "issued"),
        (theirs, "status", "withdrawn"),
        (ours, "source", "withdrawn"),
    )
    for number, (feed, kind, status) in enumerate(reports):
        scene.house.clock.turn(hours=1)
        story = await scene.house.story(feed, case, title=f"Report {number}", status=status, owes=False)
        async with scene.house.database.write() as session:
            await add_event(session, case, at=scene.house.clock(), kind=kind, status=status, story_id=story)
    told = (await scene.member.command("case", name=str(case))).text
    timeline = told.split("**Timeline**\n")[1].split("\n**Reports**")[0].split("\n")
    first, changed = timeline
    assert "first reported" in first and "issued**" in first
    assert "changed" in changed and "withdrawn**" in changed


async def test_a_long_case_and_ledger_and_list_are_leafed_through(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    case = await scene.house.case()
    for number in range(24):
        scene.house.clock.turn(hours=1)
        status = ("issued", "challenged")[number % 2]
        story = await scene.house.story(
            feed,
            case,
            title=f"{_TITLE} {number}",
            adds="update" if number else "new",
            status=status,
            owes=False,
        )
        async with scene.house.database.write() as session:
            kind = "status" if number else "opened"
            await add_event(session, case, at=scene.house.clock(), kind=kind, status=status, story_id=story)
        other = await scene.house.case(f"Matter {number}")
        await scene.house.story(feed, other, title=f"Matter {number}", owes=False)
    shown = await scene.member.command("case", name=str(case))
    pages = await _leaf_through(scene, shown)
    assert len(pages) == 3
    assert "1 to 10 of 24" in pages[0]
    assert "Customs and Border Protection · Twitter" in pages[0], "the parties"
    assert "… 13 changes between" in pages[0]
    assert "first reported: **" in pages[0]
    for number in range(24):  # all reports, the newest first
        (place,) = (n for n, page in enumerate(pages) if f"{_TITLE} {number}]" in page.split("Reports")[1])
        assert place == (23 - number) // 10
    assert "Timeline" not in pages[1]
    assert "Follow case" in _buttons(shown)
    ledger = await _leaf_through(scene, await scene.member.command("demands"))
    assert len(ledger) == 4
    assert "25 to 25 of 25" in ledger[-1]
    for number in range(6):
        await scene.member.command("subscribe search", query=f"word{number}")
    own = await scene.member.command("subscriptions")
    assert "1 to 4 of 6" in own.text
    assert "word5" in (await _leaf_through(scene, own))[-1]
    assert "paused" in (await scene.member.click(own.message, "Pause #6")).text, "its page stays"
    assert "paused" not in (await scene.member.click(own.message, "Resume #6")).text
    changed = await scene.member.select(own.message, "quash:subscription:change:6", "weekly")
    assert "once a week" in changed.text
    left = await scene.member.click(own.message, "End #6")
    assert "word4" in left.text
    assert "word5" not in left.text
    assert "word0" in (await scene.member.click(own.message, "End #5")).text, "that page is gone"


async def test_the_ledger_counts_a_case_once_and_filters(scene: Scene) -> None:
    await _stories(scene, 3)
    answer = await scene.member.command("demands", issuer="cbp", recipient="twitter")
    assert "1 in all" in answer.text
    assert "Customs and Border Protection → Twitter" in answer.text
    empty = await scene.member.command("demands", issuer="FBI")
    assert "Federal Bureau of Investigation" in empty.text
    assert "Known issuers: Customs and Border Protection" in empty.text
    assert "No such demand" in (await scene.member.command("demands", status="quashed")).text
    for options, hint in (
        ({"recipient": "Narnia"}, "Known recipients: Twitter"),
        ({"recipient": "Twiter"}, "Did you mean Twitter?"),
        ({"issuer": "custms"}, "Did you mean Customs and Border Protection?"),
        ({"issuer": "cbp", "status": "quashed"}, "Try it without the other options"),
    ):
        assert hint in (await scene.member.command("demands", **options)).text, options
    wrong = await scene.member.command("demands", instrument="summnos")
    assert "There is no instrument" in wrong.text


async def test_a_party_is_known_by_any_of_its_names_and_an_unknown_one_is_said(scene: Scene) -> None:
    await _stories(scene, 2)
    for command, options in (("latest", {}), ("search", {"query": "account"})):
        for typed in ("cbp", "the CBP"):
            assert _TITLE in (await scene.member.command(command, party=typed, **options)).text
        wrong = await scene.member.command(command, party="Twiter", **options)
        assert "“Twiter” is in no story here. Did you mean Twitter?" in wrong.text
        other = await scene.member.command(command, party="cbp", topic="spyware", **options)
        assert "in no story here" not in other.text
        assert "Try it without" in other.text
    made = await scene.member.command("subscribe party", name="Twiter")
    assert "No story here names it so far. Did you mean Twitter?" in made.text
    assert "so far" not in (await scene.member.command("subscribe party", name="cbp")).text


async def test_a_search_with_a_slip_and_an_empty_server_get_a_next_step(scene: Scene) -> None:
    empty = await scene.member.command("latest")
    assert "What is watched here, moderators choose with `/feeds`." in empty.text
    for command, options in (
        ("latest", {}),
        ("case", {"name": "x"}),
        ("demands", {}),
        ("party", {"name": "x"}),
    ):
        answer = await scene.alone.command(command, **options)
        assert "Outside of servers the public catalogue's feeds answer" in answer.text, command
    await _stories(scene, 2)
    assert (
        "Did you mean critical account?"
        in (await scene.member.command("search", query="critcal acount")).text
    )
    for nothing in ("xylophones", "critc*", "one two three four fivee"):
        assert "Nothing was found" in (await scene.member.command("search", query=nothing)).text, nothing
    for left_out in ("-critcal", "-", "–critcal", '-"critical account"'):
        assert "add one that must occur" in (await scene.member.command("search", query=left_out)).text
    assert "Did you mean" not in (await scene.stranger.command("search", query="critcal acount")).text
    assert "Did you mean Twitter?" in (await scene.member.command("party", name="twiter")).text


async def test_dates_are_typed_in_ones_own_language(scene: Scene) -> None:
    await _stories(scene, 1)  # published on March 1
    scene.house.clock.turn(hours=24 * 60)
    for typed, found in (
        ("3 months", True), ("vor 3 Monaten", True), ("il y a un an", True), ("hace 2 años", True),
        ("há 3 meses", True), ("1.1.2026", True), ("2026-02-28", True), ("1y", True),
        ("2 weeks ago", False), ("eine Woche", False), ("hier", False), ("aujourd'hui", False),
    ):  # fmt: skip
        answer = await scene.member.command("search", query="account", since=typed)
        assert (_TITLE in answer.text) is found, typed
    assert "no date I know" in (await scene.member.command("search", query="account", since="soon")).text


def test_days_come_first_where_people_write_them_so() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for language in ("fr", "es", "pt", "de"):
        with speaking(language):
            for typed in ("9/2/2026", "09-02-2026", "9.2.2026", "2026-02-09"):
                assert dates.since(typed, now) == datetime(2026, 2, 9, tzinfo=UTC), (language, typed)
    for typed in (
        "since 2 weeks",
        "Seit 2 Wochen",
        "depuis 2 semaines",
        "desde hace 2 semanas",
        "desde 2026-02-16",
    ):
        assert dates.since(typed, now) == datetime(2026, 2, 16, tzinfo=UTC), "the option's name, once more"
    assert dates.since("seit gestern", now) == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(dates.DateError):
        dates.since("9/2/2026", now)


async def test_completion_offers_what_is_known(scene: Scene) -> None:
    await _stories(scene, 1)
    member = scene.member
    assert [c.value for c in await member.autocomplete("latest", "topic", "surv")] == ["surveillance"]
    assert "withdrawn" in [c.value for c in await member.autocomplete("search", "status", "with", query="x")]
    assert [c.name for c in await member.autocomplete("case", "name", "summ")] == ["The @ALT_USCIS summons"]
    assert [c.value for c in await member.autocomplete("demands", "recipient", "tw")] == ["Twitter"]
    typed = await scene.moderator.autocomplete("alerts add", "topics", "spyware, bio", channel=scene.channel)
    assert [c.value for c in typed] == ["spyware, biometrics"]
    for typed, whole in (
        ("CBP", ["Customs and Border Protection"]),
        ("Twitter, the CBP", ["Twitter, Customs and Border Protection"]),
        ("Twitter, twit", []),
    ):
        offered = await scene.moderator.autocomplete("alerts add", "parties", typed, channel=scene.channel)
        assert [c.value for c in offered] == whole


async def test_closed_lists_are_known_however_they_are_written_in_ones_own_language(scene: Scene) -> None:
    await _stories(scene, 1)
    user = scene.discord.world.add_user("leser", locale="de")
    scene.discord.world.add_member(scene.guild, user)
    reader = scene.discord.person(user, scene.guild, scene.channel)
    for typed in ("legal-demands", "Legal Demands", "Herausgabeverlangen", "herausgabeverlangen "):
        assert _TITLE in (await reader.command("latest", topic=typed)).text, typed
    for typed, meant in (("Biometri", "Biometrie"), ("surveilance", "Überwachung")):
        assert f"meintest du {meant}?" in (await reader.command("latest", topic=typed)).text
    assert "](" not in (await reader.command("latest", topic="[here](https://evil.example)")).text
    unknown = (await reader.command("demands", status="qqqq")).text
    assert "zurückgezogen" in unknown
    assert "withdrawn" not in unknown
    for typed in ("uberwach", "Überwchung"):
        offered = await reader.autocomplete("latest", "topic", typed)
        assert (offered[0].name, offered[0].value) == ("Überwachung", "surveillance"), typed
    user = scene.discord.world.users[scene.moderator.user_id]
    user.locale = "de"
    listed = {"channel": scene.channel}
    (offer,) = await scene.moderator.autocomplete("alerts add", "topics", "Überwachung, biom", **listed)
    assert (offer.name, offer.value) == ("Überwachung, Biometrie", "Überwachung, biometrics")
    assert await scene.moderator.autocomplete("alerts add", "topics", "Überwachung, überw", **listed) == []
    added = await scene.moderator.command("alerts add", topics=offer.value, **listed)
    assert "Überwachung, Biometrie" in added.text
    (offer,) = await scene.moderator.autocomplete("alerts edit", "clear", "erwähnen, Th", rule=1)
    assert (offer.name, offer.value) == ("erwähnen, themen", "erwähnen, topics"), "as the options are called"
    await scene.house.guild(scene.guild.id, await scene.house.feed("surveillance"))
    (offered,) = await scene.moderator.autocomplete("alerts add", "sources", "surv", **listed)
    assert (offered.name, offered.value) == ("surveillance", "surveillance"), "the title of a feed"
    cleared = await scene.moderator.command("alerts edit", rule=1, clear=offer.value)
    assert "Themen: Überwachung, Biometrie → **–**" in cleared.text


async def test_where_only_the_person_has_the_app_look_ups_answer_and_nothing_is_kept(scene: Scene) -> None:
    await _stories(scene, 1)
    async with scene.house.database.write() as session:
        await session.execute(update(FeedRow).values(public=True))
    world = scene.discord.world
    user = world.add_user("traveller", has_app=True)
    guild = world.add_guild("Without Quash", owner=user, bot=False)
    person = scene.discord.person(user, guild, world.add_channel(guild, "talk"))
    assert _TITLE in (await person.command("latest")).text
    party = await person.command("party", name="Twitter")
    case = await person.command("case", name="1")
    at_home = await scene.alone.command("case", name="1")
    assert [_buttons(answer) for answer in (party, case, at_home)] == [[], [], []], "nothing can be followed"
    assert "You have none" in (await person.command("subscriptions")).text
    assert "Manage Server" not in (await person.command("help")).text, "although the server is theirs"
    for name, options in (("subscribe topic", {"topic": "spyware"}), ("alerts list", {})):
        with pytest.raises(NotOffered):
            await person.command(name, **options)
        forced = await person.command(name, forced=True, **options)
        assert "not a member of this server" in forced.text, name


async def test_a_case_is_found_by_number_title_and_party(scene: Scene) -> None:
    await _stories(scene, 2)
    for name in ("1", "#1", "alt_uscis", "The @ALT_USCIS summons", "Twitter", "cbp", "the CBP"):
        answer = await scene.member.command("case", name=name)
        assert "Reports" in answer.text, name
        assert _buttons(answer) == ["Follow case"]
    (offered,) = await scene.member.autocomplete("case", "name", "cbp")
    assert offered.value == "1"
    assert "case: The" in (await scene.member.command("subscribe case", name="cbp")).text
    followed = await scene.member.click((await scene.member.command("case", name="1")).message, "Follow case")
    assert followed.ephemeral
    assert "ALT" in (await scene.member.command("subscriptions")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_case_shows_the_demands_that_were_reported_last(scene: Scene) -> None:
    *_, last = await _stories(scene, 6)
    companies = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Alpha")
    async with scene.house.database.write() as session:
        for demand in await session.scalars(select(DemandRow).order_by(DemandRow.id)):
            demand.recipient = [companies[demand.story_id - 1]]
            demand.status = "withdrawn" if demand.story_id == last else "issued"
    told = (await scene.member.command("case", name="1")).text.partition("Parties")[0]
    shown = [line.partition("→ ")[2].partition("**")[0] for line in told.splitlines() if "→" in line]
    assert shown == ["Gamma", "Delta", "Epsilon", "Alpha"]
    assert "withdrawn" in told


async def test_one_ends_ones_own_subscription_with_a_button(scene: Scene) -> None:
    await _stories(scene, 1)
    await scene.member.command("subscribe topic", topic="surveillance")
    await scene.member.command("subscribe party", name="cbp")
    listed = await scene.member.command("subscriptions")
    assert "Customs and Border Protection" in listed.text
    left = await scene.member.click(listed.message, "End #1")
    assert "surveillance" not in left.text
    assert "Customs and Border Protection" in left.text
    assert "You have none" in (await scene.moderator.command("subscriptions")).text


async def test_rules_are_added_listed_and_removed(scene: Scene) -> None:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    added = await scene.moderator.command(
        "alerts add", channel=scene.channel, topics="spyware", exclude="sport", relevance=0.8
    )
    assert "spyware" in added.text
    assert "relevance from 0.8" in added.text
    choices = await scene.moderator.autocomplete("alerts remove", "rule", "")
    assert [c.value for c in choices] == [1]
    assert "Rule removed" in (await scene.moderator.command("alerts remove", rule=1)).text
    assert "There is none yet" in (await scene.moderator.command("alerts list")).text
    assert (await scene.moderator.command("alerts remove", rule=1)).text


async def test_a_feed_is_removed_from_ones_own_server_alone(scene: Scene) -> None:
    feed = await scene.house.feed("gazette")
    await scene.house.guild(scene.guild.id, feed)
    choices = await scene.moderator.autocomplete("feeds remove", "feed", "gaz")
    assert [c.value for c in choices] == [feed]
    assert "no longer watched" in (await scene.moderator.command("feeds remove", feed=feed)).text
    assert "watches no feed" in (await scene.moderator.command("feeds remove", feed=feed)).text
    refused = await scene.member.command("feeds remove", forced=True, feed=feed)
    assert "Manage Server" in refused.text
