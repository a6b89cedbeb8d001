"""What Quash makes of an article, laid out for a person in a terminal: every claim with its sentence."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.stories.model import Demand, Story


def explain(story: Story, case: str | None) -> None:
    """Print a story with its evidence."""
    console = Console(highlight=False)
    verdict = "relevant" if story.relevant else "not relevant"
    console.print(Text(story.title or "(no title)", style="bold"))
    console.print(f"{verdict}, {story.relevance.score:.2f} · language {escape(story.language)}", style="cyan")
    _quotes(console, story.relevance.evidence)
    for sentence in story.summary:
        console.print(Padding(Text(sentence), (0, 0, 0, 2)))
    for topic in story.topics:
        console.print(f"[bold]{topic.topic}[/] {topic.score:.2f}")
        _quotes(console, topic.evidence)
    for demand in story.demands:
        console.print(Text("demand: " + demand_line(demand), style="bold"))
        _quotes(console, demand.evidence)
    if story.parties:
        table = Table("party", "kind", "role", "mentions", box=None, header_style="dim")
        for party in story.parties:
            table.add_row(Text(party.name), party.kind, party.role, str(party.mentions))
        console.print(table)
    if case:
        console.print(f"case {escape(case)}: {escape(story.case_title)}")
    for finding in story.findings:
        weight = "" if finding.weight is None else f" ({finding.weight:+.2f})"
        console.print(Text(f"  {finding.stage}: {finding.outcome}{weight} — {finding.reason}", style="dim"))
    console.print()


def demand_line(demand: Demand) -> str:
    """Give a demand in one line: issuer → recipient · instrument · about target · status."""
    parts = [
        f"{', '.join(demand.issuer) or 'somebody'} → {', '.join(demand.recipient) or 'somebody'}",
        demand.instrument,
    ]
    if demand.target:
        parts.append(f"about {', '.join(demand.target)}")
    parts.append(demand.status)
    return " · ".join(parts)


def _quotes(console: Console, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        console.print(Padding(Text(f"“{sentence}”", style="dim italic"), (0, 0, 0, 4)))
