"""Logging in to Discord, however long it cannot be reached; and what it means when it says no for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import discord
from discord.http import Route

from bot.client import QuashClient
from bot.errors import QuashError, SettingsError

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 5.0  # seconds before Discord is tried again; doubled every time
_LONGEST_PAUSE = 300.0
_REFUSED = "DISCORD_TOKEN: Discord does not accept it (401); copy it anew from its developer portal."


class TokenError(SettingsError):
    """Discord does not accept the token."""


class GatewayError(QuashError):
    """Discord closed the gateway for good."""


def why_closed(error: discord.ConnectionClosed) -> QuashError:
    """Say why the gateway is closed for good.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway
    """
    if error.code == 4004:
        return TokenError(_REFUSED)
    if error.code in (4010, 4011):  # no such shard; more shards are required
        return SettingsError(
            f"SHARD_COUNT: Discord does not take it (code {error.code}); set more, or leave it empty for "
            "as many as Discord recommends."
        )
    return GatewayError(f"Discord closed the connection for good (code {error.code}); start again later.")


async def log_in(make: Callable[[], QuashClient], token: str) -> QuashClient:
    """Give a client that is logged in; each try has a new one. Raises `TokenError`."""
    pause = _FIRST_PAUSE
    while True:
        client = make()
        try:
            await client.login(token)
        except discord.LoginFailure as error:
            await client.close()
            raise TokenError(_REFUSED) from error
        except (
            discord.HTTPException,
            discord.GatewayNotFound,
            discord.RateLimited,
            aiohttp.ClientError,
            OSError,
        ) as error:
            await client.close()
            wait = max(pause, error.retry_after) if isinstance(error, discord.RateLimited) else pause
            _log.warning(
                "Discord cannot be reached at %s (%s); the next try is in %.0f s",
                Route.BASE,
                type(error).__name__,
                wait,
            )
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)
        except BaseException:
            await client.close()
            raise
        else:
            return client
