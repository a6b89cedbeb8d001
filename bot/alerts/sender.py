"""What delivery needs of Discord, done with discord.py; its errors sorted by what has to happen next.

discord.py by itself retries 500, 502, 504 and cut connections a few times inside one call, with the same
nonce, and waits for its rate limits. What it raises in the end is sorted in `bot.alerts.answers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import aiohttp
import discord

from bot.alerts import buckets, ids
from bot.alerts.answers import sorted_errors
from bot.alerts.cards import Card
from bot.alerts.channel_facts import ChannelFacts
from bot.alerts.digest_view import message_view, pinged
from bot.alerts.digests import Digest
from bot.alerts.errors import (
    DestinationRefusedError,
    LaterError,
    MessageGoneError,
    MessageRefusedError,
    ThreadLockedError,
    TryAgainError,
    UndecidedError,
)
from bot.alerts.foreign import plain_text
from bot.alerts.limiter import Limiter, TokenBucket
from bot.alerts.once import Button
from bot.alerts.orders import OfOthers
from bot.alerts.posting import NAMED, configured_by, missing_in, tags_for
from bot.errors import told

_HISTORY = 1000  # messages that are read at most to find one
_ALWAYS_READ = 100  # of those, however old they are: clocks differ
_POSTS = 100  # first messages of a forum's threads that are read at most to find one
_MARKS = 5000  # of posts that are remembered, so that they need not be read again
_THREAD_NAME = 100

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_OLD_EDITS = 30046
_PUBLISHED_ALREADY = 40033
_TAG_REQUIRED = 40067
_MISSING_PERMISSIONS = 50013
_ARCHIVED, _LOCKED = 50083, 160005
_NO_HISTORY_FOR_REPLY = 160002
_HAS_THREAD = 160004
_OLD_EDIT_PAUSE = 900.0  # seconds, where Discord does not say when an old message may be edited again

_SAID_OF_LOCKED = told("The thread is locked; unlock it or give me Manage Threads, then use Send again.")


class DiscordSender:
    """Sends through a client that is logged in."""

    def __init__(self, client: discord.Client, limiter: Limiter | None = None) -> None:
        self._client = client
        self._limiter = limiter or TokenBucket()
        self._direct: dict[int, int] = {}
        self._facts = ChannelFacts(client, self._limiter)
        self._marks: dict[int, str | None] = {}  # of posts in forums that were made or read here
        buckets.mend()

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""
        if user_id not in self._direct:
            await self._limiter.take()
            with sorted_errors():
                channel = await self._client.create_dm(discord.Object(user_id))
            self._direct[user_id] = channel.id
        return self._direct[user_id]

    async def send(
        self, channel_id: int, card: Card | Digest, *, nonce: str, answers: int | None = None
    ) -> int:
        """Post a card and give its message id; `answers` is the message it replies to."""
        await self._limiter.take()  # before the card is made: many wait here, and would be made at once
        channel = self._client.get_partial_messageable(channel_id)
        said: dict[str, Any] = {
            "view": message_view(card),
            "nonce": nonce,
            "allowed_mentions": _mentions(*pinged(card)),
        }
        reply: dict[str, Any] = {}
        if answers is not None:
            reference = channel.get_partial_message(answers).to_reference(fail_if_not_exists=False)
            reply = {"reference": reference, "mention_author": False}
        with self._sorted(channel_id):
            try:
                message = await channel.send(**said, **reply)
            except discord.HTTPException as error:
                if error.code != _NO_HISTORY_FOR_REPLY:
                    raise
                # Replying takes Read Message History; the update itself does not.
                message = await channel.send(**said)
        return message.id

    async def edit(self, channel_id: int, message_id: int, card: Card | Digest) -> None:
        """Make a posted card show what `card` says; in a thread that sleeps, too.

        Raises `LaterError` where old messages were edited often.
        """
        view = message_view(card)
        try:
            await self._edit(channel_id, message_id, view)
        except MessageRefusedError as error:
            if error.code == _OLD_EDITS:
                raise LaterError(str(error), pause=_OLD_EDIT_PAUSE) from error
            if error.code != _ARCHIVED:
                raise
            await self._wake(channel_id)
            await self._edit(channel_id, message_id, view)

    async def _wake(self, thread_id: int) -> None:
        """Wake a thread that sleeps; raises `ThreadLockedError` where that takes Manage Threads."""
        await self._limiter.take()
        try:
            with self._sorted(thread_id):
                await self._client.http.edit_channel(thread_id, archived=False)
        except DestinationRefusedError as error:
            if error.code != _MISSING_PERMISSIONS:
                raise
            raise ThreadLockedError(_SAID_OF_LOCKED, error.code) from error

    async def _edit(self, channel_id: int, message_id: int, view: discord.ui.LayoutView) -> None:
        await self._limiter.take()
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            with self._sorted(channel_id):
                await message.edit(view=view, allowed_mentions=_mentions())
        except TryAgainError as error:
            if error.pause is None or error.outage:
                raise
            # A limit for edits alone: of this route, or of messages that are older than an hour.
            raise LaterError(str(error), pause=error.pause) from error

    # ------------------------------------------------------------- threads, forums, publishing

    async def kind_of(self, channel_id: int) -> str:
        """Tell what a channel is: text, announcement, forum, media, thread or other."""
        return await self._facts.kind_of(channel_id)

    def publishes(self, channel_id: int) -> bool:
        """Tell, without a request, whether a channel's messages can be published; True if unknown."""
        return self._facts.publishes(channel_id)

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> int:
        """Make a thread of a message, or give the one that it has; raises `MessageGoneError`.

        A thread that is made of a message has the message's id, so that a second try is harmless.
        """
        await self._limiter.take()
        try:
            with self._sorted(channel_id, ("create_public_threads",)):
                await self._client.http.start_thread_with_message(
                    channel_id, message_id, name=_thread_name(name), auto_archive_duration=10080
                )
        except MessageRefusedError as error:
            if error.code != _HAS_THREAD:
                raise
        return message_id

    async def open_post(
        self, channel_id: int, card: Card | Digest, *, name: str, topics: Iterable[str]
    ) -> int:
        """Make a post in a forum with a card as its first message; gives the id that both have.

        It takes no nonce: look with `find_post` before a second try. Tags are those named as topics.
        """
        await self._limiter.take()
        tags = tags_for(topics, await self._facts.tags_of(channel_id))
        channel: dict[str, Any] = {"name": _thread_name(name), "auto_archive_duration": 10080}
        if tags:
            channel["applied_tags"] = tags
        view = message_view(card)
        with discord.http.handle_message_parameters(
            view=view,
            allowed_mentions=_mentions(*pinged(card)),
            flags=discord.MessageFlags(components_v2=True),
            channel_payload=channel,
        ) as parameters:
            try:
                with self._sorted(channel_id):
                    made = int((await self._request_once(channel_id, parameters.payload))["id"])
            except MessageRefusedError as error:
                if error.code != _TAG_REQUIRED:
                    raise
                raise MessageRefusedError(
                    told(
                        "This forum wants a tag on every post and none of its tags bears the name of one of "
                        "the story's topics; add such a tag, or switch the demand off, and use Send again."
                    ),
                    error.code,
                ) from error
        self._remember(made, card.mark)
        return made

    async def _request_once(self, forum_id: int, payload: dict[str, Any] | None) -> dict[str, Any]:
        """Make a forum's post without discord.py's own repeats, which would make a second one.

        Whatever may or may not have been carried out ends the call: 500, 502, 504, 524.
        """
        route = discord.http.Route("POST", "/channels/{channel_id}/threads", channel_id=forum_id)
        made: dict[str, Any] = await self._client.http.request(
            route, json=payload, params={"use_nested_fields": 1}, raise_for_status=_stop_at_server_error
        )
        return made

    async def find_post(
        self, channel_id: int, mark: str, *, since: datetime, of_others: OfOthers
    ) -> int | None:
        """Look for the post with this mark among the bot's own in a forum since then, archived ones too.

        Those that are stored as other deliveries' need not be read. Raises `UndecidedError` when there is
        more to read than can be read.
        """
        me = self._client.user.id if self._client.user else None
        posts = await self._posts_since(channel_id, since)
        own = [int(thread["id"]) for thread in posts if int(thread["owner_id"]) == me]
        others = await of_others([post_id for post_id in own if post_id not in self._marks])
        read = 0
        for post_id in own:
            if post_id in others:
                continue
            if post_id not in self._marks:
                if read >= _POSTS:
                    raise UndecidedError(
                        told(
                            "Too much was posted in the forum since to tell whether this was; look there and "
                            "use Send again if it was not."
                        )
                    )
                read += 1
                await self._read_mark(channel_id, post_id)
            if self._marks.get(post_id) == mark:
                return post_id
        return None

    async def _read_mark(self, forum_id: int, post_id: int) -> None:
        """Remember the mark of a post. It never changes, and a backlog asks for the same posts each time."""
        await self._limiter.take()
        try:
            with self._sorted(forum_id):
                first = await self._client.http.get_message(post_id, post_id)
        except MessageGoneError:
            self._remember(post_id, None)
        else:
            self._remember(post_id, ids.mark_of(_raw_custom_ids(first.get("components", ()))))

    def _remember(self, post_id: int, mark: str | None) -> None:
        self._marks[post_id] = mark
        while len(self._marks) > _MARKS:
            del self._marks[next(iter(self._marks))]

    async def _posts_since(self, channel_id: int, since: datetime) -> list[dict[str, Any]]:
        """Give the threads of a forum that were made since then, the newest first."""
        http = self._client.http
        guild_id = await self._facts.guild_of(channel_id)
        await self._limiter.take()
        await self._limiter.take()
        with self._sorted(channel_id, ("read_message_history",)):
            active = (await http.get_active_threads(guild_id))["threads"]
            archived = (await http.get_public_archived_threads(channel_id, limit=100))["threads"]
        oldest = discord.utils.time_snowflake(since)
        found: list[dict[str, Any]] = [
            dict(thread)
            for thread in (*active, *archived)
            if thread["parent_id"] == str(channel_id) and int(thread["id"]) >= oldest
        ]
        return sorted(found, key=lambda thread: int(thread["id"]), reverse=True)

    async def publish(self, channel_id: int, message_id: int) -> None:
        """Publish a message of an announcement channel to those who follow it; twice is once."""
        await self._limiter.take()
        try:
            with self._sorted(channel_id):
                await self._client.http.publish_message(channel_id, message_id)
        except MessageRefusedError as error:
            if error.code != _PUBLISHED_ALREADY:
                raise

    # ------------------------------------------------------------- plain words, and what was posted

    async def say(self, channel_id: int, text: str, *, nonce: str, buttons: Sequence[Button] = ()) -> int:
        """Post a plain text, made safe by the caller, that mentions nobody; gives its message id."""
        channel = self._client.get_partial_messageable(channel_id)
        more: dict[str, Any] = {}
        if buttons:
            more["view"] = view = discord.ui.View(timeout=None)
            for button in buttons:
                view.add_item(discord.ui.Button(label=button.label[:80], custom_id=button.custom_id))
            view.stop()  # discord.py need not keep it: the custom ids say all
        await self._limiter.take()
        with self._sorted(channel_id):
            message = await channel.send(
                text, nonce=nonce, allowed_mentions=_mentions(), suppress_embeds=True, **more
            )
        return message.id

    async def find(self, channel_id: int, mark: str, *, since: datetime) -> int | None:
        """Look for the message with this mark among the bot's own in a channel since then.

        Reads back from the newest. Raises `UndecidedError` when there is more to read than can be read.
        """
        return await self._find(channel_id, lambda m: ids.mark_of(_custom_ids(m.components)) == mark, since)

    async def find_said(self, channel_id: int, text: str, *, since: datetime) -> int | None:
        """Look for a plain text among the bot's own messages, as `find` does for a mark."""
        return await self._find(channel_id, lambda message: message.content == text, since)

    async def _find(
        self, channel_id: int, is_it: Callable[[discord.Message], bool], since: datetime
    ) -> int | None:
        await self._limiter.take()
        me = self._client.user.id if self._client.user else None
        count = 0
        with self._sorted(channel_id):
            async for message in self._client.get_partial_messageable(channel_id).history(limit=_HISTORY):
                count += 1
                if message.author.id == me and is_it(message):
                    return message.id
                if message.created_at < since and count >= _ALWAYS_READ:
                    return None
        if count >= _HISTORY:
            raise UndecidedError(
                told(
                    "Too much was written in the channel since to tell whether this was posted; look there "
                    "and use Send again if it was not."
                )
            )
        if count == 0:
            await self._check_history(channel_id)
        return None

    async def _check_history(self, channel_id: int) -> None:
        """Tell a channel that is empty from one that may not be read: Discord shows no message of either."""
        await self._limiter.take()
        try:
            with sorted_errors():
                await self._client.http.get_message(channel_id, channel_id)
        except MessageGoneError:
            return  # there is no such message, and it may be asked for
        except DestinationRefusedError as error:
            raise UndecidedError(
                told(
                    "I may not read what was posted there, so I cannot tell whether this was; give me Read "
                    "Message History, look there, and use Send again if it was not."
                )
            ) from error

    async def configured_by(self, guild_id: int, user_id: int, moderator_role: int | None) -> str | None:
        """Give a server's name if somebody may configure it at this moment, else None."""
        await self._limiter.take()
        with sorted_errors():
            return await configured_by(self._client, guild_id, user_id, moderator_role)

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """Tell whether somebody is in a server at this moment."""
        await self._limiter.take()
        try:
            with sorted_errors():
                await self._client.http.get_member(guild_id, user_id)
        except DestinationRefusedError:
            return False  # unknown member, or a server that the bot is not in itself
        return True

    def may_post(self, channel_id: int, *, threads: bool = False) -> bool:
        """Tell, without a request, whether the bot may post in a channel as far as is known."""
        return self._missing(channel_id, threads=threads) == ()

    def may_sleep(self, channel_id: int, guild_id: int) -> bool:
        """Tell, without a request, whether a channel may be a thread that sleeps: its server is known to this
        process, but not the channel."""
        return self._client.get_guild(guild_id) is not None and self._client.get_channel(channel_id) is None

    def lacks(self, channel_id: int, *, threads: bool = False) -> str:
        """Name the permissions that the bot lacks for posting in a channel, "" for none that are known."""
        missing = self._missing(channel_id, threads=threads)
        return ", ".join(NAMED[name] for name in missing) if missing else ""

    def _missing(self, channel_id: int, *, threads: bool) -> tuple[str, ...] | None:
        """Give the permissions that posting takes and that are not there; None where nothing is known."""
        return missing_in(self._client.get_channel(channel_id), threads=threads)

    @contextmanager
    def _sorted(self, channel_id: int, needed: tuple[str, ...] = ()) -> Iterator[None]:
        """As `sorted_errors`, with a missing permission called by its name.

        `needed`: what this request takes, where it is not known what the bot may do there.
        """
        try:
            with sorted_errors():
                yield
        except asyncio.CancelledError:
            # discord.py lets all requests wait while the one that met a global limit sleeps. Cancelled there
            # (its time was over), it would leave them waiting for good.
            self._client.http._global_over.set()
            raise
        except DestinationRefusedError as error:
            if error.code != _MISSING_PERMISSIONS:
                raise
            if self._is_locked(channel_id):
                raise ThreadLockedError(_SAID_OF_LOCKED, error.code) from error
            lacks = self.lacks(channel_id, threads=True) or ", ".join(NAMED[name] for name in needed)
            if not lacks:
                raise
            raise DestinationRefusedError(
                told("I lack a permission there; give me {lacks} in that channel.", lacks=lacks), error.code
            ) from error
        except MessageRefusedError as error:
            if error.code != _LOCKED:
                raise
            raise ThreadLockedError(_SAID_OF_LOCKED, error.code) from error

    def _is_locked(self, channel_id: int) -> bool:
        known = self._client.get_channel(channel_id)
        return isinstance(known, discord.Thread) and known.locked


async def _stop_at_server_error(response: aiohttp.ClientResponse) -> None:
    if response.status >= 500:
        response.raise_for_status()


def _thread_name(name: str) -> str:
    return plain_text(name, _THREAD_NAME).strip()[:_THREAD_NAME] or "Case"


def _mentions(*roles: int) -> discord.AllowedMentions:
    """Allow the roles that a message pings by its rules and nothing else, said in full in every request."""
    allowed: list[discord.abc.Snowflake] = [discord.Object(role) for role in roles]
    return discord.AllowedMentions(everyone=False, users=False, roles=allowed, replied_user=False)


def _custom_ids(components: Any) -> Iterator[str]:
    """Walk the components of a message, however nested, for custom ids."""
    for component in components:
        custom_id = getattr(component, "custom_id", None)
        if custom_id:
            yield custom_id
        yield from _custom_ids(getattr(component, "children", ()))


def _raw_custom_ids(components: Any) -> Iterator[str]:
    """The same for components as Discord's JSON has them."""
    for component in components:
        if component.get("custom_id"):
            yield component["custom_id"]
        yield from _raw_custom_ids(component.get("components", ()))
