"""One look at a feed: from what is stored and what came to what is to be stored. Pure.

`decide` is given a `Look` (the stored feed, the answer or the error) and which of its entries are known;
it gives a `Decision`, which `bot.feeds.store` carries out in one transaction. What a round makes for each
feed is a named tuple, which is made in a quarter of the time that a frozen dataclass takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from bot.errors import told
from bot.feeds import memory as memories
from bot.feeds import telling
from bot.feeds.entry_rows import new_entry_row, oldest_first, sort_out
from bot.feeds.errors import FeedError
from bot.feeds.fetch import Response
from bot.feeds.fetch_errors import FetchError, StatusError
from bot.feeds.limits import FeedLimits
from bot.feeds.memory import Memory
from bot.feeds.moves import adopted, seen_move
from bot.feeds.rebuilt import Judgement, is_rebuilt, judge, old_among, reach
from bot.feeds.rhythm import (
    DAY,
    FAILS_FOR_LONG,
    LONGEST_RETRY_AFTER,
    Answer,
    History,
    NextLook,
    latest_times,
    next_look,
    publishing_gap,
    read_freshness,
    read_retry_after,
)
from bot.feeds.sight import SeenFeed, Sighting
from bot.feeds.telling import Notice
from db.feed_looks import KnownEntry
from db.feed_tables import FIRST
from db.feeds import StoredFeed

_FORMER_KEPT = 5
_REBUILT_AGAIN = 30 * DAY  # before it is told once more: some feeds do it with every look
_REBUILT_KEPT = 5
_SHARED_KEPT = 20
_CUT_OFF_MOST = 7 * DAY  # that nothing is told of a feed because no other can be read either
_PUSHED_AT_ONCE = 10  # new entries in one push, past which the feed may have been rebuilt

_UNREACHED = frozenset({"dns", "connect", "timeout"})


class Look(NamedTuple):
    """What a look at a feed brought.

    `response` is None when there was no answer; `feed` is set when a full answer was parsed, and
    `same_body` when it was the very bytes of the last time. `error` says what failed.
    """

    stored: StoredFeed
    at: datetime
    response: Response | None = None
    body_hash: str | None = None
    same_body: bool = False
    feed: SeenFeed | None = None
    error: FeedError | None = None

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """The entries that were seen; none where nothing was read."""
        return self.feed.sightings if self.feed is not None else ()

    @property
    def succeeded(self) -> bool:
        """Whether the feed is in order: a 304, or a full answer that is a feed."""
        return self.error is None

    @property
    def unreached(self) -> bool:
        """Whether the server was not reached, which may be the fault of our own connection."""
        return isinstance(self.error, FetchError) and self.error.kind in _UNREACHED


class Decision(NamedTuple):
    """What is to be done after a look.

    `columns` are values of the feed's row (some may be as they were), `new` rows for entries, `edits`
    changed ones. `adopt` is an address that takes the place of the feed's own. `outcome` is "new", "edited",
    "unchanged" or "failed", `reason` a sentence.
    """

    outcome: str
    reason: str
    columns: Mapping[str, Any]
    new: tuple[Mapping[str, Any], ...] = ()
    edits: tuple[Mapping[str, Any], ...] = ()
    adopt: str | None = None
    notice: Notice | None = None


def body_hash(body: bytes) -> str:
    """Give what a body is recognised by; where it is the same, nothing needs parsing."""
    return hashlib.sha256(body).hexdigest()


def decide(
    look: Look,
    known: Mapping[str, KnownEntry],
    limits: FeedLimits,
    *,
    titles: Collection[str] = (),
    cut_off: bool = False,
    scout: bool = False,
) -> Decision:
    """Decide what a look means. `known` are those of its entries that are stored, by key.

    `titles` are those of entries that are stored of the feed, needed where most of what it shows is new.
    `cut_off`: since it has failed, no other server was reached either, so the fault may be on our side;
    `scout`: this feed is to find out when it ends.
    """
    memory = memories.from_json(look.stored.memory)
    if look.error is not None:
        return _after_failure(look, look.error, memory, limits, cut_off=cut_off, scout=scout)
    return _after_success(look, known, titles, memory, limits)


# ------------------------------------------------------------------------ failure


def _after_failure(
    look: Look, error: FeedError, memory: Memory, limits: FeedLimits, *, cut_off: bool, scout: bool
) -> Decision:
    """Nothing of a failed answer is kept but what it asks for: neither validators (P8, P9) nor a body."""
    stored, response, now = look.stored, look.response, look.at
    failing_since = stored.failing_since
    if failing_since is None or _was_left_out(stored, now):
        failing_since = now
    status = response.status if response is not None else None
    memory = replace(memory, gone=memory.gone + 1 if status == 410 else 0)
    answer = _answer(look, error)
    if answer.retry_after is not None:
        memory = replace(
            memory, not_before=int(min(answer.retry_after, LONGEST_RETRY_AFTER) + now.timestamp()) + 1
        )
    history = History(
        limits,
        str(stored.id),
        gap=publishing_gap(memory.times, now.timestamp()),
        hints=memory.hints,
        failures=stored.failures + 1,
        failing_since=failing_since,
        gone=memory.gone,
        scout=scout,
    )
    when = next_look(history, answer, now)
    columns = _columns(look, memory, when) | {
        "failures": stored.failures + 1,
        "failing_since": failing_since,
        "failure": str(error),
    }
    notice = None
    if when.when is None:
        columns["state"] = "gone"
        notice = telling.gone(name_of(stored))
    elif stored.told_failing_at is None and (now - failing_since).total_seconds() >= (
        _CUT_OFF_MOST if cut_off else FAILS_FOR_LONG
    ):
        columns["told_failing_at"] = now
        cause = str(answer.status) if answer.kind == "status" else answer.kind
        notice = telling.failing(name_of(stored), str(error), cause=cause)
    return Decision("failed", str(error), _with_notice(columns, notice), notice=notice)


def _was_left_out(stored: StoredFeed, now: datetime) -> bool:
    """Tell whether nobody looked for long when it was time (we were away): it may have worked meanwhile."""
    return stored.next_look is not None and (now - stored.next_look).total_seconds() >= FAILS_FOR_LONG


def _answer(look: Look, error: FeedError | None) -> Answer:
    response, now = look.response, look.at
    kind = "ok"
    if isinstance(error, StatusError):
        kind = "status"
    elif isinstance(error, FetchError):
        kind = error.kind
    elif error is not None:
        kind = "parse"
    if response is None:
        return Answer(kind)
    # What a body that is no feed says of its freshness says nothing of the feed (P9).
    fresh = read_freshness(response.headers, now) if kind == "ok" or response.status == 429 else None
    retry_after = read_retry_after(response.headers, now) if kind == "status" else None
    return Answer(kind, response.status, fresh, retry_after)


# ------------------------------------------------------------------------ success


def _after_success(
    look: Look,
    known: Mapping[str, KnownEntry],
    titles: Collection[str],
    memory: Memory,
    limits: FeedLimits,
) -> Decision:
    stored, now = look.stored, look.at
    fresh, edited = sort_out(look.sightings, known)
    began = stored.first_looked_at
    first = began is None
    if first:  # a hub was told to end its sending when nobody used the feed any more
        memory = replace(memory, push_until=None)
    judged = Judgement(0)
    if fresh and began is not None:
        last = stored.last_success_at
        judged = judge(
            fresh, look.sightings, known, titles, memory, began=began, last=last, now=now, cut=_is_cut(look)
        )
    if judged.rebuilt:
        memory = replace(memory, rebuilt=(*memory.rebuilt, int(now.timestamp()))[-_REBUILT_KEPT:])
    rows = [
        new_entry_row(s, stored.id, now, history=FIRST if first else judged.history_of(s))
        for s in oldest_first(fresh, now)
    ]
    if look.feed is not None:
        hub, topic = _hub_of(look.feed, look)
        memory = replace(
            memory,
            times=latest_times([*memory.times, *_appeared(fresh, now, first=first)]),
            hints=look.feed.rhythm,
            hub=hub,
            topic=topic,
            shared=look.feed.shared[:_SHARED_KEPT],
            reaches=reach(look.sightings, memory.reaches),
            # An entry that its hub did not send before we looked: the hub is not to be relied on.
            push_until=None if judged.news else memory.push_until,
        )
    move = seen_move(look, len(known), titles, memory)
    if memory.gone or memory.not_before is not None or memory.move != move:
        memory = replace(memory, gone=0, not_before=None, move=move)
    validators = _validators(look)
    history = History(
        limits,
        str(stored.id),
        validators=any(validators.values()),
        gap=publishing_gap(memory.times, now.timestamp()),
        hints=memory.hints,
        pushed=memory.pushed(now),
    )
    adopt = adopted(memory, now, news=bool(fresh))
    if adopt is not None:
        former = (*memory.former, stored.url)[-_FORMER_KEPT:]
        memory = replace(memory, move=None, former=former)
    title = (look.feed.title if look.feed is not None else "") or stored.title
    notice, memory = _good_notice(
        name_of(stored._replace(title=title)),
        look,
        memory,
        adopt,
        rebuilt=judged.news if judged.rebuilt and not judged.turning else 0,
    )
    columns = _columns(look, memory, next_look(history, _answer(look, None), now)) | validators
    columns |= {
        "failures": 0,
        "failing_since": None,
        "failure": None,
        "told_failing_at": None,
        "last_success_at": now,
        "first_looked_at": stored.first_looked_at or now,
    }
    if look.body_hash is not None:
        columns["body_hash"] = look.body_hash
    if fresh or edited:
        columns["last_change_at"] = now
    if look.feed is not None:
        columns |= _described(look.feed, stored, title)
        if not look.feed.cut:  # else the next look may show more
            columns["oldest_shown"] = min((entry.id for entry in known.values()), default=None)
    return Decision(
        "new" if fresh else "edited" if edited else "unchanged",
        _summary(look, len(fresh), len(edited), judged, first=first),
        _with_notice(columns, notice),
        tuple(rows),
        tuple(edited),
        adopt,
        notice,
    )


def decide_push(
    stored: StoredFeed,
    sightings: Sequence[Sighting],
    known: Mapping[str, KnownEntry],
    limits: FeedLimits,
    *,
    now: datetime,
    until: datetime,
) -> Decision:
    """Decide what a hub's push means. `until`: how long the hub will send.

    Nothing is touched that came over HTTP (validators, freshness, failures): the next look is only later,
    once, when the hub begins to deliver. A push may hold what is new alone, so "over half is new" tells of a
    rebuilt feed only where it is much.
    """
    memory = memories.from_json(stored.memory)
    begins = not memory.pushed(now)
    fresh, edited = sort_out(sightings, known)
    old = old_among(sightings, fresh, known, memory.reaches, began=stored.first_looked_at or now, now=now)
    news = len(fresh) - len(old)
    rebuilt = news > _PUSHED_AT_ONCE and is_rebuilt(
        news, len(sightings) - len(old), memory, last=stored.last_success_at or now, now=now
    )
    judged = Judgement(news, old, rebuilt)
    memory = replace(
        memory,
        times=latest_times([*memory.times, *_appeared(fresh, now, first=False)]),
        push_until=int(until.timestamp()),
    )
    notice, memory = _rebuilt_notice(name_of(stored), now, memory, news if rebuilt else 0)
    columns: dict[str, Any] = {"memory": memories.to_json(memory)}
    rhythm = History(
        limits,
        str(stored.id),
        validators=bool(stored.etag or stored.last_modified),
        gap=publishing_gap(memory.times, now.timestamp()),
        hints=memory.hints,
        pushed=True,
    )
    later = next_look(rhythm, Answer("ok"), now)
    # With each push anew, a hub that sends often, but not all, would put the look off that shows it. One that
    # is due shows what came before the hub began.
    planned = None if stored.failures else stored.next_look
    if begins and later.when and planned and now < planned < later.when:
        columns |= {"next_look": later.when, "next_reason": later.reason}
    if fresh or edited:
        columns["last_change_at"] = now
    return Decision(
        "new" if fresh else "edited" if edited else "unchanged",
        told("sent by its hub: {number} new, {edited} edited", number=len(fresh), edited=len(edited)),
        _with_notice(columns, notice),
        tuple(
            new_entry_row(s, stored.id, now, history=judged.history_of(s)) for s in oldest_first(fresh, now)
        ),
        tuple(edited),
        notice=notice,
    )


def _hub_of(feed: SeenFeed, look: Look) -> tuple[str | None, str | None]:
    """Give where a feed can be subscribed to, and as what; headers come first (WebSub section 4)."""
    response = look.response
    headers = response.headers.getall("Link", ()) if response is not None else ()
    hub = own = None
    if response is not None and headers:
        from bot.feeds.discover import find_hub  # few servers send any, and each start would wait for it

        hub, own = find_hub(headers, response.url)
    hub = hub or feed.hub
    return hub, (own or feed.self_url or look.stored.url) if hub else None


def _appeared(fresh: Sequence[Sighting], now: datetime, *, first: bool) -> list[float]:
    """When the new entries appeared. On a first look only their own dates can tell."""
    last = now.timestamp()
    times: list[float] = []
    for sighting in fresh:
        if sighting.published is not None and sighting.published <= last:
            times.append(sighting.published)
        elif not first:
            times.append(last)
    return times


def _is_cut(look: Look) -> bool:
    return look.feed is not None and look.feed.cut


def _validators(look: Look) -> dict[str, str | None]:
    """What to send next time: P4 to P7. A 200 says all anew, a 304 only what it names.

    P9 for a document that breaks off: what is missing of it would not be seen until the feed changes.
    """
    response, stored = look.response, look.stored
    if response is None:
        return {}
    if _is_cut(look):
        return {"etag": None, "last_modified": None}
    etag, last_modified = response.etag, response.last_modified
    if response.not_modified:
        etag = stored.etag if etag is None else etag
        last_modified = stored.last_modified if last_modified is None else last_modified
    return {"etag": etag, "last_modified": last_modified}


def _described(feed: SeenFeed, stored: StoredFeed, title: str) -> dict[str, Any]:
    """The feed's own words about itself; where it is silent, what is stored stays."""
    return {
        "title": title,
        "site": feed.link or stored.site,
        "language": (feed.language or stored.language or "")[:16] or None,
    }


# -------------------------------------------------------------------------- shared


def _columns(look: Look, memory: Memory, when: NextLook) -> dict[str, Any]:
    """Give the columns that each look sets."""
    return {
        "next_look": when.when,
        "next_reason": when.reason,
        "last_looked_at": look.at,
        "last_status": look.response.status if look.response is not None else None,
        "memory": memories.to_json(memory),
    }


def _with_notice(columns: dict[str, Any], notice: Notice | None) -> dict[str, Any]:
    return columns if notice is None else columns | {"notice": notice.kind, "notice_text": notice.text}


def _good_notice(
    name: str, look: Look, memory: Memory, adopt: str | None, *, rebuilt: int
) -> tuple[Notice | None, Memory]:
    """Give what is to be told after a good look, and the memory of it. `rebuilt`: entries kept back."""
    if look.stored.told_failing_at is not None:
        again, memory = _rebuilt_notice(name, look.at, memory, rebuilt)
        return telling.back(name) if again is None else telling.back_rebuilt(name, rebuilt), memory
    if adopt is not None:
        return telling.moved(name, _shown_host(adopt)), memory
    return _rebuilt_notice(name, look.at, memory, rebuilt)


def _rebuilt_notice(name: str, now: datetime, memory: Memory, new: int) -> tuple[Notice | None, Memory]:
    if not new or now.timestamp() - (memory.told_rebuilt or 0) < _REBUILT_AGAIN:
        return None, memory
    return telling.rebuilt(name, new), replace(memory, told_rebuilt=int(now.timestamp()))


def _summary(look: Look, new: int, edited: int, judged: Judgement, *, first: bool) -> str:
    if look.feed is None:
        return (
            told("nothing changed, says the server")
            if not look.same_body
            else told("the same bytes as last time")
        )
    if first:
        return told("first look: {entries} stored, nobody is alerted of them", entries=_entries(new))
    if judged.turning:
        entries = _entries(judged.news)
        return told("as before {entries} are new at once: alerts tell the newly dated", entries=entries)
    if judged.rebuilt:
        entries = _entries(judged.news)
        return told("rebuilt: {entries} look new at once, nobody is alerted of them", entries=entries)
    if judged.old:
        entries = _entries(len(judged.old))
        return told(
            "{number} new; {entries} older than those that it showed: nobody is alerted of them",
            number=judged.news,
            entries=entries,
        )
    match new, edited:
        case 0, 0:
            return told("nothing new")
        case _, 0:
            return told("{number} new", number=new)
        case 0, _:
            return told("{edited} edited", edited=edited)
    return told("{number} new, {edited} edited", number=new, edited=edited)


def _entries(number: int) -> str:
    return told("{number} entry", number=number) if number == 1 else told("{number} entries", number=number)


def name_of(stored: StoredFeed) -> str:
    """Give what people know a feed by."""
    return stored.title or _shown_host(stored.url)


def _shown_host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0] or url
