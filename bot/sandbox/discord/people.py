"""Acting as a person on the stand-in's Discord: commands, buttons, selects, forms, menus, messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.discord import commands, components, interactions, messages, payloads, permissions
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.interactions import Answer, Choice, Interaction, new_token
from bot.sandbox.discord.messages import Upload
from bot.sandbox.discord.model import Channel, Event, Guild, Message, walk
from bot.sandbox.discord.options import (
    NotOffered,
    Resolver,
    channel_part,
    fill_command,
    fill_modal,
    fill_select,
    find_command,
)
from bot.sandbox.discord.state import State

IN_GUILD, IN_BOT_DM = 0, 1
REPLY, CHAT_INPUT_REPLY, MENU_REPLY = 19, 20, 23


@dataclass(slots=True)
class Person:
    """A user in one place. `patience`: how long to wait for what was deferred, in seconds.

    What Discord's client would not offer (a command that the person may not use, a button that is not
    there) raises `NotOffered`. An answer that does not come in time leaves `Answer.seconds` infinite.
    """

    state: State
    gateway: Gateway
    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    patience: float = 15.0

    async def command(self, name: str, /, *, forced: bool = False, **options: Any) -> Answer:
        """Run a slash command: `command("alerts add", channel=channel, topics="surveillance")`.

        Options take text, numbers, booleans, things of the world or their ids, and `Upload` for a file.
        `forced`: although the command is not shown to this person, as where the guild's own settings for
        apps let everybody use it.
        """
        first, *words = name.split()
        command = self._offered(first, commands.CHAT_INPUT, forced)
        resolver = self._resolver()
        filled = fill_command(command, words, options, resolver)
        data = self._command_data(command) | ({"options": filled} if filled else {})
        return await self._act(interactions.COMMAND, data, resolver, name=name, reply_type=CHAT_INPUT_REPLY)

    async def autocomplete(
        self, name: str, option: str, typed: str | float = "", /, **options: Any
    ) -> list[Choice]:
        """Type into an option that completes, with other options filled in already; give the suggestions."""
        first, *words = name.split()
        command = self._offered(first, commands.CHAT_INPUT, forced=False)
        values = {key: value for key, value in options.items() if key != option} | {option: typed}
        filled = fill_command(command, words, values, self._resolver(), focused=option)
        _check_completes(command, words, option)
        data = self._command_data(command) | {"options": filled}
        answer = await self._act(interactions.AUTOCOMPLETE, data, self._resolver(), name=name)
        return answer.choices

    async def menu(self, name: str, target: Message | int) -> Answer:
        """Use an entry of a message's menu, or of a user's (given by the user's id)."""
        resolver = self._resolver()
        if isinstance(target, Message):
            command = self._offered(name, commands.MESSAGE_MENU, forced=False)
            shown = payloads.message_json(self.state.world, self._seen(target))
            resolver.data["messages"] = {str(target.id): shown}
            target_id = str(target.id)
        else:
            command = self._offered(name, commands.USER_MENU, forced=False)
            target_id = resolver.user(target)
        data = self._command_data(command) | {"target_id": target_id}
        return await self._act(interactions.COMMAND, data, resolver, name=name, reply_type=MENU_REPLY)

    async def click(self, message: Message | int, which: str) -> Answer:
        """Press a button, named by its custom id or its label."""
        shown = self._seen(message)
        button = _component(shown, {components.BUTTON}, which)
        if "custom_id" not in button:
            raise NotOffered(f"{which!r} is a link to {button.get('url')}")
        return await self._touch(shown, button, {}, self._resolver())

    async def select(self, message: Message | int, which: str, *values: Any) -> Answer:
        """Choose values in a select, named by its custom id or placeholder; texts by value or label."""
        shown = self._seen(message)
        select = _component(shown, components.SELECTS, which)
        resolver = self._resolver()
        return await self._touch(shown, select, {"values": fill_select(select, values, resolver)}, resolver)

    async def submit(self, form: Answer, /, values: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        """Send the form (modal) that an answer opened; fields by custom id or label, others as preset."""
        if form.modal is None:
            raise NotOffered("the answer opened no form")
        resolver = self._resolver()
        filled = fill_modal(form.modal, {**(values or {}), **more}, resolver)
        data: Json = {"custom_id": form.modal["custom_id"], "components": filled}
        opened_by = self.state.interactions.get(form.interaction_id)
        return await self._act(
            interactions.MODAL_SUBMIT, data, resolver, message=opened_by.message, parent=opened_by
        )

    async def say(self, content: str, *files: Upload, embeds: list[Json] | None = None) -> Message:
        """Write a message where the person is."""
        world, channel = self.state.world, self.place()
        message = Message(world.ids.next(), channel.id, channel.guild_id, self.user_id, world.now())
        body: Json = {"content": content, "embeds": embeds or []}
        messages.fill(world, message, body, list(files), self.state.host)
        messages.store(world, channel, message)
        return message

    def _guild(self) -> Guild | None:
        return None if self.guild_id is None else self.state.world.guilds[self.guild_id]

    def place(self) -> Channel:
        """Give the channel where the person is."""
        world = self.state.world
        if self.guild_id is None:
            return world.dm_with(self.user_id)
        if self.channel_id is None:
            raise NotOffered("a person in a guild needs a channel to act in")
        channel = world.channels[self.channel_id]
        if not world.permissions_in(channel, self.user_id) & permissions.VIEW_CHANNEL:
            raise NotOffered(f"#{channel.name} is not shown to this person")
        return channel

    def _resolver(self) -> Resolver:
        return Resolver(self.state, self._guild(), self.place().id, self.user_id)

    def _seen(self, message: Message | int) -> Message:
        number = message if isinstance(message, int) else message.id
        found = self.state.world.message(self.place().id, number)
        if found is None:
            raise NotOffered(f"message {number} is not there (or was deleted)")
        if found.ephemeral_to not in (None, self.user_id):
            raise NotOffered("only another person sees this message")
        return found

    def _offered(self, name: str, kind: int, forced: bool) -> Json:
        """Find a command that Discord shows to this person here."""
        command = find_command(self.state, self.guild_id, name, kind)
        if not forced:
            why = self._hidden(command)
            if why:
                raise NotOffered(f"{name!r} is not shown to this person: {why}")
        return command

    def _hidden(self, command: Json) -> str:
        guild = self._guild()
        contexts = command.get("contexts")
        here = IN_GUILD if guild else IN_BOT_DM
        if contexts is not None and here not in contexts:
            return f"it is for contexts {contexts}"
        if guild is None:
            return "it is for contexts [0]" if command.get("dm_permission") is False else ""
        installs = command.get("integration_types") or [0]
        if not ((0 in installs and self._bot_is_here()) or (1 in installs and self._has_app())):
            return "the app is not installed here"
        may = self.state.world.permissions_in(self.place(), self.user_id)
        if not may & permissions.USE_APPLICATION_COMMANDS:
            return "no Use Application Commands here"
        needed = command.get("default_member_permissions")
        if needed is not None:
            held = permissions.in_guild(guild, self.user_id)
            if held != permissions.ALL and (int(needed) == 0 or held & int(needed) != int(needed)):
                return f"it needs permissions {needed}"
        return ""

    def _bot_is_here(self) -> bool:
        guild = self._guild()
        return guild is not None and self.state.world.bot_id in guild.members

    def _has_app(self) -> bool:
        return self.state.world.users[self.user_id].has_app

    def _command_data(self, command: Json) -> Json:
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        return data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})

    async def _touch(self, message: Message, component: Json, more: Json, resolver: Resolver) -> Answer:
        if component.get("disabled"):
            raise NotOffered("the component is disabled")
        data = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
        }
        return await self._act(
            interactions.COMPONENT, data | more, resolver, message=message, reply_type=REPLY
        )

    async def _act(
        self,
        kind: int,
        data: Json,
        resolver: Resolver,
        *,
        name: str = "",
        message: Message | None = None,
        parent: Interaction | None = None,
        reply_type: int = 0,
    ) -> Answer:
        """Send an interaction to the bot and wait for what a person waits for."""
        world, store = self.state.world, self.state.interactions
        number = world.ids.next()
        channel = self.place()
        metadata = self._metadata(number, kind, message, parent)
        interaction = Interaction(
            number,
            new_token(),
            kind,
            self.user_id,
            self.guild_id,
            channel.id,
            metadata,
            world.now(),
            store.steady(),
            Answer(number),
            message,
            reply_type=reply_type,
        )
        if resolver.data:
            data["resolved"] = resolver.data
        store.add(interaction)
        payload = self._payload(interaction, data, channel)
        # Where only the person has the app, no guild of the bot's is concerned.
        self.gateway.tell(
            Event("INTERACTION_CREATE", payload, self.guild_id if self._bot_is_here() else None)
        )
        await self._await(interaction.answer)
        return interaction.answer

    def _metadata(self, number: int, kind: int, message: Message | None, parent: Interaction | None) -> Json:
        data: Json = {
            "id": str(number),
            "type": kind,
            "user": payloads.user_json(self.state.world.users[self.user_id]),
            "authorizing_integration_owners": self._owners(),
        }
        if kind == interactions.COMPONENT and message is not None:
            data["interacted_message_id"] = str(message.id)
        if kind == interactions.MODAL_SUBMIT and parent is not None:
            data["triggering_interaction_metadata"] = parent.metadata
        return data

    def _owners(self) -> Json:
        owners = {}
        if self.guild_id is None or self._bot_is_here():
            owners["0"] = str(self.guild_id or 0)
        if self._has_app():
            owners["1"] = str(self.user_id)
        return owners

    def _payload(self, interaction: Interaction, data: Json, channel: Channel) -> Json:
        world, guild = self.state.world, self._guild()
        user = world.users[self.user_id]
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(world.application.id),
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": channel_part(self.state, channel, self.user_id),
            "app_permissions": str(self._app_permissions(channel)),
            "locale": user.locale,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": self._owners(),
            "context": IN_GUILD if guild else IN_BOT_DM,
            "attachment_size_limit": self.state.settings.upload_bytes,
        }
        if guild is None:
            payload["user"] = payloads.user_json(user)
        else:
            member = payloads.member_json(world, guild.members[self.user_id])
            member["permissions"] = str(world.permissions_in(channel, self.user_id))
            payload |= {
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
                "guild_locale": guild.locale,
                "member": member,
            }
        if interaction.message is not None:
            payload["message"] = payloads.message_json(world, interaction.message)
        return payload

    def _app_permissions(self, channel: Channel) -> int:
        """Give what the app may do here; where only the person has it, some of the person's own rights."""
        world = self.state.world
        if self.guild_id is None or self._bot_is_here():
            return world.permissions_in(channel, world.bot_id)
        return world.permissions_in(channel, self.user_id) & (
            permissions.VIEW_CHANNEL
            | permissions.SEND_MESSAGES
            | permissions.EMBED_LINKS
            | permissions.ATTACH_FILES
            | permissions.USE_EXTERNAL_EMOJIS
            | permissions.MENTION_EVERYONE
        )

    async def _await(self, answer: Answer) -> None:
        changes = self.state.changes
        await changes.until(lambda: answer.kind != "none", self.state.settings.answer_seconds + 0.1)
        if answer.kind == "deferred":
            await changes.until(lambda: not answer.pending, self.patience)
        elif answer.kind == "deferred_update":
            await changes.until(
                lambda: answer.updated is not None or bool(answer.messages), min(self.patience, 2.0)
            )


def _check_completes(command: Json, words: list[str], option: str) -> None:
    options = command.get("options") or []
    for word in words:
        options = next(each for each in options if each["name"] == word).get("options") or []
    if not any(each["name"] == option and each.get("autocomplete") for each in options):
        raise NotOffered(f"{option!r} does not complete")


def _component(message: Message, kinds: frozenset[int] | set[int], which: str) -> Json:
    found = [each for each in walk(message.components) if each["type"] in kinds]
    for component in found:
        if which in (component.get("custom_id"), component.get("label"), component.get("placeholder")):
            return component
    there = ", ".join(
        str(each.get("label") or each.get("placeholder") or each.get("custom_id")) for each in found
    )
    raise NotOffered(f"the message has no {which!r}; it has {there or 'nothing to press'}")
