"""Discord's answers, sorted by what has to happen next: discord.py's errors become `bot.alerts.errors`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.alerts.errors import (
    NO_TEXT_CHANNEL,
    OUT_OF_TIME,
    DestinationRefusedError,
    MessageGoneError,
    MessageRefusedError,
    TokenRefusedError,
    TryAgainError,
)
from bot.errors import told

_LONGEST_PAUSE = 6 * 3600.0  # seconds: whatever Discord asks for, it is asked again after that

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_UNKNOWN_MESSAGE = 10008
GONE = told("The channel is gone.")
_SAID = {
    10003: GONE,
    10004: told("The server is gone."),
    10013: told("The member is gone from Discord."),
    50001: told("I cannot see the channel; give me View Channel there."),
    50007: told("The member takes no direct messages from me."),
    50013: told("I may not post there; give me Send Messages in that channel."),
    50278: told("The member and I share no server any more."),
}
# 400, yet about the place: nothing that is sent there will be taken.
_OF_THE_PLACE = {
    NO_TEXT_CHANNEL: told(
        "Messages cannot be posted in that kind of channel; choose a text, announcement or forum channel."
    ),
    50024: told("That kind of channel does not take this; choose a text, announcement or forum channel."),
    160006: told(
        "The server has as many open threads as Discord allows; close some, or post without threads."
    ),
}
_OF_THREADS = frozenset({50083, 160005})  # archived, locked: of this thread, not of its channel


@contextmanager
def sorted_errors() -> Iterator[None]:
    """Turn what discord.py raises into the kinds of `bot.alerts.errors`. Only requests stand inside."""
    try:
        yield
    except discord.RateLimited as error:
        raise TryAgainError(
            told("Discord's rate limit asks for a longer wait."),
            landed=False,
            pause=seconds(error.retry_after),
        ) from error
    except discord.HTTPException as error:
        raise _kind_of(error) from error
    except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        # From ValueError on: an answer that was cut or is nothing of Discord's. Posted or not: unknown.
        raise TryAgainError(
            told("The connection to Discord broke ({name}).", name=type(error).__name__),
            landed=True,
            outage=True,
        ) from error


def _kind_of(error: discord.HTTPException) -> Exception:
    status, code = error.status, error.code
    if status == 401:
        return TokenRefusedError("Discord does not accept the token; set DISCORD_TOKEN to the bot's token.")
    if status == 429:
        # discord.py waits for Discord's own; what comes here is a proxy's, or of a kind it does not know.
        return TryAgainError(
            told("Discord refuses further requests for now."),
            landed=False,
            pause=_retry_after(error),
            outage=True,
        )
    if status >= 500 or status in OUT_OF_TIME or (status in (403, 404) and _is_page(error)):
        return TryAgainError(
            told("Discord is out of order (status {status}).", status=status), landed=True, outage=True
        )
    if code == _UNKNOWN_MESSAGE:
        return MessageGoneError(told("The message was deleted on Discord."))
    if code in _OF_THREADS:
        return MessageRefusedError(told("The thread takes nothing (code {code}).", code=code), code)
    if code in _OF_THE_PLACE:
        return DestinationRefusedError(_OF_THE_PLACE[code], code)
    if status in (403, 404):
        said = _SAID.get(
            code,
            told("Discord refuses to post there (status {status}, code {code}).", status=status, code=code),
        )
        return DestinationRefusedError(said, code)
    return MessageRefusedError(
        told("Discord does not take this message (status {status}, code {code}).", status=status, code=code),
        code,
    )


def _is_page(error: discord.HTTPException) -> bool:
    """Tell whether the answer was a page for people, and so not from Discord's API but from a proxy."""
    return "json" not in error.response.headers.get("Content-Type", "").lower()


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        return seconds(float(error.response.headers.get("Retry-After", "")))
    except ValueError:
        return None


def seconds(asked: float) -> float | None:
    """Give a wait that Discord asks for, within reason; None where it is no length of time."""
    if math.isnan(asked) or asked < 0:
        return None
    return min(asked, _LONGEST_PAUSE)
