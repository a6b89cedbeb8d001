"""Messages as a web page that looks like Discord, drawn from what was really sent; for pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from bot.sandbox.discord import components
from bot.sandbox.discord.model import Message
from bot.sandbox.discord.world import World
from bot.sandbox.show.markdown import Line, Piece, lines_of
from bot.sandbox.show.names import namer

_PARAGRAPH = 2
_BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}


def page_of(
    world: World, messages: Iterable[Message], *, width: int | None = None, opened: str | None = None
) -> str:
    """Give a page with the messages, in their order; it needs nothing from elsewhere.

    `opened`: the custom id of a select that is drawn with its options, as when somebody has clicked on it.
    """
    return _page("\n".join(_message(world, message, opened) for message in messages), width)


def form_page(form: dict[str, Any], *, width: int | None = None) -> str:
    """Give a page with a form (modal), as the interaction's answer describes it."""
    fields = "".join(_field(label) for label in form["components"])
    buttons = '<span class="button secondary">Cancel</span><span class="button primary">Submit</span>'
    title = f'<p class="text heading">{escape(form["title"])}</p>'
    return _page(f'<div class="form">{title}{fields}<div class="row end">{buttons}</div></div>', width)


def _page(drawn: str, width: int | None) -> str:
    limit = f"body {{ max-width: {width}px; }}" if width else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Messages</title>'
        f"<style>{_style()}{limit}</style></head><body>{drawn}</body></html>"
    )


def _field(label: dict[str, Any]) -> str:
    """Draw a form's label with the component that it names."""
    component = label["component"]
    if component["type"] == components.TEXT_INPUT:
        text = component.get("value") or component.get("placeholder") or ""
        tall = " tall" if component.get("style") == _PARAGRAPH else ""
        drawn = f'<div class="select{" chosen" if component.get("value") else ""}{tall}">{escape(text)}</div>'
    elif component["type"] == components.FILE_UPLOAD:
        drawn = '<div class="select">Choose a file</div>'
    else:
        drawn = f'<div class="select chosen">{escape(", ".join(_preset(component)) or "Select")} ▾</div>'
    said = f'<p class="text small">{escape(label["description"])}</p>' if label.get("description") else ""
    return f'<p class="text"><b>{escape(label["label"])}</b></p>{said}{drawn}'


@cache
def _style() -> str:
    return (resources.files("bot.sandbox.show") / "page.css").read_text("utf-8")


def _message(world: World, message: Message, opened: str | None) -> str:
    author = world.users[message.author_id].name
    now = datetime.fromtimestamp(world.now(), UTC)
    at = datetime.fromtimestamp(message.timestamp, UTC).strftime("%H:%M")
    answered = '<div class="reply">↪ answers an earlier card</div>' if message.reference else ""
    only = '<div class="only">Only you can see this</div>' if message.ephemeral_to else ""
    content = f'<p class="text">{_text(message.content, world, now)}</p>' if message.content else ""
    parts = "".join(_component(c, message, world, now, opened) for c in message.components)
    return (
        f'<div class="message"><div class="avatar">{escape(author[:1].upper())}</div>'
        f'<div class="body">{answered}<span class="name">{escape(author)}</span>'
        f'<span class="app">APP</span><span class="when">{at}</span>'
        f"{content}{parts}{only}</div></div>"
    )


def _component(
    component: dict[str, Any], message: Message, world: World, now: datetime, opened: str | None
) -> str:
    kind = component["type"]
    inner = "".join(_component(c, message, world, now, opened) for c in component.get("components", []))
    if kind == components.TEXT_DISPLAY:
        return f'<p class="text">{_text(component["content"], world, now)}</p>'
    if kind == components.CONTAINER:
        colour = component.get("accent_color")
        edge = f' style="border-left-color: #{colour:06x}"' if colour is not None else ""
        return f'<div class="container"{edge}>{inner}</div>'
    if kind == components.ROW:
        return f'<div class="row">{inner}</div>'
    if kind == components.BUTTON:
        style = _BUTTON_STYLES.get(component.get("style", 2), "secondary")
        off = " disabled" if component.get("disabled") else ""
        return f'<span class="button {style}{off}">{escape(component.get("label") or "")}</span>'
    if kind in components.SELECTS:
        return _select(component, world, opened)
    if kind == components.SECTION:
        accessory = _component(component["accessory"], message, world, now, opened)
        return f'<div class="section"><div>{inner}</div>{accessory}</div>'
    if kind == components.GALLERY:
        return "".join(_picture(item, message) for item in component["items"])
    if kind == components.SEPARATOR:
        return "<hr>"
    return inner


def _select(component: dict[str, Any], world: World, opened: str | None) -> str:
    preset = _preset(component)
    kinds = {"channel": "#", "role": "@&", "user": "@"}
    preset += [namer(world)(kinds[d["type"]], int(d["id"])) for d in component.get("default_values", [])]
    shown = ", ".join(preset) or component.get("placeholder") or "Make a selection"
    box = f'<div class="select{" chosen" if preset else ""}">{escape(shown)} ▾</div>'
    if component.get("custom_id") != opened:
        return box
    options = "".join(
        f"<p class='text'>{'☑' if o.get('default') else '☐'} <b>{escape(o['label'])}</b>"
        f"<br><span class='small'>{escape(o.get('description') or '')}</span></p>"
        for o in component["options"]
    )
    return f'{box}<div class="options">{options}</div>'


def _preset(component: dict[str, Any]) -> list[str]:
    """Give what a select holds."""
    return [o["label"] for o in component.get("options", []) if o.get("default")]


def _picture(item: dict[str, Any], message: Message) -> str:
    name = str(item["media"]["url"]).rpartition("/")[2]
    alt = escape(item.get("description") or "")
    for attachment in message.attachments:
        if attachment.filename == name:
            data = base64.b64encode(attachment.content).decode()
            return f'<img alt="{alt}" src="data:{attachment.content_type};base64,{data}">'
    return f"<span>{alt}</span>"


def _text(text: str, world: World, now: datetime) -> str:
    lines = lines_of(text, namer(world), now)
    drawn = [(line.kind, "".join(_pieces(line))) for line in lines]
    return "\n".join(
        inner if kind == "text" else f'<span class="{kind}">{inner}</span>' for kind, inner in drawn
    ).replace('</span>\n<span class="quote">', '</span><span class="quote">')


def _pieces(line: Line) -> Iterator[str]:
    for piece in line.pieces:
        yield _piece(piece)


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    if piece.code:
        text = f"<code>{text}</code>"
    if piece.bold:
        text = f"<b>{text}</b>"
    return f'<a href="{escape(piece.url)}">{text}</a>' if piece.url else text
