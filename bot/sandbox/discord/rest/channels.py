"""Channels and threads: read, change, delete, begin, join."""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import messages, payloads, permissions
from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.limits import Limit
from bot.sandbox.discord.model import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    FORUM,
    GUILD_MEMBERS,
    GUILDS,
    HAS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Event,
    Message,
    Thread,
)
from bot.sandbox.discord.rest.call import Call, require_object, route, snowflake

ARCHIVE_MINUTES = frozenset({60, 1440, 4320, 10080})


@route("GET", "/channels/{channel_id}")
def channel(call: Call) -> Json:
    """Give a channel, thread or DM channel."""
    return payloads.channel_json(call.world, call.channel())


@route("PATCH", "/channels/{channel_id}", Limit(5, 15.0))
def change(call: Call) -> Json:
    """Change a channel's name or topic, or a thread's name, archiving, lock or tags."""
    found, fields = call.channel(), call.fields
    form = Form()
    if "name" in fields:
        form.between(("name",), fields["name"], 1, 100)
    form.at_most(("topic",), fields.get("topic"), 1024)
    if fields.get("applied_tags") and len(fields["applied_tags"]) > 5:
        form.add(("applied_tags",), "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    if found.thread is None:
        call.need(found, permissions.MANAGE_CHANNELS)
        form.done()
        found.topic = fields.get("topic", found.topic)
    else:
        _change_thread(call, found, found.thread, fields, form)
    found.name = fields.get("name") or found.name
    call.world.change_channel(found)
    return payloads.channel_json(call.world, found)


def _change_thread(call: Call, found: Channel, thread: Thread, fields: Json, form: Form) -> None:
    has = call.world.permissions_in(found, call.world.bot_id)
    manages = bool(has & permissions.MANAGE_THREADS)
    own = thread.owner_id == call.world.bot_id and not set(fields) & {"locked"}
    opens = (
        fields.get("archived") is False
        and not thread.locked
        and bool(has & permissions.SEND_MESSAGES_IN_THREADS)
    )
    if not (manages or own or (opens and set(fields) <= {"archived"})):
        raise refusal(50013)
    if thread.archived and fields.get("archived") is not False:
        raise refusal(50083)
    if fields.get("auto_archive_duration") is not None:
        form.one_of(("auto_archive_duration",), fields["auto_archive_duration"], ARCHIVE_MINUTES)
    form.done()
    thread.auto_archive_minutes = fields.get("auto_archive_duration") or thread.auto_archive_minutes
    thread.locked = fields.get("locked", thread.locked)
    if "applied_tags" in fields:
        thread.tags = [snowflake(tag, "applied_tags") for tag in fields["applied_tags"]]
    if fields.get("archived", thread.archived) != thread.archived:
        thread.archived = fields["archived"]
        thread.changed = call.world.now()


@route("DELETE", "/channels/{channel_id}")
def delete(call: Call) -> Json:
    """Delete a channel or thread; a DM channel is only closed."""
    found = call.channel()
    data = payloads.channel_json(call.world, found)
    if found.guild_id is not None:
        call.need(found, permissions.MANAGE_THREADS if found.thread else permissions.MANAGE_CHANNELS)
        call.world.remove_channel(found)
    return data


@route("POST", "/channels/{channel_id}/typing")
def typing(call: Call) -> None:
    """Show "is typing"; nobody sees it here."""
    call.channel()


@route("POST", "/channels/{channel_id}/messages/{message_id}/threads", Limit(50, 300.0))
def thread_from_message(call: Call) -> Json:
    """Begin a thread at a message; its id is the message's, so that a second try is refused (160004)."""
    parent = call.channel()
    if parent.type not in (TEXT, ANNOUNCEMENT):
        raise refusal(50024)
    message = call.message(parent)
    call.need(parent, permissions.CREATE_PUBLIC_THREADS)
    if message.thread_id is not None:
        raise refusal(160004)
    kind = ANNOUNCEMENT_THREAD if parent.type == ANNOUNCEMENT else PUBLIC_THREAD
    thread = _begin(call, parent, call.fields, kind, message.id)
    message.flags |= HAS_THREAD
    message.thread_id = thread.id
    messages.changed(call.world, message, edited=False)
    return payloads.channel_json(call.world, thread)


@route("POST", "/channels/{channel_id}/threads", Limit(50, 300.0))
def begin_thread(call: Call) -> Json:
    """Begin a thread without a message, or a post in a forum with its first message."""
    parent, fields = call.channel(), call.fields
    if parent.type == FORUM:
        return _forum_post(call, parent, fields)
    if parent.type not in (TEXT, ANNOUNCEMENT):
        raise refusal(50024)
    kind = fields.get("type") or PRIVATE_THREAD
    private = kind == PRIVATE_THREAD
    call.need(parent, permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS)
    return payloads.channel_json(call.world, _begin(call, parent, fields, kind, call.world.ids.next()))


def _forum_post(call: Call, parent: Channel, fields: Json) -> Json:
    call.need(parent, permissions.SEND_MESSAGES)
    form = Form()
    body = require_object(fields.get("message") or {})
    messages.check(form, body, prefix=("message",))
    tags = [snowflake(tag, "applied_tags") for tag in fields.get("applied_tags") or ()]
    if len(tags) > 5:
        form.add(("applied_tags",), "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    known = {tag.id for tag in parent.tags}
    if not set(tags) <= known:
        form.add(("applied_tags",), "CHANNEL_APPLIED_TAGS_INVALID", "Invalid tag")
    form.between(("name",), fields.get("name"), 1, 100)
    form.done()
    if parent.tag_required and not tags:
        raise refusal(40067)
    messages.check_files(call.uploads, call.state.host)
    number = call.world.ids.next()
    message = Message(number, number, parent.guild_id, call.world.bot_id, call.world.now())
    messages.fill(call.world, message, body, call.uploads, call.state.host, where=parent)
    thread = _begin(call, parent, fields, PUBLIC_THREAD, number, tags)
    messages.store(call.world, thread, message)
    parent.last_message_id = thread.id
    data = payloads.channel_json(call.world, thread)
    return data | {"message": payloads.message_json(call.world, message)}


def _begin(
    call: Call, parent: Channel, fields: Json, kind: int, number: int, tags: list[int] | None = None
) -> Channel:
    form = Form()
    form.between(("name",), fields.get("name"), 1, 100)
    minutes = fields.get("auto_archive_duration") or 4320
    form.one_of(("auto_archive_duration",), minutes, ARCHIVE_MINUTES)
    form.one_of(("type",), kind, frozenset({ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD}))
    form.done()
    world, now = call.world, call.world.now()
    thread = Thread(world.bot_id, now, now, auto_archive_minutes=minutes, tags=tags or [])
    thread.members[world.bot_id] = now
    begun = Channel(number, kind, fields["name"], parent.guild_id, parent.id, thread=thread)
    if parent.guild_id is not None:
        world.keep_channel(world.guilds[parent.guild_id], begun)
    data = payloads.channel_json(world, begun) | {"newly_created": True}
    world.tell(Event("THREAD_CREATE", data, begun.guild_id, begun.id, GUILDS))
    return begun


def _thread(call: Call) -> tuple[Channel, Thread]:
    found = call.channel()
    if found.thread is None:
        raise refusal(50024)
    return found, found.thread


@route("GET", "/channels/{channel_id}/thread-members")
def thread_members(call: Call) -> list[Any]:
    """List the members of a thread."""
    found, thread = _thread(call)
    return [payloads.thread_member_json(found, each) for each in thread.members]


@route("GET", "/channels/{channel_id}/thread-members/{user_id}")
def thread_member(call: Call) -> Json:
    """Give one member of a thread (10007)."""
    found, thread = _thread(call)
    if call.id("user_id") not in thread.members:
        raise refusal(10007)
    return payloads.thread_member_json(found, call.id("user_id"))


@route("PUT", "/channels/{channel_id}/thread-members/@me")
@route("PUT", "/channels/{channel_id}/thread-members/{user_id}")
def join_thread(call: Call) -> None:
    """Join a thread, or add a member to it."""
    found, thread = _thread(call)
    if thread.archived:
        raise refusal(50083)
    user_id = call.id("user_id") if "user_id" in call.path else call.world.bot_id
    if user_id != call.world.bot_id:
        call.need(found, permissions.SEND_MESSAGES_IN_THREADS)
        if found.guild_id is None or user_id not in call.world.guilds[found.guild_id].members:
            raise refusal(10007)
    thread.members.setdefault(user_id, call.world.now())
    _tell_members(call, found, [user_id], [])


@route("DELETE", "/channels/{channel_id}/thread-members/@me")
@route("DELETE", "/channels/{channel_id}/thread-members/{user_id}")
def leave_thread(call: Call) -> None:
    """Leave a thread, or take a member out of it."""
    found, thread = _thread(call)
    user_id = call.id("user_id") if "user_id" in call.path else call.world.bot_id
    if user_id != call.world.bot_id:
        call.need(found, permissions.MANAGE_THREADS)
    thread.members.pop(user_id, None)
    _tell_members(call, found, [], [user_id])


def _tell_members(call: Call, found: Channel, added: list[int], removed: list[int]) -> None:
    data = {
        "id": str(found.id),
        "guild_id": str(found.guild_id),
        "member_count": len(found.thread.members) if found.thread else 0,
        "added_members": [payloads.thread_member_json(found, each) for each in added],
        "removed_member_ids": [str(each) for each in removed],
    }
    own = call.world.bot_id in (*added, *removed)
    call.world.tell(
        Event("THREAD_MEMBERS_UPDATE", data, found.guild_id, found.id, GUILDS if own else GUILD_MEMBERS)
    )


@route("GET", "/channels/{channel_id}/threads/archived/public")
def archived_threads(call: Call) -> Json:
    """List the archived threads of a channel, the last archived first."""
    parent = call.channel()
    call.need(parent, permissions.READ_MESSAGE_HISTORY)
    below = [
        each
        for each in call.world.channels.values()
        if each.parent_id == parent.id
        and each.thread
        and each.thread.archived
        and each.type != PRIVATE_THREAD
    ]
    below.sort(key=lambda each: each.thread.changed if each.thread else 0, reverse=True)
    before = call.query.get("before")
    if before:
        below = [each for each in below if each.thread and payloads.time_text(each.thread.changed) < before]
    limit = call.number("limit", 50) or 50
    return {
        "threads": [payloads.channel_json(call.world, each) for each in below[:limit]],
        "members": [],
        "has_more": len(below) > limit,
    }
