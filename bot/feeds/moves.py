"""P25: a permanent redirect, and when its target takes the place of the feed's own address. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.feeds.memory import Memory, Move
from bot.feeds.rhythm import DAY

if TYPE_CHECKING:
    from bot.feeds.look import Look

# How long and how often a redirect must be seen, and how long adopting its target may be put off.
_SECONDS = 7 * DAY
_LOOKS = 3
_PUT_OFF = 7 * DAY


def seen_move(look: Look, known: int, titles: Collection[str], memory: Memory) -> Move | None:
    """Give where permanent redirects led, and whether the target shows entries of this feed.

    A site with a new name gives its articles new addresses, and often ids; then it is known by their titles.
    A 304 is no proof: the validators of two servers may happen to be the same ("1").
    """
    response = look.response
    target = response.moved_to if response is not None else None
    if target is None or target in (look.stored.url, memory.refused_move):
        return None
    move = memory.move
    if move is None or move.to != target:
        move = Move(target, int(look.at.timestamp()), 0, None)
    ours = move.ours
    if ours is None and look.same_body:
        ours = True
    elif ours is None and look.feed is not None:
        named = {sighting.title for sighting in look.sightings if sighting.title}
        known = max(known, len(named.intersection(titles)))
        ours = look.stored.first_looked_at is None or known * 2 >= len(look.sightings) > 0
    return replace(move, seen=move.seen + 1, ours=ours)


def adopted(memory: Memory, now: datetime, *, news: bool) -> str | None:
    """Give the address that is adopted now. Where a look brings `news`, that is put off.

    A feed that has the address may have brought them, too: they would be taken for known by those who use
    this one, when both are merged.
    """
    move = memory.move
    if move is None or not move.ours or move.seen < _LOOKS:
        return None
    seen_for = now.timestamp() - move.since
    return move.to if seen_for >= _SECONDS + (_PUT_OFF if news else 0) else None
