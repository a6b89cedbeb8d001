"""What all buttons, selects and modals have in common: who clicks is spoken to in their language, and every
error ends in the one place for errors. Discord waits three seconds for the first answer.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

import discord
from discord import ui
from discord.ext import commands

from bot.errors import QuashError
from bot.intake.services import Services
from bot.words import say
from cogs.errors import tell
from cogs.language import speak_with
from cogs.limits import check_pace

_TITLE = 45  # characters of a form's title
_OPEN_FOR = 3600.0  # seconds in which a form can be sent
_TAKEN = "form"  # marks an interaction as one that a form of this process answers


class LostFormError(QuashError):
    """A form was sent that was opened long ago, or before a restart."""


def add(
    bot: commands.Bot | commands.AutoShardedBot, services: Services, *kinds: type[ui.DynamicItem[Any]]
) -> None:
    """Let buttons and selects of these kinds work, also on messages from before a restart."""
    Click.services = services
    bot.add_dynamic_items(*kinds)


def chosen(interaction: discord.Interaction[Any]) -> list[str]:
    """Give the values that were chosen in a select, as they were sent: they can be forged."""
    data: Any = interaction.data
    return [str(value) for value in (data or {}).get("values") or ()]


def chosen_number(interaction: discord.Interaction[Any]) -> int:
    """Give the number that was chosen in a select; 0 where it is none (values can be forged)."""
    value = next(iter(chosen(interaction)), "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


async def answer_lost_form(interaction: discord.Interaction[Any]) -> None:
    """Answer a form that nobody in this process waits for (any more), or that one before it had opened.

    discord.py keeps forms in memory and passes over others; Discord would then say that something went wrong.
    The client calls this for every interaction, after a form that is known has taken its own.
    """
    if interaction.type is not discord.InteractionType.modal_submit or _TAKEN in interaction.extras:
        return
    speak_with(interaction)
    lost = say("This form was opened long ago, or Quash was restarted since; open it again.")
    await tell(interaction, LostFormError(lost))


class Click:
    """Mixed into a `ui.DynamicItem`: reads it back from its custom id, which says all, and acts.

    Nothing is kept in memory, so that what was posted before a restart works after it. Custom ids can be
    forged: whoever acts checks what the person who clicks may do and see. `services` is set by `add`.
    """

    services: ClassVar[Services]

    def __init__(self, item: ui.Item[Any], match: re.Match[str]) -> None:
        super().__init__(item)  # type: ignore[call-arg]  # DynamicItem's, which the subclasses bring
        self.match = match

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Read it back from what was clicked."""
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Act, and tell what went wrong."""
        speak_with(interaction)
        try:
            check_pace(interaction)
            await self.act(interaction)
        except Exception as error:  # every error of a click ends in the one place for errors
            await tell(interaction, error)

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button says and answer."""
        raise NotImplementedError


class Form(ui.Modal):
    """A modal whose errors end in the one place for errors, in the language of the one who sends it.

    discord.py keeps it in memory by its custom id, which is its own: of two with the same it would know the
    later alone. One that nobody sends is forgotten after a while.
    """

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:_TITLE], timeout=_OPEN_FOR)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Act, and tell what went wrong."""
        interaction.extras[_TAKEN] = True
        speak_with(interaction)
        try:
            await self.act(interaction)
        except Exception as error:  # every error of a form ends in the one place for errors
            await tell(interaction, error)

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the form is for and answer."""
        raise NotImplementedError
