"""Starts a stand-in for Discord alone: `python -m bot.sandbox [--world FILE] [--openapi FILE] ...`.

Prints one JSON line with its addresses and token, then serves until it is stopped (SIGINT or SIGTERM).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from bot.sandbox.discord import worldfile
from bot.sandbox.discord.server import StandIn


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.sandbox", description="A stand-in for Discord on loopback."
    )
    parser.add_argument("--world", type=Path, help="a JSON file with users and guilds to begin with")
    parser.add_argument(
        "--openapi", type=Path, help="Discord's API description, to check request bodies against"
    )
    parser.add_argument("--token", default="stand-in.token.of-no-use", help="the bot's token")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--limits", action="store_true", help="enforce Discord's rate limits")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' probabilities")
    return parser


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with StandIn(
        arguments.token, arguments.openapi, arguments.limits, arguments.port, seed=arguments.seed
    ) as discord:
        if arguments.world:
            worldfile.load(discord.world, json.loads(arguments.world.read_text(encoding="utf-8")))
        about = {"api_url": discord.api_url, "control_url": f"{discord.url}/control", "token": discord.token}
        print(json.dumps(about), flush=True)
        await stopped.wait()


def main() -> int:
    """Serve until stopped; 2 if the world's file is wrong or the port taken."""
    try:
        asyncio.run(_serve(_parser().parse_args()))
    except (OSError, KeyError, ValueError) as error:
        print(f"the stand-in cannot start: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
