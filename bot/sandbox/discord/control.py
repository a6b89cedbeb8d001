"""The control API below `/control/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bot.sandbox.discord.server import StandIn


class Control:
    """Steers a stand-in from another process."""

    def __init__(self, discord: StandIn) -> None:
        self._discord = discord

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to a server."""
