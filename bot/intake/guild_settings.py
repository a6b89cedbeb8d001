"""A server's own settings: its time zone, language, quiet hours, log channel and moderator role.

What people type is checked here; what changes leaves an audit row with what was before and what is after.
Whether somebody may configure a server is the caller's check.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.errors import WishError
from bot.alerts.foreign import plain_text
from bot.words import LANGUAGES, say
from db import audit, guilds
from db.engine import Database
from db.tables import GuildRow

NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "pt": "Português"}
NO_HOURS = "off"

_HOURS = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.h](\d{2}))?")


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """What a server has set. `quiet_hours` is "22:00-07:00" by its own clock, or "off"."""

    timezone: str = "UTC"
    language: str = "en"
    quiet_hours: str = NO_HOURS
    log_channel: int | None = None
    moderator_role: int | None = None


@dataclass(frozen=True, slots=True)
class EditedSettings:
    """Settings as they were and as they are."""

    before: GuildSettings
    after: GuildSettings

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of those that differ."""
        was, now = asdict(self.before), asdict(self.after)
        return tuple(name for name in was if was[name] != now[name])


def parse_timezone(typed: str) -> str:
    """Give a time zone by its name of the IANA database ("Europe/Berlin"), or by its city ("berlin")."""
    wanted = typed.strip().replace(" ", "_").casefold()
    known = {name.casefold(): name for name in zones()}
    cities = {name.rpartition("/")[2].casefold(): name for name in zones()}
    if found := known.get(wanted) or cities.get(wanted):
        return found
    near = difflib.get_close_matches(wanted, [*known, *cities], n=1, cutoff=0.6)
    hint = (
        say("did you mean {name}?", name=known.get(near[0]) or cities[near[0]])
        if near
        else say("they are called as in Europe/Berlin or America/New_York.")
    )
    raise WishError(say("There is no time zone “{name}”; {hint}", name=plain_text(typed, 40), hint=hint))


@cache
def zones() -> tuple[str, ...]:
    """Give the names of all time zones; the first call reads the disk."""
    regions = (name for name in zoneinfo.available_timezones() if "/" in name)
    return ("UTC", *sorted(name for name in regions if not name.startswith(("Etc/", "SystemV/"))))


def parse_language(typed: str) -> str:
    """Give a language that Quash speaks, by its code or its name."""
    wanted = typed.strip().casefold()
    for code in LANGUAGES:
        if wanted in (code, NAMES[code].casefold()):
            return code
    known = ", ".join(f"{code} ({NAMES[code]})" for code in LANGUAGES)
    raise WishError(
        say("Quash does not speak “{name}”; it speaks {known}.", name=plain_text(typed, 40), known=known)
    )


def parse_quiet_hours(typed: str) -> str:
    """Give quiet hours as they are shown: "22:00-07:00" (also typed as "22-7"), or "off"."""
    said = typed.strip().casefold()
    if said in (NO_HOURS, say(NO_HOURS).casefold(), "none", "no", "-", ""):
        return NO_HOURS
    found = _HOURS.fullmatch(said)
    if found:
        hours, minutes = (int(found[1]), int(found[3])), (int(found[2] or 0), int(found[4] or 0))
        if max(hours) <= 23 and max(minutes) <= 59:
            begins, ends = (f"{h:02}:{m:02}" for h, m in zip(hours, minutes, strict=True))
            if begins == ends:
                raise WishError(say("Quiet hours begin and end at different times, such as 22:00-07:00."))
            return f"{begins}-{ends}"
    raise WishError(
        say("“{typed}” are no hours; write them as 22:00-07:00, or off.", typed=plain_text(typed, 40))
    )


# How each setting is checked.
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "timezone": parse_timezone,
    "language": parse_language,
    "quiet_hours": parse_quiet_hours,
    "log_channel": lambda channel: channel,
    "moderator_role": lambda role: role,
}
SETTINGS = tuple(_CHECKS)


def check(said: Mapping[str, Any]) -> dict[str, Any]:
    """Check what people say of settings. Raises `WishError`."""
    unknown = [name for name in said if name not in _CHECKS]
    if unknown:
        raise WishError(
            say(
                "There is no setting {name}; there are {known}.",
                name=plain_text(", ".join(unknown), 80),
                known=", ".join(SETTINGS),
            )
        )
    return {name: _CHECKS[name](value) for name, value in said.items()}


async def get_settings(database: Database, guild_id: int) -> GuildSettings:
    """Give what a server has set."""
    async with database.read() as session:
        return settings_of(await session.get(GuildRow, guild_id))


async def change_settings(
    database: Database, *, guild_id: int, user_id: int, changes: Mapping[str, Any], now: datetime
) -> EditedSettings:
    """Change some of a server's settings, those of `SETTINGS` that are named."""
    checked = check(changes)
    async with database.write() as session:
        await guilds.remember(session, guild_id, now)
        await guilds.hold(session, guild_id)
        return await store(session, guild_id, user_id, checked, now)


async def store(
    session: AsyncSession, guild_id: int, user_id: int, checked: Mapping[str, Any], now: datetime
) -> EditedSettings:
    """Store settings that were checked, in the caller's transaction."""
    row = await session.get_one(GuildRow, guild_id)
    before = settings_of(row)
    for name, value in checked.items():
        if name == "quiet_hours":
            row.quiet_from, row.quiet_to = value.split("-") if value != NO_HOURS else (None, None)
        else:
            setattr(row, name, value)
    edited = EditedSettings(before, settings_of(row))
    if names := edited.changed:
        was, is_now = asdict(edited.before), asdict(edited.after)
        audit.note(
            session,
            guild_id,
            user_id,
            now,
            "settings changed",
            before={name: was[name] for name in names},
            after={name: is_now[name] for name in names},
        )
    return edited


def settings_of(row: GuildRow | None) -> GuildSettings:
    """Give a server's row as settings; where it has none, those that hold by themselves."""
    if row is None:
        return GuildSettings()
    quiet = f"{row.quiet_from}-{row.quiet_to}" if row.quiet_from and row.quiet_to else NO_HOURS
    return GuildSettings(row.timezone, row.language, quiet, row.log_channel, row.moderator_role)
