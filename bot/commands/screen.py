"""Where commands write what is for people: no control sequence of a stranger's text reaches the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from bot.logs import UNPRINTABLE


class Screen(Console):
    """A terminal or file that takes text without what would drive a terminal or turn its direction round."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def render(self, *arguments: Any, **options: Any) -> Iterable[Segment]:
        """Give what is drawn, cleaned."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else Segment(_clean(segment.text), segment.style)


def _clean(text: str) -> str:
    return "\n".join(UNPRINTABLE.sub("", line) for line in text.split("\n")) if text != "\n" else text
