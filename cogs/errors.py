"""The one place where an error becomes a sentence for the person who met it.

In order: an answer that nobody waits for any more, what Quash says by itself (`QuashError`), a permission
that is missing, a command that was changed meanwhile, an option that cannot be read, Discord or the database
being away, and last everything else: logged with an id that the person is shown too, so that an operator can
find it.
"""

from __future__ import annotations

import logging
import secrets

import discord
from aiohttp import ClientError
from discord import app_commands
from sqlalchemy.exc import DBAPIError

from bot.errors import QuashError
from bot.words import retell, say
from db.engine import is_outage

_log = logging.getLogger(__name__)

# Unknown message, unknown webhook, invalid webhook token: an answer's message, and its time of 15 minutes.
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
_OVER = frozenset({10008, 10015, 50027})


def sentence_for(error: BaseException) -> str | None:
    """Give the sentence for an expected error, None for one that nobody foresaw."""
    if isinstance(error, app_commands.CommandInvokeError | app_commands.TransformerError) and error.__cause__:
        return sentence_for(error.__cause__)
    if isinstance(error, QuashError):
        return retell(str(error))
    if isinstance(error, app_commands.MissingPermissions):
        return say("You need the permission Manage Server for this; ask somebody who has it.")
    if isinstance(error, app_commands.NoPrivateMessage):
        return say("This works in a server only; use it there.")
    if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        return say("This command has just been changed; reload Discord (Ctrl+R) and try again.")
    if isinstance(error, app_commands.TransformerError):
        return say(
            "{value} cannot be used here; choose one of the values offered.",
            value=repr(str(error.value)[:80]),
        )
    if isinstance(error, app_commands.CheckFailure):
        return say("You may not use this here.")
    # Some of these are OSErrors, as those of the database are.
    if isinstance(error, ClientError | discord.DiscordServerError | discord.RateLimited):
        return say("Discord does not answer at the moment; try again in a minute.")
    if is_outage(error):
        return say("The database does not answer at the moment; try again in a minute.")
    return None


def is_over(error: BaseException) -> bool:
    """Tell whether nobody waits for the answer any more: who asked dismissed it, or its time is over."""
    if isinstance(error, app_commands.CommandInvokeError) and error.__cause__:
        return is_over(error.__cause__)
    return isinstance(error, discord.HTTPException) and error.code in _OVER


async def tell(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the person, for their eyes only, what went wrong; log what nobody foresaw."""
    if is_over(error):
        _log.info("an answer was not waited for: %s", error)
        return
    sentence = sentence_for(error)
    if sentence is None or isinstance(error.__cause__, DBAPIError | OSError | ClientError):
        number = secrets.token_hex(3)
        name = interaction.command.qualified_name if interaction.command else "a component"
        _log.error("error %s in %s", number, name, exc_info=error)
        sentence = sentence or say(
            "That went wrong inside Quash and is not your fault. It is logged as {number}.", number=number
        )
    # Words that somebody typed, or a file holds, could ping (the client allows no mentions) or hide a link.
    text = sentence[:1900].replace("](", "]\N{ZERO WIDTH SPACE}(")
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, ClientError, OSError) as gone:
        # The interaction is over (15 minutes), its message is gone, or Discord is away: nobody can be told.
        _log.info("an error answer could not be given: %s", gone)
