"""A card as Discord shows it: Components V2, one look for all."""

from __future__ import annotations

import discord

from bot.alerts.cards import Card


def card_view(card: Card) -> discord.ui.LayoutView:
    """Give the message for a card. Buttons are answered by `cogs.buttons`, by their custom ids alone."""
    raise NotImplementedError
