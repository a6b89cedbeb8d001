"""`quash run` dies the moment it has confirmed something: what was confirmed holds, and is done once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.alerts.steps import Step
from bot.sandbox.web import SampleWeb
from tests.alerts.place import text_of
from tests.cogs.press import labels_of
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.forked import Forker


@pytest.mark.timeout(600)
async def test_what_was_confirmed_outlives_a_kill_right_after_the_answer(
    place: Place, web: SampleWeb, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    """A rule that was added, one that /setup saved, and a story that moderators approved.

    On SQLite: a decision is one transaction on either database (`tests/alerts/test_review.py` goes through
    both), and on PostgreSQL each new process would wait half a minute for the shard of the killed one.
    """
    discord, moderator, desk = place.discord, place.moderator, place.lounge
    reviewer = discord.person(moderator.user_id, place.guild.id, desk.id)

    async with BotProcess(discord, sqlite_url, tmp_path, forker) as bot:
        await moderator.command("feeds add", address=web.feed_urls[0])
        added = await moderator.command(
            "alerts add", channel=place.alerts, review=desk, topics="legal-demands"
        )
        assert "Rule added" in added.text
        await bot.kill()

        await bot.start()
        assert "1 rule" in (await moderator.command("alerts list")).text
        assert f"after approval in <#{desk.id}>" in (await moderator.command("alerts list")).text
        panel = await moderator.command("setup")
        chosen = await moderator.select(panel.message, "quash:setup:when", "weekly")
        saved = await moderator.click(chosen.message, "Save")
        assert "Rule saved" in saved.text
        await bot.kill()

        await bot.start()
        listed = await moderator.command("alerts list")
        assert "2 rules" in listed.text and "weekly digest" in listed.text
        assert (await moderator.command("audit")).text.count("rule added") == 2

        web.turn_to(1)
        await discord.wait_for(lambda d: d.messages(desk.id), timeout=60)
        (asked,) = discord.messages(desk.id)
        form = await reviewer.click(asked, "Edit summary")
        await bot.kill()

        await bot.start()
        lost = await reviewer.submit(form, words="Typed before the restart, sent after it.")
        assert lost.text == "This form was opened long ago, or Quash was restarted since; open it again."
        assert lost.ephemeral and lost.seconds < 3
        approved = await reviewer.click(asked, "Approve")
        assert "Approved" in approved.text
        await bot.kill()

        # The next one dies when it is about to post what was approved; the one after that posts it.
        dying = BotProcess(discord, sqlite_url, tmp_path, forker, QUASH_KILL_AT=str(int(Step.REQUEST_LEAVES)))
        already = bool(discord.messages(place.alerts.id))  # the first one was as quick as the kill
        if not already:
            assert await dying.run_to_its_end() == -9
        await bot.start()
        await discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=60)
        await asyncio.sleep(3)  # nothing more comes
        assert len(discord.messages(place.alerts.id)) == 1
        await discord.wait_for(lambda d: "✔ Approved" in text_of(d.messages(desk.id)[0]), timeout=60)
        (question,) = discord.messages(desk.id)
        assert "Approve" not in labels_of(question.components)
        assert (await moderator.command("audit")).text.count("review approved") == 1
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log
