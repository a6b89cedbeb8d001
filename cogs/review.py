"""What moderators decide before a story is posted: Approve, Edit summary, Reject, Merge with case.

The buttons stand below the message that the outbox posts for them (`bot.alerts.review`); it says itself what
was decided, by an edit through the outbox. Who clicks gets the answer for their own eyes.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.alerts import ids, review
from bot.alerts.foreign import plain_text, safe_text
from bot.alerts.render import WORDS, card_view
from bot.alerts.review import Asked, Decided
from bot.intake.services import Services
from bot.words import say, speaking
from cogs.channels import Postable, PostableChannel
from cogs.clicks import Click, Form, add, chosen_number
from cogs.examples import language_of
from cogs.guards import NotAllowedError, check_can_post, check_may_configure, guild_of
from cogs.panels import answer, panel


def add_buttons(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Let the buttons work, also after a restart."""
    add(bot, services, ReviewButton, CaseSelect)


class ReviewChannel(PostableChannel):
    """The option of a rule that names the channel where moderators look at its stories first."""

    async def transform(self, interaction: discord.Interaction, value: object, /) -> Postable:
        """Give the channel; raises `NotAllowedError` where they could not be asked there."""
        found = await super().transform(interaction, value)
        if isinstance(found, discord.ForumChannel):
            raise NotAllowedError(say("Moderators are asked in a text channel or a thread; choose one."))
        check_can_post(interaction, found)
        return found


ReviewOption = app_commands.Transform[Postable, ReviewChannel]


class ReviewButton(Click, ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.REVIEW):
    """A moderator's decision; the first counts, others are told who was first."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Decide, or ask how."""
        do, number = self.match["do"], int(self.match["id"])
        if do == "edit":  # Discord takes a form as the first answer only
            await self._ask_for_words(interaction, number)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        await check_may_configure(interaction)
        if do == "merge":
            await answer(interaction, await self._choice(interaction, number))
            return
        decide = review.approve if do == "approve" else review.reject
        decided = await decide(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            review_id=number,
            now=self.services.clock(),
        )
        self.services.wake()
        if do == "approve":
            await answer(interaction, _approved(decided))
        else:
            said = say("It is not posted; `/why` tells so to other moderators.")
            await answer(interaction, panel(say("Rejected"), [_title(decided), said]))

    async def _ask_for_words(self, interaction: discord.Interaction[Any], number: int) -> None:
        await check_may_configure(interaction)
        asked = await review.get_asked(
            self.services.database, guild_id=guild_of(interaction), review_id=number
        )
        await interaction.response.send_modal(WordsForm(self.services, number, asked))

    async def _choice(self, interaction: discord.Interaction[Any], number: int) -> ui.LayoutView:
        cases = await review.likely_cases(
            self.services.database, guild_id=guild_of(interaction), review_id=number
        )
        if not cases:
            return panel(say("Merge with case"), [say("No other case is known here.")])
        told = say(
            "Choose the case that this story belongs to. It is then not posted on its own; that the two are "
            "one matter is proposed to the operator, because cases are the same for all servers."
        )
        view = panel(say("Merge with case"), [told])
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id=f"quash:review:into:{number}",
            placeholder=say("Choose a case"),
            options=[
                discord.SelectOption(
                    label=plain_text(case.title, 95) or f"#{case.id}",
                    value=str(case.id),
                    description=f"#{case.id}" + (f" · {say(case.status)}" if case.status else ""),
                )
                for case in cases
            ],
        )
        view.add_item(ui.ActionRow(select))
        return view


class CaseSelect(
    Click, ui.DynamicItem[ui.Select[ui.LayoutView]], template=r"quash:review:into:(?P<id>[0-9]{1,18})"
):
    """The case that a story belongs to."""

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Note it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await check_may_configure(interaction)
        case_id = chosen_number(interaction)
        decided = await review.merge(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            review_id=int(self.match["id"]),
            case_id=case_id,
            now=self.services.clock(),
        )
        self.services.wake()
        said = say("It is not posted on its own; the merge is proposed to the operator.")
        await answer(
            interaction, panel(say("Merged with case #{number}", number=case_id), [_title(decided), said])
        )


class WordsForm(Form):
    """A summary in the moderators' own words."""

    def __init__(self, services: Services, number: int, asked: Asked) -> None:
        super().__init__(say("Edit summary"))
        self.services = services
        self.number = number
        self.words: ui.TextInput[WordsForm] = ui.TextInput(
            style=discord.TextStyle.paragraph,
            default=asked.summary[:WORDS],
            max_length=WORDS,
            required=False,
            custom_id="words",
        )
        said = say("It is marked as your own words, not as a quotation. Empty: the article's again.")
        self.add_item(ui.Label(text=say("Summary"), description=said[:100], component=self.words))

    async def act(self, interaction: discord.Interaction[Any]) -> None:
        """Store the words and show them in the message."""
        await check_may_configure(interaction)
        await interaction.response.defer()
        asked = await review.set_words(
            self.services.database,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            review_id=self.number,
            words=self.words.value,
            now=self.services.clock(),
        )
        with speaking(await language_of(self.services.database, guild_of(interaction))):
            view = card_view(asked.card)  # a message for all moderators, not for who edits alone
        await interaction.edit_original_response(view=view)


def _approved(decided: Decided) -> ui.LayoutView:
    if not decided.channels:
        said = say("No rule wants it any more: the rules that asked for this review were changed or paused.")
    else:
        where = ", ".join(f"<#{channel}>" for channel in decided.channels)
        said = say("It goes to {channels}, as the rules there say.", channels=where)
    return panel(say("Approved"), [_title(decided), said])


def _title(decided: Decided) -> str:
    return f"**{safe_text(decided.title, 200)}**"
