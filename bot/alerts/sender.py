"""What delivery needs of Discord, done with discord.py; its errors sorted by what has to happen next.

discord.py by itself retries 500, 502, 504 and cut connections a few times inside one call, with the same
nonce, and waits for its rate limits. What it raises in the end is sorted in `_sorted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import aiohttp
import discord

from bot.alerts import ids
from bot.alerts.cards import Card
from bot.alerts.errors import (
    DestinationRefusedError,
    MessageGoneError,
    MessageRefusedError,
    TokenRefusedError,
    TryAgainError,
    UndecidedError,
)
from bot.alerts.limiter import TokenBucket
from bot.alerts.render import card_view

_HISTORY = 1000  # messages that are read at most to find one
_ALWAYS_READ = 100  # of those, however old they are: clocks differ

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_UNKNOWN_MESSAGE = 10008
_NO_HISTORY_FOR_REPLY = 160002
_SAID = {
    10003: "The channel is gone.",
    10004: "The server is gone.",
    10013: "The member is gone from Discord.",
    50001: "I cannot see the channel; give me View Channel there.",
    50007: "The member takes no direct messages from me.",
    50013: "I may not post there; give me Send Messages in that channel.",
    50278: "The member and I share no server any more.",
}


class DiscordSender:
    """Sends through a client that is logged in."""

    def __init__(self, client: discord.Client, limiter: TokenBucket | None = None) -> None:
        self._client = client
        self._limiter = limiter or TokenBucket()
        self._direct: dict[int, int] = {}

    async def open_direct(self, user_id: int) -> int:
        """Give the id of the direct message channel with a member."""
        if user_id not in self._direct:
            await self._limiter.take()
            with _sorted():
                channel = await self._client.create_dm(discord.Object(user_id))
            self._direct[user_id] = channel.id
        return self._direct[user_id]

    async def send(self, channel_id: int, card: Card, *, nonce: str, answers: int | None = None) -> int:
        """Post a card and give its message id; `answers` is the message it replies to."""
        await self._limiter.take()  # before the card is made: many wait here, and would be made at once
        channel = self._client.get_partial_messageable(channel_id)
        said: dict[str, Any] = {
            "view": card_view(card),
            "nonce": nonce,
            "allowed_mentions": _mentions(card.ping_role),
        }
        reply: dict[str, Any] = {}
        if answers is not None:
            reference = channel.get_partial_message(answers).to_reference(fail_if_not_exists=False)
            reply = {"reference": reference, "mention_author": False}
        with _sorted():
            try:
                message = await channel.send(**said, **reply)
            except discord.HTTPException as error:
                if error.code != _NO_HISTORY_FOR_REPLY:
                    raise
                # Replying takes Read Message History; the update itself does not.
                message = await channel.send(**said)
        return message.id

    async def edit(self, channel_id: int, message_id: int, card: Card) -> None:
        """Make a posted card show what `card` says."""
        await self._limiter.take()
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        view = card_view(card)
        with _sorted():
            await message.edit(view=view, allowed_mentions=_mentions(None))

    async def say(self, channel_id: int, text: str, *, nonce: str) -> int:
        """Post a plain text, made safe by the caller, that mentions nobody; gives its message id."""
        channel = self._client.get_partial_messageable(channel_id)
        await self._limiter.take()
        with _sorted():
            message = await channel.send(
                text, nonce=nonce, allowed_mentions=_mentions(None), suppress_embeds=True
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
        with _sorted():
            async for message in self._client.get_partial_messageable(channel_id).history(limit=_HISTORY):
                count += 1
                if message.author.id == me and is_it(message):
                    return message.id
                if message.created_at < since and count >= _ALWAYS_READ:
                    return None
        if count >= _HISTORY:
            raise UndecidedError(
                "Too much was written in the channel since to tell whether this was posted; look there and "
                "use Send again if it was not."
            )
        return None

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """Tell whether somebody is in a server at this moment."""
        await self._limiter.take()
        try:
            with _sorted():
                await self._client.http.get_member(guild_id, user_id)
        except DestinationRefusedError:
            return False  # unknown member, or a server that the bot is not in itself
        return True

    def may_post(self, channel_id: int) -> bool:
        """Tell, without a request, whether the bot may post in a channel as far as is known."""
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return False
        mine = channel.permissions_for(channel.guild.me)
        may_send = (
            mine.send_messages_in_threads if isinstance(channel, discord.Thread) else mine.send_messages
        )
        return mine.view_channel and may_send


def _mentions(role: int | None) -> discord.AllowedMentions:
    """Allow the one role that a rule pings and nothing else, said in full in every request."""
    roles: list[discord.abc.Snowflake] = [discord.Object(role)] if role is not None else []
    return discord.AllowedMentions(everyone=False, users=False, roles=roles, replied_user=False)


def _custom_ids(components: Any) -> Iterator[str]:
    """Walk the components of a message, however nested, for custom ids."""
    for component in components:
        custom_id = getattr(component, "custom_id", None)
        if custom_id:
            yield custom_id
        yield from _custom_ids(getattr(component, "children", ()))


@contextmanager
def _sorted() -> Iterator[None]:
    """Turn what discord.py raises into the kinds of `bot.alerts.errors`."""
    try:
        yield
    except discord.RateLimited as error:
        raise TryAgainError(
            "Discord's rate limit asks for a longer wait.", landed=False, pause=error.retry_after
        ) from error
    except discord.HTTPException as error:
        raise _kind_of(error) from error
    except (aiohttp.ClientError, OSError, ValueError, KeyError) as error:
        # ValueError, KeyError: an answer that was cut or is no JSON of Discord's. Posted or not: unknown.
        raise TryAgainError(
            f"The connection to Discord broke ({type(error).__name__}).", landed=True
        ) from error


def _kind_of(error: discord.HTTPException) -> Exception:
    status, code = error.status, error.code
    if status == 401:
        return TokenRefusedError("Discord does not accept the token; set DISCORD_TOKEN to the bot's token.")
    if status == 429:
        return TryAgainError(
            "Discord refuses further requests for now.", landed=False, pause=_retry_after(error)
        )
    if status >= 500:
        return TryAgainError(f"Discord is out of order (status {status}).", landed=True)
    if code == _UNKNOWN_MESSAGE:
        return MessageGoneError("The message was deleted on Discord.")
    if status in (403, 404):
        said = _SAID.get(code, f"Discord refuses to post there (status {status}, code {code}).")
        return DestinationRefusedError(said)
    return MessageRefusedError(f"Discord does not take this message (status {status}, code {code}).")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        return float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return None
