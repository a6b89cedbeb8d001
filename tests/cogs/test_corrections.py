"""Corrections by moderators: a case's name and standing in one server, proposals, and reported sources."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.cli import main
from bot.commands import cases
from bot.intake import corrections
from bot.intake.corrections import OffTopicTeller
from bot.sandbox import Fault
from db import notes
from db.tables import CaseProposalRow, CaseRow, FeedRow, ReportRow, RuleRow, StoryRow
from tests.cogs.conftest import Scene
from tests.cogs.press import labels_of


async def _case_here(scene: Scene) -> tuple[int, int, list[int]]:
    """Give a feed that both servers use, a case with two reports, and the reports."""
    feed = await scene.house.feed()
    await scene.house.guild(scene.guild.id, feed)
    await scene.house.guild(scene.other.id, feed)
    case = await scene.house.case("The Kestrel Bay subpoena")
    reports = [
        await scene.house.story(feed, case, title="A subpoena is served"),
        await scene.house.story(feed, case, title="Another matter altogether", adds="source"),
    ]
    return feed, case, reports


async def test_a_servers_words_on_a_case_are_shown_there_alone(scene: Scene) -> None:
    _, case, _ = await _case_here(scene)
    assert "Correct…" not in labels_of(
        (await scene.member.command("case", name=str(case))).message.components
    )
    shown = await scene.moderator.command("case", name=str(case))
    panel = await scene.moderator.click(shown.message, "Correct…")
    for name in ("Kestrel *files*", " Kestrel  *files* "):
        form = await scene.moderator.click(panel.message, "Rename")
        await scene.moderator.submit(form, name=name)
    form = await scene.moderator.click(panel.message, "Set status")
    refused = await scene.moderator.submit(form, status="quashed", source="not an address")
    assert "Give the address of a page" in refused.text
    form = await scene.moderator.click(panel.message, "Set status")
    await scene.moderator.submit(form, status="quashed", source="https://court.example/order/7")

    here = (await scene.member.command("case", name=str(case))).text
    assert "Kestrel \\*files\\*" in here
    assert "Corrected by this server's moderators" in here
    assert "court.example" in here
    assert "Known elsewhere as: The Kestrel Bay subpoena" in here
    elsewhere = (await scene.stranger.command("case", name=str(case))).text
    assert "The Kestrel Bay subpoena" in elsewhere
    assert "Corrected" not in elsewhere
    assert "court.example" not in elsewhere
    for typed in ("Kestrel files", "fil"):
        assert "case #" in (await scene.member.command("case", name=typed)).text, typed
        assert "Kestrel *files*" in [c.name for c in await scene.member.autocomplete("case", "name", typed)]
        assert "No case" in (await scene.stranger.command("case", name=typed)).text, typed
        assert await scene.stranger.autocomplete("case", "name", typed) == []
    (common,) = await scene.stranger.autocomplete("case", "name", "kestrel")
    assert common.name == "The Kestrel Bay subpoena"
    audit = (await scene.moderator.command("audit")).text
    assert audit.count("case renamed") == 1, "the second time nothing changed"
    assert "case status set" in audit

    world = scene.discord.world
    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id])
    assert "Manage Server" in (await scene.moderator.click(panel.message, "Rename")).text


async def test_two_moderators_correct_one_case_at_once(scene: Scene) -> None:
    _, case, _ = await _case_here(scene)
    database, now = scene.house.database, scene.house.clock()
    here = {"guild_id": scene.guild.id, "case_id": case, "now": now}
    address = "https://court.example/order/7"
    await asyncio.gather(
        corrections.rename_case(database, user_id=1, title="Ours", **here),
        corrections.set_case_status(database, user_id=2, status="quashed", source=address, **here),
    )
    shown = (await scene.moderator.command("case", name=str(case))).text
    assert "Ours" in shown
    assert "court.example" in shown


async def test_merges_and_splits_are_the_operators(scene: Scene) -> None:
    feed, case, reports = await _case_here(scene)
    other = await scene.house.case("The same under another name")
    await scene.house.story(feed, other, title="Subpoena in Kestrel Bay")
    shown = await scene.moderator.command("case", name=str(case))
    panel = await scene.moderator.click(shown.message, "Correct…")
    choice = await scene.moderator.click(panel.message, "Merge…")
    told = await scene.moderator.select(choice.message, "Choose", str(other))
    assert "before the operator; nothing has changed yet" in told.text
    choice = await scene.moderator.click(panel.message, "Split off a story…")
    await scene.moderator.select(choice.message, "Choose", str(reports[1]))
    async with scene.house.database.read() as session:
        proposals = list(await session.scalars(select(CaseProposalRow).order_by(CaseProposalRow.id)))
        assert [row.kind for row in proposals] == ["merge", "split"]
        assert (await session.get_one(CaseRow, other)).merged_into is None
    forged = await scene.moderator.select(choice.message, "Choose", str(reports[0]))
    assert "Proposal" in forged.text

    await cases.decide_proposals(scene.house.database, "accept", [proposals[0].id, proposals[1].id])
    await cases.decide_proposals(scene.house.database, "reject", [proposals[1].id + 1])
    async with scene.house.database.read() as session:
        assert (await session.get_one(CaseRow, other)).merged_into == case
        moved = (await session.get_one(StoryRow, reports[1])).case_id
        assert moved not in (case, other)
        states = list(await session.scalars(select(CaseProposalRow.state).order_by(CaseProposalRow.id)))
    assert states == ["accepted", "accepted", "rejected"]
    with pytest.raises(cases.ProposalError, match="no open proposal"):
        await cases.decide_proposals(scene.house.database, "accept", [proposals[0].id])
    assert main(["cases", "proposals", "perhaps", "1"]) == 2


async def test_reports_become_a_suggestion_and_nothing_more(scene: Scene) -> None:
    feed, _, reports = await _case_here(scene)
    rule = await scene.house.rule(scene.guild.id, scene.channel.id)
    house = scene.house
    assert scene.client is not None
    sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
    teller = OffTopicTeller(house.database, sender, clock=house.clock)

    async def report(*pairs: tuple[int, int]) -> None:
        async with house.database.write() as session:
            for user, story in pairs:
                session.add(
                    ReportRow(user_id=user, story_id=story, guild_id=scene.guild.id, at=house.clock())
                )
        house.clock.turn(hours=2)

    await report((11, reports[0]), (12, reports[0]), (13, reports[0]))
    assert await teller.tell() == 0, "one story that three dislike is no source that is off topic"
    await report((14, reports[1]))
    lost = Fault("status", when="after", status=503, method="POST", path="/channels/*/messages", times=None)
    scene.discord.faults.add(lost)
    assert await teller.tell() == 0, "whether it got through is not known"
    scene.discord.faults.clear()
    house.clock.turn(days=1)
    await teller.tell()
    assert len(scene.discord.messages(scene.channel.id)) == 1, "it had got through, the day before"
    told = scene.discord.messages(scene.channel.id)[-1]
    assert "4 members found 2 stories" in told.content
    assert "11" not in told.content
    house.clock.turn(hours=2)
    assert await teller.tell() == 0, "once for the same reports"
    async with house.database.read() as session:
        assert (await session.get_one(RuleRow, rule)).exclude_sources == []
    assert "Manage Server" in (await scene.member.click(told, "Exclude source")).text
    assert "No rule posts stories from" in (await scene.moderator.click(told, "Exclude source")).text
    async with house.database.read() as session:
        assert (await session.get_one(RuleRow, rule)).exclude_sources == ["The Example News"]
        assert (await session.get_one(FeedRow, feed)).state == "active"
    assert "Dismissed" in (await scene.moderator.click(told, "Dismiss")).text
    before = len(await house.deliveries())
    await house.story(feed, None, title="A further story of it")
    assert len(await house.deliveries()) == before
    assert "source excluded" in (await scene.moderator.command("audit")).text
    house.clock.turn(days=91)
    assert await teller.tell() == 0
    async with house.database.read() as session:
        assert await notes.named(session, "told:offtopic:") == {}, "what nobody counts any more is forgotten"
