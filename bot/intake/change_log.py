"""Telling the log channel of servers that have one who changed what, as `/audit` does.

Told are the changes that came after this began, in their order; how far it has come is one note for all
servers. What moderators decided on in a review is left out: the message that asked them says so itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.alerts.foreign import width
from bot.alerts.telling import News, Teller
from bot.intake import changes
from bot.words import say, say_number, speaking
from db import audit, notes
from db.places import Listening
from db.tables import AuditRow, GuildRow

# Seconds until a change is told: those that somebody makes one after the other share a message, and one that
# is stored a little later than it began is not passed over.
_SETTLED = timedelta(seconds=20)
_AT_ONCE = 200  # changes that are looked at in one go
_ROOM = 1700  # units of a message's 2000
_TOLD = "told:audit"
_TELLING = "audit-told:"
_OF_REVIEWS = "review "


class ChangeTeller(Teller):
    """Tells of changes to servers' configurations."""

    async def news(self) -> Sequence[News]:
        """Give a message for each server that has a log channel and was changed."""
        now = self._clock()
        async with self._database.read() as session:
            said = await notes.get(session, _TOLD)
            newest = await audit.get_newest(session)
            told, _, until = (said or str(newest)).partition(" ")
            last = int(told)
            # Where the last ones are deleted, for their age or with their server, SQLite gives their numbers
            # again: what came a moment ago has not been told, what is older has.
            if last > newest:
                last, until = await audit.get_newest(session, now - _SETTLED), ""
            rows = await audit.get_after(session, last, _AT_ONCE) if last < newest else []
        if said is None or last != int(told):  # what was before is no news
            await self._note(str(last))
        of: dict[int, list[AuditRow]] = {}
        servers = {server.id: server for _, server in rows}
        looked_at = last
        for row, server in rows:
            if timedelta(0) <= now - row.at < _SETTLED or (until and row.id > int(until)):
                break
            looked_at = row.id
            wants = server.log_channel is not None and server.left_at is None
            if wants and not row.action.startswith(_OF_REVIEWS):
                of.setdefault(row.guild_id, []).append(row)
        made = [self._news(servers[guild_id], theirs) for guild_id, theirs in of.items()]
        if not made:
            if looked_at > last:
                await self._note(str(looked_at))
            return ()
        # A message that has to be tried again is about the same changes, whatever came since.
        await self._note(f"{last} {looked_at}")
        return [*made[:-1], replace(made[-1], done=partial(self._done, looked_at))]

    def _news(self, server: GuildRow, rows: Sequence[AuditRow]) -> News:
        with speaking(server.language):
            lines: list[str] = []
            room = _ROOM
            for row in rows:
                line = changes.told(row)
                room -= width(line) + 1
                if room < 0:
                    break
                lines.append(line)
            if left := len(rows) - len(lines):
                more = say_number("and {number} more", "and {number} more", left)
                lines.append(f"-# … {more} · `/audit`")
            title = say("Changes")
        return News(
            name=_TELLING,
            about=("audit", server.id, rows[0].id, rows[0].at),
            where=Listening(server.id, (server.log_channel or 0,), server.language),
            text="\n".join((f"**{title}**", *lines)),
            done=_nothing,
        )

    async def _done(self, looked_at: int) -> None:
        await self._note(str(looked_at))
        async with self._database.write() as session:
            await notes.drop(session, _TELLING)

    async def _note(self, how_far: str) -> None:
        async with self._database.write() as session:
            await notes.put(session, _TOLD, how_far)


async def _nothing() -> None:
    """It is noted when all servers were told."""
