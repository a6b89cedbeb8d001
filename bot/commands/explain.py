"""What Quash makes of an article, laid out for a person in a terminal: every claim with its sentence.

Decisions come in the order in which they are made, each with its weight and its rule; the sentences behind
them stand once, at the end, and are pointed at by number.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.commands.screen import Screen
from bot.record import Finding
from bot.stories.model import Demand, Story

_WHAT_TO_READ = frozenset(("text", "language"))  # stages that say how the article was read


class _Sentences:
    """The sentences pointed at, numbered in the order in which they are first needed."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def signs(self, sentences: Iterable[str]) -> str:
        """Give "[1] [4]" for sentences."""
        return " ".join(
            f"[{self._numbers.setdefault(sentence, len(self._numbers) + 1)}]" for sentence in sentences
        )

    def listed(self) -> Iterable[tuple[str, str]]:
        """Give every sentence with its sign."""
        return [(f"[{number}]", sentence) for sentence, number in self._numbers.items()]


def explain(story: Story, case: str | None, console: Console | None = None) -> None:
    """Print a story with its evidence."""
    console = console or Screen()
    quoted = _Sentences()
    console.print(Text(story.title or "(no title)", style="bold"))
    verdict = "relevant" if story.relevant else "not relevant"
    console.print(Text(f"{verdict} (chance {story.relevance.score:.0%}) · language {story.language}", "cyan"))
    if case:
        console.print(Text(f"case {case}: {story.case_title}", "cyan"))
    for sentence in story.summary if story.relevant else ():
        console.print(Padding(Text(sentence), (0, 0, 0, 2)))
    _relevance(console, story, quoted)
    _topics(console, story, quoted)
    _demands(console, story, quoted)
    _parties(console, story, quoted)
    _other(console, story, quoted)
    _section(console, "Sentences", quoted.listed())
    console.print()


def demand_line(demand: Demand) -> str:
    """Give a demand in one line: issuer → recipient · instrument · about target · status."""
    parts = [
        f"{', '.join(demand.issuer) or 'not named'} → {', '.join(demand.recipient) or 'not named'}",
        demand.instrument,
    ]
    if demand.target:
        parts.append(f"about {', '.join(demand.target)}")
    parts.append(demand.status)
    return " · ".join(parts)


def _section(console: Console, heading: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Print a heading and rows under it; nothing where there are none."""
    rows = list(rows)
    if not rows:
        return
    console.print(Text(f"\n{heading}", style="bold"))
    table = Table.grid(padding=(0, 2))
    for column in range(len(rows[0])):
        table.add_column(overflow="fold", no_wrap=column == 0, max_width=40 if column == 0 else None)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(Padding(table, (0, 0, 0, 2)))


def _weight(finding: Finding) -> str:
    return "" if finding.weight is None else f"{finding.weight:+.2f}"


def _of(story: Story, stage: str) -> list[Finding]:
    return [finding for finding in story.findings if finding.stage == stage]


def _relevance(console: Console, story: Story, quoted: _Sentences) -> None:
    """The sum, and what counts most for and against it."""
    _section(
        console,
        "Relevance: the sum, and what counts most for it and against it (log-odds)",
        [(_weight(each), each.reason, quoted.signs(each.evidence)) for each in _of(story, "relevance")],
    )


def _topics(console: Console, story: Story, quoted: _Sentences) -> None:
    reasons = {finding.outcome: finding for finding in _of(story, "topic")}
    rows = []
    for topic in story.topics:
        finding = reasons.get(topic.topic)
        why = finding.reason if finding else ""
        rows.append((topic.topic, f"{topic.score:.0%}", why, quoted.signs(topic.evidence)))
    _section(console, "Topics", rows)


def _demands(console: Console, story: Story, quoted: _Sentences) -> None:
    """Every demand, field by field, each with the sentence that it rests on."""
    for number, demand in enumerate(story.demands, 1):
        signs = {name: quoted.signs([sentence]) for name, sentence in demand.field_evidence}
        fields = (
            ("issuer", ", ".join(demand.issuer)),
            ("recipient", ", ".join(demand.recipient)),
            ("instrument", demand.instrument),
            ("target", ", ".join(demand.target)),
            ("sought", ", ".join(demand.sought)),
            ("statute", demand.statute or ""),
            ("date", demand.demanded_on or ""),
            ("deadline", demand.deadline or ""),
            ("status", demand.status),
        )
        rows = [(name, value, signs.get(name, "")) for name, value in fields if value]
        rows.append(("told in", "", quoted.signs(demand.evidence)))
        _section(console, f"Demand {number}: {demand_line(demand)}", rows)
    if story.relevant and not story.demands:
        _section(console, "Demands", [("none", finding.reason) for finding in _of(story, "demand")])


def _parties(console: Console, story: Story, quoted: _Sentences) -> None:
    reasons = {finding.reason.partition(" (")[0]: finding.reason for finding in _of(story, "party")}
    rows = []
    for party in story.parties:
        why = reasons.get(party.name, "").partition("): ")[2].rstrip(".")
        signs = quoted.signs(party.evidence[:1])
        rows.append((party.name, f"{party.role}: {why} ({party.kind}, {party.mentions}×)", signs))
    _section(console, "Parties", rows)


def _other(console: Console, story: Story, quoted: _Sentences) -> None:
    """How the article was read, and what else was noted on the way."""
    shown = ("relevance", "topic", "demand", "party")
    _section(
        console,
        "How it was read",
        [
            (each.stage, each.reason, "" if each.stage in _WHAT_TO_READ else quoted.signs(each.evidence))
            for each in story.findings
            if each.stage not in shown
        ],
    )
