"""From a request body to a message: what Discord refuses, and what it makes of the rest.

Source: https://docs.discord.com/developers/resources/message#create-message
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.sandbox.discord import components, payloads, permissions
from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.model import (
    COMPONENTS_V2,
    DIRECT_MESSAGES,
    EPHEMERAL,
    GUILD_MESSAGES,
    LOADING,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    Attachment,
    Channel,
    Event,
    Message,
    visible_text,
    walk,
)
from bot.sandbox.discord.world import World

SETTABLE_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
MAX_CONTENT = 2000
MAX_FILES = 10
LEGACY_FIELDS = ("content", "embeds", "sticker_ids", "poll")
_MENTION = re.compile(r"<@(&?)!?(\d+)>")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in, from the bot's multipart body or from a person."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Host:
    """Where the stand-in serves attachments, and how large one may be, in bytes."""

    url: str
    upload_bytes: int


def check(form: Form, body: Json, *, had_flags: int = 0, prefix: tuple[str, ...] = ()) -> None:
    """Note what Discord would refuse in the body of a new or changed message.

    `had_flags`: those that the message has already; Components V2, once set, stays.
    """
    inner = Form()
    v2 = bool(((body.get("flags") or 0) | had_flags) & COMPONENTS_V2)
    inner.at_most(("content",), body.get("content"), MAX_CONTENT)
    _check_embeds(inner, body.get("embeds"))
    if body.get("components") is not None:
        components.check_message_components(inner, body["components"], v2=v2)
    _check_allowed_mentions(inner, body.get("allowed_mentions"))
    for index, attachment in enumerate(body.get("attachments") or ()):
        inner.at_most(("attachments", index, "description"), attachment.get("description"), 1024)
    nonce = body.get("nonce")
    inner.at_most(("nonce",), nonce, 25)
    if v2:
        for name in LEGACY_FIELDS:
            if body.get(name):
                message = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                inner.add((name,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)
    place = form.errors
    if inner.errors:
        for step in prefix:
            place = place.setdefault(step, {})
        place.update(inner.errors)


def _check_embeds(form: Form, embeds: object) -> None:
    if embeds is None:
        return
    if not isinstance(embeds, list) or len(embeds) > 10:
        form.add(("embeds",), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
        return
    for index, embed in enumerate(embeds):
        form.at_most(("embeds", index, "title"), embed.get("title"), 256)
        form.at_most(("embeds", index, "description"), embed.get("description"), 4096)
        form.at_most(("embeds", index, "footer", "text"), (embed.get("footer") or {}).get("text"), 2048)
        form.at_most(("embeds", index, "author", "name"), (embed.get("author") or {}).get("name"), 256)
        fields = embed.get("fields") or []
        if len(fields) > 25:
            form.add(("embeds", index, "fields"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, field in enumerate(fields):
            form.between(("embeds", index, "fields", number, "name"), field.get("name"), 1, 256)
            form.between(("embeds", index, "fields", number, "value"), field.get("value"), 1, 1024)
    if sum(_embed_length(embed) for embed in embeds) > 6000:
        form.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _embed_length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or ():
        texts += [field.get("name"), field.get("value")]
    return sum(len(text) for text in texts if isinstance(text, str))


def _check_allowed_mentions(form: Form, allowed: object) -> None:
    if not isinstance(allowed, dict):
        return
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        if len(listed) > 100:
            form.add(("allowed_mentions", kind), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        if listed and kind in (allowed.get("parse") or ()):
            message = f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."
            form.add(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def check_files(uploads: list[Upload], host: Host) -> None:
    """Refuse too many or too large files."""
    if any(len(upload.content) > host.upload_bytes for upload in uploads):
        raise refusal(40005)
    if len(uploads) > MAX_FILES:
        form = Form()
        form.add(("files",), "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
        form.done()


def fill(
    world: World,
    message: Message,
    body: Json,
    uploads: list[Upload],
    host: Host,
    *,
    where: Channel | None = None,
) -> None:
    """Set a message's parts from a checked body: those that the body names, or all if it is new.

    `where`: the channel whose permissions decide about pings, if not the message's own. Raises 50006 when
    nothing would be left to see, 50035 for a picture that was not attached.
    """
    keep_flags = message.flags & ~(SETTABLE_FLAGS & ~COMPONENTS_V2)
    if body.get("flags") is not None:
        message.flags = keep_flags | (body["flags"] & SETTABLE_FLAGS)
    if "content" in body:
        message.content = body["content"] or ""
    if "embeds" in body:
        message.embeds = [{"type": "rich"} | copy.deepcopy(embed) for embed in body["embeds"] or ()]
    if "components" in body:
        message.components = copy.deepcopy(body["components"] or [])
        components.complete(message.components)
    _attach(world, message, body, uploads, host)
    _resolve_media(world, message)
    shows = message.content.strip() or message.embeds or message.components or message.attachments
    if not shows and not message.flags & LOADING:
        raise refusal(50006)
    may = world.permissions_in(where or world.channels[message.channel_id], message.author_id)
    _find_pings(world, message, body.get("allowed_mentions"), may)


def _attach(world: World, message: Message, body: Json, uploads: list[Upload], host: Host) -> None:
    listed: list[Json] | None = body.get("attachments")
    if listed is None:
        listed = [{"id": str(each.id)} for each in message.attachments]
        listed += [{"id": index} for index in range(len(uploads))]
    existing = {str(each.id): each for each in message.attachments}
    message.attachments = []
    for entry in listed:
        key = str(entry.get("id"))
        if key in existing:
            message.attachments.append(existing[key])
        elif key.isdigit() and int(key) < len(uploads):
            upload = uploads[int(key)]
            attachment = make_attachment(world, upload, host, message.channel_id)
            attachment.filename = entry.get("filename") or attachment.filename
            attachment.description = entry.get("description")
            attachment.ephemeral = bool(message.flags & EPHEMERAL)
            message.attachments.append(attachment)


def make_attachment(world: World, upload: Upload, host: Host, channel_id: int) -> Attachment:
    """Keep a file and give it an address."""
    number = world.ids.next()
    kind = upload.content_type
    if kind == "application/octet-stream":
        kind = _TYPES.get(upload.filename.rpartition(".")[2].lower(), kind)
    url = f"{host.url}/attachments/{channel_id}/{number}/{quote(upload.filename)}"
    attachment = Attachment(number, upload.filename, upload.content, kind, url)
    world.attachments[number] = attachment
    return attachment


_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "xml": "application/xml",
    "opml": "application/octet-stream",
}


def _resolve_media(world: World, message: Message) -> None:
    by_name = {f"attachment://{each.filename}": each for each in message.attachments}
    form = Form()
    for media in components.media_of(message.components):
        url = media["url"]
        media.setdefault("id", str(world.ids.next()))
        attachment = by_name.get(url)
        if attachment is not None:
            media |= {
                "url": attachment.url,
                "proxy_url": attachment.url,
                "content_type": attachment.content_type,
                "attachment_id": str(attachment.id),
            }
        elif url.startswith("attachment://"):
            message_text = "The referenced attachment was not found"
            form.add(("components",), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", message_text)
        else:
            media.setdefault("proxy_url", url)
    form.done()
    for component in walk(message.components):
        if component["type"] == components.FILE:
            attachment = next(each for each in message.attachments if each.url == component["file"]["url"])
            component |= {"name": attachment.filename, "size": len(attachment.content)}
    for embed in message.embeds:
        for part in ("image", "thumbnail"):
            picture = embed.get(part)
            if picture and picture.get("url") in by_name:
                picture["url"] = picture["proxy_url"] = by_name[picture["url"]].url


def _find_pings(world: World, message: Message, allowed: Json | None, may: int) -> None:
    text = "\n".join(visible_text(message)) if message.flags & COMPONENTS_V2 else message.content
    found = _MENTION.findall(text)
    users = list(dict.fromkeys(int(number) for role, number in found if not role))
    roles = list(dict.fromkeys(int(number) for role, number in found if role))
    everyone = "@everyone" in text or "@here" in text
    if allowed is not None:
        parse = allowed.get("parse") or ()
        users = users if "users" in parse else _kept(users, allowed.get("users"))
        roles = roles if "roles" in parse else _kept(roles, allowed.get("roles"))
        everyone = everyone and "everyone" in parse
    known = world.guilds[message.guild_id].roles if message.guild_id in world.guilds else {}
    may_all = bool(may & permissions.MENTION_EVERYONE)
    message.pings_users = [each for each in users if each in world.users]
    message.pings_roles = [each for each in roles if each in known and (may_all or known[each].mentionable)]
    message.pings_everyone = everyone and may_all and message.guild_id is not None


def _kept(found: list[int], listed: list[Any] | None) -> list[int]:
    allowed = {int(each) for each in listed or ()}
    return [each for each in found if each in allowed]


def store(world: World, channel: Channel, message: Message) -> None:
    """Put a message into its channel and tell it; an ephemeral one is kept apart and told nobody."""
    message.history.append(payloads.message_json(world, message))
    if message.ephemeral_to is not None:
        world.ephemeral[message.id] = message
        return
    channel.messages[message.id] = message
    channel.last_message_id = message.id
    if channel.thread:
        channel.thread.count += 1
        channel.thread.total += 1
    _tell(world, "MESSAGE_CREATE", message)


def changed(world: World, message: Message, *, edited: bool = True) -> None:
    """Note an edit and tell it."""
    if edited:
        message.edited = world.now()
    message.history.append(payloads.message_json(world, message))
    if message.ephemeral_to is None:
        _tell(world, "MESSAGE_UPDATE", message)


def delete(world: World, message: Message) -> None:
    """Delete a message; it stays findable for the stand-in's own reports (`deleted`)."""
    message.deleted = True
    if message.ephemeral_to is not None:
        return
    data = {"id": str(message.id), "channel_id": str(message.channel_id)}
    if message.guild_id is not None:
        data["guild_id"] = str(message.guild_id)
    world.tell(Event("MESSAGE_DELETE", data, message.guild_id, message.channel_id, _intent(message)))


def _tell(world: World, name: str, message: Message) -> None:
    data = payloads.message_json(world, message)
    if message.guild_id is not None:
        data["guild_id"] = str(message.guild_id)
        member = world.guilds[message.guild_id].members.get(message.author_id)
        if member:
            data["member"] = payloads.member_json(world, member, with_user=False)
    world.tell(Event(name, data, message.guild_id, message.channel_id, _intent(message), message.author_id))


def _intent(message: Message) -> int:
    return DIRECT_MESSAGES if message.guild_id is None else GUILD_MESSAGES
