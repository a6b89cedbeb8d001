"""What Discord demands of application commands.

Source: https://docs.discord.com/developers/interactions/application-commands
"""

from __future__ import annotations

import re

from bot.sandbox.discord.errors import Form, Json, Path, refusal

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
MOST = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MAX_SIZE = 8000
CHOOSABLE = frozenset({STRING, INTEGER, NUMBER})

# Letters of every script, digits, "-", "_" and "'": `\w` covers letters, digits and the underscore.
_NAME = re.compile(r"[-_'\w]{1,32}")


def check(form: Form, path: Path, command: Json) -> None:
    """Note what Discord would refuse in one command."""
    kind = command.get("type") or CHAT_INPUT
    form.one_of((*path, "type"), kind, frozenset(MOST))
    if kind == CHAT_INPUT:
        _check_name(form, path, command)
        form.between((*path, "description"), command.get("description"), 1, 100)
        _check_localizations(form, path, command)
        _check_options(form, path, command.get("options") or [], depth=0)
        if _size(command) > MAX_SIZE:
            message = f"Command exceeds maximum size ({MAX_SIZE})"
            form.add(path, "APPLICATION_COMMAND_TOO_LARGE", message)
    else:
        form.between((*path, "name"), command.get("name"), 1, 32)
        if command.get("description"):
            message = "Context menu commands cannot have description"
            form.add((*path, "description"), "APPLICATION_COMMAND_INVALID_DESCRIPTION", message)


def check_all(form: Form, commands: list[Json]) -> None:
    """Note what Discord would refuse in the whole set, and refuse too many (30032)."""
    seen: set[tuple[int, object]] = set()
    for index, command in enumerate(commands):
        check(form, (index,), command)
        key = (command.get("type") or CHAT_INPUT, command.get("name"))
        if key in seen:
            form.add(
                (index,), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add(key)
    check_number(commands)


def check_number(commands: list[Json]) -> None:
    """Refuse more commands of a type than there may be (30032)."""
    for kind, most in MOST.items():
        if sum((command.get("type") or CHAT_INPUT) == kind for command in commands) > most:
            raise refusal(30032)


def _check_name(form: Form, path: Path, thing: Json) -> None:
    name = thing.get("name")
    form.between((*path, "name"), name, 1, 32)
    for key, text in [("name", name), *((thing.get("name_localizations") or {}).items())]:
        where = (*path, "name") if key == "name" else (*path, "name_localizations", key)
        if isinstance(text, str) and (not _NAME.fullmatch(text) or text != text.lower()):
            form.add(where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_localizations(form: Form, path: Path, thing: Json) -> None:
    for locale, text in (thing.get("description_localizations") or {}).items():
        form.between((*path, "description_localizations", locale), text, 1, 100)


def _check_options(form: Form, path: Path, options: list[Json], depth: int) -> None:
    if len(options) > 25:
        form.add((*path, "options"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    names: set[object] = set()
    optional_seen = False
    for index, option in enumerate(options):
        place: Path = (*path, "options", index)
        _check_option(form, place, option, depth)
        if option.get("name") in names:
            message = "Option name already exists in this application command"
            form.add((*place, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message)
        names.add(option.get("name"))
        if option.get("required") and optional_seen:
            message = "Required options must be placed before non-required options"
            form.add(place, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        optional_seen = optional_seen or not option.get("required")
    kinds = {option.get("type") in (SUBCOMMAND, GROUP) for option in options}
    if len(kinds) > 1:
        message = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        form.add((*path, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)


def _check_option(form: Form, path: Path, option: Json, depth: int) -> None:
    kind = option.get("type")
    allowed = range(STRING if depth == 2 else SUBCOMMAND, ATTACHMENT + 1)
    form.one_of((*path, "type"), kind, frozenset(each for each in allowed if depth == 0 or each != GROUP))
    _check_name(form, path, option)
    form.between((*path, "description"), option.get("description"), 1, 100)
    _check_localizations(form, path, option)
    if kind in (SUBCOMMAND, GROUP):
        _check_options(form, path, option.get("options") or [], depth=2 if kind == SUBCOMMAND else 1)
    choices = option.get("choices") or []
    if len(choices) > 25:
        form.add((*path, "choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        form.between((*path, "choices", index, "name"), choice.get("name"), 1, 100)
        form.at_most((*path, "choices", index, "value"), choice.get("value"), 100)
    if choices and option.get("autocomplete"):
        message = "Autocomplete and choices are mutually exclusive"
        form.add(
            (*path, "autocomplete"), "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES_EXCLUSIVE", message
        )
    if option.get("autocomplete") and kind not in CHOOSABLE:
        message = "Autocomplete is not possible for this type"
        form.add((*path, "autocomplete"), "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_INVALID_TYPE", message)


def _size(thing: Json) -> int:
    """Count a command's characters as Discord does: of each localised text only the longest counts."""
    size = _longest(thing, "name") + _longest(thing, "description")
    for choice in thing.get("choices") or ():
        size += _longest(choice, "name") + len(str(choice.get("value", "")))
    return size + sum(_size(option) for option in thing.get("options") or ())


def _longest(thing: Json, key: str) -> int:
    texts = [thing.get(key) or "", *(thing.get(f"{key}_localizations") or {}).values()]
    return max(len(text) for text in texts)
