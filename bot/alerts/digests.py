"""A digest: many stories in one message, a matter at a time. `Digest` is what it tells; reading makes it.

Texts are the articles' own words, raw: rendering (`bot.alerts.digest_view`) makes them safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import false, or_
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.cards import CardSource
from bot.alerts.clauses import findable_in
from bot.alerts.errors import NotHereError
from bot.alerts.outbox import load_stories, subscription_from
from bot.alerts.routing import ask_subscription
from bot.alerts.searching import make_ready
from bot.alerts.timing import zone_of
from bot.words import say, speaking
from db import digests, reviews, sources, subscriptions
from db.case_status import after, is_known, moves_on, told_by
from db.digests import DigestStory, Wish
from db.engine import Database
from db.lookups import Viewer, visible
from db.story_tables import came_out, came_out_by
from db.tables import DeliveryRow

MOST_STORIES = 500  # that one digest looks at, the newest; more than it could ever show
_MOST_ASKED = 20_000  # times that one look back puts a search to a story, the newest: half a second of CPU
_OTHERS = 3  # further reports that a matter names


@dataclass(frozen=True, slots=True)
class Told:
    """A story, and the servers by whose feeds it may be told."""

    story: DigestStory
    guilds: frozenset[int]


@dataclass(frozen=True, slots=True)
class Matter:
    """One case of a digest, or a story without one: its newest report, where it stands, who else reported.

    `changed`: it came to stand elsewhere since the digest before; `followed`: the reader asked for it.
    `reports` counts all reports of the case; `others` are the newest of them. `words` stand in the place of
    the story's summary: moderators' own, no quotation.
    """

    story: DigestStory
    status: str | None
    changed: bool
    relevance: float
    reports: int
    others: tuple[CardSource, ...]
    followed: bool = False
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest tells: `stories` were gathered from `since` to `until`; `reports` are all reports of
    their cases. `delivery_id` and `mark` (its nonce) are None where nothing is delivered.
    `language`: what it is written in by whoever posts it. `words`: what moderators of the server that it is
    for wrote in place of stories' summaries, by story. `zone`: by whose days it is dated. `more`: there may
    be further stories, which were not looked at. `topics`: of its stories, the commonest first."""

    stories: tuple[Told, ...]
    reports: tuple[Told, ...]
    since: datetime
    until: datetime
    ping_roles: tuple[int, ...] = ()
    delivery_id: int | None = None
    mark: str | None = None
    followed: frozenset[int] = frozenset()
    language: str = "en"
    words: Mapping[int, str] = field(default_factory=dict)
    zone: str = "UTC"
    more: bool = False
    topics: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called, by the day where its readers are; the form of the date is nobody's language."""
        with speaking(self.language):
            return f"{say('Digest')} {self.until.astimezone(zone_of(self.zone)):%Y-%m-%d}"

    @property
    def ping_role(self) -> int | None:
        """The first role that it mentions."""
        return self.ping_roles[0] if self.ping_roles else None

    @property
    def guilds(self) -> frozenset[int]:
        """The servers whose stories it tells."""
        return frozenset[int]().union(*(told.guilds for told in self.stories))

    def seen_in(self, guilds: Collection[int]) -> Digest | None:
        """Give what is left for somebody who is in these servers only, None if nothing is."""
        stories = tuple(told for told in self.stories if told.guilds.intersection(guilds))
        reports = tuple(told for told in self.reports if told.guilds.intersection(guilds))
        return replace(self, stories=stories, reports=reports) if stories else None


def matters(digest: Digest) -> tuple[Matter, ...]:
    """Give what a digest tells, case by case: what the reader follows, then changes of status, then by
    relevance, then the newest."""
    gathered = _by_matter(told.story for told in digest.stories)
    known = _by_matter(told.story for told in digest.reports)
    found = [_matter(stories, known.get(key, []), digest) for key, stories in gathered.items()]
    return tuple(sorted(found, key=_weight))


def _weight(matter: Matter) -> tuple[bool, bool, float, float]:
    return not matter.followed, not matter.changed, -matter.relevance, -_date(matter.story).timestamp()


def _by_matter(stories: Iterable[DigestStory]) -> dict[tuple[str, int], list[DigestStory]]:
    of: dict[tuple[str, int], list[DigestStory]] = {}
    for story in stories:
        key = ("story", story.id) if story.case_id is None else ("case", story.case_id)
        of.setdefault(key, []).append(story)
    return of


def _matter(gathered: list[DigestStory], reports: list[DigestStory], digest: Digest) -> Matter:
    newest = max(gathered, key=lambda story: (_date(story), story.id))
    all_reports = {story.id: story for story in (*gathered, *reports)}
    others = sorted(
        (story for story in all_reports.values() if story.id != newest.id),
        key=lambda story: (_date(story), story.id),
        reverse=True,
    )
    oldest_first = sorted(all_reports.values(), key=lambda story: (_date(story), story.id))
    stands = told_by(newest.case_status, (story.status for story in oldest_first))
    return Matter(
        story=newest,
        status=stands if is_known(stands) else newest.status,
        changed=any(story.adds == "update" for story in gathered) or _moves_on(gathered, others),
        relevance=max(story.relevance for story in gathered),
        reports=len(all_reports),
        others=tuple(CardSource(s.title, s.url, s.published) for s in others[:_OTHERS]),
        followed=any(story.id in digest.followed for story in gathered),
        words=digest.words.get(newest.id),
    )


def _moves_on(gathered: list[DigestStory], newest_first: list[DigestStory]) -> bool:
    """Whether a matter stands elsewhere than in what was reported here before: for everybody, a feed that is
    not used here may have told it first."""
    own = {story.id for story in gathered}
    before = [story for story in reversed(newest_first) if story.id not in own]
    if not before:
        return False
    stood = after(story.status for story in before)
    last = _date(before[-1])
    return any(moves_on(stood, s.status) for s in gathered if came_out_by(s.published, s.first_seen) >= last)


def _date(story: DigestStory) -> datetime:
    return came_out(story.published, story.first_seen)


class DigestShelf:
    """What digests tell, as one transaction sees it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def items(self, delivery_ids: Collection[int]) -> dict[int, dict[int, Wish]]:
        """Give the stories that were gathered for digests, the newest first, each with by whose wish."""
        return await digests.get_items(self._session, delivery_ids, MOST_STORIES)

    async def digest(
        self, wanted: Mapping[int, Collection[int]], *, until: datetime, since: datetime | None = None
    ) -> Digest | None:
        """Make a digest of stories, each with the servers by whose wish; None where none is stored any more.

        Without `since` it begins with its first story.
        """
        found = await digests.get_stories(self._session, wanted)
        stories = tuple(Told(story, frozenset(wanted[story.id])) for story in found.values())
        if not stories:
            return None
        return Digest(
            stories=stories,
            reports=await self._reports(stories),
            since=since or min(told.story.first_seen for told in stories),
            until=until,
            more=len(wanted) >= MOST_STORIES,
        )

    async def _reports(self, stories: Collection[Told]) -> tuple[Told, ...]:
        """Give all reports of the stories' cases, as far as these servers see them."""
        guilds = frozenset[int]().union(*(told.guilds for told in stories))
        of_cases = {told.story.case_id for told in stories if told.story.case_id is not None}
        reports = await digests.get_reports(self._session, of_cases, guilds)
        seen = await sources.get_titles(self._session, [story.id for story in reports], guilds)
        return tuple(Told(story, frozenset(seen.get(story.id, ()))) for story in reports)


# ------------------------------------------------------------------------- what people ask for


async def open_digest(database: Database, *, delivery_id: int, user_id: int, guild_id: int | None) -> Digest:
    """Give all of a digest to somebody of the server that it was posted in, or to the member it was sent to.

    Whether that member is in the servers (`Digest.guilds`) still is for the caller to check.
    """
    async with database.read() as session:
        row = await session.get(DeliveryRow, delivery_id)
        if row is None or row.kind != "digest" or not _is_theirs(row, user_id, guild_id):
            raise NotHereError(say("That digest is not stored any more; /latest shows the newest stories."))
        shelf = DigestShelf(session)
        items = (await shelf.items([delivery_id]))[delivery_id]
        found = await shelf.digest(
            {id: {by.guild_id} if by.guild_id is not None else set() for id, by in items.items()},
            until=row.due_at,
        )
        words = await _words(session, items, row.guild_id if row.target == "channel" else None)
    if found is None:
        raise NotHereError(say("The stories of that digest are not stored any more."))
    return replace(found, delivery_id=delivery_id, words=words)


async def _words(session: AsyncSession, story_ids: Collection[int], guild_id: int | None) -> dict[int, str]:
    """Give what a server's moderators wrote in place of summaries, by story."""
    if guild_id is None:
        return {}
    return words_of(await reviews.get_words(session, story_ids), guild_id)


def words_of(words: Mapping[tuple[int, int], str], guild_id: int) -> dict[int, str]:
    """Give the words of one server's moderators by story, of those by story and server."""
    return {story_id: said for (story_id, guild), said in words.items() if guild == guild_id}


def _is_theirs(row: DeliveryRow, user_id: int, guild_id: int | None) -> bool:
    if row.target == "user":
        return row.target_id == user_id
    return guild_id is not None and row.guild_id == guild_id


async def subscribed_in(database: Database, *, user_id: int) -> frozenset[int]:
    """Give the servers that a member's active subscriptions are about."""
    async with database.read() as session:
        rows = await subscriptions.get_subscriptions_of(session, user_id)
    return frozenset(row.guild_id for row in rows if not row.paused)


async def look_back(
    database: Database,
    *,
    user_id: int,
    guild_id: int | None,
    member_of: Collection[int],
    since: datetime,
    now: datetime,
) -> Digest | None:
    """Give what somebody missed: what this server's feeds brought since then (outside of servers: the
    public catalogue's), and what their own subscriptions asked for; None for nothing.

    `member_of`: the servers of their subscriptions that they are in at this moment.
    """
    async with database.read() as session:
        own = [
            subscription_from(row)
            for row in await subscriptions.get_subscriptions_of(session, user_id)
            if row.guild_id in member_of and not row.paused
        ]
        here = await digests.get_stories_since(session, visible(Viewer(guild_id)), since, MOST_STORIES)
        wanted: dict[int, set[int]] = {story.id: {guild_id} if guild_id else set() for story in here}
        guilds = {wish.guild_id for wish in own}
        searches = [wish.value for wish in own if wish.kind == "search"]
        most = min(MOST_STORIES, _MOST_ASKED // max(1, len(searches)))
        theirs = or_(false(), *(visible(Viewer(guild)) for guild in sorted(guilds)))
        asked = await digests.get_stories_since(session, theirs, since, most) if own else []
        stories = await load_stories(session, [story.id for story in asked], guilds=guilds)
    followed = set()
    for story in stories.values():  # without holding a connection: others are asked for meanwhile
        if searches:
            await make_ready(searches, findable_in(story), story.language)
        passed = [wish.guild_id for wish in own if ask_subscription(story, wish).passed]
        if passed:
            wanted.setdefault(story.id, set()).update(passed)
            followed.add(story.id)
        await asyncio.sleep(0)
    async with database.read() as session:
        found = await DigestShelf(session).digest(wanted, until=now, since=since)
        words = await _words(session, wanted, guild_id)
    if found is None:
        return None
    more = found.more or (bool(own) and len(asked) >= most)
    return replace(found, followed=frozenset(followed), words=words, more=more)
