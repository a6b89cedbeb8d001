"""A message in a terminal, drawn from its components."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.style import Style
from rich.text import Text

from bot.sandbox.discord.components import ROW, TEXT_DISPLAY
from bot.sandbox.discord.model import Message
from bot.sandbox.discord.world import World
from bot.sandbox.show.markdown import Line, lines_of
from bot.sandbox.show.names import namer

_STYLES = {"heading": "bold", "small": "dim", "quote": "", "text": ""}


def print_message(console: Console, world: World, message: Message, title: str) -> None:
    """Print a message under a title that says where it stands and for whom."""
    colour = next((c.get("accent_color") for c in message.components if c.get("accent_color")), None)
    lines = [
        *([Text(message.content)] if message.content else []),
        *_drawn(message.components, world),
    ]
    console.print(
        Panel(
            Group(*lines),
            title=Text(title, style="dim"),
            title_align="left",
            border_style=f"#{colour:06x}" if colour else "dim",
        )
    )


def _drawn(components: list[dict[str, Any]], world: World) -> Iterator[Text]:
    for component in components:
        kind = component["type"]
        if kind == TEXT_DISPLAY:
            now = datetime.fromtimestamp(world.now(), UTC)
            yield from map(_line, lines_of(component["content"], namer(world), now))
        elif kind == ROW:
            labels = [f"[ {b['label']} ]" for b in component["components"] if b.get("label")]
            if labels:
                yield Text("  ".join(labels), style="dim")
        else:
            yield from _drawn(component.get("components", []), world)


def _line(line: Line) -> Text:
    text = Text("│ " if line.kind == "quote" else "", style=_STYLES[line.kind])
    for piece in line.pieces:
        text.append(piece.text, Style(bold=piece.bold or None, link=piece.url))
    return text
