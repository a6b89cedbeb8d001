"""Telling moderators of channels that take nothing any more: once each, where they can read it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.alerts.foreign import safe_text
from bot.alerts.once import Button
from bot.alerts.telling import News, Teller
from bot.words import say, speaking
from db import notes, places
from db.places import BrokenChannel

_AT_ONCE = 20


class ClosedTeller(Teller):
    """Tells of channels that refuse; again only if messages went through meanwhile."""

    async def news(self) -> Sequence[News]:
        """Give the channels of which nobody was told."""
        async with self._database.read() as session:
            return [self._news(broken) for broken in await places.get_untold(session, _AT_ONCE)]

    def _news(self, broken: BrokenChannel) -> News:
        with speaking(broken.language):
            text = say(
                "Alerts for <#{channel}> wait: {why} Nothing is lost; what waits is posted in its order as "
                "soon as that is done.",
                channel=broken.channel_id,
                why=safe_text(broken.reason, 500),
            )
            button = Button(say("What waits"), "quash:deliveries:open")
        return News(
            name=_name(broken.channel_id),
            about=(broken.channel_id, broken.since),
            listeners=broken.listeners,
            text=text,
            buttons=(button,),
            done=partial(self._done, broken.channel_id),
        )

    async def _done(self, channel_id: int) -> None:
        async with self._database.write() as session:
            await places.mark_told(session, channel_id, self._clock())
            await notes.drop(session, _name(channel_id))


def _name(channel_id: int) -> str:
    return f"closed:{channel_id}:"
