"""What a person on Discord touches; thin: read the interaction, call a service, render."""

from __future__ import annotations

from discord.ext import commands

from bot.intake.services import Services


async def add_all(bot: commands.Bot | commands.AutoShardedBot, services: Services) -> None:
    """Add every cog and every persistent button to the bot."""
    from cogs import (
        alerts,
        analyse,
        buttons,
        clicks,
        corrections,
        digest,
        explain,
        feeds,
        help,
        lookups,
        operations,
        privacy,
        profiles,
        review,
        settings,
        setup,
        subscriptions,
        why,
    )

    for module in (
        setup,
        alerts,
        feeds,
        lookups,
        profiles,
        analyse,
        subscriptions,
        digest,
        explain,
        privacy,
        why,
        operations,
        settings,
        help,
    ):
        await bot.add_cog(module.make(services))
    bot.add_listener(clicks.answer_lost_form, "on_interaction")
    buttons.add_to(bot, services)
    setup.add_buttons(bot, services)
    alerts.add_buttons(bot, services)
    settings.add_buttons(bot, services)
    lookups.add_buttons(bot, services)
    feeds.add_buttons(bot, services)
    subscriptions.add_buttons(bot, services)
    digest.add_buttons(bot, services)
    profiles.add_buttons(bot, services)
    privacy.add_buttons(bot, services)
    why.add_buttons(bot, services)
    operations.add_buttons(bot, services)
    review.add_buttons(bot, services)
    corrections.add_buttons(bot, services)
    analyse.add_menus(bot)
