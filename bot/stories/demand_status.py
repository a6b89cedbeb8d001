"""Where one demand of an article stands: which of the events told are its own, and which is the last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.stories.demand_groups import matters
from bot.stories.demand_told import Group
from bot.stories.marks import Marked
from bot.stories.status import StatusEvent, acted, last_status, turned

GIVING, RESISTING = ("complied", "partly complied"), ("refused", "challenged")
_ORDERS = (
    "court order",
    "takedown order",
    "technical capability notice",
    "national security letter",
    "foreign intelligence order",
    "gag order",
    "wiretap order",
    "pen register order",
    "preservation request",
)
"""Instruments that are orders themselves: that somebody "ordered" says no more than that they were issued."""
_EARLY = 8
"""Sentences in which whatever is told of a status is told of the article's demand."""
_OF_DEMANDS = re.compile(
    r"(?<!\w)(?:subpoena|summons|warrant|order|demand|request|notice|motion|letter)s?(?!\w)"
)

_OF_SOME = re.compile(
    r"(?<!\w)(?:in (?:at least )?(?:some|several|many|most|a few|two|three|other) "
    r"(?:of (?:the|these|those) )?cases|"
    r"(?:several|some|a few|many) (?:of (?:them|those|the (?:users|people)) |users |people |targets )?"
    r"who did)(?!\w)"
)
"""What is told of some demands of many: no outcome for all of them."""
_SHARE = re.compile(r"\d ?(?:%|percent|per cent)")
"""How many of a year's demands were met: it says nothing of a single one."""


def stands(
    group: Group,
    groups: list[Group],
    issuers: tuple[str, ...],
    recipients: tuple[str, ...],
    lead: tuple[str, int],
    marked: list[Marked],
    events: list[StatusEvent],
) -> tuple[tuple[str, int], str, StatusEvent | None]:
    """Say where a demand stands, and which event tells it (None: the bare demand).

    `groups` are all that are told, `lead` is the instrument and the sentence that names it: given back as it
    is, or as the court order that an event shows it to be.
    """
    event = None
    if group.family == "buy":  # what was bought was given, unless who sells has stopped
        told = [e for e in events if e.family == "buy" and matters(e, group, groups)]
        event = last_status([e for e in told if e.index < 1 or e.status != "withdrawn"])
    elif group.family == "gag" and len(groups) > 1:  # nobody complies with a gag in the news
        silent = {frame.index + step for frame in group.frames for step in (0, 1)}
        told = [e for e in events if e.family == "gag" or e.index in silent]
        event = last_status([e for e in told if e.status not in (*GIVING, "refused")])
    else:
        ours = _ours(group, groups, issuers, recipients, marked, events)
        if lead[0] in _ORDERS:  # an order that was given; what it leaves out is not the demand
            given = any(e.order for e in ours)
            ours = [e for e in ours if not e.order and not (e.soft and given)]
        event = last_status(ours)
        if lead[0] == "informal request" and any(e.status in ("quashed", "upheld") and e.court for e in ours):
            lead = ("court order", lead[1])  # what a court forces or forbids was asked of the court
    status = event.status if event else group.default_status
    lifted = {frame.index for frame in group.frames if frame.form == "removal"}
    if (status, group.family) == ("quashed", "content") and any(
        e.index in lifted and e.status == "quashed" and {name for name, _ in e.actors} & set(issuers)
        for e in events
    ):
        status = "withdrawn"  # a court that takes its own order back
    return lead, status, event


def _ours(
    group: Group,
    groups: list[Group],
    issuers: tuple[str, ...],
    recipients: tuple[str, ...],
    marked: list[Marked],
    events: list[StatusEvent],
) -> list[StatusEvent]:
    """The events that are told of a demand: near to its words, by those who may do it."""
    around = {frame.index + step for frame in group.frames for step in (-2, -1, 0, 1, 2)}
    around |= {
        item.index
        for item in marked
        if _OF_DEMANDS.search(item.text)
        or any(slot.name in recipients or slot.name in issuers for slot in item.slots.values())
    }
    told = {frame.index for frame in group.frames if frame.weight >= 0.3} | {
        item.index for item in marked if any(slot.name in recipients for slot in item.slots.values())
    }
    near = {index + step for index in told for step in (0, 1, 2)}
    surest = max(group.frames, key=lambda frame: frame.weight)
    shares = {item.index for item in marked if _SHARE.search(item.text)} - {surest.index}
    return [
        turned(event, issuers)
        for event in _of_all(events, marked)
        if (event.index < _EARLY or event.index in around)
        and (surest.plural or not (event.of_kind or (event.index in shares and event.status in GIVING)))
        and matters(event, group, groups)
        and acted(event, issuers, recipients, near)
    ]


def _of_all(events: list[StatusEvent], marked: list[Marked]) -> Iterator[StatusEvent]:
    """Leave out what only some demands of many came to; who gave in some cases complied in part."""
    some = {item.index for item in marked if _OF_SOME.search(item.text)}
    for event in events:
        if event.index not in some or event.status not in ("complied", "withdrawn", "quashed", "upheld"):
            yield event
        elif event.status == "complied":
            yield replace(event, status="partly complied")
