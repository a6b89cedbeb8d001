"""The state of the stand-in's Discord and the ways to change it.

Every change is told to the gateway, as Discord would tell it.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.discord import payloads, permissions
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.model import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    CHANNEL_TYPES,
    DM,
    GUILD_MEMBERS,
    GUILDS,
    PUBLIC_THREAD,
    Application,
    Attachment,
    Channel,
    Event,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    Tag,
    Thread,
    User,
)
from bot.sandbox.discord.permissions import Permissions, bits
from bot.sandbox.discord.snowflakes import Snowflakes


class World:
    """The state of the stand-in's Discord, and the ways to change it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.ids = Snowflakes(now)
        self.listeners: list[Callable[[Event], None]] = []
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.dms: dict[int, Channel] = {}
        self.channels: dict[int, Channel] = {}
        self.ephemeral: dict[int, Message] = {}
        self.attachments: dict[int, Attachment] = {}
        self.commands: dict[int | None, dict[int, Json]] = {None: {}}
        owner = self.add_user("operator")
        bot = self.add_user("Quash", bot=True)
        self.application = Application(bot.id, bot.id, owner.id)

    @property
    def bot_id(self) -> int:
        """The bot's own user id."""
        return self.application.bot_id

    def tell(self, event: Event) -> None:
        """Hand an event to everyone who listens (the gateway)."""
        for listener in self.listeners:
            listener(event)

    def add_user(
        self,
        name: str,
        *,
        id: int | None = None,
        bot: bool = False,
        locale: str = "en-US",
        dms_open: bool = True,
        has_app: bool = False,
    ) -> User:
        """Create an account."""
        user = User(id or self.ids.next(), name, bot, locale, dms_open, has_app)
        self.users[user.id] = user
        return user

    def add_guild(
        self,
        name: str,
        *,
        id: int | None = None,
        owner: User | None = None,
        locale: str = "en-US",
        everyone: Permissions = permissions.EVERYONE_DEFAULT,
        bot: bool = True,
        bot_permissions: Permissions = permissions.BOT_DEFAULT,
    ) -> Guild:
        """Create a guild with @everyone, its owner as a member and (unless `bot=False`) the bot."""
        owner = owner or self.add_user(f"owner of {name}")
        guild = Guild(id or self.ids.next(), name, owner.id, locale, joined=self.now())
        guild.roles[guild.id] = Role(guild.id, "@everyone", bits(everyone))
        guild.members[owner.id] = Member(owner.id, joined=self.now())
        self.guilds[guild.id] = guild
        if bot:
            self.join(guild, bot_permissions)
        return guild

    def join(self, guild: Guild, bot_permissions: Permissions = permissions.BOT_DEFAULT) -> None:
        """Let the bot join a guild with a role of its own."""
        name = self.users[self.bot_id].name
        role = Role(
            self.ids.next(), name, bits(bot_permissions), len(guild.roles), managed=True, bot_id=self.bot_id
        )
        guild.roles[role.id] = role
        guild.members[self.bot_id] = Member(self.bot_id, [role.id], joined=self.now())
        guild.joined = self.now()
        self._tell_guild("GUILD_CREATE", guild)

    def leave(self, guild: Guild) -> None:
        """Remove the bot from a guild, as a kick does."""
        member = guild.members.pop(self.bot_id, None)
        for role_id in member.roles if member else ():
            if guild.roles[role_id].managed:
                del guild.roles[role_id]
        self.tell(Event("GUILD_DELETE", {"id": str(guild.id)}, guild.id, intents=GUILDS))

    def set_unavailable(self, guild: Guild, unavailable: bool) -> None:
        """Begin or end an outage of a guild."""
        guild.unavailable = unavailable
        if unavailable:
            self.tell(
                Event("GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild.id, intents=GUILDS)
            )
        else:
            self._tell_guild("GUILD_CREATE", guild)

    def add_role(
        self,
        guild: Guild,
        name: str,
        permissions: Permissions = 0,
        *,
        id: int | None = None,
        mentionable: bool = False,
    ) -> Role:
        """Create a role."""
        role = Role(id or self.ids.next(), name, bits(permissions), len(guild.roles), mentionable)
        guild.roles[role.id] = role
        self._tell_role("GUILD_ROLE_CREATE", guild, role)
        return role

    def set_role(self, guild: Guild, role: Role, permissions: Permissions) -> None:
        """Change what a role allows."""
        role.permissions = bits(permissions)
        self._tell_role("GUILD_ROLE_UPDATE", guild, role)

    def remove_role(self, guild: Guild, role: Role) -> None:
        """Delete a role, from its members and from the channels' overwrites too."""
        del guild.roles[role.id]
        for member in guild.members.values():
            member.roles = [each for each in member.roles if each != role.id]
        for channel in guild.channels.values():
            channel.overwrites.pop(role.id, None)
        data = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self.tell(Event("GUILD_ROLE_DELETE", data, guild.id, intents=GUILDS))

    def bot_role(self, guild: Guild) -> Role:
        """Give the bot's own role in a guild."""
        return next(role for role in guild.roles.values() if role.bot_id == self.bot_id)

    def add_member(self, guild: Guild, user: User, *roles: Role, nick: str | None = None) -> Member:
        """Let a user join a guild with some roles."""
        member = Member(user.id, [role.id for role in roles], nick, self.now())
        guild.members[user.id] = member
        return member

    def set_member_roles(self, guild: Guild, user: User, *roles: Role) -> None:
        """Give a member these roles and no others; a bot is told only of its own."""
        member = guild.members[user.id]
        member.roles = [role.id for role in roles]
        data = payloads.member_json(self, member) | {"guild_id": str(guild.id)}
        intents = 0 if user.id == self.bot_id else GUILD_MEMBERS
        self.tell(Event("GUILD_MEMBER_UPDATE", data, guild.id, intents=intents))

    def remove_member(self, guild: Guild, user: User) -> None:
        """Let a user leave a guild."""
        guild.members.pop(user.id, None)

    def add_channel(
        self,
        guild: Guild,
        name: str,
        kind: str = "text",
        *,
        id: int | None = None,
        parent: Channel | None = None,
        topic: str | None = None,
        tags: tuple[str, ...] = (),
        tag_required: bool = False,
    ) -> Channel:
        """Create a channel of a guild: `text`, `announcement`, `forum`, `media`, `voice` or `category`."""
        channel = Channel(
            id or self.ids.next(),
            CHANNEL_TYPES[kind],
            name,
            guild.id,
            parent.id if parent else None,
            position=len(guild.channels),
            topic=topic,
            tags=[Tag(self.ids.next(), tag) for tag in tags],
            tag_required=tag_required,
        )
        self.keep_channel(guild, channel)
        self._tell_channel("CHANNEL_CREATE", channel)
        return channel

    def add_thread(self, parent: Channel, name: str) -> Channel:
        """Create a thread below a channel, without a message that it was made of; the owner's."""
        if parent.guild_id is None:
            raise ValueError(f"channel {parent.id} has no threads")
        guild, now = self.guilds[parent.guild_id], self.now()
        kind = ANNOUNCEMENT_THREAD if parent.type == ANNOUNCEMENT else PUBLIC_THREAD
        state = Thread(guild.owner_id, now, now, members={guild.owner_id: now})
        thread = Channel(self.ids.next(), kind, name, guild.id, parent.id, thread=state)
        self.keep_channel(guild, thread)
        data = payloads.channel_json(self, thread) | {"newly_created": True}
        self.tell(Event("THREAD_CREATE", data, guild.id, thread.id, GUILDS))
        return thread

    def keep_channel(self, guild: Guild, channel: Channel) -> None:
        """Store a channel or thread of a guild."""
        guild.channels[channel.id] = channel
        self.channels[channel.id] = channel

    def set_overwrite(
        self, channel: Channel, target: Role | User | Member, allow: Permissions = 0, deny: Permissions = 0
    ) -> None:
        """Allow or deny permissions in a channel to a role or a member; twice 0 takes the overwrite away."""
        member = not isinstance(target, Role)
        target_id = target.user_id if isinstance(target, Member) else target.id
        channel.overwrites[target_id] = Overwrite(target_id, member, bits(allow), bits(deny))
        if not bits(allow) and not bits(deny):
            del channel.overwrites[target_id]
        self._tell_channel("CHANNEL_UPDATE", channel)

    def change_channel(self, channel: Channel) -> None:
        """Tell that a channel or thread was changed."""
        self._tell_channel("THREAD_UPDATE" if channel.thread else "CHANNEL_UPDATE", channel)

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel or thread, with the threads below it."""
        if channel.guild_id is None:
            return
        guild = self.guilds[channel.guild_id]
        for thread in [
            each for each in guild.channels.values() if each.parent_id == channel.id and each.thread
        ]:
            del guild.channels[thread.id], self.channels[thread.id]
        self._tell_channel("THREAD_DELETE" if channel.thread else "CHANNEL_DELETE", channel)
        del guild.channels[channel.id], self.channels[channel.id]

    def set_thread(self, channel: Channel, *, archived: bool, locked: bool = False) -> None:
        """Archive (and lock) a thread, or open it again."""
        if channel.thread is None:
            raise ValueError(f"channel {channel.id} is no thread")
        channel.thread.archived, channel.thread.locked = archived, locked
        channel.thread.changed = self.now()
        self.change_channel(channel)

    def dm_with(self, user_id: int) -> Channel:
        """Give the bot's DM channel with a user, made at first need."""
        if user_id not in self.dms:
            channel = Channel(self.ids.next(), DM, recipients=[user_id])
            self.dms[user_id] = self.channels[channel.id] = channel
        return self.dms[user_id]

    def permissions_in(self, channel: Channel, user_id: int) -> int:
        """Give what a user may do in a channel, as a bit set."""
        if channel.guild_id is None:
            return permissions.DM_PERMISSIONS if user_id in (self.bot_id, *channel.recipients) else 0
        return permissions.in_channel(self.guilds[channel.guild_id], channel, user_id)

    def shares_guild(self, user_id: int) -> bool:
        """Say whether a user is in a guild together with the bot."""
        return any(
            self.bot_id in guild.members and user_id in guild.members for guild in self.guilds.values()
        )

    def message(self, channel_id: int, message_id: int) -> Message | None:
        """Find a message of a channel, ephemeral ones too; None when unknown or deleted."""
        channel = self.channels.get(channel_id)
        found = channel.messages.get(message_id) if channel else None
        found = found or self.ephemeral.get(message_id)
        return None if found is None or found.deleted else found

    def _tell_guild(self, name: str, guild: Guild) -> None:
        # The gateway fills a guild's data in for each session: what it holds depends on the intents.
        self.tell(Event(name, {"id": str(guild.id)}, guild.id, intents=GUILDS))

    def _tell_role(self, name: str, guild: Guild, role: Role) -> None:
        data = {"guild_id": str(guild.id), "role": payloads.role_json(role)}
        self.tell(Event(name, data, guild.id, intents=GUILDS))

    def _tell_channel(self, name: str, channel: Channel) -> None:
        visible = channel.id if channel.thread else None
        self.tell(Event(name, payloads.channel_json(self, channel), channel.guild_id, visible, GUILDS))
