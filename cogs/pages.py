"""Buttons that turn pages. All they need stands in their custom id, so they work after a restart.

`quash:page:KIND:OWNER:PAGE:STATE`, the state being the look-up's options, joined by `|`. PAGE is the place of
the first one that is shown where a page holds as many as fit (`leaf_buttons`), else the page's number
(`page_buttons`); both from 0. Discord allows 100 characters; a look-up with longer options gets no buttons,
and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, ClassVar

import discord
from discord import ui

from bot.alerts.foreign import width
from bot.intake.services import Services
from bot.words import say
from cogs.clicks import Click
from cogs.guards import NotAllowedError

Turner = Callable[[Services, discord.Interaction, Sequence[str], int], Awaitable[ui.LayoutView]]
_LONGEST = 100  # of a custom id
ROOM = 3700  # characters of a list on a page, of those that a panel has room for


class PageButton(
    Click,
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"quash:page:(?P<kind>[a-z]+):(?P<owner>[0-9]{1,20}):(?P<page>[0-9]{1,6}):(?P<state>.*)",
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
        await interaction.response.defer()  # a week of what one missed may take longer than three seconds
        state = match["state"].split("|")
        view = await self.turners[match["kind"]](self.services, interaction, state, int(match["page"]))
        await interaction.edit_original_response(view=view)


def page_buttons(
    kind: str, owner: int, state: Sequence[str], page: int, total: int, size: int
) -> list[ui.Item[Any]]:
    """Give Back and Next as far as there are such pages."""
    there = ((say("Back"), page - 1), (say("Next"), page + 1))
    found = [page_button(kind, owner, state, to, label) for label, to in there if 0 <= to * size < total]
    return [button for button in found if button is not None]


def fitting(blocks: Iterable[str], room: int) -> list[str]:
    """Give those of these blocks, the first ones, that have `room` characters together; one at least."""
    found: list[str] = []
    for block in blocks:
        room -= width(block)
        if found and room < 0:
            break
        found.append(block)
    return found


def leaf_buttons(
    kind: str, owner: int, state: Sequence[str], first: int, shown: int, total: int, size: int
) -> list[ui.Item[Any]]:
    """Give Back and Next where a page holds as many as fit, at most `size`.

    The buttons say with which one a page begins (`first`), so that none is passed over. Back may show some
    again that came before.
    """
    places = [(say("Back"), max(0, first - size))] if first > 0 else []
    places += [(say("Next"), first + shown)] if first + shown < total else []
    found = [page_button(kind, owner, state, to, label) for label, to in places]
    return [button for button in found if button is not None]


def page_button(
    kind: str, owner: int, state: Sequence[str], page: int, label: str
) -> ui.Button[ui.LayoutView] | None:
    """Give a button that shows a page; None where the options are too long for one."""
    packed = "|".join(" ".join(part.replace("|", " ").split()) for part in state)
    custom_id = f"quash:page:{kind}:{owner}:{page}:{packed}"
    if width(custom_id) > _LONGEST:
        return None
    return ui.Button(label=label, custom_id=custom_id)


def packed(value: str, known: Sequence[str]) -> str:
    """Give a value of a closed list as short as a button needs it: by its place."""
    return str(known.index(value)) if value in known else value


def unpacked(value: str, known: Sequence[str]) -> str:
    """Give the value that was `packed`; any other as it is."""
    is_place = value.isascii() and value.isdecimal() and int(value[:4]) < len(known)
    return known[int(value[:4])] if is_place else value


def divide(blocks: Sequence[str], most: int, room: int = ROOM) -> list[list[str]]:
    """Divide blocks into pages of at most so many that have `room` characters; one page at least."""
    pages: list[list[str]] = [[]]
    for block in blocks:
        page = pages[-1]
        if page and (len(page) == most or sum(map(width, page)) + width(block) > room):
            pages.append([block])
        else:
            page.append(block)
    return pages


async def divide_in_turns(blocks: Iterable[str], most: int) -> list[list[str]]:
    """Divide blocks (`divide`) that are worked out one by one, the event loop having its turns between."""
    made: list[str] = []
    for block in blocks:
        made.append(block)
        await asyncio.sleep(0)
    return divide(made, most)


def first_that_fits(ways: Iterable[Sequence[str]], room: int) -> Sequence[str]:
    """Give the first of these ways to tell something, each shorter than the one before, that has `room`
    characters; the last one where none has."""
    blocks: Sequence[str] = ()
    for blocks in ways:
        if sum(map(width, blocks)) <= room:
            break
    return blocks


def told_range(
    first: int, shown: int, total: int, buttons: Sequence[ui.Item[Any]], *, at_least: bool = False
) -> str:
    """Say which of all are shown; and where the others have no buttons, how to come to them.

    `at_least`: they were not counted to the end.
    """
    last = first + shown
    if at_least:
        told = say("{first} to {last} of at least {total}", first=first + 1, last=last, total=total)
    else:
        told = say("{first} to {last} of {total}", first=first + 1, last=last, total=total)
    if total > shown and not buttons:
        told += " · " + say("the options are too long for more pages; shorten them")
    return told
