"""All tables: those of servers, rules and deliveries stand here, the others in the files named below.

Changes go through a migration (`db/migrations`); a test compares the two.

Discord's ids are 64-bit numbers and are stored as such. Every column that names a person is listed in
`PERSONAL`, which `/privacy` walks; a test fails on a `user_id`-like column that is not in it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from db.digest_tables import DigestItemRow as DigestItemRow
from db.feed_tables import Base as Base
from db.feed_tables import EntryRow as EntryRow
from db.feed_tables import FeedRow as FeedRow
from db.feed_tables import GuildFeedRow as GuildFeedRow
from db.feed_tables import NoteRow as NoteRow
from db.feed_tables import StoryFeedRow as StoryFeedRow
from db.feed_tables import row_number
from db.moderator_tables import PendingImportRow as PendingImportRow
from db.review_tables import CaseOverrideRow as CaseOverrideRow
from db.review_tables import CaseProposalRow as CaseProposalRow
from db.review_tables import ReviewRow as ReviewRow
from db.role_tables import GatewayRow as GatewayRow
from db.role_tables import ShardRow as ShardRow
from db.role_tables import TurnRow as TurnRow
from db.search_tables import FeedPartyRow as FeedPartyRow
from db.search_tables import PartyWordRow as PartyWordRow
from db.search_tables import SearchWordRow as SearchWordRow
from db.search_tables import TextWordRow as TextWordRow
from db.story_tables import CaseEventRow as CaseEventRow
from db.story_tables import CaseMemberRow as CaseMemberRow
from db.story_tables import CaseRow as CaseRow
from db.story_tables import CaseSplitRow as CaseSplitRow
from db.story_tables import CaseTermRow as CaseTermRow
from db.story_tables import DemandPartyRow as DemandPartyRow
from db.story_tables import DemandRow as DemandRow
from db.story_tables import FindingRow as FindingRow
from db.story_tables import PartyRow as PartyRow
from db.story_tables import StoryPartyRow as StoryPartyRow
from db.story_tables import StoryRow as StoryRow
from db.story_tables import StoryTopicRow as StoryTopicRow


class GuildRow(Base):
    """A server's own settings. `left_at`: the bot was removed; forgotten after 30 days."""

    __tablename__ = "guilds"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(16), default="en")
    quiet_from: Mapped[str | None] = mapped_column(String(5))  # "22:00", local time
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    moderator_role: Mapped[int | None] = mapped_column(BigInteger)
    log_channel: Mapped[int | None] = mapped_column(BigInteger)


class RuleRow(Base):
    """What goes where. An empty list stands for "any".

    `ping_when` and `urgent` are conditions (`bot.alerts.wishes.parse_condition`): any of these statuses, or
    from this relevance on. An empty `ping_when` pings with every post; without `urgent` nothing passes the
    server's quiet hours. `daily_limit`: posts of a local day, past which the rest comes in the next
    digest; None: as many as there are.
    """

    __tablename__ = "rules"

    id: Mapped[int] = row_number()
    guild_id: Mapped[int] = mapped_column(ForeignKey("guilds.id", ondelete="CASCADE"))
    channel_id: Mapped[int] = mapped_column(BigInteger)
    topics: Mapped[list[str]] = mapped_column(default=list)
    parties: Mapped[list[str]] = mapped_column(default=list)
    keywords: Mapped[list[str]] = mapped_column(default=list)
    exclude: Mapped[list[str]] = mapped_column(default=list)
    statuses: Mapped[list[str]] = mapped_column(default=list)
    countries: Mapped[list[str]] = mapped_column(default=list)
    languages: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[str]] = mapped_column(default=list)
    min_relevance: Mapped[float] = mapped_column(Float, default=0.5)
    ping_role: Mapped[int | None] = mapped_column(BigInteger)
    ping_when: Mapped[list[str]] = mapped_column(default=list)
    urgent: Mapped[list[str]] = mapped_column(default=list)
    when: Mapped[str] = mapped_column(String(8), default="now")  # now, hourly, daily, weekly
    daily_limit: Mapped[int | None] = mapped_column(Integer)
    style: Mapped[str] = mapped_column(String(8), default="full")
    thread: Mapped[str] = mapped_column(String(8), default="off")
    review_channel: Mapped[int | None] = mapped_column(BigInteger)
    review_hours: Mapped[int] = mapped_column(Integer, default=12)
    review_then: Mapped[str] = mapped_column(String(4), default="drop")  # or post: what nobody decided on
    exclude_sources: Mapped[list[str]] = mapped_column(default=list)
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "guild_id"), Index(None, "channel_id"))


class SubscriptionRow(Base):
    """A member's own wish. `guild_id`: the server whose stories it is about."""

    __tablename__ = "subscriptions"

    id: Mapped[int] = row_number()
    user_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))  # topic, party, case, search
    value: Mapped[str] = mapped_column(String(200))
    delivery: Mapped[str] = mapped_column(String(8), default="now")
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    pause_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("user_id", "guild_id", "kind", "value"),
        Index(None, "kind", "value"),
    )


class DeliveryRow(Base):
    """One message that is owed: the outbox. Unique per story, destination and kind.

    A digest has no story of its own but `DigestItemRow`s; it is unique per destination and `slot`, the
    moment that it is for.

    `state`: due -> sending (intent stored before the request leaves) -> sent | failed (will be tried
    again) | dead (gave up, says why) | skipped. `nonce` is what Discord recognises a repeat by.
    `thread_id`: the case's thread, as this message was posted there or opened it. `publish_at`: when a
    message in an announcement channel is to be published, until it is.
    """

    __tablename__ = "deliveries"

    id: Mapped[int] = row_number()
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    # card (first post), update (answers the card), report (a further source, in the case's thread), edit,
    # digest; review (a story for moderators to decide on), decided (the edit of that which says how)
    kind: Mapped[str] = mapped_column(String(8))
    slot: Mapped[str | None] = mapped_column(String(32))
    target: Mapped[str] = mapped_column(String(8))  # channel, user
    target_id: Mapped[int] = mapped_column(BigInteger)  # channel id, or user id for direct messages
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("rules.id", ondelete="SET NULL"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="SET NULL"))
    ping_role: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text, default="")  # which rule and which clauses
    state: Mapped[str] = mapped_column(String(8), default="due")
    nonce: Mapped[str] = mapped_column(String(25))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    intent_at: Mapped[datetime | None]  # when the first request left whose outcome is not known
    sent_at: Mapped[datetime | None]
    channel_id: Mapped[int | None] = mapped_column(BigInteger)  # where it stands (the DM channel for users)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)
    publish_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("story_id", "target", "target_id", "kind"),
        Index(
            "ix_deliveries_open",
            "target",
            "target_id",
            "id",
            sqlite_where=sql("state IN ('due', 'sending', 'failed')"),
            postgresql_where=sql("state IN ('due', 'sending', 'failed')"),
        ),
        Index(
            "ix_deliveries_slot",
            "target",
            "target_id",
            "slot",
            unique=True,
            sqlite_where=sql("slot IS NOT NULL"),
            postgresql_where=sql("slot IS NOT NULL"),
        ),
        Index(None, "case_id", "target", "target_id"),
        Index(None, "rule_id", "created_at"),
        Index(None, "message_id"),
        Index(None, "subscription_id"),
        Index(
            "ix_deliveries_publish",
            "publish_at",
            sqlite_where=sql("publish_at IS NOT NULL"),
            postgresql_where=sql("publish_at IS NOT NULL"),
        ),
        Index(
            "ix_deliveries_dead",
            "guild_id",
            "id",
            sqlite_where=sql("state = 'dead'"),
            postgresql_where=sql("state = 'dead'"),
        ),
    )


class DestinationRow(Base):
    """A channel or member that messages go to: the head of its queue of deliveries.

    Who holds the lease sends its messages, in the order of their ids; that keeps order in a channel, and a
    slow or broken one from holding others. `broken` says why nothing can be sent there at present.
    """

    __tablename__ = "destinations"

    target: Mapped[str] = mapped_column(String(8), primary_key=True)  # channel, user
    target_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    next_due: Mapped[datetime | None]  # when there is something to send; None: nothing waits
    turn: Mapped[datetime | None]  # who is served first of those where something is due
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claim: Mapped[int] = mapped_column(Integer, default=0)  # fencing: grows with every claim
    failures: Mapped[int] = mapped_column(Integer, default=0)  # since the last message that went through
    broken: Mapped[str | None] = mapped_column(Text)
    broken_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]  # when moderators were told that it is broken

    __table_args__ = (
        Index(
            "ix_destinations_due",
            "next_due",
            sqlite_where=sql("broken_at IS NULL"),
            postgresql_where=sql("broken_at IS NULL"),
        ),
        Index(
            "ix_destinations_broken",
            "broken_at",
            sqlite_where=sql("broken_at IS NOT NULL"),
            postgresql_where=sql("broken_at IS NOT NULL"),
        ),
    )


class ReportRow(Base):
    """A member's "Not relevant": one a member and story; shown to moderators as a count only."""

    __tablename__ = "reports"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]

    __table_args__ = (Index(None, "story_id"),)


class PushRow(Base):
    """A feed's subscription at a hub (WebSub); `bot.feeds.websub` has its rules.

    Not in the feed's `memory`, which every look writes back as it found it. A row outlives its feed until
    the hub knows that nothing more is wanted.
    """

    __tablename__ = "pushes"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)  # the callback's last part: a secret
    feed_id: Mapped[int | None] = mapped_column(ForeignKey("feeds.id", ondelete="SET NULL"))
    callback: Mapped[str] = mapped_column(Text)
    hub: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))  # wanted, held, leaving
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    seen: Mapped[list[str]] = mapped_column(default=list)

    __table_args__ = (Index(None, "feed_id"), Index(None, "due_at"))


class AuditRow(Base):
    """Who changed what in a server's configuration, before and after; kept 365 days."""

    __tablename__ = "audit"

    id: Mapped[int] = row_number()
    guild_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(32))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (Index(None, "guild_id", "at"),)


# Every column that names a person, and what `/privacy forget` does with the row: "delete" it, or
# "clear" the column (the row belongs to the server, not to the person).
PERSONAL: dict[tuple[str, str], str] = {
    ("guild_feeds", "added_by"): "clear",
    ("rules", "created_by"): "clear",
    ("subscriptions", "user_id"): "delete",
    ("deliveries", "target_id"): "delete",  # where target = 'user'
    ("destinations", "target_id"): "delete",  # where target = 'user'
    ("reports", "user_id"): "delete",
    ("audit", "user_id"): "clear",
    ("reviews", "decided_by"): "clear",
    ("case_overrides", "changed_by"): "clear",
    ("case_proposals", "proposed_by"): "clear",
}
