"""The process dies while it gathers stories for digests or sends them: each is told in one digest, once.

Two stories come, and a third while the first digests are sent; two channels have an hourly and a daily rule,
a member has daily subscriptions. The clocks of the processes go a day ahead, so that nobody has to wait.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.alerts.steps import Step
from bot.sandbox import StandIn
from db import guilds
from db.engine import Database
from db.tables import DeliveryRow, EntryRow, FeedRow, GuildFeedRow, RuleRow, SubscriptionRow
from tests.delivery import test_crash_matrix as matrix
from tests.delivery.process import Nursery, Run

new_database = matrix.new_database  # the fixture

DAY = 86_400.0  # seconds
AT_ONCE = 3  # cases that are played side by side

pytestmark = pytest.mark.timeout(600)

_TEXTS = matrix._TEXTS | {
    "Tax agency wants the customers of a coin exchange named": """The Internal Revenue Service has served a
summons on Coinbase that orders the exchange to hand over the names of all customers who bought bitcoins in
three years. The company calls the summons a fishing trip and has asked a federal court in Delaware to quash
it; its customers' privacy, it says, does not end where money begins. """
}


@dataclass(frozen=True)
class Case:
    """Where the process dies: while it gathers, or in the life after in which it sends. `late`: those that
    come afterwards come when Discord has forgotten the nonces."""

    gathering: str = ""
    sending: str = ""
    late: bool = False

    def __str__(self) -> str:
        return f"{self.gathering or '-'} {self.sending or '-'} {'late' if self.late else 'soon'}"


_GATHERING = (Step.STORY_STORED, Step.DELIVERIES_OWED, Step.STORY_COMMITTED)
_SENDING = (Step.INTENT_STORED, Step.INTENT_COMMITTED, Step.REQUEST_LEAVES, Step.ANSWER_CAME)
_SENDING += (Step.OUTCOME_STORED, Step.OUTCOME_COMMITTED)
CASES = [
    Case(),
    *(Case(gathering=f"{int(step)}:2") for step in _GATHERING),
    *(Case(sending=str(int(step)), late=True) for step in _SENDING),
    *(Case(sending=f"{int(step)}:2") for step in (Step.REQUEST_LEAVES, Step.ANSWER_CAME)),
    Case(sending=str(int(Step.DELIVERIES_OWED))),  # the third story is being gathered then
]


def _past_the_hour() -> float:
    """Give the seconds until a minute past the next full hour, where the clocks of a case start.

    Else a run that goes over a full hour would see an hourly digest more than its case is about.
    """
    return 3660.0 - time.time() % 3600.0


async def _fill(database: Database, guild: int, channels: list[int], member: int, start: float) -> int:
    now = datetime.now(UTC) + timedelta(seconds=start)
    async with database.write() as session:
        feed = FeedRow(url="https://news.example/feed", title="The Example News", language="en", added_at=now)
        session.add(feed)
        await session.flush()
        await guilds.remember(session, guild, now)
        session.add(GuildFeedRow(guild_id=guild, feed_id=feed.id, added_at=now))
        for channel, when in zip(channels, ("hourly", "daily"), strict=True):
            session.add(RuleRow(guild_id=guild, channel_id=channel, when=when, created_at=now))
        for topic in ("legal-demands", "surveillance"):
            session.add(
                SubscriptionRow(
                    user_id=member,
                    guild_id=guild,
                    kind="topic",
                    value=topic,
                    delivery="daily",
                    created_at=now,
                )
            )
        return feed.id


async def _bring(database: Database, feed: int, *numbers: int, ahead: float = 0.0) -> None:
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    async with database.write() as session:
        for number in numbers:
            title, text = list(_TEXTS.items())[number]
            address = f"https://news.example/{number}"
            session.add(
                EntryRow(
                    feed_id=feed, key=address, url=address, url_key=str(number), title=title,
                    content=" ".join((text * 3).split()), summary="",
                    first_seen=now, published=now, state="new", alert=True,
                )
            )  # fmt: skip


async def _problems(case: Case, database_url: str, nursery: Nursery, *, rehearsed: bool = False) -> list[str]:
    """Play a case to its end; gives what is not as it must be. `rehearsed`: in the nursery itself."""
    start = _past_the_hour()
    ahead_by = start  # Discord's clock goes with the processes' own

    async with StandIn(now=lambda: time.time() + ahead_by) as discord:
        guild = discord.world.add_guild("Digital Rights")
        channels = [discord.world.add_channel(guild, name).id for name in ("hourly", "daily")]
        member = discord.world.add_user("member")
        discord.world.add_member(guild, member)
        database = Database(database_url)

        async def live(ahead: float, kill_at: str = "") -> str:
            nonlocal ahead_by
            ahead_by = start + ahead
            run = Run(database_url, discord.api_url, discord.token, ahead_by, kill_at)
            ended = await (nursery.rehearse(run) if rehearsed else nursery.live(run))
            expected = -9 if kill_at else 0
            return "" if ended == expected else f"a process ended with {ended} at {kill_at or 'its end'}"

        try:
            feed = await _fill(database, guild.id, channels, member.id, start)
            await _bring(database, feed, 0, 1, ahead=start)
            said = [await live(0.0, case.gathering)]
            if case.gathering:
                said.append(await live(100.0))
            await _bring(database, feed, 2, ahead=start + DAY)
            said.append(await live(DAY + 200, case.sending))
            if case.late:
                discord.settings.nonce_seconds = -1.0
            if case.sending:
                said.append(await live(DAY + (900.0 if case.late else 300.0)))
            said.append(await live(3 * DAY))
            async with database.read() as session:
                rows = list(await session.scalars(select(DeliveryRow)))
        finally:
            await database.close()
        places = [discord.messages(channel) for channel in channels] + [discord.direct_messages(member.id)]
        for messages in places:
            counts = [sum(title in message.text for message in messages) for title in _TEXTS]
            if counts != [1, 1, 1]:
                said.append(f"the stories are told {counts} times")
            if len(messages) != 2:
                said.append(f"{len(messages)} digests, 2 are due")
        said += [f"a delivery is {row.state}: {row.error}" for row in rows if row.state != "sent"]
        return [problem for problem in said if problem]


async def test_whatever_dies_each_story_is_told_in_one_digest_once(new_database: matrix.NewDatabase) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def play(case: Case) -> list[str]:
        async with turn:
            return await _problems(case, await new_database(), nursery)

    async with Nursery() as nursery:
        assert await _problems(Case(), await new_database(), nursery, rehearsed=True) == []
        found = await asyncio.gather(*map(play, CASES))
    assert {str(case): said for case, said in zip(CASES, found, strict=True) if said} == {}
