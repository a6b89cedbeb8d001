"""A card in a terminal, for `quash demo` and `quash preview`."""

from __future__ import annotations

from rich.console import Console, Group
from rich.panel import Panel
from rich.style import Style
from rich.text import Text

from bot.alerts.cards import Card, CardSource, demand_parts, look_of
from bot.alerts.foreign import plain_text, safe_url


def print_card(console: Console, card: Card) -> None:
    """Print a card. Its texts are cleaned: no control sequence of a stranger reaches the terminal."""
    look = look_of(card.standing)
    colour = f"#{look.colour:06x}"
    lines: list[Text] = []
    if card.is_update:
        lines.append(Text(f"{look.sign} Update: now {card.status or 'unknown'}", style="bold"))
    lines.append(_linked(card.title, card.url, "bold"))
    about = [plain_text(card.source, 80), card.published.strftime("%d %B %Y") if card.published else ""]
    lines.append(Text(" · ".join(part for part in about if part), style="dim"))
    if card.style != "compact":
        lines += [Text(f"│ {plain_text(sentence, 400)}") for sentence in card.summary]
    for demand in card.demands:
        sign = look_of(demand.status).sign
        lines.append(Text(f"{sign} {plain_text(' · '.join(demand_parts(demand)), 300)}", style=colour))
    if card.moved_on:
        lines.append(Text(f"{look.sign} Now: {card.moved_on}", style=f"bold {colour}"))
    if card.style != "compact":
        if card.topics:
            lines.append(Text(" · ".join(card.topics), style="dim"))
        lines += _sources(card)
    console.print(Panel(Group(*lines), border_style=colour, title_align="left", title=_title(card)))


def _title(card: Card) -> Text | None:
    return Text(plain_text(card.case_title, 60)) if card.case_title else None


def _sources(card: Card) -> list[Text]:
    if not card.sources:
        return []
    lines = [Text("Further sources", style="bold")]
    lines += [_source(source) for source in card.sources]
    left = card.sources_total - len(card.sources)
    if left > 0:
        lines.append(Text(f"and {left} more", style="dim"))
    return lines


def _source(source: CardSource) -> Text:
    return Text("• ") + _linked(source.title, source.url, "")


def _linked(title: str, url: str, style: str) -> Text:
    shown = plain_text(title, 256) or "(without a title)"
    return Text(shown, style=Style.parse(style) + Style(link=safe_url(url)))
