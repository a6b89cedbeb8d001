"""The look of every answer that is no card: one container, cut to Discord's limits (4,000 characters)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import discord
from discord import ui

from bot.alerts.foreign import width
from bot.words import say_number

_ROOM = 3900  # of the 4,000 characters that all texts of a message may have together
_BLOCKS = 30  # of its 40 components


def panel(
    title: str,
    blocks: Iterable[str],
    *,
    buttons: Sequence[ui.Item[Any]] = (),
    colour: int | None = None,
    footer: str = "",
) -> ui.LayoutView:
    """Give an answer: a title, blocks of text, buttons. What does not fit is left off and said.

    Texts are Markdown that is safe already (`bot.alerts.foreign` for everything from outside).
    """
    head = f"### {title}"
    tail = f"-# {footer}" if footer else ""
    room = _ROOM - width(head) - width(tail)
    texts: list[str] = []
    left = 0
    for block in filter(None, blocks):  # Discord takes no empty text
        if left or len(texts) >= _BLOCKS or width(block) > room:
            left += 1
            continue
        texts.append(block)
        room -= width(block)
    if left:
        texts.append(f"-# … {say_number('and {number} more', 'and {number} more', left)}")
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=colour)
    for text in (head, *texts, *([tail] if tail else [])):
        container.add_item(ui.TextDisplay(text))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    for start in range(0, len(buttons), 5):
        view.add_item(ui.ActionRow(*buttons[start : start + 5]))
    view.stop()  # discord.py need not keep it: the custom ids say all
    return view


async def answer(interaction: discord.Interaction, view: ui.LayoutView) -> None:
    """Answer for the eyes of the one who asked."""
    if interaction.response.is_done():
        await interaction.followup.send(view=view, ephemeral=True)
    else:
        await interaction.response.send_message(view=view, ephemeral=True)


def stamp(at: datetime, style: str = "D") -> str:
    """Give a time as Discord shows it in the reader's own zone and language."""
    return discord.utils.format_dt(at, style)  # type: ignore[arg-type]  # "D", "R", ... as documented
