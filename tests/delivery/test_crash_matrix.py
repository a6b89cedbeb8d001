"""The process dies at every step from a waiting entry to a stored message id: nothing lost, nothing twice.

Two stories for a text channel, a forum, an announcement channel with threads, and a member. A process is
killed (SIGKILL) at a step, or Discord's answer gets lost; processes that come later finish the work, either
soon (Discord still knows the nonces) or late (Discord has forgotten them). That the test can fail is shown by
a process that sends before it stores the intent.

The processes read and deliver with the parts of `quash run`; what comes before (a feed that is due, its
entries stored) is another queue with another proof, in `tests/feeds`. The whole program dies in `tests/e2e`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.alerts.steps import Step
from bot.sandbox import Fault, StandIn
from bot.sandbox.discord.model import CROSSPOSTED
from db import guilds, restarts, schema
from db.engine import Database
from db.tables import DeliveryRow, EntryRow, FeedRow, GuildFeedRow, RuleRow, SubscriptionRow
from tests.delivery.process import Nursery, Run

AT_ONCE = 3  # cases that are played side by side
SOON, LATE = 100.0, 700.0  # seconds: past the lease and within the nonce's window; past both
MESSAGES = 8

pytestmark = pytest.mark.timeout(600)  # about a minute on a machine that has two cores to itself

_TEXTS = {
    "Agency withdraws summons for the names behind a critical account": """Customs and Border Protection has
withdrawn an administrative summons that ordered Twitter to hand over the names behind an account critical
of the government. Twitter had sued in federal court in San Francisco, saying that the summons was unlawful
and that the Constitution protects anonymous speech. The agency had demanded the user names, addresses and
telephone numbers of the people who write there. """,
    "Police bought phone location data without a warrant, records show": """The sheriff of Fresno County paid
a data broker for the location histories of mobile phones and used them in forty investigations without a
search warrant, invoices show. The surveillance covered protests and clinics. Lawyers say that the purchase
goes around the Fourth Amendment, and a judge will hear a motion to suppress the evidence of geofence
searches next month. """,
}


@dataclass(frozen=True)
class Case:
    """How one run goes wrong.

    `alone`: no other process lives between two of these. Then all that waits is looked for in the channels
    (`db.restarts`), which hides what the intents are for.
    """

    kill_at: str = ""
    fault: Fault | None = None
    late: bool = False
    swapped: bool = False
    alone: bool = False

    def __str__(self) -> str:
        how = self.kill_at or (f"{self.fault.effect} {self.fault.when}" if self.fault else "nothing")
        more = [name for name in ("swapped", "alone") if getattr(self, name)]
        return ", ".join((how, "late" if self.late else "soon", *more))


def _lost(effect: str, when: str, path: str = "/channels/*/messages") -> Fault:
    """An answer that stays away however often discord.py itself asks again."""
    return Fault(effect, when=when, status=503, method="POST", path=path, times=None)


BEFORE_INTENT = [Case(kill_at=str(int(step))) for step in Step if step <= Step.INTENT_STORED]
AROUND_SEND = [
    Case(kill_at=f"{int(step)}:{times}", late=late)
    for step, times, late in itertools.product(
        [step for step in Step if step > Step.INTENT_STORED], (1, 2), (False, True)
    )
    # All is sent by two turns: their transactions have no more occurrences that differ.
    if times == 1 or step in (Step.REQUEST_LEAVES, Step.ANSWER_CAME)
]
LOST_ANSWERS = [
    Case(fault=_lost(effect, when), late=late)
    for effect, when, late in [
        ("drop", "before", False),
        ("drop", "after", False),
        ("drop", "after", True),
        ("cut", "after", True),
        ("status", "after", True),
    ]
] + [
    Case(fault=_lost(effect, "after", path), late=late)
    for effect, path, late in [
        ("drop", "/channels/*/threads", False),
        ("cut", "/channels/*/threads", True),
        ("drop", "*/messages/*/threads", True),
        ("status", "*/crosspost", False),
    ]
]


async def _fill(database: Database, guild: int, channels: dict[int, str], member: int) -> None:
    now = datetime.now(UTC)
    async with database.write() as session:
        feed = FeedRow(url="https://news.example/feed", title="The Example News", language="en", added_at=now)
        session.add(feed)
        await session.flush()
        await guilds.remember(session, guild, now)
        session.add(GuildFeedRow(guild_id=guild, feed_id=feed.id, added_at=now))
        for channel, thread in channels.items():
            session.add(RuleRow(guild_id=guild, channel_id=channel, thread=thread, created_at=now))
        session.add(
            SubscriptionRow(
                user_id=member, guild_id=guild, kind="topic", value="surveillance", created_at=now
            )
        )
        session.add(
            SubscriptionRow(
                user_id=member, guild_id=guild, kind="topic", value="legal-demands", created_at=now
            )
        )
        for number, (title, text) in enumerate(_TEXTS.items()):
            address = f"https://news.example/{number}"
            session.add(
                EntryRow(
                    feed_id=feed.id, key=address, url=address, url_key=str(number), title=title,
                    content=" ".join((text * 3).split()), summary="", first_seen=now, published=now,
                    state="new", alert=True,
                )
            )  # fmt: skip


async def _problems(case: Case, database_url: str, nursery: Nursery, *, rehearsed: bool = False) -> list[str]:
    """Play a case to its end; gives what is not as it must be. `rehearsed`: in the nursery itself."""
    ahead_by = 0.0  # Discord's clock goes with the processes' own

    async with StandIn(now=lambda: time.time() + ahead_by) as discord:
        guild = discord.world.add_guild("Digital Rights")
        channels = [
            discord.world.add_channel(guild, kind, kind).id for kind in ("text", "forum", "announcement")
        ]
        member = discord.world.add_user("member")
        discord.world.add_member(guild, member)
        database = Database(database_url)
        try:
            await _fill(
                database, guild.id, dict(zip(channels, ("off", "case", "case"), strict=True)), member.id
            )

            async def live(ahead: float, kill_at: str = "") -> int:
                run = Run(database_url, discord.api_url, discord.token, ahead, kill_at, swapped=case.swapped)
                return await (nursery.rehearse(run) if rehearsed else nursery.live(run))

            if case.fault is not None:
                discord.faults.add(Fault(**{**case.fault.to_json(), "struck": 0}))
            ended = await live(0.0, case.kill_at)
            if (ended == -9) != bool(case.kill_at):
                return [f"the first process ended with {ended}"]
            discord.faults.clear()
            for ahead in (LATE, 2 * LATE) if case.late else (SOON, 2 * LATE):
                ahead_by = ahead
                if not case.alone:  # another process has lived meanwhile: there was no pause to look through
                    async with database.write() as session:
                        await restarts.beat(session, datetime.now(UTC) + timedelta(seconds=ahead - 10))
                if await live(ahead) != 0:
                    return ["a later process did not end well"]
            async with database.read() as session:
                rows = list(await session.scalars(select(DeliveryRow)))
        finally:
            await database.close()
        return list(_differences(discord, channels, member.id, rows))


def _differences(discord: StandIn, channels: list[int], member: int, rows: list[DeliveryRow]) -> list[str]:
    places = {
        ("channel", channel): [
            message
            for each in discord.world.channels.values()
            if channel in (each.id, each.parent_id)
            for message in discord.messages(each.id)
        ]
        for channel in channels
    }
    places["user", member] = discord.direct_messages(member)
    said = [] if len(rows) == MESSAGES else [f"{len(rows)} deliveries, {MESSAGES} are due"]
    for place, messages in places.items():
        for title in _TEXTS:
            count = sum(title in message.text for message in messages)
            if count != 1:
                said.append(f"{place[0]}: {count} messages of “{title}”")
    posted = {message.id for messages in places.values() for message in messages}
    for row in rows:
        if row.state != "sent" or row.message_id not in posted:
            said.append(f"delivery {row.id}: {row.state}, {row.error}, message {row.message_id}")
    for message in places["channel", channels[-1]]:
        if not message.flags & CROSSPOSTED:
            said.append(f"message {message.id} is not published")
        if message.thread_id is None:
            said.append(f"message {message.id} has no thread")
    for request in discord.requests:
        if request.method == "POST" and ("message" in (request.body or {}) or _posts(request.path)):
            allowed = request.body.get("message", request.body).get("allowed_mentions", {})
            if allowed.get("parse") != [] and request.status == 200:
                said.append("a request without allowed_mentions")
    return said


def _posts(path: str) -> bool:
    return path.endswith("/messages")


NewDatabase = Callable[[], Awaitable[str]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewDatabase]:
    """Give addresses of fresh databases with the schema in place, as many as are asked for."""
    numbers = itertools.count()
    if request.param == "sqlite":
        model = tmp_path / "model.db"
        await _migrate(f"sqlite+aiosqlite:///{model}")

        async def copy() -> str:
            file = tmp_path / f"{next(numbers)}.db"
            await asyncio.to_thread(shutil.copy, model, file)
            return f"sqlite+aiosqlite:///{file}"

        yield copy
        return
    import asyncpg

    address: str = request.getfixturevalue("postgres_address")
    admin = address.format(name="postgres").replace("+asyncpg", "")
    connection = await asyncpg.connect(admin)
    # What dies here is our process, not the server: it need not wait for its disk.
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    model_name = f"model_{uuid.uuid4().hex[:8]}"
    await connection.execute(f"CREATE DATABASE {model_name}")
    await _migrate(address.format(name=model_name))
    turn = asyncio.Lock()

    async def create() -> str:
        name = f"{model_name}_{next(numbers)}"
        async with turn:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {model_name} STRATEGY FILE_COPY")
        return address.format(name=name)

    yield create
    await connection.close()  # the databases go with their server, at the end of the run


async def _migrate(url: str) -> None:
    database = Database(url)
    await schema.upgrade(database)
    await database.close()


async def _play(cases: list[Case], new_database: NewDatabase) -> dict[str, list[str]]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def play(case: Case) -> list[str]:
        # Where an answer gets lost, most of the time is discord.py's, until it asks again.
        async with contextlib.nullcontext() if case.fault else turn:
            return await _problems(case, await new_database(), nursery)

    async with Nursery() as nursery:
        assert await _problems(Case(), await new_database(), nursery, rehearsed=True) == []
        found = await asyncio.gather(*map(play, cases))
    return {str(case): problems for case, problems in zip(cases, found, strict=True) if problems}


async def test_whatever_dies_nothing_is_lost_and_nothing_is_posted_twice(new_database: NewDatabase) -> None:
    alone = [Case(str(int(step)), late=True, alone=True) for step in (Step.STORY_COMMITTED, Step.ANSWER_CAME)]
    sends_first = Case(kill_at=str(int(Step.ANSWER_CAME)), late=True, swapped=True)
    cases = [*LOST_ANSWERS, Case(), *BEFORE_INTENT, *AROUND_SEND, *alone, sends_first]
    found = await _play(cases, new_database)
    found_out = found.pop(str(sends_first), [])
    assert any("2 messages" in problem for problem in found_out), "what sends before it stores the intent"
    assert found == {}
