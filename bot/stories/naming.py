"""The canonical name of a party, however a person writes it ("DHS", "homeland security")."""

from __future__ import annotations

from bot.stories.model import Document
from bot.stories.parties import find_mentions

# Articles that may stand before a name: "the FBI", "der BND", "la CNIL", "o STF".
_ARTICLES = frozenset(
    ["the", "der", "die", "das", "den", "le", "la", "les", "el", "los", "las", "o", "a", "os", "as"]
)


def canonical_name(typed: str) -> str:
    """Give the canonical name where the whole of what was typed names one party, else what was typed."""
    wanted = " ".join(typed.split())[:200]
    # People type names without capitals, names stand in articles with them.
    for written in (wanted, wanted.upper(), wanted.title()):
        for mention in find_mentions(Document(title=written, sentences=(), language="en")):
            before = written[: mention.start].strip().casefold()
            whole = mention.end == len(written) and (not before or before in _ARTICLES)
            if whole and mention.by == "gazetteer":
                return mention.name
    return wanted
