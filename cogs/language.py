"""The interface in the reader's language: command names and descriptions, and what is said in answers."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Place

from bot.words import LANGUAGES, catalogue, language_for, speak

_NAMES = {
    Place.command_name,
    Place.group_name,
    Place.parameter_name,
    Place.choice_name,
}


class CommandTranslator(app_commands.Translator):
    """Gives Discord the names and descriptions of commands in the languages that Quash speaks.

    https://discord.com/developers/docs/interactions/application-commands#localization
    """

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Give a text in a locale, None where there is none: Discord shows the English one then."""
        language = language_for(locale.value)
        if language == LANGUAGES[0]:
            return None
        known = catalogue(language)
        plain = string.message
        text = known.pgettext("name", plain) if context.location in _NAMES else known.gettext(plain)
        return text if text != plain else None


def speak_with(interaction: discord.Interaction) -> None:
    """Speak the language of the one who acts, for the rest of the task."""
    speak(language_for(interaction.locale.value))
