"""`quash run`: the bot itself."""

from __future__ import annotations

import argparse
import asyncio

from bot import app, logs
from bot.settings import Settings


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run until SIGTERM or SIGINT."""
    logs.set_up(settings.log_level, settings.log_format, secrets=(settings.discord_token or "",))
    asyncio.run(app.run(settings, role=arguments.role))
    return 0
