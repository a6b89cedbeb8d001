"""The stand-in's things as the JSON that Discord sends.

Source of the shapes: the API description (OpenAPI) and
https://docs.discord.com/developers/resources/message and its neighbours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.model import (
    ANNOUNCEMENT,
    FORUM,
    GUILD_MEMBERS,
    TEXT,
    VOICE,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
)

if TYPE_CHECKING:
    from bot.sandbox.discord.world import World


def time_text(seconds: float) -> str:
    """Give a moment as Discord writes it (ISO 8601, UTC)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def user_json(user: User) -> Json:
    """Give a user object."""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0",
        "global_name": None if user.bot else user.name,
        "avatar": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
        "bot": user.bot,
        "system": False,
        "banner": None,
        "accent_color": None,
    }


def own_user_json(user: User) -> Json:
    """Give the bot's own user object, as `/users/@me` answers it."""
    own = {"mfa_enabled": True, "locale": user.locale, "verified": True, "email": None, "premium_type": 0}
    return user_json(user) | own


def application_json(world: World) -> Json:
    """Give the application object that its own bot sees."""
    application = world.application
    flags = (
        (1 << 13 if application.presence_intent else 0)
        | (1 << 15 if application.members_intent else 0)
        | (1 << 19 if application.content_intent else 0)
    )
    return {
        "id": str(application.id),
        "name": application.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot": user_json(world.users[application.bot_id]),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user_json(world.users[application.owner_id]),
        "approximate_guild_count": sum(application.bot_id in each.members for each in world.guilds.values()),
        "approximate_user_install_count": sum(user.has_app for user in world.users.values()),
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": ["applications.commands", "bot"],
        "integration_types_config": {"0": {}, "1": {}},
    }


def role_json(role: Role) -> Json:
    """Give a role object."""
    data: Json = {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.managed,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if role.bot_id is not None:
        data["tags"] = {"bot_id": str(role.bot_id)}
    return data


def member_json(world: World, member: Member, *, with_user: bool = True) -> Json:
    """Give a guild member object."""
    data: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": time_text(member.joined),
        "nick": member.nick,
        "pending": False,
        "premium_since": None,
        "roles": [str(role) for role in member.roles],
        "mute": False,
        "deaf": False,
    }
    if with_user:
        data["user"] = user_json(world.users[member.user_id])
    return data


def channel_json(world: World, channel: Channel) -> Json:
    """Give a channel, thread or DM channel object."""
    data: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "flags": 1 << 4 if channel.tag_required else 0,
        "last_message_id": _text(channel.last_message_id),
    }
    if channel.guild_id is None:
        return data | {"recipients": [user_json(world.users[each]) for each in channel.recipients]}
    data |= {"guild_id": str(channel.guild_id), "name": channel.name, "parent_id": _text(channel.parent_id)}
    if channel.thread:
        return data | _thread_json(world, channel)
    data |= {
        "position": channel.position,
        "permission_overwrites": [
            {"id": str(each.id), "type": int(each.member), "allow": str(each.allow), "deny": str(each.deny)}
            for each in channel.overwrites.values()
        ],
        "nsfw": False,
    }
    if channel.type in (TEXT, ANNOUNCEMENT, FORUM):
        data |= {"topic": channel.topic, "rate_limit_per_user": 0, "default_auto_archive_duration": 4320}
    if channel.type == VOICE:
        data |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if channel.type == FORUM:
        tags = [
            {
                "id": str(tag.id),
                "name": tag.name,
                "moderated": tag.moderated,
                "emoji_id": None,
                "emoji_name": None,
            }
            for tag in channel.tags
        ]
        data |= {
            "available_tags": tags,
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return data


def _thread_json(world: World, channel: Channel) -> Json:
    thread = channel.thread
    if thread is None:
        return {}
    data: Json = {
        "owner_id": str(thread.owner_id),
        "rate_limit_per_user": 0,
        "message_count": min(thread.count, 50),
        "member_count": min(len(thread.members), 50),
        "total_message_sent": thread.total,
        "applied_tags": [str(tag) for tag in thread.tags],
        "thread_metadata": {
            "archived": thread.archived,
            "archive_timestamp": time_text(thread.changed),
            "auto_archive_duration": thread.auto_archive_minutes,
            "locked": thread.locked,
            "create_timestamp": time_text(thread.created),
        },
    }
    if world.bot_id in thread.members:
        data["member"] = thread_member_json(channel, world.bot_id)
    return data


def thread_member_json(channel: Channel, user_id: int) -> Json:
    """Give a thread member object."""
    joined = channel.thread.members[user_id] if channel.thread else 0.0
    return {"id": str(channel.id), "user_id": str(user_id), "join_timestamp": time_text(joined), "flags": 0}


def guild_json(world: World, guild: Guild) -> Json:
    """Give a guild object, as `GET /guilds/{id}` answers it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": ["COMMUNITY", "NEWS"],
        "banner": None,
        "owner_id": str(guild.owner_id),
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "roles": [role_json(role) for role in guild.roles.values()],
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": guild.locale,
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }


def guild_create_json(world: World, guild: Guild, intents: int) -> Json:
    """Give a GUILD_CREATE event: without the members intent, of the members only the bot itself."""
    channels = [each for each in guild.channels.values() if each.thread is None]
    threads = [
        each
        for each in guild.channels.values()
        if each.thread and not each.thread.archived and world.permissions_in(each, world.bot_id)
    ]
    seen = guild.members.values() if intents & GUILD_MEMBERS else [guild.members[world.bot_id]]
    return guild_json(world, guild) | {
        "joined_at": time_text(guild.joined),
        "large": len(guild.members) > 250,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(world, member) for member in seen],
        "channels": [channel_json(world, each) for each in channels],
        "threads": [channel_json(world, each) for each in threads],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment_json(attachment: Attachment) -> Json:
    """Give an attachment object."""
    data: Json = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.content),
        "url": attachment.url,
        "proxy_url": attachment.url,
        "content_type": attachment.content_type,
        "flags": 0,
    }
    if attachment.description is not None:
        data["description"] = attachment.description
    if attachment.ephemeral:
        data["ephemeral"] = True
    return data


def message_json(world: World, message: Message, *, nested: bool = False) -> Json:
    """Give a message object. `nested`: as it stands within another (no message that it answers)."""
    data: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": message.type,
        "author": user_json(world.users[message.author_id]),
        "content": message.content,
        "timestamp": time_text(message.timestamp),
        "edited_timestamp": None if message.edited is None else time_text(message.edited),
        "tts": False,
        "mention_everyone": message.pings_everyone,
        "mentions": [user_json(world.users[each]) for each in message.pings_users if each in world.users],
        "mention_roles": [str(each) for each in message.pings_roles],
        "attachments": [attachment_json(each) for each in message.attachments],
        "embeds": message.embeds,
        "components": message.components,
        "pinned": False,
        "flags": message.flags,
    }
    if message.nonce is not None:
        data["nonce"] = message.nonce
    if message.application_id is not None:
        data["application_id"] = data["webhook_id"] = str(message.application_id)
    if message.metadata is not None:
        data["interaction_metadata"] = message.metadata
    if message.thread_id is not None and message.thread_id in world.channels:
        data["thread"] = channel_json(world, world.channels[message.thread_id])
    if message.reference is not None:
        data["message_reference"] = message.reference
        if not nested:
            answered = world.message(
                int(message.reference["channel_id"]), int(message.reference["message_id"])
            )
            data["referenced_message"] = message_json(world, answered, nested=True) if answered else None
    return data


def _text(snowflake: int | None) -> str | None:
    return None if snowflake is None else str(snowflake)


def hide_content(world: World, data: Json, author_id: int, *, allowed: bool) -> Json:
    """Take out of a message what an app without the content intent (`allowed`) is not shown.

    Its own messages, DMs and messages that mention it stay whole.
    Source: https://docs.discord.com/developers/events/gateway#message-content-intent
    """
    channel = world.channels.get(int(data["channel_id"]))
    mentioned = any(each["id"] == str(world.bot_id) for each in data["mentions"])
    private = channel is not None and channel.guild_id is None
    if allowed or author_id == world.bot_id or mentioned or private:
        return data
    return data | {"content": "", "embeds": [], "attachments": [], "components": []}
