"""The title of a case, as a person would give it: "Twitter and the @ALT_USCIS summons"."""

from bot.stories.model import Demand, Document, Party, Topic


def case_title(
    document: Document, parties: tuple[Party, ...], demands: tuple[Demand, ...], topics: tuple[Topic, ...]
) -> str:
    """Give the title that a person would give the case."""
    return document.title
