"""Finds the demands that an article reports: who asks whom for what about whom, and where it stands.

The sentences are read one by one (`bot.stories.demand_frames`); here their frames are put together:
which of them speak of the same demand, who its parties are, which instrument the article names at its most exact,
and which status is the last (`bot.stories.status`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from bot.record import Notes
from bot.stories.demand_frames import EXPLICIT, Frame, frames_of
from bot.stories.marks import Marked, Slot, mark
from bot.stories.model import Demand, Document, Mention
from bot.stories.sought import kinds_sought
from bot.stories.status import StatusEvent, events_of, last_status

MAX_SENTENCES = 150
"""Sentences that are read. A report says what it has to say within them; a book is no report."""

_ENOUGH = 1.0  # weight of the frames of a demand, together, from which it is reported

_TRIGGER = re.compile(
    r"subpoena|summons|warrant|order|demand|request|letter|ask|hand|turn|unlock|decrypt|refus|declin|obtain|seiz|acqui|sought|seek|"
    r"compel|forc|direct|instruct|told|tell|give|gave|shar|provid|bought|buy|purchas|sell|sold|gag|block|remov|takedown|take down|notice|"
    r"unmask|identif|reveal|disclos|compl|press|search|tap|want|push|legal process|look-?up|data"
)


@dataclass(slots=True)
class _Group:
    """Frames that speak of one demand."""

    family: str
    frames: list[Frame] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return sum(frame.weight for frame in self.frames)


def _mark_all(document: Document, mentions: tuple[Mention, ...]) -> list[Marked]:
    by_sentence: dict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_sentence[mention.sentence].append(mention)
    marked = [mark(document.title, -1, by_sentence.get(-1, []))]
    for sentence in document.sentences[:MAX_SENTENCES]:
        marked.append(mark(sentence.text, sentence.index, by_sentence.get(sentence.index, [])))
    return marked


def _groups(frames: list[Frame]) -> list[_Group]:
    """Put frames together that speak of one demand: one for each family of instruments."""
    groups: dict[str, _Group] = {}
    for frame in frames:
        groups.setdefault(frame.family, _Group(frame.family)).frames.append(frame)
    return list(groups.values())


def _votes(group: _Group, role: str) -> tuple[dict[str, float], dict[str, Slot]]:
    votes: dict[str, float] = defaultdict(float)
    slots: dict[str, Slot] = {}
    for frame in group.frames:
        for name, weight in (frame.issuers if role == "issuer" else frame.recipients).items():
            slots.setdefault(name, frame.slots[name])
            votes[name] += weight * min(1.0, 0.4 + frame.weight / 2) * (1.3 if frame.index < 2 else 1.0)
    return votes, slots


def _pick(votes: dict[str, float], slots: dict[str, Slot], *, share: float) -> tuple[str, ...]:
    """The party with most votes, and those that come near it; a real name before a common noun."""
    if not votes:
        return ()
    named = {name: weight for name, weight in votes.items() if not slots[name].generic}
    best_named = max(named.values(), default=0.0)
    pool = named if best_named >= 1.0 or not any(slots[n].generic for n in votes) else votes
    top = max(pool.values())
    return tuple(
        name
        for name, weight in sorted(pool.items(), key=lambda item: -item[1])
        if weight >= top * share and weight >= min(top, 1.5)
    )


def _resolve(group: _Group, marked: list[Marked]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    issuer_votes, issuer_slots = _votes(group, "issuer")
    recipient_votes, recipient_slots = _votes(group, "recipient")
    for name in list(recipient_votes):
        if name in issuer_votes:  # one party cannot be both: the stronger role wins
            if issuer_votes[name] >= recipient_votes[name]:
                del recipient_votes[name]
            else:
                del issuer_votes[name]
    issuers = _pick(issuer_votes, issuer_slots, share=0.75)[:3]
    recipients = _pick(recipient_votes, recipient_slots, share=0.45)[:8]
    if not issuers:
        issuers = _salient(marked, ("agency",), exclude=set(recipients))
    if not recipients:
        recipients = _salient(marked, ("company",), exclude=set(issuers))
    targets: dict[str, None] = {}
    for frame in group.frames:
        for name in frame.targets:
            if name not in issuers and name not in recipients:
                targets.setdefault(name)
    return issuers, recipients, tuple(targets)[:3]


def _salient(marked: list[Marked], kinds: tuple[str, ...], exclude: set[str]) -> tuple[str, ...]:
    """The party of a kind that the title and the first sentences name most."""
    counts: dict[str, float] = defaultdict(float)
    for item in marked:
        weight = 2.0 if item.index < 0 else 1.0 if item.index < 5 else 0.5
        for slot in item.slots.values():
            if slot.kind in kinds and not slot.generic and slot.name not in exclude:
                counts[slot.name] += weight
    if not counts:
        return ()
    best, weight = max(counts.items(), key=lambda pair: pair[1])
    return (best,) if weight >= 1.5 else ()


def _instrument(group: _Group) -> Frame:
    return max(group.frames, key=lambda frame: (frame.rank + (0.5 if frame.weight >= 1 else 0), -frame.index))


def find_demands(document: Document, mentions: tuple[Mention, ...], notes: Notes) -> tuple[Demand, ...]:
    """Find the demands of an article, the main one first, each with its evidence.

    `mentions` are the places that name parties (`bot.stories.parties.find_mentions`). Nothing is found, and that is
    noted, where an article only speaks of what may be, of law in general, or of political summonses.
    """
    if not _TRIGGER.search(document.title.lower()) and not any(
        _TRIGGER.search(s.text.lower()) for s in document.sentences[:MAX_SENTENCES]
    ):
        return ()
    marked = _mark_all(document, mentions)
    frames = [frame for item in marked for frame in frames_of(item)]
    groups = [group for group in _groups(frames) if group.weight >= _ENOUGH]
    if not groups:
        notes.note("demand", "none", "No sentence reports a demand as a fact.")
        return ()
    groups.sort(key=lambda group: -group.weight)
    events = _events(document, marked)
    texts = {sentence.index: sentence.text for sentence in document.sentences}
    texts[-1] = document.title
    demands = []
    for group in groups:
        demand = _demand(group, marked, events, texts)
        if demand is not None:
            demands.append(demand)
            notes.note(
                "demand", demand.status, _reason(demand), evidence=demand.evidence, weight=group.weight
            )
    return tuple(demands)


def _events(document: Document, marked: list[Marked]) -> list[StatusEvent]:
    sections = {sentence.index: sentence.section for sentence in document.sentences}
    events = []
    for place, item in enumerate(marked):
        events.extend(events_of(item, sections.get(item.index, 0), early=place - 1))
    return events


def _demand(
    group: _Group, marked: list[Marked], events: list[StatusEvent], texts: dict[int, str]
) -> Demand | None:
    issuers, recipients, targets = _resolve(group, marked)
    if not issuers and not recipients:
        return None
    lead = _instrument(group)
    event = last_status(events)
    status = event.status if event else "issued"
    strongest = max(group.frames, key=lambda frame: (frame.index >= 0, frame.weight, -frame.index))
    first = texts[strongest.index]
    evidence = [first]
    fields = [("issuer", first), ("recipient", first), ("instrument", texts[lead.index])]
    if event:
        fields.append(("status", texts[event.index]))
        if event.index >= 0 and texts[event.index] not in evidence:
            evidence.append(texts[event.index])
    sought = kinds_sought(
        " ".join(item.text for item in marked if item.index in {frame.index for frame in group.frames})
    )
    return Demand(
        issuer=issuers,
        instrument=lead.instrument,
        recipient=recipients,
        target=targets,
        sought=sought,
        status=status,
        evidence=tuple(evidence),
        field_evidence=tuple(fields),
    )


def _reason(demand: Demand) -> str:
    who = " and ".join(demand.issuer) or "somebody unnamed"
    whom = ", ".join(demand.recipient) or "somebody unnamed"
    return f"{who} to {whom}: {demand.instrument}, {demand.status}."
