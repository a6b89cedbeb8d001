"""What the demands of a story say about its subject: measures beside the words of the lexicons.

A story that tells who asked whom for whose data is of the field even where few of its words are, and the kind
of the demand says what it is about: bought data is the trade in data, an order to take a post down is about
speech. How much each counts is learnt with the rest (data/evidence.toml, `[measure.demand-*]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.stories.model import Demand

_NOT_COMPELLING = frozenset(("purchase", "informal request", "takedown order", "preservation request"))
_WATCHING = frozenset(
    (
        "geofence warrant",
        "keyword warrant",
        "wiretap order",
        "pen register order",
        "national security letter",
        "foreign intelligence order",
    )
)
_SEARCHING = frozenset(("search warrant", "geofence warrant", "keyword warrant"))
_SILENCING = frozenset(("gag order",))
_ASKING = frozenset(("informal request", "emergency request", "preservation request"))
_FOUGHT = frozenset(("challenged", "refused", "quashed", "withdrawn"))
_MET = frozenset(("complied", "partly complied"))
_WHO = frozenset(("names", "IP addresses", "e-mail addresses", "visitor logs"))
_WHERE = frozenset(("location data", "call records", "search and browsing history"))
_WRITTEN = frozenset(("messages", "encrypted data"))
_UNKNOWN = re.compile(
    r"@|\b(?:anonymous|pseudonym\w*|unknown|critics?|bloggers?|comment\w*|posters?|authors?|operators?|"
    r"owners?"
    r"|who|visitors?|pages?|profiles?|does?)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"\b(?:journalists?|reporters?|newspapers?|editors?|sources?|whistleblowers?|activists?|protest\w*|"
    r"critics?"
    r"|dissidents?|opposition|bloggers?|posts?|videos?|tweets?|channels?|articles?)\b",
    re.IGNORECASE,
)


def told_by(demands: Iterable[Demand]) -> dict[str, tuple[str, ...]]:
    """Give the measures that demands show, each with the sentences that report the demand."""
    found: dict[str, tuple[str, ...]] = {}
    for demand in demands:
        for name in _measures(demand):
            found.setdefault(name, demand.evidence)
    return found


def _measures(demand: Demand) -> list[str]:
    instrument = demand.instrument
    compels = instrument not in _NOT_COMPELLING
    target = " ".join(demand.target)
    sought = set(demand.sought)
    held = {
        "demand-told": True,
        "demand-whole": compels and bool(demand.issuer and demand.recipient and (sought or target)),
        "demand-compels": compels,
        "demand-takedown": instrument == "takedown order",
        "demand-purchase": instrument == "purchase",
        "demand-to-watch": instrument in _WATCHING or bool(sought & _WHERE),
        "demand-for-names": compels and bool(sought & _WHO),
        "demand-on-unknown": compels and bool(_UNKNOWN.search(target)),
        "demand-on-speaker": bool(_SPEAKER.search(target)),
        "demand-to-search": instrument in _SEARCHING,
        "demand-for-silence": instrument in _SILENCING,
        "demand-asked": instrument in _ASKING,
        "demand-subpoena": "subpoena" in instrument or "summons" in instrument,
        "demand-civil": instrument == "civil subpoena",
        "demand-secret": instrument in ("national security letter", "foreign intelligence order"),
        "demand-fought": compels and demand.status in _FOUGHT,
        "demand-met": compels and demand.status in _MET,
        "demand-ruled": demand.status in ("upheld", "quashed"),
        "demand-removal-met": instrument == "takedown order" and demand.status in _MET,
        "demand-removal-fought": instrument == "takedown order" and demand.status in _FOUGHT,
        "demand-for-messages": bool(sought & _WRITTEN),
        "demand-for-bodies": "biometric data" in sought,
        "demand-for-keys": "encryption keys" in sought or instrument == "technical capability notice",
    }
    return [name for name, holds in held.items() if holds]
