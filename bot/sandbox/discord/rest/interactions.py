"""Answers to interactions: the first one, and what follows by the interaction's token.

Source: https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from __future__ import annotations

from bot.sandbox.discord import components, interactions, messages, payloads
from bot.sandbox.discord.errors import Form, Json, refusal
from bot.sandbox.discord.interactions import Choice, Interaction
from bot.sandbox.discord.limits import Limit
from bot.sandbox.discord.model import EPHEMERAL, LOADING, Message
from bot.sandbox.discord.rest.call import Call, require_object, route

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
FOLLOW_UPS = Limit(5, 2.0)
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
FITTING: dict[int, frozenset[int]] = {
    interactions.COMMAND: frozenset({MESSAGE, DEFERRED, MODAL}),
    interactions.AUTOCOMPLETE: frozenset({CHOICES}),
    interactions.COMPONENT: frozenset({MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL}),
    interactions.MODAL_SUBMIT: frozenset({MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE}),
}


@route("POST", "/interactions/{interaction_id}/{interaction_token}/callback", None, with_token=False)
def callback(call: Call) -> Json | None:
    """Take the first answer to an interaction."""
    body = call.fields
    store = call.state.interactions
    interaction = store.to_answer(
        call.id("interaction_id"), call.path["interaction_token"], call.state.settings.answer_seconds
    )
    kind: int = body.get("type", 0)
    form = Form()
    fitting = FITTING[interaction.type]
    if interaction.message is None:
        fitting = fitting - {DEFERRED_UPDATE, UPDATE}
    form.one_of(("type",), kind, fitting)
    form.done()
    _ANSWERS[kind](call, interaction, body)
    interaction.acknowledged = True
    interaction.answer.seconds = store.steady() - interaction.began
    if call.query.get("with_response") not in ("true", "1"):
        return None
    return _callback_response(call, interaction, kind)


def _callback_response(call: Call, interaction: Interaction, kind: int) -> Json:
    about: Json = {"id": str(interaction.id), "type": interaction.type}
    data: Json = {"interaction": about}
    if kind in (MESSAGE, DEFERRED, UPDATE, DEFERRED_UPDATE) and interaction.original is not None:
        about |= {
            "response_message_id": str(interaction.original.id),
            "response_message_loading": bool(interaction.original.flags & LOADING),
            "response_message_ephemeral": bool(interaction.original.flags & EPHEMERAL),
        }
        if kind in (MESSAGE, UPDATE):
            data["resource"] = {
                "type": kind,
                "message": payloads.message_json(call.world, interaction.original),
            }
    return data


def _answer_message(call: Call, interaction: Interaction, body: Json) -> None:
    data = require_object(body.get("data") or {})
    _check(call, data, 0, prefix=("data",))
    message = _new_message(call, interaction, (data.get("flags") or 0) & EPHEMERAL)
    messages.fill(call.world, message, data, call.uploads, call.state.host)
    _store(call, interaction, message)
    interaction.original = message
    interaction.answer.kind = "message"
    interaction.answer.ephemeral = bool(message.flags & EPHEMERAL)


def _answer_deferred(call: Call, interaction: Interaction, body: Json) -> None:
    data = require_object(body.get("data") or {})
    message = _new_message(call, interaction, ((data.get("flags") or 0) & EPHEMERAL) | LOADING)
    _store(call, interaction, message)
    interaction.original = message
    interaction.answer.kind = "deferred"
    interaction.answer.deferred = True
    interaction.answer.ephemeral = bool(message.flags & EPHEMERAL)


def _answer_deferred_update(call: Call, interaction: Interaction, body: Json) -> None:
    interaction.original = interaction.message
    interaction.answer.kind = "deferred_update"


def _answer_update(call: Call, interaction: Interaction, body: Json) -> None:
    message = interaction.message
    if message is None or message.deleted:
        raise refusal(10008)
    data = require_object(body.get("data") or {})
    _check(call, data, message.flags, prefix=("data",))
    interaction.original = message
    _edit(call, interaction, message, data)
    interaction.answer.kind = "update"


def _answer_choices(call: Call, interaction: Interaction, body: Json) -> None:
    choices = require_object(body.get("data") or {}).get("choices")
    form = Form()
    form.between(("data", "choices"), choices, 0, 25)
    listed = choices if isinstance(choices, list) else []
    for index, choice in enumerate(listed):
        form.between(("data", "choices", index, "name"), choice.get("name"), 1, 100)
        form.at_most(("data", "choices", index, "value"), choice.get("value"), 100)
        if choice.get("value") in (None, ""):
            form.add(("data", "choices", index, "value"), "BASE_TYPE_REQUIRED", "This field is required")
    form.done()
    interaction.answer.kind = "choices"
    interaction.answer.choices = [Choice(each["name"], each["value"]) for each in listed]


def _answer_modal(call: Call, interaction: Interaction, body: Json) -> None:
    form = Form()
    components.check_modal(form, body.get("data"))
    form.done()
    components.number(body["data"]["components"])
    interaction.answer.kind = "modal"
    interaction.answer.modal = body["data"]


_ANSWERS = {
    MESSAGE: _answer_message,
    DEFERRED: _answer_deferred,
    DEFERRED_UPDATE: _answer_deferred_update,
    UPDATE: _answer_update,
    CHOICES: _answer_choices,
    MODAL: _answer_modal,
}


def _check(call: Call, body: Json, had_flags: int, prefix: tuple[str, ...] = ()) -> None:
    form = Form()
    messages.check(form, body, had_flags=had_flags, prefix=prefix)
    form.done()
    messages.check_files(call.uploads, call.state.host)


def _new_message(call: Call, interaction: Interaction, flags: int) -> Message:
    world = call.world
    message = Message(
        world.ids.next(), interaction.channel_id, interaction.guild_id, world.bot_id, world.now(), flags=flags
    )
    message.application_id = world.application.id
    message.metadata = interaction.metadata
    message.type = interaction.reply_type
    if interaction.message is not None and interaction.type == interactions.COMPONENT:
        message.reference = {
            "type": 0,
            "channel_id": str(message.channel_id),
            "message_id": str(interaction.message.id),
        }
    if flags & EPHEMERAL:
        message.ephemeral_to = interaction.user_id
    return message


def _store(call: Call, interaction: Interaction, message: Message) -> None:
    messages.store(call.world, call.world.channels[message.channel_id], message)
    interaction.made.add(message.id)
    interaction.answer.messages.append(message)


def _edit(call: Call, interaction: Interaction, message: Message, body: Json) -> None:
    was_loading = bool(message.flags & LOADING)
    message.flags &= ~LOADING
    try:
        messages.fill(call.world, message, body, call.uploads, call.state.host)
    except Exception:
        message.flags |= LOADING if was_loading else 0
        raise
    messages.changed(call.world, message, edited=not was_loading)
    if message is interaction.message:
        interaction.answer.updated = message


def _by_token(call: Call) -> Interaction:
    if call.id("webhook_id") != call.world.application.id:
        raise refusal(10015)
    interaction = call.state.interactions.by_token(
        call.path["webhook_token"], call.state.settings.token_seconds
    )
    if not interaction.acknowledged:
        raise refusal(10015)
    return interaction


def _target(call: Call, interaction: Interaction) -> Message:
    if "message_id" in call.path:
        number = call.id("message_id")
        made = number in interaction.made or (
            interaction.original is not None and interaction.original.id == number
        )
        message = call.world.message(interaction.channel_id, number) if made else None
    else:
        message = interaction.original
    if message is None or message.deleted:
        raise refusal(10008)
    return message


@route("POST", "/webhooks/{webhook_id}/{webhook_token}", FOLLOW_UPS, with_token=False)
def follow_up(call: Call) -> Json:
    """Send a further message; the first after "is thinking" takes that one's place."""
    interaction, body = _by_token(call), call.fields
    original = interaction.original
    if original is not None and original.flags & LOADING and not original.deleted:
        _check(call, body, original.flags)
        _edit(call, interaction, original, body)
        return payloads.message_json(call.world, original)
    _check(call, body, 0)
    message = _new_message(call, interaction, (body.get("flags") or 0) & EPHEMERAL)
    message.type = 0
    messages.fill(call.world, message, body, call.uploads, call.state.host)
    _store(call, interaction, message)
    return payloads.message_json(call.world, message)


@route("GET", ORIGINAL, FOLLOW_UPS, with_token=False)
@route("GET", FOLLOW_UP, FOLLOW_UPS, with_token=False)
def read(call: Call) -> Json:
    """Give the first answer, or a later one."""
    return payloads.message_json(call.world, _target(call, _by_token(call)))


@route("PATCH", ORIGINAL, FOLLOW_UPS, with_token=False)
@route("PATCH", FOLLOW_UP, FOLLOW_UPS, with_token=False)
def edit(call: Call) -> Json:
    """Change the first answer, or a later one."""
    interaction = _by_token(call)
    message = _target(call, interaction)
    _check(call, call.fields, message.flags)
    _edit(call, interaction, message, call.fields)
    return payloads.message_json(call.world, message)


@route("DELETE", ORIGINAL, FOLLOW_UPS, with_token=False)
@route("DELETE", FOLLOW_UP, FOLLOW_UPS, with_token=False)
def delete(call: Call) -> None:
    """Delete the first answer, or a later one."""
    messages.delete(call.world, _target(call, _by_token(call)))
