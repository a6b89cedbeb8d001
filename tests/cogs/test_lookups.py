"""Look-ups as people meet them: who sees what, pages, completion, empty answers with a next step."""

from __future__ import annotations

from bot.sandbox import Answer
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
    from sqlalchemy import update

    from db.tables import FeedRow

    async with scene.house.database.write() as session:
        await session.execute(update(FeedRow).values(public=True))
    assert _TITLE in (await scene.alone.command("latest")).text


async def test_search_turns_pages_for_its_owner_alone(scene: Scene) -> None:
    await _stories(scene, 12)
    answer = await scene.member.command("search", query="critical account")
    assert "1 to 5 of 12" in answer.text
    assert _buttons(answer) == ["Next"]
    answer = await scene.member.click(answer.message, "Next")
    assert "6 to 10 of 12" in answer.text
    assert _buttons(answer) == ["Back", "Next"]
    answer = await scene.member.click(answer.message, "Next")
    assert "11 to 12 of 12" in answer.text
    assert _buttons(answer) == ["Back"]


async def test_the_ledger_counts_a_case_once_and_filters(scene: Scene) -> None:
    await _stories(scene, 3)
    answer = await scene.member.command("demands", issuer="cbp", recipient="twitter")
    assert "1 in all" in answer.text
    assert "Customs and Border Protection → Twitter" in answer.text
    empty = await scene.member.command("demands", issuer="FBI")
    assert "Federal Bureau of Investigation" in empty.text
    assert "Known issuers: Customs and Border Protection" in empty.text
    assert "No such demand" in (await scene.member.command("demands", status="quashed")).text
    wrong = await scene.member.command("demands", instrument="summnos")
    assert "There is no instrument" in wrong.text


async def test_completion_offers_what_is_known(scene: Scene) -> None:
    await _stories(scene, 1)
    member = scene.member
    assert [c.value for c in await member.autocomplete("latest", "topic", "surv")] == ["surveillance"]
    assert "withdrawn" in [c.value for c in await member.autocomplete("search", "status", "with", query="x")]
    assert [c.name for c in await member.autocomplete("case", "name", "summ")] == ["The @ALT_USCIS summons"]
    assert [c.value for c in await member.autocomplete("demands", "recipient", "tw")] == ["Twitter"]
    typed = await scene.moderator.autocomplete("alerts add", "topics", "spyware, bio", channel=scene.channel)
    assert [c.value for c in typed] == ["spyware, biometrics"]


async def test_a_case_is_found_by_number_title_and_party(scene: Scene) -> None:
    await _stories(scene, 2)
    for name in ("1", "#1", "alt_uscis", "The @ALT_USCIS summons", "Twitter"):
        answer = await scene.member.command("case", name=name)
        assert "Reports" in answer.text, name
        assert _buttons(answer) == ["Follow case"]
    followed = await scene.member.click((await scene.member.command("case", name="1")).message, "Follow case")
    assert followed.ephemeral
    assert "ALT" in (await scene.member.command("subscriptions")).text


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
