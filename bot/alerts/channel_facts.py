"""What channels are: as a gateway of this process tells, else as Discord says when asked, for an hour.

A process that sends for other processes' servers, too, knows most channels from asking alone; and moderators
make an announcement channel of a text channel, or the other way round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import discord

from bot.alerts.answers import sorted_errors
from bot.alerts.limiter import Limiter
from bot.alerts.posting import tags_of

_KNOWN_FOR = 3600.0  # seconds
_MOST = 5000  # channels that are remembered
_KINDS = {
    discord.ChannelType.text.value: "text",
    discord.ChannelType.news.value: "announcement",
    discord.ChannelType.forum.value: "forum",
    discord.ChannelType.media.value: "media",
    discord.ChannelType.news_thread.value: "thread",
    discord.ChannelType.public_thread.value: "thread",
    discord.ChannelType.private_thread.value: "thread",
}


class ChannelFacts:
    """Knows what channels are. `now` is a steady clock in seconds."""

    def __init__(
        self, client: discord.Client, limiter: Limiter, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._now = now
        self._asked: dict[int, tuple[float, int, int]] = {}  # when, type, server; the longest known first

    async def kind_of(self, channel_id: int) -> str:
        """Tell what a channel is: text, announcement, forum, media, thread or other."""
        known = self._client.get_channel(channel_id)
        if isinstance(known, discord.abc.GuildChannel | discord.Thread):
            return _KINDS.get(known.type.value, "other")
        return _KINDS.get((await self._fact(channel_id))[0], "other")

    def publishes(self, channel_id: int) -> bool:
        """Tell, without a request, whether a channel's messages can be published; True if unknown."""
        known = self._client.get_channel(channel_id)
        if known is not None:
            return isinstance(known, discord.TextChannel) and known.is_news()
        fact = self._remembered(channel_id)
        return fact is None or fact[0] == discord.ChannelType.news.value

    async def guild_of(self, channel_id: int) -> int:
        """Give a channel's server."""
        known = self._client.get_channel(channel_id)
        if isinstance(known, discord.abc.GuildChannel | discord.Thread):
            return known.guild.id
        return (await self._fact(channel_id))[1]

    async def tags_of(self, channel_id: int) -> dict[str, int]:
        """Give the tags of a forum that the bot may set, by their names, as they are by now."""
        known = self._client.get_channel(channel_id)
        if isinstance(known, discord.ForumChannel):
            return tags_of(known)
        tags = (await self._ask(channel_id)).get("available_tags", ())
        return {tag["name"]: int(tag["id"]) for tag in tags if not tag.get("moderated")}

    def _remembered(self, channel_id: int) -> tuple[int, int] | None:
        at, kind, guild_id = self._asked.get(channel_id, (float("-inf"), 0, 0))
        return None if self._now() - at > _KNOWN_FOR else (kind, guild_id)

    async def _fact(self, channel_id: int) -> tuple[int, int]:
        """Give a channel's type and server, remembered or asked for."""
        known = self._remembered(channel_id)
        if known is None:
            told = await self._ask(channel_id)
            known = int(told["type"]), int(told.get("guild_id", 0))
        return known

    async def _ask(self, channel_id: int) -> dict[str, Any]:
        await self._limiter.take()
        with sorted_errors():
            told: dict[str, Any] = dict(await self._client.http.get_channel(channel_id))
        self._asked.pop(channel_id, None)
        self._asked[channel_id] = self._now(), int(told["type"]), int(told.get("guild_id", 0))
        while len(self._asked) > _MOST:
            del self._asked[next(iter(self._asked))]
        return told
