"""Messages: send, read, edit, delete, publish."""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import messages, payloads, permissions
from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.limits import Limit
from bot.sandbox.discord.model import ANNOUNCEMENT, CROSSPOSTED, WRITABLE, Channel, Message
from bot.sandbox.discord.rest.call import Call, route, snowflake

NONCES = 10_000  # past so many, those out of their time are forgotten


@route("POST", "/channels/{channel_id}/messages", Limit(5, 5.0))
def send(call: Call) -> Json:
    """Send a message."""
    channel, body = call.channel(), call.fields
    _may_write(call, channel, body)
    form = Form()
    messages.check(form, body)
    reference = _reference(call, channel, body, form)
    form.done()
    messages.check_files(call.uploads, call.state.host)
    earlier = _by_nonce(call, body)
    if earlier is not None:
        return payloads.message_json(call.world, earlier)
    world = call.world
    message = Message(world.ids.next(), channel.id, channel.guild_id, world.bot_id, world.now())
    message.nonce = body.get("nonce")
    if reference is not None:
        message.reference, message.type = reference, 19
    messages.fill(world, message, body, call.uploads, call.state.host)
    if channel.thread and channel.thread.archived:
        channel.thread.archived = False
        channel.thread.changed = world.now()
        world.change_channel(channel)
    messages.store(world, channel, message)
    if message.nonce is not None:
        _remember(call, str(message.nonce), message)
    return payloads.message_json(world, message)


def _may_write(call: Call, channel: Channel, body: Json) -> None:
    if channel.type not in WRITABLE:
        raise refusal(50008)
    if channel.guild_id is None:
        recipient = channel.recipients[0]
        if not call.world.shares_guild(recipient):
            raise refusal(50278)
        if not call.world.users[recipient].dms_open:
            raise refusal(50007)
        return
    call.need(channel, permissions.SEND_MESSAGES_IN_THREADS if channel.thread else permissions.SEND_MESSAGES)
    if channel.thread and channel.thread.locked:
        has = call.world.permissions_in(channel, call.world.bot_id)
        if not has & permissions.MANAGE_THREADS:
            raise refusal(160005)
    if body.get("embeds"):
        call.need(channel, permissions.EMBED_LINKS)
    if call.uploads:
        call.need(channel, permissions.ATTACH_FILES)


def _reference(call: Call, channel: Channel, body: Json, form: Form) -> Json | None:
    given = body.get("message_reference")
    if not given:
        return None
    number = snowflake(given.get("message_id"), "message_reference")
    where = snowflake(given.get("channel_id") or channel.id, "message_reference")
    call.need(channel, 0)
    if not call.world.permissions_in(channel, call.world.bot_id) & permissions.READ_MESSAGE_HISTORY:
        raise refusal(160002)
    if where != channel.id or call.world.message(channel.id, number) is None:
        if given.get("fail_if_not_exists", True):
            form.add(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None
    reference = {"type": 0, "channel_id": str(channel.id), "message_id": str(number)}
    return reference | ({"guild_id": str(channel.guild_id)} if channel.guild_id is not None else {})


def _remember(call: Call, nonce: str, message: Message) -> None:
    now, nonces = call.world.now(), call.state.nonces
    if len(nonces) > NONCES:
        for old in [
            each for each, (made, _) in nonces.items() if now - made > call.state.settings.nonce_seconds
        ]:
            del nonces[old]
    nonces[nonce] = (now, message)


def _by_nonce(call: Call, body: Json) -> Message | None:
    """Find the message that the same nonce made a short while ago; deleted meanwhile: 10008."""
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    made, message = call.state.nonces.get(str(body["nonce"]), (0.0, None))
    if message is None or call.world.now() - made > call.state.settings.nonce_seconds:
        return None
    if message.deleted or message.channel_id not in call.world.channels:
        raise refusal(10008)
    return message


@route("GET", "/channels/{channel_id}/messages", Limit(50, 5.0))
def history(call: Call) -> list[Any]:
    """List messages, newest first: `before`, `after` or `around` one, at most `limit` (100)."""
    channel = call.channel()
    if not call.world.permissions_in(channel, call.world.bot_id) & permissions.READ_MESSAGE_HISTORY:
        return []
    limit = call.number("limit", 50) or 0
    if not 1 <= limit <= 100:
        form = Form()
        form.add(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        form.done()
    before, after, around = call.number("before"), call.number("after"), call.number("around")
    found = sorted((each for each in channel.messages.values() if not each.deleted), key=lambda each: each.id)
    if around is not None:
        later = [each for each in found if each.id >= around][: limit // 2 + 1]
        earlier = [each for each in found if each.id < around][-(limit // 2) :]
        found = (earlier + later)[:limit]
    elif after is not None:
        found = [each for each in found if each.id > after][:limit]
    else:
        found = [each for each in found if before is None or each.id < before][-limit:]
    return [_seen(call, each) for each in reversed(found)]


def _seen(call: Call, message: Message) -> Json:
    data, allowed = payloads.message_json(call.world, message), call.world.application.content_intent
    return payloads.hide_content(call.world, data, message.author_id, allowed=allowed)


@route("GET", "/channels/{channel_id}/messages/{message_id}", Limit(50, 5.0))
def one(call: Call) -> Json:
    """Give one message."""
    channel = call.channel()
    call.need(channel, permissions.READ_MESSAGE_HISTORY)
    return _seen(call, call.message(channel))


@route("PATCH", "/channels/{channel_id}/messages/{message_id}", Limit(5, 5.0))
def edit(call: Call) -> Json:
    """Change one's own message."""
    channel, body = call.channel(), call.fields
    message = call.message(channel)
    if message.author_id != call.world.bot_id:
        raise refusal(50005)
    if channel.thread and channel.thread.archived:
        raise refusal(50083)
    form = Form()
    messages.check(form, body, had_flags=message.flags)
    form.done()
    messages.check_files(call.uploads, call.state.host)
    _count_old_edit(call, message)
    messages.fill(call.world, message, body, call.uploads, call.state.host)
    messages.changed(call.world, message)
    return payloads.message_json(call.world, message)


def _count_old_edit(call: Call, message: Message) -> None:
    now, settings = call.world.now(), call.state.settings
    if now - message.timestamp < 3600 or not settings.enforce_limits:
        return
    edits = [each for each in call.state.old_edits.get(message.channel_id, ()) if each > now - 3600]
    if len(edits) >= settings.old_edits:
        raise refusal(30046, retry_after=edits[0] + 3600 - now)
    call.state.old_edits[message.channel_id] = [*edits, now]


@route("DELETE", "/channels/{channel_id}/messages/{message_id}", Limit(5, 1.0))
def delete(call: Call) -> None:
    """Delete a message: one's own, or another's with Manage Messages."""
    channel = call.channel()
    message = call.message(channel)
    if message.author_id != call.world.bot_id:
        call.need(channel, permissions.MANAGE_MESSAGES)
    messages.delete(call.world, message)


@route("POST", "/channels/{channel_id}/messages/{message_id}/crosspost", Limit(10, 3600.0))
def crosspost(call: Call) -> Json:
    """Publish a message of an announcement channel to those who follow it, once (40033)."""
    channel = call.channel()
    message = call.message(channel)
    if channel.type != ANNOUNCEMENT:
        raise refusal(50024)
    own = message.author_id == call.world.bot_id
    call.need(channel, permissions.SEND_MESSAGES if own else permissions.MANAGE_MESSAGES)
    if message.flags & CROSSPOSTED:
        raise refusal(40033)
    message.flags |= CROSSPOSTED
    messages.changed(call.world, message, edited=False)
    return payloads.message_json(call.world, message)
