"""What was said of one entry (or of the feed itself) while its elements went by, and what that makes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.feeds.model import Entry
from bot.feeds.reading.authors import person_name
from bot.feeds.reading.clean import entry_id, repaired, title_text, web_address, without_controls
from bot.feeds.reading.dates import credible, parse_date
from bot.feeds.reading.limits import MAX_AUTHORS, MAX_TEXT
from bot.feeds.reading.names import CREATED, ID, LAST_PLAIN, MEDIA_DESCRIPTION, PUBLISHED, UPDATED

_NOTHING: Final = ("",) * (LAST_PLAIN + 1)


class Draft:
    """Gathers the parts; `entry()` puts them together."""

    __slots__ = (
        "about", "authors", "contents", "id_is_link", "link", "other_link", "summary", "summary_role",
        "texts", "title", "title_depth", "title_markup",
    )  # fmt: skip

    def __init__(self) -> None:
        self.texts = list(_NOTHING)  # by role
        self.about = self.link = self.other_link = self.title = self.summary = ""
        self.title_depth = self.summary_role = 0
        self.title_markup: bool | None = None
        self.id_is_link = False
        self.authors: list[str] | None = None
        self.contents: list[str] | None = None

    def add_summary(self, role: int, text: str) -> None:
        """Keep a summary; where there are two, the second is the content."""
        if not self.summary or self.summary_role == MEDIA_DESCRIPTION:
            self.summary, self.summary_role = text, role
        elif role == MEDIA_DESCRIPTION:
            return
        elif self.contents is None:
            self.contents = [text]
        else:
            self.summary = text

    def add_content(self, text: str) -> None:
        """Keep a content."""
        if self.contents is None:
            self.contents = [text]
        else:
            self.contents.append(text)

    def add_author(self, text: str) -> None:
        """Keep the name of somebody who wrote it."""
        name = person_name(text)
        if not name:
            return
        if self.authors is None:
            self.authors = [name]
        elif name not in self.authors and len(self.authors) < MAX_AUTHORS:
            self.authors.append(name)

    def entry(self, base: str, now: datetime, *, atom: bool, controls: bool) -> Entry:
        """Give the entry, cleaned; `controls` tells whether control characters may stand in its texts."""
        texts = self.texts
        published = credible(parse_date(texts[PUBLISHED]), now)
        updated = credible(parse_date(texts[UPDATED]), now)
        if published is None:
            if updated is None:
                published = credible(parse_date(texts[CREATED]), now)
            elif not atom:
                # In RSS, dc:date is the date of the entry and not that of a change.
                published = updated
        identity = texts[ID].strip()
        url = self.link
        if not identity:
            identity = self.about
            url = url or web_address(identity, base)
        elif self.id_is_link:
            url = url or web_address(identity, base)
        summary = _body(self.summary, controls)
        content = _body(self.contents[0], controls) if self.contents is not None else ""
        return Entry(
            entry_id(identity),
            url or self.other_link,
            title_text(self.title, self.title_markup),
            published,
            updated,
            summary or content,
            content,
            tuple(self.authors) if self.authors else (),
        )


def _body(text: str, controls: bool) -> str:
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
    text = text.strip()
    if not text.isascii():
        text = repaired(text)
    return without_controls(text) if controls else text
