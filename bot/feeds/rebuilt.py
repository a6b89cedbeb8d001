"""P33: what the new entries of a known feed are: news, or what it shows anew because it was rebuilt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from bot.feeds.memory import Memory
from bot.feeds.rhythm import DAY, publishing_gap
from bot.feeds.sight import Sighting
from db.feed_looks import KnownEntry
from db.feed_tables import ISSUE, OLDER, REBUILT, REVISED

_TURNING = 2  # times that a feed looked rebuilt before, within so many seconds, that show it is its habit
_TURNING_WITHIN = 30 * DAY
_BUSY_DAY = 5  # new entries at once, past which it takes the feed's own rhythm to explain them


class Judgement(NamedTuple):
    """What new entries are. `news`: how many might alert; `old`: why others are history, by their keys.

    `rebuilt`: the feed looks rebuilt, so that nobody is alerted; unless it is `turning`, as one is that shows
    other entries each time: then alerts tell what is dated after `issue_before` (Unix time).
    """

    news: int
    old: Mapping[str, str] = MappingProxyType({})
    rebuilt: bool = False
    turning: bool = False
    issue_before: float = 0

    def history_of(self, sighting: Sighting) -> str | None:
        """Say why nobody is to be alerted of a new entry; None where people are."""
        if sighting.key in self.old:
            return self.old[sighting.key]
        # Not since the last look: many issues are dated hours before they come out, or with their day alone.
        if self.turning:
            return None if is_dated_since(sighting, self.issue_before) else ISSUE
        return REBUILT if self.rebuilt else None


def judge(
    fresh: Sequence[Sighting],
    shown: Sequence[Sighting],
    known: Mapping[str, KnownEntry],
    titles: Collection[str],
    memory: Memory,
    *,
    began: datetime,
    last: datetime | None,
    now: datetime,
    cut: bool = False,
) -> Judgement:
    """Judge the new entries (`fresh`) among those that a feed shows.

    `titles` are those of entries that are stored of it, needed where `is_mostly_new`. `began` and `last` are
    its first and its last good look. `cut`: it broke off, so how large a part of it is new is not known.
    """
    old = old_among(shown, fresh, known, memory.reaches, began=began, now=now)
    news = [sighting for sighting in fresh if sighting.key not in old]
    total = len({sighting.key for sighting in shown} - old.keys())
    if last is None or not is_mostly_new(len(news), total):
        return Judgement(len(news), old)
    again = come_again(news, titles, last)
    busy = len(news) <= _BUSY_DAY and is_continued(news, shown, known, last)
    if not again and (cut or busy or not is_rebuilt(len(news), total, memory, last=last, now=now)):
        return Judgement(len(news), old)
    turning = turns_over(memory.rebuilt, now.timestamp(), again=again)
    return Judgement(len(news), old, True, turning, memory.rebuilt[-1] if turning else 0)


def is_mostly_new(new: int, total: int) -> bool:
    """P33: tell whether over half of a feed is new; one or two entries of a very short one are no half."""
    return new >= 3 and new * 2 > total


def is_rebuilt(new: int, total: int, memory: Memory, *, last: datetime | None, now: datetime) -> bool:
    """P33: tell whether over half of a known feed looks new at once, more than its own rhythm explains.

    `new` of `total` entries are; `last` is its last good look.
    """
    if not new or last is None:
        return False
    gap = publishing_gap(memory.times, last.timestamp())
    return looks_rebuilt(new, total, gap, (now - last).total_seconds())


def looks_rebuilt(new: int, total: int, gap: float | None, since: float) -> bool:
    """P33: tell whether so much is new at once that the feed was rebuilt rather than written.

    `since` is the time since the last good look in seconds: what the feed's own rhythm explains is no
    rebuilding.
    """
    explained = 3 * since / gap if gap else 0.0
    return is_mostly_new(new, total) and new > explained


def is_continued(
    news: Sequence[Sighting], shown: Sequence[Sighting], known: Mapping[str, KnownEntry], last: datetime
) -> bool:
    """Tell whether a feed goes on where it was: some entries are known, and most of the new ones are newer.

    They are dated no earlier than every known one, or at least after the `last` look (some feeds date what is
    edited anew). Those without dates are newer if they stand in front of all that is known.
    """
    places = [number for number, sighting in enumerate(shown) if sighting.key in known]
    dates = [date for number in places if (date := shown[number].published) is not None]
    if dates:
        from_then = min(max(dates), last.timestamp())
        return 2 * sum(s.published is not None and s.published >= from_then for s in news) > len(news)
    in_front = {sighting.key for sighting in shown[: places[0]]} if places else set()
    return all(s.published is None and s.key in in_front for s in news)


def old_among(
    shown: Sequence[Sighting],
    fresh: Sequence[Sighting],
    known: Mapping[str, KnownEntry],
    reaches: float | None,
    *,
    began: datetime,
    now: datetime,
) -> dict[str, str]:
    """Give the new entries that came out before, by their keys, each with what shows it."""
    older = dict.fromkeys(history(shown, known, reaches, now), OLDER)
    return older | dict.fromkeys(revisions(fresh, began), REVISED)


def history(
    shown: Sequence[Sighting], known: Mapping[str, KnownEntry], reaches: float | None, now: datetime
) -> set[str]:
    """Give the keys of new entries that lie behind all that was known, in place and in date.

    A publisher who shows more entries than before, or takes one back so that the next one moves up, brings
    these. What is new and dated back stands in front, or is newer than what the feed has shown (`reaches`, a
    Unix time); and what is younger than a day is news in any case.
    """
    places = [number for number, sighting in enumerate(shown) if sighting.key in known]
    if not places or len(places) == len(shown):
        return set()
    newest_last = _newest_last([shown[number] for number in places])
    behind = shown[: places[0]] if newest_last else shown[places[-1] + 1 :]
    end = shown[places[0] if newest_last else places[-1]].published
    before = min(end or 0, end or 0 if reaches is None else reaches, now.timestamp() - DAY)
    return {s.key for s in behind if s.published is not None and s.published < before}


def revisions(fresh: Sequence[Sighting], began: datetime) -> set[str]:
    """Give the keys of new entries that came out before a feed was looked at first, and were revised since.

    Feeds that put what was changed last in front show old articles so.
    """
    return {s.key for s in fresh if s.revised and s.published is not None and s.published < began.timestamp()}


def reach(shown: Sequence[Sighting], before: float | None) -> int | None:
    """Tell how far back a feed has shown its entries, as a Unix time: where it ends now, or did `before`."""
    ends = shown if _newest_last(shown) else shown[::-1]
    end = next((s.published for s in ends if s.published is not None), None)
    dates = [date for date in (end, before) if date is not None]
    return int(min(dates)) if dates else None


def _newest_last(shown: Sequence[Sighting]) -> bool:
    """Tell whether a feed shows its oldest entries first; few do."""
    dates = [s.published for s in shown if s.published is not None]
    return sum(a < b for a, b in pairwise(dates)) > sum(a > b for a, b in pairwise(dates))


def come_again(news: Sequence[Sighting], titles: Collection[str], last: datetime) -> bool:
    """Tell whether it is mostly old entries that a feed shows under other ids and addresses.

    Half as many different titles as entries stood in it before, and they are not dated after the `last` look,
    each at a time of its own, as new ones are whose titles repeat ("Order", "Notice").
    """
    named = {sighting.title for sighting in news if sighting.title}
    since = last.timestamp()
    later = {s.published for s in news if s.published is not None and s.published > since}
    return 2 * len(named.intersection(titles)) >= len(news) and 2 * len(later) <= len(news)


def turns_over(rebuilt: Sequence[float], now: float, *, again: bool) -> bool:
    """Tell whether a feed that looks rebuilt once more is one that shows other entries each time.

    Gazettes and daily bulletins are. `rebuilt`: when it looked so before, in Unix time; `again`: it is mostly
    its old entries that come.
    """
    times = sum(now - at <= _TURNING_WITHIN for at in rebuilt)
    return times >= _TURNING or (times > 0 and not again)


def is_dated_since(sighting: Sighting, at: float) -> bool:
    """Tell whether an entry is dated after a moment (Unix time); one without a date is not."""
    return sighting.published is not None and sighting.published > at
