"""The record: what each stage of a story's way decided, and why.

One `Recorder` is handed along a story's way. Whoever decides writes a `Finding` there in the same
breath, so that explanations (`analyse`, Evidence, `/why`, `preview`) read what happened instead of
acting it out again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

STAGES: tuple[str, ...] = (
    "due",
    "fetch",
    "parse",
    "known",
    "article",
    "text",
    "language",
    "relevance",
    "topic",
    "party",
    "demand",
    "summary",
    "case",
    "rule",
    "delivery",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One decision: at which `stage`, with what `outcome`, for what `reason`.

    `reason` is a sentence for people. `evidence` holds verbatim sentences of the article; `weight` is
    what the finding added to the decision (its unit is the stage's own), None where nothing was weighed.
    """

    stage: str
    outcome: str
    reason: str
    evidence: tuple[str, ...] = ()
    weight: float | None = None


class Notes(Protocol):
    """Where a stage writes its findings."""

    def note(
        self,
        stage: str,
        outcome: str,
        reason: str,
        *,
        evidence: tuple[str, ...] = (),
        weight: float | None = None,
    ) -> None:
        """Write one finding down."""


@dataclass(slots=True)
class Recorder:
    """Collects findings in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list)

    def note(
        self,
        stage: str,
        outcome: str,
        reason: str,
        *,
        evidence: tuple[str, ...] = (),
        weight: float | None = None,
    ) -> None:
        """Write one finding down."""
        if stage not in STAGES:
            raise ValueError(f"no such stage: {stage}")
        self.findings.append(Finding(stage, outcome, reason, tuple(evidence), weight))
