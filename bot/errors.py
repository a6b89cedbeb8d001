"""The exceptions that Quash raises on purpose, all below `QuashError`.

The message of each is one sentence that a person can act on; it never holds a secret. Rooms derive
their own kinds from these where they live (`bot.feeds.errors`, ...).
"""

from __future__ import annotations


def told(text: str, /, **values: object) -> str:
    """Write a sentence that is logged, printed or stored in English and shown to people in their language.

    `bot.words.retell` knows it again by `text`, a literal with `{names}`, and says it in the language that is
    spoken then.
    """
    return text.format(**values) if values else text


class QuashError(Exception):
    """Something went wrong that a person can be told in one sentence."""

    exit_status = 1


class UsageError(QuashError):
    """The command or its configuration is wrong: says what, and what to do. Exit status 2."""

    exit_status = 2


class SettingsError(UsageError):
    """A setting has a value that is not allowed: names the variable and what is allowed."""
