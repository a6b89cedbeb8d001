"""From an entry to due deliveries: the page, the story, its case, and who is owed a message.

An entry is the durable queue: it stays `new` until its story, its place in a case and all deliveries are
stored in one transaction. Whatever dies before that, the entry is read again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.outbox import owe
from bot.alerts.steps import Step, step
from bot.clock import Clock
from bot.errors import QuashError, told
from bot.feeds.articles import Page
from bot.feeds.fetch_errors import FetchError
from bot.feeds.identity import url_key
from bot.intake import policy
from bot.intake.analysis import AnalysisError
from bot.record import Finding, Recorder
from bot.stories.cases import HOLDERS, MEMBERS, CaseSketch, asked, choose_case, nearest
from bot.stories.likeness import read
from bot.stories.model import Article, Fingerprint, Story, story_to_json
from db import case_status, cases, entries, restarts, stories
from db.engine import Database, is_outage, report
from db.entries import WaitingEntry
from db.story_tables import came_out, came_out_by
from db.tables import StoryRow

_log = logging.getLogger(__name__)

Analyse = Callable[[Article], Awaitable[Story]]
FetchPage = Callable[[str], Awaitable[Page]]

_AT_ONCE = 16
# Times that a page that cannot be had is tried again: for an hour and three quarters in all; for 25 minutes
# where what the feed itself says is an alert already.
_TRIES, _TRIES_TOLD = 3, 2
_NOT_SHOWN = told("the page does not show its article; the feed's own text was read")


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that could not be read, and why, in a sentence for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """An entry as it was read, not stored yet.

    `url_key` is of the address that its page goes by. Where a page was read, `page_url` is where that was
    found, and `own` what the feed itself says.
    """

    entry: WaitingEntry
    story: Story
    url_key: str | None
    record: tuple[Finding, ...]
    page_url: str = ""
    own: Story | None = None

    def by_itself(self, key: str | None) -> Read:
        """Give the entry as its feed alone tells it: the page that it leads to is another article's."""
        if self.own is None:
            return replace(self, url_key=key)
        notes = Recorder([finding for finding in self.record if finding.stage == "fetch"])
        notes.note("article", "wall", _NOT_SHOWN)
        record = (*notes.findings, *self.own.findings)
        return replace(self, story=self.own, url_key=key, record=record, own=None)


class Reader:
    """Reads the entries that wait. `wake` is called when deliveries have become due."""

    def __init__(
        self,
        database: Database,
        analyse: Analyse,
        fetch_page: FetchPage,
        *,
        clock: Clock,
        wake: Callable[[], None] = lambda: None,
        lease: timedelta = entries.LEASE,
    ) -> None:
        self._database = database
        self._analyse = analyse
        self._fetch_page = fetch_page
        self._clock = clock
        self._wake = wake
        self._lease = lease
        self._owner = f"{socket.gethostname()[:32]}/{os.getpid()}/{secrets.token_hex(4)}"
        self._started = False

    async def read_new(self) -> int:
        """Read a batch of waiting entries; gives how many there were (0: nothing waits)."""
        async with self._database.write() as session:
            if not self._started and self._database.is_sqlite:
                await entries.release_all(session)  # one process has the file: who claimed them is dead
            waiting = await entries.claim_new(
                session, self._clock(), _AT_ONCE, owner=self._owner, lease=self._lease
            )
        self._started = True
        if not waiting:
            return 0
        step(Step.ENTRY_CLAIMED)
        renewing = asyncio.create_task(self._renew([entry.id for entry in waiting]))
        try:
            # Slow pages wait side by side; what comes of them is stored in the order of arrival.
            pending = [asyncio.ensure_future(self._try(entry)) for entry in waiting]
            for entry, future in zip(waiting, pending, strict=True):
                await self._keep(entry, await future)
        except BaseException:
            for future in pending:
                future.cancel()
            async with self._database.write() as session:
                await entries.release(session, [e.id for e in waiting], owner=self._owner)
            raise
        finally:
            renewing.cancel()
        return len(waiting)

    async def _renew(self, entry_ids: list[int]) -> None:
        """Prolong the claims on a batch that takes long, until cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._database.write() as session:
                    await entries.renew(
                        session, entry_ids, owner=self._owner, now=self._clock(), lease=self._lease
                    )
            except (SQLAlchemyError, OSError) as error:
                report(error, "prolonging the claims on entries")
                continue  # who takes an entry meanwhile, or we, will find it read

    async def _try(self, entry: WaitingEntry) -> Read | Unread:
        try:
            return await self._read(entry)
        except QuashError as error:
            _log.warning("entry %d could not be read: %s", entry.id, error)
            return Unread(str(error))
        except Exception as error:  # one entry that trips over a fault of ours must not hold up all others
            _log.exception("entry %d could not be read", entry.id)
            return _tripped(error)

    async def _keep(self, entry: WaitingEntry, read: Read | Unread) -> None:
        owed = False
        step(Step.STORY_READ)
        try:
            async with self._database.write() as session:
                if isinstance(read, Unread):
                    await self._put_off(session, entry, read)
                else:
                    owed = await self._store(session, read)
                    step(Step.DELIVERIES_OWED)
            step(Step.STORY_COMMITTED)
        except AlreadyReadError as error:
            _log.info("%s", error)
        except Exception as error:  # nor one whose story cannot be stored
            if isinstance(read, Unread) or is_outage(error):
                raise
            _log.exception("the story of entry %d could not be stored", entry.id)
            await self._keep(entry, _tripped(error))
        if owed:
            self._wake()

    async def _put_off(self, session: AsyncSession, entry: WaitingEntry, unread: Unread) -> None:
        now = self._clock()
        if not await entries.mark_failed(session, entry, now, owner=self._owner):
            return
        failed = stories.NewFinding("article", "failed", unread.why)
        await stories.add_findings(session, [failed], entry_id=entry.id, story_id=None, now=now)

    async def _read(self, entry: WaitingEntry) -> Read:
        """Make a story of an entry, with the page it links to where that is worth it."""
        notes = Recorder()
        notes.note(
            "fetch",
            "seen",
            told("seen in the feed {feed}", feed=entry.feed_title or entry.feed_id),
        )
        text = policy.own_text(entry.content, entry.summary)
        story = from_feed = await self._analyse(_article_of(entry))
        page_url = ""
        if not entry.url or len(text) >= policy.ENOUGH_TEXT:
            notes.note(
                "article",
                "own text",
                told("the feed itself gives {number} characters of text", number=len(text)),
            )
        elif story.relevance.score < policy.PLAINLY_IRRELEVANT:
            notes.note(
                "article",
                "not fetched",
                told("title and summary are plainly of another field"),
                weight=story.relevance.score,
            )
        elif not await self._is_known(entry):  # else its page was read when another feed brought it
            story, page_url = await self._with_page(entry, from_feed, notes)
        key = url_key(story.url) if story.url else entry.url_key
        own = from_feed if page_url else None
        return Read(entry, story, key, (*notes.findings, *story.findings), page_url, own)

    async def _is_known(self, entry: WaitingEntry) -> bool:
        async with self._database.read() as session:
            known = await stories.story_by_url_key(session, entry.url_key)
            return known is not None and known.relevant

    async def _with_page(self, entry: WaitingEntry, from_feed: Story, notes: Recorder) -> tuple[Story, str]:
        """Give the story, and where its page was found; "" where the page is not what was read."""
        try:
            page = await self._fetch_page(entry.url)
            story = await self._analyse(
                Article(
                    title=entry.title,
                    body=page.text,
                    url=page.url,
                    source=entry.feed_title,
                    published=came_out(entry.published, entry.first_seen),
                    is_html=page.is_html,
                    language=entry.feed_language,
                )
            )
        except (FetchError, AnalysisError) as error:
            passing = isinstance(error, AnalysisError) or error.passing
            if passing and entry.attempts < (_TRIES_TOLD if from_feed.relevant else _TRIES):
                raise
            notes.note("article", "not fetched", told("the page could not be had: {error}", error=error))
            return from_feed, ""
        redirected = url_key(page.url) != url_key(entry.url)
        loses = from_feed.relevant and not story.relevant
        if (
            policy.is_only_front_page(entry.url, page.url)
            or ((redirected or loses) and policy.is_elsewhere(entry.title, story.text))
            or any(f.stage == "text" and f.outcome == "wall" for f in story.findings)
        ):
            notes.note("article", "wall", _NOT_SHOWN)
            return from_feed, ""
        if len(story.text) < len(from_feed.text):
            notes.note("article", "own text", told("the page holds less text than the feed itself"))
            return from_feed, ""
        notes.note(
            "article",
            "fetched",
            told("the page was read: {number} characters of text", number=len(story.text)),
        )
        return story, page.url

    async def _store(self, session: AsyncSession, read: Read) -> bool:
        """Store what was read, in the caller's transaction; tells whether deliveries became due."""
        now = self._clock()
        await cases.lock_cases(session)
        known, read = await _known(session, read)
        entry, story = read.entry, read.story
        notes = Recorder(list(read.record))
        hint = known is not None and not known.relevant and story.relevant
        if known is not None and not hint:
            story_id, relevant = known.id, known.relevant
            notes = Recorder()
            notes.note("known", "known", told("the same address came before; this feed brings it too"))
        else:
            if known is not None:
                known.url_key = None
                await session.flush()
            place = await self._place(session, story, notes) if story.relevant else None
            story_id = await stories.insert_story(
                session,
                _row(story, read.url_key),
                case_id=place.case_id if place else None,
                adds=place.adds if place else "new",
                now=now,
            )
            relevant = story.relevant
            if place is not None:
                await self._tell_case(session, story, place, story_id)
            if known is not None:
                await stories.take_place(session, story_id, known.id)
        if not await entries.mark_read(session, entry.id, story_id):
            raise AlreadyReadError(f"entry {entry.id} was read by another worker meanwhile")
        await stories.add_story_feed(session, story_id, entry.feed_id, entry.id)
        await stories.add_findings(
            session,
            [stories.NewFinding(f.stage, f.outcome, f.reason, f.evidence, f.weight) for f in notes.findings],
            entry_id=entry.id,
            story_id=story_id,
            now=now,
        )
        if not relevant:
            return False
        step(Step.STORY_STORED)
        owed = bool(await owe(session, story_id, now=now, alert=entry.alert))
        if owed:
            await restarts.doubt(session, story_id, entry.published, now)
        return owed

    async def _place(self, session: AsyncSession, story: Story, notes: Recorder) -> Place:
        """Find or open the story's case, and tell what the story adds to it."""
        now = self._clock()
        choice = choose_case(story.fingerprint, await find_candidates(session, story.fingerprint))
        case = await cases.get_case(session, choice.case_id) if choice.case_id is not None else None
        if case is None or choice.case_id is None:
            opened = came_out(story.published, now)
            case_id = await cases.open_case(session, story.case_title or story.title, story.status, opened)
            notes.note(
                "case", "opened", told("a new case: {reason}", reason=choice.reason), weight=choice.score
            )
            return Place(case_id, case_id, "new")
        latest = came_out_by(story.published, now)
        adds = policy.adds_to_case(case.status, story.status, story_at=latest, case_updated=case.updated)
        notes.note(
            "case",
            "joined",
            told("belongs to “{title}”: {reason}", title=case.title, reason=choice.reason),
            weight=choice.score,
        )
        return Place(case.id, choice.case_id, adds)

    async def _tell_case(self, session: AsyncSession, story: Story, place: Place, story_id: int) -> None:
        """Make the story one that its case is known by, and write it into the case's timeline."""
        now = self._clock()
        at = came_out(story.published, now)
        case = await cases.get_case(session, place.case_id)
        if case is not None and place.adds == "update":
            at = max(at, case.updated)  # what it changes was there before
        await cases.add_member(
            session,
            place.found_by,
            story_id,
            terms=dict(story.fingerprint.terms),
            filed=asked(story.fingerprint),
            published=story.published,
            now=now,
        )
        kind = {"new": "opened", "update": "status"}.get(place.adds, "source")
        await cases.add_event(
            session, place.case_id, at=at, kind=kind, status=story.status, story_id=story_id
        )
        unknown = case is None or not case_status.is_known(case.status)
        status = story.status if place.adds == "update" or unknown else None
        await cases.touch_case(session, place.case_id, at, status)


async def _known(session: AsyncSession, read: Read) -> tuple[StoryRow | None, Read]:
    """Find the story that an entry's article is already; give the entry as it is to be stored without one.

    An address may be that of many articles: of the page that a feed's entries all link to, of the one to log
    in to which they lead, or one that all pages of a site name as theirs.
    """
    entry = read.entry
    known = await stories.story_by_url_key(session, entry.url_key)
    if known is not None:
        brought = await entries.brought_at_address(session, entry, known.id)
        alike = [one for one, title in brought.items() if policy.is_same_title(title, entry.title)]
        if known.id in alike or not brought:
            return known, read
        return (await session.get(StoryRow, alike[0]), read) if alike else (None, read.by_itself(None))
    if read.url_key == entry.url_key:
        return None, read
    for url in dict.fromkeys((read.story.url, read.page_url)):
        key = url_key(url) if url else read.url_key
        known = await stories.story_by_url_key(session, key)
        if known is None:
            return None, replace(read, story=replace(read.story, url=url), url_key=key)
        if policy.is_same_title(known.title, entry.title):
            return known, read
    return None, read.by_itself(entry.url_key)


@dataclass(frozen=True, slots=True)
class Place:
    """A story's place: its case, the case it was found by (one merged into the former, often the same)."""

    case_id: int
    found_by: int
    adds: str  # new, update, source


async def find_candidates(session: AsyncSession, found: Fingerprint) -> list[CaseSketch]:
    """Give the cases that a story might belong to."""
    close = nearest(await cases.get_holders(session, asked(found), HOLDERS))
    return [
        CaseSketch(
            known.case_id,
            tuple(read(Fingerprint(tuple(terms.items()), published)) for terms, published in known.members),
            known.apart,
        )
        for known in await cases.get_known(session, close, MEMBERS)
    ]


class AlreadyReadError(QuashError):
    """Another worker has stored this entry's story: this one's work is thrown away."""


def _article_of(entry: WaitingEntry) -> Article:
    body = max(entry.content, entry.summary, key=len)
    return Article(
        title=entry.title,
        body=body,
        url=entry.url,
        source=entry.feed_title,
        published=came_out(entry.published, entry.first_seen),
        is_html="<" in body,
        language=entry.feed_language,
    )


def _tripped(error: Exception) -> Unread:
    return Unread(
        told("something went wrong inside Quash ({name}); its log has more", name=type(error).__name__)
    )


def _row(story: Story, key: str | None) -> stories.NewStory:
    analysis = story_to_json(story, id="", case=None)
    analysis["relevance_evidence"] = list(story.relevance.evidence)
    return stories.NewStory(
        url=story.url,
        url_key=key,
        title=story.title,
        source=story.source,
        published=story.published,
        language=story.language,
        relevant=story.relevant,
        relevance=story.relevance.score,
        status=story.status,
        summary=story.summary,
        text=story.text if story.relevant else "",
        analysis=analysis,
        topics=tuple((t.topic, t.score) for t in story.topics),
        parties=tuple(stories.NewParty(p.name, p.kind, p.role, p.mentions) for p in story.parties),
        demands=tuple(
            stories.NewDemand(
                d.issuer, d.instrument, d.recipient, d.target, d.sought, d.status, d.statute, d.evidence
            )
            for d in story.demands
        ),
    )
