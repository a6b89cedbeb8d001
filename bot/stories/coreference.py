"""Words that stand for a party named elsewhere: last names, acronyms, short names, "the agency"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.stories.gazetteer import load
from bot.stories.model import Mention
from bot.stories.names import Found, words

if TYPE_CHECKING:
    from bot.stories.parties import Scan


def resolve(scans: list[Scan]) -> tuple[Mention, ...]:
    """Turn the spans of all scans into mentions, and resolve what refers to them."""
    gazetteer = load()
    full: dict[str, str] = {}
    for scan in scans:
        for span in scan.spans:
            if span.kind == "person" and " " in span.name:
                full.setdefault(span.name.rsplit(" ", 1)[-1].lower(), span.name)
    out: list[Mention] = []
    for scan in scans:
        here: list[Mention] = []
        for span, by in zip(scan.spans, scan.by, strict=True):
            name = span.name
            if span.kind == "person" and " " not in name:
                people = gazetteer.people_by_last_name.get(name.lower(), [])
                name = full.get(name.lower()) or (people[0].name if len(people) == 1 else name)
            here.append(_mention(scan, span.start, span.end, name, span.kind, by))
        for at in scan.loose:
            name = full.get(scan.tokens.lows[at], "")
            if name:
                here.append(_mention(scan, at, at + 1, name, "person", "coreference"))
        here.sort(key=lambda m: m.start)
        out.extend(here)
    return tuple(out)


def _mention(scan: Scan, start: int, end: int, name: str, kind: str, by: str) -> Mention:
    first = scan.tokens.starts[start]
    last = scan.tokens.ends[end - 1]
    return Mention(name, kind, scan.sentence, first, last, scan.text[first:last], by)
