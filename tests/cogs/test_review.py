"""Review before posting, through the real pipeline and client: two moderators, and the end of the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from discord.utils import format_dt
from sqlalchemy import select, update

from bot.alerts import review
from bot.sandbox import NotOffered
from bot.sandbox.discord.model import Channel, Message
from db import lookups
from db.tables import AuditRow, CaseProposalRow, CaseRow
from tests.alerts.place import text_of
from tests.cogs.conftest import Scene
from tests.cogs.press import Press, labels_of, leaf, open_press

SUMMONS, WITHDRAWN, GEOFENCE = (
    "twitter-sues-over-summons",
    "government-withdraws-alt-uscis-summons",
    "geofence-warrant-google-bank",
)


@pytest.fixture
async def press(scene: Scene) -> AsyncIterator[Press]:
    async with open_press(scene) as opened:
        yield opened


class Desk:
    """The moderators' channel and what stands in it."""

    def __init__(self, scene: Scene, press: Press, channel: Channel) -> None:
        self.scene, self.press, self.channel = scene, press, channel
        self.moderators = [self._moderator("first"), self._moderator("second")]

    def _moderator(self, name: str):  # type: ignore[no-untyped-def]  # a Person
        world = self.scene.discord.world
        user = world.add_user(name)
        role = world.add_role(self.scene.guild, f"role-{name}", ("manage_guild",))
        world.add_member(self.scene.guild, user, role)
        return self.scene.discord.person(user, self.scene.guild, self.channel)

    async def asked(self) -> Message:
        await self.press.deliverer.deliver_due()
        return self.messages(self.channel)[-1]

    def messages(self, channel: Channel) -> list[Message]:
        return self.scene.discord.messages(channel.id)


async def _open(scene: Scene, press: Press, **options: object) -> Desk:
    channel = scene.discord.world.add_channel(scene.guild, "review")
    desk = Desk(scene, press, channel)
    await scene.moderator.command("feeds add", address=press.feed("a"))
    made = await scene.moderator.command("alerts add", channel=scene.channel, review=channel, **options)
    assert "approval" in made.text
    return desk


async def test_the_first_of_two_moderators_decides(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await press.publish("a", SUMMONS)
    asked = await desk.asked()
    assert "For review" in text_of(asked)
    assert "Approve" in labels_of(asked.components)
    assert not desk.messages(scene.channel), "nothing is posted before somebody decides"
    assert "It is still to be decided on here: moderators are asked first" in await press.why(
        press.link(SUMMONS)
    )
    first, second = desk.moderators
    member = scene.discord.person(scene.discord.world.users[scene.member.user_id], scene.guild, desk.channel)
    assert "Manage Server" in (await member.click(asked, "Approve")).text

    answers = await asyncio.gather(first.click(asked, "Approve"), second.click(asked, "Reject"))
    late = [a.text for a in answers if "was first" in a.text]
    assert len(late) == 1, [a.text for a in answers]
    assert any(f"<@{m.user_id}>" in late[0] for m in desk.moderators)
    approved = any("Approved" in a.text and "was first" not in a.text for a in answers)
    await press.deliverer.deliver_due()
    assert len(desk.messages(scene.channel)) == int(approved)
    decided = text_of(desk.messages(desk.channel)[-1])
    assert ("✔ Approved" if approved else "✘ Rejected") in decided
    assert "Approve" not in labels_of(desk.messages(desk.channel)[-1].components)
    async with scene.house.database.read() as session:
        done = (await session.scalars(select(AuditRow.action).where(AuditRow.action.like("review%")))).all()
    assert done == ["review approved" if approved else "review rejected"]
    with pytest.raises(NotOffered):
        await first.click(desk.messages(desk.channel)[-1], "Approve")


async def test_own_words_are_told_apart_from_the_article(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await press.publish("a", SUMMONS)
    asked = await desk.asked()
    moderator = desk.moderators[0]
    form = await moderator.click(asked, "Edit summary")
    await moderator.submit(form, words="We find this *grave*: @everyone read it.")
    shown = text_of(desk.messages(desk.channel)[-1])
    assert "Written by this server's moderators, not quoted" in shown
    assert "\n> " not in shown, "no sentence of the article is quoted beside it"
    await moderator.click(asked, "Approve")
    await press.deliverer.deliver_due()
    (post,) = desk.messages(scene.channel)
    assert "not quoted from the article" in text_of(post)
    assert "@everyone" not in text_of(post)
    assert "Follow case" in labels_of(post.components)
    # A further report of the matter needs no second approval where it only names a source: updates do.
    await press.publish("a", WITHDRAWN)
    update = await desk.asked()
    assert "For review" in text_of(update)
    assert len(desk.messages(scene.channel)) == 1
    await moderator.click(update, "Approve")
    await press.deliverer.deliver_due()
    assert "Update" in text_of(desk.messages(scene.channel)[-1])


async def test_why_tells_of_a_review_in_the_readers_language(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    world = scene.discord.world
    other = world.add_channel(scene.guild, "other")
    await scene.moderator.command("alerts add", channel=other, review=desk.channel)
    await press.publish("a", SUMMONS)
    user = world.add_user("moderatorin", locale="de")
    world.add_member(scene.guild, user, world.add_role(scene.guild, "moderation", ("manage_guild",)))
    person = scene.discord.person(user, scene.guild, desk.channel)
    told = await leaf(person, await person.command("why", story="#1"))
    assert "moderators" not in told
    assert "die Moderation wird zuerst gefragt" in told
    assert "Seine kleinen Wörter zeigen die Sprache: en." in told
    await scene.moderator.command("alerts remove", rule=2)
    waits = (await person.command("why", story="#1")).text
    assert "Darüber wird hier noch entschieden" in waits, "for the first rule"
    await scene.moderator.command("alerts remove", rule=1)
    gone = (await person.command("why", story="#1")).text
    assert "Die Regel, für die die Moderation gefragt wurde, ist entfernt worden." in gone


async def test_a_summary_that_is_sent_back_as_it_was_is_the_articles(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await press.publish("a", SUMMONS)
    asked, moderator = await desk.asked(), desk.moderators[0]
    await moderator.submit(await moderator.click(asked, "Edit summary"))
    shown = text_of(desk.messages(desk.channel)[-1])
    assert "Written by this server's moderators" not in shown
    assert "\n> " in shown


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_moderators_who_write_at_once_are_both_heard(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await press.publish("a", SUMMONS)
    asked = await desk.asked()
    forms = [await moderator.click(asked, "Edit summary") for moderator in desk.moderators]
    for moderator, form, words in zip(desk.moderators, forms, ("First words.", "Second words."), strict=True):
        answer = await moderator.submit(form, words=words)
        assert "open it again" not in answer.text
        assert words in text_of(desk.messages(desk.channel)[-1])


async def test_a_digest_tells_the_moderators_own_words(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press, when="daily")
    await press.publish("a", SUMMONS)
    asked, moderator = await desk.asked(), desk.moderators[0]
    form = await moderator.click(asked, "Edit summary")
    await moderator.submit(form, words="Grave for everybody who writes *anonymously*.")
    before = await scene.member.command("digest")
    assert "Grave for" not in before.text, "nobody has let it through yet"
    await moderator.click(asked, "Approve")
    scene.house.clock.turn(days=1)
    await press.deliverer.deliver_due()
    (digest,) = desk.messages(scene.channel)
    everything = await scene.member.click(digest, "Show all")
    missed = await scene.member.command("digest", period="week")
    for shown in (text_of(digest), everything.text, missed.text):
        assert r"Grave for everybody who writes \*anonymously\*." in shown
        assert "Written by this server's moderators, not quoted" in shown
        assert "\n> " not in shown, "no sentence of the article is quoted in its place"


async def test_what_nobody_decides_ends_as_the_rule_says(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press, review_hours=2)
    await press.publish("a", SUMMONS)
    assert "Dropped" in text_of(await desk.asked())
    scene.house.clock.turn(hours=1, minutes=50)
    assert await review.end_overdue(scene.house.database, scene.house.clock) == 0
    scene.house.clock.turn(minutes=20)
    assert await review.end_overdue(scene.house.database, scene.house.clock) == 1
    await press.deliverer.deliver_due()
    assert not desk.messages(scene.channel)
    assert "nobody decided in time" in text_of(desk.messages(desk.channel)[-1])
    assert "It was not posted here: no moderator decided in time" in await press.why(press.link(SUMMONS))

    await scene.moderator.command("alerts edit", rule=1, review_then="post")
    await press.publish("a", GEOFENCE)
    assert "Posted" in text_of(await desk.asked())
    scene.house.clock.turn(hours=3)
    assert await review.end_overdue(scene.house.database, scene.house.clock) == 1
    await press.deliverer.deliver_due()
    assert len(desk.messages(scene.channel)) == 1


async def test_a_story_of_a_known_case_is_not_posted_on_its_own(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await press.publish("a", SUMMONS)
    first = await desk.asked()
    await desk.moderators[0].click(first, "Approve")
    later = scene.house.clock() + timedelta(days=9)
    async with scene.house.database.write() as session:  # as by a feed of another server alone
        await session.execute(update(CaseRow).where(CaseRow.id == 1).values(status="quashed", updated=later))
    panel = await scene.moderator.command("case", name="1")
    assert "challenged" in panel.text and "quashed" not in panel.text
    assert format_dt(later, "R") not in panel.text, "nor was it reported here then"
    panel = await scene.moderator.click(panel.message, "Correct…")
    await scene.moderator.submit(await scene.moderator.click(panel.message, "Rename"), name="Our own name")
    await press.publish("a", GEOFENCE)
    asked = await desk.asked()
    choice = await desk.moderators[0].click(asked, "Merge with case")
    async with scene.house.database.read() as session:
        known = await lookups.find_cases(session, lookups.Viewer(scene.guild.id), "")
    (option,) = _options(choice.message.components)
    assert option["value"] in {str(case.id) for case in known}
    assert option["label"] == "Our own name"
    assert option["description"] == "#1 · challenged", "no report that is seen here says that it was quashed"
    merged = await desk.moderators[0].select(choice.message, "Choose a case", option["value"])
    assert "proposed to the operator" in merged.text
    await press.deliverer.deliver_due()
    assert len(desk.messages(scene.channel)) == 1
    assert "Merged with another case" in text_of(desk.messages(desk.channel)[-1])
    async with scene.house.database.read() as session:
        (proposal,) = await session.scalars(select(CaseProposalRow))
    assert (proposal.kind, proposal.state) == ("merge", "open")
    assert "It was not posted on its own here" in await press.why(press.link(GEOFENCE))


def _options(components: list[dict]) -> list[dict]:  # type: ignore[type-arg]  # Discord's JSON
    found = []
    for component in components:
        found += component.get("options", [])
        found += _options(component.get("components", []))
    return found


async def test_own_words_leave_the_question_in_the_servers_language(scene: Scene, press: Press) -> None:
    desk = await _open(scene, press)
    await scene.moderator.command("settings", language="de")
    await press.publish("a", SUMMONS)
    asked = await desk.asked()
    labels = labels_of(asked.components)
    form = await desk.moderators[0].click(asked, "Zusammenfassung ändern")
    await desk.moderators[0].submit(form, words="Das ist ernst.")
    shown = desk.messages(desk.channel)[-1]
    assert "Das ist ernst." in text_of(shown)
    assert labels_of(shown.components) == labels
