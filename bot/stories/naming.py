"""The canonical name of a party, however a person writes it ("DHS", "homeland security")."""

from __future__ import annotations

from bot.stories.model import Document
from bot.stories.parties import find_mentions


def canonical_name(typed: str) -> str:
    """Give the canonical name where the whole of what was typed names one party, else what was typed."""
    wanted = " ".join(typed.split())[:200]
    # People type names without capitals, names stand in articles with them.
    for written in (wanted, wanted.upper(), wanted.title()):
        for mention in find_mentions(Document(title=written, sentences=(), language="en")):
            if mention.start == 0 and mention.end == len(written) and mention.by == "gazetteer":
                return mention.name
    return wanted
