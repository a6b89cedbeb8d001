"""The title of a case, as a person would give it: "Twitter and the @ALT_USCIS summons"."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import lru_cache

from bot.stories.model import Demand, Document, Party, Topic
from bot.stories.naming import canonical_name

LONGEST = 100  # characters
_SHORT_NAME = 32

# What people call the instruments for short, singular.
_CALLED = {
    "administrative subpoena": "subpoena",
    "administrative summons": "summons",
    "civil subpoena": "subpoena",
    "foreign intelligence order": "surveillance order",
    "technical capability notice": "capability notice",
    "court order": "order",
}

_VAGUE = ("informal request", "emergency request", "preservation request")

# What stands before or behind a headline and is no part of it.
_BEFORE = re.compile(
    r"^\W*(?:(?:opinion|exclusive|breaking(?: news)?|watch|video|update(?: ?\d+)?(?:-\w+)?|analysis|report|"
    r"editorial|podcast|live|op-ed|shock|explainer|fact check|just in|wow)\s*[:|–—-]\s+)+",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?:\s+[|»·]\s+[^|»·]{2,60}|\s+[–—-]\s+[A-Z][\w.&' ]{2,40}|\s*[\[(][^\])]{2,30}[\])])\s*$"
)


def case_title(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> str:
    """Give the title that a person would give the case, from its first story.

    Built of recipient, instrument and target (or issuer) where the story tells of a demand, else its
    headline without what sites put round it.
    """
    if document.language == "en":
        named = {party.name for party in parties}
        for demand in sorted(demands, key=lambda d: not any(t.startswith("@") for t in d.target)):
            title = _of_demand(demand, named)
            if title:
                return title
    return clean_headline(document.title)


def _of_demand(demand: Demand, named: Container[str]) -> str:
    """Name a demand; empty when too little of it is known, or its names are no names ("some users")."""
    recipient = _names([name for name in demand.recipient if name[0].isupper()])
    issuer = _names([name for name in demand.issuer if name[0].isupper()])
    if not recipient or demand.instrument in _VAGUE:
        return ""
    if demand.instrument == "purchase":
        return f"{issuer} and the data bought from {recipient}" if issuer else ""
    called = _CALLED.get(demand.instrument, demand.instrument)
    targets = [t for t in demand.target if t in named and t not in demand.recipient]
    target = _names(sorted(targets, key=lambda t: not t.startswith("@"))[:1])
    if target:
        # "the @ALT_USCIS summons", but "the warrant for Donald Trump": what is no handle comes behind.
        what = f"{target} {called}" if target.startswith("@") else f"{called} about {target}"
    elif issuer and issuer != recipient:
        what = f"{issuer} {called}"
    else:
        return ""
    between = ": the" if len(demand.recipient) > 1 else " and the"
    title = f"{recipient}{between} {what}"
    return title if len(title) <= LONGEST else ""


def _names(names: Sequence[str]) -> str:
    """Give names as a title has them: one, two, or "one and others"; empty where one is too long."""
    shown = [_short(name) for name in names[:2]]
    if not shown or any(len(name) > _SHORT_NAME for name in shown):
        return ""
    if len(names) > 2:
        return f"{shown[0]}, {shown[1]} and others"
    return " and ".join(shown)


@lru_cache(maxsize=1024)
def _short(name: str) -> str:
    """Give the name by which people call an agency: its initials, where those mean it."""
    initials = "".join(word[0] for word in name.split() if word[0].isupper())
    return initials if len(initials) > 2 and canonical_name(initials) == name else name


def clean_headline(headline: str) -> str:
    """Give a headline without "OPINION:", "| The Site", "[REPORT]", cut between words where it is long."""
    kept = " ".join(headline[:1000].split())
    for pattern in (_BEFORE, _BEHIND, _BEHIND):
        shorter = pattern.sub("", kept)
        if len(shorter) >= 15 or len(shorter) > len(kept) / 2:
            kept = shorter
    if len(kept) > LONGEST:
        kept = kept[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"
    return kept[:1].upper() + kept[1:]
