"""The things there are on a Discord: users, guilds, roles, channels, threads, members, messages.

Plain state; ids are ints here and become strings in `payloads`. Changed through `world.World`, which tells
the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.discord.errors import Json

TEXT, DM, VOICE, CATEGORY, ANNOUNCEMENT = 0, 1, 2, 4, 5
ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, FORUM, MEDIA = 10, 11, 12, 15, 16
CHANNEL_TYPES: dict[str, int] = {
    "text": TEXT,
    "dm": DM,
    "voice": VOICE,
    "category": CATEGORY,
    "announcement": ANNOUNCEMENT,
    "announcement_thread": ANNOUNCEMENT_THREAD,
    "public_thread": PUBLIC_THREAD,
    "private_thread": PRIVATE_THREAD,
    "forum": FORUM,
    "media": MEDIA,
}
THREADS = frozenset({ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})
WRITABLE = frozenset({TEXT, DM, VOICE, ANNOUNCEMENT}) | THREADS

CROSSPOSTED, SUPPRESS_EMBEDS, HAS_THREAD, EPHEMERAL, LOADING = 1 << 0, 1 << 2, 1 << 5, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 12, 1 << 15

GUILDS, GUILD_MEMBERS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = (
    1 << 0,
    1 << 1,
    1 << 9,
    1 << 12,
    1 << 15,
)


@dataclass(slots=True)
class User:
    """An account. `dms_open`: lets members of shared guilds write to it. `has_app`: installed the app."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    dms_open: bool = True
    has_app: bool = False


@dataclass(slots=True)
class Application:
    """The bot's application, and which privileged intents its owner has switched on."""

    id: int
    bot_id: int
    owner_id: int
    name: str = "Quash"
    members_intent: bool = False
    presence_intent: bool = False
    content_intent: bool = False


@dataclass(slots=True)
class Role:
    """A role of a guild; the one with the guild's id is @everyone."""

    id: int
    name: str
    permissions: int
    position: int = 0
    mentionable: bool = False
    managed: bool = False
    bot_id: int | None = None


@dataclass(slots=True)
class Overwrite:
    """What a channel allows or denies to one role or one member."""

    id: int
    member: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Tag:
    """A tag of a forum."""

    id: int
    name: str
    moderated: bool = False


@dataclass(slots=True)
class Thread:
    """What a thread has beyond a channel; times in seconds since 1970."""

    owner_id: int
    created: float
    changed: float
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 4320
    members: dict[int, float] = field(default_factory=dict)
    tags: list[int] = field(default_factory=list)
    count: int = 0
    total: int = 0


@dataclass(slots=True)
class Channel:
    """A place for messages: of a guild, a thread of one of its channels, or a DM with `recipients`."""

    id: int
    type: int
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    position: int = 0
    topic: str | None = None
    tags: list[Tag] = field(default_factory=list)
    tag_required: bool = False
    thread: Thread | None = None
    recipients: list[int] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    last_message_id: int | None = None


@dataclass(slots=True)
class Member:
    """A user in a guild."""

    user_id: int
    roles: list[int] = field(default_factory=list)
    nick: str | None = None
    joined: float = 0.0


@dataclass(slots=True)
class Guild:
    """A server. `unavailable`: in an outage; `joined`: when the bot did, in seconds since 1970."""

    id: int
    name: str
    owner_id: int
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    unavailable: bool = False
    joined: float = 0.0


@dataclass(slots=True)
class Attachment:
    """A file on a message, served by the stand-in at `url`."""

    id: int
    filename: str
    content: bytes
    content_type: str
    url: str
    description: str | None = None
    ephemeral: bool = False


@dataclass(slots=True)
class Message:
    """A message. `ephemeral_to`: the only one who sees it. `pings_*`: whom it notified."""

    id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    timestamp: float
    type: int = 0
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    edited: float | None = None
    nonce: str | int | None = None
    reference: Json | None = None
    metadata: Json | None = None
    application_id: int | None = None
    pings_users: list[int] = field(default_factory=list)
    pings_roles: list[int] = field(default_factory=list)
    pings_everyone: bool = False
    ephemeral_to: int | None = None
    deleted: bool = False
    thread_id: int | None = None
    history: list[Json] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that a person can read in it, one piece a line (buttons' labels not among them)."""
        return "\n".join(piece for piece in visible_text(self) if piece)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the gateway to tell to those sessions that may know of it.

    `intents`: a session needs one of these bits (0: none needed). `channel_id`: the bot must be able to
    view it. `author_id`: of a message's event; others' words are hidden without the content intent.
    """

    name: str
    data: Json
    guild_id: int | None = None
    channel_id: int | None = None
    intents: int = 0
    author_id: int | None = None


def visible_text(message: Message) -> list[str]:
    """List the pieces of text that a person sees in a message, from top to bottom."""
    pieces = [message.content]
    for embed in message.embeds:
        pieces += [
            embed.get("author", {}).get("name", ""),
            embed.get("title", ""),
            embed.get("description", ""),
        ]
        pieces += [f"{each['name']}\n{each['value']}" for each in embed.get("fields", ())]
        pieces.append(embed.get("footer", {}).get("text", ""))
    pieces += [each["content"] for each in walk(message.components) if each["type"] == 10]
    return pieces


def walk(components: list[Json]) -> list[Json]:
    """List components and all that stand within them, from top to bottom."""
    found: list[Json] = []
    for component in components:
        found.append(component)
        found += walk(component.get("components", []))
        found += walk([component[key] for key in ("accessory", "component") if component.get(key)])
    return found
