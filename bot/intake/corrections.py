"""What moderators put right: sources that members find off topic, and what a server says of a case.

Cases are the same for all servers of one bot. So a server's name and status for a case are shown in that
server alone; that two cases are one, or one is two, is proposed to the operator (`quash cases proposals`).
Whether somebody may configure a server is the caller's check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.errors import NotHereError, WishError
from bot.alerts.foreign import safe_text, safe_url
from bot.alerts.once import Button
from bot.alerts.telling import News, Teller
from bot.alerts.wishes import MOST_ITEMS, parse_statuses
from bot.words import say, speaking
from db import audit, case_overrides, guilds, lookups, notes, places, reports, rules
from db.engine import Database
from db.lookups import Viewer
from db.places import Listening
from db.reports import OffTopic
from db.stories import name_key
from db.tables import CaseOverrideRow, CaseProposalRow, CaseRow

MEMBERS = 3  # who report stories of a source, from which on moderators are told
STORIES = 2
_WITHIN = timedelta(days=90)
_EVERY = timedelta(hours=1)
_TOLD = "told:offtopic:"
_TITLE = 200


class OffTopicTeller(Teller):
    """Suggests to moderators to leave out a source that members find off topic; once for the same reports.

    Told are numbers, never who. Nothing changes unless a moderator clicks.
    """

    _looked: datetime | None = None

    async def news(self) -> Sequence[News]:
        """Count the reports once an hour; gives what no moderator was told of."""
        now = self._clock()
        if self._looked is not None and timedelta(0) <= now - self._looked < _EVERY:
            return ()
        self._looked = now
        made: list[News] = []
        async with self._database.read() as session:
            found = await reports.count_by_source(session, now - _WITHIN, members=MEMBERS, stories=STORIES)
            told = await notes.named(session, _TOLD)
            listening = await places.get_listeners(session, {one.guild_id for one in found})
            for one in found:
                fresh: OffTopic | None = one
                last = told.get(_note(one))
                if last is not None:
                    since = datetime.fromisoformat(last)
                    fresh = await reports.count_again(session, one, since, members=MEMBERS, stories=STORIES)
                if fresh is None or one.guild_id not in listening or await _is_left_out(session, one):
                    continue
                where = listening[one.guild_id]
                with speaking(where.language):
                    made.append(self._suggestion(fresh, where, last))
        # What was told before the reports that are counted begin says nothing more.
        await self._forget(name for name, at in told.items() if datetime.fromisoformat(at) < now - _WITHIN)
        return made

    def _suggestion(self, one: OffTopic, where: Listening, last: str | None) -> News:
        text = say(
            "{members} members found {stories} stories from {source} off topic: exclude it from all rules?",
            members=one.members,
            stories=one.stories,
            source=f"**{safe_text(one.source, 100)}**",
        )
        return News(
            name=_telling(one),
            about=("offtopic", one.guild_id, one.source, last),
            where=where,
            text=text,
            done=partial(self._done, one),
            buttons=(
                Button(say("Exclude source"), f"quash:source:exclude:{one.story_id}"),
                Button(say("Dismiss"), f"quash:source:dismiss:{one.story_id}"),
            ),
        )

    async def _done(self, one: OffTopic) -> None:
        async with self._database.write() as session:
            # What was reported in this very moment counts for the next time.
            await notes.put(session, _note(one), (self._clock() + timedelta(microseconds=1)).isoformat())
            await notes.drop(session, _telling(one))


def _mark(one: OffTopic) -> str:
    return f"{one.guild_id}:{hashlib.sha256(one.source.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _note(one: OffTopic) -> str:
    return _TOLD + _mark(one)


def _telling(one: OffTopic) -> str:
    return f"offtopic:{_mark(one)}:"


async def _is_left_out(session: AsyncSession, one: OffTopic) -> bool:
    """Tell whether no rule brings a source any more."""
    rows = await rules.get_rules_of_guild(session, one.guild_id)
    key = name_key(one.source)
    return all(key in map(name_key, row.exclude_sources) for row in rows)


async def exclude_source(
    database: Database, *, guild_id: int, user_id: int, story_id: int, now: datetime
) -> str:
    """Leave a reported story's source out of all rules of a server; gives its name (raw). Twice is once."""
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        source = await _reported(session, guild_id, story_id)
        changed = []
        for row in await rules.get_rules_of_guild(session, guild_id):
            if name_key(source) in map(name_key, row.exclude_sources):
                continue
            if len(row.exclude_sources) >= MOST_ITEMS:
                raise WishError(
                    say("Rule #{number} leaves out {most} sources already.", number=row.id, most=MOST_ITEMS)
                )
            row.exclude_sources = [*row.exclude_sources, source]
            changed.append(row.id)
        if changed:
            after = {"source": source, "rules": changed}
            audit.note(session, guild_id, user_id, now, "source excluded", after=after)
    return source


async def dismiss_source(
    database: Database, *, guild_id: int, user_id: int, story_id: int, now: datetime
) -> str:
    """Note that moderators want a source all the same; gives its name (raw)."""
    async with database.write() as session:
        source = await _reported(session, guild_id, story_id)
        audit.note(session, guild_id, user_id, now, "suggestion dismissed", after={"source": source})
    return source


async def _reported(session: AsyncSession, guild_id: int, story_id: int) -> str:
    source = await reports.get_reported_source(session, guild_id, story_id)
    if not source:
        raise NotHereError(say("Nobody here has reported a story from that source (any more)."))
    return source


# ------------------------------------------------------------------------ cases


async def rename_case(
    database: Database, *, guild_id: int, user_id: int, case_id: int, title: str, now: datetime
) -> None:
    """Give a case a name that this server sees; an empty one takes it away again."""
    said = " ".join(title.split())[:_TITLE]
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        case = await _case(session, guild_id, case_id)
        row = await _override(session, guild_id, case, user_id, now)
        before = {"case": case.id, "title": row.title or case.title}
        row.title = said if said and said != case.title else None
        after = {"case": case.id, "title": row.title or case.title}
        if after != before:
            audit.note(session, guild_id, user_id, now, "case renamed", before=before, after=after)
        await _tidy(session, row)


async def set_case_status(
    database: Database, *, guild_id: int, user_id: int, case_id: int, status: str, source: str, now: datetime
) -> None:
    """Say where a case stands, with the address that tells so; shown in this server beside what articles
    report. An empty status takes it away again."""
    found = parse_statuses(status) if status.strip() else ()
    if len(found) > 1:
        raise WishError(say("A case has one status; name one."))
    address = safe_url(source.strip())
    if found and not address:
        raise WishError(say("Give the address of a page that tells so, beginning with https://."))
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        case = await _case(session, guild_id, case_id)
        row = await _override(session, guild_id, case, user_id, now)
        before = {"case": case.id, "status": row.status or case.status, "source": row.source}
        row.status, row.source = (found[0], address) if found else (None, None)
        after = {"case": case.id, "status": row.status or case.status, "source": row.source}
        if after != before:
            audit.note(session, guild_id, user_id, now, "case status set", before=before, after=after)
        await _tidy(session, row)


async def propose_merge(
    database: Database, *, guild_id: int, user_id: int, case_id: int, other_id: int, now: datetime
) -> int:
    """Propose to the operator that another case becomes part of a case; gives the proposal's number."""
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        case, other = await _case(session, guild_id, case_id), await _case(session, guild_id, other_id)
        if case.id == other.id:
            raise WishError(say("Those are one case already."))
        row = await case_overrides.propose(
            session,
            guild_id=guild_id,
            user_id=user_id,
            kind="merge",
            case_id=case.id,
            other_id=other.id,
            now=now,
        )
        return _proposed(session, row, now)


async def propose_split(
    database: Database, *, guild_id: int, user_id: int, case_id: int, story_id: int, now: datetime
) -> int:
    """Propose to the operator that a story leaves a case for one of its own; gives the proposal's number."""
    async with database.write() as session:
        await guilds.hold(session, guild_id)
        case = await _case(session, guild_id, case_id)
        view = await lookups.case_view(session, Viewer(guild_id), case)
        if story_id not in {story.id for story in view.stories} or len(view.stories) < 2:
            raise WishError(say("The case has no such story, or no other one that would stay."))
        row = await case_overrides.propose(
            session,
            guild_id=guild_id,
            user_id=user_id,
            kind="split",
            case_id=case.id,
            story_id=story_id,
            now=now,
        )
        return _proposed(session, row, now)


def _proposed(session: AsyncSession, row: CaseProposalRow, now: datetime) -> int:
    after = {"case": row.case_id, "other case": row.other_id, "story": row.story_id}
    known = {name: value for name, value in after.items() if value is not None}
    audit.note(session, row.guild_id, row.proposed_by, now, f"case {row.kind} proposed", after=known)
    return row.id


async def _case(session: AsyncSession, guild_id: int, case_id: int) -> CaseRow:
    found = await lookups.find_cases(session, Viewer(guild_id), str(case_id))
    if not found or found[0].id != case_id:
        raise gone(case_id)
    return found[0]


def gone(case_id: int) -> NotHereError:
    """Give the error for a case that is not, or not any more, among a server's cases."""
    return NotHereError(say("There is no case #{number} here (any more).", number=case_id))


async def _override(
    session: AsyncSession, guild_id: int, case: CaseRow, user_id: int, now: datetime
) -> CaseOverrideRow:
    row = await case_overrides.get(session, guild_id, case.id)
    if row is None:
        row = CaseOverrideRow(guild_id=guild_id, case_id=case.id, at=now)
        session.add(row)
    row.at, row.changed_by = now, user_id
    return row


async def _tidy(session: AsyncSession, row: CaseOverrideRow) -> None:
    await session.flush()
    if row.title is None and row.status is None:
        await session.delete(row)
