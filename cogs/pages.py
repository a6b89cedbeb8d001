"""Buttons that turn pages. All they need stands in their custom id, so they work after a restart.

`quash:page:KIND:OWNER:PAGE:STATE`, the state being the look-up's options, joined by `|` and
percent-encoded. Discord allows 100 characters; a look-up with longer options gets no buttons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import discord
from discord import ui

from bot.intake.services import Services
from bot.words import say
from cogs.clicks import Click
from cogs.guards import NotAllowedError

Turner = Callable[[Services, discord.Interaction, Sequence[str], int], Awaitable[ui.LayoutView]]
_MOST_PAGES = 1000


class PageButton(
    Click,
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"quash:page:(?P<kind>[a-z]+):(?P<owner>[0-9]{1,20}):(?P<page>[0-9]{1,4}):(?P<state>.*)",
):
    """Shows another page of a look-up to the one who asked for it."""

    turners: ClassVar[dict[str, Turner]] = {}

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Turn the page."""
        match = self.match
        if match["kind"] not in self.turners:
            raise NotAllowedError(say("This button is from an older version; ask again."))
        if int(match["owner"]) != interaction.user.id:
            raise NotAllowedError(say("This is somebody else's look-up; ask for your own."))
        state = [unquote(part) for part in match["state"].split("|")]
        page = min(int(match["page"]), _MOST_PAGES)
        view = await self.turners[match["kind"]](self.services, interaction, state, page)
        await interaction.response.edit_message(view=view)


def page_buttons(
    kind: str, owner: int, state: Sequence[str], page: int, total: int, size: int
) -> list[ui.Item[Any]]:
    """Give Back and Next as far as there are such pages."""
    packed = "|".join(quote(part, safe="@ ") for part in state)
    found: list[ui.Item[Any]] = []
    for label, to in ((say("Back"), page - 1), (say("Next"), page + 1)):
        custom_id = f"quash:page:{kind}:{owner}:{to}:{packed}"
        if to >= 0 and to * size < total and len(custom_id) <= 100:
            found.append(ui.Button(label=label, custom_id=custom_id))
    return found
