"""What a person fills in, as Discord sends it: options of a command, values of a select, fields of a modal.

The values are checked as Discord's own client checks them: what it would not let a person send is
`NotOffered`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.discord import commands, components, payloads, permissions
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.messages import Upload, make_attachment
from bot.sandbox.discord.model import Channel, Guild
from bot.sandbox.discord.state import State


class NotOffered(Exception):  # noqa: N818 - a refusal of Discord's client, not a fault
    """Discord's client would not let a person do this."""


@dataclass(slots=True)
class Resolver:
    """Collects the `resolved` data for the ids that a person chose. `guild` None: in a DM."""

    state: State
    guild: Guild | None
    channel_id: int
    user_id: int
    data: Json = field(default_factory=dict)

    def user(self, value: Any) -> str:
        """Resolve a user, and the member it is here."""
        number = id_of(value)
        world = self.state.world
        if number not in world.users:
            raise NotOffered(f"there is no user {number}")
        self.data.setdefault("users", {})[str(number)] = payloads.user_json(world.users[number])
        member = self.guild.members.get(number) if self.guild else None
        if self.guild and member:
            data = payloads.member_json(world, member, with_user=False)
            del data["mute"], data["deaf"]
            here = self.state.world.channels[self.channel_id]
            data["permissions"] = str(self.state.world.permissions_in(here, number))
            self.data.setdefault("members", {})[str(number)] = data
        return str(number)

    def role(self, value: Any) -> str:
        """Resolve a role of this guild."""
        number = id_of(value)
        if self.guild is None or number not in self.guild.roles:
            raise NotOffered(f"there is no role {number} here")
        self.data.setdefault("roles", {})[str(number)] = payloads.role_json(self.guild.roles[number])
        return str(number)

    def mentionable(self, value: Any) -> str:
        """Resolve a role or a user."""
        is_role = self.guild is not None and id_of(value) in self.guild.roles
        return self.role(value) if is_role else self.user(value)

    def channel(self, value: Any, kinds: list[int] | None = None) -> str:
        """Resolve a channel of this guild that the person sees, of one of the allowed types."""
        number = id_of(value)
        found = self.guild.channels.get(number) if self.guild else None
        if found is None:
            raise NotOffered(f"there is no channel {number} here")
        may = self.state.world.permissions_in(found, self.user_id)
        if not may & permissions.VIEW_CHANNEL:
            raise NotOffered(f"#{found.name} is not shown to this person")
        if kinds and found.type not in kinds:
            raise NotOffered(f"#{found.name} is of type {found.type}; this takes {kinds}")
        self.data.setdefault("channels", {})[str(number)] = channel_part(self.state, found, self.user_id)
        return str(number)

    def attachment(self, upload: Upload) -> str:
        """Keep a person's file and resolve it."""
        attachment = make_attachment(self.state.world, upload, self.state.host, self.channel_id)
        attachment.ephemeral = True
        self.data.setdefault("attachments", {})[str(attachment.id)] = payloads.attachment_json(attachment)
        return str(attachment.id)


def channel_part(state: State, channel: Channel, user_id: int) -> Json:
    """Give a channel as it stands in an interaction: with the person's permissions in it."""
    data = payloads.channel_json(state.world, channel)
    data.pop("permission_overwrites", None)
    return data | {"permissions": str(state.world.permissions_in(channel, user_id))}


def id_of(value: Any) -> int:
    """Give the id of a thing of the world, or an id given as number or text."""
    return int(getattr(value, "id", value))


def find_command(state: State, guild_id: int | None, name: str, kind: int) -> Json:
    """Find a registered command by its first word; the guild's own goes before the global one."""
    for scope in (guild_id, None):
        for command in state.world.commands.get(scope, {}).values():
            if command["type"] == kind and command["name"] == name:
                return command
    what = "slash command" if kind == commands.CHAT_INPUT else "menu entry"
    raise NotOffered(f"there is no {what} {name!r}")


def fill_command(
    command: Json, words: list[str], values: Mapping[str, Any], resolver: Resolver, focused: str | None = None
) -> list[Json]:
    """Give the `options` of a command's interaction.

    `words`: the sub-commands after the first word. `focused`: the option being completed; then nothing is
    required and nothing checked, as while typing.
    """
    options = command.get("options") or []
    if words:
        inner = next(
            (each for each in options if each["name"] == words[0] and each["type"] <= commands.GROUP), None
        )
        if inner is None:
            raise NotOffered(f"/{command['name']} has no {words[0]!r}")
        filled = fill_command(inner, words[1:], values, resolver, focused)
        return [{"type": inner["type"], "name": inner["name"], "options": filled}]
    if any(each["type"] <= commands.GROUP for each in options):
        raise NotOffered(f"/{command['name']} needs one of its sub-commands")
    known = {each["name"]: each for each in options}
    for name in values:
        if name not in known:
            raise NotOffered(
                f"/{command['name']} has no option {name!r}; it has {', '.join(known) or 'none'}"
            )
    missing = [each["name"] for each in options if each.get("required") and each["name"] not in values]
    if missing and focused is None:
        raise NotOffered(f"/{command['name']} needs {', '.join(missing)}")
    return [_fill_option(known[name], value, resolver, focused) for name, value in values.items()]


def _fill_option(option: Json, value: Any, resolver: Resolver, focused: str | None) -> Json:
    kind, name = option["type"], option["name"]
    if focused is not None:
        data: Json = {
            "type": kind,
            "name": name,
            "value": value if kind in commands.CHOOSABLE else str(id_of(value)),
        }
        return data | ({"focused": True} if name == focused else {})
    taken: Any
    if kind in commands.CHOOSABLE:
        taken = _chosen(option, value)
    elif kind == commands.BOOLEAN:
        taken = bool(value)
    elif kind == commands.ATTACHMENT:
        taken = resolver.attachment(value)
    elif kind == commands.CHANNEL:
        taken = resolver.channel(value, option.get("channel_types"))
    else:
        taken = {
            commands.USER: resolver.user,
            commands.ROLE: resolver.role,
            commands.MENTIONABLE: resolver.mentionable,
        }[kind](value)
    return {"type": kind, "name": name, "value": taken}


def _chosen(option: Json, value: Any) -> str | int | float:
    """Check a text or number against an option's choices and bounds; a choice may be given by its name."""
    name = option["name"]
    choices = option.get("choices")
    if choices:
        for choice in choices:
            if value in (choice["value"], choice["name"]):
                return choice["value"]  # type: ignore[no-any-return] # JSON of a registered command
        raise NotOffered(
            f"{value!r} is no choice of {name}: {', '.join(str(each['name']) for each in choices)}"
        )
    if option["type"] == commands.STRING:
        text = str(value)
        if not option.get("min_length", 0) <= len(text) <= option.get("max_length", 6000) or not text:
            raise NotOffered(f"{name} has {len(text)} characters")
        return text
    number = int(value) if option["type"] == commands.INTEGER else float(value)
    low, high = option.get("min_value"), option.get("max_value")
    if (low is not None and number < low) or (high is not None and number > high):
        raise NotOffered(f"{name} is {number}, not between {low} and {high}")
    return number


def fill_select(select: Json, values: tuple[Any, ...], resolver: Resolver) -> list[str]:
    """Give the `values` of a select that a person chose; texts by value or label."""
    low, high = select.get("min_values", 1), select.get("max_values", 1)
    low = 1 if low is None else low
    if not low <= len(values) <= (high or 1):
        raise NotOffered(f"the select takes {low} to {high} values, not {len(values)}")
    if select["type"] == components.STRING_SELECT:
        return [_option_value(select, value) for value in values]
    if select["type"] == components.CHANNEL_SELECT:
        return [resolver.channel(value, select.get("channel_types")) for value in values]
    resolve = {
        components.USER_SELECT: resolver.user,
        components.ROLE_SELECT: resolver.role,
        components.MENTIONABLE_SELECT: resolver.mentionable,
    }[select["type"]]
    return [resolve(value) for value in values]


def _option_value(component: Json, wanted: Any) -> str:
    for option in component.get("options") or ():
        if wanted in (option["value"], option["label"]):
            return str(option["value"])
    shown = ", ".join(str(each["label"]) for each in component.get("options") or ())
    raise NotOffered(f"{wanted!r} is none of the options: {shown}")


def fill_modal(modal: Json, values: Mapping[str, Any], resolver: Resolver) -> list[Json]:
    """Give the `components` of a submitted modal; fields are named by custom id or by label."""
    left = dict(values)
    filled = [_fill_part(part, left, resolver) for part in modal["components"]]
    if left:
        raise NotOffered(f"the form has no field {', '.join(left)}")
    return filled


def _fill_part(part: Json, left: dict[str, Any], resolver: Resolver) -> Json:
    data: Json = {"type": part["type"], "id": part["id"]}
    if part["type"] == components.ROW:
        field_json = part["components"][0]
        return data | {"components": [_fill_field(field_json, field_json.get("label"), left, resolver)]}
    if part["type"] == components.LABEL:
        return data | {"component": _fill_field(part["component"], part["label"], left, resolver)}
    return data


def _fill_field(component: Json, label: str | None, left: dict[str, Any], resolver: Resolver) -> Json:
    key = next((each for each in (component["custom_id"], label) if each in left), None)
    value = left.pop(key) if key is not None else _preset(component)
    kind = component["type"]
    if value in (None, "", []) and component.get("required", kind != components.CHECKBOX):
        raise NotOffered(f"{label or component['custom_id']} must be filled in")
    data: Json = {"type": kind, "id": component["id"], "custom_id": component["custom_id"]}
    if kind == components.TEXT_INPUT:
        text = "" if value is None else str(value)
        if text and not (component.get("min_length") or 0) <= len(text) <= (
            component.get("max_length") or 4000
        ):
            raise NotOffered(f"{label or component['custom_id']} has {len(text)} characters")
        return data | {"value": text}
    if kind == components.CHECKBOX:
        return data | {"value": bool(value)}
    if kind == components.RADIO_GROUP:
        return data | {"value": None if value is None else _option_value(component, value)}
    listed = value if isinstance(value, list | tuple) else [] if value is None else [value]
    if kind == components.FILE_UPLOAD:
        return data | {"values": [resolver.attachment(each) for each in listed]}
    if kind == components.CHECKBOX_GROUP:
        return data | {"values": [_option_value(component, each) for each in listed]}
    return data | {"values": fill_select(component, tuple(listed), resolver) if listed else []}


def _preset(component: Json) -> Any:
    """Give what stands in a field before a person touches it."""
    kind = component["type"]
    if kind == components.TEXT_INPUT:
        return component.get("value")
    if kind == components.CHECKBOX:
        return component.get("default", False)
    chosen = [option["value"] for option in component.get("options") or () if option.get("default")]
    if kind == components.RADIO_GROUP:
        return chosen[0] if chosen else None
    return chosen or [each["id"] for each in component.get("default_values") or ()]
