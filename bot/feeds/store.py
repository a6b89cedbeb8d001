"""Carrying out what looks decided: entries, validators and the next look in one transaction.

A crash between storing validators and storing entries would hide those entries behind a 304 for good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import told
from bot.feeds.errors import FeedError
from bot.feeds.limits import FeedLimits
from bot.feeds.look import Decision, Look, decide
from bot.feeds.rebuilt import is_mostly_new
from bot.feeds.rhythm import FAILS_FOR_LONG
from bot.feeds.sight import Sighting
from db import feed_claims, feed_looks
from db.engine import Database, is_outage
from db.feed_looks import KnownEntry
from db.feeds import StoredFeed

_log = logging.getLogger(__name__)
_BEFORE = timedelta(days=1)  # that others may have begun to fail earlier: they were looked at later
_LONG_PAUSE = 2 * 3600.0  # seconds of failing after which pauses have grown
_LOOK = 100  # entries that deciding about a look itself takes as long as
_AT_ONCE = 1000  # entries that are decided about between two turns of the event loop


class Stored(NamedTuple):
    """A look that was stored. `decision` is None where another worker had taken the feed meanwhile."""

    look: Look
    decision: Decision | None
    merged_into: int | None = None


async def store_looks(database: Database, looks: Sequence[Look], limits: FeedLimits) -> list[Stored]:
    """Store looks at different feeds in one transaction, in order.

    Where that fails, each is tried by itself, so that one feed with something that the database refuses
    costs the others nothing; it counts as failed.
    """
    if not looks:
        return []
    try:
        async with database.write() as session:
            return await _store(session, looks, limits)
    except SQLAlchemyError as error:
        if is_outage(error):
            raise  # the feeds have nothing to do with it; they are looked at again
        if len(looks) > 1:
            return [(await store_looks(database, [look], limits))[0] for look in looks]
        look = looks[0]
        if look.error is not None:
            raise  # nothing of the feed's own is in it: the database itself is in trouble
        _log.exception("what feed %d brought cannot be stored", look.stored.id)
        sentence = told("What this feed sends cannot be stored; the log has the details.")
        return await store_looks(database, [look._replace(feed=None, error=FeedError(sentence))], limits)


async def _store(session: AsyncSession, looks: Sequence[Look], limits: FeedLimits) -> list[Stored]:
    held = await feed_claims.hold(session, {look.stored.id: look.stored.claim for look in looks})
    ours = [look for look in looks if look.stored.id in held]
    known = await known_of(session, [(look.stored, look.sightings) for look in ours if look.sightings])
    titles = {
        look.stored.id: await feed_looks.latest_titles(session, look.stored.id)
        for look in ours
        if look.stored.first_looked_at is not None
        and is_mostly_new(len(look.sightings) - len(known.get(look.stored.id, ())), len(look.sightings))
    }
    cut_off = await _cut_off(session, ours)
    scout = await _scout(session, ours)
    decisions: dict[int, Decision] = {}
    decided = 0
    for look in ours:
        decided += _LOOK + len(look.sightings)
        if decided > _AT_ONCE:
            await asyncio.sleep(0)
            decided = 0
        decisions[look.stored.id] = decide(
            look,
            known.get(look.stored.id, {}),
            limits,
            titles=titles.get(look.stored.id, ()),
            cut_off=look.stored.id in cut_off,
            scout=look.stored.id == scout,
        )
    await feed_looks.update_feeds(
        session, [_changed(look.stored, decisions[look.stored.id]) for look in ours]
    )
    await feed_looks.insert_entries(session, [row for decision in decisions.values() for row in decision.new])
    await feed_looks.edit_entries(session, [row for decision in decisions.values() for row in decision.edits])
    merged: dict[int, int | None] = {}
    for feed_id, decision in decisions.items():
        if decision.adopt is not None:
            from db import feed_moves  # few looks need it, and each start would wait for it

            merged[feed_id] = await feed_moves.adopt(session, feed_id, decision.adopt)
    return [Stored(look, decisions.get(look.stored.id), merged.get(look.stored.id)) for look in looks]


async def _cut_off(session: AsyncSession, looks: Sequence[Look]) -> set[int]:
    """Give the feeds that began to fail when all others did: no other server has answered since.

    It is our own connection that fails then, and no news of the feeds. When it works again, those that were
    not reached are looked at at once, as their pauses have grown to a day meanwhile.
    """
    failing = [look for look in looks if look.stored.failing_since is not None and _is_doubtful(look)]
    if not failing:
        return set()
    reached = await feed_looks.latest_reached(session)
    found: set[int] = set()
    for look in failing:
        if _is_none_since(look, reached):
            found.add(look.stored.id)
    back = [look for look in failing if look.succeeded and look.stored.id in found]
    if back:
        reason = told("now: the connection of Quash works again")
        await feed_looks.look_soon(session, back[0].at, reason, min(map(_since, back)) - _BEFORE)
    return found


async def _scout(session: AsyncSession, looks: Sequence[Look]) -> int | None:
    """Give the feed that is asked on at the usual pace while no server is reached, if it is among these.

    Its next success has all others looked at (`_cut_off`), which else would rest for hours after an outage of
    our connection, as their pauses have grown. For a day: longer ones are likely no outage of ours.
    """
    failing = [look for look in looks if look.unreached and 0 < _lasts(look) < FAILS_FOR_LONG]
    scout = await feed_looks.latest_unreached(session) if failing else None
    for look in failing:
        if look.stored.id == scout:
            return scout if _is_none_since(look, await feed_looks.latest_reached(session)) else None
    return None


def _is_none_since(look: Look, reached: Sequence[tuple[str, datetime]]) -> bool:
    """Tell whether no other server was reached since a feed began to fail; not known where there is none."""
    others = [at for url, at in reached if urlsplit(url).netloc != urlsplit(look.stored.url).netloc]
    return bool(others) and max(others) <= _since(look)


def _since(look: Look) -> datetime:
    """Tell since when a feed has failed; one that fails for the first time, since now."""
    return look.stored.failing_since or look.at


def _is_doubtful(look: Look) -> bool:
    """Tell whether it matters if others fail, too: before people are told, and when one can be read again."""
    if look.succeeded:
        return look.stored.last_status is None and _lasts(look) >= _LONG_PAUSE
    return look.unreached and look.stored.told_failing_at is None and _lasts(look) >= FAILS_FOR_LONG


def _lasts(look: Look) -> float:
    """Tell for how many seconds a feed has failed."""
    return (look.at - _since(look)).total_seconds()


async def known_of(
    session: AsyncSession, seen: Sequence[tuple[StoredFeed, Sequence[Sighting]]]
) -> dict[int, dict[str, KnownEntry]]:
    """Give which of the entries that feeds show are stored, by feed and key.

    Where the key is new, an entry of that feed with the same address and title is the same: some feeds give
    all their entries other ids, a few with every look. Not so one that is shown under its own key besides.
    """
    known = await feed_looks.known_entries(
        session, {feed.id: [sighting.key for sighting in sightings] for feed, sightings in seen}
    )
    fresh = [
        (feed.id, sighting)
        for feed, sightings in seen
        if feed.first_looked_at is not None
        for sighting in sightings
        if sighting.url_key and sighting.key not in known[feed.id]
    ]
    if fresh:
        pairs = list(dict.fromkeys((feed_id, sighting.url_key or "") for feed_id, sighting in fresh))
        there = await feed_looks.known_at_address(session, pairs)
        shown = {entry.id for of_feed in known.values() for entry in of_feed.values()}
        for feed_id, sighting in fresh:
            entry = there.get((feed_id, sighting.url_key or "", sighting.title))
            if entry is not None and entry.id not in shown:
                known[feed_id][sighting.key] = entry
    return known


def _changed(stored: StoredFeed, decision: Decision) -> dict[str, Any]:
    """Give the row of a feed, of its columns only those that a look changed.

    What others wrote meanwhile stays, as that something was told; and most looks find little.
    """
    changes = {name: value for name, value in decision.columns.items() if getattr(stored, name) != value}
    return {"feed_id": stored.id, **changes}
