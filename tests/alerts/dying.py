"""Delivers what is due until somebody kills it: `python -m tests.alerts.dying URL API TOKEN`."""

from __future__ import annotations

import asyncio
import sys

import discord

from bot.alerts.deliver import Deliverer
from bot.alerts.sender import DiscordSender
from db.engine import Database


async def main(database_url: str, api_url: str, token: str) -> None:
    discord.http.Route.BASE = api_url
    client = discord.Client(intents=discord.Intents(guilds=True))
    await client.login(token)
    await Deliverer(Database(database_url), DiscordSender(client)).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
