"""Look-ups where there is much to tell: long addresses, long cases, long searches. None is passed over."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import discord
import pytest
from sqlalchemy import inspect, select

from bot.alerts import searching
from bot.alerts.actions import Claim, Evidence
from bot.alerts.foreign import safe_text, width
from bot.sandbox import Answer
from cogs import choices
from cogs.analyse import _LINK, _texts_of
from cogs.buttons import evidence_view
from cogs.pages import ROOM, fitting
from cogs.panels import panel
from db import lookups, search, stories
from db.case_corrections import merge
from db.cases import add_event
from db.lookups import Viewer
from db.stems import stem
from db.stories import NewParty
from db.tables import CaseOverrideRow, StoryRow, SubscriptionRow
from tests.alerts.house import DEMAND, new_story
from tests.cogs.conftest import Scene
from tests.cogs.test_lookups import _buttons

_TITLE = "Homeland agency withdraws its demand for the names behind account"
_PATH = "2026/03/01/technology/how-the-agency-demanded-the-names-behind-an-account-that-it-did-not-like"
_SEEN = re.compile(rf"{_TITLE} (\d+)\]")
_NAMES = ("Twitter", "Google", "Apple", "Meta")


async def _put(scene: Scene, feed: int, case: int | None, *numbers: int, **fields: Any) -> list[int]:
    """Store stories as a feed brings them; `path` makes their addresses long."""
    path = fields.pop("path", _PATH)
    made = []
    async with scene.house.database.write() as session:
        for number in numbers:
            url = f"https://www.daily-example-news.org/{path}-{number}.html"
            given = {"title": f"{_TITLE} {number}", "url": url, "url_key": str(number)} | fields
            story = replace(new_story(number), **given)
            made.append(
                await stories.insert_story(session, story, case_id=case, adds="new", now=scene.house.clock())
            )
            await stories.add_story_feed(session, made[-1], feed, None)
    return made


async def _feed(scene: Scene) -> int:
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    return feed


async def _all(scene: Scene, answer: Answer, after: str = "") -> list[list[int]]:
    """Press Next until there is none; gives the numbers of the stories on each page, below a heading."""
    pages = [answer.text]
    while "Next" in _buttons(answer):
        answer = await scene.member.click(answer.message, "Next")
        pages.append(answer.text)
        assert len(pages) < 40
    return [list(map(int, _SEEN.findall(page.rpartition(after)[2] if after else page))) for page in pages]


async def test_a_long_case_shows_its_newest_reports_first_and_each_of_them(scene: Scene) -> None:
    feed, case = await _feed(scene), await scene.house.case()
    for number in range(24):
        scene.house.clock.turn(hours=1)
        status = ("issued", "challenged")[number % 2]
        demand = replace(DEMAND, recipient=(_NAMES[number % 4],), status=status)
        (story,) = await _put(scene, feed, case, number, status=status, demands=(demand,))
        async with scene.house.database.write() as session:
            await add_event(
                session, case, at=scene.house.clock(), kind="status", status=status, story_id=story
            )
    first = await scene.member.command("case", name=str(case))
    assert "Timeline" in first.text
    told = first.text
    second = await scene.member.click(first.message, "Next")
    assert "Timeline" not in second.text
    first = await scene.member.click(second.message, "Back")
    assert first.text == told
    pages = await _all(scene, first, "Reports")
    assert [number for page in pages for number in page] == list(range(23, -1, -1))
    assert len(pages[0]) >= 3


@pytest.mark.parametrize("command", ["search", "demands", "digest"])
async def test_pages_hold_what_fits_and_the_next_goes_on_from_there(scene: Scene, command: str) -> None:
    feed = await _feed(scene)
    await _put(scene, feed, None, *range(13), path="a/" + "Q0JNaQ" * 85)
    options = {"query": "homeland"} if command == "search" else {}
    shown = await scene.member.command(command, **options)
    pages = await _all(scene, shown)
    assert sorted(number for page in pages for number in page) == list(range(13))
    assert len(pages) >= 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_pages_are_turned_whatever_was_chosen_for_the_options(scene: Scene) -> None:
    """A button has a hundred characters for all of them; names of parties and topics were too long for it."""
    feed = await _feed(scene)
    agency, company = "Immigration and Customs Enforcement", "Borealis Consolidated Data Services"
    named = tuple(NewParty(name, "agency", "other", 1) for name in (agency, company))
    demand = replace(DEMAND, issuer=(agency,), recipient=(company,), instrument="administrative subpoena")
    fields: dict[str, Any] = {
        "parties": named,
        "demands": (demand,),
        "topics": (("platform-moderation", 0.9),),
    }
    await _put(scene, feed, None, *range(9), **fields)
    await _put(scene, feed, None, *range(9, 12))
    options = {"topic": "platform-moderation", "party": agency, "status": "issued", "since": "18 months"}
    found = await scene.member.command("search", query="homeland agency demand", **options)
    assert sorted(chain(*await _all(scene, found))) == list(range(9))
    turned = await scene.member.click(found.message, "Newest first")
    assert sorted(chain(*await _all(scene, turned))) == list(range(9))
    assert scene.client is not None
    assert scene.client._connection._view_store._views == {}, "no page is kept in memory"
    options = {"issuer": agency, "recipient": company, "instrument": "administrative subpoena"}
    ledger = await scene.member.command("demands", **options, status="issued", since="18 months")
    assert sorted(chain(*await _all(scene, ledger))) == list(range(9))
    await scene.house.guild(scene.other.id)
    assert agency not in (await scene.stranger.command("latest", party="#1")).text, "of another server"


async def test_a_search_says_that_it_has_not_counted_all(scene: Scene) -> None:
    feed = await _feed(scene)
    await _put(scene, feed, None, *range(30), text="There was a geofence.", summary=("Nothing.",))
    await _put(scene, feed, None, *range(30, 42), title="The geofence", summary=("Nothing.",))
    first = await scene.member.command("search", query="geofence")
    assert "1 to 5 of at least 12" in first.text
    assert "6 to 10 of 42" in (await scene.member.click(first.message, "Next")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_phrase_that_was_not_looked_for_everywhere_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await _feed(scene)
    await _put(scene, feed, None, 1, title="A fence of geography")
    await _put(scene, feed, None, 2, 3, title="A fence and more of geography")
    query = '"fence of geography"'
    assert "1 to 1 of 1" in (await scene.member.command("search", query=query)).text
    monkeypatch.setattr(search, "_PHRASES", 2)
    told = (await scene.member.command("search", query=query)).text
    assert "older ones were not looked at" in told


async def test_a_page_beyond_the_last_shows_the_last(scene: Scene) -> None:
    feed, case = await _feed(scene), await scene.house.case()
    told = await _put(scene, feed, case, *range(12), title="The geofence")
    found = await scene.member.command("search", query="geofence")
    shown = await scene.member.command("case", name=str(case))
    async with scene.house.database.write() as session:
        for story_id in told[3:]:
            (await session.get_one(StoryRow, story_id)).relevant = False
    assert "1 to 3 of 3" in (await scene.member.click(found.message, "Next")).text
    assert (await scene.member.click(shown.message, "Next")).text.count("• [The geofence]") == 3


async def test_a_case_is_read_without_the_texts_of_its_reports(scene: Scene) -> None:
    """Those of 400 reports took 0.36 s to read and to lay out, in which nobody else was answered."""
    feed, case = await _feed(scene), await scene.house.case()
    await _put(scene, feed, case, 1)
    async with scene.house.database.read() as session:
        found = await lookups.find_cases(session, Viewer(scene.guild.id), str(case))
        (story,) = (await lookups.case_view(session, Viewer(scene.guild.id), found[0])).stories
        assert {"text", "analysis"} <= inspect(story).unloaded


async def test_a_case_that_was_merged_is_found_by_its_number(scene: Scene) -> None:
    feed = await _feed(scene)
    kept, gone = await scene.house.case("The one"), await scene.house.case("The other")
    await _put(scene, feed, kept, 1)
    await _put(scene, feed, gone, *range(2, 14))
    asked = await scene.member.command("case", name=str(gone))
    async with scene.house.database.write() as session:
        await merge(session, kept, gone, scene.house.clock())
    assert "11 to 13 of 13" in (await scene.member.click(asked.message, "Next")).text
    assert "The one" in (await scene.member.command("case", name=f"#{gone}")).text
    assert "case: The one" in (await scene.member.command("subscribe case", name=str(gone))).text


async def test_a_number_is_no_word_of_another_cases_title(scene: Scene) -> None:
    feed = await _feed(scene)
    asked, other = await scene.house.case("The one"), await scene.house.case("Case 1 of many")
    told = await _put(scene, feed, asked, *range(12))
    await _put(scene, feed, other, 12, title="Case 1 of many")
    shown = await scene.member.command("case", name=str(asked))
    async with scene.house.database.write() as session:
        for story_id in told:
            (await session.get_one(StoryRow, story_id)).relevant = False
    turned = (await scene.member.click(shown.message, "Next")).text
    assert "No case" in turned and "Case 1 of many" in turned, "as the newest"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_case_is_called_as_the_server_calls_it_wherever_it_is_named(scene: Scene) -> None:
    feed = await _feed(scene)
    for number, title in enumerate(("The harbour summons", "The harbour subpoena"), start=1):
        await _put(scene, feed, await scene.house.case(title), number, title=title)
    async with scene.house.database.write() as session:
        session.add(
            CaseOverrideRow(guild_id=scene.guild.id, case_id=1, title="Kestrel", at=scene.house.clock())
        )
    assert "#1 Kestrel" in (await scene.member.command("case", name="harbour")).text
    assert "#1 Kestrel" in (await scene.member.command("case", name="nothing")).text
    await scene.member.command("subscribe case", name="1")
    assert "case: Kestrel" in (await scene.member.command("subscriptions")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_case_with_just_that_title_is_meant_and_others_are_named(scene: Scene) -> None:
    feed = await _feed(scene)
    for number, title in enumerate(("Harbour summons", "Harbour summons of lanterns"), start=1):
        scene.house.clock.turn(hours=1)
        await _put(scene, feed, await scene.house.case(title), number, title=title)
    for command in ("case", "subscribe case"):
        for name, meant, other in (("harbour summons", 1, 2), ("harbour", 2, 1)):
            told = (await scene.member.command(command, name=name)).text
            assert f"Also: #{other} Harbour summons" in told, (command, name)
            assert f"Also: #{meant} " not in told
    async with scene.house.database.read() as session:
        assert set(await session.scalars(select(SubscriptionRow.value))) == {"1", "2"}


async def test_a_case_without_a_title_can_be_chosen(scene: Scene) -> None:
    feed = await _feed(scene)
    nameless, named = await scene.house.case(""), await scene.house.case("The one")
    await _put(scene, feed, nameless, 1, title="")
    await _put(scene, feed, named, 2)
    offered = await scene.member.autocomplete("case", "name", "")
    assert {(c.name, c.value) for c in offered} == {("#1", str(nameless)), ("The one", str(named))}
    assert "Reports" in (await scene.member.command("case", name=str(nameless))).text


async def test_a_party_is_known_although_many_begin_as_it_does(scene: Scene) -> None:
    feed = await _feed(scene)
    names = ("Valley", "Tree", "Bank", "Music", "Road")
    others = [NewParty(f"Apple {name}", "company", "other", 1) for name in names]
    await _put(scene, feed, None, 1, 2, parties=tuple(others))
    await _put(scene, feed, None, 3, parties=(NewParty("Apple", "company", "other", 1),))
    assert "so far" not in (await scene.member.command("subscribe party", name="Apple")).text
    assert "in no story" not in (await scene.member.command("latest", party="Apple", topic="spyware")).text
    assert "so far" in (await scene.member.command("subscribe party", name="Appl")).text


async def test_trends_of_stories_without_a_topic_are_told(scene: Scene) -> None:
    await _put(scene, await _feed(scene), None, 1, topics=())
    assert "1 story" in (await scene.member.command("trends", period="month")).text


def test_every_claim_keeps_a_sentence_however_many_there_are() -> None:
    sentence = "The agency demanded data of customers from the company, and a court heard of it in May. "
    own = [f"{n}: {sentence}" for n in range(12)]
    claims = [Claim(f"Claim {n}", (own[n] * 3, own[n] * 2, own[n])) for n in range(11)]
    claims.append(Claim("A demand, withdrawn", (own[10] * 3, "It took that back."), least=2))
    shown = _evidence_of(*claims)
    for n, claim in enumerate(claims[:10]):
        assert f"**{claim.says}**\n> {safe_text(own[n], 100)[:60]}" in shown
    assert "**Claim 10 · A demand, withdrawn**\n> 10" in shown, "a sentence is quoted once for all it shows"
    assert "**A demand, withdrawn**\n> It took that back." in shown, "the sentence of where it stands"
    assert "more" not in shown


def _evidence_of(*claims: Claim) -> str:
    story = Evidence(1, _TITLE, f"https://news.example/{_PATH}", "News", None, "en", claims)
    return "\n".join(part.content for part in evidence_view(story).children[0].children)  # type: ignore[attr-defined]


def test_letters_that_count_twice_fit_into_an_answer() -> None:
    shown = panel("A title", fitting(["\N{MATHEMATICAL BOLD CAPITAL A}" * 150] * 30, ROOM), footer="1 to 12")
    texts = [part.content for part in shown.children[0].children]  # type: ignore[attr-defined]
    assert 3000 < sum(map(width, texts)) <= 4000


def test_the_address_in_a_text_is_read_as_people_write_it() -> None:
    page = "https://en.example.org/wiki/Subpoena_(law)_of_l'État"
    for text in (page, f"see {page}, please", f"({page})", f"[a page]({page})", f"<{page}>", f'"{page}"'):
        assert (found := _LINK.search(text)) and found[0].rstrip(",") == page, text
    assert (found := _LINK.search("Https://Example.org/A")) and found[0] == "Https://Example.org/A"


_FIRST_NAME = """
import asyncio, time
from cogs import choices

async def main():
    longest, asked = 0.0, asyncio.create_task(choices.party("dhs"))
    while not asked.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    print(asked.result(), longest)

asyncio.run(main())
"""


async def test_the_first_name_that_a_process_is_asked_for_does_not_hold_the_loop() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _FIRST_NAME, stdout=subprocess.PIPE)
    told = (await process.communicate())[0].decode()
    name, longest = told.rsplit(maxsplit=1)
    assert name == "Department of Homeland Security"
    assert float(longest) < 0.05


async def test_a_name_waits_for_no_thread_while_pages_are_read() -> None:
    name = await choices.party("dhs")
    done = threading.Event()
    busy = [asyncio.create_task(asyncio.to_thread(done.wait, 20)) for _ in range(40)]
    try:
        assert await asyncio.wait_for(choices.party("homeland security"), 5) == name
    finally:
        done.set()
        await asyncio.gather(*busy)


async def test_a_link_in_a_forwarded_message_is_found(scene: Scene) -> None:
    assert scene.client is not None
    at, page = "2026-03-02T12:00:00+00:00", "https://news.example/forwarded"
    person = {"id": "5", "username": "somebody", "discriminator": "0", "avatar": None}
    common = {"type": 0, "embeds": [], "attachments": [], "timestamp": at, "edited_timestamp": None}
    common |= {"mentions": [], "mention_roles": [], "components": []}
    forwarded = {**common, "content": f"look: {page}"}
    message: Any = {
        **common, "id": "7", "channel_id": str(scene.channel.id), "author": person, "content": "",
        "tts": False, "mention_everyone": False, "pinned": False,
        "message_snapshots": [{"message": forwarded}],
    }  # fmt: skip
    channel: Any = scene.client.get_channel(scene.channel.id)
    told = discord.Message(state=scene.client._connection, channel=channel, data=message)
    assert (found := _LINK.search("\n".join(_texts_of(told)))) and found[0] == page


async def test_a_busy_database_costs_no_answer(scene: Scene) -> None:
    await _put(scene, await _feed(scene), None, 1)
    listed = await scene.member.command("subscriptions")
    asked = await scene.moderator.command("privacy forget")
    writing = asyncio.Event()

    async def write_long() -> None:
        async with scene.house.database.write():
            writing.set()
            await asyncio.sleep(1.5)

    busy = asyncio.create_task(write_long())
    await writing.wait()
    answers = await asyncio.gather(
        scene.member.select(listed.message, "quash:subscription:topics", "spyware"),
        scene.stranger.command("subscribe topic", topic="spyware"),
        scene.moderator.click(asked.message, "Forget me"),
    )
    await busy
    for answer, said in zip(answers, ("spyware", "Subscribed", "forgotten"), strict=True):
        assert said in answer.text
        assert answer.seconds < 1.2, f"{said}: Discord waits three seconds; others may write longer"


async def test_as_many_of_the_newest_are_shown_as_were_asked_for(scene: Scene) -> None:
    summary = ("The agency demanded the names of people who had written against it, and more. " * 4,)
    await _put(scene, await _feed(scene), None, *range(10), summary=summary)
    shown = (await scene.member.command("latest", count=10)).text
    assert list(map(int, _SEEN.findall(shown))) == list(range(9, -1, -1))
    assert "names of people" in shown


async def test_trends_count_a_demand_once_however_many_report_it(scene: Scene) -> None:
    feed, case = await _feed(scene), await scene.house.case()
    await _put(scene, feed, case, *range(3))
    later = {"published": datetime(2026, 3, 2, tzinfo=UTC), "status": "refused"}
    await _put(scene, feed, case, 3, demands=(replace(DEMAND, status="refused"),), **later)
    told = (await scene.member.command("trends", period="month")).text
    assert "4 stories" in told
    assert "refused 1" in told
    assert "issued" not in told, "that is where it stood before"


async def test_what_one_missed_is_worked_out_without_holding_the_loop(scene: Scene) -> None:
    """In a process that has read no story, so that no word's stem is known."""
    feed = await _feed(scene)
    letters = "bcdfghklmnprstvw"
    words = [f"{a}a{b}e{c}ing" for a in letters for b in letters for c in letters]
    for number in range(3):
        text = " ".join(words[number * 1300 : (number + 1) * 1300])
        await _put(scene, feed, None, number, text=text)
    query = " ".join(f"{letter}i" for letter in letters)
    await scene.house.subscription(scene.member.user_id, scene.guild.id, "search", query)
    await scene.member.command("digest")
    stem.cache_clear()
    searching._said.cache_clear()
    longest = 0.0
    gc.collect()
    gc.freeze()  # as the program does (`bot.collector`): the test run's own objects are no part of it
    asked = asyncio.create_task(scene.member.command("digest"))
    while not asked.done():
        began = time.thread_time()  # of this thread's own work, whatever else the machine does
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    gc.unfreeze()
    assert "3 stories" in asked.result().text
    assert longest < 0.04


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_party_with_a_long_name_can_be_chosen(scene: Scene) -> None:
    """Discord takes a hundred characters of a choice."""
    feed = await _feed(scene)
    name = f"{'Commission of Inquiry into the Use of Personal Data by Public Bodies and ' * 2}Others"
    demand = replace(DEMAND, issuer=(name,))
    await _put(scene, feed, None, 1, parties=(NewParty(name, "agency", "issuer", 1),), demands=(demand,))
    for command, option in (("latest", "party"), ("demands", "issuer"), ("party", "name")):
        (offered,) = await scene.member.autocomplete(command, option, "commission of inq")
        assert f"{_TITLE} 1" in (await scene.member.command(command, **{option: offered.value})).text, command
    assert "so far" not in (await scene.member.command("subscribe party", name=offered.value)).text
    async with scene.house.database.read() as session:
        assert await session.scalar(select(SubscriptionRow.value)) == stories.name_key(name)
    await scene.house.guild(scene.other.id)
    assert "in no story" in (await scene.stranger.command("party", name=offered.value)).text
