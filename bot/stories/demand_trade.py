"""Data that agencies get without an order: bought from a firm, or looked up by another agency as a favour."""

from __future__ import annotations

import re

from bot.stories.demand_roles import EXPLICIT, LIST, Frame
from bot.stories.demand_rules import holds, is_fact, rules
from bot.stories.marks import DATA, Marked

_GOODS = re.compile(rf"(?:{DATA}|(?<!\w)(?:access|feeds?|netflow|posts|movements)(?!\w))")


_BUYERS = {
    "police",
    "law enforcement",
    "government",
    "federal government",
    "police departments",
    "federal agencies",
    "intelligence agencies",
}


def bought(marked: Marked) -> list[Frame]:
    frames = []
    text = marked.text
    for pattern, buyer, seller in ((rules().buying, "who", "from"), (rules().selling, "to", "who")):
        for match in pattern.finditer(text):
            buyers = [slot for slot in marked.names(match.group(buyer)) if slot.kind == "agency"]
            sellers = [
                slot
                for slot in marked.names(match.group(seller))
                if slot.kind == "company" and not slot.generic
            ]
            near = text[match.start() : match.end() + 60]
            if (
                all(slot.generic and slot.name.lower() not in _BUYERS for slot in buyers)
                or not sellers
                or not _GOODS.search(near)
                or not is_fact(text[: match.end("mid")][-60:], noun=False)
            ):
                continue
            frame = Frame(marked.index, "purchase", "buy", 8, "buying", match.start(), weight=1.5)
            frame.vote("issuer", buyers, EXPLICIT)
            frame.vote("recipient", sellers, EXPLICIT)
            frames.append(frame)
    return frames


_FAVOUR = re.compile(
    rf"(?:(?P<who>{LIST})[^;]{{0,110}}?)?(?<!\w)(?:searches|search|look-?ups|queries|searched|"
    rf"queried|look-?up)(?!\w)[^;]{{0,80}}?"
    rf" (?:for|on behalf of|at the request of|at request of|requests? of|to help|"
    rf"to assist)(?: [\w-]+){{0,3}}? (?P<for>{LIST})"
)


def favours(marked: Marked) -> list[Frame]:
    """Searches that one agency runs for another: an informal request that was granted."""
    frames = []
    if not holds(marked.text, ("search", "look", "quer")):
        return []
    for match in _FAVOUR.finditer(marked.text):
        asking = [
            slot for slot in marked.names(match.group("for")) if slot.kind == "agency" and not slot.generic
        ]
        doing = [
            slot
            for slot in marked.names(match.group("who") or "")
            if slot.kind == "agency" and asking and slot.name != asking[0].name
        ]
        if not asking:
            continue
        frame = Frame(
            marked.index,
            "informal request",
            "favour",
            2,
            "favour",
            match.start(),
            weight=1.1 if doing else 0.6,
        )
        frame.vote("issuer", asking, EXPLICIT)
        frame.vote("recipient", doing, EXPLICIT)
        frames.append(frame)
    return frames
