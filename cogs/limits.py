"""How often one member may ask: friendly bounds, counted in memory, per process."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

import discord

from bot.words import say_number
from cogs.guards import NotAllowedError

_PACE = 30, timedelta(seconds=10)  # commands and clicks of one person; nobody reads faster
_MOST_PEOPLE = 20_000  # that are remembered; the one who has not asked for longest is forgotten


class Budget:
    """At most `most` in `within`, for each person (or whoever else has a number)."""

    def __init__(self, most: int, within: timedelta) -> None:
        self._most = most
        self._within = within
        self._asked: OrderedDict[int, deque[datetime]] = OrderedDict()

    def spend(self, user_id: int, now: datetime) -> None:
        """Count one. Raises `NotAllowedError` that says when the next is possible."""
        self.check(user_id, now)
        self._asked[user_id].append(now)

    def check(self, user_id: int, now: datetime) -> None:
        """Raise `NotAllowedError` where one more is not possible now; nothing is counted."""
        times = self._asked.setdefault(user_id, deque())
        self._asked.move_to_end(user_id)
        while times and (now - times[0] >= self._within or times[0] > now):
            times.popleft()
        if len(times) >= self._most:
            wait = max(1, int((times[0] + self._within - now).total_seconds()))
            raise NotAllowedError(
                say_number(
                    "That was a lot in a short time; try again in {number} second.",
                    "That was a lot in a short time; try again in {number} seconds.",
                    wait,
                )
            )
        while len(self._asked) > _MOST_PEOPLE:
            self._asked.popitem(last=False)


_everything = Budget(*_PACE)


def check_pace(interaction: discord.Interaction) -> None:
    """Count a command or a click. Raises `NotAllowedError` for one who sends them faster than one reads.

    By Discord's own time of the interaction, so that an interaction that waited in a queue counts for when
    it was made.
    """
    _everything.spend(interaction.user.id, interaction.created_at)
