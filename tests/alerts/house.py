"""A small newsroom in a real database: feeds that servers use, stories with their cases, rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.alerts.outbox import owe
from db import cases, guilds, stories
from db.engine import Database
from db.stories import NewDemand, NewParty, NewStory
from db.tables import (
    DeliveryRow,
    DestinationRow,
    FeedRow,
    GuildFeedRow,
    RuleRow,
    SubscriptionRow,
)
from tests.conftest import TurnedClock

DEMAND = NewDemand(
    issuer=("Customs and Border Protection",),
    instrument="administrative summons",
    recipient=("Twitter",),
    target=("@ALT_USCIS",),
    sought=("user names",),
    status="issued",
    statute=None,
    evidence=("The agency served a summons on Twitter.",),
)


def new_story(
    number: int,
    *,
    status: str = "issued",
    title: str = "Agency demands the names behind a critical account",
    topics: Sequence[str] = ("legal-demands", "anonymity"),
    published: datetime = datetime(2026, 3, 1, 10, tzinfo=UTC),
) -> NewStory:
    """Make a story that is about to be stored; `number` tells its address."""
    url = f"https://news.example/{number}"
    return NewStory(
        url=url,
        url_key=url,
        title=title,
        source="The Example News",
        published=published,
        language="en",
        relevant=True,
        relevance=0.9,
        status=status,
        summary=("The agency served a summons on Twitter.", "It wants the account's owner."),
        text="The agency served a summons on Twitter. It wants the account's owner.",
        analysis={
            "relevance_evidence": ["The agency served a summons on Twitter."],
            "topics": [
                {"topic": t, "score": 0.9, "evidence": ["It wants the account's owner."]} for t in topics
            ],
        },
        topics=tuple((t, 0.9 - i / 10) for i, t in enumerate(topics)),
        parties=(
            NewParty("Customs and Border Protection", "agency", "issuer", 3),
            NewParty("Twitter", "company", "recipient", 2),
        ),
        demands=(replace(DEMAND, status=status),),
    )


@dataclass
class House:
    database: Database
    clock: TurnedClock
    count: int = 0

    async def guild(self, guild_id: int, *feeds: int) -> None:
        async with self.database.write() as session:
            await guilds.remember(session, guild_id, self.clock())
            for feed_id in feeds:
                session.add(GuildFeedRow(guild_id=guild_id, feed_id=feed_id, added_at=self.clock()))

    async def feed(self, name: str = "news") -> int:
        """Add a feed; without a name it is called as the stories' source."""
        title = "The Example News" if name == "news" else name
        async with self.database.write() as session:
            row = FeedRow(url=f"https://{name}.example/feed", title=title, added_at=self.clock())
            session.add(row)
            await session.flush()
            return row.id

    async def rule(self, guild_id: int, channel_id: int, **fields: Any) -> int:
        async with self.database.write() as session:
            row = RuleRow(guild_id=guild_id, channel_id=channel_id, created_at=self.clock(), **fields)
            session.add(row)
            await session.flush()
            return row.id

    async def subscription(self, user_id: int, guild_id: int, kind: str, value: str, **fields: Any) -> int:
        async with self.database.write() as session:
            row = SubscriptionRow(
                user_id=user_id, guild_id=guild_id, kind=kind, value=value, created_at=self.clock(), **fields
            )
            session.add(row)
            await session.flush()
            return row.id

    async def case(self, title: str = "The @ALT_USCIS summons", status: str | None = "issued") -> int:
        async with self.database.write() as session:
            return await cases.open_case(session, title, status, self.clock())

    async def story(
        self,
        feed_id: int,
        case_id: int | None,
        *,
        adds: str = "new",
        status: str = "issued",
        title: str = "Agency demands the names behind a critical account",
        topics: Sequence[str] = ("legal-demands", "anonymity"),
        alert: bool = True,
        owes: bool = True,
        **further: Any,
    ) -> int:
        """Store a story as the intake does, with its deliveries; gives its id."""
        self.count += 1
        story = new_story(self.count, status=status, title=title, topics=topics, **further)
        async with self.database.write() as session:
            story_id = await stories.insert_story(
                session, story, case_id=case_id, adds=adds, now=self.clock()
            )
            await stories.add_story_feed(session, story_id, feed_id, None)
            if case_id is not None and adds == "update":
                await cases.touch_case(session, case_id, self.clock(), status)
            await session.flush()
            if owes:
                await owe(session, story_id, now=self.clock(), alert=alert)
        return story_id

    async def deliveries(self) -> list[DeliveryRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))

    async def destination(self, target: str, target_id: int) -> DestinationRow | None:
        async with self.database.read() as session:
            return await session.get(DestinationRow, (target, target_id))


def told(rows: list[DeliveryRow]) -> list[tuple[str, str, int, str]]:
    """Give deliveries in short: kind, target, its id, state."""
    return [(row.kind, row.target, row.target_id, row.state) for row in rows]
