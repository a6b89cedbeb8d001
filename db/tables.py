"""All tables; those of the feeds are written in `db.feed_tables`.

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

# ------------------------------------------------------------------- stories


class CaseRow(Base):
    """One matter that goes on over time. `merged_into` remembers a merge by a moderator."""

    __tablename__ = "cases"

    id: Mapped[int] = row_number()
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(String(20))
    opened: Mapped[datetime]
    updated: Mapped[datetime]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "updated"), Index(None, "merged_into"))


class CaseTermRow(Base):
    """The inverted index by which a story finds its case: term -> cases that hold it, the newest first."""

    __tablename__ = "case_terms"

    term: Mapped[str] = mapped_column(String(200), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    last_seen: Mapped[datetime]

    __table_args__ = (Index(None, "case_id"), Index(None, "term", "last_seen"))


class CaseMemberRow(Base):
    """What a story is recognised by, and the case that it was found to belong to.

    `case_id` stays when that case is merged into another: the stories that come after still find it, and
    through it the case that it was merged into. That is how a merge is remembered.
    """

    __tablename__ = "case_members"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    terms: Mapped[dict[str, Any]]  # term -> weight, a fingerprint
    filed: Mapped[list[str]]  # those of the terms that stand in the index
    published: Mapped[datetime | None]

    __table_args__ = (Index(None, "case_id", "story_id"),)


class CaseSplitRow(Base):
    """A moderator said that these two are different matters. Stored in both directions."""

    __tablename__ = "case_splits"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]

    __table_args__ = (Index(None, "other_id"),)


class StoryRow(Base):
    """What Quash made of one article. `analysis` holds topics, parties, demands with their sentences."""

    __tablename__ = "stories"

    id: Mapped[int] = row_number()
    url: Mapped[str] = mapped_column(Text, default="")
    url_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[datetime | None]
    first_seen: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(16), default="und")
    relevant: Mapped[bool] = mapped_column(Boolean)
    relevance: Mapped[float] = mapped_column(Float)
    status: Mapped[str | None] = mapped_column(String(20))
    summary: Mapped[list[str]] = mapped_column(default=list)
    text: Mapped[str] = mapped_column(Text, default="")
    analysis: Mapped[dict[str, Any]] = mapped_column(default=dict)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    adds: Mapped[str] = mapped_column(String(16), default="new")  # to its case: new, update, source
    # When its text went for its age (db.retention); such a story alerts nobody any more.
    forgotten_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "case_id"),
        Index(
            "ix_stories_relevant_seen",
            "first_seen",
            sqlite_where=sql("relevant = 1"),
            postgresql_where=sql("relevant"),
        ),
        Index(
            "ix_stories_kept",
            "id",
            sqlite_where=sql("forgotten_at IS NULL"),
            postgresql_where=sql("forgotten_at IS NULL"),
        ),
    )


class StoryTopicRow(Base):
    """A topic of a story."""

    __tablename__ = "story_topics"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    score: Mapped[float] = mapped_column(Float)

    __table_args__ = (Index(None, "topic", "story_id"),)


class PartyRow(Base):
    """Somebody who appears in stories, by canonical name."""

    __tablename__ = "parties"

    id: Mapped[int] = row_number()
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(String(200), unique=True)  # case-folded, for look-ups
    kind: Mapped[str] = mapped_column(String(16))
    stories: Mapped[int] = mapped_column(Integer, default=0)  # relevant ones that name it

    __table_args__ = (Index(None, "stories"),)


class StoryPartyRow(Base):
    """A party's part in a story."""

    __tablename__ = "story_parties"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    mentions: Mapped[int] = mapped_column(Integer, default=1)

    __table_args__ = (Index(None, "party_id", "story_id"),)


class DemandRow(Base):
    """A demand as one story reports it; the ledger groups them by case."""

    __tablename__ = "demands"

    id: Mapped[int] = row_number()
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    instrument: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(20))
    issuer: Mapped[list[str]] = mapped_column(default=list)
    recipient: Mapped[list[str]] = mapped_column(default=list)
    target: Mapped[list[str]] = mapped_column(default=list)
    sought: Mapped[list[str]] = mapped_column(default=list)
    statute: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(default=list)
    reported: Mapped[datetime]  # the story's date, by which the ledger is ordered

    __table_args__ = (Index(None, "story_id"), Index(None, "case_id"), Index(None, "reported"))


class DemandPartyRow(Base):
    """A party's side in a demand (issuer, recipient, target): what the ledger is filtered by."""

    __tablename__ = "demand_parties"

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id", ondelete="CASCADE"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[str] = mapped_column(String(16), primary_key=True)

    __table_args__ = (Index(None, "party_id", "side"),)


class CaseEventRow(Base):
    """A line of a case's timeline: what changed, when, and which story said so first."""

    __tablename__ = "case_events"

    id: Mapped[int] = row_number()
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    status: Mapped[str | None] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(16))  # opened, status, source, merged, corrected
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="SET NULL"))

    __table_args__ = (Index(None, "case_id", "at"), Index(None, "story_id"))


class FindingRow(Base):
    """One line of the record: what a stage decided about an entry or story, and why."""

    __tablename__ = "findings"

    id: Mapped[int] = row_number()
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"))
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    guild_id: Mapped[int | None] = mapped_column(BigInteger)  # set where the finding is one guild's own
    at: Mapped[datetime]
    stage: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(default=list)
    weight: Mapped[float | None] = mapped_column(Float)

    __table_args__ = (Index(None, "story_id"), Index(None, "entry_id"))


# -------------------------------------------------------------------- alerts


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
