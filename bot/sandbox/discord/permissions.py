"""Who may do what: Discord's permission bits and how roles and overwrites add up.

Source: https://docs.discord.com/developers/topics/permissions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.discord.model import Channel, Guild

CREATE_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
BAN_MEMBERS = 1 << 2
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_AUDIT_LOG = 1 << 7
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
SEND_TTS = 1 << 12
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_EXTERNAL_EMOJIS = 1 << 18
MANAGE_ROLES = 1 << 28
MANAGE_WEBHOOKS = 1 << 29
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
USE_EXTERNAL_APPS = 1 << 50
PIN_MESSAGES = 1 << 51

NAMES: dict[str, int] = {
    name.lower(): value
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, int)
}
ALL = (1 << 52) - 1

EVERYONE_DEFAULT = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | ADD_REACTIONS
    | USE_APPLICATION_COMMANDS
    | USE_EXTERNAL_APPS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS
)
BOT_DEFAULT = EVERYONE_DEFAULT | MANAGE_THREADS | MANAGE_MESSAGES
DM_PERMISSIONS = EVERYONE_DEFAULT | MENTION_EVERYONE

Permissions = int | Iterable[str]
"""A bit set, or the lower-case names of permissions (`manage_guild`)."""


def bits(permissions: Permissions) -> int:
    """Turn names of permissions into their bit set; a bit set stays as it is."""
    if isinstance(permissions, int):
        return permissions
    value = 0
    for name in permissions:
        if name not in NAMES:
            raise ValueError(f"no such permission: {name}; known are {', '.join(sorted(NAMES))}")
        value |= NAMES[name]
    return value


def names(value: int) -> list[str]:
    """List the names of the permissions in a bit set."""
    return [name for name, bit in NAMES.items() if value & bit]


def in_guild(guild: Guild, user_id: int) -> int:
    """Add up what a member's roles allow, before any channel has its say."""
    if user_id == guild.owner_id:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return 0
    value = guild.roles[guild.id].permissions
    for role_id in member.roles:
        value |= guild.roles[role_id].permissions
    return ALL if value & ADMINISTRATOR else value


def in_channel(guild: Guild, channel: Channel, user_id: int) -> int:
    """Add up what a member may do in a channel; a thread takes its parent's overwrites."""
    value = in_guild(guild, user_id)
    member = guild.members.get(user_id)
    if value == ALL or member is None:
        return value
    where = guild.channels[channel.parent_id] if channel.thread and channel.parent_id else channel
    everyone = where.overwrites.get(guild.id)
    if everyone:
        value = value & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in member.roles:
        overwrite = where.overwrites.get(role_id)
        if overwrite:
            allow |= overwrite.allow
            deny |= overwrite.deny
    value = value & ~deny | allow
    own = where.overwrites.get(user_id)
    if own:
        value = value & ~own.deny | own.allow
    return _implied(value, in_thread=channel.thread is not None)


def _implied(value: int, *, in_thread: bool) -> int:
    if not value & VIEW_CHANNEL:
        return 0
    speaks = SEND_MESSAGES_IN_THREADS if in_thread else SEND_MESSAGES
    if not value & speaks:
        value &= ~(MENTION_EVERYONE | SEND_TTS | ATTACH_FILES | EMBED_LINKS)
    return value
